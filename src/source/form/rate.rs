//! Rate limits of one source: for all senders together, and for each remote address.
//!
//! The ticks are those of a monotonic clock, never of the wall clock: a correction of the wall
//! clock by an hour would otherwise refuse every lead of that hour.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, Reference};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::InMemoryState;
use governor::state::direct::NotKeyed;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::base::limits::RATE_ADDRESSES_MAX;

/// So many requests a minute, and so many at once after a quiet time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a minute in the long run.
    pub per_minute: NonZeroU32,
    /// Requests at once.
    pub burst: NonZeroU32,
}

impl Rate {
    /// `None` when one of them is 0.
    pub fn new(per_minute: u32, burst: u32) -> Option<Rate> {
        Some(Rate { per_minute: NonZeroU32::new(per_minute)?, burst: NonZeroU32::new(burst)? })
    }

    fn quota(self) -> Quota {
        Quota::per_minute(self.per_minute).allow_burst(self.burst)
    }
}

/// Limits of one source; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// All senders together.
    pub source: Option<Rate>,
    /// Each remote address. Leave it out where one address sends for everybody (Tilda, a proxy
    /// that is not declared as trusted).
    pub address: Option<Rate>,
}

impl Rates {
    /// No limits.
    pub const NONE: Rates = Rates { source: None, address: None };
}

/// A monotonic clock, or one that a test moves.
#[derive(Debug, Clone)]
pub enum Ticks {
    /// Time since the source was made.
    Monotonic(Instant),
    /// Milliseconds, moved by hand.
    Manual(Arc<AtomicU64>),
}

impl Ticks {
    /// The machine's monotonic clock.
    pub fn monotonic() -> Ticks {
        Ticks::Monotonic(Instant::now())
    }
}

impl Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        match self {
            Ticks::Monotonic(start) => start.elapsed().into(),
            Ticks::Manual(ms) => Duration::from_millis(ms.load(Ordering::SeqCst)).into(),
        }
    }
}

type SourceLimiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>;
type AddressLimiter = RateLimiter<IpAddr, DashMapStateStore<IpAddr>, Ticks, NoOpMiddleware<Nanos>>;

/// The state of the limits of one source.
#[derive(Debug)]
pub(super) struct Limiter {
    ticks: Ticks,
    source: Option<SourceLimiter>,
    addresses: Option<AddressLimiter>,
}

/// Who is over the limit, and when to come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exceeded {
    pub(super) by_address: bool,
    pub(super) retry_after_s: u32,
}

impl Limiter {
    pub(super) fn new(rates: Rates, ticks: Ticks) -> Limiter {
        let source = |rate: Rate| RateLimiter::new(rate.quota(), InMemoryState::default(), ticks.clone());
        let addresses = |rate: Rate| RateLimiter::new(rate.quota(), DashMapStateStore::default(), ticks.clone());
        Limiter { source: rates.source.map(source), addresses: rates.address.map(addresses), ticks: ticks.clone() }
    }

    /// Counts one request. The address goes first, so that one noisy sender does not use up what
    /// the source has for all.
    pub(super) fn check(&self, remote: IpAddr) -> Result<(), Exceeded> {
        if let Some(addresses) = &self.addresses {
            let key = self.key(addresses, remote);
            addresses.check_key(&key).map_err(|until| self.exceeded(true, until.earliest_possible()))?;
        }
        if let Some(source) = &self.source {
            source.check().map_err(|until| self.exceeded(false, until.earliest_possible()))?;
        }
        Ok(())
    }

    /// Forgets addresses whose allowance is whole again. To be called now and then.
    pub(super) fn forget_idle(&self) {
        if let Some(addresses) = &self.addresses {
            addresses.retain_recent();
            addresses.shrink_to_fit();
        }
    }

    /// An IPv6 sender owns a whole /64: that is what is counted.
    /// Bound: when `RATE_ADDRESSES_MAX` are known, everybody shares one allowance.
    fn key(&self, addresses: &AddressLimiter, remote: IpAddr) -> IpAddr {
        if addresses.len() >= RATE_ADDRESSES_MAX {
            addresses.retain_recent();
            if addresses.len() >= RATE_ADDRESSES_MAX {
                return IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            }
        }
        match remote {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        }
    }

    fn exceeded(&self, by_address: bool, possible_at: Nanos) -> Exceeded {
        let wait: Duration = possible_at.duration_since(self.ticks.now()).into();
        // Rounded up: coming back at the very second must succeed.
        let seconds = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Exceeded { by_address, retry_after_s: seconds.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("a literal address")
    }

    /// Sends at the given instants (ms) from the given addresses; tells what is let through.
    fn check(rates: Rates, sent: &[(u64, &str)], expected: &str) {
        let ms = Arc::new(AtomicU64::new(0));
        let limiter = Limiter::new(rates, Ticks::Manual(ms.clone()));
        let verdict = |(at, from): &(u64, &str)| {
            ms.store(*at, Ordering::SeqCst);
            match limiter.check(address(from)) {
                Ok(()) => "ok".to_owned(),
                Err(Exceeded { by_address: true, retry_after_s }) => format!("address {retry_after_s}"),
                Err(Exceeded { by_address: false, retry_after_s }) => format!("source {retry_after_s}"),
            }
        };
        assert_eq!(sent.iter().map(verdict).collect::<Vec<_>>().join(", "), expected);
    }

    #[test]
    fn limits_count_per_address_and_for_all() {
        let per_address = Rates { source: None, address: Rate::new(6, 2) };
        let one = "10.0.0.1";
        check(per_address, &[(0, one), (0, one), (0, one), (0, "10.0.0.2")], "ok, ok, address 10, ok");
        check(
            per_address,
            &[(0, one), (0, one), (0, one), (10_000, one), (10_000, one)],
            "ok, ok, address 10, ok, address 10",
        );
        let neighbours = [(0, "2001:db8::1"), (0, "2001:db8::2"), (0, "2001:db8::3"), (0, "2001:db8:0:1::1")];
        check(per_address, &neighbours, "ok, ok, address 10, ok");

        let for_all = Rates { source: Rate::new(60, 1), address: None };
        check(for_all, &[(0, one), (0, "10.0.0.2"), (1_000, "10.0.0.3")], "ok, source 1, ok");
        check(Rates::NONE, &[(0, one), (0, one), (0, one)], "ok, ok, ok");
    }

    #[test]
    fn idle_addresses_are_forgotten() {
        let ms = Arc::new(AtomicU64::new(0));
        let rates = Rates { source: None, address: Rate::new(60, 1) };
        let limiter = Limiter::new(rates, Ticks::Manual(ms.clone()));
        for index in 0..50 {
            limiter.check(IpAddr::V4(Ipv4Addr::new(10, 0, 0, index))).expect("the first of each");
        }
        let known = |limiter: &Limiter| limiter.addresses.as_ref().map_or(0, |it| it.len());
        assert_eq!(known(&limiter), 50);
        ms.store(120_000, Ordering::SeqCst);
        limiter.forget_idle();
        assert_eq!(known(&limiter), 0);
    }
}
