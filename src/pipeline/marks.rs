//! Marks: what each sink must learn. Level-triggered: "sink S must learn object O", whatever and
//! however often it changed.

use super::step::Step;
use crate::base::Slug;
use crate::entry::ObjectRef;
use crate::outbox;
use crate::tables::rows::{SinkState, sink_state_mut};
use crate::tables::{Clients, Deals, Interactions, Pending, TableError, Tasks, packed};

/// Every sink of the configuration must learn this object in its state of now.
pub(super) fn want(step: &mut Step<'_>, object: ObjectRef) -> Result<(), TableError> {
    let catalog = step.catalog;
    for sink in catalog.sinks_for(object) {
        let (position, at) = (step.position, step.at);
        edit(step, &sink.name, object, |state| {
            state.delivery = Some(outbox::want(state.delivery.take(), position, at));
        })?;
    }
    Ok(())
}

/// Changes what is known of an object in one sink, and keeps the list of open deliveries right.
pub(super) fn edit(
    step: &mut Step<'_>,
    sink: &Slug,
    object: ObjectRef,
    change: impl FnOnce(&mut SinkState),
) -> Result<(), TableError> {
    let edit_in = |sinks: &mut Vec<SinkState>| {
        let state = sink_state_mut(sinks, sink);
        change(state);
        state.delivery.is_some()
    };
    let open = match object {
        ObjectRef::Client(id) => {
            step.rows.update::<Clients, _>(&id, |row| row.as_mut().map(|row| edit_in(&mut row.sinks)))?
        }
        ObjectRef::Deal(id) => {
            step.rows.update::<Deals, _>(&id, |row| row.as_mut().map(|row| edit_in(&mut row.sinks)))?
        }
        ObjectRef::Interaction(id) => {
            step.rows.update::<Interactions, _>(&id, |row| row.as_mut().map(|row| edit_in(&mut row.sinks)))?
        }
        ObjectRef::Task(id) => {
            step.rows.update::<Tasks, _>(&id, |row| row.as_mut().map(|row| edit_in(&mut row.sinks)))?
        }
    };
    let Some(open) = open else { return Ok(()) };
    list(step, sink, object, open)
}

fn list(step: &mut Step<'_>, sink: &Slug, object: ObjectRef, open: bool) -> Result<(), TableError> {
    step.rows.update::<Pending, _>(&Pending::key(sink, object), |slot| {
        let listed = slot.get_or_insert_default();
        match open {
            true => packed::insert(listed, object),
            false => packed::remove(listed, &object),
        };
        if listed.is_empty() {
            *slot = None;
        }
    })
}
