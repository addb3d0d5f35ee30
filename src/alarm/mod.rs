//! Conditions of the daemon that people should know of: one list, made by one function.
//!
//! [`alarms`] looks at [`Facts`] and says which conditions hold: what is wrong, how badly, since
//! when, and the next step. `uzel status`, `/api/status`, `/metrics`, pages and notifications all
//! show this list. Pure: no clock, no store, no network; who gathers the facts is `task::watch`.
//!
//! A condition is raised when it lasts, not when it flickers: a sink that rests for a minute because
//! its quota is spent is no alarm, one that has not taken anything for five minutes is.
//! No text names a person: what a foreign system said stands apart in [`Alarm::why`], which is
//! shown to the owner and never sent anywhere.

mod facts;
mod judge;
mod notice;
mod reach;

use compact_str::CompactString;

pub use facts::{
    CertificateFacts, Disk, Facts, Jump, Progress, Quarantined, RelayFacts, RelayStopped, SinkFacts, SnapshotFacts,
    SourceFacts, StaffFacts, Stopped, WordFacts,
};
pub use judge::alarms;
pub use notice::{Notice, NoticeRules, Told};

use crate::base::{Message, Timestamp};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; nobody is woken.
    Notice,
    /// Somebody should look today.
    Warning,
    /// Data are not taken or not passed on: somebody must act now.
    Critical,
}

impl Severity {
    /// As it stands in settings, metrics and the interface.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The pipeline has stopped by a failure.
    PipelineFailed,
    /// The pipeline does not keep up, or does not move.
    PipelineBehind,
    /// The journal takes nothing from outside: no space, or the disk failed.
    IntakeRefused,
    /// Space comes to an end.
    DiskLow,
    /// The present lies behind the journal's time: the clock went back.
    ClockBehind,
    /// The clock leapt while the daemon ran.
    ClockJumped,
    /// The rights of a connection are lost; a person must give them anew.
    RightsLost,
    /// A sink has not taken anything for a while.
    SinkStopped,
    /// Deliveries that a person must look at.
    DeadLetters,
    /// Records went into quarantine lately.
    Quarantine,
    /// A polled source has not been read for a while.
    SourceUnread,
    /// A source that should tell something has told nothing.
    SourceSilent,
    /// A watched folder cannot be looked at.
    FolderUnreadable,
    /// No new snapshot although one was due.
    SnapshotOld,
    /// A snapshot does not read.
    SnapshotDamaged,
    /// No backup for longer than was set.
    BackupOld,
    /// Notifications do not get out.
    NotifyFailed,
    /// The watch service does not take our heartbeat.
    HeartbeatFailed,
    /// Employees whose ids a connection does not know, or who were dismissed there.
    EmployeeIds,
    /// Stages, pipelines or sources that a sink does not have by the names that we tell.
    WordsMissing,
    /// Tasks whose deadline has passed.
    TasksOverdue,
    /// The certificate of the listener runs out, or has.
    CertificateEnds,
    /// A new certificate cannot be had.
    CertificateFailed,
    /// Nothing is pulled from the relay.
    RelayStopped,
    /// The relay takes more than is pulled.
    RelayBehind,
    /// What the relay took may be lost to us.
    RelayLost,
}

impl Condition {
    /// Every one, in the order of a listing of the same severity.
    pub const ALL: [Condition; 26] = [
        Condition::PipelineFailed,
        Condition::PipelineBehind,
        Condition::IntakeRefused,
        Condition::DiskLow,
        Condition::ClockBehind,
        Condition::ClockJumped,
        Condition::RightsLost,
        Condition::SinkStopped,
        Condition::DeadLetters,
        Condition::Quarantine,
        Condition::SourceUnread,
        Condition::SourceSilent,
        Condition::FolderUnreadable,
        Condition::SnapshotOld,
        Condition::SnapshotDamaged,
        Condition::BackupOld,
        Condition::NotifyFailed,
        Condition::HeartbeatFailed,
        Condition::EmployeeIds,
        Condition::WordsMissing,
        Condition::TasksOverdue,
        Condition::CertificateEnds,
        Condition::CertificateFailed,
        Condition::RelayStopped,
        Condition::RelayBehind,
        Condition::RelayLost,
    ];

    /// Its name in the interface, metrics and messages; never changes.
    pub fn id(self) -> &'static str {
        match self {
            Condition::PipelineFailed => "pipeline-failed",
            Condition::PipelineBehind => "pipeline-behind",
            Condition::IntakeRefused => "intake-refused",
            Condition::DiskLow => "disk-low",
            Condition::ClockBehind => "clock-behind",
            Condition::ClockJumped => "clock-jumped",
            Condition::RightsLost => "rights-lost",
            Condition::SinkStopped => "sink-stopped",
            Condition::DeadLetters => "dead-letters",
            Condition::Quarantine => "quarantine",
            Condition::SourceUnread => "source-unread",
            Condition::SourceSilent => "source-silent",
            Condition::FolderUnreadable => "folder-unreadable",
            Condition::SnapshotOld => "snapshot-old",
            Condition::SnapshotDamaged => "snapshot-damaged",
            Condition::BackupOld => "backup-old",
            Condition::NotifyFailed => "notify-failed",
            Condition::HeartbeatFailed => "heartbeat-failed",
            Condition::EmployeeIds => "employee-ids",
            Condition::WordsMissing => "words-missing",
            Condition::TasksOverdue => "tasks-overdue",
            Condition::CertificateEnds => "certificate-ends",
            Condition::CertificateFailed => "certificate-failed",
            Condition::RelayStopped => "relay-stopped",
            Condition::RelayBehind => "relay-behind",
            Condition::RelayLost => "relay-lost",
        }
    }

    /// The condition of that name.
    pub fn of_id(id: &str) -> Option<Condition> {
        Condition::ALL.into_iter().find(|it| it.id() == id)
    }
}

/// Which condition of what: stays the same for as long as it lasts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlarmKey {
    /// What is wrong.
    pub condition: Condition,
    /// With what: a connection, a channel; empty: with the daemon as a whole.
    pub subject: CompactString,
}

/// A condition that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Which.
    pub key: AlarmKey,
    /// How bad.
    pub severity: Severity,
    /// Since when, where the facts say so; else since it was first seen, which the watch knows.
    pub since: Option<Timestamp>,
    /// What is wrong, in plain words, without anything that a foreign system said.
    pub what: Message,
    /// What a foreign system or the machine said of it. May quote what it was told.
    pub why: Option<Message>,
    /// The next step.
    pub next: Message,
}
