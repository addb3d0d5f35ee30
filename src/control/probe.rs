//! How connections stand, asked online.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as UrlQuery, State};
use axum::http::StatusCode;

use super::{Asked, Control, Refusal};
use crate::base::Message;
use crate::probe::ProbeView;

/// `POST /api/probe`: every connection.
pub(super) async fn all(
    State(control): State<Arc<Control>>,
    UrlQuery(asked): UrlQuery<Asked>,
) -> Result<Json<Vec<ProbeView>>, Refusal> {
    Ok(Json(control.prober.probe(None, asked.locale()).await.unwrap_or_default()))
}

/// `POST /api/probe/{connection}`: it asks a foreign system, so it is no mere reading.
pub(super) async fn one(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    UrlQuery(asked): UrlQuery<Asked>,
) -> Result<Json<Vec<ProbeView>>, Refusal> {
    let locale = asked.locale();
    let message = || Message::new("probe-no-connection").with("connection", &name);
    let probed = control.prober.probe(Some(&name), locale).await;
    probed.map(Json).ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, &message(), locale))
}
