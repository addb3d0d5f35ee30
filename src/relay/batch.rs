//! The bytes of one answer to the office: see the module above for its form.

use std::fmt;
use std::str::FromStr;

use bytes::{Buf as _, BufMut as _, Bytes};

use crate::base::checksum::crc32c;
use crate::base::{Position, Slug, Timestamp};

/// `Content-Type` of a batch.
pub const BATCH_TYPE: &str = "application/vnd.uzel.relay-batch";

const MAGIC: [u8; 3] = *b"UZR";
const VERSION: u8 = 1;
const HEAD_BYTES: usize = 12;
const FACTS_BYTES: usize = 56;

/// Names a relay: made up when its folder is made, so that a folder made anew has another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RelayId(pub [u8; 16]);

impl RelayId {
    /// A new one.
    pub fn generate() -> RelayId {
        RelayId(rand::random())
    }
}

impl fmt::Display for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RelayId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 32 hexadecimal digits are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a relay")]
pub struct NotRelayId;

impl FromStr for RelayId {
    type Err = NotRelayId;

    fn from_str(text: &str) -> Result<RelayId, NotRelayId> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(NotRelayId);
        }
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| NotRelayId)?;
        }
        Ok(RelayId(bytes))
    }
}

/// A message that something changed in a foreign system, on its way through a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The connection.
    pub connection: Slug,
    /// The stream.
    pub stream: String,
    /// The id there.
    pub id: String,
}

/// What a relay says of itself with every answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Which relay.
    pub relay: RelayId,
    /// Its clock.
    pub now: Timestamp,
    /// The oldest position it still has.
    pub first: Position,
    /// Its newest.
    pub head: Position,
    /// What the office has confirmed.
    pub confirmed: Position,
}

/// Envelopes and hints that wait for the office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Of the relay.
    pub facts: Facts,
    /// Envelopes in order: position, and the payload of the entry.
    pub entries: Vec<(Position, Bytes)>,
    /// Hints.
    pub hints: Vec<Hint>,
}

/// Why bytes are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Something else answers there.
    #[error("not a batch of a relay")]
    Foreign,
    /// Of a newer program.
    #[error("a batch of version {0}")]
    Newer(u8),
    /// Its end is missing, or a byte is another.
    #[error("a damaged batch")]
    Damaged,
}

impl Batch {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut body =
            Vec::with_capacity(FACTS_BYTES + self.entries.iter().map(|(_, it)| it.len() + 12).sum::<usize>());
        body.put_slice(&self.facts.relay.0);
        body.put_i64_le(self.facts.now.0);
        body.put_u64_le(self.facts.first.0);
        body.put_u64_le(self.facts.head.0);
        body.put_u64_le(self.facts.confirmed.0);
        body.put_u32_le(count(self.entries.len()));
        body.put_u32_le(count(self.hints.len()));
        for (position, payload) in &self.entries {
            body.put_u64_le(position.0);
            body.put_u32_le(count(payload.len()));
            body.put_slice(payload);
        }
        for hint in &self.hints {
            for text in [&*hint.connection, &hint.stream, &hint.id] {
                body.put_u16_le(u16::try_from(text.len()).expect("names and ids of hints are short"));
                body.put_slice(text.as_bytes());
            }
        }
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.put_slice(&MAGIC);
        bytes.put_u8(VERSION);
        bytes.put_u32_le(count(body.len()));
        bytes.put_u32_le(crc32c(&body));
        bytes.put_slice(&body);
        bytes
    }

    /// Reads bytes of the wire; they are somebody's until their checksum is right.
    pub fn decode(bytes: &[u8]) -> Result<Batch, BatchError> {
        let Some((head, mut body)) = bytes.split_at_checked(HEAD_BYTES) else {
            return Err(if MAGIC.starts_with(bytes.get(..3).unwrap_or(bytes)) {
                BatchError::Damaged
            } else {
                BatchError::Foreign
            });
        };
        match head[..4] {
            [a, b, c, version] if [a, b, c] == MAGIC && version > VERSION => return Err(BatchError::Newer(version)),
            [a, b, c, VERSION] if [a, b, c] == MAGIC => {}
            _ => return Err(BatchError::Foreign),
        }
        let (mut len, mut crc) = (&head[4..8], &head[8..12]);
        if len.get_u32_le() as usize != body.len() || crc.get_u32_le() != crc32c(body) || body.len() < FACTS_BYTES {
            return Err(BatchError::Damaged);
        }
        let mut relay = [0; 16];
        body.copy_to_slice(&mut relay);
        let facts = Facts {
            relay: RelayId(relay),
            now: Timestamp(body.get_i64_le()),
            first: Position(body.get_u64_le()),
            head: Position(body.get_u64_le()),
            confirmed: Position(body.get_u64_le()),
        };
        let (entries_count, hints_count) = (body.get_u32_le(), body.get_u32_le());
        let mut batch = Batch { facts, entries: Vec::new(), hints: Vec::new() };
        for _ in 0..entries_count {
            let position = Position(body.try_get_u64_le().map_err(|_| BatchError::Damaged)?);
            let len = body.try_get_u32_le().map_err(|_| BatchError::Damaged)? as usize;
            let payload = body.split_off(..len).ok_or(BatchError::Damaged)?;
            batch.entries.push((position, Bytes::copy_from_slice(payload)));
        }
        for _ in 0..hints_count {
            let mut text = || -> Result<String, BatchError> {
                let len = body.try_get_u16_le().map_err(|_| BatchError::Damaged)?;
                let text = body.split_off(..usize::from(len)).ok_or(BatchError::Damaged)?;
                String::from_utf8(text.to_vec()).map_err(|_| BatchError::Damaged)
            };
            let (connection, stream, id) = (text()?, text()?, text()?);
            let connection = Slug::new(&connection).ok_or(BatchError::Damaged)?;
            batch.hints.push(Hint { connection, stream, id });
        }
        if body.is_empty() { Ok(batch) } else { Err(BatchError::Damaged) }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).expect("a batch is bounded far below 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Batch {
        let facts = Facts {
            relay: RelayId([7; 16]),
            now: Timestamp(1_700_000_000_000),
            first: Position(3),
            head: Position(5),
            confirmed: Position(2),
        };
        let entries = vec![(Position(3), Bytes::from_static(b"one")), (Position(4), Bytes::new())];
        let hint = Hint { connection: Slug::literal("crm"), stream: "deal".to_owned(), id: "17".to_owned() };
        Batch { facts, entries, hints: vec![hint] }
    }

    #[test]
    fn a_batch_reads_back_and_its_first_bytes_are_as_specified() {
        let bytes = batch().encode();
        assert_eq!(Batch::decode(&bytes), Ok(batch()));
        assert_eq!(bytes[..4], *b"UZR\x01");
        assert_eq!(bytes[4..8], u32::try_from(bytes.len() - 12).expect("small").to_le_bytes());
        assert_eq!(bytes[12..28], [7; 16]);
        assert_eq!(bytes[60..68], [2, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(bytes[68..83], *b"\x03\0\0\0\0\0\0\0\x03\0\0\0one");
    }

    #[test]
    fn cut_at_any_byte_or_with_any_bit_turned_it_is_refused() {
        let bytes = batch().encode();
        for len in 0..bytes.len() {
            assert_eq!(Batch::decode(&bytes[..len]), Err(BatchError::Damaged), "{len} bytes");
        }
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(Batch::decode(&other).is_err(), "bit {bit}");
        }
        let mut newer = bytes;
        newer[3] = 2;
        assert_eq!(Batch::decode(&newer), Err(BatchError::Newer(2)));
        assert_eq!(Batch::decode(b"<html>a page of the provider</html>"), Err(BatchError::Foreign));
    }

    #[test]
    fn names_of_relays_read_back() {
        let id = RelayId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "12", "zz345678901234567890123456789012", "фффффффффффффффф"] {
            assert_eq!(text.parse::<RelayId>(), Err(NotRelayId), "{text}");
        }
    }
}
