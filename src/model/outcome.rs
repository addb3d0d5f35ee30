//! The one final fate of a record.

use serde::{Deserialize, Serialize};

use crate::base::{ClientId, DealId, ItemRef, Message};

/// Why a record was left aside on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterReason {
    /// The sender only tests the address (`test=test`).
    Test,
    /// Honeypot, block list or time to fill say so; stored, hidden, reversible.
    Spam,
    /// The mapping says that such records are not used (a catalogue, for one).
    NotUsed,
    /// A deal of our own organisations.
    Internal,
    /// It spoke of a person who was erased.
    Erased,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It changed something: the client and deal it ended in.
    Applied {
        /// The client it belongs to.
        client: Option<ClientId>,
        /// The deal it belongs to.
        deal: Option<DealId>,
    },
    /// Understood, and everything was so already.
    Unchanged,
    /// The same envelope or record came before, at this place.
    Repeated(ItemRef),
    /// Left aside on purpose.
    Filtered(FilterReason),
    /// Waits for a person or a corrected mapping; the reason names thing, place and next step.
    Quarantined(Message),
    /// Was in quarantine and was given up by a person.
    Discarded,
}

/// Outcome without its details: for counts and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// See [`Outcome::Applied`].
    Applied,
    /// See [`Outcome::Unchanged`].
    Unchanged,
    /// See [`Outcome::Repeated`].
    Repeated,
    /// See [`Outcome::Filtered`].
    Filtered,
    /// See [`Outcome::Quarantined`].
    Quarantined,
    /// See [`Outcome::Discarded`].
    Discarded,
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [OutcomeKind; 6] = [
        OutcomeKind::Applied,
        OutcomeKind::Unchanged,
        OutcomeKind::Repeated,
        OutcomeKind::Filtered,
        OutcomeKind::Quarantined,
        OutcomeKind::Discarded,
    ];

    /// For listings and metric labels.
    pub fn name(self) -> &'static str {
        match self {
            OutcomeKind::Applied => "applied",
            OutcomeKind::Unchanged => "unchanged",
            OutcomeKind::Repeated => "repeated",
            OutcomeKind::Filtered => "filtered",
            OutcomeKind::Quarantined => "quarantined",
            OutcomeKind::Discarded => "discarded",
        }
    }
}

impl Outcome {
    /// The kind.
    pub fn kind(&self) -> OutcomeKind {
        match self {
            Outcome::Applied { .. } => OutcomeKind::Applied,
            Outcome::Unchanged => OutcomeKind::Unchanged,
            Outcome::Repeated(_) => OutcomeKind::Repeated,
            Outcome::Filtered(_) => OutcomeKind::Filtered,
            Outcome::Quarantined(_) => OutcomeKind::Quarantined,
            Outcome::Discarded => OutcomeKind::Discarded,
        }
    }
}
