//! What the head of sales sees: the two total lines, classes, responsibles, deals by priority.
//!
//! Sums and order come from the [`Ranking`]; only the rows of the page at hand are read.

use std::collections::BTreeMap;

use serde::Serialize;

use super::objects::shown;
use super::ranking::{Only, Place, Progress, Ranking, Seen, Sought};
use super::{Query, QueryError};
use crate::base::limits::{COMMENT_SHOWN_CHARS, PRIORITY_RESPONSIBLES_MAX};
use crate::base::{DealId, Locale, Slug, Timestamp};
use crate::model::{Class, Currency};
use crate::report::Sum;
use crate::scoring;
use crate::tables::rows::DealRow;
use crate::tables::{Clients, Deals};

/// Where people see objects in foreign systems: connection -> `https://company.example`.
pub type Origins = BTreeMap<Slug, String>;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct PriorityAsked {
    /// The reader's language.
    pub locale: Locale,
    /// When it is asked: days in a stage are counted to it.
    pub now: Timestamp,
    /// Deals of this class.
    pub class: Option<Class>,
    /// Deals of this responsible, by name; empty: of nobody.
    pub responsible: Option<String>,
    /// Which deals.
    pub only: Only,
    /// Where the page before ended.
    pub after: Option<Place>,
    /// Rows of the page.
    pub rows_max: usize,
}

/// See the module. Amounts are texts in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriorityView {
    /// Headline forecast.
    pub forecast: String,
    /// Deals that count in it.
    pub forecast_deals: u64,
    /// All values.
    pub all: String,
    /// Open deals.
    pub deals: u64,
    /// Deals without a price.
    pub without_price: u64,
    /// Sums in other currencies: never converted.
    pub others: Vec<String>,
    /// Deals in other currencies.
    pub others_deals: u64,
    /// Share of the greatest deal, percent.
    pub largest_percent: Option<u32>,
    /// Classes that have deals, best first.
    pub classes: Vec<ClassSum>,
    /// Who has deals, the greatest value first.
    pub responsibles: Vec<ResponsibleSum>,
    /// Responsibles left out of the list.
    pub responsibles_more: usize,
    /// Deals that fit what was asked for.
    pub fits: u64,
    /// Of them before this page.
    pub before: u64,
    /// The page.
    pub rows: Vec<PriorityLine>,
    /// What to pass as `after` for the next page.
    pub next: Option<String>,
    /// Whether some deals found no room in the ranking.
    pub is_full: bool,
}

/// Deals of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSum {
    /// The class.
    pub class: Class,
    /// How many.
    pub deals: u64,
    /// Their value.
    pub value: String,
    /// Their part of the greatest class, thousandths: the length of a bar.
    pub share: u32,
}

/// Deals of a responsible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResponsibleSum {
    /// His name; empty: nobody.
    pub name: String,
    /// How many.
    pub deals: u64,
    /// Their value.
    pub value: String,
}

/// A deal in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriorityLine {
    /// The deal.
    pub deal: String,
    /// Class.
    pub class: String,
    /// Name of the client.
    pub client: String,
    /// Title of the deal.
    pub title: String,
    /// Value; absent without a price.
    pub value: Option<String>,
    /// Price.
    pub price: Option<String>,
    /// Probability, percent.
    pub probability: String,
    /// Whether it counts in the forecast.
    pub in_forecast: bool,
    /// The leading reason in plain words.
    pub reason: String,
    /// The whole sum, in one line.
    pub explanation: String,
    /// Comment.
    pub comment: String,
    /// Responsible; empty: nobody.
    pub responsible: String,
    /// Stage.
    pub stage: String,
    /// Calendar days in it.
    pub days_in_stage: i64,
    /// The deal in the CRM.
    pub link: Option<String>,
}

impl Query {
    /// Deals by priority; `Err` inside while there is nothing whole to be shown.
    pub fn priority(
        &self,
        ranking: &Ranking,
        origins: &Origins,
        asked: &PriorityAsked,
    ) -> Result<Result<PriorityView, Progress>, QueryError> {
        let is_his = |key: &str| asked.responsible.as_deref().is_some_and(|wanted| self.employee_name(key) == wanted);
        let currency = &self.catalog.company.currency;
        let sought = Sought {
            currency,
            responsible: asked.responsible.as_ref().map(|_| &is_his as &dyn Fn(&str) -> bool),
            class: asked.class,
            only: asked.only,
            after: asked.after,
            rows_max: asked.rows_max,
        };
        let Some(seen) = ranking.look(&sought) else { return Ok(Err(ranking.progress())) };
        let is_full = ranking.progress() == Progress::Whole { is_full: true };
        let mut rows = Vec::with_capacity(seen.page.len());
        for place in &seen.page {
            rows.extend(self.priority_line(place.deal, origins, asked.now, asked.locale)?);
        }
        let amount = |minor: i64| amount(minor, currency, asked.locale);
        let (responsibles, responsibles_more) = self.by_name(&seen, asked.locale);
        let totals = &seen.totals;
        let ends = seen.before + seen.page.len() as u64;
        Ok(Ok(PriorityView {
            forecast: amount(totals.forecast_minor),
            forecast_deals: totals.forecast_deals,
            all: amount(totals.all_minor),
            deals: totals.deals,
            without_price: totals.without_price,
            others: totals
                .other_currencies
                .iter()
                .map(|(of, sum)| self::amount(sum.value_minor, of, asked.locale))
                .collect(),
            others_deals: totals.other_currencies.values().map(|sum| sum.count).sum(),
            largest_percent: totals.portfolio.largest_percent(),
            classes: classes(&totals.classes, currency, asked.locale),
            responsibles,
            responsibles_more,
            fits: seen.fits,
            before: seen.before,
            next: seen.page.last().filter(|_| ends < seen.fits).map(ToString::to_string),
            rows,
            is_full,
        }))
    }

    /// Responsibles by name: several texts of sources may mean one employee.
    fn by_name(&self, seen: &Seen, locale: Locale) -> (Vec<ResponsibleSum>, usize) {
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        for (key, sum) in &seen.responsibles {
            sums.entry(self.employee_name(key)).or_default().add(*sum);
        }
        let mut sums: Vec<(String, Sum)> = sums.into_iter().collect();
        sums.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.value_minor, sum.count)));
        let more = sums.len().saturating_sub(PRIORITY_RESPONSIBLES_MAX);
        let currency = &self.catalog.company.currency;
        let view = |(name, sum): (String, Sum)| ResponsibleSum {
            name,
            deals: sum.count,
            value: amount(sum.value_minor, currency, locale),
        };
        (sums.into_iter().take(PRIORITY_RESPONSIBLES_MAX).map(view).collect(), more)
    }

    /// A deal for the list; nothing when it has gone, or lost its score, since it was ranked.
    fn priority_line(
        &self,
        id: DealId,
        origins: &Origins,
        now: Timestamp,
        locale: Locale,
    ) -> Result<Option<PriorityLine>, QueryError> {
        let Some(row) = self.reader().get::<Deals>(&id)? else { return Ok(None) };
        let deal = &row.deal;
        let Some(score) = &deal.score else { return Ok(None) };
        let client = match deal.client {
            Some(client) => self.reader().get::<Clients>(&client)?.map(|it| it.client.shown_name()).unwrap_or_default(),
            None => String::new(),
        };
        let money =
            |minor: i64| amount(minor, score.currency.as_ref().unwrap_or(&self.catalog.company.currency), locale);
        Ok(Some(PriorityLine {
            deal: id.to_string(),
            class: score.class.name().to_owned(),
            client,
            title: shown(&deal.title),
            value: score.value_minor.map(money),
            price: score.price_minor.map(money),
            probability: scoring::percent(score.p_bp, false, locale),
            in_forecast: score.in_forecast,
            reason: scoring::leading_words(score, locale),
            explanation: scoring::explain(score, locale),
            comment: cut(&shown(&deal.comment)),
            responsible: deal.responsible.as_ref().map(|held| self.employee_name(&held.value)).unwrap_or_default(),
            stage: shown(&deal.stage),
            days_in_stage: self.days(deal.stage_since, now),
            link: self.deal_page(&row, origins),
        }))
    }

    /// Where a deal is seen in the CRM.
    pub fn deal_link(&self, id: DealId, origins: &Origins) -> Result<Option<String>, QueryError> {
        Ok(self.reader().get::<Deals>(&id)?.and_then(|row| self.deal_page(&row, origins)))
    }

    /// What we wrote there, or what we read there.
    fn deal_page(&self, row: &DealRow, origins: &Origins) -> Option<String> {
        let written = row.sinks.iter().filter(|state| state.gone.is_none()).filter_map(|state| {
            let confirmed = state.confirmed.as_ref()?;
            Some((&state.sink, &confirmed.foreign_kind, &confirmed.foreign_id))
        });
        let read = row.deal.foreign.iter().map(|it| (&it.connection, &it.kind, &it.id));
        written.chain(read).find_map(|(connection, kind, id)| {
            let sink = self.catalog.connection(connection)?.connector.sink.as_ref()?;
            sink.object(kind)?.page_of(origins.get(connection)?, id)
        })
    }
}

fn classes(sums: &[Sum; Class::ALL.len()], currency: &Currency, locale: Locale) -> Vec<ClassSum> {
    let greatest = sums.iter().map(|sum| sum.value_minor).max().unwrap_or(0);
    let share = |value: i64| match greatest > 0 && value > 0 {
        true => u32::try_from(i128::from(value) * 1000 / i128::from(greatest)).unwrap_or(0),
        false => 0,
    };
    let view = |(class, sum): (Class, &Sum)| ClassSum {
        class,
        deals: sum.count,
        value: amount(sum.value_minor, currency, locale),
        share: share(sum.value_minor),
    };
    Class::ALL.into_iter().zip(sums).filter(|(_, sum)| sum.count > 0).map(view).collect()
}

/// An amount with its currency: `17 500 ₽`. Spaces at which no line is broken.
fn amount(minor: i64, currency: &Currency, locale: Locale) -> String {
    let sign = match &*currency.0 {
        "RUB" => "₽",
        "USD" => "$",
        "EUR" => "€",
        other => other,
    };
    format!("{}\u{a0}{sign}", grouped(minor, locale))
}

/// Hundredths with their thousands apart, by spaces at which no line is broken.
pub fn grouped(minor: i64, locale: Locale) -> String {
    scoring::money(minor, locale).replace(' ', "\u{a0}")
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(COMMENT_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    }
}
