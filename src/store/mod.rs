//! The store: an ordered map of bytes with atomic commits that carry the checkpoint.
//!
//! One writer (the pipeline) commits; any number of readers read. Each call sees the store as it
//! was between two commits; two calls may see different ones.
//!
//! Keys that begin with the byte 0x00, and the empty key, belong to the store itself (checkpoint,
//! epoch, format): reads do not show them and a commit that writes one is refused.
//!
//! [`sled::SledStore`] is the real one, [`MemoryStore`] serves tests and what-if runs,
//! [`LayeredStore`] is a [`snapshot`] and the changes since, [`WatchedStore`] shows somebody what is
//! committed; [`conformance`] runs against all.

use std::sync::Arc;

use crate::base::{ItemRef, Message};

pub mod conformance;
mod hash;
mod layered;
mod memory;
pub mod sled;
pub mod snapshot;
mod watched;

pub use hash::RowsHasher;
pub use layered::LayeredStore;
pub use memory::MemoryStore;
pub use watched::{Follower, WatchedStore};

/// First byte of the keys that belong to the store itself.
pub const RESERVED: u8 = 0x00;

/// How far the pipeline has applied the journal: everything before (position, item) is in the
/// store, nothing from it on.
pub type Checkpoint = ItemRef;

/// One key's new value; `None` removes it. The bytes are shared: the writer keeps what it wrote.
pub type Write = (Vec<u8>, Option<Arc<[u8]>>);

/// A pair of the store.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer moved the checkpoint: this one must stop.
    #[error("{0}")]
    Fenced(Message),
    /// It does not open, or is damaged: set aside and rebuild.
    #[error("{0}")]
    Damaged(Message),
    /// It was written by a newer format.
    #[error("{0}")]
    Newer(Message),
    /// The disk failed.
    #[error("{0}")]
    Failed(Message),
}

/// The store as its users see it; `conformance` runs against every implementation.
pub trait Store: Send + Sync + 'static {
    /// The value under `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// The values under `keys`, in their order.
    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    /// Pairs with `from <= key < to` in order (backwards when `reverse`), at most `rows_max`.
    fn range(&self, from: &[u8], to: &[u8], reverse: bool, rows_max: usize) -> Result<Vec<Pair>, StoreError>;

    /// Applies all writes and moves the checkpoint from `from` to `to`, or does nothing.
    /// `Fenced` when the stored checkpoint is not `from` or the stored epoch is greater.
    fn commit(&self, from: Checkpoint, to: Checkpoint, epoch: u64, writes: Vec<Write>) -> Result<(), StoreError>;

    /// The checkpoint; `ItemRef::default()` in an empty store.
    fn checkpoint(&self) -> Result<Checkpoint, StoreError>;

    /// Makes everything committed so far durable; returns the checkpoint that is.
    fn flush(&self) -> Result<Checkpoint, StoreError>;
}

/// Whether the store keeps this key for itself.
fn is_reserved(key: &[u8]) -> bool {
    key.first().is_none_or(|first| *first == RESERVED)
}

/// `from` moved past the reserved keys.
fn past_reserved(from: &[u8]) -> &[u8] {
    if is_reserved(from) { &[RESERVED + 1] } else { from }
}

/// What a commit must agree with, and moves on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    checkpoint: Checkpoint,
    epoch: u64,
}

impl Head {
    /// The head after a commit, or why this writer may not commit.
    fn advance(self, from: Checkpoint, to: Checkpoint, epoch: u64) -> Result<Head, StoreError> {
        if self.epoch > epoch {
            let message = Message::new("store-fenced-epoch").with("ours", epoch).with("stored", self.epoch);
            return Err(StoreError::Fenced(message));
        }
        if self.checkpoint != from {
            let message = Message::new("store-fenced-checkpoint").with("ours", from).with("stored", self.checkpoint);
            return Err(StoreError::Fenced(message));
        }
        Ok(Head { checkpoint: to, epoch })
    }
}

/// Refuses writes of reserved keys: a bug of the caller, found before anything is written.
fn check_keys(writes: &[Write]) -> Result<(), StoreError> {
    if writes.iter().any(|(key, _)| is_reserved(key)) {
        return Err(StoreError::Failed(Message::new("store-reserved-key")));
    }
    Ok(())
}
