//! Errors of commands that speak the reader's language.

use crate::base::{Locale, Message, Problem};

/// A message as an error.
#[derive(Debug)]
pub struct Told(pub Message);

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Told {}

/// Problems of files as an error: each on its line.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// One line each, in the reader's language.
    pub fn render(&self, locale: Locale) -> String {
        self.0.iter().map(|problem| problem.render(locale)).collect::<Vec<_>>().join("\n")
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(Locale::En))
    }
}

impl std::error::Error for Problems {}
