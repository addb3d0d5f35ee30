//! Marks: what each sink must learn. Level-triggered: "sink S must learn object O", whatever and
//! however often it changed.
//!
//! An open delivery stands in `Pending` when it may go, in `Held` when it waits for a plan: nothing
//! is written to a sink before a person has said so, and history only by a plan.

use super::step::Step;
use crate::base::{ClientId, DealId, Slug};
use crate::catalog::Moment;
use crate::entry::ObjectRef;
use crate::model::Standing;
use crate::outbox;
use crate::tables::rows::{SinkState, sink_state, sink_state_mut};
use crate::tables::{Clients, Deals, Held, Interactions, Lane, Pending, Sinks, Table, TableError, Tasks, packed};

/// Why an object is to be told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// A record or a person changed it.
    Record,
    /// Only its score changed: last in the queue, and no reason to release what is held.
    Score,
    /// The sink holds something else than it was told, or another card there stands for it now. That is
    /// so today, however old the record is that says it.
    Repair,
}

/// Every sink of the configuration must learn this object in its state of now.
pub(super) fn want(step: &mut Step<'_>, object: ObjectRef) -> Result<(), TableError> {
    want_for(step, object, Cause::Record)
}

/// The same, because its score changed.
pub(super) fn want_score(step: &mut Step<'_>, object: ObjectRef) -> Result<(), TableError> {
    want_for(step, object, Cause::Score)
}

fn want_for(step: &mut Step<'_>, object: ObjectRef, cause: Cause) -> Result<(), TableError> {
    if stays_here(step, object)? {
        return Ok(());
    }
    let catalog = step.catalog;
    let source = match object {
        ObjectRef::Interaction(id) => {
            step.rows.peek::<Interactions, _>(&id, |row| row.map(|row| row.interaction.source.clone()))?
        }
        ObjectRef::Client(_) | ObjectRef::Deal(_) | ObjectRef::Task(_) => None,
    };
    // What took place is not told to the system that told of it.
    for sink in catalog.sinks_for(object).filter(|sink| source.as_ref() != Some(&sink.name)) {
        want_at(step, &sink.name, object, cause)?;
    }
    Ok(())
}

/// One sink must learn this object in its state of now.
pub(super) fn want_in(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    want_at(step, sink, object, Cause::Record)
}

/// The sink does not hold what it was told.
pub(super) fn repair_in(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    want_at(step, sink, object, Cause::Repair)
}

fn want_at(step: &mut Step<'_>, sink: &Slug, object: ObjectRef, cause: Cause) -> Result<(), TableError> {
    let (position, at) = (step.position, step.at);
    let (moment, is_its_own_history) = match cause {
        Cause::Repair => (Moment::Unknown, false),
        Cause::Record | Cause::Score => (step.moment, step.history_of.as_ref() == Some(sink)),
    };
    let was_open = change(step, sink, object, |state| {
        let was_open = state.delivery.is_some();
        if is_its_own_history && !was_open {
            return None;
        }
        let wanted = outbox::want(state.delivery.take(), position, at);
        state.delivery = Some(match state.gone {
            Some(_) => outbox::gone(wanted, at),
            None => wanted,
        });
        Some(was_open)
    })?;
    // What a system tells of its past is nothing to tell it.
    let Some(was_open) = was_open.flatten() else { return Ok(()) };
    let open = step.rows.peek::<Sinks, _>(sink, |row| row.is_some_and(|row| row.open))?;
    let goes_by_itself = open && moment != Moment::History;
    if !was_open {
        let lane = match (cause, moment) {
            (_, Moment::History) => Lane::Quiet,
            // Seen while another integration may still be at work: nothing in the sink is to
            // start because of it.
            (_, Moment::Unknown) if !open => Lane::Quiet,
            (Cause::Score, Moment::Unknown | Moment::Live) => Lane::Later,
            (Cause::Record | Cause::Repair, Moment::Unknown | Moment::Live) => Lane::Urgent,
        };
        match goes_by_itself {
            true => list::<Pending>(step, &Pending::key(sink, lane, object), object)?,
            false => list::<Held>(step, &Pending::key(sink, lane, object), object)?,
        }
    } else if goes_by_itself && cause != Cause::Score {
        release(step, sink, object)?;
    }
    if goes_by_itself && cause != Cause::Score {
        release_needed(step, sink, object)?;
    }
    Ok(())
}

/// What `object` refers to goes with it: a deal would wait for ever for a client that is held.
fn release_needed(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    let (client, deal): (Option<ClientId>, Option<DealId>) = match object {
        ObjectRef::Client(_) => (None, None),
        ObjectRef::Deal(id) => (step.rows.peek::<Deals, _>(&id, |row| row.and_then(|row| row.deal.client))?, None),
        ObjectRef::Interaction(id) => step.rows.peek::<Interactions, _>(&id, |row| {
            row.map_or((None, None), |row| (row.interaction.client, row.interaction.deal))
        })?,
        ObjectRef::Task(id) => {
            step.rows.peek::<Tasks, _>(&id, |row| row.map_or((None, None), |row| (row.task.client, row.task.deal)))?
        }
    };
    let is_open = |sinks: &[SinkState]| sink_state(sinks, sink).is_some_and(|state| state.delivery.is_some());
    if let Some(id) = client
        && step.rows.peek::<Clients, _>(&id, |row| row.is_some_and(|row| is_open(&row.sinks)))?
    {
        release(step, sink, ObjectRef::Client(id))?;
    }
    if let Some(id) = deal
        && step.rows.peek::<Deals, _>(&id, |row| row.is_some_and(|row| is_open(&row.sinks)))?
    {
        release(step, sink, ObjectRef::Deal(id))?;
    }
    Ok(())
}

/// An open delivery goes by itself and first, wherever it stood.
fn release(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    let urgent = Pending::key(sink, Lane::Urgent, object);
    let is_there =
        step.rows.peek::<Pending, _>(&urgent, |row| row.is_some_and(|listed| listed.binary_search(&object).is_ok()))?;
    if is_there {
        return Ok(());
    }
    unlist(step, sink, object)?;
    list::<Pending>(step, &urgent, object)
}

/// Who is no client and has no deal and no document is nothing to a CRM, nor is what he sent.
fn stays_here(step: &mut Step<'_>, object: ObjectRef) -> Result<bool, TableError> {
    let client = match object {
        ObjectRef::Client(id) => Some(id),
        ObjectRef::Interaction(id) => step.rows.peek::<Interactions, _>(&id, |row| {
            row.filter(|row| row.interaction.deal.is_none()).and_then(|row| row.interaction.client)
        })?,
        ObjectRef::Deal(_) | ObjectRef::Task(_) => None,
    };
    let Some(client) = client else { return Ok(false) };
    step.rows.peek::<Clients, _>(&client, |row| {
        row.is_some_and(|row| {
            let is_none_of_theirs = row.deals.is_empty() && row.documents.is_empty() && row.sinks.is_empty();
            row.client.standing != Standing::Client && is_none_of_theirs
        })
    })
}

/// Changes what is known of an object in one sink, and takes it off the lists when nothing is open.
pub(super) fn edit(
    step: &mut Step<'_>,
    sink: &Slug,
    object: ObjectRef,
    edit: impl FnOnce(&mut SinkState),
) -> Result<(), TableError> {
    let open = change(step, sink, object, |state| {
        edit(state);
        state.delivery.is_some()
    })?;
    match open {
        Some(false) => unlist(step, sink, object),
        Some(true) | None => Ok(()),
    }
}

fn change<T>(
    step: &mut Step<'_>,
    sink: &Slug,
    object: ObjectRef,
    change: impl FnOnce(&mut SinkState) -> T,
) -> Result<Option<T>, TableError> {
    let change = |sinks: &mut Vec<SinkState>| change(sink_state_mut(sinks, sink));
    match object {
        ObjectRef::Client(id) => {
            step.rows.update::<Clients, _>(&id, |row| row.as_mut().map(|row| change(&mut row.sinks)))
        }
        ObjectRef::Deal(id) => step.rows.update::<Deals, _>(&id, |row| row.as_mut().map(|row| change(&mut row.sinks))),
        ObjectRef::Interaction(id) => {
            step.rows.update::<Interactions, _>(&id, |row| row.as_mut().map(|row| change(&mut row.sinks)))
        }
        ObjectRef::Task(id) => step.rows.update::<Tasks, _>(&id, |row| row.as_mut().map(|row| change(&mut row.sinks))),
    }
}

/// Puts an object into a row of a list.
pub(super) fn list<T>(step: &mut Step<'_>, key: &T::Key, object: ObjectRef) -> Result<(), TableError>
where
    T: Table<Row = Vec<ObjectRef>>,
{
    step.rows.update::<T, _>(key, |slot| {
        packed::insert(slot.get_or_insert_default(), object);
    })
}

/// Takes an object off the one list on which it stands.
pub(super) fn unlist(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    for lane in Lane::ALL {
        let key = Pending::key(sink, lane, object);
        if take::<Pending>(step, &key, object)? || take::<Held>(step, &key, object)? {
            return Ok(());
        }
    }
    Ok(())
}

/// Whether the object stood in the row.
fn take<T>(step: &mut Step<'_>, key: &T::Key, object: ObjectRef) -> Result<bool, TableError>
where
    T: Table<Row = Vec<ObjectRef>>,
{
    let holds = step.rows.peek::<T, _>(key, |row| row.is_some_and(|it| it.binary_search(&object).is_ok()))?;
    if holds {
        step.rows.update::<T, _>(key, |slot| {
            let listed = slot.get_or_insert_default();
            packed::remove(listed, &object);
            if listed.is_empty() {
                *slot = None;
            }
        })?;
    }
    Ok(holds)
}
