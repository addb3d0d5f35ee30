//! Deals: which one a record is about, and what it changes there.
//!
//! The rules are those of `rules/business.toml`: a lead joins the client's open deal, a fresh loss
//! takes a note, an older one makes a repeat deal, a 1C order links to the one open deal without a
//! document, else makes its own.

use std::borrow::Cow;

use compact_str::CompactString;

use super::documents::tie;
use super::records::{Origin, remember_foreign};
use super::step::Step;
use super::{assign, attempts, marks, payments, tasks};
use crate::base::limits::{EXTRA_FIELDS_MAX, EXTRA_VALUE_BYTES_MAX};
use crate::base::{ClientId, DealId, DocumentId, Message, Timestamp};
use crate::catalog::{ClosedDeal, OpenDeal, OrderRule};
use crate::entry::ObjectRef;
use crate::model::change::{DealChange, DealStateChange};
use crate::model::{Change, Deal, DealState, Provenance, Sourced, TaskKind};
use crate::tables::rows::{DealRow, ObjectKey};
use crate::tables::{Clients, Crosswalk, Deals, TableError};

/// An object a record ended in.
#[derive(Clone, Copy)]
pub(super) struct Touched<Id> {
    /// Its id.
    pub id: Id,
    /// Whether the record changed it.
    pub changed: bool,
}

/// How a record relates to the deal it ends in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// The record tells the deal itself: its fields are offered.
    Tells,
    /// The record only belongs to the deal (a lead that joins it): its fields are not the deal's.
    Joins,
}

/// Why a lead belongs to a deal that was there before it.
#[derive(Clone, Copy)]
enum Joined {
    /// The same form again: nothing new.
    SameForm,
    /// The deal is open, and clearly the one.
    Open,
    /// It is one of so many open deals, and not clearly the one.
    OneOf(usize),
    /// It was lost not long ago.
    LostRecently,
}

/// Finds or makes the deal of a record and offers it what the record says.
pub(super) fn deal(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    told: &DealChange,
    document: Option<DocumentId>,
    change: &Change,
) -> Result<Option<Touched<DealId>>, TableError> {
    let known = known_deal(step, origin, told, document)?;
    if change.refers && known.is_none() {
        return Ok(None);
    }
    let is_lead = document.is_none() && told.foreign.is_empty();
    let mut joined = None;
    let mut candidates = 0;
    let found = match known {
        Some(deal) => Some((deal, Relation::Tells)),
        None => match document {
            Some(_) => {
                let deals = linkable_deals(step, client)?;
                candidates = deals.len();
                deals.first().filter(|_| candidates == 1).map(|deal| (*deal, Relation::Tells))
            }
            None if is_lead => {
                let lead = lead_deal(step, origin, client, told)?;
                joined = lead.map(|(_, joined)| joined);
                lead.map(|(deal, joined)| (deal, joined.relation()))
            }
            None => None,
        },
    };
    let told = by_document(step, told, change);
    let told = told.as_ref();
    let (id, relation, created) = match found {
        Some((id, relation)) => (id, relation, false),
        None => (create(step, origin, client)?, Relation::Tells, true),
    };
    let mut changed = created;
    if relation == Relation::Tells {
        let before = if created || is_lead { None } else { tasks::before(step, client, id)? };
        changed |= offer(step, origin, id, told, &change.extra)?;
        if let Some(before) = before {
            tasks::after(step, origin, client, id, &before)?;
        }
    }
    if created {
        goes_to_known(step, client, id)?;
    }
    if let Some(client) = client
        && (created || is_lead)
        && !step.is_history()
    {
        attempts::made_anew(step, client)?;
    }
    if created && !step.is_history() {
        assign::assign(step, origin, client, id, told, change)?;
    }
    for (kind, foreign_id) in &told.foreign {
        let foreign = origin.foreign(kind, foreign_id);
        remember_foreign(step, &foreign, ObjectKey::Deal(id))?;
        changed |= step.rows.update::<Deals, _>(&id, |row| {
            let Some(row) = row else { return false };
            let is_new = !row.deal.foreign.contains(&foreign);
            if is_new {
                row.deal.foreign.push(foreign.clone());
            }
            is_new
        })?;
    }
    if let Some(document) = document {
        let is_new = tie(step, id, document)?;
        if is_new && !created {
            // Somebody made out an order for the client: the lead is in work.
            let by = Message::new("task-by-document").with("source", &origin.envelope.connection);
            tasks::reached(step, client, Some(id), by, step.at)?;
        }
        changed |= is_new;
    }
    if changed {
        step.rows.update::<Deals, _>(&id, |row| {
            if let Some(row) = row {
                row.deal.version = step.position;
                row.deal.active_at = row.deal.active_at.max(origin.observed_at);
            }
        })?;
        marks::want(step, ObjectRef::Deal(id))?;
    }
    if !step.is_history() {
        match joined {
            Some(joined) => ask_after_lead(step, origin, client, id, joined, change)?,
            None if created && is_lead => tasks::watch(step, id)?,
            None if created && candidates > 1 => ask_after_order(step, origin, client, id, candidates, change)?,
            None => {}
        }
    }
    Ok(Some(Touched { id, changed }))
}

impl Joined {
    fn relation(self) -> Relation {
        match self {
            Joined::SameForm => Relation::Tells,
            Joined::Open | Joined::OneOf(_) | Joined::LostRecently => Relation::Joins,
        }
    }
}

/// What a lead that belongs to an earlier deal asks people to do.
fn ask_after_lead(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    deal: DealId,
    joined: Joined,
    change: &Change,
) -> Result<(), TableError> {
    let business = &step.catalog.business;
    let (kind, text, rule, deals) = match joined {
        Joined::OneOf(deals) => (TaskKind::AmbiguousDeal, "task-ambiguous", "lead.clear_deal_hours", deals),
        Joined::Open if business.open_deal_task => (TaskKind::Answer, "task-answer", "lead.open_deal", 0),
        Joined::LostRecently if business.lost_recently_task => {
            (TaskKind::Returned, "task-returned", "lead.lost_recently_days", 0)
        }
        Joined::SameForm | Joined::Open | Joined::LostRecently => return Ok(()),
    };
    let subject = change.interaction.as_ref().map_or("", |it| it.subject.as_str());
    let mut title = match subject {
        "" => Message::new(&format!("{text}-plain")),
        subject => Message::new(text).with("subject", subject),
    };
    if deals > 0 {
        title = title.with("deals", deals);
    }
    tasks::want(
        step,
        tasks::Wanted { kind, title, client, deal: Some(deal), responsible: None, rule, record: origin.record },
    )
}

/// An order of 1C that fits several deals made its own: a person looks.
fn ask_after_order(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    deal: DealId,
    candidates: usize,
    change: &Change,
) -> Result<(), TableError> {
    if !step.catalog.business.order_task {
        return Ok(());
    }
    let number = change.document.as_ref().and_then(|it| it.number.clone()).unwrap_or_default();
    let title = Message::new("task-check").with("number", number).with("deals", candidates);
    let (kind, rule, record) = (TaskKind::Check, "document.order_with_several_task", origin.record);
    tasks::want(step, tasks::Wanted { kind, title, client, deal: Some(deal), responsible: None, rule, record })
}

/// What a deal takes from a record that is also a document: an unposted one does not count, so its
/// sums stay with the document.
fn by_document<'c>(step: &Step<'_>, told: &'c DealChange, change: &Change) -> Cow<'c, DealChange> {
    let Some(document) = &change.document else { return Cow::Borrowed(told) };
    let mut told = told.clone();
    let business = &step.catalog.business;
    if document.posted == Some(false) && !business.count_unposted {
        told.price = None;
        told.lines.clear();
    }
    Cow::Owned(told)
}

fn known_deal(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    told: &DealChange,
    document: Option<DocumentId>,
) -> Result<Option<DealId>, TableError> {
    for (kind, id) in &told.foreign {
        let key = origin.foreign(kind, id);
        if let Some(ObjectKey::Deal(deal)) = step.rows.get::<Crosswalk>(&key)? {
            return Ok(Some(deal));
        }
    }
    match document {
        Some(document) => payments::tied_deal(step, document),
        None => Ok(None),
    }
}

/// Open deals of the client that have no document yet. One is the order's; of several a person
/// must say which.
fn linkable_deals(step: &mut Step<'_>, client: Option<ClientId>) -> Result<Vec<DealId>, TableError> {
    if step.catalog.business.order == OrderRule::New {
        return Ok(Vec::new());
    }
    let is_candidate = |deal: &Deal| deal.is_open() && deal.documents.is_empty() && !deal.hidden;
    Ok(deals_there(step, client)?.into_iter().filter(is_candidate).map(|deal| deal.id).collect())
}

/// The deal that a lead joins, if any.
fn lead_deal(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    told: &DealChange,
) -> Result<Option<(DealId, Joined)>, TableError> {
    let same_pipeline = |deal: &Deal| match (&told.pipeline, &deal.pipeline) {
        (Some(told), Some(held)) => held.value == *told,
        (Some(_), None) | (None, _) => true,
    };
    let deals = deals_there(step, client)?;
    let business = &step.catalog.business;
    let joins_open = business.open_deal == OpenDeal::Join;
    let mut open: Vec<&Deal> = deals
        .iter()
        .filter(|_| joins_open)
        .filter(|deal| deal.is_open() && !deal.hidden && same_pipeline(deal))
        .collect();
    open.sort_by_key(|deal| std::cmp::Reverse((deal.active_at, deal.id)));
    if let Some(latest) = open.first() {
        let is_same_form = step.at.ms_since(latest.created_at) <= business.same_form_window_ms
            && latest.came_by == origin.envelope.connection;
        let is_clear =
            open.get(1).is_none_or(|next| latest.active_at.ms_since(next.active_at) >= business.clear_deal_ms);
        let joined = match (is_same_form, is_clear) {
            (true, _) => Joined::SameForm,
            (false, true) => Joined::Open,
            (false, false) => Joined::OneOf(open.len()),
        };
        return Ok(Some((latest.id, joined)));
    }
    let lost_at = |deal: &Deal| match deal.state {
        DealState::Lost(at, _) => Some(at),
        DealState::Open | DealState::Won(_) => None,
    };
    let latest_lost = deals
        .iter()
        .filter(|deal| same_pipeline(deal))
        .filter_map(|deal| lost_at(deal).map(|at| (at, deal.id)))
        .filter(|(at, _)| step.at.ms_since(*at) <= business.lost_recently_ms)
        .max();
    Ok(latest_lost.map(|(_, deal)| (deal, Joined::LostRecently)))
}

/// Deals of a client that nobody has deleted where people work: what joined such a deal would be
/// seen by nobody.
fn deals_there(step: &mut Step<'_>, client: Option<ClientId>) -> Result<Vec<Deal>, TableError> {
    let mut deals = client_deals(step, client)?;
    let mut kept = Vec::with_capacity(deals.len());
    for deal in deals.drain(..) {
        let is_gone = |row: &DealRow| row.sinks.iter().any(|state| state.gone.is_some());
        if !step.rows.peek::<Deals, _>(&deal.id, |row| row.is_some_and(is_gone))? {
            kept.push(deal);
        }
    }
    Ok(kept)
}

/// Deals of a client, oldest first.
pub(super) fn client_deals(step: &mut Step<'_>, client: Option<ClientId>) -> Result<Vec<Deal>, TableError> {
    let Some(client) = client else { return Ok(Vec::new()) };
    let ids = step.rows.peek::<Clients, _>(&client, |row| row.map(|row| row.deals.clone()).unwrap_or_default())?;
    let mut deals = Vec::with_capacity(ids.len());
    for id in ids {
        deals.extend(step.rows.get::<Deals>(&id)?.map(|row| row.deal));
    }
    Ok(deals)
}

/// A repeat deal for which its source names nobody goes to whom the client knows. With employees the
/// rules of distribution say who stands in for him.
fn goes_to_known(step: &mut Step<'_>, client: Option<ClientId>, id: DealId) -> Result<(), TableError> {
    if step.catalog.business.closed_deal != ClosedDeal::Repeat || !step.catalog.people.is_empty() {
        return Ok(());
    }
    if step.rows.peek::<Deals, _>(&id, |row| row.is_some_and(|row| row.deal.responsible.is_some()))? {
        return Ok(());
    }
    let earlier = client_deals(step, client)?;
    let responsible = earlier.iter().filter(|it| it.id != id).rev().find_map(|earlier| earlier.responsible.clone());
    step.rows.update::<Deals, _>(&id, |row| {
        if let Some(row) = row {
            row.deal.responsible = responsible;
        }
    })
}

/// The client's open deal that was active last.
pub(super) fn newest_open(step: &mut Step<'_>, client: ClientId) -> Result<Option<DealId>, TableError> {
    let deals = client_deals(step, Some(client))?;
    let open = deals.iter().filter(|deal| deal.is_open() && !deal.hidden);
    Ok(open.max_by_key(|deal| (deal.active_at, deal.id)).map(|deal| deal.id))
}

fn create(step: &mut Step<'_>, origin: &Origin<'_>, client: Option<ClientId>) -> Result<DealId, TableError> {
    let id = DealId::derive(origin.record, 0);
    let mut deal = Deal::new(id, client, origin.envelope.connection.clone(), step.at);
    deal.active_at = origin.observed_at;
    deal.stage_since = origin.observed_at;
    step.rows.put::<Deals>(&id, DealRow::new(deal));
    if let Some(client) = client {
        step.rows.update::<Clients, _>(&client, |row| {
            if let Some(row) = row
                && !row.deals.contains(&id)
            {
                row.deals.push(id);
            }
        })?;
    }
    if let Some(client) = client
        && super::identify::is_no_client(step, client)?
    {
        // He was kept from the sinks until now.
        marks::want(step, ObjectRef::Client(client))?;
    }
    Ok(id)
}

fn offer(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    id: DealId,
    told: &DealChange,
    extra: &[(CompactString, CompactString)],
) -> Result<bool, TableError> {
    let (at, position, ownership) = (step.at, step.position, &step.catalog.ownership);
    let said = |group: &str| origin.said(ownership, position, group);
    step.rows
        .update::<Deals, _>(&id, |row| row.as_mut().is_some_and(|row| offer_to(&mut row.deal, told, extra, &said, at)))
}

/// Offers a deal what is told of it; `said` tells who says so, by group of fields.
pub(super) fn offer_to(
    deal: &mut Deal,
    told: &DealChange,
    extra: &[(CompactString, CompactString)],
    said: &dyn Fn(&str) -> Provenance,
    at: Timestamp,
) -> bool {
    let (money, stage, plain) = (said("money"), said("stage"), said("deal"));
    let (responsible, comment) = (said("responsible"), said("comment"));
    let mut changed = take(&mut deal.title, &told.title, &plain);
    changed |= take(&mut deal.pipeline, &told.pipeline, &stage);
    changed |= take(&mut deal.source, &told.source, &plain);
    changed |= take(&mut deal.responsible, &told.responsible, &responsible);
    changed |= take(&mut deal.comment, &told.comment, &comment);
    changed |= take(&mut deal.product_line, &told.product_line, &plain);
    changed |= take(&mut deal.next_step, &told.next_step, &plain);
    changed |= take(&mut deal.deferred, &told.deferred, &plain);
    changed |= offer_price(deal, told, &money);
    changed |= offer_stage(deal, told, &stage);
    changed |= offer_close(deal, told, &plain);
    changed |= offer_state(deal, told.state, told.stage_since.map_or(at, |since| since.min(at)));
    if let Some(created) = told.created_at.filter(|created| *created < deal.created_at) {
        deal.created_at = created;
        changed = true;
    }
    if let Some(replied) = told.client_replied_at
        && deal.client_replied_at.is_none_or(|before| before < replied)
    {
        deal.client_replied_at = Some(replied);
        changed = true;
    }
    if !told.utm.is_empty() && deal.utm_first.is_empty() {
        deal.utm_first = told.utm.clone();
        changed = true;
    }
    changed | keep_extra(&mut deal.extra, extra, &plain)
}

/// Offers a told value to a slot; absent values change nothing.
pub(super) fn take<T: Clone + PartialEq>(
    slot: &mut Option<Sourced<T>>,
    told: &Option<T>,
    provenance: &Provenance,
) -> bool {
    told.as_ref().is_some_and(|value| Sourced::offer(slot, Sourced::new(value.clone(), provenance)))
}

fn offer_price(deal: &mut Deal, told: &DealChange, provenance: &Provenance) -> bool {
    let changed = take(&mut deal.price, &told.price, provenance);
    // Lines go with the price: who owns the money owns what it is for.
    let owns = deal.price.as_ref().is_none_or(|price| price.provenance.source == provenance.source);
    let is_told = !told.lines.is_empty() || told.no_lines;
    if is_told && owns && deal.lines != told.lines {
        deal.lines = told.lines.clone();
        return true;
    }
    changed
}

fn offer_stage(deal: &mut Deal, told: &DealChange, provenance: &Provenance) -> bool {
    let changed = take(&mut deal.stage, &told.stage, provenance);
    let owns = deal.stage.as_ref().is_some_and(|stage| stage.provenance == *provenance);
    if !owns {
        return changed;
    }
    match told.stage_since {
        Some(since) if deal.stage_since != since => deal.stage_since = since,
        Some(_) => return changed,
        None if changed => deal.stage_since = provenance.observed_at,
        None => return changed,
    }
    true
}

fn offer_close(deal: &mut Deal, told: &DealChange, provenance: &Provenance) -> bool {
    let before = deal.close_date.as_ref().map(|date| date.value);
    let changed = take(&mut deal.close_date, &told.close_date, provenance);
    if changed && before.is_some_and(|before| deal.close_date.as_ref().is_some_and(|date| date.value > before)) {
        deal.close_date_moves += 1;
    }
    changed
}

fn offer_state(deal: &mut Deal, told: Option<DealStateChange>, at: Timestamp) -> bool {
    let next = match (told, deal.state) {
        (None, _)
        | (Some(DealStateChange::Open), DealState::Open)
        | (Some(DealStateChange::Won), DealState::Won(_))
        | (Some(DealStateChange::Lost(_)), DealState::Lost(..)) => return false,
        (Some(DealStateChange::Open), DealState::Won(_) | DealState::Lost(..)) => DealState::Open,
        (Some(DealStateChange::Won), DealState::Open | DealState::Lost(..)) => DealState::Won(at),
        (Some(DealStateChange::Lost(reason)), DealState::Open | DealState::Won(_)) => DealState::Lost(at, reason),
    };
    deal.state = next;
    true
}

/// Keeps what no mapping names, the newest value of each name.
pub(super) fn keep_extra(
    held: &mut Vec<(CompactString, Sourced<CompactString>)>,
    told: &[(CompactString, CompactString)],
    provenance: &Provenance,
) -> bool {
    let mut changed = false;
    for (name, value) in told {
        let mut value = value.clone();
        while value.len() > EXTRA_VALUE_BYTES_MAX {
            value.pop();
        }
        let offered = Sourced::new(value, provenance);
        if let Some((_, slot)) = held.iter_mut().find(|(held, _)| held == name) {
            let mut kept = Some(slot.clone());
            changed |= Sourced::offer(&mut kept, offered);
            *slot = kept.expect("an offer never empties a slot");
        } else if held.len() < EXTRA_FIELDS_MAX {
            // Bound: the journal keeps what does not fit here.
            held.push((name.clone(), offered));
            changed = true;
        }
    }
    changed
}
