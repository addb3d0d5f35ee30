//! The outbox as people see it.

use std::collections::BTreeMap;

use super::views::{DeliveryCountView, OutboxView, Page, SinkView};
use super::{Listing, Query, QueryError};
use crate::base::limits::DELIVERIES_COUNTED_MAX;
use crate::base::{Locale, Message, Slug};
use crate::entry::ObjectRef;
use crate::model::{Delivery, DeliveryState, Fault};
use crate::tables::rows::SinkState;
use crate::tables::{Clients, Deals, Held, Interactions, Lane, Pending, Span, TableError, Tasks};

impl Query {
    /// Open deliveries in the order in which they are sent.
    pub fn outbox(&self, listing: &Listing) -> Result<Page<OutboxView>, QueryError> {
        let sink = match listing.sink.as_deref().map(Slug::new) {
            None => None,
            Some(Some(sink)) => Some(sink),
            Some(None) => return Ok(Page { rows: Vec::new(), next: None }),
        };
        let mut rows = Vec::new();
        let mut passed = listing.after.is_none();
        for row in self.listed(sink.as_ref()) {
            let (sink, objects, held) = row?;
            for object in objects {
                let name = format!("{sink}/{object}");
                if !passed {
                    passed = listing.after.as_deref() == Some(&name);
                    continue;
                }
                if let Some(view) = self.delivery(&sink, object, held, listing)? {
                    rows.push(view);
                }
                if rows.len() == listing.rows_max {
                    return Ok(Page { rows, next: Some(name) });
                }
            }
        }
        Ok(Page { rows, next: None })
    }

    /// Open deliveries: those that may go, then those that wait for a plan (`true`).
    pub(super) fn listed(
        &self,
        sink: Option<&Slug>,
    ) -> impl Iterator<Item = Result<(Slug, Vec<ObjectRef>, bool), TableError>> {
        let (pending, held) = match sink {
            None => (Span::<Pending>::all(), Span::<Held>::all()),
            Some(sink) => (Span::of(sink), Span::of(sink)),
        };
        let pending = self.reader().rows(pending).map(|row| row.map(|((sink, ..), objects)| (sink, objects, false)));
        pending.chain(self.reader().rows(held).map(|row| row.map(|((sink, ..), objects)| (sink, objects, true))))
    }

    /// How many objects stand in each lane of a sink; `true`: they wait for a plan.
    pub(super) fn lanes(&self, sink: &Slug) -> Result<BTreeMap<(Lane, bool), u64>, QueryError> {
        let mut lanes = BTreeMap::new();
        for row in self.reader().rows(Span::<Pending>::of(sink)) {
            let ((_, rank, _), objects) = row?;
            *lanes.entry((Lane::of_key(rank), false)).or_default() += objects.len() as u64;
        }
        for row in self.reader().rows(Span::<Held>::of(sink)) {
            let ((_, rank, _), objects) = row?;
            *lanes.entry((Lane::of_key(rank), true)).or_default() += objects.len() as u64;
        }
        Ok(lanes)
    }

    /// Open deliveries by sink and state; counting ends at a bound.
    pub(super) fn delivery_counts(&self) -> Result<Vec<DeliveryCountView>, QueryError> {
        let mut counts: BTreeMap<(Slug, &'static str), u64> = BTreeMap::new();
        let mut seen = 0;
        'rows: for row in self.listed(None) {
            let (sink, objects, held) = row?;
            for object in objects {
                if seen == DELIVERIES_COUNTED_MAX {
                    break 'rows;
                }
                seen += 1;
                let Some((sinks, _)) = self.sinks_and_title(object)? else { continue };
                let delivery = sinks.into_iter().find(|it| it.sink == sink).and_then(|it| it.delivery);
                if let Some(delivery) = delivery {
                    *counts.entry((sink.clone(), standing(&delivery.state, held))).or_default() += 1;
                }
            }
        }
        let at_least = seen == DELIVERIES_COUNTED_MAX;
        let view = |((sink, state), count): ((Slug, &str), u64)| DeliveryCountView {
            sink: sink.to_string(),
            state: state.to_owned(),
            count,
            at_least,
        };
        Ok(counts.into_iter().map(view).collect())
    }

    /// Whether there is something of this object that a sink holds or still has to be told.
    pub fn has_sink_state(&self, sink: &Slug, object: ObjectRef) -> Result<bool, QueryError> {
        let Some((sinks, _)) = self.sinks_and_title(object)? else { return Ok(false) };
        Ok(sinks.iter().any(|it| it.sink == *sink))
    }

    fn delivery(
        &self,
        sink: &Slug,
        object: ObjectRef,
        held: bool,
        listing: &Listing,
    ) -> Result<Option<OutboxView>, QueryError> {
        let Some((sinks, title)) = self.sinks_and_title(object)? else { return Ok(None) };
        let Some(delivery) = sinks.into_iter().find(|it| it.sink == *sink).and_then(|it| it.delivery) else {
            return Ok(None);
        };
        let state = standing(&delivery.state, held);
        if listing.state.as_deref().is_some_and(|wanted| wanted != state) {
            return Ok(None);
        }
        let due_at = match &delivery.state {
            DeliveryState::Due { at } | DeliveryState::Uncertain { at } => Some(self.local(*at)),
            DeliveryState::InFlight { .. } | DeliveryState::Dead { .. } | DeliveryState::Discarded => None,
        };
        Ok(Some(OutboxView {
            sink: sink.to_string(),
            object: object.to_string(),
            title,
            state: state.to_owned(),
            fault: fault_of(&delivery.state).map(|fault| fault_text(fault, listing.locale)),
            wanted_since: self.local(delivery.wanted_since),
            due_at,
            attempts: delivery.attempts,
            reason: reason_of(&delivery, listing.locale),
        }))
    }

    pub(super) fn sinks_and_title(&self, object: ObjectRef) -> Result<Option<(Vec<SinkState>, String)>, QueryError> {
        let reader = self.reader();
        Ok(match object {
            ObjectRef::Client(id) => reader.get::<Clients>(&id)?.map(|row| (row.sinks, row.client.shown_name())),
            ObjectRef::Deal(id) => reader.get::<Deals>(&id)?.map(|row| {
                let title = row.deal.title.map(|title| title.value.to_string()).unwrap_or_default();
                (row.sinks, title)
            }),
            ObjectRef::Interaction(id) => {
                reader.get::<Interactions>(&id)?.map(|row| (row.sinks, row.interaction.subject.to_string()))
            }
            ObjectRef::Task(id) => reader.get::<Tasks>(&id)?.map(|row| (row.sinks, row.task.kind.name().to_owned())),
        })
    }
}

/// Where sinks stand with an object.
pub(super) fn sink_views(sinks: &[SinkState], locale: Locale) -> Vec<SinkView> {
    let view = |state: &SinkState| SinkView {
        sink: state.sink.to_string(),
        state: match &state.delivery {
            Some(delivery) => state_name(&delivery.state).to_owned(),
            None => "confirmed".to_owned(),
        },
        foreign_id: state.confirmed.as_ref().map(|confirmed| confirmed.foreign_id.to_string()),
        reason: state.delivery.as_ref().and_then(|delivery| reason_of(delivery, locale)),
    };
    sinks.iter().map(view).collect()
}

/// The state, or that it waits for a plan: what is due is not sent then.
fn standing(state: &DeliveryState, held: bool) -> &'static str {
    match (state, held) {
        (DeliveryState::Due { .. }, true) => "held",
        (state, _) => state_name(state),
    }
}

fn state_name(state: &DeliveryState) -> &'static str {
    match state {
        DeliveryState::Due { .. } => "due",
        DeliveryState::InFlight { .. } => "in_flight",
        DeliveryState::Uncertain { .. } => "uncertain",
        DeliveryState::Dead { .. } => "dead",
        DeliveryState::Discarded => "discarded",
    }
}

fn fault_of(state: &DeliveryState) -> Option<Fault> {
    match state {
        DeliveryState::Dead { fault, .. } => Some(*fault),
        DeliveryState::Due { .. }
        | DeliveryState::InFlight { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Discarded => None,
    }
}

fn fault_text(fault: Fault, locale: Locale) -> String {
    Message::new(match fault {
        Fault::Data => "query-fault-data",
        Fault::Connection => "query-fault-connection",
        Fault::Sink => "query-fault-sink",
        Fault::Uzel => "query-fault-uzel",
    })
    .render(locale)
}

fn reason_of(delivery: &Delivery, locale: Locale) -> Option<String> {
    match &delivery.state {
        DeliveryState::Dead { reason, .. } => Some(reason.render(locale)),
        DeliveryState::Due { .. }
        | DeliveryState::InFlight { .. }
        | DeliveryState::Uncertain { .. }
        | DeliveryState::Discarded => delivery.last_reason.as_ref().map(|reason| reason.render(locale)),
    }
}
