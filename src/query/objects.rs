//! Clients and deals as people see them.

use std::fmt::Display;

use compact_str::CompactString;

use super::deliveries::sink_views;
use super::views::{
    ClassChangeView, ClientLine, ClientView, DealLine, DealView, DocumentView, FactorView, FieldView, ForeignView,
    InteractionView, LineView, MergeView, Page, ScoreView,
};
use super::{Listing, Query, QueryError, main_units, percent};
use crate::base::limits::{DOCUMENTS_SHOWN_MAX, INTERACTIONS_SHOWN_MAX};
use crate::base::{ClientId, DealId, Locale, Timestamp};
use crate::model::{
    Class, Client, ClientKind, ClientState, ContactPoint, Deal, DealState, Document, Inn, Interaction, Sourced,
};
use crate::normalize;
use crate::scoring;
use crate::tables::rows::{ClientRow, DealRow};
use crate::tables::{Clients, ContactKey, Contacts, Deals, Documents, Inns, Interactions, Merges, Span, Tasks};

impl Query {
    /// Clients, the oldest first; with a search by phone, e-mail, INN or part of a name.
    pub fn clients(&self, listing: &Listing) -> Result<Page<ClientLine>, QueryError> {
        if let Some(search) = &listing.search {
            let found = self.clients_by_key(search)?;
            if !found.is_empty() {
                let mut rows = Vec::new();
                for id in found {
                    rows.extend(self.reader().get::<Clients>(&id)?.map(|row| client_line(&row)));
                }
                return Ok(Page { rows, next: None });
            }
        }
        let mut span = Span::<Clients>::all();
        if let Some(after) = &listing.after {
            let after: ClientId = after.parse().map_err(QueryError::Parameter)?;
            span = span.after(&after);
        }
        let wanted = listing.search.as_ref().map(|search| search.to_lowercase());
        let mut rows = Vec::new();
        for row in self.reader().rows(span) {
            let (id, row) = row?;
            let is_active = row.client.state == ClientState::Active;
            let fits = wanted.as_ref().is_none_or(|part| row.client.shown_name().to_lowercase().contains(part));
            if is_active && fits {
                rows.push(client_line(&row));
            }
            if rows.len() == listing.rows_max {
                return Ok(Page { rows, next: Some(id.to_string()) });
            }
        }
        Ok(Page { rows, next: None })
    }

    /// Clients that a phone, an e-mail or an INN leads to, as typed by a person.
    fn clients_by_key(&self, search: &str) -> Result<Vec<ClientId>, QueryError> {
        let mut points = Vec::new();
        points.extend(normalize::email(search).value.map(ContactPoint::Email));
        points.extend(normalize::phone(search, &self.catalog.company.region).value.map(ContactPoint::Phone));
        let mut found = Vec::new();
        for point in points {
            found.extend(self.reader().get::<Contacts>(&ContactKey::of(&point))?.unwrap_or_default().clients);
        }
        if search.chars().all(|letter| letter.is_ascii_digit()) {
            found.extend(self.reader().get::<Inns>(&Inn(search.into()))?.unwrap_or_default());
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// One client.
    pub fn client(&self, id: ClientId, locale: Locale) -> Result<Option<ClientView>, QueryError> {
        let Some(row) = self.reader().get::<Clients>(&id)? else { return Ok(None) };
        let mut open_deals = Vec::new();
        for deal in &row.deals {
            if let Some(deal) = self.reader().get::<Deals>(deal)? {
                open_deals.push(self.deal_line(&deal, locale)?);
            }
        }
        let mut open_tasks = Vec::new();
        for task in &row.open_tasks {
            if let Some(row) = self.reader().get::<Tasks>(task)? {
                open_tasks.push(self.task_line(&row.task, locale, self.journal_time()?)?);
            }
        }
        let mut documents = Vec::new();
        for document in row.documents.iter().rev().take(DOCUMENTS_SHOWN_MAX) {
            documents.extend(self.reader().get::<Documents>(document)?.map(|it| document_view(&it)));
        }
        let mut interactions = Vec::new();
        for interaction in row.interactions.iter().rev().take(INTERACTIONS_SHOWN_MAX) {
            let row = self.reader().get::<Interactions>(interaction)?;
            interactions.extend(row.map(|row| self.interaction_view(row.interaction)));
        }
        let mut merged = Vec::new();
        for loser in &row.client.merged {
            if let Some(merge) = self.reader().get::<Merges>(&(id, *loser))? {
                let why = merge.why.iter().map(|message| message.render(locale)).collect();
                merged.push(MergeView { loser: loser.to_string(), position: merge.at.0, why });
            }
        }
        Ok(Some(ClientView {
            known_since: self.local(row.client.known_since),
            merged_into: match row.client.state {
                ClientState::MergedInto(into, _) => Some(into.to_string()),
                ClientState::Active => None,
            },
            merged,
            fields: self.client_fields(&row.client),
            foreign: row.client.foreign.iter().map(|(foreign, _)| foreign_view(foreign)).collect(),
            open_deals,
            open_tasks,
            documents,
            interactions,
            sinks: sink_views(&row.sinks, locale),
            line: client_line(&row),
        }))
    }

    pub(super) fn interaction_view(&self, it: Interaction) -> InteractionView {
        InteractionView {
            id: it.id.to_string(),
            kind: word(&it.kind),
            at: self.local(it.at),
            source: it.source.to_string(),
            direction: word(&it.direction),
            who: it.who.map(Into::into),
            duration_s: it.duration_s,
            result: it.result.to_string(),
            record: it.record.to_string(),
            subject: it.subject.to_string(),
            text: it.text,
        }
    }

    pub(super) fn client_fields(&self, client: &Client) -> Vec<FieldView> {
        let mut fields = Vec::new();
        let named =
            client.name.as_ref().map(|it| Sourced { value: it.value.shown(), provenance: it.provenance.clone() });
        fields.extend(self.field("name", &named));
        fields.extend(self.field("inn", &client.inn));
        fields.extend(self.field("kpp", &client.kpp));
        fields.extend(self.field("ogrn", &client.ogrn));
        fields.extend(self.field("address", &client.address));
        fields.extend(self.field("responsible", &self.named(&client.responsible)));
        fields.extend(self.field("segment", &client.segment));
        fields.extend(self.field("decides", &client.decides));
        for held in &client.contacts {
            let sourced = Sourced { value: contact_text(&held.point), provenance: held.provenance.clone() };
            fields.extend(self.field("contact", &Some(sourced)));
        }
        for (name, value) in &client.extra {
            fields.extend(self.field(name, &Some(value.clone())));
        }
        fields
    }

    pub(super) fn field<T: Display>(&self, name: &str, slot: &Option<Sourced<T>>) -> Option<FieldView> {
        slot.as_ref().map(|held| FieldView {
            name: name.to_owned(),
            value: held.value.to_string(),
            source: held.provenance.source.to_string(),
            position: held.provenance.position.0,
            observed_at: self.local(held.provenance.observed_at),
        })
    }

    /// A responsible by name, where he is one of our employees.
    fn named(&self, slot: &Option<Sourced<CompactString>>) -> Option<Sourced<String>> {
        slot.as_ref()
            .map(|held| Sourced { value: self.employee_name(&held.value), provenance: held.provenance.clone() })
    }

    /// Deals, the oldest first.
    pub fn deals(&self, listing: &Listing) -> Result<Page<DealLine>, QueryError> {
        let mut span = Span::<Deals>::all();
        if let Some(after) = &listing.after {
            let after: DealId = after.parse().map_err(QueryError::Parameter)?;
            span = span.after(&after);
        }
        let class = listing.class.as_deref().map(|text| Class::parse(&text.to_uppercase()));
        let mut rows = Vec::new();
        for row in self.reader().rows(span) {
            let (id, row) = row?;
            let held = row.deal.score.as_ref().map(|score| score.class);
            let fits_class = class.is_none_or(|wanted| wanted.is_some() && held == wanted);
            let fits_state = listing.state.as_deref().is_none_or(|state| state == state_name(&row.deal));
            if fits_class && fits_state && !row.deal.hidden {
                rows.push(self.deal_line(&row, listing.locale)?);
            }
            if rows.len() == listing.rows_max {
                return Ok(Page { rows, next: Some(id.to_string()) });
            }
        }
        Ok(Page { rows, next: None })
    }

    fn deal_line(&self, row: &DealRow, locale: Locale) -> Result<DealLine, QueryError> {
        let deal = &row.deal;
        let client_name = match deal.client {
            Some(client) => self.reader().get::<Clients>(&client)?.map(|it| it.client.shown_name()).unwrap_or_default(),
            None => String::new(),
        };
        let score = deal.score.as_ref();
        let now = self.journal_time()?;
        Ok(DealLine {
            id: deal.id.to_string(),
            title: shown(&deal.title),
            client: deal.client.map(|id| id.to_string()),
            client_name,
            pipeline: shown(&deal.pipeline),
            state: state_name(deal).to_owned(),
            stage: shown(&deal.stage),
            days_in_stage: self.days(deal.stage_since, now),
            source: shown(&deal.source),
            price: deal.price.as_ref().map(|price| price.value.amount.to_string()),
            currency: deal.price.as_ref().map(|price| price.value.currency.to_string()),
            probability: score.map(|score| percent(score.p_bp)),
            value: score.and_then(|score| score.value_minor).map(main_units),
            class: score.map(|score| score.class.name().to_owned()),
            in_forecast: score.is_some_and(|score| score.in_forecast),
            explanation: score.map(|score| scoring::explain(score, locale)).unwrap_or_default(),
        })
    }

    /// One deal.
    pub fn deal(&self, id: DealId, locale: Locale) -> Result<Option<DealView>, QueryError> {
        let Some(row) = self.reader().get::<Deals>(&id)? else { return Ok(None) };
        let deal = &row.deal;
        let mut documents = Vec::new();
        for document in deal.documents.iter().rev().take(DOCUMENTS_SHOWN_MAX) {
            documents.extend(self.reader().get::<Documents>(document)?.map(|it| document_view(&it)));
        }
        let lines = deal.lines.iter().map(|line| LineView {
            name: line.name.to_string(),
            quantity: line.quantity.to_string(),
            price: line.price.to_string(),
            sum: line.sum.to_string(),
        });
        let history = deal.class_history.iter().map(|change| ClassChangeView {
            from: change.from.map(|class| class.name().to_owned()),
            to: change.to.name().to_owned(),
            at: self.local(change.at),
        });
        Ok(Some(DealView {
            line: self.deal_line(&row, locale)?,
            fields: self.deal_fields(deal),
            lines: lines.collect(),
            documents,
            class_history: history.collect(),
            assigned: self.assignment(id, locale)?,
            foreign: deal.foreign.iter().map(foreign_view).collect(),
            sinks: sink_views(&row.sinks, locale),
        }))
    }

    pub(super) fn deal_fields(&self, deal: &Deal) -> Vec<FieldView> {
        let mut fields = Vec::new();
        fields.extend(self.field("title", &deal.title));
        fields.extend(self.field("pipeline", &deal.pipeline));
        fields.extend(self.field("stage", &deal.stage));
        fields.extend(self.field("price", &deal.price));
        fields.extend(self.field("paid", &deal.paid));
        fields.extend(self.field("source", &deal.source));
        fields.extend(self.field("responsible", &self.named(&deal.responsible)));
        fields.extend(self.field("comment", &deal.comment));
        fields.extend(self.field("product_line", &deal.product_line));
        fields.extend(self.field("next_step", &deal.next_step));
        fields.extend(self.field("deferred", &deal.deferred));
        for (name, value) in &deal.extra {
            fields.extend(self.field(name, &Some(value.clone())));
        }
        fields
    }

    /// The score of a deal in all its parts.
    pub fn score(&self, id: DealId, locale: Locale) -> Result<Option<ScoreView>, QueryError> {
        let Some(row) = self.reader().get::<Deals>(&id)? else { return Ok(None) };
        let Some(score) = &row.deal.score else { return Ok(None) };
        let factors = score.factors.iter().map(|it| FactorView {
            factor: it.factor.to_string(),
            level: it.level.to_string(),
            points: percent(it.points_bp),
            no_data: it.no_data,
        });
        Ok(Some(ScoreView {
            deal: id.to_string(),
            title: self.deal_line(&row, locale)?.client_name,
            as_of: self.local(score.as_of),
            rules: score.rules.to_string(),
            base: percent(score.base_bp),
            factors: factors.collect(),
            raw: percent(score.raw_bp),
            probability: percent(score.p_bp),
            price: score.price_minor.map(main_units),
            value: score.value_minor.map(main_units),
            class: score.class.name().to_owned(),
            in_forecast: score.in_forecast,
            next_change: score.next_change.map(|at: Timestamp| self.local(at)),
            explanation: scoring::explain(score, locale),
        }))
    }
}

fn client_line(row: &ClientRow) -> ClientLine {
    let client = &row.client;
    ClientLine {
        id: client.id.to_string(),
        name: client.shown_name(),
        kind: match client.kind {
            ClientKind::Person => "person",
            ClientKind::Company => "company",
        }
        .to_owned(),
        class: row.class.map(|class| class.name().to_owned()),
        inn: client.inn.as_ref().map(|inn| inn.value.to_string()),
        contacts: client.contacts.iter().map(|held| contact_text(&held.point)).collect(),
        deals: row.deals.len(),
    }
}

/// A contact point in full: for the owner of the data, never for a log.
pub(super) fn contact_text(point: &ContactPoint) -> String {
    match point {
        ContactPoint::Phone(phone) => match &phone.extension {
            Some(extension) => format!("{} доб. {extension}", phone.e164),
            None => phone.e164.to_string(),
        },
        ContactPoint::Email(email) => email.address.to_string(),
        ContactPoint::Messenger(messenger, id) => format!("{messenger}: {id}"),
        ContactPoint::Visitor(id) => format!("visitor {id}"),
    }
}

fn foreign_view(foreign: &crate::model::Foreign) -> ForeignView {
    ForeignView {
        connection: foreign.connection.to_string(),
        kind: foreign.kind.to_string(),
        id: foreign.id.to_string(),
    }
}

pub(super) fn document_view(document: &Document) -> DocumentView {
    DocumentView {
        id: document.id.to_string(),
        kind: word(&document.kind),
        number: shown(&document.number),
        sum: document.sum.as_ref().map(|sum| sum.value.to_string()),
        posted: document.posted.as_ref().map(|it| it.value),
        deletion_mark: document.deletion_mark.as_ref().map(|it| it.value),
        deal: document.deal.map(|id| id.to_string()),
    }
}

pub(super) fn state_name(deal: &Deal) -> &'static str {
    match deal.state {
        DealState::Open => "open",
        DealState::Won(_) => "won",
        DealState::Lost(..) => "lost",
    }
}

pub(super) fn shown<T: Display>(slot: &Option<Sourced<T>>) -> String {
    slot.as_ref().map(|held| held.value.to_string()).unwrap_or_default()
}

/// The name that serde gives a plain variant.
pub(super) fn word<T: serde::Serialize>(variant: &T) -> String {
    match serde_json::to_value(variant) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => String::new(),
    }
}
