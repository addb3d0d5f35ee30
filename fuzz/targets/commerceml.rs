//! `decode::commerceml`: the same items whether the file comes whole or byte by byte.
#![no_main]

use std::io::{Cursor, Read};

use uzel::base::limits::VALUE_DEPTH_MAX;
use uzel::decode::commerceml::{Content, Item, records};

/// Gives so many bytes at a time.
struct Dribble<'b>(&'b [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let whole: Vec<Item> = records("f.xml".into(), Cursor::new(bytes)).collect();
    for item in &whole {
        match &item.content {
            Content::Record(record) => uzel_fuzz::check_depth(&record.value, VALUE_DEPTH_MAX),
            Content::Broken(broken) => uzel_fuzz::check_message(&broken.message),
        }
    }
    let pieces: Vec<Item> = records("f.xml".into(), Dribble(bytes, 5)).collect();
    assert_eq!(whole, pieces);
});
