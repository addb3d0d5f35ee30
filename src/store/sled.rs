//! The store on disk, by sled 0.34.7. Nothing else in the crate names sled.
//!
//! sled is beta software at the end of its line, so it is trusted with nothing that the journal
//! cannot give back: a store that does not open is set aside ([`set_aside`]) and rebuilt. A panic
//! inside sled is caught, reported as `Damaged`, and ends this store until it is opened anew.
//!
//! Layout: the default tree alone. A commit is one `sled::Batch`, which sled recovers whole or not
//! at all, so whatever prefix of commits survives a crash is consistent. Beside the rows each
//! batch writes the head, so the checkpoint always tells which prefix that is:
//!
//! ```text
//! key    00 'h' 'e' 'a' 'd'
//! value  u16 format version = 1 | u64 position | u32 item | u64 epoch      (22 bytes, big-endian)
//! ```
//!
//! One key rather than three: keys written are what a commit costs. 22 bytes also stay inside
//! sled's inline form.
//!
//! Durability is lazy: sled writes out every `limits::STORE_FLUSH_EVERY_MS` and on
//! [`Store::flush`].

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::base::limits::{STORE_CACHE_BYTES, STORE_FLUSH_EVERY_MS};
use crate::base::{ItemRef, Message, Position, Timestamp};

use super::{Checkpoint, Head, Pair, RESERVED, Store, StoreError, Write, check_keys, is_reserved, past_reserved};

/// Version of the layout that this build writes; the rows have versions of their own.
pub const FORMAT_VERSION: u16 = 1;
const HEAD_KEY: &[u8] = &[RESERVED, b'h', b'e', b'a', b'd'];
const HEAD_BYTES: usize = 22;

/// A store in a folder.
pub struct SledStore {
    db: ::sled::Db,
    path: PathBuf,
    /// Read by readers too, so that no call sees half of a commit.
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    head: Head,
    /// Set when sled failed during a change: what it holds in memory is then unknown.
    broken: bool,
}

impl fmt::Debug for SledStore {
    /// Its place only: sled's own form prints every row, and rows hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledStore").field("path", &self.path).finish_non_exhaustive()
    }
}

/// A store that has just been opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: SledStore,
    /// How far it has applied the journal; `ItemRef::default()` in a new one.
    pub checkpoint: Checkpoint,
    /// Epoch of the writer that committed last; 0 in a new one.
    pub epoch: u64,
}

impl SledStore {
    /// Opens the store in the folder `path`, or makes a new one there.
    ///
    /// `Damaged`: set it aside and rebuild. `Newer`: leave it alone, update the program. `Failed`:
    /// the disk or another process is in the way; the store itself may be sound.
    pub fn open(path: &Path) -> Result<Opened, StoreError> {
        SledStore::open_with_cache(path, STORE_CACHE_BYTES)
    }

    /// The same with a cache of `cache_bytes`.
    pub fn open_with_cache(path: &Path, cache_bytes: u64) -> Result<Opened, StoreError> {
        let config =
            ::sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(Some(STORE_FLUSH_EVERY_MS));
        let (db, head) = guarded(path, || {
            let db = open_when_unlocked(&config)?;
            let head = db.get(HEAD_KEY)?;
            let is_new = head.is_none() && db.is_empty();
            Ok((db, if is_new { Some(encode_head(Head::default()).as_slice().into()) } else { head }))
        })?;
        // Every commit writes the head, so rows without one are no prefix of our commits.
        let head = head.ok_or_else(|| damaged(path, "rows without a head"))?;
        let head = decode_head(path, &head)?;
        let state = RwLock::new(State { head, broken: false });
        let store = SledStore { db, path: path.to_owned(), state };
        Ok(Opened { store, checkpoint: head.checkpoint, epoch: head.epoch })
    }

    /// Runs a read between two commits.
    fn reading<R>(&self, read: impl FnOnce() -> ::sled::Result<R>) -> Result<R, StoreError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        self.check_sound(&state)?;
        guarded(&self.path, read)
    }

    fn check_sound(&self, state: &State) -> Result<(), StoreError> {
        match state.broken {
            true => Err(StoreError::Failed(Message::new("store-broken").with("path", self.path.display()))),
            false => Ok(()),
        }
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if is_reserved(key) {
            return Ok(None);
        }
        self.reading(|| Ok(self.db.get(key)?.map(|value| value.to_vec())))
    }

    fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.reading(|| {
            let visible = |key: &Vec<u8>| if is_reserved(key) { Ok(None) } else { self.db.get(key) };
            keys.iter().map(|key| Ok(visible(key)?.map(|value| value.to_vec()))).collect()
        })
    }

    fn range(&self, from: &[u8], to: &[u8], reverse: bool, rows_max: usize) -> Result<Vec<Pair>, StoreError> {
        let from = past_reserved(from);
        // sled panics on no range but returns rows of an inverted one; `take(0)` would still seek.
        if from >= to || rows_max == 0 {
            return Ok(Vec::new());
        }
        let owned = |row: ::sled::Result<(::sled::IVec, ::sled::IVec)>| {
            let (key, value) = row?;
            Ok((key.to_vec(), value.to_vec()))
        };
        self.reading(|| {
            let rows = self.db.range(from..to);
            match reverse {
                true => rows.rev().take(rows_max).map(owned).collect(),
                false => rows.take(rows_max).map(owned).collect(),
            }
        })
    }

    fn commit(&self, from: Checkpoint, to: Checkpoint, epoch: u64, writes: Vec<Write>) -> Result<(), StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        self.check_sound(&state)?;
        check_keys(&writes)?;
        let head = state.head.advance(from, to, epoch)?;
        let mut batch = ::sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, &*value),
                None => batch.remove(key),
            }
        }
        batch.insert(HEAD_KEY, &encode_head(head)[..]);
        let applied = guarded(&self.path, || self.db.apply_batch(batch));
        match applied {
            Ok(()) => state.head = head,
            // Some of the batch may be in sled's memory. On disk it is whole or absent, so only
            // opening anew tells the truth.
            Err(_) => state.broken = true,
        }
        applied
    }

    fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        self.check_sound(&state)?;
        Ok(state.head.checkpoint)
    }

    fn flush(&self) -> Result<Checkpoint, StoreError> {
        // Taken before the flush: a commit that slips in between may or may not be written out.
        let durable = self.checkpoint()?;
        let flushed = guarded(&self.path, || self.db.flush());
        if flushed.is_err() {
            self.state.write().unwrap_or_else(PoisonError::into_inner).broken = true;
        }
        flushed.map(|_| durable)
    }
}

/// Moves a damaged store out of the way, so that a new one can be built at `path`; returns where
/// it went: `store.damaged-20260102T030405Z` beside it. Nothing is deleted.
pub fn set_aside(path: &Path, now: Timestamp) -> Result<PathBuf, StoreError> {
    let failed = |source: std::io::Error| {
        StoreError::Failed(Message::new("store-set-aside").with("path", path.display()).with("detail", source))
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_else(|| "store".to_owned());
    let stamp = now.to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string();
    // Bound: a second damage within one second takes the next number; nobody sees a hundred.
    let free = (1..100u32).map(|number| match number {
        1 => path.with_file_name(format!("{name}.damaged-{stamp}")),
        number => path.with_file_name(format!("{name}.damaged-{stamp}-{number}")),
    });
    let target = free.into_iter().find(|target| !target.exists());
    let target = target.ok_or_else(|| failed(std::io::ErrorKind::AlreadyExists.into()))?;
    std::fs::rename(path, &target).map_err(failed)?;
    sync_parent(&target).map_err(failed)?;
    Ok(target)
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Windows has no handles of folders to sync; its renames are journalled.
    if cfg!(unix) { std::fs::File::open(parent)?.sync_all() } else { Ok(()) }
}

/// How often, and how long apart, a lock is tried.
const LOCK_TRIES: u32 = 200;
const LOCK_WAIT: Duration = Duration::from_millis(5);

/// Threads of sled's may hold the lock a moment longer than the store that was dropped, so a lock
/// is believed only after a second.
fn open_when_unlocked(config: &::sled::Config) -> ::sled::Result<::sled::Db> {
    for _ in 1..LOCK_TRIES {
        match config.open() {
            Err(error) if is_lock(&error) => std::thread::sleep(LOCK_WAIT),
            opened => return opened,
        }
    }
    config.open()
}

/// sled tells a lock only by its text.
fn is_lock(error: &::sled::Error) -> bool {
    matches!(error, ::sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}

/// Runs something of sled's; its errors and panics become ours.
fn guarded<R>(path: &Path, work: impl FnOnce() -> ::sled::Result<R>) -> Result<R, StoreError> {
    // After a panic no value of this call is used, and the caller stops using the store.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(store_error(path, error)),
        Err(_panic) => Err(damaged(path, "sled panicked")),
    }
}

fn store_error(path: &Path, error: ::sled::Error) -> StoreError {
    use std::io::ErrorKind;
    let about =
        |id: &str, detail: &dyn std::fmt::Display| Message::new(id).with("path", path.display()).with("detail", detail);
    if is_lock(&error) {
        return StoreError::Failed(Message::new("store-locked").with("path", path.display()));
    }
    match error {
        ::sled::Error::Io(source) => match source.kind() {
            ErrorKind::UnexpectedEof | ErrorKind::InvalidData | ErrorKind::InvalidInput => damaged(path, &source),
            _ => StoreError::Failed(about("store-failed", &source)),
        },
        // Another version of sled's own format, or options of a later build.
        ::sled::Error::Unsupported(detail) => StoreError::Newer(about("store-newer-engine", &detail)),
        ::sled::Error::Corruption { at: Some(at), .. } => damaged(path, format!("corruption at {at:?}")),
        ::sled::Error::Corruption { at: None, .. } => damaged(path, "corruption"),
        ::sled::Error::ReportableBug(detail) => damaged(path, detail),
        ::sled::Error::CollectionNotFound(_) => damaged(path, "the tree is gone"),
    }
}

fn damaged(path: &Path, detail: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(Message::new("store-damaged").with("path", path.display()).with("detail", detail))
}

fn encode_head(head: Head) -> [u8; HEAD_BYTES] {
    let mut bytes = [0; HEAD_BYTES];
    bytes[..2].copy_from_slice(&FORMAT_VERSION.to_be_bytes());
    bytes[2..10].copy_from_slice(&head.checkpoint.position.0.to_be_bytes());
    bytes[10..14].copy_from_slice(&head.checkpoint.item.to_be_bytes());
    bytes[14..].copy_from_slice(&head.epoch.to_be_bytes());
    bytes
}

fn decode_head(path: &Path, bytes: &[u8]) -> Result<Head, StoreError> {
    // The version first: a newer head may have another length.
    let version = bytes.first_chunk().map(|version| u16::from_be_bytes(*version));
    if let Some(version) = version.filter(|version| *version > FORMAT_VERSION) {
        return Err(StoreError::Newer(
            Message::new("store-newer")
                .with("path", path.display())
                .with("version", version)
                .with("known", FORMAT_VERSION),
        ));
    }
    let whole: Option<&[u8; HEAD_BYTES]> = bytes.try_into().ok();
    let (Some(FORMAT_VERSION), Some(whole)) = (version, whole) else {
        return Err(damaged(path, "the head does not read"));
    };
    let part =
        |range: std::ops::Range<usize>| whole[range].iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
    let item = u32::try_from(part(10..14)).expect("four bytes");
    Ok(Head { checkpoint: ItemRef::new(Position(part(2..10)), item), epoch: part(14..22) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: u64, item: u32) -> Checkpoint {
        ItemRef::new(Position(position), item)
    }

    #[test]
    fn head_reads_back_and_fits_inline() {
        let head = Head { checkpoint: at(u64::MAX, 7), epoch: 9 };
        let bytes = encode_head(head);
        assert_eq!(decode_head(Path::new("x"), &bytes).expect("own bytes"), head);
    }

    #[test]
    fn store_of_a_newer_format_is_refused_and_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let opened = SledStore::open(&path).expect("opens");
        let newer = [&(FORMAT_VERSION + 1).to_be_bytes()[..], b"of a length we do not know"].concat();
        opened.store.db.insert(HEAD_KEY, newer.clone()).expect("inserts");
        drop(opened);
        for _ in 0..2 {
            assert!(matches!(SledStore::open(&path), Err(StoreError::Newer(_))));
        }
        let db = ::sled::open(&path).expect("opens");
        assert_eq!(db.get(HEAD_KEY).expect("reads").expect("is there"), newer);
    }

    #[test]
    fn damaged_store_is_set_aside_to_make_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let damage = || {
            // Rows without a head: no prefix of our commits looks so.
            let opened = SledStore::open(&path).expect("opens");
            opened.store.db.insert([7], &[7]).expect("inserts");
            drop(opened);
            assert!(matches!(SledStore::open(&path), Err(StoreError::Damaged(_))));
        };
        damage();
        let now = Timestamp(1_767_323_045_000);
        let aside = set_aside(&path, now).expect("renames");
        assert_eq!(aside, folder.path().join("store.damaged-20260102T030405Z"));
        assert!(aside.join("db").exists() && !path.exists());
        damage();
        let second = set_aside(&path, now).expect("renames");
        assert_eq!(second, folder.path().join("store.damaged-20260102T030405Z-2"));
        assert_eq!(SledStore::open(&path).expect("a new one").checkpoint, ItemRef::default());
        assert!(matches!(set_aside(&folder.path().join("nothing"), now), Err(StoreError::Failed(_))));
    }

    #[test]
    fn panic_of_the_engine_is_damage_and_not_our_end() {
        let result = guarded::<()>(Path::new("x"), || panic!("as sled does on a page that it cannot read"));
        assert!(matches!(result, Err(StoreError::Damaged(_))));
    }
}
