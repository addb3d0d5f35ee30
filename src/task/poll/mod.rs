//! Reads one connection: follows what changes there, loads its history when a person says so,
//! compares ids to find what was deleted, and verifies hints.
//!
//! A page becomes envelopes in the journal, each with the cursor behind it, so that cursor and data
//! are one fact; the next page is asked for when they are applied. Killed anywhere, it goes on from
//! the cursor in the store. A row polled again and identical is counted and not journalled.
//!
//! Where a look begins is told by the foreign system's own times (the newest seen, less an
//! overlap), never by our clock; our clock only says when to look. A page that ends within a second
//! goes on from that second: ties are never lost.

mod follow;
mod hear;
mod journal;
mod load;
mod readings;
mod sweep;
mod whole;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use compact_str::CompactString;
use tokio::sync::watch;
use tracing::{info, warn};

pub use self::hear::Listening;
use self::journal::Notes;
pub use self::readings::{Hearing, Hints, Reading, Readings, Way};
use super::Ground;
use crate::base::limits::{POLL_OWNED_WHILE_LOADING_S, POLL_REST_MS};
use crate::base::{Clock, Message, Slug, Timestamp};
use crate::connector::{Connector, PollSpec, TimeStyle};
use crate::entry::{Cursor, Entry, Received, foreign_instant};
use crate::net::Boxed;
use crate::source::poll::{Cause, Pause, Poller};
use crate::store::Store;
use crate::tables::{Cursors, Reader, TableError};

/// Between two looks at whether anything is due, ms.
const CHECK_MS: i64 = 1_000;

/// Where pages go and where state is read. Implemented over journal and pipeline.
pub trait Ledger: Send + Sync {
    /// State as far as it is applied.
    fn store(&self) -> &dyn Store;

    /// Journals an envelope; resolves when it is applied.
    fn append(&self, envelope: Received) -> Boxed<'_, Result<(), Message>>;
}

impl Ledger for Ground {
    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn append(&self, envelope: Received) -> Boxed<'_, Result<(), Message>> {
        Box::pin(async move {
            let position = Ground::append(self, &Entry::Received(envelope)).await;
            let position = position.map_err(|error| super::deliver::refusal(&error))?;
            self.pipeline.wait(position).await.map_err(|detail| Message::new("poll-pipeline").with("detail", detail))
        })
    }
}

/// Why a stream is not read on.
enum Trouble {
    /// The foreign system.
    Foreign(Pause),
    /// Our own journal or store.
    Own(Message),
}

impl From<Pause> for Trouble {
    fn from(pause: Pause) -> Trouble {
        Trouble::Foreign(pause)
    }
}

impl From<TableError> for Trouble {
    fn from(error: TableError) -> Trouble {
        Trouble::Own(error.message())
    }
}

/// What a step did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// There is more to be done at once.
    Went,
    /// Nothing to do before the stream is due again.
    Rests,
}

/// Reads one connection.
pub struct Follower<L> {
    ledger: L,
    poller: Poller,
    clock: Arc<dyn Clock>,
    connector: Arc<Connector>,
    /// Between two looks, s, when the administrator says so.
    every_s: Option<u32>,
    readings: Readings,
    hints: Hints,
    /// When each stream is due.
    due: BTreeMap<Slug, Timestamp>,
    /// How far streams were read where nothing new was found, so nothing was journalled.
    unwritten: BTreeMap<Slug, Cursor>,
    /// Owners whose rows the last look read, by stream: with which time, and how often since it
    /// became that.
    owners_seen: BTreeMap<Slug, HashMap<CompactString, (CompactString, u32)>>,
    /// Owners that the load has listed and whose rows are still to be asked for, by stream.
    ahead: BTreeMap<Slug, load::Ahead>,
    /// How the system is asked to tell us, where it can be.
    listening: Option<Listening>,
    /// What the last whole reading of a dictionary missed, by stream.
    missed: BTreeMap<Slug, whole::Missed>,
    /// Changes when a person has given the connection new rights: what was refused is asked again.
    rights: Option<watch::Receiver<u64>>,
}

impl<L: Ledger> Follower<L> {
    /// Over a ledger.
    pub fn new(
        ledger: L,
        poller: Poller,
        clock: Arc<dyn Clock>,
        every_s: Option<u32>,
        readings: Readings,
        hints: Hints,
    ) -> Follower<L> {
        let connector = Arc::clone(poller.connector());
        let (due, unwritten) = (BTreeMap::new(), BTreeMap::new());
        let (owners_seen, ahead, missed) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Follower {
            ledger,
            poller,
            clock,
            connector,
            every_s,
            readings,
            hints,
            due,
            unwritten,
            owners_seen,
            ahead,
            listening: None,
            missed,
            rights: None,
        }
    }

    /// Asks again at once what was refused, when a person has given the connection new rights.
    #[must_use]
    pub fn with_rights(self, rights: Option<watch::Receiver<u64>>) -> Follower<L> {
        Follower { rights, ..self }
    }

    /// The connection that is read.
    pub fn name(&self) -> &Slug {
        self.poller.name()
    }

    /// One round over all streams. Whether there is more to be done at once.
    pub async fn round(&mut self) -> bool {
        let connector = Arc::clone(&self.connector);
        let mut went = false;
        // What hints tell of names stages and people by their ids there: their words come first.
        for are_words in [true, false] {
            if !are_words {
                went |= self.hear().await;
            }
            let hints = if are_words { BTreeMap::new() } else { self.hints.take(self.poller.name()) };
            for (stream, ids) in hints {
                let Some(poll) = connector.poll(&stream) else { continue };
                if let Err(trouble) = self.verify(poll, &ids).await {
                    // They come again: the next look and the comparison of ids see what they told of.
                    self.trouble(poll, trouble);
                }
            }
            for poll in connector.polls.iter().filter(|poll| poll.whole.is_some() == are_words) {
                match self.step(poll).await {
                    Ok(Step::Went) => went = true,
                    Ok(Step::Rests) => {}
                    Err(trouble) => {
                        self.trouble(poll, trouble);
                        if self.is_not_offered(poll)
                            && let Err(trouble) = self.load_no_more(poll).await
                        {
                            self.trouble(poll, trouble);
                        }
                    }
                }
            }
        }
        went
    }

    /// When the next stream is due.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// Whether every stream that can be loaded is.
    pub fn is_loaded(&self) -> Result<bool, TableError> {
        for poll in self.connector.polls.iter().filter(|poll| poll.load.is_some()) {
            if self.is_not_offered(poll) {
                continue;
            }
            if !self.cursor(poll)?.is_some_and(|cursor| cursor.loaded && cursor.loading.is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What was refused is asked for again at once.
    fn ask_again(&mut self) {
        let (name, readings) = (self.poller.name(), &self.readings);
        self.due.retain(|stream, _| readings.of(name, stream).is_none_or(|it| it.trouble.is_none()));
    }

    /// Whether the foreign system does not have the stream.
    fn is_not_offered(&self, poll: &PollSpec) -> bool {
        self.readings.of(self.poller.name(), &poll.stream).is_some_and(|reading| reading.not_offered)
    }

    fn trouble(&mut self, poll: &PollSpec, trouble: Trouble) {
        let now = self.clock.now();
        let (name, stream) = (self.poller.name(), &poll.stream);
        let (until, reason) = match trouble {
            Trouble::Foreign(Pause { cause: Cause::NotOffered, until, .. }) => {
                info!(source.name = %name, source.stream = %stream, "{name} does not offer the stream {stream}");
                self.readings.edit(name, stream, |reading| {
                    reading.recovered();
                    reading.not_offered = true;
                });
                self.due.insert(stream.clone(), until);
                return;
            }
            Trouble::Foreign(Pause { cause: Cause::Quota, until, .. }) => {
                let until = until.max(now.plus_ms(CHECK_MS));
                info!(source.name = %name, source.stream = %stream, source.until = %until, "{stream} of {name} waits for the quota");
                self.readings.edit(name, stream, |reading| {
                    reading.recovered();
                    reading.waits_until = Some(until);
                });
                self.due.insert(stream.clone(), until);
                return;
            }
            Trouble::Foreign(Pause { cause: Cause::Trouble, until, reason }) => (until, reason),
            Trouble::Own(reason) => (now.plus_ms(POLL_REST_MS), reason),
        };
        warn!(source.name = %name, source.stream = %stream, source.until = %until, "{name} cannot be read: {}", reason.id);
        self.readings.edit(name, stream, |reading| {
            reading.trouble = Some(reason);
            reading.troubled_since.get_or_insert(now);
            reading.waits_until = None;
        });
        self.due.insert(stream.clone(), until.max(now.plus_ms(CHECK_MS)));
    }

    fn cursor(&self, poll: &PollSpec) -> Result<Option<Cursor>, TableError> {
        let key = (self.poller.name().clone(), poll.stream.clone());
        Ok(Reader::new(self.ledger.store()).get::<Cursors>(&key)?.map(|row| row.cursor))
    }

    async fn step(&mut self, poll: &PollSpec) -> Result<Step, Trouble> {
        let now = self.clock.now();
        self.postpone_while_loading(poll)?;
        if self.due.get(&poll.stream).is_some_and(|due| *due > now) {
            let is_loading = self.cursor(poll)?.is_some_and(|cursor| cursor.loading.is_some());
            let reading = self.readings.of(self.poller.name(), &poll.stream);
            if !is_loading || reading.is_some_and(|it| it.is_hindered()) {
                return Ok(Step::Rests);
            }
            return self.load(poll).await;
        }
        if poll.whole.is_some() {
            self.read_whole(poll).await?;
            return Ok(self.rested(poll));
        }
        let Some(cursor) = self.cursor(poll)?.filter(|cursor| !cursor.time.is_empty()) else {
            self.mark(poll).await?;
            return Ok(Step::Went);
        };
        if poll.follows() {
            self.follow(poll, &cursor).await?;
        }
        self.sweep_when_due(poll).await?;
        self.rested(poll);
        match self.cursor(poll)?.is_some_and(|cursor| cursor.loading.is_some()) {
            true => self.load(poll).await,
            false => Ok(Step::Rests),
        }
    }

    fn rested(&mut self, poll: &PollSpec) -> Step {
        let every = i64::from(self.every_s.unwrap_or(poll.every_s)) * 1_000;
        // Dictionaries change seldom: a short setting is meant for what people work on.
        let every = if poll.whole.is_some() { every.max(i64::from(poll.every_s) * 1_000) } else { every };
        let now = self.clock.now();
        self.due.insert(poll.stream.clone(), now.plus_ms(every));
        self.readings.edit(self.poller.name(), &poll.stream, |reading| {
            reading.read_at = Some(now);
            reading.recovered();
        });
        Step::Rests
    }

    /// While history is loaded, what hangs on other objects is looked at less often: requests are
    /// what a load is short of, and most of the streams are of this kind.
    fn postpone_while_loading(&mut self, poll: &PollSpec) -> Result<(), TableError> {
        let reading = self.readings.of(self.poller.name(), &poll.stream).filter(|_| poll.owner.is_some());
        let Some(read_at) = reading.and_then(|reading| reading.read_at) else { return Ok(()) };
        let earliest = read_at.plus_ms(i64::from(POLL_OWNED_WHILE_LOADING_S) * 1_000);
        let is_early = self.clock.now() < earliest;
        let is_sooner = self.due.get(&poll.stream).is_some_and(|due| *due < earliest);
        if is_early && is_sooner && self.is_loading()? {
            self.due.insert(poll.stream.clone(), earliest);
        }
        Ok(())
    }

    /// Nothing is loaded any more: what was looked at less often is due.
    fn hurry_after_load(&mut self) -> Result<(), TableError> {
        if self.is_loading()? {
            return Ok(());
        }
        let connector = Arc::clone(&self.connector);
        for poll in connector.polls.iter().filter(|poll| poll.owner.is_some()) {
            if !self.readings.of(self.poller.name(), &poll.stream).is_some_and(|it| it.is_hindered()) {
                self.due.remove(&poll.stream);
            }
        }
        Ok(())
    }

    /// Whether history of any stream is being loaded.
    fn is_loading(&self) -> Result<bool, TableError> {
        for poll in self.connector.polls.iter().filter(|poll| poll.load.is_some()) {
            if self.cursor(poll)?.is_some_and(|cursor| cursor.loading.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where following begins: at the newest change there is now.
    async fn mark(&mut self, poll: &PollSpec) -> Result<(), Trouble> {
        let newest = self.poller.newest(poll).await?;
        let time = if newest.time.is_empty() { epoch(poll) } else { newest.time };
        let before = self.cursor(poll)?.unwrap_or_default();
        let cursor = Cursor { mark: time.clone(), time, ..before };
        self.append(poll, Vec::new(), &Notes::plain(), |_| cursor.clone()).await
    }
}

impl Follower<Ground> {
    /// Runs until the daemon stops.
    pub async fn run(mut self) {
        // What an earlier run journalled is applied first; then the store says where to go on.
        if self.ledger.pipeline.wait(self.ledger.journal.head()).await.is_err() {
            return;
        }
        while !self.ledger.stopping() {
            let hints = self.hints.clone();
            let news = hints.0.news.notified();
            if self.round().await {
                continue;
            }
            let now = self.clock.now();
            let pause = self.next_due().map_or(CHECK_MS, |due| due.ms_since(now)).clamp(1, CHECK_MS);
            tokio::select! {
                () = news => {}
                () = agreed(&mut self.rights) => self.ask_again(),
                () = self.ledger.rest(pause.unsigned_abs()) => {}
            }
        }
    }
}

/// A person has given new rights.
async fn agreed(rights: &mut Option<watch::Receiver<u64>>) {
    if let Some(rights) = rights
        && rights.changed().await.is_ok()
    {
        return;
    }
    // Nobody will: there are no rights to be given, or who gives them is gone.
    std::future::pending().await
}

/// A time before everything.
fn epoch(poll: &PollSpec) -> CompactString {
    match poll.time_style {
        TimeStyle::Iso => CompactString::const_new("1970-01-01T00:00:00+00:00"),
        TimeStyle::Unix => CompactString::const_new("0"),
    }
}

/// The overlap before a time, as the foreign system writes times.
fn before(time: &str, poll: &PollSpec) -> CompactString {
    let Some(at) = foreign_instant(time) else { return epoch(poll) };
    let at = at.plus_ms(-i64::from(poll.overlap_s) * 1_000);
    match poll.time_style {
        TimeStyle::Iso => at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string().into(),
        TimeStyle::Unix => at.seconds().max(0).to_string().into(),
    }
}

fn is_later(left: &Cursor, right: &Cursor) -> bool {
    match (foreign_instant(&left.time), foreign_instant(&right.time)) {
        (Some(left), Some(right)) => left > right,
        (Some(_), None) => true,
        (None, _) => false,
    }
}
