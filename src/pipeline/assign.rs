//! Who gets a deal, and how many open deals everybody has.
//!
//! A deal that a record has just made and that nobody is responsible for goes to whom
//! `rules/distribution.toml` says; the reasons stay with it. What is decided here weighs least: any
//! source that names a responsible, and a person in the CRM above all, takes its place.
//!
//! The turn of a group and the open deals of its members are rows of their own, written here and
//! nowhere else, so a rebuild deals the same hands.

use compact_str::CompactString;

use super::deals::client_deals;
use super::marks;
use super::records::Origin;
use super::step::Step;
use crate::base::limits::ASSIGNED_REASONS_MAX;
use crate::base::{ClientId, DealId, Slug};
use crate::catalog::ClosedDeal;
use crate::entry::ObjectRef;
use crate::mapping::RULES_RANK;
use crate::model::change::DealChange;
use crate::model::{Change, ContactPoint, Deal, Provenance, Sourced};
use crate::people::{Assigned, Desk, Lead, UntouchedTo};
use crate::tables::rows::{AssignmentRow, DealRow, WordRow};
use crate::tables::{Assignments, Clients, Deals, OpenDeals, TableError, Turns, Words};

/// Gives a deal that was just made to somebody, unless its source named one.
pub(super) fn assign(
    step: &mut Step<'_>,
    origin: &Origin<'_>,
    client: Option<ClientId>,
    id: DealId,
    told: &DealChange,
    change: &Change,
) -> Result<(), TableError> {
    let people = &step.catalog.people;
    if people.is_empty() {
        return Ok(());
    }
    let open = step.rows.peek::<Deals, _>(&id, |row| {
        row.is_some_and(|row| row.deal.is_open() && !row.deal.hidden && row.deal.responsible.is_none())
    })?;
    if !open {
        return Ok(());
    }
    let own = own(step, client, id)?;
    let mut phones: Vec<CompactString> = Vec::new();
    let mut inn = None;
    let mut kind = None;
    if let Some(client) = client {
        step.rows.peek::<Clients, _>(&client, |row| {
            let Some(row) = row else { return };
            kind = Some(row.client.kind);
            inn = row.client.inn.as_ref().map(|it| it.value.0.clone());
            phones.extend(row.client.contacts.iter().filter_map(|held| match &held.point {
                ContactPoint::Phone(phone) => Some(phone.e164.clone()),
                ContactPoint::Email(_) | ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => None,
            }));
        })?;
    }
    let form = change.interaction.as_ref();
    let lead = Lead {
        connection: &origin.envelope.connection,
        form: form.map(|it| it.subject.as_str()),
        page: form.map(|it| it.page.as_str()),
        source: told.source.as_deref(),
        product_line: told.product_line.as_deref(),
        pipeline: told.pipeline.as_deref(),
        utm: Some(&told.utm),
        phones: &phones,
        inn: inn.as_deref(),
        kind,
        organisation: people.organisation_of(&origin.envelope.connection).map(|it| &*it.key),
    };
    let desk = match people.distribution.rule(&lead) {
        Some(rule) => desk(step, &rule.to)?,
        None => Desk { left: left(step)?, ..Desk::default() },
    };
    let assigned = people.distribute(&lead, own.as_deref(), &desk, &step.catalog.calendar, step.at);
    take(step, id, assigned)
}

/// Whom a lead that nobody has touched goes on to. The deal goes with it as long as its responsible
/// is still the one that rules named; a person's choice stays, and only the task goes on.
pub(super) fn escalate(step: &mut Step<'_>, id: DealId, to: UntouchedTo) -> Result<Option<CompactString>, TableError> {
    let people = &step.catalog.people;
    if people.is_empty() {
        return Ok(None);
    }
    let responsible = step.rows.peek::<Deals, _>(&id, |row| {
        row.and_then(|row| row.deal.responsible.as_ref()).map(|held| held.value.clone())
    })?;
    let held = responsible.clone().unwrap_or_default();
    let assignment = step.rows.get::<Assignments>(&id)?;
    let named_by_rules = assignment.as_ref().and_then(|row| row.employee.as_ref()).map(|it| CompactString::new(&**it));
    let is_ours = responsible.is_none() || named_by_rules == responsible;
    if !is_ours && to == UntouchedTo::Next {
        return Ok(responsible);
    }
    let group = assignment.as_ref().and_then(|row| row.group.clone());
    let desk = match &group {
        Some(group) => desk(step, group)?,
        None => Desk { left: left(step)?, ..Desk::default() },
    };
    let calendar = &step.catalog.calendar;
    let mut assigned = people.escalate(to, &held, group.as_deref(), &desk, calendar, step.at);
    let employee = assigned.employee.as_ref().map(|it| CompactString::new(&**it));
    if employee.is_none() || employee == responsible || !is_ours {
        return Ok(employee);
    }
    let earlier = assignment.map(|row| row.why).unwrap_or_default();
    assigned.why.splice(0..0, earlier);
    assigned.why.truncate(ASSIGNED_REASONS_MAX);
    take(step, id, assigned)?;
    step.rows.update::<Deals, _>(&id, |row| {
        if let Some(row) = row {
            row.deal.version = step.position;
        }
    })?;
    marks::want(step, ObjectRef::Deal(id))?;
    if let Some(row) = step.rows.get::<Deals>(&id)? {
        recount(step, id, &row)?;
    }
    Ok(employee)
}

/// Who is responsible for the client already: as of its newest deal, else as its sources say.
fn own(step: &mut Step<'_>, client: Option<ClientId>, but: DealId) -> Result<Option<CompactString>, TableError> {
    let Some(client) = client else { return Ok(None) };
    if step.catalog.business.closed_deal == ClosedDeal::Repeat {
        let earlier = client_deals(step, Some(client))?;
        let named = |deal: &Deal| deal.responsible.as_ref().filter(|_| deal.id != but).map(|it| it.value.clone());
        if let Some(responsible) = earlier.iter().rev().find_map(named) {
            return Ok(Some(responsible));
        }
    }
    step.rows.peek::<Clients, _>(&client, |row| {
        row.and_then(|row| row.client.responsible.as_ref()).map(|it| it.value.clone())
    })
}

/// What is known of the members of a group.
fn desk(step: &mut Step<'_>, group: &str) -> Result<Desk, TableError> {
    let taken = step.rows.get::<Turns>(&CompactString::new(group))?.unwrap_or_default();
    let mut open = Vec::new();
    for member in step.catalog.people.members(group) {
        let count = step.rows.get::<OpenDeals>(&member.key)?.unwrap_or(0);
        open.push((member.key.clone(), count));
    }
    Ok(Desk { taken, open, left: left(step)? })
}

/// Who was dismissed in a system that people work in, whatever `rules/employees.toml` says: nobody
/// would see what is given to him there.
pub(super) fn left(step: &mut Step<'_>) -> Result<Vec<(Slug, Slug)>, TableError> {
    let mut left = Vec::new();
    for employee in step.catalog.people.employees() {
        for (connection, ids) in &employee.ids {
            for id in ids {
                let key = (connection.clone(), CompactString::const_new("user"), id.clone());
                let is_out = |word: &WordRow| !word.name.is_empty() && !word.active;
                if step.rows.peek::<Words, _>(&key, |word| word.is_some_and(is_out))? {
                    left.push((employee.key.clone(), connection.clone()));
                }
            }
        }
    }
    Ok(left)
}

/// Writes an assignment down: responsible, reasons, turn.
fn take(step: &mut Step<'_>, id: DealId, assigned: Assigned) -> Result<(), TableError> {
    let Assigned { employee, group, why } = assigned;
    if let Some(employee) = &employee {
        let provenance = Provenance {
            source: Slug::literal("uzel"),
            position: step.position,
            observed_at: step.at,
            rank: RULES_RANK,
        };
        step.rows.update::<Deals, _>(&id, |row| {
            if let Some(row) = row {
                row.deal.responsible = Some(Sourced::new(CompactString::new(&**employee), &provenance));
            }
        })?;
        if let Some(group) = &group {
            step.rows.update::<Turns, _>(group, |taken| {
                let taken = taken.get_or_insert_default();
                let next = taken.iter().map(|(_, at)| *at).max().unwrap_or(0) + 1;
                match taken.binary_search_by(|(key, _)| key.cmp(employee)) {
                    Ok(place) => taken[place].1 = next,
                    Err(place) => taken.insert(place, (employee.clone(), next)),
                }
            })?;
        }
    }
    let at = step.at;
    step.rows.update::<Assignments, _>(&id, |row| {
        let counted = row.take().and_then(|row| row.counted);
        *row = Some(AssignmentRow { employee, group, at, why, counted });
    })
}

/// Counts an open deal for its responsible, and no longer for whom it was counted before. Comes
/// again and again; a deal that is counted right costs a look.
pub(super) fn recount(step: &mut Step<'_>, id: DealId, row: &DealRow) -> Result<(), TableError> {
    let people = &step.catalog.people;
    if people.is_empty() {
        return Ok(());
    }
    let deal = &row.deal;
    let responsible = deal.responsible.as_ref().filter(|_| deal.is_open() && !deal.hidden);
    let wanted = responsible.and_then(|it| people.employee(&it.value)).map(|it| it.key.clone());
    let held = step.rows.peek::<Assignments, _>(&id, |row| row.and_then(|row| row.counted.clone()))?;
    if held == wanted {
        return Ok(());
    }
    let at = step.at;
    for (employee, by) in [(&held, -1), (&wanted, 1)] {
        let Some(employee) = employee else { continue };
        step.rows.update::<OpenDeals, _>(employee, |slot| {
            let count = slot.unwrap_or(0).saturating_add_signed(by);
            *slot = (count > 0).then_some(count);
        })?;
    }
    step.rows.update::<Assignments, _>(&id, |slot| {
        let mut row = slot.take().unwrap_or_else(|| AssignmentRow::counted_only(at));
        row.counted = wanted;
        *slot = (row.counted.is_some() || !row.why.is_empty()).then_some(row);
    })
}
