//! Site forms and webhooks: a POST to `/in/{connection}/{secret}[/{stream}]`.
//!
//! [`FormSource`] decides, and nothing else: no socket, no clock, no journal. `http` first asks
//! [`FormSource::admit`] with the head of the request, so that a stranger's body is never read, then
//! reads the body within the bound it was given and asks [`FormSource::accept`].
//!
//! Guaranteed:
//! - the secret is compared in constant time, the previous one too; a wrong one looks like an
//!   address that does not exist;
//! - where the connection names a signature, the raw bytes are verified before anything reads them;
//!   a message that proves nothing is refused with 401 and no reason, and nothing of it is kept;
//! - a body within the bounds is kept even when it does not read or its `Content-Type` is wrong: the
//!   sender gets success, the pipeline quarantines the record, a person is told;
//! - cookies, authorization and the secret never enter the envelope.
//!
//! Not here: whether a submission is a repetition (the pipeline knows, by journal time) or spam (the
//! mapping's honeypot; stored, hidden, reversible).

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use compact_str::CompactString;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    CONTENT_ENCODING, CONTENT_TYPE, ORIGIN, REFERER, USER_AGENT, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::auth::signature::{self, Scheme, Verified};
use crate::base::limits::{FORM_WITH_FILES_BYTES_MAX, INLINE_BODY_BYTES_MAX, NOTE_BYTES_MAX, WEBHOOK_BODY_BYTES_MAX};
use crate::base::{Message, Secret, Slug, Timestamp};
use crate::connector::{SourceSpec, StreamSpec, TestRequest, Transport};
use crate::decode;
use crate::entry::{Body, Entry, Received};
use crate::journal::{AppendError, Journal, NewEntry};
use crate::value::Value;

mod key;
mod rate;
mod reply;

pub use key::KeyKind;
pub use rate::{Rate, Rates, Ticks};
pub use reply::{Reply, reader_locale};

/// The note that tells the kind of the idempotency key.
pub const KEY_NOTE: &str = "uzel-key";

/// A tester may send its API key beside the test field, and nothing else; a lead that happens to
/// have a field of that name has more fields.
const TEST_FIELDS_MAX: usize = 2;

/// How long a browser may remember a preflight.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What an administrator sets for one connection.
#[derive(Debug, Clone)]
pub struct FormSettings {
    /// The connection, as it stands in the address.
    pub connection: Slug,
    /// Its connector.
    pub connector: Slug,
    /// The secret part of the address.
    pub secret: Secret,
    /// The one before it, still good until every site has the new one.
    pub previous_secret: Option<Secret>,
    /// How a message proves where it comes from, beside the secret of the address.
    pub scheme: Scheme,
    /// Secrets that sign: the present one and the one before it.
    pub signing: Vec<Secret>,
    /// Sites whose pages may send by script (`https://site.ru`); reflected only when listed.
    pub origins: Vec<String>,
    /// Pages a plain form may lead to afterwards, whole addresses.
    pub redirects: Vec<String>,
    /// Limits.
    pub rates: Rates,
}

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct FormHead<'a> {
    /// The secret of the path.
    pub secret: &'a str,
    /// The stream of the path, if any.
    pub stream: Option<&'a str>,
    /// The method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// Who sends: the socket's address, or the one a trusted proxy names.
    pub remote: IpAddr,
}

/// What becomes of a request before its body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admit {
    /// Read the body, at most [`Admitted::bytes_max`], and call [`FormSource::accept`].
    Body(Admitted),
    /// A browser asks whether a script may send: answer 204 with the headers of [`FormSource::cors`]
    /// and these.
    Preflight(Vec<(HeaderName, HeaderValue)>),
    /// Answer so and leave the body.
    Refuse(Refusal),
}

/// The head was looked at and found good. Only [`FormSource::admit`] makes one, so no body gets past
/// the secret and the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admitted {
    /// Place among the streams of the source.
    stream: usize,
    bytes_max: usize,
}

impl Admitted {
    /// Bound of the body.
    pub fn bytes_max(self) -> usize {
        self.bytes_max
    }
}

/// Header of a message that only asks whether address and signature are good; nothing is journalled.
pub const PROBE_HEADER: &str = "uzel-probe";
/// What such a message is answered.
pub const PROBE_ANSWER: &[u8] = b"uzel-probe: good";

/// What becomes of a request with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accept {
    /// Journal it; once it is durable, answer so.
    Envelope {
        /// The envelope.
        received: Box<Received>,
        /// The answer.
        reply: Reply,
    },
    /// The sender only tests the address: answer so, journal nothing.
    Test(Bytes),
    /// Answer so, journal nothing.
    Refuse(Refusal),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such connection, secret or stream; which of them is not told.
    Unknown,
    /// The message is not signed as it should be; why is not told.
    Unverified,
    /// Not a POST.
    Method,
    /// The body is compressed.
    Encoding,
    /// The body is larger than the bound.
    TooLarge {
        /// The bound.
        bytes_max: usize,
    },
    /// Over the limit of the source or of the sender.
    TooMany {
        /// When to come again.
        retry_after_s: u32,
        /// Whether the sender's own limit was hit, not that of the source.
        by_address: bool,
    },
}

impl Refusal {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::Unverified => StatusCode::UNAUTHORIZED,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The label of the metric.
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::Unknown => "unknown",
            Refusal::Unverified => "unverified",
            Refusal::Method => "method",
            Refusal::Encoding => "encoding",
            Refusal::TooLarge { .. } => "too_large",
            Refusal::TooMany { by_address: true, .. } => "address_rate",
            Refusal::TooMany { by_address: false, .. } => "source_rate",
        }
    }

    /// The text of the answer.
    pub fn message(self) -> Message {
        match self {
            Refusal::Unknown => Message::new("source-unknown"),
            Refusal::Unverified => Message::new("source-unverified"),
            Refusal::Method => Message::new("source-method"),
            Refusal::Encoding => Message::new("source-encoding"),
            Refusal::TooLarge { bytes_max } => Message::new("source-too-large").with("kib", bytes_max / 1024),
            Refusal::TooMany { retry_after_s, .. } => Message::new("source-too-many").with("seconds", retry_after_s),
        }
    }
}

/// One connection that takes forms.
#[derive(Debug)]
pub struct FormSource {
    connection: Slug,
    connector: Slug,
    secret: Secret,
    previous_secret: Option<Secret>,
    scheme: Scheme,
    signing: Vec<Secret>,
    origins: Vec<HeaderValue>,
    redirects: reply::Redirects,
    limiter: rate::Limiter,
    dialect: Bytes,
    test: Option<TestRequest>,
    streams: Vec<StreamSpec>,
}

impl FormSource {
    /// Checks the settings against the manifest. `Err` says which setting cannot be, and why.
    pub fn new(settings: FormSettings, spec: &SourceSpec, ticks: Ticks) -> Result<FormSource, Message> {
        let wrong = |id: &str| Message::new(id).with("connection", &settings.connection);
        let is_webhook = match spec.transport {
            Transport::Webhook => true,
            Transport::Exchange1c | Transport::Folder | Transport::Poll | Transport::Asterisk => false,
        };
        if !is_webhook || spec.streams.is_empty() {
            return Err(wrong("source-not-webhook").with("connector", &settings.connector));
        }
        let origin = |text: &String| {
            let bare = text.trim().trim_end_matches('/');
            let is_web = bare.starts_with("https://") || bare.starts_with("http://");
            let is_bare = bare.splitn(4, '/').count() == 3;
            HeaderValue::from_str(bare)
                .ok()
                .filter(|_| is_web && is_bare)
                .ok_or_else(|| wrong("source-bad-origin").with("origin", text))
        };
        let origins = settings.origins.iter().map(origin).collect::<Result<_, _>>()?;
        let redirects = reply::Redirects::new(settings.redirects.clone())
            .map_err(|address| wrong("source-bad-redirect").with("address", address))?;
        Ok(FormSource {
            origins,
            redirects,
            limiter: rate::Limiter::new(settings.rates, ticks),
            dialect: Bytes::from(spec.answer.clone()),
            test: spec.test.clone(),
            streams: spec.streams.clone(),
            connection: settings.connection,
            connector: settings.connector,
            secret: settings.secret,
            previous_secret: settings.previous_secret,
            scheme: settings.scheme,
            signing: settings.signing,
        })
    }

    /// The connection, as it stands in the address.
    pub fn connection(&self) -> &Slug {
        &self.connection
    }

    /// Its connector.
    pub fn connector(&self) -> &Slug {
        &self.connector
    }

    /// Forgets senders that have been quiet. A reconciler calls it every minute or so.
    pub fn forget_idle(&self) {
        self.limiter.forget_idle();
    }

    /// Decides by the head alone, before any byte of the body is read.
    pub fn admit(&self, head: &FormHead<'_>) -> Admit {
        let (true, Some(stream)) = (self.knows(head.secret), self.stream(head.stream)) else {
            return Admit::Refuse(Refusal::Unknown);
        };
        if head.method == Method::OPTIONS {
            return Admit::Preflight(self.preflight(head.headers));
        }
        if head.method != Method::POST {
            return Admit::Refuse(Refusal::Method);
        }
        if head.headers.get(CONTENT_ENCODING).is_some_and(|it| it.as_bytes() != b"identity") {
            return Admit::Refuse(Refusal::Encoding);
        }
        if let Err(exceeded) = self.limiter.check(head.remote) {
            let rate::Exceeded { by_address, retry_after_s } = exceeded;
            return Admit::Refuse(Refusal::TooMany { retry_after_s, by_address });
        }
        Admit::Body(Admitted { stream, bytes_max: body_bytes_max(head.headers) })
    }

    /// Makes the envelope of an admitted request. `now` is when the last byte came.
    pub fn accept(
        &self,
        Admitted { stream, bytes_max }: Admitted,
        headers: &HeaderMap,
        query: Option<&str>,
        body: Bytes,
        now: Timestamp,
    ) -> Accept {
        // Only the admission of another source could name a stream that is not here.
        let Some(stream) = self.streams.get(stream) else {
            return Accept::Refuse(Refusal::Unknown);
        };
        if body.len() > bytes_max {
            return Accept::Refuse(Refusal::TooLarge { bytes_max });
        }
        let Ok(Verified { id }) = signature::verify(&self.scheme, &self.signing, headers, &body, now) else {
            return Accept::Refuse(Refusal::Unverified);
        };
        // Ours: whoever knows the address and the signature may ask whether they are good.
        if headers.contains_key(PROBE_HEADER) {
            return Accept::Test(Bytes::from_static(PROBE_ANSWER));
        }
        let content_type = note(headers.get(CONTENT_TYPE)).unwrap_or_default();
        // A body that does not read is kept all the same: the pipeline quarantines it by name.
        let decoded = decode::submission(&content_type, &body).ok().map(|it| it.value);
        if self.is_test(stream, decoded.as_ref()) {
            return Accept::Test(if self.dialect.is_empty() {
                Bytes::from_static(b"ok")
            } else {
                self.dialect.clone()
            });
        }
        let (idempotency_key, kind) =
            key::key(&self.connection, stream, id.as_deref(), headers, decoded.as_ref(), &body);
        let reply = reply::choose(&self.dialect, &self.redirects, headers, decoded.as_ref());
        let received = Received {
            connection: self.connection.clone(),
            connector: self.connector.clone(),
            stream: stream.name.clone(),
            received_at: now,
            idempotency_key,
            content_type: content_type.into(),
            headers: notes(headers, query, kind),
            body: Body::Inline(body.into()),
        };
        Accept::Envelope { received: Box::new(received), reply }
    }

    /// The headers by which a page of a listed site may read the answer. They belong on refusals too.
    pub fn cors(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        if self.origins.is_empty() {
            return Vec::new();
        }
        let vary = (VARY, HeaderValue::from_static("Origin"));
        match headers.get(ORIGIN).filter(|it| self.origins.contains(it)) {
            Some(origin) => vec![vary, (ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone())],
            None => vec![vary],
        }
    }

    /// Both secrets are always compared.
    fn knows(&self, candidate: &str) -> bool {
        let previous = self.previous_secret.as_ref().is_some_and(|it| it.matches(candidate));
        self.secret.matches(candidate) | previous
    }

    /// The stream of the path; the first of the manifest when the path names none.
    fn stream(&self, name: Option<&str>) -> Option<usize> {
        match name {
            Some(name) => self.streams.iter().position(|it| &*it.name == name),
            None => Some(0),
        }
    }

    fn preflight(&self, headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        if headers.get(ORIGIN).is_none_or(|it| !self.origins.contains(it)) {
            return Vec::new();
        }
        vec![
            (ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, OPTIONS")),
            (ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type, idempotency-key")),
            (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
        ]
    }

    fn is_test(&self, stream: &StreamSpec, decoded: Option<&Value>) -> bool {
        let (Some(test), Some(value)) = (&self.test, decoded) else {
            return false;
        };
        let fields = match value {
            Value::Map(members) => members.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => 0,
        };
        value.get(&test.field).and_then(Value::as_text) == Some(test.value.as_str())
            && fields <= TEST_FIELDS_MAX
            && key::sender_id(stream, value).is_none()
    }
}

/// The entry to append. A large body (a form with files) goes to a file of its own first, which
/// blocks on the disk; a small one costs nothing.
pub fn entry(mut received: Received, journal: &dyn Journal) -> Result<NewEntry, AppendError> {
    received.body = match received.body {
        Body::Inline(bytes) if bytes.len() > INLINE_BODY_BYTES_MAX => journal.put_body(bytes)?,
        kept @ (Body::Inline(_) | Body::File { .. }) => kept,
    };
    let at = received.received_at;
    let entry = Entry::Received(received);
    Ok(NewEntry { kind: entry.kind(), at, payload: entry.encode() })
}

/// A form with files may be larger than one without.
fn body_bytes_max(headers: &HeaderMap) -> usize {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let is_multipart = content_type.get(..10).is_some_and(|it| it.eq_ignore_ascii_case(b"multipart/"));
    if is_multipart { FORM_WITH_FILES_BYTES_MAX } else { WEBHOOK_BODY_BYTES_MAX }
}

/// What else of the request matters to mappings. A closed list: cookies and authorization cannot
/// slip in.
fn notes(headers: &HeaderMap, query: Option<&str>, kind: KeyKind) -> Vec<(CompactString, String)> {
    let header = |name: HeaderName| note(headers.get(name));
    let query = query.filter(|it| !it.is_empty()).map(|it| cut(it.to_owned()));
    let found = [
        ("query", query),
        ("referer", header(REFERER)),
        ("origin", header(ORIGIN)),
        ("user-agent", header(USER_AGENT)),
        (KEY_NOTE, Some(kind.name().to_owned())),
    ];
    found.into_iter().filter_map(|(name, value)| Some((CompactString::const_new(name), value?))).collect()
}

fn note(value: Option<&HeaderValue>) -> Option<String> {
    value.map(|it| cut(String::from_utf8_lossy(it.as_bytes()).into_owned()))
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(NOTE_BYTES_MAX));
    text
}

/// How often [`FormSource::forget_idle`] is worth calling.
pub const FORGET_IDLE_EVERY: Duration = Duration::from_secs(60);
