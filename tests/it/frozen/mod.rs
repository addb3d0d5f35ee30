//! What was once written is read for ever: examples of every persisted form, kept as bytes.
//!
//! A file `tests/frozen/<folder>/<name>.v<version>.hex` holds one example a line: key and value (an
//! entry has no key) in hexadecimal. Files are written once, when missing and `UZEL_FREEZE=1`, and
//! are never edited. When a form changes, the old file stays with the value it must decode to, and
//! a new version gets a new file.

mod entry;
mod tables;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One example: key and value as bytes.
type Line = (Vec<u8>, Vec<u8>);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frozen").join(name)
}

fn file_name(name: &str, version: u8) -> String {
    format!("{name}.v{version}.hex")
}

/// The examples in the file; makes the file of the newest version when asked to.
fn read_or_freeze(folder_name: &str, name: &str, version: u8, fresh: Option<&[Line]>) -> Vec<Line> {
    let path = folder(folder_name).join(file_name(name, version));
    if !path.exists() {
        let asked = std::env::var_os("UZEL_FREEZE").is_some_and(|value| value == "1");
        let Some(fresh) = fresh.filter(|_| asked) else {
            panic!("{} is missing; run the tests once with UZEL_FREEZE=1 and commit the file", path.display());
        };
        let head = format!("# {name}, version {version}: key and value in hexadecimal. Read for ever, never edited.\n");
        let lines = fresh.iter().map(|(key, value)| format!("{} {}\n", hex(key), hex(value)));
        std::fs::write(&path, head + &lines.collect::<String>()).expect("writes");
    }
    let text = std::fs::read_to_string(&path).expect("reads");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once(' ').map(|(key, value)| (unhex(key), unhex(value))).expect("two columns"))
        .collect()
}

/// The newest form must be what the file holds, byte by byte.
fn check_unchanged(what: &str, version: u8, frozen: &[Line], fresh: &[Line]) {
    for (number, (frozen, fresh)) in frozen.iter().zip(fresh).enumerate() {
        assert!(
            frozen == fresh,
            "the bytes of {what} changed without a new version (example {number} of version {version}):\n  \
             frozen {} {}\n  now    {} {}\n\
             Keep a copy of the old types, raise the version, turn the old form into the new one where it is \
             decoded, and freeze the new version with UZEL_FREEZE=1.",
            hex(&frozen.0),
            hex(&frozen.1),
            hex(&fresh.0),
            hex(&fresh.1),
        );
    }
    assert_eq!(frozen.len(), fresh.len(), "{what}: examples of version {version} were added or taken away");
}

/// Each file of the folder is one that some test reads.
fn check_no_strangers(folder_name: &str, known: &BTreeSet<String>) {
    let files = std::fs::read_dir(folder(folder_name)).expect("lists");
    let found: BTreeSet<String> =
        files.map(|file| file.expect("lists").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(&found, known, "frozen files and the list of forms disagree");
}

fn hex(bytes: &[u8]) -> String {
    // A key without bytes still is a column.
    if bytes.is_empty() { "-".to_owned() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim().trim_matches('-').as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal");
    digits.chunks(2).map(byte).collect()
}
