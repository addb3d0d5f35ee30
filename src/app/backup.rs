//! Backups: a consistent copy of a folder, made while the daemon runs, and its way back.
//!
//! A backup is a folder with the layout of the daemon's own:
//!
//! ```text
//! manifest.json     what the backup holds: format, positions, every file with length and hash
//! manifest.hash     BLAKE3 of manifest.json (the first 16 bytes, hex)
//! journal/ journal/bodies/ configurations/ snapshots/ erasures/ connectors/ mappings/ rules/
//! uzel.toml
//! vault.json        only when asked for
//! ```
//!
//! **Consistent**: a position is fixed first (the newest synced one, as the daemon says). Segments
//! are copied up to it, with the bodies that their entries name; the newest sound snapshot not
//! after it; every compiled configuration. The store is left out: it is derived.
//!
//! **Secrets** are left out unless asked for: a backup travels further than the machine. Without
//! them the secrets of connections are given anew after a restore.
//!
//! **A restored folder writes nowhere**: the CRM may know more than the backup. A file `restored`
//! in the folder holds every connection in observe mode until a person releases it
//! ([`release`]). Positions that were given after the backup are not given again: ids derive from
//! them and stand in the CRM, so the journal is filled up by a run of empty entries.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::Told;
use super::folder::unusable;
use super::{Folder, Start, rebuild};
use crate::base::checksum::Fingerprint;
use crate::base::clock::SystemClock;
use crate::base::limits::RESTORE_POSITIONS_SKIPPED;
use crate::base::{Clock as _, Message, Position, Slug, Timestamp};
use crate::entry::{Attempted, Entry};
use crate::journal::{self, Journal as _, NewEntry, Options, RealDisk, Segments};
use crate::pipeline::snapshot;
use crate::task::watch::BACKUP_STAMP;

/// Format of the manifest that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;
const MANIFEST: &str = "manifest.json";
const MANIFEST_HASH: &str = "manifest.hash";
/// Folders copied whole: what people wrote, and what entries need.
const FOLDERS: [&str; 5] = ["configurations", "erasures", "connectors", "mappings", "rules"];

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// See [`FORMAT_VERSION`].
    pub format: u32,
    /// Version of the program that made it.
    pub build: String,
    /// When, UTC.
    pub made_at: String,
    /// The first entry of its journal.
    pub first: u64,
    /// The last entry of its journal.
    pub last: u64,
    /// The last entry of its snapshot; 0: it has none.
    pub snapshot: u64,
    /// Whether the vault is in it.
    pub secrets: bool,
    /// Its files.
    pub files: Vec<ManifestFile>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFile {
    /// Its name, relative.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// The first 16 bytes of its BLAKE3, hex.
    pub hash: String,
}

/// Bytes done, bytes in all.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64);

/// A file to be copied: relative name, and how many bytes of it.
type Wanted = (String, u64);

/// Makes a backup of `folder` in the new or empty folder `target`. `synced` is the newest synced
/// position as the running daemon says; without a daemon it is the end of the journal.
pub fn make(
    folder: &Folder,
    target: &Path,
    synced: Option<Position>,
    secrets: bool,
    progress: Progress<'_>,
) -> anyhow::Result<Manifest> {
    new_folder(target)?;
    let extent = journal::extent(&RealDisk, &folder.journal(), synced.unwrap_or(Position(u64::MAX)))?;
    let snapshot = snapshot::newest(&folder.snapshots(), extent.last)?;
    let snapshot_at = snapshot.as_ref().map_or(0, |file| file.about().checkpoint.position.0 - 1);
    if snapshot_at + 1 < extent.first.0 {
        let message = Message::new("app-rebuild-removed").with("first", extent.first);
        return Err(Told(message).into());
    }
    let mut wanted: Vec<Wanted> = Vec::new();
    wanted.extend(extent.segments.iter().map(|(name, bytes)| (format!("journal/{name}"), *bytes)));
    for name in extent.bodies.iter().map(|name| format!("journal/bodies/{name}")) {
        let bytes = length(&folder.root().join(&name))?;
        wanted.push((name, bytes));
    }
    if let Some(file) = &snapshot {
        let name = file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        wanted.push((format!("snapshots/{name}"), file.totals().bytes));
    }
    for part in FOLDERS {
        list(folder.root(), part, &mut wanted)?;
    }
    wanted.push(("uzel.toml".to_owned(), length(&folder.settings_file())?));
    if secrets && folder.vault().exists() {
        wanted.push(("vault.json".to_owned(), length(&folder.vault())?));
    }
    let total: u64 = wanted.iter().map(|(_, bytes)| bytes).sum();
    let mut done = 0;
    let mut files = Vec::with_capacity(wanted.len());
    for (name, bytes) in wanted {
        let hash = copy(&folder.root().join(&name), &target.join(&name), bytes)?;
        done += bytes;
        progress(done, total);
        files.push(ManifestFile { name, bytes, hash: hash.to_string() });
    }
    let manifest = Manifest {
        format: FORMAT_VERSION,
        build: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: SystemClock.now().to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string(),
        first: extent.first.0,
        last: extent.last.0,
        snapshot: snapshot_at,
        secrets,
        files,
    };
    // Last: without a manifest it is no backup.
    let text = serde_json::to_vec_pretty(&manifest)?;
    write(&target.join(MANIFEST), &text)?;
    write(&target.join(MANIFEST_HASH), format!("{}\n", Fingerprint::of(&text)).as_bytes())?;
    sync_folders(target)?;
    stamp(folder);
    Ok(manifest)
}

/// Notes when a backup was made: its age can be an alarm.
fn stamp(folder: &Folder) {
    let signals = folder.signals();
    let text = SystemClock.now().to_string();
    let noted = fs::create_dir_all(&signals).and_then(|()| fs::write(signals.join(BACKUP_STAMP), text));
    // The backup is there all the same; at the worst somebody is told too early that it is old.
    noted.unwrap_or_else(|error| tracing::warn!(%error, "the time of the backup was not noted"));
}

/// What a check of a backup found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The manifest, when it reads.
    pub manifest: Option<Manifest>,
    /// What is wrong: file by file.
    pub problems: Vec<Message>,
}

/// Reads every byte of a backup and holds it against its manifest.
pub fn verify(source: &Path, progress: Progress<'_>) -> anyhow::Result<Verified> {
    let manifest = match manifest(source) {
        Ok(manifest) => manifest,
        Err(problem) => return Ok(Verified { manifest: None, problems: vec![problem] }),
    };
    let total: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    let mut problems = Vec::new();
    let mut left = BTreeMap::new();
    let mut found = Vec::new();
    list(source, "", &mut found)?;
    left.extend(found);
    for file in &manifest.files {
        let measured = File::open(source.join(&file.name)).and_then(|mut opened| Fingerprint::of_reader(&mut opened));
        let problem = match measured {
            Ok((hash, bytes)) if bytes == file.bytes && hash.to_string() == file.hash => None,
            Ok(_) => Some(Message::new("backup-file-changed").with("file", &file.name)),
            Err(error) => Some(Message::new("backup-file-missing").with("file", &file.name).with("detail", error)),
        };
        problems.extend(problem);
        left.remove(&file.name);
        done += file.bytes;
        progress(done, total);
    }
    left.remove(MANIFEST);
    left.remove(MANIFEST_HASH);
    problems.extend(left.keys().map(|name| Message::new("backup-file-foreign").with("file", name)));
    Ok(Verified { manifest: Some(manifest), problems })
}

fn manifest(source: &Path) -> Result<Manifest, Message> {
    let unreadable = |name: &str, detail: &dyn std::fmt::Display| {
        Message::new("backup-manifest").with("file", source.join(name).display()).with("detail", detail)
    };
    let read = |name: &str| fs::read(source.join(name)).map_err(|error| unreadable(name, &error));
    let (text, hash) = (read(MANIFEST)?, read(MANIFEST_HASH)?);
    if hash != format!("{}\n", Fingerprint::of(&text)).into_bytes() {
        return Err(Message::new("backup-manifest-changed").with("file", MANIFEST).with("hash", MANIFEST_HASH));
    }
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let format: Format = serde_json::from_slice(&text).map_err(|error| unreadable(MANIFEST, &error))?;
    if format.format > FORMAT_VERSION {
        let message = Message::new("backup-newer").with("file", source.display());
        return Err(message.with("version", format.format).with("known", FORMAT_VERSION));
    }
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| unreadable(MANIFEST, &error))?;
    let leaves = |name: &str| Path::new(name).components().any(|it| !matches!(it, std::path::Component::Normal(_)));
    match manifest.files.iter().find(|file| leaves(&file.name)) {
        Some(file) => Err(unreadable(MANIFEST, &file.name)),
        None => Ok(manifest),
    }
}

/// What a restore made.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// The backup's last entry.
    pub last: u64,
    /// Entries applied behind the snapshot.
    pub applied: u64,
    /// Hash over every row at the backup's last entry.
    pub hash: String,
    /// When the backup was made, UTC.
    pub made_at: String,
    /// Whether the secrets of connections are there.
    pub secrets: bool,
}

/// Makes a folder of a backup: every file checked, the store made anew, sinks held.
pub fn restore(
    source: &Path,
    folder: &Folder,
    progress: Progress<'_>,
) -> anyhow::Result<Result<Restored, Vec<Message>>> {
    let verified = verify(source, &mut |_, _| {})?;
    let manifest = match verified.manifest {
        Some(manifest) if verified.problems.is_empty() => manifest,
        Some(_) | None => return Ok(Err(verified.problems)),
    };
    new_folder(folder.root())?;
    // First: a folder that was only half restored must not write anywhere either.
    let mark = Mark { made_at: manifest.made_at.clone(), last: manifest.last };
    write(&folder.restored(), &serde_json::to_vec_pretty(&mark)?)?;
    let total: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    for file in &manifest.files {
        let hash = copy(&source.join(&file.name), &folder.root().join(&file.name), file.bytes)?;
        if hash.to_string() != file.hash {
            let message = Message::new("backup-file-changed").with("file", &file.name);
            return Ok(Err(vec![message]));
        }
        done += file.bytes;
        progress(done, total);
    }
    sync_folders(folder.root())?;
    let rebuilt = rebuild(folder, Start::Snapshot, false, &mut |_, _| {})?;
    skip_positions(folder)?;
    Ok(Ok(Restored {
        last: manifest.last,
        applied: rebuilt.entries,
        hash: rebuilt.hash,
        made_at: manifest.made_at,
        secrets: manifest.secrets,
    }))
}

/// What the file `restored` says.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    made_at: String,
    last: u64,
}

/// Lets a restored folder write to its CRMs again, as its settings say; `false` when nothing held
/// it.
pub fn release(folder: &Folder) -> anyhow::Result<bool> {
    match fs::remove_file(folder.restored()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unusable(&folder.restored(), &error).into()),
    }
}

/// Fills positions that may have been given after the backup: ids that derive from them may stand
/// in the CRM for other objects. The entries say nothing: attempts of no object.
fn skip_positions(folder: &Folder) -> anyhow::Result<()> {
    let _lock = folder.lock()?;
    let (segments, recovery) =
        Segments::open(&folder.journal(), Arc::new(SystemClock), Options::production(rand::random()))?;
    let at: Timestamp = recovery.time;
    let nothing = Attempted { sink: Slug::literal("restored"), at, attempting: None, items: Vec::new() };
    let entry = Entry::Attempted(nothing);
    let mut last = None;
    for _ in 0..RESTORE_POSITIONS_SKIPPED {
        // The queue holds us up when it is full; the last one resolves after all the others.
        last = Some(segments.append(NewEntry { kind: entry.kind(), at, payload: entry.encode() }));
    }
    if let Some(last) = last {
        futures_wait(last)?;
    }
    segments.close();
    Ok(())
}

fn futures_wait(last: journal::Appended) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(last)?;
    Ok(())
}

/// Refuses a folder that holds anything; makes one that is not there.
fn new_folder(path: &Path) -> anyhow::Result<()> {
    match fs::read_dir(path) {
        Ok(mut items) => {
            if items.next().is_some() {
                return Err(Told(Message::new("backup-not-empty").with("folder", path.display())).into());
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_folder(path),
        Err(error) => Err(unusable(path, &error).into()),
    }
}

fn make_folder(path: &Path) -> anyhow::Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| unusable(path, &error).into())
}

fn length(path: &Path) -> anyhow::Result<u64> {
    Ok(fs::metadata(path).map_err(|error| unusable(path, &error))?.len())
}

/// Files under `root/part`, in the order of names.
fn list(root: &Path, part: &str, found: &mut Vec<Wanted>) -> anyhow::Result<()> {
    let folder = root.join(part);
    let items = match fs::read_dir(&folder) {
        Ok(items) => items,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !part.is_empty() => return Ok(()),
        Err(error) => return Err(unusable(&folder, &error).into()),
    };
    let mut names: Vec<(PathBuf, String)> = Vec::new();
    for item in items {
        let item = item.map_err(|error| unusable(&folder, &error))?;
        let own = item.file_name().to_string_lossy().into_owned();
        names.push((item.path(), if part.is_empty() { own } else { format!("{part}/{own}") }));
    }
    names.sort_unstable();
    for (path, name) in names {
        if path.is_dir() {
            list(root, &name, found)?;
        } else {
            found.push((name, length(&path)?));
        }
    }
    Ok(())
}

/// Copies the first `bytes` of a file, for its owner alone, synced; its hash.
fn copy(from: &Path, to: &Path, bytes: u64) -> anyhow::Result<Fingerprint> {
    if let Some(parent) = to.parent() {
        make_folder(parent)?;
    }
    let source = File::open(from).map_err(|error| unusable(from, &error))?;
    let mut source = source.take(bytes);
    let target = File::options().write(true).create_new(true).mode(0o600).open(to);
    let copied = target.and_then(|mut target| {
        let copied = io::copy(&mut source, &mut target)?;
        target.sync_all()?;
        Ok(copied)
    });
    let copied = copied.map_err(|error| unusable(to, &error))?;
    if copied != bytes {
        return Err(Told(Message::new("backup-file-changed").with("file", from.display())).into());
    }
    // Read back: what is on the disk is what counts.
    let mut written = File::open(to).map_err(|error| unusable(to, &error))?;
    let (hash, _) = Fingerprint::of_reader(&mut written).map_err(|error| unusable(to, &error))?;
    Ok(hash)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    written().map_err(|error| unusable(path, &error).into())
}

/// Makes the names in a folder and those under it durable.
fn sync_folders(root: &Path) -> anyhow::Result<()> {
    let synced = |path: &Path| File::open(path).and_then(|it| it.sync_all()).map_err(|error| unusable(path, &error));
    for item in fs::read_dir(root).map_err(|error| unusable(root, &error))? {
        let path = item.map_err(|error| unusable(root, &error))?.path();
        if path.is_dir() {
            sync_folders(&path)?;
        }
    }
    Ok(synced(root)?)
}
