//! What a record names that may identify a client.

use super::rules::Rules;
use crate::base::{Message, Slug};
use crate::model::change::ClientChange;
use crate::model::{ContactPoint, Foreign, Inn, Issue};

/// Something under which clients are looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The source's own id.
    Foreign(Foreign),
    /// ИНН.
    Inn(Inn),
    /// A contact point; looked up by `ContactPoint::key`.
    Contact(ContactPoint),
}

/// How much a key says, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The source itself says who it is.
    Own,
    /// Unique by law.
    Unique,
    /// Usually one person's or company's.
    Usual,
    /// A browser: several people may sit at it.
    Hint,
}

/// Keys of a record, strongest first, and what was left out and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Under these the candidates are looked up.
    pub used: Vec<Key>,
    /// Contact points that are listed as shared.
    pub left_out: Vec<Issue>,
}

impl Key {
    /// How much it says.
    pub fn strength(&self) -> Strength {
        match self {
            Key::Foreign(_) => Strength::Own,
            Key::Inn(_) => Strength::Unique,
            Key::Contact(ContactPoint::Phone(_) | ContactPoint::Email(_) | ContactPoint::Messenger(..)) => {
                Strength::Usual
            }
            Key::Contact(ContactPoint::Visitor(_)) => Strength::Hint,
        }
    }

    /// Why it ties a record to a client, contacts masked.
    pub fn reason(&self) -> Message {
        let contact = |id: &str, point: &ContactPoint| Message::new(id).with("contact", format!("{point:?}"));
        match self {
            Key::Foreign(it) => Message::new("identity-by-foreign")
                .with("connection", &it.connection)
                .with("kind", &it.kind)
                .with("id", &it.id),
            Key::Inn(inn) => Message::new("identity-by-inn").with("inn", masked(inn)),
            Key::Contact(point @ ContactPoint::Phone(_)) => contact("identity-by-phone", point),
            Key::Contact(point @ ContactPoint::Email(_)) => contact("identity-by-email", point),
            Key::Contact(point @ ContactPoint::Messenger(..)) => contact("identity-by-messenger", point),
            Key::Contact(ContactPoint::Visitor(_)) => Message::new("identity-by-visitor"),
        }
    }
}

/// A company's INN is public; a person's is not for logs.
fn masked(inn: &Inn) -> String {
    match inn.is_company() {
        true => inn.to_string(),
        false => format!("{}***", inn.0.get(..4).unwrap_or("")),
    }
}

/// The keys of a record that came by `connection`.
pub fn keys(rules: &Rules, connection: &Slug, change: &ClientChange) -> Keys {
    let mut keys = Keys::default();
    for (kind, id) in &change.foreign {
        let foreign = Foreign { connection: connection.clone(), kind: kind.clone(), id: id.clone() };
        keys.used.push(Key::Foreign(foreign));
    }
    keys.used.extend(change.inn.clone().map(Key::Inn));
    for point in &change.contacts {
        if rules.is_shared(point) {
            let message = Message::new("identity-shared-listed").with("contact", format!("{point:?}"));
            keys.left_out.push(Issue::new("contacts", message, point.key()));
        } else {
            keys.used.push(Key::Contact(point.clone()));
        }
    }
    keys.used.sort_by_key(Key::strength);
    keys.used.dedup();
    keys
}
