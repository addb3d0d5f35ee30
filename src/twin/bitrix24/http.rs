//! The wire: addresses, authorisation, envelopes, and the twin's own pages.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{Method, Request, StatusCode, header};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Json as JsonBody, Router};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch as signal;
use tokio::task::JoinSet;
use tower::ServiceExt;

use super::fault::Faults;
use super::params;
use super::person::PersonAct;
use super::portal::Refusal;
use super::shared::{Late, Sent, Shared, Worked};
use crate::base::limits;
use crate::twin::TwinError;

/// How often a changed state is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Where the request came from.
#[derive(Debug, Clone, Copy)]
struct Source(IpAddr);

/// Marks an answer that must not arrive: the connection is cut instead.
#[derive(Debug, Clone, Copy)]
struct Cut;

/// Accepts connections until `shutdown` is done, saving the state on the way and at the end.
pub(super) async fn serve(
    shared: Arc<Shared>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), TwinError> {
    let router = router(Arc::clone(&shared));
    let mut shutdown = pin!(shutdown);
    let mut save_tick = tokio::time::interval(SAVE_EVERY);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            _ = save_tick.tick() => {
                // Tried again at the next tick; at the end the failure counts.
                if let Err(error) = shared.save_if_changed() {
                    tracing::warn!(error = %error, "the twin's state is not saved: {error}");
                }
            }
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                // Bound: above it a connection is accepted and closed. A failed accept (no file
                // descriptors) passes; the next one is tried.
                if let Ok((stream, peer)) = accepted && connections.len() < limits::CONNECTIONS_MAX {
                    connections.spawn(connection(router.clone(), stream, peer));
                }
            }
        }
    }
    connections.shutdown().await;
    shared.save_if_changed()
}

async fn connection(router: Router, stream: TcpStream, peer: SocketAddr) {
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Source(peer.ip()));
            let response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
            // hyper closes the connection without a byte when the service fails.
            match response.extensions().get::<Cut>() {
                Some(Cut) => Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
                None => Ok(response),
            }
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits::HEADER_READ_TIMEOUT_MS))
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A client that goes away, and a cut of our own, are everyday.
    drop(served);
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/rest/{user}/{secret}/{method}", any(webhook))
        .route("/rest/{method}", any(without_webhook))
        .route("/twin/state", get(|State(it): State<Arc<Shared>>| async move { JsonBody(it.state()) }))
        .route("/twin/log", get(|State(it): State<Arc<Shared>>| async move { JsonBody(it.lock().watch.log()) }))
        .route("/twin/faults", post(set_faults))
        .route("/twin/person", post(person))
        .route("/twin/release", post(release))
        .route("/twin/reset", post(reset))
        .with_state(shared)
}

/// `/rest/{userId}/{secret}/{method}`: a wrong user or secret is 401 INVALID_CREDENTIALS
/// (crm-item-batch-import.md; the table of common errors says 403, clients must take both).
async fn webhook(
    State(shared): State<Arc<Shared>>,
    Extension(Source(source)): Extension<Source>,
    Path((user, secret, method)): Path<(String, String, String)>,
    request: Request<Body>,
) -> Response {
    let known = user == shared.options.user_id.to_string() && shared.options.secret.matches(&secret);
    if !known {
        return refused(&Refusal::new(401, "INVALID_CREDENTIALS", "Invalid request credentials"));
    }
    if !matches!(*request.method(), Method::GET | Method::POST) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let method = match method.rsplit_once('.') {
        Some((name, "json")) => name.to_owned(),
        Some((_, "xml")) => return (StatusCode::NOT_IMPLEMENTED, "the twin does not speak XML").into_response(),
        Some(_) | None => method,
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, limits::FORM_WITH_FILES_BYTES_MAX).collect().await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or("");
    let given = params::read(parts.uri.query(), content_type, &body.to_bytes()).await;
    // Seen before the call, so that a release between the call and the wait is not missed.
    let mut released = shared.released.subscribe();
    released.mark_unchanged();
    let (sent, late, afterwards) = shared.answer(source, &method, &given);
    if let Some(afterwards) = afterwards {
        tokio::spawn(async move {
            wait(afterwards, released).await;
            shared.apply_late(source, &method, &given);
        });
        return cut();
    }
    wait(late, released).await;
    match sent {
        Sent::Worked(worked) => success(worked),
        Sent::Refused(refusal) => refused(&refusal),
        Sent::Page(status) => page(status),
        Sent::Cut => cut(),
    }
}

async fn wait(late: Late, mut released: signal::Receiver<u64>) {
    match late {
        Late::No => {}
        Late::Ms(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Late::Held => {
            // The sender lives as long as the portal; when it is gone there is nobody to answer.
            let _gone = released.changed().await;
        }
    }
}

/// `/rest/{method}` is for applications with a token; the twin has none.
async fn without_webhook() -> Response {
    refused(&Refusal::new(401, "NO_AUTH_FOUND", "Wrong authorization data"))
}

fn success(worked: Worked) -> Response {
    let mut envelope = json!({"result": worked.answer.result, "time": worked.time});
    if let Some(total) = worked.answer.total {
        envelope["total"] = json!(total);
    }
    if let Some(next) = worked.answer.next {
        envelope["next"] = json!(next);
    }
    json_response(StatusCode::OK, &envelope)
}

fn refused(refusal: &Refusal) -> Response {
    let mut envelope = json!({"error": refusal.code, "error_description": refusal.description});
    if let Some(time) = &refusal.time {
        envelope["time"] = time.clone();
    }
    json_response(StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST), &envelope)
}

fn json_response(status: StatusCode, envelope: &Json) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], envelope.to_string()).into_response()
}

/// What a balancer in front of the portal shows.
fn page(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let text = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html")], text).into_response()
}

fn cut() -> Response {
    (Extension(Cut), ()).into_response()
}

async fn set_faults(State(shared): State<Arc<Shared>>, body: JsonBody<Faults>) -> StatusCode {
    shared.set_faults(body.0);
    StatusCode::NO_CONTENT
}

async fn person(State(shared): State<Arc<Shared>>, body: JsonBody<PersonAct>) -> StatusCode {
    shared.person(&body.0);
    StatusCode::NO_CONTENT
}

async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.release_held();
    StatusCode::NO_CONTENT
}

async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}
