//! Plans: made, shown and applied; sinks stopped and gone on with.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Control, Refusal, refuse};
use crate::base::checksum::Fingerprint;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{Locale, Message, Position, Slug};
use crate::catalog::{Connection, Mode};
use crate::entry::{AttemptResult, Attempted, AttemptedItem, Command, Entry, ObjectRef, Operation};
use crate::journal::NewEntry;
use crate::plan::PlanError;
use crate::query::views::{AppliedView, CommandView, LookView, PlanView, SyncView};
use crate::task::look::{Look, LookGround};

type Answer<T> = Result<Json<T>, Refusal>;

/// Overtaken objects that a refusal names.
const NAMED_MAX: usize = 5;

/// What a plan is asked for.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct PlanParams {
    lang: Option<Locale>,
    /// The sink; may be left out when there is only one.
    sink: Option<String>,
    /// Lines shown.
    limit: Option<usize>,
    /// The object after which the page begins.
    after: Option<String>,
    /// Only lines of this action.
    action: Option<String>,
    /// Apply what still holds, and leave the rest.
    only_unchanged: Option<bool>,
}

impl PlanParams {
    fn locale(&self) -> Locale {
        self.lang.unwrap_or_default()
    }

    fn lines_max(&self) -> usize {
        self.limit.unwrap_or(20).min(PAGE_ROWS_MAX)
    }
}

fn refused(error: PlanError, locale: Locale) -> Refusal {
    match error {
        PlanError::Table(error) => error.into(),
        PlanError::File(message) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, &message, locale),
        PlanError::Unknown(message) => Refusal::new(StatusCode::NOT_FOUND, &message, locale),
    }
}

/// Plans read the store for long: beside the event loop.
async fn blocking<T: Send + 'static>(
    control: &Arc<Control>,
    act: impl FnOnce(&Control) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let control = Arc::clone(control);
    let done = tokio::task::spawn_blocking(move || act(&control)).await;
    done.unwrap_or_else(|panicked| Err(Refusal::from(panicked)))
}

/// The sink that is meant.
fn sink_of<'c>(control: &'c Control, name: Option<&str>, locale: Locale) -> Result<&'c Connection, Refusal> {
    let sinks: Vec<&Connection> = control.query.catalog().sinks().collect();
    let known = || sinks.iter().map(|it| it.name.to_string()).collect::<Vec<_>>().join(", ");
    let message = match (name, sinks.as_slice()) {
        (None, [only]) => return Ok(only),
        (None, []) => Message::new("sync-no-sinks"),
        (None, [_, ..]) => Message::new("sync-name-sink").with("known", known()),
        (Some(name), _) => match sinks.iter().find(|it| *it.name == *name) {
            Some(found) => return Ok(found),
            None => Message::new("sync-no-sink").with("sink", name).with("known", known()),
        },
    };
    Err(Refusal::new(StatusCode::NOT_FOUND, &message, locale))
}

pub(super) async fn status(State(control): State<Arc<Control>>, Params(asked): Params<Asked>) -> Answer<Vec<SyncView>> {
    blocking(&control, move |it| it.query.sync_status().map_err(|error| refuse(error, asked.locale()))).await.map(Json)
}

pub(super) async fn make(State(control): State<Arc<Control>>, Params(params): Params<PlanParams>) -> Answer<PlanView> {
    blocking(&control, move |it| {
        let locale = params.locale();
        let connection = sink_of(it, params.sink.as_deref(), locale)?;
        let made = it.query.make_plan(&it.plans, connection, it.locale, it.clock.now());
        let plan = made.map_err(|error| refused(error, locale))?;
        shown(it, plan, &params)
    })
    .await
    .map(Json)
}

pub(super) async fn look(State(control): State<Arc<Control>>, Params(params): Params<PlanParams>) -> Answer<LookView> {
    let locale = params.locale();
    let connection = sink_of(&control, params.sink.as_deref(), locale)?;
    let ground = LookGround {
        query: control.query.clone(),
        plans: control.plans.clone(),
        clock: Arc::clone(&control.clock),
        locale: control.locale,
    };
    let begun = control.looks.begin(connection, ground);
    let look = begun.map_err(|message| Refusal::new(StatusCode::CONFLICT, &message, locale))?;
    Ok(Json(look_view(&connection.name, Some(look), locale)))
}

pub(super) async fn looking(
    State(control): State<Arc<Control>>,
    Params(params): Params<PlanParams>,
) -> Answer<LookView> {
    let locale = params.locale();
    let connection = sink_of(&control, params.sink.as_deref(), locale)?;
    Ok(Json(look_view(&connection.name, control.looks.of(&connection.name), locale)))
}

fn look_view(sink: &Slug, look: Option<Look>, locale: Locale) -> LookView {
    let is_known = look.is_some();
    let look = look.unwrap_or_default();
    let state = match &look.ended {
        Some(Ok(_)) => "done",
        Some(Err(_)) => "failed",
        None if is_known => "looking",
        None => "none",
    };
    let (plan, failure) = match look.ended {
        Some(Ok(plan)) => (Some(plan), None),
        Some(Err(message)) => (None, Some(message)),
        None => (None, None),
    };
    LookView {
        sink: sink.to_string(),
        state: state.to_owned(),
        total: look.total,
        done: look.done,
        found: look.found,
        plan,
        trouble: failure.or(look.trouble).map(|message| message.render(locale)),
    }
}

pub(super) async fn plans(State(control): State<Arc<Control>>, Params(asked): Params<Asked>) -> Answer<Vec<PlanView>> {
    blocking(&control, move |it| {
        let plans = it.plans.all().map_err(|error| refused(error, asked.locale()))?;
        Ok(plans.into_iter().map(|plan| it.query.plan_view(plan, Vec::new(), None, asked.locale())).collect())
    })
    .await
    .map(Json)
}

pub(super) async fn show(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    Params(params): Params<PlanParams>,
) -> Answer<PlanView> {
    blocking(&control, move |it| {
        let plan = it.plans.find(&name).map_err(|error| refused(error, params.locale()))?;
        shown(it, plan, &params)
    })
    .await
    .map(Json)
}

/// A page of a plan's lines.
fn shown(control: &Control, plan: crate::plan::Plan, params: &PlanParams) -> Result<PlanView, Refusal> {
    let max = params.lines_max();
    let mut lines = Vec::new();
    let mut passed = params.after.is_none();
    let mut more = false;
    let read = control.plans.lines(&plan, |line| {
        if !passed {
            passed = params.after.as_deref() == Some(line.object.to_string().as_str());
            return true;
        }
        if params.action.as_deref().is_some_and(|wanted| wanted != line.action.name()) {
            return true;
        }
        more = lines.len() == max;
        if !more {
            lines.push(line);
        }
        !more
    });
    read.map_err(|error| refused(error, params.locale()))?;
    let next = lines.last().filter(|_| more).map(|line| line.object.to_string());
    Ok(control.query.plan_view(plan, lines, next, params.locale()))
}

pub(super) async fn apply(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    Params(params): Params<PlanParams>,
) -> Answer<AppliedView> {
    let locale = params.locale();
    let only_unchanged = params.only_unchanged.unwrap_or(false);
    let (sink, plan, standing) = blocking(&control, move |it| {
        let plan = it.plans.find(&name).map_err(|error| refused(error, locale))?;
        let connection = sink_of(it, Some(&plan.sink), locale)?;
        if connection.mode == Mode::Off {
            let message = Message::new("sync-off").with("sink", &plan.sink);
            return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
        }
        let row = it.query.sink_row(connection).map_err(|error| refuse(error, locale))?;
        if let Some(approval) = row.approval.filter(|it| it.plan.to_string() == plan.plan) {
            let message = Message::new("sync-applied-already").with("plan", short(&plan.plan));
            let message = message.with("position", approval.position);
            return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
        }
        let standing = it.query.standing(&it.plans, &plan, connection, it.locale);
        let standing = standing.map_err(|error| refused(error, locale))?;
        if !standing.overtaken.is_empty() && !only_unchanged {
            let named: Vec<String> = standing.overtaken.iter().take(NAMED_MAX).map(ToString::to_string).collect();
            let message = Message::new("sync-overtaken")
                .with("plan", short(&plan.plan))
                .with("sink", &plan.sink)
                .with("count", standing.overtaken.len())
                .with("goes", plan.goes)
                .with("objects", named.join(", "));
            return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
        }
        Ok((connection.name.clone(), plan, standing))
    })
    .await?;
    let fingerprint = fingerprint(&plan.plan).ok_or_else(|| {
        let message = Message::new("plan-unknown").with("plan", &plan.plan);
        Refusal::new(StatusCode::NOT_FOUND, &message, locale)
    })?;
    link(&control, &sink, &standing.found).await?;
    let applied = standing.holds.len() as u64;
    let result =
        Message::new("sync-applied").with("plan", short(&plan.plan)).with("sink", &sink).with("count", applied);
    let command = Command::ApplyPlan { sink, plan: fingerprint, objects: standing.holds };
    let Json(CommandView { position, result }) = control.give(command, locale, result).await?;
    let overtaken = standing.overtaken.len() as u64;
    Ok(Json(AppliedView { position, result, applied, overtaken, newer: standing.newer }))
}

/// What a look has found is linked, as a delivery would: an attempt that found it, and sent nothing
/// yet. What comes after is an ordinary change.
async fn link(
    control: &Control,
    sink: &Slug,
    found: &[(ObjectRef, CompactString, CompactString)],
) -> Result<(), Refusal> {
    for found in found.chunks(PAGE_ROWS_MAX) {
        let item = |(object, kind, id): &(ObjectRef, CompactString, CompactString)| AttemptedItem {
            object: *object,
            operation: Operation::Find,
            version: Position::START,
            result: AttemptResult::Done { foreign_kind: kind.clone(), foreign_id: Some(id.clone()), sent: Vec::new() },
        };
        let (at, items) = (control.clock.now(), found.iter().map(item).collect());
        let entry = Entry::Attempted(Attempted { sink: sink.clone(), at, attempting: None, items });
        control.journal.append(NewEntry { kind: entry.kind(), at, payload: entry.encode() }).await?;
    }
    Ok(())
}

pub(super) async fn pause(
    State(control): State<Arc<Control>>,
    Path(sink): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<CommandView> {
    let locale = asked.locale();
    let sink = written(&control, &sink, locale)?;
    let result = Message::new("sync-paused").with("sink", &sink);
    control.give(Command::PauseSink { sink }, locale, result).await
}

pub(super) async fn resume(
    State(control): State<Arc<Control>>,
    Path(sink): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<CommandView> {
    let locale = asked.locale();
    let sink = written(&control, &sink, locale)?;
    let result = Message::new("sync-resumed").with("sink", &sink);
    control.give(Command::ResumeSink { sink }, locale, result).await
}

/// A sink that is written to, or would be but for a pause.
fn written(control: &Control, sink: &str, locale: Locale) -> Result<Slug, Refusal> {
    let connection = sink_of(control, Some(sink), locale)?;
    let row = control.query.sink_row(connection).map_err(|error| refuse(error, locale))?;
    if !row.open {
        let message = Message::new("sync-not-live").with("sink", sink);
        return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
    }
    Ok(connection.name.clone())
}

/// As much of a name as a person needs.
fn short(name: &str) -> String {
    name.chars().take(12).collect()
}

fn fingerprint(text: &str) -> Option<Fingerprint> {
    let mut bytes = [0; 16];
    if text.len() != 32 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(Fingerprint(bytes))
}
