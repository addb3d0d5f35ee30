//! Bodies too large for an entry: one file each in `bodies/`, durable before the entry that names it.
//!
//! A name is `<fingerprint>-<length>-<serial>`: fingerprint (32 hex digits) and length (decimal) of
//! the content, and a serial number (hex) that makes the name unique, so that the same bytes
//! received twice are two files and each belongs to one entry: what retention or erasure does to one
//! does not touch the other. The serial starts at the clock's milliseconds when the journal is
//! opened; a name that is taken is passed over.
//!
//! A body is written as `<name>.part`, synced, renamed, and the folder is synced. A `.part` found at
//! opening was never named by an entry and is removed. A whole body that no entry names (the power
//! went before its entry was written) stays, and `verify` lists it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::disk::{Access, Disk, FileReader, is_no_space};
use super::recovery::OpenError;
use super::{AppendError, BodyReader, ReadError, message};
use crate::base::Timestamp;
use crate::base::checksum::Fingerprint;
use crate::entry::Body;

/// Name of the folder beside the segments.
pub(super) const FOLDER: &str = "bodies";
const PART: &str = ".part";

pub(super) struct Bodies {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    serial: AtomicU64,
}

impl Bodies {
    pub(super) fn new(disk: Arc<dyn Disk>, journal: &Path, now: Timestamp) -> Bodies {
        Bodies { disk, folder: journal.join(FOLDER), serial: AtomicU64::new(now.0.unsigned_abs()) }
    }

    /// Makes the folder and removes unfinished bodies; returns how many there were.
    pub(super) fn prepare(&self) -> Result<usize, OpenError> {
        let removed = || -> io::Result<usize> {
            self.disk.create_folder(&self.folder)?;
            let mut names = self.disk.list(&self.folder)?;
            names.retain(|name| name.ends_with(PART));
            names.iter().try_for_each(|name| self.disk.remove(&self.folder.join(name)))?;
            // Kill between rename and sync of the folder: the entry may be there, so must the name be.
            self.disk.sync_folder(&self.folder)?;
            Ok(names.len())
        };
        removed().map_err(|error| OpenError::io(&self.folder, error))
    }

    pub(super) fn put(&self, bytes: &[u8]) -> Result<Body, AppendError> {
        let path = self.path_for(Fingerprint::of(bytes), bytes.len() as u64);
        let part = path.with_extension(&PART[1..]);
        let kept = || -> io::Result<()> {
            let file = self.disk.create(&part)?;
            file.write_at(bytes, 0)?;
            file.sync()?;
            self.disk.rename(&part, &path)?;
            self.disk.sync_folder(&self.folder)
        };
        kept().map_err(|error| {
            // Best effort: what stays is removed at the next opening.
            let _ = self.disk.remove(&part);
            refused(&path, &error)
        })?;
        Ok(body_of(&path, Fingerprint::of(bytes), bytes.len() as u64))
    }

    pub(super) fn adopt(&self, source: &Path) -> Result<Body, AppendError> {
        let measured = || -> io::Result<(Fingerprint, u64)> {
            let file = self.disk.open(source, Access::Write)?;
            // The spooler has synced it; a sync of clean pages costs nothing, and a forgotten one all.
            file.sync()?;
            Fingerprint::of_reader(&mut FileReader::new(file))
        };
        let (fingerprint, len) = measured().map_err(|error| refused(source, &error))?;
        let path = self.path_for(fingerprint, len);
        let renamed = self.disk.rename(source, &path).and_then(|()| self.disk.sync_folder(&self.folder));
        renamed.map_err(|error| refused(&path, &error))?;
        Ok(body_of(&path, fingerprint, len))
    }

    pub(super) fn open(&self, name: &str, len: u64) -> Result<Box<dyn BodyReader>, ReadError> {
        if parse(name).is_none() {
            return Err(ReadError::Damaged(message::body_name(name)));
        }
        let failed = |source| ReadError::Io { message: message::read_failed(name), source };
        let file = self.disk.open(&self.folder.join(name), Access::Read).map_err(failed)?;
        let bytes = file.bytes().map_err(failed)?;
        if bytes != len {
            return Err(ReadError::Damaged(message::body_length(name, bytes, len)));
        }
        Ok(Box::new(FileReader::new(file)))
    }

    fn path_for(&self, fingerprint: Fingerprint, len: u64) -> PathBuf {
        loop {
            let serial = self.serial.fetch_add(1, Ordering::Relaxed);
            let path = self.folder.join(format!("{fingerprint}-{len}-{serial:x}"));
            // Bound: each turn takes another number. Only a clock that went back meets one.
            if self.disk.open(&path, Access::Read).is_err() {
                return path;
            }
        }
    }
}

fn body_of(path: &Path, fingerprint: Fingerprint, len: u64) -> Body {
    let name = path.file_name().and_then(|it| it.to_str()).expect("path_for gives an ASCII name");
    Body::File { name: name.into(), len, fingerprint }
}

fn refused(path: &Path, error: &io::Error) -> AppendError {
    if is_no_space(error) {
        AppendError::NoSpace(message::no_space(path))
    } else {
        AppendError::Failed(message::body_failed(path, error))
    }
}

/// Length and serial in a name; `None` for what is no name of a body (a path, for example).
pub(super) fn parse(name: &str) -> Option<(u64, u64)> {
    let mut parts = name.split('-');
    let fingerprint = parts.next()?;
    let len = parts.next()?.parse().ok()?;
    let serial = u64::from_str_radix(parts.next()?, 16).ok()?;
    let well_formed = fingerprint.len() == 32 && fingerprint.bytes().all(|it| it.is_ascii_hexdigit());
    (well_formed && parts.next().is_none()).then_some((len, serial))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::simulated::{Fault, SimulatedDisk, Syncs};

    fn bodies() -> (SimulatedDisk, Bodies) {
        let disk = SimulatedDisk::new(Syncs::Honest);
        let bodies = Bodies::new(Arc::new(disk.clone()), Path::new("j"), Timestamp(16));
        (disk, bodies)
    }

    fn name_of(body: &Body) -> &str {
        match body {
            Body::File { name, .. } => name,
            Body::Inline(_) => "inline",
        }
    }

    #[test]
    fn same_bytes_twice_are_two_files() {
        let (_, bodies) = bodies();
        let (one, two) = (bodies.put(b"abc").expect("kept"), bodies.put(b"abc").expect("kept"));
        assert_eq!(name_of(&one), "6437b3ac38465133ffb63b75273a8db5-3-10");
        assert_eq!(name_of(&two), "6437b3ac38465133ffb63b75273a8db5-3-11");
    }

    #[test]
    fn taken_name_is_passed_over_when_the_clock_went_back() {
        let (disk, bodies) = bodies();
        bodies.put(b"abc").expect("kept");
        let again = Bodies::new(Arc::new(disk), Path::new("j"), Timestamp(16));
        assert!(name_of(&again.put(b"abc").expect("kept")).ends_with("-11"));
    }

    #[test]
    fn full_disk_leaves_no_part_behind() {
        for after in 0..4 {
            let (disk, bodies) = bodies();
            disk.inject(after, Fault::NoSpace);
            assert!(matches!(bodies.put(b"abc"), Err(AppendError::NoSpace(_))), "operation {after}");
            assert_eq!(disk.list(Path::new("j/bodies")).expect("powered"), Vec::<String>::new(), "operation {after}");
        }
    }

    #[test]
    fn kept_body_survives_any_crash() {
        type Keep = fn(&SimulatedDisk, &Bodies) -> Result<Body, AppendError>;
        let ways: [Keep; 2] = [
            |_, bodies| bodies.put(&[5; 3000]),
            |disk, bodies| {
                let spooled = Path::new("spool/a");
                disk.create(spooled).and_then(|file| file.write_at(&[5; 3000], 0)).expect("nothing is injected");
                bodies.adopt(spooled)
            },
        ];
        for (way, seed) in (0..2).flat_map(|way| (0..50).map(move |seed| (way, seed))) {
            let (disk, bodies) = bodies();
            let body = ways[way](&disk, &bodies).expect("kept");
            disk.crash(seed);
            let mut bytes = Vec::new();
            let mut reader = bodies.open(name_of(&body), 3000).expect("it is there");
            reader.read_to_end(&mut bytes).expect("it reads");
            assert!(bytes == [5; 3000], "way {way}, seed {seed}");
        }
    }

    #[test]
    fn names_that_are_paths_are_refused() {
        let (_, bodies) = bodies();
        for name in ["../secret", "", "a-b-c", "6437b3ac38465133ffb63b75273a8db5-3-11/x"] {
            assert!(matches!(bodies.open(name, 3), Err(ReadError::Damaged(_))), "{name}");
        }
    }
}
