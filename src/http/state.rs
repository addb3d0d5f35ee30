//! What the listener shares among its connections, and how the configuration is swapped under it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::Semaphore;

use super::exchange::ExchangeEndpoint;
use super::hint::HintTaker;
use super::page::Pages;
use super::peer::TrustedProxies;
use super::route::Route;
use crate::auth::Tokens;
use crate::base::telemetry::{Metric, Metrics, Series};
use crate::base::{Clock, Message, Secret, Slug, Timestamp, limits};
use crate::journal::Journal;
use crate::relay::Desk;
use crate::source::form::FormSource;
use crate::source::hint::HintSource;

/// Whether the daemon can do its work, beyond the journal that the listener asks itself.
pub trait Health: Send + Sync + 'static {
    /// `Err` says what keeps it from being ready (the pipeline is hopelessly behind).
    fn ready(&self) -> Result<(), Message>;
}

/// Bounds of the listener; tests use shorter ones.
#[derive(Debug, Clone)]
pub struct Options {
    /// Connections open at one time.
    pub connections_max: usize,
    /// Time for the headers of a request, and for an idle connection, ms.
    pub header_read_timeout_ms: u64,
    /// Time for a request's body and its answer, ms.
    pub request_timeout_ms: u64,
    /// The same for the 1C exchange, ms.
    pub exchange_timeout_ms: u64,
    /// Time that open requests have to finish at shutdown, ms.
    pub shutdown_grace_ms: u64,
    /// Who may say for whom a request is.
    pub trusted_proxies: TrustedProxies,
    /// Whether an envelope notes who sent it and in which request: who reads it later does not have
    /// this listener's log at hand.
    pub note_sender: bool,
}

impl Options {
    /// The bounds of `base::limits`, no proxies.
    pub fn standard() -> Options {
        Options {
            connections_max: limits::CONNECTIONS_MAX,
            header_read_timeout_ms: limits::HEADER_READ_TIMEOUT_MS,
            request_timeout_ms: limits::REQUEST_TIMEOUT_MS,
            exchange_timeout_ms: limits::EXCHANGE_REQUEST_TIMEOUT_MS,
            shutdown_grace_ms: limits::SHUTDOWN_GRACE_MS,
            trusted_proxies: TrustedProxies::none(),
            note_sender: false,
        }
    }
}

/// What the listener is made of.
pub struct Parts {
    /// Where envelopes go.
    pub journal: Arc<dyn Journal>,
    /// What `/readyz` asks.
    pub health: Arc<dyn Health>,
    /// The time of envelopes.
    pub clock: Arc<dyn Clock>,
    /// The numbers of the process.
    pub metrics: Arc<Metrics>,
    /// The JSON interface, with its whole paths (`/api/...`); behind the bearer token.
    pub api: Option<axum::Router>,
    /// Pages for people, which ask for access themselves.
    pub pages: Option<Pages>,
    /// Chance for request ids, so that those of two runs differ.
    pub seed: u32,
    /// Bounds.
    pub options: Options,
}

/// A form source with its counters.
pub(super) struct FormRoute {
    pub(super) source: FormSource,
    pub(super) acknowledged: Series,
}

/// Shared by all connections.
pub struct State {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) health: Arc<dyn Health>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) api: Option<axum::Router>,
    pub(super) pages: Option<Pages>,
    pub(super) options: Options,
    pub(super) large_bodies: Semaphore,
    /// Compared with when a connection is not known, so that names cannot be told by time.
    pub(super) nobody: Secret,
    forms: RwLock<Arc<HashMap<String, Arc<FormRoute>>>>,
    exchanges: RwLock<Arc<HashMap<String, Arc<dyn ExchangeEndpoint>>>>,
    hints: RwLock<Arc<HashMap<String, Arc<HintSource>>>>,
    hint_taker: RwLock<Option<Arc<dyn HintTaker>>>,
    tokens: RwLock<Arc<BTreeMap<Slug, Arc<Tokens>>>>,
    relay: RwLock<Option<Arc<Desk>>>,
    api_tokens: RwLock<Arc<[Secret]>>,
    requests: RequestSeries,
    seed: u32,
    served: AtomicU32,
    refusal_logged_at: AtomicI64,
}

impl State {
    /// Without sources and token: they are set, and may be replaced while the listener runs.
    pub fn new(parts: Parts) -> State {
        State {
            requests: RequestSeries::new(&parts.metrics),
            journal: parts.journal,
            health: parts.health,
            clock: parts.clock,
            metrics: parts.metrics,
            api: parts.api,
            pages: parts.pages,
            options: parts.options,
            large_bodies: Semaphore::new(limits::LARGE_BODIES_MAX),
            nobody: Secret::generate(),
            forms: RwLock::default(),
            exchanges: RwLock::default(),
            hints: RwLock::default(),
            hint_taker: RwLock::default(),
            tokens: RwLock::default(),
            relay: RwLock::default(),
            api_tokens: RwLock::new(Arc::from([])),
            seed: parts.seed,
            served: AtomicU32::new(0),
            refusal_logged_at: AtomicI64::new(i64::MIN),
        }
    }

    /// Replaces the form sources; requests under way go on with the old ones.
    pub fn set_forms(&self, sources: Vec<FormSource>) {
        let route = |source: FormSource| {
            let acknowledged = self.metrics.series(Metric::EnvelopesAcknowledged, &[("connector", source.connector())]);
            (source.connection().to_string(), Arc::new(FormRoute { source, acknowledged }))
        };
        let routes = Arc::new(sources.into_iter().map(route).collect());
        *self.forms.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// Replaces the endpoints of the 1C exchange, by connection.
    pub fn set_exchanges(&self, endpoints: Vec<(Slug, Arc<dyn ExchangeEndpoint>)>) {
        let routes = Arc::new(endpoints.into_iter().map(|(name, it)| (name.to_string(), it)).collect());
        *self.exchanges.write().unwrap_or_else(PoisonError::into_inner) = routes;
    }

    /// Replaces the connections that tell of changes, and who is told.
    pub fn set_hints(&self, sources: Vec<HintSource>, taker: Arc<dyn HintTaker>) {
        let routes = Arc::new(sources.into_iter().map(|it| (it.connection.to_string(), Arc::new(it))).collect());
        *self.hints.write().unwrap_or_else(PoisonError::into_inner) = routes;
        *self.hint_taker.write().unwrap_or_else(PoisonError::into_inner) = Some(taker);
    }

    /// Replaces the connections to which a person comes back with a code.
    pub fn set_tokens(&self, tokens: Arc<BTreeMap<Slug, Arc<Tokens>>>) {
        *self.tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens;
    }

    /// Makes this the listener of a relay: its office asks here, with a token of the interface.
    pub fn set_relay(&self, desk: Arc<Desk>) {
        *self.relay.write().unwrap_or_else(PoisonError::into_inner) = Some(desk);
    }

    /// Replaces the tokens of the JSON interface: the present one, and the previous one while people
    /// change over. Without any, nobody gets in.
    pub fn set_api_tokens(&self, tokens: Vec<Secret>) {
        *self.api_tokens.write().unwrap_or_else(PoisonError::into_inner) = tokens.into();
    }

    pub(super) fn form(&self, connection: &str) -> Option<Arc<FormRoute>> {
        self.forms.read().unwrap_or_else(PoisonError::into_inner).get(connection).cloned()
    }

    pub(super) fn hint(&self, connection: &str) -> Option<Arc<HintSource>> {
        self.hints.read().unwrap_or_else(PoisonError::into_inner).get(connection).cloned()
    }

    pub(super) fn hint_taker(&self) -> Option<Arc<dyn HintTaker>> {
        self.hint_taker.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn tokens(&self, connection: &str) -> Option<Arc<Tokens>> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner).clone();
        tokens.iter().find(|(name, _)| ***name == *connection).map(|(_, tokens)| Arc::clone(tokens))
    }

    pub(super) fn relay(&self) -> Option<Arc<Desk>> {
        self.relay.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The endpoint of a connection; without a name, the only one there is.
    pub(super) fn exchange(&self, connection: Option<&str>) -> Option<Arc<dyn ExchangeEndpoint>> {
        let exchanges = self.exchanges.read().unwrap_or_else(PoisonError::into_inner);
        match connection {
            Some(name) => exchanges.get(name).cloned(),
            None if exchanges.len() == 1 => exchanges.values().next().cloned(),
            None => None,
        }
    }

    /// Whether the request carries the token of the JSON interface. Every token is compared.
    pub(super) fn bears_token(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok()).and_then(|it| it.split_once(' '));
        let token = match given {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            Some(_) | None => return false,
        };
        let tokens = self.api_tokens.read().unwrap_or_else(PoisonError::into_inner).clone();
        tokens.iter().fold(false, |found, it| found | it.matches(token))
    }

    /// Sixteen hexadecimal digits: which run, which request of it.
    pub(super) fn next_request_id(&self) -> RequestId {
        RequestId { seed: self.seed, number: self.served.fetch_add(1, Ordering::Relaxed) }
    }

    pub(super) fn count(&self, route: Route, status: StatusCode) {
        self.requests.of(route, status).add(1);
    }

    /// Whether a refusal of the journal is to be logged: a full disk must not fill the log as well.
    pub(super) fn may_log_refusal(&self, now: Timestamp) -> bool {
        let last = self.refusal_logged_at.load(Ordering::Relaxed);
        let due = now.0.saturating_sub(last) >= REFUSAL_LOGGED_EVERY_MS || now.0 < last;
        due && self.refusal_logged_at.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn forget_idle(&self) {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner).clone();
        forms.values().for_each(|it| it.source.forget_idle());
    }
}

const REFUSAL_LOGGED_EVERY_MS: i64 = 10_000;

/// Names a request in answers and logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestId {
    seed: u32,
    number: u32,
}

impl RequestId {
    pub(super) fn header(self) -> HeaderValue {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let whole = u64::from(self.seed) << 32 | u64::from(self.number);
        let text: [u8; 16] = std::array::from_fn(|index| DIGITS[(whole >> (60 - 4 * index) & 15) as usize]);
        HeaderValue::from_bytes(&text).expect("hexadecimal digits may stand in a header")
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}{:08x}", self.seed, self.number)
    }
}

/// Counters of requests, looked up by number: the hot path builds no labels.
struct RequestSeries([[Series; 5]; Route::ALL.len()]);

impl RequestSeries {
    fn new(metrics: &Metrics) -> RequestSeries {
        const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
        let series =
            |route: Route, class| metrics.series(Metric::HttpRequests, &[("route", route.name()), ("status", class)]);
        RequestSeries(Route::ALL.map(|route| CLASSES.map(|class| series(route, class))))
    }

    fn of(&self, route: Route, status: StatusCode) -> &Series {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5) - 1;
        &self.0[route as usize][class]
    }
}
