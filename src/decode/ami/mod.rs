//! The manager interface of Asterisk (AMI): a stream of bytes -> packets of `Name: value` lines.
//!
//! ```text
//! Asterisk Call Manager/5.0.4 CR LF          one line, once, right after the connection opens
//! Event: Hangup CR LF                        a packet: lines, closed by an empty one
//! Channel: PJSIP/101-0000004e CR LF          bare LF ends a line as well
//! CR LF
//! ```
//!
//! [`Splitter`] takes bytes as they come from the link, cut anywhere; [`packets`] takes the body of
//! an envelope. A [`Packet`] borrows; names are compared without regard to case, and may repeat.
//! Values are bytes: caller names of carriers are not always UTF-8. They become text late, with
//! U+FFFD for what does not read; the journal keeps the bytes.
//!
//! Guaranteed: no input panics or takes more memory than the bounds. Of a line longer than
//! `AMI_LINE_BYTES_MAX` the head is kept, of a packet longer than `AMI_PACKET_BYTES_MAX` the lines
//! that fit; both are marked [`Packet::is_cut`].

use std::borrow::Cow;

use crate::base::limits::{AMI_LINE_BYTES_MAX, AMI_PACKET_BYTES_MAX};

pub mod keep;

/// Content type of an envelope of packets.
pub const CONTENT_TYPE: &str = "application/x-asterisk-ami";
/// Header note of an envelope: what became of the link.
pub const NOTE_LINK: &str = "link";
/// The link was lost, or packets were: what comes next does not follow what came.
pub const LOST: &str = "lost";

/// What the first line of a connection begins with.
const BANNER: &[u8] = b"Asterisk Call Manager/";

/// A line of a packet: where its name and its value stand.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: u32,
    /// Length of the name; `u32::MAX`: the line has no colon.
    name: u32,
    value: u32,
    end: u32,
}

/// One packet.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'b> {
    bytes: &'b [u8],
    lines: &'b [Line],
    cut: bool,
}

impl<'b> Packet<'b> {
    /// Its bytes as they came, with the closing empty line.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Whether a line or the packet was too long and lost its tail.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// The version of the protocol, when this is the line that opens a connection.
    pub fn banner(&self) -> Option<&'b [u8]> {
        let line = self.lines.first()?;
        self.bytes[line.start as usize..line.end as usize].strip_prefix(BANNER)
    }

    /// Names and values, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'b> {
        let bytes = self.bytes;
        let named = self.lines.iter().filter(|line| line.name != u32::MAX);
        named.map(move |line| {
            let name = &bytes[line.start as usize..(line.start + line.name) as usize];
            (name, &bytes[line.value as usize..line.end as usize])
        })
    }

    /// The value of the first line of this name, as bytes.
    pub fn raw(&self, name: &str) -> Option<&'b [u8]> {
        let name = name.as_bytes();
        let bytes = self.bytes;
        let is_it = |line: &&Line| {
            line.name as usize == name.len() && bytes[line.start as usize..][..name.len()].eq_ignore_ascii_case(name)
        };
        self.lines.iter().find(is_it).map(|line| &bytes[line.value as usize..line.end as usize])
    }

    /// The value of the first line of this name; empty and `<unknown>` are nothing.
    pub fn text(&self, name: &str) -> Option<Cow<'b, str>> {
        let raw = self.raw(name).filter(|it| !it.is_empty() && *it != b"<unknown>")?;
        Some(String::from_utf8_lossy(raw))
    }

    /// Which event it is; replies have none.
    pub fn event(&self) -> Option<&'b [u8]> {
        // The first line of an event is its name: nothing else needs to be looked at.
        let line = self.lines.first().filter(|line| line.name == 5)?;
        let name = &self.bytes[line.start as usize..][..5];
        name.eq_ignore_ascii_case(b"Event").then(|| &self.bytes[line.value as usize..line.end as usize])
    }
}

/// Cuts a stream into packets.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
    /// Where the packet begins that is not yet whole.
    start: usize,
    /// What of it was looked at: the beginning of its first line that is not yet whole.
    scanned: usize,
    lines: Vec<Line>,
    cut: bool,
    /// The bytes that the caller was given last are dropped before more are taken.
    given: bool,
    /// Where a line begins that is too long: its rest is being passed over.
    passing: Option<usize>,
}

impl Splitter {
    /// At the beginning of a stream.
    pub fn new() -> Splitter {
        Splitter::default()
    }

    /// Takes bytes as they came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.settle();
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.passing = self.passing.map(|head| head - self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Forgets what is not whole: the link was cut.
    pub fn reset(&mut self) {
        *self = Splitter::default();
    }

    /// How many bytes wait for the rest of their packet.
    pub fn pending(&self) -> usize {
        if self.given { 0 } else { self.buffer.len() - self.start }
    }

    /// The next whole packet.
    pub fn next_packet(&mut self) -> Option<Packet<'_>> {
        self.settle();
        loop {
            let Some(length) = memchr::memchr(b'\n', &self.buffer[self.scanned..]) else {
                self.shorten();
                return None;
            };
            let (from, next) = (self.scanned, self.scanned + length + 1);
            self.scanned = next;
            if let Some(head) = self.passing.take() {
                // The end of a line whose head is kept.
                self.buffer.splice(from..next, *b"\r\n");
                self.scanned = from + 2;
                self.line(head, from);
                continue;
            }
            let end = match self.buffer[from..next - 1].last() {
                Some(b'\r') => next - 2,
                Some(_) | None => next - 1,
            };
            if end > from {
                self.line(from, end);
                let banner = self.lines.len() == 1 && self.buffer[from..end].starts_with(BANNER);
                if !banner {
                    continue;
                }
            } else if self.lines.is_empty() {
                // Empty lines between packets.
                self.start = self.scanned;
                continue;
            }
            self.given = true;
            let packet = Packet { bytes: &self.buffer[self.start..self.scanned], lines: &self.lines, cut: self.cut };
            return Some(packet);
        }
    }

    /// The packet that the caller was given is his no more.
    fn settle(&mut self) {
        if std::mem::take(&mut self.given) {
            self.start = self.scanned;
            self.lines.clear();
            self.cut = false;
        }
    }

    fn line(&mut self, from: usize, end: usize) {
        let mut end = end;
        if end - from > AMI_LINE_BYTES_MAX {
            self.cut = true;
            end = from + AMI_LINE_BYTES_MAX;
        }
        if end - self.start > AMI_PACKET_BYTES_MAX {
            // Bound: lines that do not fit are not part of the packet.
            self.cut = true;
            return;
        }
        let text = &self.buffer[from..end];
        let (name, value) = match memchr::memchr(b':', text) {
            Some(colon) => (colon as u32, from + colon + 1 + usize::from(text.get(colon + 1) == Some(&b' '))),
            None => (u32::MAX, from),
        };
        let offset = |at: usize| (at - self.start) as u32;
        let line = Line { start: offset(from), name, value: offset(value), end: offset(end) };
        self.lines.push(line);
    }

    /// Bound: a line without an end takes no more memory than its head.
    fn shorten(&mut self) {
        let open = self.buffer.len() - self.scanned;
        if self.passing.is_some() {
            self.buffer.truncate(self.scanned);
        } else if open > AMI_LINE_BYTES_MAX {
            self.passing = Some(self.scanned);
            self.scanned += AMI_LINE_BYTES_MAX;
            self.buffer.truncate(self.scanned);
            self.cut = true;
        } else if self.scanned - self.start > 2 * AMI_PACKET_BYTES_MAX {
            // A packet without an end: what does not fit any more is passed over line by line.
            let kept = self.start + self.lines.last().map_or(0, |line| line.end as usize);
            self.buffer.drain(kept..self.scanned);
            self.buffer.splice(kept..kept, *b"\r\n");
            self.scanned = kept + 2;
        }
    }
}

/// The packets of a body. What is behind the last whole packet is left out.
pub fn packets(body: &[u8], mut each: impl FnMut(Packet<'_>)) {
    let mut splitter = Splitter::new();
    splitter.push(body);
    while let Some(packet) = splitter.next_packet() {
        each(packet);
    }
}
