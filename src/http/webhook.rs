//! `/in/{connection}/{secret}`: the hot path. Admit by the head, read the body, make the envelope,
//! append, and only when the journal has it on the disk, answer.
//!
//! Logs name the connection and never the path: the secret is a part of it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use compact_str::CompactString;
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use hyper::body::Incoming;
use tracing::{debug, warn};

use super::answer::{self, Answer};
use super::body::{self, Fault};
use super::hint;
use super::route::WebhookPath;
use super::state::{FormRoute, RequestId, State};
use crate::base::limits::WEBHOOK_BODY_BYTES_MAX;
use crate::base::telemetry::Metric;
use crate::base::{Locale, Message, Timestamp};
use crate::entry::{REMOTE_NOTE, REQUEST_NOTE, Received};
use crate::journal::{AppendError, NewEntry};
use crate::source::form::{self, Accept, Admit, Admitted, FormHead, Refusal, Reply};

/// When a sender is to come again after the journal refused, s: a full disk takes a person.
const NO_SPACE_RETRY_S: u32 = 60;
const FAILED_RETRY_S: u32 = 10;

/// Answers one request. `arrived` is set once the body is here: a timeout after that is ours.
pub(super) async fn handle(
    state: &Arc<State>,
    remote: IpAddr,
    mut parts: Parts,
    body: Incoming,
    arrived: &AtomicBool,
) -> Answer {
    if state.options.note_sender {
        parts.extensions.insert(Sender(remote));
    }
    let Some(path) = WebhookPath::parse(parts.uri.path()) else {
        return body::passed_over(body, unknown(&parts)).await;
    };
    if let Some(source) = state.hint(path.connection) {
        return Box::pin(hint::handle(state, &source, path.secret, &parts, body, arrived)).await;
    }
    let Some(form) = state.form(path.connection) else {
        // The same work as for a known name.
        let _ = state.nobody.matches(path.secret);
        return body::passed_over(body, unknown(&parts)).await;
    };
    let cors = form.source.cors(&parts.headers);
    let answer = match form.source.admit(&head(&parts, path, remote)) {
        Admit::Refuse(refusal) => body::passed_over(body, refused(state, &form, &parts, refusal)).await,
        Admit::Preflight(headers) => answer::with_headers(answer::empty(StatusCode::NO_CONTENT), headers),
        Admit::Body(admitted) => match body::read(body, admitted.bytes_max(), &state.large_bodies).await {
            Ok(whole) => {
                arrived.store(true, Ordering::Relaxed);
                take(state, &form, admitted, &parts, whole.bytes).await
            }
            Err(Fault::TooLarge) => {
                let refusal = Refusal::TooLarge { bytes_max: admitted.bytes_max() };
                answer::closing(refused(state, &form, &parts, refusal))
            }
            Err(Fault::Busy) => answer::closing(busy(state, &form, &parts)),
            Err(Fault::Broken) => answer::closing(answer::empty(StatusCode::BAD_REQUEST)),
        },
    };
    answer::with_headers(answer, cors)
}

/// Who sends, for the envelope.
#[derive(Clone, Copy)]
struct Sender(IpAddr);

/// Notes of an envelope about its request; none unless the listener is to make them.
fn note_sender(received: &mut Received, parts: &Parts) {
    let remote = parts.extensions.get::<Sender>().map(|sender| (REMOTE_NOTE, sender.0.to_string()));
    let request = parts.extensions.get::<RequestId>().map(|id| (REQUEST_NOTE, id.to_string()));
    let notes = remote.into_iter().chain(request);
    received.headers.extend(notes.map(|(name, value)| (CompactString::const_new(name), value)));
}

fn head<'a>(parts: &'a Parts, path: WebhookPath<'a>, remote: IpAddr) -> FormHead<'a> {
    FormHead { secret: path.secret, stream: path.stream, method: &parts.method, headers: &parts.headers, remote }
}

/// What is left to do with a body that is here.
enum Taken {
    Append(NewEntry, Reply),
    Test(Bytes),
    Refuse(Refusal),
    Unavailable(AppendError),
}

async fn take(state: &Arc<State>, form: &Arc<FormRoute>, admitted: Admitted, parts: &Parts, body: Bytes) -> Answer {
    let now = state.clock.now();
    let taken = match body.len() > WEBHOOK_BODY_BYTES_MAX {
        false => envelope(state, form, admitted, parts, body, now),
        true => envelope_of_large(state, form, admitted, parts, body, now).await,
    };
    match taken {
        Taken::Append(entry, reply) => match state.journal.append(entry).await {
            Ok(position) => {
                form.acknowledged.add(1);
                debug!(connection = %form.source.connection(), position = position.0, "envelope journalled");
                answer::accepted(reply, position)
            }
            Err(error) => unavailable(state, form, parts, &error, now),
        },
        Taken::Test(body) => answer::text(StatusCode::OK, body),
        Taken::Refuse(refusal) => refused(state, form, parts, refusal),
        Taken::Unavailable(error) => unavailable(state, form, parts, &error, now),
    }
}

fn envelope(state: &State, form: &FormRoute, admitted: Admitted, parts: &Parts, body: Bytes, now: Timestamp) -> Taken {
    match form.source.accept(admitted, &parts.headers, parts.uri.query(), body, now) {
        Accept::Envelope { mut received, reply } => {
            note_sender(&mut received, parts);
            match form::entry(*received, &*state.journal) {
                Ok(entry) => Taken::Append(entry, reply),
                Err(error) => Taken::Unavailable(error),
            }
        }
        Accept::Test(body) => Taken::Test(body),
        Accept::Refuse(refusal) => Taken::Refuse(refusal),
    }
}

/// A large body is decoded and put on the disk: that blocks, so it leaves the threads that serve.
async fn envelope_of_large(
    state: &Arc<State>,
    form: &Arc<FormRoute>,
    admitted: Admitted,
    parts: &Parts,
    body: Bytes,
    now: Timestamp,
) -> Taken {
    let (state, form, parts) = (state.clone(), form.clone(), parts.clone());
    let work = tokio::task::spawn_blocking(move || envelope(&state, &form, admitted, &parts, body, now));
    match work.await {
        Ok(taken) => taken,
        // A bug in decoding: the guard around the request turns it into 500, as for small bodies.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => Taken::Unavailable(AppendError::Closed(Message::new("http-closing"))),
        },
    }
}

fn unknown(parts: &Parts) -> Answer {
    answer::message(StatusCode::NOT_FOUND, &Refusal::Unknown.message(), locale(parts))
}

fn refused(state: &State, form: &FormRoute, parts: &Parts, refusal: Refusal) -> Answer {
    count_refused(state, form, refusal.reason());
    debug!(connection = %form.source.connection(), reason = refusal.reason(), "request refused");
    let answer = answer::message(refusal.status(), &refusal.message(), locale(parts));
    match refusal {
        Refusal::Method => {
            let mut answer = answer;
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, OPTIONS"));
            answer
        }
        Refusal::TooMany { retry_after_s, .. } => answer::retry_after(answer, retry_after_s),
        Refusal::Unknown | Refusal::Unverified | Refusal::Encoding | Refusal::TooLarge { .. } => answer,
    }
}

fn busy(state: &State, form: &FormRoute, parts: &Parts) -> Answer {
    count_refused(state, form, "busy");
    let message = Message::new("http-busy").with("seconds", FAILED_RETRY_S);
    answer::retry_after(answer::message(StatusCode::SERVICE_UNAVAILABLE, &message, locale(parts)), FAILED_RETRY_S)
}

fn unavailable(state: &State, form: &FormRoute, parts: &Parts, error: &AppendError, now: Timestamp) -> Answer {
    let (reason, seconds) = match error {
        AppendError::NoSpace(_) => ("no_space", NO_SPACE_RETRY_S),
        AppendError::Failed(_) => ("journal_failed", FAILED_RETRY_S),
        AppendError::Closed(_) => ("closing", FAILED_RETRY_S),
        AppendError::TooLarge(_) => {
            return refused(state, form, parts, Refusal::TooLarge { bytes_max: WEBHOOK_BODY_BYTES_MAX });
        }
    };
    count_refused(state, form, reason);
    if state.may_log_refusal(now) {
        warn!(connection = %form.source.connection(), reason, %error, "the journal takes no envelopes, senders get 503");
    }
    // What went wrong with our disk is not the sender's business.
    let message = Message::new("http-unavailable").with("seconds", seconds);
    answer::retry_after(answer::message(StatusCode::SERVICE_UNAVAILABLE, &message, locale(parts)), seconds)
}

fn count_refused(state: &State, form: &FormRoute, reason: &str) {
    let labels = [("connector", &**form.source.connector()), ("reason", reason)];
    state.metrics.series(Metric::EnvelopesRefused, &labels).add(1);
}

fn locale(parts: &Parts) -> Locale {
    form::reader_locale(&parts.headers)
}
