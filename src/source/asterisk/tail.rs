//! The tail of the file of call records: whole lines that were written since the last look.
//!
//! At the first look the file is taken to be read up to its end: what it holds is history. Later the
//! place is remembered beside, with the beginning of the file by which it is known again: a file that
//! begins otherwise, or is shorter, was put in the place of the one before (`logrotate`), of which
//! the rest is read from `<name>.1`. Whatever stops us between journalling and remembering, rows are
//! read twice; a row that comes twice is one.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::base::checksum::Fingerprint;
use crate::base::limits::CDR_PORTION_BYTES_MAX;

/// How often the file is looked at, ms.
pub(super) const LOOK_MS: u64 = 1_000;
/// Bytes by which a file is known again.
const HEAD_BYTES: u64 = 128;

/// How far a file is read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    offset: u64,
    /// How many bytes of its beginning are looked at.
    head_bytes: u64,
    /// Fingerprint of them.
    head: String,
}

/// A file that is followed.
#[derive(Debug)]
pub struct Tail {
    file: PathBuf,
    memory: PathBuf,
    place: Option<Place>,
    /// Where it is read to when what was given is durable.
    next: Option<Place>,
    trouble: Option<io::ErrorKind>,
    looked: Option<tokio::time::Instant>,
}

impl Tail {
    /// Takes up what an earlier run remembered.
    pub fn open(file: &Path, memory: &Path) -> Tail {
        let text = fs::read_to_string(memory).unwrap_or_default();
        let place = serde_json::from_str(&text).ok();
        Tail { file: file.to_owned(), memory: memory.to_owned(), place, next: None, trouble: None, looked: None }
    }

    /// Whole lines that are new; `None`: there are none, or it is not yet time to look again.
    pub async fn look(&mut self) -> io::Result<Option<Vec<u8>>> {
        let now = tokio::time::Instant::now();
        let is_early = self.looked.is_some_and(|at| now.duration_since(at).as_millis() < u128::from(LOOK_MS));
        if is_early {
            return Ok(None);
        }
        self.looked = Some(now);
        let (file, memory, place) = (self.file.clone(), self.memory.clone(), self.place.clone());
        let found = spawn_blocking(move || look(&file, &memory, place)).await.map_err(io::Error::other)??;
        self.trouble = None;
        let (rows, place) = found;
        if rows.is_empty() {
            self.place = Some(place);
            return Ok(None);
        }
        // There may be more: the next look is at once.
        self.looked = None;
        self.next = Some(place);
        Ok(Some(rows))
    }

    /// What was given is durable.
    pub async fn took(&mut self) -> io::Result<()> {
        let Some(place) = self.next.take() else { return Ok(()) };
        self.place = Some(place.clone());
        let memory = self.memory.clone();
        spawn_blocking(move || remember(&memory, &place)).await.map_err(io::Error::other)?
    }

    /// Whether people have not been told of this yet.
    pub fn is_new_trouble(&mut self, error: &io::Error) -> bool {
        self.trouble.replace(error.kind()) != Some(error.kind())
    }
}

fn look(path: &Path, memory: &Path, place: Option<Place>) -> io::Result<(Vec<u8>, Place)> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let Some(place) = place else {
        let end = whole(&mut file, len)?;
        let place = place_at(&mut file, end)?;
        remember(memory, &place)?;
        return Ok((Vec::new(), place));
    };
    if len < place.offset || !is_same(&mut file, &place)? {
        // Another file stands there. The rest of the one before comes first.
        let mut name = path.as_os_str().to_owned();
        name.push(".1");
        if let Ok(mut before) = File::open(PathBuf::from(name))
            && is_same(&mut before, &place)?
        {
            let (rows, next) = lines(&mut before, &place)?;
            if !rows.is_empty() {
                return Ok((rows, next));
            }
        }
        let fresh = place_at(&mut file, 0)?;
        return lines(&mut file, &fresh);
    }
    lines(&mut file, &place)
}

/// Whole lines from a place on, at most so many bytes.
fn lines(file: &mut File, place: &Place) -> io::Result<(Vec<u8>, Place)> {
    file.seek(SeekFrom::Start(place.offset))?;
    let mut bytes = Vec::new();
    file.take(CDR_PORTION_BYTES_MAX).read_to_end(&mut bytes)?;
    let end = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
    // Bound: a line longer than all that is read at once is no row; it is passed over.
    let end = if end == 0 && bytes.len() as u64 == CDR_PORTION_BYTES_MAX { bytes.len() } else { end };
    bytes.truncate(end);
    let next = if place.head_bytes < HEAD_BYTES { place_at(file, place.offset)? } else { place.clone() };
    Ok((bytes, Place { offset: place.offset + end as u64, ..next }))
}

/// The end of the last whole line.
fn whole(file: &mut File, len: u64) -> io::Result<u64> {
    let from = len.saturating_sub(CDR_PORTION_BYTES_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(len - from).read_to_end(&mut bytes)?;
    Ok(memchr::memrchr(b'\n', &bytes).map_or(from, |at| from + at as u64 + 1))
}

fn place_at(file: &mut File, offset: u64) -> io::Result<Place> {
    let head_bytes = file.metadata()?.len().min(HEAD_BYTES);
    Ok(Place { offset, head_bytes, head: head(file, head_bytes)? })
}

fn is_same(file: &mut File, place: &Place) -> io::Result<bool> {
    Ok(file.metadata()?.len() >= place.offset && head(file, place.head_bytes)? == place.head)
}

fn head(file: &mut File, bytes: u64) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    file.take(bytes).read_to_end(&mut head)?;
    Ok(Fingerprint::of(&head).to_string())
}

fn remember(memory: &Path, place: &Place) -> io::Result<()> {
    if let Some(folder) = memory.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = memory.with_extension("fresh");
    let mut file = File::create(&fresh)?;
    serde_json::to_writer(&mut file, place)?;
    file.flush()?;
    file.sync_data()?;
    fs::rename(&fresh, memory)
}
