//! Between those who append and the writer.
//!
//! An append copies its payload into the group that gathers while the writer syncs the one before.
//!
//! Order: positions follow the order in which the threads took this queue's lock; one thread's
//! appends therefore keep their order.
//!
//! Bound: `queue_entries_max` entries and `queue_bytes_max` bytes. Those who await each append
//! never meet it (the listener admits fewer connections than the queue holds entries). Who goes on
//! appending without awaiting is parked inside `append` until the writer, a thread of its own that
//! needs nobody's help, has taken a group. Waiting in the returned future instead would either lose
//! the order or keep the entry in memory just the same.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::format::frame_bytes;
use super::group::{Completion, Failure, Group, Waiter, Written};
use super::{NewEntry, locked, message};
use crate::base::Position;

/// Buffers kept for the groups to come.
const BUFFERS_MAX: usize = 4;

pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    room: Condvar,
    group_bytes_max: usize,
    entries_max: usize,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    entries: usize,
    bytes: usize,
    writer_waits: bool,
    parked: usize,
    closing: bool,
    ended: Option<Failure>,
    buffers: Vec<Vec<u8>>,
}

/// A group and those who wait for it. Dropped without a word, it fails them: the writer panicked.
pub(super) struct Batch {
    pub(super) group: Group,
    completion: Arc<Completion>,
}

impl Batch {
    pub(super) fn complete(&self, written: Written) {
        self.completion.complete(written);
    }

    fn fail(&self, failure: Failure) {
        self.complete(Written { first: Position::START, done: 0, failure: Some(failure) });
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        self.fail(Failure::Failed(message::writer_stopped()));
    }
}

impl Queue {
    pub(super) fn new(group_bytes_max: usize, entries_max: usize, bytes_max: usize) -> Queue {
        Queue {
            state: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            group_bytes_max,
            entries_max,
            bytes_max,
        }
    }

    /// Queues an entry; parks the thread at the bound.
    pub(super) fn push(&self, entry: &NewEntry, payload_crc: u32) -> Result<Waiter, Failure> {
        let bytes = frame_bytes(entry.payload.len());
        let mut state = self.wait_for_room(bytes);
        if let Some(failure) = &state.ended {
            return Err(failure.clone());
        }
        if state.closing {
            return Err(Failure::Closed(message::closed()));
        }
        let gathers = state.batches.back().is_some_and(|it| it.group.bytes() + bytes <= self.group_bytes_max);
        if !gathers {
            let buffer = state.buffers.pop().unwrap_or_default();
            state.batches.push_back(Batch { group: Group::reusing(buffer), completion: Arc::default() });
        }
        let batch = state.batches.back_mut().expect("pushed above if there was none");
        let waiter = Waiter::new(batch.completion.clone(), batch.group.entries());
        batch.group.push(entry, payload_crc);
        state.entries += 1;
        state.bytes += bytes;
        let wake = std::mem::take(&mut state.writer_waits);
        drop(state);
        if wake {
            self.work.notify_one();
        }
        Ok(waiter)
    }

    fn wait_for_room(&self, bytes: usize) -> MutexGuard<'_, State> {
        let mut state = locked(&self.state);
        while state.ended.is_none() && !state.closing && self.is_full(&state, bytes) {
            state.parked += 1;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.parked -= 1;
        }
        state
    }

    fn is_full(&self, state: &State, bytes: usize) -> bool {
        state.entries >= self.entries_max || (state.entries > 0 && state.bytes + bytes > self.bytes_max)
    }

    /// The next group; waits for one. `None` when the queue is closing and empty, or has ended.
    pub(super) fn take(&self) -> Option<Batch> {
        let mut state = locked(&self.state);
        loop {
            if let Some(batch) = state.batches.pop_front() {
                state.entries -= batch.group.entries();
                state.bytes -= batch.group.bytes();
                if state.parked > 0 {
                    self.room.notify_all();
                }
                return Some(batch);
            }
            if state.closing || state.ended.is_some() {
                return None;
            }
            state.writer_waits = true;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Keeps the memory of a group that is done, unless it is unusually large.
    pub(super) fn reuse(&self, mut batch: Batch) {
        let buffer = std::mem::take(&mut batch.group).into_buffer();
        let mut state = locked(&self.state);
        if state.buffers.len() < BUFFERS_MAX && buffer.capacity() <= 2 * self.group_bytes_max {
            state.buffers.push(buffer);
        }
    }

    /// No more appends; those queued are still written.
    pub(super) fn close(&self) {
        locked(&self.state).closing = true;
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Nothing more is written: fails those queued and those to come. The first reason stands.
    pub(super) fn end(&self, failure: Failure) {
        let mut state = locked(&self.state);
        let reason = state.ended.get_or_insert(failure).clone();
        let abandoned = std::mem::take(&mut state.batches);
        (state.entries, state.bytes) = (0, 0);
        drop(state);
        abandoned.iter().for_each(|batch| batch.fail(reason.clone()));
        self.work.notify_all();
        self.room.notify_all();
    }

    /// Why nothing is taken, if so.
    pub(super) fn refusal(&self) -> Option<Failure> {
        let state = locked(&self.state);
        state.ended.clone().or_else(|| state.closing.then(|| Failure::Closed(message::closed())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::entry::Kind;

    fn entry(bytes: usize) -> NewEntry {
        NewEntry { kind: Kind::Ticked, at: Timestamp(1), payload: vec![1; bytes] }
    }

    fn taken(queue: &Queue) -> usize {
        queue.take().map_or(0, |batch| batch.group.entries())
    }

    #[test]
    fn groups_are_bounded_and_a_large_entry_is_a_group_alone() {
        let queue = Queue::new(100, 64, 10_000);
        for bytes in [8, 8, 8, 500, 8] {
            queue.push(&entry(bytes), 0).expect("there is room");
        }
        assert_eq!([taken(&queue), taken(&queue), taken(&queue), taken(&queue)], [2, 1, 1, 1]);
    }

    #[test]
    fn full_queue_parks_the_sender_until_the_writer_takes() {
        let queue = Arc::new(Queue::new(10_000, 2, 10_000));
        let sender = std::thread::spawn({
            let queue = queue.clone();
            move || (0..7).filter(|_| queue.push(&entry(1), 0).is_ok()).count()
        });
        let mut seen = 0;
        while seen < 7 {
            let count = taken(&queue);
            assert!((1..=2).contains(&count), "never more than the bound");
            seen += count;
        }
        assert_eq!(sender.join().expect("the sender does not panic"), 7);
    }

    #[test]
    fn end_frees_a_parked_sender() {
        let queue = Arc::new(Queue::new(10_000, 1, 10_000));
        queue.push(&entry(1), 0).expect("there is room");
        let sender = std::thread::spawn({
            let queue = queue.clone();
            move || queue.push(&entry(1), 0).is_err()
        });
        while locked(&queue.state).parked == 0 {
            std::thread::yield_now();
        }
        queue.end(Failure::Failed(message::writer_stopped()));
        assert!(sender.join().expect("the sender does not panic"));
    }

    #[test]
    fn closing_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::new(10_000, 64, 10_000);
        queue.push(&entry(1), 0).expect("there is room");
        queue.close();
        assert!(matches!(queue.push(&entry(1), 0), Err(Failure::Closed(_))));
        assert_eq!(taken(&queue), 1);
        assert!(queue.take().is_none());
    }
}
