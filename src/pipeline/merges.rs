//! Merges and splits in the store: deals, documents and interactions move with the client, and a
//! row remembers what moved, so that a split returns it.

use super::marks;
use super::records::standing_client;
use super::scores;
use super::step::Step;
use crate::base::{ClientId, DealId, DocumentId, InteractionId, Message, TaskId};
use crate::entry::ObjectRef;
use crate::identity;
use crate::model::ClientState;
use crate::tables::rows::{ClientRow, MergeRow};
use crate::tables::{Clients, ContactKey, Contacts, Deals, Documents, Inns, Interactions, Merges, TableError, Tasks};

/// Makes one client of two: `loser` goes into `winner`.
pub(super) fn merge(
    step: &mut Step<'_>,
    winner: ClientId,
    loser: ClientId,
    why: Vec<Message>,
) -> Result<(), TableError> {
    let winner = standing_client(step, winner)?;
    let loser = standing_client(step, loser)?;
    if winner == loser {
        return Ok(());
    }
    let (Some(mut held), Some(mut gone)) = (step.rows.get::<Clients>(&winner)?, step.rows.get::<Clients>(&loser)?)
    else {
        return Ok(());
    };
    let row = MergeRow {
        at: step.position,
        why,
        moved_deals: std::mem::take(&mut gone.deals),
        moved_documents: std::mem::take(&mut gone.documents),
        moved_interactions: std::mem::take(&mut gone.interactions),
        moved_tasks: std::mem::take(&mut gone.open_tasks),
    };
    identity::merge(&mut held.client, &mut gone.client, step.position);
    take_over(&mut held, &row);
    reindex(step, &gone, loser, winner)?;
    move_objects(step, &row.moved_deals, &row.moved_documents, &row.moved_interactions, winner)?;
    move_tasks(step, &row.moved_tasks, winner)?;
    for sink in &mut gone.sinks {
        sink.delivery = None;
    }
    step.rows.put::<Clients>(&winner, held);
    step.rows.put::<Clients>(&loser, gone);
    // The loser's open deliveries leave the lists.
    for sink in step.catalog.sinks_for(ObjectRef::Client(loser)) {
        marks::edit(step, &sink.name, ObjectRef::Client(loser), |state| state.delivery = None)?;
    }
    marks::want(step, ObjectRef::Client(winner))?;
    for deal in &row.moved_deals {
        marks::want(step, ObjectRef::Deal(*deal))?;
    }
    step.rows.put::<Merges>(&(winner, loser), row);
    scores::rescore_client(step, winner, None)
}

/// Takes a merge back and remembers that the two are not the same.
pub(super) fn split(step: &mut Step<'_>, winner: ClientId, loser: ClientId) -> Result<(), TableError> {
    let Some(row) = step.rows.get::<Merges>(&(winner, loser))? else { return Ok(()) };
    let (Some(mut held), Some(mut back)) = (step.rows.get::<Clients>(&winner)?, step.rows.get::<Clients>(&loser)?)
    else {
        return Ok(());
    };
    let is_merged = match back.client.state {
        ClientState::MergedInto(into, _) => into == winner,
        ClientState::Active => false,
    };
    if !is_merged {
        return Ok(());
    }
    identity::split(&mut held.client, &mut back.client, step.position);
    held.deals.retain(|id| !row.moved_deals.contains(id));
    held.documents.retain(|id| !row.moved_documents.contains(id));
    held.interactions.retain(|id| !row.moved_interactions.contains(id));
    back.deals.clone_from(&row.moved_deals);
    back.documents.clone_from(&row.moved_documents);
    back.interactions.clone_from(&row.moved_interactions);
    // Those that ended meanwhile are in no list.
    let (returned, kept) = held.open_tasks.drain(..).partition(|id| row.moved_tasks.contains(id));
    (back.open_tasks, held.open_tasks) = (returned, kept);
    reindex(step, &back, winner, loser)?;
    // Contact points that both had stay with the winner too.
    index_contacts(step, &held, winner)?;
    move_objects(step, &row.moved_deals, &row.moved_documents, &row.moved_interactions, loser)?;
    move_tasks(step, &row.moved_tasks, loser)?;
    step.rows.put::<Clients>(&winner, held);
    step.rows.put::<Clients>(&loser, back);
    step.rows.remove::<Merges>(&(winner, loser));
    marks::want(step, ObjectRef::Client(winner))?;
    marks::want(step, ObjectRef::Client(loser))?;
    for deal in &row.moved_deals {
        marks::want(step, ObjectRef::Deal(*deal))?;
    }
    scores::rescore_client(step, winner, None)?;
    scores::rescore_client(step, loser, None)
}

fn take_over(held: &mut ClientRow, row: &MergeRow) {
    held.deals.extend(&row.moved_deals);
    held.deals.sort_unstable();
    held.deals.dedup();
    held.documents.extend(&row.moved_documents);
    held.documents.sort_unstable();
    held.documents.dedup();
    held.interactions.extend(&row.moved_interactions);
    held.interactions.sort_unstable();
    held.interactions.dedup();
    held.open_tasks.extend(&row.moved_tasks);
    held.open_tasks.sort_unstable();
    held.open_tasks.dedup();
}

fn move_tasks(step: &mut Step<'_>, tasks: &[TaskId], to: ClientId) -> Result<(), TableError> {
    for id in tasks {
        step.rows.update::<Tasks, _>(id, |row| {
            if let Some(row) = row {
                row.task.client = Some(to);
            }
        })?;
    }
    Ok(())
}

fn move_objects(
    step: &mut Step<'_>,
    deals: &[DealId],
    documents: &[DocumentId],
    interactions: &[InteractionId],
    to: ClientId,
) -> Result<(), TableError> {
    let position = step.position;
    for id in deals {
        step.rows.update::<Deals, _>(id, |row| {
            if let Some(row) = row {
                row.deal.client = Some(to);
                row.deal.version = position;
            }
        })?;
    }
    for id in documents {
        step.rows.update::<Documents, _>(id, |row| {
            if let Some(row) = row {
                row.client = Some(to);
            }
        })?;
    }
    for id in interactions {
        step.rows.update::<Interactions, _>(id, |row| {
            if let Some(row) = row {
                row.interaction.client = Some(to);
            }
        })?;
    }
    Ok(())
}

/// The contact points and INN of `row` lead to `to` instead of `from`.
fn reindex(step: &mut Step<'_>, row: &ClientRow, from: ClientId, to: ClientId) -> Result<(), TableError> {
    for held in &row.client.contacts {
        step.rows.update::<Contacts, _>(&ContactKey::of(&held.point), |slot| {
            let slot = slot.get_or_insert_default();
            slot.clients.retain(|id| *id != from && *id != to);
            slot.clients.push(to);
            slot.clients.sort_unstable();
        })?;
    }
    if let Some(inn) = &row.client.inn {
        step.rows.update::<Inns, _>(&inn.value, |slot| {
            let clients = slot.get_or_insert_default();
            clients.retain(|id| *id != from && *id != to);
            clients.push(to);
            clients.sort_unstable();
        })?;
    }
    Ok(())
}

/// Puts every contact point of a client into the index.
pub(super) fn index_contacts(step: &mut Step<'_>, row: &ClientRow, id: ClientId) -> Result<(), TableError> {
    for held in &row.client.contacts {
        step.rows.update::<Contacts, _>(&ContactKey::of(&held.point), |slot| {
            let slot = slot.get_or_insert_default();
            if let Err(index) = slot.clients.binary_search(&id) {
                slot.clients.insert(index, id);
            }
        })?;
    }
    Ok(())
}
