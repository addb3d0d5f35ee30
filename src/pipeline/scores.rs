//! Scores: computed when a deal or its client changed, when time alone changes them, and for all
//! open deals when the rules change.

use super::step::Step;
use super::{assign, marks, words};
use crate::base::limits::CLASS_HISTORY_MAX;
use crate::base::{ClientId, DealId, Position};
use crate::entry::ObjectRef;
use crate::model::{ClassChange, Score};
use crate::scoring::{self, Facts, Sent};
use crate::tables::rows::MetaRow;
use crate::tables::{Clients, Deals, Due, Meta, Span, TableError, packed};

/// Scores the open deals of a client (its facts may have changed) and, in any case, `deal`.
pub(super) fn rescore_client(step: &mut Step<'_>, client: ClientId, deal: Option<DealId>) -> Result<(), TableError> {
    let deals = step.rows.peek::<Clients, _>(&client, |row| row.map(|row| row.deals.clone()).unwrap_or_default())?;
    for id in deals.iter().copied().chain(deal.filter(|deal| !deals.contains(deal))) {
        rescore(step, id)?;
    }
    client_class(step, client)
}

/// Scores one deal as of journal time; a closed one loses its score.
pub(super) fn rescore(step: &mut Step<'_>, id: DealId) -> Result<(), TableError> {
    let Some(mut row) = step.rows.get::<Deals>(&id)? else { return Ok(()) };
    assign::recount(step, id, &row)?;
    let before = row.deal.score.clone();
    let next = match row.deal.is_open() && !row.deal.hidden {
        true => Some(score(step, &row.deal)?),
        false => None,
    };
    if same_but_for_time(&before, &next) {
        return Ok(());
    }
    reschedule(step, id, before.as_ref(), next.as_ref())?;
    if let Some(score) = &next {
        let from = row.deal.class_history.last().map(|change| change.to);
        if from != Some(score.class) {
            row.deal.class_history.push(ClassChange { from, to: score.class, at: step.at });
            forget_oldest_class(&mut row.deal.class_history);
        }
    }
    let damping = step.catalog.business.damping_percent;
    let worth = match (&row.published, &next) {
        (_, None) => false,
        (published, Some(score)) => scoring::worth_writing(published.as_ref(), score, damping),
    };
    if let (true, Some(score)) = (worth, &next) {
        row.published = Some(Sent::of(score));
        row.deal.version = step.position;
    }
    row.deal.score = next;
    step.rows.put::<Deals>(&id, row);
    step.rows.update::<Meta, _>(&(), |meta| meta.get_or_insert_with(MetaRow::default).deals_scored += 1)?;
    if worth {
        marks::want_score(step, ObjectRef::Deal(id))?;
    }
    Ok(())
}

/// Bound: the newest changes of class are kept, and the best one, which the peak class needs.
fn forget_oldest_class(history: &mut Vec<ClassChange>) {
    if history.len() > CLASS_HISTORY_MAX {
        let best = history.iter().map(|change| change.to).min();
        let index = history.iter().position(|change| Some(change.to) != best).unwrap_or(0);
        history.remove(index);
    }
}

fn score(step: &mut Step<'_>, deal: &crate::model::Deal) -> Result<Score, TableError> {
    let (catalog, at) = (step.catalog, step.at);
    let zone = &catalog.company.zone;
    match deal.client {
        None => Ok(scoring::score(&catalog.scoring, &Facts::of(deal, None, at, zone))),
        Some(client) => step.rows.peek::<Clients, _>(&client, |row| {
            scoring::score(&catalog.scoring, &Facts::of(deal, row.map(|row| &row.client), at, zone))
        }),
    }
}

fn same_but_for_time(before: &Option<Score>, next: &Option<Score>) -> bool {
    match (before, next) {
        (None, None) => true,
        (Some(before), Some(next)) => *before == Score { as_of: before.as_of, ..next.clone() },
        (None, Some(_)) | (Some(_), None) => false,
    }
}

/// Moves the deal in the table of what is due.
fn reschedule(step: &mut Step<'_>, id: DealId, before: Option<&Score>, next: Option<&Score>) -> Result<(), TableError> {
    let before = before.and_then(|score| score.next_change);
    let next = next.and_then(|score| score.next_change);
    if before == next {
        return Ok(());
    }
    if let Some(at) = before {
        step.rows.update::<Due, _>(&Due::key(at, id), |deals| {
            if let Some(list) = deals {
                list.retain(|deal| *deal != id);
                if list.is_empty() {
                    *deals = None;
                }
            }
        })?;
    }
    if let Some(at) = next {
        step.rows.update::<Due, _>(&Due::key(at, id), |deals| {
            packed::insert(deals.get_or_insert_default(), id);
        })?;
    }
    Ok(())
}

/// The class of a client is the best class of its open deals; told to sinks when it changes.
fn client_class(step: &mut Step<'_>, client: ClientId) -> Result<(), TableError> {
    let deals = step.rows.peek::<Clients, _>(&client, |row| row.map(|row| row.deals.clone()).unwrap_or_default())?;
    let mut scored = Vec::with_capacity(deals.len());
    for id in deals {
        scored.extend(step.rows.peek::<Deals, _>(&id, |row| {
            row.and_then(|row| row.deal.score.as_ref()).map(|score| (score.class, score.value_minor))
        })?);
    }
    let class = scoring::client_class(scored);
    let changed = step.rows.update::<Clients, _>(&client, |row| match row {
        Some(row) if row.class != class => {
            row.class = class;
            true
        }
        Some(_) | None => false,
    })?;
    if changed {
        marks::want_score(step, ObjectRef::Client(client))?;
    }
    Ok(())
}

/// Scores what is due, at most `deals_max`; the rest waits for the next tick.
pub(super) fn rescore_due(step: &mut Step<'_>, deals_max: usize) -> Result<(), TableError> {
    let mut left = deals_max;
    while left > 0 {
        let first = step.rows.range(&Span::<Due>::all(), false, 1)?.pop();
        let Some(((at, _), deals)) = first else { return Ok(()) };
        if at > step.at {
            return Ok(());
        }
        for id in deals.into_iter().take(left) {
            left -= 1;
            let client = step.rows.peek::<Deals, _>(&id, |row| row.and_then(|row| row.deal.client))?;
            rescore(step, id)?;
            still_due(step, id, at)?;
            if let Some(client) = client {
                client_class(step, client)?;
            }
        }
    }
    Ok(())
}

/// A deal that is still listed as due at `at` after it was scored would be due for ever (its
/// score says it changes, and it did not): the next change is asked for from here on.
fn still_due(step: &mut Step<'_>, id: DealId, at: crate::base::Timestamp) -> Result<(), TableError> {
    step.rows.update::<Due, _>(&Due::key(at, id), |deals| {
        if let Some(list) = deals {
            list.retain(|deal| *deal != id);
            if list.is_empty() {
                *deals = None;
            }
        }
    })
}

/// One slice of rescoring after a change of rules.
pub(super) fn rescore_slice(
    step: &mut Step<'_>,
    of: Position,
    after: Option<DealId>,
    count: u32,
) -> Result<(), TableError> {
    let asked = step.rows.peek::<Meta, _>(&(), |meta| meta.and_then(|meta| meta.rescore))?;
    // Idempotent: a slice admitted twice, or of an older configuration, changes nothing.
    if asked != Some((of, after)) {
        return Ok(());
    }
    let span = match &after {
        Some(after) => Span::<Deals>::all().after(after),
        None => Span::all(),
    };
    let ids: Vec<DealId> = step.rows.range(&span, false, count as usize)?.into_iter().map(|(id, _)| id).collect();
    let last = ids.last().copied();
    let ended = ids.len() < count as usize;
    for id in ids {
        let client = step.rows.peek::<Deals, _>(&id, |row| row.and_then(|row| row.deal.client))?;
        words::present_words(step, id)?;
        rescore(step, id)?;
        if let Some(client) = client {
            client_class(step, client)?;
        }
    }
    step.rows.update::<Meta, _>(&(), |meta| {
        meta.get_or_insert_with(MetaRow::default).rescore = if ended { None } else { Some((of, last)) };
    })
}
