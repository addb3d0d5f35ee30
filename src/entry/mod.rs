//! What a journal entry may say, and its bytes.
//!
//! The journal frames bytes; this module gives them meaning. A payload is one version byte
//! followed by the postcard form of the struct of that kind. Old versions are read for ever, only
//! the newest is written; frozen examples stand in `tests/frozen/entry/`.
//!
//! Kinds: [`Received`] (an envelope), [`Attempting`] and [`Attempted`] (a delivery around a request
//! that is not idempotent), [`Commanded`] (a person's decision), [`Configured`] (a compiled
//! configuration takes force), [`Ticked`] (time passed), [`Slice`] (a portion of long work).

use compact_str::CompactString;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::checksum::Fingerprint;
use crate::base::{ItemRef, Message, Position, Slug, Timestamp};

mod attempt;
mod cursor;
mod relayed;

pub use attempt::{AttemptResult, Attempted, AttemptedItem, Attempting, AttemptingItem, ObjectRef, Operation, Verdict};
pub use cursor::{CURSOR_NOTE, Cursor, DELETED_NOTE, HISTORY_NOTE, LOST_WORD, Loading, foreign_instant};
pub use relayed::{RELAY_NOTE, REMOTE_NOTE, REQUEST_NOTE, Relayed};

/// Kind of a journal entry, as the journal frames it. The numbers are on disk for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    /// An [`Received`] envelope.
    Received = 1,
    /// See [`Attempting`].
    Attempting = 2,
    /// See [`Attempted`].
    Attempted = 3,
    /// See [`Commanded`].
    Commanded = 4,
    /// See [`Configured`].
    Configured = 5,
    /// See [`Ticked`].
    Ticked = 6,
    /// See [`Slice`].
    Slice = 7,
}

impl Kind {
    /// From the byte in the frame.
    pub fn from_byte(byte: u8) -> Option<Kind> {
        [
            Kind::Received,
            Kind::Attempting,
            Kind::Attempted,
            Kind::Commanded,
            Kind::Configured,
            Kind::Ticked,
            Kind::Slice,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }

    /// For listings and metric labels.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Received => "received",
            Kind::Attempting => "attempting",
            Kind::Attempted => "attempted",
            Kind::Commanded => "commanded",
            Kind::Configured => "configured",
            Kind::Ticked => "ticked",
            Kind::Slice => "slice",
        }
    }
}

/// Where the bytes of an envelope are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Body {
    /// In the entry itself.
    #[serde(with = "bytes_as_slice")]
    Inline(Vec<u8>),
    /// In a file of their own beside the journal, synced before the entry.
    File {
        /// Name of the file in the journal's `bodies` folder.
        name: CompactString,
        /// Its length, bytes.
        len: u64,
        /// Fingerprint of its content.
        fingerprint: Fingerprint,
    },
}

impl Body {
    /// Length, bytes.
    pub fn len(&self) -> u64 {
        match self {
            Body::Inline(bytes) => bytes.len() as u64,
            Body::File { len, .. } => *len,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

mod bytes_as_slice {
    //! Byte strings as one run, not as a sequence of numbers.
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(<[u8]>::to_vec)
    }
}

/// An envelope: bytes as received and what is known of how they came. Immutable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Which configured source took it: the name of the connection in `uzel.toml` (`site`, `1c`).
    pub connection: Slug,
    /// The connector of that connection (`forms`, `tilda`, `commerceml`).
    pub connector: Slug,
    /// Kind of record as the source knows it before decoding (`lead`, `exchange`).
    pub stream: Slug,
    /// When the last byte came.
    pub received_at: Timestamp,
    /// Names this envelope within its connection and stream: the sender's own id where it has one,
    /// else a fingerprint of the content and a window of time.
    pub idempotency_key: Fingerprint,
    /// `Content-Type` as sent.
    pub content_type: CompactString,
    /// What else of the request matters: selected headers, query, file name; never secrets.
    pub headers: Vec<(CompactString, String)>,
    /// The bytes.
    pub body: Body,
}

impl Received {
    /// Note of what erasure left of this envelope: `all`, or the numbers of records.
    pub const ERASED: &'static str = "erased";

    /// Whether nothing is left of it.
    pub fn is_all_erased(&self) -> bool {
        self.header(Received::ERASED) == Some("all")
    }

    /// Whether the record `item` was erased.
    pub fn is_erased(&self, item: u32) -> bool {
        let Some(note) = self.header(Received::ERASED) else { return false };
        note == "all" || note.split(',').any(|number| number.parse() == Ok(item))
    }

    /// The header or note `name`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commanded {
    /// When it was given.
    pub at: Timestamp,
    /// Who gave it: `cli`, or the name of the interface token.
    pub by: CompactString,
    /// What is to be done.
    pub command: Command,
}

/// What a person can decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Decode and map a quarantined record again, with the configuration of now.
    RetryRecord {
        /// The record.
        at: ItemRef,
    },
    /// Give a quarantined record up; its bytes stay in the journal.
    DiscardRecord {
        /// The record.
        at: ItemRef,
        /// Why, in the person's words.
        reason: String,
    },
    /// Send a dead letter again (also: tell an uncertain delivery to look and go on).
    ResendDelivery {
        /// The sink.
        sink: Slug,
        /// The object.
        object: ObjectRef,
    },
    /// Give a dead letter up.
    DiscardDelivery {
        /// The sink.
        sink: Slug,
        /// The object.
        object: ObjectRef,
    },
    /// Make one client of two.
    MergeClients {
        /// The one that stays.
        winner: crate::base::ClientId,
        /// The one that goes.
        loser: crate::base::ClientId,
    },
    /// Take a merge back, and remember that the two are not the same.
    SplitClients {
        /// The one that stayed.
        winner: crate::base::ClientId,
        /// The one that went.
        loser: crate::base::ClientId,
    },
    /// Take a filtered record (spam, for one) after all.
    AcceptRecord {
        /// The record.
        at: ItemRef,
    },
    /// A task is done.
    CompleteTask {
        /// The task.
        task: crate::base::TaskId,
        /// What came of it, in the person's words; may be empty.
        note: String,
    },
    /// A task is not to be done.
    CancelTask {
        /// The task.
        task: crate::base::TaskId,
        /// Why, in the person's words; may be empty.
        reason: String,
    },
    /// Take a person out of the data, and out of what came in.
    ErasePerson(Erasure),
    /// Write to a sink what a plan says; from here on the sink is live.
    ApplyPlan {
        /// The sink.
        sink: Slug,
        /// Names the plan.
        plan: Fingerprint,
        /// The objects of its lines.
        objects: Vec<ObjectRef>,
    },
    /// Write nothing more to a sink until it is resumed.
    PauseSink {
        /// The sink.
        sink: Slug,
    },
    /// Go on writing to a paused sink.
    ResumeSink {
        /// The sink.
        sink: Slug,
    },
    /// Read a connection's whole history.
    LoadSource {
        /// The connection.
        connection: Slug,
    },
    /// Set fields of a client by hand; they win over every source until they are released.
    EditClient {
        /// The client.
        client: crate::base::ClientId,
        /// Canonical fields (`inn`) and their texts.
        set: Vec<(CompactString, String)>,
        /// Fields set by hand earlier whose next word is a source's again.
        release: Vec<CompactString>,
    },
    /// Set fields of a deal by hand; they win over every source until they are released.
    EditDeal {
        /// The deal.
        deal: crate::base::DealId,
        /// Canonical fields (`stage`) and their texts.
        set: Vec<(CompactString, String)>,
        /// Fields set by hand earlier whose next word is a source's again.
        release: Vec<CompactString>,
    },
}

/// Erasure of a person. It names nobody: ids and salted hashes only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The client; those merged into it go with it.
    pub client: crate::base::ClientId,
    /// Records of the person that wait, were left aside, or changed nothing.
    pub records: Vec<ItemRef>,
    /// What identifies the person, hashed: finds what came in between, and in restored backups.
    pub marks: Vec<Fingerprint>,
    /// Goes into the hashes.
    pub salt: [u8; 16],
}

/// A compiled configuration takes force from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// Names the content kept in `configurations/` beside the journal.
    pub hash: Fingerprint,
    /// Version of the program that compiled it.
    pub build: CompactString,
}

/// Time passed: what is due by `at` is rescored, what has expired is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticked {
    /// The instant.
    pub at: Timestamp,
}

/// A portion of long work, so that a call never waits behind an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slice {
    /// Records `from..to` of a large envelope.
    Import {
        /// Position of the envelope.
        of: Position,
        /// First record.
        from: u32,
        /// One past the last record.
        to: u32,
    },
    /// Rescore open deals whose id is greater than `after`, at most `count`.
    Rescore {
        /// Position of the configuration that asks for it.
        of: Position,
        /// The last deal of the slice before.
        after: Option<crate::base::DealId>,
        /// How many.
        count: u32,
    },
}

/// A decoded entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An envelope.
    Received(Received),
    /// A request that is not idempotent is about to be sent.
    Attempting(Attempting),
    /// What became of a request.
    Attempted(Attempted),
    /// A person's decision.
    Commanded(Commanded),
    /// A configuration takes force.
    Configured(Configured),
    /// Time passed.
    Ticked(Ticked),
    /// A portion of long work.
    Slice(Slice),
}

/// Version of payloads that this build writes.
pub const VERSION: u8 = 1;

/// A payload that cannot be read: damaged, or of a newer version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EntryError {
    /// What is wrong.
    pub message: Message,
}

impl Entry {
    /// The kind, for the frame.
    pub fn kind(&self) -> Kind {
        match self {
            Entry::Received(_) => Kind::Received,
            Entry::Attempting(_) => Kind::Attempting,
            Entry::Attempted(_) => Kind::Attempted,
            Entry::Commanded(_) => Kind::Commanded,
            Entry::Configured(_) => Kind::Configured,
            Entry::Ticked(_) => Kind::Ticked,
            Entry::Slice(_) => Kind::Slice,
        }
    }

    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Entry::Received(it) => encode(it),
            Entry::Attempting(it) => encode(it),
            Entry::Attempted(it) => encode(it),
            Entry::Commanded(it) => encode(it),
            Entry::Configured(it) => encode(it),
            Entry::Ticked(it) => encode(it),
            Entry::Slice(it) => encode(it),
        }
    }

    /// Reads a payload of the given kind.
    pub fn decode(kind: Kind, payload: &[u8]) -> Result<Entry, EntryError> {
        Ok(match kind {
            Kind::Received => Entry::Received(decode(kind, payload)?),
            Kind::Attempting => Entry::Attempting(decode(kind, payload)?),
            Kind::Attempted => Entry::Attempted(decode(kind, payload)?),
            Kind::Commanded => Entry::Commanded(decode(kind, payload)?),
            Kind::Configured => Entry::Configured(decode(kind, payload)?),
            Kind::Ticked => Entry::Ticked(decode(kind, payload)?),
            Kind::Slice => Entry::Slice(decode(kind, payload)?),
        })
    }
}

fn encode<T: Serialize>(payload: &T) -> Vec<u8> {
    postcard::to_extend(payload, vec![VERSION]).expect("entries have no form that postcard refuses")
}

fn decode<T: DeserializeOwned>(kind: Kind, payload: &[u8]) -> Result<T, EntryError> {
    let wrong = |id: &str| EntryError { message: Message::new(id).with("kind", kind.name()) };
    match payload.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| wrong("entry-damaged")),
        Some((version, _)) if *version > VERSION => {
            Err(EntryError { message: Message::new("entry-newer").with("kind", kind.name()).with("version", version) })
        }
        Some(_) | None => Err(wrong("entry-damaged")),
    }
}
