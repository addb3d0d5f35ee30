//! Watched folders: looked at from time to time; what waits is remembered by name, for people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{info, warn};

use super::Ground;
use crate::base::limits::FOLDER_LOOK_MS;
use crate::base::{Message, Position, Slug};
use crate::source::folder::{FileState, FolderSource, Look};

/// What the latest look at each folder found, by connection.
#[derive(Debug, Clone, Default)]
pub struct Folders(Arc<Mutex<BTreeMap<Slug, (String, Look)>>>);

/// What the latest look at a folder found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The folder.
    pub path: String,
    /// Why it could not be looked at.
    pub problem: Option<Message>,
    /// Its files.
    pub files: Vec<FoundFile>,
}

/// A file of a folder.
#[derive(Debug, Clone)]
pub struct FoundFile {
    /// Its name.
    pub name: String,
    /// Where it is in the journal.
    pub position: Option<Position>,
    /// What it waits for.
    pub waits: Option<Message>,
}

impl FoundFile {
    fn new((name, state): (String, FileState)) -> FoundFile {
        let (position, waits) = match state {
            FileState::Read(position) => (Some(position), None),
            FileState::Waits(message) => (None, Some(message)),
        };
        FoundFile { name, position, waits }
    }
}

impl Folders {
    /// Every folder.
    pub fn all(&self) -> BTreeMap<Slug, Found> {
        let folders = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let found = |(path, look): (String, Look)| Found {
            path,
            problem: look.problem,
            files: look.files.into_iter().map(FoundFile::new).collect(),
        };
        folders.into_iter().map(|(name, it)| (name, found(it))).collect()
    }

    fn put(&self, source: &FolderSource, look: Look) -> Look {
        let mut folders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (source.path().display().to_string(), look);
        folders.insert(source.connection().clone(), now).map(|(_, before)| before).unwrap_or_default()
    }
}

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground, mut sources: Vec<FolderSource>, folders: Folders) {
    while !ground.stopping() && !sources.is_empty() {
        for source in &mut sources {
            let look = source.look(&ground.journal, ground.clock.now()).await;
            let before = folders.put(source, look.clone());
            say(source.connection(), &before, &look);
        }
        ground.rest(FOLDER_LOOK_MS).await;
    }
}

/// What is new since the look before is logged once. Names of files are people's words and may hold
/// a name: they are shown by `uzel folder list`, not logged.
fn say(connection: &Slug, before: &Look, look: &Look) {
    if look.journalled > 0 {
        info!(connection = %connection, folder.files = look.journalled, "files of the folder are journalled");
    }
    if let Some(problem) = look.problem.as_ref().filter(|it| before.problem.as_ref() != Some(it)) {
        warn!(connection = %connection, reason = %problem.id, "the folder of {connection} cannot be looked at");
    }
    let is_new = |name: &String, state: &FileState| before.files.get(name) != Some(state);
    for (name, state) in &look.files {
        match state {
            // A file is growing while it is copied: nothing to tell of.
            FileState::Waits(message) if message.id != "folder-growing" && is_new(name, state) => {
                warn!(connection = %connection, reason = %message.id, "a file of the folder waits");
            }
            FileState::Waits(_) | FileState::Read(_) => {}
        }
    }
}
