//! Integration tests, in one binary: one file a subject.

mod identity;
mod normalize;
mod scoring;
