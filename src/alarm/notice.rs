//! Whom to tell what and when: pure, states in, states out.
//!
//! - What begins or ends within the gathering time of other news goes in one message.
//! - Of one alarm nobody is told more often than the pause, however it flickers; what came and
//!   went before it was told is never told.
//! - A message goes not sooner than the pause after the one before, but for a critical alarm that
//!   nobody knows of yet.
//! - What lasts is told again after the reminding time.
//! - After a start, what seems to have ended is believed only once everything was looked at again:
//!   the daemon does not know yet what it knew before.

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::{Alarm, Condition, Severity};
use crate::base::Timestamp;
use crate::base::checksum::Fingerprint;
use crate::base::limits::NOTICE_SETTLE_MS;

/// When people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoticeRules {
    /// From which severity on.
    pub from: Severity,
    /// Between two messages, and between two words about one alarm, ms.
    pub pause_ms: i64,
    /// What lasts is told again after this, ms; 0: never.
    pub remind_ms: i64,
    /// For so long news are gathered into one message, ms.
    pub gather_ms: i64,
}

/// What one channel has told. Kept on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// Messages so far: names the next one.
    sequence: u64,
    /// When the last one went.
    last_at: Timestamp,
    /// Alarms that were told of lately, by `condition/subject`.
    alarms: BTreeMap<String, ToldAlarm>,
    /// Since when there is something to tell.
    #[serde(default)]
    news_since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ToldAlarm {
    /// What people know: that it holds, or that it has ended.
    holds: bool,
    /// How bad they know it to be: [`Severity`] from 0.
    severity: u8,
    /// When they were told.
    at: Timestamp,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Names it; the same while the same is tried again.
    pub id: String,
    /// What has begun or become worse.
    pub raised: Vec<Alarm>,
    /// What still lasts.
    pub lasting: Vec<Alarm>,
    /// What has ended: condition and subject.
    pub ended: Vec<(Condition, CompactString)>,
}

impl Notice {
    /// The worst of what it tells; `None`: only that something has ended.
    pub fn severity(&self) -> Option<Severity> {
        self.raised.iter().chain(&self.lasting).map(|it| it.severity).max()
    }
}

/// What differs from what people know.
struct News<'a> {
    raised: Vec<&'a Alarm>,
    ended: Vec<(Condition, CompactString)>,
    /// Something of it may go as far as its own pause is concerned.
    is_due: bool,
    /// Something of it nobody knows of, and is critical.
    is_urgent: bool,
}

impl Told {
    /// What is to be told now. `uptime_ms`: since the daemon began. Remembers since when there is
    /// something to tell.
    pub fn due(&mut self, alarms: &[Alarm], rules: NoticeRules, now: Timestamp, uptime_ms: i64) -> Option<Notice> {
        // A clock that went back must not keep people waiting.
        let since = |at: Timestamp| if at > now { i64::MAX } else { now.ms_since(at) };
        let told: Vec<&Alarm> = alarms.iter().filter(|it| it.severity >= rules.from).collect();
        let news = self.news(&told, rules, uptime_ms, &since);
        let reminds = rules.remind_ms > 0 && told.iter().any(|it| self.is_to_remind(it, rules, &since));
        if news.raised.is_empty() && news.ended.is_empty() {
            self.news_since = None;
        } else {
            self.news_since.get_or_insert(now);
        }
        let gathered = self.news_since.is_some_and(|at| since(at) >= rules.gather_ms);
        let rested = since(self.last_at) >= rules.pause_ms;
        let goes = gathered && news.is_due && (rested || news.is_urgent) || reminds && rested;
        if !goes {
            return None;
        }
        let raised: Vec<Alarm> = news.raised.into_iter().cloned().collect();
        let lasting = told.into_iter().filter(|it| !raised.iter().any(|held| held.key == it.key)).cloned().collect();
        let ended = news.ended;
        let id = self.id(&raised, &ended);
        Some(Notice { id, raised, lasting, ended })
    }

    fn news<'a>(
        &self,
        alarms: &[&'a Alarm],
        rules: NoticeRules,
        uptime_ms: i64,
        since: &dyn Fn(Timestamp) -> i64,
    ) -> News<'a> {
        let mut news = News { raised: Vec::new(), ended: Vec::new(), is_due: false, is_urgent: false };
        for alarm in alarms {
            let known = self.alarms.get(&name(alarm.key.condition, &alarm.key.subject));
            let is_known = known.is_some_and(|it| it.holds && it.severity >= alarm.severity as u8);
            if is_known {
                continue;
            }
            let is_due = known.is_none_or(|it| since(it.at) >= rules.pause_ms);
            news.is_due |= is_due;
            news.is_urgent |= is_due && alarm.severity == Severity::Critical;
            news.raised.push(alarm);
        }
        for (held, known) in self.alarms.iter().filter(|(_, it)| it.holds) {
            let Some((id, subject)) = held.split_once('/') else { continue };
            let Some(condition) = Condition::of_id(id) else { continue };
            let lasts = alarms.iter().any(|it| it.key.condition == condition && it.key.subject == subject);
            if !lasts && uptime_ms >= NOTICE_SETTLE_MS {
                news.is_due |= since(known.at) >= rules.pause_ms;
                news.ended.push((condition, subject.into()));
            }
        }
        news
    }

    fn is_to_remind(&self, alarm: &Alarm, rules: NoticeRules, since: &dyn Fn(Timestamp) -> i64) -> bool {
        let known = self.alarms.get(&name(alarm.key.condition, &alarm.key.subject));
        known.is_some_and(|it| it.holds && since(it.at) >= rules.remind_ms)
    }

    fn id(&self, raised: &[Alarm], ended: &[(Condition, CompactString)]) -> String {
        let mut parts = vec![self.sequence.to_string()];
        parts.extend(raised.iter().map(|it| name(it.key.condition, &it.key.subject)));
        parts.extend(ended.iter().map(|(condition, subject)| format!("-{}", name(*condition, subject))));
        let parts: Vec<&[u8]> = parts.iter().map(|it| it.as_bytes()).collect();
        format!("ntc_{}", Fingerprint::of_parts(parts))
    }

    /// The message has arrived.
    pub fn told(&mut self, notice: &Notice, rules: NoticeRules, now: Timestamp) {
        for alarm in notice.raised.iter().chain(&notice.lasting) {
            let told = ToldAlarm { holds: true, severity: alarm.severity as u8, at: now };
            self.alarms.insert(name(alarm.key.condition, &alarm.key.subject), told);
        }
        for (condition, subject) in &notice.ended {
            let told = ToldAlarm { holds: false, severity: 0, at: now };
            self.alarms.insert(name(*condition, subject), told);
        }
        // Of what ended before the pause nothing has to be known any more.
        self.alarms.retain(|_, it| it.holds || now.ms_since(it.at) < rules.pause_ms);
        self.sequence += 1;
        self.last_at = now;
        self.news_since = None;
    }
}

fn name(condition: Condition, subject: &str) -> String {
    format!("{}/{subject}", condition.id())
}
