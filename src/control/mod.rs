//! The command line's way into the daemon, and the JSON interface of the listener: one router.
//!
//! Over the owner-only socket of the folder no token is asked for; the listener puts its token
//! check in front of the same router. Without a daemon the command line drives the router
//! in-process. A command answers when it is applied.

mod client;
mod commands;
mod connect;
mod explain;
mod keeping;
mod privacy;
mod reads;
mod sync;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use crate::auth::Tokens;
use crate::base::{Clock, Locale, Message, Slug};
use crate::journal::Journal;
use crate::pipeline::Running;
use crate::plan::Plans;
use crate::query::{Query, QueryError};
use crate::task::deliver::Stops;
use crate::task::folders::Folders;
use crate::task::keep::Keeping;
use crate::task::poll::Readings;

pub use client::{Client, ClientError};
pub use commands::Edit;
pub use connect::ConnectView;

/// What the interface stands on.
pub struct Control {
    /// Views.
    pub query: Query,
    /// Commands go here.
    pub journal: Arc<dyn Journal>,
    /// Commands wait here.
    pub pipeline: Arc<Running>,
    /// Time of commands.
    pub clock: Arc<dyn Clock>,
    /// Snapshots.
    pub keeping: Arc<Keeping>,
    /// Tokens of connections that work by them.
    pub tokens: Arc<BTreeMap<Slug, Arc<Tokens>>>,
    /// Which sinks rest, and why.
    pub stops: Stops,
    /// What is being read.
    pub readings: Readings,
    /// What waits in watched folders.
    pub folders: Folders,
    /// Plans.
    pub plans: Plans,
    /// Language of what people read in sinks: a plan says it in the same words.
    pub locale: Locale,
}

/// A refusal or failure, as JSON: `{"error": text}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    text: String,
}

/// Body of a refusal.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefusalBody {
    /// What is wrong, and the next step.
    pub error: String,
}

impl Refusal {
    fn new(status: StatusCode, message: &Message, locale: Locale) -> Refusal {
        Refusal { status, text: message.render(locale) }
    }
}

impl<E: std::error::Error> From<E> for Refusal {
    fn from(error: E) -> Refusal {
        Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, text: error.to_string() }
    }
}

/// An id of a path. What does not read as one is an id of nothing.
fn parse<T: std::str::FromStr<Err = Message>>(text: &str, locale: Locale) -> Result<T, Refusal> {
    text.parse().map_err(|message| Refusal::new(StatusCode::NOT_FOUND, &message, locale))
}

/// Why there is no view, in the reader's language.
fn refuse(error: QueryError, locale: Locale) -> Refusal {
    match error {
        QueryError::Parameter(message) => Refusal::new(StatusCode::BAD_REQUEST, &message, locale),
        QueryError::Table(error) => error.into(),
        QueryError::Journal(error) => error.into(),
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(RefusalBody { error: self.text })).into_response()
    }
}

/// Everything of the interface; all paths begin with `/api/`.
pub fn router(control: Arc<Control>) -> Router {
    Router::new()
        .route("/api/status", get(reads::status))
        .route("/api/position", get(reads::position))
        .route("/api/clients", get(reads::clients))
        .route("/api/clients/{id}", get(reads::client))
        .route("/api/clients/{id}/edit", post(commands::edit_client))
        .route("/api/clients/{id}/why", get(explain::why))
        .route("/api/clients/{id}/where", get(explain::where_client))
        .route("/api/deals", get(reads::deals))
        .route("/api/deals/{id}", get(reads::deal))
        .route("/api/deals/{id}/score", get(reads::score))
        .route("/api/deals/{id}/edit", post(commands::edit_deal))
        .route("/api/deals/{id}/where", get(explain::where_deal))
        .route("/api/folders", get(reads::folders))
        .route("/api/totals", get(reads::totals))
        .route("/api/employees", get(reads::employees))
        .route("/api/outbox", get(reads::outbox))
        .route("/api/told/{sink}", get(explain::told))
        .route("/api/outbox/{sink}/{object}/resend", post(commands::resend))
        .route("/api/outbox/{sink}/{object}/discard", post(commands::discard_delivery))
        .route("/api/quarantine", get(reads::quarantine))
        .route("/api/quarantine/{record}", get(reads::quarantined))
        .route("/api/quarantine/{record}/retry", post(commands::retry))
        .route("/api/quarantine/{record}/accept", post(commands::accept))
        .route("/api/quarantine/{record}/discard", post(commands::discard_record))
        .route("/api/clients/{id}/merge/{loser}", post(commands::merge))
        .route("/api/clients/{id}/split/{loser}", post(commands::split))
        .route("/api/tasks", get(reads::tasks))
        .route("/api/tasks/{id}", get(reads::task))
        .route("/api/tasks/{id}/done", post(commands::complete_task))
        .route("/api/tasks/{id}/cancel", post(commands::cancel_task))
        .route("/api/sources", get(reads::sources))
        .route("/api/sources/{connection}/load", post(commands::load))
        .route("/api/journal", get(reads::journal))
        .route("/api/journal/{position}", get(reads::entry))
        .route("/api/connections/{name}/tokens", get(connect::show))
        .route("/api/connections/{name}/connect", post(connect::connect))
        .route("/api/snapshots", get(keeping::list).post(keeping::make))
        .route("/api/snapshots/verify", post(keeping::verify))
        .route("/api/retention", get(keeping::retention).post(keeping::prune))
        .route("/api/privacy/{client}", get(privacy::plan).post(privacy::erase))
        .route("/api/sync", get(sync::status))
        .route("/api/sync/plans", get(sync::plans).post(sync::make))
        .route("/api/sync/plans/{plan}", get(sync::show))
        .route("/api/sync/plans/{plan}/apply", post(sync::apply))
        .route("/api/sync/sinks/{sink}/pause", post(sync::pause))
        .route("/api/sync/sinks/{sink}/resume", post(sync::resume))
        .route("/api/rows-hash", get(reads::rows_hash))
        .with_state(control)
}

/// Language asked for: `?lang=ru`.
#[derive(Debug, Deserialize, Default)]
struct Asked {
    lang: Option<Locale>,
}

impl Asked {
    fn locale(&self) -> Locale {
        self.lang.unwrap_or_default()
    }
}
