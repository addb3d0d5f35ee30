//! Typed tables over the byte store.
//!
//! A key on disk is the table's tag byte and the key's parts ([`key`]); a value is a version byte
//! and the row's form of that version ([`row`]). Tags are on disk for ever; 0x00 is the store's
//! own and 0xFF ends every range, so tags go from 0x01 to 0xFE.
//!
//! Readers (web, interface, command line) use [`Reader`]; the pipeline, the single writer, works
//! in an [`Overlay`] that keeps the rows of one micro-batch decoded and encodes each once.
//! Nothing here skips a row that does not read: it is an error that names table and key.

use std::marker::PhantomData;

use compact_str::CompactString;

use crate::base::{
    ClientId, DealId, DocumentId, InteractionId, ItemRef, Message, Position, Slug, TaskId, Timestamp,
    checksum::Fingerprint,
};
use crate::entry::ObjectRef;
use crate::model::{Document, Foreign, Inn, OutcomeKind};
use crate::store::StoreError;

pub mod earlier;
mod hash;
mod key;
mod overlay;
pub mod packed;
mod reader;
pub mod row;
pub mod rows;

pub use hash::rows_hash;
pub use key::{Block, ContactKey, Key, PrefixOf};
pub use overlay::Overlay;
pub use reader::{Reader, Rows, Tables};
pub use row::Persisted;

use row::RowFault;
use rows::{
    AssignmentRow, ClientRow, ContactRow, CursorRow, DealRow, ErasureRow, GatheringRow, IdempotencyRow, ImportRow,
    InteractionRow, MergeRow, MetaRow, ObjectKey, OutcomeItem, PolledRow, QuarantineRow, SinkRow, TaskRow, WordRow,
};

/// A table: what its keys and rows are.
pub trait Table: 'static {
    /// First byte of its keys.
    const TAG: u8;
    /// For messages and listings.
    const NAME: &'static str;
    /// Its keys.
    type Key: Key;
    /// Its rows.
    type Row: Persisted;
}

/// A key of a table and its row.
pub type PairOf<T> = (<T as Table>::Key, <T as Table>::Row);

/// Turns a stored pair into the row's newest form.
pub type Renew = fn(&[u8], &[u8]) -> Result<Vec<u8>, TableError>;

/// A table without its types: for whatever goes over all of them.
#[derive(Debug, Clone, Copy)]
pub struct TableInfo {
    /// First byte of its keys.
    pub tag: u8,
    /// For messages and listings.
    pub name: &'static str,
    /// The version in which its rows are written.
    pub version: u8,
    /// The key (without tag) for people; `None` when it does not read.
    pub show_key: fn(&[u8]) -> Option<String>,
    /// Whether a stored pair (key with tag) reads.
    pub check: fn(&[u8], &[u8]) -> Result<(), TableError>,
    /// The row of a stored pair in the form of `version`.
    pub renew: Renew,
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $tag:literal $text:literal: $key:ty => $row:ty;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl Table for $name {
                const TAG: u8 = $tag;
                const NAME: &'static str = $text;
                type Key = $key;
                type Row = $row;
            }
        )*

        /// Every table, by tag.
        pub const TABLES: &[TableInfo] = &[$(
            TableInfo {
                tag: $tag,
                name: $text,
                version: <$row as Persisted>::VERSION,
                show_key: |bytes| key::read::<$key>(bytes).map(|key| key.show()),
                check: |key, value| decode_pair::<$name>(key, value).map(|_| ()),
                renew: |key, value| decode_row::<$name>(key, value).map(|row| row_bytes::<$name>(&row)),
            },
        )*];
    };
}

tables! {
    /// The clients.
    Clients = 0x01 "clients": ClientId => ClientRow;
    /// Interactions that no longer fit a client's row: chunks, oldest first.
    ClientInteractions = 0x02 "client_interactions": (ClientId, u32) => Vec<InteractionId>;
    /// The deals.
    Deals = 0x03 "deals": DealId => DealRow;
    /// The interactions.
    Interactions = 0x04 "interactions": InteractionId => InteractionRow;
    /// The documents.
    Documents = 0x05 "documents": DocumentId => Document;
    /// Contact point -> who has it.
    Contacts = 0x06 "contacts": ContactKey => ContactRow;
    /// ИНН -> who has it, sorted.
    Inns = 0x07 "inns": Inn => Vec<ClientId>;
    /// Foreign id -> our object.
    Crosswalk = 0x08 "crosswalk": Foreign => ObjectKey;
    /// Objects whose delivery is open: (sink, rank of the kind, block) -> objects, sorted.
    Pending = 0x09 "pending": (Slug, u8, Block) => Vec<ObjectRef>;
    /// What became of each record: sorted by record.
    Outcomes = 0x0A "outcomes": Block => Vec<OutcomeItem>;
    /// Envelope -> where it came first.
    Idempotency = 0x0B "idempotency": Fingerprint => IdempotencyRow;
    /// Which envelopes are to be forgotten, and when; by the block of where they came.
    IdempotencyBlocks = 0x0C "idempotency_blocks": Block => Vec<(Fingerprint, Timestamp)>;
    /// Records that wait for a person or a corrected mapping.
    Quarantine = 0x0D "quarantine": ItemRef => QuarantineRow;
    /// Deals whose score changes at this instant: sorted.
    Due = 0x0E "due": (Timestamp, Block) => Vec<DealId>;
    /// Large envelopes that are applied in slices.
    Imports = 0x0F "imports": Position => ImportRow;
    /// Records by connection, stream and outcome.
    Counters = 0x10 "counters": (Slug, Slug, OutcomeKind) => u64;
    /// The pipeline's own row.
    Meta = 0x11 "meta": () => MetaRow;
    /// Merges, (winner, loser), so that they can be taken back.
    Merges = 0x12 "merges": (ClientId, ClientId) => MergeRow;
    /// How far the streams of pollers are read: (connection, stream).
    Cursors = 0x13 "cursors": (Slug, Slug) => CursorRow;
    /// What a polled foreign object last said; its kind is the stream.
    PolledRows = 0x14 "polled_rows": Foreign => PolledRow;
    /// Words of foreign dictionaries: (connection, dictionary, id there).
    Words = 0x15 "words": (Slug, CompactString, CompactString) => WordRow;
    /// Sinks: whether they are written to, and by whose decision.
    Sinks = 0x1A "sinks": Slug => SinkRow;
    /// Objects that a sink has to learn and that wait for a plan: keys and rows as in `pending`.
    /// An object stands in one of the two tables, in one place.
    Held = 0x1B "held": (Slug, u8, Block) => Vec<ObjectRef>;
    /// Group -> when each employee last got a lead by turn: sorted by employee.
    Turns = 0x1E "turns": CompactString => Vec<(Slug, u64)>;
    /// Employee -> his open deals.
    OpenDeals = 0x1F "open_deals": Slug => u64;
    /// Whom rules gave a deal to and why, and for whom it is counted.
    Assignments = 0x20 "assignments": DealId => AssignmentRow;
    /// The tasks.
    Tasks = 0x22 "tasks": TaskId => TaskRow;
    /// Open tasks by their deadline: sorted.
    OpenTasks = 0x23 "open_tasks": (Timestamp, Block) => Vec<TaskId>;
    /// Deals made of new leads that are looked at at this instant, whether anybody has touched them: sorted.
    Watches = 0x24 "watches": (Timestamp, Block) => Vec<DealId>;
    /// Persons who were erased, by the command: ids and hashes.
    Erasures = 0x28 "erasures": Position => ErasureRow;
    /// Calls that are being put together, and their other names: (connection, name at the exchange).
    Gatherings = 0x2C "gatherings": (Slug, CompactString) => GatheringRow;
    /// Names that words of foreign dictionaries have and had before, and ids that had none yet:
    /// (connection, dictionary, name) -> id there; empty when two words have that name.
    WordIds = 0x2D "word_ids": (Slug, CompactString, CompactString) => CompactString;
}

impl Pending {
    /// The row in which the open delivery of `object` to `sink` stands. Clients go before deals
    /// before interactions, because each needs the foreign id of the one before.
    pub fn key(sink: &Slug, lane: Lane, object: ObjectRef) -> (Slug, u8, Block) {
        (sink.clone(), lane.rank(object), Block::of_object(object))
    }

    /// Place of the kind in the order of delivery.
    pub fn rank(object: ObjectRef) -> u8 {
        match object {
            ObjectRef::Client(_) => 0,
            ObjectRef::Deal(_) => 1,
            ObjectRef::Interaction(_) => 2,
            ObjectRef::Task(_) => 3,
        }
    }
}

/// Which deliveries go before which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What people wait for: a record of now.
    Urgent,
    /// History: after what people wait for.
    Quiet,
    /// Scores alone.
    Later,
}

impl Lane {
    /// In the order of delivery.
    pub const ALL: [Lane; 3] = [Lane::Urgent, Lane::Quiet, Lane::Later];

    /// What stands in keys for the lane and the kind of `object`.
    pub fn rank(self, object: ObjectRef) -> u8 {
        self.of_rank(Pending::rank(object))
    }

    /// What stands in keys for the lane and a rank of [`Pending::rank`], which is below 16.
    pub fn of_rank(self, rank: u8) -> u8 {
        (self as u8) << 4 | rank
    }

    /// The lane of what stands in a key.
    pub fn of_key(rank: u8) -> Lane {
        match rank >> 4 {
            0 => Lane::Urgent,
            1 => Lane::Quiet,
            _ => Lane::Later,
        }
    }
}

impl Due {
    /// The row in which `deal` stands when its score changes at `at`.
    pub fn key(at: Timestamp, deal: DealId) -> (Timestamp, Block) {
        (at, Block::of_deal(deal))
    }
}

impl OpenTasks {
    /// The row in which an open task stands.
    pub fn key(due: Timestamp, task: TaskId) -> (Timestamp, Block) {
        (due, Block::of_object(ObjectRef::Task(task)))
    }
}

impl Watches {
    /// The row in which `deal` stands when it is looked at at `at`.
    pub fn key(at: Timestamp, deal: DealId) -> (Timestamp, Block) {
        (at, Block::of_deal(deal))
    }
}

/// Why a row could not be had.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The row is there and does not read.
    #[error("{}", self.message())]
    Row {
        /// The table.
        table: &'static str,
        /// The key, masked where it identifies a person.
        key: String,
        /// What is wrong and the next step.
        message: Message,
    },
}

impl TableError {
    /// What is wrong, where, and the next step.
    pub fn message(&self) -> Message {
        match self {
            TableError::Store(
                StoreError::Fenced(message)
                | StoreError::Damaged(message)
                | StoreError::Newer(message)
                | StoreError::Failed(message),
            ) => message.clone(),
            TableError::Row { table, key, message } => message.clone().with("table", table).with("key", key),
        }
    }
}

/// A run of keys of table `T`: from one (inclusive) to another (exclusive).
#[derive(Debug)]
pub struct Span<T> {
    from: Vec<u8>,
    to: Vec<u8>,
    table: PhantomData<fn() -> T>,
}

impl<T> Clone for Span<T> {
    fn clone(&self) -> Self {
        Span { from: self.from.clone(), to: self.to.clone(), table: PhantomData }
    }
}

impl<T: Table> Span<T> {
    /// The whole table.
    pub fn all() -> Span<T> {
        Span { from: vec![T::TAG], to: vec![T::TAG + 1], table: PhantomData }
    }

    /// The keys that begin with `prefix`.
    pub fn of(prefix: &impl PrefixOf<T::Key>) -> Span<T> {
        let mut from = vec![T::TAG];
        prefix.put_prefix(&mut from);
        let to = after_prefix(&from);
        Span { from, to, table: PhantomData }
    }

    /// From `key` on.
    #[must_use]
    pub fn from(mut self, key: &T::Key) -> Span<T> {
        let bytes = key_bytes::<T>(key);
        self.from = self.from.max(bytes);
        self
    }

    /// From the key after `key` on: the next page of a listing.
    #[must_use]
    pub fn after(mut self, key: &T::Key) -> Span<T> {
        let bytes = next_bytes(key_bytes::<T>(key));
        self.from = self.from.max(bytes);
        self
    }

    /// Up to the key before `key`: also the next page of a listing that goes backwards.
    #[must_use]
    pub fn before(mut self, key: &T::Key) -> Span<T> {
        let bytes = key_bytes::<T>(key);
        self.to = self.to.min(bytes);
        self
    }

    /// Up to `key` itself.
    #[must_use]
    pub fn through(mut self, key: &T::Key) -> Span<T> {
        let bytes = next_bytes(key_bytes::<T>(key));
        self.to = self.to.min(bytes);
        self
    }
}

/// The smallest key greater than `bytes`: no key begins with another, so nothing lies between.
fn next_bytes(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(0);
    bytes
}

/// The smallest key greater than all that begin with `prefix`.
fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while end.last() == Some(&0xFF) {
        end.pop();
    }
    let last = end.last_mut().expect("a tag is less than 0xFF");
    *last += 1;
    end
}

/// The stored form of a key.
pub fn key_bytes<T: Table>(key: &T::Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    put_key::<T>(key, &mut bytes);
    bytes
}

fn put_key<T: Table>(key: &T::Key, out: &mut Vec<u8>) {
    out.push(T::TAG);
    key.put(out);
}

/// The stored form of a row.
pub fn row_bytes<T: Table>(row: &T::Row) -> Vec<u8> {
    let mut bytes = Vec::new();
    row::write(row, &mut bytes);
    bytes
}

/// Reads a stored row; `key` (with tag) is for the error.
pub fn decode_row<T: Table>(key: &[u8], value: &[u8]) -> Result<T::Row, TableError> {
    row::read(value).map_err(|fault| {
        let message = match fault {
            RowFault::Damaged => Message::new("table-row-damaged"),
            RowFault::Newer(version) => {
                let known = <T::Row as Persisted>::VERSION;
                Message::new("table-row-newer").with("version", version).with("known", known)
            }
        };
        TableError::Row { table: T::NAME, key: show_key(T::TAG, key), message }
    })
}

/// Reads a stored pair.
pub fn decode_pair<T: Table>(key: &[u8], value: &[u8]) -> Result<PairOf<T>, TableError> {
    Ok((decode_key::<T>(key)?, decode_row::<T>(key, value)?))
}

/// Reads a stored key (with tag).
pub fn decode_key<T: Table>(key: &[u8]) -> Result<T::Key, TableError> {
    let rest = key.split_first().filter(|(tag, _)| **tag == T::TAG).map(|(_, rest)| rest);
    rest.and_then(key::read::<T::Key>).ok_or_else(|| TableError::Row {
        table: T::NAME,
        key: unreadable(key),
        message: Message::new("table-key-damaged"),
    })
}

/// The table that a stored key belongs to.
pub fn table_of(key: &[u8]) -> Option<&'static TableInfo> {
    let tag = key.first()?;
    TABLES.iter().find(|table| table.tag == *tag)
}

/// A stored row in the form in which this build writes it; `None` when it is in that form, or does
/// not read.
pub fn renewed(key: &[u8], value: &[u8]) -> Option<Vec<u8>> {
    let table = table_of(key)?;
    let is_earlier = value.first().is_some_and(|version| *version < table.version);
    is_earlier.then(|| (table.renew)(key, value).ok()).flatten()
}

/// A stored key for people: table and key, masked where it identifies a person. For the
/// differences of two stores.
pub fn describe(key: &[u8]) -> String {
    match table_of(key) {
        Some(table) => format!("{} {}", table.name, show_key(table.tag, key)).trim_end().to_owned(),
        None => format!("? {}", unreadable(key)),
    }
}

fn show_key(tag: u8, key: &[u8]) -> String {
    let rest = key.get(1..).unwrap_or(&[]);
    let table = TABLES.iter().find(|table| table.tag == tag);
    table.and_then(|table| (table.show_key)(rest)).unwrap_or_else(|| unreadable(key))
}

/// For keys that do not read: how they begin and how long they are. Not the whole: a damaged
/// contact point is still somebody's.
fn unreadable(key: &[u8]) -> String {
    let start: String = key.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("0x{start} ({} B)", key.len())
}

#[cfg(test)]
mod tests;
