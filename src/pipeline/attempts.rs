//! Attempts of delivery become state: foreign ids, the confirmed version, the next try, or a dead
//! letter.

use super::marks::{edit, repair_in, want_in};
use super::records::remember_foreign;
use super::step::Step;
use super::tasks;
use crate::base::{ClientId, Slug};
use crate::entry::{AttemptResult, Attempted, AttemptedItem, Attempting, ObjectRef, Verdict};
use crate::model::{Confirmed, DealState, Foreign};
use crate::outbox::{self, Jitter};
use crate::tables::rows::{ObjectKey, PolledRow, sink_state};
use crate::tables::{Clients, Crosswalk, Deals, PolledRows, TableError, Tasks};

/// A request that is not idempotent is about to be sent.
pub(super) fn attempting(step: &mut Step<'_>, attempting: Attempting) -> Result<(), TableError> {
    let position = step.position;
    for item in attempting.items {
        edit(step, &attempting.sink, item.object, |state| {
            state.delivery = state.delivery.take().map(|row| outbox::started(row, position));
        })?;
    }
    Ok(())
}

/// What became of a request.
pub(super) fn attempted(step: &mut Step<'_>, attempted: Attempted) -> Result<(), TableError> {
    let Attempted { sink, at: _, attempting: _, items } = attempted;
    for item in items {
        one(step, &sink, item)?;
    }
    Ok(())
}

fn one(step: &mut Step<'_>, sink: &Slug, item: AttemptedItem) -> Result<(), TableError> {
    let AttemptedItem { object, operation: _, version, result } = item;
    let at = step.at;
    match result {
        AttemptResult::Done { foreign_kind, foreign_id: Some(foreign_id), sent } => {
            let foreign = Foreign { connection: sink.clone(), kind: foreign_kind.clone(), id: foreign_id.clone() };
            learn_foreign(step, &foreign, object)?;
            let mut is_other = false;
            edit(step, sink, object, |state| {
                is_other = state.confirmed.as_ref().is_none_or(|it| it.foreign_id != foreign_id);
                state.delivery = state.delivery.take().and_then(|row| outbox::done(row, version, at));
                // Fields sent before and not this time are still held by the sink.
                let mut held = state.confirmed.take().map(|before| before.sent).unwrap_or_default();
                for (name, value) in sent {
                    match held.iter_mut().find(|(held, _)| *held == name) {
                        Some((_, slot)) => *slot = value,
                        None => held.push((name, value)),
                    }
                }
                state.gone = None;
                state.confirmed = Some(Confirmed { foreign_kind, foreign_id, version, at, sent: held });
            })?;
            match object {
                ObjectRef::Client(client) if is_other => another_card(step, sink, client),
                ObjectRef::Client(_) | ObjectRef::Deal(_) | ObjectRef::Interaction(_) | ObjectRef::Task(_) => Ok(()),
            }
        }
        AttemptResult::Done { foreign_id: None, .. } => {
            let is_over = tasks::is_over(step, object)?;
            edit(step, sink, object, |state| {
                let was_deleted = state.gone.is_some();
                // What is over and was never made there need not be made any more.
                state.delivery = state.delivery.take().filter(|_| !is_over).map(|row| match was_deleted {
                    true => outbox::gone(row, at),
                    false => outbox::not_found(row, at),
                });
            })
        }
        AttemptResult::Failed { verdict, reason } => {
            let gone = verdict == Verdict::Gone;
            if let (true, ObjectRef::Task(task)) = (gone, object) {
                return tasks::gone(step, sink, task);
            }
            let settle_ms = step.catalog.settle_ms(sink);
            if gone {
                forget_foreign(step, sink, object)?;
            }
            let mut lost = None;
            edit(step, sink, object, |state| {
                if gone {
                    lost = state.confirmed.as_ref().map(|it| (it.foreign_kind.clone(), it.foreign_id.clone()));
                    // What had been told there is perhaps merged into another: it is looked for, and not
                    // made again by itself. What had only been found is made.
                    let was_told = state.confirmed.take().is_some_and(|it| !it.sent.is_empty());
                    if was_told {
                        state.gone.get_or_insert(at);
                    }
                }
                state.delivery = state.delivery.take().map(|row| {
                    // Spread without chance: a rebuild schedules the same instants.
                    let jitter = Jitter::of(object, row.attempts);
                    outbox::failed(row, verdict, reason, at, jitter, settle_ms)
                });
            })?;
            // What still refers to it there means nobody new.
            let Some((kind, id)) = lost else { return Ok(()) };
            let foreign = Foreign { connection: sink.clone(), kind, id };
            step.rows.update::<PolledRows, _>(&foreign, |row| row.get_or_insert_with(PolledRow::unread).gone = true)
        }
    }
}

/// The client has another card there than before: his open deals that are there name it from now on.
pub(super) fn another_card(step: &mut Step<'_>, sink: &Slug, client: ClientId) -> Result<(), TableError> {
    let deals = step.rows.peek::<Clients, _>(&client, |row| row.map(|row| row.deals.clone()))?.unwrap_or_default();
    for deal in deals {
        let is_there = step.rows.peek::<Deals, _>(&deal, |row| {
            row.is_some_and(|row| {
                let state = sink_state(&row.sinks, sink);
                row.deal.state == DealState::Open && state.is_some_and(|it| it.confirmed.is_some() && it.gone.is_none())
            })
        })?;
        if is_there {
            repair_in(step, sink, ObjectRef::Deal(deal))?;
        }
    }
    Ok(())
}

fn learn_foreign(step: &mut Step<'_>, foreign: &Foreign, object: ObjectRef) -> Result<(), TableError> {
    let key = match object {
        ObjectRef::Client(id) => {
            step.rows.update::<Clients, _>(&id, |row| {
                if let Some(row) = row
                    && !row.client.foreign.iter().any(|(held, _)| held == foreign)
                {
                    row.client.foreign.push((foreign.clone(), id));
                }
            })?;
            ObjectKey::Client(id)
        }
        ObjectRef::Deal(id) => {
            step.rows.update::<Deals, _>(&id, |row| {
                if let Some(row) = row
                    && !row.deal.foreign.contains(foreign)
                {
                    row.deal.foreign.push(foreign.clone());
                }
            })?;
            ObjectKey::Deal(id)
        }
        ObjectRef::Interaction(id) => ObjectKey::Interaction(id),
        ObjectRef::Task(id) => ObjectKey::Task(id),
    };
    remember_foreign(step, foreign, key)
}

/// The foreign object is gone (deleted or merged there): it will be looked for, or made anew.
pub(super) fn forget_foreign(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    let lost: Vec<Foreign> = match object {
        ObjectRef::Client(id) => step.rows.update::<Clients, _>(&id, |row| {
            let Some(row) = row else { return Vec::new() };
            let (lost, kept) = row.client.foreign.drain(..).partition(|(held, _)| held.connection == *sink);
            row.client.foreign = kept;
            let lost: Vec<(Foreign, _)> = lost;
            lost.into_iter().map(|(foreign, _)| foreign).collect()
        })?,
        ObjectRef::Deal(id) => step.rows.update::<Deals, _>(&id, |row| {
            let Some(row) = row else { return Vec::new() };
            let (lost, kept) = row.deal.foreign.drain(..).partition(|held| held.connection == *sink);
            row.deal.foreign = kept;
            lost
        })?,
        ObjectRef::Interaction(_) => Vec::new(),
        ObjectRef::Task(id) => step.rows.peek::<Tasks, _>(&id, |row| {
            let state = row.and_then(|row| sink_state(&row.sinks, sink));
            let held = state.and_then(|state| state.confirmed.as_ref());
            let foreign = |held: &Confirmed| Foreign {
                connection: sink.clone(),
                kind: held.foreign_kind.clone(),
                id: held.foreign_id.clone(),
            };
            held.map(foreign).into_iter().collect()
        })?,
    };
    for foreign in lost {
        step.rows.remove::<Crosswalk>(&foreign);
    }
    Ok(())
}

/// A person wants an object sent again: an open delivery at once; what the sink has confirmed (it
/// was restored from a copy, somebody wrote over it) whole. What is told once stays told.
pub(super) fn resend(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    let at = step.at;
    let is_told_once = match object {
        ObjectRef::Interaction(_) => true,
        ObjectRef::Client(_) | ObjectRef::Deal(_) | ObjectRef::Task(_) => false,
    };
    let (mut was_gone, mut anew) = (false, false);
    edit(step, sink, object, |state| {
        // Deleted there: to send it is to make it anew.
        was_gone = state.gone.take().is_some();
        if was_gone {
            state.confirmed = None;
        }
        state.delivery = match (state.delivery.take(), &mut state.confirmed) {
            (Some(row), _) => Some(outbox::resend(row, at)),
            (None, Some(confirmed)) if !is_told_once => {
                // Nothing is known any more of what it holds: every field is sent.
                confirmed.sent.clear();
                anew = true;
                None
            }
            (None, _) => None,
        };
    })?;
    if anew {
        want_in(step, sink, object)?;
    }
    if was_gone { forget_foreign(step, sink, object) } else { Ok(()) }
}

/// Somebody whose card was deleted there turns to us again: it is made anew, or nobody would see
/// what he wants.
pub(super) fn made_anew(step: &mut Step<'_>, client: ClientId) -> Result<(), TableError> {
    let object = ObjectRef::Client(client);
    let sinks = step.rows.peek::<Clients, _>(&client, |row| {
        let gone = row.into_iter().flat_map(|row| &row.sinks).filter(|state| state.gone.is_some());
        gone.map(|state| state.sink.clone()).collect::<Vec<_>>()
    })?;
    for sink in sinks {
        resend(step, &sink, object)?;
        want_in(step, &sink, object)?;
    }
    Ok(())
}

/// A person gives a dead letter up.
pub(super) fn discard(step: &mut Step<'_>, sink: &Slug, object: ObjectRef) -> Result<(), TableError> {
    edit(step, sink, object, |state| {
        state.delivery = state.delivery.take().map(outbox::discard);
    })
}
