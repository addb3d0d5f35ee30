//! The bytes of a journal segment. They are on disk for ever: a change of anything here is a new
//! format version, and version 1 stays readable.
//!
//! **Files.** The journal is one folder. A segment is a file `NNNNNNNNNNNNNNNNNNNN.segment`: the
//! position of its first entry in 20 decimal digits, so that names sort as positions do.
//! `next.part` is a preallocated segment that has no name yet; it never holds an acknowledged entry
//! and is removed at opening. `bodies/` holds large bodies (see [`super::bodies`]). Other names are
//! left alone.
//!
//! All numbers are little-endian. **Segment header**, 64 bytes at offset 0:
//!
//! ```text
//!  0   8  magic "uzel-seg"
//!  8   4  format version, 1; read before anything else is checked, so that a newer one is refused
//! 12   4  zero
//! 16   8  position of the first entry (equals the file name)
//! 24   8  journal time before the first entry, ms since 1970 (0 in a new journal)
//! 32   8  salt: any number, different for each segment
//! 40  20  zero
//! 60   4  CRC32C of bytes 0..60
//! ```
//!
//! **Frames** follow at offset 64 without holes, each at a multiple of 8:
//!
//! ```text
//!  0   4  CRC32C of: the segment's salt (8 bytes), then bytes 4..32 of this header
//!  4   4  payload length L, bytes
//!  8   8  position; one more than that of the frame before
//! 16   8  journal time, ms since 1970: the running maximum of entry times
//! 24   4  CRC32C of the payload
//! 28   1  kind (`entry::Kind`)
//! 29   1  zero
//! 30   2  place in its group, from 0
//! 32   L  payload
//!      P  zeros up to a multiple of 8; not read
//! ```
//!
//! The payload's CRC is computed by the appending thread, the header's by the writer, which alone
//! knows position, time and place.
//!
//! **Groups.** Frames that were written together and made durable by one sync are a group; a group
//! lies in one segment. A frame at position p with place k says: *everything before p - k was
//! durable before I was written*. That tells a torn tail from damage: behind a bad frame that
//! should have position e, a whole frame of a group that begins after e proves that e was durable
//! once; frames of e's own group prove nothing, for the sectors of one unsynced write reach the
//! disk in any order.
//!
//! **The tail.** A segment is preallocated; behind the last frame there are only zeros (or the end
//! of the file). Thirty-two zeros are no frame: the CRC of zeros is not zero, and kind 0 does not
//! exist.
//!
//! **The salt** keeps bytes that merely look like a frame (a journal that somebody uploaded as a
//! file, old blocks of the disk, a payload made to deceive) from being taken for one when recovery
//! searches behind a bad frame.
//!
//! **A name is a promise.** A segment gets its name after its header and first group are synced, so
//! a named segment without one whole frame is damaged, not torn.

use crate::base::checksum::crc32c;
use crate::base::{Position, Timestamp};
use crate::entry::Kind;

/// Version that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;
/// Bytes before the first frame.
pub const SEGMENT_HEADER_BYTES: usize = 64;
/// Bytes of a frame before its payload.
pub const FRAME_HEADER_BYTES: usize = 32;
/// Frames begin at multiples of this.
pub const FRAME_ALIGN: usize = 8;
/// Name of the preallocated segment that is not yet in use.
pub const SPARE_NAME: &str = "next.part";
/// Entries of one group at the most: the place is a `u16`.
pub const GROUP_ENTRIES_MAX: usize = 1 << 16;

const MAGIC: [u8; 8] = *b"uzel-seg";
const SUFFIX: &str = ".segment";

/// File name of the segment that begins at `first`.
pub fn segment_name(first: Position) -> String {
    format!("{:020}{SUFFIX}", first.0)
}

/// The first position of the segment of that name; `None` for other files.
pub fn segment_first(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(SUFFIX)?;
    let well_formed = digits.len() == 20 && digits.bytes().all(|it| it.is_ascii_digit());
    let first = well_formed.then(|| digits.parse().ok())??;
    (first > 0).then_some(Position(first))
}

/// Bytes that a payload of `len` bytes takes with its header and padding.
pub fn frame_bytes(len: usize) -> usize {
    (FRAME_HEADER_BYTES + len).next_multiple_of(FRAME_ALIGN)
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("a slice of four bytes"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("a slice of eight bytes"))
}

/// What stands at the head of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Position of the first entry.
    pub first: Position,
    /// Journal time before it.
    pub time: Timestamp,
    /// Goes into the CRC of each frame header.
    pub salt: u64,
}

/// A segment header that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderFault {
    /// Written by a newer program; its version.
    Newer(u32),
    /// Not a header, or a bad one.
    Damaged,
}

impl SegmentHeader {
    /// Its bytes.
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut bytes = [0; SEGMENT_HEADER_BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.time.0.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the head of a segment; fewer bytes than a header are a damaged one.
    pub fn decode(bytes: &[u8]) -> Result<SegmentHeader, HeaderFault> {
        if bytes.len() < 12 || bytes[0..8] != MAGIC {
            return Err(HeaderFault::Damaged);
        }
        // Before the CRC: a newer format may keep its checksum elsewhere.
        let version = u32_at(bytes, 8);
        if version > FORMAT_VERSION {
            return Err(HeaderFault::Newer(version));
        }
        let whole = bytes.len() >= SEGMENT_HEADER_BYTES && crc32c(&bytes[..60]) == u32_at(bytes, 60);
        if !whole || version != FORMAT_VERSION {
            return Err(HeaderFault::Damaged);
        }
        Ok(SegmentHeader {
            first: Position(u64_at(bytes, 16)),
            time: Timestamp(u64_at(bytes, 24).cast_signed()),
            salt: u64_at(bytes, 32),
        })
    }
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Position of the entry.
    pub position: Position,
    /// Its kind.
    pub kind: Kind,
    /// Journal time.
    pub at: Timestamp,
    /// Place in its group.
    pub place: u16,
    /// Payload, bytes.
    pub len: u32,
    /// CRC32C of the payload.
    pub payload_crc: u32,
}

impl FrameHeader {
    /// Its bytes, in the segment with that salt.
    pub fn encode(&self, salt: u64) -> [u8; FRAME_HEADER_BYTES] {
        let mut bytes = [0; FRAME_HEADER_BYTES];
        bytes[4..8].copy_from_slice(&self.len.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.position.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.at.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[28] = self.kind as u8;
        bytes[30..32].copy_from_slice(&self.place.to_le_bytes());
        let crc = header_crc(&bytes, salt);
        bytes[0..4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header; `None` when there is none at the head of `bytes`.
    pub fn decode(bytes: &[u8], salt: u64) -> Option<FrameHeader> {
        let header = FrameHeader::decode_unchecked(bytes)?;
        let whole = header_crc(&bytes[..FRAME_HEADER_BYTES], salt) == u32_at(bytes, 0);
        whole.then_some(header)
    }

    /// As [`FrameHeader::decode`], for headers in memory that have no checksum yet.
    pub(super) fn decode_unchecked(bytes: &[u8]) -> Option<FrameHeader> {
        if bytes.len() < FRAME_HEADER_BYTES || bytes[29] != 0 {
            return None;
        }
        Some(FrameHeader {
            kind: Kind::from_byte(bytes[28])?,
            len: u32_at(bytes, 4),
            position: Position(u64_at(bytes, 8)),
            at: Timestamp(u64_at(bytes, 16).cast_signed()),
            payload_crc: u32_at(bytes, 24),
            place: u16::from_le_bytes([bytes[30], bytes[31]]),
        })
    }

    /// Bytes of the whole frame.
    pub fn frame_bytes(&self) -> usize {
        frame_bytes(self.len as usize)
    }

    /// The first position of its group: everything before was durable when this frame was written.
    pub fn group_first(&self) -> Position {
        Position(self.position.0.saturating_sub(u64::from(self.place)))
    }
}

fn header_crc(header: &[u8], salt: u64) -> u32 {
    let mut bytes = [0; 8 + FRAME_HEADER_BYTES - 4];
    bytes[..8].copy_from_slice(&salt.to_le_bytes());
    bytes[8..].copy_from_slice(&header[4..FRAME_HEADER_BYTES]);
    crc32c(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: SegmentHeader =
        SegmentHeader { first: Position(258), time: Timestamp(-2), salt: 0x0102_0304_0506_0708 };
    const FRAME: FrameHeader = FrameHeader {
        position: Position(259),
        kind: Kind::Commanded,
        at: Timestamp(5),
        place: 1,
        len: 3,
        payload_crc: 0xAABB_CCDD,
    };

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|it| format!("{it:02x}")).collect()
    }

    /// Frozen: these bytes are on disks.
    #[test]
    fn format_one_is_these_bytes() {
        expect_test::expect!["757a656c2d73656701000000000000000201000000000000feffffffffffffff080706050403020100000000000000000000000000000000000000008880e890"]
            .assert_eq(&hex(&HEADER.encode()));
        expect_test::expect!["a8310e3b0300000003010000000000000500000000000000ddccbbaa04000100"]
            .assert_eq(&hex(&FRAME.encode(HEADER.salt)));
    }

    #[test]
    fn headers_read_back_and_notice_each_changed_byte() {
        assert_eq!(SegmentHeader::decode(&HEADER.encode()), Ok(HEADER));
        assert_eq!(FrameHeader::decode(&FRAME.encode(7), 7), Some(FRAME));
        assert_eq!(FrameHeader::decode(&FRAME.encode(7), 8), None);
        for index in 0..SEGMENT_HEADER_BYTES {
            let mut bytes = HEADER.encode();
            bytes[index] ^= 0x40;
            assert!(SegmentHeader::decode(&bytes).is_err(), "byte {index}");
        }
        for index in 0..FRAME_HEADER_BYTES {
            let mut bytes = FRAME.encode(7);
            bytes[index] ^= 0x01;
            assert_eq!(FrameHeader::decode(&bytes, 7), None, "byte {index}");
        }
    }

    #[test]
    fn zeros_are_no_frame_and_no_header() {
        assert_eq!(FrameHeader::decode(&[0; 64], 0), None);
        assert_eq!(SegmentHeader::decode(&[0; 64]), Err(HeaderFault::Damaged));
        assert_eq!(SegmentHeader::decode(b"uzel"), Err(HeaderFault::Damaged));
    }

    #[test]
    fn newer_version_is_told_before_anything_else() {
        let mut bytes = HEADER.encode();
        bytes[8] = 2;
        assert_eq!(SegmentHeader::decode(&bytes), Err(HeaderFault::Newer(2)));
        assert_eq!(SegmentHeader::decode(&bytes[..20]), Err(HeaderFault::Newer(2)));
    }

    #[test]
    fn names_and_positions_agree() {
        for (name, expected) in [
            (segment_name(Position(1)).as_str(), Some(Position(1))),
            ("00000000000000000000.segment", None),
            ("99999999999999999999.segment", None),
            ("1.segment", None),
            ("next.part", None),
        ] {
            assert_eq!(segment_first(name), expected, "{name}");
        }
    }
}
