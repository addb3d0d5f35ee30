//! Marks: what each sink must learn. Level-triggered: "sink S must learn object O", whatever and
//! however often it changed.

use super::step::Step;
use crate::base::Slug;
use crate::entry::ObjectRef;
use crate::model::Standing;
use crate::outbox;
use crate::tables::rows::{SinkState, sink_state_mut};
use crate::tables::{Clients, Deals, Interactions, Pending, TableError, Tasks, packed};

/// Every sink of the configuration must learn this object in its state of now.
pub(super) fn want(step: &mut Step<'_>, object: ObjectRef) -> Result<(), TableError> {
    if stays_here(step, object)? {
        return Ok(());
    }
    let catalog = step.catalog;
    for sink in catalog.sinks_for(object) {
        let (position, at) = (step.position, step.at);
        edit(step, &sink.name, object, |state| {
            state.delivery = Some(outbox::want(state.delivery.take(), position, at));
        })?;
    }
    Ok(())
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
