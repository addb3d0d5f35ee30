//! Whether a sink is written to: by `uzel.toml`, by an applied plan, until a person pauses it.
//!
//! A function of the journal like everything else: `Configured` tells what the file says, commands
//! tell what people say, and the row of the sink is what both come to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::marks;
use super::step::Step;
use crate::base::Slug;
use crate::base::checksum::Fingerprint;
use crate::base::limits::TABLE_PAGE_ROWS;
use crate::catalog::Mode;
use crate::entry::ObjectRef;
use crate::tables::rows::Approval;
use crate::tables::{Block, Held, Lane, Pending, Sinks, Span, Table, TableError};

type ListKey = (Slug, u8, Block);

/// What the file says now holds for each sink.
pub(super) fn configured(step: &mut Step<'_>) -> Result<(), TableError> {
    let catalog = step.catalog;
    for sink in catalog.sinks() {
        let before = step.rows.get::<Sinks>(&sink.name)?.unwrap_or_default();
        let mut row = before.clone();
        // Back from `live` in the file: the word of the file takes an older plan with it.
        if before.live_by_file && sink.mode == Mode::Observe {
            row.approval = None;
        }
        row.live_by_file = sink.mode == Mode::Live;
        row.open = match sink.mode {
            Mode::Live => true,
            Mode::Observe => row.approval.is_some(),
            Mode::Off => false,
        };
        if row.open && !before.open {
            release_all(step, &sink.name)?;
        }
        step.rows.put::<Sinks>(&sink.name, row);
    }
    Ok(())
}

/// Exactly the objects of the plan may go; what else has gathered waits for the next plan.
pub(super) fn apply_plan(
    step: &mut Step<'_>,
    sink: &Slug,
    plan: Fingerprint,
    objects: &[ObjectRef],
) -> Result<(), TableError> {
    let writable = step.catalog.sinks().any(|it| it.name == *sink && it.mode != Mode::Off);
    if !writable {
        return Ok(());
    }
    let mut row = step.rows.get::<Sinks>(sink)?.unwrap_or_default();
    if !row.delivers() {
        hold_others(step, sink, objects)?;
    }
    for (key, objects) in rows_of(sink, objects) {
        let held = take::<Held>(step, &key, |object| objects.contains(object))?;
        put::<Pending>(step, &key, held)?;
    }
    row.open = true;
    row.paused = None;
    row.approval = Some(Approval { position: step.position, at: step.at, plan, lines: objects.len() as u64 });
    step.rows.put::<Sinks>(sink, row);
    Ok(())
}

/// Nothing more is written until [`resume`] or a plan.
pub(super) fn pause(step: &mut Step<'_>, sink: &Slug) -> Result<(), TableError> {
    let at = step.at;
    step.rows.update::<Sinks, _>(sink, |row| {
        if let Some(row) = row.as_mut().filter(|row| row.open) {
            row.paused.get_or_insert(at);
        }
    })
}

/// What gathered since the pause goes.
pub(super) fn resume(step: &mut Step<'_>, sink: &Slug) -> Result<(), TableError> {
    step.rows.update::<Sinks, _>(sink, |row| {
        if let Some(row) = row {
            row.paused = None;
        }
    })
}

/// The rows in which objects may stand, with those of them that may stand there.
fn rows_of(sink: &Slug, objects: &[ObjectRef]) -> BTreeMap<ListKey, BTreeSet<ObjectRef>> {
    let mut rows: BTreeMap<ListKey, BTreeSet<ObjectRef>> = BTreeMap::new();
    for &object in objects {
        for lane in Lane::ALL {
            rows.entry(Pending::key(sink, lane, object)).or_default().insert(object);
        }
    }
    rows
}

fn release_all(step: &mut Step<'_>, sink: &Slug) -> Result<(), TableError> {
    each_row::<Held>(step, sink, |step, key| {
        let held = take::<Held>(step, key, |_object| true)?;
        put::<Pending>(step, key, held)
    })
}

fn hold_others(step: &mut Step<'_>, sink: &Slug, objects: &[ObjectRef]) -> Result<(), TableError> {
    let planned: HashSet<ObjectRef> = objects.iter().copied().collect();
    each_row::<Pending>(step, sink, |step, key| {
        let others = take::<Pending>(step, key, |object| !planned.contains(object))?;
        put::<Held>(step, key, others)
    })
}

/// Visits the rows of a list of this sink, page by page.
fn each_row<T>(
    step: &mut Step<'_>,
    sink: &Slug,
    mut visit: impl FnMut(&mut Step<'_>, &ListKey) -> Result<(), TableError>,
) -> Result<(), TableError>
where
    T: Table<Key = ListKey, Row = Vec<ObjectRef>>,
{
    let mut span = Span::<T>::of(sink);
    loop {
        let rows = step.rows.range(&span, false, TABLE_PAGE_ROWS)?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        span = Span::<T>::of(sink).after(last);
        for (key, _) in &rows {
            visit(step, key)?;
        }
    }
}

/// Takes out of a row what fits.
fn take<T>(step: &mut Step<'_>, key: &ListKey, fits: impl Fn(&ObjectRef) -> bool) -> Result<Vec<ObjectRef>, TableError>
where
    T: Table<Key = ListKey, Row = Vec<ObjectRef>>,
{
    let any = step.rows.peek::<T, _>(key, |row| row.is_some_and(|row| row.iter().any(&fits)))?;
    if !any {
        return Ok(Vec::new());
    }
    step.rows.update::<T, _>(key, |slot| {
        let (taken, left) = slot.take().unwrap_or_default().into_iter().partition(&fits);
        let left: Vec<ObjectRef> = left;
        *slot = (!left.is_empty()).then_some(left);
        taken
    })
}

fn put<T>(step: &mut Step<'_>, key: &ListKey, objects: Vec<ObjectRef>) -> Result<(), TableError>
where
    T: Table<Key = ListKey, Row = Vec<ObjectRef>>,
{
    for object in objects {
        marks::list::<T>(step, key, object)?;
    }
    Ok(())
}
