//! Snapshots and retention on demand.

use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query as Params, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Control, Refusal};
use crate::base::{Locale, Message};
use crate::pipeline::PipelineError;
use crate::pipeline::retention::Plan;
use crate::pipeline::snapshot::Snapshot;
use crate::query::keeping::{PieceView, RetentionView, SnapshotView};
use crate::task::keep::{self, Listed};

type Answer<T> = Result<Json<T>, Refusal>;

fn view(snapshot: &Snapshot) -> SnapshotView {
    SnapshotView {
        position: snapshot.position().0,
        made_at: snapshot.about.made_at.to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string(),
        rows: snapshot.totals.rows,
        bytes: snapshot.totals.bytes,
        hash: snapshot.totals.hash.to_string(),
        configuration: snapshot.about.configuration.map(|hash| hash.to_string()).unwrap_or_default(),
        build: snapshot.about.build.clone(),
        ..unread(&snapshot.path, None)
    }
}

fn unread(path: &Path, problem: Option<String>) -> SnapshotView {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    SnapshotView {
        file,
        position: 0,
        made_at: String::new(),
        rows: 0,
        bytes: 0,
        hash: String::new(),
        configuration: String::new(),
        build: String::new(),
        problem,
    }
}

fn views(listed: Result<Vec<Listed>, Message>, locale: Locale) -> Result<Vec<SnapshotView>, Refusal> {
    let listed = listed.map_err(|message| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &message, locale))?;
    let views = listed.iter().map(|it| match &it.snapshot {
        Ok(snapshot) => view(snapshot),
        Err(message) => unread(&it.path, Some(message.render(locale))),
    });
    Ok(views.collect())
}

/// Long work, off the threads that serve.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Answer<T> {
    Ok(Json(tokio::task::spawn_blocking(work).await??))
}

pub(super) async fn list(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<SnapshotView>> {
    apart(move || views(control.keeping.list(), asked.locale())).await
}

pub(super) async fn verify(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<SnapshotView>> {
    apart(move || views(control.keeping.verify(), asked.locale())).await
}

pub(super) async fn make(State(control): State<Arc<Control>>, Params(asked): Params<Asked>) -> Answer<SnapshotView> {
    let locale = asked.locale();
    apart(move || {
        let made = control.keeping.make();
        let refused = |error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &keep::message(&error), locale);
        Ok(view(&made.map_err(refused)?))
    })
    .await
}

/// How many days are kept; else what the settings say.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct Days {
    lang: Option<Locale>,
    days: Option<u32>,
}

fn failed(error: &PipelineError, locale: Locale) -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &keep::message(error), locale)
}

fn retention_view(plan: &Plan, days: u32, locale: Locale) -> RetentionView {
    let pieces: Vec<PieceView> = plan
        .verdicts
        .iter()
        .map(|it| PieceView {
            first: it.piece.first.0,
            last: it.piece.next.0 - 1,
            until: it.piece.until.to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string(),
            bytes: it.piece.bytes,
            stays: it.stays.as_ref().map(|why| why.render(locale)),
        })
        .collect();
    let going = || pieces.iter().filter(|piece| piece.stays.is_none());
    let entries = going().map(|piece| piece.last - piece.first + 1).sum();
    RetentionView { days, entries, bytes: going().map(|piece| piece.bytes).sum(), pieces }
}

pub(super) async fn retention(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Days>,
) -> Answer<RetentionView> {
    let locale = asked.lang.unwrap_or_default();
    let days = asked.days.unwrap_or(control.keeping.keep.journal_days);
    apart(move || match days {
        0 => Ok(RetentionView { days, entries: 0, bytes: 0, pieces: Vec::new() }),
        days => {
            let plan = control.keeping.retention(days).map_err(|error| failed(&error, locale))?;
            Ok(retention_view(&plan, days, locale))
        }
    })
    .await
}

pub(super) async fn prune(State(control): State<Arc<Control>>, Params(asked): Params<Days>) -> Answer<RetentionView> {
    let locale = asked.lang.unwrap_or_default();
    let days = asked.days.unwrap_or(control.keeping.keep.journal_days);
    apart(move || match days {
        0 => Ok(RetentionView { days, entries: 0, bytes: 0, pieces: Vec::new() }),
        days => {
            let (plan, removed) = control.keeping.prune(days).map_err(|error| failed(&error, locale))?;
            Ok(RetentionView { bytes: removed.bytes, ..retention_view(&plan, days, locale) })
        }
    })
    .await
}
