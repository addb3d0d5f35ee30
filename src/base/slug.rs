//! Short names of connectors, streams and objects: `forms`, `1c`, `bitrix24`, `lead`.

use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A name made of `a-z 0-9 _ -`, at most 24 bytes, so that it never needs the heap and may stand
/// in keys, paths and metric labels as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Slug(CompactString);

impl Slug {
    /// `None` when `text` is empty, longer than 24 bytes or holds another character.
    pub fn new(text: &str) -> Option<Slug> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
        let fits = !text.is_empty() && text.len() <= 24 && text.bytes().all(allowed);
        fits.then(|| Slug(text.into()))
    }

    /// For literals in code.
    ///
    /// # Panics
    /// When the literal is not a slug.
    pub fn literal(text: &'static str) -> Slug {
        Slug::new(text).expect("a literal slug is well formed")
    }
}

impl Deref for Slug {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
