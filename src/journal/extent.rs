//! What of the journal's files holds the entries up to a position: what a backup copies.
//!
//! Read beside a running daemon: segments only grow behind that position, and bodies are durable
//! before the entries that name them.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::disk::{Access, Disk};
use super::format::{FrameHeader, SEGMENT_HEADER_BYTES, segment_first, segment_name};
use super::recovery::OpenError;
use super::scan::{ScanError, Subject, scan};
use super::{ReadError, message};
use crate::base::Position;
use crate::entry::{Body, Entry, Kind};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extent {
    /// Segments: file name, and how many bytes of it.
    pub segments: Vec<(String, u64)>,
    /// Names of the bodies.
    pub bodies: BTreeSet<String>,
    /// The first entry.
    pub first: Position,
    /// The last entry, at most the position asked for.
    pub last: Position,
}

/// Why the extent is not known.
#[derive(Debug, thiserror::Error)]
pub enum ExtentError {
    /// The journal does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It is damaged: half of it would not be a backup.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The extent of the entries up to `until`; every byte of them is read and checked.
pub fn extent(disk: &dyn Disk, folder: &Path, until: Position) -> Result<Extent, ExtentError> {
    let names = disk.list(folder).map_err(|error| OpenError::io(folder, error))?;
    let mut firsts: Vec<Position> = names.iter().filter_map(|name| segment_first(name)).collect();
    firsts.sort_unstable();
    let mut extent = Extent { first: firsts.first().copied().unwrap_or(Position(1)), ..Extent::default() };
    for (index, &first) in firsts.iter().enumerate().take_while(|(_, first)| **first <= until) {
        let name = segment_name(first);
        let path = folder.join(&name);
        let file = disk.open(&path, Access::Read).map_err(|error| OpenError::io(&path, error))?;
        let following = firsts.get(index + 1).copied();
        let subject = Subject { file: &*file, name: &name, first, following, mark_bytes: u64::MAX };
        let mut bytes = SEGMENT_HEADER_BYTES as u64;
        let mut visit = |frame: &FrameHeader, payload: &[u8]| {
            if frame.position > until {
                return Ok(());
            }
            bytes += frame.frame_bytes() as u64;
            extent.last = frame.position;
            if frame.kind == Kind::Received {
                extent.bodies.extend(body_of(payload)?);
            }
            Ok(())
        };
        let scan = scan(subject, &mut visit).map_err(|error| match error {
            ScanError::Newer(version) => OpenError::Newer(message::newer(&name, version)),
            ScanError::Io(error) => OpenError::io(&path, error),
        })?;
        if let Some(damage) = scan.damaged.iter().find(|it| it.first <= until) {
            return Err(ReadError::Damaged(message::damaged(damage)).into());
        }
        extent.segments.push((name, bytes));
    }
    Ok(extent)
}

fn body_of(payload: &[u8]) -> io::Result<Option<String>> {
    match Entry::decode(Kind::Received, payload) {
        Ok(Entry::Received(received)) => match received.body {
            Body::File { name, .. } => Ok(Some(name.into())),
            Body::Inline(_) => Ok(None),
        },
        // An entry that does not decode is quarantined and names nothing that could be opened.
        Ok(_) | Err(_) => Ok(None),
    }
}
