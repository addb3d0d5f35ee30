//! A store of a snapshot and what was changed since: what the next snapshot grows in.
//!
//! The snapshot is read, never changed; changes are held in memory. When there are more of them
//! than `changes_bytes_max`, both are written together into a file of their own beside it, which
//! is the lower layer from then on: memory stays bounded whatever the length of the journal.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::snapshot::{About, SnapshotFile, SnapshotRows, SnapshotWriter, Totals};
use super::{Checkpoint, Head, Pair, RESERVED, Store, StoreError, Write, check_keys, is_reserved, past_reserved};
use crate::base::Timestamp;

/// See the module.
pub struct LayeredStore {
    /// Where changes go when there are too many: this path with a number behind.
    spill: PathBuf,
    changes_bytes_max: usize,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    base: Option<Arc<SnapshotFile>>,
    /// The file of the lower layer, when it is ours and not the snapshot.
    spilled: Option<PathBuf>,
    spills: u32,
    changes: BTreeMap<Vec<u8>, Option<Arc<[u8]>>>,
    bytes: usize,
    head: Head,
}

/// Roughly what a change costs in memory besides its bytes.
const CHANGE_OVERHEAD_BYTES: usize = 96;

impl LayeredStore {
    /// Over `base`, or over nothing. `spill` is a path on which files may be made.
    pub fn new(base: Option<Arc<SnapshotFile>>, spill: &Path, changes_bytes_max: usize) -> LayeredStore {
        let checkpoint = base.as_ref().map(|it| it.about().checkpoint).unwrap_or_default();
        let state = State { base, head: Head { checkpoint, epoch: 0 }, ..State::default() };
        LayeredStore { spill: spill.to_owned(), changes_bytes_max, state: RwLock::new(state) }
    }

    /// Writes both layers as one snapshot; `about` without its checkpoint, which is this store's.
    pub fn write(&self, path: &Path, about: About) -> Result<Totals, StoreError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.write(path, &About { checkpoint: state.head.checkpoint, ..about })
    }
}

impl Drop for LayeredStore {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(spilled) = state.spilled.take() {
            // Best effort: what stays is removed before the next snapshot is made.
            let _removed = std::fs::remove_file(spilled);
        }
    }
}

impl State {
    fn write(&self, path: &Path, about: &About) -> Result<Totals, StoreError> {
        let mut writer = SnapshotWriter::create(path, about)?;
        let (from, to) = (vec![RESERVED + 1], vec![0xFF]);
        let mut rows = Merged::new(self, &from, &to, false)?;
        while let Some((key, value)) = rows.next()? {
            writer.push(&key, &value)?;
        }
        writer.finish()
    }

    /// Bound: changes leave memory.
    fn spill(&mut self, path: PathBuf) -> Result<(), StoreError> {
        let about = About {
            checkpoint: self.head.checkpoint,
            configuration: None,
            made_at: Timestamp::ZERO,
            build: String::new(),
        };
        self.write(&path, &about)?;
        self.base = Some(Arc::new(SnapshotFile::open(&path)?));
        if let Some(before) = self.spilled.replace(path) {
            let _removed = std::fs::remove_file(before);
        }
        self.spills += 1;
        self.changes.clear();
        self.bytes = 0;
        Ok(())
    }
}

type Change<'s> = (&'s Vec<u8>, &'s Option<Arc<[u8]>>);

/// Rows of both layers in order.
struct Merged<'s> {
    below: Option<SnapshotRows<'s>>,
    below_next: Option<Pair>,
    above: Box<dyn Iterator<Item = Change<'s>> + 's>,
    above_next: Option<Change<'s>>,
    reverse: bool,
}

impl<'s> Merged<'s> {
    fn new(state: &'s State, from: &[u8], to: &'s [u8], reverse: bool) -> Result<Merged<'s>, StoreError> {
        let range = state.changes.range::<[u8], _>((std::ops::Bound::Included(from), std::ops::Bound::Excluded(to)));
        let mut above: Box<dyn Iterator<Item = _> + 's> = if reverse { Box::new(range.rev()) } else { Box::new(range) };
        let mut below = state.base.as_ref().map(|base| base.rows(from, to, reverse));
        let below_next = match &mut below {
            Some(rows) => rows.next()?,
            None => None,
        };
        let above_next = above.next();
        Ok(Merged { below, below_next, above, above_next, reverse })
    }

    fn next(&mut self) -> Result<Option<Pair>, StoreError> {
        loop {
            let order = match (&self.below_next, &self.above_next) {
                (None, None) => return Ok(None),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((below, _)), Some((above, _))) if self.reverse => (*above).cmp(below),
                (Some((below, _)), Some((above, _))) => below.cmp(above),
            };
            let below = match order.is_le() {
                true => {
                    let next = match &mut self.below {
                        Some(rows) => rows.next()?,
                        None => None,
                    };
                    std::mem::replace(&mut self.below_next, next)
                }
                false => None,
            };
            if order.is_lt() {
                return Ok(below);
            }
            let next = self.above.next();
            if let Some((key, Some(value))) = std::mem::replace(&mut self.above_next, next) {
                return Ok(Some((key.clone(), value.to_vec())));
            }
        }
    }
}

impl Store for LayeredStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if is_reserved(key) {
            return Ok(None);
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match (state.changes.get(key), &state.base) {
            (Some(value), _) => Ok(value.as_ref().map(|value| value.to_vec())),
            (None, Some(base)) => base.get(key),
            (None, None) => Ok(None),
        }
    }

    fn range(&self, from: &[u8], to: &[u8], reverse: bool, rows_max: usize) -> Result<Vec<Pair>, StoreError> {
        let from = past_reserved(from);
        if from >= to || rows_max == 0 {
            return Ok(Vec::new());
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Merged::new(&state, from, to, reverse)?;
        let mut found = Vec::new();
        while found.len() < rows_max
            && let Some(pair) = rows.next()?
        {
            found.push(pair);
        }
        Ok(found)
    }

    fn commit(&self, from: Checkpoint, to: Checkpoint, epoch: u64, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        check_keys(&writes)?;
        state.head = state.head.advance(from, to, epoch)?;
        for (key, value) in writes {
            let cost = |key: &[u8], value: &Option<Arc<[u8]>>| {
                key.len() + value.as_ref().map_or(0, |value| value.len()) + CHANGE_OVERHEAD_BYTES
            };
            state.bytes += cost(&key, &value);
            let key_len = key.clone();
            if let Some(before) = state.changes.insert(key, value) {
                state.bytes -= cost(&key_len, &before);
            }
        }
        if state.bytes > self.changes_bytes_max {
            let mut path = self.spill.clone().into_os_string();
            path.push(format!(".layer-{}.part", state.spills));
            state.spill(path.into())?;
        }
        Ok(())
    }

    fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        Ok(self.state.read().unwrap_or_else(PoisonError::into_inner).head.checkpoint)
    }

    fn flush(&self) -> Result<Checkpoint, StoreError> {
        self.checkpoint()
    }
}
