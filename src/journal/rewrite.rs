//! Other payloads at the same positions: what erasure does to entries that name a person.
//!
//! The journal is closed meanwhile. Each segment is written anew beside the old one, synced and
//! renamed over it, so that a power cut leaves the old segment or the new one, whole. Positions,
//! times, kinds and groups stay.

use std::io;
use std::path::Path;

use super::disk::{Access, Disk};
use super::format::{FrameHeader, SEGMENT_HEADER_BYTES, SegmentHeader, frame_bytes, segment_first, segment_name};
use super::message;
use super::recovery::OpenError;
use super::scan::{ScanError, Subject, scan};
use super::{ExtentError, ReadError};
use crate::base::Position;
use crate::base::checksum::crc32c;
use crate::entry::Kind;

/// What is put in place of a payload; `None`: it stays.
pub type Replace<'r> = &'r mut dyn FnMut(Position, Kind, &[u8]) -> io::Result<Option<Vec<u8>>>;

/// Shows every entry to `replace`; returns how many entries were changed.
pub fn rewrite(disk: &dyn Disk, folder: &Path, replace: Replace<'_>) -> Result<u64, ExtentError> {
    let names = disk.list(folder).map_err(|error| OpenError::io(folder, error))?;
    let mut firsts: Vec<Position> = names.iter().filter_map(|name| segment_first(name)).collect();
    firsts.sort_unstable();
    let mut changed = 0;
    for (index, &first) in firsts.iter().enumerate() {
        let name = segment_name(first);
        let path = folder.join(&name);
        let failed = |error| OpenError::io(&path, error);
        let file = disk.open(&path, Access::Read).map_err(failed)?;
        let mut head = [0; SEGMENT_HEADER_BYTES];
        let count = file.read_at(&mut head, 0).map_err(failed)?;
        let Ok(header) = SegmentHeader::decode(&head[..count]) else {
            let error = io::Error::from(io::ErrorKind::InvalidData);
            return Err(OpenError::io(&path, error).into());
        };
        let following = firsts.get(index + 1).copied();
        let subject = Subject { file: &*file, name: &name, first, following, mark_bytes: u64::MAX };
        let mut bytes = head.to_vec();
        let before = changed;
        let mut visit = |frame: &FrameHeader, payload: &[u8]| {
            let other = replace(frame.position, frame.kind, payload)?;
            changed += u64::from(other.is_some());
            let payload = other.as_deref().unwrap_or(payload);
            let frame = FrameHeader { len: payload.len() as u32, payload_crc: crc32c(payload), ..*frame };
            let end = bytes.len() + frame_bytes(payload.len());
            bytes.extend_from_slice(&frame.encode(header.salt));
            bytes.extend_from_slice(payload);
            bytes.resize(end, 0);
            Ok(())
        };
        let scan = scan(subject, &mut visit).map_err(|error| match error {
            ScanError::Newer(version) => OpenError::Newer(message::newer(&name, version)),
            ScanError::Io(error) => OpenError::io(&path, error),
        })?;
        if let Some(damage) = scan.damaged.first() {
            return Err(ReadError::Damaged(message::damaged(damage)).into());
        }
        if changed == before {
            continue;
        }
        let part = path.with_extension("segment-part");
        // Left by a rewriting that was cut short.
        let _removed = disk.remove(&part);
        let written = disk.create(&part).and_then(|file| {
            file.write_at(&bytes, 0)?;
            file.sync()
        });
        written.and_then(|()| disk.rename(&part, &path)).and_then(|()| disk.sync_folder(folder)).map_err(failed)?;
    }
    Ok(changed)
}
