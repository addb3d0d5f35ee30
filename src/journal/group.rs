//! Entries that are written together, and how those who appended them learn what came of it.
//!
//! A group is one run of bytes: frames whose headers lack only what the writer alone knows
//! (position, running time, place, checksum of the header). Appending costs one copy of the payload
//! into it; the writer finishes the headers where they are and writes the bytes as they are.
//! All who wait for a group share one [`Completion`].

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use super::format::{FRAME_HEADER_BYTES, FrameHeader, GROUP_ENTRIES_MAX, frame_bytes};
use super::{AppendError, NewEntry, locked};
use crate::base::checksum::crc32c;
use crate::base::{Message, Position, Timestamp};

/// Frames to be written.
#[derive(Debug, Default)]
pub struct Group {
    bytes: Vec<u8>,
    entries: usize,
}

impl Group {
    /// An empty one that uses the memory of `buffer`.
    pub(super) fn reusing(mut buffer: Vec<u8>) -> Group {
        buffer.clear();
        Group { bytes: buffer, entries: 0 }
    }

    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// Adds an entry. `payload_crc` is [`payload_crc`] of its payload, computed outside of locks.
    pub fn push(&mut self, entry: &NewEntry, payload_crc: u32) {
        let header = FrameHeader {
            position: Position::START,
            kind: entry.kind,
            at: entry.at,
            place: 0,
            len: u32::try_from(entry.payload.len()).expect("payloads are bounded far below 4 GiB"),
            payload_crc,
        };
        let end = self.bytes.len() + frame_bytes(entry.payload.len());
        self.bytes.extend_from_slice(&header.encode(0));
        self.bytes.extend_from_slice(&entry.payload);
        self.bytes.resize(end, 0);
        self.entries += 1;
    }

    /// How many entries it holds.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// How many bytes it takes in a segment.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The frames from byte `from` on that fit into `room` bytes.
    pub(super) fn run(&self, from: usize, room: u64) -> Run {
        let mut run = Run { from, to: from, entries: 0 };
        while run.to < self.bytes.len() && run.entries < GROUP_ENTRIES_MAX {
            let end = run.to + self.header_at(run.to).frame_bytes();
            if (end - from) as u64 > room {
                break;
            }
            run.to = end;
            run.entries += 1;
        }
        run
    }

    /// Finishes the headers of a run: positions from `first` on, times not before `time`. Returns
    /// the bytes, and the latest time; tells `jumped` of entry times as they come.
    pub(super) fn finish(
        &mut self,
        run: Run,
        first: Position,
        time: Timestamp,
        salt: u64,
        jumped: &mut dyn FnMut(Timestamp, Timestamp),
    ) -> (&[u8], Timestamp) {
        let (mut position, mut time, mut offset) = (first, time, run.from);
        for place in 0..run.entries {
            let mut header = self.header_at(offset);
            jumped(time, header.at);
            time = time.max(header.at);
            header.position = position;
            header.at = time;
            header.place = u16::try_from(place).expect("a run has at most 65536 entries");
            self.bytes[offset..offset + FRAME_HEADER_BYTES].copy_from_slice(&header.encode(salt));
            position = position.next();
            offset += header.frame_bytes();
        }
        (&self.bytes[run.from..run.to], time)
    }

    fn header_at(&self, offset: usize) -> FrameHeader {
        FrameHeader::decode_unchecked(&self.bytes[offset..]).expect("push wrote a header here")
    }
}

/// The checksum that [`Group::push`] wants.
pub fn payload_crc(payload: &[u8]) -> u32 {
    crc32c(payload)
}

/// Consecutive frames of a group that go into one segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) entries: usize,
}

/// Why the rest of a group is not in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The disk was full; the journal goes on.
    NoSpace(Message),
    /// The disk failed; the journal does not go on.
    Failed(Message),
    /// The journal was closed before.
    Closed(Message),
}

impl From<Failure> for AppendError {
    fn from(failure: Failure) -> AppendError {
        match failure {
            Failure::NoSpace(message) => AppendError::NoSpace(message),
            Failure::Failed(message) => AppendError::Failed(message),
            Failure::Closed(message) => AppendError::Closed(message),
        }
    }
}

/// What came of a group: the first `done` entries are durable, at positions from `first` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Position of the first entry.
    pub first: Position,
    /// How many are durable.
    pub done: usize,
    /// Why the others are not.
    pub failure: Option<Failure>,
}

/// Where those who appended wait.
#[derive(Default)]
pub(super) struct Completion(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    written: Option<Written>,
    wakers: Vec<Waker>,
}

impl Completion {
    /// Tells everybody. The first word counts.
    pub(super) fn complete(&self, written: Written) {
        let mut waiting = locked(&self.0);
        if waiting.written.is_some() {
            return;
        }
        waiting.written = Some(written);
        let wakers = std::mem::take(&mut waiting.wakers);
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// One entry's share of a completion.
pub(super) struct Waiter {
    completion: Arc<Completion>,
    index: usize,
    /// Its waker's place in the list, once it has one.
    slot: Option<usize>,
}

impl Waiter {
    pub(super) fn new(completion: Arc<Completion>, index: usize) -> Waiter {
        Waiter { completion, index, slot: None }
    }
}

impl Future for Waiter {
    type Output = Result<Position, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let completion = self.completion.clone();
        let mut waiting = locked(&completion.0);
        let Some(written) = &waiting.written else {
            match self.slot.and_then(|slot| waiting.wakers.get_mut(slot)) {
                Some(waker) => waker.clone_from(context.waker()),
                None => {
                    self.slot = Some(waiting.wakers.len());
                    waiting.wakers.push(context.waker().clone());
                }
            }
            return Poll::Pending;
        };
        if self.index < written.done {
            return Poll::Ready(Ok(Position(written.first.0 + self.index as u64)));
        }
        let failure = written.failure.clone().expect("entries that are not done have a failure");
        Poll::Ready(Err(failure.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Kind;

    fn group(sizes: &[usize]) -> Group {
        let mut group = Group::default();
        for (index, size) in sizes.iter().enumerate() {
            let entry = NewEntry { kind: Kind::Ticked, at: Timestamp(10 - index as i64), payload: vec![1; *size] };
            group.push(&entry, payload_crc(&entry.payload));
        }
        group
    }

    #[test]
    fn runs_take_what_fits_and_nothing_twice() {
        let group = group(&[0, 1, 8, 100]);
        // 32, 40, 40 and 136 bytes.
        for (from, room, expected) in [(0, 31, (0, 0)), (0, 32, (32, 1)), (0, 111, (72, 2)), (72, 1000, (248, 2))] {
            let run = group.run(from, room);
            assert_eq!((run.to, run.entries), expected, "from {from}, room {room}");
        }
    }

    #[test]
    fn finished_headers_have_positions_places_and_running_time() {
        let mut group = group(&[3, 3]);
        let run = group.run(0, 1000);
        let mut seen = Vec::new();
        let (bytes, time) =
            group.finish(run, Position(5), Timestamp(7), 9, &mut |before, at| seen.push((before.0, at.0)));
        let second = FrameHeader::decode(&bytes[40..], 9).expect("a whole header");
        assert_eq!((second.position, second.place, second.at), (Position(6), 1, Timestamp(10)));
        assert_eq!((time, seen), (Timestamp(10), vec![(7, 10), (10, 9)]));
    }

    #[test]
    fn waiters_learn_their_own_fate() {
        let completion = Arc::new(Completion::default());
        let mut waiters: Vec<_> = (0..2).map(|index| Box::pin(Waiter::new(completion.clone(), index))).collect();
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiters.iter_mut().all(|it| it.as_mut().poll(&mut context).is_pending()));
        let failure = Some(Failure::NoSpace(Message::new("journal-closed")));
        completion.complete(Written { first: Position(8), done: 1, failure });
        completion.complete(Written { first: Position(1), done: 2, failure: None });
        assert!(matches!(waiters[0].as_mut().poll(&mut context), Poll::Ready(Ok(Position(8)))));
        assert!(matches!(waiters[1].as_mut().poll(&mut context), Poll::Ready(Err(AppendError::NoSpace(_)))));
    }
}
