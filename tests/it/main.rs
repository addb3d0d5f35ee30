//! The integration tests: one binary, one file per subject.

mod decode_commerceml;
