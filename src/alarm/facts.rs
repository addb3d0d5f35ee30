//! What the list of alarms is made from. Instants are by our clock.

use compact_str::CompactString;

use crate::base::{Message, Slug, Timestamp};

/// Everything that is known of the daemon at one instant.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How the pipeline goes.
    pub progress: Progress,
    /// Why the journal takes nothing from outside, if so.
    pub intake: Option<Message>,
    /// The journal's disk, where it can be asked.
    pub disk: Option<Disk>,
    /// How far the present lies behind the journal's time, ms; not positive: it does not.
    pub clock_behind_ms: i64,
    /// The newest leap of the clock, while it is worth telling.
    pub jump: Option<Jump>,
    /// Connections whose rights are lost, and why.
    pub rights: Vec<(Slug, Message)>,
    /// Every sink that may be written to.
    pub sinks: Vec<SinkFacts>,
    /// What went into quarantine lately.
    pub quarantined: Quarantined,
    /// Every source that is watched.
    pub sources: Vec<SourceFacts>,
    /// Watched folders that cannot be looked at, and why.
    pub folders: Vec<(Slug, Message)>,
    /// Snapshots.
    pub snapshots: SnapshotFacts,
    /// When the newest backup was made (or watching began), where an age is set, and the age, days.
    pub backup: Option<(Timestamp, u32)>,
    /// Channels of notifications that fail: name, since when, why.
    pub channels: Vec<(CompactString, Timestamp, Message)>,
    /// Since when the heartbeat is not taken, and why.
    pub heartbeat: Option<(Timestamp, Message)>,
    /// Connections that do not know an employee by his id.
    pub staff: Vec<StaffFacts>,
    /// Sinks that have no words for what they are told.
    pub words: Vec<WordFacts>,
    /// Open tasks whose deadline has passed.
    pub tasks_overdue: u64,
    /// The certificate of the listener, where it speaks TLS itself.
    pub certificate: Option<CertificateFacts>,
    /// The relay, where there is one and a daemon pulls.
    pub relay: Option<RelayFacts>,
}

/// How the pipeline goes.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Why it has stopped, if it has.
    pub failure: Option<String>,
    /// Entries not yet applied.
    pub lag: u64,
    /// Since when there are some without a break.
    pub behind_since: Option<Timestamp>,
    /// When it moved last while there were some.
    pub moved_at: Option<Timestamp>,
}

/// Space on the journal's disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Free bytes.
    pub free_bytes: u64,
    /// Below this intake is refused.
    pub mark_bytes: u64,
}

/// The clock moved by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// When it was seen, by the clock after it.
    pub at: Timestamp,
    /// How far, ms; negative: back.
    pub by_ms: i64,
}

/// A sink that rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Since when nothing went.
    pub since: Timestamp,
    /// When it is tried again.
    pub until: Option<Timestamp>,
    /// Whether a person must act before it can go on (rights, settings).
    pub wants_person: bool,
    /// Failures in a row, where they are counted.
    pub failures: u32,
    /// Why.
    pub reason: Message,
}

/// A sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkFacts {
    /// Its name.
    pub name: Slug,
    /// Why nothing goes, if so.
    pub stopped: Option<Stopped>,
    /// Dead letters.
    pub dead: u64,
    /// Since when the oldest of them is dead.
    pub dead_since: Option<Timestamp>,
}

/// Records that went into quarantine within the last day and are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quarantined {
    /// How many.
    pub lately: u64,
    /// Whether counting stopped at its bound.
    pub at_least: bool,
    /// When the first of them came.
    pub since: Option<Timestamp>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// Its name.
    pub name: Slug,
    /// Since when it cannot be read, and why, if it is we who ask.
    pub unread: Option<(Timestamp, Message)>,
    /// How long it may tell nothing, h; 0: for ever.
    pub silence_h: u32,
    /// When it told something last; when watching began, if it never did since.
    pub heard_at: Timestamp,
}

/// Employees whose ids a connection does not know, or who were dismissed there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaffFacts {
    /// The connection.
    pub connection: Slug,
    /// How many employees.
    pub employees: u64,
    /// Since when it is so without a break.
    pub since: Timestamp,
}

/// A sink that does not have stages, pipelines or sources by the names that we tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordFacts {
    /// The sink.
    pub sink: Slug,
    /// Its connector, whose mappings help.
    pub connector: Slug,
    /// Which words, each with its field (`STAGE_ID: word`).
    pub words: Vec<String>,
    /// What may be meant by the first of them.
    pub reason: Message,
    /// Since when.
    pub since: Timestamp,
}

/// Snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotFacts {
    /// When the next one after the newest was due, and again the next: past that it is late.
    pub late_at: Option<Timestamp>,
    /// When the newest was made.
    pub newest_at: Option<Timestamp>,
    /// The file of one that does not read, and why.
    pub damaged: Option<(String, Message)>,
}

/// The certificate of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// From when and until when the one in use holds; `None`: there is none yet.
    pub holds: Option<(Timestamp, Timestamp)>,
    /// Since when a new one cannot be had, and why.
    pub trouble: Option<(Timestamp, Message)>,
    /// Whether we order it ourselves; else somebody else puts files in place.
    pub is_ordered: bool,
}

/// How pulling from the relay goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayFacts {
    /// Its host.
    pub host: String,
    /// Why nothing is pulled, if so.
    pub stopped: Option<RelayStopped>,
    /// Envelopes that waited there when it answered last.
    pub waiting: u64,
    /// Since when some wait without a break although it answers.
    pub waiting_since: Option<Timestamp>,
    /// What it may have taken and we shall not get, in its newest words.
    pub lost: Option<Message>,
}

/// Nothing is pulled from the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStopped {
    /// Since when.
    pub since: Timestamp,
    /// Whether it cannot go on before a person acts.
    pub wants_person: bool,
    /// Why, and the next step.
    pub reason: Message,
}
