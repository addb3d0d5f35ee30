//! Whose is a record: blocking by the indexes, decision by `identity`, and what follows from it in
//! the store (a new client, an absorbed change, a merge).

use tracing::debug;

use super::merges;
use super::records::{Origin, remember_foreign, standing_client};
use super::step::Step;
use crate::base::limits::CANDIDATES_MAX;
use crate::base::{ClientId, Message};
use crate::identity::{self, Absorbed, Candidate, Decision, FieldGroup, Key};
use crate::model::change::ClientChange;
use crate::model::{Change, Client, Inn, Standing};
use crate::tables::rows::{ClientRow, ObjectKey};
use crate::tables::{Clients, ContactKey, Contacts, Crosswalk, Inns, PolledRows, TableError, packed};

/// The client a record belongs to.
pub(super) struct Identified {
    /// The client; `None` when the record tells of nobody.
    pub client: Option<ClientId>,
    /// Whether the record changed the client.
    pub changed: bool,
}

/// Finds, makes or merges the client of a record and lets it absorb what the record says.
pub(super) fn identify(step: &mut Step<'_>, origin: &Origin<'_>, change: &Change) -> Result<Identified, TableError> {
    let told = &change.client;
    if tells_of_nobody(told) {
        return Ok(Identified { client: None, changed: false });
    }
    if change.refers && tells_only_ids(told) {
        return Ok(Identified { client: known(step, origin, told)?, changed: false });
    }
    if tells_only_ids(told) && names_only_gone(step, origin, told)? {
        return Ok(Identified { client: known(step, origin, told)?, changed: false });
    }
    let rules = &step.catalog.identity;
    let keys = identity::keys(rules, &origin.envelope.connection, told);
    let matched = candidates(step, &keys.used)?;
    let mut rows = Vec::with_capacity(matched.len());
    for (id, keys) in matched {
        rows.extend(step.rows.get::<Clients>(&id)?.map(|row| (row, keys)));
    }
    if !told.foreign.is_empty() {
        for (row, _) in &mut rows {
            without_gone(step, origin, &mut row.client)?;
        }
    }
    let candidates: Vec<Candidate<'_>> =
        rows.iter().map(|(row, keys)| Candidate { client: &row.client, matched: keys.clone() }).collect();
    let decision = identity::decide(rules, &origin.envelope.connection, told, &candidates);
    let (id, created) = match decision {
        Decision::Same { client, .. } => (client, false),
        Decision::Merge { winner, losers, why } => {
            for loser in losers {
                merges::merge(step, winner, loser, why.clone())?;
            }
            (winner, false)
        }
        Decision::Review { client: Some(client), why, .. } => {
            note(&why);
            (client, false)
        }
        Decision::New { why } | Decision::Review { why, client: None, .. } => {
            note(&why);
            (create(step, origin, told), true)
        }
    };
    let changed = absorb(step, origin, id, change)?;
    Ok(Identified { client: Some(id), changed: changed || created })
}

/// A card that is gone keeps nobody apart: people merged it into the one that is told of now, or
/// made that one in its place. Only for the decision; the client keeps its ids.
fn without_gone(step: &mut Step<'_>, origin: &Origin<'_>, client: &mut Client) -> Result<(), TableError> {
    let mut kept = Vec::with_capacity(client.foreign.len());
    for (foreign, of) in std::mem::take(&mut client.foreign) {
        let is_asked = foreign.connection == origin.envelope.connection;
        let is_gone = is_asked && step.rows.peek::<PolledRows, _>(&foreign, |row| row.is_some_and(|row| row.gone))?;
        if !is_gone {
            kept.push((foreign, of));
        }
    }
    client.foreign = kept;
    Ok(())
}

/// Whether he is known to be something else than a client.
pub(super) fn is_no_client(step: &mut Step<'_>, id: ClientId) -> Result<bool, TableError> {
    step.rows.peek::<Clients, _>(&id, |row| row.is_some_and(|row| row.client.standing != Standing::Client))
}

fn tells_of_nobody(told: &ClientChange) -> bool {
    told.foreign.is_empty() && told.name.is_none() && told.inn.is_none() && told.contacts.is_empty()
}

/// Whether it names somebody and says nothing of him.
fn tells_only_ids(told: &ClientChange) -> bool {
    told.name.is_none() && told.inn.is_none() && told.kpp.is_none() && told.ogrn.is_none() && told.contacts.is_empty()
}

/// Whether every card that it names was deleted there: a deal names the card of its client still, and
/// that is nobody new.
fn names_only_gone(step: &mut Step<'_>, origin: &Origin<'_>, told: &ClientChange) -> Result<bool, TableError> {
    for (kind, id) in &told.foreign {
        let foreign = origin.foreign(kind, id);
        if !step.rows.peek::<PolledRows, _>(&foreign, |row| row.is_some_and(|row| row.gone))? {
            return Ok(false);
        }
    }
    Ok(!told.foreign.is_empty())
}

/// The client of a foreign id, if he is known.
fn known(step: &mut Step<'_>, origin: &Origin<'_>, told: &ClientChange) -> Result<Option<ClientId>, TableError> {
    for (kind, id) in &told.foreign {
        if let Some(ObjectKey::Client(client)) = step.rows.get::<Crosswalk>(&origin.foreign(kind, id))? {
            return standing_client(step, client).map(Some);
        }
    }
    Ok(None)
}

fn note(why: &[Message]) {
    for message in why {
        // Identifiers only: the arguments may name people.
        debug!(identity.reason = %message.id, "a new client");
    }
}

/// Clients that the keys lead to, each with the keys that did, by id. Bound: a contact point of
/// more than `CANDIDATES_MAX` clients leads nowhere (rules call it shared long before).
fn candidates(step: &mut Step<'_>, keys: &[Key]) -> Result<Vec<(ClientId, Vec<Key>)>, TableError> {
    let mut found: Vec<(ClientId, Vec<Key>)> = Vec::new();
    for key in keys {
        let ids = match key {
            Key::Foreign(foreign) => match step.rows.get::<Crosswalk>(foreign)? {
                Some(ObjectKey::Client(client)) => vec![client],
                Some(ObjectKey::Deal(_) | ObjectKey::Document(_) | ObjectKey::Interaction(_) | ObjectKey::Task(_))
                | None => Vec::new(),
            },
            Key::Inn(inn) => step.rows.get::<Inns>(inn)?.unwrap_or_default(),
            Key::Contact(point) => {
                let row = step.rows.get::<Contacts>(&ContactKey::of(point))?.unwrap_or_default();
                if row.not_identifying || row.clients.len() > CANDIDATES_MAX { Vec::new() } else { row.clients }
            }
        };
        for id in ids {
            let id = standing_client(step, id)?;
            match found.iter_mut().find(|(known, _)| *known == id) {
                Some((_, keys)) => keys.push(key.clone()),
                None => found.push((id, vec![key.clone()])),
            }
        }
    }
    found.sort_by_key(|(id, _)| *id);
    Ok(found)
}

fn create(step: &mut Step<'_>, origin: &Origin<'_>, told: &ClientChange) -> ClientId {
    let id = ClientId::derive(origin.record, 0);
    step.rows.put::<Clients>(&id, ClientRow::new(Client::new(id, identity::kind_of(told), step.at)));
    id
}

/// The client takes what the record says; new keys go into the indexes.
fn absorb(step: &mut Step<'_>, origin: &Origin<'_>, id: ClientId, change: &Change) -> Result<bool, TableError> {
    let position = step.position;
    let (ownership, connector) = (&step.catalog.ownership, &origin.envelope.connector);
    let rank = |group: FieldGroup| ownership.rank(group_name(group), connector);
    let plain = origin.provenance(step, "client");
    // A record of a deal or document keeps its unnamed values there.
    let keeps_extra = change.deal.is_none() && change.document.is_none();
    let absorbed = step.rows.update::<Clients, _>(&id, |row| {
        let Some(row) = row else { return None };
        let absorbed = identity::absorb(&mut row.client, &change.client, &rank, &plain);
        let mut changed = absorbed.changed;
        if keeps_extra {
            changed |= super::deals::keep_extra(&mut row.client.extra, &change.extra, &plain);
        }
        if changed {
            row.client.version = position;
        }
        let inn = if absorbed.changed { row.client.inn.as_ref().map(|inn| inn.value.clone()) } else { None };
        Some((absorbed, inn, changed))
    })?;
    let Some((absorbed, inn, changed)) = absorbed else { return Ok(false) };
    index(step, id, &absorbed, inn)?;
    Ok(changed)
}

/// Puts what a client absorbed into the indexes.
pub(super) fn index(
    step: &mut Step<'_>,
    id: ClientId,
    absorbed: &Absorbed,
    inn: Option<Inn>,
) -> Result<(), TableError> {
    for point in &absorbed.new_contacts {
        step.rows.update::<Contacts, _>(&ContactKey::of(point), |slot| {
            packed::insert(&mut slot.get_or_insert_default().clients, id);
        })?;
    }
    for point in &absorbed.dropped_contacts {
        step.rows.update::<Contacts, _>(&ContactKey::of(point), |slot| {
            if let Some(row) = slot {
                packed::remove(&mut row.clients, &id);
            }
        })?;
    }
    if let Some(inn) = inn {
        step.rows.update::<Inns, _>(&inn, |slot| {
            packed::insert(slot.get_or_insert_default(), id);
        })?;
    }
    for foreign in &absorbed.new_foreign {
        remember_foreign(step, foreign, ObjectKey::Client(id))?;
    }
    Ok(())
}

/// The group's name in the ownership table.
pub(super) fn group_name(group: FieldGroup) -> &'static str {
    match group {
        FieldGroup::Name => "name",
        FieldGroup::Requisites => "requisites",
        FieldGroup::Responsible => "responsible",
        FieldGroup::Contacts => "contacts",
        FieldGroup::Address | FieldGroup::Other => "client",
    }
}
