//! Brings one sink up to date: takes due rows of the outbox, builds each request from the object's
//! state of now, pushes, and waits until the pipeline has applied what came of it.
//!
//! Two lanes side by side, one push at a time each: what people wait for (a record of now), and what
//! nobody waits for (history, scores). A lead so never waits for a batch of scores that is being
//! worked on there, and finds a reserve of the quota (`docs/decisions/2026-11-22-lanes.md`).
//! While the answers of a push are not applied, its rows are not looked at again
//! ([`Sink::claim`]). A row that is found `InFlight` here was left by a process that ended between
//! request and answer: its create is uncertain.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::Ground;
use super::missing::MissingWords;
use crate::alarm::Stopped;
use crate::base::limits::{
    DELIVER_CHECK_MS, DELIVERY_BATCH_MAX, DELIVERY_SCAN_ROWS_MAX, IMPORT_REST_MS, PROVISION_EVERY_MS, PUSH_DEADLINE_MS,
    SINK_REST_MS,
};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Locale, Message, Position, Slug, Timestamp};
use crate::catalog::Catalog;
use crate::entry::{Attempted, Attempting, Entry, ObjectRef};
use crate::mapping::Vocabulary;
use crate::model::{Delivery, DeliveryState, Fault};
use crate::net::Boxed;
use crate::outbox;
use crate::plan::{self, Ids, Subject, Telling, Told};
use crate::sink::{self, Certainty, Claimed, Ending, Recorder, Sink, Work};
use crate::tables::rows::SinkRow;
use crate::tables::{Lane, Pending, Reader, Sinks, Span, TableError};

/// Why sinks rest, by name, for status, metrics and alarms.
#[derive(Debug, Clone, Default)]
pub struct Stops(Arc<Mutex<BTreeMap<Slug, Stopped>>>);

impl Stops {
    /// Why each resting sink rests.
    pub fn all(&self) -> BTreeMap<Slug, Stopped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says why a sink rests, and until when. Since when nothing goes is remembered from the first
    /// time on.
    pub fn stopped(&self, sink: &Slug, now: Timestamp, until: Timestamp, fault: Fault, reason: Message) {
        let mut stops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = stops.get(sink);
        let since = before.map_or(now, |it| it.since);
        let failures = before.map_or(0, |it| it.failures).saturating_add(1);
        let wants_person = match fault {
            Fault::Connection => true,
            Fault::Data | Fault::Sink | Fault::Uzel => false,
        };
        stops.insert(sink.clone(), Stopped { since, until: Some(until), wants_person, failures, reason });
    }

    /// The sink takes what it is told.
    pub fn goes(&self, sink: &Slug) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(sink);
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
    /// Where it says what the sink has no words for.
    pub missing: MissingWords,
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

pub(super) fn refusal(error: &crate::journal::AppendError) -> Message {
    use crate::journal::AppendError;
    match error {
        AppendError::NoSpace(message)
        | AppendError::TooLarge(message)
        | AppendError::Failed(message)
        | AppendError::Closed(message) => message.clone(),
    }
}

/// Waits until the sink may be written to. `false`: the daemon stops.
///
/// What is asked is the row of the sink, which the pipeline keeps: a plan applied while the daemon
/// runs opens it without a restart.
pub async fn opened(ground: &mut Ground, sink: &Slug) -> bool {
    let mut applied = ground.pipeline.applied();
    while !ground.stopping() {
        applied.borrow_and_update();
        match Reader::new(ground.store.as_ref()).get::<Sinks>(sink) {
            Ok(row) if row.as_ref().is_some_and(SinkRow::delivers) => return true,
            Ok(_) => ground.nudged(&mut applied, SINK_REST_MS.unsigned_abs()).await,
            Err(error) => {
                error!(sink.name = %sink, %error, "the row of the sink cannot be read");
                ground.rest(DELIVER_CHECK_MS).await;
            }
        }
    }
    false
}

impl Deliverer {
    /// Runs until the daemon stops.
    pub async fn run(mut self) {
        // Attempts of the run before must be applied before any row is believed.
        if self.ground.pipeline.wait(self.ground.journal.head()).await.is_err() {
            return;
        }
        if !opened(&mut self.ground, &self.name).await {
            return;
        }
        self.provision().await;
        tokio::join!(self.serve(sink::Lane::Upper), self.serve(sink::Lane::Lower), self.keep_fields());
    }

    /// Somebody may remove our fields there: what is written into a field that is not there is dropped
    /// without a word. Now and then they are looked at, and made again.
    async fn keep_fields(&self) {
        let mut ground = self.ground.clone();
        loop {
            ground.rest(PROVISION_EVERY_MS).await;
            if ground.stopping() || !opened(&mut ground, &self.name).await {
                return;
            }
            match self.sink.provision(self.ground.clock.now().plus_ms(PUSH_DEADLINE_MS)).await {
                Ok(report) if report.added.is_empty() => {}
                Ok(report) => {
                    let added = report.added.len();
                    warn!(sink.name = %self.name, sink.added = added, "fields of ours were removed there and made again");
                }
                // A push that fails for the same reason says so to people.
                Err(error) => warn!(sink.name = %self.name, "the fields cannot be looked at: {}", error.message.id),
            }
        }
    }

    /// Brings up to date what is in one lane, until the daemon stops.
    async fn serve(&self, lane: sink::Lane) {
        let mut served = Served {
            deliverer: self,
            lane,
            ground: self.ground.clone(),
            rights: self.rights.clone(),
            cursors: Cursors::default(),
            stopped: false,
        };
        served.run().await;
    }

    /// Custom fields first: values of fields that are not there would be dropped in silence.
    async fn provision(&mut self) {
        while !self.ground.stopping() {
            let deadline = self.ground.clock.now().plus_ms(PUSH_DEADLINE_MS);
            match self.sink.provision(deadline).await {
                Ok(report) => {
                    self.stops.goes(&self.name);
                    info!(sink.name = %self.name, sink.added = report.added.len(), "sink is ready");
                    return;
                }
                Err(error) => {
                    warn!(sink.name = %self.name, "the sink cannot be prepared: {}", error.message);
                    let now = self.ground.clock.now();
                    let rest = error.retry_at.map_or(SINK_REST_MS, |at| at.ms_since(now).clamp(1_000, 3_600_000));
                    self.stops.stopped(&self.name, now, now.plus_ms(rest), error.fault, error.message.clone());
                    self.rest(rest.unsigned_abs()).await;
                }
            }
        }
    }

    /// Until the time is over, the daemon stops, or a person has given new rights.
    async fn rest(&mut self, ms: u64) {
        rest(&mut self.ground, &mut self.rights, ms).await;
    }

    /// Works of a lane that are due and wait for nothing: tasks, interactions and deals whose client
    /// is known there before new clients, so that a lead is whole soon after its contact.
    fn select(
        &self,
        lane: sink::Lane,
        reader: &Reader<'_>,
        cursors: &mut Cursors,
        now: Timestamp,
    ) -> Result<Vec<Work>, TableError> {
        let lanes: &[Lane] = match lane {
            sink::Lane::Upper => &[Lane::Urgent],
            sink::Lane::Lower => &[Lane::Quiet, Lane::Later],
        };
        cursors.vocabulary = None;
        let mut works = Vec::new();
        let history_rests = now < cursors.history_rests_until;
        for lane in lanes.iter().filter(|lane| **lane != Lane::Quiet || !history_rests) {
            for rank in [3u8, 2, 1, 0] {
                self.select_rank(reader, lane.of_rank(rank), cursors, now, &mut works)?;
            }
            // A plan does not share a push with scores.
            if !works.is_empty() {
                break;
            }
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
        let mut span = Span::<Pending>::of(&(self.name.clone(), rank));
        if let Some(after) = cursors.places.remove(&rank) {
            span = span.from(&after);
        }
        let quiet = Lane::of_key(rank) == Lane::Quiet;
        let mut seen = 0;
        for row in reader.rows(span) {
            let (key, objects) = row?;
            for object in objects {
                if works.len() >= DELIVERY_BATCH_MAX {
                    cursors.places.insert(rank, key);
                    return Ok(());
                }
                seen += 1;
                works.extend(self.work(reader, (object, quiet), cursors, now)?);
            }
            // Bound: the rest of the listing is looked at in the next round.
            if seen >= DELIVERY_SCAN_ROWS_MAX {
                cursors.places.insert(rank, key);
                return Ok(());
            }
        }
        Ok(())
    }

    fn work(
        &self,
        reader: &Reader<'_>,
        (object, quiet): (ObjectRef, bool),
        cursors: &mut Cursors,
        now: Timestamp,
    ) -> Result<Option<Work>, TableError> {
        let Some(subject) = Subject::read(reader, object)? else { return Ok(None) };
        let Some(state) = subject.state(&self.name) else { return Ok(None) };
        let Some(delivery) = &state.delivery else { return Ok(None) };
        let Some(certainty) = self.certainty_when_due(delivery, cursors, now) else { return Ok(None) };
        let Some(connection) = self.catalog.connection(&self.name) else { return Ok(None) };
        let vocabulary = match &cursors.vocabulary {
            Some(held) => held,
            None => cursors.vocabulary.insert(plan::vocabulary(reader, connection)?),
        };
        let telling = Telling { ids: Ids::Given, certainty, quiet };
        let told = plan::work(&self.catalog, connection, self.locale, &subject, state, telling, vocabulary);
        Ok(match told {
            Told::Work(work, _, left_out) => {
                for it in left_out {
                    let field = it.field.clone();
                    // The word itself may be anything that somebody typed: it is no matter of logs.
                    if self.missing.left_out(&self.name, it, now) {
                        warn!(sink.name = %self.name, object = %object, "{field} is left out: the sink has no such word");
                    }
                }
                Some(*work)
            }
            // It waits for rows that go before it, or is told by another mapping.
            Told::Waits(_) | Told::Nothing => None,
        })
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
}

/// Until the time is over, the daemon stops, or a person has given new rights.
async fn rest(ground: &mut Ground, rights: &mut Option<watch::Receiver<u64>>, ms: u64) {
    let Some(rights) = rights else { return ground.rest(ms).await };
    tokio::select! {
        // A sender that is gone gives no rights any more.
        Ok(()) = rights.changed() => {}
        () = ground.rest(ms) => {}
    }
}

/// One lane of a sink at work.
struct Served<'a> {
    deliverer: &'a Deliverer,
    lane: sink::Lane,
    ground: Ground,
    rights: Option<watch::Receiver<u64>>,
    cursors: Cursors,
    /// Whether this lane has said that the sink rests: the other does not unsay it.
    stopped: bool,
}

impl<'a> Served<'a> {
    async fn run(&mut self) {
        let mut applied = self.ground.pipeline.applied();
        let name = &self.deliverer.name;
        while !self.ground.stopping() {
            // Paused between two rounds: nothing goes until a person goes on.
            if !opened(&mut self.ground, name).await {
                return;
            }
            applied.borrow_and_update();
            match self.claim() {
                Ok(claimed) if claimed.works.is_empty() => {
                    drop(claimed);
                    self.ground.nudged(&mut applied, DELIVER_CHECK_MS).await;
                }
                Ok(claimed) => self.push(claimed).await,
                Err(error) => {
                    error!(sink.name = %name, %error, "the outbox cannot be read");
                    self.ground.rest(DELIVER_CHECK_MS).await;
                }
            }
        }
    }

    fn claim(&mut self) -> Result<Claimed<'a>, TableError> {
        let now = self.ground.clock.now();
        let (deliverer, lane, cursors) = (self.deliverer, self.lane, &mut self.cursors);
        let reader = Reader::new(self.ground.store.as_ref());
        deliverer.sink.claim(|| deliverer.select(lane, &reader, cursors, now))
    }

    async fn push(&mut self, mut claimed: Claimed<'_>) {
        let deliverer = self.deliverer;
        let name = &deliverer.name;
        let deadline = self.ground.clock.now().plus_ms(PUSH_DEADLINE_MS);
        let recorder = JournalRecorder(self.ground.clone());
        let works = std::mem::take(&mut claimed.works);
        let report = deliverer.sink.push(self.lane, works, &recorder, deadline).await;
        // Until the pipeline has passed the attempts, their rows stay as they are.
        if self.ground.pipeline.wait(self.ground.journal.head()).await.is_err() {
            return;
        }
        drop(claimed);
        for (_, ending) in &report.ended {
            let labels = [("sink", &**name), ("ending", ending_name(ending))];
            deliverer.metrics.series(Metric::Attempts, &labels).add(1);
        }
        for (object, note) in &report.notes {
            info!(sink.name = %name, object = %object, "{note}");
        }
        match report.stop {
            Some(stop) => {
                warn!(sink.name = %name, "the sink rests until {}: {}", stop.until, stop.reason);
                let now = self.ground.clock.now();
                deliverer.stops.stopped(name, now, stop.until, stop.fault, stop.reason);
                self.stopped = true;
                let ms = stop.until.ms_since(now).clamp(100, 3_600_000);
                rest(&mut self.ground, &mut self.rights, ms.unsigned_abs()).await;
            }
            None => {
                let now = self.ground.clock.now();
                if let Some(reason) = report.import_refused {
                    warn!(sink.name = %name, "the history is not written: {reason}");
                    let until = now.plus_ms(IMPORT_REST_MS);
                    deliverer.stops.stopped(name, now, until, Fault::Connection, reason);
                    self.stopped = true;
                    self.cursors.history_rests_until = until;
                    return;
                }
                if self.cursors.history_rests_until <= now && std::mem::take(&mut self.stopped) {
                    deliverer.stops.goes(name);
                }
                // Nothing could be tried (quota, budget): not before the first that may be.
                if report.ended.is_empty() {
                    let now = self.ground.clock.now();
                    let first = report.untouched.iter().filter_map(|(_, at)| *at).min();
                    let ms = first.map_or(1_000, |at| at.ms_since(now).clamp(100, 60_000));
                    self.ground.rest(ms.unsigned_abs()).await;
                }
            }
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
    places: BTreeMap<u8, (Slug, u8, crate::tables::Block)>,
    /// When the request of an `Attempting` was begun: the rows of one batch share it.
    begun: Option<(Position, Timestamp)>,
    /// The sink refused to import: history is left alone so long, everything else goes.
    history_rests_until: Timestamp,
    /// What the sink calls its stages and sources, in this look.
    vocabulary: Option<Vocabulary>,
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
