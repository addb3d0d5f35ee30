//! Snapshots: made from the one before and the journal, without touching the store.
//!
//! The newest sound snapshot and the entries behind it are applied into a store of two layers
//! (`store::LayeredStore`), which is then written as the next snapshot. So a snapshot holds what
//! the journal says, never what the store on disk has become: rows that rot took from the store
//! are not missing in it, and nothing waits while it is made. See
//! `docs/decisions/2026-11-22-snapshots.md`.
//!
//! A file gets its name `<position>.snapshot` (20 digits: of the last entry applied) only after it
//! was synced and read back whole. What has no such name is nothing, and is removed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::error;

use super::rebuild::apply_all;
use super::runner::yield_to_intake;
use super::{Configurations, PipelineError};
use crate::base::limits::{MICRO_BATCH_ENTRIES_MAX, SNAPSHOT_CHANGES_BYTES_MAX, SNAPSHOT_LOAD_ROWS};
use crate::base::{ItemRef, Message, Position, Timestamp};
use crate::journal::Journal;
use crate::store::snapshot::{About, SnapshotFile, Totals};
use crate::store::{LayeredStore, Store, StoreError};
use crate::tables::{Meta, Reader};

const SUFFIX: &str = ".snapshot";
const PART: &str = ".part";

/// A snapshot in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Where it is.
    pub path: PathBuf,
    /// What stands at its head.
    pub about: About,
    /// What stands at its end.
    pub totals: Totals,
}

impl Snapshot {
    /// The last entry applied.
    pub fn position(&self) -> Position {
        Position(self.about.checkpoint.position.0.saturating_sub(1))
    }

    fn of(file: &SnapshotFile) -> Snapshot {
        Snapshot { path: file.path().to_owned(), about: file.about().clone(), totals: file.totals() }
    }
}

/// A file, and the snapshot that it is, or why it is none.
pub type Listed = (PathBuf, Result<Snapshot, StoreError>);

/// What `folder` holds, the newest first.
pub fn list(folder: &Path) -> Result<Vec<Listed>, StoreError> {
    let names = names(folder)?;
    Ok(names
        .into_iter()
        .map(|path| (path.clone(), SnapshotFile::open(&path).map(|file| Snapshot::of(&file))))
        .collect())
}

fn names(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        // None was ever made.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io_failed(folder, &error)),
    };
    let mut paths = Vec::new();
    for item in listed {
        let path = item.map_err(|error| io_failed(folder, &error))?.path();
        let name = path.file_name().and_then(|it| it.to_str()).and_then(|it| it.strip_suffix(SUFFIX));
        if name.is_some_and(|name| name.len() == 20 && name.bytes().all(|byte| byte.is_ascii_digit())) {
            paths.push(path);
        }
    }
    paths.sort_unstable_by(|left, right| right.cmp(left));
    Ok(paths)
}

fn io_failed(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Failed(Message::new("snapshot-failed").with("file", path.display()).with("detail", error))
}

/// The newest snapshot that is sound in every byte, not after `until`; those that are not are
/// passed over, and said.
pub fn newest(folder: &Path, until: Position) -> Result<Option<SnapshotFile>, StoreError> {
    for path in names(folder)? {
        let opened = SnapshotFile::open(&path).and_then(|file| file.verify().map(|()| file));
        match opened {
            Ok(file) if Snapshot::of(&file).position() <= until => return Ok(Some(file)),
            // It knows of entries that this journal has lost, or never had.
            Ok(_) => {}
            Err(StoreError::Newer(message)) => return Err(StoreError::Newer(message)),
            Err(failure) => error!("{failure}"),
        }
    }
    Ok(None)
}

/// Reads every byte of a snapshot.
pub fn verify(path: &Path) -> Result<(), StoreError> {
    SnapshotFile::open(path)?.verify()
}

/// Makes the next snapshot, of everything up to `until`; `progress` is told (applied, head). Where
/// there is one of that position already, it is the answer.
pub fn make(
    journal: Arc<dyn Journal>,
    configurations: Arc<dyn Configurations>,
    folder: &Path,
    until: Position,
    now: Timestamp,
    progress: &mut (dyn FnMut(Position, Position) + Send),
) -> Result<Snapshot, PipelineError> {
    // Behind intake and pipeline: a snapshot has the whole night.
    let worker = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .thread_name(|_| "uzel-snapshot".to_owned())
        .start_handler(|_| yield_to_intake())
        .build()
        .expect("a thread can be started");
    let bound = SNAPSHOT_CHANGES_BYTES_MAX;
    worker.install(|| make_bounded(journal, configurations, folder, until, now, bound, progress))
}

/// As [`make`], with changes of at most `changes_bytes_max` in memory.
pub fn make_bounded(
    journal: Arc<dyn Journal>,
    configurations: Arc<dyn Configurations>,
    folder: &Path,
    until: Position,
    now: Timestamp,
    changes_bytes_max: usize,
    progress: &mut (dyn FnMut(Position, Position) + Send),
) -> Result<Snapshot, PipelineError> {
    prepare(folder)?;
    let base = newest(folder, until)?;
    if let Some(file) = &base
        && Snapshot::of(file).position() == until
    {
        return Ok(Snapshot::of(file));
    }
    let target = folder.join(format!("{:020}{SUFFIX}", until.0));
    let part = target.with_extension(&PART[1..]);
    let layered = Arc::new(LayeredStore::new(base.map(Arc::new), &target, changes_bytes_max));
    let store: Arc<dyn Store> = layered.clone();
    apply_all(journal, store.clone(), configurations, until, MICRO_BATCH_ENTRIES_MAX, progress)?;
    let meta = Reader::new(store.as_ref()).get::<Meta>(&())?.unwrap_or_default();
    let about = About {
        checkpoint: store.checkpoint()?,
        configuration: meta.configuration,
        made_at: now,
        build: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let written = layered.write(&part, about)?;
    // Read back from the disk: only what reads counts.
    let file = SnapshotFile::open(&part)?;
    file.verify()?;
    debug_assert_eq!(file.totals(), written);
    drop(file);
    let named =
        std::fs::rename(&part, &target).and_then(|()| std::fs::File::open(folder)).and_then(|folder| folder.sync_all());
    named.map_err(|error| io_failed(&target, &error))?;
    Ok(Snapshot::of(&SnapshotFile::open(&target)?))
}

/// Makes the folder, and removes what an attempt that was cut short left.
fn prepare(folder: &Path) -> Result<(), StoreError> {
    let prepared = || -> std::io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(folder)?;
        for item in std::fs::read_dir(folder)? {
            let path = item?.path();
            if path.extension().is_some_and(|it| it == &PART[1..]) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    };
    prepared().map_err(|error| io_failed(folder, &error))
}

/// Removes all but the newest `count` snapshots; returns what went.
pub fn keep(folder: &Path, count: usize) -> Result<Vec<PathBuf>, StoreError> {
    let gone: Vec<PathBuf> = names(folder)?.into_iter().skip(count.max(1)).collect();
    for path in &gone {
        std::fs::remove_file(path).map_err(|error| io_failed(path, &error))?;
    }
    Ok(gone)
}

/// Fills an empty store with the rows of `file`. A store that was not filled to its end still
/// stands before the first entry and must be thrown away.
pub fn fill(store: &dyn Store, file: &SnapshotFile, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let start = ItemRef::default();
    let mut writes = Vec::with_capacity(SNAPSHOT_LOAD_ROWS);
    let mut rows = 0;
    file.read_all(&mut |key, value| {
        writes.push((key.to_vec(), Some(value.into())));
        if writes.len() == SNAPSHOT_LOAD_ROWS {
            rows += writes.len() as u64;
            store.commit(start, start, 1, std::mem::take(&mut writes))?;
            progress(rows, file.totals().rows);
        }
        Ok(())
    })?;
    store.commit(start, file.about().checkpoint, 1, writes)
}
