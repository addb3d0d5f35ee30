//! `POST /in/{connection}/{secret}` of a connection that tells of changes: the sender is checked,
//! what he names is put where the reader looks, and nothing is journalled. The answer goes out at
//! once: senders of hints slow down for those who are slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use hyper::body::Incoming;
use tracing::debug;

use super::answer::{self, Answer};
use super::body::{self, Fault};
use super::state::State;
use crate::base::limits::HINT_BODY_BYTES_MAX;
use crate::base::telemetry::Metric;
use crate::base::{Message, Slug};
use crate::source::form::reader_locale;
use crate::source::hint::{HintSource, Hinted};

/// Who is told that an object is to be looked at.
pub trait HintTaker: Send + Sync + 'static {
    /// Object `id` of the stream may have changed, or be gone. Must not block.
    fn look(&self, connection: &Slug, stream: &str, id: &str);
}

pub(super) async fn handle(
    state: &Arc<State>,
    source: &HintSource,
    secret: &str,
    parts: &Parts,
    body: Incoming,
    arrived: &AtomicBool,
) -> Answer {
    let locale = reader_locale(&parts.headers);
    let unknown = || answer::message(StatusCode::NOT_FOUND, &Message::new("source-unknown"), locale);
    if !source.admits(secret) {
        return unknown();
    }
    if parts.method != Method::POST {
        let mut answer = answer::empty(StatusCode::METHOD_NOT_ALLOWED);
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return answer;
    }
    let whole = match body::read(body, HINT_BODY_BYTES_MAX, &state.large_bodies).await {
        Ok(whole) => whole,
        Err(Fault::TooLarge) => return answer::closing(answer::empty(StatusCode::PAYLOAD_TOO_LARGE)),
        Err(Fault::Busy) => return answer::closing(answer::empty(StatusCode::SERVICE_UNAVAILABLE)),
        Err(Fault::Broken) => return answer::closing(answer::empty(StatusCode::BAD_REQUEST)),
    };
    arrived.store(true, Ordering::Relaxed);
    let hinted = source.read(secret, &whole.bytes);
    let result = match &hinted {
        Hinted::Look { .. } => "taken",
        Hinted::Nothing => "passed_over",
        Hinted::Unknown | Hinted::Forbidden => "forbidden",
    };
    state.metrics.series(Metric::Hints, &[("connector", &source.connector), ("result", result)]).add(1);
    match hinted {
        Hinted::Look { stream, id } => {
            debug!(connection = %source.connection, stream, "told of a change");
            if let Some(taker) = state.hint_taker() {
                taker.look(&source.connection, &stream, &id);
            }
            answer::empty(StatusCode::OK)
        }
        // Said to have arrived: nobody sends it again, and there is nothing to be done.
        Hinted::Nothing => answer::empty(StatusCode::OK),
        Hinted::Unknown => unknown(),
        Hinted::Forbidden => {
            let message = Message::new("hint-forbidden").with("connection", &source.connection);
            answer::message(StatusCode::FORBIDDEN, &message, locale)
        }
    }
}
