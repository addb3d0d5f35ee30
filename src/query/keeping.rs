//! What is kept, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct SnapshotView {
    /// File name.
    pub file: String,
    /// The last entry that it holds.
    pub position: u64,
    /// When it was made, UTC.
    pub made_at: String,
    /// Rows.
    pub rows: u64,
    /// Length of the file.
    pub bytes: u64,
    /// Hash over every row.
    pub hash: String,
    /// The configuration in force at its position.
    pub configuration: String,
    /// Version of the program that made it.
    pub build: String,
    /// What is wrong with it, if anything.
    pub problem: Option<String>,
}

/// What of the journal may go.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RetentionView {
    /// Days that are kept; 0: all of it, and nothing goes.
    pub days: u32,
    /// Entries that go, or went.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Runs of entries, the oldest first; the newest, which is still written, is not listed.
    pub pieces: Vec<PieceView>,
}

/// A run of entries that can only go together.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PieceView {
    /// Its first entry.
    pub first: u64,
    /// Its last entry.
    pub last: u64,
    /// When its last entry came, UTC.
    pub until: String,
    /// Bytes on the disk, without bodies.
    pub bytes: u64,
    /// Why it stays; none: it goes.
    pub stays: Option<String>,
}

/// What an erasure takes, or took.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct ErasureView {
    /// The client that stands, and those merged into it.
    pub clients: Vec<String>,
    /// Deals.
    pub deals: usize,
    /// Documents.
    pub documents: usize,
    /// Interactions.
    pub interactions: usize,
    /// Entries of the journal that speak of the person.
    pub entries: usize,
    /// Where foreign systems hold the person: `connection kind id`; to be erased there by hand.
    pub elsewhere: Vec<String>,
    /// The command, when it was given.
    pub position: Option<u64>,
}
