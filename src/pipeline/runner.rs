//! The threads of the pipeline (prepare, apply, commit), and how others follow it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{debug, error, info};

use super::prefetch::prefetch;
use super::prepare::{Prepared, Preparer};
use super::step::step;
use super::{Configurations, PipelineError};
use crate::base::limits::{MICRO_BATCH_BYTES_MAX, MICRO_BATCH_ENTRIES_MAX, PIPELINE_NICE};
use crate::base::{ItemRef, Position};
use crate::catalog::Catalog;
use crate::journal::Journal;
use crate::store::Store;
use crate::tables::{Meta, Overlay, Reader};

/// The pipeline of one folder.
pub struct Pipeline {
    /// What is read.
    pub journal: Arc<dyn Journal>,
    /// What is written.
    pub store: Arc<dyn Store>,
    /// Where configurations are kept.
    pub configurations: Arc<dyn Configurations>,
    /// Fencing: an older leader's commits are refused.
    pub epoch: u64,
}

/// How far the pipeline is: everything up to and with this position is in the store.
pub type Applied = watch::Receiver<Position>;

/// A pipeline at work.
pub struct Running {
    applied: Applied,
    failed: watch::Receiver<Option<String>>,
    stop: Arc<AtomicBool>,
    wake: watch::Sender<()>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Held where there is no thread to hold it: a sender that is gone means that the pipeline is.
    _driver: Option<watch::Sender<Option<String>>>,
}

impl Running {
    /// A pipeline without threads, which somebody else drives: `applied` tells how far it is. For
    /// simulations, in which nothing may happen by chance.
    pub fn driven(applied: Applied) -> Running {
        let (failed_sender, failed) = watch::channel(None);
        let (wake, _woken) = watch::channel(());
        let (stop, threads) = (Arc::new(AtomicBool::new(false)), Mutex::default());
        Running { applied, failed, stop, wake, threads, _driver: Some(failed_sender) }
    }

    /// Follows what is applied.
    pub fn applied(&self) -> Applied {
        self.applied.clone()
    }

    /// Why the pipeline stopped, if it did.
    pub fn failure(&self) -> Option<String> {
        self.failed.borrow().clone()
    }

    /// Resolves when the pipeline has stopped by a failure.
    pub async fn failed(&self) {
        let mut failed = self.failed.clone();
        // The sender gone without a word is the end, too: both threads have left.
        let _seen = failed.wait_for(Option::is_some).await;
    }

    /// Resolves when everything up to `position` is applied; `Err` when the pipeline stopped.
    pub async fn wait(&self, position: Position) -> Result<(), String> {
        let mut applied = self.applied.clone();
        let mut failed = self.failed.clone();
        loop {
            if *applied.borrow_and_update() >= position {
                return Ok(());
            }
            if let Some(failure) = failed.borrow_and_update().clone() {
                return Err(failure);
            }
            tokio::select! {
                moved = applied.changed() => if moved.is_err() {
                    return Err("the pipeline has stopped".to_owned());
                },
                _ = failed.changed() => {}
            }
        }
    }

    /// Ends after the micro-batch at hand; waits for both threads.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wake.send_replace(());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
        for thread in threads {
            // A thread that panicked has said so; there is nothing more to wait for.
            let _ended = thread.join();
        }
    }
}

/// A run of prepared entries and the checkpoint behind it.
struct Batch {
    entries: Vec<Prepared>,
    to: ItemRef,
}

impl Pipeline {
    /// Starts both threads from the store's checkpoint.
    pub fn start(self, runtime: &Handle) -> Result<Running, PipelineError> {
        let (from, next) = start_of(self.store.as_ref())?;
        let catalog = self.catalog_in_force()?;
        let (applied_sender, applied) = watch::channel(Position(next.0 - 1));
        let (failed_sender, failed) = watch::channel(None);
        let failed_sender = Arc::new(failed_sender);
        let (wake, woken) = watch::channel(());
        let stop = Arc::new(AtomicBool::new(false));
        let (batches, queue) = sync_channel(1);

        let preparer = Preparer::new(self.journal.clone(), self.configurations.clone(), catalog);
        // Decoding and mapping in parallel, behind intake too.
        let workers = rayon::ThreadPoolBuilder::new()
            .thread_name(|number| format!("uzel-map-{number}"))
            .start_handler(|_number| yield_to_intake())
            .build()
            .expect("threads can be started at start");
        let reader = ReaderThread {
            journal: self.journal.clone(),
            preparer,
            next,
            batches,
            stop: stop.clone(),
            woken,
            runtime: runtime.clone(),
            workers,
        };
        let report = failed_sender.clone();
        let preparing = std::thread::Builder::new().name("uzel-prepare".to_owned()).spawn(move || {
            if let Err(failure) = reader.run() {
                error!(error = %chain(&failure), "the pipeline cannot prepare the journal");
                report.send_replace(Some(chain(&failure)));
            }
        });
        let store = self.store;
        let epoch = self.epoch;
        let applying = std::thread::Builder::new().name("uzel-apply".to_owned()).spawn(move || {
            if let Err(failure) = apply_batches(store, from, epoch, &queue, applied_sender) {
                error!(error = %chain(&failure), "the pipeline cannot apply the journal");
                failed_sender.send_replace(Some(chain(&failure)));
            }
        });
        let threads =
            [preparing, applying].into_iter().map(|it| it.expect("a thread can be started at start")).collect();
        info!(pipeline.checkpoint = %from, "pipeline started");
        Ok(Running { applied, failed, stop, wake, threads: Mutex::new(threads), _driver: None })
    }

    /// The configuration in force at the checkpoint.
    fn catalog_in_force(&self) -> Result<Option<Arc<Catalog>>, PipelineError> {
        let meta = Reader::new(self.store.as_ref()).get::<Meta>(&())?;
        let Some((hash, position)) = meta.and_then(|meta| meta.configuration.map(|hash| (hash, meta.configured_at)))
        else {
            return Ok(None);
        };
        let loaded = self.configurations.load(hash);
        loaded.map(Some).map_err(|message| PipelineError::Configuration { position, message })
    }
}

/// The checkpoint, and the first position to apply behind it (1 in an empty store).
pub(super) fn start_of(store: &dyn Store) -> Result<(ItemRef, Position), PipelineError> {
    let checkpoint = store.checkpoint()?;
    Ok((checkpoint, checkpoint.position.max(Position(1))))
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Intake goes first: a burst is acknowledged at once and applied when the machine has time. On
/// Linux a nice value of 0 ("who") means the calling thread; elsewhere nothing is changed.
pub(super) fn yield_to_intake() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, PIPELINE_NICE) {
        debug!(%error, "the pipeline keeps the priority of intake");
    }
}

struct ReaderThread {
    journal: Arc<dyn Journal>,
    preparer: Preparer,
    next: Position,
    batches: SyncSender<Batch>,
    stop: Arc<AtomicBool>,
    woken: watch::Receiver<()>,
    runtime: Handle,
    workers: rayon::ThreadPool,
}

impl ReaderThread {
    fn run(mut self) -> Result<(), PipelineError> {
        yield_to_intake();
        let mut head = self.journal.subscribe();
        while !self.stop.load(Ordering::SeqCst) {
            if *head.borrow_and_update() < self.next {
                let woken = &mut self.woken;
                let journal_ended = self.runtime.block_on(async {
                    tokio::select! {
                        moved = head.changed() => moved.is_err(),
                        woken = woken.changed() => woken.is_err(),
                    }
                });
                if journal_ended {
                    return Ok(());
                }
                continue;
            }
            let entries = self.journal.read(self.next, MICRO_BATCH_ENTRIES_MAX, MICRO_BATCH_BYTES_MAX)?;
            let Some(last) = entries.last() else { continue };
            self.next = last.position.next();
            let to = ItemRef::new(self.next, 0);
            let preparer = &mut self.preparer;
            let entries = self.workers.install(|| preparer.prepare(entries))?;
            if self.batches.send(Batch { entries, to }).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// While one micro-batch is stepped, the one before is committed; with nothing more to step, at
/// once.
fn apply_batches(
    store: Arc<dyn Store>,
    from: ItemRef,
    epoch: u64,
    queue: &Receiver<Batch>,
    applied: watch::Sender<Position>,
) -> Result<(), PipelineError> {
    yield_to_intake();
    let mut rows = Overlay::new(store);
    let published = move |to: ItemRef| {
        applied.send_replace(Position(to.position.0 - 1));
    };
    rows.commit_behind(published, yield_to_intake);
    let mut from = from;
    loop {
        let batch = match queue.try_recv() {
            Ok(batch) => batch,
            Err(TryRecvError::Disconnected) => break,
            Err(TryRecvError::Empty) => {
                rows.release()?;
                let Ok(batch) = queue.recv() else { break };
                batch
            }
        };
        rows.settle()?;
        prefetch(&mut rows, &batch.entries)?;
        rows.release()?;
        step_all(&mut rows, batch.entries)?;
        rows.hold(from, batch.to, epoch)?;
        from = batch.to;
    }
    rows.release()?;
    Ok(rows.settle()?)
}

/// One micro-batch: every entry stepped, then one atomic commit.
pub(super) fn apply(
    rows: &mut Overlay,
    from: ItemRef,
    to: ItemRef,
    epoch: u64,
    entries: Vec<Prepared>,
) -> Result<(), PipelineError> {
    if let Err(error) = step_all(rows, entries) {
        rows.rollback();
        return Err(error);
    }
    Ok(rows.commit(from, to, epoch)?)
}

fn step_all(rows: &mut Overlay, entries: Vec<Prepared>) -> Result<(), PipelineError> {
    for entry in entries {
        step(rows, entry)?;
    }
    Ok(())
}
