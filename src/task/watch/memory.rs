//! What the watch remembers from run to run: one JSON file, replaced atomically. Losing it costs
//! only that watching begins anew.
//!
//! ```json
//! {"version":1,"began_at":1764000000000,"heard":{"site":{"records":17,"at":1764000000000}},
//!  "since":{"dead-letters/crm":1764000000000}}
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tracing::warn;

use super::super::replace::replace;
use crate::alarm::AlarmKey;
use crate::base::Timestamp;

const VERSION: u32 = 1;

/// What is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memory {
    version: u32,
    /// When watching began.
    pub(super) began_at: Timestamp,
    /// When each connection told something last.
    pub(super) heard: BTreeMap<String, Heard>,
    /// Since when each alarm holds, as far as the facts do not say so.
    since: BTreeMap<String, Timestamp>,
}

/// When a connection told something last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// Records that had come by then.
    pub(super) records: u64,
    /// When.
    pub(super) at: Timestamp,
}

impl Memory {
    /// Watching begins.
    fn new(now: Timestamp) -> Memory {
        Memory { version: VERSION, began_at: now, heard: BTreeMap::new(), since: BTreeMap::new() }
    }

    /// Of the run before; anew when there is none, or it does not read.
    pub(super) fn open(path: Option<&Path>, now: Timestamp) -> Memory {
        let Some(path) = path else { return Memory::new(now) };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Memory::new(now),
            Err(error) => {
                warn!(%error, "what was watched before cannot be read; watching begins anew");
                return Memory::new(now);
            }
        };
        match serde_json::from_slice::<Memory>(&text) {
            Ok(memory) if memory.version == VERSION => memory,
            Ok(_) | Err(_) => {
                warn!("what was watched before does not read; watching begins anew");
                Memory::new(now)
            }
        }
    }

    /// Since when the alarm holds; from now on, if it was not known.
    pub(super) fn since(&mut self, key: &AlarmKey, now: Timestamp) -> Timestamp {
        *self.since.entry(name(key)).or_insert(now)
    }

    /// Forgets alarms that hold no more.
    pub(super) fn keep_only(&mut self, keys: &[&AlarmKey]) {
        let names: Vec<String> = keys.iter().map(|key| name(key)).collect();
        self.since.retain(|held, _| names.contains(held));
    }

    /// What of it is worth a write at once: the rest can be had again.
    pub(super) fn alarms(&self) -> &BTreeMap<String, Timestamp> {
        &self.since
    }

    /// Puts it on the disk.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        replace(path, &serde_json::to_vec(self)?)
    }
}

fn name(key: &AlarmKey) -> String {
    format!("{}/{}", key.condition.id(), key.subject)
}
