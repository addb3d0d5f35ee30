//! What is shown.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Asked, Control, Refusal, parse, refuse};
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{Locale, Message, Position, Slug};
use crate::query::ownership::OwnershipView;
use crate::query::views::{
    ClientLine, ClientView, DealLine, DealView, EntryView, FolderFileView, FolderView, OutboxView, Page,
    QuarantineView, RelayView, ScoreView, SourceView, StatusView, TaskLine, TaskView, TotalsView,
};
use crate::query::{AlarmView, CertificateView, EmployeeView, Listing, QueryError};
use crate::task::folders::Found;
use crate::task::poll::Way;
use crate::task::relay::Pulling;

type Answer<T> = Result<Json<T>, Refusal>;

/// Parameters of a listing.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct ListParams {
    lang: Option<Locale>,
    /// Rows of the page.
    limit: Option<usize>,
    /// Where the page before ended.
    after: Option<String>,
    /// Part of a name, a phone, an e-mail, an INN.
    search: Option<String>,
    /// Class of deals.
    class: Option<String>,
    /// State of deals or deliveries.
    state: Option<String>,
    /// Sink of deliveries.
    sink: Option<String>,
    /// Who does a task.
    responsible: Option<String>,
}

/// Parameters of the totals.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct TotalsParams {
    /// Only deals of this pipeline.
    pipeline: Option<String>,
}

impl ListParams {
    fn listing(self) -> Listing {
        Listing {
            locale: self.lang.unwrap_or_default(),
            rows_max: self.limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX),
            after: self.after,
            search: self.search,
            class: self.class,
            state: self.state,
            sink: self.sink,
            responsible: self.responsible,
        }
    }
}

/// Views read the store, which blocks: they run beside the event loop.
async fn blocking<T: Send + 'static>(
    control: Arc<Control>,
    view: impl FnOnce(&Control) -> Result<T, Refusal> + Send + 'static,
) -> Answer<T> {
    let done = tokio::task::spawn_blocking(move || view(&control)).await;
    done.unwrap_or_else(|panicked| Err(Refusal::from(panicked))).map(Json)
}

fn found<T>(view: Option<T>, id: &str, locale: Locale) -> Result<T, Refusal> {
    view.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, &Message::new("control-not-found").with("id", id), locale))
}

/// A page of a listing, in the reader's language when it is refused.
fn page<T>(params: ListParams, view: impl FnOnce(&Listing) -> Result<Page<T>, QueryError>) -> Result<Page<T>, Refusal> {
    let listing = params.listing();
    view(&listing).map_err(|error| refuse(error, listing.locale))
}

/// How far the pipeline is, without a look into the store: cheap enough to be asked all the time.
#[derive(Debug, JsonSchema, serde::Serialize)]
pub(super) struct PositionView {
    /// Newest synced journal position.
    head: u64,
    /// Newest applied journal position.
    applied: u64,
}

pub(super) async fn position(State(control): State<Arc<Control>>) -> Json<PositionView> {
    // In this order: what is applied was in the journal before.
    let applied = control.pipeline.applied().borrow().0;
    Json(PositionView { head: control.journal.head().0, applied })
}

pub(super) async fn status(State(control): State<Arc<Control>>, Params(asked): Params<Asked>) -> Answer<StatusView> {
    blocking(control, move |it| {
        let failure = it.pipeline.failure();
        let mut view = it.query.status(*it.pipeline.applied().borrow(), failure, asked.locale())?;
        let stops = it.stops.all();
        for connection in &mut view.connections {
            let stop = stops.iter().find(|(sink, _)| ***sink == *connection.name);
            connection.stopped = stop.map(|(_, stop)| stop.reason.render(asked.locale()));
        }
        view.alarms = it.query.alarms(&it.watch.alarms()?, asked.locale());
        if let Some(pulling) = it.relaying.get() {
            let known = view.relay.take().unwrap_or_default();
            view.relay = Some(relay(it, pulling, known, asked.locale()));
        }
        view.certificate = it.certificates.as_ref().map(|certificates| {
            let standing = certificates.standing();
            CertificateView {
                not_after: standing.not_after.map(|at| it.query.local(at)),
                days_left: standing.not_after.map(|at| at.ms_since(it.clock.now()).div_euclid(86_400_000)),
                trouble: standing.trouble.map(|trouble| trouble.render(asked.locale())),
                next_try: standing.next_try.map(|at| it.query.local(at)),
            }
        });
        Ok(view)
    })
    .await
}

pub(super) async fn alarms(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<AlarmView>> {
    blocking(control, move |it| Ok(it.query.alarms(&it.watch.alarms()?, asked.locale()))).await
}

/// The relay as the journal knows it and as it answers now.
fn relay(control: &Control, pulling: Pulling, known: RelayView, locale: Locale) -> RelayView {
    let notices = pulling.clock().into_iter().chain(pulling.notices.iter().cloned());
    let said = pulling.contact.is_some();
    RelayView {
        host: pulling.host.clone(),
        state: pulling.state.to_owned(),
        since: Some(control.query.local(pulling.since)),
        pulled: if said { pulling.pulled.0 } else { known.pulled },
        waiting: said.then(|| pulling.waiting()),
        contact: pulling.contact.map(|at| control.query.local(at)),
        contact_s: pulling.contact.map(|at| control.clock.now().ms_since(at).max(0) / 1_000),
        clock_s: said.then_some(pulling.clock_ms / 1_000),
        notices: notices.map(|notice| notice.render(locale)).collect(),
        trouble: pulling.trouble.map(|trouble| trouble.render(locale)),
        ..known
    }
}

pub(super) async fn clients(
    State(control): State<Arc<Control>>,
    Params(params): Params<ListParams>,
) -> Answer<Page<ClientLine>> {
    blocking(control, move |it| page(params, |listing| it.query.clients(listing))).await
}

pub(super) async fn client(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<ClientView> {
    blocking(control, move |it| {
        let view = it.query.client(parse(&id, asked.locale())?, asked.locale())?;
        found(view, &id, asked.locale())
    })
    .await
}

pub(super) async fn deals(
    State(control): State<Arc<Control>>,
    Params(params): Params<ListParams>,
) -> Answer<Page<DealLine>> {
    blocking(control, move |it| page(params, |listing| it.query.deals(listing))).await
}

pub(super) async fn deal(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<DealView> {
    blocking(control, move |it| {
        let view = it.query.deal(parse(&id, asked.locale())?, asked.locale())?;
        found(view, &id, asked.locale())
    })
    .await
}

pub(super) async fn score(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<ScoreView> {
    blocking(control, move |it| {
        let view = it.query.score(parse(&id, asked.locale())?, asked.locale())?;
        found(view, &id, asked.locale())
    })
    .await
}

pub(super) async fn totals(
    State(control): State<Arc<Control>>,
    Params(params): Params<TotalsParams>,
) -> Answer<Vec<TotalsView>> {
    blocking(control, move |it| Ok(it.query.totals(params.pipeline.as_deref())?)).await
}

pub(super) async fn employees(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<EmployeeView>> {
    blocking(control, move |it| Ok(it.query.employees(it.clock.now(), asked.locale())?)).await
}

pub(super) async fn ownership(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<OwnershipView>> {
    blocking(control, move |it| Ok(it.query.ownership(asked.locale()))).await
}

pub(super) async fn outbox(
    State(control): State<Arc<Control>>,
    Params(params): Params<ListParams>,
) -> Answer<Page<OutboxView>> {
    blocking(control, move |it| page(params, |listing| it.query.outbox(listing))).await
}

pub(super) async fn quarantine(
    State(control): State<Arc<Control>>,
    Params(params): Params<ListParams>,
) -> Answer<Page<QuarantineView>> {
    blocking(control, move |it| page(params, |listing| it.query.quarantine(listing))).await
}

pub(super) async fn quarantined(
    State(control): State<Arc<Control>>,
    Path(record): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<QuarantineView> {
    blocking(control, move |it| {
        let view = it.query.quarantined(parse(&record, asked.locale())?, asked.locale())?;
        found(view, &record, asked.locale())
    })
    .await
}

pub(super) async fn tasks(
    State(control): State<Arc<Control>>,
    Params(params): Params<ListParams>,
) -> Answer<Page<TaskLine>> {
    blocking(control, move |it| {
        let now = it.clock.now();
        page(params, |listing| it.query.tasks(listing, now))
    })
    .await
}

pub(super) async fn task(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<TaskView> {
    blocking(control, move |it| {
        let view = it.query.task(parse(&id, asked.locale())?, asked.locale(), it.clock.now())?;
        found(view, &id, asked.locale())
    })
    .await
}

pub(super) async fn journal(
    State(control): State<Arc<Control>>,
    Params(params): Params<ListParams>,
) -> Answer<Page<EntryView>> {
    blocking(control, move |it| page(params, |listing| it.query.journal(listing))).await
}

pub(super) async fn entry(
    State(control): State<Arc<Control>>,
    Path(text): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer<EntryView> {
    blocking(control, move |it| {
        let position = found(text.parse().ok(), &text, asked.locale())?;
        let view = it.query.entry(Position(position), asked.locale())?;
        found(view, &text, asked.locale())
    })
    .await
}

/// Hash over every row, with the checkpoint it belongs to: two stores with the same checkpoint
/// and configuration have the same hash.
#[derive(Debug, JsonSchema, serde::Serialize)]
pub(super) struct RowsHashView {
    /// The checkpoint: `position.item`.
    checkpoint: String,
    /// The hash, hexadecimal.
    hash: String,
}

pub(super) async fn rows_hash(State(control): State<Arc<Control>>) -> Answer<RowsHashView> {
    blocking(control, |it| {
        let (checkpoint, hash) = it.query.rows_hash()?;
        Ok(RowsHashView { checkpoint: checkpoint.to_string(), hash: hash.to_string() })
    })
    .await
}

pub(super) async fn sources(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<SourceView>> {
    blocking(control, move |it| {
        let locale = asked.locale();
        let mut views = it.query.sources().map_err(|error| refuse(error, locale))?;
        for view in &mut views {
            view.told_by = told_by(it, view).map(str::to_owned);
            let Some(reading) = it.readings.of(&view.connection, &view.stream) else { continue };
            view.read_at = reading.read_at.map(|at| it.query.local(at));
            view.same = reading.same;
            if reading.not_offered {
                "not_offered".clone_into(&mut view.state);
            }
            view.waits_until = reading.waits_until.map(|until| it.query.local(until));
            view.trouble = reading.trouble.map(|reason| reason.render(locale));
        }
        Ok(views)
    })
    .await
}

/// How the system of a stream tells of its changes by itself.
fn told_by(control: &Control, view: &SourceView) -> Option<&'static str> {
    let connection = control.query.catalog().connection(&view.connection)?;
    let hints = connection.connector.hints.as_ref()?;
    hints.streams.iter().find(|(_, stream)| *stream == view.stream)?;
    let hearing = control.readings.hearing(&view.connection);
    match (hearing.called == Way::InForce, hearing.queue == Way::InForce) {
        (true, true) => Some("called_and_queue"),
        (true, false) => Some("called"),
        (false, true) => Some("queue"),
        (false, false) => None,
    }
}

/// Watched folders; without a daemon nobody looks at them, so none is known.
pub(super) async fn folders(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Answer<Vec<FolderView>> {
    let locale = asked.locale();
    let view = |(connection, found): (Slug, Found)| FolderView {
        connection: connection.to_string(),
        path: found.path,
        problem: found.problem.map(|it| it.render(locale)),
        files: found
            .files
            .into_iter()
            .map(|file| FolderFileView {
                name: file.name,
                position: file.position.map(|it| it.0),
                waits: file.waits.map(|it| it.render(locale)),
            })
            .collect(),
    };
    Ok(Json(control.folders.all().into_iter().map(view).collect()))
}
