//! Long work is admitted as journalled slices, a few pending at a time, so that a call never waits
//! behind an import or a rescoring.

use std::collections::BTreeMap;

use tracing::error;

use super::Ground;
use crate::base::Position;
use crate::base::limits::{ADMIT_CHECK_MS, SLICE_ITEMS_MAX, SLICES_PENDING_MAX};
use crate::entry::{Entry, Slice};
use crate::tables::rows::ImportRow;
use crate::tables::{Imports, Meta, Reader, Span, TableError};

/// What this task has admitted and not yet seen applied. After a restart it begins with what the
/// store says; a slice admitted twice changes nothing.
#[derive(Debug, Default)]
pub struct Admitted {
    /// First record not yet admitted, by envelope.
    imports: BTreeMap<Position, u32>,
    /// The slice of rescoring that was admitted last: (configuration, after).
    rescore: Option<(Position, Option<crate::base::DealId>)>,
}

/// The slices to append now.
pub fn next(reader: &Reader<'_>, admitted: &mut Admitted) -> Result<Vec<Slice>, TableError> {
    let mut slices = Vec::new();
    for (of, import) in unfinished(reader)? {
        let next = admitted.imports.entry(of).or_insert(import.next);
        *next = (*next).max(import.next);
        let ahead_max = import.next + SLICE_ITEMS_MAX * SLICES_PENDING_MAX as u32;
        while *next < ahead_max && slices.len() < SLICES_PENDING_MAX {
            let to = *next + SLICE_ITEMS_MAX;
            slices.push(Slice::Import { of, from: *next, to });
            *next = to;
        }
    }
    let open: Vec<Position> = unfinished(reader)?.into_iter().map(|(of, _)| of).collect();
    admitted.imports.retain(|of, _| open.contains(of));
    let asked = reader.get::<Meta>(&())?.and_then(|meta| meta.rescore);
    if let Some((of, after)) = asked
        && admitted.rescore != asked
    {
        slices.push(Slice::Rescore { of, after, count: SLICE_ITEMS_MAX });
        admitted.rescore = asked;
    }
    Ok(slices)
}

/// Large envelopes that are not wholly applied.
fn unfinished(reader: &Reader<'_>) -> Result<Vec<(Position, ImportRow)>, TableError> {
    let mut open = Vec::new();
    for row in reader.rows(Span::<Imports>::all()) {
        let (of, import) = row?;
        if import.total.is_none() {
            open.push((of, import));
        }
    }
    Ok(open)
}

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground) {
    let mut applied = ground.pipeline.applied();
    let mut admitted = Admitted::default();
    // What an earlier run admitted is applied first; then the store says where to go on.
    if ground.pipeline.wait(ground.journal.head()).await.is_err() {
        return;
    }
    while !ground.stopping() {
        applied.borrow_and_update();
        let slices = next(&Reader::new(ground.store.as_ref()), &mut admitted);
        match slices {
            Ok(slices) => {
                for slice in slices {
                    if ground.append(&Entry::Slice(slice)).await.is_err() {
                        // No room on the disk: begin again from what the store says.
                        admitted = Admitted::default();
                        ground.rest(ADMIT_CHECK_MS).await;
                        break;
                    }
                }
            }
            Err(error) => error!(%error, "long work cannot be admitted"),
        }
        ground.nudged(&mut applied, ADMIT_CHECK_MS).await;
    }
}
