//! Integration tests: one binary, so that it links once.

mod journal;
mod journal_model;
