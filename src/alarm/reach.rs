//! What stands between the world and us: the certificate of the listener, and the relay.

use super::judge::raised;
use super::{Alarm, CertificateFacts, Condition, Facts, RelayFacts, Severity};
use crate::base::limits::{
    ALARM_CERTIFICATE_FAILED_MS, ALARM_CERTIFICATE_LAST_MS, ALARM_CERTIFICATE_SOON_MS, ALARM_RELAY_BEHIND_MS,
    ALARM_RELAY_STOPPED_MS,
};
use crate::base::{Message, Timestamp};

const DAY_MS: i64 = 24 * 3_600_000;
/// The subject of its alarms: that it does not answer is no fault of the daemon itself.
const RELAY: &str = "relay";

pub(super) fn reach(facts: &Facts, now: Timestamp, found: &mut Vec<Alarm>) {
    if let Some(facts) = &facts.certificate {
        certificate(facts, now, found);
    }
    if let Some(facts) = &facts.relay {
        relay(facts, now, found);
    }
}

/// A certificate is renewed a third of its life before its end: that half of this time has passed in
/// vain is an alarm, whether it lives for a year or for six days.
fn certificate(facts: &CertificateFacts, now: Timestamp, found: &mut Vec<Alarm>) {
    let next = match facts.is_ordered {
        true => Message::new("alarm-certificate-ordered-next"),
        false => Message::new("alarm-certificate-files-next"),
    };
    let why = facts.trouble.as_ref().map(|(_, reason)| reason.clone());
    let Some((from, until)) = facts.holds else {
        // Without one nobody gets in; a first order takes seconds, and while it goes there is no trouble.
        if let Some((since, _)) = &facts.trouble {
            let what = Message::new("alarm-certificate-none");
            let alarm = raised(Condition::CertificateFailed, "", Severity::Critical, what, next);
            found.push(Alarm { since: Some(*since), why, ..alarm });
        }
        return;
    };
    let (life_ms, left_ms) = (until.ms_since(from), until.ms_since(now));
    let severity = if left_ms < ALARM_CERTIFICATE_LAST_MS.min(life_ms / 24) {
        Some(Severity::Critical)
    } else if left_ms < ALARM_CERTIFICATE_SOON_MS.min(life_ms / 6) {
        Some(Severity::Warning)
    } else {
        None
    };
    if let Some(severity) = severity {
        let what = match left_ms {
            ..=0 => Message::new("alarm-certificate-ended"),
            1..DAY_MS => Message::new("alarm-certificate-ends-today"),
            _ => Message::new("alarm-certificate-ends").with("days", left_ms / DAY_MS),
        };
        // Why it was not renewed is said with that.
        let alarm = raised(Condition::CertificateEnds, "", severity, what, next);
        let since = (left_ms <= 0).then_some(until);
        return found.push(Alarm { since, why, ..alarm });
    }
    let lasting = facts.trouble.as_ref().filter(|it| now.ms_since(it.0) >= ALARM_CERTIFICATE_FAILED_MS);
    if let Some((since, _)) = lasting {
        let what = Message::new("alarm-certificate-failed").with("days", left_ms / DAY_MS);
        let alarm = raised(Condition::CertificateFailed, "", Severity::Warning, what, next);
        found.push(Alarm { since: Some(*since), why, ..alarm });
    }
}

fn relay(facts: &RelayFacts, now: Timestamp, found: &mut Vec<Alarm>) {
    let text = |id: &str| Message { id: id.into(), args: Vec::new() }.with("host", &facts.host);
    let is_stopped = |it: &&super::RelayStopped| it.wants_person || now.ms_since(it.since) >= ALARM_RELAY_STOPPED_MS;
    if let Some(stopped) = facts.stopped.as_ref().filter(is_stopped) {
        let (what, next) = match stopped.wants_person {
            true => ("alarm-relay-refuses", "alarm-relay-refuses-next"),
            false => ("alarm-relay-stopped", "alarm-relay-stopped-next"),
        };
        let alarm = raised(Condition::RelayStopped, RELAY, Severity::Critical, text(what), text(next));
        found.push(Alarm { since: Some(stopped.since), why: Some(stopped.reason.clone()), ..alarm });
    }
    let behind = facts.waiting_since.filter(|at| facts.stopped.is_none() && now.ms_since(*at) >= ALARM_RELAY_BEHIND_MS);
    if let Some(since) = behind {
        let what = text("alarm-relay-behind").with("waiting", facts.waiting);
        let alarm = raised(Condition::RelayBehind, RELAY, Severity::Warning, what, text("alarm-relay-behind-next"));
        found.push(Alarm { since: Some(since), ..alarm });
    }
    if let Some(lost) = &facts.lost {
        let (what, next) = (text("alarm-relay-lost"), text("alarm-relay-lost-next"));
        let alarm = raised(Condition::RelayLost, RELAY, Severity::Warning, what, next);
        found.push(Alarm { why: Some(lost.clone()), ..alarm });
    }
}
