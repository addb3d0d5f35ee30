//! A receiver of webhooks that are signed as Standard Webhooks 1.0.0 has it: somebody's own program
//! behind an address.
//!
//! Written from the specification: `webhook-id`, `webhook-timestamp` (seconds), `webhook-signature`
//! (`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`, several behind spaces), a secret of
//! `whsec_` and base64, five minutes of tolerance both ways, and an id that stays the same in each
//! attempt. What does not verify is answered 401 and not kept.
//!
//! As nasty as receivers are: it answers what it is told to ([`Fault`]) in turn, also after it has
//! taken the message in, and never answers JSON unless asked to.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value as Json;
use tokio::sync::oneshot;

use super::TwinError;
use crate::base::{Clock, Message, Secret};

/// How far a timestamp may be from now, s.
const TOLERANCE_S: i64 = 300;

/// What the receiver does with one message instead of taking it and saying 204.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status and takes nothing; with `Retry-After` in seconds, where given.
    Refuse(u16, Option<u32>),
    /// Takes the message and answers this status all the same.
    TakeAndSay(u16),
    /// Takes the message and is gone before it answers.
    TakeAndHangUp,
}

/// A message that was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp_s: i64,
    /// The body.
    pub body: Json,
}

struct Inner {
    secrets: Vec<Secret>,
    faults: VecDeque<Fault>,
    /// Every attempt that verified and was taken, repetitions too.
    attempts: Vec<Taken>,
    refused: u64,
}

struct Shared {
    inner: Mutex<Inner>,
    clock: Arc<dyn Clock>,
    path: String,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A receiver that listens.
pub struct Receiver {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
}

impl Receiver {
    /// Listens at `listen` for messages signed by `secret` (`whsec_...`).
    pub async fn start(secret: Secret, listen: SocketAddr, clock: Arc<dyn Clock>) -> Result<Receiver, TwinError> {
        let refused =
            |source| TwinError::Listen { message: Message::new("twin-cannot-listen").with("addr", listen), source };
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(refused)?;
        let addr = listener.local_addr().map_err(refused)?;
        let inner = Inner { secrets: vec![secret], faults: VecDeque::new(), attempts: Vec::new(), refused: 0 };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), clock, path: "/hook".to_owned() });
        let router = Router::new().route(&shared.path, post(take)).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(async {
                // An error means that the receiver was dropped: also the end.
                let _ended = stopped.await;
            });
            // A failure shows in whoever sends.
            let _served = served.await;
        });
        Ok(Receiver { addr, shared, stop: Some(stop) })
    }

    /// Where messages go.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, self.shared.path)
    }

    /// Does this with the next messages, one each.
    pub fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.lock().faults.extend(faults);
    }

    /// Checks by these secrets from now on.
    pub fn secrets(&self, secrets: Vec<Secret>) {
        self.shared.lock().secrets = secrets;
    }

    /// Messages, each once, in the order in which they first came.
    pub fn messages(&self) -> Vec<Taken> {
        let mut once: Vec<Taken> = Vec::new();
        for taken in self.attempts() {
            if !once.iter().any(|it| it.id == taken.id) {
                once.push(taken);
            }
        }
        once
    }

    /// Every attempt that was taken.
    pub fn attempts(&self) -> Vec<Taken> {
        self.shared.lock().attempts.clone()
    }

    /// Messages that did not verify.
    pub fn refused(&self) -> u64 {
        self.shared.lock().refused
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It has ended already when nobody listens.
            let _stopped = stop.send(());
        }
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let now_s = shared.clock.now().seconds();
    let mut inner = shared.lock();
    let Some((id, timestamp_s)) = verified(&inner.secrets, &headers, &body, now_s) else {
        inner.refused += 1;
        return (StatusCode::UNAUTHORIZED, "signature").into_response();
    };
    let Ok(json) = serde_json::from_slice(&body) else {
        return (StatusCode::BAD_REQUEST, "not JSON").into_response();
    };
    let taken = Taken { id, timestamp_s, body: json };
    let status = |status: u16| StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match inner.faults.pop_front() {
        None => {
            inner.attempts.push(taken);
            StatusCode::NO_CONTENT.into_response()
        }
        Some(Fault::Refuse(code, after_s)) => {
            let after = after_s.map(|seconds| [("retry-after", seconds.to_string())]);
            match after {
                Some(header) => (status(code), header, "no").into_response(),
                None => (status(code), "no").into_response(),
            }
        }
        Some(Fault::TakeAndSay(code)) => {
            inner.attempts.push(taken);
            status(code).into_response()
        }
        Some(Fault::TakeAndHangUp) => {
            inner.attempts.push(taken);
            drop(inner);
            Response::new(Body::new(Cut))
        }
    }
}

/// The body of an answer that breaks off: the connection is cut.
struct Cut;

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

/// Id and time of a message that one of the secrets has signed.
fn verified(secrets: &[Secret], headers: &HeaderMap, body: &[u8], now_s: i64) -> Option<(String, i64)> {
    let header = |name: &str| headers.get(name).and_then(|it| it.to_str().ok());
    let (id, at, given) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let timestamp_s: i64 = at.parse().ok()?;
    if (now_s - timestamp_s).abs() > TOLERANCE_S || id.contains('.') {
        return None;
    }
    let content = [id.as_bytes(), b".", at.as_bytes(), b".", body].concat();
    let signs = |secret: &Secret, given: &str| {
        let key = secret.expose().strip_prefix("whsec_").and_then(|it| STANDARD.decode(it).ok());
        let mac = given.strip_prefix("v1,").and_then(|it| STANDARD.decode(it).ok());
        let (Some(key), Some(mac)) = (key, mac) else { return false };
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), &content, &mac).is_ok()
    };
    let is_ours = given.split(' ').any(|given| secrets.iter().any(|secret| signs(secret, given)));
    is_ours.then(|| (id.to_owned(), timestamp_s))
}
