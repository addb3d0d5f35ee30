//! Whom a record is about.
//!
//! A record carries **keys** (its id in the source, ИНН, contact points); the caller looks up the
//! clients that hold them, the candidates; [`decide`] says whether the record is of a new client,
//! of one of them, or proves several of them to be one. Every decision tells why. [`absorb`] then
//! puts the record's fields into the client, each by its provenance; [`merge`] makes one client of
//! two and [`split`] takes that back.
//!
//! Guaranteed:
//! - Pure: no clock, no storage, no chance. Candidates in another order give the same decision.
//! - A unique id that disagrees (ИНН, another card of the same kind in one system, "not the same"
//!   said by a person) forbids a merge whatever else agrees. A shared contact point proves nothing.
//! - [`merge`] followed by [`split`] gives both clients back as they were, and what the winner
//!   learned in between stays with the winner.
//!
//! Not here: indexes, the following of merged clients to the one that stands for them, fields that
//! no mapping names.

mod absorb;
mod decide;
mod merge;
mod rules;
#[cfg(test)]
mod tests;

use compact_str::CompactString;

use crate::base::{ClientId, Message};
use crate::model::{Client, ContactPoint, Inn};

pub use absorb::{Absorbed, absorb};
pub use decide::decide;
pub use merge::{merge, split};
pub use rules::{DEFAULT_RULES, Rules, keys, shared_by_max};

/// What a client can be found by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Type and id of a card in the system that sent the record.
    Foreign(CompactString, CompactString),
    /// ИНН.
    Inn(Inn),
    /// A contact point.
    Contact(ContactPoint),
}

/// The keys of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Those to look up: ids in the source, ИНН, contact points.
    pub usable: Vec<Key>,
    /// Contact points that the rules exclude, each with the reason.
    pub shared: Vec<(ContactPoint, Message)>,
}

/// A client that holds keys of the record.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The client; one that stands for itself.
    pub client: &'a Client,
    /// The keys it was found by.
    pub matched: Vec<Key>,
}

/// Whose a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Of a client not met before.
    New {
        /// Reasons.
        why: Vec<Message>,
    },
    /// Of this client.
    Same {
        /// The client.
        client: ClientId,
        /// Reasons.
        why: Vec<Message>,
    },
    /// It proves these clients to be one; the record is of that one.
    Merge {
        /// The oldest of them.
        winner: ClientId,
        /// The others, oldest first.
        losers: Vec<ClientId>,
        /// Reasons.
        why: Vec<Message>,
    },
    /// It points at several clients that must not become one: a person has to look.
    Review {
        /// The clients, oldest first.
        candidates: Vec<ClientId>,
        /// Reasons.
        why: Vec<Message>,
    },
}

impl Decision {
    /// Why it was decided so.
    pub fn why(&self) -> &[Message] {
        match self {
            Decision::New { why }
            | Decision::Same { why, .. }
            | Decision::Merge { why, .. }
            | Decision::Review { why, .. } => why,
        }
    }
}

/// The decision and its reasons, for people: a headline, then a line for each reason.
pub fn explain(decision: &Decision) -> Vec<Message> {
    let list = |clients: &[ClientId]| clients.iter().map(ClientId::to_string).collect::<Vec<_>>().join(", ");
    let headline = match decision {
        Decision::New { .. } => Message::new("identity-is-new"),
        Decision::Same { client, .. } => Message::new("identity-is-same").with("client", client),
        Decision::Merge { winner, losers, .. } => {
            Message::new("identity-is-merge").with("client", winner).with("others", list(losers))
        }
        Decision::Review { candidates, .. } => Message::new("identity-is-review").with("clients", list(candidates)),
    };
    std::iter::once(headline).chain(decision.why().iter().cloned()).collect()
}
