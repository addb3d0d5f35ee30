//! Leads under other rules: which would have become which deals, and whom they would have gone to,
//! against what happened. Two replays of one journal are compared, record by record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::objects::{contact_text, shown, state_name};
use super::{Query, QueryError};
use crate::base::{DealId, InteractionId, ItemRef, Locale, Position, Timestamp};
use crate::entry::Entry;
use crate::model::{Deal, DealState, Direction, Outcome};
use crate::tables::{Block, Clients, Deals, Interactions, Outcomes, Span};

/// What is to be shown.
#[derive(Debug, Clone)]
pub struct PreviewAsked {
    /// Only what came from this position on.
    pub since: Position,
    /// Only leads that would have gone otherwise.
    pub only_changed: bool,
    /// Lines at the most; all leads are counted.
    pub lines_max: usize,
    /// The reader's language.
    pub locale: Locale,
}

/// Leads under the rules that were in force, and under others.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PreviewView {
    /// Leads looked at.
    pub leads: u64,
    /// Those that would have gone otherwise.
    pub changed: u64,
    /// What became of them, and what would have.
    pub fates: Vec<PreviewCount>,
    /// To whom new deals went, and would have gone.
    pub employees: Vec<PreviewCount>,
    /// The leads, in the order in which they came.
    pub lines: Vec<PreviewLine>,
    /// Leads counted and not among the lines.
    pub more: u64,
    /// Deals whose stage, end or paid sum would be another.
    pub deals: Vec<PreviewDeal>,
    /// Such deals counted and not listed.
    pub more_deals: u64,
}

/// A deal that would stand otherwise.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PreviewDeal {
    /// The deal.
    pub deal: String,
    /// Whose.
    pub client: String,
    /// How it stands.
    pub now: StandView,
    /// How it would.
    pub other: StandView,
}

/// How a deal stands.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct StandView {
    /// `open`, `won` or `lost`.
    pub state: String,
    /// Stage.
    pub stage: String,
    /// Paid sum.
    pub paid: String,
}

/// How many, then and otherwise.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PreviewCount {
    /// Of what.
    pub name: String,
    /// As it was.
    pub now: u64,
    /// As it would have been.
    pub other: u64,
}

/// One lead.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct PreviewLine {
    /// The record.
    pub record: String,
    /// When it came.
    pub at: String,
    /// The connection.
    pub connection: String,
    /// Whose, by name or contact.
    pub client: String,
    /// What became of it.
    pub now: FateView,
    /// What would have.
    pub other: FateView,
    /// Whether that is something else.
    pub changed: bool,
}

/// What became of a lead.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct FateView {
    /// `new`, `repeat`, `joined`, `returned`, `no_deal`, `filtered`, `quarantined`, `discarded`,
    /// `repeated`.
    pub fate: String,
    /// The deal.
    pub deal: Option<String>,
    /// Who got it, by name.
    pub responsible: String,
    /// Why he, when rules decided.
    pub why: Vec<String>,
}

impl FateView {
    /// Reasons alone are no difference: the same employee got the same deal.
    fn differs(&self, other: &FateView) -> bool {
        (&self.fate, &self.deal, &self.responsible) != (&other.fate, &other.deal, &other.responsible)
    }

    fn makes_deal(&self) -> bool {
        matches!(self.fate.as_str(), "new" | "repeat")
    }
}

/// Compares two replays of one journal, lead by lead.
pub fn preview(now: &Query, other: &Query, asked: &PreviewAsked) -> Result<PreviewView, QueryError> {
    let mut fates: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut employees: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut leads, mut changed, mut shown) = (0, 0, 0);
    let mut lines = Vec::new();
    let span = Span::<Outcomes>::all().from(&Block::of(ItemRef::new(asked.since, 0)));
    for row in now.reader().rows(span) {
        let (block, outcomes) = row?;
        let others = other.reader().get::<Outcomes>(&block)?.unwrap_or_default();
        for (record, connection, outcome) in outcomes {
            let Some((.., otherwise)) = others.iter().find(|(at, ..)| *at == record) else { continue };
            let is_lead = now.is_lead(record, &outcome)? || other.is_lead(record, otherwise)?;
            if record.position < asked.since || !is_lead {
                continue;
            }
            let at = now.came_at(record)?;
            let left = now.fate(record, &outcome, at, asked.locale)?;
            let right = other.fate(record, otherwise, at, asked.locale)?;
            leads += 1;
            fates.entry(left.fate.clone()).or_default().0 += 1;
            fates.entry(right.fate.clone()).or_default().1 += 1;
            if left.makes_deal() {
                employees.entry(left.responsible.clone()).or_default().0 += 1;
            }
            if right.makes_deal() {
                employees.entry(right.responsible.clone()).or_default().1 += 1;
            }
            let differs = left.differs(&right);
            changed += u64::from(differs);
            if asked.only_changed && !differs {
                continue;
            }
            shown += 1;
            // Bound: the rest is counted.
            if lines.len() < asked.lines_max {
                lines.push(PreviewLine {
                    record: record.to_string(),
                    at: now.local(at),
                    connection: connection.to_string(),
                    client: match now.client_of(&outcome)? {
                        name if name.is_empty() => other.client_of(otherwise)?,
                        name => name,
                    },
                    now: left,
                    other: right,
                    changed: differs,
                });
            }
        }
    }
    let counts = |counts: BTreeMap<String, (u64, u64)>| {
        counts.into_iter().map(|(name, (now, other))| PreviewCount { name, now, other }).collect()
    };
    let more = shown - lines.len() as u64;
    let (deals, more_deals) = standing_otherwise(now, other, asked)?;
    Ok(PreviewView {
        leads,
        changed,
        fates: counts(fates),
        employees: counts(employees),
        lines,
        more,
        deals,
        more_deals,
    })
}

/// Deals that are there either way and stand otherwise: what payments made of them.
fn standing_otherwise(now: &Query, other: &Query, asked: &PreviewAsked) -> Result<(Vec<PreviewDeal>, u64), QueryError> {
    let (mut deals, mut more) = (Vec::new(), 0);
    for row in now.reader().rows(Span::<Deals>::all()) {
        let (id, left) = row?;
        let Some(right) = other.reader().get::<Deals>(&id)? else { continue };
        let (left, right) = (left.deal, right.deal);
        let (before, after) = (stand(&left), stand(&right));
        if before == after || left.version.max(right.version) < asked.since {
            continue;
        }
        // Bound: the rest is counted.
        if deals.len() >= asked.lines_max {
            more += 1;
            continue;
        }
        let outcome = Outcome::Applied { client: left.client, deal: Some(id) };
        deals.push(PreviewDeal { deal: id.to_string(), client: now.client_of(&outcome)?, now: before, other: after });
    }
    Ok((deals, more))
}

fn stand(deal: &Deal) -> StandView {
    StandView { state: state_name(deal).to_owned(), stage: shown(&deal.stage), paid: shown(&deal.paid) }
}

impl Query {
    /// A record that made a deal, or by which somebody turned to us, or that was set aside.
    fn is_lead(&self, record: ItemRef, outcome: &Outcome) -> Result<bool, QueryError> {
        Ok(match outcome {
            Outcome::Applied { deal: Some(deal), .. } if *deal == DealId::derive(record, 0) => true,
            Outcome::Applied { .. } => {
                let told = self.reader().get::<Interactions>(&InteractionId::derive(record, 0))?;
                told.is_some_and(|row| row.interaction.direction == Direction::Inbound)
            }
            // What we asked a system for ourselves is nobody's turning to us.
            Outcome::Filtered(_) | Outcome::Quarantined(_) => !self.was_asked_for(record)?,
            Outcome::Unchanged | Outcome::Repeated(_) | Outcome::Discarded => false,
        })
    }

    fn was_asked_for(&self, record: ItemRef) -> Result<bool, QueryError> {
        let entries = self.journal.read(record.position, 1, usize::MAX)?;
        let entry = entries.first().filter(|entry| entry.position == record.position);
        Ok(entry.is_some_and(|stored| match Entry::decode(stored.kind, &stored.payload) {
            Ok(Entry::Received(received)) => received.cursor().is_some(),
            Ok(_) | Err(_) => false,
        }))
    }

    fn came_at(&self, record: ItemRef) -> Result<Timestamp, QueryError> {
        let entries = self.journal.read(record.position, 1, usize::MAX)?;
        Ok(entries.first().map_or(Timestamp::ZERO, |entry| entry.at))
    }

    fn client_of(&self, outcome: &Outcome) -> Result<String, QueryError> {
        let Outcome::Applied { client: Some(client), .. } = outcome else { return Ok(String::new()) };
        let row = self.reader().get::<Clients>(client)?;
        let Some(client) = row.map(|row| row.client) else { return Ok(String::new()) };
        // Who left no name is known by how to reach him.
        let reached = || client.contacts.first().map(|held| contact_text(&held.point)).unwrap_or_default();
        Ok(Some(client.shown_name()).filter(|name| !name.is_empty()).unwrap_or_else(reached))
    }

    fn fate(&self, record: ItemRef, outcome: &Outcome, at: Timestamp, locale: Locale) -> Result<FateView, QueryError> {
        let plain =
            |fate: &str| FateView { fate: fate.to_owned(), deal: None, responsible: String::new(), why: Vec::new() };
        let id = match outcome {
            Outcome::Applied { deal: Some(deal), .. } => *deal,
            Outcome::Applied { deal: None, .. } | Outcome::Unchanged => return Ok(plain("no_deal")),
            Outcome::Repeated(_) => return Ok(plain("repeated")),
            Outcome::Filtered(_) => return Ok(plain("filtered")),
            Outcome::Quarantined(_) => return Ok(plain("quarantined")),
            Outcome::Discarded => return Ok(plain("discarded")),
        };
        let Some(row) = self.reader().get::<Deals>(&id)? else { return Ok(plain("no_deal")) };
        let made = id == DealId::derive(record, 0);
        let fate = match (made, row.deal.state) {
            (true, _) if self.had_deals_before(&row.deal)? => "repeat",
            (true, _) => "new",
            (false, DealState::Lost(lost, _)) if lost <= at => "returned",
            (false, DealState::Open | DealState::Won(_) | DealState::Lost(..)) => "joined",
        };
        let given = self.assignment(id, locale)?.filter(|_| made);
        let held = row.deal.responsible.as_ref().map(|it| self.employee_name(&it.value)).unwrap_or_default();
        let (responsible, why) = given.map_or((held, Vec::new()), |given| (given.name, given.why));
        Ok(FateView { fate: fate.to_owned(), deal: Some(id.to_string()), responsible, why })
    }

    fn had_deals_before(&self, deal: &crate::model::Deal) -> Result<bool, QueryError> {
        let Some(client) = deal.client else { return Ok(false) };
        let row = self.reader().get::<Clients>(&client)?;
        Ok(row.is_some_and(|row| row.deals.iter().any(|earlier| *earlier < deal.id)))
    }
}
