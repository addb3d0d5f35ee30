//! When the next attempt is due.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

use crate::base::Timestamp;
use crate::base::checksum::Fingerprint;
use crate::base::limits::{DELIVERY_ATTEMPTS_MAX, RETRY_AFTER_MAX_MS};
use crate::entry::ObjectRef;

/// Wait after the first failed attempt, ms.
const FIRST_WAIT_MS: u64 = 5_000;
/// Each wait to the one before.
const MULTIPLIER: f64 = 2.0;

/// Spreads deliveries that failed together: 0 to 9999. Derived, not drawn: a rebuild must give
/// the same instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Jitter(u16);

impl Jitter {
    /// The shortest wait.
    pub const NONE: Jitter = Jitter(0);

    /// Ten-thousandths; more than 9999 counts as 9999.
    pub fn new(ten_thousandths: u16) -> Jitter {
        Jitter(ten_thousandths.min(9_999))
    }

    /// Of an object and the number of its attempts.
    pub fn of(object: ObjectRef, attempts: u32) -> Jitter {
        let fingerprint = Fingerprint::of_parts([object.to_string().as_bytes(), &attempts.to_le_bytes()]);
        Jitter(u16::from_le_bytes([fingerprint.0[0], fingerprint.0[1]]) % 10_000)
    }
}

/// When to try again after the `attempts`-th failure (from 1): 5 s, 10 s, 20 s and so on up to
/// the bound, each spread to between 3/4 and 5/4 of itself.
pub fn schedule(attempts: u32, now: Timestamp, jitter: Jitter) -> Timestamp {
    let wait_ms = wait_ms(attempts);
    let spread = wait_ms * 3 / 4 + wait_ms / 2 * i64::from(jitter.0) / 10_000;
    now.plus_ms(spread.clamp(1, RETRY_AFTER_MAX_MS))
}

/// The wait after so many failures, before it is spread.
///
/// `backoff` is named by the customer; its random part is switched off (factor 0) and its clock
/// decides nothing (no `max_elapsed_time`), which leaves a function of the number of attempts.
/// All its intermediate values are whole milliseconds times powers of two: exact everywhere.
fn wait_ms(attempts: u32) -> i64 {
    let mut backoff = ExponentialBackoff {
        current_interval: Duration::from_millis(FIRST_WAIT_MS),
        initial_interval: Duration::from_millis(FIRST_WAIT_MS),
        randomization_factor: 0.0,
        multiplier: MULTIPLIER,
        max_interval: Duration::from_millis(RETRY_AFTER_MAX_MS.unsigned_abs()),
        max_elapsed_time: None,
        ..ExponentialBackoff::default()
    };
    let mut wait = Duration::from_millis(FIRST_WAIT_MS);
    // Bound: more attempts than this are never made.
    for _ in 0..attempts.clamp(1, DELIVERY_ATTEMPTS_MAX) {
        wait = backoff.next_backoff().unwrap_or(wait);
    }
    i64::try_from(wait.as_millis()).unwrap_or(RETRY_AFTER_MAX_MS).min(RETRY_AFTER_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound() {
        let waits: Vec<i64> = (1..=14).map(wait_ms).collect();
        let seconds: Vec<i64> = waits.iter().map(|it| it / 1_000).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 5_120, 10_240, 20_480, 21_600]);
        assert_eq!(wait_ms(0), 5_000);
        assert_eq!(wait_ms(u32::MAX), RETRY_AFTER_MAX_MS);
        assert!(waits.iter().all(|it| it % 1_000 == 0), "{waits:?}");
        let lasts_ms: i64 = (1..DELIVERY_ATTEMPTS_MAX).map(wait_ms).sum();
        assert!(lasts_ms > 47 * 3_600_000, "the attempts of a delivery last for two days: {lasts_ms}");
    }

    #[test]
    fn the_same_delivery_waits_the_same_on_every_machine() {
        use crate::base::{DealId, ItemRef, Position};
        let deal = ObjectRef::Deal(DealId::derive(ItemRef::new(Position(7), 0), 0));
        assert_eq!(Jitter::of(deal, 1), Jitter::of(deal, 1));
        assert_ne!(Jitter::of(deal, 1), Jitter::of(deal, 2));
        let now = Timestamp(1_000);
        assert_eq!(schedule(1, now, Jitter::NONE), now.plus_ms(3_750));
        assert_eq!(schedule(1, now, Jitter::new(5_000)), now.plus_ms(5_000));
        assert_eq!(schedule(1, now, Jitter::new(60_000)), now.plus_ms(6_249));
    }
}
