//! The integration tests: one binary, one file per subject.

mod catalog;
mod config;
mod connector;
mod decode_commerceml;
mod exchange;
mod form;
mod frozen;
mod http;
mod http_bounds;
mod http_support;
mod identity;
mod journal;
mod journal_model;
mod locales;
mod mapping;
mod mapping_out;
mod normalize;
mod outbox;
mod scoring;
mod sink;
mod store;
mod tidy;
mod twin;
mod twin_limits;
mod twin_objects;
mod twin_senders;
