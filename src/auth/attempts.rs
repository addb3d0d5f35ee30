//! Patience with whoever does not know a secret: failures of late, by remote address.
//!
//! After [`LOGIN_FAILURES_MAX`] of them within [`LOGIN_WINDOW_MS`] an address is refused without a
//! look until the oldest are forgotten. Times are the caller's, so that tests need not wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::Timestamp;
use crate::base::limits::{LOGIN_ADDRESSES_MAX, LOGIN_FAILURES_MAX, LOGIN_WINDOW_MS};

/// See the module.
#[derive(Debug, Default)]
pub struct Attempts {
    failures: Mutex<HashMap<Option<IpAddr>, Vec<Timestamp>>>,
}

impl Attempts {
    /// Whether another try of this address is looked at.
    pub fn may_try(&self, remote: Option<IpAddr>, now: Timestamp) -> bool {
        let all = self.lock();
        let failures = all.get(&remote).map_or(0, |list| list.iter().filter(|at| is_recent(at, now)).count());
        // Bound: LOGIN_FAILURES_MAX within LOGIN_WINDOW_MS.
        failures < LOGIN_FAILURES_MAX
    }

    /// The address knew the secret: its failures are forgotten.
    pub fn succeeded(&self, remote: Option<IpAddr>) {
        self.lock().remove(&remote);
    }

    /// The address did not know it.
    pub fn failed(&self, remote: Option<IpAddr>, now: Timestamp) {
        let mut all = self.lock();
        all.retain(|_, list| list.iter().any(|at| is_recent(at, now)));
        // Bound: LOGIN_ADDRESSES_MAX; the address silent for longest is forgotten.
        if all.len() >= LOGIN_ADDRESSES_MAX && !all.contains_key(&remote) {
            let oldest = all.iter().min_by_key(|(_, list)| list.last().copied()).map(|(address, _)| *address);
            oldest.and_then(|address| all.remove(&address));
        }
        let list = all.entry(remote).or_default();
        list.retain(|at| is_recent(at, now));
        list.push(now);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, Vec<Timestamp>>> {
        // Each change leaves the map whole.
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_recent(at: &Timestamp, now: Timestamp) -> bool {
    now.ms_since(*at).abs() < LOGIN_WINDOW_MS
}
