//! Pages for people in a browser: server-rendered, without a script, nothing from third parties.
//!
//! Page = handler + page struct + template, one name for the three (`sales.rs`, `sales.html`). A
//! handler asks `query` for a view, the struct turns it into words and addresses, the template
//! prints. Texts are Fluent's, in the language of the browser or of `?lang=`.
//!
//! Who may look: whoever came by a signed link ([`crate::auth::PageLinks`]), which sets a cookie and
//! leaves the address, or bears the token of the JSON interface. Everybody else reads in plain words
//! how to get a link. Pages only show: there is nothing here to forge.
//!
//! Every answer forbids scripts, foreign content, frames, referrers and being kept by caches.

mod access;
mod sales;
mod tasks;
mod words;

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::auth::{Attempts, PageLinks};
use crate::base::limits::PAGES_AT_ONCE;
use crate::base::{Clock, Locale, Message, Secret};
use crate::query::priority::Origins;
use crate::query::ranking::Ranking;
use crate::query::{Query, QueryError};

/// Something that is wrong with a connection or the daemon, in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Whether somebody must act now.
    pub is_grave: bool,
    /// What is wrong.
    pub what: String,
    /// What a foreign system or the machine said of it.
    pub why: Option<String>,
    /// The next step.
    pub next: String,
    /// Since when, in the company's zone (`2026-11-22 09:40:00`); empty when nobody knows.
    pub since: String,
}

/// What is wrong now; asked for each page, so it must be at hand.
pub type Troubles = Arc<dyn Fn(Locale) -> Vec<Trouble> + Send + Sync>;

/// What pages are made of.
pub struct Parts {
    /// Views.
    pub query: Query,
    /// Deals by priority.
    pub ranking: Arc<Ranking>,
    /// Where people see objects in the CRM.
    pub origins: Origins,
    /// Who may look.
    pub links: Arc<PageLinks>,
    /// Tokens of the JSON interface.
    pub api_tokens: Vec<Secret>,
    /// What is wrong.
    pub troubles: Troubles,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Shared by all requests.
struct Web {
    parts: Parts,
    attempts: Attempts,
    at_once: Semaphore,
}

/// Who asks, as far as the listener knows.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The address he comes from.
    pub remote: Option<IpAddr>,
    /// The language of his browser.
    pub locale: Locale,
    /// Whether he came by https, as far as the listener or a trusted proxy says.
    pub is_https: bool,
}

/// Language, heading and the like: what all pages have.
struct Frame {
    locale: Locale,
    /// Of the page.
    title: String,
    /// Whose daemon it is.
    company: String,
    /// When it was made.
    at: String,
    /// The same page in the other language; empty: there is none.
    other: String,
}

impl Frame {
    fn say(&self, id: &str) -> String {
        Message::new(id).render(self.locale)
    }

    fn lang(&self) -> &'static str {
        code(self.locale)
    }
}

fn code(locale: Locale) -> &'static str {
    match locale {
        Locale::Ru => "ru",
        Locale::En => "en",
    }
}

fn other(locale: Locale) -> Locale {
    match locale {
        Locale::Ru => Locale::En,
        Locale::En => Locale::Ru,
    }
}

/// Why there is no page.
enum Fault {
    /// Nobody may look without a link.
    Access(access::Refused),
    /// The store failed; it is logged, the reader is told the next step.
    Query(QueryError),
    /// We failed.
    Bug,
}

impl From<QueryError> for Fault {
    fn from(error: QueryError) -> Fault {
        Fault::Query(error)
    }
}

/// Every page of the daemon.
pub fn router(parts: Parts) -> Router {
    let web = Arc::new(Web { parts, attempts: Attempts::default(), at_once: Semaphore::new(PAGES_AT_ONCE) });
    Router::new()
        .route("/", get(sales::show))
        .route("/page/tasks", get(tasks::show))
        .route("/page/open/{token}", get(access::open))
        .route("/page/style.css", get(style))
        .route("/page/icon.svg", get(icon))
        .fallback(access::nothing_here)
        .layer(middleware::from_fn(guarded))
        .with_state(web)
}

/// Scripts, frames, foreign content: none. What is at home: one stylesheet, one picture.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(VARY, HeaderValue::from_static("accept-language, cookie, authorization"));
    }
    response
}

async fn style() -> impl IntoResponse {
    at_home("text/css; charset=utf-8", include_str!("style.css"))
}

async fn icon() -> impl IntoResponse {
    at_home("image/svg+xml", include_str!("icon.svg"))
}

/// Nothing secret, and the same for everybody.
fn at_home(content_type: &'static str, body: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "public, max-age=3600")], body)
}

/// A page for whoever may look: made beside the event loop, because the store blocks.
async fn page<T: Template + Send + 'static>(
    State(web): State<Arc<Web>>,
    request: &http::request::Parts,
    locale: Locale,
    make: impl FnOnce(&Web) -> Result<T, Fault> + Send + 'static,
) -> Response {
    let made = match access::check(&web, request) {
        Err(refused) => Err(Fault::Access(refused)),
        Ok(()) => {
            // Bound: PAGES_AT_ONCE; the others wait, as long as the listener lets them.
            let _place = web.at_once.acquire().await;
            let worker = Arc::clone(&web);
            let made = tokio::task::spawn_blocking(move || make(&worker)).await;
            made.unwrap_or(Err(Fault::Bug))
        }
    };
    match made.and_then(|page| page.render().map_err(|_| Fault::Bug)) {
        Ok(text) => Html(text).into_response(),
        Err(fault) => refuse(&web, fault, locale),
    }
}

fn refuse(web: &Web, fault: Fault, locale: Locale) -> Response {
    match fault {
        Fault::Access(refused) => access::told(web, refused, locale),
        Fault::Query(error) => {
            tracing::error!(%error, "a page could not be made");
            access::plain(web, StatusCode::INTERNAL_SERVER_ERROR, "page-failed", locale)
        }
        Fault::Bug => access::plain(web, StatusCode::INTERNAL_SERVER_ERROR, "page-bug", locale),
    }
}

fn frame(web: &Web, title: &str, locale: Locale, other: String) -> Frame {
    let query = &web.parts.query;
    Frame {
        locale,
        title: Message::new(title).render(locale),
        company: query.catalog().company.name.clone(),
        at: words::moment(&query.local(web.parts.clock.now()), locale),
        other,
    }
}
