//! The journal of the daemon: segment files, one writer thread, many who append and read.
//!
//! [`Segments::append`] checks size and space, computes the payload's checksum and queues
//! ([`super::queue`]). The writer thread takes everything that is queued as one group, writes and
//! syncs it once ([`super::writer`]), publishes the head and resolves all who wait; meanwhile the
//! next group gathers. Bodies and reads bypass the queue.
//!
//! `put_body`, `adopt_body` and `read` do I/O on the calling thread: asynchronous callers run them
//! where blocking is allowed.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::bodies::Bodies;
use super::disk::{Access, Disk, RealDisk};
use super::group::{Failure, payload_crc};
use super::options::Options;
use super::queue::Queue;
use super::reader::Reader;
use super::recovery::{Found, OpenError, Recovery, find};
use super::space::Space;
use super::writer::Writer;
use super::{
    AppendError, Appended, BodyReader, Journal, NewEntry, Piece, ReadError, Removed, StoredEntry, locked, message,
    remove,
};
use crate::base::{Clock, Position};
use crate::entry::Body;

/// See the module.
pub struct Segments {
    reader: Arc<Reader>,
    queue: Arc<Queue>,
    bodies: Bodies,
    space: Space,
    options: Options,
    disk: Arc<dyn Disk>,
    folder: std::path::PathBuf,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Segments {
    /// Opens the journal in `folder` of the machine's disk.
    pub fn open(folder: &Path, clock: Arc<dyn Clock>, options: Options) -> Result<(Segments, Recovery), OpenError> {
        Segments::open_on(Arc::new(RealDisk), folder, clock, options)
    }

    /// Opens the journal in `folder` of that disk. One process at a time may do this: the caller
    /// holds the lock of the folder.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        folder: &Path,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<(Segments, Recovery), OpenError> {
        let opened = Writer::open(disk.clone(), folder, options.clone())?;
        let mut recovery = opened.recovery;
        let segments = Segments::assemble(disk, folder, clock, options, opened.reader);
        match (opened.writer, &recovery.refuses) {
            (Some(writer), _) => {
                recovery.body_parts_removed = segments.bodies.prepare()?;
                segments.start(writer).map_err(|error| OpenError::io(folder, error))?;
            }
            (None, Some(reason)) => segments.queue.end(Failure::Failed(reason.clone())),
            (None, None) => segments.queue.end(Failure::Failed(message::writer_stopped())),
        }
        Ok((segments, recovery))
    }

    /// Opens the journal for reading, also beside a running daemon: nothing on the disk is changed,
    /// appends are refused. Entries are seen up to the last whole one; the very last group may not
    /// be synced yet by the daemon, which alone knows. [`Segments::refresh`] looks for more.
    pub fn open_read_only(
        disk: Arc<dyn Disk>,
        folder: &Path,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<(Segments, Recovery), OpenError> {
        let Found { segments, recovery, .. } = find(&*disk, folder, &options, Access::Read, Position::START)?;
        let reader = Arc::new(Reader::new(disk.clone(), folder, options.mark_bytes, segments, recovery.head));
        let segments = Segments::assemble(disk, folder, clock, options, reader);
        segments.queue.end(Failure::Closed(message::read_only()));
        Ok((segments, recovery))
    }

    /// For a journal opened for reading only: takes in what the daemon wrote since; returns the head.
    pub fn refresh(&self) -> Result<Position, OpenError> {
        if locked(&self.thread).is_none() {
            let from = self.reader.last_segment().unwrap_or(Position::START);
            let found = find(&*self.disk, &self.folder, &self.options, Access::Read, from)?;
            self.reader.replace_from(from, found.segments, found.recovery.head);
        }
        Ok(self.head())
    }

    /// Writes what is queued, then stops; appends are refused from now on. Dropping does the same.
    pub fn close(&self) {
        self.queue.close();
        let thread = locked(&self.thread).take();
        if let Some(thread) = thread {
            // The thread's panic, if any, has been told to all who waited.
            let _ = thread.join();
        }
    }

    fn assemble(
        disk: Arc<dyn Disk>,
        folder: &Path,
        clock: Arc<dyn Clock>,
        options: Options,
        reader: Arc<Reader>,
    ) -> Segments {
        let queue = Queue::new(options.group_bytes_max, options.queue_entries_max, options.queue_bytes_max);
        Segments {
            reader,
            queue: Arc::new(queue),
            bodies: Bodies::new(disk.clone(), folder, clock.now()),
            space: Space::new(
                disk.clone(),
                folder,
                clock,
                options.free_intake_bytes_min,
                options.free_command_bytes_min,
            ),
            options,
            disk,
            folder: folder.to_owned(),
            thread: Mutex::new(None),
        }
    }

    fn start(&self, writer: Writer) -> std::io::Result<()> {
        let queue = self.queue.clone();
        let thread =
            std::thread::Builder::new().name("uzel-journal".to_owned()).spawn(move || write_all(writer, &queue))?;
        *locked(&self.thread) = Some(thread);
        Ok(())
    }

    fn admit(&self, entry: &NewEntry) -> Result<(), AppendError> {
        let bytes_max = self.options.payload_bytes_max();
        if entry.payload.len() > bytes_max {
            return Err(AppendError::TooLarge(message::too_large(entry.payload.len(), bytes_max)));
        }
        self.space.admit(entry.kind, entry.payload.len())
    }
}

/// The writer thread.
fn write_all(mut writer: Writer, queue: &Queue) {
    let _ending = Ending(queue);
    writer.prepare();
    while let Some(mut batch) = queue.take() {
        let written = writer.write(&mut batch.group);
        if let Some(failure @ Failure::Failed(_)) = &written.failure {
            queue.end(failure.clone());
        }
        batch.complete(written);
        queue.reuse(batch);
        writer.prepare();
    }
}

/// However the writer thread ends, nobody waits for it any longer.
struct Ending<'a>(&'a Queue);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let stopped = match std::thread::panicking() {
            true => Failure::Failed(message::writer_stopped()),
            false => Failure::Closed(message::closed()),
        };
        self.0.end(stopped);
    }
}

impl Drop for Segments {
    fn drop(&mut self) {
        self.close();
    }
}

impl Journal for Segments {
    fn append(&self, entry: NewEntry) -> Appended {
        let queued = self.admit(&entry).and_then(|()| {
            let crc = payload_crc(&entry.payload);
            self.queue.push(&entry, crc).map_err(AppendError::from)
        });
        match queued {
            Ok(waiter) => Box::pin(waiter),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn head(&self) -> Position {
        self.reader.head()
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.reader.subscribe()
    }

    fn first(&self) -> Position {
        self.reader.first()
    }

    fn read(&self, from: Position, entries_max: usize, bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        self.reader.read(from, entries_max, bytes_max)
    }

    fn put_body(&self, bytes: Vec<u8>) -> Result<Body, AppendError> {
        self.accepts_intake()?;
        if bytes.len() <= self.options.inline_body_bytes_max {
            return Ok(Body::Inline(bytes));
        }
        self.bodies.put(&bytes)
    }

    fn adopt_body(&self, file: &Path) -> Result<Body, AppendError> {
        self.accepts_intake()?;
        self.bodies.adopt(file)
    }

    fn open_body(&self, body: &Body) -> Result<Box<dyn BodyReader>, ReadError> {
        match body {
            Body::Inline(bytes) => Ok(Box::new(std::io::Cursor::new(bytes.clone()))),
            Body::File { name, len, .. } => self.bodies.open(name, *len),
        }
    }

    fn pieces(&self) -> Result<Vec<Piece>, ReadError> {
        remove::pieces(&*self.disk, &self.folder, &self.reader.firsts())
    }

    fn remove_before(&self, position: Position) -> Result<Removed, ReadError> {
        let mut removed = Removed::default();
        for piece in self.pieces()?.into_iter().take_while(|piece| piece.next <= position) {
            // Readers first: who asks for these entries from now on hears that they are removed.
            self.reader.forget(piece.first);
            remove::remove(&*self.disk, &self.folder, piece, &mut removed)?;
        }
        Ok(removed)
    }

    fn free_bytes(&self) -> Option<u64> {
        self.disk.free_bytes(&self.folder).ok()
    }

    fn accepts_intake(&self) -> Result<(), AppendError> {
        match self.queue.refusal() {
            Some(failure) => Err(failure.into()),
            None => self.space.admit_intake(),
        }
    }
}
