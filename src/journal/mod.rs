//! The journal: the append-only truth.
//!
//! [`Journal`] is what the rest of the program sees. [`Segments`] keeps it in files (their bytes:
//! [`format`]), [`MemoryJournal`] in memory for tests; [`conformance`] says what both must do.
//!
//! Parts of [`Segments`], from the rim inwards: [`disk`] (the only I/O), [`group`] and the queue
//! (entries that wait), [`writer`] (one group after the other, a state machine), the reader (sparse
//! index), recovery and the scan of a segment (what opening finds), bodies, space, [`verify`].
//! [`simulated`] is a disk whose power tests can cut.
//!
//! Guaranteed: an append that resolved is durable and keeps its position for ever; positions have
//! no gaps; nothing behind the synced head is ever read; a bad entry is an error, never skipped.
//! Not here: what payloads mean ([`crate::entry`]), what retention may remove, and the lock of the folder.

use std::future::Future;
use std::io::{Read, Seek};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;

use crate::base::{Message, Position, Timestamp};
use crate::entry::{Body, Kind};

mod bodies;
pub mod conformance;
pub mod disk;
mod extent;
pub mod format;
pub mod group;
mod memory;
mod message;
mod options;
mod queue;
mod reader;
mod recovery;
mod remove;
mod rewrite;
mod scan;
mod segments;
pub mod simulated;
mod space;
mod verify;
pub mod writer;

pub use disk::{Disk, RealDisk};
pub use extent::{Extent, ExtentError, extent};
pub use memory::{MemoryJournal, Takes};
pub use options::{Examination, Options};
pub use recovery::{OpenError, Recovery};
pub use rewrite::{Replace, rewrite};
pub use scan::{Damage, Torn};
pub use segments::Segments;
pub use verify::{BodyReport, Progress, SegmentReport, VerifyReport, verify};

/// An entry to be appended.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Its kind.
    pub kind: Kind,
    /// When it came about. The journal stores the running maximum of these.
    pub at: Timestamp,
    /// Its payload ([`crate::entry::Entry::encode`]).
    pub payload: Vec<u8>,
}

/// An entry as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its position.
    pub position: Position,
    /// Its kind.
    pub kind: Kind,
    /// Journal time: never less than that of the entry before.
    pub at: Timestamp,
    /// Its payload.
    pub payload: Bytes,
}

/// Why an append or a body was refused. Nothing of it is in the journal then, except after `Failed`.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Less free space than intake may use; senders retry later (503).
    #[error("{0}")]
    NoSpace(Message),
    /// The payload is larger than `limits::ENTRY_PAYLOAD_BYTES_MAX`.
    #[error("{0}")]
    TooLarge(Message),
    /// The disk failed; the journal takes nothing more until it is opened anew. Whether the entry
    /// is there is known only then.
    #[error("{0}")]
    Failed(Message),
    /// The journal is closing.
    #[error("{0}")]
    Closed(Message),
}

/// Why entries could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A bad entry in the middle: names segment, offset and position. Never skipped in silence.
    #[error("{0}")]
    Damaged(Message),
    /// The entries before this position were removed by retention.
    #[error("{0}")]
    Removed(Message),
    /// The disk failed.
    #[error("{message}")]
    Io {
        /// What was read.
        message: Message,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// A run of entries that can only be removed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Its first entry.
    pub first: Position,
    /// The first entry behind it.
    pub next: Position,
    /// Journal time of its last entry.
    pub until: Timestamp,
    /// Bytes on the disk, without bodies.
    pub bytes: u64,
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Entries.
    pub entries: u64,
    /// Pieces.
    pub pieces: u64,
    /// Bodies.
    pub bodies: u64,
    /// Bytes, bodies included.
    pub bytes: u64,
}

/// Resolves when the entry is on the disk (synced), and not before.
pub type Appended = Pin<Box<dyn Future<Output = Result<Position, AppendError>> + Send>>;

/// A body that is open: readable from its beginning, and at any place (archives have their list of
/// members at the end).
pub trait BodyReader: Read + Seek + Send {}

impl<T: Read + Seek + Send> BodyReader for T {}

/// The journal as its users see it. `Segments` is the real one, `MemoryJournal` serves tests;
/// `conformance` runs against both.
pub trait Journal: Send + Sync + 'static {
    /// Queues the entry at once (order of calls is order of positions, as seen from one thread);
    /// the future resolves with its position once it is durable. Dropping the future does not
    /// take the entry back. Who appends thousands without awaiting any is held up in this call once
    /// the queue is full.
    fn append(&self, entry: NewEntry) -> Appended;

    /// The newest synced position.
    fn head(&self) -> Position;

    /// Follows [`Journal::head`].
    fn subscribe(&self) -> tokio::sync::watch::Receiver<Position>;

    /// The oldest position still kept.
    fn first(&self) -> Position;

    /// Entries from `from` on, in order, without gaps, up to the head; at most `entries_max`, and no
    /// more than about `bytes_max` bytes of payload (but always one if there is one).
    fn read(&self, from: Position, entries_max: usize, bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError>;

    /// Keeps a body: small ones inline, large ones in a synced file of their own.
    fn put_body(&self, bytes: Vec<u8>) -> Result<Body, AppendError>;

    /// Takes over a finished, synced file (same file system) as a body: renames it into the
    /// `bodies` folder and syncs the folder.
    fn adopt_body(&self, file: &Path) -> Result<Body, AppendError>;

    /// Opens a body for reading from its beginning.
    fn open_body(&self, body: &Body) -> Result<Box<dyn BodyReader>, ReadError>;

    /// What retention could remove, the oldest first: whole pieces; the newest is never one. A
    /// journal that keeps everything has none.
    fn pieces(&self) -> Result<Vec<Piece>, ReadError> {
        Ok(Vec::new())
    }

    /// Removes the pieces that lie wholly before `position`, with the bodies of their entries. The
    /// caller knows that nothing needs them. Stopped anywhere, it can be done again.
    fn remove_before(&self, _position: Position) -> Result<Removed, ReadError> {
        Ok(Removed::default())
    }

    /// Free bytes of its disk, where that can be asked.
    fn free_bytes(&self) -> Option<u64> {
        None
    }

    /// Free space and state, for health and the refusal of intake: `Ok` when intake may go on.
    fn accepts_intake(&self) -> Result<(), AppendError>;
}

/// A panic elsewhere does not make what a lock guards wrong here: state changes under it are whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read_locked<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_locked<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
