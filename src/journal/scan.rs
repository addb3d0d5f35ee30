//! Reads a segment from its head to its end and says what is there: entries, damage, a torn tail.
//!
//! Used at opening (the last segment), before the first read of an older segment, and by `verify`.
//! What is torn and what is damaged is decided here, by the rules of [`super::format`]. Nothing is
//! changed here.

use std::io;

use crate::base::checksum::crc32c;
use crate::base::{Position, Timestamp};

use super::disk::DiskFile;
use super::format::{FRAME_ALIGN, FRAME_HEADER_BYTES, FrameHeader, HeaderFault, SEGMENT_HEADER_BYTES, SegmentHeader};

/// Bytes read at a time.
const WINDOW_BYTES: usize = 1024 * 1024;

/// A place where entries that were durable can no longer be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// File name of the segment.
    pub segment: String,
    /// Where in it.
    pub offset: u64,
    /// How many bytes cannot be read.
    pub bytes: u64,
    /// The first entry that is lost.
    pub first: Position,
    /// The first entry behind that can be read again (or will be written). Equal to `first` when
    /// the bytes hold no entry.
    pub next: Position,
}

/// What was behind the last entry: writes that nobody was told are durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// File name of the segment.
    pub segment: String,
    /// Where the tail begins.
    pub offset: u64,
    /// Bytes from there to the last one that is not zero.
    pub bytes: u64,
}

/// What is known of a segment after its frames were walked.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    /// Goes into the CRCs; 0 when the header does not read.
    pub(super) salt: u64,
    /// Entries that can be read.
    pub(super) entries: u64,
    /// The position behind the last entry, read or lost.
    pub(super) next: Position,
    /// Journal time at the end.
    pub(super) time: Timestamp,
    /// Where the next frame would go.
    pub(super) end: u64,
    /// Where the last group begins: the only one whose durability is not proven.
    pub(super) group: u64,
    /// Length of the file.
    pub(super) file_bytes: u64,
    /// (position, offset) of some frames, in order; the first readable one and those behind damage
    /// are among them.
    pub(super) marks: Vec<(Position, u64)>,
    pub(super) damaged: Vec<Damage>,
    pub(super) torn: Option<Torn>,
}

/// A segment, and what is known before reading it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) file: &'a dyn DiskFile,
    pub(super) name: &'a str,
    /// From the name.
    pub(super) first: Position,
    /// Where the segment behind begins; `None` for the last one.
    pub(super) following: Option<Position>,
    /// Least distance of two marks, bytes.
    pub(super) mark_bytes: u64,
}

#[derive(Debug)]
pub(super) enum ScanError {
    Newer(u32),
    Io(io::Error),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> ScanError {
        ScanError::Io(error)
    }
}

/// Walks the segment; `visit` sees each readable entry in order.
pub(super) fn scan(
    subject: Subject<'_>,
    visit: &mut dyn FnMut(&FrameHeader, &[u8]) -> io::Result<()>,
) -> Result<Scan, ScanError> {
    let mut window = Window::new(subject.file)?;
    let header = match SegmentHeader::decode(window.at(0, SEGMENT_HEADER_BYTES)?) {
        Ok(header) if header.first == subject.first => header,
        Ok(_) | Err(HeaderFault::Damaged) => return Ok(unreadable(subject, window.len)),
        Err(HeaderFault::Newer(version)) => return Err(ScanError::Newer(version)),
    };
    let mut scan = Scan {
        salt: header.salt,
        entries: 0,
        next: subject.first,
        time: header.time,
        end: SEGMENT_HEADER_BYTES as u64,
        group: SEGMENT_HEADER_BYTES as u64,
        file_bytes: window.len,
        marks: Vec::new(),
        damaged: Vec::new(),
        torn: None,
    };
    let mut after_damage = false;
    loop {
        if let Some(frame) = window.frame(scan.end, header.salt)?
            && frame.position == scan.next
        {
            scan.accept(subject, &frame, after_damage);
            let payload = &window.at(scan.end, frame.frame_bytes())?[FRAME_HEADER_BYTES..];
            visit(&frame, &payload[..frame.len as usize])?;
            scan.end += frame.frame_bytes() as u64;
            after_damage = false;
            continue;
        }
        // An older segment was durable to its end before the next one began: no further proof needed.
        let sealed = subject.following.is_some();
        match search(&mut window, scan.end, scan.next, header.salt, sealed)? {
            Behind { resume: Some(resume), evidence: true, .. } => {
                scan.damaged.push(subject.damage(scan.end, resume.0 - scan.end, scan.next, resume.1));
                (scan.end, scan.next) = resume;
                after_damage = true;
            }
            Behind { filled_to, .. } => {
                scan.finish(subject, filled_to);
                return Ok(scan);
            }
        }
    }
}

/// A segment without a header that reads. How many entries it held is unknown: if it is the last
/// one, positions go on behind the most that it can have held, so that none is given twice.
fn unreadable(subject: Subject<'_>, file_bytes: u64) -> Scan {
    let most = Position(subject.first.0.saturating_add(file_bytes / FRAME_HEADER_BYTES as u64));
    let next = subject.following.unwrap_or(most);
    Scan {
        salt: 0,
        entries: 0,
        next,
        time: Timestamp::ZERO,
        end: file_bytes,
        group: file_bytes,
        file_bytes,
        marks: Vec::new(),
        damaged: vec![subject.damage(0, file_bytes, subject.first, next)],
        torn: None,
    }
}

impl Subject<'_> {
    fn damage(&self, offset: u64, bytes: u64, first: Position, next: Position) -> Damage {
        Damage { segment: self.name.to_owned(), offset, bytes, first, next }
    }
}

impl Scan {
    fn accept(&mut self, subject: Subject<'_>, frame: &FrameHeader, after_damage: bool) {
        let due = self.marks.last().is_none_or(|(_, offset)| self.end - offset >= subject.mark_bytes);
        if due || after_damage {
            self.marks.push((frame.position, self.end));
        }
        if frame.place == 0 || after_damage {
            self.group = self.end;
        }
        self.entries += 1;
        self.next = frame.position.next();
        self.time = self.time.max(frame.at);
    }

    /// Nothing that reads is behind `self.end`; bytes up to `filled_to` are not zero.
    fn finish(&mut self, subject: Subject<'_>, filled_to: u64) {
        let bytes = filled_to.saturating_sub(self.end);
        match subject.following {
            Some(following) if following != self.next || bytes > 0 => {
                let first = self.next.min(following);
                self.damaged.push(subject.damage(self.end, bytes, first, following));
                self.next = following;
            }
            Some(_) => {}
            // A name is a promise: the first group was synced before the segment was named.
            None if self.entries == 0 && self.damaged.is_empty() => {
                let file_bytes = self.file_bytes;
                *self = Scan { time: self.time, ..unreadable(subject, file_bytes) };
            }
            None if bytes > 0 => {
                self.torn = Some(Torn { segment: subject.name.to_owned(), offset: self.end, bytes });
            }
            None => {}
        }
    }
}

/// What lies behind a bad frame.
struct Behind {
    /// The nearest whole frame: offset and position.
    resume: Option<(u64, Position)>,
    /// Whether a whole frame proves that the bad one was durable.
    evidence: bool,
    /// Behind the last byte that is not zero.
    filled_to: u64,
}

fn search(window: &mut Window<'_>, bad: u64, expected: Position, salt: u64, sealed: bool) -> io::Result<Behind> {
    let mut behind = Behind { resume: None, evidence: false, filled_to: bad };
    let mut offset = bad;
    // Bound: the end of the segment; every step goes forward.
    while offset < window.len {
        let zeros = window.zeros(offset)?;
        if zeros > 0 {
            offset += zeros;
            continue;
        }
        if offset > bad
            && let Some(frame) = window.frame(offset, salt)?
            && frame.position >= expected
        {
            behind.resume = behind.resume.or(Some((offset, frame.position)));
            behind.evidence = sealed || frame.group_first() > expected;
            if behind.evidence {
                return Ok(behind);
            }
            offset += frame.frame_bytes() as u64;
            behind.filled_to = offset;
            continue;
        }
        let word = window.at(offset, FRAME_ALIGN)?;
        let filled = word.iter().rposition(|it| *it != 0).map_or(0, |it| it as u64 + 1);
        behind.filled_to = offset + filled;
        offset += FRAME_ALIGN as u64;
    }
    Ok(behind)
}

/// A file seen through a buffer.
struct Window<'a> {
    file: &'a dyn DiskFile,
    len: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl<'a> Window<'a> {
    fn new(file: &'a dyn DiskFile) -> io::Result<Window<'a>> {
        Ok(Window { file, len: file.bytes()?, start: 0, buffer: Vec::new() })
    }

    /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
    fn at(&mut self, offset: u64, count: usize) -> io::Result<&[u8]> {
        let count = (count as u64).min(self.len.saturating_sub(offset)) as usize;
        let inside = offset >= self.start && offset + count as u64 <= self.start + self.buffer.len() as u64;
        if !inside {
            let wanted = (WINDOW_BYTES.max(count) as u64).min(self.len.saturating_sub(offset)) as usize;
            self.buffer.resize(wanted, 0);
            let got = self.file.read_at(&mut self.buffer, offset)?;
            self.start = offset;
            if got < wanted {
                // The file became shorter while it was read: what is gone reads as nothing.
                self.buffer.truncate(got);
                self.len = offset + got as u64;
            }
        }
        let from = (offset - self.start) as usize;
        Ok(&self.buffer[from.min(self.buffer.len())..(from + count).min(self.buffer.len())])
    }

    /// The whole frame at `offset`, payload checked.
    fn frame(&mut self, offset: u64, salt: u64) -> io::Result<Option<FrameHeader>> {
        let Some(header) = FrameHeader::decode(self.at(offset, FRAME_HEADER_BYTES)?, salt) else {
            return Ok(None);
        };
        let bytes = self.at(offset, header.frame_bytes())?;
        let payload = bytes.get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + header.len as usize);
        // Padding at the end of a file that was cut is not missed, but the next frame would be.
        let whole = bytes.len() == header.frame_bytes() && payload.is_some_and(|it| crc32c(it) == header.payload_crc);
        Ok(whole.then_some(header))
    }

    /// How many zeros follow at `offset`, in steps of a frame's alignment; not more than it can
    /// tell in one go.
    fn zeros(&mut self, offset: u64) -> io::Result<u64> {
        const PAGE: [u8; 4096] = [0; 4096];
        let page = self.at(offset, PAGE.len())?;
        if page == &PAGE[..page.len()] {
            return Ok(page.len() as u64);
        }
        let words = page.chunks(FRAME_ALIGN).take_while(|word| word.iter().all(|it| *it == 0)).count();
        Ok((words * FRAME_ALIGN) as u64)
    }
}
