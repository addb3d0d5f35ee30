//! Reading: which segment holds a position, where in it, and the entries from there on.
//!
//! Of each segment a sparse list of (position, offset) marks is kept in memory: of the last one
//! from opening on, of an older one from its first read on (its frames are walked once then, which
//! also finds damage in it). Besides, the ends of the last few reads are remembered, so that a
//! follower of the tail goes straight to the frame that it wants. Every frame is checked again when
//! it is read. Nothing behind the published head is ever returned, though its bytes may be in the
//! file already.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use tokio::sync::watch;

use super::disk::{Access, Disk, DiskFile};
use super::format::{FRAME_HEADER_BYTES, FrameHeader, segment_name};
use super::scan::{Damage, Scan, ScanError, Subject, scan};
use super::{ReadError, StoredEntry, locked, message, read_locked, write_locked};
use crate::base::Position;
use crate::base::checksum::crc32c;

/// Bytes taken from the file at a time.
const CHUNK_BYTES: u64 = 256 * 1024;
/// Followers whose place is remembered. More of them only cost a walk from the nearest mark.
const FOLLOWERS_MAX: usize = 8;

/// All segments, for reading.
pub(super) struct Reader {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    mark_bytes: u64,
    segments: RwLock<Vec<Arc<Segment>>>,
    head: watch::Sender<Position>,
    /// Ends of the last reads: (next position, offset).
    followers: Mutex<VecDeque<(Position, u64)>>,
}

/// One segment.
pub(super) struct Segment {
    first: Position,
    name: String,
    state: Mutex<State>,
}

/// What is known of it.
struct State {
    /// Held open while it is the one that grows.
    file: Option<Arc<dyn DiskFile>>,
    /// `None` until an older segment is read for the first time.
    map: Option<Arc<Map>>,
}

/// How to find entries in a segment.
#[derive(Clone)]
struct Map {
    salt: u64,
    marks: Vec<(Position, u64)>,
    damaged: Vec<Damage>,
    end: u64,
}

impl Map {
    fn of(scan: Scan) -> Map {
        Map { salt: scan.salt, marks: scan.marks, damaged: scan.damaged, end: scan.end }
    }
}

impl Segment {
    /// A segment that is read when somebody wants it.
    pub(super) fn sealed(first: Position) -> Segment {
        Segment { first, name: segment_name(first), state: Mutex::new(State { file: None, map: None }) }
    }

    /// An older segment, already scanned.
    pub(super) fn scanned(first: Position, scan: Scan) -> Segment {
        let state = State { file: None, map: Some(Arc::new(Map::of(scan))) };
        Segment { first, name: segment_name(first), state: Mutex::new(state) }
    }

    /// The segment at the end, already scanned.
    pub(super) fn last(first: Position, file: Arc<dyn DiskFile>, scan: Scan) -> Segment {
        let state = State { file: Some(file), map: Some(Arc::new(Map::of(scan))) };
        Segment { first, name: segment_name(first), state: Mutex::new(state) }
    }

    /// A new segment: its first group is on the disk, up to `end`.
    pub(super) fn begun(first: Position, file: Arc<dyn DiskFile>, salt: u64, start: u64, end: u64) -> Segment {
        let map = Map { salt, marks: vec![(first, start)], damaged: Vec::new(), end };
        let state = State { file: Some(file), map: Some(Arc::new(map)) };
        Segment { first, name: segment_name(first), state: Mutex::new(state) }
    }
}

impl Reader {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        mark_bytes: u64,
        segments: Vec<Segment>,
        head: Position,
    ) -> Reader {
        Reader {
            disk,
            folder: folder.to_owned(),
            mark_bytes,
            segments: RwLock::new(segments.into_iter().map(Arc::new).collect()),
            head: watch::Sender::new(head),
            followers: Mutex::new(VecDeque::new()),
        }
    }

    pub(super) fn head(&self) -> Position {
        *self.head.borrow()
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// The oldest position kept; that of the first entry to come in an empty journal.
    pub(super) fn first(&self) -> Position {
        read_locked(&self.segments).first().map_or(Position(1), |it| it.first)
    }

    /// The writer made a group durable that begins at `mark` and ends at `end` of the last segment.
    pub(super) fn extended(&self, mark: (Position, u64), end: u64) {
        let segments = read_locked(&self.segments);
        let Some(last) = segments.last() else { return };
        let mut state = locked(&last.state);
        if let Some(map) = &mut state.map {
            // A reader that holds the map keeps its own: copied at most once per read in flight.
            let map = Arc::make_mut(map);
            if map.marks.last().is_none_or(|it| mark.1 - it.1 >= self.mark_bytes) {
                map.marks.push(mark);
            }
            map.end = end;
        }
    }

    /// The writer began a segment; the one before grows no more.
    pub(super) fn began(&self, segment: Segment) {
        let mut segments = write_locked(&self.segments);
        if let Some(sealed) = segments.last() {
            locked(&sealed.state).file = None;
        }
        segments.push(Arc::new(segment));
    }

    /// Lets everybody see the entries up to `head`.
    pub(super) fn publish(&self, head: Position) {
        self.head.send_replace(head);
    }

    /// Puts a fresh view of the last segments in place of what is known from `first` on.
    pub(super) fn replace_from(&self, first: Position, fresh: Vec<Segment>, head: Position) {
        let mut segments = write_locked(&self.segments);
        segments.retain(|it| it.first < first);
        segments.extend(fresh.into_iter().map(Arc::new));
        drop(segments);
        self.publish(head);
    }

    /// Where each segment begins, in order.
    pub(super) fn firsts(&self) -> Vec<Position> {
        read_locked(&self.segments).iter().map(|it| it.first).collect()
    }

    /// The oldest segment is going: nobody finds it any longer. The newest one stays.
    pub(super) fn forget(&self, first: Position) {
        let mut segments = write_locked(&self.segments);
        if segments.len() > 1 && segments[0].first == first {
            segments.remove(0);
        }
    }

    /// Where the newest segment begins.
    pub(super) fn last_segment(&self) -> Option<Position> {
        read_locked(&self.segments).last().map(|it| it.first)
    }

    /// See [`super::Journal::read`].
    pub(super) fn read(
        &self,
        from: Position,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<StoredEntry>, ReadError> {
        let mut take = Take {
            at: from.max(Position(1)),
            head: self.head(),
            entries_max,
            bytes_max,
            bytes: 0,
            entries: Vec::new(),
        };
        while take.at <= take.head && !take.is_full() {
            let (segment, following) = self.segment_of(take.at)?;
            match self.read_segment(&segment, following, &mut take) {
                Ok(()) => {}
                // What was read before the bad place is good; the next call begins at the bad one.
                Err(_) if !take.entries.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(take.entries)
    }

    /// The segment of a position, and where the one behind it begins.
    fn segment_of(&self, position: Position) -> Result<(Arc<Segment>, Option<Position>), ReadError> {
        let segments = read_locked(&self.segments);
        let behind = segments.partition_point(|it| it.first <= position);
        let Some(segment) = behind.checked_sub(1).and_then(|index| segments.get(index)) else {
            let first = segments.first().map_or(Position(1), |it| it.first);
            return Err(ReadError::Removed(message::removed(position, first)));
        };
        Ok((segment.clone(), segments.get(behind).map(|it| it.first)))
    }

    fn file_and_map(
        &self,
        segment: &Segment,
        following: Option<Position>,
    ) -> Result<(Arc<dyn DiskFile>, Arc<Map>), ReadError> {
        let failed = |error| ReadError::Io { message: message::read_failed(&segment.name), source: error };
        let mut state = locked(&segment.state);
        let file = match &state.file {
            Some(file) => file.clone(),
            None => self.disk.open(&self.folder.join(&segment.name), Access::Read).map_err(failed)?,
        };
        if let Some(map) = &state.map {
            return Ok((file, map.clone()));
        }
        let subject =
            Subject { file: &*file, name: &segment.name, first: segment.first, following, mark_bytes: self.mark_bytes };
        let scan = scan(subject, &mut |_, _| Ok(())).map_err(|error| match error {
            ScanError::Newer(version) => ReadError::Damaged(message::newer(&segment.name, version)),
            ScanError::Io(error) => failed(error),
        })?;
        let map = Arc::new(Map::of(scan));
        state.map = Some(map.clone());
        Ok((file, map))
    }

    /// Takes entries from `take.at` on, up to the head or the end of this segment.
    fn read_segment(&self, segment: &Segment, following: Option<Position>, take: &mut Take) -> Result<(), ReadError> {
        let last = following.map_or(take.head, |it| take.head.min(Position(it.0 - 1)));
        let (file, map) = self.file_and_map(segment, following)?;
        if let Some(damage) = map.damaged.iter().find(|it| it.first <= take.at && take.at < it.next) {
            return Err(ReadError::Damaged(message::damaged(damage)));
        }
        let (mut position, mut offset) = self.place_of(segment, &map, take.at)?;
        let mut chunk = Chunk { file: &*file, end: map.end, start: 0, bytes: Bytes::new() };
        while position <= last && !take.is_full() {
            if let Some(damage) = map.damaged.iter().find(|it| it.offset == offset) {
                if damage.next > position {
                    return Err(ReadError::Damaged(message::damaged(damage)));
                }
                offset += damage.bytes;
            }
            let frame = chunk
                .frame(offset, map.salt, position >= take.at)
                .map_err(|error| ReadError::Io { message: message::read_failed(&segment.name), source: error })?;
            let Some((header, payload)) = frame.filter(|(header, _)| header.position == position) else {
                return Err(ReadError::Damaged(message::bad_frame(&segment.name, offset, position)));
            };
            if position >= take.at && !take.push(&header, payload) {
                break;
            }
            offset += header.frame_bytes() as u64;
            position = position.next();
        }
        self.remember(take.at, offset);
        Ok(())
    }

    /// The nearest known frame at or before a position.
    fn place_of(&self, segment: &Segment, map: &Map, position: Position) -> Result<(Position, u64), ReadError> {
        let mut followers = locked(&self.followers);
        if let Some(index) = followers.iter().position(|it| it.0 == position)
            && let Some(place) = followers.remove(index)
            // The end of one segment is also where the next one begins.
            && segment.first < position
        {
            return Ok(place);
        }
        drop(followers);
        let behind = map.marks.partition_point(|it| it.0 <= position);
        let mark = behind.checked_sub(1).and_then(|index| map.marks.get(index)).copied();
        mark.ok_or_else(|| ReadError::Damaged(message::bad_frame(&segment.name, 0, position)))
    }

    fn remember(&self, next: Position, offset: u64) {
        let mut followers = locked(&self.followers);
        if followers.len() >= FOLLOWERS_MAX {
            followers.pop_front();
        }
        followers.push_back((next, offset));
    }
}

/// What a read has so far.
struct Take {
    /// The next position wanted.
    at: Position,
    head: Position,
    entries_max: usize,
    bytes_max: usize,
    bytes: usize,
    entries: Vec<StoredEntry>,
}

impl Take {
    fn is_full(&self) -> bool {
        self.entries.len() >= self.entries_max || (!self.entries.is_empty() && self.bytes >= self.bytes_max)
    }

    /// Whether there was room for it.
    fn push(&mut self, header: &FrameHeader, payload: Bytes) -> bool {
        if !self.entries.is_empty() && self.bytes + payload.len() > self.bytes_max {
            // Full: the next read begins here.
            self.bytes = self.bytes_max;
            return false;
        }
        self.bytes += payload.len();
        self.entries.push(StoredEntry { position: header.position, kind: header.kind, at: header.at, payload });
        self.at = header.position.next();
        true
    }
}

/// A piece of the file, shared by the payloads cut from it.
struct Chunk<'a> {
    file: &'a dyn DiskFile,
    /// Behind the last durable frame.
    end: u64,
    start: u64,
    bytes: Bytes,
}

impl Chunk<'_> {
    fn frame(&mut self, offset: u64, salt: u64, wanted: bool) -> io::Result<Option<(FrameHeader, Bytes)>> {
        self.cover(offset, FRAME_HEADER_BYTES as u64)?;
        let Some(header) = FrameHeader::decode(self.slice(offset, FRAME_HEADER_BYTES), salt) else { return Ok(None) };
        if !wanted {
            return Ok(Some((header, Bytes::new())));
        }
        self.cover(offset, header.frame_bytes() as u64)?;
        let from = (offset - self.start) as usize + FRAME_HEADER_BYTES;
        let to = from + header.len as usize;
        if to > self.bytes.len() || crc32c(&self.bytes[from..to]) != header.payload_crc {
            return Ok(None);
        }
        Ok(Some((header, self.bytes.slice(from..to))))
    }

    fn slice(&self, offset: u64, count: usize) -> &[u8] {
        let from = ((offset - self.start) as usize).min(self.bytes.len());
        &self.bytes[from..(from + count).min(self.bytes.len())]
    }

    fn cover(&mut self, offset: u64, count: u64) -> io::Result<()> {
        let inside = offset >= self.start && offset + count <= self.start + self.bytes.len() as u64;
        if inside {
            return Ok(());
        }
        let left = self.end.saturating_sub(offset);
        let mut bytes = vec![0; left.min(CHUNK_BYTES.max(count)) as usize];
        let got = self.file.read_at(&mut bytes, offset)?;
        bytes.truncate(got);
        self.start = offset;
        self.bytes = Bytes::from(bytes);
        Ok(())
    }
}
