//! Sinks of a configuration, made ready for delivery.

use std::sync::Arc;

use tracing::info;

use super::Core;
use super::error::Told;
use super::sources::secret;
use crate::base::telemetry::Metrics;
use crate::catalog::Connection;
use crate::config::Mode;
use crate::field::FieldValue;
use crate::net::{Client, Guard, Quotas, Wire};
use crate::sink::{Settings, Sink};
use crate::task::Ground;
use crate::task::deliver::{Deliverer, Stops};

/// A deliverer for each live sink. Sinks in observe mode are left alone: nothing is written to a
/// foreign system before a person has said so.
pub(super) fn deliverers(
    core: &Core,
    ground: &Ground,
    stops: &Stops,
    metrics: &Arc<Metrics>,
    quotas: &Arc<Quotas>,
) -> anyhow::Result<Vec<Deliverer>> {
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
        let sink = Sink::new(
            connection.name.clone(),
            Arc::new(spec.clone()),
            &settings_of(core, connection),
            wire_of(connection)?,
            Arc::clone(quotas),
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
        });
    }
    Ok(deliverers)
}

/// What the administrator set for a connection, with its secrets.
pub(super) fn settings_of(core: &Core, connection: &Connection) -> Settings {
    let secrets = connection.connector.settings.iter().filter(|setting| setting.secret);
    let secrets = secrets.filter_map(|setting| {
        secret(&core.vault, &connection.name, &setting.name).map(|secret| (setting.name.clone(), secret))
    });
    Settings { values: connection.settings.clone(), secrets: secrets.collect() }
}

/// What its requests go out by.
pub(super) fn wire_of(connection: &Connection) -> anyhow::Result<Arc<dyn Wire>> {
    let allow_private = connection.setting("allow_private") == Some(&FieldValue::Bool(true));
    let networks = connection.setting("allow_networks").map(|value| value.as_texts().to_vec()).unwrap_or_default();
    let guard = Guard::from_settings(allow_private, &networks).map_err(Told)?;
    Ok(Arc::new(Client::new(guard).map_err(|error| Told(error.message().clone()))?))
}
