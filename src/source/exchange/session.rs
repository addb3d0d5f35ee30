//! Sessions: what one leg of the exchange has uploaded so far.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use crate::base::checksum::Fingerprint;
use crate::base::{Message, Position, Timestamp};

use super::ExchangeError;
use super::spool;
use super::upload::{Upload, same_file};

/// The session of requests that carry neither cookie nor `sessid`.
pub(super) const COMMON: &str = "common";

/// Whether a text can be the id of a session: it names a folder.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// A session and when it was last used.
pub(super) struct Slot {
    session: tokio::sync::Mutex<Session>,
    used: AtomicI64,
}

impl Slot {
    pub(super) async fn lock(&self) -> tokio::sync::MutexGuard<'_, Session> {
        self.session.lock().await
    }

    pub(super) fn used_at(&self) -> Timestamp {
        Timestamp(self.used.load(Ordering::Relaxed))
    }

    pub(super) fn touch(&self, now: Timestamp) {
        self.used.store(now.0, Ordering::Relaxed);
    }
}

/// A file that is in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journalled {
    /// Its name and, of an archive, those of its members.
    pub(super) names: Vec<String>,
    /// Where it is.
    pub(super) position: Position,
    /// What remembers it across a restart.
    pub(super) note: PathBuf,
}

/// One leg of the exchange.
pub(super) struct Session {
    pub(super) id: String,
    /// Its folder in the spool; made with the first upload.
    pub(super) folder: PathBuf,
    /// Number of the next upload: names its files.
    pub(super) next: u64,
    /// Version that `init` agreed upon.
    pub(super) version: Option<String>,
    /// Files whose end has not come.
    pub(super) uploads: Vec<Upload>,
    /// Files in the journal, in order.
    pub(super) journalled: Vec<Journalled>,
    /// The session was forgotten while a request waited for it.
    pub(super) is_closed: bool,
}

impl Session {
    /// Names the session in the journal without giving its secret away.
    pub(super) fn note(&self) -> String {
        Fingerprint::of(self.id.as_bytes()).to_string()[..8].to_owned()
    }

    /// Where the file is in the journal: the newest of that name.
    pub(super) fn position_of(&self, file: &str) -> Option<Position> {
        let is_it = |it: &&Journalled| it.names.iter().any(|name| same_file(name, file));
        self.journalled.iter().rev().find(is_it).map(|it| it.position)
    }

    /// Gives an unfinished upload up.
    pub(super) fn drop_upload(&mut self, index: usize) {
        self.uploads.remove(index).remove_files();
    }

    /// Forgets which files are in the journal.
    pub(super) fn forget_journalled(&mut self) {
        self.journalled.drain(..).for_each(|it| spool::remove(&it.note));
    }

    pub(super) fn check_open(&self) -> Result<(), Message> {
        match self.is_closed {
            true => Err(Message::new("exchange-session-closed")),
            false => Ok(()),
        }
    }
}

/// Every session.
pub(super) struct Sessions {
    folder: PathBuf,
    by_id: Mutex<HashMap<String, Arc<Slot>>>,
}

impl Sessions {
    /// Takes up what is in the spool. The sessions count as used now, so that a leg that was
    /// interrupted by a restart may go on.
    pub(super) fn open(folder: PathBuf, now: Timestamp) -> Result<Sessions, ExchangeError> {
        let failed =
            |source| ExchangeError { message: Message::new("exchange-spool").with("folder", folder.display()), source };
        spool::make_folder(&folder).map_err(failed)?;
        let mut by_id = HashMap::new();
        for (id, folder) in spool::sessions(&folder).map_err(failed)? {
            if id != COMMON && !is_id(&id) {
                continue;
            }
            let mut session = new_session(&id, &folder);
            spool::recover(&mut session).map_err(failed)?;
            by_id.insert(id, slot(session, now));
        }
        Ok(Sessions { folder, by_id: Mutex::new(by_id) })
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<Slot>> {
        self.map().get(id).cloned()
    }

    pub(super) fn count(&self) -> usize {
        self.map().len()
    }

    pub(super) fn all(&self) -> Vec<Arc<Slot>> {
        self.map().values().cloned().collect()
    }

    /// A new session; the one of that id when somebody was quicker.
    pub(super) fn create(&self, id: &str, now: Timestamp) -> Arc<Slot> {
        let folder = self.folder.join(id);
        let make = || slot(new_session(id, &folder), now);
        Arc::clone(self.map().entry(id.to_owned()).or_insert_with(make))
    }

    pub(super) fn forget(&self, session: &mut Session) {
        session.is_closed = true;
        session.forget_journalled();
        spool::remove_folder(&session.folder);
        self.map().remove(&session.id);
    }

    /// The file in whatever session has it: a cookie may get lost on the way.
    pub(super) fn position_elsewhere(&self, file: &str) -> Option<Position> {
        // A busy session is one that is being written to, not one whose import is asked for.
        let in_slot = |slot: Arc<Slot>| slot.session.try_lock().ok().and_then(|session| session.position_of(file));
        self.all().into_iter().filter_map(in_slot).max()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Slot>>> {
        self.by_id.lock().expect("no panic while it is held")
    }
}

fn slot(session: Session, now: Timestamp) -> Arc<Slot> {
    Arc::new(Slot { session: tokio::sync::Mutex::new(session), used: AtomicI64::new(now.0) })
}

fn new_session(id: &str, folder: &Path) -> Session {
    Session {
        id: id.to_owned(),
        folder: folder.to_owned(),
        next: 0,
        version: None,
        uploads: Vec::new(),
        journalled: Vec::new(),
        is_closed: false,
    }
}
