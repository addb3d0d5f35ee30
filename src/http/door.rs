//! The plain listener beside one with TLS. It answers challenges of ACME, and sends browsers on to
//! HTTPS. What carries a secret is refused instead of sent on: a sender that follows would go on
//! telling its secret in the clear each time, and nobody would notice.

use std::sync::Arc;

use http::header::{HOST, LOCATION};
use http::{HeaderValue, Method, Request, StatusCode};

use super::answer::{self, Answer};
use super::route::Route;
use crate::base::Message;
use crate::certificate::Certificates;
use crate::source::form::reader_locale;

/// Where challenges of ACME are asked for (RFC 8555, 8.3).
const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// What the plain listener answers.
pub struct Door {
    /// Answers to challenges.
    pub certificates: Arc<Certificates>,
    /// `https://in.company.ru`, when it is known; else by the name that the sender used.
    pub public_url: Option<String>,
    /// The port of the listener with TLS.
    pub tls_port: u16,
}

impl Door {
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Answer {
        let path = request.uri().path();
        if let Some(token) = path.strip_prefix(CHALLENGES) {
            return match self.certificates.token(token) {
                Some(text) => {
                    answer::answer(StatusCode::OK, HeaderValue::from_static("application/octet-stream"), text)
                }
                None => answer::empty(StatusCode::NOT_FOUND),
            };
        }
        let is_reading = request.method() == Method::GET || request.method() == Method::HEAD;
        match Route::of(path) {
            Route::Webhook | Route::Exchange | Route::OAuth | Route::Relay | Route::Api => wants_tls(request),
            Route::Page | Route::Health | Route::Ready | Route::Metrics | Route::Unknown if !is_reading => {
                wants_tls(request)
            }
            Route::Page | Route::Health | Route::Ready | Route::Metrics | Route::Unknown => {
                self.onward(request).unwrap_or_else(|| wants_tls(request))
            }
        }
    }

    fn onward<B>(&self, request: &Request<B>) -> Option<Answer> {
        let base = match &self.public_url {
            Some(url) => url.clone(),
            None => {
                let host = request.headers().get(HOST)?.to_str().ok()?;
                let name = match host.rsplit_once(':') {
                    Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
                    Some(_) | None => host,
                };
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'[' | b']' | b':');
                if name.is_empty() || !name.bytes().all(fits) {
                    return None;
                }
                match self.tls_port {
                    443 => format!("https://{name}"),
                    port => format!("https://{name}:{port}"),
                }
            }
        };
        let path = request.uri().path_and_query().map_or("/", |it| it.as_str());
        let mut answer = answer::empty(StatusCode::PERMANENT_REDIRECT);
        answer.headers_mut().insert(LOCATION, HeaderValue::from_str(&format!("{base}{path}")).ok()?);
        Some(answer)
    }
}

/// Plain HTTP where only HTTPS is taken.
pub(super) fn wants_tls<B>(request: &Request<B>) -> Answer {
    let message = Message::new("http-wants-tls");
    answer::closing(answer::message(StatusCode::FORBIDDEN, &message, reader_locale(request.headers())))
}
