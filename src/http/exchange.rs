//! The slot of the 1C exchange: the listener finds the connection and bounds body and time; the
//! protocol itself is `source::exchange`.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use http_body_util::{Either, Limited};
use hyper::body::Incoming;

use super::answer::{self, Answer};
use super::route;
use super::state::State;
use crate::base::limits::EXCHANGE_CHUNK_BYTES_MAX;
use crate::base::{Locale, Message};
use crate::source::exchange::{Exchange, ExchangeReply, ExchangeRequest, Frames, parse_query};

/// The server half of the exchange for one connection, as the listener sees it.
pub trait ExchangeEndpoint: Send + Sync + 'static {
    /// Answers one request. Reading its body fails beyond `EXCHANGE_CHUNK_BYTES_MAX`.
    fn handle(&self, request: ExchangeRequest) -> Pin<Box<dyn Future<Output = ExchangeReply> + Send + '_>>;
}

impl ExchangeEndpoint for Exchange {
    fn handle(&self, request: ExchangeRequest) -> Pin<Box<dyn Future<Output = ExchangeReply> + Send + '_>> {
        Box::pin(Exchange::handle(self, request))
    }
}

/// The status is always 200 once the connection is known: the protocol speaks in its first line.
pub(super) async fn handle(state: &Arc<State>, remote: IpAddr, parts: Parts, body: Incoming) -> Answer {
    let endpoint = route::exchange_connection(parts.uri.path()).and_then(|connection| state.exchange(connection));
    let Some(endpoint) = endpoint else {
        return answer::message(StatusCode::NOT_FOUND, &Message::new("source-unknown"), Locale::default());
    };
    let header =
        |name: HeaderName| parts.headers.get(name).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
    let request = ExchangeRequest {
        query: parse_query(parts.uri.query().unwrap_or_default().as_bytes()),
        authorization: header(AUTHORIZATION),
        cookie: header(COOKIE),
        remote: Some(remote),
        body: Box::new(Frames(Limited::new(body, EXCHANGE_CHUNK_BYTES_MAX))),
        method: parts.method,
    };
    let ExchangeReply { content_type, body } = endpoint.handle(request).await;
    let mut answer = answer::empty(StatusCode::OK);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    *answer.body_mut() = Either::Left(body.into());
    answer
}
