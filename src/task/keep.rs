//! Keeping: snapshots on a schedule and on demand, and what may go once they are there; one at a
//! time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use tracing::{error, info};

use super::Ground;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{CLIENT_INTERACTIONS_CHUNK, KEEP_CHECK_MS, KEEP_RETRY_MS};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{ClientId, Clock, ItemRef, Message, Position, Timestamp};
use crate::catalog::Catalog;
use crate::config::{Keep, schedule};
use crate::entry::{Entry, Erasure};
use crate::journal::{Journal, Removed};
use crate::model::Foreign;
use crate::pipeline::erase::{self, Wanted, Which};
use crate::pipeline::retention::{self, Plan};
use crate::pipeline::snapshot::{self, Snapshot};
use crate::pipeline::{Configurations, PipelineError, Running};
use crate::store::{Store, StoreError};
use crate::tables::{Clients, Deals, Meta, Quarantine, Reader, Span, TableError};

/// What keeping stands on.
pub struct Keeping {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The journal.
    pub journal: Arc<dyn Journal>,
    /// Its configurations.
    pub configurations: Arc<dyn Configurations>,
    /// How far it is applied.
    pub pipeline: Arc<Running>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is kept.
    pub keep: Keep,
    /// Where snapshots lie.
    pub snapshots: PathBuf,
    one_at_a_time: Mutex<()>,
}

/// A snapshot that there is, or what is wrong with the file.
pub struct Listed {
    /// The file.
    pub path: PathBuf,
    /// What it says of itself.
    pub snapshot: Result<Snapshot, Message>,
}

impl Keeping {
    /// Over these parts.
    pub fn new(
        store: Arc<dyn Store>,
        journal: Arc<dyn Journal>,
        configurations: Arc<dyn Configurations>,
        pipeline: Arc<Running>,
        clock: Arc<dyn Clock>,
        keep: Keep,
        snapshots: PathBuf,
    ) -> Keeping {
        Keeping { store, journal, configurations, pipeline, clock, keep, snapshots, one_at_a_time: Mutex::new(()) }
    }

    /// Makes a snapshot of everything applied; blocks for as long as that takes.
    pub fn make(&self) -> Result<Snapshot, PipelineError> {
        let _alone = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let until = *self.pipeline.applied().borrow();
        let (journal, configurations) = (self.journal.clone(), self.configurations.clone());
        let now = self.clock.now();
        let made = snapshot::make(journal, configurations, &self.snapshots, until, now, &mut |_, _| {})?;
        snapshot::keep(&self.snapshots, self.keep.snapshots)?;
        Ok(made)
    }

    /// From when on the schedule of snapshots is reckoned: the newest one, else the first entry.
    fn reckoned_from(&self) -> Option<Timestamp> {
        let made = self.list().ok().and_then(|listed| listed.into_iter().find_map(|it| it.snapshot.ok()));
        let first = || self.journal.read(self.journal.first(), 1, usize::MAX).ok()?.first().map(|entry| entry.at);
        made.map(|made| made.about.made_at).or_else(first)
    }

    /// What there is, the newest first.
    pub fn list(&self) -> Result<Vec<Listed>, Message> {
        let listed = snapshot::list(&self.snapshots).map_err(told)?;
        Ok(listed.into_iter().map(|(path, snapshot)| Listed { path, snapshot: snapshot.map_err(told) }).collect())
    }

    /// The same, every byte of each read.
    pub fn verify(&self) -> Result<Vec<Listed>, Message> {
        let verify = |it: Listed| {
            let verified = |snapshot| snapshot::verify(&it.path).map(|()| snapshot).map_err(told);
            Listed { snapshot: it.snapshot.and_then(verified), path: it.path }
        };
        Ok(self.list()?.into_iter().map(verify).collect())
    }
}

impl Keeping {
    /// What of the journal is older than `days` days, and whether it may go.
    pub fn retention(&self, days: u32) -> Result<Plan, PipelineError> {
        let _alone = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        self.planned(days)
    }

    fn planned(&self, days: u32) -> Result<Plan, PipelineError> {
        let older_than = self.clock.now().plus_ms(-i64::from(days) * DAY_MS);
        let pieces = self.journal.pieces()?;
        // Nothing is old: no need to read snapshots and the tail.
        let marks = match pieces.iter().any(|piece| piece.until < older_than) {
            true => retention::marks(self.journal.as_ref(), self.store.as_ref(), &self.snapshots)?,
            false => Vec::new(),
        };
        Ok(retention::plan(&pieces, older_than, &marks))
    }

    /// Removes what is older than `days` days and may go.
    pub fn prune(&self, days: u32) -> Result<(Plan, Removed), PipelineError> {
        let _alone = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = self.planned(days)?;
        let removed = self.journal.remove_before(plan.before)?;
        Ok((plan, removed))
    }
}

impl Keeping {
    /// Retention as the settings say; after a snapshot, which lets it go further.
    fn prune_as_set(&self) {
        if self.keep.journal_days == 0 {
            return;
        }
        match self.prune(self.keep.journal_days) {
            Ok((_, removed)) if removed.pieces == 0 => {}
            Ok((_, removed)) => info!(
                journal.entries = removed.entries,
                journal.bodies = removed.bodies,
                journal.bytes = removed.bytes,
                "old entries were removed from the journal"
            ),
            Err(failure) => error!(error = %chain(&failure), "retention did not go through"),
        }
    }
}

/// Somebody to be erased, or to be told what is known of him, and what that takes.
pub struct ErasurePlan {
    /// The command.
    pub erasure: Erasure,
    /// The client that stands, and those merged into it.
    pub clients: Vec<ClientId>,
    /// Deals, documents, interactions.
    pub counts: (usize, usize, usize),
    /// Entries of the journal that speak of the person, and which of their records do.
    pub found: BTreeMap<Position, Which>,
    /// Where sinks hold the person: to be erased there by hand.
    pub foreign: Vec<Foreign>,
}

/// What records of an entry say: their items, each as JSON.
pub type Said = (Position, Vec<(u32, serde_json::Value)>);

impl Keeping {
    /// Where receipts of erasures lie, and the mark that one is under way.
    pub fn erasures(&self) -> PathBuf {
        self.snapshots.with_file_name("erasures")
    }

    /// What it takes to erase a client; `None` when there is no such client. `salt` is random.
    pub fn erasure(&self, client: ClientId, salt: [u8; 16]) -> Result<Option<ErasurePlan>, PipelineError> {
        self.known_by(client, salt, erase::marks)
    }

    /// The same of a client whose data are only given out: a namesake's records are left alone.
    pub fn export(&self, client: ClientId) -> Result<Option<ErasurePlan>, PipelineError> {
        self.known_by(client, [0; 16], erase::sure_marks)
    }

    fn known_by(
        &self,
        client: ClientId,
        salt: [u8; 16],
        marks: impl FnOnce(&Reader<'_>, &[ClientId], [u8; 16]) -> Result<Vec<Fingerprint>, TableError>,
    ) -> Result<Option<ErasurePlan>, PipelineError> {
        let reader = Reader::new(self.store.as_ref());
        let clients = erase::group(&reader, client)?;
        let Some(standing) = clients.first().copied() else { return Ok(None) };
        let marks = marks(&reader, &clients, salt)?;
        let mut deals = BTreeSet::new();
        let (mut documents, mut interactions) = (0, 0);
        let mut foreign = Vec::new();
        for id in &clients {
            let Some(row) = reader.get::<Clients>(id)? else { continue };
            deals.extend(row.deals);
            documents += row.documents.len();
            interactions += row.interactions.len() + row.interactions_spilled as usize * CLIENT_INTERACTIONS_CHUNK;
            foreign.extend(row.client.foreign.into_iter().map(|(foreign, _)| foreign));
        }
        for id in &deals {
            foreign.extend(reader.get::<Deals>(id)?.map(|row| row.deal.foreign).unwrap_or_default());
        }
        foreign.sort_unstable();
        foreign.dedup();
        let wanted = Wanted {
            clients: clients.iter().copied().collect(),
            deals: deals.clone(),
            records: BTreeSet::new(),
            marks: marks.iter().copied().collect(),
            salt,
        };
        let until = *self.pipeline.applied().borrow();
        let catalog = self.catalog()?;
        let found = erase::find(self.journal.as_ref(), self.store.as_ref(), &catalog, &wanted, until)?;
        let mut records = Vec::new();
        for (position, which) in &found {
            match which {
                // A whole envelope: its records that wait are those of its outcomes.
                Which::All => {
                    let first = ItemRef::new(*position, 0);
                    let waiting = Span::<Quarantine>::all().from(&first).before(&ItemRef::new(position.next(), 0));
                    records.extend(reader.range(&waiting, false, usize::MAX)?.into_iter().map(|(at, _)| at));
                }
                Which::Some(items) => {
                    for item in items {
                        let at = ItemRef::new(*position, *item);
                        records.extend(reader.get::<Quarantine>(&at)?.map(|_| at));
                    }
                }
            }
        }
        let erasure = Erasure { client: standing, records, marks, salt };
        let counts = (deals.len(), documents, interactions);
        Ok(Some(ErasurePlan { erasure, clients, counts, found, foreign }))
    }

    /// What the journal says of the person, oldest first, at most `max` records: entry, and what of
    /// its records speaks of the person.
    pub fn said(&self, plan: &ErasurePlan, max: usize) -> Result<Vec<Said>, PipelineError> {
        let catalog = self.catalog()?;
        let (mut all, mut count) = (Vec::new(), 0);
        for (position, which) in &plan.found {
            if count >= max {
                break;
            }
            let entries = self.journal.read(*position, 1, usize::MAX)?;
            let Some(stored) = entries.first().filter(|it| it.position == *position) else { continue };
            let Ok(Entry::Received(received)) = Entry::decode(stored.kind, &stored.payload) else { continue };
            let said = erase::said(self.journal.as_ref(), &catalog, &received, which);
            count += said.len();
            all.push((*position, said));
        }
        Ok(all)
    }

    /// Says, before the command is given, that files will have to be cleaned: whatever happens
    /// then, the next start looks.
    pub fn mark_erasure(&self) -> std::io::Result<()> {
        let folder = self.erasures();
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&folder)?;
        let file = std::fs::File::create(folder.join(ERASURE_PENDING))?;
        file.sync_all()?;
        std::fs::File::open(&folder)?.sync_all()
    }

    fn catalog(&self) -> Result<Arc<Catalog>, PipelineError> {
        let meta = Reader::new(self.store.as_ref()).get::<Meta>(&())?.unwrap_or_default();
        let loaded = self.configurations.load(meta.configuration.unwrap_or_default());
        loaded.map_err(|message| PipelineError::Configuration { position: meta.configured_at, message })
    }
}

/// Name of the mark that an erasure is under way.
pub const ERASURE_PENDING: &str = "pending";

const DAY_MS: i64 = 24 * 3_600_000;

/// The first instant of a schedule after `at`, in a zone. Wall-clock times that do not exist there
/// move on, those that come twice are the first.
pub fn next_time(text: &str, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let schedule = schedule(text)?;
    let wall = at.to_jiff().to_zoned(zone.clone()).datetime();
    let as_if_utc = wall.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    let from = chrono::DateTime::from_timestamp_millis(as_if_utc)?;
    // Bound: an hour that is skipped or repeated is left behind within a few steps.
    for next in schedule.after(&from).take(8) {
        let wall = jiff::Timestamp::from_millisecond(next.timestamp_millis()).ok()?.to_zoned(TimeZone::UTC).datetime();
        let instant = Timestamp(wall.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
        if instant > at {
            return Some(instant);
        }
    }
    None
}

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground, keeping: Arc<Keeping>, zone: TimeZone, metrics: Arc<Metrics>) {
    let asked = Arc::clone(&keeping);
    let since = tokio::task::spawn_blocking(move || asked.reckoned_from()).await;
    // A machine that is off at the hour makes up for it when it is next on.
    let mut due = since.ok().flatten().and_then(|since| next_time(&keeping.keep.snapshot, &zone, since));
    while !ground.stopping() {
        let now = ground.clock.now();
        // Reckoned anew when the clock has gone back behind it by more than a day.
        let at = due.or_else(|| next_time(&keeping.keep.snapshot, &zone, now));
        due = at;
        let is_due = at.is_some_and(|at| at <= now);
        let shown = Arc::clone(&keeping);
        let work = tokio::task::spawn_blocking(move || {
            let made = if is_due { Some(shown.make()) } else { None };
            if let Some(Ok(_)) = &made {
                shown.prune_as_set();
            }
            (made, shown.list())
        });
        let Ok((made, listed)) = work.await else { return };
        match made {
            None => {}
            Some(Ok(made)) => {
                info!(
                    snapshot.position = made.position().0,
                    snapshot.rows = made.totals.rows,
                    snapshot.bytes = made.totals.bytes,
                    "snapshot made and verified"
                );
                due = None;
            }
            Some(Err(failure)) => {
                error!(error = %chain(&failure), "no snapshot could be made");
                due = Some(now.plus_ms(KEEP_RETRY_MS));
            }
        }
        let newest = listed.ok().and_then(|it| it.into_iter().find_map(|it| it.snapshot.ok()));
        if let Some(newest) = newest {
            metrics.series(Metric::SnapshotAge, &[]).set(now.ms_since(newest.about.made_at).max(0) / 1_000);
            metrics.series(Metric::SnapshotPosition, &[]).set(gauge(newest.position()));
        }
        ground.rest(KEEP_CHECK_MS).await;
    }
}

fn gauge(position: Position) -> i64 {
    i64::try_from(position.0).unwrap_or(i64::MAX)
}

/// An error with its causes, for people.
pub fn message(error: &PipelineError) -> Message {
    match error {
        PipelineError::Configuration { message, .. } => message.clone(),
        PipelineError::Store(error) => told_of(error).clone(),
        PipelineError::Table(error) => error.message(),
        PipelineError::Journal(_) => Message::new("app-pipeline-failed").with("detail", chain(error)),
    }
}

fn told_of(error: &StoreError) -> &Message {
    let (StoreError::Damaged(message)
    | StoreError::Newer(message)
    | StoreError::Failed(message)
    | StoreError::Fenced(message)) = error;
    message
}

fn told(error: StoreError) -> Message {
    told_of(&error).clone()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
