//! Sinks of a configuration, made ready for delivery.

use std::sync::Arc;

use tracing::info;

use super::error::Told;
use super::{Core, links};
use crate::base::telemetry::Metrics;
use crate::config::Mode;
use crate::net::Quotas;
use crate::sink::Sink;
use crate::task::Ground;
use crate::task::deliver::{Deliverer, Stops};

/// A deliverer for each live sink. Sinks in observe mode are left alone: nothing is written to a
/// foreign system before a person has said so.
pub(super) fn deliverers(
    core: &Core,
    ground: &Ground,
    stops: &Stops,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Vec<Deliverer>> {
    let quotas = Arc::new(Quotas::new());
    let mut deliverers = Vec::new();
    for connection in core.catalog.connections() {
        let Some(spec) = &connection.connector.sink else { continue };
        match connection.mode {
            Mode::Observe => {
                info!(sink.name = %connection.name, "sink is observed: its outbox fills, nothing is written to it");
                continue;
            }
            Mode::Live => {}
        }
        let (settings, wire) = links::link(&core.vault, &core.tokens, connection)?;
        let sink = Sink::new(
            connection.name.clone(),
            Arc::new(spec.clone()),
            &settings,
            wire,
            Arc::clone(&quotas),
            Arc::clone(&core.clock),
        );
        deliverers.push(Deliverer {
            ground: ground.clone(),
            sink: sink.map_err(|error| Told(error.message))?,
            name: connection.name.clone(),
            catalog: Arc::clone(&core.catalog),
            stops: stops.clone(),
            metrics: Arc::clone(metrics),
            locale: core.settings.locale,
            rights: core.tokens.get(&connection.name).map(|tokens| tokens.agreed()),
        });
    }
    Ok(deliverers)
}
