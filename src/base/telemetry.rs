//! Names of metrics, in one enum, so that a page, an alarm and the code agree, and the counters
//! themselves: plain atomics without I/O. `http` renders them as text.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use compact_str::CompactString;

use super::limits::METRIC_SERIES_MAX;

/// A metric of `/metrics`. Labels have few values: connector, stream, outcome, sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Envelopes acknowledged (journalled and synced), by connector.
    EnvelopesAcknowledged,
    /// Envelopes refused before the journal, by connector and reason.
    EnvelopesRefused,
    /// Messages that something changed, by connector and result.
    Hints,
    /// Records by connection, stream and outcome.
    Records,
    /// Newest synced position.
    JournalHead,
    /// Position of the checkpoint.
    Checkpoint,
    /// Objects that a sink still has to be told, by sink.
    OutboxRows,
    /// Objects told to a sink, by sink and ending.
    Attempts,
    /// Records in quarantine.
    Quarantine,
    /// Open tasks, and those of them that are late.
    Tasks,
    /// Deals scored.
    DealsScored,
    /// Requests of the listener, by route and status class.
    HttpRequests,
    /// Age of the newest verified snapshot, s.
    SnapshotAge,
    /// Position of the newest verified snapshot.
    SnapshotPosition,
    /// Alarms by name and subject: 1 while it holds.
    Alarms,
    /// Free bytes of the journal's disk.
    FreeSpace,
    /// Envelopes that a relay holds and its office has not confirmed.
    RelayWaiting,
    /// Since the relay and its office last spoke, s.
    RelayContactAge,
    /// Notifications by channel and result.
    Notices,
    /// Sinks that nothing is sent to: 1 while so.
    SinksStopped,
    /// When the certificate of the listener runs out, Unix time.
    CertificateNotAfter,
}

/// What the numbers of a metric do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows while the program runs.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Metric {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Metric::EnvelopesAcknowledged => "uzel_envelopes_acknowledged",
            Metric::EnvelopesRefused => "uzel_envelopes_refused",
            Metric::Hints => "uzel_hints",
            Metric::Records => "uzel_records",
            Metric::JournalHead => "uzel_journal_head",
            Metric::Checkpoint => "uzel_checkpoint",
            Metric::OutboxRows => "uzel_outbox_rows",
            Metric::Attempts => "uzel_attempts",
            Metric::Quarantine => "uzel_quarantine",
            Metric::Tasks => "uzel_tasks",
            Metric::DealsScored => "uzel_deals_scored",
            Metric::HttpRequests => "uzel_http_requests",
            Metric::SnapshotAge => "uzel_snapshot_age_seconds",
            Metric::SnapshotPosition => "uzel_snapshot_position",
            Metric::Alarms => "uzel_alarms",
            Metric::FreeSpace => "uzel_free_space_bytes",
            Metric::RelayWaiting => "uzel_relay_waiting",
            Metric::RelayContactAge => "uzel_relay_contact_age_seconds",
            Metric::Notices => "uzel_notices",
            Metric::SinksStopped => "uzel_sink_stopped",
            Metric::CertificateNotAfter => "uzel_certificate_not_after_seconds",
        }
    }

    /// One line for the reader of `/metrics`.
    pub fn help(self) -> &'static str {
        match self {
            Metric::EnvelopesAcknowledged => "Envelopes journalled, synced and acknowledged",
            Metric::EnvelopesRefused => "Envelopes refused before the journal",
            Metric::Hints => "Messages of foreign systems that something changed there",
            Metric::Records => "Records by their outcome",
            Metric::JournalHead => "Newest synced position of the journal",
            Metric::Checkpoint => "Position up to which the journal is applied",
            Metric::OutboxRows => "Objects that a sink still has to be told",
            Metric::Attempts => "Objects told to a sink, by ending",
            Metric::Quarantine => "Records that wait for a person",
            Metric::Tasks => "Tasks to be done, by whether their deadline has passed",
            Metric::DealsScored => "Deals scored",
            Metric::HttpRequests => "Requests of the listener by route and status class",
            Metric::SnapshotAge => "Seconds since the newest verified snapshot was made",
            Metric::SnapshotPosition => "Position up to which the newest verified snapshot holds everything",
            Metric::Alarms => "Whether an alarm holds, by its name and subject",
            Metric::FreeSpace => "Free bytes of the journal's disk",
            Metric::RelayWaiting => "Envelopes that wait on the relay for the office",
            Metric::RelayContactAge => "Seconds since the relay and its office last spoke",
            Metric::Notices => "Notifications by channel and result",
            Metric::SinksStopped => "Whether a sink rests or its circuit is open",
            Metric::CertificateNotAfter => "When the certificate of the listener runs out, Unix time",
        }
    }

    /// What its numbers do.
    pub fn kind(self) -> MetricKind {
        match self {
            Metric::EnvelopesAcknowledged
            | Metric::EnvelopesRefused
            | Metric::Hints
            | Metric::Records
            | Metric::Attempts
            | Metric::Notices
            | Metric::DealsScored
            | Metric::HttpRequests => MetricKind::Counter,
            Metric::JournalHead
            | Metric::Checkpoint
            | Metric::OutboxRows
            | Metric::Quarantine
            | Metric::Tasks
            | Metric::SnapshotAge
            | Metric::SnapshotPosition
            | Metric::Alarms
            | Metric::SinksStopped
            | Metric::FreeSpace
            | Metric::RelayWaiting
            | Metric::RelayContactAge
            | Metric::CertificateNotAfter => MetricKind::Gauge,
        }
    }
}

/// Labels of one series, as given.
pub type Labels = Vec<(&'static str, CompactString)>;

/// One number of a metric. Cheap to clone; keep it where the counting happens.
#[derive(Debug, Clone, Default)]
pub struct Series(Arc<AtomicI64>);

impl Series {
    /// Adds `count`.
    pub fn add(&self, count: i64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Sets the value of a gauge.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The number now.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number as read for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Of which metric.
    pub metric: Metric,
    /// Of which series.
    pub labels: Labels,
    /// The number.
    pub value: i64,
}

/// All numbers of the process; shared by an `Arc`.
#[derive(Debug, Default)]
pub struct Metrics {
    series: RwLock<BTreeMap<(Metric, Labels), Series>>,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Metrics {
        Metrics::default()
    }

    /// The series of `metric` with `labels`, made at the first call.
    ///
    /// Bound: beyond `METRIC_SERIES_MAX` series new label values are counted together as `other`.
    pub fn series(&self, metric: Metric, labels: &[(&'static str, &str)]) -> Series {
        let key = (metric, labels.iter().map(|&(name, value)| (name, CompactString::from(value))).collect::<Labels>());
        if let Some(found) = self.series.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return found.clone();
        }
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        let key = match series.len() < METRIC_SERIES_MAX {
            true => key,
            false => (metric, labels.iter().map(|&(name, _)| (name, CompactString::const_new("other"))).collect()),
        };
        series.entry(key).or_default().clone()
    }

    /// Every number, in order of metric and labels.
    pub fn samples(&self) -> Vec<Sample> {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let sample = |((metric, labels), it): (&(Metric, Labels), &Series)| Sample {
            metric: *metric,
            labels: labels.clone(),
            value: it.get(),
        };
        series.iter().map(sample).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_labels_are_the_same_series() {
        let metrics = Metrics::new();
        metrics.series(Metric::Records, &[("outcome", "applied")]).add(2);
        metrics.series(Metric::Records, &[("outcome", "applied")]).add(3);
        metrics.series(Metric::Quarantine, &[]).set(7);
        let values: Vec<_> = metrics.samples().into_iter().map(|it| (it.metric, it.value)).collect();
        assert_eq!(values, [(Metric::Records, 5), (Metric::Quarantine, 7)]);
    }

    #[test]
    fn labels_out_of_bounds_are_counted_together() {
        let metrics = Metrics::new();
        for index in 0..METRIC_SERIES_MAX + 10 {
            metrics.series(Metric::Records, &[("outcome", &index.to_string())]).add(1);
        }
        let samples = metrics.samples();
        assert_eq!(samples.len(), METRIC_SERIES_MAX + 1);
        assert_eq!(samples.iter().map(|it| it.value).sum::<i64>(), METRIC_SERIES_MAX as i64 + 10);
    }
}
