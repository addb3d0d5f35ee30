//! The tokens of one connection.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::Pair;
use super::wire::url_escaped;
use crate::base::{Clock, Message, Secret, Slug, Timestamp};
use crate::connector::{OAuthSpec, SendToken, TokenMethod};
use crate::net::{Answer, CallError, Method, Request, Wire};
use crate::vault::Vault;

/// Setting under which the vault keeps the pair.
const PAIR: &str = "oauth";
/// For how long an address given to a person may bring a code back, ms.
const BEGUN_LIFE_MS: i64 = 3_600_000;
/// Characters of a foreign error's text that are kept.
const REASON_CHARS_MAX: usize = 200;

/// How a connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has agreed yet: `uzel connect`.
    NotConnected,
    /// There is a pair, and nothing is known against it.
    Connected,
    /// No token is good any more (180 days passed, the application was removed, a new pair never
    /// arrived): `uzel connect`.
    Lost(Message),
    /// The token server refuses for another reason, which the message says.
    Refused(Message),
}

impl Standing {
    /// One word for views.
    pub fn word(&self) -> &'static str {
        match self {
            Standing::NotConnected => "not_connected",
            Standing::Connected => "connected",
            Standing::Lost(_) => "lost",
            Standing::Refused(_) => "refused",
        }
    }
}

/// Why a code was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub Message);

/// What the tokens of a connection are made of. Addresses have their settings filled in.
pub struct TokensParts {
    /// The connection.
    pub name: Slug,
    /// What the manifest says.
    pub spec: OAuthSpec,
    /// Where a person agrees.
    pub authorize_url: String,
    /// Where tokens are given out.
    pub token_url: Secret,
    /// The id of the application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// Where the person comes back to.
    pub redirect_uri: String,
    /// Where the pair is kept.
    pub vault: Arc<Vault>,
    /// The way to the token server.
    pub wire: Arc<dyn Wire>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The tokens of one connection.
pub struct Tokens {
    parts: TokensParts,
    /// One renewal at a time; those who wait take its result.
    turn: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
    /// Counts how often a person agreed.
    agreed: watch::Sender<u64>,
}

struct Known {
    standing: Standing,
    /// Given out, but not yet on the disk. Not used before it is.
    unsaved: Option<Pair>,
    /// Begun by a person: what must come back, and since when.
    begun: Option<(Secret, Timestamp)>,
}

/// What a token server made of a request.
enum Exchanged {
    Pair(Pair),
    /// The code or token is not good.
    Dead(Message),
    /// Another refusal.
    Refused(Message),
    /// It cannot be asked, or its answer is lost.
    Away(Message),
}

impl Tokens {
    /// Over the vault: a pair that is there is used.
    pub fn new(parts: TokensParts) -> Tokens {
        let has_pair = parts.vault.get(&pair_name(&parts.name)).is_some();
        let standing = if has_pair { Standing::Connected } else { Standing::NotConnected };
        let known = Known { standing, unsaved: None, begun: None };
        let (agreed, _) = watch::channel(0);
        Tokens { parts, turn: tokio::sync::Mutex::new(()), known: Mutex::new(known), agreed }
    }

    /// How the connection stands.
    pub fn standing(&self) -> Standing {
        self.known().standing.clone()
    }

    /// The pair in force, for people: when it was given out, and until when.
    pub fn times(&self) -> Option<(Timestamp, Timestamp)> {
        self.pair().map(|pair| (pair.obtained_at, pair.expires_at))
    }

    /// Changes when a person has agreed: what rests for want of rights may go on.
    pub fn agreed(&self) -> watch::Receiver<u64> {
        self.agreed.subscribe()
    }

    /// Where the person comes back to.
    pub fn redirect_uri(&self) -> &str {
        &self.parts.redirect_uri
    }

    pub(super) fn send(&self) -> &SendToken {
        &self.parts.spec.send
    }

    /// The address at which a person agrees. Each call makes the earlier ones worthless.
    pub fn begin(&self) -> String {
        let state = Secret::generate();
        let mut address = self.parts.authorize_url.clone();
        let mut join = if address.contains('?') { '&' } else { '?' };
        let mut pairs = vec![("client_id", self.parts.client_id.clone()), ("state", state.expose().to_owned())];
        if self.parts.spec.redirect {
            pairs.push(("redirect_uri", self.parts.redirect_uri.clone()));
        }
        for (name, value) in pairs {
            address.push_str(&format!("{join}{name}={}", url_escaped(&value)));
            join = '&';
        }
        self.known().begun = Some((state, self.parts.clock.now()));
        address
    }

    /// The person came back. What he brings must be what [`begin`](Self::begin) gave him.
    pub async fn finish(&self, state: &str, code: &str) -> Result<(), Refused> {
        match self.is_begun(state) {
            true => self.take_code(code).await,
            false => Err(Refused(Message::new("oauth-state"))),
        }
    }

    /// Whether this address was given out by us; it is good once.
    fn is_begun(&self, state: &str) -> bool {
        let now = self.parts.clock.now();
        let mut known = self.known();
        let fits = known.begun.as_ref().is_some_and(|(given, since)| {
            // Compared first, whatever the time says: the time taken must tell nothing.
            let same = given.matches(state);
            same && now.ms_since(*since) <= BEGUN_LIFE_MS
        });
        if fits {
            known.begun = None;
        }
        fits
    }

    /// Exchanges a code that a person brought by hand.
    pub async fn take_code(&self, code: &str) -> Result<(), Refused> {
        let _turn = self.turn.lock().await;
        let asked = [("grant_type", "authorization_code"), ("code", code.trim())];
        match self.exchange(&asked).await {
            Exchanged::Pair(pair) => {
                self.keep(pair).map_err(Refused)?;
                self.agreed.send_modify(|times| *times += 1);
                info!(connection = %self.parts.name, "connected: a new pair of tokens is kept");
                Ok(())
            }
            Exchanged::Dead(message) => Err(Refused(Message::new("oauth-code").with("detail", message))),
            Exchanged::Refused(message) | Exchanged::Away(message) => Err(Refused(message)),
        }
    }

    /// The access token in force.
    pub(super) fn access(&self) -> Result<Secret, CallError> {
        match self.standing() {
            Standing::Lost(message) => return Err(CallError::Refused(message)),
            // Another reason may pass by itself (it was paid): the next renewal asks again.
            Standing::NotConnected | Standing::Connected | Standing::Refused(_) => {}
        }
        self.pair().map(|pair| pair.access).ok_or_else(|| CallError::Refused(self.not_connected()))
    }

    /// A pair after the one whose access token was refused. `CallError::Connect` when the token
    /// server is away (the request that was refused took no effect), `CallError::Refused` when a
    /// person must act.
    pub(super) async fn renew(&self, stale: &Secret) -> Result<Secret, CallError> {
        let _turn = self.turn.lock().await;
        // Somebody renewed while we waited, or the disk would not take the last pair.
        if let Some(pair) = self.save_unsaved().map_err(CallError::Refused)?.or_else(|| self.pair())
            && pair.access != *stale
        {
            return Ok(pair.access);
        }
        let pair = self.pair().ok_or_else(|| CallError::Refused(self.not_connected()))?;
        let mut exchanged = self.refresh(&pair).await;
        if let Exchanged::Dead(_) = exchanged
            && let Some(former) = self.former().filter(|former| former.refresh != pair.refresh)
        {
            // The other side may never have taken the present pair over.
            exchanged = match self.refresh(&former).await {
                Exchanged::Pair(pair) => Exchanged::Pair(pair),
                Exchanged::Dead(_) | Exchanged::Refused(_) | Exchanged::Away(_) => exchanged,
            };
        }
        match exchanged {
            Exchanged::Pair(pair) => {
                let access = pair.access.clone();
                self.keep(pair).map_err(CallError::Refused)?;
                Ok(access)
            }
            Exchanged::Dead(detail) => {
                let message = Message::new("oauth-lost").with("connection", &self.parts.name).with("detail", detail);
                error!(connection = %self.parts.name, "the refresh token is refused; a person must connect again");
                self.known().standing = Standing::Lost(message.clone());
                Err(CallError::Refused(message))
            }
            Exchanged::Refused(message) => {
                error!(connection = %self.parts.name, "the token server refuses: {message}");
                self.known().standing = Standing::Refused(message.clone());
                Err(CallError::Refused(message))
            }
            Exchanged::Away(message) => {
                warn!(connection = %self.parts.name, "the token server is away: {message}");
                Err(CallError::Connect(message))
            }
        }
    }

    /// Whether the body of a 401 says that the token ran out.
    pub(super) fn says_expired(&self, body: &[u8]) -> bool {
        let spec = &self.parts.spec;
        spec.expired.is_empty() || code_of(spec, body).is_some_and(|code| spec.expired.contains(&code))
    }

    async fn refresh(&self, pair: &Pair) -> Exchanged {
        self.exchange(&[("grant_type", "refresh_token"), ("refresh_token", pair.refresh.expose())]).await
    }

    async fn exchange(&self, asked: &[(&str, &str)]) -> Exchanged {
        let answer = match self.parts.wire.call(self.token_request(asked)).await {
            Ok(answer) => answer,
            Err(CallError::Refused(message)) => return Exchanged::Refused(message),
            // Whether it took effect is not known: the same token is tried again.
            Err(CallError::Connect(message) | CallError::Sent(message)) => return Exchanged::Away(message),
        };
        self.judge(&answer)
    }

    fn judge(&self, answer: &Answer) -> Exchanged {
        let pair = Pair::said(&answer.body, self.parts.clock.now());
        if let Some(pair) = pair.filter(|_| (200..300).contains(&answer.status)) {
            return Exchanged::Pair(pair);
        }
        let code = code_of(&self.parts.spec, &answer.body).unwrap_or_default();
        let message = |id: &str| {
            Message::new(id)
                .with("connection", &self.parts.name)
                .with("status", answer.status)
                .with("code", if code.is_empty() { "-" } else { code.as_str() })
        };
        match (answer.status, code.as_str()) {
            (_, "invalid_grant") => Exchanged::Dead(message("oauth-answer")),
            (_, "invalid_client" | "unauthorized_client") => Exchanged::Refused(message("oauth-client")),
            (_, "PAYMENT_REQUIRED") => Exchanged::Refused(message("oauth-unpaid")),
            (400..=499, code) if !code.is_empty() => Exchanged::Refused(message("oauth-answer")),
            // A page of a balancer, a 500: it passes.
            (_, _) => Exchanged::Away(message("oauth-answer")),
        }
    }

    fn token_request(&self, asked: &[(&str, &str)]) -> Request {
        let spec = &self.parts.spec;
        let secret = self.parts.client_secret.expose();
        let mut pairs: Vec<(&str, &str)> = vec![("client_id", &self.parts.client_id), ("client_secret", secret)];
        pairs.extend(asked);
        if spec.redirect {
            pairs.push(("redirect_uri", &self.parts.redirect_uri));
        }
        let encoded = || {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", url_escaped(value)));
            pairs.collect::<Vec<_>>().join("&")
        };
        let (method, address, content_type, body) = match spec.method {
            TokenMethod::Get => {
                let address = Secret::new(format!("{}?{}", self.parts.token_url.expose(), encoded()));
                (Method::Get, address, "", Vec::new())
            }
            TokenMethod::PostForm => {
                let body = encoded().into_bytes();
                (Method::Post, self.parts.token_url.clone(), "application/x-www-form-urlencoded", body)
            }
            TokenMethod::PostJson => {
                let members = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
                let body = Json::Object(members.collect()).to_string().into_bytes();
                (Method::Post, self.parts.token_url.clone(), "application/json", body)
            }
        };
        Request { method, address, headers: Vec::new(), content_type, body }
    }

    fn not_connected(&self) -> Message {
        Message::new("oauth-not-connected").with("connection", &self.parts.name)
    }

    fn pair(&self) -> Option<Pair> {
        self.parts.vault.get(&pair_name(&self.parts.name)).as_ref().and_then(Pair::read)
    }

    fn former(&self) -> Option<Pair> {
        self.parts.vault.previous(&pair_name(&self.parts.name)).as_ref().and_then(Pair::read)
    }

    /// Order: on the disk, then in force.
    fn keep(&self, pair: Pair) -> Result<(), Message> {
        let kept = self.parts.vault.set(&pair_name(&self.parts.name), pair.stored());
        let mut known = self.known();
        match kept {
            Ok(()) => {
                known.standing = Standing::Connected;
                known.unsaved = None;
                Ok(())
            }
            Err(error) => {
                // The former refresh token may be dead already: this pair must not be forgotten.
                known.unsaved = Some(pair);
                Err(error.message().clone())
            }
        }
    }

    fn save_unsaved(&self) -> Result<Option<Pair>, Message> {
        let unsaved = self.known().unsaved.clone();
        let Some(pair) = unsaved else { return Ok(None) };
        self.keep(pair.clone())?;
        Ok(Some(pair))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // Plain values, whole after every statement.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokens({})", self.parts.name)
    }
}

fn pair_name(connection: &Slug) -> String {
    format!("{connection}.{PAIR}")
}

fn code_of(spec: &OAuthSpec, body: &[u8]) -> Option<String> {
    let json: Json = serde_json::from_slice(body).ok()?;
    Some(json.get(&spec.error_code)?.as_str()?.chars().take(REASON_CHARS_MAX).collect())
}
