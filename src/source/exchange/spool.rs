//! The spool: unfinished uploads on the disk.
//!
//! ```text
//! <spool>/<session>/<number>.data    the bytes so far
//! <spool>/<session>/<number>.note    JSON: name, type, how many bytes were acknowledged;
//!                                    once journalled: position and member names
//! ```
//!
//! A note is replaced atomically after the data is synced and before the chunk is acknowledged. So
//! after a crash the data is cut back to what the note says, data without a note was never
//! acknowledged and goes, and a note with a position only remembers where a file went.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::base::{Position, Timestamp};

use super::session::{Journalled, Session};
use super::upload::Upload;

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) acknowledged: u64,
    pub(super) at: Timestamp,
    /// Where it is in the journal.
    pub(super) position: Option<Position>,
    /// Members of an archive that is in the journal.
    pub(super) members: Vec<String>,
}

/// Writes a note so that either the old or the new one is there after a crash.
pub(super) fn write_note(path: &Path, note: &Note) -> io::Result<()> {
    let fresh = path.with_extension("fresh");
    let mut file = File::create(&fresh)?;
    serde_json::to_writer(&mut file, note)?;
    file.flush()?;
    file.sync_data()?;
    fs::rename(&fresh, path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes a folder that only the owner may read: uploads hold personal data.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    // Folders cannot be synced there; the file system journals renames itself.
    Ok(())
}

/// Removes a file that is no longer needed; one that stays is found again at the next start.
pub(super) fn remove(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => warn!(path = %path.display(), %error, "a file of the exchange spool could not be removed"),
    }
}

/// Removes the folder of a forgotten session with whatever is left in it.
pub(super) fn remove_folder(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => warn!(path = %folder.display(), %error, "a folder of the exchange spool could not be removed"),
    }
}

/// Folders of sessions in the spool.
pub(super) fn sessions(spool: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(spool)? {
        let entry = entry?;
        if let (true, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string()) {
            found.push((name, entry.path()));
        }
    }
    Ok(found)
}

/// Takes up what is in the folder of a session.
pub(super) fn recover(session: &mut Session) -> io::Result<()> {
    let mut numbered = Vec::new();
    for entry in fs::read_dir(&session.folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(OsStr::to_str).and_then(|stem| stem.parse::<u64>().ok());
        match (number, path.extension().and_then(OsStr::to_str)) {
            (Some(number), Some("note")) => numbered.push(number),
            (Some(number), Some("data")) if path.with_extension("note").exists() => {
                session.next = session.next.max(number + 1);
            }
            // Never acknowledged.
            _ => remove(&path),
        }
    }
    numbered.sort_unstable();
    for number in numbered {
        session.next = session.next.max(number + 1);
        let note_path = session.folder.join(format!("{number}.note"));
        let note: Note = match serde_json::from_slice(&fs::read(&note_path)?) {
            Ok(note) => note,
            Err(error) => {
                warn!(path = %note_path.display(), %error, "a note of the exchange spool does not read and is left alone");
                continue;
            }
        };
        let data = session.folder.join(format!("{number}.data"));
        match note.position {
            Some(position) => {
                remove(&data);
                let names = std::iter::once(note.name).chain(note.members).collect();
                session.journalled.push(Journalled { names, position, note: note_path });
            }
            None => {
                let file = File::options().write(true).open(&data)?;
                // What came after the last acknowledged chunk was never promised.
                file.set_len(note.acknowledged.min(file.metadata()?.len()))?;
                file.sync_data()?;
                session.uploads.push(Upload::recovered(note, data, note_path)?);
            }
        }
    }
    Ok(())
}
