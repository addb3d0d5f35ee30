//! What a micro-batch will ask the store for, read in one go before the commit of the batch before
//! it keeps readers waiting. A guess: what is missed here is read when it is asked for.

use super::prepare::{Content, Prepared, Record, Work};
use super::step::envelope_key;
use crate::base::Slug;
use crate::base::limits::PREFETCH_DEALS_MAX;
use crate::model::Foreign;
use crate::tables::rows::ObjectKey;
use crate::tables::{
    Clients, ContactKey, Contacts, Crosswalk, Deals, Documents, Idempotency, Inns, Interactions, Overlay, TableError,
    Tasks,
};

/// Reads what the records of these entries look for: whether they came before, who has their
/// contact points, what their foreign ids stand for; then what that leads to.
pub(super) fn prefetch(rows: &mut Overlay, entries: &[Prepared]) -> Result<(), TableError> {
    let mut envelopes = Vec::new();
    let mut contacts = Vec::new();
    let mut inns = Vec::new();
    let mut foreign = Vec::new();
    for entry in entries {
        let (envelope, records) = match &entry.work {
            Work::Envelope { envelope, records, .. } => {
                envelopes.push(envelope_key(envelope));
                (envelope, records.as_slice())
            }
            Work::Import { envelope, records, .. } => (envelope, records.as_slice()),
            Work::Again { envelope, record, .. } => (envelope, std::slice::from_ref(&**record)),
            Work::Command(_)
            | Work::Attempting(_)
            | Work::Attempted(_)
            | Work::Configured(_)
            | Work::Ticked
            | Work::Rescore { .. }
            | Work::Edit { .. }
            | Work::Unreadable(_) => continue,
        };
        for Record { content, .. } in records {
            let Content::Change(change) = content else { continue };
            contacts.extend(change.client.contacts.iter().map(ContactKey::of));
            inns.extend(change.client.inn.clone());
            let of_deal = change.deal.iter().flat_map(|deal| &deal.foreign);
            let told = change.client.foreign.iter().chain(of_deal);
            foreign.extend(told.map(|(kind, id)| of(&envelope.connection, kind, id)));
        }
    }
    rows.prefetch::<Idempotency>(envelopes.into_iter())?;
    rows.prefetch::<Contacts>(contacts.iter().cloned())?;
    rows.prefetch::<Inns>(inns.iter().cloned())?;
    rows.prefetch::<Crosswalk>(foreign.iter().cloned())?;
    second(rows, &contacts, &inns, &foreign)
}

fn of(connection: &Slug, kind: &compact_str::CompactString, id: &compact_str::CompactString) -> Foreign {
    Foreign { connection: connection.clone(), kind: kind.clone(), id: id.clone() }
}

/// What the first rows lead to: clients, their deals and what else foreign ids stand for.
fn second(
    rows: &mut Overlay,
    contacts: &[ContactKey],
    inns: &[crate::model::Inn],
    foreign: &[Foreign],
) -> Result<(), TableError> {
    let (mut clients, mut deals) = (Vec::new(), Vec::new());
    let (mut documents, mut interactions, mut tasks) = (Vec::new(), Vec::new(), Vec::new());
    for key in contacts {
        rows.peek::<Contacts, _>(key, |row| {
            clients.extend(row.filter(|row| !row.not_identifying).iter().flat_map(|row| &row.clients).copied());
        })?;
    }
    for inn in inns {
        rows.peek::<Inns, _>(inn, |row| clients.extend(row.into_iter().flatten().copied()))?;
    }
    for key in foreign {
        match rows.peek::<Crosswalk, _>(key, |row| row.copied())? {
            Some(ObjectKey::Client(id)) => clients.push(id),
            Some(ObjectKey::Deal(id)) => deals.push(id),
            Some(ObjectKey::Document(id)) => documents.push(id),
            Some(ObjectKey::Interaction(id)) => interactions.push(id),
            Some(ObjectKey::Task(id)) => tasks.push(id),
            None => {}
        }
    }
    rows.prefetch::<Clients>(clients.iter().copied())?;
    for id in &clients {
        // Bound: the newest ones of a client; a wholesaler has thousands.
        rows.peek::<Clients, _>(id, |row| {
            deals.extend(row.iter().flat_map(|row| row.deals.iter().rev().take(PREFETCH_DEALS_MAX)).copied());
        })?;
    }
    rows.prefetch::<Deals>(deals.into_iter())?;
    rows.prefetch::<Documents>(documents.into_iter())?;
    rows.prefetch::<Tasks>(tasks.into_iter())?;
    rows.prefetch::<Interactions>(interactions.into_iter())
}
