//! The note by which an envelope tells that a relay took it, and where it stood there.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::Received;
use crate::base::Timestamp;

/// Note of an envelope that a relay took: the [`Relayed`] of it, as JSON. The place in the relay's
/// journal and the data are one fact.
pub const RELAY_NOTE: &str = "uzel-relay";
/// Note of an envelope that a relay took: who sent it, as the relay saw it.
pub const REMOTE_NOTE: &str = "remote";
/// Note of an envelope that a relay took: the `x-request-id` of its answer.
pub const REQUEST_NOTE: &str = "request-id";

/// Where an envelope stood in the journal of a relay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relayed {
    /// Which relay: a name that it made up when its folder was made.
    pub relay: CompactString,
    /// The position that was pulled before this one; 0: none.
    pub after: u64,
    /// Its position there.
    pub position: u64,
    /// Fingerprint of its bytes there: the relay is asked for it, so that a relay whose journal was
    /// put back to an earlier state is noticed.
    pub print: CompactString,
    /// What the relay's clock said, where it was ahead of ours; else the envelope says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
}

impl Relayed {
    /// As a note of an envelope.
    pub fn to_note(&self) -> (CompactString, String) {
        let text = serde_json::to_string(self).expect("a place is plain data");
        (CompactString::const_new(RELAY_NOTE), text)
    }
}

impl Received {
    /// Where it stood in the journal of a relay; `None`: it came to us straight.
    pub fn relayed(&self) -> Option<Relayed> {
        serde_json::from_str(self.header(RELAY_NOTE)?).ok()
    }
}
