//! Dictionaries: the source's words for stages, sources, kinds, and ours.
//!
//! Words are compared without regard to case and to space at the ends. An empty translation means
//! "no value", and says nothing about it.

use compact_str::CompactString;

use crate::base::Message;
use crate::field::{Lint, NodeKind};

/// What to do with a word that the dictionary does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// Take the word as it is.
    Keep,
    /// Leave the field empty, with an issue.
    Drop,
    /// Refuse the record: a person must add the word.
    Quarantine,
}

pub(super) const OTHERWISE: &[(&str, Otherwise)] =
    &[("keep", Otherwise::Keep), ("drop", Otherwise::Drop), ("quarantine", Otherwise::Quarantine)];

/// Words in order, lower case, with their translations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Dictionary {
    words: Vec<(CompactString, CompactString)>,
}

impl Dictionary {
    /// Reads `{ "word" = "translation" }`; a number or a boolean may stand as translation too.
    pub(super) fn read(lint: &Lint, entries: &[(String, u32, crate::field::Node)]) -> Dictionary {
        let mut words: Vec<(CompactString, CompactString)> = Vec::with_capacity(entries.len());
        for (word, line, node) in entries {
            let translation = match &node.kind {
                NodeKind::Text(text) => CompactString::new(text),
                NodeKind::Integer(number) => compact_str::format_compact!("{number}"),
                NodeKind::Bool(flag) => compact_str::format_compact!("{flag}"),
                NodeKind::Float(_) | NodeKind::Datetime(_) | NodeKind::List(_) | NodeKind::Table(_) => {
                    lint.report(*line, Message::new("mapping-dictionary-kind").with("word", word));
                    continue;
                }
            };
            let word: CompactString = word.trim().to_lowercase().into();
            if words.iter().any(|(held, _)| *held == word) {
                lint.report(*line, Message::new("mapping-dictionary-twice").with("word", &word));
                continue;
            }
            words.push((word, translation));
        }
        words.sort();
        Dictionary { words }
    }

    /// The translation.
    pub(super) fn find(&self, word: &str) -> Option<&str> {
        let exact = |word: &str| {
            let at = self.words.binary_search_by(|(held, _)| held.as_str().cmp(word)).ok()?;
            Some(self.words[at].1.as_str())
        };
        exact(word).or_else(|| exact(&word.to_lowercase()))
    }

    /// Every translation, for checks against closed kinds.
    pub(super) fn translations(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(|(_, translation)| translation.as_str())
    }
}
