//! One record read again, for explanations: what it says of a client and a deal, by the
//! configuration of now. Nothing is applied.

use crate::base::{ItemRef, Message, Slug, Timestamp};
use crate::catalog::Catalog;
use crate::entry::Entry;
use crate::identity::{self, FieldGroup, Key};
use crate::journal::{Journal, ReadError};
use crate::model::{Client, Deal, Provenance};

use super::prepare::{self, Content};
use super::{deals, identify};

/// What one record says.
#[derive(Debug)]
pub struct SaidAgain {
    /// The record.
    pub record: ItemRef,
    /// The connection that it came by.
    pub connection: Slug,
    /// Its stream.
    pub stream: Slug,
    /// When its source observed it.
    pub observed_at: Timestamp,
    /// A client of whom only this record is known.
    pub client: Client,
    /// A deal of which only this record is known.
    pub deal: Option<Deal>,
    /// Under these keys its client was looked for.
    pub keys: Vec<Key>,
    /// Contact points that identify nobody, and why.
    pub left_out: Vec<Message>,
}

/// Reads a record again; `None` when it is not there or cannot be used by the mappings of now.
pub fn read_again(journal: &dyn Journal, catalog: &Catalog, at: ItemRef) -> Result<Option<SaidAgain>, ReadError> {
    if at.position < journal.first() || at.position > journal.head() {
        return Ok(None);
    }
    let stored = journal.read(at.position, 1, usize::MAX)?.into_iter().find(|it| it.position == at.position);
    let Some(stored) = stored else { return Ok(None) };
    let Ok(Entry::Received(envelope)) = Entry::decode(stored.kind, &stored.payload) else { return Ok(None) };
    let Some(record) = prepare::one(journal, catalog, &envelope, at.item) else { return Ok(None) };
    let Content::Change(change) = record.content else { return Ok(None) };
    let observed_at = change.observed_at.unwrap_or(envelope.received_at);
    let said = |group: &str| Provenance {
        source: envelope.connection.clone(),
        position: at.position,
        observed_at,
        rank: catalog.ownership.rank(group, &envelope.connector),
    };
    let found = identity::keys(&catalog.identity, &envelope.connection, &change.client);
    let mut client =
        Client::new(crate::base::ClientId::derive(at, 0), identity::kind_of(&change.client), envelope.received_at);
    let rank = |group: FieldGroup| catalog.ownership.rank(identify::group_name(group), &envelope.connector);
    identity::absorb(&mut client, &change.client, &rank, &said("client"));
    let deal = change.deal.as_ref().map(|told| {
        let mut deal =
            Deal::new(crate::base::DealId::derive(at, 0), None, envelope.connection.clone(), envelope.received_at);
        deals::offer_to(&mut deal, told, &change.extra, &said, envelope.received_at);
        deal
    });
    Ok(Some(SaidAgain {
        record: at,
        connection: envelope.connection.clone(),
        stream: record.stream,
        observed_at,
        client,
        deal,
        keys: found.used,
        left_out: found.left_out.into_iter().map(|issue| issue.message).collect(),
    }))
}
