//! Payments, returns and shipments: which deal they belong to, and what they make of it.
//!
//! They never make a deal: they belong to that of the order they name, else to the only deal of the
//! client that still waits for them; of several a person must say which. The paid sum of a deal is
//! computed anew from its documents whenever one of them changes, so a document that is told again,
//! unposted, marked for deletion or found to be a copy leaves no trace in it. Only the record by
//! which a deal *becomes* fully paid moves its stage: whoever moves it back afterwards is not
//! contradicted.

use rust_decimal::Decimal;

use super::copies::{newest_documents, same_number};
use super::deals::{Touched, client_deals};
use super::documents::{self, BASIS, tie};
use super::records::Origin;
use super::step::Step;
use super::{marks, tasks};
use crate::base::{ClientId, DealId, DocumentId, Message, Slug};
use crate::catalog::{Business, PaymentRule};
use crate::entry::ObjectRef;
use crate::mapping::RULES_RANK;
use crate::model::change::DocumentChange;
use crate::model::{
    Currency, Deal, DealState, Document, DocumentKind, Money, PERSON_RANK, Provenance, Sourced, TaskKind,
};
use crate::tables::rows::ObjectKey;
use crate::tables::{Clients, Crosswalk, Deals, Documents, TableError};

/// Kinds of foreign ids under which mappings keep orders and invoices.
const BASIS_KINDS: [&str; 3] = ["order_number", "order", "invoice"];

/// What the documents of a deal say of its money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    /// Paid, less what was returned; `None` when no document tells of a payment.
    paid: Option<Money>,
    /// What is still to come, when it is known what is due.
    left: Option<Decimal>,
}

impl Standing {
    fn is_full(&self) -> bool {
        self.left.is_some_and(|left| left <= Decimal::ZERO)
    }
}

/// How a known document's deal stood before its record, so that it shows what the record changes.
pub(super) fn before(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    told: Option<&DocumentChange>,
) -> Result<Option<(DealId, Standing)>, TableError> {
    let Some(told) = told else { return Ok(None) };
    let Some(document) = documents::known_document(step, origin, told)? else { return Ok(None) };
    let Some(deal) = tied_deal(step, document)? else { return Ok(None) };
    Ok(standing(step, deal, &[])?.map(|standing| (deal, standing)))
}

/// The deal that a document is tied to.
pub(super) fn tied_deal(step: &mut Step<'_>, document: DocumentId) -> Result<Option<DealId>, TableError> {
    step.rows.peek::<Documents, _>(&document, |row| row.and_then(|row| row.deal))
}

/// Finds the deal of a payment, shipment or return and ties it there.
pub(super) fn deal(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    document: Touched<DocumentId>,
    told: &DocumentChange,
) -> Result<Option<Touched<DealId>>, TableError> {
    if let Some(id) = tied_deal(step, document.id)? {
        return Ok(Some(Touched { id, changed: false }));
    }
    let found = match basis(step, origin, client, told)? {
        found if !found.is_empty() => found,
        _ => waiting(step, client, told)?,
    };
    let [id] = found[..] else {
        if document.changed && !found.is_empty() {
            ask(step, origin, client, &found, told)?;
        }
        return Ok(None);
    };
    tie(step, id, document.id)?;
    let owner = step.rows.update::<Deals, _>(&id, |row| {
        let row = row.as_mut()?;
        row.deal.active_at = row.deal.active_at.max(origin.observed_at);
        row.deal.client
    })?;
    if let (None, Some(owner)) = (client, owner) {
        // The record named an order and nobody: whose the order is, his is the payment.
        step.rows.update::<Documents, _>(&document.id, |row| {
            if let Some(row) = row {
                row.client = Some(owner);
            }
        })?;
        step.rows.update::<Clients, _>(&owner, |row| {
            if let Some(row) = row
                && !row.documents.contains(&document.id)
            {
                row.documents.push(document.id);
            }
        })?;
    }
    Ok(Some(Touched { id, changed: true }))
}

/// Deals of the order or invoice that the record names.
fn basis(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    told: &DocumentChange,
) -> Result<Vec<DealId>, TableError> {
    let Some(number) = &told.basis else { return Ok(Vec::new()) };
    for kind in BASIS_KINDS {
        let key = origin.foreign(&kind.into(), number);
        if let Some(ObjectKey::Document(order)) = step.rows.get::<Crosswalk>(&key)?
            && let Some(deal) = tied_deal(step, order)?
        {
            return Ok(vec![deal]);
        }
    }
    let Some(client) = client else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for held in newest_documents(step, client)? {
        let is_named = !held.kind.settles() && bears(&held, number);
        if let Some(deal) = held.deal.filter(|deal| is_named && !found.contains(deal)) {
            found.push(deal);
        }
    }
    Ok(found)
}

/// Whether a document has this number.
fn bears(held: &Document, number: &str) -> bool {
    [&held.number, &held.number_1c].into_iter().flatten().any(|held| same_number(&held.value, number))
}

/// Deals of the client that wait for such a document; of several those that lack just its sum.
fn waiting(step: &mut Step<'_>, client: Option<ClientId>, told: &DocumentChange) -> Result<Vec<DealId>, TableError> {
    if step.catalog.business.payment == PaymentRule::Leave {
        return Ok(Vec::new());
    }
    let gives_back = told.kind == DocumentKind::Return || told.sum.as_ref().is_some_and(|it| it.amount < Decimal::ZERO);
    let mut found = Vec::new();
    for deal in client_deals(step, client)? {
        if deal.hidden || matches!(deal.state, DealState::Lost(..)) {
            continue;
        }
        let Some(standing) = standing(step, deal.id, &[])? else { continue };
        let is_paid = standing.paid.as_ref().is_some_and(|it| it.amount > Decimal::ZERO);
        let waits = match (gives_back, told.kind) {
            (true, _) => is_paid,
            // Goods go out before the money comes, and after it.
            (false, DocumentKind::Shipment) => true,
            (false, _) => !standing.is_full(),
        };
        if waits {
            found.push((deal.id, deal.active_at, standing.left));
        }
    }
    if let (true, Some(sum)) = (found.len() > 1, &told.sum) {
        let exact: Vec<_> = found.iter().filter(|(.., left)| *left == Some(sum.amount)).copied().collect();
        if exact.len() == 1 {
            found = exact;
        }
    }
    found.sort_by_key(|(id, active_at, _)| std::cmp::Reverse((*active_at, *id)));
    Ok(found.into_iter().map(|(id, ..)| id).collect())
}

/// Several deals fit: a person looks, in the latest active one.
fn ask(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    found: &[DealId],
    told: &DocumentChange,
) -> Result<(), TableError> {
    let Some(deal) = found.first().copied().filter(|_| step.catalog.business.payment_task) else { return Ok(()) };
    let text = match told.kind {
        DocumentKind::Return => "task-check-return",
        DocumentKind::Shipment => "task-check-shipment",
        DocumentKind::Payment | DocumentKind::Order | DocumentKind::Invoice | DocumentKind::Contract => {
            "task-check-payment"
        }
    };
    let number = told.number.clone().unwrap_or_default();
    let sum = told.sum.as_ref().map(ToString::to_string).unwrap_or_default();
    let title = Message::new(text).with("number", number).with("sum", sum).with("deals", found.len());
    let (kind, rule, record) = (TaskKind::Check, "document.payment_with_several_task", origin.record);
    tasks::want(step, tasks::Wanted { kind, title, client, deal: Some(deal), responsible: None, rule, record })
}

/// After a document was told: what came before its order joins it, the paid sum is computed, and a
/// deal that has become fully paid goes on as rules say.
pub(super) fn settle(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    deal: Option<DealId>,
    document: Touched<DocumentId>,
    before: Option<(DealId, Standing)>,
) -> Result<bool, TableError> {
    let Some(id) = deal.or(before.as_ref().map(|(id, _)| *id)) else { return Ok(false) };
    let mut new = Vec::new();
    if document.changed {
        new = gather(step, id, document.id)?;
    }
    let before = match before {
        Some((held, standing)) if held == id => Some(standing),
        Some(_) | None => {
            new.push(document.id);
            standing(step, id, &new)?
        }
    };
    let (Some(before), Some(now)) = (before, standing(step, id, &[])?) else { return Ok(false) };
    let client = step.rows.peek::<Deals, _>(&id, |row| row.and_then(|row| row.deal.client))?;
    let watched = tasks::before(step, client, id)?;
    let becomes_full = now.is_full() && !before.is_full() && !step.is_history();
    let says = origin.provenance(step, "documents");
    let rules =
        Provenance { source: Slug::literal("uzel"), position: step.position, observed_at: step.at, rank: RULES_RANK };
    let (business, position, at) = (&step.catalog.business, step.position, step.at);
    let changed = step.rows.update::<Deals, _>(&id, |row| {
        let Some(row) = row else { return false };
        let deal = &mut row.deal;
        let mut changed = false;
        if let Some(paid) = now.paid
            && deal.paid.as_ref().is_none_or(|held| held.value != paid)
        {
            deal.paid = Some(Sourced::new(paid, &says));
            changed = true;
        }
        if becomes_full && deal.is_open() {
            changed |= move_on(deal, business, &rules);
            if business.paid_wins {
                deal.state = DealState::Won(at);
                changed = true;
            }
        }
        if changed {
            deal.version = position;
        }
        changed
    })?;
    if changed {
        marks::want(step, ObjectRef::Deal(id))?;
    }
    if let Some(watched) = watched.filter(|_| changed) {
        tasks::after(step, origin, client, id, &watched)?;
    }
    Ok(changed || !new.is_empty() && new != [document.id])
}

/// Puts a fully paid deal into its stage, from the stages that come before it and from none.
fn move_on(deal: &mut Deal, business: &Business, rules: &Provenance) -> bool {
    let Some(stage) = &business.paid_stage else { return false };
    let may_move = match &deal.stage {
        None => true,
        Some(held) => {
            let is_before = business.paid_stage_from.iter().any(|it| it.to_lowercase() == held.value.to_lowercase());
            // What a person set here by hand stays until he says otherwise.
            is_before && held.provenance.rank != PERSON_RANK && held.value != *stage
        }
    };
    if may_move {
        deal.stage = Some(Sourced::new(stage.clone(), rules));
        deal.stage_since = rules.observed_at;
    }
    may_move
}

/// Documents that named this order before it was there.
fn gather(step: &mut Step<'_>, deal: DealId, order: DocumentId) -> Result<Vec<DocumentId>, TableError> {
    let Some(order) = step.rows.get::<Documents>(&order)?.filter(|it| !it.kind.settles()) else {
        return Ok(Vec::new());
    };
    let Some(client) = order.client else { return Ok(Vec::new()) };
    let mut gathered = Vec::new();
    for held in newest_documents(step, client)? {
        let names_order = || held.extra.iter().any(|(name, value)| name == BASIS && bears(&order, &value.value));
        if held.deal.is_none() && held.kind.settles() && names_order() {
            tie(step, deal, held.id)?;
            gathered.push(held.id);
        }
    }
    Ok(gathered)
}

/// How a deal stands by its documents, some of them left out.
fn standing(step: &mut Step<'_>, deal: DealId, but: &[DocumentId]) -> Result<Option<Standing>, TableError> {
    let Some(row) = step.rows.get::<Deals>(&deal)? else { return Ok(None) };
    let mut documents = Vec::new();
    for id in row.deal.documents.iter().filter(|id| !but.contains(id)) {
        documents.extend(step.rows.get::<Documents>(id)?);
    }
    Ok(Some(stand(&row.deal, &documents, &step.catalog.business)))
}

fn stand(deal: &Deal, documents: &[Document], business: &Business) -> Standing {
    let counts = |it: &&Document| {
        let is = |flag: &Option<Sourced<bool>>| flag.as_ref().map(|held| held.value);
        let is_posted = is(&it.posted) != Some(false) || business.count_unposted;
        is_posted && is(&it.deletion_mark) != Some(true) && is(&it.cancelled) != Some(true)
    };
    let is_paid = |it: &Document| it.paid.as_ref().is_some_and(|held| held.value);
    let price = deal.price.as_ref().map(|held| &held.value);
    // Sums of another currency are shown with their documents and not added.
    let currency = price
        .map(|it| &it.currency)
        .or_else(|| documents.iter().find_map(|it| it.sum.as_ref()).map(|held| &held.value.currency));
    let currency = currency.cloned().unwrap_or_else(Currency::rub);
    let total = |wanted: &dyn Fn(&Document) -> bool| {
        let sums = documents.iter().filter(counts).filter(|it| wanted(it)).filter_map(|it| it.sum.as_ref());
        let amounts = sums.filter(|held| held.value.currency == currency).map(|held| held.value.amount);
        // A sum that no decimal holds is nonsense of its source; the document shows it.
        amounts.fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount).unwrap_or(sum))
    };
    let is_negative = |it: &Document| it.sum.as_ref().is_some_and(|held| held.value.amount < Decimal::ZERO);
    let payments = total(&|it| it.kind == DocumentKind::Payment && !is_negative(it));
    let refunds = total(&|it| it.kind == DocumentKind::Payment && is_negative(it)).abs();
    let returns = total(&|it| it.kind == DocumentKind::Return && !is_negative(it))
        .checked_sub(total(&|it| it.kind == DocumentKind::Return && is_negative(it)))
        .unwrap_or_default();
    // An order that 1C calls paid, its invoice, and the payments tell of the same money.
    let marked = total(&|it| it.kind == DocumentKind::Order && is_paid(it))
        .max(total(&|it| it.kind == DocumentKind::Invoice && is_paid(it)));
    let received = payments.max(marked);
    // So do the goods that came back and the money that went back for them.
    let back = match business.return_lowers_paid {
        true => returns.max(refunds),
        false => refunds,
    };
    let tells = documents.iter().any(|it| match it.kind {
        DocumentKind::Payment | DocumentKind::Return => true,
        DocumentKind::Order | DocumentKind::Invoice => is_paid(it),
        DocumentKind::Shipment | DocumentKind::Contract => false,
    });
    let orders = total(&|it| it.kind == DocumentKind::Order);
    let invoices = total(&|it| it.kind == DocumentKind::Invoice);
    let due = [orders, invoices, price.map(|it| it.amount).unwrap_or_default()];
    let due = due.into_iter().find(|it| *it > Decimal::ZERO);
    let paid = received.checked_sub(back).unwrap_or_default().max(Decimal::ZERO);
    Standing {
        paid: (tells || deal.paid.is_some()).then(|| Money::new(paid, currency)),
        left: due.and_then(|due| due.checked_sub(received)),
    }
}
