//! How far a poller has read a stream, and the notes by which an envelope tells it.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::Received;
use crate::base::Timestamp;

/// Note of an envelope: the [`Cursor`] behind it, as JSON. Cursor and data are one fact.
pub const CURSOR_NOTE: &str = "uzel-cursor";
/// Note of an envelope of history: nothing is told to anybody because of it.
pub const HISTORY_NOTE: &str = "uzel-history";
/// Note of an envelope that names what is no longer there: its rows are ids, or words of
/// dictionaries ([`LOST_WORD`]).
pub const DELETED_NOTE: &str = "uzel-deleted";
/// In such an envelope, a word that is no longer in a dictionary: these two members name it.
pub const LOST_WORD: [&str; 2] = ["dictionary", "key"];

/// How far a stream has been read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cursor {
    /// Time of the newest change seen, as the foreign system writes it: its clock, not ours.
    pub time: CompactString,
    /// Id of the row that had it.
    pub id: CompactString,
    /// Where following began: what changed up to then is history.
    pub mark: CompactString,
    /// The initial load, while it is under way.
    pub loading: Option<Loading>,
    /// Whether history was loaded to its end.
    pub loaded: bool,
    /// Journal time of the last comparison of ids, ms; 0 when there was none.
    pub swept_at: i64,
}

/// How far an initial load is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Loading {
    /// The last id read; empty at the start.
    pub after: CompactString,
    /// Rows read so far.
    pub read: u64,
    /// Rows there are, when the foreign system says so.
    pub total: Option<u64>,
}

impl Loading {
    /// Whether it has not begun and nobody knows how much there is.
    pub fn is_uncounted(&self) -> bool {
        self.after.is_empty() && self.total.is_none()
    }
}

/// An instant as a foreign system writes it: RFC 3339, or seconds since 1970.
pub fn foreign_instant(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse::<i64>() {
        return seconds.checked_mul(1_000).map(Timestamp);
    }
    text.parse::<jiff::Timestamp>().ok().map(Timestamp::from_jiff)
}

impl Cursor {
    /// As a note of an envelope.
    pub fn to_note(&self) -> (CompactString, String) {
        let text = serde_json::to_string(self).expect("a cursor is plain data");
        (CompactString::const_new(CURSOR_NOTE), text)
    }
}

impl Received {
    /// The cursor that the envelope brings.
    pub fn cursor(&self) -> Option<Cursor> {
        serde_json::from_str(self.header(CURSOR_NOTE)?).ok()
    }

    /// Whether it tells of history.
    pub fn is_history(&self) -> bool {
        self.header(HISTORY_NOTE).is_some()
    }
}
