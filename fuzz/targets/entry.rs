//! `Entry::decode`: the first byte is the kind; what reads is written back and reads alike.
#![no_main]

use uzel::entry::{Entry, Kind};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((kind, payload)) = bytes.split_first() else { return };
    let Some(kind) = Kind::from_byte(*kind) else { return };
    match Entry::decode(kind, payload) {
        Err(error) => uzel_fuzz::check_message(&error.message),
        Ok(entry) => assert_eq!(Entry::decode(kind, &entry.encode()).as_ref(), Ok(&entry)),
    }
});
