//! When each source was last heard of.

use std::collections::BTreeMap;

use crate::base::limits::{MICRO_BATCH_BYTES_MAX, PROBE_ENTRIES_MAX};
use crate::base::{Position, Slug, Timestamp};
use crate::entry::{Entry, Kind};
use crate::journal::Journal;

/// Entries read at once.
const STEP: u64 = 512;

/// The newest envelope of every connection among the newest entries of the journal. An entry that
/// does not read is passed over: `uzel journal verify` reports it.
pub fn last_heard(journal: &dyn Journal) -> BTreeMap<Slug, Timestamp> {
    let mut heard = BTreeMap::new();
    let (head, first) = (journal.head().0, journal.first().0.max(1));
    // Bound: PROBE_ENTRIES_MAX.
    let oldest = head.saturating_sub(PROBE_ENTRIES_MAX).max(first);
    let mut from = head + 1;
    while from > oldest {
        let end = from;
        from = end.saturating_sub(STEP).max(oldest);
        let mut next = from;
        while next < end {
            let read = journal.read(Position(next), (end - next) as usize, MICRO_BATCH_BYTES_MAX);
            let Some(last) = read.as_ref().ok().and_then(|entries| entries.last()).map(|it| it.position.0) else {
                break;
            };
            next = last + 1;
            for stored in read.into_iter().flatten().filter(|it| it.kind == Kind::Received && it.position.0 < end) {
                if let Ok(Entry::Received(received)) = Entry::decode(stored.kind, &stored.payload) {
                    let at = heard.entry(received.connection).or_insert(stored.at);
                    *at = (*at).max(stored.at);
                }
            }
        }
    }
    heard
}
