//! Views of the store for the JSON interface, the command line and pages. Reads only.
//!
//! Every listing is bounded by its page; a row that does not read is an error, never skipped.

mod alarms;
mod certificate;
mod deliveries;
mod difference;
mod explain;
pub mod export;
mod journal;
pub mod keeping;
mod objects;
pub mod ownership;
mod people;
mod plan_views;
mod preview;
pub mod priority;
pub mod ranking;
mod relay;
mod sources;
mod staff;
mod sync;
mod tasks;
mod text;
pub mod views;

use std::sync::Arc;

use compact_str::CompactString;

use crate::base::checksum::Fingerprint;
use crate::base::{Locale, Message, Position, Slug, Timestamp};
use crate::catalog::{Catalog, Connection, Mapped, Mode};
use crate::entry::ObjectRef;
use crate::journal::{Journal, ReadError};
use crate::model::{ClientState, Currency, Money};
use crate::report::Totals;
use crate::store::{Checkpoint, Store};
use crate::tables::rows::{SinkState, sink_state};
use crate::tables::{Clients, Counters, Deals, Meta, Reader, Sinks, Span, TableError, rows_hash};

pub use alarms::{AlarmView, DeadLetters, OutboxPlace};
pub use certificate::CertificateView;
pub use difference::{ClassCountView, DifferenceAsked, DifferenceLine, DifferenceView, PushCountView, difference};
pub use explain::{LostValue, Read, Said, WhereField, WhereView, WhyRecord, WhyView};
pub use people::{AssignmentView, EmployeeView};
pub use preview::{FateView, PreviewAsked, PreviewCount, PreviewDeal, PreviewLine, PreviewView, StandView, preview};
pub use staff::StaffFault;
pub use text::outcome_text;
use views::{ConnectionView, CountView, Page, StatusView, TotalsView};

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// A row does not read, or the store failed.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] ReadError),
    /// A parameter of the listing does not read.
    #[error("{0}")]
    Parameter(Message),
}

/// What a listing is asked for.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The reader's language.
    pub locale: Locale,
    /// Rows of the page.
    pub rows_max: usize,
    /// Where the page before ended.
    pub after: Option<String>,
    /// Part of a name, a phone, an e-mail, an INN.
    pub search: Option<String>,
    /// Class of deals.
    pub class: Option<String>,
    /// State of deals or deliveries.
    pub state: Option<String>,
    /// Sink of deliveries.
    pub sink: Option<String>,
    /// Who does a task.
    pub responsible: Option<String>,
}

/// Views over one store.
#[derive(Clone)]
pub struct Query {
    store: Arc<dyn Store>,
    journal: Arc<dyn Journal>,
    catalog: Arc<Catalog>,
}

impl Query {
    /// Over the store and journal of one folder.
    pub fn new(store: Arc<dyn Store>, journal: Arc<dyn Journal>, catalog: Arc<Catalog>) -> Query {
        Query { store, journal, catalog }
    }

    /// The configuration.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn reader(&self) -> Reader<'_> {
        Reader::new(self.store.as_ref())
    }

    /// The daemon at a glance.
    pub fn status(
        &self,
        applied: Position,
        pipeline_failure: Option<String>,
        locale: Locale,
    ) -> Result<StatusView, QueryError> {
        let meta = self.reader().get::<Meta>(&())?.unwrap_or_default();
        let head = self.journal.head();
        let mut connections = Vec::new();
        for connection in self.catalog.connections() {
            connections.push(ConnectionView {
                name: connection.name.to_string(),
                connector: connection.connector.slug.to_string(),
                mode: self.standing_of(connection)?.to_owned(),
                is_sink: connection.connector.sink.is_some(),
                stopped: None,
            });
        }
        Ok(StatusView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            head: head.0,
            applied: applied.0,
            lag: head.0.saturating_sub(applied.0),
            intake: self.journal.accepts_intake().err().map(|error| text::refusal(&error, locale)),
            pipeline_failure,
            configuration: meta.configuration.map(|hash| hash.to_string()).unwrap_or_default(),
            rescoring: meta.rescore.is_some(),
            connections,
            records: self.counts()?,
            deliveries: self.delivery_counts()?,
            deals_scored: meta.deals_scored,
            alarms: Vec::new(),
            relay: self.relay()?,
            certificate: None,
        })
    }

    /// Whether a sink is written to, in a word: what the file says, and what people said since.
    fn standing_of(&self, connection: &Connection) -> Result<&'static str, QueryError> {
        let row = self.reader().get::<Sinks>(&connection.name)?.unwrap_or_default();
        Ok(match (connection.mode, row.open, row.paused) {
            (Mode::Off, ..) => "off",
            (Mode::Observe | Mode::Live, true, Some(_)) => "paused",
            (Mode::Live, ..) | (Mode::Observe, true, None) => "live",
            (Mode::Observe, false, _) => "observe",
        })
    }

    /// Records by connection, stream and outcome.
    pub fn counts(&self) -> Result<Vec<CountView>, QueryError> {
        let mut counts = Vec::new();
        for row in self.reader().rows(Span::<Counters>::all()) {
            let ((connection, stream, outcome), count) = row?;
            counts.push(CountView {
                connection: connection.to_string(),
                stream: stream.to_string(),
                outcome: outcome.name().to_owned(),
                count,
            });
        }
        Ok(counts)
    }

    /// Scores computed since the store began.
    pub fn deals_scored(&self) -> Result<u64, QueryError> {
        Ok(self.reader().get::<Meta>(&())?.unwrap_or_default().deals_scored)
    }

    /// Objects that each sink still has to be told, dead letters included.
    pub fn open_deliveries(&self) -> Result<Vec<(String, u64)>, QueryError> {
        let mut open: Vec<(String, u64)> =
            self.catalog.sinks().map(|connection| (connection.name.to_string(), 0)).collect();
        for row in self.listed(None) {
            let (sink, objects, _held) = row?;
            if let Some((_, count)) = open.iter_mut().find(|(name, _)| *name == *sink) {
                *count += objects.len() as u64;
            }
        }
        Ok(open)
    }

    /// The total lines, by currency: all open deals, or those of one pipeline.
    pub fn totals(&self, pipeline: Option<&str>) -> Result<Vec<TotalsView>, QueryError> {
        let mut totals = Totals::new(&self.catalog.company.currency);
        for row in self.reader().rows(Span::<Deals>::all()) {
            let deal = row?.1.deal;
            let wanted = match (pipeline, &deal.pipeline) {
                (None, _) => true,
                (Some(wanted), Some(held)) => held.value == wanted,
                (Some(_), None) => false,
            };
            if let (true, Some(score)) = (wanted, &deal.score) {
                totals.add(score);
            }
        }
        Ok(text::totals(&totals))
    }

    /// Hash over every row, and the checkpoint it belongs to. Only while nothing is applied.
    pub fn rows_hash(&self) -> Result<(Checkpoint, Fingerprint), QueryError> {
        let checkpoint = self.reader().checkpoint().map_err(TableError::from)?;
        Ok((checkpoint, rows_hash(self.store.as_ref(), |_rows| {})?))
    }

    /// Whether the configuration has a sink of this name.
    pub fn is_sink(&self, name: &str) -> bool {
        self.catalog.connections().any(|it| *it.name == *name && it.connector.sink.is_some())
    }

    /// Whether a person may set the field `name` of the object.
    pub fn is_editable(&self, object: ObjectRef, name: &str) -> Result<(), Message> {
        self.catalog.is_editable(object, name)
    }

    /// Whether fields set by hand read.
    pub fn reads_as_edit(
        &self,
        object: ObjectRef,
        set: &[(CompactString, String)],
        at: Timestamp,
    ) -> Result<(), Message> {
        match self.catalog.edit(object, set, at) {
            Mapped::Change(_) => Ok(()),
            Mapped::Refused(message) => Err(message),
        }
    }

    /// Clients and deals that a sink has confirmed since an instant, after the object `after`: a page
    /// for whoever sends them again.
    pub fn told(&self, sink: &Slug, since: Timestamp, listing: &Listing) -> Result<Page<String>, QueryError> {
        let after = match &listing.after {
            None => None,
            Some(text) => Some(text.parse::<ObjectRef>().map_err(QueryError::Parameter)?),
        };
        let is_told = |sinks: &[SinkState]| {
            let state = sink_state(sinks, sink);
            state.and_then(|state| state.confirmed.as_ref()).is_some_and(|confirmed| confirmed.at >= since)
        };
        let mut rows: Vec<String> = Vec::new();
        let page = |rows: Vec<String>| Page { next: rows.last().cloned(), rows };
        let (clients, deals) = match after {
            None => (Some(Span::<Clients>::all()), Span::<Deals>::all()),
            Some(ObjectRef::Client(id)) => (Some(Span::all().after(&id)), Span::all()),
            Some(ObjectRef::Deal(id)) => (None, Span::all().after(&id)),
            Some(ObjectRef::Interaction(_) | ObjectRef::Task(_)) => return Ok(Page { rows, next: None }),
        };
        for row in clients.into_iter().flat_map(|span| self.reader().rows(span)) {
            let (id, row) = row?;
            if row.client.state == ClientState::Active && is_told(&row.sinks) {
                rows.push(ObjectRef::Client(id).to_string());
            }
            if rows.len() == listing.rows_max {
                return Ok(page(rows));
            }
        }
        for row in self.reader().rows(deals) {
            let (id, row) = row?;
            if is_told(&row.sinks) {
                rows.push(ObjectRef::Deal(id).to_string());
            }
            if rows.len() == listing.rows_max {
                return Ok(page(rows));
            }
        }
        Ok(Page { rows, next: None })
    }

    /// An instant in the company's zone, for people.
    pub fn local(&self, at: Timestamp) -> String {
        at.to_jiff().to_zoned(self.catalog.company.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// Whole calendar days from one instant to another in the company's zone.
    fn days(&self, from: Timestamp, to: Timestamp) -> i64 {
        let zone = &self.catalog.company.zone;
        let date = |at: Timestamp| at.to_jiff().to_zoned(zone.clone()).date();
        let span = date(from).until((jiff::Unit::Day, date(to)));
        span.map(|span| i64::from(span.get_days())).unwrap_or(0)
    }

    /// Journal time.
    pub fn journal_time(&self) -> Result<Timestamp, QueryError> {
        Ok(self.reader().get::<Meta>(&())?.unwrap_or_default().journal_time)
    }
}

/// An amount of hundredths with its point: `17500`, `0.5`.
fn main_units(minor: i64) -> String {
    Money::from_minor(minor, Currency::rub()).amount.to_string()
}

/// Basis points as percent: `35`, `7.25`.
fn percent(basis_points: i32) -> String {
    rust_decimal::Decimal::new(i64::from(basis_points), 2).normalize().to_string()
}
