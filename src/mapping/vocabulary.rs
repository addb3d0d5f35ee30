//! What a sink calls its stages, pipelines and sources: names and ids, as they were read there.
//!
//! A word of ours becomes an id of the sink by its name there; the fixed table of a mapping stands
//! for it while nothing was read, and helps where the names differ.

use compact_str::CompactString;

/// A word of a sink's dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignWord {
    /// Our name of the dictionary (`stage`).
    pub dictionary: CompactString,
    /// Its id there.
    pub id: CompactString,
    /// As people there read it.
    pub name: CompactString,
    /// Within what it counts (the id of the pipeline of a stage); empty or `0`: the general one.
    pub within: CompactString,
}

/// A word of ours that a sink does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingWord {
    /// Our name of the dictionary.
    pub dictionary: CompactString,
    /// The word.
    pub word: CompactString,
    /// Within what it was looked for.
    pub within: Option<CompactString>,
}

/// The words of one sink.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<ForeignWord>,
}

/// Nothing was read.
pub const UNREAD: &Vocabulary = &Vocabulary { words: Vec::new() };

impl Vocabulary {
    /// Of these words.
    pub fn new(words: Vec<ForeignWord>) -> Vocabulary {
        Vocabulary { words }
    }

    /// Whether a word that was missing is there.
    pub fn has(&self, missing: &MissingWord) -> bool {
        self.find(&missing.dictionary, &missing.word, missing.within.as_deref()).is_some()
    }

    /// Names of a dictionary, of one pipeline where `within` names it.
    pub(super) fn names<'a>(&'a self, dictionary: &'a str, within: Option<&'a str>) -> impl Iterator<Item = &'a str> {
        self.of(dictionary, within).map(|it| it.name.as_str())
    }

    /// The id of a word, told by its name there or by the id itself.
    pub(super) fn find<'a>(&'a self, dictionary: &'a str, word: &'a str, within: Option<&'a str>) -> Option<&'a str> {
        let wanted = folded(word);
        let named = self.of(dictionary, within).find(|it| folded(&it.name) == wanted);
        named.map(|it| it.id.as_str()).or_else(|| self.find_id(dictionary, word, within))
    }

    /// The id, if the dictionary has it.
    pub(super) fn find_id<'a>(&'a self, dictionary: &'a str, id: &'a str, within: Option<&'a str>) -> Option<&'a str> {
        self.of(dictionary, within).map(|it| it.id.as_str()).find(|it| *it == id)
    }

    fn of<'a>(&'a self, dictionary: &'a str, within: Option<&'a str>) -> impl Iterator<Item = &'a ForeignWord> {
        let is_there = move |it: &&ForeignWord| within.is_none_or(|within| part(&it.within) == part(within));
        self.words.iter().filter(move |it| it.dictionary == dictionary).filter(is_there)
    }
}

/// Stages of the general pipeline name none, or 0.
fn part(within: &str) -> &str {
    if within == "0" { "" } else { within }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase().replace('ё', "е")
}
