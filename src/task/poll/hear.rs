//! A connection that works by tokens asks the foreign system to tell of changes: at our address, where
//! there is one, and in a queue that is emptied, where the system has one. What comes is hints: the
//! rows are read, and the regular look sees what no hint told of.
//!
//! A portion of the queue goes there only after everything that it names was read; killed in
//! between, it is lost with us, and the regular look sees it.

use std::collections::BTreeMap;

use compact_str::CompactString;
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Follower, Ledger, Way};
use crate::base::limits::{POLL_BOUND_EVERY_MS, POLL_REST_MS};
use crate::base::{Secret, Timestamp};
use crate::connector::HintSpec;
use crate::source::binding::Taken;
use crate::source::poll::{Cause, Pause};

/// What a connection that works by tokens is told by.
pub struct Listening {
    /// Where messages come to us; `None`: nobody is told of it.
    address: Option<Secret>,
    /// Changes when a person has agreed: what was refused before is asked for again.
    agreed: watch::Receiver<u64>,
    /// When our address is bound (again).
    bind_at: Timestamp,
    /// When the queue is bound (again).
    queue_at: Timestamp,
    /// When the queue is looked at.
    take_at: Timestamp,
    /// What was taken and is not seen to yet.
    taken: Option<Taken>,
}

impl Listening {
    /// Not asked for yet. `address`: where messages come to us from outside.
    pub fn new(address: Option<Secret>, agreed: watch::Receiver<u64>) -> Listening {
        let now = Timestamp::ZERO;
        Listening { address, agreed, bind_at: now, queue_at: now, take_at: now, taken: None }
    }
}

impl<L: Ledger> Follower<L> {
    /// Told by a system that knows tokens.
    #[must_use]
    pub fn listening(self, listening: Listening) -> Follower<L> {
        Follower { listening: Some(listening), ..self }
    }

    /// Binds what is to be bound, and takes what the queue holds. Whether it may hold more.
    pub(super) async fn hear(&mut self) -> bool {
        let connector = self.connector.clone();
        let Some(spec) = &connector.hints else { return false };
        let Some(mut listening) = self.listening.take() else { return false };
        if listening.agreed.has_changed().unwrap_or(false) {
            listening.agreed.mark_unchanged();
            (listening.bind_at, listening.queue_at) = (Timestamp::ZERO, Timestamp::ZERO);
            self.due.clear();
        }
        self.bind(spec, &mut listening).await;
        let more = self.empty_queue(spec, &mut listening).await;
        self.listening = Some(listening);
        more
    }

    async fn bind(&mut self, spec: &HintSpec, listening: &mut Listening) {
        let Some(bind) = &spec.bind else { return };
        let (name, now) = (self.poller.name().clone(), self.clock.now());
        if let Some(address) = listening.address.as_ref().filter(|_| listening.bind_at <= now) {
            let done = self.poller.bind(spec, bind, address).await;
            let (way, next) = self.way(done, now);
            listening.bind_at = next;
            self.readings.edit_hearing(&name, |hearing| hearing.called = way);
        }
        if let Some(queue) = spec.queue.as_ref().filter(|_| listening.queue_at <= now) {
            let done = self.poller.bind_queue(spec, bind, queue).await;
            let (way, next) = self.way(done, now);
            listening.queue_at = next;
            self.readings.edit_hearing(&name, |hearing| hearing.queue = way);
        }
    }

    /// How a way stands, and when it is looked at again.
    fn way(&self, done: Result<usize, Pause>, now: Timestamp) -> (Way, Timestamp) {
        let name = self.poller.name();
        match done {
            Ok(count) => {
                if count > 0 {
                    info!(source.name = %name, count, "{name} is asked to tell of changes");
                }
                (Way::InForce, now.plus_ms(POLL_BOUND_EVERY_MS))
            }
            Err(Pause { cause: Cause::NotOffered, until, .. }) => (Way::NotOffered, until),
            Err(Pause { until, reason, .. }) => {
                warn!(source.name = %name, source.until = %until, "{name} cannot be asked to tell of changes: {}", reason.id);
                (Way::Refused(reason), until.max(now.plus_ms(POLL_REST_MS)))
            }
        }
    }

    async fn empty_queue(&mut self, spec: &HintSpec, listening: &mut Listening) -> bool {
        let (name, now) = (self.poller.name().clone(), self.clock.now());
        let is_bound = self.readings.hearing(&name).queue == Way::InForce;
        let Some(queue) = spec.queue.as_ref().filter(|_| is_bound && listening.take_at <= now) else {
            return false;
        };
        if listening.taken.is_none() {
            match self.poller.take_queue(spec, queue).await {
                Ok(taken) => listening.taken = Some(taken).filter(|it| !it.portion.is_empty()),
                Err(Pause { until, reason, .. }) => {
                    warn!(source.name = %name, source.until = %until, "the queue of {name} cannot be taken: {}", reason.id);
                    listening.take_at = until.max(now.plus_ms(POLL_REST_MS));
                    return false;
                }
            }
        }
        listening.take_at = now.plus_ms(i64::from(queue.every_s) * 1_000);
        let Some(taken) = &listening.taken else { return false };
        let mut wanted: BTreeMap<&str, Vec<CompactString>> = BTreeMap::new();
        for (stream, id) in &taken.hints {
            wanted.entry(stream).or_default().push(id.clone());
        }
        let connector = self.connector.clone();
        for (stream, ids) in wanted {
            let Some(poll) = connector.poll(stream).filter(|poll| !self.is_not_offered(poll)) else { continue };
            if let Err(trouble) = self.verify(poll, &ids).await {
                // Taken, and seen to at the next look.
                self.trouble(poll, trouble);
                return false;
            }
        }
        if let Err(pause) = self.poller.done_with(queue, &taken.portion).await {
            // Asked for again, all of it is known by then.
            warn!(source.name = %name, "what was taken of the queue of {name} stays there: {}", pause.reason.id);
            return false;
        }
        let more = taken.more;
        if more {
            listening.take_at = now;
        }
        listening.taken = None;
        more
    }
}
