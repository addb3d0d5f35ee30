//! A watched folder: tables of systems that have no other way out.
//!
//! People, 1C and old programs put files there, by hand, by a share, by a schedule. [`FolderSource`]
//! looks at it from time to time ([`FolderSource::look`]); each look says of every file what it
//! waits for, in words for the administrator. Promises:
//!
//! - a file is taken when it is whole: its length and time are the same in two looks, nobody's lock
//!   file stands beside it, a workbook has its end, a text has the end of its last line (or did not
//!   change for longer), and it did not change while it was read;
//! - it is in the journal, durable, before it is moved or remembered; whatever stops us in between,
//!   it is taken again under the same idempotency key and counts once;
//! - the same content under the same name again is the same envelope; content that returns after
//!   another one is a new envelope, because it says that the other no longer holds;
//! - a file that cannot be read, opened or moved is named, waits, and does not hold up others.
//!
//! Not here: what the bytes mean (`decode::table`, in the pipeline). So a file of nonsense is taken
//! too, and waits in quarantine, by name.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tokio::task::spawn_blocking;

use crate::base::checksum::Fingerprint;
use crate::base::limits::{FOLDER_FILE_BYTES_MAX, FOLDER_FILES_MAX, FOLDER_HALF_MS};
use crate::base::{Message, Position, Slug, Timestamp};
use crate::decode::table;
use crate::entry::{Entry, Received};
use crate::journal::{AppendError, Journal, NewEntry};

mod memory;
mod pattern;

use memory::{Known, Memory};
pub use pattern::Pattern;

/// Header note of an envelope: name of the file.
pub const NOTE_FILE: &str = "file";
/// Header note of an envelope: when the file was changed last, never later than its receipt.
pub const NOTE_MODIFIED: &str = "modified";

/// Where read files go, beside them.
const DONE: &str = "done";
/// Looks without a change after which a text without the end of its last line counts as whole.
const LOOKS_WITHOUT_END: u32 = 6;

/// What is done with a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It goes to the folder `done` beside it.
    Move,
    /// It stays, and is remembered.
    Leave,
}

/// What an administrator sets for one connection.
#[derive(Debug, Clone)]
pub struct FolderSettings {
    /// The connection.
    pub connection: Slug,
    /// Its connector.
    pub connector: Slug,
    /// Kind of its records.
    pub stream: Slug,
    /// The folder.
    pub path: PathBuf,
    /// Which files.
    pub pattern: Pattern,
    /// What is done with a file that was read.
    pub after: After,
    /// Where is remembered what was read.
    pub memory: PathBuf,
}

/// What became of a file in the latest look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// It waits, for this.
    Waits(Message),
    /// It was read: where it is in the journal.
    Read(Position),
}

/// What the latest look found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Look {
    /// Why the folder as a whole could not be looked at.
    pub problem: Option<Message>,
    /// Files, by name.
    pub files: BTreeMap<String, FileState>,
    /// How many were journalled in this look.
    pub journalled: usize,
}

/// A file as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    len: u64,
    modified: Timestamp,
    /// Looks in a row that found it so.
    looks: u32,
}

/// A file that is whole and not yet in the journal.
struct Ready {
    name: String,
    path: PathBuf,
    seen: Seen,
    content: Fingerprint,
    bytes: Vec<u8>,
}

/// One watched folder.
#[derive(Debug)]
pub struct FolderSource {
    settings: Arc<FolderSettings>,
    seen: BTreeMap<String, Seen>,
    memory: Memory,
}

impl FolderSource {
    /// Takes up what an earlier run remembered.
    pub fn open(settings: FolderSettings) -> FolderSource {
        let memory = Memory::open(&settings.memory);
        FolderSource { settings: Arc::new(settings), seen: BTreeMap::new(), memory }
    }

    /// The connection.
    pub fn connection(&self) -> &Slug {
        &self.settings.connection
    }

    /// The folder, as the administrator named it.
    pub fn path(&self) -> &Path {
        &self.settings.path
    }

    /// Looks once; takes what is whole. Files go in the order of their times, so that a later
    /// export is believed over an earlier one.
    pub async fn look(&mut self, journal: &Arc<dyn Journal>, now: Timestamp) -> Look {
        let mut look = Look::default();
        if let Err(error) = journal.accepts_intake() {
            look.problem = Some(refusal(&error));
            return look;
        }
        let settings = Arc::clone(&self.settings);
        let listed = blocking(move || list(&settings)).await;
        let files = match listed {
            Ok(files) => files,
            Err(error) => {
                look.problem = Some(path_message(&self.settings.path, &error));
                return look;
            }
        };
        let mut seen = BTreeMap::new();
        for file in files {
            let before = self.seen.get(&file.name).copied();
            let now_seen = Seen {
                len: file.len,
                modified: file.modified,
                looks: match before {
                    Some(before) if (before.len, before.modified) == (file.len, file.modified) => {
                        before.looks.saturating_add(1)
                    }
                    Some(_) | None => 1,
                },
            };
            seen.insert(file.name.clone(), now_seen);
            let known = self.memory.get(&file.name).filter(|it| it.left && it.is_as(file.len, file.modified)).cloned();
            if let Some(known) = known {
                let state = match self.settings.after {
                    After::Leave => FileState::Read(known.position),
                    // It could not be moved the last time.
                    After::Move => self.put_away(&file.path, &file.name, known, now).await,
                };
                look.files.insert(file.name, state);
                continue;
            }
            let state = self.take(file, now_seen, journal, now).await;
            look.journalled += usize::from(state.1);
            look.files.insert(state.0, state.2);
        }
        self.seen = seen;
        look
    }

    /// Takes one file, if it is whole: its name, whether it was journalled now, its state.
    async fn take(
        &mut self,
        file: Listed,
        seen: Seen,
        journal: &Arc<dyn Journal>,
        now: Timestamp,
    ) -> (String, bool, FileState) {
        let name = file.name.clone();
        if let Some(waits) = self.waits(&file, seen) {
            return (name, false, FileState::Waits(waits));
        }
        let read = blocking(move || read(file, seen, now)).await;
        let ready = match read {
            Ok(ready) => ready,
            Err(message) => return (name, false, FileState::Waits(message)),
        };
        match self.journal(ready, journal, now).await {
            Ok((position, is_new)) => (name, is_new, FileState::Read(position)),
            Err(message) => (name, false, FileState::Waits(message)),
        }
    }

    /// Why the file is not even opened.
    fn waits(&self, file: &Listed, seen: Seen) -> Option<Message> {
        let message = |id: &str| Message::new(id).with("file", &file.name);
        if let Some(lock) = &file.lock {
            return Some(message("folder-locked").with("lock", lock));
        }
        // Bound: FOLDER_FILE_BYTES_MAX; the file stays where it is and is named.
        if file.len > FOLDER_FILE_BYTES_MAX {
            return Some(message("folder-too-large").with("mib", FOLDER_FILE_BYTES_MAX / 1024 / 1024));
        }
        (seen.looks < 2).then(|| message("folder-growing"))
    }

    /// Puts the file into the journal, remembers it, and moves it away.
    async fn journal(
        &mut self,
        ready: Ready,
        journal: &Arc<dyn Journal>,
        now: Timestamp,
    ) -> Result<(Position, bool), Message> {
        let known = self.memory.get(&ready.name).cloned();
        let same = known.as_ref().filter(|it| it.content == ready.content.to_string());
        // A file that stays and was only touched says nothing new.
        if let (Some(same), After::Leave) = (same, self.settings.after) {
            let position = same.position;
            let known = Known { len: ready.seen.len, modified: ready.seen.modified, left: true, ..same.clone() };
            self.remember(&ready.name, known).await?;
            return Ok((position, false));
        }
        let key = match &known {
            Some(known) if same.is_some() => known.key.clone(),
            Some(known) => key(&ready.content, &known.key),
            None => key(&ready.content, ""),
        };
        let position = self.append(&ready, &key, journal, now).await?;
        let known = Known {
            len: ready.seen.len,
            modified: ready.seen.modified,
            content: ready.content.to_string(),
            key,
            position,
            left: self.settings.after == After::Leave,
        };
        self.remember(&ready.name, known.clone()).await?;
        if self.settings.after == After::Move {
            let state = self.put_away(&ready.path, &ready.name, known, now).await;
            if let FileState::Waits(message) = state {
                return Err(message);
            }
        }
        Ok((position, true))
    }

    /// Moves a file that is in the journal. One that cannot be moved is remembered, so that it is
    /// not read again at every look.
    async fn put_away(&mut self, path: &Path, name: &str, known: Known, now: Timestamp) -> FileState {
        let (from, named) = (path.to_owned(), name.to_owned());
        let position = known.position;
        let moved = blocking(move || move_away(&from, &named, now)).await;
        let left = moved.is_err();
        let remembered = match known.left == left {
            true => Ok(()),
            false => self.remember(name, Known { left, ..known }).await,
        };
        match (moved, remembered) {
            (Ok(()), Ok(())) => FileState::Read(position),
            (Err(error), _) => {
                FileState::Waits(Message::new("folder-not-moved").with("file", name).with("detail", error))
            }
            (Ok(()), Err(message)) => FileState::Waits(message),
        }
    }

    async fn append(
        &self,
        ready: &Ready,
        key: &str,
        journal: &Arc<dyn Journal>,
        now: Timestamp,
    ) -> Result<Position, Message> {
        let kept = Arc::clone(journal);
        let bytes = ready.bytes.clone();
        let body = blocking(move || kept.put_body(bytes)).await.map_err(|error| refusal(&error))?;
        let is_book = table::is_workbook(&ready.bytes);
        let entry = Entry::Received(Received {
            connection: self.settings.connection.clone(),
            connector: self.settings.connector.clone(),
            stream: self.settings.stream.clone(),
            received_at: now,
            idempotency_key: Fingerprint::of_parts([&b"folder"[..], key.as_bytes()]),
            content_type: if is_book { XLSX } else { "text/csv" }.into(),
            headers: vec![
                (NOTE_FILE.into(), ready.name.clone()),
                (NOTE_MODIFIED.into(), ready.seen.modified.min(now).to_string()),
            ],
            body,
        });
        let entry = NewEntry { kind: entry.kind(), at: now, payload: entry.encode() };
        journal.append(entry).await.map_err(|error| refusal(&error))
    }

    async fn remember(&mut self, name: &str, known: Known) -> Result<(), Message> {
        self.memory.put(name, known);
        let memory = self.memory.clone();
        blocking(move || memory.write()).await.map_err(|error| path_message(&self.settings.memory, &error))
    }
}

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Names the content among what stood under that name before: content that returns is new.
fn key(content: &Fingerprint, before: &str) -> String {
    Fingerprint::of_parts([content.0.as_slice(), before.as_bytes()]).to_string()
}

/// A file of the listing.
#[derive(Debug)]
struct Listed {
    name: String,
    path: PathBuf,
    len: u64,
    modified: Timestamp,
    /// The lock file beside it.
    lock: Option<String>,
}

/// Files that may be tables, oldest first.
fn list(settings: &FolderSettings) -> io::Result<Vec<Listed>> {
    let mut names: Vec<String> = Vec::new();
    let mut files = Vec::new();
    for entry in fs::read_dir(&settings.path)?.take(FOLDER_FILES_MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A file that vanishes while it is looked at is looked at no more.
        let Ok(about) = fs::metadata(entry.path()) else { continue };
        names.push(name.clone());
        if !about.is_file() || is_unfinished(&name) || !is_table(&name) || !settings.pattern.fits(&name) {
            continue;
        }
        let modified = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|it| i64::try_from(it.as_millis()).ok()).unwrap_or(0);
        files.push(Listed { name, path: entry.path(), len: about.len(), modified: Timestamp(modified), lock: None });
    }
    for file in &mut files {
        let locks = [format!("~${}", file.name), format!(".~lock.{}#", file.name), format!("~${}", tail(&file.name))];
        file.lock = locks.into_iter().find(|lock| names.contains(lock));
    }
    files.sort_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
    Ok(files)
}

/// Excel drops the first two characters of long names in the name of its lock.
fn tail(name: &str) -> String {
    name.chars().skip(2).collect()
}

/// Names under which files are written before they are whole, and locks.
fn is_unfinished(name: &str) -> bool {
    const ENDS: [&str; 7] = [".part", ".partial", ".crdownload", ".download", ".filepart", ".tmp", "~"];
    let lower = name.to_lowercase();
    lower.starts_with('.') || lower.starts_with("~$") || ENDS.iter().any(|end| lower.ends_with(end))
}

fn is_table(name: &str) -> bool {
    const ENDS: [&str; 6] = [".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls"];
    let lower = name.to_lowercase();
    ENDS.iter().any(|end| lower.ends_with(end))
}

/// Reads a file, if it is whole.
fn read(file: Listed, seen: Seen, now: Timestamp) -> Result<Ready, Message> {
    let message = |id: &str| Message::new(id).with("file", &file.name);
    let unreadable = |error: io::Error| message("folder-unreadable").with("detail", error);
    let mut bytes = Vec::new();
    let open = File::open(&file.path).map_err(unreadable)?;
    open.take(FOLDER_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let about = fs::metadata(&file.path).map_err(unreadable)?;
    if bytes.len() as u64 != file.len || about.len() != file.len {
        return Err(message("folder-growing"));
    }
    let is_old = now.ms_since(file.modified) >= FOLDER_HALF_MS;
    if bytes.is_empty() && !is_old {
        return Err(message("folder-growing"));
    }
    if !is_old && !table::is_whole(&bytes) {
        return Err(message("folder-half"));
    }
    let has_end = table::is_workbook(&bytes) || bytes.ends_with(b"\n") || bytes.ends_with(b"\r") || is_old;
    if !has_end && seen.looks < LOOKS_WITHOUT_END {
        return Err(message("folder-no-end"));
    }
    Ok(Ready { content: Fingerprint::of(&bytes), name: file.name, path: file.path, seen, bytes })
}

/// `done/<name>`; a file that is there keeps its name, the new one gets the time before its own.
fn move_away(path: &Path, name: &str, now: Timestamp) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(".")).join(DONE);
    fs::create_dir_all(&folder)?;
    let stamp: String = now.to_string().chars().filter(char::is_ascii_digit).collect();
    let names = std::iter::once(name.to_owned()).chain((0..).map(|again| match again {
        0 => format!("{stamp}-{name}"),
        again => format!("{stamp}-{again}-{name}"),
    }));
    // Bound: a folder with a thousand files of one second and one name has another trouble.
    for candidate in names.take(1_000) {
        let target = folder.join(candidate);
        if !target.exists() {
            return fs::rename(path, target);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn refusal(error: &AppendError) -> Message {
    match error {
        AppendError::NoSpace(message)
        | AppendError::TooLarge(message)
        | AppendError::Failed(message)
        | AppendError::Closed(message) => message.clone(),
    }
}

fn path_message(path: &Path, error: &io::Error) -> Message {
    Message::new("folder-path").with("path", path.display()).with("detail", error)
}

/// Runs work that blocks on the disk where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => panic!("the runtime is gone: {cancelled}"),
        },
    }
}
