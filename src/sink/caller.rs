//! Sends requests of a manifest within the sink's quota and judges their answers.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use compact_str::CompactString;
use serde_json::{Value as Json, json};

use super::judge::{Judged, Ruling, View, judge, second_over, seconds};
use super::{Settings, SinkError, bitrix24, form};
use crate::auth::signature;
use crate::base::checksum::Fingerprint;
use crate::base::limits::DELIVERY_BATCH_MAX;
use crate::base::{Clock, Message, Secret, Timestamp};
use crate::connector::{Auth, BatchStrategy, BodyStyle, Http, RequestSpec, Scope, SinkSpec, Slot};
use crate::model::Fault;
use crate::net::{CallError, Leave, Limiter, Method, Quotas, Request, Take, Wire, host_of};
use crate::outbox::{Jitter, schedule};
use crate::value::{Path, Value};

/// Tokens asked for before one request. A clock that stands still must not hold a push for ever.
const ADMIT_ROUNDS_MAX: u32 = 64;
/// Times that one request is sent when the sink says that its bucket is full.
const SEND_ROUNDS_MAX: u32 = 4;
/// Longest wait for a full bucket within a push, ms; longer ones end the push.
const BUCKET_WAIT_MAX_MS: i64 = 10_000;
/// Rest of a sink whose settings or rights are refused, ms. A person must act; until then one
/// request in so many is enough to see that he has.
const REJECTED_REST_MS: i64 = 900_000;
/// How much of the time of a method the lower lane may spend, in thousandths: the rest is the
/// reserve of what people wait for. With more of it a load would fall below nine tenths of what a
/// portal allows (`docs/decisions/2026-11-22-load-rate.md`).
const LOWER_BUDGET_THOUSANDTHS: i64 = 950;
/// Failures in a row after which the rest of an unreachable sink no longer grows (320 s).
const UNREACHABLE_STEPS_MAX: u32 = 7;

/// A request, filled in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    /// Name of the method: for budgets and batches.
    pub method: String,
    http: Http,
    path: String,
    body: Json,
    /// Names the message, where messages are signed.
    message: Option<String>,
    /// A refusal of this request says nothing of the connection as a whole.
    is_apart: bool,
}

impl Call {
    /// Fills the request in.
    pub(crate) fn new(spec: &RequestSpec, fill: &dyn Fn(&Slot) -> Json) -> Call {
        Call {
            method: spec.path.name(),
            http: spec.http,
            path: spec.path.fill(fill),
            body: spec.body.fill(fill),
            message: None,
            is_apart: false,
        }
    }
}

impl Call {
    /// The call, telling the message of this name.
    pub(super) fn of(self, message: String) -> Call {
        Call { message: Some(message), ..self }
    }

    /// A request that the sink may refuse for ever and take every other.
    pub(crate) fn apart(self) -> Call {
        Call { is_apart: true, ..self }
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// An answer, judged.
    Answered(Judged),
    /// It surely did not arrive. The sink rests: see [`Caller::rest`].
    NotSent(Message),
    /// It was not sent, and cannot be before a person has acted: our rights are lost, or the address
    /// is not allowed. The sink rests, and the object is not at fault.
    Forbidden(Message),
}

/// Whose requests go first when there is room for few. The lower lane leaves a reserve to the upper
/// one: tokens of the bucket ([`Limiter::take_lower`]), and a twentieth of the time of each method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// What people wait for: a lead of now.
    Upper,
    /// What nobody waits for: scores, history, what is read on a schedule.
    Lower,
}

/// Why the sink must rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rest {
    pub until: Timestamp,
    pub fault: Fault,
    pub reason: Message,
}

/// A call that may not go before an instant that lies behind the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBefore(pub Timestamp);

/// What is known of the time that a method may work.
#[derive(Debug, Clone, Copy, Default)]
struct MethodTime {
    /// It is spent, and not called before.
    spent_until: Timestamp,
    /// When some of it comes back, as an answer told last.
    resets_at: Timestamp,
}

pub(crate) struct Caller {
    spec: Arc<SinkSpec>,
    address: Secret,
    headers: Vec<(CompactString, Secret)>,
    query: Option<(String, Secret)>,
    /// Messages are signed by these, the newest first.
    signing: Vec<Secret>,
    host: String,
    wire: Arc<dyn Wire>,
    quotas: Arc<Quotas>,
    clock: Arc<dyn Clock>,
    /// The time of methods. Bound: the methods of the manifest.
    times: Mutex<HashMap<String, MethodTime>>,
    rest: Mutex<Option<Rest>>,
    /// Requests in a row that found nobody.
    unreachable: AtomicU32,
    sent: AtomicU32,
    lane: Lane,
}

impl Caller {
    pub(crate) fn new(
        spec: Arc<SinkSpec>,
        settings: &Settings,
        wire: Arc<dyn Wire>,
        quotas: Arc<Quotas>,
        clock: Arc<dyn Clock>,
        lane: Lane,
    ) -> Result<Caller, SinkError> {
        let address = settings.secret(&spec.address)?;
        let host = host_of(address.expose()).ok_or_else(|| SinkError {
            fault: Fault::Connection,
            message: Message::new("net-address"),
            retry_at: None,
        })?;
        let mut headers = Vec::new();
        let (mut query, mut signing) = (None, Vec::new());
        match &spec.auth {
            Auth::PathSecret => {}
            Auth::StandardWebhooks(setting) => {
                signing.push(settings.secret(setting)?);
                // Until the receiver knows the new one, it may check by the one before.
                signing.extend(
                    settings.secrets.iter().find(|(name, _)| *name == previous_of(setting)).map(|it| it.1.clone()),
                );
            }
            Auth::Bearer(setting) => {
                let secret = settings.secret(setting)?;
                headers.push(("Authorization".into(), Secret::new(format!("Bearer {}", secret.expose()))));
            }
            Auth::Header { name, setting } => headers.push((name.into(), settings.secret(setting)?)),
            Auth::Query { name, setting } => query = Some((name.clone(), settings.secret(setting)?)),
        }
        let (times, rest) = (Mutex::default(), Mutex::default());
        let (unreachable, sent) = (AtomicU32::new(0), AtomicU32::new(0));
        Ok(Caller {
            spec,
            address,
            headers,
            query,
            signing,
            host,
            wire,
            quotas,
            clock,
            times,
            rest,
            unreachable,
            sent,
            lane,
        })
    }

    /// The host, for messages.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Calls that can travel together.
    pub(crate) fn together_max(&self) -> usize {
        // What finds out whether the host is there again risks one object, not fifty.
        if self.quotas.breakers().is_probing(&self.host) {
            return 1;
        }
        match self.spec.batch {
            Some(BatchStrategy::Bitrix24) => DELIVERY_BATCH_MAX,
            None => 1,
        }
    }

    /// In a call that travels as number `index` (from 1) of several: stands for a member of a row
    /// that the call before it finds. `None`: calls know nothing of each other.
    pub(crate) fn row_before(&self, index: usize, rows: &Path, place: u32, member: &Path) -> Option<String> {
        self.spec.batch.map(|BatchStrategy::Bitrix24| bitrix24::row_before(index, rows, place, member))
    }

    /// Requests sent since the last question.
    pub(crate) fn take_sent(&self) -> u32 {
        self.sent.swap(0, Ordering::Relaxed)
    }

    /// Whether the host may be asked at all. While its circuit is open nothing goes; once the pause is
    /// over, the cheapest request of the manifest finds out whether the host is there again. Without
    /// one the next request does, alone.
    pub(crate) async fn knock(&self, deadline: Timestamp) -> Result<(), Rest> {
        let breakers = self.quotas.breakers();
        match breakers.ask(&self.host, self.clock.now()) {
            Leave::Go => return Ok(()),
            Leave::Wait(until) => return Err(self.circuit(until)),
            Leave::Probe => {}
        }
        let Some(request) = &self.spec.knock else { return Ok(()) };
        let call = Call::new(request, &|_| Json::Null);
        if let Err(NotBefore(until)) = self.admit(&call.method, deadline).await {
            breakers.put_off(&self.host, until);
            return Err(self.circuit(until));
        }
        self.send_once(&[call]).await;
        match breakers.ask(&self.host, self.clock.now()) {
            Leave::Wait(until) => Err(self.circuit(until)),
            Leave::Go | Leave::Probe => {
                // A rest that the failures before had asked for.
                self.wake();
                Ok(())
            }
        }
    }

    fn circuit(&self, until: Timestamp) -> Rest {
        let why = self.quotas.breakers().why(&self.host);
        let reason = why.unwrap_or_else(|| Message::new("sink-circuit").with("host", &self.host));
        Rest { until, fault: Fault::Sink, reason }
    }

    /// What an answer, or that there is none, says of the host: it lives, or it fails.
    fn note_host(&self, reason: Option<&Message>, now: Timestamp) {
        let breakers = self.quotas.breakers();
        let Some(reason) = reason else { return breakers.succeeded(&self.host) };
        if let Some(until) = breakers.failed(&self.host, now, reason) {
            self.begin_rest(Rest { until, fault: Fault::Sink, reason: reason.clone() });
        }
    }

    /// Forgets an earlier rest: a new push tries.
    pub(crate) fn wake(&self) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the sink must rest, if it must.
    pub(crate) fn rest(&self) -> Option<Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Until when the method has spent its time.
    pub(crate) fn spent_until(&self, method: &str) -> Option<Timestamp> {
        let now = self.clock.now();
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.get(method).map(|time| time.spent_until).filter(|until| *until > now)
    }

    /// Waits for leave to send one request (a batch is one), and for the method's time.
    pub(crate) async fn admit(&self, method: &str, deadline: Timestamp) -> Result<(), NotBefore> {
        for _ in 0..ADMIT_ROUNDS_MAX {
            let now = self.clock.now();
            let until = match self.spent_until(method) {
                Some(until) => until,
                None => match self.take(now) {
                    Take::Go => return Ok(()),
                    Take::Wait(ms) => now.plus_ms(ms),
                },
            };
            if until > deadline {
                return Err(NotBefore(until));
            }
            self.sleep_until(until).await;
        }
        Err(NotBefore(self.clock.now()))
    }

    fn take(&self, now: Timestamp) -> Take {
        match self.lane {
            Lane::Upper => self.quotas.take(&self.host, || self.bucket(), now),
            Lane::Lower => self.quotas.take_lower(&self.host, || self.bucket(), now),
        }
    }

    /// Sends the calls, together where the sink can. `admit` must have been asked before. One
    /// reply per call, in order. When the sink's bucket is full the same request waits and goes
    /// again, a few times.
    pub(crate) async fn send(&self, calls: &[Call], deadline: Timestamp) -> Vec<Reply> {
        debug_assert!(!calls.is_empty() && calls.len() <= self.spec.together_max());
        let mut replies = Vec::new();
        for round in 1..=SEND_ROUNDS_MAX {
            replies = self.send_once(calls).await;
            let Some(at) = all_wait_for_the_sink(&replies) else { break };
            let now = self.clock.now();
            // The wait doubles: others may be emptying the same bucket.
            let at = now.plus_ms(at.ms_since(now).saturating_mul(1 << (round - 1)));
            let too_long = at.ms_since(now) > BUCKET_WAIT_MAX_MS || at > deadline;
            if round == SEND_ROUNDS_MAX || too_long {
                break;
            }
            self.quotas.close(&self.host, || self.bucket(), now, at);
            if self.admit("", deadline).await.is_err() {
                break;
            }
        }
        self.note(calls, &mut replies);
        replies
    }

    async fn send_once(&self, calls: &[Call]) -> Vec<Reply> {
        let single = if let [call] = calls { Some(call) } else { None };
        let request = match single {
            Some(call) => self.signed(call, self.request(call.http, &call.path, &call.body)),
            None => {
                let body = bitrix24::pack(calls.iter().map(|it| (it.path.as_str(), &it.body)));
                self.request(Http::Post, bitrix24::METHOD, &body)
            }
        };
        self.sent.fetch_add(1, Ordering::Relaxed);
        let answer = self.wire.call(request).await;
        let now = self.clock.now();
        let view = match answer {
            Ok(answer) => View::of(answer),
            Err(error) => return self.unanswered(&error, calls.len(), now),
        };
        self.unreachable.store(0, Ordering::Relaxed);
        let judged = judge(&self.spec, &self.host, &view, now);
        // A refusal or a full bucket is an answer, too: the host lives.
        self.note_host(matches!(judged.ruling, Ruling::Uncertain).then_some(&judged.reason), now);
        match (single, &judged.ruling) {
            (None, Ruling::Done(body)) => {
                let views = bitrix24::unpack(body, calls.len());
                views.into_iter().map(|it| Reply::Answered(self.judge_part(it, now))).collect()
            }
            _ => vec![Reply::Answered(judged); calls.len()],
        }
    }

    /// Judges a row of an answer as an answer of its own; `None`: the answer says nothing of it.
    pub(super) fn judge_row(&self, row: Option<Value>) -> Judged {
        let view = row.map(|row| View { status: None, headers: Vec::new(), body: Some(row) });
        self.judge_part(view, self.clock.now())
    }

    fn judge_part(&self, view: Option<View>, now: Timestamp) -> Judged {
        match view {
            Some(view) => judge(&self.spec, &self.host, &view, now),
            None => Judged { ruling: Ruling::Uncertain, reason: Message::new("sink-no-part").with("host", &self.host) },
        }
    }

    fn unanswered(&self, error: &CallError, count: usize, now: Timestamp) -> Vec<Reply> {
        let reason = error.message().clone();
        let reply = match error {
            CallError::Refused(_) => {
                let until = now.plus_ms(REJECTED_REST_MS);
                self.begin_rest(Rest { until, fault: Fault::Connection, reason: reason.clone() });
                Reply::Forbidden(reason)
            }
            CallError::Connect(_) => {
                self.rest_unreachable(reason.clone(), now);
                self.note_host(Some(&reason), now);
                Reply::NotSent(reason)
            }
            CallError::Sent(_) => {
                self.rest_unreachable(reason.clone(), now);
                self.note_host(Some(&reason), now);
                Reply::Answered(Judged { ruling: Ruling::Uncertain, reason })
            }
        };
        vec![reply; count]
    }

    /// The longer the sink is away, the longer it rests.
    fn rest_unreachable(&self, reason: Message, now: Timestamp) {
        let failures = self.unreachable.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let until = schedule(failures.min(UNREACHABLE_STEPS_MAX), now, Jitter::NONE);
        self.begin_rest(Rest { until, fault: Fault::Sink, reason });
    }

    fn begin_rest(&self, rest: Rest) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
    }

    /// Remembers what the answers say of quotas, budgets and the connection. A method whose time is
    /// spent rests until the instant that its answers told, where its refusal tells none.
    fn note(&self, calls: &[Call], replies: &mut [Reply]) {
        let now = self.clock.now();
        let rejects = |it: &Reply| matches!(it, Reply::Answered(Judged { ruling: Ruling::RejectConnection, .. }));
        let all_rejected = replies.iter().all(rejects) && !calls.iter().any(|call| call.is_apart);
        for (call, reply) in calls.iter().zip(replies) {
            let Reply::Answered(judged) = reply else { continue };
            match &mut judged.ruling {
                Ruling::Done(body) => self.note_spent(call, body),
                Ruling::Retry { at, scope: Scope::Sink } => {
                    self.quotas.close(&self.host, || self.bucket(), now, *at);
                    self.begin_rest(Rest { until: *at, fault: Fault::Sink, reason: judged.reason.clone() });
                }
                Ruling::Retry { at, scope: Scope::Method } => *at = self.close_method(&call.method, *at, now),
                Ruling::RejectConnection if all_rejected => {
                    let until = now.plus_ms(REJECTED_REST_MS);
                    self.begin_rest(Rest { until, fault: Fault::Connection, reason: judged.reason.clone() });
                }
                Ruling::RejectConnection
                | Ruling::Retry { scope: Scope::Object, .. }
                | Ruling::Uncertain
                | Ruling::Gone
                | Ruling::RejectMethod
                | Ruling::RejectObject => {}
            }
        }
    }

    fn note_spent(&self, call: &Call, body: &Value) {
        let Some(budget) = &self.spec.budget else { return };
        let text = |path: &crate::value::Path| path.first(body).and_then(|it| it.as_text());
        let spent = text(&budget.spent).and_then(seconds).unwrap_or(Timestamp::ZERO);
        let Some(resets_at) = text(&budget.reset_at).and_then(second_over) else { return };
        let share = match self.lane {
            Lane::Upper => 1_000,
            Lane::Lower => LOWER_BUDGET_THOUSANDTHS,
        };
        let is_spent = spent >= Timestamp(i64::from(budget.limit_s_at(&self.host)) * share);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let time = times.entry(call.method.clone()).or_default();
        time.resets_at = resets_at;
        if is_spent {
            time.spent_until = resets_at;
        }
    }

    /// The method was refused for its time; until when it rests. A command that is refused within
    /// a batch does not say when time comes back, those before it did.
    fn close_method(&self, method: &str, until: Timestamp, now: Timestamp) -> Timestamp {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let time = times.entry(method.to_owned()).or_default();
        time.spent_until = if time.resets_at > now { until.min(time.resets_at) } else { until };
        time.spent_until
    }

    fn request(&self, http: Http, path: &str, body: &Json) -> Request {
        let mut address = match path.is_empty() {
            true => self.address.expose().to_owned(),
            false => format!("{}/{}", self.address.expose().trim_end_matches('/'), path),
        };
        let mut params = Vec::new();
        params.extend(self.query.iter().map(|(name, secret)| format!("{name}={}", form::escaped(secret.expose()))));
        let (method, content_type, body) = match (http, self.spec.body) {
            (Http::Get, _) => {
                params.push(form::encode(body));
                (Method::Get, "", Vec::new())
            }
            (Http::Post, style) => (Method::Post, content_type(style), bytes(style, body)),
            (Http::Put, style) => (Method::Put, content_type(style), bytes(style, body)),
            (Http::Patch, style) => (Method::Patch, content_type(style), bytes(style, body)),
        };
        params.retain(|it| !it.is_empty());
        if !params.is_empty() {
            address.push('?');
            address.push_str(&params.join("&"));
        }
        Request { method, address: Secret::new(address), headers: self.headers.clone(), content_type, body }
    }

    /// The request with its signature, where messages are signed.
    fn signed(&self, call: &Call, mut request: Request) -> Request {
        if self.signing.is_empty() {
            return request;
        }
        let id = call.message.clone().unwrap_or_else(|| format!("msg_{}", Fingerprint::of(&request.body)));
        let at_s = self.clock.now().seconds();
        let signature = signature::sign_standard(&self.signing, &id, at_s, &request.body);
        let headers = [("webhook-id", id), ("webhook-timestamp", at_s.to_string()), ("webhook-signature", signature)];
        request.headers.extend(headers.map(|(name, value)| (name.into(), Secret::new(value))));
        request
    }

    fn bucket(&self) -> Limiter {
        let quota = self.spec.quota;
        Limiter::new(quota.requests, quota.per_ms, quota.burst)
    }

    async fn sleep_until(&self, until: Timestamp) {
        let ms = until.ms_since(self.clock.now()).max(1);
        tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
    }
}

/// Name under which a secret's previous value stands among the secrets of a connection.
pub fn previous_of(setting: &str) -> String {
    format!("{setting} before")
}

/// When every reply says that the whole sink must wait: the latest instant.
fn all_wait_for_the_sink(replies: &[Reply]) -> Option<Timestamp> {
    let at = |reply: &Reply| match reply {
        Reply::Answered(Judged { ruling: Ruling::Retry { at, scope: Scope::Sink }, .. }) => Some(*at),
        Reply::Answered(_) | Reply::NotSent(_) | Reply::Forbidden(_) => None,
    };
    let instants: Option<Vec<Timestamp>> = replies.iter().map(at).collect();
    instants?.into_iter().max()
}

fn content_type(style: BodyStyle) -> &'static str {
    match style {
        BodyStyle::Json => "application/json",
        BodyStyle::Form => "application/x-www-form-urlencoded",
    }
}

fn bytes(style: BodyStyle, body: &Json) -> Vec<u8> {
    match style {
        BodyStyle::Json => if body.is_null() { json!({}) } else { body.clone() }.to_string().into_bytes(),
        BodyStyle::Form => form::encode(body).into_bytes(),
    }
}
