//! Attempts of delivery, as the journal keeps them.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::base::{ClientId, DealId, InteractionId, Message, Position, Slug, TaskId, Timestamp};

/// An object that sinks learn of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ObjectRef {
    /// A client.
    Client(ClientId),
    /// A deal.
    Deal(DealId),
    /// An interaction: told once.
    Interaction(InteractionId),
    /// A task.
    Task(TaskId),
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ObjectRef::Client(id) => id.fmt(f),
            ObjectRef::Deal(id) => id.fmt(f),
            ObjectRef::Interaction(id) => id.fmt(f),
            ObjectRef::Task(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for ObjectRef {
    type Err = Message;

    fn from_str(text: &str) -> Result<ObjectRef, Message> {
        let client = text.parse().map(ObjectRef::Client);
        let or_deal = client.or_else(|_| text.parse().map(ObjectRef::Deal));
        let or_task = or_deal.or_else(|_| text.parse().map(ObjectRef::Task));
        or_task.or_else(|_| text.parse().map(ObjectRef::Interaction))
    }
}

/// What an attempt tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Operation {
    /// Make the foreign object. Not idempotent: `Attempting` goes first.
    Create,
    /// Change fields of the foreign object.
    Update,
    /// Look for the foreign object (before a create, and after an uncertain one).
    Find,
}

/// Appended and synced before a request that is not idempotent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempting {
    /// The sink: name of the connection.
    pub sink: Slug,
    /// When.
    pub at: Timestamp,
    /// The objects of the request (a batch has several).
    pub items: Vec<AttemptingItem>,
}

/// One object of an [`Attempting`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptingItem {
    /// The object.
    pub object: ObjectRef,
    /// What is tried.
    pub operation: Operation,
}

/// What became of a request; also written for idempotent requests, which have no [`Attempting`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// The sink: name of the connection.
    pub sink: Slug,
    /// When the answer came.
    pub at: Timestamp,
    /// The [`Attempting`] that this answers, if there was one.
    pub attempting: Option<Position>,
    /// One per object.
    pub items: Vec<AttemptedItem>,
}

/// One object of an [`Attempted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptedItem {
    /// The object.
    pub object: ObjectRef,
    /// What was tried.
    pub operation: Operation,
    /// Version of the object (its last changing position) that the request was built from.
    pub version: Position,
    /// What came of it.
    pub result: AttemptResult,
}

/// What came of an attempt for one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptResult {
    /// The sink confirmed. For `Find` without a match the foreign id is `None`.
    Done {
        /// Kind of the foreign object (`contact`, `company`, `deal`).
        foreign_kind: CompactString,
        /// Its id there.
        foreign_id: Option<CompactString>,
        /// Fields that the sink now holds by our request: name there, value as sent (JSON text).
        sent: Vec<(CompactString, String)>,
    },
    /// The sink did not confirm.
    Failed {
        /// What to do next.
        verdict: Verdict,
        /// Why, for people.
        reason: Message,
    },
}

/// What follows from a failed attempt; decided by a pure function of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Try again not before this instant.
    RetryAt(Timestamp),
    /// The request may or may not have taken effect: look before creating.
    Uncertain,
    /// The object is gone in the sink (deleted or merged there).
    Gone,
    /// Dead letter: our data are at fault (the sink refused this object).
    RejectObject,
    /// Dead letter: the connection's settings or rights are at fault; all of the sink waits.
    RejectConnection,
    /// Dead letter: it may or may not have been made, and cannot be looked up; a person looks.
    AskPerson,
}
