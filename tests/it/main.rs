//! Integration tests, one module per subject.

mod twin;
mod twin_limits;
mod twin_objects;
mod twin_senders;
