//! Explanations: why one client, where a value is from. The records are read again from the journal.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Control, Refusal, parse, refuse};
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{ItemRef, Locale, Message, Slug, Timestamp};
use crate::pipeline::read_again;
use crate::query::views::Page;
use crate::query::{Listing, QueryError, Said, WhereView, WhyView};

/// What is asked of an explanation.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct Explained {
    lang: Option<Locale>,
    /// Another client.
    with: Option<String>,
    /// Only this field.
    field: Option<String>,
}

/// What is asked of what a sink was told.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct Told {
    lang: Option<Locale>,
    /// Unix time, ms.
    since: Option<i64>,
    after: Option<String>,
    limit: Option<usize>,
}

/// Reads the journal, which blocks: beside the event loop.
async fn explained<T: Send + 'static>(
    control: Arc<Control>,
    id: String,
    locale: Locale,
    view: impl FnOnce(&Control, &dyn Fn(ItemRef) -> Option<Said>) -> Result<Option<T>, Refusal> + Send + 'static,
) -> Result<Json<T>, Refusal> {
    let done = tokio::task::spawn_blocking(move || {
        let read = |at: ItemRef| said(&control, at);
        view(&control, &read)
    })
    .await;
    let view = done.unwrap_or_else(|panicked| Err(Refusal::from(panicked)))?;
    let missing = || Refusal::new(StatusCode::NOT_FOUND, &Message::new("control-not-found").with("id", &id), locale);
    view.map(Json).ok_or_else(missing)
}

/// What a record says, read again. An explanation without it is better than none.
fn said(control: &Control, at: ItemRef) -> Option<Said> {
    let again = read_again(control.journal.as_ref(), control.query.catalog(), at).ok()??;
    Some(Said {
        connection: again.connection,
        stream: again.stream,
        observed_at: again.observed_at,
        client: again.client,
        deal: again.deal,
        keys: again.keys,
        left_out: again.left_out,
    })
}

pub(super) async fn why(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Explained>,
) -> Result<Json<WhyView>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    explained(control, id.clone(), locale, move |it, read| {
        let other = asked.with.as_deref().map(|other| parse(other, locale)).transpose()?;
        Ok(it.query.why(parse(&id, locale)?, other, read, locale)?)
    })
    .await
}

pub(super) async fn where_client(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Explained>,
) -> Result<Json<WhereView>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    explained(control, id.clone(), locale, move |it, read| {
        Ok(it.query.where_client(parse(&id, locale)?, asked.field.as_deref(), read, locale)?)
    })
    .await
}

pub(super) async fn where_deal(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Explained>,
) -> Result<Json<WhereView>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    explained(control, id.clone(), locale, move |it, read| {
        Ok(it.query.where_deal(parse(&id, locale)?, asked.field.as_deref(), read, locale)?)
    })
    .await
}

/// Clients and deals that a sink has confirmed since an instant.
pub(super) async fn told(
    State(control): State<Arc<Control>>,
    Path(sink): Path<String>,
    Params(asked): Params<Told>,
) -> Result<Json<Page<String>>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    explained(control, sink.clone(), locale, move |it, _read| {
        let Some(name) = Slug::new(&sink).filter(|_| it.query.is_sink(&sink)) else { return Ok(None) };
        let rows_max = asked.limit.unwrap_or(100).clamp(1, PAGE_ROWS_MAX);
        let listing = Listing { locale, rows_max, after: asked.after, ..Listing::default() };
        let since = Timestamp(asked.since.unwrap_or(0));
        let page = it.query.told(&name, since, &listing).map_err(|error: QueryError| refuse(error, locale))?;
        Ok(Some(page))
    })
    .await
}
