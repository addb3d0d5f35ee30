//! Sizes and choices of a journal. Production takes the bounds of `base::limits`; tests take small
//! ones, so that a few entries fill a segment.

use super::format::{FRAME_ALIGN, FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES};
use crate::base::{Position, limits};

/// How much is read when a journal is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Examination {
    /// The head of each segment and all of the last one. Damage in an older segment is found when
    /// it is read, or by `verify`.
    Last,
    /// Every byte of every segment: minutes for a large journal.
    All,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Options {
    /// Length of a new segment.
    pub segment_bytes: u64,
    /// Payload of one entry at the most.
    pub payload_bytes_max: usize,
    /// Bytes made durable by one sync at the most.
    pub group_bytes_max: usize,
    /// Entries that wait for the writer at the most.
    pub queue_entries_max: usize,
    /// Bytes that wait for the writer at the most.
    pub queue_bytes_max: usize,
    /// Larger bodies get a file of their own.
    pub inline_body_bytes_max: usize,
    /// Free bytes below which envelopes and bodies are refused.
    pub free_intake_bytes_min: u64,
    /// Free bytes below which everything is refused.
    pub free_command_bytes_min: u64,
    /// Least distance of two marks of the index.
    pub mark_bytes: u64,
    /// How much is read at opening.
    pub examination: Examination,
    /// A person has accepted the loss of damaged entries before this position; `START`: of none.
    pub damage_accepted_before: Position,
    /// A random number, another one at each opening (see the salt in [`super::format`]).
    pub salt: u64,
}

impl Options {
    /// As the daemon runs.
    pub fn production(salt: u64) -> Options {
        Options {
            segment_bytes: limits::SEGMENT_BYTES,
            payload_bytes_max: limits::ENTRY_PAYLOAD_BYTES_MAX,
            group_bytes_max: limits::JOURNAL_GROUP_BYTES_MAX,
            queue_entries_max: limits::JOURNAL_QUEUE_MAX,
            queue_bytes_max: limits::JOURNAL_QUEUE_BYTES_MAX,
            inline_body_bytes_max: limits::INLINE_BODY_BYTES_MAX,
            free_intake_bytes_min: limits::FREE_SPACE_INTAKE_BYTES_MIN,
            free_command_bytes_min: limits::FREE_SPACE_COMMAND_BYTES_MIN,
            mark_bytes: 64 * 1024,
            examination: Examination::Last,
            damage_accepted_before: Position::START,
            salt,
        }
    }

    /// Small segments and groups, for tests.
    pub fn small(segment_bytes: u64) -> Options {
        Options {
            segment_bytes,
            group_bytes_max: segment_bytes as usize,
            queue_entries_max: 64,
            inline_body_bytes_max: 64,
            mark_bytes: 256,
            examination: Examination::All,
            ..Options::production(0x5A17)
        }
    }

    /// The largest payload that is taken: one frame must fit into one segment.
    pub fn payload_bytes_max(&self) -> usize {
        let overhead = SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES + FRAME_ALIGN;
        let room = usize::try_from(self.segment_bytes).unwrap_or(usize::MAX);
        self.payload_bytes_max.min(room.saturating_sub(overhead))
    }
}
