//! What followers are doing, and what they are told from outside: hints.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;
use tokio::sync::Notify;

use crate::base::limits::POLL_HINTS_MAX;
use crate::base::{Message, Slug, Timestamp};

/// What the followers of all connections are doing, for views.
#[derive(Debug, Clone, Default)]
pub struct Readings(Arc<Mutex<BTreeMap<(Slug, Slug), Reading>>>, Arc<Mutex<BTreeMap<Slug, Hearing>>>);

/// How a foreign system tells us of changes, besides being looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hearing {
    /// It calls our address.
    pub called: Way,
    /// It keeps a queue for us.
    pub queue: Way,
}

/// How one way of being told stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Way {
    /// It is not asked for.
    #[default]
    Unasked,
    /// It is in force.
    InForce,
    /// The system does not offer it.
    NotOffered,
    /// It is not in force now, and why.
    Refused(Message),
}

/// What a follower did with one stream since the daemon began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// When it was read last without trouble.
    pub read_at: Option<Timestamp>,
    /// Rows read that said nothing new.
    pub same: u64,
    /// Whether the foreign system does not have it: an older edition, for one. All else is read.
    pub not_offered: bool,
    /// Why it is not read now, and the next step.
    pub trouble: Option<Message>,
    /// Since when there is trouble without a break.
    pub troubled_since: Option<Timestamp>,
    /// Nothing is wrong, but what the foreign system allows in its time is used up until then.
    pub waits_until: Option<Timestamp>,
}

impl Reading {
    /// Whether something keeps it from being read now.
    pub fn is_hindered(&self) -> bool {
        self.trouble.is_some() || self.not_offered || self.waits_until.is_some()
    }

    /// Nothing is wrong, and nothing is waited for.
    pub(super) fn recovered(&mut self) {
        (self.not_offered, self.trouble, self.troubled_since, self.waits_until) = (false, None, None, None);
    }
}

impl Readings {
    /// Of one stream.
    pub fn of(&self, connection: &str, stream: &str) -> Option<Reading> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|((held, of), _)| **held == *connection && **of == *stream).map(|(_, reading)| reading.clone())
    }

    /// Why a connection is not read, if it is not.
    pub fn trouble(&self, connection: &str) -> Option<Message> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter(|((held, _), _)| **held == *connection).find_map(|(_, reading)| reading.trouble.clone())
    }

    /// Since when some stream of a connection cannot be read, and why.
    pub fn unread(&self, connection: &str) -> Option<(Timestamp, Message)> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = all.iter().filter(|((held, _), _)| **held == *connection);
        mine.filter_map(|(_, it)| Some((it.troubled_since?, it.trouble.clone()?))).min_by_key(|(since, _)| *since)
    }

    /// How a connection tells us of changes.
    pub fn hearing(&self, connection: &str) -> Hearing {
        let all = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(held, _)| ***held == *connection).map(|(_, it)| it.clone()).unwrap_or_default()
    }

    pub(super) fn edit_hearing(&self, connection: &Slug, change: impl FnOnce(&mut Hearing)) {
        let mut all = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(connection.clone()).or_default());
    }

    /// How a source that is listened to stands: why it is not heard, if it is not.
    pub fn tell(&self, connection: &Slug, stream: &Slug, trouble: Option<Message>, now: Timestamp) {
        self.edit(connection, stream, |reading| match trouble {
            None => {
                reading.recovered();
                reading.read_at = Some(now);
            }
            Some(trouble) => {
                reading.troubled_since.get_or_insert(now);
                reading.trouble = Some(trouble);
            }
        });
    }

    pub(super) fn edit(&self, connection: &Slug, stream: &Slug, change: impl FnOnce(&mut Reading)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry((connection.clone(), stream.clone())).or_default());
    }
}

/// Hints that something changed in a foreign system. A hint is never believed: the row is read. A
/// lost or doubled one harms nothing.
#[derive(Debug, Clone, Default)]
pub struct Hints(pub(super) Arc<HintQueue>);

#[derive(Debug, Default)]
pub(super) struct HintQueue {
    waiting: Mutex<VecDeque<(Slug, CompactString, CompactString)>>,
    pub(super) news: Notify,
}

impl Hints {
    /// The object `id` of the stream may have changed, or be gone.
    pub fn tell(&self, connection: &Slug, stream: &str, id: &str) {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let hint = (connection.clone(), CompactString::new(stream), CompactString::new(id));
        if !waiting.contains(&hint) {
            waiting.push_back(hint);
        }
        // Bound: the next look sees what the dropped one told of.
        if waiting.len() > POLL_HINTS_MAX {
            waiting.pop_front();
        }
        drop(waiting);
        self.0.news.notify_waiters();
    }

    /// Takes the hints of a connection, by stream.
    pub(super) fn take(&self, connection: &Slug) -> BTreeMap<CompactString, Vec<CompactString>> {
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut mine: BTreeMap<CompactString, Vec<CompactString>> = BTreeMap::new();
        waiting.retain(|(of, stream, id)| {
            let is_mine = of == connection;
            if is_mine {
                mine.entry(stream.clone()).or_default().push(id.clone());
            }
            !is_mine
        });
        mine
    }
}
