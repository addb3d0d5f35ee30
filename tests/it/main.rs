//! The integration tests: one binary, one file per subject.

mod connector;
mod form;
mod http;
mod http_bounds;
mod http_support;
mod locales;
mod normalize;
mod frozen;
mod store;
mod tidy;
//! Integration tests, in one binary: one file a subject.

mod connector;
mod mapping;
mod normalize;
mod store;
