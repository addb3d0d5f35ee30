//! Which conditions hold, given the facts.

use compact_str::CompactString;

use super::reach::reach;
use super::{Alarm, AlarmKey, Condition, Facts, Severity, SinkFacts, SourceFacts, WordFacts};
use crate::base::limits::{
    ALARM_BEHIND_MS, ALARM_CLOCK_MS, ALARM_SINK_STOPPED_MS, ALARM_STAFF_MS, ALARM_STUCK_MS, ALARM_UNREAD_MS,
};
use crate::base::{Message, Slug, Timestamp};

const HOUR_MS: i64 = 3_600_000;
const MINUTE_MS: i64 = 60_000;
/// Disk space is said to come to an end below so many times the mark.
const NEAR_MARK: u64 = 2;
const MIB: u64 = 1024 * 1024;

/// What is wrong at `now`: the worst first, each condition of a subject once.
pub fn alarms(facts: &Facts, now: Timestamp) -> Vec<Alarm> {
    let mut found = Vec::new();
    pipeline(facts, now, &mut found);
    machine(facts, now, &mut found);
    for (name, reason) in &facts.rights {
        let next = Message::new("alarm-rights-lost-next").with("connection", name);
        let what = Message::new("alarm-rights-lost").with("connection", name);
        let alarm = raised(Condition::RightsLost, name, Severity::Critical, what, next);
        found.push(Alarm { why: Some(reason.clone()), ..alarm });
    }
    let lacks_rights = |name: &Slug| facts.rights.iter().any(|(lacking, _)| lacking == name);
    facts.sinks.iter().for_each(|it| sink(it, lacks_rights(&it.name), now, &mut found));
    quarantine(facts, &mut found);
    // Nothing is read and nothing goes for one reason: it is said once.
    facts.sources.iter().filter(|it| !lacks_rights(&it.name)).for_each(|it| source(it, now, &mut found));
    for (name, reason) in &facts.folders {
        let what = Message::new("alarm-folder-unreadable").with("connection", name);
        let next = Message::new("alarm-folder-unreadable-next");
        let alarm = raised(Condition::FolderUnreadable, name, Severity::Warning, what, next);
        found.push(Alarm { why: Some(reason.clone()), ..alarm });
    }
    keeping(facts, now, &mut found);
    outward(facts, &mut found);
    reach(facts, now, &mut found);
    // The users are read page by page: what is missing for a moment may be on the next one.
    for staff in facts.staff.iter().filter(|it| now.ms_since(it.since) >= ALARM_STAFF_MS) {
        let what = Message::new("alarm-employee-ids").with("connection", &staff.connection);
        let next = Message::new("alarm-employee-ids-next").with("connection", &staff.connection);
        let what = what.with("count", staff.employees);
        let alarm = raised(Condition::EmployeeIds, &staff.connection, Severity::Warning, what, next);
        found.push(Alarm { since: Some(staff.since), ..alarm });
    }
    facts.words.iter().for_each(|it| words(it, &mut found));
    if facts.tasks_overdue > 0 {
        let what = Message::new("alarm-tasks-overdue").with("count", facts.tasks_overdue);
        let next = Message::new("alarm-tasks-overdue-next");
        found.push(raised(Condition::TasksOverdue, "", Severity::Notice, what, next));
    }
    found.sort_by(|left, right| right.severity.cmp(&left.severity).then_with(|| left.key.cmp(&right.key)));
    found
}

pub(super) fn raised(condition: Condition, subject: &str, severity: Severity, what: Message, next: Message) -> Alarm {
    let key = AlarmKey { condition, subject: CompactString::from(subject) };
    Alarm { key, severity, since: None, what, why: None, next }
}

fn pipeline(facts: &Facts, now: Timestamp, found: &mut Vec<Alarm>) {
    let progress = &facts.progress;
    if let Some(detail) = &progress.failure {
        let what = Message::new("alarm-pipeline-failed");
        let next = Message::new("alarm-pipeline-failed-next");
        let alarm = raised(Condition::PipelineFailed, "", Severity::Critical, what, next);
        found.push(Alarm { why: Some(Message::new("alarm-detail").with("detail", detail)), ..alarm });
        return;
    }
    let Some(since) = progress.behind_since else { return };
    let is_stuck = progress.moved_at.is_none_or(|at| now.ms_since(at) >= ALARM_STUCK_MS);
    let (what, severity) = match (is_stuck && now.ms_since(since) >= ALARM_STUCK_MS, now.ms_since(since)) {
        (true, _) => (Message::new("alarm-pipeline-stuck"), Severity::Critical),
        (false, ALARM_BEHIND_MS..) => (Message::new("alarm-pipeline-behind"), Severity::Warning),
        (false, _) => return,
    };
    let next = Message::new("alarm-pipeline-behind-next");
    let alarm = raised(Condition::PipelineBehind, "", severity, what.with("lag", progress.lag), next);
    found.push(Alarm { since: Some(since), ..alarm });
}

fn machine(facts: &Facts, now: Timestamp, found: &mut Vec<Alarm>) {
    if let Some(reason) = &facts.intake {
        let what = Message::new("alarm-intake-refused");
        let next = Message::new("alarm-intake-refused-next");
        let alarm = raised(Condition::IntakeRefused, "", Severity::Critical, what, next);
        found.push(Alarm { why: Some(reason.clone()), ..alarm });
    }
    // While intake is refused for want of space, that it comes to an end is no news.
    let near =
        facts.disk.filter(|it| facts.intake.is_none() && it.free_bytes < it.mark_bytes.saturating_mul(NEAR_MARK));
    if let Some(disk) = near {
        let what = Message::new("alarm-disk-low")
            .with("free_mib", disk.free_bytes / MIB)
            .with("mark_mib", disk.mark_bytes / MIB);
        found.push(raised(Condition::DiskLow, "", Severity::Warning, what, Message::new("alarm-disk-low-next")));
    }
    if facts.clock_behind_ms >= ALARM_CLOCK_MS {
        let what = Message::new("alarm-clock-behind").with("minutes", facts.clock_behind_ms / MINUTE_MS);
        let next = Message::new("alarm-clock-next");
        found.push(raised(Condition::ClockBehind, "", Severity::Warning, what, next));
    }
    if let Some(jump) = facts.jump.filter(|it| it.at <= now) {
        let id = if jump.by_ms < 0 { "alarm-clock-jumped-back" } else { "alarm-clock-jumped" };
        let what = Message { id: id.into(), args: Vec::new() }.with("minutes", jump.by_ms.abs() / MINUTE_MS);
        let alarm = raised(Condition::ClockJumped, "", Severity::Warning, what, Message::new("alarm-clock-next"));
        found.push(Alarm { since: Some(jump.at), ..alarm });
    }
}

fn sink(sink: &SinkFacts, lacks_rights: bool, now: Timestamp, found: &mut Vec<Alarm>) {
    if let Some(stopped) = sink.stopped.as_ref().filter(|_| !lacks_rights) {
        let lasts = now.ms_since(stopped.since) >= ALARM_SINK_STOPPED_MS;
        if stopped.wants_person || lasts {
            let id = if stopped.wants_person { "alarm-sink-refuses" } else { "alarm-sink-stopped" };
            let next = if stopped.wants_person { "alarm-sink-refuses-next" } else { "alarm-sink-stopped-next" };
            let text = |id: &str| Message { id: id.into(), args: Vec::new() }.with("sink", &sink.name);
            let alarm = raised(Condition::SinkStopped, &sink.name, Severity::Critical, text(id), text(next));
            found.push(Alarm { since: Some(stopped.since), why: Some(stopped.reason.clone()), ..alarm });
        }
    }
    if sink.dead > 0 {
        let what = Message::new("alarm-dead-letters").with("sink", &sink.name).with("count", sink.dead);
        let next = Message::new("alarm-dead-letters-next").with("sink", &sink.name);
        let alarm = raised(Condition::DeadLetters, &sink.name, Severity::Warning, what, next);
        found.push(Alarm { since: sink.dead_since, ..alarm });
    }
}

/// Which words they are is said to the owner only: somebody typed them.
fn words(words: &WordFacts, found: &mut Vec<Alarm>) {
    let what = Message::new("alarm-words-missing").with("sink", &words.sink).with("count", words.words.len());
    let next = Message::new("alarm-words-missing-next").with("sink", &words.sink).with("connector", &words.connector);
    let why = match words.words.len() {
        0 | 1 => words.reason.clone(),
        _ => Message::new("alarm-words-missing-list").with("list", words.words.join("; ")),
    };
    let alarm = raised(Condition::WordsMissing, &words.sink, Severity::Warning, what, next);
    found.push(Alarm { since: Some(words.since), why: Some(why), ..alarm });
}

fn quarantine(facts: &Facts, found: &mut Vec<Alarm>) {
    let quarantined = facts.quarantined;
    if quarantined.lately == 0 {
        return;
    }
    let id = if quarantined.at_least { "alarm-quarantine-many" } else { "alarm-quarantine" };
    let what = Message { id: id.into(), args: Vec::new() }.with("count", quarantined.lately);
    let alarm = raised(Condition::Quarantine, "", Severity::Warning, what, Message::new("alarm-quarantine-next"));
    found.push(Alarm { since: quarantined.since, ..alarm });
}

fn source(source: &SourceFacts, now: Timestamp, found: &mut Vec<Alarm>) {
    if let Some((since, reason)) = source.unread.as_ref().filter(|it| now.ms_since(it.0) >= ALARM_UNREAD_MS) {
        let what = Message::new("alarm-source-unread").with("connection", &source.name);
        let next = Message::new("alarm-source-unread-next").with("connection", &source.name);
        let alarm = raised(Condition::SourceUnread, &source.name, Severity::Critical, what, next);
        found.push(Alarm { since: Some(*since), why: Some(reason.clone()), ..alarm });
        // Why it is silent is said with that.
        return;
    }
    let silent_ms = now.ms_since(source.heard_at);
    if source.silence_h > 0 && silent_ms >= i64::from(source.silence_h) * HOUR_MS {
        let what =
            Message::new("alarm-source-silent").with("connection", &source.name).with("hours", silent_ms / HOUR_MS);
        let next = Message::new("alarm-source-silent-next").with("connection", &source.name);
        let alarm = raised(Condition::SourceSilent, &source.name, Severity::Warning, what, next);
        found.push(Alarm { since: Some(source.heard_at), ..alarm });
    }
}

fn keeping(facts: &Facts, now: Timestamp, found: &mut Vec<Alarm>) {
    let snapshots = &facts.snapshots;
    if snapshots.late_at.is_some_and(|at| at <= now) {
        let what = Message::new("alarm-snapshot-old");
        let alarm = raised(Condition::SnapshotOld, "", Severity::Warning, what, Message::new("alarm-snapshot-next"));
        found.push(Alarm { since: snapshots.newest_at, ..alarm });
    }
    if let Some((file, reason)) = &snapshots.damaged {
        let what = Message::new("alarm-snapshot-damaged").with("file", file);
        let next = Message::new("alarm-snapshot-next");
        let alarm = raised(Condition::SnapshotDamaged, file, Severity::Warning, what, next);
        found.push(Alarm { why: Some(reason.clone()), ..alarm });
    }
    if let Some((made_at, days)) = facts.backup
        && now.ms_since(made_at) >= i64::from(days) * 24 * HOUR_MS
    {
        let what = Message::new("alarm-backup-old").with("days", now.ms_since(made_at) / (24 * HOUR_MS));
        let alarm = raised(Condition::BackupOld, "", Severity::Warning, what, Message::new("alarm-backup-old-next"));
        found.push(Alarm { since: Some(made_at), ..alarm });
    }
}

fn outward(facts: &Facts, found: &mut Vec<Alarm>) {
    for (channel, since, reason) in &facts.channels {
        let what = Message::new("alarm-notify-failed").with("channel", channel);
        let next = Message::new("alarm-notify-failed-next");
        let alarm = raised(Condition::NotifyFailed, channel, Severity::Warning, what, next);
        found.push(Alarm { since: Some(*since), why: Some(reason.clone()), ..alarm });
    }
    if let Some((since, reason)) = &facts.heartbeat {
        let what = Message::new("alarm-heartbeat-failed");
        let next = Message::new("alarm-heartbeat-failed-next");
        let alarm = raised(Condition::HeartbeatFailed, "", Severity::Warning, what, next);
        found.push(Alarm { since: Some(*since), why: Some(reason.clone()), ..alarm });
    }
}
