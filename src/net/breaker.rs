//! A circuit breaker per foreign host, as a pure state machine.
//!
//! ```text
//!   Closed --(FAILURES_MAX failures in a row)--> Open --(its pause is over)--> Probing
//!     ^                                            ^                             |  |
//!     |                                            +------(it failed)------------+  |
//!     +-----------------------------(it was answered)-------------------------------+
//! ```
//!
//! A failure is a link that does not come about or breaks, or an answer that only a broken system
//! gives (5xx). An answer of any other kind, also one that refuses or asks to wait for its quota, is
//! a success: the system lives. While the circuit is open nothing is sent, so nothing that waits
//! eats its attempts; then ONE request goes, and what becomes of it decides. Each pause is twice the
//! one before, up to a bound.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::base::{Message, Timestamp};

/// Failures in a row that open a circuit.
pub const FAILURES_MAX: u32 = 5;
/// The first pause, ms.
const FIRST_PAUSE_MS: i64 = 30_000;
/// The longest pause, ms.
const PAUSE_MAX_MS: i64 = 10 * 60_000;
/// A probe of which nothing was heard for so long is lost, ms: another goes.
const PROBE_MS: i64 = 3 * 60_000;
/// Hosts whose circuits are kept. At the bound a closed one is forgotten.
const HOSTS_MAX: usize = 1_024;

/// Whether a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// The circuit is closed.
    Go,
    /// One request, to find out.
    Probe,
    /// Nothing before this instant.
    Wait(Timestamp),
}

/// How a circuit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open { until: Timestamp },
    Probing { since: Timestamp },
}

/// The circuit of one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    /// Failures in a row.
    failures: u32,
    /// How often it opened without having been closed.
    opened: u32,
}

impl Breaker {
    /// Closed.
    pub fn new() -> Breaker {
        Breaker { state: State::Closed, failures: 0, opened: 0 }
    }

    /// Whether a request may go now. `Probe` is given to one asker.
    pub fn ask(&mut self, now: Timestamp) -> Leave {
        match self.state {
            State::Closed => Leave::Go,
            // A clock that went back must not keep it open for as long.
            State::Open { until } if until > now && until.ms_since(now) <= PAUSE_MAX_MS => Leave::Wait(until),
            State::Probing { since } if (0..PROBE_MS).contains(&now.ms_since(since)) => Leave::Wait(now.plus_ms(1_000)),
            State::Open { .. } | State::Probing { .. } => {
                self.state = State::Probing { since: now };
                Leave::Probe
            }
        }
    }

    /// The host has answered.
    pub fn succeeded(&mut self) {
        *self = Breaker::new();
    }

    /// The host has failed. Some: until when the circuit is open from now on.
    pub fn failed(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.failures = self.failures.saturating_add(1);
        match self.state {
            // A request that was on its way when it opened says nothing new.
            State::Open { until } => return Some(until),
            State::Closed if self.failures < FAILURES_MAX => return None,
            State::Closed | State::Probing { .. } => {}
        }
        let pause_ms = FIRST_PAUSE_MS.saturating_mul(1 << self.opened.min(10)).min(PAUSE_MAX_MS);
        self.opened = self.opened.saturating_add(1);
        let until = now.plus_ms(pause_ms);
        self.state = State::Open { until };
        Some(until)
    }

    /// The probe could not go before `until` for want of quota: it goes then.
    pub fn put_off(&mut self, until: Timestamp) {
        if let State::Probing { .. } = self.state {
            self.state = State::Open { until };
        }
    }

    /// Whether it is not closed.
    pub fn is_open(&self) -> bool {
        self.state != State::Closed
    }
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker::new()
    }
}

/// The circuits of foreign hosts: whoever writes there and whoever reads there share one. Beside
/// each, why it failed last.
#[derive(Debug, Default)]
pub struct Breakers(Mutex<HashMap<String, (Breaker, Option<Message>)>>);

impl Breakers {
    /// See [`Breaker::ask`].
    pub fn ask(&self, host: &str, now: Timestamp) -> Leave {
        self.with(host, |(breaker, _)| breaker.ask(now))
    }

    /// See [`Breaker::succeeded`].
    pub fn succeeded(&self, host: &str) {
        self.with(host, |circuit| *circuit = Default::default());
    }

    /// See [`Breaker::failed`].
    pub fn failed(&self, host: &str, now: Timestamp, reason: &Message) -> Option<Timestamp> {
        self.with(host, |(breaker, why)| {
            *why = Some(reason.clone());
            breaker.failed(now)
        })
    }

    /// See [`Breaker::put_off`].
    pub fn put_off(&self, host: &str, until: Timestamp) {
        self.with(host, |(breaker, _)| breaker.put_off(until));
    }

    /// Whether one request is finding out whether the host lives.
    pub fn is_probing(&self, host: &str) -> bool {
        self.with(host, |(breaker, _)| matches!(breaker.state, State::Probing { .. }))
    }

    /// Why the host failed last.
    pub fn why(&self, host: &str) -> Option<Message> {
        self.with(host, |(_, why)| why.clone())
    }

    fn with<T>(&self, host: &str, act: impl FnOnce(&mut (Breaker, Option<Message>)) -> T) -> T {
        // A panic elsewhere cannot leave a circuit half changed: its fields are plain numbers.
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !hosts.contains_key(host) && hosts.len() >= HOSTS_MAX {
            let closed = hosts.iter().find(|(_, it)| !it.0.is_open()).map(|(host, _)| host.clone());
            closed.and_then(|host| hosts.remove(&host));
        }
        act(hosts.entry(host.to_owned()).or_default())
    }

    /// Hosts whose circuit is not closed.
    pub fn open(&self) -> Vec<String> {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open: Vec<String> =
            hosts.iter().filter(|(_, it)| it.0.is_open()).map(|(host, _)| host.clone()).collect();
        open.sort_unstable();
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_760_000_000_000);

    fn after(ms: i64) -> Timestamp {
        NOW.plus_ms(ms)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new();
        for _ in 1..FAILURES_MAX {
            assert_eq!(breaker.failed(NOW), None);
            assert_eq!(breaker.ask(NOW), Leave::Go);
        }
        assert_eq!(breaker.failed(NOW), Some(after(30_000)));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_an_answer_between_them_does_not_let_it() {
        let mut breaker = Breaker::new();
        for _ in 0..100 {
            for _ in 1..FAILURES_MAX {
                assert_eq!(breaker.failed(NOW), None);
            }
            breaker.succeeded();
        }
        assert_eq!(breaker.ask(NOW), Leave::Go);
        assert_eq!(opened().ask(after(29_999)), Leave::Wait(after(30_000)));
    }

    #[test]
    fn one_probe_goes_and_decides() {
        let mut breaker = opened();
        assert_eq!(breaker.ask(after(30_000)), Leave::Probe);
        assert_eq!(breaker.ask(after(30_000)), Leave::Wait(after(31_000)), "the second waits for the first");
        breaker.succeeded();
        assert_eq!(breaker.ask(after(30_001)), Leave::Go);
        assert!(!breaker.is_open());
    }

    #[test]
    fn pauses_double_up_to_the_bound() {
        let mut breaker = opened();
        let mut now = after(30_000);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert_eq!(breaker.ask(now), Leave::Probe);
            let until = breaker.failed(now).expect("it opens again");
            pauses.push(until.ms_since(now) / 1_000);
            now = until;
        }
        assert_eq!(pauses, [60, 120, 240, 480, 600, 600, 600]);
    }

    #[test]
    fn a_lost_probe_and_a_clock_set_back_do_not_close_it_for_ever() {
        let mut breaker = opened();
        assert_eq!(breaker.ask(after(30_000)), Leave::Probe);
        assert_eq!(breaker.ask(after(30_000 + PROBE_MS)), Leave::Probe);
        assert_eq!(opened().ask(after(-3_600_000)), Leave::Probe);
    }

    #[test]
    fn what_was_on_its_way_when_it_opened_changes_nothing() {
        let mut breaker = opened();
        for _ in 0..10 {
            assert_eq!(breaker.failed(after(1_000)), Some(after(30_000)));
        }
        assert_eq!(breaker.ask(after(30_000)), Leave::Probe);
        assert_eq!(breaker.failed(after(30_000)), Some(after(90_000)));
    }

    #[test]
    fn hosts_have_circuits_of_their_own() {
        let breakers = Breakers::default();
        for _ in 0..FAILURES_MAX {
            breakers.failed("a.example", NOW, &Message::new("net-cut"));
        }
        assert_eq!(breakers.open(), ["a.example"]);
        assert_eq!(breakers.why("a.example").map(|it| it.id), Some("net-cut".into()));
        assert_eq!(breakers.ask("b.example", NOW), Leave::Go);
        breakers.succeeded("a.example");
        assert!(breakers.open().is_empty());
    }
}
