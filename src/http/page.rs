//! `/` and `/page/...`: handed to the pages, with what the listener knows of whoever asks.

use std::net::IpAddr;

use http::header::HOST;
use http::{HeaderMap, Request};
use http_body_util::Either;
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::answer::Answer;
use super::not_found;
use super::state::State;
use super::tls::WithinTls;
use crate::base::Locale;
use crate::source::form::reader_locale;

/// Who asks for a page.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The address he comes from, behind trusted proxies.
    pub remote: IpAddr,
    /// The language of his browser.
    pub locale: Locale,
    /// Whether he came by https.
    pub is_https: bool,
}

/// The pages, and how they are told who asks: neither side knows the other.
pub struct Pages {
    /// Their routes.
    pub router: axum::Router,
    /// Leaves a note of the visit in the request.
    pub introduce: fn(&mut http::Extensions, Visit),
    /// How the world reaches us, when the administrator has said so.
    pub public_url: String,
}

impl Pages {
    /// By what a proxy says, or because the request came to the public address and that is https.
    /// Believing a proxy that nobody declared harms only the visitor who invents it: his own cookie
    /// goes over https alone.
    fn is_https(&self, headers: &HeaderMap) -> bool {
        let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).unwrap_or_default();
        let forwarded = headers.get("x-forwarded-proto").map(text).unwrap_or_default();
        let host = headers.get(HOST).map(text).unwrap_or_default();
        let public = self.public_url.strip_prefix("https://").map(|it| it.split('/').next().unwrap_or_default());
        forwarded.eq_ignore_ascii_case("https") || public.is_some_and(|public| public.eq_ignore_ascii_case(&host))
    }
}

pub(super) async fn handle(state: &State, remote: IpAddr, mut request: Request<Incoming>) -> Answer {
    let Some(pages) = &state.pages else { return not_found(request.headers()) };
    let locale = reader_locale(request.headers());
    let within_tls = request.extensions().get::<WithinTls>().is_some();
    let is_https = within_tls || pages.is_https(request.headers());
    (pages.introduce)(request.extensions_mut(), Visit { remote, locale, is_https });
    match pages.router.clone().oneshot(request.map(axum::body::Body::new)).await {
        Ok(answer) => answer.map(Either::Right),
        Err(never) => match never {},
    }
}
