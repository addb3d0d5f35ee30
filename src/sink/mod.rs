//! Sinks: pushing what changed into the systems where people work.
//!
//! A [`Sink`] is made of a connector's manifest and a connection's settings. [`Sink::push`] takes
//! deliveries that are due and tells the sink each object's state of now:
//!
//! 1. known there: the fields that differ from what the sink confirmed, nothing when none does;
//! 2. unknown: looked for by our id, then by telephone, e-mail or INN. One found: linked. Several:
//!    linked to the one with the smallest id, and said so. None: created;
//! 3. gone there (deleted, merged): the verdict says so, the caller forgets the crosswalk.
//!
//! Guaranteed: before a create an `Attempting` is journalled and synced, after its answer an
//! `Attempted`; after a create that may have taken effect the object is looked for before another
//! create, and where that is impossible a person decides. Two lanes push at one time, one push each:
//! what people wait for never stands behind a request of what nobody waits for, and finds a reserve
//! of the quota. They never push the same object, or creates that would find each other
//! ([`Claimed`]). Quotas are kept; waits end at the push's deadline; addresses with secrets and
//! personal data are not logged.
//! Not here: which deliveries are due and in which order (`task::deliver`), what becomes of the
//! rows (`outbox` through the pipeline), what the fields are (`mapping`).

use std::sync::Arc;

use compact_str::CompactString;
use serde_json::Value as Json;

use crate::base::{Clock, Message, Position, Secret, Slug, Timestamp};
use crate::connector::{FindBy, SinkSpec};
use crate::entry::{Attempted, Attempting, ObjectRef, Verdict};
use crate::field::FieldValue;
use crate::model::{Confirmed, Fault};
use crate::net::{Boxed, Quotas, Wire};

mod ask;
mod bitrix24;
mod caller;
mod claims;
mod fields;
mod form;
mod import;
mod item;
mod judge;
mod look;
mod provision;
mod push;

pub(crate) use ask::ask;
pub(crate) use caller::{Call, Caller, NotBefore, Reply};
pub use caller::{Lane, previous_of};
pub use claims::Claimed;
pub use item::marked;
pub(crate) use judge::{Judged, Ruling};
pub use look::{LookReport, Looked};
pub use provision::ProvisionReport;
pub(crate) use provision::fields_there;

/// Whether an earlier create may have taken effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// It was never tried, or surely failed.
    Fresh,
    /// It may have taken effect.
    Uncertain,
}

/// By what an object is looked for when our id is not known there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Telephone numbers, E.164.
    pub phones: Vec<CompactString>,
    /// E-mail addresses.
    pub emails: Vec<CompactString>,
    /// ИНН.
    pub inns: Vec<CompactString>,
}

impl Search {
    /// Whether there is something to look for by this.
    pub fn has(&self, by: FindBy) -> bool {
        match by {
            FindBy::Origin => true,
            FindBy::Phone => !self.phones.is_empty(),
            FindBy::Email => !self.emails.is_empty(),
            FindBy::Inn => !self.inns.is_empty(),
        }
    }
}

/// One object that the sink must learn.
#[derive(Debug, Clone)]
pub struct Work {
    /// The object.
    pub object: ObjectRef,
    /// Its version: what the fields were built from.
    pub version: Position,
    /// The foreign kind (`contact`).
    pub foreign_kind: CompactString,
    /// Every field as it should be, by the names of the sink.
    pub desired: Vec<(CompactString, Json)>,
    /// Fields that are written at creation and never changed after.
    pub create_only: Vec<CompactString>,
    /// What the sink last confirmed; `None` when it does not know the object.
    pub confirmed: Option<Confirmed>,
    /// Whether an earlier create may have taken effect.
    pub certainty: Certainty,
    /// By what it is looked for.
    pub search: Search,
    /// Whether it is made when it is not there; what is over need not be.
    pub make: bool,
    /// Whether it is made by the import of the sink, which starts nothing there.
    pub import: bool,
    /// Our id, as the sink holds it.
    pub origin: CompactString,
}

/// Where attempts are written down. Implemented over the journal.
pub trait Recorder: Send + Sync {
    /// Appends and syncs; returns when it is durable. On failure nothing is sent.
    fn attempting(&self, entry: Attempting) -> Boxed<'_, Result<Position, Message>>;

    /// Appends what came of it.
    fn attempted(&self, entry: Attempted) -> Boxed<'_, Result<(), Message>>;
}

/// A look writes nothing down, because it makes nothing.
struct Silent;

impl Recorder for Silent {
    fn attempting(&self, _entry: Attempting) -> Boxed<'_, Result<Position, Message>> {
        Box::pin(async { Err(Message::new("sink-look-writes")) })
    }

    fn attempted(&self, _entry: Attempted) -> Boxed<'_, Result<(), Message>> {
        Box::pin(async { Err(Message::new("sink-look-writes")) })
    }
}

/// What became of one object in a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Made.
    Created,
    /// Found there and linked; fields that differed were written.
    Linked,
    /// Changed.
    Updated,
    /// The sink knew everything: no request.
    Unchanged,
    /// See the verdict.
    Failed(Verdict, Message),
}

/// Why a push stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Nothing should be pushed before this instant.
    pub until: Timestamp,
    /// Who has to act, if it lasts.
    pub fault: Fault,
    /// Why.
    pub reason: Message,
}

/// What came of a push. Everything under `ended` is journalled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushReport {
    /// Objects that were tried.
    pub ended: Vec<(ObjectRef, Ending)>,
    /// Objects that were not tried, and not before when to try them: their rows stay due.
    pub untouched: Vec<(ObjectRef, Option<Timestamp>)>,
    /// What people should know (several candidates).
    pub notes: Vec<(ObjectRef, Message)>,
    /// Set when the sink must rest.
    pub stop: Option<Stop>,
    /// Set when the sink refused to import: history must rest, and everything else goes.
    pub import_refused: Option<Message>,
    /// Requests sent.
    pub requests: u32,
}

/// Why a sink cannot be made or prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    /// Whose fault.
    pub fault: Fault,
    /// Why, and the next step.
    pub message: Message,
    /// Not before when to try again.
    pub retry_at: Option<Timestamp>,
}

/// A connection's settings, read.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Open ones.
    pub values: Vec<(String, FieldValue)>,
    /// Secrets, out of the vault.
    pub secrets: Vec<(String, Secret)>,
}

impl Settings {
    /// The setting `name` as a secret: out of the secrets, else an open text.
    pub(crate) fn secret(&self, name: &str) -> Result<Secret, SinkError> {
        let secret = self.secrets.iter().find(|(key, _)| key == name).map(|(_, secret)| secret.clone());
        let open = || {
            let value = self.values.iter().find(|(key, _)| key == name);
            value.and_then(|(_, value)| value.as_text()).map(Secret::new)
        };
        secret.or_else(open).filter(|it| !it.expose().trim().is_empty()).ok_or_else(|| SinkError {
            fault: Fault::Connection,
            message: Message::new("sink-setting-missing").with("name", name),
            retry_at: None,
        })
    }
}

/// A sink, ready to push.
pub struct Sink {
    name: Slug,
    spec: Arc<SinkSpec>,
    upper: Way,
    lower: Way,
    claims: claims::Claims,
    clock: Arc<dyn Clock>,
}

/// The way of one lane to the foreign system.
struct Way {
    caller: Caller,
    /// One push at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Sink {
    /// The sink of the connection `name`.
    pub fn new(
        name: Slug,
        spec: Arc<SinkSpec>,
        settings: &Settings,
        wire: Arc<dyn Wire>,
        quotas: Arc<Quotas>,
        clock: Arc<dyn Clock>,
    ) -> Result<Sink, SinkError> {
        let way = |lane| {
            let (spec, wire, quotas) = (Arc::clone(&spec), Arc::clone(&wire), Arc::clone(&quotas));
            let caller = Caller::new(spec, settings, wire, quotas, Arc::clone(&clock), lane)?;
            Ok::<Way, SinkError>(Way { caller, turn: tokio::sync::Mutex::new(()) })
        };
        let (upper, lower) = (way(Lane::Upper)?, way(Lane::Lower)?);
        Ok(Sink { name, spec, upper, lower, claims: claims::Claims::default(), clock })
    }

    fn way(&self, lane: Lane) -> &Way {
        match lane {
            Lane::Upper => &self.upper,
            Lane::Lower => &self.lower,
        }
    }

    /// Makes the fields of our own that are missing. May run twice at one time: what another run
    /// has just added counts as there.
    pub async fn provision(&self, deadline: Timestamp) -> Result<ProvisionReport, SinkError> {
        let _turn = self.upper.turn.lock().await;
        if let Err(rest) = self.upper.caller.knock(deadline).await {
            return Err(SinkError { fault: rest.fault, message: rest.reason, retry_at: Some(rest.until) });
        }
        provision::provision(&self.spec, &self.upper.caller, deadline).await
    }

    /// Reads works and claims them, but for what the push of the other lane has; they are ours until
    /// the answer is dropped, which is after what came of them is applied.
    pub fn claim<E>(&self, select: impl FnOnce() -> Result<Vec<Work>, E>) -> Result<Claimed<'_>, E> {
        self.claims.claim(&self.spec, select)
    }

    /// Looks for objects there without writing anything; waits for quotas until `deadline` at the most.
    pub async fn look(&self, works: Vec<Work>, deadline: Timestamp) -> LookReport {
        let _turn = self.lower.turn.lock().await;
        Box::pin(push::Push::new(self, &self.lower.caller, &Silent, deadline).look(works)).await
    }

    /// Tells the sink each object; waits for quotas until `deadline` at the most.
    pub async fn push(&self, lane: Lane, works: Vec<Work>, recorder: &dyn Recorder, deadline: Timestamp) -> PushReport {
        let way = self.way(lane);
        let _turn = way.turn.lock().await;
        // Boxed: the futures of a push are large, and there is one push per lane.
        Box::pin(push::Push::new(self, &way.caller, recorder, deadline).run(works)).await
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sink({})", self.name)
    }
}
