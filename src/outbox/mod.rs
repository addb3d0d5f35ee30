//! The outbox: what each sink still has to be told. Pure: states in, states out.
//!
//! ```text
//!            want                started               done (newer wanted: Due again)
//!   (none) ------> Due --------------------> InFlight -------> (none)
//!                   ^  \                     |   |  \
//!      RetryAt, Gone|   \ failed             |   |   \ restarted, Uncertain
//!                   +----+-------------------+   |    +----------> Uncertain --> found, or
//!                         \                      |                               started again
//!                          +--> Dead <-----------+
//! ```
//!
//! An update is not marked `started`: it can be repeated, so only creates stand `InFlight`.
//!
//! Guaranteed: terminal states (`Dead`, `Discarded`) are left only by a person's command
//! ([`resend`], [`discard`]), or when the object itself changes after it was refused for its data
//! or given up ([`want`]). `Uncertain` is left only by an answer that says what became of the
//! object. The number of attempts is bounded. Not here: what is sent (`sink`), where rows lie
//! (`tables`), and the instant, which is given.

use crate::base::limits::{DELIVERY_ATTEMPTS_MAX, RETRY_AFTER_MAX_MS};
use crate::base::{Message, Position, Timestamp};
use crate::entry::Verdict;
use crate::model::{Delivery, DeliveryState, Fault};

mod difference;
mod schedule;

pub use difference::{difference, is_same};
pub use schedule::{Jitter, schedule};

/// The object changed: the sink must learn at least `version`.
pub fn want(row: Option<Delivery>, version: Position, now: Timestamp) -> Delivery {
    let due = DeliveryState::Due { at: now };
    let Some(mut row) = row else {
        return Delivery { state: due, wanted_since: now, wanted: version, attempts: 0, last_reason: None };
    };
    row.wanted = row.wanted.max(version);
    match row.state {
        // The schedule stays: news must not turn a wait into a storm.
        DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => row,
        // What was refused or given up was another state of the object.
        DeliveryState::Dead { fault: Fault::Data, .. } | DeliveryState::Discarded => {
            Delivery { state: due, wanted_since: now, attempts: 0, last_reason: None, ..row }
        }
        DeliveryState::Dead { fault: Fault::Connection | Fault::Sink | Fault::Uzel, .. } => row,
    }
}

/// A request that is not idempotent is about to be sent; its entry stands at `attempting`.
pub fn started(row: Delivery, attempting: Position) -> Delivery {
    match row.state {
        DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => {
            Delivery { state: DeliveryState::InFlight { attempting }, ..row }
        }
        DeliveryState::Dead { .. } | DeliveryState::Discarded => row,
    }
}

/// The sink confirmed `version`. `None`: it knows all that it must.
pub fn done(row: Delivery, version: Position, now: Timestamp) -> Option<Delivery> {
    match row.state {
        DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => {
            let behind = row.wanted > version;
            let due = DeliveryState::Due { at: now };
            behind.then_some(Delivery { state: due, attempts: 0, last_reason: None, ..row })
        }
        DeliveryState::Dead { .. } | DeliveryState::Discarded => Some(row),
    }
}

/// The sink was looked into and does not have the object; it was not created yet. An uncertain
/// delivery is certain again.
pub fn not_found(row: Delivery, now: Timestamp) -> Delivery {
    match row.state {
        DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => {
            Delivery { state: DeliveryState::Due { at: now }, ..row }
        }
        DeliveryState::Due { .. } | DeliveryState::Dead { .. } | DeliveryState::Discarded => row,
    }
}

/// The sink did not confirm. `settle_ms`: how long a request whose answer was lost may still be at
/// work there; looking earlier could find nothing, and the object would be made twice.
pub fn failed(
    row: Delivery,
    verdict: Verdict,
    reason: Message,
    now: Timestamp,
    jitter: Jitter,
    settle_ms: i64,
) -> Delivery {
    let was_uncertain = match row.state {
        DeliveryState::Dead { .. } | DeliveryState::Discarded => return row,
        DeliveryState::Uncertain { .. } => true,
        DeliveryState::Due { .. } | DeliveryState::InFlight { .. } => false,
    };
    let attempts = row.attempts.saturating_add(1);
    let scheduled = schedule(attempts, now, jitter);
    let dead = |fault| DeliveryState::Dead { fault, reason: reason.clone(), since: now };
    let spent = attempts >= DELIVERY_ATTEMPTS_MAX;
    let state = match verdict {
        Verdict::RejectObject => dead(Fault::Data),
        Verdict::RejectConnection => dead(Fault::Connection),
        Verdict::AskPerson => dead(Fault::Sink),
        // Bound: every verdict that leads to another attempt ends here.
        Verdict::RetryAt(_) | Verdict::Uncertain | Verdict::Gone if spent => dead(Fault::Sink),
        Verdict::Uncertain => DeliveryState::Uncertain { at: scheduled.max(now.plus_ms(settle_ms)) },
        Verdict::Gone => DeliveryState::Due { at: scheduled },
        Verdict::RetryAt(at) => {
            let at = at.min(now.plus_ms(RETRY_AFTER_MAX_MS)).max(scheduled);
            // A look that failed has found nothing out.
            if was_uncertain { DeliveryState::Uncertain { at } } else { DeliveryState::Due { at } }
        }
    };
    Delivery { state, attempts, last_reason: Some(reason), ..row }
}

/// The process ended between a request and its answer. The request was begun at `begun` and may be
/// at work there for `settle_ms`, however soon the process is up again.
pub fn restarted(row: Delivery, begun: Timestamp, settle_ms: i64) -> Delivery {
    match row.state {
        DeliveryState::InFlight { .. } => {
            Delivery { state: DeliveryState::Uncertain { at: begun.plus_ms(settle_ms) }, ..row }
        }
        DeliveryState::Due { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dead { .. }
        | DeliveryState::Discarded => row,
    }
}

/// A person says: try again now. What is uncertain stays so: it is looked up first. A request on
/// its way is let be.
pub fn resend(row: Delivery, now: Timestamp) -> Delivery {
    let state = match row.state {
        DeliveryState::InFlight { .. } => return row,
        DeliveryState::Uncertain { .. } => DeliveryState::Uncertain { at: now },
        DeliveryState::Due { .. } | DeliveryState::Dead { .. } | DeliveryState::Discarded => {
            DeliveryState::Due { at: now }
        }
    };
    Delivery { state, attempts: 0, last_reason: None, ..row }
}

/// The object was deleted in the sink: a person says whether it is to be made anew ([`resend`]).
pub fn gone(row: Delivery, now: Timestamp) -> Delivery {
    match row.state {
        DeliveryState::Discarded => row,
        DeliveryState::Due { .. }
        | DeliveryState::InFlight { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Dead { .. } => {
            let reason = Message::new("poll-deleted-there");
            let state = DeliveryState::Dead { fault: Fault::Data, reason: reason.clone(), since: now };
            Delivery { state, last_reason: Some(reason), ..row }
        }
    }
}

/// Whether the delivery waits for a person because the object was deleted there.
pub fn is_gone(row: &Delivery) -> bool {
    match &row.state {
        DeliveryState::Dead { reason, .. } => reason.id == "poll-deleted-there",
        DeliveryState::Due { .. }
        | DeliveryState::InFlight { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Discarded => false,
    }
}

/// Whether only a person makes the delivery go on.
pub fn is_given_up(row: &Delivery) -> bool {
    match &row.state {
        DeliveryState::Dead { .. } | DeliveryState::Discarded => true,
        DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => false,
    }
}

/// A person gives the delivery up.
pub fn discard(row: Delivery) -> Delivery {
    Delivery { state: DeliveryState::Discarded, ..row }
}

/// When the delivery is to be tried; `None` when it waits for an answer or a person.
pub fn due_at(row: &Delivery) -> Option<Timestamp> {
    match &row.state {
        DeliveryState::Due { at } | DeliveryState::Uncertain { at } => Some(*at),
        DeliveryState::InFlight { .. } | DeliveryState::Dead { .. } | DeliveryState::Discarded => None,
    }
}
