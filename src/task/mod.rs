//! Reconcilers: background tasks with no input. Each looks at the store, does what is missing, and
//! waits for a nudge (something was applied) or its timer. Idempotent: running one twice, or
//! stopping it anywhere, harms nothing.
//!
//! [`tick`] tells the journal that time passed, [`admit`] cuts long work into slices, [`deliver`]
//! brings sinks up to date, [`poll`] reads what changed in foreign systems, [`relay`] pulls what a
//! relay took, [`uploads`] finishes uploads of 1C that nobody asked for, [`look`] looks for what a
//! plan would create, [`missing`] is what sinks have no words for, [`keep`] makes snapshots, [`listen`] shows how
//! links that are held open stand, [`folders`] looks at watched folders, [`watch`] finds
//! out what is wrong, [`notify`] tells people, [`heartbeat`] tells a watch service that all is well,
//! [`certificates`] keeps the certificate of the listener fresh.

pub mod admit;
pub mod certificates;
pub mod deliver;
pub mod folders;
pub mod heartbeat;
pub mod keep;
pub mod listen;
pub mod look;
pub mod missing;
pub mod notify;
pub mod poll;
pub mod relay;
mod replace;
pub mod tick;
pub mod uploads;
pub mod watch;

use std::sync::Arc;

use crate::base::{Clock, Position};
use crate::entry::Entry;
use crate::journal::{AppendError, Journal, NewEntry};
use crate::pipeline::{Applied, Running};
use crate::store::Store;

/// What every reconciler stands on.
#[derive(Clone)]
pub struct Ground {
    /// Entries go here.
    pub journal: Arc<dyn Journal>,
    /// State is read here.
    pub store: Arc<dyn Store>,
    /// What is applied is known here.
    pub pipeline: Arc<Running>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Turns true when the daemon stops.
    pub stop: tokio::sync::watch::Receiver<bool>,
}

impl Ground {
    /// Appends an entry of now; resolves when it is durable.
    pub async fn append(&self, entry: &Entry) -> Result<Position, AppendError> {
        let at = self.clock.now();
        self.journal.append(NewEntry { kind: entry.kind(), at, payload: entry.encode() }).await
    }

    /// Whether the daemon stops.
    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until something is applied, `ms_max` have passed, or the daemon stops.
    pub async fn nudged(&mut self, applied: &mut Applied, ms_max: u64) {
        let pause = std::time::Duration::from_millis(ms_max);
        tokio::select! {
            _ = applied.changed() => {}
            _ = self.stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl Ground {
    /// Waits `ms`, or until the daemon stops.
    pub async fn rest(&mut self, ms: u64) {
        tokio::select! {
            _ = self.stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(std::time::Duration::from_millis(ms)) => {}
        }
    }
}
