//! Integration tests, in one binary: one file a subject.

mod normalize;
mod scoring;
