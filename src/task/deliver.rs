//! Brings one sink up to date: takes due rows of the outbox, builds each request from the object's
//! state of now, pushes, and waits until the pipeline has applied what came of it.
//!
//! One at a time per sink: while the answers of a push are not applied, its rows are not looked at
//! again. A row that is found `InFlight` here was left by a process that ended between request
//! and answer: its create is uncertain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::Ground;
use crate::base::limits::{
    DELIVER_CHECK_MS, DELIVERY_BATCH_MAX, DELIVERY_SCAN_ROWS_MAX, PUSH_DEADLINE_MS, SINK_REST_MS,
};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Locale, Message, Position, Slug, Timestamp};
use crate::catalog::{Catalog, Connection};
use crate::connector::{ClientSort, ObjectKind, ObjectSpec, SinkSpec};
use crate::entry::{Attempted, Attempting, Entry, ObjectRef};
use crate::mapping::{Desired, NOBODY, OutObject, OutTask, Readiness, Ref};
use crate::model::{Client, ClientKind, ClientState, ContactPoint, Deal, Delivery, DeliveryState, Interaction, Task};
use crate::net::Boxed;
use crate::outbox;
use crate::scoring;
use crate::sink::{Certainty, Ending, Recorder, Search, Sink, Work};
use crate::tables::rows::{ClientRow, SinkState, sink_state};
use crate::tables::{Clients, Deals, Interactions, Pending, Reader, Span, TableError, Tasks};

/// Why sinks rest, by name, for status and metrics.
#[derive(Debug, Clone, Default)]
pub struct Stops(Arc<Mutex<BTreeMap<Slug, Message>>>);

impl Stops {
    /// Why each resting sink rests.
    pub fn all(&self) -> BTreeMap<Slug, Message> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, sink: &Slug, reason: Option<Message>) {
        let mut stops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match reason {
            Some(reason) => stops.insert(sink.clone(), reason),
            None => stops.remove(sink),
        };
    }
}

/// One sink and what is needed to feed it.
pub struct Deliverer {
    /// What it stands on.
    pub ground: Ground,
    /// The sink.
    pub sink: Sink,
    /// Its connection.
    pub name: Slug,
    /// The configuration.
    pub catalog: Arc<Catalog>,
    /// Where it says that it rests.
    pub stops: Stops,
    /// Where endings are counted.
    pub metrics: Arc<Metrics>,
    /// Language of what people read in the CRM.
    pub locale: Locale,
    /// Changes when a person has given the sink new rights: a rest for want of them ends.
    pub rights: Option<watch::Receiver<u64>>,
}

/// Attempts go to the journal.
struct JournalRecorder(Ground);

impl Recorder for JournalRecorder {
    fn attempting(&self, entry: Attempting) -> Boxed<'_, Result<Position, Message>> {
        Box::pin(async move { self.0.append(&Entry::Attempting(entry)).await.map_err(|error| refusal(&error)) })
    }

    fn attempted(&self, entry: Attempted) -> Boxed<'_, Result<(), Message>> {
        Box::pin(async move {
            self.0.append(&Entry::Attempted(entry)).await.map(|_position| ()).map_err(|error| refusal(&error))
        })
    }
}

fn refusal(error: &crate::journal::AppendError) -> Message {
    use crate::journal::AppendError;
    match error {
        AppendError::NoSpace(message)
        | AppendError::TooLarge(message)
        | AppendError::Failed(message)
        | AppendError::Closed(message) => message.clone(),
    }
}

impl Deliverer {
    /// Runs until the daemon stops.
    pub async fn run(mut self) {
        let mut applied = self.ground.pipeline.applied();
        // Attempts of the run before must be applied before any row is believed.
        if self.ground.pipeline.wait(self.ground.journal.head()).await.is_err() {
            return;
        }
        self.provision().await;
        let mut cursors = Cursors::default();
        while !self.ground.stopping() {
            applied.borrow_and_update();
            let now = self.ground.clock.now();
            let selected = {
                let reader = Reader::new(self.ground.store.as_ref());
                self.select(&reader, &mut cursors, now)
            };
            match selected {
                Ok(works) if works.is_empty() => self.ground.nudged(&mut applied, DELIVER_CHECK_MS).await,
                Ok(works) => self.push(works).await,
                Err(error) => {
                    error!(sink.name = %self.name, %error, "the outbox cannot be read");
                    self.ground.rest(DELIVER_CHECK_MS).await;
                }
            }
        }
    }

    /// Custom fields first: values of fields that are not there would be dropped in silence.
    async fn provision(&mut self) {
        while !self.ground.stopping() {
            let deadline = self.ground.clock.now().plus_ms(PUSH_DEADLINE_MS);
            match self.sink.provision(deadline).await {
                Ok(report) => {
                    self.stops.set(&self.name, None);
                    info!(sink.name = %self.name, sink.added = report.added.len(), "sink is ready");
                    return;
                }
                Err(error) => {
                    warn!(sink.name = %self.name, "the sink cannot be prepared: {}", error.message);
                    self.stops.set(&self.name, Some(error.message.clone()));
                    let now = self.ground.clock.now();
                    let rest = error.retry_at.map_or(SINK_REST_MS, |at| at.ms_since(now).clamp(1_000, 3_600_000));
                    self.rest(rest.unsigned_abs()).await;
                }
            }
        }
    }

    /// Until the time is over, the daemon stops, or a person has given new rights.
    async fn rest(&mut self, ms: u64) {
        let Some(rights) = &mut self.rights else { return self.ground.rest(ms).await };
        tokio::select! {
            // A sender that is gone gives no rights any more.
            Ok(()) = rights.changed() => {}
            () = self.ground.rest(ms) => {}
        }
    }

    async fn push(&mut self, works: Vec<Work>) {
        let deadline = self.ground.clock.now().plus_ms(PUSH_DEADLINE_MS);
        let recorder = JournalRecorder(self.ground.clone());
        let report = self.sink.push(works, &recorder, deadline).await;
        // Until the pipeline has passed the attempts, their rows stay as they are.
        if self.ground.pipeline.wait(self.ground.journal.head()).await.is_err() {
            return;
        }
        for (_, ending) in &report.ended {
            let labels = [("sink", &*self.name), ("ending", ending_name(ending))];
            self.metrics.series(Metric::Attempts, &labels).add(1);
        }
        for (object, note) in &report.notes {
            info!(sink.name = %self.name, object = %object, "{note}");
        }
        match report.stop {
            Some(stop) => {
                warn!(sink.name = %self.name, "the sink rests until {}: {}", stop.until, stop.reason);
                self.stops.set(&self.name, Some(stop.reason));
                let rest = stop.until.ms_since(self.ground.clock.now()).clamp(100, 3_600_000);
                self.rest(rest.unsigned_abs()).await;
            }
            None => {
                self.stops.set(&self.name, None);
                // Nothing could be tried (quota, budget): not before the first that may be.
                if report.ended.is_empty() {
                    let now = self.ground.clock.now();
                    let first = report.untouched.iter().filter_map(|(_, at)| *at).min();
                    let rest = first.map_or(1_000, |at| at.ms_since(now).clamp(100, 60_000));
                    self.ground.rest(rest.unsigned_abs()).await;
                }
            }
        }
    }

    /// Works that are due and wait for nothing: tasks, interactions and deals whose client is known
    /// there before new clients, so that a lead is whole soon after its contact.
    fn select(&self, reader: &Reader<'_>, cursors: &mut Cursors, now: Timestamp) -> Result<Vec<Work>, TableError> {
        let mut works = Vec::new();
        for rank in [3u8, 2, 1, 0] {
            self.select_rank(reader, rank, cursors, now, &mut works)?;
        }
        Ok(works)
    }

    fn select_rank(
        &self,
        reader: &Reader<'_>,
        rank: u8,
        cursors: &mut Cursors,
        now: Timestamp,
        works: &mut Vec<Work>,
    ) -> Result<(), TableError> {
        let place = usize::from(rank);
        let mut span = Span::<Pending>::of(&(self.name.clone(), rank));
        if let Some(after) = cursors.places[place].take() {
            span = span.from(&after);
        }
        let mut seen = 0;
        for row in reader.rows(span) {
            let (key, objects) = row?;
            for object in objects {
                if works.len() >= DELIVERY_BATCH_MAX {
                    cursors.places[place] = Some(key);
                    return Ok(());
                }
                seen += 1;
                works.extend(self.work(reader, object, cursors, now)?);
            }
            // Bound: the rest of the listing is looked at in the next round.
            if seen >= DELIVERY_SCAN_ROWS_MAX {
                cursors.places[place] = Some(key);
                return Ok(());
            }
        }
        Ok(())
    }

    fn work(
        &self,
        reader: &Reader<'_>,
        object: ObjectRef,
        cursors: &mut Cursors,
        now: Timestamp,
    ) -> Result<Option<Work>, TableError> {
        let Some(subject) = Subject::read(reader, object)? else { return Ok(None) };
        let Some(state) = sink_state(subject.sinks(), &self.name) else { return Ok(None) };
        let Some(delivery) = &state.delivery else { return Ok(None) };
        let Some(certainty) = self.certainty_when_due(delivery, cursors, now) else { return Ok(None) };
        let Some(connection) = self.catalog.connection(&self.name) else { return Ok(None) };
        let Some(spec) = &connection.connector.sink else { return Ok(None) };
        let Some(kind) = kind_of(spec, &subject, state) else { return Ok(None) };
        let Some(desired) = self.desired(connection, kind, &subject) else { return Ok(None) };
        Ok(Some(Work {
            object,
            // What was asked for came before this reading of the object: the sink learns at least that.
            version: subject.version().max(delivery.wanted),
            foreign_kind: CompactString::from(&*kind.kind),
            desired: desired.fields,
            create_only: desired.create_only,
            confirmed: state.confirmed.clone(),
            certainty,
            search: subject.search(),
            make: subject.task().is_none_or(Task::is_open),
            origin: object.to_string().into(),
        }))
    }

    /// Whether the delivery may be tried now, and how sure we are that it never took effect.
    fn certainty_when_due(&self, delivery: &Delivery, cursors: &mut Cursors, now: Timestamp) -> Option<Certainty> {
        match delivery.state {
            // The process before us was killed between request and answer, perhaps a moment ago.
            DeliveryState::InFlight { attempting } => {
                let begun = self.begun(attempting, cursors)?;
                let settle_ms = self.catalog.settle_ms(&self.name);
                certainty(&outbox::restarted(delivery.clone(), begun, settle_ms), now)
            }
            DeliveryState::Uncertain { .. }
            | DeliveryState::Due { .. }
            | DeliveryState::Dead { .. }
            | DeliveryState::Discarded => certainty(delivery, now),
        }
    }

    /// When the request announced at `attempting` was begun; long ago when the entry is gone.
    fn begun(&self, attempting: Position, cursors: &mut Cursors) -> Option<Timestamp> {
        if let Some((position, begun)) = cursors.begun
            && position == attempting
        {
            return Some(begun);
        }
        match self.ground.journal.read(attempting, 1, usize::MAX) {
            Ok(entries) => {
                let entry = entries.first().filter(|entry| entry.position == attempting);
                let begun = entry.map_or(Timestamp::ZERO, |entry| entry.at);
                cursors.begun = Some((attempting, begun));
                Some(begun)
            }
            Err(error) => {
                error!(sink.name = %self.name, %error, "an attempt cannot be read; its delivery waits");
                None
            }
        }
    }

    fn desired(&self, connection: &Connection, kind: &ObjectSpec, subject: &Subject) -> Option<Desired> {
        let explanation = subject
            .deal()
            .and_then(|deal| deal.score.as_ref())
            .map(|score| scoring::explain(score, self.locale))
            .unwrap_or_default();
        let foreign = |reference: Ref| match reference {
            Ref::Client => subject.client().and_then(|client| foreign_id(&client.foreign, &self.name)),
            Ref::Deal => subject
                .deal()
                .and_then(|deal| deal.foreign.iter().find(|it| it.connection == self.name).map(|it| it.id.to_string())),
        };
        let title = subject.task().map(|task| task.title.render(self.locale)).unwrap_or_default();
        let end = subject.task().and_then(|task| task.state.end());
        let result = end.map(|end| end.by.render(self.locale)).unwrap_or_default();
        let object = OutObject {
            task: subject.task().map(|task| OutTask { task, title: &title, result: &result }),
            client: subject.client(),
            deal: subject.deal(),
            interaction: subject.interaction(),
            explanation: &explanation,
            zone: &self.catalog.company.zone,
            foreign: &foreign,
            employee: NOBODY,
        };
        match self.catalog.map_outbound(connection, &kind.mapping, &object) {
            Readiness::Ready(desired) => Some(desired),
            // It waits for rows that go before it, or is told by another mapping.
            Readiness::Waits(_) | Readiness::NotMeant => None,
        }
    }
}

fn ending_name(ending: &Ending) -> &'static str {
    match ending {
        Ending::Created => "created",
        Ending::Linked => "linked",
        Ending::Updated => "updated",
        Ending::Unchanged => "unchanged",
        Ending::Failed(..) => "failed",
    }
}

/// What is remembered from look to look.
#[derive(Default)]
struct Cursors {
    /// Where the last look at each rank of the listing ended.
    places: [Option<(Slug, u8, crate::tables::Block)>; 4],
    /// When the request of an `Attempting` was begun: the rows of one batch share it.
    begun: Option<(Position, Timestamp)>,
}

fn foreign_id(foreign: &[(crate::model::Foreign, crate::base::ClientId)], sink: &Slug) -> Option<String> {
    foreign.iter().find(|(it, _)| it.connection == *sink).map(|(it, _)| it.id.to_string())
}

/// Whether a delivery whose request is not under way may be tried now.
fn certainty(delivery: &Delivery, now: Timestamp) -> Option<Certainty> {
    let is_due = outbox::due_at(delivery).is_some_and(|at| at <= now);
    let certainty = match delivery.state {
        DeliveryState::Uncertain { .. } => Certainty::Uncertain,
        DeliveryState::Due { .. } => Certainty::Fresh,
        DeliveryState::InFlight { .. } | DeliveryState::Dead { .. } | DeliveryState::Discarded => return None,
    };
    is_due.then_some(certainty)
}

/// The foreign kind: what the sink already holds, else what the manifest keeps such objects in.
fn kind_of<'s>(spec: &'s SinkSpec, subject: &Subject, state: &SinkState) -> Option<&'s ObjectSpec> {
    if let Some(confirmed) = &state.confirmed {
        return spec.object(&confirmed.foreign_kind);
    }
    match subject {
        Subject::Client(row, _) => spec.kind_of(ObjectKind::Client, Some(sort_of(&row.client))),
        Subject::Deal { .. } => spec.kind_of(ObjectKind::Deal, None),
        Subject::Interaction { .. } => spec.kind_of(ObjectKind::Interaction, None),
        Subject::Task { .. } => spec.kind_of(ObjectKind::Task, None),
    }
}

fn sort_of(client: &Client) -> ClientSort {
    match client.kind {
        ClientKind::Person => ClientSort::Person,
        ClientKind::Company => ClientSort::Company,
    }
}

/// An object with what surrounds it.
enum Subject {
    /// A client, and the deal whose score stands for it.
    Client(Box<ClientRow>, Option<Box<Deal>>),
    /// A deal and its client.
    Deal { deal: Box<Deal>, client: Option<Box<Client>>, sinks: Vec<SinkState> },
    /// An interaction with its deal and client.
    Interaction {
        interaction: Box<Interaction>,
        deal: Option<Box<Deal>>,
        client: Option<Box<Client>>,
        sinks: Vec<SinkState>,
    },
    /// A task with its deal and client.
    Task { task: Box<Task>, deal: Option<Box<Deal>>, client: Option<Box<Client>>, sinks: Vec<SinkState> },
}

impl Subject {
    fn read(reader: &Reader<'_>, object: ObjectRef) -> Result<Option<Subject>, TableError> {
        Ok(match object {
            ObjectRef::Client(id) => match reader.get::<Clients>(&id)? {
                Some(row) if row.client.state == ClientState::Active => {
                    let deal = best_deal(reader, &row)?;
                    Some(Subject::Client(Box::new(row), deal))
                }
                Some(_) | None => None,
            },
            ObjectRef::Deal(id) => match reader.get::<Deals>(&id)? {
                Some(row) if !row.deal.hidden => {
                    let client = client_of(reader, row.deal.client)?;
                    Some(Subject::Deal { deal: Box::new(row.deal), client, sinks: row.sinks })
                }
                Some(_) | None => None,
            },
            ObjectRef::Interaction(id) => match reader.get::<Interactions>(&id)? {
                Some(row) => {
                    let client = client_of(reader, row.interaction.client)?;
                    let deal = match row.interaction.deal {
                        Some(deal) => reader.get::<Deals>(&deal)?.map(|row| Box::new(row.deal)),
                        None => None,
                    };
                    Some(Subject::Interaction {
                        interaction: Box::new(row.interaction),
                        deal,
                        client,
                        sinks: row.sinks,
                    })
                }
                None => None,
            },
            ObjectRef::Task(id) => match reader.get::<Tasks>(&id)? {
                Some(row) => {
                    let client = client_of(reader, row.task.client)?;
                    let deal = match row.task.deal {
                        Some(deal) => reader.get::<Deals>(&deal)?.map(|row| Box::new(row.deal)),
                        None => None,
                    };
                    Some(Subject::Task { task: Box::new(row.task), deal, client, sinks: row.sinks })
                }
                None => None,
            },
        })
    }

    fn sinks(&self) -> &[SinkState] {
        match self {
            Subject::Client(row, _) => &row.sinks,
            Subject::Deal { sinks, .. } | Subject::Interaction { sinks, .. } | Subject::Task { sinks, .. } => sinks,
        }
    }

    fn client(&self) -> Option<&Client> {
        match self {
            Subject::Client(row, _) => Some(&row.client),
            Subject::Deal { client, .. } | Subject::Interaction { client, .. } | Subject::Task { client, .. } => {
                client.as_deref()
            }
        }
    }

    fn deal(&self) -> Option<&Deal> {
        match self {
            Subject::Client(_, deal) | Subject::Interaction { deal, .. } | Subject::Task { deal, .. } => {
                deal.as_deref()
            }
            Subject::Deal { deal, .. } => Some(deal),
        }
    }

    fn interaction(&self) -> Option<&Interaction> {
        match self {
            Subject::Interaction { interaction, .. } => Some(interaction),
            Subject::Client(..) | Subject::Deal { .. } | Subject::Task { .. } => None,
        }
    }

    fn task(&self) -> Option<&Task> {
        match self {
            Subject::Task { task, .. } => Some(task),
            Subject::Client(..) | Subject::Deal { .. } | Subject::Interaction { .. } => None,
        }
    }

    fn version(&self) -> Position {
        match self {
            Subject::Client(row, _) => row.client.version,
            Subject::Deal { deal, .. } => deal.version,
            Subject::Interaction { interaction, .. } => interaction.id.position(),
            Subject::Task { task, .. } => task.version,
        }
    }

    /// By what a client is looked for in a sink that does not know our id.
    fn search(&self) -> Search {
        let Subject::Client(row, _) = self else { return Search::default() };
        let mut search = Search::default();
        for held in &row.client.contacts {
            match &held.point {
                ContactPoint::Phone(phone) if phone.extension.is_none() => search.phones.push(phone.e164.clone()),
                ContactPoint::Email(email) => search.emails.push(email.address.clone()),
                ContactPoint::Phone(_) | ContactPoint::Messenger(..) | ContactPoint::Visitor(_) => {}
            }
        }
        search.inns.extend(row.client.inn.as_ref().map(|inn| inn.value.0.clone()));
        search
    }
}

fn client_of(reader: &Reader<'_>, client: Option<crate::base::ClientId>) -> Result<Option<Box<Client>>, TableError> {
    let Some(client) = client else { return Ok(None) };
    Ok(reader.get::<Clients>(&client)?.map(|row| Box::new(row.client)))
}

/// The open deal whose class is the client's.
fn best_deal(reader: &Reader<'_>, row: &ClientRow) -> Result<Option<Box<Deal>>, TableError> {
    for id in &row.deals {
        let deal = reader.get::<Deals>(id)?.map(|row| row.deal);
        if let Some(deal) = deal.filter(|deal| deal.score.as_ref().map(|score| score.class) == row.class) {
            return Ok(Some(Box::new(deal)));
        }
    }
    Ok(None)
}
