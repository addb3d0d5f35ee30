//! The pipeline: the single writer that turns the journal into the store.
//!
//! Three threads. The *preparer* reads entries in order, decodes and maps them in parallel under the
//! configuration in force at their position ([`prepare`]), and hands them on in order. The
//! *applier* takes them one by one ([`step`]): identify, merge, decide, score, mark what each sink
//! must learn; a micro-batch becomes ONE atomic commit: rows, indexes, outbox, outcomes and the
//! checkpoint together.
//!
//! Guaranteed here: applying an entry twice changes nothing; every record ends in exactly one
//! outcome; a rebuild of the same entries under the same configurations gives the same rows,
//! because [`step`] reads nothing but the overlay and the prepared entry (no clock, no chance, no
//! files) and ids derive from positions.
//!
//! Deliberately not here: sending anything (that is `sink`, driven by `task`), reading clocks.

mod again;
mod assign;
mod attempts;
mod calls;
mod copies;
mod deals;
mod documents;
mod edits;
pub mod erase;
mod gate;
mod identify;
mod marks;
mod merges;
mod news;
mod payments;
mod polled;
mod prefetch;
mod prepare;
mod rebuild;
mod records;
mod relayed;
pub mod retention;
mod runner;
mod scores;
pub mod snapshot;
mod step;
mod tasks;
mod texts;
mod what_if;
mod words;

use std::sync::Arc;

use crate::base::checksum::Fingerprint;
use crate::base::{Message, Position};
use crate::catalog::Catalog;
use crate::journal::ReadError;
use crate::store::StoreError;
use crate::tables::TableError;

pub use again::{SaidAgain, read_again};
pub use prepare::table_options;
pub use rebuild::{Rebuilt, apply_all, rebuild_into};
pub use runner::{Applied, Pipeline, Running};
pub use what_if::{replay_as_it_was, replay_under};

/// Where compiled configurations are kept beside the journal.
pub trait Configurations: Send + Sync + 'static {
    /// The configuration named `hash`, compiled again from what was kept.
    fn load(&self, hash: Fingerprint) -> Result<Arc<Catalog>, Message>;
}

/// Why the pipeline stopped. Nothing of the failed micro-batch is in the store.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The journal cannot be read from here on.
    #[error("journal")]
    Journal(#[from] ReadError),
    /// The store failed or another writer took over.
    #[error("store")]
    Store(#[from] StoreError),
    /// A row does not read.
    #[error("tables")]
    Table(#[from] TableError),
    /// The configuration in force at a position cannot be had.
    #[error("configuration at position {position}: {message}")]
    Configuration {
        /// Where it took force.
        position: Position,
        /// Why it cannot be had, and the next step.
        message: Message,
    },
}
