//! The writer: one group after the other, each made durable before it is told.
//!
//! A state machine without thread, queue or clock: the daemon drives it from its writer thread
//! ([`super::segments`]), the model test drives it directly. What it guarantees:
//!
//! - when [`Writer::write`] says that n entries are done, they are durable, at consecutive positions;
//! - a write without space leaves nothing of the group behind, and the next group may succeed;
//! - any other failure, and any failure of a sync, poisons it: what the disk holds is not known, and
//!   a second sync would report success for bytes that the kernel has given up;
//! - the head is published after the sync, never before.
//!
//! **Rolling.** When a group does not fit, as many of its entries as do are written, and a new
//! segment takes the rest: the spare file gets its header and the entries, is synced, then named,
//! then the folder is synced. A spare is made ahead of need, while there is space.
//!
//! **Opening.** Bytes found at the end may be in the cache alone: the program may have been killed
//! between write and sync, or a sync may have failed and left them clean in the cache. So the last
//! group is written again and synced before anybody sees it, and the folder is synced too.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Access, Disk, DiskFile, is_no_space};
use super::format::{SEGMENT_HEADER_BYTES, SPARE_NAME, SegmentHeader, segment_name};
use super::group::{Failure, Group, Run, Written};
use super::message;
use super::options::Options;
use super::reader::{Reader, Segment};
use super::recovery::{Found, Last, OpenError, Recovery, find};
use super::{ReadError, StoredEntry};
use crate::base::checksum::Fingerprint;
use crate::base::{Message, Position, Timestamp};

/// A step of the journal's clock that is worth a warning, ms.
const TIME_JUMP_MS: i64 = 24 * 3_600_000;

/// See the module.
pub struct Writer {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    options: Options,
    reader: Arc<Reader>,
    current: Option<Current>,
    spare: Option<Arc<dyn DiskFile>>,
    /// Making a spare failed: not tried again before it is needed.
    spare_failed: bool,
    next: Position,
    time: Timestamp,
    /// Whether the clock was far behind at the last entry: warned of once.
    behind: bool,
    poisoned: Option<Message>,
}

/// The segment that grows.
struct Current {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    salt: u64,
    /// Where the next frame goes.
    end: u64,
    /// Length of the file.
    capacity: u64,
}

/// A journal opened for writing.
pub struct Opened {
    /// `None` when it takes no entries ([`Recovery::refuses`]).
    pub writer: Option<Writer>,
    /// What was found.
    pub recovery: Recovery,
    pub(super) reader: Arc<Reader>,
}

impl Opened {
    /// Entries from `from` on, as [`super::Journal::read`].
    pub fn read(&self, from: Position, entries_max: usize, bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        self.reader.read(from, entries_max, bytes_max)
    }
}

impl Writer {
    /// Opens the journal in `folder`, which is made if it is not there.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path, options: Options) -> Result<Opened, OpenError> {
        disk.create_folder(folder).map_err(|error| OpenError::io(folder, error))?;
        let found = find(&*disk, folder, &options, Access::Write, Position::START)?;
        let Found { segments, last, next, recovery } = found;
        let current = match (&recovery.refuses, last) {
            (None, Some(last)) => {
                let path = folder.join(&last.name);
                Some(settle(last, &path).map_err(|error| OpenError::io(&path, error))?)
            }
            (Some(_), _) | (None, None) => None,
        };
        let reader = Arc::new(Reader::new(disk.clone(), folder, options.mark_bytes, segments, recovery.head));
        if recovery.refuses.is_some() {
            return Ok(Opened { writer: None, recovery, reader });
        }
        discard_spare(&*disk, folder).map_err(|error| OpenError::io(folder, error))?;
        let writer = Writer {
            disk,
            folder: folder.to_owned(),
            options,
            reader: reader.clone(),
            current,
            spare: None,
            spare_failed: false,
            next,
            time: recovery.time,
            behind: false,
            poisoned: None,
        };
        Ok(Opened { writer: Some(writer), recovery, reader })
    }

    /// Writes the group and syncs it; entries from the first failure on are not in the journal.
    pub fn write(&mut self, group: &mut Group) -> Written {
        let mut written = Written { first: self.next, done: 0, failure: None };
        let mut from = 0;
        while written.done < group.entries() {
            match self.write_run(group, from) {
                Ok(run) => {
                    written.done += run.entries;
                    from = run.to;
                    self.reader.publish(Position(self.next.0 - 1));
                }
                Err(failure) => {
                    written.failure = Some(failure);
                    break;
                }
            }
        }
        written
    }

    /// Makes the next segment ahead of need, once the present one is half full.
    pub fn prepare(&mut self) {
        let needed_soon = self.current.as_ref().is_none_or(|it| it.end > it.capacity / 2);
        if needed_soon && self.spare.is_none() && !self.spare_failed && self.poisoned.is_none() {
            self.spare_failed = true;
            match self.make_spare() {
                Ok(()) => self.spare_failed = false,
                Err(error) => tracing::warn!(%error, "the next journal segment cannot be reserved yet"),
            }
        }
    }

    fn write_run(&mut self, group: &mut Group, from: usize) -> Result<Run, Failure> {
        if let Some(message) = &self.poisoned {
            return Err(Failure::Failed(message.clone()));
        }
        let room = self.current.as_ref().map_or(0, |it| it.capacity.saturating_sub(it.end));
        let run = group.run(from, room);
        if run.entries > 0 {
            self.extend(group, run)?;
            return Ok(run);
        }
        let run = group.run(from, self.options.segment_bytes.saturating_sub(SEGMENT_HEADER_BYTES as u64));
        if run.entries == 0 {
            debug_assert!(false, "appending refuses what does not fit into a segment");
            return Err(Failure::Failed(message::too_large(group.bytes(), self.options.payload_bytes_max())));
        }
        self.begin(group, run)?;
        Ok(run)
    }

    /// Writes a run behind the last frame.
    fn extend(&mut self, group: &mut Group, run: Run) -> Result<(), Failure> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let mut behind = self.behind;
        let (bytes, time) = group
            .finish(run, self.next, self.time, current.salt, &mut |before, at| watch_clock(before, at, &mut behind));
        if let Err(error) = current.file.write_at(bytes, current.end) {
            return Err(match is_no_space(&error).then(|| current.reset()) {
                Some(Ok(())) => Failure::NoSpace(message::no_space(&current.path)),
                Some(Err(error)) => poison(&mut self.poisoned, &current.path, &error),
                None => poison(&mut self.poisoned, &current.path, &error),
            });
        }
        if let Err(error) = current.file.sync() {
            return Err(poison(&mut self.poisoned, &current.path, &error));
        }
        let mark = (self.next, current.end);
        current.end += bytes.len() as u64;
        self.reader.extended(mark, current.end);
        self.advance(run, time, behind);
        Ok(())
    }

    /// Writes a run as the first of a new segment.
    fn begin(&mut self, group: &mut Group, run: Run) -> Result<(), Failure> {
        let spare_path = self.folder.join(SPARE_NAME);
        if self.spare.is_none()
            && let Err(error) = self.make_spare()
        {
            return Err(self.refuse(&spare_path, &error));
        }
        let Some(file) = self.spare.take() else { return Ok(()) };
        let header = SegmentHeader { first: self.next, time: self.time, salt: salt(self.options.salt, self.next) };
        let mut behind = self.behind;
        let (bytes, time) = group
            .finish(run, self.next, self.time, header.salt, &mut |before, at| watch_clock(before, at, &mut behind));
        let path = self.folder.join(segment_name(self.next));
        let start = SEGMENT_HEADER_BYTES as u64;
        let written = file.write_at(&header.encode(), 0).and_then(|()| file.write_at(bytes, start));
        if let Err(error) = written {
            return Err(self.refuse(&spare_path, &error));
        }
        // Order: the content, then the name, then the folder; a name is a promise.
        if let Err(error) = file.sync() {
            return Err(poison(&mut self.poisoned, &spare_path, &error));
        }
        if let Err(error) = self.disk.rename(&spare_path, &path) {
            return Err(self.refuse(&path, &error));
        }
        if let Err(error) = self.disk.sync_folder(&self.folder) {
            return Err(poison(&mut self.poisoned, &self.folder, &error));
        }
        let end = start + bytes.len() as u64;
        let capacity = self.options.segment_bytes;
        self.reader.began(Segment::begun(self.next, file.clone(), header.salt, start, end));
        self.current = Some(Current { file, path, salt: header.salt, end, capacity });
        self.advance(run, time, behind);
        Ok(())
    }

    fn advance(&mut self, run: Run, time: Timestamp, behind: bool) {
        self.next = Position(self.next.0 + run.entries as u64);
        self.time = time;
        self.behind = behind;
    }

    /// A new segment could not be made: without space that is a pause, else the end.
    fn refuse(&mut self, path: &Path, error: &io::Error) -> Failure {
        self.spare = None;
        self.spare_failed = false;
        if !is_no_space(error) {
            return poison(&mut self.poisoned, path, error);
        }
        // Whatever is left of it is removed before the next try.
        let _ = self.disk.remove(&self.folder.join(SPARE_NAME));
        Failure::NoSpace(message::no_space(path))
    }

    fn make_spare(&mut self) -> io::Result<()> {
        let path = self.folder.join(SPARE_NAME);
        let file = match self.disk.create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(&path)?;
                self.disk.create(&path)?
            }
            created => created?,
        };
        let reserved = file.allocate(self.options.segment_bytes).and_then(|()| file.sync());
        if let Err(error) = reserved {
            // Space that a half-made spare holds is taken from everybody.
            let _ = self.disk.remove(&path);
            return Err(error);
        }
        self.spare = Some(file);
        Ok(())
    }
}

impl Current {
    /// Makes everything behind the last frame zeros again, durably. Without space for zeros the
    /// file ends there, and the next group begins a new segment.
    fn reset(&mut self) -> io::Result<()> {
        self.file.truncate(self.end)?;
        match self.file.allocate(self.capacity) {
            Err(error) if !is_no_space(&error) => return Err(error),
            Err(_) | Ok(()) => {}
        }
        self.file.sync()?;
        self.capacity = self.file.bytes()?;
        Ok(())
    }
}

/// Cuts the torn tail of the last segment and makes sure that what is before it is durable.
fn settle(last: Last, path: &Path) -> io::Result<Current> {
    let Last { file, scan, .. } = last;
    let mut current =
        Current { file, path: path.to_owned(), salt: scan.salt, end: scan.end, capacity: scan.file_bytes };
    let mut bytes = vec![0; (scan.end - scan.group) as usize];
    let count = current.file.read_at(&mut bytes, scan.group)?;
    match current.file.write_at(&bytes[..count], scan.group) {
        // A file system that never overwrites in place wants space even for this; the bytes were
        // not changed.
        Err(error) if !is_no_space(&error) => return Err(error),
        Err(_) | Ok(()) => {}
    }
    match scan.torn {
        Some(_) => current.reset()?,
        None => current.file.sync()?,
    }
    Ok(current)
}

fn discard_spare(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    match disk.remove(&folder.join(SPARE_NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) | Ok(()) => {}
    }
    disk.sync_folder(folder)
}

fn poison(poisoned: &mut Option<Message>, path: &Path, error: &io::Error) -> Failure {
    let message = message::write_failed(path, error);
    tracing::error!(%error, path = %path.display(), "the journal failed and takes nothing until restarted");
    *poisoned = Some(message.clone());
    Failure::Failed(message)
}

/// A salt that differs by opening and by segment.
fn salt(opening: u64, first: Position) -> u64 {
    let Fingerprint(bytes) = Fingerprint::of_parts([&opening.to_le_bytes()[..], &first.0.to_le_bytes()[..]]);
    u64::from_le_bytes(bytes[..8].try_into().expect("half of sixteen bytes"))
}

/// Journal time only grows; a step of more than a day in either direction is a clock to be looked at.
fn watch_clock(before: Timestamp, at: Timestamp, behind: &mut bool) {
    let step_ms = at.ms_since(before);
    if step_ms > TIME_JUMP_MS && before > Timestamp::ZERO {
        tracing::warn!(step_ms, "the clock jumped forward; journal time follows it");
    }
    let far_behind = step_ms < -TIME_JUMP_MS;
    if far_behind && !*behind {
        tracing::warn!(step_ms, "the clock jumped back; journal time stands until it catches up");
    }
    *behind = far_behind;
}
