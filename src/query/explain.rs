//! Why the records of a client are one client, and where each field comes from.
//!
//! The store keeps what won; what else was said is read again from the journal, by the mappings of
//! now, record by record (`read` does it). Records that told nothing new are not listed anywhere,
//! and so not here.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::views::{FieldView, MergeView};
use super::{Query, QueryError};
use crate::base::limits::{EXPLAINED_RECORDS_MAX, MERGE_CHAIN_MAX};
use crate::base::{ClientId, DealId, ItemRef, Locale, Message, Slug, Timestamp};
use crate::catalog::{GROUPS, PLAIN_RANK};
use crate::identity::{self, Key};
use crate::model::{Client, ClientState, ContactPoint, Deal, Outcome, PERSON_RANK, Provenance, RELEASED_RANK, Sourced};
use crate::tables::rows::ClientRow;
use crate::tables::{Clients, ContactKey, Contacts, Deals, Merges, Outcomes, Span};

/// What one record says, read again.
#[derive(Debug)]
pub struct Said {
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

/// Reads a record again; `None` when the mappings of now cannot use it.
pub type Read<'r> = &'r dyn Fn(ItemRef) -> Option<Said>;

/// Why the records of a client are one client.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct WhyView {
    /// The client that stands.
    pub client: String,
    /// Its name.
    pub name: String,
    /// Records that belong to it, oldest first, with the keys that they share with others of them.
    pub records: Vec<WhyRecord>,
    /// Records that are not listed: at the bound the oldest are left out.
    pub records_left_out: u64,
    /// Clients that became one with it.
    pub merges: Vec<MergeView>,
    /// Contact points that many share or that a rule names, and so tie nobody.
    pub ignored: Vec<String>,
    /// Clients that a person said are not this one.
    pub not_same: Vec<String>,
    /// With a second client: whether the two are one.
    pub same: Option<bool>,
    /// With a second client that is another: what they share and what keeps them apart.
    pub between: Vec<String>,
}

/// A record of a client.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct WhyRecord {
    /// `position.item`.
    pub record: String,
    /// When its source observed it.
    pub at: String,
    /// The connection.
    pub connection: String,
    /// The stream.
    pub stream: String,
    /// Keys that it shares with earlier records of the client.
    pub keys: Vec<String>,
}

/// Where the fields of an object come from.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct WhereView {
    /// The object.
    pub object: String,
    /// Its fields.
    pub fields: Vec<WhereField>,
}

/// One field: who said so, and what lost to it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct WhereField {
    /// The field as it stands.
    #[serde(flatten)]
    pub field: FieldView,
    /// Why this source counts.
    pub rule: String,
    /// What else was said, the newest first.
    pub lost: Vec<LostValue>,
}

/// A value that lost.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct LostValue {
    /// The value.
    pub value: String,
    /// Connection that said so.
    pub source: String,
    /// The record: `position.item`.
    pub record: String,
    /// When the source observed it.
    pub observed_at: String,
    /// Why it lost.
    pub why: String,
}

/// A named field with its origin.
struct Held {
    field: FieldView,
    group: &'static str,
    provenance: Provenance,
}

impl Query {
    /// Why the records of `id` are one client; with `other`, whether the two are one and why.
    pub fn why(
        &self,
        id: ClientId,
        other: Option<ClientId>,
        read: Read<'_>,
        locale: Locale,
    ) -> Result<Option<WhyView>, QueryError> {
        let Some(row) = self.standing_client(id)? else { return Ok(None) };
        let client = &row.client;
        let mut family: BTreeSet<ClientId> = client.merged.iter().copied().collect();
        family.insert(client.id);
        let (found, left_out) =
            self.records_of(|outcome| applied_client(outcome).is_some_and(|it| family.contains(&it)))?;
        let mut records = Vec::new();
        let mut known: Vec<Key> = Vec::new();
        let mut ignored = BTreeSet::new();
        for at in found {
            let Some(said) = read(at) else { continue };
            ignored.extend(said.left_out.iter().map(|message| message.render(locale)));
            let shared = said.keys.iter().filter(|key| known.contains(key));
            records.push(WhyRecord {
                record: at.to_string(),
                at: self.local(said.observed_at),
                connection: said.connection.to_string(),
                stream: said.stream.to_string(),
                keys: shared.map(|key| key.reason().render(locale)).collect(),
            });
            known.extend(said.keys);
            known.sort();
            known.dedup();
        }
        for held in &client.contacts {
            ignored.extend(self.shared(&held.point, locale)?);
        }
        let (same, between) = match other {
            None => (None, Vec::new()),
            Some(other) => {
                let Some(other) = self.standing_client(other)? else { return Ok(None) };
                let same = other.client.id == client.id;
                (Some(same), if same { Vec::new() } else { self.between(client, &other.client, locale)? })
            }
        };
        Ok(Some(WhyView {
            client: client.id.to_string(),
            name: client.shown_name(),
            records,
            records_left_out: left_out,
            merges: self.merges(client, locale)?,
            ignored: ignored.into_iter().collect(),
            not_same: client.not_same.iter().map(ToString::to_string).collect(),
            same,
            between,
        }))
    }

    /// Where the fields of a client come from; only `field` when it is given.
    pub fn where_client(
        &self,
        id: ClientId,
        field: Option<&str>,
        read: Read<'_>,
        locale: Locale,
    ) -> Result<Option<WhereView>, QueryError> {
        let Some(row) = self.standing_client(id)? else { return Ok(None) };
        let mut family: BTreeSet<ClientId> = row.client.merged.iter().copied().collect();
        family.insert(row.client.id);
        let (records, _) = self.records_of(|outcome| applied_client(outcome).is_some_and(|it| family.contains(&it)))?;
        let said = records.into_iter().filter_map(|at| {
            let said = read(at)?;
            Some((at, self.held_of_client(&said.client)))
        });
        let held = self.held_of_client(&row.client);
        Ok(Some(self.whence(row.client.id.to_string(), held, said.collect(), field, locale)))
    }

    /// Where the fields of a deal come from; only `field` when it is given.
    pub fn where_deal(
        &self,
        id: DealId,
        field: Option<&str>,
        read: Read<'_>,
        locale: Locale,
    ) -> Result<Option<WhereView>, QueryError> {
        let Some(row) = self.reader().get::<Deals>(&id)? else { return Ok(None) };
        let (records, _) = self.records_of(|outcome| applied_deal(outcome) == Some(id))?;
        let said = records.into_iter().filter_map(|at| {
            let deal = read(at)?.deal?;
            Some((at, self.held_of_deal(&deal)))
        });
        let held = self.held_of_deal(&row.deal);
        Ok(Some(self.whence(id.to_string(), held, said.collect(), field, locale)))
    }

    fn whence(
        &self,
        object: String,
        held: Vec<Held>,
        said: Vec<(ItemRef, Vec<Held>)>,
        field: Option<&str>,
        locale: Locale,
    ) -> WhereView {
        let wanted = held.into_iter().filter(|it| field.is_none_or(|name| it.field.name == name));
        let fields = wanted.map(|it| {
            let mut lost: Vec<LostValue> = Vec::new();
            // Contact points of all sources are held side by side: none loses.
            let theirs = said.iter().rev().filter(|_| it.field.name != "contact");
            for (at, fields) in theirs {
                let other = fields.iter().find(|other| other.field.name == it.field.name);
                let Some(other) = other.filter(|other| other.field.value != it.field.value) else { continue };
                lost.push(LostValue {
                    value: other.field.value.clone(),
                    source: other.field.source.clone(),
                    record: at.to_string(),
                    observed_at: other.field.observed_at.clone(),
                    why: self.why_lost(&it, &other.provenance).render(locale),
                });
            }
            WhereField { rule: self.rule(&it).render(locale), field: it.field, lost }
        });
        WhereView { object, fields: fields.collect() }
    }

    /// Why this source counts for the field.
    fn rule(&self, held: &Held) -> Message {
        let rank = held.provenance.rank;
        let owners = self.catalog.ownership.owners(held.group).join(" > ");
        let message = match rank {
            PERSON_RANK => Message::new("explain-by-person"),
            RELEASED_RANK => Message::new("explain-released"),
            PLAIN_RANK if owners.is_empty() => Message::new("explain-newest"),
            PLAIN_RANK => Message::new("explain-not-owned"),
            _ => Message::new("explain-owner"),
        };
        message.with("group", held.group).with("owners", owners).with("source", &held.field.source)
    }

    fn why_lost(&self, held: &Held, other: &Provenance) -> Message {
        let ours = &held.provenance;
        let id = if ours.rank == PERSON_RANK || ours.rank == RELEASED_RANK {
            "explain-lost-person"
        } else if ours.rank > other.rank {
            "explain-lost-owner"
        } else if ours.rank == other.rank && ours.precedence() >= other.precedence() {
            "explain-lost-older"
        } else {
            // The rules changed since, a person was split off, or a company's name outranks a person's.
            "explain-lost-then"
        };
        let owners = self.catalog.ownership.owners(held.group).join(" > ");
        Message::new(id).with("group", held.group).with("owners", owners)
    }

    fn held_of_client(&self, client: &Client) -> Vec<Held> {
        let mut all = Vec::new();
        let name =
            client.name.as_ref().map(|it| Sourced { value: it.value.shown(), provenance: it.provenance.clone() });
        self.hold(&mut all, "name", "name", &name);
        self.hold(&mut all, "inn", "requisites", &client.inn);
        self.hold(&mut all, "kpp", "requisites", &client.kpp);
        self.hold(&mut all, "ogrn", "requisites", &client.ogrn);
        self.hold(&mut all, "address", "client", &client.address);
        self.hold(&mut all, "responsible", "responsible", &client.responsible);
        self.hold(&mut all, "decides", "client", &client.decides);
        for held in &client.contacts {
            let sourced =
                Sourced { value: super::objects::contact_text(&held.point), provenance: held.provenance.clone() };
            self.hold(&mut all, "contact", "contacts", &Some(sourced));
        }
        for (name, value) in &client.extra {
            self.hold(&mut all, name, "client", &Some(value.clone()));
        }
        all
    }

    fn held_of_deal(&self, deal: &Deal) -> Vec<Held> {
        let mut all = Vec::new();
        self.hold(&mut all, "title", "deal", &deal.title);
        self.hold(&mut all, "pipeline", "stage", &deal.pipeline);
        self.hold(&mut all, "stage", "stage", &deal.stage);
        self.hold(&mut all, "price", "money", &deal.price);
        self.hold(&mut all, "paid", "documents", &deal.paid);
        self.hold(&mut all, "source", "deal", &deal.source);
        self.hold(&mut all, "responsible", "responsible", &deal.responsible);
        self.hold(&mut all, "comment", "comment", &deal.comment);
        self.hold(&mut all, "product_line", "deal", &deal.product_line);
        self.hold(&mut all, "close_date", "deal", &deal.close_date);
        self.hold(&mut all, "next_step", "deal", &deal.next_step);
        self.hold(&mut all, "deferred", "deal", &deal.deferred);
        for (name, value) in &deal.extra {
            self.hold(&mut all, name, "deal", &Some(value.clone()));
        }
        all
    }

    fn hold<T: std::fmt::Display>(
        &self,
        all: &mut Vec<Held>,
        name: &str,
        group: &'static str,
        slot: &Option<Sourced<T>>,
    ) {
        debug_assert!(GROUPS.contains(&group), "{group}");
        let field = self.field(name, slot);
        let provenance = slot.as_ref().map(|held| held.provenance.clone());
        all.extend(field.zip(provenance).map(|(field, provenance)| Held { field, group, provenance }));
    }

    /// The client that stands for `id` after merges.
    fn standing_client(&self, id: ClientId) -> Result<Option<ClientRow>, QueryError> {
        let mut id = id;
        for _ in 0..MERGE_CHAIN_MAX {
            let Some(row) = self.reader().get::<Clients>(&id)? else { return Ok(None) };
            match row.client.state {
                ClientState::Active => return Ok(Some(row)),
                ClientState::MergedInto(into, _) => id = into,
            }
        }
        Ok(None)
    }

    /// Merges into a client, and into those that were merged into it, oldest first.
    fn merges(&self, client: &Client, locale: Locale) -> Result<Vec<MergeView>, QueryError> {
        let mut merges = Vec::new();
        for winner in std::iter::once(&client.id).chain(&client.merged) {
            for row in self.reader().rows(Span::<Merges>::of(winner)) {
                let ((_, loser), row) = row?;
                if client.merged.contains(&loser) {
                    let why = row.why.iter().map(|message| message.render(locale)).collect();
                    merges.push(MergeView { loser: loser.to_string(), position: row.at.0, why });
                }
            }
        }
        merges.sort_by_key(|merge| merge.position);
        Ok(merges)
    }

    /// Records whose outcome fits, oldest first; and how many were left out. Bound: the newest
    /// `EXPLAINED_RECORDS_MAX`.
    fn records_of(&self, fits: impl Fn(&Outcome) -> bool) -> Result<(Vec<ItemRef>, u64), QueryError> {
        let mut found = std::collections::VecDeque::new();
        let mut left_out = 0;
        for row in self.reader().rows(Span::<Outcomes>::all()) {
            for (record, _, outcome) in row?.1 {
                if fits(&outcome) {
                    found.push_back(record);
                }
                if found.len() > EXPLAINED_RECORDS_MAX {
                    found.pop_front();
                    left_out += 1;
                }
            }
        }
        Ok((found.into(), left_out))
    }

    /// Why a contact point ties nobody, if it does not.
    fn shared(&self, point: &ContactPoint, locale: Locale) -> Result<Option<String>, QueryError> {
        let contact = format!("{point:?}");
        if self.catalog.identity.is_shared(point) {
            return Ok(Some(Message::new("identity-shared-listed").with("contact", contact).render(locale)));
        }
        let count = self.reader().get::<Contacts>(&ContactKey::of(point))?.unwrap_or_default().clients.len();
        let many = count > self.catalog.identity.shared_by_max();
        let message = Message::new("identity-shared-by-many").with("contact", contact).with("count", count);
        Ok(many.then(|| message.render(locale)))
    }

    /// What two clients share, and what keeps them apart.
    fn between(&self, one: &Client, other: &Client, locale: Locale) -> Result<Vec<String>, QueryError> {
        let mut said = Vec::new();
        for held in &one.contacts {
            if other.contacts.iter().any(|theirs| theirs.point.key() == held.point.key()) {
                said.push(Key::Contact(held.point.clone()).reason().render(locale));
                said.extend(self.shared(&held.point, locale)?);
            }
        }
        if let (Some(ours), Some(theirs)) = (&one.inn, &other.inn)
            && ours.value == theirs.value
        {
            said.push(Key::Inn(ours.value.clone()).reason().render(locale));
        }
        let nothing = said.is_empty();
        said.extend(identity::apart(&self.catalog.identity, one, other).map(|message| message.render(locale)));
        if nothing {
            said.push(Message::new("explain-nothing-shared").render(locale));
        }
        Ok(said)
    }
}

fn applied_client(outcome: &Outcome) -> Option<ClientId> {
    match outcome {
        Outcome::Applied { client, .. } => *client,
        Outcome::Unchanged
        | Outcome::Repeated(_)
        | Outcome::Filtered(_)
        | Outcome::Quarantined(_)
        | Outcome::Discarded => None,
    }
}

fn applied_deal(outcome: &Outcome) -> Option<DealId> {
    match outcome {
        Outcome::Applied { deal, .. } => *deal,
        Outcome::Unchanged
        | Outcome::Repeated(_)
        | Outcome::Filtered(_)
        | Outcome::Quarantined(_)
        | Outcome::Discarded => None,
    }
}
