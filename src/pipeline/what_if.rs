//! What-if: the journal replayed under ONE configuration into a side store.
//!
//! Nothing but the journal is read, so it runs beside the daemon; nothing is pushed, as in any
//! replay. Reconcilers wrote their ticks and slices for another configuration, and a snapshot was
//! scored by another: at the end every open deal is scored anew at the journal's own time, so that
//! two replays are compared at rest.

use std::sync::Arc;

use compact_str::CompactString;

use super::prepare::{Prepared, Work};
use super::rebuild::apply_all;
use super::runner::apply;
use super::{Configurations, PipelineError};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{MICRO_BATCH_ENTRIES_MAX, SLICE_ITEMS_MAX};
use crate::base::{Message, Position};
use crate::catalog::Catalog;
use crate::entry::Configured;
use crate::journal::Journal;
use crate::store::Store;
use crate::tables::{Due, Meta, Overlay, Reader, Span};

/// The same configuration for every entry, whatever was in force.
struct Only(Arc<Catalog>);

impl Configurations for Only {
    fn load(&self, _hash: Fingerprint) -> Result<Arc<Catalog>, Message> {
        Ok(self.0.clone())
    }
}

/// Applies the journal up to `head` to `store` (empty, or filled from a snapshot) as if `catalog` had always been in force;
/// `progress` is told (applied, head). Returns the number of entries.
pub fn replay_under(
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    catalog: Arc<Catalog>,
    head: Position,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<u64, PipelineError> {
    let only = Arc::new(Only(catalog.clone()));
    let entries = apply_all(journal, store.clone(), only, head, MICRO_BATCH_ENTRIES_MAX, progress)?;
    settle(store, &catalog, head)?;
    Ok(entries)
}

/// The same with each entry under its own configuration: the store as it is.
pub fn replay_as_it_was(
    journal: Arc<dyn Journal>,
    store: Arc<dyn Store>,
    configurations: Arc<dyn Configurations>,
    in_force: &Arc<Catalog>,
    head: Position,
    progress: &mut dyn FnMut(Position, Position),
) -> Result<u64, PipelineError> {
    let entries = apply_all(journal, store.clone(), configurations, head, MICRO_BATCH_ENTRIES_MAX, progress)?;
    settle(store, in_force, head)?;
    Ok(entries)
}

/// Scores every open deal, at journal time, as when a configuration takes force.
fn settle(store: Arc<dyn Store>, catalog: &Arc<Catalog>, head: Position) -> Result<(), PipelineError> {
    let mut rows = Overlay::new(store.clone());
    let configured = Configured { hash: catalog.hash(), build: CompactString::default() };
    if let Some(meta) = Reader::new(store.as_ref()).get::<Meta>(&())? {
        let work = Work::Configured(configured);
        let prepared = Prepared { position: head, at: meta.journal_time, catalog: catalog.clone(), work };
        let at = store.checkpoint()?;
        apply(&mut rows, at, at, 1, vec![prepared])?;
    }
    loop {
        let reader = Reader::new(store.as_ref());
        let Some(meta) = reader.get::<Meta>(&())? else { return Ok(()) };
        let first_due = reader.range(&Span::<Due>::all(), false, 1)?.pop().map(|((at, _), _)| at);
        let work = match (meta.rescore, first_due) {
            (Some((of, after)), _) => Work::Rescore { of, after, count: SLICE_ITEMS_MAX },
            (None, Some(at)) if at <= meta.journal_time => Work::Ticked,
            (None, Some(_) | None) => return Ok(()),
        };
        let prepared = Prepared { position: head, at: meta.journal_time, catalog: catalog.clone(), work };
        let at = store.checkpoint()?;
        apply(&mut rows, at, at, 1, vec![prepared])?;
    }
}
