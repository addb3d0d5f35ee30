//! `uzel replay --diff`: what would be otherwise under other mappings or rules, before anything of
//! it takes force.
//!
//! The journal is read and nothing else, also beside a running daemon. It is replayed twice: as if
//! the configuration in force had always been in force, and as if the other one had. So the answer
//! is the effect of the change alone, and the configuration of now gives no difference. With
//! [`Against::History`] the first replay has each entry under its own configuration: the store as
//! it is. Where the oldest entries were removed, both begin at the oldest snapshot behind which
//! none is missing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{Problems, Told};
use super::folder::unusable;
use super::{ConfigurationFolder, Folder};
use crate::base::checksum::Fingerprint;
use crate::base::clock::SystemClock;
use crate::base::limits::WHAT_IF_MEMORY_ENTRIES_MAX;
use crate::base::{ClientId, Clock as _, Locale, Message, Position, Timestamp};
use crate::catalog::{Catalog, FileSet};
use crate::entry::{Entry, Kind};
use crate::journal::{Journal, Options, RealDisk, Segments};
use crate::pipeline::{Configurations as _, replay_as_it_was, replay_under, snapshot};
use crate::query::{self, DifferenceAsked, DifferenceView, PreviewAsked, PreviewView, Query, difference};
use crate::store::sled::SledStore;
use crate::store::snapshot::SnapshotFile;
use crate::store::{MemoryStore, Store};

const DAY_MS: i64 = 86_400_000;

/// Where the other configuration comes from.
#[derive(Debug, Clone)]
pub enum OtherFiles {
    /// The folder as it is now: edited files that did not take force yet.
    Folder,
    /// Another configuration folder; its `uzel.toml` counts when there is one.
    Whole(PathBuf),
    /// The folder as it is now with other mappings, other rules, or both.
    Parts {
        /// Files of `mappings/`.
        mappings: Option<PathBuf>,
        /// Files of `rules/`.
        rules: Option<PathBuf>,
    },
}

/// What the other configuration is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// The configuration in force now, over the whole journal.
    Now,
    /// Each entry under the configuration that was in force when it came.
    History,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// The other configuration.
    pub files: OtherFiles,
    /// What it is compared with.
    pub against: Against,
    /// Only of this client.
    pub client: Option<ClientId>,
    /// Only what came or changed since.
    pub since: Option<Timestamp>,
    /// Lines at the most.
    pub lines_max: usize,
    /// The reader's language.
    pub locale: Locale,
}

/// What is asked of a preview of rules.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The other configuration.
    pub files: OtherFiles,
    /// Leads of so many days, up to now.
    pub days: u64,
    /// Only leads that would have gone otherwise.
    pub only_changed: bool,
    /// Lines at the most.
    pub lines_max: usize,
    /// The reader's language.
    pub locale: Locale,
}

/// Leads of the last days as they went, and as they would have gone under the other rules.
pub fn preview(folder: &Folder, asked: &Preview, progress: &(dyn Fn(u64, u64) + Sync)) -> anyhow::Result<PreviewView> {
    let replays = Replays::make(folder, &asked.files, Against::History, progress)?;
    let days = i64::try_from(asked.days).unwrap_or(i64::MAX);
    let since = SystemClock.now().plus_ms(days.saturating_mul(-DAY_MS));
    let since = first_since(replays.journal.as_ref(), since)?;
    let Preview { only_changed, lines_max, locale, .. } = *asked;
    let asked = PreviewAsked { since, only_changed, lines_max, locale };
    Ok(query::preview(&replays.now, &replays.other, &asked)?)
}

/// Replays twice and compares; `progress` is told (done, of), from two threads.
pub fn what_if(
    folder: &Folder,
    asked: &WhatIf,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> anyhow::Result<DifferenceView> {
    let replays = Replays::make(folder, &asked.files, asked.against, progress)?;
    let since = match asked.since {
        None => Position::START,
        Some(since) => first_since(replays.journal.as_ref(), since)?,
    };
    let asked = DifferenceAsked { client: asked.client, since, lines_max: asked.lines_max, locale: asked.locale };
    let mut found = difference(&replays.now, &replays.other, &asked)?;
    found.begun = (replays.begun > Position(1)).then_some(replays.begun.0);
    Ok(found)
}

/// One journal, replayed twice.
struct Replays {
    journal: Arc<dyn Journal>,
    now: Query,
    other: Query,
    /// The first position that was replayed.
    begun: Position,
    _side: SideStores,
}

impl Replays {
    fn make(
        folder: &Folder,
        files: &OtherFiles,
        against: Against,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> anyhow::Result<Replays> {
        let other = Arc::new(other_catalog(folder, files)?);
        let clock = Arc::new(SystemClock);
        let options = Options::production(0);
        let (segments, _recovery) = Segments::open_read_only(Arc::new(RealDisk), &folder.journal(), clock, options)?;
        let journal: Arc<dyn Journal> = Arc::new(segments);
        let head = journal.head();
        let configurations = Arc::new(ConfigurationFolder::open(folder.configurations())?);
        let Some(in_force) = in_force(journal.as_ref(), head)? else {
            return Err(Told(Message::new("whatif-empty").with("folder", folder.root().display())).into());
        };
        let now = configurations.load(in_force).map_err(Told)?;
        let side = SideStores::make(folder, head)?;
        let begun = begin(folder, journal.as_ref(), [&side.now, &side.other])?;
        let of = (head.0 + 1).saturating_sub(begun.0) * 2;
        let done = AtomicU64::new(0);
        let told = |before: &mut u64, at: Position| {
            let more = at.0 - *before;
            *before = at.0;
            progress(done.fetch_add(more, Ordering::Relaxed) + more, of);
        };
        let mut replayed: [Result<u64, crate::pipeline::PipelineError>; 2] = [Ok(0), Ok(0)];
        let [replayed_now, replayed_other] = &mut replayed;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut before = begun.0 - 1;
                let mut told = |at: Position, _head: Position| told(&mut before, at);
                let (journal, store) = (journal.clone(), side.now.clone());
                *replayed_now = match against {
                    Against::Now => replay_under(journal, store, now.clone(), head, &mut told),
                    Against::History => replay_as_it_was(journal, store, configurations.clone(), &now, head, &mut told),
                };
            });
            scope.spawn(|| {
                let mut before = begun.0 - 1;
                let mut told = |at: Position, _head: Position| told(&mut before, at);
                *replayed_other = replay_under(journal.clone(), side.other.clone(), other.clone(), head, &mut told);
            });
        });
        for one in replayed {
            one?;
        }
        let query = |store: &Arc<dyn Store>, catalog: &Arc<Catalog>| {
            Query::new(store.clone(), journal.clone(), catalog.clone())
        };
        let (left, right) = (query(&side.now, &now), query(&side.other, &other));
        Ok(Replays { journal, now: left, other: right, begun, _side: side })
    }
}

/// The first position to replay. Where the journal no longer begins at its first entry, the stores
/// are filled from the oldest snapshot that still has every entry behind it.
fn begin(folder: &Folder, journal: &dyn Journal, stores: [&Arc<dyn Store>; 2]) -> anyhow::Result<Position> {
    let first = journal.first();
    if first <= Position(1) {
        return Ok(Position(1));
    }
    // The newest first: the last that fits is the oldest.
    let fitting = snapshot::list(&folder.snapshots())?.into_iter().filter_map(|(path, listed)| {
        let begun = listed.ok()?.position().next();
        (begun >= first && begun.0 <= journal.head().0 + 1).then_some((path, begun))
    });
    let Some((path, begun)) = fitting.last() else {
        return Err(Told(Message::new("whatif-removed").with("first", first)).into());
    };
    let file = SnapshotFile::open(&path)?;
    for store in stores {
        snapshot::fill(store.as_ref(), &file, &mut |_rows, _of| {})?;
    }
    Ok(begun)
}

/// Compiles the other configuration; every problem at once.
fn other_catalog(folder: &Folder, files: &OtherFiles) -> anyhow::Result<Catalog> {
    let (set, settings) = match files {
        OtherFiles::Folder => (folder.files()?, folder.settings().map_err(Problems)?),
        OtherFiles::Whole(root) => {
            if let Err(error) = fs::read_dir(root) {
                return Err(unusable(root, &error).into());
            }
            let other = Folder::new(root);
            let settings = if other.settings_file().exists() { other.settings() } else { folder.settings() };
            (other.files()?, settings.map_err(Problems)?)
        }
        OtherFiles::Parts { mappings, rules } => {
            let mut set: FileSet = folder.files()?;
            for (part, laid) in [("mappings", mappings), ("rules", rules)] {
                if let Some(laid) = laid {
                    set.overlay(part, laid).map_err(Problems)?;
                }
            }
            (set, folder.settings().map_err(Problems)?)
        }
    };
    Ok(Catalog::compile(&set, &settings).map_err(Problems)?)
}

/// Entries read at a time while looking for a configuration from the end.
const LOOK_ENTRIES: u64 = 1_000;

/// The newest configuration of the journal.
fn in_force(journal: &dyn Journal, head: Position) -> anyhow::Result<Option<Fingerprint>> {
    let first = journal.first().0.max(1);
    let mut end = head.0 + 1;
    while end > first {
        let from = end.saturating_sub(LOOK_ENTRIES).max(first);
        let mut newest = None;
        let mut next = from;
        while next < end {
            let entries = journal.read(Position(next), (end - next) as usize, usize::MAX)?;
            let Some(last) = entries.last() else { break };
            next = last.position.0 + 1;
            for stored in entries.iter().filter(|stored| stored.kind == Kind::Configured) {
                if let Ok(Entry::Configured(configured)) = Entry::decode(stored.kind, &stored.payload) {
                    newest = Some(configured.hash);
                }
            }
        }
        if newest.is_some() {
            return Ok(newest);
        }
        end = from;
    }
    Ok(None)
}

/// The first position whose journal time is `since` or later.
fn first_since(journal: &dyn Journal, since: Timestamp) -> anyhow::Result<Position> {
    // Journal time never falls: halve the run of positions that may be the first.
    let (mut low, mut high) = (journal.first().0.max(1), journal.head().0 + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        match journal.read(Position(middle), 1, usize::MAX)?.first() {
            Some(entry) if entry.at < since => low = middle + 1,
            Some(_) | None => high = middle,
        }
    }
    Ok(Position(low))
}

/// Two stores that go when the comparison ends.
struct SideStores {
    now: Arc<dyn Store>,
    other: Arc<dyn Store>,
    _folder: Option<SideFolder>,
}

impl SideStores {
    fn make(folder: &Folder, head: Position) -> anyhow::Result<SideStores> {
        if head.0 <= WHAT_IF_MEMORY_ENTRIES_MAX {
            let (now, other) = (Arc::new(MemoryStore::new()), Arc::new(MemoryStore::new()));
            return Ok(SideStores { now, other, _folder: None });
        }
        let made = SideFolder::make(&folder.root().join("what-if"))?;
        let now = Arc::new(SledStore::open(&made.path.join("now"))?.store);
        let other = Arc::new(SledStore::open(&made.path.join("other"))?.store);
        Ok(SideStores { now, other, _folder: Some(made) })
    }
}

/// A folder of our own in that of the daemon: rows are personal data and lie where it alone reads.
struct SideFolder {
    path: PathBuf,
    _lock: File,
}

impl SideFolder {
    fn make(path: &Path) -> anyhow::Result<SideFolder> {
        fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let lock = File::options().create(true).truncate(false).write(true).open(path.join("lock"));
        let lock = lock.map_err(|error| unusable(path, &error))?;
        if lock.try_lock().is_err() {
            return Err(Told(Message::new("whatif-busy").with("folder", path.display())).into());
        }
        // What one that was killed left behind.
        for name in ["now", "other"] {
            let old = path.join(name);
            if old.exists() {
                fs::remove_dir_all(&old).map_err(|error| unusable(&old, &error))?;
            }
        }
        Ok(SideFolder { path: path.to_owned(), _lock: lock })
    }
}

impl Drop for SideFolder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next one.
        let _removed = fs::remove_dir_all(&self.path);
    }
}
