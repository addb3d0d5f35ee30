//! Where things are in the folder of a daemon.
//!
//! ```text
//! uzel.toml            settings, written by people
//! connectors/ mappings/ rules/   files that take the place of built-ins of the same name
//! vault.json           secrets, owner-only
//! journal/             segments and bodies: the truth
//! configurations/      compiled configurations that entries need
//! snapshots/           all rows at some positions, verified: from them the store is made anew
//! erasures/            receipts of erased persons, and the list that restores apply again
//! store/               derived; may be deleted and rebuilt
//! spool/               uploads of 1C under way
//! folders/             what was read from watched folders
//! signals/             since when what is wrong, and who was told; may be deleted
//! restored             this folder came out of a backup and writes nowhere yet
//! uzel.lock, uzel.sock one process owns the folder; the command line talks to it here
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::{Problems, Told};
use crate::base::{Message, Problem};
use crate::catalog::FileSet;
use crate::config::{Mode, Settings};

/// Paths of one daemon's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// The folder is owned by this process for as long as this lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Folder {
    /// The folder at `root`; nothing is read or made.
    pub fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `uzel.toml`.
    pub fn settings_file(&self) -> PathBuf {
        self.root.join("uzel.toml")
    }

    /// The vault.
    pub fn vault(&self) -> PathBuf {
        self.root.join("vault.json")
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Compiled configurations.
    pub fn configurations(&self) -> PathBuf {
        self.root.join("configurations")
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.root.join("store")
    }

    /// Snapshots.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// Receipts of erasures.
    pub fn erasures(&self) -> PathBuf {
        self.root.join("erasures")
    }

    /// Says that the folder came out of a backup.
    pub fn restored(&self) -> PathBuf {
        self.root.join("restored")
    }

    /// Plans.
    pub fn plans(&self) -> PathBuf {
        self.root.join("plans")
    }

    /// Uploads under way.
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// What was read from watched folders.
    pub fn folders(&self) -> PathBuf {
        self.root.join("folders")
    }

    /// What is remembered of alarms and notifications.
    pub fn signals(&self) -> PathBuf {
        self.root.join("signals")
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.root.join("uzel.sock")
    }

    /// Refuses a folder that was never made: nothing is to be created in a mistyped place.
    pub fn made(&self) -> Result<(), Problems> {
        match std::fs::metadata(self.settings_file()) {
            Ok(_) => Ok(()),
            Err(error) => Err(Problems(vec![self.no_settings(&error)])),
        }
    }

    fn no_settings(&self, error: &std::io::Error) -> Problem {
        let message = Message::new("app-no-settings").with("detail", error).with("folder", self.root.display());
        Problem::new(self.settings_file().display().to_string(), 0, message)
    }

    /// Reads `uzel.toml` and the environment; all problems at once.
    pub fn settings(&self) -> Result<Settings, Vec<Problem>> {
        let file = self.settings_file();
        let name = file.display().to_string();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => return Err(vec![self.no_settings(&error)]),
        };
        let mut settings = Settings::compile(&name, &text, &|variable| std::env::var(variable).ok())?;
        if self.restored().exists() {
            // The CRM may know more than the backup: a person looks first.
            settings.connections.iter_mut().for_each(|connection| connection.mode = Mode::Off);
        }
        Ok(settings)
    }

    /// Built-in files overlaid by those of the folder; all that cannot be read, at once.
    pub fn files(&self) -> Result<FileSet, Problems> {
        FileSet::with_folder(&self.root).map_err(Problems)
    }

    /// Makes this process the owner.
    pub fn lock(&self) -> anyhow::Result<Lock> {
        std::fs::create_dir_all(&self.root).map_err(|error| unusable(&self.root, &error))?;
        let file = File::options().create(true).truncate(false).write(true).open(self.root.join("uzel.lock"));
        let file = file.map_err(|error| unusable(&self.root, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(_) => {
                let message = Message::new("app-locked").with("folder", self.root.display());
                Err(Told(message).into())
            }
        }
    }
}

/// A path that the system refuses.
pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Told {
    Told(Message::new("app-path").with("path", path.display()).with("detail", error))
}
