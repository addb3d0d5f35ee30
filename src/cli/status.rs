//! `uzel status`: the daemon at a glance.

use super::{Context, Done};
use crate::query::views::StatusView;

/// Arguments of `uzel status`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let view = connected.client.get::<StatusView>("status", context.locale).await;
    connected.close().await;
    let view = view?;
    if context.json {
        context.print_json(&view)?;
        return Ok(Done::Well);
    }
    context.print_pairs(&[
        ("version", view.version.clone()),
        ("head", view.head.to_string()),
        ("applied", view.applied.to_string()),
        ("configuration", view.configuration.clone()),
        ("intake", view.intake.clone().unwrap_or_default()),
        ("failure", view.pipeline_failure.clone().unwrap_or_default()),
    ]);
    let connections = view
        .connections
        .iter()
        .map(|it| vec![it.name.clone(), it.connector.clone(), it.mode.clone(), it.stopped.clone().unwrap_or_default()]);
    context.print_table(&["connection", "connector", "mode", "stopped"], connections.collect());
    let records = view
        .records
        .iter()
        .map(|it| vec![it.connection.clone(), it.stream.clone(), it.outcome.clone(), it.count.to_string()]);
    context.print_table(&["connection", "stream", "outcome", "count"], records.collect());
    Ok(Done::Well)
}
