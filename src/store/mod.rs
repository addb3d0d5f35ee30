//! The store: an ordered map of bytes with atomic commits that carry the checkpoint.

use crate::base::{ItemRef, Message};

/// How far the pipeline has applied the journal: everything before (position, item) is in the
/// store, nothing from it on.
pub type Checkpoint = ItemRef;

/// One key's new value; `None` removes it.
pub type Write = (Vec<u8>, Option<Vec<u8>>);

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
