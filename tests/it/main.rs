//! The integration tests: one binary, one file per subject.

mod store;
//! Integration tests, in one binary: one file a subject.

mod normalize;
