//! `decode::commerceml::open` on whatever looks like a zip.
#![no_main]

use std::io::Cursor;

use uzel::decode::commerceml::{Content, open};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    for item in open("f.zip", Cursor::new(bytes)) {
        if let Content::Broken(broken) = item.content {
            uzel_fuzz::check_message(&broken.message);
        }
    }
});
