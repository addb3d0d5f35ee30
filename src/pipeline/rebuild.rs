//! Rebuild: the whole journal into an empty store, each entry under its own configuration.
//!
//! The replay law: the result has the same keys and values as the store that grew with the
//! journal, whatever the sizes of the micro-batches were. Rebuild pushes nothing: attempts and
//! commands are entries too.

use std::sync::Arc;

use super::prepare::Preparer;
use super::runner::{apply, start_of};
use super::{Configurations, PipelineError};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{MICRO_BATCH_BYTES_MAX, MICRO_BATCH_ENTRIES_MAX};
use crate::base::{ItemRef, Position};
use crate::journal::Journal;
use crate::store::Store;
use crate::tables::{Meta, Overlay, Reader, rows_hash};

/// What a rebuild made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rebuilt {
    /// Entries applied.
    pub entries: u64,
    /// Hash over every row.
    pub hash: Fingerprint,
}

/// Applies the journal to `store` (empty, or behind) up to the head found at start; `progress` is told (applied, head).
pub fn rebuild_into(
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    configurations: Arc<dyn Configurations>,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<Rebuilt, PipelineError> {
    let head = journal.head();
    let entries = apply_all(journal, store.clone(), configurations, head, MICRO_BATCH_ENTRIES_MAX, progress)?;
    Ok(Rebuilt { entries, hash: rows_hash(store.as_ref(), |_rows| {})? })
}

/// Applies everything up to and with `head` in micro-batches of at most `batch_max` entries.
pub fn apply_all(
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    configurations: Arc<dyn Configurations>,
    head: Position,
    batch_max: usize,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<u64, PipelineError> {
    let (mut from, mut next) = start_of(store.as_ref())?;
    let meta = Reader::new(store.as_ref()).get::<Meta>(&())?;
    let catalog = match meta.and_then(|meta| meta.configuration.map(|hash| (hash, meta.configured_at))) {
        Some((hash, position)) => {
            let loaded = configurations.load(hash);
            Some(loaded.map_err(|message| PipelineError::Configuration { position, message })?)
        }
        None => None,
    };
    let mut preparer = Preparer::new(journal.clone(), configurations, catalog);
    let mut rows = Overlay::new(store);
    let mut applied = 0;
    while next <= head {
        let left = (head.0 - next.0 + 1).min(batch_max as u64) as usize;
        let entries = journal.read(next, left, MICRO_BATCH_BYTES_MAX)?;
        let Some(last) = entries.last() else { break };
        let to = ItemRef::new(last.position.next(), 0);
        applied += entries.len() as u64;
        let prepared = preparer.prepare(entries)?;
        apply(&mut rows, from, to, 1, prepared)?;
        from = to;
        next = to.position;
        progress(Position(to.position.0 - 1), head);
    }
    Ok(applied)
}
