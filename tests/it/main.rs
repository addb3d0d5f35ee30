//! Integration tests, in one binary: one file a subject.

mod catalog;
mod config;
mod connector;
mod identity;
mod mapping;
mod mapping_out;
mod normalize;
mod scoring;
mod store;
