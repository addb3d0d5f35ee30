//! Commits behind the writer's back: a thread that commits one batch while the next is stepped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use super::{Overlay, Slot};
use crate::store::{Checkpoint, Store, StoreError, Write};
use crate::tables::key::Key;
use crate::tables::{Table, TableError, key_bytes};

/// A finished batch.
struct Finished {
    from: Checkpoint,
    to: Checkpoint,
    epoch: u64,
    writes: Vec<Write>,
}

/// The committing thread, and what it has at hand.
pub(super) struct Behind {
    /// Finished and not yet given to the thread.
    held: Option<Finished>,
    /// Whether the thread has a batch whose end was not yet seen.
    busy: bool,
    work: Option<SyncSender<Finished>>,
    done: Receiver<Result<(), StoreError>>,
    thread: Option<JoinHandle<()>>,
}

impl Behind {
    fn start(store: Arc<dyn Store>, published: impl Fn(Checkpoint) + Send + 'static, begin: fn()) -> Behind {
        let (work, queue) = sync_channel::<Finished>(1);
        let (ended, done) = sync_channel(1);
        let commit = move || {
            begin();
            while let Ok(Finished { from, to, epoch, writes }) = queue.recv() {
                let result = store.commit(from, to, epoch, writes);
                if result.is_ok() {
                    published(to);
                }
                // Nobody waits any more: the writer has left.
                if ended.send(result).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("uzel-commit".to_owned()).spawn(commit);
        let thread = Some(thread.expect("a thread can be started at start"));
        Behind { held: None, busy: false, work: Some(work), done, thread }
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        match std::mem::take(&mut self.busy) {
            true => self.done.recv().expect("the committing thread answers each batch"),
            false => Ok(()),
        }
    }

    fn release(&mut self) -> Result<(), StoreError> {
        let Some(finished) = self.held.take() else { return Ok(()) };
        self.settle()?;
        let work = self.work.as_ref().expect("open until dropped");
        work.send(finished).expect("the committing thread lives until dropped");
        self.busy = true;
        Ok(())
    }
}

impl Drop for Behind {
    /// What was given to the thread is committed; what is held is not.
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ended = thread.join();
        }
    }
}

impl Overlay {
    /// From here on batches may be committed behind the writer's back; `published` is told each
    /// checkpoint that is in the store, `begin` runs first in the committing thread.
    pub fn commit_behind(&mut self, published: impl Fn(Checkpoint) + Send + 'static, begin: fn()) {
        self.behind = Some(Behind::start(self.store.clone(), published, begin));
    }

    /// Ends the batch and keeps its writes until [`Overlay::release`]. An overlay whose commit
    /// fails later is of no more use: the failure comes with the next call that waits.
    pub fn hold(&mut self, from: Checkpoint, to: Checkpoint, epoch: u64) -> Result<(), TableError> {
        self.release()?;
        let writes = self.finish();
        self.absent_from = from.position;
        let behind = self.behind.as_mut().expect("commit_behind was called");
        behind.held = Some(Finished { from, to, epoch, writes });
        Ok(())
    }

    /// Gives the batch that is held to the committing thread, once that has done the one before.
    pub fn release(&mut self) -> Result<(), TableError> {
        Ok(self.behind.as_mut().map_or(Ok(()), Behind::release)?)
    }

    /// Waits until the commit under way is done.
    pub fn settle(&mut self) -> Result<(), TableError> {
        Ok(self.behind.as_mut().map_or(Ok(()), Behind::settle)?)
    }

    /// Whether a batch is held or on its way to the store.
    #[cfg(test)]
    pub(super) fn is_behind(&self) -> bool {
        self.behind.as_ref().is_some_and(|behind| behind.busy || behind.held.is_some())
    }

    /// Reads the rows that a batch will ask for, all at once, before a commit keeps readers waiting.
    pub fn prefetch<T: Table>(&mut self, keys: impl Iterator<Item = T::Key>) -> Result<(), TableError> {
        let mut wanted: Vec<Vec<u8>> = Vec::new();
        for key in keys {
            let is_asked_for = key.born() < self.absent_from;
            let key = key_bytes::<T>(&key);
            if is_asked_for && !self.rows.contains_key(key.as_slice()) {
                wanted.push(key);
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let values = self.store.get_many(&wanted)?;
        for (key, value) in wanted.into_iter().zip(values) {
            let slot = Slot::read::<T>(&key, value, self.generation)?;
            let bytes = slot.stored.len();
            // The same key twice among the wanted ones is one row.
            if self.rows.insert(key.into(), slot).is_none() {
                self.came += 1;
                self.kept_bytes += bytes;
            }
        }
        Ok(())
    }
}
