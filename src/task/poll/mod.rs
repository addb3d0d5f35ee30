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

mod journal;
mod readings;
mod sweep;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use compact_str::CompactString;
use tracing::{info, warn};

use self::journal::Notes;
pub use self::readings::{Hints, Reading, Readings};
use super::Ground;
use crate::base::limits::{POLL_PAGES_MAX, POLL_REST_MS};
use crate::base::{Clock, Message, Slug, Timestamp};
use crate::connector::{Connector, PollSpec, TimeStyle};
use crate::entry::{Cursor, Entry, Received, foreign_instant};
use crate::model::Foreign;
use crate::net::Boxed;
use crate::source::poll::{Pause, Poller, Row};
use crate::store::Store;
use crate::tables::{Cursors, PolledRows, Reader, TableError};

/// Between two looks at whether anything is due, ms.
const CHECK_MS: i64 = 1_000;
/// Rows that may be read again and again because no cursor was written behind them.
const UNWRITTEN_ROWS_MAX: u64 = 500;

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
        Follower { ledger, poller, clock, connector, every_s, readings, hints, due, unwritten }
    }

    /// The connection that is read.
    pub fn name(&self) -> &Slug {
        self.poller.name()
    }

    /// One round over all streams. Whether there is more to be done at once.
    pub async fn round(&mut self) -> bool {
        let connector = Arc::clone(&self.connector);
        let mut went = false;
        let hints = self.hints.take(self.poller.name());
        for (stream, ids) in hints {
            let Some(poll) = connector.poll(&stream) else { continue };
            if let Err(trouble) = self.verify(poll, &ids).await {
                // They come again: the next look and the comparison of ids see what they told of.
                self.trouble(poll, trouble);
            }
        }
        for poll in &connector.polls {
            match self.step(poll).await {
                Ok(Step::Went) => went = true,
                Ok(Step::Rests) => {}
                Err(trouble) => self.trouble(poll, trouble),
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
            if !self.cursor(poll)?.is_some_and(|cursor| cursor.loaded && cursor.loading.is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn trouble(&mut self, poll: &PollSpec, trouble: Trouble) {
        let now = self.clock.now();
        let (until, reason) = match trouble {
            Trouble::Foreign(pause) => (pause.until, pause.reason),
            Trouble::Own(reason) => (now.plus_ms(POLL_REST_MS), reason),
        };
        let (name, stream) = (self.poller.name(), &poll.stream);
        warn!(source.name = %name, source.stream = %stream, source.until = %until, "{name} cannot be read: {}", reason.id);
        self.readings.edit(name, stream, |reading| {
            reading.trouble = Some(reason);
            reading.troubled_since.get_or_insert(now);
        });
        self.due.insert(stream.clone(), until.max(now.plus_ms(CHECK_MS)));
    }

    fn cursor(&self, poll: &PollSpec) -> Result<Option<Cursor>, TableError> {
        let key = (self.poller.name().clone(), poll.stream.clone());
        Ok(Reader::new(self.ledger.store()).get::<Cursors>(&key)?.map(|row| row.cursor))
    }

    async fn step(&mut self, poll: &PollSpec) -> Result<Step, Trouble> {
        let now = self.clock.now();
        if self.due.get(&poll.stream).is_some_and(|due| *due > now) {
            let is_loading = self.cursor(poll)?.is_some_and(|cursor| cursor.loading.is_some());
            let is_troubled = self.readings.of(self.poller.name(), &poll.stream).is_some_and(|it| it.trouble.is_some());
            if !is_loading || is_troubled {
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
            reading.trouble = None;
            reading.troubled_since = None;
        });
        Step::Rests
    }

    /// Where following begins: at the newest change there is now.
    async fn mark(&mut self, poll: &PollSpec) -> Result<(), Trouble> {
        let newest = self.poller.newest(poll).await?;
        let time = if newest.time.is_empty() { epoch(poll) } else { newest.time };
        let before = self.cursor(poll)?.unwrap_or_default();
        let cursor = Cursor { mark: time.clone(), time, ..before };
        self.append(poll, Vec::new(), &Notes::plain(), |_| cursor.clone()).await
    }

    async fn follow(&mut self, poll: &PollSpec, stored: &Cursor) -> Result<(), Trouble> {
        let mut cursor = self.unwritten.get(&poll.stream).filter(|it| is_later(it, stored)).unwrap_or(stored).clone();
        let mut since = before(&cursor.time, poll);
        if foreign_instant(&since) < foreign_instant(&stored.mark) {
            since.clone_from(&stored.mark);
        }
        let mut start = 0;
        let mut passed = 0;
        for _ in 0..POLL_PAGES_MAX {
            let page = self.poller.changed(poll, &since, start).await?;
            let read = page.rows.len() as u64;
            let last = page.rows.last().map(|row| row.time.clone());
            let fresh = self.fresh(poll, page.rows, &mut cursor)?;
            passed = if fresh.is_empty() { passed + read } else { 0 };
            if !fresh.is_empty() || passed > UNWRITTEN_ROWS_MAX {
                passed = 0;
                // What is as old as the mark was there before we were.
                let mark = foreign_instant(&stored.mark);
                let (fresh, history): (Vec<Row>, Vec<Row>) =
                    fresh.into_iter().partition(|row| foreign_instant(&row.time) > mark);
                let base = self.cursor(poll)?.unwrap_or_default();
                if !history.is_empty() {
                    self.append(poll, history, &Notes::history(), |_| base.clone()).await?;
                }
                let (time, id) = (cursor.time.clone(), cursor.id.clone());
                self.append(poll, fresh, &Notes::plain(), |last| match last {
                    // In the order of time: what is behind this row comes after it.
                    Some(row) if foreign_instant(&row.time) >= foreign_instant(&base.time) => {
                        Cursor { time: row.time.clone(), id: row.id.clone(), ..base.clone() }
                    }
                    // Within the overlap.
                    Some(_) => base.clone(),
                    None => Cursor { time: time.clone(), id: id.clone(), ..base.clone() },
                })
                .await?;
            }
            self.unwritten.insert(poll.stream.clone(), cursor.clone());
            let Some(last) = last.filter(|_| page.more) else { return Ok(()) };
            match (foreign_instant(&last), foreign_instant(&since)) {
                (Some(last_at), Some(since_at)) if last_at > since_at => {
                    since = last;
                    start = 0;
                }
                // All of a page within one second: the rest of that second is behind it.
                _ => start += read,
            }
        }
        Ok(())
    }

    /// The rows that say something new; the others are counted. Moves the cursor over all.
    fn fresh(&self, poll: &PollSpec, rows: Vec<Row>, cursor: &mut Cursor) -> Result<Vec<Row>, Trouble> {
        for row in &rows {
            let ahead = match (foreign_instant(&row.time), foreign_instant(&cursor.time)) {
                (Some(row), Some(cursor)) => row >= cursor,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if ahead {
                cursor.time.clone_from(&row.time);
                cursor.id.clone_from(&row.id);
            }
        }
        self.changed(poll, rows)
    }

    /// The rows that say something new; the others are counted.
    fn changed(&self, poll: &PollSpec, rows: Vec<Row>) -> Result<Vec<Row>, Trouble> {
        let keys: Vec<Foreign> = rows.iter().map(|row| self.foreign(poll, &row.id)).collect();
        let known = Reader::new(self.ledger.store()).get_many::<PolledRows>(&keys)?;
        let total = rows.len();
        let is_new = |known: &Option<crate::tables::rows::PolledRow>, row: &Row| {
            known.as_ref().is_none_or(|known| known.gone || known.fingerprint != row.fingerprint)
        };
        let mut seen = HashSet::new();
        let fresh: Vec<Row> = rows
            .into_iter()
            .zip(&known)
            .filter(|(row, known)| is_new(known, row) && seen.insert((row.id.clone(), row.fingerprint)))
            .map(|(row, _)| row)
            .collect();
        let same = (total - fresh.len()) as u64;
        self.readings.edit(self.poller.name(), &poll.stream, |reading| reading.same += same);
        Ok(fresh)
    }

    fn foreign(&self, poll: &PollSpec, id: &CompactString) -> Foreign {
        Foreign { connection: self.poller.name().clone(), kind: CompactString::from(&*poll.stream), id: id.clone() }
    }

    /// One portion of the initial load.
    async fn load(&mut self, poll: &PollSpec) -> Result<Step, Trouble> {
        let Some(request) = &poll.load else { return Ok(Step::Rests) };
        let Some(cursor) = self.cursor(poll)? else { return Ok(Step::Rests) };
        let Some(mut loading) = cursor.loading.clone() else { return Ok(Step::Rests) };
        if loading.after.is_empty() && loading.total.is_none() {
            loading.total = self.poller.newest(poll).await?.total;
        }
        let page = self.poller.behind(poll, request, &loading.after).await?;
        let read = page.rows.len() as u64 + page.nameless;
        let last = page.rows.last().map(|row| row.id.clone());
        let fresh = self.changed(poll, page.rows)?;
        let base = Cursor { loading: None, ..cursor.clone() };
        let done = match last {
            Some(after) if page.more && after != loading.after => Cursor {
                loading: Some(crate::entry::Loading { after, read: loading.read + read, ..loading.clone() }),
                ..base.clone()
            },
            Some(_) | None => Cursor { loaded: true, ..base.clone() },
        };
        if done.loaded && done.loading.is_none() {
            info!(source.name = %self.poller.name(), source.stream = %poll.stream, rows = loading.read + read, "history is loaded");
        }
        let mut count = 0;
        let total = fresh.len();
        self.append(poll, fresh, &Notes::history(), |row| {
            let Some(row) = row else { return done.clone() };
            count += 1;
            // Behind the last of the portion: as far as the portion went.
            match count == total {
                true => done.clone(),
                false => {
                    let after = row.id.clone();
                    let loading = crate::entry::Loading { after, read: loading.read + count as u64, ..loading.clone() };
                    Cursor { loading: Some(loading), ..base.clone() }
                }
            }
        })
        .await?;
        self.readings.edit(self.poller.name(), &poll.stream, |reading| {
            reading.trouble = None;
            reading.troubled_since = None;
        });
        Ok(Step::Went)
    }

    /// Reads a dictionary whole.
    async fn read_whole(&mut self, poll: &PollSpec) -> Result<(), Trouble> {
        let mut start = 0;
        for _ in 0..POLL_PAGES_MAX {
            let page = self.poller.whole(poll, start).await?;
            start += page.rows.len() as u64 + page.nameless;
            let fresh = self.changed(poll, page.rows)?;
            if !fresh.is_empty() {
                let base = self.cursor(poll)?.unwrap_or_default();
                self.append(poll, fresh, &Notes::plain(), |_| base.clone()).await?;
            }
            if !page.more {
                return Ok(());
            }
        }
        Ok(())
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
                () = self.ledger.rest(pause.unsigned_abs()) => {}
            }
        }
    }
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
