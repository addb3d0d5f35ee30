//! The integration tests: one binary, one file per subject.

mod decode_commerceml;
//! Integration tests: one binary, so that it links once.

mod journal;
mod journal_model;
