//! Words of ours that sinks do not have: stages, pipelines and sources that were left out of what
//! was told, for alarms. In memory: what matters is said again by the next delivery that lacks it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use compact_str::CompactString;

use crate::base::limits::{MISSING_WORD_TOLD_MS, MISSING_WORDS_MAX};
use crate::base::{Message, Slug, Timestamp};
use crate::mapping::{LeftOut, MissingWord};

/// What sinks lack, by their names.
#[derive(Debug, Clone, Default)]
pub struct MissingWords(Arc<Mutex<BTreeMap<Slug, Vec<Lacked>>>>);

/// One word that a sink lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacked {
    /// The field that is left out.
    pub field: CompactString,
    /// The word.
    pub missing: MissingWord,
    /// What may be meant, and the next step.
    pub reason: Message,
    /// Since when.
    pub since: Timestamp,
    /// When it was left out last.
    pub told_at: Timestamp,
}

impl MissingWords {
    /// A field was left out. Whether that is new.
    pub fn left_out(&self, sink: &Slug, it: LeftOut, now: Timestamp) -> bool {
        let mut all = self.lock();
        let held = all.entry(sink.clone()).or_default();
        if let Some(held) = held.iter_mut().find(|held| held.field == it.field && held.missing == it.missing) {
            held.told_at = now;
            held.reason = it.reason;
            return false;
        }
        // Bound: of more than so many words at once the first are named; one of them is put right first.
        if held.len() >= MISSING_WORDS_MAX {
            return false;
        }
        let LeftOut { field, missing, reason, .. } = it;
        held.push(Lacked { field, missing, reason, since: now, told_at: now });
        true
    }

    /// Whether any sink lacks any.
    pub fn is_empty(&self) -> bool {
        self.lock().values().all(Vec::is_empty)
    }

    /// What a sink still lacks: what it has by now is forgotten, and what nobody has wanted for long.
    pub fn still(&self, sink: &Slug, now: Timestamp, has: impl Fn(&MissingWord) -> bool) -> Vec<Lacked> {
        let mut all = self.lock();
        let Some(held) = all.get_mut(sink) else { return Vec::new() };
        held.retain(|it| now.ms_since(it.told_at) < MISSING_WORD_TOLD_MS && !has(&it.missing));
        held.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Slug, Vec<Lacked>>> {
        // Plain values, whole after every statement.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
