//! Names of metrics, in one enum, so that a page, an alarm and the code agree.

/// A metric of `/metrics`. Labels have few values: connector, stream, outcome, sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Envelopes acknowledged (journalled and synced), by connector.
    EnvelopesAcknowledged,
    /// Envelopes refused before the journal, by connector and reason.
    EnvelopesRefused,
    /// Records by connector and outcome.
    Records,
    /// Journal entries written.
    JournalEntries,
    /// `fdatasync` calls of the journal.
    JournalSyncs,
    /// Newest synced position.
    JournalHead,
    /// Position of the checkpoint.
    Checkpoint,
    /// Rows of the outbox, by sink and state.
    OutboxRows,
    /// Attempts by sink and verdict.
    Attempts,
    /// Records in quarantine.
    Quarantine,
    /// Deals scored.
    DealsScored,
    /// Requests of the listener, by route and status class.
    HttpRequests,
}

impl Metric {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Metric::EnvelopesAcknowledged => "uzel_envelopes_acknowledged",
            Metric::EnvelopesRefused => "uzel_envelopes_refused",
            Metric::Records => "uzel_records",
            Metric::JournalEntries => "uzel_journal_entries",
            Metric::JournalSyncs => "uzel_journal_syncs",
            Metric::JournalHead => "uzel_journal_head",
            Metric::Checkpoint => "uzel_checkpoint",
            Metric::OutboxRows => "uzel_outbox_rows",
            Metric::Attempts => "uzel_attempts",
            Metric::Quarantine => "uzel_quarantine",
            Metric::DealsScored => "uzel_deals_scored",
            Metric::HttpRequests => "uzel_http_requests",
        }
    }
}
