//! Decoders: bytes of an envelope -> values with issues.
//!
//! Pure: no clock, no disk of its own, no network; a streaming decoder reads from what it is
//! given. What is odd and can be read all the same becomes an [`Issue`] that keeps the original;
//! what cannot be read becomes a [`DecodeError`] (or, inside a file of many records, a broken
//! item) that names the thing, the place and the next step. No decoder panics on foreign bytes,
//! and each is bounded by `base::limits`.
//!
//! - [`submission`]: whatever a site form or a webhook posts, by content type and by a look inside;
//! - [`json`], [`form`], [`multipart`], [`xml`]: one format each;
//! - [`commerceml`]: files of the 1C exchange, record by record, plain or in a zip;
//! - [`table`]: CSV and XLSX, row by row;
//! - [`ami`], [`cdr`]: events and billing rows of Asterisk;
//! - [`text`]: character sets; [`archive`]: members of a zip.

use crate::base::Message;
use crate::model::Issue;
use crate::value::Value;

pub mod ami;
pub mod archive;
pub mod cdr;
pub mod commerceml;
mod fold;
pub mod form;
pub mod json;
pub mod multipart;
mod submission;
pub mod table;
pub mod text;
pub mod xml;

pub use submission::submission;

/// A decoded record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    /// The record in the source's shape.
    pub value: Value,
    /// What was odd.
    pub issues: Vec<Issue>,
}

/// Why bytes could not be decoded: which body, where in it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// What is wrong and the next step.
    pub message: Message,
}

impl From<Message> for DecodeError {
    fn from(message: Message) -> DecodeError {
        DecodeError { message }
    }
}

/// Line and column (both from 1, columns in characters) of a byte of a text.
fn place(text: &str, at: usize) -> (u64, u64) {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = memchr::memchr_iter(b'\n', before.as_bytes()).count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    (line, column)
}
