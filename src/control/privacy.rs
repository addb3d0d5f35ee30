//! Erasure of a person: what it would take, and the command.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;

use super::{Asked, Control, Refusal, parse};
use crate::base::{ClientId, Locale, Message};
use crate::entry::Command;
use crate::query::keeping::ErasureView;
use crate::task::keep::{self, ErasurePlan};

type Answer = Result<Json<ErasureView>, Refusal>;

async fn planned(control: &Arc<Control>, client: &str, locale: Locale) -> Result<ErasurePlan, Refusal> {
    let id: ClientId = parse(client, locale)?;
    let (keeping, salt) = (control.keeping.clone(), rand::random());
    let plan = tokio::task::spawn_blocking(move || keeping.erasure(id, salt)).await?;
    let failed = |error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &keep::message(&error), locale);
    plan.map_err(failed)?.ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, &Message::new("control-not-found").with("id", client), locale)
    })
}

fn view(plan: &ErasurePlan, position: Option<u64>) -> ErasureView {
    let (deals, documents, interactions) = plan.counts;
    ErasureView {
        clients: plan.clients.iter().map(ToString::to_string).collect(),
        deals,
        documents,
        interactions,
        entries: plan.entries,
        elsewhere: plan.foreign.iter().map(|it| format!("{} {} {}", it.connection, it.kind, it.id)).collect(),
        position,
    }
}

pub(super) async fn plan(
    State(control): State<Arc<Control>>,
    Path(client): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    Ok(Json(view(&planned(&control, &client, asked.locale()).await?, None)))
}

pub(super) async fn erase(
    State(control): State<Arc<Control>>,
    Path(client): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let plan = planned(&control, &client, locale).await?;
    // Before the command: should we be killed behind it, the next start cleans the files.
    control.keeping.mark_erasure()?;
    let command = Command::ErasePerson(plan.erasure.clone());
    let given = control.give(command, locale, Message::new("control-done")).await?;
    Ok(Json(view(&plan, Some(given.0.position))))
}
