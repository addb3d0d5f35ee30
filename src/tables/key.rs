//! Keys of tables, and their bytes.
//!
//! The order of the bytes is the order of the keys, and no key of a table is the beginning of
//! another, so ranges and prefixes mean on disk what they mean in words. Part by part:
//!
//! ```text
//! numbers     big-endian, fixed width
//! Timestamp   i64 big-endian with the sign bit flipped
//! text        UTF-8, each 00 as 00 FF, then the end mark 00 00
//! ```
//!
//! The end mark is what keeps (`a`, `bc`) and (`ab`, `c`) apart whatever bytes foreign ids hold.

use std::fmt::{self, Debug};

use compact_str::CompactString;

use crate::base::checksum::Fingerprint;
use crate::base::{ClientId, DealId, DocumentId, InteractionId, ItemRef, Position, Slug, TaskId, Timestamp};
use crate::entry::ObjectRef;
use crate::model::{ContactPoint, Foreign, Inn, OutcomeKind};

/// A key or a part of one.
pub trait Key: Clone + Ord + Debug + Send + 'static {
    /// Appends the bytes.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes the bytes off the front; `None` when they do not read.
    fn take(bytes: &mut &[u8]) -> Option<Self>;

    /// For people: ids as they are, what identifies a person masked.
    fn show(&self) -> String;

    /// No row stands under this key before the entry at this position is applied: ids and blocks
    /// tell where they came from. `Position(0)` when the key does not tell.
    fn born(&self) -> Position {
        Position(0)
    }
}

/// Something that is the leading parts of a key `K`: what may stand before a range of rows.
pub trait PrefixOf<K> {
    /// Appends the bytes.
    fn put_prefix(&self, out: &mut Vec<u8>);
}

/// Reads a whole key; `None` when something is left over.
pub(super) fn read<K: Key>(mut bytes: &[u8]) -> Option<K> {
    K::take(&mut bytes).filter(|_| bytes.is_empty())
}

fn take_array<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    let mut parts = text.split('\0');
    out.extend_from_slice(parts.next().unwrap_or("").as_bytes());
    for part in parts {
        out.extend_from_slice(&[0x00, 0xFF]);
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(&[0x00, 0x00]);
}

fn take_text(bytes: &mut &[u8]) -> Option<CompactString> {
    let mut text = Vec::new();
    loop {
        let zero = bytes.iter().position(|byte| *byte == 0)?;
        text.extend_from_slice(&bytes[..zero]);
        let mark = *bytes.get(zero + 1)?;
        *bytes = &bytes[zero + 2..];
        match mark {
            0x00 => return CompactString::from_utf8(text).ok(),
            0xFF => text.push(0),
            _ => return None,
        }
    }
}

macro_rules! number_keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                take_array(bytes).map(<$type>::from_be_bytes)
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

number_keys!(u8, u32, u64);

macro_rules! id_keys {
    ($($type:ident born $born:expr),*) => {$(
        impl Key for $type {
            fn born(&self) -> Position {
                $born(*self)
            }

            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(bytes: &mut &[u8]) -> Option<Self> {
                u64::take(bytes).map($type)
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

id_keys!(
    ClientId born ClientId::position,
    DealId born DealId::position,
    DocumentId born DocumentId::position,
    InteractionId born InteractionId::position,
    TaskId born TaskId::position,
    Position born std::convert::identity
);

impl Key for Timestamp {
    fn put(&self, out: &mut Vec<u8>) {
        (self.0 as u64 ^ (1 << 63)).put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        u64::take(bytes).map(|number| Timestamp((number ^ (1 << 63)) as i64))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Key for ItemRef {
    fn put(&self, out: &mut Vec<u8>) {
        self.position.put(out);
        self.item.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(ItemRef::new(Position::take(bytes)?, u32::take(bytes)?))
    }

    fn born(&self) -> Position {
        self.position
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Key for Fingerprint {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_array(bytes).map(Fingerprint)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Key for CompactString {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self, out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_text(bytes)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Key for Slug {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(self, out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Slug::new(&take_text(bytes)?)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Key for OutcomeKind {
    fn put(&self, out: &mut Vec<u8>) {
        // On disk for ever: a new kind takes the next number.
        let number: u8 = match self {
            OutcomeKind::Applied => 0,
            OutcomeKind::Unchanged => 1,
            OutcomeKind::Repeated => 2,
            OutcomeKind::Filtered => 3,
            OutcomeKind::Quarantined => 4,
            OutcomeKind::Discarded => 5,
        };
        number.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        let number = u8::take(bytes)?;
        OutcomeKind::ALL.into_iter().find(|kind| {
            let mut own = Vec::with_capacity(1);
            kind.put(&mut own);
            own == [number]
        })
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Key for Inn {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(&self.0, out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_text(bytes).map(Inn)
    }

    fn show(&self) -> String {
        // Twelve digits are a person's.
        masked(&self.0, 4, 2)
    }
}

impl Key for Foreign {
    fn put(&self, out: &mut Vec<u8>) {
        self.connection.put(out);
        self.kind.put(out);
        self.id.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some(Foreign {
            connection: Slug::take(bytes)?,
            kind: CompactString::take(bytes)?,
            id: CompactString::take(bytes)?,
        })
    }

    fn show(&self) -> String {
        format!("{}/{}/{}", self.connection, self.kind, self.id)
    }
}

impl Key for () {
    fn put(&self, _out: &mut Vec<u8>) {}

    fn take(_bytes: &mut &[u8]) -> Option<Self> {
        Some(())
    }

    fn show(&self) -> String {
        String::new()
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::take(bytes)?, B::take(bytes)?))
    }

    fn show(&self) -> String {
        format!("{} {}", self.0.show(), self.1.show())
    }

    fn born(&self) -> Position {
        self.0.born().max(self.1.born())
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        Some((A::take(bytes)?, B::take(bytes)?, C::take(bytes)?))
    }

    fn show(&self) -> String {
        format!("{} {} {}", self.0.show(), self.1.show(), self.2.show())
    }

    fn born(&self) -> Position {
        self.0.born().max(self.1.born()).max(self.2.born())
    }
}

impl<A: Key, B: Key> PrefixOf<(A, B)> for A {
    fn put_prefix(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

impl<A: Key, B: Key, C: Key> PrefixOf<(A, B, C)> for A {
    fn put_prefix(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

impl<A: Key, B: Key, C: Key> PrefixOf<(A, B, C)> for (A, B) {
    fn put_prefix(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

impl PrefixOf<Foreign> for Slug {
    fn put_prefix(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

impl PrefixOf<Foreign> for (Slug, CompactString) {
    fn put_prefix(&self, out: &mut Vec<u8>) {
        self.put(out);
    }
}

/// Text of a contact point ([`ContactPoint::key`]). Prints masked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactKey(pub CompactString);

impl ContactKey {
    /// Of a contact point.
    pub fn of(point: &ContactPoint) -> ContactKey {
        ContactKey(point.key().into())
    }
}

impl Debug for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.show())
    }
}

impl Key for ContactKey {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(&self.0, out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        take_text(bytes).map(ContactKey)
    }

    fn show(&self) -> String {
        // The kind's letter, the country or first letter, and an end to tell neighbours apart.
        match self.0.split_once('@') {
            Some((local, domain)) => format!("{}@{domain}", masked(local, 2, 0)),
            None => masked(&self.0, 3, 2),
        }
    }
}

/// Keeps some characters at the start and end; too little between them: the start alone.
fn masked(text: &str, head: usize, tail: usize) -> String {
    let len = text.chars().count();
    let shown: String = text.chars().take(head.min(len / 2)).collect();
    let rest: String = if len > 2 * (head + tail) { text.chars().skip(len - tail).collect() } else { String::new() };
    format!("{shown}***{rest}")
}

/// A run of neighbouring records or of the objects that they made: rows that would be small and
/// written together are packed by it.
///
/// 64 positions by 64 items: live messages (one item each) share a row by 64, and the records of
/// one large envelope (one position) do so too, so that no row grows with an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Block(u64);

/// Items within an entry have 20 bits (`limits::ITEMS_MAX`).
const BLOCK_ITEM_BITS: u32 = 14;
/// Below the position in an object id: item (20 bits) and ordinal (4).
const ID_POSITION_SHIFT: u32 = 24;

impl Block {
    /// The block of a record.
    pub fn of(at: ItemRef) -> Block {
        Block((at.position.0 >> 6) << BLOCK_ITEM_BITS | u64::from(at.item >> 6) & ((1 << BLOCK_ITEM_BITS) - 1))
    }

    fn of_id(id: u64) -> Block {
        let item = (id >> 4) as u32 & (crate::base::limits::ITEMS_MAX - 1);
        Block::of(ItemRef::new(Position(id >> ID_POSITION_SHIFT), item))
    }

    /// The block of a deal.
    pub fn of_deal(id: DealId) -> Block {
        Block::of_id(id.0)
    }

    /// The block of an object that sinks learn of.
    pub fn of_object(object: ObjectRef) -> Block {
        match object {
            ObjectRef::Client(id) => Block::of_id(id.0),
            ObjectRef::Deal(id) => Block::of_id(id.0),
            ObjectRef::Interaction(id) => Block::of_id(id.0),
            ObjectRef::Task(id) => Block::of_id(id.0),
        }
    }
}

impl Key for Block {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Option<Self> {
        u64::take(bytes).map(Block)
    }

    fn show(&self) -> String {
        let item = (self.0 & ((1 << BLOCK_ITEM_BITS) - 1)) << 6;
        format!("from {}.{item}", (self.0 >> BLOCK_ITEM_BITS) << 6)
    }

    fn born(&self) -> Position {
        Position((self.0 >> BLOCK_ITEM_BITS) << 6)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes<K: Key>(key: &K) -> Vec<u8> {
        let mut out = Vec::new();
        key.put(&mut out);
        out
    }

    /// Reads back, sorts as it means, and is nobody's beginning.
    fn check<K: Key>(left: K, right: K) {
        let (left_bytes, right_bytes) = (bytes(&left), bytes(&right));
        assert_eq!(read::<K>(&left_bytes), Some(left.clone()));
        assert_eq!(left.cmp(&right), left_bytes.cmp(&right_bytes), "{left:?} {right:?}");
        assert!(left == right || !right_bytes.starts_with(&left_bytes), "{left:?} begins {right:?}");
    }

    /// Few letters, so that beginnings coincide; the zero is what escaping is for.
    fn text() -> impl Strategy<Value = CompactString> {
        proptest::collection::vec(prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', 'я', '\u{10FFFF}']), 0..5)
            .prop_map(|letters| letters.into_iter().collect())
    }

    fn slug() -> impl Strategy<Value = Slug> {
        prop::sample::select(vec!["a", "ab", "a-b", "b", "1c"]).prop_map(|text| Slug::new(text).expect("a slug"))
    }

    fn foreign() -> impl Strategy<Value = Foreign> {
        (slug(), text(), text()).prop_map(|(connection, kind, id)| Foreign { connection, kind, id })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn texts_sort_as_they_read(left in text(), right in text()) {
            check(left.clone(), right.clone());
            check(ContactKey(left), ContactKey(right));
        }

        #[test]
        fn crosswalk_keys_are_unambiguous(left in foreign(), right in foreign()) {
            check(left.clone(), right.clone());
            let of = |it: &Foreign| (it.connection.clone(), it.kind.clone());
            let mut prefix = Vec::new();
            PrefixOf::<Foreign>::put_prefix(&of(&left), &mut prefix);
            prop_assert_eq!(bytes(&right).starts_with(&prefix), of(&left) == of(&right));
            let mut prefix = Vec::new();
            PrefixOf::<Foreign>::put_prefix(&left.connection, &mut prefix);
            prop_assert_eq!(bytes(&right).starts_with(&prefix), left.connection == right.connection);
        }

        #[test]
        fn numbers_sort_as_they_count(left: (i64, u32, u8), right: (i64, u32, u8)) {
            check((Timestamp(left.0), left.1, left.2), (Timestamp(right.0), right.1, right.2));
            let at = |it: (i64, u32, u8)| ItemRef::new(Position(it.0 as u64), it.1);
            check(at(left), at(right));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes: Vec<u8>) {
            let _: Option<Foreign> = read(&bytes);
            let _: Option<(Timestamp, Block)> = read(&bytes);
            let _: Option<(Slug, Slug, OutcomeKind)> = read(&bytes);
        }
    }

    #[test]
    fn outcome_kinds_read_back() {
        for kind in OutcomeKind::ALL {
            check(
                (Slug::literal("site"), Slug::literal("lead"), kind),
                (Slug::literal("site"), Slug::literal("lead"), kind),
            );
        }
    }

    #[test]
    fn what_identifies_a_person_is_masked() {
        let shown = |text: &str| ContactKey(text.into()).show();
        assert_eq!(shown("p+79161234567"), "p+7***67");
        assert_eq!(shown("p+79161234567;12"), "p+7***12");
        assert_eq!(shown("eivan@example.ru"), "ei***@example.ru");
        assert_eq!(shown("ea@example.ru"), "e***@example.ru");
        assert_eq!(shown("mtelegram:ivan"), "mte***an");
        assert_eq!(shown("v1"), "v***");
        assert_eq!(Inn("772812345601".into()).show(), "7728***");
        assert_eq!(Inn("7728123456".into()).show(), "7728***");
    }

    #[test]
    fn blocks_pack_neighbours_and_no_more() {
        let block = |position, item| Block::of(ItemRef::new(Position(position), item));
        assert_eq!(block(64, 0), block(127, 63));
        assert_ne!(block(64, 0), block(128, 0));
        assert_ne!(block(64, 0), block(64, 64));
        assert!(block(64, 1_048_575) < block(128, 0));
        let at = ItemRef::new(Position(1 << 39), 1_048_575);
        assert_eq!(Block::of_deal(DealId::derive(at, 15)), Block::of(at));
        assert_eq!(block(70, 70).show(), "from 64.64");
    }
}
