//! What the journal tells people, each text built in one place. The texts: `locales/*/journal.ftl`.

use std::io;
use std::path::Path;

use super::format::FORMAT_VERSION;
use super::scan::Damage;
use crate::base::{Message, Position};

pub(super) fn newer(segment: &str, version: u32) -> Message {
    Message::new("journal-newer").with("segment", segment).with("version", version).with("known", FORMAT_VERSION)
}

pub(super) fn open_failed(path: &Path, error: &io::Error) -> Message {
    Message::new("journal-open-failed").with("path", path.display()).with("cause", error)
}

pub(super) fn read_failed(file: &str) -> Message {
    Message::new("journal-read-failed").with("file", file)
}

pub(super) fn damaged(damage: &Damage) -> Message {
    Message::new("journal-damaged")
        .with("segment", &damage.segment)
        .with("offset", damage.offset)
        .with("first", damage.first)
        .with("next", damage.next)
}

pub(super) fn bad_frame(segment: &str, offset: u64, position: Position) -> Message {
    Message::new("journal-bad-frame").with("segment", segment).with("offset", offset).with("position", position)
}

pub(super) fn refuses(damage: &Damage) -> Message {
    Message::new("journal-refuses")
        .with("segment", &damage.segment)
        .with("offset", damage.offset)
        .with("first", damage.first)
        .with("next", damage.next)
}

pub(super) fn removed(asked: Position, first: Position) -> Message {
    Message::new("journal-removed").with("asked", asked).with("first", first)
}

pub(super) fn too_large(bytes: usize, bytes_max: usize) -> Message {
    Message::new("journal-too-large").with("bytes", bytes).with("max", bytes_max)
}

pub(super) fn low_space(folder: &Path, free: u64, wanted: u64) -> Message {
    Message::new("journal-low-space")
        .with("folder", folder.display())
        .with("free", free / (1024 * 1024))
        .with("wanted", wanted / (1024 * 1024))
}

pub(super) fn no_space(path: &Path) -> Message {
    Message::new("journal-no-space").with("path", path.display())
}

pub(super) fn write_failed(path: &Path, error: &io::Error) -> Message {
    Message::new("journal-write-failed").with("path", path.display()).with("cause", error)
}

pub(super) fn writer_stopped() -> Message {
    Message::new("journal-writer-stopped")
}

pub(super) fn closed() -> Message {
    Message::new("journal-closed")
}

pub(super) fn read_only() -> Message {
    Message::new("journal-read-only")
}

pub(super) fn body_name(name: &str) -> Message {
    Message::new("journal-body-name").with("name", name)
}

pub(super) fn body_length(name: &str, bytes: u64, expected: u64) -> Message {
    Message::new("journal-body-length").with("name", name).with("bytes", bytes).with("expected", expected)
}

pub(super) fn body_failed(path: &Path, error: &io::Error) -> Message {
    Message::new("journal-body-failed").with("path", path.display()).with("cause", error)
}
