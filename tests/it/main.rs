//! Integration tests, in one binary: one file a subject.

mod connector;
mod mapping;
mod identity;
mod normalize;
mod store;
mod scoring;
