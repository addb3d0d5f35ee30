//! Uzel: an integration daemon. See `ARCHITECTURE.md` for the words, the path of a message and
//! who may import whom.

pub mod base;

pub mod entry;
pub mod field;
pub mod model;
pub mod value;

pub mod alarm;
pub mod assembly;
pub mod calendar;
pub mod config;
pub mod connector;
pub mod decode;
pub mod identity;
pub mod mapping;
pub mod normalize;
pub mod outbox;
pub mod people;
pub mod report;
pub mod scoring;

pub mod auth;
pub mod certificate;
pub mod journal;
pub mod net;
pub mod store;
pub mod vault;

pub mod catalog;
pub mod tables;

pub mod notify;
pub mod pipeline;
pub mod plan;
pub mod probe;
pub mod query;
pub mod relay;
pub mod sink;
pub mod source;
pub mod twin;

pub mod task;

pub mod control;
pub mod http;
pub mod web;

pub mod app;
pub mod cli;
