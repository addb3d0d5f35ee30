//! Requests in time, below the foreign limit, so that the foreign system never has to say no.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::Breakers;
use crate::base::Timestamp;
use crate::base::limits::RETRY_AFTER_MAX_MS;

/// Hosts whose buckets are kept. At the bound the bucket that has rested longest is forgotten.
const HOSTS_MAX: usize = 1_024;

/// Requests that the lower lane leaves to the upper one: what a new lead with contact, deal and
/// comment needs.
const RESERVE_MAX: i64 = 10;

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Now.
    Go,
    /// After so many milliseconds; ask again then.
    Wait(i64),
}

/// A bucket of tokens as a pure state machine: a token comes back every `interval`, `burst` of
/// them at the most. Kept as the instant at which the bucket would be full of requests (GCRA), so
/// that nothing has to run between requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limiter {
    /// Microseconds per request.
    interval_us: i64,
    burst: i64,
    /// When all requests so far will have drained, microseconds since the epoch.
    drained_at_us: i64,
    /// Nothing goes before this instant: the foreign system said so.
    closed_until: Timestamp,
}

impl Limiter {
    /// `requests` per `per_ms` milliseconds, `burst` at once after a rest. Zeros count as ones.
    pub fn new(requests: u32, per_ms: u32, burst: u32) -> Limiter {
        let interval_us = (i64::from(per_ms.max(1)) * 1_000 / i64::from(requests.max(1))).max(1);
        Limiter { interval_us, burst: i64::from(burst.max(1)), drained_at_us: 0, closed_until: Timestamp::ZERO }
    }

    /// Takes a token, or says how long to wait for one.
    pub fn take(&mut self, now: Timestamp) -> Take {
        if now < self.closed_until {
            return Take::Wait(self.closed_until.ms_since(now));
        }
        let now_us = now.0.saturating_mul(1_000);
        // A clock set back must not close the sink for as long as it was set back: a bucket can
        // never hold more than its burst.
        let fullest = now_us.saturating_add(self.interval_us * self.burst);
        self.drained_at_us = self.drained_at_us.clamp(now_us, fullest);
        let after = self.drained_at_us + self.interval_us;
        if after <= fullest {
            self.drained_at_us = after;
            return Take::Go;
        }
        let wait_us = after - fullest;
        Take::Wait((wait_us + 999) / 1_000)
    }

    /// Takes a token only while enough are left for those who must not wait: reading goes in this
    /// lane, so that a fresh lead is told at once however much is being read.
    pub fn take_lower(&mut self, now: Timestamp) -> Take {
        let reserve = (self.burst / 2).min(RESERVE_MAX);
        let whole = self.burst;
        self.burst -= reserve;
        // Above the smaller bucket by what the upper lane has taken: that drains first.
        let now_us = now.0.saturating_mul(1_000);
        let drained_at_us = self.drained_at_us.min(now_us.saturating_add(self.interval_us * whole));
        self.drained_at_us = drained_at_us;
        let fullest = now_us.saturating_add(self.interval_us * self.burst);
        let take = match drained_at_us > fullest && now >= self.closed_until {
            true => Take::Wait((drained_at_us + self.interval_us - fullest + 999) / 1_000),
            false => self.take(now),
        };
        self.burst = whole;
        take
    }

    /// The foreign system said that its bucket is full: ours is empty from now, and nothing goes
    /// before `until`.
    pub fn close(&mut self, now: Timestamp, until: Timestamp) {
        let until = until.min(now.plus_ms(RETRY_AFTER_MAX_MS));
        self.closed_until = self.closed_until.max(until);
        self.drained_at_us = now.max(until).0.saturating_mul(1_000).saturating_add(self.interval_us * (self.burst - 1));
    }
}

/// The buckets of foreign hosts. Limits are counted there per host and address, not per key, so
/// all connections to one host share one bucket; the first to come names its size.
#[derive(Debug, Default)]
pub struct Quotas {
    hosts: Mutex<HashMap<String, Limiter>>,
    breakers: Breakers,
}

impl Quotas {
    /// Without hosts yet.
    pub fn new() -> Quotas {
        Quotas::default()
    }

    /// The circuits of the hosts.
    pub fn breakers(&self) -> &Breakers {
        &self.breakers
    }

    /// Takes a token of `host`; `make` gives its bucket when it is new.
    pub fn take(&self, host: &str, make: impl FnOnce() -> Limiter, now: Timestamp) -> Take {
        self.with(host, make, |limiter| limiter.take(now))
    }

    /// See [`Limiter::take_lower`].
    pub fn take_lower(&self, host: &str, make: impl FnOnce() -> Limiter, now: Timestamp) -> Take {
        self.with(host, make, |limiter| limiter.take_lower(now))
    }

    /// See [`Limiter::close`].
    pub fn close(&self, host: &str, make: impl FnOnce() -> Limiter, now: Timestamp, until: Timestamp) {
        self.with(host, make, |limiter| limiter.close(now, until));
    }

    fn with<T>(&self, host: &str, make: impl FnOnce() -> Limiter, act: impl FnOnce(&mut Limiter) -> T) -> T {
        // A panic elsewhere cannot leave a bucket half changed: its fields are plain numbers.
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(host) {
            if hosts.len() >= HOSTS_MAX {
                let rested =
                    hosts.iter().min_by_key(|(_, limiter)| limiter.drained_at_us).map(|(host, _)| host.clone());
                rested.and_then(|host| hosts.remove(&host));
            }
            hosts.insert(host.to_owned(), make());
        }
        act(hosts.get_mut(host).expect("it was there or was just put there"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000);

    #[test]
    fn a_rested_bucket_gives_its_burst_and_then_its_rate() {
        let mut limiter = Limiter::new(2, 1_000, 3);
        for _ in 0..3 {
            assert_eq!(limiter.take(START), Take::Go);
        }
        assert_eq!(limiter.take(START), Take::Wait(500));
        assert_eq!(limiter.take(START.plus_ms(499)), Take::Wait(1));
        assert_eq!(limiter.take(START.plus_ms(500)), Take::Go);
        assert_eq!(limiter.take(START.plus_ms(500)), Take::Wait(500));
        for _ in 0..3 {
            assert_eq!(limiter.take(START.plus_ms(60_000)), Take::Go);
        }
        assert_eq!(limiter.take(START.plus_ms(60_000)), Take::Wait(500));
    }

    #[test]
    fn the_lower_lane_leaves_room_and_loses_no_rate() {
        let mut limiter = Limiter::new(2, 1_000, 40);
        for _ in 0..30 {
            assert_eq!(limiter.take_lower(START), Take::Go);
        }
        assert_eq!(limiter.take_lower(START), Take::Wait(500));
        // A lead comes: ten requests at once, whatever is being read.
        for _ in 0..10 {
            assert_eq!(limiter.take(START), Take::Go);
        }
        assert_eq!(limiter.take(START), Take::Wait(500));
        assert_eq!(limiter.take_lower(START), Take::Wait(5_500));
        let mut at = START.plus_ms(5_500);
        for _ in 0..100 {
            assert_eq!(limiter.take_lower(at), Take::Go, "the whole rate is there for reading");
            at = at.plus_ms(500);
        }
    }

    #[test]
    fn a_closed_bucket_opens_empty() {
        let mut limiter = Limiter::new(2, 1_000, 40);
        limiter.close(START, START.plus_ms(5_000));
        assert_eq!(limiter.take(START), Take::Wait(5_000));
        assert_eq!(limiter.take(START.plus_ms(5_000)), Take::Go);
        assert_eq!(limiter.take(START.plus_ms(5_000)), Take::Wait(500));
    }

    #[test]
    fn a_clock_set_back_does_not_stop_the_sink() {
        let mut limiter = Limiter::new(1, 1_000, 2);
        assert_eq!(limiter.take(START.plus_ms(3_600_000)), Take::Go);
        assert_eq!(limiter.take(START), Take::Wait(1_000));
        assert_eq!(limiter.take(START.plus_ms(1_000)), Take::Go);
    }

    #[test]
    fn connections_to_one_host_share_a_bucket() {
        let quotas = Quotas::new();
        let bucket = || Limiter::new(1, 1_000, 1);
        assert_eq!(quotas.take("a.bitrix24.ru", bucket, START), Take::Go);
        assert_eq!(quotas.take("a.bitrix24.ru", bucket, START), Take::Wait(1_000));
        assert_eq!(quotas.take("b.bitrix24.ru", bucket, START), Take::Go);
    }
}
