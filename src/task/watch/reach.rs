//! What is seen of the certificate of the listener and of the relay, and since when.

use std::sync::Arc;

use super::super::relay::Pulling;
use crate::alarm::{CertificateFacts, RelayFacts, RelayStopped};
use crate::base::Timestamp;
use crate::certificate::Certificates;

/// The certificate of the listener.
#[derive(Debug, Clone)]
pub struct WatchedCertificate {
    /// What handshakes are served with.
    pub certificates: Arc<Certificates>,
    /// Whether we order it ourselves.
    pub is_ordered: bool,
}

/// Since when it is as it is.
#[derive(Debug, Default)]
pub(super) struct Reach {
    /// Since when a new certificate cannot be had.
    trouble_since: Option<Timestamp>,
    /// Since when something waits at the relay without a break.
    waiting_since: Option<Timestamp>,
}

impl Reach {
    pub(super) fn see_certificate(&mut self, watched: &WatchedCertificate, now: Timestamp) -> CertificateFacts {
        let trouble = watched.certificates.standing().trouble;
        self.trouble_since = trouble.as_ref().map(|_| self.trouble_since.unwrap_or(now));
        CertificateFacts {
            holds: watched.certificates.pair().map(|pair| (pair.not_before, pair.not_after)),
            trouble: self.trouble_since.zip(trouble),
            is_ordered: watched.is_ordered,
        }
    }

    pub(super) fn see_relay(&mut self, pulling: Pulling, now: Timestamp) -> RelayFacts {
        let waits = pulling.waiting() > 0 && pulling.trouble.is_none();
        self.waiting_since = waits.then(|| self.waiting_since.unwrap_or(now));
        let wants_person = pulling.wants_person();
        let stopped = pulling.trouble.as_ref().map(|reason| RelayStopped {
            // It may not answer in many ways, one after the other: what counts is when it last did.
            since: pulling.contact.filter(|_| pulling.is_unheard()).unwrap_or(pulling.since),
            wants_person,
            reason: reason.clone(),
        });
        RelayFacts {
            waiting: pulling.waiting(),
            waiting_since: self.waiting_since,
            stopped,
            lost: pulling.notices.last().cloned(),
            host: pulling.host,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Message, Position};

    const NOW: Timestamp = Timestamp(1_760_000_000_000);

    fn pulling(state: &'static str, waiting: u64, contact: Option<i64>) -> Pulling {
        let trouble = (state != "pulling").then(|| Message::new("relay-token").with("host", "in.company.ru"));
        Pulling {
            host: "in.company.ru".to_owned(),
            state,
            since: NOW,
            trouble,
            contact: contact.map(|ms| NOW.plus_ms(ms)),
            head: Position(10 + waiting),
            pulled: Position(10),
            clock_ms: 0,
            notices: Vec::new(),
        }
    }

    #[test]
    fn a_relay_that_is_silent_in_another_way_is_silent_since_it_spoke_last() {
        let mut reach = Reach::default();
        let mut since = |state, contact| {
            let stopped = reach.see_relay(pulling(state, 0, contact), NOW).stopped;
            stopped.map(|it| (it.since.ms_since(NOW), it.wants_person))
        };
        assert_eq!(since("pulling", Some(-7)), None);
        assert_eq!(since("unreachable", Some(-7)), Some((-7, false)));
        assert_eq!(since("refused", Some(-7)), Some((-7, false)));
        // It never spoke: since we began to ask.
        assert_eq!(since("unreachable", None), Some((0, false)));
        // It speaks, and refuses; or it is we who do not take.
        assert_eq!(since("token", Some(-7)), Some((0, true)));
        assert_eq!(since("fenced", Some(-7)), Some((0, true)));
        assert_eq!(since("own", Some(-7)), Some((0, false)));
    }

    #[test]
    fn what_waits_is_counted_from_its_beginning_and_only_while_the_relay_speaks() {
        let mut reach = Reach::default();
        let mut since = |state, waiting, at: i64| {
            let facts = reach.see_relay(pulling(state, waiting, Some(0)), NOW.plus_ms(at));
            facts.waiting_since.map(|it| it.ms_since(NOW))
        };
        assert_eq!(since("pulling", 0, 0), None);
        assert_eq!(since("pulling", 5, 10), Some(10));
        assert_eq!(since("pulling", 3, 20), Some(10));
        assert_eq!(since("pulling", 0, 30), None);
        assert_eq!(since("pulling", 1, 40), Some(40));
        assert_eq!(since("unreachable", 1, 50), None);
        assert_eq!(since("pulling", 1, 60), Some(60));
    }

    #[test]
    fn a_certificate_fails_since_the_first_failure() {
        let watched = WatchedCertificate { certificates: Arc::default(), is_ordered: true };
        let mut reach = Reach::default();
        let mut since = |at: i64| {
            let facts = reach.see_certificate(&watched, NOW.plus_ms(at));
            (facts.holds, facts.trouble.map(|(since, reason)| (since.ms_since(NOW), reason.id.to_string())))
        };
        assert_eq!(since(0), (None, None));
        watched.certificates.trouble(Message::new("acme-waits"), None);
        assert_eq!(since(10).1, Some((10, "acme-waits".to_owned())));
        watched.certificates.trouble(Message::new("certificate-run-out"), None);
        assert_eq!(since(20).1, Some((10, "certificate-run-out".to_owned())));
        watched.certificates.well();
        assert_eq!(since(30).1, None);
        watched.certificates.trouble(Message::new("acme-waits"), None);
        assert_eq!(since(40).1, Some((40, "acme-waits".to_owned())));
    }
}
