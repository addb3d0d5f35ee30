//! The listener: one HTTP/1.1 server for webhooks, the 1C exchange, the JSON interface, pages, health
//! and metrics. TLS ends here ([`TlsSide`]) or at a reverse proxy.
//!
//! We drive hyper ourselves: `axum::serve` sets no timers, so a sender that dribbles its headers would
//! hold a connection for ever. Guaranteed here:
//! - every connection, header block, body, request and shutdown has a bound ([`Options`],
//!   `base::limits`);
//! - every answer carries `x-request-id`, and the log of the request has the same id; ids that senders
//!   make up are ignored;
//! - a panic answers 500 and ends that request only;
//! - neither paths of webhooks and pages (they may hold a secret), nor bodies, nor headers are logged;
//! - a shutdown finishes the requests that are open, within `shutdown_grace_ms`.
//!
//! `/metrics` tells the names of connectors, so it answers only this machine (unless a proxy
//! forwarded the request) and whoever bears the token of the JSON interface.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{FORWARDED, WWW_AUTHENTICATE};
use http::request::Parts as Head;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Either;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::ServiceExt as _;
use tracing::{Instrument as _, debug, error, info, info_span, warn};

use self::answer::Answer;
use self::route::Route;
use crate::base::limits::{HEADER_BYTES_MAX, HEADERS_MAX};
use crate::base::telemetry::Metric;
use crate::base::{Locale, Message};
use crate::source::form::{FORGET_IDLE_EVERY, reader_locale};

mod answer;
mod body;
mod door;
mod exchange;
mod hint;
pub mod metrics;
mod oauth;
mod page;
mod peer;
mod relay;
mod route;
mod state;
mod tls;
mod webhook;

pub use door::Door;
pub use exchange::ExchangeEndpoint;
pub use hint::HintTaker;
pub use page::{Pages, Visit};
pub use peer::{ProxyHeader, TrustedProxies};
pub use state::{Health, Options, Parts, State};
pub use tls::TlsSide;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// When a sender is to come again after we were too slow, s.
const TIMEOUT_RETRY_S: u32 = 10;

/// Rest after a failed `accept` (out of file descriptors): the loop must not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the listener does not start.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct BindError {
    /// Which address, and what to do.
    pub message: Message,
    /// The cause.
    #[source]
    pub source: std::io::Error,
}

/// What a listener is.
#[derive(Clone)]
enum Role {
    /// All of it, as it comes.
    Open,
    /// All of it, within TLS.
    Tls(Arc<TlsSide>),
    /// The plain listener beside one with TLS.
    Door(Arc<Door>),
}

/// A bound socket, not yet served.
pub struct Listener {
    socket: TcpListener,
    state: Arc<State>,
    address: SocketAddr,
    role: Role,
}

impl Listener {
    /// Binds `address`; port 0 takes any free one.
    pub async fn bind(address: SocketAddr, state: Arc<State>) -> Result<Listener, BindError> {
        let failed = |source: std::io::Error| BindError {
            message: Message::new("http-bind").with("address", address).with("cause", &source),
            source,
        };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Listener { socket, state, address, role: Role::Open })
    }

    /// The same within TLS.
    #[must_use]
    pub fn with_tls(self, side: Arc<TlsSide>) -> Listener {
        Listener { role: Role::Tls(side), ..self }
    }

    /// Only what may be asked without TLS, beside a listener that has it.
    #[must_use]
    pub fn as_door(self, door: Door) -> Listener {
        Listener { role: Role::Door(Arc::new(door)), ..self }
    }

    /// The address that was bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` resolves, then lets open requests finish and returns.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let Listener { socket, state, address, role } = self;
        info!(%address, "listening on {address}");
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        accept_until(&socket, &state, &role, &graceful, &mut connections, shutdown).await;
        drop(socket);
        finish(&state, graceful, connections).await;
    }
}

async fn accept_until(
    socket: &TcpListener,
    state: &Arc<State>,
    role: &Role,
    graceful: &GracefulShutdown,
    connections: &mut JoinSet<()>,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(state.options.connections_max));
    let mut shutdown = pin!(shutdown);
    let mut forget_idle = tokio::time::interval(FORGET_IDLE_EVERY);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return,
            accepted = socket.accept() => match accepted {
                Ok((stream, peer)) => match slots.clone().try_acquire_owned() {
                    Ok(slot) => {
                        connections.spawn(serve(state.clone(), role.clone(), graceful.watcher(), stream, peer, slot));
                    }
                    // Bound: accepted and closed, so that the sender sees it at once.
                    Err(_) => debug!("too many connections, one closed"),
                },
                Err(error) => {
                    warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
            _ = forget_idle.tick() => state.forget_idle(),
        }
    }
}

async fn finish(state: &State, graceful: GracefulShutdown, mut connections: JoinSet<()>) {
    let grace = Duration::from_millis(state.options.shutdown_grace_ms);
    if tokio::time::timeout(grace, graceful.shutdown()).await.is_err() {
        warn!(open = connections.len(), "requests still open at the end of the grace are cut");
    }
    connections.shutdown().await;
}

async fn serve(
    state: Arc<State>,
    role: Role,
    watcher: Watcher,
    stream: TcpStream,
    peer: SocketAddr,
    _slot: OwnedSemaphorePermit,
) {
    // An answer is one small segment: nothing to wait for.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "TCP_NODELAY is refused");
    }
    match role {
        Role::Open => serve_open(&state, watcher, stream, peer, false).await,
        Role::Tls(side) => match side.take(stream).await {
            tls::Taken::Secured(stream) => serve_open(&state, watcher, stream, peer, true).await,
            tls::Taken::Plain(stream) => {
                let respond = move |request: Request<Incoming>| std::future::ready(door::wants_tls(&request));
                connection(&state, watcher, stream, respond).await;
            }
            tls::Taken::Ended => {}
        },
        Role::Door(door) => {
            let counted = state.clone();
            let respond = move |request: Request<Incoming>| {
                let answer = door.answer(&request);
                counted.count(Route::of(request.uri().path()), answer.status());
                std::future::ready(answer)
            };
            connection(&state, watcher, stream, respond).await;
        }
    }
}

/// Everything that the listener answers.
async fn serve_open(state: &Arc<State>, watcher: Watcher, stream: impl Stream, peer: SocketAddr, within_tls: bool) {
    let served = state.clone();
    let respond = move |mut request: Request<Incoming>| {
        if within_tls {
            request.extensions_mut().insert(tls::WithinTls);
        }
        respond(served.clone(), peer.ip(), request)
    };
    connection(state, watcher, stream, respond).await;
}

/// A connection of a sender, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for T {}

async fn connection<Later>(
    state: &State,
    watcher: Watcher,
    stream: impl Stream,
    respond: impl Fn(Request<Incoming>) -> Later + Send + 'static,
) where
    Later: Future<Output = Answer> + Send + 'static,
{
    let header_read_timeout = Duration::from_millis(state.options.header_read_timeout_ms);
    let service = service_fn(move |request| {
        let answer = respond(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_read_timeout)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        debug!(%error, "a connection ended early");
    }
}

async fn respond(state: Arc<State>, peer: IpAddr, mut request: Request<Incoming>) -> Answer {
    let id = state.next_request_id();
    if state.options.note_sender {
        request.extensions_mut().insert(id);
    }
    let route = Route::of(request.uri().path());
    let span = info_span!("request", request.id = %id, route = route.name());
    let work = caught(within_time(&state, route, peer, request));
    let mut answer = work.instrument(span).await;
    answer.headers_mut().insert(REQUEST_ID, id.header());
    state.count(route, answer.status());
    answer
}

/// A panic ends one request, not the connection's task with its neighbours.
async fn caught(work: impl Future<Output = Answer>) -> Answer {
    let mut work = pin!(work);
    let polled = std::future::poll_fn(|context| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll.map(Some),
            Err(_panic) => std::task::Poll::Ready(None),
        }
    });
    match polled.await {
        Some(answer) => answer,
        None => {
            error!("a request failed by a bug in uzel; report it with the request id");
            let message = Message::new("http-bug");
            answer::closing(answer::message(StatusCode::INTERNAL_SERVER_ERROR, &message, Locale::default()))
        }
    }
}

/// One bound for the whole request: a body that dribbles is the sender's fault (408), an answer that
/// does not come is ours (503).
async fn within_time(state: &Arc<State>, route: Route, peer: IpAddr, request: Request<Incoming>) -> Answer {
    let ms = match route {
        Route::Exchange => state.options.exchange_timeout_ms,
        Route::Webhook
        | Route::OAuth
        | Route::Relay
        | Route::Api
        | Route::Page
        | Route::Health
        | Route::Ready
        | Route::Metrics
        | Route::Unknown => state.options.request_timeout_ms,
    };
    let arrived = AtomicBool::new(false);
    let work = dispatch(state, route, peer, request, &arrived);
    if let Ok(answer) = tokio::time::timeout(Duration::from_millis(ms), work).await {
        return answer;
    }
    if arrived.load(Ordering::Relaxed) {
        warn!(route = route.name(), timeout_ms = ms, "no answer in time, the sender gets 503");
        let message = Message::new("http-unavailable").with("seconds", TIMEOUT_RETRY_S);
        let answer = answer::message(StatusCode::SERVICE_UNAVAILABLE, &message, Locale::default());
        return answer::closing(answer::retry_after(answer, TIMEOUT_RETRY_S));
    }
    let message = Message::new("http-too-slow").with("seconds", ms.div_ceil(1000));
    answer::closing(answer::message(StatusCode::REQUEST_TIMEOUT, &message, Locale::default()))
}

async fn dispatch(
    state: &Arc<State>,
    route: Route,
    peer: IpAddr,
    request: Request<Incoming>,
    arrived: &AtomicBool,
) -> Answer {
    let remote = state.options.trusted_proxies.remote(peer, request.headers());
    match route {
        Route::Webhook => {
            let (head, body) = request.into_parts();
            webhook::handle(state, remote, head, body, arrived).await
        }
        Route::Exchange => {
            let (head, body) = request.into_parts();
            Box::pin(exchange::handle(state, remote, head, body)).await
        }
        Route::Api => {
            arrived.store(true, Ordering::Relaxed);
            Box::pin(api(state, request)).await
        }
        Route::Relay => {
            arrived.store(true, Ordering::Relaxed);
            Box::pin(office(state, &request.into_parts().0)).await
        }
        Route::Page => {
            arrived.store(true, Ordering::Relaxed);
            Box::pin(page::handle(state, remote, request)).await
        }
        Route::OAuth => {
            arrived.store(true, Ordering::Relaxed);
            Box::pin(oauth::handle(state, &request.into_parts().0)).await
        }
        Route::Health | Route::Ready | Route::Metrics | Route::Unknown => {
            small(state, route, peer, &request.into_parts().0)
        }
    }
}

/// The JSON interface, behind its token.
async fn api(state: &State, request: Request<Incoming>) -> Answer {
    let Some(router) = state.api.clone() else {
        return not_found(request.headers());
    };
    if !state.bears_token(request.headers()) {
        return unauthorized(request.headers());
    }
    match router.oneshot(request.map(axum::body::Body::new)).await {
        Ok(answer) => answer.map(Either::Right),
        Err(never) => match never {},
    }
}

/// The office of a relay, behind its token.
async fn office(state: &State, head: &Head) -> Answer {
    if state.relay().is_some() && !state.bears_token(&head.headers) {
        return unauthorized(&head.headers);
    }
    relay::handle(state, head).await.unwrap_or_else(|| not_found(&head.headers))
}

fn unauthorized(headers: &HeaderMap) -> Answer {
    let message = Message::new("http-unauthorized");
    let mut answer = answer::message(StatusCode::UNAUTHORIZED, &message, reader_locale(headers));
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    answer
}

/// Health and metrics: a GET without a body.
fn small(state: &State, route: Route, peer: IpAddr, head: &Head) -> Answer {
    let is_reading = head.method == Method::GET || head.method == Method::HEAD;
    match route {
        Route::Webhook | Route::Exchange | Route::OAuth | Route::Relay | Route::Api | Route::Page | Route::Unknown => {
            not_found(&head.headers)
        }
        Route::Health | Route::Ready | Route::Metrics if !is_reading => {
            let mut answer = answer::empty(StatusCode::METHOD_NOT_ALLOWED);
            answer.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            answer
        }
        Route::Health => answer::text(StatusCode::OK, "ok\n"),
        Route::Ready => ready(state),
        Route::Metrics if !may_read_metrics(state, peer, &head.headers) => not_found(&head.headers),
        Route::Metrics => numbers(state),
    }
}

fn ready(state: &State) -> Answer {
    let journal = state.journal.accepts_intake().map_err(|error| error.to_string());
    let all = journal.and_then(|()| state.health.ready().map_err(|message| message.to_string()));
    match all {
        Ok(()) => answer::text(StatusCode::OK, "ready\n"),
        Err(reason) => {
            let answer = answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n"));
            answer::retry_after(answer, TIMEOUT_RETRY_S)
        }
    }
}

fn may_read_metrics(state: &State, peer: IpAddr, headers: &HeaderMap) -> bool {
    let is_forwarded = headers.contains_key(FORWARDED) || headers.contains_key("x-forwarded-for");
    let is_local = peer.to_canonical().is_loopback() && !is_forwarded;
    is_local || state.bears_token(headers)
}

fn numbers(state: &State) -> Answer {
    let head = i64::try_from(state.journal.head().0).unwrap_or(i64::MAX);
    state.metrics.series(Metric::JournalHead, &[]).set(head);
    match metrics::render(&state.metrics) {
        Ok(page) => answer::answer(StatusCode::OK, HeaderValue::from_static(metrics::CONTENT_TYPE), page),
        Err(_) => answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn not_found(headers: &HeaderMap) -> Answer {
    answer::message(StatusCode::NOT_FOUND, &Message::new("source-unknown"), reader_locale(headers))
}
