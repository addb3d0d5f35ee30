//! What is kept, as data.

use serde::{Deserialize, Serialize};

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
