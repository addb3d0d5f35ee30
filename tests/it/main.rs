//! The integration tests: one binary, one file per subject.

mod decode_commerceml;
mod form;
mod http;
mod http_bounds;
mod http_support;
mod journal;
mod journal_model;
