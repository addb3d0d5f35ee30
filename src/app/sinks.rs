//! Sinks of a configuration, made ready for delivery.

use std::sync::Arc;

use tokio::task::JoinSet;
use tracing::{error, info};

use super::Core;
use super::core::Seen;
use super::error::Told;
use super::links::{self, TokensByConnection};
use crate::base::limits::SINK_REST_MS;
use crate::base::telemetry::Metrics;
use crate::base::{Clock, Locale, Message};
use crate::catalog::{Catalog, Connection};
use crate::config::Mode;
use crate::model::Fault;
use crate::net::Quotas;
use crate::sink::Sink;
use crate::task::Ground;
use crate::task::deliver::{Deliverer, Stops, opened};
use crate::task::missing::MissingWords;
use crate::vault::Vault;

/// What deliverers are made of.
#[derive(Clone)]
pub(super) struct Maker {
    catalog: Arc<Catalog>,
    vault: Arc<Vault>,
    tokens: TokensByConnection,
    clock: Arc<dyn Clock>,
    locale: Locale,
    quotas: Arc<Quotas>,
    ground: Ground,
    stops: Stops,
    missing: MissingWords,
    metrics: Arc<Metrics>,
}

/// A deliverer for each sink that is written to, now or after a plan: nothing is written to a
/// foreign system before a person has said so.
pub(super) fn spawn(
    core: &Core,
    ground: &Ground,
    seen: &Seen,
    metrics: &Arc<Metrics>,
    quotas: &Arc<Quotas>,
    tasks: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let maker = Maker {
        catalog: Arc::clone(&core.catalog),
        vault: Arc::clone(&core.vault),
        tokens: Arc::clone(&core.tokens),
        clock: Arc::clone(&core.clock),
        locale: core.settings.locale,
        quotas: Arc::clone(quotas),
        ground: ground.clone(),
        stops: seen.stops.clone(),
        missing: seen.missing.clone(),
        metrics: Arc::clone(metrics),
    };
    for connection in core.catalog.sinks() {
        match connection.mode {
            Mode::Off => info!(sink.name = %connection.name, "sink is off: nothing is ever written to it"),
            Mode::Observe => {
                info!(sink.name = %connection.name, "sink is observed: nothing is written to it without a plan");
                tasks.spawn(maker.clone().observe(connection.clone()));
            }
            Mode::Live => {
                tasks.spawn(maker.make(connection)?.run());
            }
        }
    }
    Ok(())
}

impl Maker {
    /// Waits for a plan, then delivers. What the sink needs (an address, a secret) is asked for
    /// only then: a company may look on before it has any.
    async fn observe(mut self, connection: Connection) {
        while opened(&mut self.ground, &connection.name).await {
            match self.make(&connection) {
                Ok(deliverer) => return deliverer.run().await,
                Err(cause) => {
                    let told = cause.downcast_ref::<Told>().map(|told| told.0.clone());
                    let message = told.unwrap_or_else(|| Message::new("app-sink").with("detail", &cause));
                    error!(sink.name = %connection.name, "the sink cannot be written to: {message}");
                    let now = self.clock.now();
                    self.stops.stopped(&connection.name, now, now.plus_ms(SINK_REST_MS), Fault::Connection, message);
                    self.ground.rest(SINK_REST_MS.unsigned_abs()).await;
                }
            }
        }
    }

    fn make(&self, connection: &Connection) -> anyhow::Result<Deliverer> {
        Ok(Deliverer {
            ground: self.ground.clone(),
            sink: sink(connection, &self.vault, &self.tokens, &self.quotas, &self.clock)?,
            name: connection.name.clone(),
            catalog: Arc::clone(&self.catalog),
            stops: self.stops.clone(),
            missing: self.missing.clone(),
            metrics: Arc::clone(&self.metrics),
            locale: self.locale,
            rights: self.tokens.get(&connection.name).map(|tokens| tokens.agreed()),
        })
    }
}

/// The sink of a connection, with its secrets.
pub(super) fn sink(
    connection: &Connection,
    vault: &Vault,
    tokens: &TokensByConnection,
    quotas: &Arc<Quotas>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Sink> {
    let Some(spec) = &connection.connector.sink else {
        return Err(Told(Message::new("app-sink").with("detail", &connection.name)).into());
    };
    let (settings, wire) = links::link(vault, tokens, connection)?;
    let (name, spec) = (connection.name.clone(), Arc::new(spec.clone()));
    let sink = Sink::new(name, spec, &settings, wire, Arc::clone(quotas), Arc::clone(clock));
    Ok(sink.map_err(|error| Told(error.message))?)
}
