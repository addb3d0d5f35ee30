//! The integration tests: one binary, one file per subject.

mod connector;
mod decode;
mod form;
mod frozen;
mod http;
mod http_bounds;
mod http_support;
mod locales;
mod mapping;
mod normalize;
mod store;
mod tidy;
