//! A journal in memory, for tests of everything that stands on a journal. It forgets all when dropped.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Mutex;

use bytes::Bytes;
use tokio::sync::watch;

use super::{AppendError, Appended, BodyReader, Journal, NewEntry, ReadError, StoredEntry, locked, message};
use crate::base::checksum::Fingerprint;
use crate::base::{Position, Timestamp, limits};
use crate::entry::{Body, Kind};

/// What a [`MemoryJournal`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Everything.
    All,
    /// Everything but envelopes and bodies, as with a disk that is nearly full.
    NoIntake,
    /// Nothing, as after a failure of the disk.
    Nothing,
}

/// See the module. Appends are "durable" at once.
pub struct MemoryJournal {
    state: Mutex<State>,
    head: watch::Sender<Position>,
}

struct State {
    takes: Takes,
    time: Timestamp,
    entries: Vec<StoredEntry>,
    bodies: HashMap<String, Bytes>,
}

impl Default for MemoryJournal {
    fn default() -> MemoryJournal {
        MemoryJournal::new()
    }
}

impl MemoryJournal {
    /// An empty one.
    pub fn new() -> MemoryJournal {
        let state = State { takes: Takes::All, time: Timestamp::ZERO, entries: Vec::new(), bodies: HashMap::new() };
        MemoryJournal { state: Mutex::new(state), head: watch::Sender::new(Position::START) }
    }

    /// From now on takes only that.
    pub fn set_takes(&self, takes: Takes) {
        locked(&self.state).takes = takes;
    }

    fn push(&self, entry: NewEntry) -> Result<Position, AppendError> {
        if entry.payload.len() > limits::ENTRY_PAYLOAD_BYTES_MAX {
            let message = message::too_large(entry.payload.len(), limits::ENTRY_PAYLOAD_BYTES_MAX);
            return Err(AppendError::TooLarge(message));
        }
        let mut state = locked(&self.state);
        state.admit(entry.kind == Kind::Received)?;
        state.time = state.time.max(entry.at);
        let position = Position(state.entries.len() as u64 + 1);
        let stored = StoredEntry { position, kind: entry.kind, at: state.time, payload: entry.payload.into() };
        state.entries.push(stored);
        // Under the lock, so that the head never goes back.
        self.head.send_replace(position);
        Ok(position)
    }

    fn keep(&self, bytes: Vec<u8>) -> Result<Body, AppendError> {
        let mut state = locked(&self.state);
        state.admit(true)?;
        let (fingerprint, len) = (Fingerprint::of(&bytes), bytes.len() as u64);
        let name = format!("{fingerprint}-{len}-{:x}", state.bodies.len());
        state.bodies.insert(name.clone(), bytes.into());
        Ok(Body::File { name: name.into(), len, fingerprint })
    }
}

impl State {
    fn admit(&self, intake: bool) -> Result<(), AppendError> {
        let here = Path::new("memory");
        match self.takes {
            Takes::NoIntake if intake => Err(AppendError::NoSpace(message::low_space(here, 0, 0))),
            Takes::All | Takes::NoIntake => Ok(()),
            Takes::Nothing => Err(AppendError::Failed(message::writer_stopped())),
        }
    }
}

impl Journal for MemoryJournal {
    fn append(&self, entry: NewEntry) -> Appended {
        Box::pin(std::future::ready(self.push(entry)))
    }

    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn first(&self) -> Position {
        Position(1)
    }

    fn read(&self, from: Position, entries_max: usize, bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        let state = locked(&self.state);
        let index = (from.0.max(1) - 1).min(state.entries.len() as u64) as usize;
        let mut bytes = 0;
        let wanted = state.entries[index..].iter().take(entries_max).enumerate().take_while(|(index, entry)| {
            bytes += entry.payload.len();
            *index == 0 || bytes <= bytes_max
        });
        Ok(wanted.map(|(_, entry)| entry.clone()).collect())
    }

    fn put_body(&self, bytes: Vec<u8>) -> Result<Body, AppendError> {
        if bytes.len() > limits::INLINE_BODY_BYTES_MAX {
            return self.keep(bytes);
        }
        self.accepts_intake()?;
        Ok(Body::Inline(bytes))
    }

    fn adopt_body(&self, file: &Path) -> Result<Body, AppendError> {
        let failed = |error| AppendError::Failed(message::body_failed(file, &error));
        let body = self.keep(std::fs::read(file).map_err(failed)?)?;
        std::fs::remove_file(file).map_err(failed)?;
        Ok(body)
    }

    fn open_body(&self, body: &Body) -> Result<Box<dyn BodyReader>, ReadError> {
        match body {
            Body::Inline(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Body::File { name, .. } => match locked(&self.state).bodies.get(name.as_str()) {
                Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
                None => Err(ReadError::Io {
                    message: message::read_failed(name),
                    source: std::io::ErrorKind::NotFound.into(),
                }),
            },
        }
    }

    fn accepts_intake(&self) -> Result<(), AppendError> {
        locked(&self.state).admit(true)
    }
}
