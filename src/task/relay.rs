//! Pulls what a relay took for us into our journal; see `relay` for the wire.
//!
//! It begins once the pipeline has reached what the journal held at start: then the cursor in the
//! store is the newest that the journal knows. From there on the place is followed in memory, and
//! moves only past entries that are durable. Killed anywhere, it goes on from the cursor.
//!
//! Entries are queued in the order of the relay. Should one of them be refused and a later one be
//! taken, the place stays before the first; what is pulled again then is a repetition
//! (`pipeline::relayed`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use compact_str::CompactString;
use tokio::io::AsyncWriteExt as _;
use tracing::{error, info, warn};

use super::Ground;
use super::deliver::refusal;
use super::poll::Hints;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{RELAY_BATCH_BYTES_MAX, RELAY_CLOCK_MS_MAX, RELAY_RETRY_MS_MAX, RELAY_WAIT_S_MAX};
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Message, Position, Slug, Timestamp};
use crate::entry::{Body, Entry, Kind, Received, Relayed};
use crate::journal::{Appended, NewEntry};
use crate::relay::{Asked, Batch, Facts, Link, RelayId, Trouble};
use crate::store::Store;
use crate::tables::rows::relay_key;
use crate::tables::{Cursors, Reader, TableError};

/// Wait after the first failure, ms; each further one waits twice as long.
const FIRST_WAIT_MS: u64 = 250;
/// The least that is asked for after links that were cut, bytes.
const BYTES_MIN: usize = 1_024;
/// Notices kept for people.
const NOTICES_MAX: usize = 8;

/// How pulling goes, for views and alarms.
#[derive(Debug, Clone, Default)]
pub struct Relaying(Arc<Mutex<Option<Pulling>>>);

/// See [`Relaying`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulling {
    /// Host of the relay.
    pub host: String,
    /// In a word: `starting`, `pulling`, or what the trouble is ([`Trouble::state`]).
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// Why nothing is pulled, and the next step.
    pub trouble: Option<Message>,
    /// When the relay answered last.
    pub contact: Option<Timestamp>,
    /// Its newest position, as it said then.
    pub head: Position,
    /// What we have.
    pub pulled: Position,
    /// Its clock, less ours, ms.
    pub clock_ms: i64,
    /// What a person should know though pulling goes on: since the daemon began.
    pub notices: Vec<Message>,
}

impl Relaying {
    /// How it goes; `None` without a relay.
    pub fn get(&self) -> Option<Pulling> {
        self.lock().clone()
    }

    fn edit(&self, change: impl FnOnce(&mut Pulling)) {
        if let Some(pulling) = &mut *self.lock() {
            change(pulling);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pulling>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulling {
    /// Envelopes that waited there when it answered last.
    pub fn waiting(&self) -> u64 {
        self.head.0.saturating_sub(self.pulled.0)
    }

    /// Whether it does not answer, or not as a relay does.
    pub fn is_unheard(&self) -> bool {
        matches!(self.state, "unreachable" | "refused" | "foreign")
    }

    /// Whether it cannot go on before a person acts.
    pub fn wants_person(&self) -> bool {
        matches!(self.state, "token" | "fenced" | "rolled_back" | "newer")
    }

    /// What is to be told of the clocks, if anything.
    pub fn clock(&self) -> Option<Message> {
        let seconds = self.clock_ms / 1_000;
        let is_far = self.clock_ms.abs() > RELAY_CLOCK_MS_MAX;
        is_far.then(|| Message::new("relay-clock").with("host", &self.host).with("seconds", seconds))
    }
}

/// Where we are in the relay's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which relay.
    pub relay: CompactString,
    /// The last position that is in our journal.
    pub position: Position,
    /// Fingerprint of its entry.
    pub print: CompactString,
}

impl Place {
    /// As the store knows it; `None`: nothing was ever pulled.
    pub fn read(store: &dyn Store) -> Result<Option<Place>, TableError> {
        let Some(row) = Reader::new(store).get::<Cursors>(&relay_key())? else { return Ok(None) };
        let position = Position(row.cursor.id.parse().unwrap_or(0));
        Ok(Some(Place { relay: row.cursor.mark, position, print: row.cursor.time }))
    }
}

/// Pulls until the daemon stops.
pub struct Puller {
    ground: Ground,
    link: Link,
    /// Where large bodies gather.
    spool: PathBuf,
    relaying: Relaying,
    hints: Hints,
    /// Connections that have hints.
    hinted: Vec<Slug>,
    metrics: Arc<Metrics>,
    place: Option<Place>,
    attached: Option<RelayId>,
    bytes_max: usize,
}

/// Why a round did not go through.
enum Stop {
    Relay(Trouble),
    /// Our own journal or disk.
    Own(Message),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Stop {
        Stop::Relay(trouble)
    }
}

impl Puller {
    /// Over a link. `hinted` are the connections whose hints are listened to.
    pub fn new(
        ground: Ground,
        link: Link,
        spool: PathBuf,
        relaying: Relaying,
        hints: Hints,
        hinted: Vec<Slug>,
        metrics: Arc<Metrics>,
    ) -> Puller {
        let pulling = Pulling {
            host: link.host(),
            state: "starting",
            since: ground.clock.now(),
            trouble: None,
            contact: None,
            head: Position::START,
            pulled: Position::START,
            clock_ms: 0,
            notices: Vec::new(),
        };
        *relaying.lock() = Some(pulling);
        let (place, attached, bytes_max) = (None, None, RELAY_BATCH_BYTES_MAX);
        Puller { ground, link, spool, relaying, hints, hinted, metrics, place, attached, bytes_max }
    }

    /// Runs until the daemon stops.
    pub async fn run(mut self) {
        let mut stop = self.ground.stop.clone();
        let (pipeline, head) = (Arc::clone(&self.ground.pipeline), self.ground.journal.head());
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            reached = pipeline.wait(head) => if let Err(detail) = reached {
                error!(detail, "the pipeline has stopped, nothing is pulled from the relay");
                return;
            },
        }
        match Place::read(self.ground.store.as_ref()) {
            Ok(place) => {
                let pulled = place.as_ref().map_or(Position::START, |it| it.position);
                self.relaying.edit(|pulling| pulling.pulled = pulled);
                self.place = place;
            }
            Err(error) => {
                error!(%error, "where pulling ended cannot be read, nothing is pulled from the relay");
                let message = error.message();
                return self.trouble("own", message);
            }
        }
        let mut failures = 0;
        loop {
            let round = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                round = self.round() => round,
            };
            let Err(stopped) = round else {
                failures = 0;
                self.went();
                continue;
            };
            failures += 1;
            match self.rest_of(stopped, failures) {
                Some(ms) => self.ground.rest(ms).await,
                // Only a person can say which of two offices is the right one.
                None => {
                    let _stopped = stop.wait_for(|stop| *stop).await;
                    return;
                }
            }
            if self.ground.stopping() {
                return;
            }
        }
    }

    /// One question and what follows from the answer.
    async fn round(&mut self) -> Result<(), Stop> {
        let relay = match self.attached {
            Some(relay) => relay,
            None => self.attach().await?,
        };
        let place = self.place.as_ref();
        let asked = Asked {
            relay,
            after: place.map_or(Position::START, |it| it.position),
            print: place.map(|it| it.print.to_string()),
            bytes_max: self.bytes_max,
            wait_s: RELAY_WAIT_S_MAX,
        };
        let Batch { facts, entries, hints } = self.link.entries(&asked).await?;
        self.bytes_max = (self.bytes_max * 2).min(RELAY_BATCH_BYTES_MAX);
        self.contact(&facts);
        for hint in hints.iter().filter(|hint| self.hinted.contains(&hint.connection)) {
            self.hints.tell(&hint.connection, &hint.stream, &hint.id);
        }
        let taken = self.take(relay, entries).await;
        let pulled = self.place.as_ref().map_or(Position::START, |it| it.position);
        self.relaying.edit(|pulling| pulling.pulled = pulled);
        // What is in our journal is confirmed even when something behind it was refused.
        if pulled > facts.confirmed {
            self.link.confirm(relay, pulled).await?;
        }
        taken
    }

    async fn attach(&mut self) -> Result<RelayId, Stop> {
        let attached = self.link.attach().await?;
        let relay: RelayId = attached.relay.parse().map_err(|_| Trouble::Foreign)?;
        let name = CompactString::from(attached.relay);
        if let Some(place) = self.place.as_ref().filter(|place| place.relay != name) {
            let message = Message::new("relay-anew").with("host", self.link.host()).with("position", place.position);
            error!(relay.id = %name, relay.before = %place.relay, "{message}");
            self.notice(message);
            self.place = None;
            self.relaying.edit(|pulling| pulling.pulled = Position::START);
        }
        info!(relay.id = %name, relay.head = attached.head, relay.version = %attached.version, "attached to the relay");
        self.attached = Some(relay);
        let (first, head) = (Position(attached.first), Position(attached.head));
        let (now, confirmed) = (Timestamp(attached.now_ms), Position(attached.confirmed));
        self.contact(&Facts { relay, now, first, head, confirmed });
        // The first answer may wait for the first message.
        self.went();
        Ok(relay)
    }

    /// Journals the entries in order. Whatever happens, the place is behind the last one that is
    /// durable together with all before it.
    async fn take(&mut self, relay: RelayId, entries: Vec<(Position, Bytes)>) -> Result<(), Stop> {
        let name = CompactString::from(relay.to_string());
        let mut before = self.place.as_ref().map_or(Position::START, |it| it.position);
        let mut queued: Vec<(Place, Appended)> = Vec::new();
        let mut stopped = Ok(());
        for (position, payload) in entries {
            if position > before.next() {
                self.gap(before, position);
            }
            let place = Place { relay: name.clone(), position, print: print_of(&payload) };
            match self.queue(relay, before, &place, &payload).await {
                Ok(appended) => queued.push((place, appended)),
                Err(stop) => {
                    stopped = Err(stop);
                    break;
                }
            }
            before = position;
        }
        for (place, appended) in queued {
            match appended.await {
                Ok(_) => self.place = Some(place),
                Err(error) => return Err(Stop::Own(refusal(&error))),
            }
        }
        stopped
    }

    /// Queues one entry of the relay as an envelope of ours.
    async fn queue(&self, relay: RelayId, after: Position, place: &Place, payload: &[u8]) -> Result<Appended, Stop> {
        let unreadable = |message: Message| match message.id.as_str() {
            "entry-newer" => Stop::Relay(Trouble::Newer),
            _ => Stop::Own(Message::new("relay-entry").with("position", place.position)),
        };
        let entry = Entry::decode(Kind::Received, payload).map_err(|error| unreadable(error.message))?;
        let Entry::Received(mut received) = entry else {
            return Err(unreadable(Message::new("entry-damaged").with("kind", Kind::Received.name())));
        };
        // Asked each time: behind an entry that finds no room none may be queued.
        self.ground.journal.accepts_intake().map_err(|error| Stop::Own(refusal(&error)))?;
        if let Body::File { len, fingerprint, .. } = &received.body {
            received.body = self.body(relay, place.position, *len, *fingerprint).await?;
        }
        let now = self.ground.clock.now();
        let clock = (received.received_at > now).then_some(received.received_at);
        // Nothing comes from the future: a relay whose clock is ahead would outrank every later word.
        received.received_at = received.received_at.min(now);
        let note = Relayed {
            relay: place.relay.clone(),
            after: after.0,
            position: place.position.0,
            print: place.print.clone(),
            clock,
        };
        Ok(self.append(received, &note, now))
    }

    fn append(&self, mut received: Received, note: &Relayed, now: Timestamp) -> Appended {
        received.headers.push(note.to_note());
        let entry = Entry::Received(received);
        self.ground.journal.append(NewEntry { kind: entry.kind(), at: now, payload: entry.encode() })
    }

    /// Fetches a large body piece by piece into a file and hands that to the journal.
    async fn body(&self, relay: RelayId, position: Position, len: u64, whole: Fingerprint) -> Result<Body, Stop> {
        let path = self.spool.join("relay.part");
        let failed =
            |error: io::Error| Stop::Own(Message::new("app-path").with("path", path.display()).with("detail", error));
        tokio::fs::create_dir_all(&self.spool).await.map_err(failed)?;
        let mut file = tokio::fs::File::create(&path).await.map_err(failed)?;
        let mut from = 0;
        while from < len {
            let piece = self.link.body(relay, position, from).await?;
            from += piece.len() as u64;
            if piece.is_empty() || from > len {
                return Err(Stop::Relay(Trouble::Damaged));
            }
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.sync_all().await.map_err(failed)?;
        drop(file);
        let journal = Arc::clone(&self.ground.journal);
        let part = path.clone();
        let adopted = tokio::task::spawn_blocking(move || adopt(journal.as_ref(), &part, whole)).await;
        let adopted = adopted.map_err(|error| failed(io::Error::other(error)))?;
        adopted.map_err(|refused| refused.map_or(Stop::Relay(Trouble::Damaged), Stop::Own))
    }

    fn gap(&mut self, before: Position, position: Position) {
        let message = Message::new("relay-gap")
            .with("host", self.link.host())
            .with("from", before.next())
            .with("to", position.0 - 1);
        error!("{message}");
        self.notice(message);
    }

    fn notice(&self, message: Message) {
        self.relaying.edit(|pulling| {
            pulling.notices.push(message);
            // Bound: the oldest goes; the log has it.
            let surplus = pulling.notices.len().saturating_sub(NOTICES_MAX);
            pulling.notices.drain(..surplus);
        });
    }

    fn contact(&self, facts: &Facts) {
        let now = self.ground.clock.now();
        let clock_ms = facts.now.ms_since(now);
        let before = self.relaying.get().map_or(0, |it| it.clock_ms);
        self.relaying.edit(|pulling| {
            pulling.contact = Some(now);
            pulling.head = facts.head;
            pulling.clock_ms = clock_ms;
        });
        if clock_ms.abs() > RELAY_CLOCK_MS_MAX && before.abs() <= RELAY_CLOCK_MS_MAX {
            warn!(relay.clock_ms = clock_ms, "the clock of the relay and ours differ");
        }
    }

    fn went(&self) {
        let now = self.ground.clock.now();
        self.relaying.edit(|pulling| {
            if pulling.state != "pulling" {
                info!(relay.host = %pulling.host, "pulling from the relay");
                pulling.since = now;
            }
            pulling.state = "pulling";
            pulling.trouble = None;
        });
        self.measure();
    }

    fn measure(&self) {
        let Some(pulling) = self.relaying.get() else { return };
        self.metrics.series(Metric::RelayWaiting, &[]).set(i64::try_from(pulling.waiting()).unwrap_or(i64::MAX));
        let since = pulling.contact.unwrap_or(pulling.since);
        let age = self.ground.clock.now().ms_since(since) / 1_000;
        self.metrics.series(Metric::RelayContactAge, &[]).set(age.max(0));
    }

    fn trouble(&self, state: &'static str, message: Message) {
        let now = self.ground.clock.now();
        self.relaying.edit(|pulling| {
            if pulling.state != state {
                warn!(relay.host = %pulling.host, relay.state = state, "nothing is pulled from the relay: {message}");
                pulling.since = now;
            }
            pulling.state = state;
            pulling.trouble = Some(message);
        });
        self.measure();
    }

    /// How long to rest, ms; `None`: for good.
    fn rest_of(&mut self, stop: Stop, failures: u32) -> Option<u64> {
        let state = match &stop {
            Stop::Relay(trouble) => trouble.state(),
            Stop::Own(_) => "own",
        };
        let message = match &stop {
            Stop::Relay(trouble) => trouble.message(&self.link.host()),
            Stop::Own(message) => message.clone(),
        };
        self.trouble(state, message);
        let growing = wait_ms(failures, rand::random());
        match stop {
            Stop::Relay(Trouble::Fenced) => None,
            Stop::Relay(Trouble::OtherRelay) => {
                self.attached = None;
                Some(growing)
            }
            Stop::Relay(Trouble::Cut(_) | Trouble::Damaged) => {
                // Less gets through a link that is cut again and again.
                self.bytes_max = (self.bytes_max / 2).max(BYTES_MIN);
                Some(growing)
            }
            Stop::Relay(_) | Stop::Own(_) => Some(growing),
        }
    }
}

/// 250 ms, 500 ms, 1 s and so on up to the bound, spread to between 3/4 and 5/4 of itself.
fn wait_ms(failures: u32, chance: u16) -> u64 {
    let wait = FIRST_WAIT_MS.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(RELAY_RETRY_MS_MAX);
    wait * 3 / 4 + wait / 2 * u64::from(chance) / u64::from(u16::MAX)
}

fn print_of(payload: &[u8]) -> CompactString {
    compact_str::format_compact!("{}", Fingerprint::of(payload))
}

/// `Err(None)`: the file is not what the relay said it was.
fn adopt(journal: &dyn crate::journal::Journal, part: &Path, whole: Fingerprint) -> Result<Body, Option<Message>> {
    let failed = |error: io::Error| Some(Message::new("app-path").with("path", part.display()).with("detail", error));
    let mut file = std::fs::File::open(part).map_err(failed)?;
    let (found, _) = Fingerprint::of_reader(&mut file).map_err(failed)?;
    if found != whole {
        return Err(None);
    }
    journal.adopt_body(part).map_err(|error| Some(refusal(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound() {
        let waits: Vec<_> = [1, 2, 3, 8, 9, 1_000].map(|failures| wait_ms(failures, u16::MAX / 2)).into();
        assert_eq!(waits, [249, 499, 999, 29_999, 29_999, 29_999]);
        assert!(wait_ms(1, 0) == 187 && wait_ms(1, u16::MAX) == 312);
    }
}
