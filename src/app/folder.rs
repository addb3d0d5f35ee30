//! Where things are in the folder of a daemon.
//!
//! ```text
//! uzel.toml            settings, written by people
//! connectors/ mappings/ rules/   files that take the place of built-ins of the same name
//! vault.json           secrets, owner-only
//! journal/             segments and bodies: the truth
//! configurations/      compiled configurations that entries need
//! store/               derived; may be deleted and rebuilt
//! spool/               uploads of 1C under way
//! uzel.lock, uzel.sock one process owns the folder; the command line talks to it here
//! ```

use std::fs::File;
use std::path::{Path, PathBuf};

use super::error::Told;
use crate::base::{Message, Problem};
use crate::catalog::FileSet;
use crate::config::Settings;

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

    /// Uploads under way.
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.root.join("uzel.sock")
    }

    /// Reads `uzel.toml` and the environment; all problems at once.
    pub fn settings(&self) -> Result<Settings, Vec<Problem>> {
        let file = self.settings_file();
        let name = file.display().to_string();
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                let message = Message::new("app-no-settings").with("detail", error).with("folder", self.root.display());
                return Err(vec![Problem::new(name, 0, message)]);
            }
        };
        Settings::compile(&name, &text, &|variable| std::env::var(variable).ok())
    }

    /// Built-in files overlaid by those of the folder.
    pub fn files(&self) -> anyhow::Result<FileSet> {
        let mut files = FileSet::builtin();
        for part in ["connectors", "mappings", "rules"] {
            overlay(&mut files, &self.root, &self.root.join(part))?;
        }
        Ok(files)
    }

    /// Makes this process the owner.
    pub fn lock(&self) -> anyhow::Result<Lock> {
        std::fs::create_dir_all(&self.root)?;
        let file = File::options().create(true).truncate(false).write(true).open(self.root.join("uzel.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(_) => {
                let message = Message::new("app-locked").with("folder", self.root.display());
                Err(Told(message).into())
            }
        }
    }
}

fn overlay(files: &mut FileSet, root: &Path, folder: &Path) -> anyhow::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            overlay(files, root, &path)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.put(&name, std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}
