//! Watches the daemon: gathers the facts, asks [`alarm::alarms`](crate::alarm::alarms) what is
//! wrong, and keeps the list for everybody who shows it.
//!
//! What has no time of its own (a source's latest record, since when a condition holds) is
//! remembered in a small file, so that a restart neither forgets a silence nor begins it anew. The
//! file may be lost: watching then begins anew.

mod memory;
mod reach;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use tracing::{error, info, warn};

use self::memory::{Heard, Memory};
pub use self::reach::WatchedCertificate;
use super::Ground;
use super::deliver::Stops;
use super::folders::Folders;
use super::heartbeat::HEARTBEAT;
use super::keep::{Keeping, next_time};
use super::missing::MissingWords;
use super::notify::Outward;
use super::poll::Readings;
use super::relay::Relaying;
use crate::alarm::{
    Alarm, Disk, Facts, Jump, Progress, Severity, SinkFacts, SnapshotFacts, SourceFacts, StaffFacts, WordFacts, alarms,
};
use crate::base::limits::{
    ALARM_CLOCK_MS, ALARM_DEAD_OBJECTS_MAX, ALARM_JUMP_TOLD_MS, ALARM_QUARANTINE_MS, KEEP_CHECK_MS, WATCH_MS,
};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Clock, Message, Position, Slug, Timestamp};
use crate::journal::{AppendError, Journal};
use crate::pipeline::Running;
use crate::query::{DeadLetters, OutboxPlace, Query, QueryError};

/// Between two writes of what changes all the time, ms.
const WRITE_EVERY_MS: i64 = 60_000;

/// Name of the file that says when the newest backup was made, beside what is remembered.
pub const BACKUP_STAMP: &str = "backup";

/// Connections whose rights are lost, and why; asked at every look.
pub type Rights = Box<dyn Fn() -> Vec<(Slug, Message)> + Send + Sync>;

/// A source that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedSource {
    /// Its name.
    pub name: Slug,
    /// How long it may tell nothing, h; 0: for ever.
    pub silence_h: u32,
}

/// What a watch stands on.
pub struct WatchParts {
    /// What the store knows.
    pub query: Query,
    /// Space, and how far it goes.
    pub journal: Arc<dyn Journal>,
    /// How it goes.
    pub pipeline: Arc<Running>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Snapshots.
    pub keeping: Arc<Keeping>,
    /// The company's zone.
    pub zone: TimeZone,
    /// Which sinks rest.
    pub stops: Stops,
    /// What sinks have no words for.
    pub missing: MissingWords,
    /// What is being read.
    pub readings: Readings,
    /// Watched folders.
    pub folders: Folders,
    /// Which ways out fail.
    pub outward: Outward,
    /// Whose rights are lost.
    pub rights: Rights,
    /// Sources.
    pub sources: Vec<WatchedSource>,
    /// The certificate of the listener, where it speaks TLS itself.
    pub certificate: Option<WatchedCertificate>,
    /// How pulling from the relay goes.
    pub relaying: Relaying,
    /// Below so many free bytes intake is refused.
    pub mark_bytes: u64,
    /// Where it remembers.
    pub file: Option<PathBuf>,
}

/// The watch of one daemon.
pub struct Watch {
    parts: WatchParts,
    known: Mutex<Known>,
}

struct Known {
    memory: Memory,
    /// What the latest look found; `None` before the first.
    alarms: Option<Vec<Alarm>>,
    progress: Progress,
    applied: Position,
    /// The latest look: by the clock, and by one that nobody sets.
    looked: Option<(Timestamp, i64)>,
    jump: Option<Jump>,
    dead: DeadLook,
    snapshots: (Timestamp, SnapshotFacts),
    /// Since when a connection does not know employees by their ids.
    staff: BTreeMap<Slug, Timestamp>,
    /// What stands between the world and us.
    reach: reach::Reach,
}

/// The outbox is looked through in portions; what the latest whole look found stands until the
/// next is whole.
#[derive(Default)]
struct DeadLook {
    place: Option<OutboxPlace>,
    gathered: Vec<DeadLetters>,
    whole: Vec<DeadLetters>,
}

impl Watch {
    /// Goes on from what the run before remembered.
    pub fn new(parts: WatchParts) -> Watch {
        let now = parts.clock.now();
        let known = Known {
            memory: Memory::open(parts.file.as_deref(), now),
            alarms: None,
            progress: Progress::default(),
            applied: Position::START,
            looked: None,
            jump: None,
            dead: DeadLook::default(),
            snapshots: (Timestamp::ZERO, SnapshotFacts::default()),
            staff: BTreeMap::new(),
            reach: reach::Reach::default(),
        };
        Watch { parts, known: Mutex::new(known) }
    }

    /// What is wrong, as the latest look found it; looks if nobody has looked yet. May block.
    pub fn alarms(&self) -> Result<Vec<Alarm>, QueryError> {
        let found = self.known().alarms.clone();
        match found {
            Some(alarms) => Ok(alarms),
            None => self.look(self.parts.clock.now(), None),
        }
    }

    /// What the latest look found; `None` before the first.
    pub fn found(&self) -> Option<Vec<Alarm>> {
        self.known().alarms.clone()
    }

    /// Looks. `elapsed_ms`: time that has passed by a clock that nobody sets, to notice when the
    /// other leaps. Blocks: it reads the store.
    pub fn look(&self, now: Timestamp, elapsed_ms: Option<i64>) -> Result<Vec<Alarm>, QueryError> {
        let mut known = self.known();
        let facts = self.facts(&mut known, now, elapsed_ms)?;
        let mut found = alarms(&facts, now);
        for alarm in &mut found {
            let noticed = known.memory.since(&alarm.key, now);
            alarm.since.get_or_insert(noticed);
        }
        known.memory.keep_only(&found.iter().map(|it| &it.key).collect::<Vec<_>>());
        known.alarms = Some(found.clone());
        Ok(found)
    }

    fn facts(&self, known: &mut Known, now: Timestamp, elapsed_ms: Option<i64>) -> Result<Facts, QueryError> {
        let parts = &self.parts;
        let query = &parts.query;
        self.measure(known, now);
        known.see_clock(now, elapsed_ms);
        known.hear(&parts.sources, query, now)?;
        known.count_dead(query)?;
        known.see_snapshots(&parts.keeping, &parts.zone, now);
        let intake = parts.journal.accepts_intake().err().map(|error| refusal(&error));
        let disk = parts.journal.free_bytes().map(|free_bytes| Disk { free_bytes, mark_bytes: parts.mark_bytes });
        let (mut beat, channels): (Vec<_>, Vec<_>) =
            parts.outward.all().into_iter().partition(|(name, ..)| name == HEARTBEAT);
        let folders = parts.folders.all().into_iter().filter_map(|(name, found)| Some((name, found.problem?)));
        Ok(Facts {
            progress: known.progress.clone(),
            intake,
            disk,
            clock_behind_ms: query.journal_time()?.ms_since(now),
            jump: known.jump,
            rights: (parts.rights)(),
            sinks: self.sinks(known),
            words: self.words(now)?,
            quarantined: query.quarantined_since(now.plus_ms(-ALARM_QUARANTINE_MS))?,
            sources: parts.sources.iter().map(|it| self.source(known, it)).collect(),
            folders: folders.collect(),
            snapshots: known.snapshots.1.clone(),
            backup: self.backup(known),
            channels,
            heartbeat: beat.pop().map(|(_, since, reason)| (since, reason)),
            staff: known.see_staff(query, now)?,
            tasks_overdue: query.task_counts(now)?.1,
            certificate: parts.certificate.as_ref().map(|it| known.reach.see_certificate(it, now)),
            relay: parts.relaying.get().map(|it| known.reach.see_relay(it, now)),
        })
    }

    fn measure(&self, known: &mut Known, now: Timestamp) {
        let applied = *self.parts.pipeline.applied().borrow();
        let lag = self.parts.journal.head().0.saturating_sub(applied.0);
        let moved = applied != known.applied;
        known.applied = applied;
        let before = &known.progress;
        let (behind_since, moved_at) = match (lag, moved) {
            (0, _) => (None, None),
            (_, true) => (Some(before.behind_since.unwrap_or(now)), Some(now)),
            // Nothing waited a moment ago: it did not stand still for want of moving.
            (_, false) => (Some(before.behind_since.unwrap_or(now)), Some(before.moved_at.unwrap_or(now))),
        };
        known.progress = Progress { failure: self.parts.pipeline.failure(), lag, behind_since, moved_at };
    }

    fn sinks(&self, known: &Known) -> Vec<SinkFacts> {
        let stops = self.parts.stops.all();
        let sinks = self.parts.query.catalog().sinks();
        let fact = |name: &Slug| {
            let dead = known.dead.whole.iter().find(|it| it.sink == *name);
            SinkFacts {
                name: name.clone(),
                stopped: stops.get(name).cloned(),
                dead: dead.map_or(0, |it| it.count),
                dead_since: dead.map(|it| it.since),
            }
        };
        sinks.map(|connection| fact(&connection.name)).collect()
    }

    /// What sinks have no words for. What they have by now is no matter any more.
    fn words(&self, now: Timestamp) -> Result<Vec<WordFacts>, QueryError> {
        let (missing, query) = (&self.parts.missing, &self.parts.query);
        let mut found = Vec::new();
        for connection in query.catalog().sinks().filter(|_| !missing.is_empty()) {
            let vocabulary = query.vocabulary(connection)?;
            let lacked = missing.still(&connection.name, now, |it| vocabulary.has(it));
            let Some(first) = lacked.first() else { continue };
            found.push(WordFacts {
                sink: connection.name.clone(),
                connector: connection.connector.slug.clone(),
                words: lacked.iter().map(|it| format!("{}: {}", it.field, it.missing.word)).collect(),
                reason: first.reason.clone(),
                since: lacked.iter().map(|it| it.since).min().unwrap_or(now),
            });
        }
        Ok(found)
    }

    fn source(&self, known: &Known, source: &WatchedSource) -> SourceFacts {
        let unread = self.parts.readings.unread(&source.name);
        let heard = known.memory.heard.get(&*source.name);
        let heard_at = heard.map_or(known.memory.began_at, |it| it.at);
        SourceFacts { name: source.name.clone(), unread, silence_h: source.silence_h, heard_at }
    }

    /// When the newest backup was made, where an age is set; at first, when watching began.
    fn backup(&self, known: &Known) -> Option<(Timestamp, u32)> {
        let days = Some(self.parts.keeping.keep.backup_days).filter(|days| *days > 0)?;
        let stamp = self.parts.file.as_ref().map(|file| file.with_file_name(BACKUP_STAMP));
        let made_at =
            stamp.and_then(|path| std::fs::read_to_string(path).ok()).and_then(|text| text.trim().parse().ok());
        Some((made_at.map_or(known.memory.began_at, Timestamp::from_jiff), days))
    }

    fn write(&self, path: &Path) {
        let memory = self.known().memory.clone();
        if let Err(error) = memory.write(path) {
            warn!(%error, "what is watched cannot be remembered; after a restart it begins anew");
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // A look that panicked left values that the next look makes anew.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Compares the clock with one that nobody sets.
    fn see_clock(&mut self, now: Timestamp, elapsed_ms: Option<i64>) {
        let Some(elapsed_ms) = elapsed_ms else { return };
        let before = self.looked.replace((now, elapsed_ms));
        if let Some((then, then_elapsed_ms)) = before {
            let by_ms = now.ms_since(then) - (elapsed_ms - then_elapsed_ms);
            if by_ms.abs() >= ALARM_CLOCK_MS {
                self.jump = Some(Jump { at: now, by_ms });
            }
        }
        self.jump = self.jump.filter(|it| now.ms_since(it.at) < ALARM_JUMP_TOLD_MS);
    }

    /// A source was heard when the number of its records has grown. Fewer records are a store that
    /// is being caught up, or was made anew: nothing was heard by that.
    fn hear(&mut self, sources: &[WatchedSource], query: &Query, now: Timestamp) -> Result<(), QueryError> {
        let mut records: BTreeMap<String, u64> = BTreeMap::new();
        for it in query.counts()? {
            *records.entry(it.connection).or_default() += it.count;
        }
        for source in sources {
            let records = records.get(&*source.name).copied().unwrap_or(0);
            let heard = self.memory.heard.entry(source.name.to_string()).or_insert(Heard { records, at: now });
            if records > heard.records {
                *heard = Heard { records, at: now };
            } else if self.progress.lag == 0 {
                heard.records = records;
            }
        }
        self.memory.heard.retain(|name, _| sources.iter().any(|it| *it.name == **name));
        Ok(())
    }

    /// Employees by connection that does not know them.
    fn see_staff(&mut self, query: &Query, now: Timestamp) -> Result<Vec<StaffFacts>, QueryError> {
        let mut found: BTreeMap<Slug, BTreeSet<Slug>> = BTreeMap::new();
        for fault in query.staff_faults(now)? {
            found.entry(fault.connection).or_default().insert(fault.employee);
        }
        self.staff.retain(|connection, _| found.contains_key(connection));
        let fact = |(connection, employees): (Slug, BTreeSet<Slug>)| {
            let since = *self.staff.entry(connection.clone()).or_insert(now);
            StaffFacts { connection, employees: employees.len() as u64, since }
        };
        Ok(found.into_iter().map(fact).collect())
    }

    fn count_dead(&mut self, query: &Query) -> Result<(), QueryError> {
        let look = &mut self.dead;
        let (found, place) = query.dead_letters(look.place.as_ref(), ALARM_DEAD_OBJECTS_MAX)?;
        for it in found {
            match look.gathered.iter_mut().find(|held| held.sink == it.sink) {
                Some(held) => {
                    held.count += it.count;
                    held.since = held.since.min(it.since);
                }
                None => look.gathered.push(it),
            }
        }
        look.place = place;
        if look.place.is_none() {
            look.whole = std::mem::take(&mut look.gathered);
        }
        Ok(())
    }

    /// Late: two times of the schedule have passed since the newest was made.
    fn see_snapshots(&mut self, keeping: &Keeping, zone: &TimeZone, now: Timestamp) {
        if now.ms_since(self.snapshots.0) < KEEP_CHECK_MS.cast_signed() && self.alarms.is_some() {
            return;
        }
        let listed = match keeping.list() {
            Ok(listed) => listed,
            Err(reason) => {
                let damaged = Some((keeping.snapshots.display().to_string(), reason));
                self.snapshots = (now, SnapshotFacts { damaged, ..SnapshotFacts::default() });
                return;
            }
        };
        let newest_at = listed.iter().find_map(|it| it.snapshot.as_ref().ok()).map(|it| it.about.made_at);
        let damaged = listed.into_iter().find_map(|it| {
            let name = it.path.file_name().map(|name| name.to_string_lossy().into_owned());
            it.snapshot.err().map(|reason| (name.unwrap_or_default(), reason))
        });
        let next = |at: Timestamp| next_time(&keeping.keep.snapshot, zone, at);
        let late_at = next(newest_at.unwrap_or(self.memory.began_at)).and_then(next);
        self.snapshots = (now, SnapshotFacts { late_at, newest_at, damaged });
    }
}

fn refusal(error: &AppendError) -> Message {
    super::deliver::refusal(error)
}

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground, watch: Arc<Watch>, metrics: Arc<Metrics>) {
    let began = tokio::time::Instant::now();
    let mut before: Vec<Alarm> = Vec::new();
    let mut written = (Timestamp::ZERO, BTreeMap::new());
    while !ground.stopping() {
        let now = ground.clock.now();
        let elapsed_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let looking = Arc::clone(&watch);
        let found = tokio::task::spawn_blocking(move || looking.look(now, Some(elapsed_ms))).await;
        match found {
            Ok(Ok(alarms)) => {
                tell(&before, &alarms, &metrics);
                before = alarms;
            }
            Ok(Err(error)) => error!(%error, "what is wrong cannot be found out"),
            Err(error) => error!(%error, "the watch was cut short"),
        }
        let alarms = watch.known().memory.alarms().clone();
        let is_due = alarms != written.1 || now.ms_since(written.0) >= WRITE_EVERY_MS;
        if let (true, Some(path)) = (is_due, &watch.parts.file) {
            watch.write(path);
            written = (now, alarms);
        }
        ground.rest(WATCH_MS).await;
    }
    if let Some(path) = &watch.parts.file {
        watch.write(path);
    }
}

/// What was raised and what has ended, once each, in the log and the metrics.
fn tell(before: &[Alarm], now: &[Alarm], metrics: &Metrics) {
    let series = |alarm: &Alarm| {
        let labels = [("alarm", alarm.key.condition.id()), ("subject", alarm.key.subject.as_str())];
        metrics.series(Metric::Alarms, &labels)
    };
    for alarm in now {
        series(alarm).set(1);
        if before.iter().any(|it| it.key == alarm.key && it.severity == alarm.severity) {
            continue;
        }
        let (id, subject) = (alarm.key.condition.id(), &alarm.key.subject);
        match alarm.severity {
            Severity::Critical => error!(alarm.id = id, alarm.subject = %subject, "{}", alarm.what),
            Severity::Warning | Severity::Notice => warn!(alarm.id = id, alarm.subject = %subject, "{}", alarm.what),
        }
    }
    for alarm in before.iter().filter(|it| !now.iter().any(|held| held.key == it.key)) {
        series(alarm).set(0);
        info!(alarm.id = alarm.key.condition.id(), alarm.subject = %alarm.key.subject, "no longer: {}", alarm.what);
    }
}
