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
mod notify;
mod openapi;
mod page;
mod privacy;
mod probe;
mod reads;
mod routes;
mod sync;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::auth::{PageLinks, Tokens};
use crate::base::{Clock, Locale, Message, Slug};
use crate::certificate::Certificates;
use crate::journal::Journal;
use crate::pipeline::Running;
use crate::plan::Plans;
use crate::probe::Prober;
use crate::query::{Query, QueryError};
use crate::task::deliver::Stops;
use crate::task::folders::Folders;
use crate::task::keep::Keeping;
use crate::task::look::Looks;
use crate::task::notify::Notifier;
use crate::task::poll::Readings;
use crate::task::relay::Relaying;
use crate::task::watch::Watch;

pub use client::{Client, ClientError};
pub use commands::Edit;
pub use connect::ConnectView;
pub use notify::NotifiedView;
pub use page::{MadeLinkView, PageLinkView, RevokedView};
pub use routes::{openapi, router};

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
    /// What is wrong.
    pub watch: Arc<Watch>,
    /// Who tells people.
    pub notifier: Arc<Notifier>,
    /// Which sinks rest, and why.
    pub stops: Stops,
    /// What is being read.
    pub readings: Readings,
    /// How pulling from the relay goes.
    pub relaying: Relaying,
    /// What waits in watched folders.
    pub folders: Folders,
    /// The certificate of the listener; without a daemon or TLS there is none.
    pub certificates: Option<Arc<Certificates>>,
    /// Plans.
    pub plans: Plans,
    /// Links to the page.
    pub page_links: Arc<PageLinks>,
    /// How people reach the daemon: as the administrator said, or where it listens.
    pub public: Arc<Public>,
    /// Looks into sinks for plans.
    pub looks: Arc<Looks>,
    /// How connections stand.
    pub prober: Arc<dyn Prober>,
    /// Language of what people read in sinks: a plan says it in the same words.
    pub locale: Locale,
}

/// How people reach the daemon.
#[derive(Debug, Default)]
pub struct Public {
    /// What the settings say; empty: nothing.
    pub url: String,
    /// Where it listens, by the settings.
    pub address: String,
    /// Where it listens in fact, once it does.
    pub listening: OnceLock<String>,
}

impl Public {
    /// The address of the daemon, and whether it is known to be reachable from other computers.
    fn base(&self) -> (String, bool) {
        if !self.url.is_empty() {
            return (self.url.trim_end_matches('/').to_owned(), true);
        }
        let listening = self.listening.get().cloned().unwrap_or_else(|| self.address.clone());
        // "Everywhere" is no place to go to.
        let here = listening.replacen("//0.0.0.0", "//localhost", 1).replacen("//[::]", "//localhost", 1);
        (here, false)
    }
}

/// A refusal or failure, as JSON: `{"error": text}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    text: String,
}

/// Body of a refusal.
#[derive(Debug, JsonSchema, Serialize, Deserialize)]
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

/// Language asked for: `?lang=ru`.
#[derive(Debug, JsonSchema, Deserialize, Default)]
struct Asked {
    lang: Option<Locale>,
}

impl Asked {
    fn locale(&self) -> Locale {
        self.lang.unwrap_or_default()
    }
}
