//! The slot of the 1C exchange: the listener finds the connection and bounds body and time; the
//! protocol itself is `source::exchange`.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::Limited;
use hyper::body::Incoming;

use super::answer::{self, Answer};
use super::route;
use super::state::State;
use crate::base::limits::EXCHANGE_CHUNK_BYTES_MAX;
use crate::base::{Locale, Message};

/// A request of the exchange.
pub struct ExchangeCall {
    /// The method.
    pub method: Method,
    /// The query as sent, not decoded: 1C does not escape file names.
    pub query: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `Cookie`.
    pub cookie: Option<String>,
    /// Who sends.
    pub remote: IpAddr,
    /// The body; reading it fails beyond `EXCHANGE_CHUNK_BYTES_MAX`.
    pub body: Body,
}

/// The answer: always status 200, the protocol speaks in its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeAnswer {
    /// `Content-Type`.
    pub content_type: String,
    /// The bytes.
    pub body: Vec<u8>,
}

/// The server half of the exchange for one connection.
pub trait ExchangeEndpoint: Send + Sync + 'static {
    /// Answers one request.
    fn handle(&self, call: ExchangeCall) -> Pin<Box<dyn Future<Output = ExchangeAnswer> + Send + '_>>;
}

pub(super) async fn handle(state: &Arc<State>, remote: IpAddr, parts: Parts, body: Incoming) -> Answer {
    let endpoint = route::exchange_connection(parts.uri.path()).and_then(|connection| state.exchange(connection));
    let Some(endpoint) = endpoint else {
        return answer::message(StatusCode::NOT_FOUND, &Message::new("source-unknown"), Locale::default());
    };
    let header =
        |name: HeaderName| parts.headers.get(name).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    let call = ExchangeCall {
        query: parts.uri.query().unwrap_or_default().to_owned(),
        authorization: header(AUTHORIZATION),
        cookie: header(COOKIE),
        remote,
        body: Body::new(Limited::new(body, EXCHANGE_CHUNK_BYTES_MAX)),
        method: parts.method,
    };
    let ExchangeAnswer { content_type, body } = endpoint.handle(call).await;
    let content_type = HeaderValue::from_str(&content_type).unwrap_or(HeaderValue::from_static("text/plain"));
    let mut answer = answer::empty(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    *answer.body_mut() = http_body_util::Either::Left(body.into());
    answer
}
