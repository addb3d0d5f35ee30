//! How far the pipeline has come with an envelope.

use crate::base::{Message, Position};

/// How far an envelope is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportProgress {
    /// Its turn has not come.
    Waiting,
    /// Some of its records are applied.
    Applying {
        /// Records done.
        done: u64,
        /// Records in all, as far as known.
        total: u64,
    },
    /// Every record has its outcome.
    Done(ImportCounts),
    /// The file as a whole could not be read: names file, place and what to do.
    Failed(Message),
}

/// Outcomes of the records of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Changed something.
    pub applied: u64,
    /// Were so already.
    pub unchanged: u64,
    /// Came before.
    pub repeated: u64,
    /// Left aside on purpose.
    pub filtered: u64,
    /// Wait for a person.
    pub quarantined: u64,
}

impl ImportCounts {
    pub(super) fn add(&mut self, other: &ImportCounts) {
        self.applied += other.applied;
        self.unchanged += other.unchanged;
        self.repeated += other.repeated;
        self.filtered += other.filtered;
        self.quarantined += other.quarantined;
    }

    /// A line for each kind that occurred.
    pub(super) fn lines(&self) -> Vec<Message> {
        let kinds = [
            ("exchange-applied", self.applied),
            ("exchange-unchanged", self.unchanged),
            ("exchange-repeated", self.repeated),
            ("exchange-filtered", self.filtered),
            ("exchange-quarantined", self.quarantined),
        ];
        kinds
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(id, count)| Message::new(id).with("count", count))
            .collect()
    }
}

/// What the pipeline tells of its progress.
pub trait Progress: Send + Sync + 'static {
    /// How far the envelope at `position` is.
    fn of(&self, position: Position) -> ImportProgress;

    /// Changes whenever the answer for some position may have changed (the checkpoint moved).
    fn subscribe(&self) -> tokio::sync::watch::Receiver<Position>;
}
