//! What was read from a folder: one JSON file, replaced atomically. Losing it costs a second
//! reading whose rows change nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::limits::FOLDER_FILES_MAX;
use crate::base::{Position, Timestamp};

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) len: u64,
    pub(super) modified: Timestamp,
    /// Fingerprint of its content.
    pub(super) content: String,
    /// Names the content among what stood under that name before.
    pub(super) key: String,
    pub(super) position: Position,
    /// It still lies where it was, and is not to be read again.
    pub(super) left: bool,
}

impl Known {
    pub(super) fn is_as(&self, len: u64, modified: Timestamp) -> bool {
        (self.len, self.modified) == (len, modified)
    }
}

/// Files that were read, by name.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    path: PathBuf,
    files: BTreeMap<String, Known>,
}

impl Memory {
    pub(super) fn open(path: &Path) -> Memory {
        let text = fs::read_to_string(path).unwrap_or_default();
        Memory { path: path.to_owned(), files: serde_json::from_str(&text).unwrap_or_default() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.files.get(name)
    }

    /// Bound: FOLDER_FILES_MAX; the one read longest ago is forgotten.
    pub(super) fn put(&mut self, name: &str, known: Known) {
        self.files.insert(name.to_owned(), known);
        if self.files.len() > FOLDER_FILES_MAX {
            let oldest = self.files.iter().min_by_key(|(_, known)| known.position).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.files.remove(&name));
        }
    }

    pub(super) fn write(&self) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let fresh = self.path.with_extension("fresh");
        let mut file = File::create(&fresh)?;
        serde_json::to_writer(&mut file, &self.files)?;
        file.flush()?;
        file.sync_data()?;
        fs::rename(&fresh, &self.path)
    }
}
