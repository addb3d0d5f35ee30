//! What is particular to records that a poller read: our own objects that come back, what the foreign system is now known to hold, and what is no longer there.

use compact_str::CompactString;

use super::news::{Ours, keep_news as of_row};
use super::prepare::Polled;
use super::records::{remember_foreign, standing_client};
use super::step::Step;
use super::{attempts, marks, tasks};
use crate::base::{ClientId, Message, Slug};
use crate::connector::ObjectKind;
use crate::entry::{Cursor, Loading, ObjectRef, Received, foreign_instant};
use crate::model::{Change, Confirmed, Foreign, Outcome, TaskEnd, TaskState};
use crate::outbox;
use crate::tables::rows::{CursorRow, ObjectKey, PolledRow, SinkState, sink_state};
use crate::tables::{Clients, Crosswalk, Cursors, Deals, Interactions, PolledRows, TableError, Tasks};

/// The cursor that an envelope brings takes force with the envelope.
pub(super) fn cursor(step: &mut Step<'_>, envelope: &Received) {
    let Some(cursor) = envelope.cursor() else { return };
    let key = (envelope.connection.clone(), envelope.stream.clone());
    step.rows.put::<Cursors>(&key, CursorRow { cursor, at: step.at });
}

/// A person wants the whole history of a connection: every stream that can be loaded begins anew,
/// but for those under way.
pub(super) fn load(step: &mut Step<'_>, connection: &Slug) -> Result<(), TableError> {
    let at = step.at;
    let Some(connection) = step.catalog.connection(connection) else { return Ok(()) };
    let connector = connection.connector.clone();
    let name = connection.name.clone();
    for poll in connector.polls.iter().filter(|poll| poll.load.is_some()) {
        step.rows.update::<Cursors, _>(&(name.clone(), poll.stream.clone()), |row| {
            let row = row.get_or_insert_with(|| CursorRow { cursor: Cursor::default(), at });
            row.cursor.loading.get_or_insert_with(Loading::default);
        })?;
    }
    Ok(())
}

/// A row that we made there ourselves is our object, even before the answer to its making is
/// known: it is never taken for another one.
pub(super) fn ours(step: &mut Step<'_>, envelope: &Received, polled: &Polled) -> Result<(), TableError> {
    let Some(object) = polled.ours else { return Ok(()) };
    let foreign = foreign_of(envelope, polled);
    if step.rows.get::<Crosswalk>(&foreign)?.is_some() {
        return Ok(());
    }
    let is_other = |held: &Foreign| held.connection == foreign.connection && held.kind == foreign.kind;
    // A copy that a person made there carries our id too: it is another object.
    match object {
        ObjectRef::Client(id) => {
            let id = standing_client(step, id)?;
            let taken = step.rows.update::<Clients, _>(&id, |row| match row {
                Some(row) if !row.client.foreign.iter().any(|(held, _)| is_other(held)) => {
                    row.client.foreign.push((foreign.clone(), id));
                    true
                }
                Some(_) | None => false,
            })?;
            if taken { remember_foreign(step, &foreign, ObjectKey::Client(id)) } else { Ok(()) }
        }
        ObjectRef::Deal(id) => {
            let taken = step.rows.update::<Deals, _>(&id, |row| match row {
                Some(row) if !row.deal.foreign.iter().any(is_other) => {
                    row.deal.foreign.push(foreign.clone());
                    true
                }
                Some(_) | None => false,
            })?;
            if taken { remember_foreign(step, &foreign, ObjectKey::Deal(id)) } else { Ok(()) }
        }
        ObjectRef::Interaction(id) => match step.rows.peek::<Interactions, _>(&id, |row| row.is_some())? {
            true => remember_foreign(step, &foreign, ObjectKey::Interaction(id)),
            false => Ok(()),
        },
        ObjectRef::Task(id) => match step.rows.peek::<Tasks, _>(&id, |row| row.is_some())? {
            true => remember_foreign(step, &foreign, ObjectKey::Task(id)),
            false => Ok(()),
        },
    }
}

/// A row that is something which we told there: a to-do that somebody has completed ends our task,
/// and what we wrote is not news of theirs. `None`: it is not of ours.
pub(super) fn told_by_us(
    step: &mut Step<'_>,
    envelope: &Received,
    polled: &Polled,
    change: &Change,
) -> Result<Option<Outcome>, TableError> {
    let took_place = change.filter.is_none() && change.interaction.is_some();
    match object_of(step, &foreign_of(envelope, polled))? {
        Some(ObjectRef::Task(id)) => {
            let held = step
                .rows
                .peek::<Tasks, _>(&id, |row| row.map(|row| (row.task.is_open(), row.task.client, row.task.deal)))?;
            let Some((true, client, deal)) = held.filter(|_| took_place) else { return Ok(Some(Outcome::Unchanged)) };
            let by = Message::new("task-by-crm").with("source", &envelope.connection);
            tasks::end(step, id, TaskState::Done(TaskEnd { at: step.at, by }))?;
            Ok(Some(Outcome::Applied { client, deal }))
        }
        Some(ObjectRef::Interaction(id)) => {
            let is_theirs = step.rows.peek::<Interactions, _>(&id, |row| {
                row.is_none_or(|row| row.interaction.source == envelope.connection)
            })?;
            Ok((!is_theirs).then_some(Outcome::Unchanged))
        }
        Some(ObjectRef::Client(_) | ObjectRef::Deal(_)) | None => Ok(None),
    }
}

/// Leaves in a change only what is news of its row; see [`news`](super::news). Returns what the row
/// tells now.
pub(super) fn keep_news(
    step: &mut Step<'_>,
    envelope: &Received,
    polled: &Polled,
    change: &mut Change,
) -> Result<Vec<(u8, u32)>, TableError> {
    let foreign = foreign_of(envelope, polled);
    let before = step.rows.get::<PolledRows>(&foreign)?.filter(|row| !row.told.is_empty()).map(|row| row.told);
    let object = object_of(step, &foreign)?;
    let confirmed = |sinks: &[SinkState]| {
        let state = sink_state(sinks, &envelope.connection);
        state
            .and_then(|it| it.confirmed.clone())
            .filter(|it| it.foreign_kind == foreign.kind && it.foreign_id == foreign.id)
    };
    // Known there by another record only (a deal that names its client) is not told there.
    let is_told = |sinks: &[SinkState]| polled.ours.is_some() || confirmed(sinks).is_some();
    let ours = match object {
        Some(ObjectRef::Client(id)) => match step.rows.get::<Clients>(&id)?.filter(|row| is_told(&row.sinks)) {
            Some(row) => {
                let confirmed = confirmed(&row.sinks);
                return Ok(keep(change, before, polled, &Ours::Client(&row.client, confirmed.as_ref())));
            }
            None => Ours::Unknown,
        },
        Some(ObjectRef::Deal(id)) => match step.rows.get::<Deals>(&id)?.filter(|row| is_told(&row.sinks)) {
            Some(row) => {
                let confirmed = confirmed(&row.sinks);
                return Ok(keep(change, before, polled, &Ours::Deal(&row.deal, confirmed.as_ref())));
            }
            None => Ours::Unknown,
        },
        Some(ObjectRef::Interaction(_) | ObjectRef::Task(_)) | None => Ours::Unknown,
    };
    Ok(keep(change, before, polled, &ours))
}

fn keep(change: &mut Change, before: Option<Vec<(u8, u32)>>, polled: &Polled, ours: &Ours<'_>) -> Vec<(u8, u32)> {
    of_row(change, before.as_deref(), &polled.row, ours)
}

/// After a record was applied: what it said is remembered, and what the foreign system holds is
/// confirmed, so that our own write coming back queues nothing, and a foreign edit of a field that
/// another system owns is noticed.
pub(super) fn settle(
    step: &mut Step<'_>,
    envelope: &Received,
    polled: &Polled,
    told: Vec<(u8, u32)>,
) -> Result<(), TableError> {
    if !said(step, envelope, polled, told)? {
        return Ok(());
    }
    let foreign = foreign_of(envelope, polled);
    let Some(object) = object_of(step, &foreign)? else { return Ok(()) };
    let catalog = step.catalog;
    let sink = catalog.connection(&envelope.connection).and_then(|it| it.connector.sink.as_ref());
    let Some(spec) = sink.and_then(|sink| sink.object(&polled.kind)) else { return Ok(()) };
    let meant = match object {
        ObjectRef::Client(_) => ObjectKind::Client,
        ObjectRef::Deal(_) => ObjectKind::Deal,
        ObjectRef::Interaction(_) => ObjectKind::Interaction,
        ObjectRef::Task(_) => ObjectKind::Task,
    };
    if spec.of != meant {
        return Ok(());
    }
    match object {
        // What they told us is not told there.
        ObjectRef::Interaction(id) => {
            let source = step.rows.peek::<Interactions, _>(&id, |row| row.map(|row| row.interaction.source.clone()))?;
            if source.as_ref() == Some(&envelope.connection) {
                return Ok(());
            }
        }
        // A person may put a to-do off there; only that it is over is compared.
        ObjectRef::Task(_) => {
            let finish = spec.finish.as_ref().map(|it| it.field.as_str());
            let held = polled.held.iter().find(|(name, ..)| Some(name.as_str()) == finish);
            let Some((name, text, _)) = held else { return Ok(()) };
            return marks::edit(step, &envelope.connection, object, |state| {
                let Some(confirmed) = &mut state.confirmed else { return };
                match confirmed.sent.iter_mut().find(|(held, _)| held == name) {
                    Some((_, held)) => held.clone_from(text),
                    None => confirmed.sent.push((name.clone(), text.clone())),
                }
            });
        }
        ObjectRef::Client(_) | ObjectRef::Deal(_) => {}
    }
    let (version, at) = (step.position, step.at);
    let mut drifted = false;
    marks::edit(step, &envelope.connection, object, |state| {
        drifted = confirm(state, &foreign, polled, version, at);
    })?;
    if drifted {
        marks::repair_in(step, &envelope.connection, object)?;
    }
    Ok(())
}

/// Takes what a row holds as confirmed. Whether a field that we write holds something else than
/// what we wrote.
fn confirm(
    state: &mut SinkState,
    foreign: &Foreign,
    polled: &Polled,
    version: crate::base::Position,
    at: crate::base::Timestamp,
) -> bool {
    let is_it = |it: &Confirmed| it.foreign_kind == foreign.kind && it.foreign_id == foreign.id;
    match &mut state.confirmed {
        Some(confirmed) if is_it(confirmed) => {
            let mut drifted = false;
            for (name, text, is_kept) in &polled.held {
                match confirmed.sent.iter_mut().find(|(held, _)| held == name) {
                    Some((_, held)) if outbox::is_same(held, text) => {}
                    Some((_, held)) => {
                        held.clone_from(text);
                        drifted |= is_kept;
                    }
                    None => confirmed.sent.push((name.clone(), text.clone())),
                }
            }
            back(state, at);
            drifted
        }
        // Another object there stands for ours: the primary stays, while it lives.
        Some(_) if state.gone.is_none() => false,
        Some(_) | None => {
            // Another card takes the place of one that is gone: it is told what it lacks.
            let takes_over = state.gone.is_some();
            back(state, at);
            state.confirmed = Some(Confirmed {
                foreign_kind: foreign.kind.clone(),
                foreign_id: foreign.id.clone(),
                version,
                at,
                sent: polled.held.iter().map(|(name, text, _)| (name.clone(), text.clone())).collect(),
            });
            takes_over
        }
    }
}

/// It is there after all, or another stands for it (people merged the two): what was given up
/// because it was deleted goes on.
fn back(state: &mut SinkState, at: crate::base::Timestamp) {
    let was_gone = state.gone.take().is_some();
    state.delivery = state.delivery.take().map(|row| match was_gone && outbox::is_gone(&row) {
        true => outbox::resend(row, at),
        false => row,
    });
}

/// An object is no longer there. It stays with us, and is not made again there by itself.
pub(super) fn gone(step: &mut Step<'_>, envelope: &Received, id: &CompactString) -> Result<Outcome, TableError> {
    let connection = step.catalog.connection(&envelope.connection);
    let poll = connection.and_then(|it| it.connector.poll(&envelope.stream));
    let kind = poll.map_or_else(|| CompactString::from(&*envelope.stream), |poll| poll.kind.clone());
    let foreign = Foreign { connection: envelope.connection.clone(), kind, id: id.clone() };
    let known = step.rows.update::<PolledRows, _>(&foreign, |row| match row {
        Some(row) => std::mem::replace(&mut row.gone, true),
        None => {
            *row = Some(PolledRow { gone: true, ..PolledRow::unread() });
            false
        }
    })?;
    if known {
        return Ok(Outcome::Unchanged);
    }
    let Some(object) = object_of(step, &foreign)? else {
        return Ok(Outcome::Applied { client: None, deal: None });
    };
    let at = step.at;
    marks::edit(step, &envelope.connection, object, |state| {
        let was_it =
            state.confirmed.as_ref().is_none_or(|it| it.foreign_kind == foreign.kind && it.foreign_id == foreign.id);
        if was_it {
            state.gone = Some(at);
            state.delivery = state.delivery.take().map(|row| outbox::gone(row, at));
        }
    })?;
    if let ObjectRef::Client(client) = object {
        other_card(step, &foreign, client)?;
    }
    if let ObjectRef::Task(task) = object {
        // Deleted by a person: it is not to be done any more.
        tasks::gone(step, &envelope.connection, task)?;
    }
    let (client, deal) = match object {
        ObjectRef::Client(id) => (Some(id), None),
        ObjectRef::Deal(id) => (None, Some(id)),
        ObjectRef::Interaction(_) | ObjectRef::Task(_) => (None, None),
    };
    Ok(Outcome::Applied { client, deal })
}

/// The card that we keep up is gone: another card of the same client that is there takes its place, is
/// told whole, and his deals name it.
fn other_card(step: &mut Step<'_>, gone: &Foreign, client: ClientId) -> Result<(), TableError> {
    let sink = &gone.connection;
    let catalog = step.catalog;
    let Some(spec) = catalog.connection(sink).and_then(|it| it.connector.sink.as_ref()) else { return Ok(()) };
    let cards = step.rows.peek::<Clients, _>(&client, |row| {
        let row = row.filter(|row| sink_state(&row.sinks, sink).is_some_and(|it| it.gone.is_some()));
        let cards = row.into_iter().flat_map(|row| &row.client.foreign).map(|(it, _)| it);
        let stands = |it: &&Foreign| {
            let is_client = spec.object(&it.kind).is_some_and(|kind| kind.of == ObjectKind::Client);
            it.connection == *sink && *it != gone && is_client
        };
        cards.filter(stands).cloned().collect::<Vec<_>>()
    })?;
    for card in cards {
        if !step.rows.peek::<PolledRows, _>(&card, |row| row.is_some_and(|row| !row.gone))? {
            continue;
        }
        let (version, at) = (step.position, step.at);
        marks::edit(step, sink, ObjectRef::Client(client), |state| {
            back(state, at);
            let Foreign { kind, id, .. } = card;
            // Nothing is known of what it holds: every field is told.
            state.confirmed = Some(Confirmed { foreign_kind: kind, foreign_id: id, version, at, sent: Vec::new() });
        })?;
        marks::repair_in(step, sink, ObjectRef::Client(client))?;
        return attempts::another_card(step, sink, client);
    }
    Ok(())
}

/// Remembers what a row said; `false` when something newer of it is known already.
pub(super) fn said(
    step: &mut Step<'_>,
    envelope: &Received,
    polled: &Polled,
    told: Vec<(u8, u32)>,
) -> Result<bool, TableError> {
    let row = PolledRow { fingerprint: polled.fingerprint, time: polled.time.clone(), gone: false, told };
    step.rows.update::<PolledRows, _>(&foreign_of(envelope, polled), |held| {
        let is_older = held.as_ref().is_some_and(|held| {
            let (told, known) = (foreign_instant(&polled.time), foreign_instant(&held.time));
            matches!((told, known), (Some(told), Some(known)) if told < known)
        });
        if is_older {
            return false;
        }
        *held = Some(row);
        true
    })
}

fn foreign_of(envelope: &Received, polled: &Polled) -> Foreign {
    Foreign { connection: envelope.connection.clone(), kind: polled.kind.clone(), id: polled.id.clone() }
}

fn object_of(step: &mut Step<'_>, foreign: &Foreign) -> Result<Option<ObjectRef>, TableError> {
    Ok(match step.rows.get::<Crosswalk>(foreign)? {
        Some(ObjectKey::Client(id)) => Some(ObjectRef::Client(standing_client(step, id)?)),
        Some(ObjectKey::Deal(id)) => Some(ObjectRef::Deal(id)),
        Some(ObjectKey::Interaction(id)) => Some(ObjectRef::Interaction(id)),
        Some(ObjectKey::Task(id)) => Some(ObjectRef::Task(id)),
        Some(ObjectKey::Document(_)) | None => None,
    })
}
