//! One record applied: whose is it, what does it change, what follows.

use compact_str::CompactString;

use super::step::Step;
use super::{deals, documents, identify, marks, payments, scores, tasks};
use crate::base::{ClientId, DealId, InteractionId, ItemRef, Message, Position, Timestamp};
use crate::catalog::Ownership;
use crate::entry::{ObjectRef, Received};
use crate::model::{Change, FilterReason, Foreign, Interaction, InteractionKind, Outcome, Provenance, Utm};
use crate::tables::rows::{InteractionRow, ObjectKey};
use crate::tables::{ClientInteractions, Clients, Crosswalk, Deals, Interactions, TableError};

/// A record on its way through the pipeline.
pub(super) struct Origin<'r> {
    /// The record.
    pub record: ItemRef,
    /// Its envelope.
    pub envelope: &'r Received,
    /// When its source observed it.
    pub observed_at: Timestamp,
}

impl Origin<'_> {
    /// Provenance of a field of the group `group`.
    pub(super) fn provenance(&self, step: &Step<'_>, group: &str) -> Provenance {
        self.said(&step.catalog.ownership, step.position, group)
    }

    /// The same where the configuration is at hand without the step.
    pub(super) fn said(&self, ownership: &Ownership, position: Position, group: &str) -> Provenance {
        Provenance {
            source: self.envelope.connection.clone(),
            position,
            observed_at: self.observed_at,
            rank: ownership.rank(group, &self.envelope.connector),
        }
    }

    /// A foreign id told by this record.
    pub(super) fn foreign(&self, kind: &CompactString, id: &CompactString) -> Foreign {
        Foreign { connection: self.envelope.connection.clone(), kind: kind.clone(), id: id.clone() }
    }
}

/// Applies a change; tells what became of the record.
pub(super) fn apply(
    step: &mut Step<'_>,
    record: ItemRef,
    envelope: &Received,
    change: Change,
) -> Result<Outcome, TableError> {
    let observed_at = change.observed_at.unwrap_or(envelope.received_at);
    let origin = Origin { record, envelope, observed_at };
    let identified = identify::identify(step, &origin, &change)?;
    let mut changed = identified.changed;

    let before = payments::before(step, &origin, change.document.as_ref())?;
    let document = match &change.document {
        Some(told) => Some(documents::document(step, &origin, identified.client, told, &change.extra)?),
        None => None,
    };
    let is_no_client = match identified.client.filter(|_| change.is_lead()) {
        Some(client) => identify::is_no_client(step, client)?,
        None => false,
    };
    let settles = change.document.as_ref().filter(|it| it.kind.settles());
    let deal = match (&change.deal, document, settles) {
        // Who is no client asks for no deal: what he sent is logged.
        (Some(_), ..) if is_no_client => None,
        (told, Some(document), Some(settling)) if told.as_ref().is_none_or(|it| it.foreign.is_empty()) => {
            payments::deal(step, &origin, identified.client, document, settling)?
        }
        (Some(told), ..) => deals::deal(step, &origin, identified.client, told, document.map(|it| it.id), &change)?,
        (None, ..) => None,
    };
    changed |= document.is_some_and(|it| it.changed) || deal.is_some_and(|it| it.changed);

    let deal_id = deal.map(|it| it.id);
    if let Some(document) = document {
        changed |= payments::settle(step, &origin, deal_id, document, before)?;
    }
    if change.refers && identified.client.is_none() && deal_id.is_none() {
        // It hangs on something that we do not read, or that is gone.
        return Ok(Outcome::Filtered(FilterReason::NotUsed));
    }
    let client = match (identified.client, deal_id) {
        (None, Some(deal)) if change.refers => {
            step.rows.peek::<Deals, _>(&deal, |row| row.and_then(|it| it.deal.client))?
        }
        (client, _) => client,
    };
    if let Some(told) = &change.interaction {
        let utm = change.deal.as_ref().map(|it| it.utm.clone()).unwrap_or_default();
        let at = told.at.unwrap_or(observed_at);
        let took_ms = told.ended_at.map(|ended| ended.ms_since(at)).filter(|ms| *ms >= 0);
        let interaction = Interaction {
            id: InteractionId::derive(record, 0),
            client,
            deal: deal_id,
            kind: told.kind,
            direction: told.direction,
            at,
            source: envelope.connection.clone(),
            record,
            subject: told.subject.clone(),
            text: told.text.clone(),
            page: told.page.clone(),
            utm,
            who: told.who.clone(),
            duration_s: took_ms.and_then(|ms| u32::try_from(ms / 1_000).ok()),
            result: told.result.clone(),
        };
        changed |= add_interaction(step, &origin, &told.foreign, interaction)?;
    }
    if let Some(client) = identified.client {
        if identified.changed {
            marks::want(step, ObjectRef::Client(client))?;
        }
        scores::rescore_client(step, client, deal_id)?;
    } else if let Some(deal) = deal_id {
        scores::rescore(step, deal)?;
    }
    Ok(match changed {
        true => Outcome::Applied { client, deal: deal_id },
        false => Outcome::Unchanged,
    })
}

/// Adds an interaction unless it is there: the entry is applied twice, or the source tells of it
/// again, and then it is told in its newest words.
fn add_interaction(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    foreign: &[(CompactString, CompactString)],
    interaction: Interaction,
) -> Result<bool, TableError> {
    let id = interaction.id;
    if step.rows.peek::<Interactions, _>(&id, |row| row.is_some())? {
        return match interaction.kind {
            // A call is told again when more is known of it.
            InteractionKind::Call => retell(step, id, &interaction),
            _ => Ok(false),
        };
    }
    for (kind, foreign_id) in foreign {
        let key = origin.foreign(kind, foreign_id);
        let Some(ObjectKey::Interaction(known)) = step.rows.get::<Crosswalk>(&key)? else {
            remember_foreign(step, &key, ObjectKey::Interaction(id))?;
            continue;
        };
        return retell(step, known, &interaction);
    }
    if let Some(deal) = interaction.deal {
        let inbound = interaction.direction == crate::model::Direction::Inbound;
        touch(step, deal, interaction.at, inbound, &interaction.utm)?;
    }
    let client = interaction.client;
    if tasks::reaches(&interaction) {
        let by = Message::new("task-by-contact").with("source", &interaction.source);
        tasks::reached(step, client, interaction.deal, by, interaction.at)?;
    }
    // A talk of employees, or with a hidden number, has no place in a sink.
    let about_somebody = client.is_some() || interaction.deal.is_some() || interaction.kind != InteractionKind::Call;
    step.rows.put::<Interactions>(&id, InteractionRow { interaction, sinks: Vec::new() });
    if let Some(client) = client {
        let spilled =
            step.rows.update::<Clients, _>(&client, |row| row.as_mut().and_then(|row| row.push_interaction(id)))?;
        if let Some((chunk, ids)) = spilled {
            step.rows.put::<ClientInteractions>(&(client, chunk), ids);
        }
    }
    if about_somebody {
        marks::want(step, ObjectRef::Interaction(id))?;
    }
    Ok(true)
}

/// The interaction in the newest words of its source.
fn retell(step: &mut Step<'_>, id: InteractionId, told: &Interaction) -> Result<bool, TableError> {
    step.rows.update::<Interactions, _>(&id, |row| {
        let Some(row) = row else { return false };
        let held = &mut row.interaction;
        let before = held.clone();
        held.subject.clone_from(&told.subject);
        held.text.clone_from(&told.text);
        held.who.clone_from(&told.who);
        held.result.clone_from(&told.result);
        held.duration_s = told.duration_s.or(held.duration_s);
        *held != before
    })
}

/// The deal had activity: newest activity, the client's answer, last touch.
fn touch(step: &mut Step<'_>, deal: DealId, at: Timestamp, inbound: bool, utm: &Utm) -> Result<(), TableError> {
    step.rows.update::<Deals, _>(&deal, |row| {
        let Some(row) = row else { return };
        let deal = &mut row.deal;
        deal.active_at = deal.active_at.max(at);
        if inbound && deal.client_replied_at.is_none_or(|before| before < at) {
            deal.client_replied_at = Some(at);
        }
        if !utm.is_empty() {
            deal.utm_last = utm.clone();
        }
    })
}

/// Puts the foreign ids of a record into the crosswalk; an id that is taken stays where it is.
pub(super) fn remember_foreign(step: &mut Step<'_>, foreign: &Foreign, object: ObjectKey) -> Result<(), TableError> {
    step.rows.update::<Crosswalk, _>(foreign, |slot| {
        slot.get_or_insert(object);
    })
}

/// The client that stands for `id` after merges.
pub(super) fn standing_client(step: &mut Step<'_>, id: ClientId) -> Result<ClientId, TableError> {
    use crate::model::ClientState;
    let mut id = id;
    // Bound: merges make chains no longer than the number of merges of one client; a circle would
    // be our bug, and ends here.
    for _ in 0..crate::base::limits::MERGE_CHAIN_MAX {
        let next = step.rows.peek::<Clients, _>(&id, |row| match row.map(|row| row.client.state) {
            Some(ClientState::MergedInto(next, _)) => Some(next),
            Some(ClientState::Active) | None => None,
        })?;
        match next {
            Some(next) => id = next,
            None => return Ok(id),
        }
    }
    debug_assert!(false, "a circle of merges at {id}");
    Ok(id)
}
