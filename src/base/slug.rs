//! Short names of connectors, streams and objects: `forms`, `1c`, `bitrix24`, `lead`.

use std::fmt;
use std::ops::Deref;

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, de};

/// A name made of `a-z 0-9 _ -`, at most 24 bytes, so that it never needs the heap and may stand
/// in keys, paths and metric labels as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

/// A text that is no [`Slug`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is made of a-z, 0-9, _ and -, and has 1 to 24 characters")]
pub struct NotSlug;

impl TryFrom<&str> for Slug {
    type Error = NotSlug;

    fn try_from(text: &str) -> Result<Slug, NotSlug> {
        Slug::new(text).ok_or(NotSlug)
    }
}

/// What is read back is checked like what is typed: a damaged row or a foreign file gives no name
/// that could not stand in a path.
impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Slug, D::Error> {
        let text = CompactString::deserialize(deserializer)?;
        Slug::try_from(text.as_str()).map_err(de::Error::custom)
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

#[cfg(test)]
mod tests {
    use super::Slug;

    #[test]
    fn a_name_that_is_read_back_is_checked_like_one_that_is_typed() {
        let read = |text: &str| serde_json::from_value::<Slug>(text.into());
        for good in ["crm", "1c", "a_b-9", "abcdefghijklmnopqrstuvwx"] {
            assert_eq!(read(good).ok(), Slug::new(good), "{good}");
            assert_eq!(serde_json::to_value(read(good).expect("it reads")).expect("it writes"), good);
        }
        for bad in ["", "CRM", "../crm", "a b", "срм", "abcdefghijklmnopqrstuvwxy", "crm\n"] {
            assert!(read(bad).expect_err(bad).to_string().contains("a-z"), "{bad:?}");
        }
    }
}
