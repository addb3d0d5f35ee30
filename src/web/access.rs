//! Who may look at pages: by a cookie that a signed link set, or by the token of the JSON interface.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Extension, Path, State};
use axum::response::{Html, IntoResponse, Response};
use http::header::{AUTHORIZATION, COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE};
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, StatusCode};
use tracing::info;

use super::{Frame, Visitor, Web, frame};
use crate::base::limits::LOGIN_WINDOW_MS;
use crate::base::{Locale, Message};

const COOKIE_NAME: &str = "uzel_page";

/// Why somebody may not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// He came without a link.
    Stranger,
    /// His link is wrong, over or taken back.
    Closed,
    /// Too many wrong links came from his address.
    Wait,
}

/// Whether the request may see pages. A cookie that holds is enough, whatever others at the same
/// address try; one that no longer does is no attempt, browsers send it as long as they have it.
pub(super) fn check(web: &Web, request: &Head) -> Result<(), Refused> {
    let now = web.parts.clock.now();
    let cookie = cookie(&request.headers);
    if cookie.is_some_and(|token| web.parts.links.open(token, now).is_some()) {
        return Ok(());
    }
    let Some(given) = bearer(&request.headers) else {
        return Err(if cookie.is_some() { Refused::Closed } else { Refused::Stranger });
    };
    let remote = request.extensions.get::<Visitor>().and_then(|visitor| visitor.remote);
    if !web.attempts.may_try(remote, now) {
        return Err(Refused::Wait);
    }
    // Every token is compared.
    match web.parts.api_tokens.iter().fold(false, |any, it| any | it.matches(given)) {
        true => Ok(()),
        false => {
            web.attempts.failed(remote, now);
            Err(Refused::Closed)
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok()).flat_map(|it| it.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token)
}

/// `GET /page/open/{token}`: sets the cookie and leaves the token behind.
pub(super) async fn open(
    State(web): State<Arc<Web>>,
    Path(token): Path<String>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    let now = web.parts.clock.now();
    if !web.attempts.may_try(visitor.remote, now) {
        return told(&web, Refused::Wait, visitor.locale);
    }
    let Some(link) = web.parts.links.open(&token, now) else {
        web.attempts.failed(visitor.remote, now);
        return told(&web, Refused::Closed, visitor.locale);
    };
    web.attempts.succeeded(visitor.remote);
    // The number of the link, not its name: that is a person.
    info!(page.link = link.id, "link {} opens the page", link.id);
    let seconds = link.expires.ms_since(now) / 1000;
    let secure = if visitor.is_https { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let cookie = HeaderValue::from_str(&cookie).expect("a token that opens is base64url");
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, HeaderValue::from_static("/"))]).into_response()
}

/// A page of one sentence and the next step.
#[derive(Template)]
#[template(path = "denied.html")]
struct DeniedPage {
    frame: Frame,
    text: String,
    next: String,
}

/// How to get a link.
pub(super) fn told(web: &Web, refused: Refused, locale: Locale) -> Response {
    let (status, id) = match refused {
        Refused::Stranger => (StatusCode::FORBIDDEN, "page-denied-stranger"),
        Refused::Closed => (StatusCode::FORBIDDEN, "page-denied-closed"),
        Refused::Wait => (StatusCode::TOO_MANY_REQUESTS, "page-denied-wait"),
    };
    let mut response = plain(web, status, id, locale);
    if refused == Refused::Wait {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(LOGIN_WINDOW_MS / 1000));
    }
    response
}

/// A text with its next step (`<id>-next`). Says nothing of the company: strangers read it.
pub(super) fn plain(web: &Web, status: StatusCode, id: &str, locale: Locale) -> Response {
    let mut frame = frame(web, &format!("{id}-title"), locale, String::new());
    frame.company.clear();
    frame.at.clear();
    let say = |id: &str| Message::new(id).render(locale);
    let page = DeniedPage { frame, text: say(id), next: say(&format!("{id}-next")) };
    match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(_) => status.into_response(),
    }
}

/// An address below ours that is no page.
pub(super) async fn nothing_here(State(web): State<Arc<Web>>, Extension(visitor): Extension<Visitor>) -> Response {
    plain(&web, StatusCode::NOT_FOUND, "page-nothing", visitor.locale)
}
