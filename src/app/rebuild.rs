//! `uzel rebuild`: a store made anew from the newest snapshot and the journal behind it (or from the
//! whole journal), compared with or put in place of the one that is there.

use std::sync::Arc;

use serde::Serialize;

use super::error::Told;
use super::{ConfigurationFolder, Folder};
use crate::base::clock::SystemClock;
use crate::base::limits::{MICRO_BATCH_ENTRIES_MAX, REBUILD_DIFFERENCES_MAX};
use crate::base::{Clock as _, Message, Position};
use crate::journal::{Journal, Options, Segments};
use crate::pipeline::{apply_all, rebuild_into, snapshot};
use crate::store::sled::{SledStore, set_aside};
use crate::store::{Store, StoreError};
use crate::tables::{describe, renewed, rows_hash};

/// What a rebuild found or made.
#[derive(Debug, Serialize)]
pub struct RebuildReport {
    /// Entries applied.
    pub entries: u64,
    /// The snapshot that they were applied to, by its position; 0: none.
    pub snapshot: u64,
    /// Hash over every row.
    pub hash: String,
    /// With `--check`: whether the store that is there has the same rows.
    pub same: Option<bool>,
    /// Rows that differ, by name; the first ones.
    pub differences: Vec<String>,
}

/// Where a rebuild begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At the newest sound snapshot; at the first entry where there is none.
    Snapshot,
    /// At the first entry.
    FirstEntry,
}

/// Rebuilds the store of a folder that no daemon owns. With `check` the store that is there stays,
/// and is only compared after it has caught up with the journal.
pub fn rebuild(
    folder: &Folder,
    start: Start,
    check: bool,
    progress: &mut dyn FnMut(Position, Position),
) -> anyhow::Result<RebuildReport> {
    let _lock = folder.lock()?;
    let clock = Arc::new(SystemClock);
    let options = Options::production(rand::random());
    let (segments, _recovery) = Segments::open(&folder.journal(), clock.clone(), options)?;
    let journal: Arc<dyn Journal> = Arc::new(segments);
    let configurations = Arc::new(ConfigurationFolder::open(folder.configurations())?);
    let fresh_path = folder.root().join("store.rebuilding");
    if fresh_path.exists() {
        std::fs::remove_dir_all(&fresh_path)?;
    }
    let fresh: Arc<dyn Store> = Arc::new(SledStore::open(&fresh_path)?.store);
    let snapshot = match start {
        Start::Snapshot => snapshot::newest(&folder.snapshots(), journal.head())?,
        Start::FirstEntry => None,
    };
    let begun = match &snapshot {
        Some(file) => {
            snapshot::fill(fresh.as_ref(), file, &mut |_, _| {})?;
            file.about().checkpoint.position
        }
        None => Position(1),
    };
    if begun < journal.first() {
        let message = Message::new("app-rebuild-removed").with("first", journal.first());
        return Err(Told(message).into());
    }
    let rebuilt = rebuild_into(journal.clone(), Arc::clone(&fresh), configurations.clone(), progress)?;
    let mut report = RebuildReport {
        entries: rebuilt.entries,
        snapshot: begun.0 - 1,
        hash: rebuilt.hash.to_string(),
        same: None,
        differences: Vec::new(),
    };
    if check {
        let held: Arc<dyn Store> = Arc::new(SledStore::open(&folder.store())?.store);
        let head = journal.head();
        apply_all(journal, Arc::clone(&held), configurations, head, MICRO_BATCH_ENTRIES_MAX, &mut |_, _| {})?;
        let same = rows_hash(held.as_ref(), |_| {})? == rebuilt.hash;
        report.same = Some(same);
        if !same {
            report.differences = differences(held.as_ref(), fresh.as_ref())?;
        }
        drop(fresh);
        std::fs::remove_dir_all(&fresh_path)?;
        return Ok(report);
    }
    fresh.flush()?;
    drop(fresh);
    if folder.store().exists() {
        set_aside(&folder.store(), clock.now())?;
    }
    std::fs::rename(&fresh_path, folder.store())
        .map_err(|error| Told(Message::new("app-rebuild-rename").with("detail", error)))?;
    Ok(report)
}

/// Names of rows that are in one store only, or say something else there.
fn differences(held: &dyn Store, fresh: &dyn Store) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut from = vec![0x01];
    loop {
        let ours = held.range(&from, &[0xff; 64], false, 1_000)?;
        let theirs = fresh.range(&from, &[0xff; 64], false, 1_000)?;
        if ours.is_empty() && theirs.is_empty() {
            return Ok(found);
        }
        // Both pages are compared up to the shorter one's end; the next round begins behind it.
        let end = match (ours.last(), theirs.last()) {
            (Some((a, _)), Some((b, _))) if ours.len() == 1_000 || theirs.len() == 1_000 => a.min(b).clone(),
            (Some((a, _)), Some((b, _))) => a.max(b).clone(),
            (Some((a, _)), None) | (None, Some((a, _))) => a.clone(),
            (None, None) => return Ok(found),
        };
        let within = |pairs: &[crate::store::Pair]| -> std::collections::BTreeMap<Vec<u8>, Vec<u8>> {
            let pairs = pairs.iter().filter(|(key, _)| *key <= end);
            pairs.map(|(key, value)| (key.clone(), renewed(key, value).unwrap_or_else(|| value.clone()))).collect()
        };
        let (ours, theirs) = (within(&ours), within(&theirs));
        for key in ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key))) {
            if ours.get(key) != theirs.get(key) {
                found.push(describe(key));
                if found.len() == REBUILD_DIFFERENCES_MAX {
                    return Ok(found);
                }
            }
        }
        from = end;
        from.push(0);
    }
}
