//! Time passes: deals whose score changes by time alone are due, new leads lie untouched, keys
//! expire.
//!
//! A tick is a journal entry, so that a rebuild sees the same time pass. To keep the journal free
//! of noise one is written only when something is due, and once a night.

use std::str::FromStr as _;

use cron::Schedule;
use tracing::error;

use super::Ground;
use crate::base::Timestamp;
use crate::base::limits::TICK_CHECK_MS;
use crate::entry::{Entry, Ticked};
use crate::tables::{Due, Meta, Reader, Span, TableError, Watches};

/// Every night at five past midnight, UTC: what no due time names (expired keys).
const NIGHTLY: &str = "0 5 0 * * *";

/// The schedule of the nightly tick.
pub struct Nightly(Schedule);

impl Nightly {
    /// The built-in schedule.
    pub fn standard() -> Nightly {
        Nightly(Schedule::from_str(NIGHTLY).expect("a literal schedule reads"))
    }

    /// The first instant of the schedule after `at`.
    pub fn after(&self, at: Timestamp) -> Option<Timestamp> {
        let at = chrono::DateTime::from_timestamp_millis(at.0)?;
        self.0.after(&at).next().map(|next| Timestamp(next.timestamp_millis()))
    }
}

/// Whether a tick is to be written now: something is due, or a night has passed since journal time.
pub fn is_due(reader: &Reader<'_>, nightly: &Nightly, now: Timestamp) -> Result<bool, TableError> {
    let first = reader.range(&Span::<Due>::all(), false, 1)?.pop();
    if first.is_some_and(|((at, _), _)| at <= now) {
        return Ok(true);
    }
    let watched = reader.range(&Span::<Watches>::all(), false, 1)?.pop();
    if watched.is_some_and(|((at, _), _)| at <= now) {
        return Ok(true);
    }
    let Some(meta) = reader.get::<Meta>(&())? else { return Ok(false) };
    Ok(nightly.after(meta.journal_time).is_some_and(|night| night <= now))
}

/// Runs until the daemon stops.
pub async fn run(mut ground: Ground) {
    let nightly = Nightly::standard();
    let mut applied = ground.pipeline.applied();
    while !ground.stopping() {
        let now = ground.clock.now();
        let due = is_due(&Reader::new(ground.store.as_ref()), &nightly, now);
        match due {
            Ok(false) => ground.rest(TICK_CHECK_MS).await,
            Ok(true) => match ground.append(&Entry::Ticked(Ticked { at: now })).await {
                // The next look is worth it only once this tick is applied.
                Ok(position) => {
                    while *applied.borrow_and_update() < position && !ground.stopping() {
                        ground.nudged(&mut applied, TICK_CHECK_MS).await;
                    }
                }
                Err(_) => ground.rest(TICK_CHECK_MS).await,
            },
            Err(error) => {
                error!(%error, "what is due cannot be read");
                ground.rest(TICK_CHECK_MS).await;
            }
        }
    }
}
