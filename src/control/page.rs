//! Links to the page of the head of sales: made, listed, taken back.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, Control, Refusal};
use crate::auth::{PageLink, PageLinkError};
use crate::base::limits::{PAGE_LINK_DAYS_MAX, PAGE_LINK_NAME_CHARS};
use crate::base::{Locale, Message};

const DAY_MS: i64 = 86_400_000;
/// When nobody says how long.
const DAYS: u64 = 90;

/// A link that holds. Its address is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct PageLinkView {
    /// Its number.
    pub id: u32,
    /// Whom it is for.
    pub name: String,
    /// Since when.
    pub made: String,
    /// Until when.
    pub expires: String,
}

/// A new link.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct MadeLinkView {
    /// The link.
    #[serde(flatten)]
    pub link: PageLinkView,
    /// Its address: whoever has it may look.
    pub url: String,
    /// Whether the address is known to open on other computers too.
    pub is_public: bool,
}

/// How many links were taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct RevokedView {
    /// How many.
    pub revoked: usize,
}

#[derive(Debug, JsonSchema, Deserialize)]
pub(super) struct NewLink {
    lang: Option<Locale>,
    days: Option<u64>,
    #[serde(rename = "for")]
    name: Option<String>,
}

/// `GET /api/page/links`.
pub(super) async fn links(State(control): State<Arc<Control>>) -> Json<Vec<PageLinkView>> {
    let links = control.page_links.all(control.clock.now());
    Json(links.into_iter().map(|link| view(&control, link)).collect())
}

/// `POST /api/page/links?days=30&for=NAME`.
pub(super) async fn make(
    State(control): State<Arc<Control>>,
    Params(asked): Params<NewLink>,
) -> Result<Json<MadeLinkView>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    let days = asked.days.unwrap_or(DAYS);
    if !(1..=PAGE_LINK_DAYS_MAX).contains(&days) {
        let message = Message::new("page-link-days").with("max", PAGE_LINK_DAYS_MAX);
        return Err(Refusal::new(StatusCode::BAD_REQUEST, &message, locale));
    }
    let name: String = asked.name.unwrap_or_default().trim().chars().take(PAGE_LINK_NAME_CHARS).collect();
    let now = control.clock.now();
    let (link, token) = written(&control, locale, move |it| {
        it.page_links.make(&name, now.plus_ms(i64::try_from(days).unwrap_or(1) * DAY_MS), now)
    })
    .await?;
    let (base, is_public) = control.public.base();
    let url = format!("{base}/page/open/{}", token.expose());
    Ok(Json(MadeLinkView { link: view(&control, link), url, is_public }))
}

/// `POST /api/page/links/{id}/revoke`.
pub(super) async fn revoke(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
) -> Result<Json<RevokedView>, Refusal> {
    let locale = asked.locale();
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, &Message::new("page-link-unknown").with("id", &id), locale);
    let number: u32 = id.parse().map_err(|_| unknown())?;
    let revoked = written(&control, locale, move |it| it.page_links.revoke(number)).await?;
    revoked.map(|_| Json(RevokedView { revoked: 1 })).ok_or_else(unknown)
}

/// `POST /api/page/revoke`: all of them.
pub(super) async fn revoke_all(
    State(control): State<Arc<Control>>,
    Params(asked): Params<Asked>,
) -> Result<Json<RevokedView>, Refusal> {
    let revoked = written(&control, asked.locale(), |it| it.page_links.revoke_all()).await?;
    Ok(Json(RevokedView { revoked }))
}

/// The vault is written to the disk before it answers: beside the event loop.
async fn written<T: Send + 'static>(
    control: &Arc<Control>,
    locale: Locale,
    write: impl FnOnce(&Control) -> Result<T, PageLinkError> + Send + 'static,
) -> Result<T, Refusal> {
    let control = Arc::clone(control);
    let done = tokio::task::spawn_blocking(move || write(&control)).await?;
    done.map_err(|error| {
        let status = match &error {
            PageLinkError::TooMany(_) => StatusCode::CONFLICT,
            PageLinkError::Vault(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Refusal::new(status, error.message(), locale)
    })
}

fn view(control: &Control, link: PageLink) -> PageLinkView {
    PageLinkView {
        id: link.id,
        name: link.name,
        made: control.query.local(link.made),
        expires: control.query.local(link.expires),
    }
}
