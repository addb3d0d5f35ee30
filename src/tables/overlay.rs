//! The single writer's view of one micro-batch, and the rows it keeps decoded between batches.
//!
//! Rows are read from the store once, changed as typed values, and encoded once, in [`Overlay::finish`].
//! The overlay is the only writer of its store, so a row that it keeps is the row of the store.
//!
//! Between two batches a bounded number of rows stays (`limits::ROW_CACHE_ROWS_MAX`): those touched
//! in this generation or the one before; a generation ends when half the bound came anew.
//!
//! A batch may be committed behind the writer's back: [`Overlay::hold`] ends it, and
//! [`Overlay::release`] gives it to a thread of its own while the next one is stepped. Its rows and
//! those of the batch before it stay here until then, so nothing is read past a commit under way.
//! sled keeps readers waiting while it applies a batch, so what the next batch will ask for is
//! fetched before ([`Overlay::prefetch`]), and what cannot be there yet is not asked for at all
//! ([`Key::born`](super::Key::born)).
//!
//! The hasher is fixed, not seeded. Keys hold foreign text, so somebody could make keys that
//! collide; what that costs is bounded with the rows. The order of the map shows nowhere: what
//! leaves is sorted.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;
use smallvec::SmallVec;

mod behind;

use behind::Behind;

use super::key::Key;
use super::{PairOf, Persisted, Span, Table, TableError, decode_pair, decode_row, put_key, row};
use crate::base::Position;
use crate::base::limits::{ROW_CACHE_BYTES_MAX, ROW_CACHE_ROWS_MAX};
use crate::store::{Checkpoint, Store, Write};

/// Typed reads and writes of one micro-batch; see the module.
pub struct Overlay {
    store: Arc<dyn Store>,
    rows: HashMap<KeyBytes, Slot, BuildHasherDefault<KeyHasher>>,
    /// Keys of the rows changed since the last `finish` or `rollback`, each once.
    dirty: Vec<KeyBytes>,
    /// Number of the batch; what [`Slot::written_in`] compares with.
    batch: u64,
    generation: u32,
    /// Rows that came in this generation.
    came: usize,
    /// Encoded bytes of the rows kept.
    kept_bytes: usize,
    /// Room for the key of the call under way.
    scratch: Vec<u8>,
    bounds: Bounds,
    /// Rows born here or later are either kept or absent: where the oldest batch begins whose rows
    /// are all kept.
    absent_from: Position,
    behind: Option<Behind>,
}

#[derive(Debug, Clone, Copy)]
struct Bounds {
    rows_max: usize,
    bytes_max: usize,
}

/// What the store holds under a key, as far as the overlay knows.
enum Stored {
    /// Never asked: the row was written unseen.
    Unknown,
    Absent,
    Bytes(Arc<[u8]>),
}

impl Stored {
    fn len(&self) -> usize {
        match self {
            Stored::Unknown | Stored::Absent => 0,
            Stored::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The stored form of a key; nearly all fit without a place of their own.
type KeyBytes = SmallVec<[u8; 40]>;

struct Slot {
    row: Box<dyn HeldRow>,
    stored: Stored,
    dirty: bool,
    generation: u32,
    /// The batch that wrote it last; 0 when none did.
    written_in: u64,
}

/// `Held<R>` without its type.
trait HeldRow: Any + Send {
    /// Appends version and row; `false` when there is no row.
    fn write(&self, out: &mut Vec<u8>) -> bool;
}

struct Held<R>(Option<R>);

impl<R: Persisted> HeldRow for Held<R> {
    fn write(&self, out: &mut Vec<u8>) -> bool {
        self.0.as_ref().map(|held| row::write(held, out)).is_some()
    }
}

/// Nothing is known to be absent.
const UNKNOWN: Position = Position(u64::MAX);

const ONE_TYPE: &str = "the tag of a key decides the type of its row";

impl Slot {
    /// As the store has it.
    fn read<T: Table>(key: &[u8], value: Option<Vec<u8>>, generation: u32) -> Result<Slot, TableError> {
        let row = value.as_ref().map(|value| decode_row::<T>(key, value)).transpose()?;
        let stored = value.map_or(Stored::Absent, |value| Stored::Bytes(value.into()));
        Ok(Slot { row: Box::new(Held(row)), stored, dirty: false, generation, written_in: 0 })
    }

    fn row<R: Persisted>(&self) -> &Option<R> {
        &(&*self.row as &dyn Any).downcast_ref::<Held<R>>().expect(ONE_TYPE).0
    }

    /// Whether the batch numbered `batch` or the one before wrote it.
    fn is_recent(&self, batch: u64) -> bool {
        self.written_in > 0 && self.written_in + 1 >= batch
    }

    fn row_mut<R: Persisted>(&mut self) -> &mut Option<R> {
        &mut (&mut *self.row as &mut dyn Any).downcast_mut::<Held<R>>().expect(ONE_TYPE).0
    }
}

impl fmt::Debug for Overlay {
    /// Sizes only: rows hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Overlay")
            .field("rows", &self.rows.len())
            .field("dirty", &self.dirty.len())
            .finish_non_exhaustive()
    }
}

impl Overlay {
    /// Over `store`, of which it must be the only writer.
    pub fn new(store: Arc<dyn Store>) -> Overlay {
        let bounds = Bounds { rows_max: ROW_CACHE_ROWS_MAX, bytes_max: ROW_CACHE_BYTES_MAX };
        Overlay::bounded(store, bounds)
    }

    fn bounded(store: Arc<dyn Store>, bounds: Bounds) -> Overlay {
        Overlay {
            store,
            rows: HashMap::default(),
            dirty: Vec::new(),
            batch: 0,
            generation: 0,
            came: 0,
            kept_bytes: 0,
            scratch: Vec::with_capacity(64),
            bounds,
            absent_from: UNKNOWN,
            behind: None,
        }
    }

    /// A copy of the row under `key`. [`Overlay::peek`] needs no copy.
    pub fn get<T: Table>(&mut self, key: &T::Key) -> Result<Option<T::Row>, TableError> {
        self.peek::<T, _>(key, |row| row.cloned())
    }

    /// What `look` finds in the row under `key`.
    pub fn peek<T: Table, R>(
        &mut self,
        key: &T::Key,
        look: impl FnOnce(Option<&T::Row>) -> R,
    ) -> Result<R, TableError> {
        Ok(look(self.load::<T>(key)?.row::<T::Row>().as_ref()))
    }

    /// Changes the row under `key` in place: `change` may make, alter or take it. A row that is
    /// afterwards as the store has it is not written.
    pub fn update<T: Table, R>(
        &mut self,
        key: &T::Key,
        change: impl FnOnce(&mut Option<T::Row>) -> R,
    ) -> Result<R, TableError> {
        let slot = self.load::<T>(key)?;
        let was_clean = !std::mem::replace(&mut slot.dirty, true);
        let result = change(slot.row_mut::<T::Row>());
        if was_clean {
            self.dirty.push(self.scratch.as_slice().into());
        }
        Ok(result)
    }

    /// Puts `row` under `key`. A row never read before is written even if the store has the same:
    /// to find out would cost a read.
    pub fn put<T: Table>(&mut self, key: &T::Key, row: T::Row) {
        self.replace::<T>(key, Some(row));
    }

    /// Removes the row under `key`, if there is one.
    pub fn remove<T: Table>(&mut self, key: &T::Key) {
        self.replace::<T>(key, None);
    }

    fn replace<T: Table>(&mut self, key: &T::Key, row: Option<T::Row>) {
        self.aim::<T>(key);
        let generation = self.generation;
        let was_clean = match self.rows.get_mut(self.scratch.as_slice()) {
            Some(slot) => {
                *slot.row_mut::<T::Row>() = row;
                slot.generation = generation;
                !std::mem::replace(&mut slot.dirty, true)
            }
            None => {
                self.insert(Held(row), Stored::Unknown, true);
                true
            }
        };
        if was_clean {
            self.dirty.push(self.scratch.as_slice().into());
        }
    }

    /// Rows of `span` as they will be after this batch, the last first when `reverse`; at most
    /// `rows_max`. They are not kept.
    pub fn range<T: Table>(
        &mut self,
        span: &Span<T>,
        reverse: bool,
        rows_max: usize,
    ) -> Result<Vec<PairOf<T>>, TableError> {
        let within = |key: &&KeyBytes| span.from[..] <= ***key && ***key < span.to[..];
        // The rows of a batch under way are in neither the dirty rows nor, for sure, the store.
        self.release()?;
        self.settle()?;
        let changed: BTreeMap<&[u8], &Slot> =
            self.dirty.iter().filter(within).map(|key| (key.as_slice(), &self.rows[key])).collect();
        // Each changed row hides one stored row at the most, so this many stored rows suffice.
        let stored = self.store.range(&span.from, &span.to, reverse, rows_max.saturating_add(changed.len()))?;
        let unchanged = stored.iter().filter(|(key, _)| !changed.contains_key(key.as_slice()));
        let mut merged: BTreeMap<&[u8], Result<&T::Row, &[u8]>> =
            unchanged.map(|(key, value)| (key.as_slice(), Err(value.as_slice()))).collect();
        merged.extend(changed.iter().filter_map(|(key, slot)| Some((*key, Ok(slot.row::<T::Row>().as_ref()?)))));
        let finish = |(key, row): (&[u8], Result<&T::Row, &[u8]>)| match row {
            Ok(row) => Ok((super::decode_key::<T>(key)?, row.clone())),
            Err(value) => decode_pair::<T>(key, value),
        };
        match reverse {
            true => merged.into_iter().rev().take(rows_max).map(finish).collect(),
            false => merged.into_iter().take(rows_max).map(finish).collect(),
        }
    }

    /// Ends the batch: its writes, sorted by key. What is as the store has it is left out.
    ///
    /// The overlay takes the writes for committed from here on; when the commit fails, `rollback`
    /// before anything else.
    pub fn finish(&mut self) -> Vec<Write> {
        self.batch += 1;
        let mut dirty = std::mem::take(&mut self.dirty);
        dirty.sort_unstable();
        let mut writes = Vec::with_capacity(dirty.len());
        let mut encoded = Vec::with_capacity(1024);
        for key in dirty {
            let slot = self.rows.get_mut(&key).expect("dirty rows are kept");
            slot.dirty = false;
            encoded.clear();
            let is_there = slot.row.write(&mut encoded);
            let is_stored = match &slot.stored {
                Stored::Bytes(stored) => is_there && encoded[..] == stored[..],
                Stored::Absent => !is_there,
                Stored::Unknown => false,
            };
            if is_stored {
                continue;
            }
            let value: Option<Arc<[u8]>> = is_there.then(|| encoded.as_slice().into());
            self.kept_bytes -= slot.stored.len();
            slot.stored = value.clone().map_or(Stored::Absent, Stored::Bytes);
            self.kept_bytes += slot.stored.len();
            slot.written_in = self.batch;
            writes.push((key.into_vec(), value));
        }
        self.evict();
        writes
    }

    /// Ends the batch and commits it; when that fails, as if the batch had never been.
    pub fn commit(&mut self, from: Checkpoint, to: Checkpoint, epoch: u64) -> Result<(), TableError> {
        let writes = self.finish();
        let committed = self.store.commit(from, to, epoch, writes);
        self.absent_from = from.position;
        if committed.is_err() {
            self.rollback();
        }
        Ok(committed?)
    }

    /// Drops the rows changed since the last `finish`, and those that it wrote: either their
    /// commit failed, or they are in the store and will be read again.
    pub fn rollback(&mut self) {
        self.dirty.clear();
        self.absent_from = UNKNOWN;
        let last = self.batch;
        self.keep(|slot| !slot.dirty && (slot.written_in != last || last == 0));
    }

    /// Forgets everything: after another store has taken the place of this one.
    pub fn clear(&mut self) {
        self.dirty.clear();
        self.absent_from = UNKNOWN;
        self.keep(|_| false);
    }

    /// Writes the key into the scratch.
    fn aim<T: Table>(&mut self, key: &T::Key) {
        self.scratch.clear();
        put_key::<T>(key, &mut self.scratch);
    }

    /// The slot of `key`, read from the store if it is not here; its key is in the scratch.
    fn load<T: Table>(&mut self, key: &T::Key) -> Result<&mut Slot, TableError> {
        self.aim::<T>(key);
        let generation = self.generation;
        match self.rows.entry_ref(self.scratch.as_slice()) {
            EntryRef::Occupied(entry) => {
                let slot = entry.into_mut();
                slot.generation = generation;
                Ok(slot)
            }
            EntryRef::Vacant(entry) => {
                let value = match key.born() >= self.absent_from {
                    true => None,
                    false => self.store.get(&self.scratch)?,
                };
                let slot = Slot::read::<T>(&self.scratch, value, generation)?;
                self.came += 1;
                self.kept_bytes += slot.stored.len();
                Ok(entry.insert_with_key(self.scratch.as_slice().into(), slot))
            }
        }
    }

    fn insert(&mut self, row: impl HeldRow, stored: Stored, dirty: bool) {
        self.came += 1;
        self.kept_bytes += stored.len();
        let slot = Slot { row: Box::new(row), stored, dirty, generation: self.generation, written_in: 0 };
        self.rows.insert(self.scratch.as_slice().into(), slot);
    }

    /// Bound: see the module. Rows of the batch just finished stay, so that `rollback` finds them,
    /// and those of the one before, whose commit may be under way.
    fn evict(&mut self) {
        let (batch, generation) = (self.batch, self.generation);
        if self.came > self.bounds.rows_max / 2 {
            self.keep(|slot| slot.generation == generation || slot.is_recent(batch));
            self.generation += 1;
            self.came = 0;
        }
        if self.rows.len() > self.bounds.rows_max || self.kept_bytes > self.bounds.bytes_max {
            self.keep(|slot| slot.is_recent(batch));
        }
    }

    fn keep(&mut self, mut wanted: impl FnMut(&Slot) -> bool) {
        let kept_bytes = &mut self.kept_bytes;
        self.rows.retain(|_, slot| {
            let stays = wanted(slot);
            if !stays {
                *kept_bytes -= slot.stored.len();
            }
            stays
        });
    }
}

/// Folded multiplication over words of eight bytes.
#[derive(Default)]
struct KeyHasher(u64);

impl KeyHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word ^ 0x9E37_79B9_7F4A_7C15) * 0xD1B5_4A32_D192_ED03_u128;
        self.0 = (product as u64) ^ (product >> 64) as u64;
    }
}

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            self.mix(u64::from_le_bytes(word.try_into().expect("chunks of eight")));
        }
        let mut last = [0; 8];
        last[..words.remainder().len()].copy_from_slice(words.remainder());
        self.mix(u64::from_le_bytes(last));
    }

    fn write_usize(&mut self, number: usize) {
        self.mix(number as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
