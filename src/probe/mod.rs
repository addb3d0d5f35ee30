//! The probe: how each connection stands, asked online, for a person who sets things up or wonders
//! why nothing comes.
//!
//! For a foreign system that is asked ([`foreign`]): whether it is reached and where the way ends,
//! whether we are let in, what its manifest wants to know (`[[probe]]`), its dictionaries, which of
//! our employees it does not know, which of our fields are there. For a source that is called
//! ([`own`]): whether its secret is there, whether our own listener takes a message as the sender
//! would send it, when it was last heard of.
//!
//! Guaranteed: nothing is written to a foreign system, and nothing reaches our journal. What a
//! probe shows holds neither addresses with secrets nor secrets.
//! Not here: which connections there are and how they are reached (`app::probes`).

mod foreign;
mod heard;
mod own;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{Locale, Message};
use crate::catalog::Connection;
use crate::connector::Verdict;
use crate::net::Boxed;

pub use foreign::Foreign;
pub use heard::last_heard;
pub use own::{Listening, Own};

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Only told.
    Note,
    /// As it should be.
    Fine,
    /// Not known: it was not asked, or nobody could say.
    Unknown,
    /// Works, and a person should know.
    Warn,
    /// Does not work.
    Fail,
}

impl From<Verdict> for Standing {
    fn from(verdict: Verdict) -> Standing {
        match verdict {
            Verdict::Fine => Standing::Fine,
            Verdict::Warn => Standing::Warn,
            Verdict::Fail => Standing::Fail,
        }
    }
}

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ProbeView {
    /// The connection.
    pub connection: String,
    /// Its connector.
    pub connector: String,
    /// What people call the system.
    pub title: String,
    /// The worst of its checks.
    pub standing: Standing,
    /// The checks, in the order in which they were made.
    pub checks: Vec<CheckView>,
    /// What its dictionaries hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordView>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct CheckView {
    /// Its name.
    pub check: String,
    /// What people read.
    pub title: String,
    /// How it stands.
    pub standing: Standing,
    /// What was found, and the next step.
    pub text: String,
    /// Where the way ended (`dns`, `tcp`, `tls`, `http`), when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
}

/// A word of a foreign dictionary.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct WordView {
    /// The dictionary (`stage`, `pipeline`, `user`).
    pub dictionary: String,
    /// Its id there.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Within what it counts (the id of the pipeline of a stage); empty: everywhere.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub within: String,
    /// Whether it is in use.
    pub active: bool,
    /// E-mail address of a user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Inner telephone number of a user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

/// Something that knows the connections and can probe them.
pub trait Prober: Send + Sync + 'static {
    /// Probes one connection, or all of them. `None`: there is no such connection.
    fn probe<'a>(&'a self, connection: Option<&'a str>, locale: Locale) -> Boxed<'a, Option<Vec<ProbeView>>>;
}

impl ProbeView {
    /// Nothing is known yet.
    pub fn begin(connection: &Connection, locale: Locale) -> ProbeView {
        let (ru, en) = &connection.connector.title;
        let title = match locale {
            Locale::Ru => ru,
            Locale::En => en,
        };
        ProbeView {
            connection: connection.name.to_string(),
            connector: connection.connector.slug.to_string(),
            title: title.clone(),
            standing: Standing::Note,
            checks: Vec::new(),
            words: Vec::new(),
        }
    }

    /// Adds a check whose title is the text `probe-check-<name>`.
    pub(crate) fn add(&mut self, check: &str, standing: Standing, text: &Message, locale: Locale) {
        let title = Message::new(&format!("probe-check-{check}")).render(locale);
        self.push(check, title, standing, text.render(locale));
    }

    fn push(&mut self, check: &str, title: String, standing: Standing, text: String) {
        self.standing = self.standing.max(standing);
        self.checks.push(CheckView { check: check.to_owned(), title, standing, text, step: None });
    }

    /// The words of a dictionary.
    pub fn dictionary<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a WordView> {
        self.words.iter().filter(move |word| word.dictionary == name)
    }
}
