//! Delivery states, as they are stored. The transitions are in `outbox`.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::base::{Message, Position, Timestamp};

/// Whose fault a dead letter is: tells who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The object's data: correct them here or in the source.
    Data,
    /// Settings or rights of the connection: the administrator.
    Connection,
    /// The foreign system fails for too long.
    Sink,
    /// We failed: report it.
    Uzel,
}

/// Where a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeliveryState {
    /// Waits to be sent.
    Due {
        /// Not before this instant.
        at: Timestamp,
    },
    /// An [`Attempting`](crate::entry::Attempting) stands at this position without its answer.
    InFlight {
        /// Where.
        attempting: Position,
    },
    /// The last attempt may have taken effect: look before creating.
    Uncertain {
        /// Not before this instant.
        at: Timestamp,
    },
    /// A person must look.
    Dead {
        /// Whose fault.
        fault: Fault,
        /// Why, and the next step.
        reason: Message,
        /// Since when.
        since: Timestamp,
    },
    /// Given up by a person; stays so until the object changes.
    Discarded,
}

/// Row of the outbox: sink S must learn object O.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where it stands.
    pub state: DeliveryState,
    /// Since when the sink lags behind, journal time.
    pub wanted_since: Timestamp,
    /// Version of the object that the sink must learn at least.
    pub wanted: Position,
    /// Attempts since the last success.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub last_reason: Option<Message>,
}

/// What a sink last confirmed of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// Kind of the foreign object (`contact`).
    pub foreign_kind: CompactString,
    /// Its id there.
    pub foreign_id: CompactString,
    /// Version of our object that was sent.
    pub version: Position,
    /// When, journal time.
    pub at: Timestamp,
    /// Fields the sink holds by our requests: name there, value as sent (JSON text).
    pub sent: Vec<(CompactString, String)>,
}
