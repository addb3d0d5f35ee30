//! The relay's side: who pulls, what waits for him, what he has confirmed, and what may go then.
//!
//! The state is a small file beside the journal, `state.json`, replaced whole:
//! `{"version":1,"relay":"<32 hex>","confirmed":17,"contact_ms":1700000000000}`. The name of the
//! relay in it is as dear as the journal: without it the office cannot know which entries it has, so a
//! journal without this file is not served.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use super::batch::{Batch, Facts, Hint, RelayId};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{
    RELAY_BATCH_BYTES_MAX, RELAY_BATCH_ENTRIES_MAX, RELAY_HINTS_MAX, RELAY_PIECE_BYTES_MAX, RELAY_STATE_WRITE_MS,
    RELAY_WAIT_S_MAX,
};
use crate::base::{Clock, Message, Position, Timestamp};
use crate::entry::{Body, Entry};
use crate::journal::{Journal, ReadError, Removed, StoredEntry};

const VERSION: u32 = 1;
const DAY_MS: i64 = 86_400_000;

/// How far a relay and its office are, as the file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which relay.
    pub relay: RelayId,
    /// What the office has confirmed.
    pub confirmed: Position,
    /// When the office asked last.
    pub contact: Option<Timestamp>,
}

/// The state file does not read or cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct DeskError(pub Message);

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    relay: String,
    confirmed: u64,
    #[serde(default)]
    contact_ms: Option<i64>,
}

impl Standing {
    /// Of a new relay.
    pub fn new(relay: RelayId) -> Standing {
        Standing { relay, confirmed: Position::START, contact: None }
    }

    /// Reads the file; `None` when it is not there.
    pub fn read(path: &Path) -> Result<Option<Standing>, DeskError> {
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(path, &error)),
        };
        let damaged = || DeskError(Message::new("relay-state-damaged").with("path", path.display()));
        let stored: Stored = serde_json::from_slice(&text).map_err(|_| damaged())?;
        if stored.version != VERSION {
            return Err(DeskError(Message::new("relay-state-newer").with("path", path.display())));
        }
        Ok(Some(Standing {
            relay: stored.relay.parse().map_err(|_| damaged())?,
            confirmed: Position(stored.confirmed),
            contact: stored.contact_ms.map(Timestamp),
        }))
    }

    /// Replaces the file; on the disk when it returns.
    pub fn write(&self, path: &Path) -> Result<(), DeskError> {
        let stored = Stored {
            version: VERSION,
            relay: self.relay.to_string(),
            confirmed: self.confirmed.0,
            contact_ms: self.contact.map(|it| it.0),
        };
        let text = serde_json::to_vec(&stored).expect("plain data");
        write_owner_only(path, &text).map_err(|error| failed(path, &error))
    }
}

fn failed(path: &Path, error: &io::Error) -> DeskError {
    DeskError(Message::new("app-path").with("path", path.display()).with("detail", error))
}

/// Replaces a file that only its owner may read. Order: content on the disk, then the name, then the
/// folder; any prefix of it leaves the old file or the new one.
pub fn write_owner_only(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let temporary = path.with_file_name(name);
    match fs::remove_file(&temporary) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// What the office asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Which relay is meant.
    pub relay: RelayId,
    /// What he has.
    pub after: Position,
    /// Fingerprint of the entry there, when he has one.
    pub print: Option<String>,
    /// How many bytes he wants, about.
    pub bytes_max: usize,
    /// How long he waits, s.
    pub wait_s: u64,
}

/// What a relay says when an office attaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    /// Which relay.
    pub relay: String,
    /// Version of its program.
    pub version: String,
    /// Version of the protocol.
    pub protocol: u32,
    /// The oldest position it keeps.
    pub first: u64,
    /// Its newest.
    pub head: u64,
    /// What the office has confirmed.
    pub confirmed: u64,
    /// Its clock.
    pub now_ms: i64,
}

/// Why the office is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another one attached later.
    Fenced,
    /// This is another relay than he means.
    OtherRelay,
    /// The journal is not the one he pulled from: it was put back to an earlier state.
    RolledBack,
    /// A parameter does not read, or there is no such body.
    Asked,
    /// The journal cannot be read.
    Journal(Message),
}

impl From<ReadError> for Refused {
    fn from(error: ReadError) -> Refused {
        match error {
            ReadError::Damaged(message) | ReadError::Removed(message) | ReadError::Io { message, .. } => {
                Refused::Journal(message)
            }
        }
    }
}

/// See the module.
pub struct Desk {
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    path: PathBuf,
    state: Mutex<State>,
    hints: Mutex<VecDeque<Hint>>,
    hinted: Notify,
    closing: watch::Sender<bool>,
}

struct State {
    standing: Standing,
    written: Standing,
    written_at: Option<Timestamp>,
    /// Who pulls. Not on the disk: after a restart the first who asks.
    holder: Option<String>,
}

impl Desk {
    /// Over a journal; `path` is the state file, which must be there.
    pub fn open(path: PathBuf, journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Result<Desk, DeskError> {
        let missing = || DeskError(Message::new("relay-state-missing").with("path", path.display()));
        let standing = Standing::read(&path)?.ok_or_else(missing)?;
        // Its end was lost with a power cut that sync does not cover: nobody can have confirmed it.
        if standing.confirmed > journal.head() {
            return Err(DeskError(
                Message::new("relay-journal-short")
                    .with("confirmed", standing.confirmed)
                    .with("head", journal.head())
                    .with("path", path.display()),
            ));
        }
        let state = State { standing, written: standing, written_at: None, holder: None };
        let closing = watch::Sender::new(false);
        let (hints, hinted) = (Mutex::default(), Notify::new());
        Ok(Desk { journal, clock, path, state: Mutex::new(state), hints, hinted, closing })
    }

    /// How far the office is.
    pub fn standing(&self) -> Standing {
        self.state().standing
    }

    /// Envelopes that the office has not confirmed.
    pub fn waiting(&self) -> u64 {
        self.journal.head().0.saturating_sub(self.standing().confirmed.0)
    }

    /// `instance` pulls from now on; who pulled before is fenced. Blocks.
    pub fn attach(&self, instance: &str) -> Result<Attached, Refused> {
        if !is_instance(instance) {
            return Err(Refused::Asked);
        }
        let before = self.state().holder.replace(instance.to_owned());
        if before.is_some_and(|before| before != instance) {
            info!("an office attached; the one before it is fenced");
        }
        self.touch();
        let facts = self.facts();
        Ok(Attached {
            relay: facts.relay.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: super::PROTOCOL,
            first: facts.first.0,
            head: facts.head.0,
            confirmed: facts.confirmed.0,
            now_ms: facts.now.0,
        })
    }

    /// What is behind `asked.after`; waits for it, but not for ever. The journal is read where
    /// blocking is allowed.
    pub async fn entries(self: &Arc<Desk>, instance: &str, asked: Asked) -> Result<Batch, Refused> {
        self.is_his(instance, asked.relay)?;
        if asked.after > self.journal.head() {
            return Err(Refused::RolledBack);
        }
        self.wait_for_news(&asked).await;
        // He may have been fenced while he waited: he must not get what the other one gets.
        self.is_his(instance, asked.relay)?;
        let desk = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || {
            desk.touch();
            desk.read(&asked)
        });
        let read = read.await;
        let entries = match read {
            Ok(entries) => entries?,
            Err(error) => return Err(Refused::Journal(Message::new("relay-read-cut").with("detail", error))),
        };
        let hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        Ok(Batch { facts: self.facts(), entries, hints })
    }

    async fn wait_for_news(&self, asked: &Asked) {
        let wait = Duration::from_secs(asked.wait_s.min(RELAY_WAIT_S_MAX));
        let mut head = self.journal.subscribe();
        let mut closing = self.closing.subscribe();
        let hinted = self.hinted.notified();
        let has_hints = !self.hints.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
        if has_hints || *closing.borrow() {
            return;
        }
        tokio::select! {
            // An error means that the journal is closed: answered with what there is.
            _ = head.wait_for(|head| *head > asked.after) => {}
            _ = closing.wait_for(|closing| *closing) => {}
            () = hinted => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    fn read(&self, asked: &Asked) -> Result<Vec<(Position, Bytes)>, Refused> {
        let first = self.journal.first();
        if let Some(print) = asked.print.as_ref().filter(|_| asked.after >= first && asked.after > Position::START) {
            let held = self.at(asked.after)?;
            if held.is_none_or(|held| Fingerprint::of(&held.payload).to_string() != *print) {
                return Err(Refused::RolledBack);
            }
        }
        let bytes_max = asked.bytes_max.clamp(1, RELAY_BATCH_BYTES_MAX);
        let from = asked.after.next().max(first);
        let stored = self.journal.read(from, RELAY_BATCH_ENTRIES_MAX, bytes_max)?;
        Ok(stored.into_iter().map(|stored| (stored.position, stored.payload)).collect())
    }

    fn at(&self, position: Position) -> Result<Option<StoredEntry>, ReadError> {
        let entries = self.journal.read(position, 1, 1)?;
        Ok(entries.into_iter().next().filter(|stored| stored.position == position))
    }

    /// A piece of the large body of the entry at `position`, from byte `from` on. Blocks.
    pub fn body(&self, instance: &str, relay: RelayId, position: Position, from: u64) -> Result<Vec<u8>, Refused> {
        self.is_his(instance, relay)?;
        self.touch();
        let stored = self.at(position)?.ok_or(Refused::Asked)?;
        let Ok(Entry::Received(received)) = Entry::decode(stored.kind, &stored.payload) else {
            return Err(Refused::Asked);
        };
        match received.body {
            body @ Body::File { .. } => {
                let lost = |error: io::Error| Refused::Journal(Message::new("relay-body").with("detail", error));
                let mut reader = self.journal.open_body(&body)?;
                reader.seek(SeekFrom::Start(from)).map_err(lost)?;
                let mut piece = Vec::new();
                reader.take(RELAY_PIECE_BYTES_MAX as u64).read_to_end(&mut piece).map_err(lost)?;
                Ok(piece)
            }
            Body::Inline(_) => Err(Refused::Asked),
        }
    }

    /// The office has synced everything up to `position`. Blocks.
    pub fn confirm(&self, instance: &str, relay: RelayId, position: Position) -> Result<(), Refused> {
        self.is_his(instance, relay)?;
        if position > self.journal.head() {
            return Err(Refused::RolledBack);
        }
        {
            let mut state = self.state();
            state.standing.confirmed = state.standing.confirmed.max(position);
        }
        self.touch();
        Ok(())
    }

    /// A foreign system told of a change.
    pub fn hint(&self, hint: Hint) {
        let mut hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
        if !hints.contains(&hint) {
            hints.push_back(hint);
        }
        // Bound: the regular look sees what the dropped one told of.
        if hints.len() > RELAY_HINTS_MAX {
            hints.pop_front();
        }
        drop(hints);
        self.hinted.notify_waiters();
    }

    /// Removes what was confirmed and is older than `keep_days`. Blocks.
    pub fn prune(&self, keep_days: u32) -> Result<Removed, ReadError> {
        let standing = self.standing();
        // What is removed must be known as confirmed after a restart too.
        if let Err(error) = self.write(standing) {
            warn!(reason = %error, "the state of the relay cannot be written, nothing is removed");
            return Ok(Removed::default());
        }
        let older_than = self.clock.now().plus_ms(-i64::from(keep_days) * DAY_MS);
        let pieces = self.journal.pieces()?;
        let may_go =
            pieces.iter().take_while(|piece| piece.next.0 <= standing.confirmed.0 + 1 && piece.until < older_than);
        match may_go.last() {
            Some(last) => self.journal.remove_before(last.next),
            None => Ok(Removed::default()),
        }
    }

    /// Those who wait are answered, and the state is written.
    pub fn close(&self) {
        self.closing.send_replace(true);
        self.flush();
    }

    /// Writes down how far the office is. Blocks.
    pub fn flush(&self) {
        if let Err(error) = self.write(self.standing()) {
            warn!(reason = %error, "the state of the relay cannot be written; the office confirms again");
        }
    }

    fn facts(&self) -> Facts {
        let Standing { relay, confirmed, .. } = self.standing();
        Facts { relay, now: self.clock.now(), first: self.journal.first(), head: self.journal.head(), confirmed }
    }

    fn is_his(&self, instance: &str, relay: RelayId) -> Result<(), Refused> {
        if !is_instance(instance) {
            return Err(Refused::Asked);
        }
        let mut state = self.state();
        if state.standing.relay != relay {
            return Err(Refused::OtherRelay);
        }
        match &state.holder {
            Some(holder) if holder != instance => Err(Refused::Fenced),
            Some(_) => Ok(()),
            None => {
                state.holder = Some(instance.to_owned());
                Ok(())
            }
        }
    }

    /// The office was here. The file follows now and then.
    fn touch(&self) {
        let now = self.clock.now();
        let standing = {
            let mut state = self.state();
            state.standing.contact = Some(now);
            // A clock that went back counts as time passed.
            let is_due = state.written_at.is_none_or(|at| !(0..RELAY_STATE_WRITE_MS).contains(&now.ms_since(at)));
            if !is_due {
                return;
            }
            state.written_at = Some(now);
            state.standing
        };
        if let Err(error) = self.write(standing) {
            warn!(reason = %error, "the state of the relay cannot be written; the office confirms again");
        }
    }

    fn write(&self, standing: Standing) -> Result<(), DeskError> {
        let mut state = self.state();
        if state.written != standing {
            standing.write(&self.path)?;
            state.written = standing;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_instance(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}
