//! Removal of the oldest segments, bodies first.
//!
//! A segment goes after the bodies that its entries name: stopped in between, the segment is still
//! there to name what is left. Segments go from the oldest on, so that positions stay a run.

use std::io;
use std::path::Path;

use super::bodies::FOLDER;
use super::disk::{Access, Disk};
use super::format::{FrameHeader, SEGMENT_HEADER_BYTES, SegmentHeader, segment_name};
use super::scan::{ScanError, Subject, scan};
use super::{Piece, ReadError, Removed, message};
use crate::base::Position;
use crate::entry::{Body, Entry, Kind};

fn failed(name: &str) -> impl Fn(io::Error) -> ReadError + '_ {
    move |source| ReadError::Io { message: message::read_failed(name), source }
}

/// The segments but the last one. Journal time of a segment's end stands at the head of the next.
pub(super) fn pieces(disk: &dyn Disk, folder: &Path, firsts: &[Position]) -> Result<Vec<Piece>, ReadError> {
    let mut pieces = Vec::new();
    for pair in firsts.windows(2) {
        let (name, following) = (segment_name(pair[0]), segment_name(pair[1]));
        let bytes =
            disk.open(&folder.join(&name), Access::Read).and_then(|file| file.bytes()).map_err(failed(&name))?;
        let mut head = [0; SEGMENT_HEADER_BYTES];
        let file = disk.open(&folder.join(&following), Access::Read).map_err(failed(&following))?;
        let count = file.read_at(&mut head, 0).map_err(failed(&following))?;
        // A head that does not read says nothing of time: what is before it is kept.
        let Ok(header) = SegmentHeader::decode(&head[..count]) else { break };
        pieces.push(Piece { first: pair[0], next: pair[1], until: header.time, bytes });
    }
    Ok(pieces)
}

/// Removes one segment and its bodies.
pub(super) fn remove(disk: &dyn Disk, folder: &Path, piece: Piece, removed: &mut Removed) -> Result<(), ReadError> {
    let name = segment_name(piece.first);
    let path = folder.join(&name);
    let file = disk.open(&path, Access::Read).map_err(failed(&name))?;
    let following = Some(piece.next);
    let subject = Subject { file: &*file, name: &name, first: piece.first, following, mark_bytes: u64::MAX };
    let mut bodies: Vec<(String, u64)> = Vec::new();
    let mut visit = |frame: &FrameHeader, payload: &[u8]| {
        if frame.kind == Kind::Received
            && let Ok(Entry::Received(received)) = Entry::decode(frame.kind, payload)
            && let Body::File { name, len, .. } = received.body
        {
            bodies.push((name.into(), len));
        }
        Ok(())
    };
    scan(subject, &mut visit).map_err(|error| match error {
        ScanError::Newer(version) => ReadError::Damaged(message::newer(&name, version)),
        ScanError::Io(error) => failed(&name)(error),
    })?;
    for (body, len) in bodies {
        match disk.remove(&folder.join(FOLDER).join(&body)) {
            Ok(()) => {
                removed.bodies += 1;
                removed.bytes += len;
            }
            // Gone in a removal that was stopped.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&body)(error)),
        }
    }
    disk.remove(&path).and_then(|()| disk.sync_folder(folder)).map_err(failed(&name))?;
    removed.pieces += 1;
    removed.entries += piece.next.0 - piece.first.0;
    removed.bytes += piece.bytes;
    Ok(())
}
