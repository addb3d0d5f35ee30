//! The integration tests: one binary, so that it links once; one file per subject.

mod decode_commerceml;
mod exchange;
mod form;
mod http;
mod http_bounds;
mod http_support;
mod journal;
mod journal_model;
