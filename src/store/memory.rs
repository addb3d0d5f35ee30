//! A store in memory: for tests, and for runs beside the daemon that leave nothing behind.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::{Checkpoint, Head, Pair, Store, StoreError, Write, check_keys, past_reserved};

/// An ordered map under a lock.
#[derive(Default)]
pub struct MemoryStore {
    inner: RwLock<Inner>,
}

impl fmt::Debug for MemoryStore {
    /// Its size only: rows hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("rows", &self.len()).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Inner {
    rows: BTreeMap<Vec<u8>, Arc<[u8]>>,
    head: Head,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.read().rows.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A writer changes the map only after every check has passed, so a poisoned lock still
    /// guards a whole map.
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.read().rows.get(key).map(|value| value.to_vec()))
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let inner = self.read();
        Ok(keys.iter().map(|key| inner.rows.get(key).map(|value| value.to_vec())).collect())
    }

    fn range(&self, from: &[u8], to: &[u8], reverse: bool, rows_max: usize) -> Result<Vec<Pair>, StoreError> {
        let from = past_reserved(from);
        if from >= to {
            return Ok(Vec::new());
        }
        let inner = self.read();
        let rows = inner.rows.range::<[u8], _>((Bound::Included(from), Bound::Excluded(to)));
        let owned = |(key, value): (&Vec<u8>, &Arc<[u8]>)| (key.clone(), value.to_vec());
        Ok(match reverse {
            true => rows.rev().take(rows_max).map(owned).collect(),
            false => rows.take(rows_max).map(owned).collect(),
        })
    }

    fn commit(&self, from: Checkpoint, to: Checkpoint, epoch: u64, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        check_keys(&writes)?;
        inner.head = inner.head.advance(from, to, epoch)?;
        for (key, value) in writes {
            match value {
                Some(value) => inner.rows.insert(key, value),
                None => inner.rows.remove(&key),
            };
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.read().head.checkpoint)
    }

    fn flush(&self) -> Result<Checkpoint, StoreError> {
        self.checkpoint()
    }
}
