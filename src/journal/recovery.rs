//! What is found when a journal is opened.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::disk::{Access, Disk, DiskFile};
use super::format::{HeaderFault, SEGMENT_HEADER_BYTES, SegmentHeader, segment_first, segment_name};
use super::message;
use super::options::{Examination, Options};
use super::reader::Segment;
use super::scan::{Damage, Scan, ScanError, Subject, Torn, scan};
use crate::base::{Message, Position, Timestamp};

/// Why a journal does not open. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A newer program wrote it.
    #[error("{0}")]
    Newer(Message),
    /// The disk failed.
    #[error("{message}")]
    Io {
        /// What was opened, and what to do.
        message: Message,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    pub(super) fn io(path: &Path, source: io::Error) -> OpenError {
        OpenError::Io { message: message::open_failed(path, &source), source }
    }
}

/// What opening found, and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The oldest position kept.
    pub first: Position,
    /// The newest entry that can be read.
    pub head: Position,
    /// Journal time there.
    pub time: Timestamp,
    /// How many segments there are.
    pub segments: usize,
    /// The torn tail, cut when the journal was opened for writing.
    pub torn: Option<Torn>,
    /// Bad places in the middle. Those that nobody has accepted end the readable part, and no
    /// entry is taken.
    pub damaged: Vec<Damage>,
    /// Why no entries are taken, if so.
    pub refuses: Option<Message>,
    /// Unfinished bodies that were removed; no entry can name them.
    pub body_parts_removed: usize,
}

/// The last segment, ready to be continued.
pub(super) struct Last {
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) scan: Scan,
    pub(super) name: String,
}

/// A journal as found; nothing is changed yet.
pub(super) struct Found {
    pub(super) segments: Vec<Segment>,
    pub(super) last: Option<Last>,
    /// The position of the next entry.
    pub(super) next: Position,
    pub(super) recovery: Recovery,
}

/// Reads the folder; `from` leaves out the segments before (which are known already).
pub(super) fn find(
    disk: &dyn Disk,
    folder: &Path,
    options: &Options,
    access: Access,
    from: Position,
) -> Result<Found, OpenError> {
    let names = disk.list(folder).map_err(|error| OpenError::io(folder, error))?;
    let mut firsts: Vec<Position> =
        names.iter().filter_map(|name| segment_first(name)).filter(|it| *it >= from).collect();
    firsts.sort_unstable();
    refuse_newer(disk, folder, &firsts)?;

    let mut found = Found {
        segments: Vec::with_capacity(firsts.len()),
        last: None,
        next: Position(1),
        recovery: Recovery {
            first: firsts.first().copied().unwrap_or(Position(1)),
            head: Position::START,
            time: Timestamp::ZERO,
            segments: firsts.len(),
            torn: None,
            damaged: Vec::new(),
            refuses: None,
            body_parts_removed: 0,
        },
    };
    for (index, &first) in firsts.iter().enumerate() {
        found.add(disk, folder, options, access, first, firsts.get(index + 1).copied())?;
    }
    found.recovery.head = Position(found.next.0 - 1);
    let unaccepted = found.recovery.damaged.iter().filter(|it| it.next > options.damage_accepted_before);
    if let Some(damage) = unaccepted.min_by_key(|it| it.first) {
        found.recovery.head = Position(damage.first.0 - 1);
        found.recovery.refuses = Some(message::refuses(damage));
    }
    Ok(found)
}

impl Found {
    fn add(
        &mut self,
        disk: &dyn Disk,
        folder: &Path,
        options: &Options,
        access: Access,
        first: Position,
        following: Option<Position>,
    ) -> Result<(), OpenError> {
        let unwanted = following.is_some() && options.examination == Examination::Last;
        if unwanted {
            self.segments.push(Segment::sealed(first));
            return Ok(());
        }
        let name = segment_name(first);
        let path = folder.join(&name);
        let file = disk.open(&path, access).map_err(|error| OpenError::io(&path, error))?;
        let subject = Subject { file: &*file, name: &name, first, following, mark_bytes: options.mark_bytes };
        let scan = scan(subject, &mut |_, _| Ok(())).map_err(|error| match error {
            ScanError::Newer(version) => OpenError::Newer(message::newer(&name, version)),
            ScanError::Io(error) => OpenError::io(&path, error),
        })?;
        self.next = scan.next;
        self.recovery.time = self.recovery.time.max(scan.time);
        self.recovery.damaged.extend(scan.damaged.iter().cloned());
        if following.is_some() {
            self.segments.push(Segment::scanned(first, scan));
            return Ok(());
        }
        self.recovery.torn = scan.torn.clone();
        self.segments.push(Segment::last(first, file.clone(), scan.clone()));
        self.last = Some(Last { file, scan, name });
        Ok(())
    }
}

/// Before anything is believed or changed: a newer program may mean something else by all of it.
fn refuse_newer(disk: &dyn Disk, folder: &Path, firsts: &[Position]) -> Result<(), OpenError> {
    for first in firsts {
        let name = segment_name(*first);
        let path = folder.join(&name);
        let mut head = [0; SEGMENT_HEADER_BYTES];
        let file = disk.open(&path, Access::Read).map_err(|error| OpenError::io(&path, error))?;
        let count = file.read_at(&mut head, 0).map_err(|error| OpenError::io(&path, error))?;
        if let Err(HeaderFault::Newer(version)) = SegmentHeader::decode(&head[..count]) {
            return Err(OpenError::Newer(message::newer(&name, version)));
        }
    }
    Ok(())
}
