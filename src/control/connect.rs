//! Connecting to foreign systems where a person has to agree.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as UrlQuery, State};
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Control, Refusal};
use crate::auth::{Standing, Tokens};
use crate::base::{Locale, Message, Timestamp};

/// How a connection stands with the tokens of its foreign system.
#[derive(Debug, Clone, JsonSchema, Serialize, Deserialize)]
pub struct ConnectView {
    /// The connection.
    pub connection: String,
    /// `not_connected`, `connected`, `lost`, `refused`.
    pub standing: String,
    /// What is wrong, and the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Where a person agrees; only after it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where he comes back to.
    pub redirect: String,
    /// When the pair in force was given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

#[derive(Debug, JsonSchema, Deserialize)]
pub(super) struct Asked {
    lang: Option<Locale>,
    code: Option<String>,
}

/// `GET /api/connections/{name}/tokens`.
pub(super) async fn show(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    UrlQuery(asked): UrlQuery<Asked>,
) -> Result<Json<ConnectView>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    Ok(Json(view(&name, find(&control, &name, locale)?, None, locale)))
}

/// `POST /api/connections/{name}/connect`: begins, or takes the code that a person brought by hand.
pub(super) async fn connect(
    State(control): State<Arc<Control>>,
    Path(name): Path<String>,
    UrlQuery(asked): UrlQuery<Asked>,
) -> Result<Json<ConnectView>, Refusal> {
    let locale = asked.lang.unwrap_or_default();
    let tokens = find(&control, &name, locale)?;
    let Some(code) = asked.code.filter(|it| !it.trim().is_empty()) else {
        let url = tokens.begin();
        return Ok(Json(view(&name, tokens, Some(url), locale)));
    };
    let taken = tokens.take_code(&code).await;
    taken.map_err(|refused| Refusal::new(StatusCode::BAD_REQUEST, &refused.0, locale))?;
    Ok(Json(view(&name, tokens, None, locale)))
}

fn find<'a>(control: &'a Control, name: &str, locale: Locale) -> Result<&'a Arc<Tokens>, Refusal> {
    let found = control.tokens.iter().find(|(held, _)| ***held == *name).map(|(_, tokens)| tokens);
    let message = || Message::new("oauth-no-connection").with("connection", name);
    found.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, &message(), locale))
}

fn view(name: &str, tokens: &Tokens, url: Option<String>, locale: Locale) -> ConnectView {
    let standing = tokens.standing();
    let problem = match &standing {
        Standing::Lost(message) | Standing::Refused(message) => Some(message.render(locale)),
        Standing::NotConnected => Some(Message::new("oauth-not-connected").with("connection", name).render(locale)),
        Standing::Connected => None,
    };
    ConnectView {
        connection: name.to_owned(),
        standing: standing.word().to_owned(),
        problem,
        url,
        redirect: tokens.redirect_uri().to_owned(),
        since: tokens.times().map(|(since, _): (Timestamp, Timestamp)| since.to_string()),
    }
}
