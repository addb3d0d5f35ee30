//! The integration tests: one binary, so that it links once; one file per subject.

mod decode_commerceml;
mod form;
mod http;
mod http_bounds;
mod http_support;
mod exchange;
mod journal;
mod journal_model;
