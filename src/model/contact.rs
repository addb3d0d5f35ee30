//! Ways to reach somebody. They identify people, so they print masked everywhere but in what is
//! sent to a sink or shown to the owner of the data.

use std::fmt;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// A telephone number in E.164 with an optional extension. Made by `normalize::phone`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Phone {
    /// `+` and 7 to 15 digits.
    pub e164: CompactString,
    /// Digits after the number; a different extension is a different person at one number.
    pub extension: Option<CompactString>,
}

/// An e-mail address. Made by `normalize::email`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Email {
    /// As it is to be written to: trimmed, domain in lower case.
    pub address: CompactString,
    /// For comparing: lower case, provider aliases folded (`ya.ru` = `yandex.ru`, gmail dots).
    pub key: CompactString,
}

/// A way to reach somebody.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ContactPoint {
    /// By telephone.
    Phone(Phone),
    /// By e-mail.
    Email(Email),
    /// In a messenger: name of the messenger, id or handle there.
    Messenger(CompactString, CompactString),
    /// A browser that the site's snippet recognises.
    Visitor(CompactString),
}

impl ContactPoint {
    /// What two mentions of one contact point have in common: the text under which it is indexed.
    pub fn key(&self) -> String {
        match self {
            ContactPoint::Phone(Phone { e164, extension: None }) => format!("p{e164}"),
            ContactPoint::Phone(Phone { e164, extension: Some(extension) }) => format!("p{e164};{extension}"),
            ContactPoint::Email(email) => format!("e{}", email.key),
            ContactPoint::Messenger(messenger, id) => format!("m{messenger}:{id}"),
            ContactPoint::Visitor(id) => format!("v{id}"),
        }
    }
}

impl fmt::Debug for Phone {
    /// Country and the last two digits: `+7***67`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail = self.e164.len().saturating_sub(2);
        write!(f, "{}***{}", self.e164.get(..2).unwrap_or(""), self.e164.get(tail..).unwrap_or(""))
    }
}

impl fmt::Debug for Email {
    /// First letter and the domain: `i***@example.ru`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, domain) = self.address.split_once('@').unwrap_or((&self.address, ""));
        write!(f, "{}***@{domain}", local.chars().next().unwrap_or('*'))
    }
}

impl fmt::Debug for ContactPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ContactPoint::Phone(phone) => phone.fmt(f),
            ContactPoint::Email(email) => email.fmt(f),
            ContactPoint::Messenger(messenger, _) => write!(f, "{messenger}:***"),
            ContactPoint::Visitor(_) => f.write_str("visitor:***"),
        }
    }
}
