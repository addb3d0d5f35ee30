//! The integration tests: one binary, so that it links once; one file per subject.

mod decode_commerceml;
mod exchange;
mod journal;
mod journal_model;
