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

use super::Answered;
use super::fault::Faults;
use super::oauth::{App, Bearer, MEMBER_ID};
use super::params;
use super::person::PersonAct;
use super::portal::Refusal;
use super::shared::{Caller, Late, Sent, Shared, TokenAnswer, Worked};
use crate::base::limits;
use crate::twin::TwinError;
use crate::value::Value;

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
    oauth: TcpListener,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), TwinError> {
    let (router, tokens) = (router(Arc::clone(&shared)), oauth_router(Arc::clone(&shared)));
    let mut notices = JoinSet::new();
    notices.spawn(super::outgoing::run(Arc::clone(&shared)));
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
            accepted = oauth.accept() => {
                if let Ok((stream, peer)) = accepted && connections.len() < limits::CONNECTIONS_MAX {
                    connections.spawn(connection(tokens.clone(), stream, peer));
                }
            }
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

/// Answers one request of the webhook without a network; `None` when the connection is cut.
pub(super) async fn ask(
    shared: &Arc<Shared>,
    post: bool,
    path: &str,
    content_type: &str,
    body: Vec<u8>,
) -> Option<Answered> {
    let method = if post { Method::POST } else { Method::GET };
    let mut segments = path.split('?').next().unwrap_or(path).trim_matches('/').split('/').skip(1);
    let mut segment = || segments.next().unwrap_or_default().to_owned();
    let named = Path((segment(), segment(), segment()));
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content_type);
    let response = match request.body(Body::from(body)) {
        Ok(request) => {
            let source = Source(IpAddr::from([127, 0, 0, 1]));
            webhook(State(Arc::clone(shared)), Extension(source), named, request).await
        }
        Err(_malformed) => StatusCode::BAD_REQUEST.into_response(),
    };
    if response.extensions().get::<Cut>().is_some() {
        return None;
    }
    let (parts, body) = response.into_parts();
    let text = |value: &header::HeaderValue| value.to_str().map(str::to_owned).ok();
    let headers = parts.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)));
    let body = body.collect().await.map(|it| it.to_bytes().to_vec()).unwrap_or_default();
    Some(Answered { status: parts.status.as_u16(), headers: headers.collect(), body })
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/rest/{user}/{secret}/{method}", any(webhook))
        .route("/rest/{method}", any(application))
        .route("/oauth/authorize/", get(authorize))
        .route("/oauth/authorize", get(authorize))
        .route("/twin/state", get(|State(it): State<Arc<Shared>>| async move { JsonBody(it.state()) }))
        .route("/twin/log", get(|State(it): State<Arc<Shared>>| async move { JsonBody(it.lock().watch.log()) }))
        .route("/twin/faults", post(set_faults))
        .route("/twin/person", post(person))
        .route("/twin/webhook", post(webhook_made))
        .route("/twin/app", post(app_installed))
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
    let caller = Caller { user: shared.options.user_id, by_application: false };
    called(shared, source, Some(caller), method, request).await
}

/// One call; whose it is, is told by the address or by the token among the parameters.
async fn called(
    shared: Arc<Shared>,
    source: IpAddr,
    caller: Option<Caller>,
    method: String,
    request: Request<Body>,
) -> Response {
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
    let caller = match caller {
        Some(caller) => caller,
        None => match bearer(&shared, &given) {
            Ok(caller) => caller,
            Err(refusal) => return refused(&refusal),
        },
    };
    // Seen before the call, so that a release between the call and the wait is not missed.
    let mut released = shared.released.subscribe();
    released.mark_unchanged();
    let (sent, late, afterwards) = shared.answer(source, caller, &method, &given);
    if let Some(afterwards) = afterwards {
        tokio::spawn(async move {
            wait(afterwards, released).await;
            shared.apply_late(source, caller, &method, &given);
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

/// `/rest/{method}`: applications, with the token as `auth`.
async fn application(
    State(shared): State<Arc<Shared>>,
    Extension(Source(source)): Extension<Source>,
    Path(method): Path<String>,
    request: Request<Body>,
) -> Response {
    called(shared, source, None, method, request).await
}

fn bearer(shared: &Shared, given: &Value) -> Result<Caller, Refusal> {
    let none = || Refusal::new(401, "NO_AUTH_FOUND", "Wrong authorization data");
    let token = params::text(given, "auth").ok_or_else(none)?;
    let now_s = shared.options.clock.now().seconds();
    match shared.lock().portal.grants.bearer(token, now_s) {
        Bearer::User(user) => Ok(Caller { user, by_application: true }),
        Bearer::Expired => Err(Refusal::new(401, "expired_token", "The access token provided has expired.")),
        Bearer::Unknown => Err(none()),
    }
}

/// The person's browser: he is logged in and agrees at once. Goes to the address of the
/// application's card, whatever the request says. Without such an application: an error page, and
/// nobody is sent anywhere.
async fn authorize(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let asked = params::urlencoded(request.uri().query().unwrap_or(""));
    let now_s = shared.options.clock.now().seconds();
    let mut inner = shared.lock();
    let client_id = params::text(&asked, "client_id").unwrap_or("");
    let app = inner.portal.app.clone().filter(|it| it.installed && it.client_id == client_id);
    let Some(app) = app else {
        return (StatusCode::NOT_FOUND, "Application not found").into_response();
    };
    let code = inner.portal.grants.code(&app, shared.options.user_id, now_s);
    drop(inner);
    shared.touch();
    let join = if app.redirect_uri.contains('?') { '&' } else { '?' };
    let state = super::notice::escaped(params::text(&asked, "state").unwrap_or(""));
    let scope = super::notice::escaped(&shared.options.scopes.join(","));
    let location = format!(
        "{}{join}code={code}&state={state}&domain={}&member_id={MEMBER_ID}&scope={scope}&server_domain=oauth.bitrix.info",
        app.redirect_uri,
        shared.domain()
    );
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

/// The authorisation server: another host than the portal's.
fn oauth_router(shared: Arc<Shared>) -> Router {
    Router::new().route("/oauth/token/", get(token)).route("/oauth/token", get(token)).with_state(shared)
}

async fn token(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    let asked = params::urlencoded(request.uri().query().unwrap_or(""));
    let asked = params::members(&asked).unwrap_or_default();
    let asked = asked.into_iter().filter_map(|(name, it)| Some((name, it.as_text()?.to_owned()))).collect();
    let mut released = shared.released.subscribe();
    released.mark_unchanged();
    let (sent, late) = shared.exchange(&asked);
    wait(late, released).await;
    match sent {
        TokenAnswer::Said(status, said) => {
            json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), &said)
        }
        TokenAnswer::Page(status) => page(status),
        TokenAnswer::Cut => cut(),
    }
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

/// An outgoing webhook, made by a person.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookMade {
    url: String,
    events: Vec<String>,
    token: String,
}

async fn webhook_made(State(shared): State<Arc<Shared>>, body: JsonBody<WebhookMade>) -> StatusCode {
    let events: Vec<&str> = body.events.iter().map(String::as_str).collect();
    shared.lock().portal.add_outgoing_webhook(&body.url, &events, &body.token);
    shared.touch();
    StatusCode::NO_CONTENT
}

/// A local application, installed by a person; answers where its tokens are given out.
async fn app_installed(State(shared): State<Arc<Shared>>, body: JsonBody<App>) -> JsonBody<Json> {
    shared.lock().portal.app = Some(body.0);
    shared.touch();
    let server = shared.addresses.get().map_or_else(String::new, |(_, oauth)| format!("http://{oauth}"));
    JsonBody(json!({"oauth_server": server}))
}

async fn release(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.release_held();
    StatusCode::NO_CONTENT
}

async fn reset(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.reset();
    StatusCode::NO_CONTENT
}
