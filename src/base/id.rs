//! Typed ids. They derive from journal positions, never from chance, so that a rebuild on another
//! machine gives the same ids.
//!
//! An object id packs the place where the object was first met: 40 bits of journal position,
//! 20 bits of item within the entry, 4 bits of ordinal within the item (one record may create
//! several objects of one kind). As text: a prefix of the kind and 13 characters of Crockford
//! base32 in lower case (`cli_00000000g4001`), which sort as the numbers do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::message::Message;

/// Sequence number of a journal entry; the first entry has position 1, 0 means "before all".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// Before the first entry.
    pub const START: Position = Position(0);

    /// The position after this one.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One record: the entry it came in and its place among the records of that entry (from 0).
/// Written `position.item`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ItemRef {
    /// The journal entry.
    pub position: Position,
    /// The record's place in it.
    pub item: u32,
}

impl ItemRef {
    /// The record `item` of the entry at `position`.
    pub fn new(position: Position, item: u32) -> ItemRef {
        ItemRef { position, item }
    }
}

impl fmt::Display for ItemRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position.0, self.item)
    }
}

impl FromStr for ItemRef {
    type Err = Message;

    /// Reads `position.item`; a bare `position` is its record 0.
    fn from_str(text: &str) -> Result<ItemRef, Message> {
        let bad = || Message::new("id-bad-item-ref").with("text", text);
        let (position, item) = text.split_once('.').unwrap_or((text, "0"));
        Ok(ItemRef { position: Position(position.parse().map_err(|_| bad())?), item: item.parse().map_err(|_| bad())? })
    }
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ITEM_BITS: u32 = 20;
const ORDINAL_BITS: u32 = 4;

fn pack(at: ItemRef, ordinal: u8) -> u64 {
    debug_assert!(at.item < 1 << ITEM_BITS && ordinal < 1 << ORDINAL_BITS);
    (at.position.0 << (ITEM_BITS + ORDINAL_BITS)) | (u64::from(at.item) << ORDINAL_BITS) | u64::from(ordinal)
}

fn encode(prefix: &str, number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0u8; 13];
    for (index, slot) in text.iter_mut().enumerate() {
        let shift = 60 - 5 * index as u32;
        *slot = ALPHABET[((number >> shift) & 31) as usize];
    }
    f.write_str(prefix)?;
    f.write_str(std::str::from_utf8(&text).expect("the alphabet is ASCII"))
}

fn decode(prefix: &str, text: &str) -> Option<u64> {
    let digits = text.strip_prefix(prefix)?;
    if digits.len() != 13 {
        return None;
    }
    digits.bytes().try_fold(0u64, |number, byte| {
        let digit = ALPHABET.iter().position(|&it| it == byte)? as u64;
        number.checked_mul(32)?.checked_add(digit)
    })
}

macro_rules! object_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The id of the `ordinal`-th object of this kind that the record at `at` creates.
            pub fn derive(at: ItemRef, ordinal: u8) -> $name {
                $name(pack(at, ordinal))
            }

            /// The journal position at which the object was first met.
            pub fn position(self) -> Position {
                Position(self.0 >> (ITEM_BITS + ORDINAL_BITS))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                encode($prefix, self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = Message;

            fn from_str(text: &str) -> Result<$name, Message> {
                decode($prefix, text)
                    .map($name)
                    .ok_or_else(|| Message::new("id-bad").with("prefix", $prefix).with("text", text))
            }
        }
    };
}

object_id!(
    /// A client.
    ClientId, "cli_"
);
object_id!(
    /// A deal.
    DealId, "dl_"
);
object_id!(
    /// An interaction.
    InteractionId, "int_"
);
object_id!(
    /// A document of 1C.
    DocumentId, "doc_"
);
object_id!(
    /// A task for an employee.
    TaskId, "tsk_"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_sort_as_text() {
        let early = ClientId::derive(ItemRef::new(Position(7), 3), 0);
        let late = ClientId::derive(ItemRef::new(Position(4_000_000_000), 0), 1);
        assert_eq!(early.to_string().parse::<ClientId>().expect("own text"), early);
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.position(), Position(4_000_000_000));
        assert!("dl_0000000000000".parse::<ClientId>().is_err());
        assert!("cli_zzzzzzzzzzzzzz".parse::<ClientId>().is_err());
    }
}
