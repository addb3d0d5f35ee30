//! A person: what is held of him, what his erasure would take, and the command.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;

use super::{Asked, Control, Refusal, parse, refuse};
use crate::base::limits::EXPORT_RECORDS_MAX;
use crate::base::{ClientId, Locale, Message};
use crate::entry::Command;
use crate::pipeline::PipelineError;
use crate::query::export::ExportView;
use crate::query::keeping::ErasureView;
use crate::task::keep::{self, ErasurePlan, Keeping};

type Answer = Result<Json<ErasureView>, Refusal>;

type Planned = Result<Option<ErasurePlan>, PipelineError>;

async fn planned(
    control: &Arc<Control>,
    client: &str,
    locale: Locale,
    find: impl FnOnce(&Keeping, ClientId) -> Planned + Send + 'static,
) -> Result<ErasurePlan, Refusal> {
    let id: ClientId = parse(client, locale)?;
    let keeping = control.keeping.clone();
    let plan = tokio::task::spawn_blocking(move || find(&keeping, id)).await?;
    let failed = |error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &keep::message(&error), locale);
    plan.map_err(failed)?.ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, &Message::new("control-not-found").with("id", client), locale)
    })
}

fn to_erase(keeping: &Keeping, client: ClientId) -> Planned {
    keeping.erasure(client, rand::random())
}

fn elsewhere(plan: &ErasurePlan) -> Vec<String> {
    plan.foreign.iter().map(|it| format!("{} {} {}", it.connection, it.kind, it.id)).collect()
}

fn view(plan: &ErasurePlan, position: Option<u64>) -> ErasureView {
    let (deals, documents, interactions) = plan.counts;
    ErasureView {
        clients: plan.clients.iter().map(ToString::to_string).collect(),
        deals,
        documents,
        interactions,
        entries: plan.found.len(),
        elsewhere: elsewhere(plan),
        position,
    }
}

pub(super) async fn plan(
    State(control): State<Arc<Control>>,
    Path(client): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    Ok(Json(view(&planned(&control, &client, asked.locale(), to_erase).await?, None)))
}

pub(super) async fn erase(
    State(control): State<Arc<Control>>,
    Path(client): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let plan = planned(&control, &client, locale, to_erase).await?;
    // Before the command: should we be killed behind it, the next start cleans the files.
    control.keeping.mark_erasure()?;
    let command = Command::ErasePerson(plan.erasure.clone());
    let given = control.give(command, locale, Message::new("control-done")).await?;
    Ok(Json(view(&plan, Some(given.0.position))))
}

pub(super) async fn export(
    State(control): State<Arc<Control>>,
    Path(client): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Json<ExportView>, Refusal> {
    let locale = asked.locale();
    let plan = planned(&control, &client, locale, Keeping::export).await?;
    let made = tokio::task::spawn_blocking(move || {
        // One more than fits, so that what is left out shows.
        let said = control.keeping.said(&plan, EXPORT_RECORDS_MAX + 1);
        let said =
            said.map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &keep::message(&error), locale))?;
        let exported = control.query.export(&plan.clients, said, elsewhere(&plan), locale);
        exported.map_err(|error| refuse(error, locale))
    });
    Ok(Json(made.await??))
}
