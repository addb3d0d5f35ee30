//! Reads the whole journal and says what is wrong with it. Changes nothing.
//!
//! Beside a running daemon the last group may look torn (it is being written), and a body whose
//! entry is not written yet looks orphaned.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::bodies::{self, FOLDER};
use super::disk::{Access, Disk, FileReader};
use super::format::{FrameHeader, segment_first, segment_name};
use super::message;
use super::recovery::OpenError;
use super::scan::{Damage, ScanError, Subject, Torn, scan};
use crate::base::Position;
use crate::base::checksum::Fingerprint;
use crate::entry::{Body, Entry};

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentReport {
    /// File name.
    pub name: String,
    /// Entries that can be read.
    pub entries: u64,
    /// The position that it begins at.
    pub first: Position,
    /// The position of its last entry; the one before `first` when there is none.
    pub last: Position,
    /// Bytes in use.
    pub bytes: u64,
    /// Length of the file.
    pub file_bytes: u64,
    /// Bad places.
    pub damaged: Vec<Damage>,
    /// What is behind the last entry; cut at the next start of the daemon.
    pub torn: Option<Torn>,
}

/// A body that an entry names and that is not as the entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyReport {
    /// File name.
    pub name: String,
    /// The entry.
    pub position: Position,
}

/// The whole journal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifyReport {
    /// Its segments in order.
    pub segments: Vec<SegmentReport>,
    /// Entries whose payload does not decode, though its checksum is right.
    pub undecodable: Vec<Position>,
    /// Bodies that entries name.
    pub bodies: usize,
    /// Bodies that are not there.
    pub bodies_missing: Vec<BodyReport>,
    /// Bodies whose content is not what was received.
    pub bodies_changed: Vec<BodyReport>,
    /// Bodies that no entry names: the power went between body and entry.
    pub bodies_orphaned: Vec<String>,
}

impl VerifyReport {
    /// Whether nothing that was acknowledged is missing. Orphans and a torn tail are no loss.
    pub fn is_sound(&self) -> bool {
        self.segments.iter().all(|it| it.damaged.is_empty())
            && self.undecodable.is_empty()
            && self.bodies_missing.is_empty()
            && self.bodies_changed.is_empty()
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Segments and bodies looked at.
    pub done: usize,
    /// Segments and bodies that there are.
    pub total: usize,
}

/// Reads everything; `progress` is called after each segment and each body.
pub fn verify(disk: &dyn Disk, folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<VerifyReport, OpenError> {
    let list = |folder: &Path| match disk.list(folder) {
        // No body was ever kept.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|error| OpenError::io(folder, error)),
    };
    let mut firsts: Vec<_> = list(folder)?.iter().filter_map(|name| segment_first(name)).collect();
    firsts.sort_unstable();
    let mut kept = list(&folder.join(FOLDER))?;
    kept.sort_unstable();

    let total = firsts.len() + kept.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(Progress { done, total });
    };
    let mut report = VerifyReport::default();
    let mut named = BTreeMap::new();
    for (index, &first) in firsts.iter().enumerate() {
        verify_segment(disk, folder, first, firsts.get(index + 1).copied(), &mut report, &mut named)?;
        step();
    }
    report.bodies = named.len();
    for name in kept {
        match named.remove(&name) {
            Some(body) => body.compare(disk, folder, name, &mut report)?,
            // Unfinished ones are removed at the next start and are nobody's.
            None if bodies::parse(&name).is_none() => {}
            None => report.bodies_orphaned.push(name),
        }
        step();
    }
    report.bodies_missing = named.into_iter().map(|(name, it)| BodyReport { name, position: it.position }).collect();
    Ok(report)
}

fn verify_segment(
    disk: &dyn Disk,
    folder: &Path,
    first: Position,
    following: Option<Position>,
    report: &mut VerifyReport,
    named: &mut BTreeMap<String, Named>,
) -> Result<(), OpenError> {
    let name = segment_name(first);
    let path = folder.join(&name);
    let file = disk.open(&path, Access::Read).map_err(|error| OpenError::io(&path, error))?;
    let subject = Subject { file: &*file, name: &name, first, following, mark_bytes: u64::MAX };
    let mut last = Position(first.0 - 1);
    let mut visit = |frame: &FrameHeader, payload: &[u8]| {
        last = frame.position;
        match Entry::decode(frame.kind, payload) {
            Ok(Entry::Received(received)) => {
                if let Body::File { name, len, fingerprint } = received.body {
                    named.insert(name.into(), Named { position: frame.position, len, fingerprint });
                }
            }
            Ok(
                Entry::Attempting(_)
                | Entry::Attempted(_)
                | Entry::Commanded(_)
                | Entry::Configured(_)
                | Entry::Ticked(_)
                | Entry::Slice(_),
            ) => {}
            Err(_) => report.undecodable.push(frame.position),
        }
        Ok(())
    };
    let scan = scan(subject, &mut visit).map_err(|error| match error {
        ScanError::Newer(version) => OpenError::Newer(message::newer(&name, version)),
        ScanError::Io(error) => OpenError::io(&path, error),
    })?;
    report.segments.push(SegmentReport {
        name,
        entries: scan.entries,
        first,
        last,
        bytes: scan.end,
        file_bytes: scan.file_bytes,
        damaged: scan.damaged,
        torn: scan.torn,
    });
    Ok(())
}

/// What an entry says of its body.
struct Named {
    position: Position,
    len: u64,
    fingerprint: Fingerprint,
}

impl Named {
    fn compare(self, disk: &dyn Disk, folder: &Path, name: String, report: &mut VerifyReport) -> Result<(), OpenError> {
        let path = folder.join(FOLDER).join(&name);
        let measured = disk.open(&path, Access::Read).and_then(|it| Fingerprint::of_reader(&mut FileReader::new(it)));
        let (fingerprint, len) = measured.map_err(|error| OpenError::io(&path, error))?;
        if (fingerprint, len) != (self.fingerprint, self.len) {
            report.bodies_changed.push(BodyReport { name, position: self.position });
        }
        Ok(())
    }
}
