//! `decode::table`.
#![no_main]

use uzel::decode::table::{self, Options};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(found) = table::read(bytes, Options::default()) {
        found.rows.iter().for_each(|row| assert_eq!(row.cells.len(), found.columns.len()));
        found.rows.iter().for_each(|row| drop(found.record(row)));
    }
});
