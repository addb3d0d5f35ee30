//! Erasure of a person: what is taken out of the rows, and which records speak of the person.
//!
//! A person is a client with those merged into it. The rows: clients, contact points, INNs, their
//! deals, documents, interactions, tasks, deliveries, foreign ids, quarantine. Counters and outcomes
//! stay: they hold ids only. The journal is another matter ([`find`] says where; `app::erasure`
//! does it), because a step touches no files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::PipelineError;
use super::step::Step;
use super::texts::{texts, unread_text, values};
use crate::assembly::call::Slot;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{MICRO_BATCH_BYTES_MAX, MICRO_BATCH_ENTRIES_MAX};
use crate::base::{ClientId, DealId, ItemRef, Position};
use crate::catalog::Catalog;
use crate::entry::{Entry, Erasure, ObjectRef, Received};
use crate::journal::Journal;
use crate::model::{ClientState, FilterReason, Foreign, Outcome};
use crate::normalize;
use crate::store::Store;
use crate::tables::rows::{ErasureRow, SinkState};
use crate::tables::{
    Assignments, ClientInteractions, Clients, ContactKey, Contacts, Crosswalk, Deals, Documents, Due, Erasures,
    Gatherings, Inns, Interactions, Merges, OpenDeals, OpenTasks, Outcomes, Quarantine, Reader, Span, TableError,
    Tasks, Watches, packed,
};

/// The client that stands for this one, and all that were merged into it.
pub fn group(reader: &Reader<'_>, client: ClientId) -> Result<Vec<ClientId>, TableError> {
    let mut standing = client;
    let mut seen = BTreeSet::new();
    while seen.insert(standing)
        && let Some(row) = reader.get::<Clients>(&standing)?
        && let ClientState::MergedInto(winner, _) = row.client.state
    {
        standing = winner;
    }
    let mut all = Vec::new();
    let mut left = vec![standing];
    while let Some(id) = left.pop() {
        if all.contains(&id) {
            continue;
        }
        if let Some(row) = reader.get::<Clients>(&id)? {
            all.push(id);
            left.extend(row.client.merged);
        }
    }
    Ok(all)
}

/// What identifies the person, hashed with `salt`: contact points, INNs, names.
pub fn marks(reader: &Reader<'_>, clients: &[ClientId], salt: [u8; 16]) -> Result<Vec<Fingerprint>, TableError> {
    let mut marks = sure_marks(reader, clients, salt)?;
    for id in clients {
        let name = reader.get::<Clients>(id)?.and_then(|row| row.client.name);
        marks.extend(name.map(|name| name_mark(salt, &name.value.shown())));
    }
    marks.sort_unstable();
    marks.dedup();
    Ok(marks)
}

/// The same without names: many people bear one, and what is given out must be this one's.
pub fn sure_marks(reader: &Reader<'_>, clients: &[ClientId], salt: [u8; 16]) -> Result<Vec<Fingerprint>, TableError> {
    let mut marks = BTreeSet::new();
    for id in clients {
        let Some(row) = reader.get::<Clients>(id)? else { continue };
        let client = row.client;
        marks.extend(client.contacts.iter().map(|held| mark(salt, &held.point.key())));
        marks.extend(client.inn.iter().map(|inn| mark(salt, &format!("i{}", inn.value.0))));
    }
    Ok(marks.into_iter().collect())
}

/// One of them.
pub fn mark(salt: [u8; 16], key: &str) -> Fingerprint {
    Fingerprint::of_parts([&salt[..], key.as_bytes()])
}

fn name_mark(salt: [u8; 16], name: &str) -> Fingerprint {
    let words: Vec<String> = name.to_lowercase().split_whitespace().map(str::to_owned).collect();
    mark(salt, &format!("n{}", words.join(" ")))
}

/// Takes the person out of the rows.
pub(super) fn erase(step: &mut Step<'_>, erasure: Erasure) -> Result<(), TableError> {
    let mut clients = BTreeSet::new();
    let mut contacts = BTreeSet::new();
    let mut left = vec![erasure.client];
    while let Some(id) = left.pop() {
        let Some(row) = step.rows.get::<Clients>(&id)? else { continue };
        if clients.insert(id) {
            contacts.extend(row.client.contacts.iter().map(|held| held.point.key()));
            left.extend(row.client.merged);
        }
    }
    let mut gone = ErasureRow { at: step.at, erasure, clients: Vec::new(), deals: Vec::new(), objects: Vec::new() };
    for id in clients {
        client(step, id, &mut gone)?;
    }
    let records = gone.erasure.records.clone();
    for at in records {
        record(step, at)?;
    }
    gathered(step, &contacts)?;
    gone.objects.sort_unstable();
    gone.deals.sort_unstable();
    let position = step.position;
    step.rows.put::<Erasures>(&position, gone);
    Ok(())
}

fn client(step: &mut Step<'_>, id: ClientId, gone: &mut ErasureRow) -> Result<(), TableError> {
    let Some(row) = step.rows.get::<Clients>(&id)? else { return Ok(()) };
    for held in &row.client.contacts {
        let key = ContactKey::of(&held.point);
        step.rows.update::<Contacts, _>(&key, |slot| {
            if let Some(row) = slot {
                packed::remove(&mut row.clients, &id);
            }
            slot.take_if(|row| row.clients.is_empty());
        })?;
    }
    if let Some(inn) = &row.client.inn {
        step.rows.update::<Inns, _>(&inn.value, |slot| {
            if let Some(clients) = slot {
                packed::remove(clients, &id);
            }
            slot.take_if(|clients| clients.is_empty());
        })?;
    }
    let foreign = row.client.foreign.iter().map(|(foreign, _)| foreign.clone()).collect();
    object(step, ObjectRef::Client(id), foreign, &row.sinks, gone)?;
    let mut interactions = row.interactions.clone();
    for chunk in 0..row.interactions_spilled {
        interactions.extend(step.rows.get::<ClientInteractions>(&(id, chunk))?.unwrap_or_default());
        step.rows.remove::<ClientInteractions>(&(id, chunk));
    }
    for interaction in interactions {
        let sinks = step.rows.get::<Interactions>(&interaction)?.map(|row| row.sinks).unwrap_or_default();
        object(step, ObjectRef::Interaction(interaction), Vec::new(), &sinks, gone)?;
        step.rows.remove::<Interactions>(&interaction);
    }
    for document in &row.documents {
        let foreign = step.rows.get::<Documents>(document)?.map(|row| row.foreign).unwrap_or_default();
        foreign.iter().for_each(|foreign| step.rows.remove::<Crosswalk>(foreign));
        step.rows.remove::<Documents>(document);
    }
    for deal in &row.deals {
        self::deal(step, *deal, gone)?;
    }
    // Tasks that are over are no longer listed by the client.
    for (task, held) in step.rows.range(&Span::<Tasks>::all(), false, usize::MAX)? {
        let ours = held.task.client == Some(id) || held.task.deal.is_some_and(|deal| row.deals.contains(&deal));
        if !ours {
            continue;
        }
        step.rows.update::<OpenTasks, _>(&OpenTasks::key(held.task.due, task), |slot| {
            if let Some(listed) = slot {
                packed::remove(listed, &task);
            }
            slot.take_if(|listed| listed.is_empty());
        })?;
        object(step, ObjectRef::Task(task), Vec::new(), &held.sinks, gone)?;
        step.rows.remove::<Tasks>(&task);
    }
    for loser in &row.client.merged {
        step.rows.remove::<Merges>(&(id, *loser));
    }
    step.rows.remove::<Clients>(&id);
    gone.clients.push(id);
    Ok(())
}

fn deal(step: &mut Step<'_>, id: DealId, gone: &mut ErasureRow) -> Result<(), TableError> {
    let Some(row) = step.rows.get::<Deals>(&id)? else { return Ok(()) };
    if let Some(at) = row.deal.score.as_ref().and_then(|score| score.next_change) {
        step.rows.update::<Due, _>(&Due::key(at, id), |slot| {
            if let Some(deals) = slot {
                packed::remove(deals, &id);
            }
            slot.take_if(|deals| deals.is_empty());
        })?;
    }
    if let Some(watch) = row.watch {
        step.rows.update::<Watches, _>(&Watches::key(watch.at, id), |slot| {
            if let Some(deals) = slot {
                packed::remove(deals, &id);
            }
            slot.take_if(|deals| deals.is_empty());
        })?;
    }
    object(step, ObjectRef::Deal(id), row.deal.foreign, &row.sinks, gone)?;
    let counted = step.rows.get::<Assignments>(&id)?.and_then(|row| row.counted);
    if let Some(employee) = counted {
        step.rows.update::<OpenDeals, _>(&employee, |slot| {
            *slot = slot.map(|count| count.saturating_sub(1)).filter(|it| *it > 0)
        })?;
    }
    step.rows.remove::<Assignments>(&id);
    step.rows.remove::<Deals>(&id);
    gone.deals.push(id);
    Ok(())
}

/// Foreign ids and open deliveries of an object.
fn object(
    step: &mut Step<'_>,
    object: ObjectRef,
    mut foreign: Vec<Foreign>,
    sinks: &[SinkState],
    gone: &mut ErasureRow,
) -> Result<(), TableError> {
    for state in sinks {
        if let Some(confirmed) = &state.confirmed {
            let (kind, id) = (confirmed.foreign_kind.clone(), confirmed.foreign_id.clone());
            foreign.push(Foreign { connection: state.sink.clone(), kind, id });
        }
        super::marks::unlist(step, &state.sink, object)?;
    }
    foreign.iter().for_each(|foreign| step.rows.remove::<Crosswalk>(foreign));
    gone.objects.push(object);
    Ok(())
}

/// Calls with the person that are being put together, or were not long ago.
fn gathered(step: &mut Step<'_>, contacts: &BTreeSet<String>) -> Result<(), TableError> {
    let region = step.catalog.company.region.clone();
    let rows = step.rows.range(&Span::<Gatherings>::all(), false, usize::MAX)?;
    let mut gone = HashSet::new();
    for (key, row) in &rows {
        let Slot::Call(call) = &row.slot else { continue };
        let speaks = call.numbers().any(|number| {
            let digits = number.bytes().filter(u8::is_ascii_digit).count();
            contact_keys(number, digits, &region).iter().any(|it| contacts.contains(it))
        });
        if speaks {
            gone.insert(key.clone());
            step.rows.remove::<Gatherings>(key);
        }
    }
    for (key, row) in &rows {
        if let Slot::Of(name, _) = &row.slot
            && gone.contains(&(key.0.clone(), name.clone()))
        {
            step.rows.remove::<Gatherings>(key);
        }
    }
    Ok(())
}

/// A record that waited, or was left aside.
fn record(step: &mut Step<'_>, at: ItemRef) -> Result<(), TableError> {
    let row = step.rows.get::<Quarantine>(&at)?;
    match (row, step.outcome_at(at)?) {
        (Some(row), Some(Outcome::Quarantined(_))) => {
            step.rows.remove::<Quarantine>(&at);
            step.outcome(at, &row.connection, &row.stream, Outcome::Filtered(FilterReason::Erased))
        }
        _ => Ok(()),
    }
}

/// Whom to look for in the journal.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The clients, merged ones too.
    pub clients: BTreeSet<ClientId>,
    /// Their deals.
    pub deals: BTreeSet<DealId>,
    /// Records known already.
    pub records: BTreeSet<ItemRef>,
    /// See [`marks`].
    pub marks: BTreeSet<Fingerprint>,
    /// Goes into the marks.
    pub salt: [u8; 16],
}

/// Which records of an envelope speak of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// These, of several people's.
    Some(Vec<u32>),
}

/// Where the journal speaks of the person, up to `until`. Records applied to somebody else are
/// that person's, whatever they mention.
pub fn find(
    journal: &dyn Journal,
    store: &dyn Store,
    catalog: &Arc<Catalog>,
    wanted: &Wanted,
    until: Position,
) -> Result<BTreeMap<Position, Which>, PipelineError> {
    let mut owned = wanted.records.clone();
    let mut others = HashSet::new();
    for row in Reader::new(store).rows(Span::<Outcomes>::all()) {
        for (at, _, outcome) in row?.1 {
            match outcome {
                Outcome::Applied { client, deal } => {
                    let ours = client.is_some_and(|id| wanted.clients.contains(&id))
                        || deal.is_some_and(|id| wanted.deals.contains(&id));
                    if ours {
                        owned.insert(at);
                    } else {
                        others.insert(at);
                    }
                }
                // A repetition comes behind what it repeats. It is of the whole envelope.
                Outcome::Repeated(first) if owned.contains(&first) => {
                    owned.insert(at);
                }
                Outcome::Repeated(first) if others.contains(&first) => {
                    others.insert(at);
                }
                Outcome::Repeated(_)
                | Outcome::Unchanged
                | Outcome::Filtered(_)
                | Outcome::Quarantined(_)
                | Outcome::Discarded => {}
            }
        }
    }
    let mut found = BTreeMap::new();
    let mut from = journal.first();
    while from <= until {
        let entries = journal.read(from, MICRO_BATCH_ENTRIES_MAX, MICRO_BATCH_BYTES_MAX)?;
        let Some(last) = entries.last() else { break };
        from = last.position.next();
        for stored in entries.iter().take_while(|stored| stored.position <= until) {
            let Ok(Entry::Received(received)) = Entry::decode(stored.kind, &stored.payload) else { continue };
            let is_ours = |at: ItemRef, leaves: &[String]| {
                owned.contains(&at) || (!others.contains(&at) && mentions(leaves, wanted, &catalog.company.region))
            };
            if let Some(which) = which(journal, catalog, &received, stored.position, is_ours) {
                found.insert(stored.position, which);
            }
        }
    }
    Ok(found)
}

fn which(
    journal: &dyn Journal,
    catalog: &Catalog,
    received: &Received,
    position: Position,
    is_ours: impl Fn(ItemRef, &[String]) -> bool,
) -> Option<Which> {
    let mut ours = Vec::new();
    let mut all = 0;
    let headers: Vec<String> = received.headers.iter().map(|(_, value)| value.clone()).collect();
    texts(journal, catalog, received, &mut |item, mut leaves| {
        if leaves.is_empty() {
            // What cannot be decoded is looked through as it is.
            leaves = unread_text(journal, received);
        }
        leaves.extend(headers.iter().cloned());
        if is_ours(ItemRef::new(position, item), &leaves) {
            ours.push(item);
        }
        all += 1;
    });
    match ours.len() {
        0 => None,
        count if count == all => Some(Which::All),
        _ => Some(Which::Some(ours)),
    }
}

/// Whether a text names the person.
fn mentions(leaves: &[String], wanted: &Wanted, region: &str) -> bool {
    leaves.iter().any(|leaf| {
        let digits = leaf.bytes().filter(u8::is_ascii_digit).count();
        let keys = contact_keys(leaf, digits, region);
        let by_contact = keys.iter().any(|key| wanted.marks.contains(&mark(wanted.salt, key)));
        let trimmed = leaf.trim();
        let is_inn = matches!(trimmed.len(), 10 | 12) && digits == trimmed.len();
        by_contact
            || (is_inn && wanted.marks.contains(&mark(wanted.salt, &format!("i{trimmed}"))))
            || (digits == 0 && trimmed.len() < 200 && wanted.marks.contains(&name_mark(wanted.salt, trimmed)))
            || names_within(trimmed).any(|name| wanted.marks.contains(&name_mark(wanted.salt, &name)))
    })
}

/// Whatever could be a name of several words within a longer text ("Заявка: Соколова Мария"), as it
/// stands and the other way round. A single word names too many people.
fn names_within(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> =
        text.split(|letter: char| !letter.is_alphanumeric() && letter != '-').filter(|word| !word.is_empty()).collect();
    let windows = move |len: usize| {
        let named = |window: &[&str]| {
            let reversed: Vec<&str> = window.iter().rev().copied().collect();
            [window.join(" "), reversed.join(" ")]
        };
        words.windows(len).flat_map(named).collect::<Vec<String>>()
    };
    // Bound: a name of two or three words; a text has as many windows as words.
    [2, 3].into_iter().flat_map(windows).collect::<Vec<_>>().into_iter()
}

fn contact_keys(text: &str, digits: usize, region: &str) -> Vec<String> {
    let mut keys = Vec::new();
    if digits >= 7 {
        let phones = normalize::phones(text, region).value.unwrap_or_default();
        for phone in phones {
            // With and without the extension: the number itself is the person's too.
            keys.push(format!("p{}", phone.e164));
            keys.extend(phone.extension.map(|extension| format!("p{};{extension}", phone.e164)));
        }
    }
    if text.contains('@') {
        let emails = normalize::emails(text).value.unwrap_or_default();
        keys.extend(emails.into_iter().map(|email| format!("e{}", email.key)));
    }
    keys
}

/// Every text of every record of an envelope.
pub fn leaves(journal: &dyn Journal, catalog: &Catalog, received: &Received) -> Vec<(u32, Vec<String>)> {
    let mut all = Vec::new();
    texts(journal, catalog, received, &mut |item, leaves| all.push((item, leaves)));
    all
}

/// What these records of an envelope say: decoded, else as text.
pub fn said(journal: &dyn Journal, catalog: &Catalog, received: &Received, which: &Which) -> Vec<(u32, Json)> {
    let is_ours = |item: &u32| match which {
        Which::All => true,
        Which::Some(items) => items.contains(item),
    };
    let ours = values(journal, catalog, received).into_iter().filter(|(item, _)| is_ours(item));
    let as_text = || Json::String(unread_text(journal, received).into_iter().next().unwrap_or_default());
    ours.map(|(item, value)| (item, value.unwrap_or_else(as_text))).collect()
}

/// Erasures that the rows know of: (position, what was taken out).
pub fn erasures(reader: &Reader<'_>) -> Result<Vec<(Position, ErasureRow)>, TableError> {
    reader.rows(Span::<Erasures>::all()).collect()
}

/// Clients whose contact points carry one of these marks.
pub fn marked(reader: &Reader<'_>, salt: [u8; 16], marks: &[Fingerprint]) -> Result<Vec<ClientId>, TableError> {
    let mut found = BTreeSet::new();
    for row in reader.rows(Span::<Contacts>::all()) {
        let (key, row) = row?;
        if !row.not_identifying && marks.contains(&mark(salt, &key.0)) {
            found.extend(row.clients);
        }
    }
    Ok(found.into_iter().collect())
}
