//! A store that somebody follows: what was committed is shown to him, in the order of the commits.
//!
//! For what is kept in memory beside the store (the ranking of deals): it is never behind the rows,
//! and costs no keys. A commit that failed is not shown.

use std::sync::Arc;

use super::{Checkpoint, Pair, Store, StoreError, Write};

/// Who follows a store. Called by the thread that commits: what takes long holds the pipeline up.
pub trait Follower: Send + Sync + 'static {
    /// Whether changes of this key are of interest.
    fn wants(&self, key: &[u8]) -> bool;

    /// These were committed together; those of no interest are left out.
    fn committed(&self, writes: &[Write]);
}

/// See the module.
pub struct WatchedStore {
    inner: Arc<dyn Store>,
    follower: Arc<dyn Follower>,
}

impl WatchedStore {
    /// `inner`, followed.
    pub fn new(inner: Arc<dyn Store>, follower: Arc<dyn Follower>) -> WatchedStore {
        WatchedStore { inner, follower }
    }
}

impl Store for WatchedStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(key)
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.inner.get_many(keys)
    }

    fn range(&self, from: &[u8], to: &[u8], reverse: bool, rows_max: usize) -> Result<Vec<Pair>, StoreError> {
        self.inner.range(from, to, reverse, rows_max)
    }

    fn commit(&self, from: Checkpoint, to: Checkpoint, epoch: u64, writes: Vec<Write>) -> Result<(), StoreError> {
        // Values are shared, so a copy is one of keys.
        let shown: Vec<Write> = writes.iter().filter(|(key, _)| self.follower.wants(key)).cloned().collect();
        self.inner.commit(from, to, epoch, writes)?;
        if !shown.is_empty() {
            self.follower.committed(&shown);
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.inner.checkpoint()
    }

    fn flush(&self) -> Result<Checkpoint, StoreError> {
        self.inner.flush()
    }
}
