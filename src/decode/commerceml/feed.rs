//! The part of a stream that is being looked at, as UTF-8, with the number of its first line.

use std::io::{self, Read};

use crate::decode::text::Utf8Reader;

pub(super) struct Feed<R> {
    reader: Utf8Reader<R>,
    buffer: Vec<u8>,
    start: usize,
    line: u64,
    over: bool,
}

impl<R: Read> Feed<R> {
    pub(super) fn new(reader: R, probe: &'static str) -> Feed<R> {
        Feed { reader: Utf8Reader::new(reader, probe), buffer: Vec::new(), start: 0, line: 1, over: false }
    }

    /// What was read and not yet consumed.
    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Line on which [`Feed::rest`] begins.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Reads on; `false` at the end of the stream. Offsets into [`Feed::rest`] stay what they are.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        if self.over {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.over = !self.reader.append_to(&mut self.buffer)?;
        Ok(!self.over)
    }

    pub(super) fn consume(&mut self, count: usize) {
        let consumed = &self.buffer[self.start..self.start + count];
        self.line += memchr::memchr_iter(b'\n', consumed).count() as u64;
        self.start += count;
    }

    pub(super) fn take_malformed(&mut self) -> bool {
        self.reader.take_malformed()
    }

    pub(super) fn into_reader(self) -> R {
        self.reader.into_inner()
    }
}
