//! What a person set by hand: it wins over every source, for as long as he does not release it.

use compact_str::CompactString;

use super::records::standing_client;
use super::step::Step;
use super::{deals, identify, marks, scores};
use crate::base::{ClientId, DealId};
use crate::entry::ObjectRef;
use crate::identity;
use crate::model::{Change, Client, Deal, PERSON_RANK, Provenance, RELEASED_RANK, Sourced};
use crate::tables::{Clients, Deals, TableError};

/// Sets fields of a client, and lets go of others.
pub(super) fn client(
    step: &mut Step<'_>,
    id: ClientId,
    change: &Change,
    release: &[CompactString],
) -> Result<(), TableError> {
    let id = standing_client(step, id)?;
    let said = Provenance::person(step.position, step.at);
    let position = step.position;
    let absorbed = step.rows.update::<Clients, _>(&id, |row| {
        let row = row.as_mut()?;
        for name in release {
            release_client(&mut row.client, name);
        }
        let absorbed = identity::absorb(&mut row.client, &change.client, &|_| PERSON_RANK, &said);
        // Told to the sinks even when only the right to change it moved: ranks decide what is written.
        row.client.version = position;
        let inn = row.client.inn.as_ref().map(|inn| inn.value.clone());
        Some((absorbed, inn))
    })?;
    let Some((absorbed, inn)) = absorbed else { return Ok(()) };
    identify::index(step, id, &absorbed, inn)?;
    marks::want(step, ObjectRef::Client(id))?;
    scores::rescore_client(step, id, None)
}

/// Sets fields of a deal, and lets go of others.
pub(super) fn deal(
    step: &mut Step<'_>,
    id: DealId,
    change: &Change,
    release: &[CompactString],
) -> Result<(), TableError> {
    let said = Provenance::person(step.position, step.at);
    let (position, at) = (step.position, step.at);
    let client = step.rows.update::<Deals, _>(&id, |row| {
        let row = row.as_mut()?;
        for name in release {
            release_deal(&mut row.deal, name);
        }
        if let Some(told) = &change.deal {
            deals::offer_to(&mut row.deal, told, &[], &|_| said.clone(), at);
        }
        row.deal.version = position;
        Some(row.deal.client)
    })?;
    let Some(client) = client else { return Ok(()) };
    marks::want(step, ObjectRef::Deal(id))?;
    match client {
        Some(client) => scores::rescore_client(step, client, Some(id)),
        None => scores::rescore(step, id),
    }
}

/// The value stays until a source says something; then its word counts.
fn let_go<T>(slot: &mut Option<Sourced<T>>) {
    if let Some(held) = slot.as_mut().filter(|held| held.provenance.rank == PERSON_RANK) {
        held.provenance.rank = RELEASED_RANK;
    }
}

fn release_client(client: &mut Client, name: &str) {
    match name {
        "name" | "company" => let_go(&mut client.name),
        "inn" => let_go(&mut client.inn),
        "kpp" => let_go(&mut client.kpp),
        "ogrn" => let_go(&mut client.ogrn),
        "address" => let_go(&mut client.address),
        "responsible" => let_go(&mut client.responsible),
        "decides" => let_go(&mut client.decides),
        // Contact points of all sources are held side by side.
        _ => {}
    }
}

fn release_deal(deal: &mut Deal, name: &str) {
    match name {
        "title" => let_go(&mut deal.title),
        "pipeline" => let_go(&mut deal.pipeline),
        "stage" => let_go(&mut deal.stage),
        "price" => let_go(&mut deal.price),
        "source" => let_go(&mut deal.source),
        "responsible" => let_go(&mut deal.responsible),
        "comment" => let_go(&mut deal.comment),
        "product_line" => let_go(&mut deal.product_line),
        "close_date" => let_go(&mut deal.close_date),
        "next_step" => let_go(&mut deal.next_step),
        "deferred" => let_go(&mut deal.deferred),
        _ => {}
    }
}
