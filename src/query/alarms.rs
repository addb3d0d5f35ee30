//! What is wrong, as people and programs see it; and the part of it that the store knows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Query, QueryError};
use crate::alarm::{Alarm, Quarantined};
use crate::base::limits::ALARM_QUARANTINE_RECORDS_MAX;
use crate::base::{Locale, Slug, Timestamp};
use crate::entry::ObjectRef;
use crate::model::DeliveryState;
use crate::tables::{Block, Pending, Quarantine, Span};

/// Something that is wrong now.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct AlarmView {
    /// What (`sink-stopped`); never changes, so programs may go by it.
    pub id: String,
    /// With what: a connection, a channel; empty: with the daemon as a whole.
    pub subject: String,
    /// `critical`, `warning` or `notice`.
    pub severity: String,
    /// Since when, in the company's zone.
    pub since: String,
    /// What is wrong.
    pub what: String,
    /// What a foreign system or the machine said of it, if anything.
    pub why: Option<String>,
    /// The next step.
    pub next: String,
}

/// Dead letters of one sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetters {
    /// The sink.
    pub sink: Slug,
    /// How many.
    pub count: u64,
    /// Since when the oldest is dead.
    pub since: Timestamp,
}

/// Where a look at the outbox ended.
pub type OutboxPlace = (Slug, u8, Block);

impl Query {
    /// Alarms in the reader's language, the worst first.
    pub fn alarms(&self, alarms: &[Alarm], locale: Locale) -> Vec<AlarmView> {
        let view = |alarm: &Alarm| AlarmView {
            id: alarm.key.condition.id().to_owned(),
            subject: alarm.key.subject.to_string(),
            severity: alarm.severity.name().to_owned(),
            since: alarm.since.map(|at| self.local(at)).unwrap_or_default(),
            what: alarm.what.render(locale),
            why: alarm.why.as_ref().map(|it| it.render(locale)),
            next: alarm.next.render(locale),
        };
        alarms.iter().map(view).collect()
    }

    /// Dead letters among about `objects_max` objects of the outbox behind `after`, and where to go
    /// on; `None`: that was its end.
    pub fn dead_letters(
        &self,
        after: Option<&OutboxPlace>,
        objects_max: usize,
    ) -> Result<(Vec<DeadLetters>, Option<OutboxPlace>), QueryError> {
        let mut found: Vec<DeadLetters> = Vec::new();
        let mut seen = 0;
        let span = after.map_or_else(Span::<Pending>::all, |place| Span::all().after(place));
        for row in self.reader().rows(span) {
            let (place, objects) = row?;
            for object in &objects {
                let Some(since) = self.dead_since(&place.0, *object)? else { continue };
                match found.iter_mut().find(|it| it.sink == place.0) {
                    Some(of_sink) => {
                        of_sink.count += 1;
                        of_sink.since = of_sink.since.min(since);
                    }
                    None => found.push(DeadLetters { sink: place.0.clone(), count: 1, since }),
                }
            }
            seen += objects.len();
            if seen >= objects_max {
                return Ok((found, Some(place)));
            }
        }
        Ok((found, None))
    }

    fn dead_since(&self, sink: &Slug, object: ObjectRef) -> Result<Option<Timestamp>, QueryError> {
        let Some((sinks, _)) = self.sinks_and_title(object)? else { return Ok(None) };
        let delivery = sinks.into_iter().find(|it| it.sink == *sink).and_then(|it| it.delivery);
        Ok(delivery.and_then(|delivery| match delivery.state {
            DeliveryState::Dead { since, .. } => Some(since),
            DeliveryState::Due { .. }
            | DeliveryState::InFlight { .. }
            | DeliveryState::Uncertain { .. }
            | DeliveryState::Discarded => None,
        }))
    }

    /// Records that went into quarantine since an instant and are still there.
    pub fn quarantined_since(&self, since: Timestamp) -> Result<Quarantined, QueryError> {
        let newest = self.reader().range(&Span::<Quarantine>::all(), true, ALARM_QUARANTINE_RECORDS_MAX)?;
        let total = newest.len();
        let lately: Vec<Timestamp> = newest.into_iter().map(|(_, row)| row.at).filter(|at| *at >= since).collect();
        Ok(Quarantined {
            lately: lately.len() as u64,
            at_least: lately.len() == total && total == ALARM_QUARANTINE_RECORDS_MAX,
            since: lately.into_iter().min(),
        })
    }
}
