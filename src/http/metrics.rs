//! `/metrics`: the numbers of `base::telemetry` as OpenMetrics text.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::base::telemetry::{MetricKind, Metrics, Sample};

/// `Content-Type` of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The numbers now.
pub fn render(metrics: &Arc<Metrics>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition(metrics.clone())));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

#[derive(Debug)]
struct Exposition(Arc<Metrics>);

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let samples = self.0.samples();
        samples.chunk_by(|left, right| left.metric == right.metric).try_for_each(|of_one| family(&mut encoder, of_one))
    }
}

fn family(encoder: &mut DescriptorEncoder<'_>, samples: &[Sample]) -> Result<(), fmt::Error> {
    let Some(metric) = samples.first().map(|it| it.metric) else { return Ok(()) };
    let kind = match metric.kind() {
        MetricKind::Counter => MetricType::Counter,
        MetricKind::Gauge => MetricType::Gauge,
    };
    let mut encoder = encoder.encode_descriptor(metric.name(), metric.help(), None, kind)?;
    for sample in samples {
        let labels: Vec<(&str, &str)> = sample.labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        // A family without labels would be written as `name{}`; without labels there is one number.
        if labels.is_empty() {
            return number(metric.kind(), sample.value, encoder);
        }
        number(metric.kind(), sample.value, encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

fn number(kind: MetricKind, value: i64, encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
    match kind {
        // A counter never goes below zero; a gauge may.
        MetricKind::Counter => ConstCounter::new(value.max(0).cast_unsigned()).encode(encoder),
        MetricKind::Gauge => ConstGauge::new(value).encode(encoder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::telemetry::Metric;

    #[test]
    fn numbers_are_rendered_with_their_labels() {
        let metrics = Arc::new(Metrics::new());
        metrics.series(Metric::Records, &[("connector", "forms"), ("outcome", "applied")]).add(3);
        metrics.series(Metric::Records, &[("connector", "forms"), ("outcome", "repeated")]).add(1);
        metrics.series(Metric::JournalHead, &[]).set(42);
        expect_test::expect![[r#"
            # HELP uzel_records Records by their outcome
            # TYPE uzel_records counter
            uzel_records_total{connector="forms",outcome="applied"} 3
            uzel_records_total{connector="forms",outcome="repeated"} 1
            # HELP uzel_journal_head Newest synced position of the journal
            # TYPE uzel_journal_head gauge
            uzel_journal_head 42
            # EOF
        "#]]
        .assert_eq(&render(&metrics).expect("writing to text cannot fail"));
    }
}
