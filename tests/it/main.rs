//! The integration tests: one binary, one file per subject.

mod store;
//! Integration tests, in one binary: one file a subject.

mod connector;
mod normalize;
//! One integration binary: one link instead of many.

mod form;
mod http;
mod http_bounds;
mod http_support;
//! One integration binary: a file per subject.

mod connector;
