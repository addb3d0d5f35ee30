//! The running portal: the data behind a lock, with limits, faults and counts around each call.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value as Json, json};
use tokio::sync::{Notify, watch as signal};

use super::batch::run_batch;
use super::fault::{Draw, Fault, Faults};
use super::limit::{Operating, Usage};
use super::oauth::shown_pair;
use super::outgoing::Outgoing;
use super::person::PersonAct;
use super::portal::{Answer, Call, Portal, Refusal, only_reads, scope_of};
use super::watch::{Logged, Watch, shown_params, state};
use super::{Options, TwinError, load, params, save};
use crate::base::Timestamp;
use crate::value::Value;

/// A running portal.
pub(super) struct Shared {
    pub(super) options: Options,
    inner: Mutex<Inner>,
    /// How many times held answers were released.
    pub(super) released: signal::Sender<u64>,
    /// There are notices to send.
    pub(super) notices: Notify,
    /// Where the portal and its authorisation server listen, once they do.
    pub(super) addresses: OnceLock<(SocketAddr, SocketAddr)>,
    unsaved: AtomicBool,
}

/// What one request at a time may touch.
pub(super) struct Inner {
    pub(super) portal: Portal,
    pub(super) usage: Usage,
    pub(super) draw: Draw,
    pub(super) watch: Watch,
    pub(super) outgoing: Outgoing,
}

/// What the wire does with a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sent {
    /// The envelope of an answer.
    Worked(Worked),
    /// The envelope of a failure.
    Refused(Refusal),
    /// An HTML page with this status.
    Page(u16),
    /// Nothing: the connection is cut.
    Cut,
}

/// An answer and its `time`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Worked {
    pub(super) answer: Answer,
    pub(super) time: Json,
}

/// When the answer goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// At once.
    No,
    /// After so many milliseconds.
    Ms(u64),
    /// When it is released.
    Held,
}

/// What the authorisation server does.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenAnswer {
    /// Status and body.
    Said(u16, Json),
    /// An HTML page with this status.
    Page(u16),
    /// Nothing: the connection is cut.
    Cut,
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) user: u64,
    pub(super) by_application: bool,
}

/// A fault, taken apart.
struct Met {
    name: Option<&'static str>,
    refusal: Option<Refusal>,
    applied: bool,
    lost: Option<Sent>,
    late: Late,
    /// Applied only after the connection is gone.
    afterwards: Option<Late>,
    half: Option<Half>,
}

/// How many commands of a batch fail, and how many of those were applied, in thousandths.
#[derive(Debug, Clone, Copy)]
struct Half {
    failed: u32,
    applied: u32,
}

impl Met {
    fn of(fault: Option<Fault>) -> Met {
        let calm =
            Met { name: None, refusal: None, applied: true, lost: None, late: Late::No, afterwards: None, half: None };
        match fault {
            None | Some(Fault::Person { .. }) => calm,
            Some(Fault::ErrorPage { status, applied }) => {
                Met { name: Some("error_page"), lost: Some(Sent::Page(status)), applied, ..calm }
            }
            Some(Fault::LostRequest) => {
                Met { name: Some("lost_request"), lost: Some(Sent::Cut), applied: false, ..calm }
            }
            Some(Fault::LateApply { ms }) => {
                let afterwards = Some(ms.map_or(Late::Held, Late::Ms));
                Met { name: Some("late_apply"), lost: Some(Sent::Cut), applied: false, afterwards, ..calm }
            }
            Some(Fault::LostAnswer) => Met { name: Some("lost_answer"), lost: Some(Sent::Cut), ..calm },
            Some(Fault::Delayed { ms }) => Met { name: Some("delayed"), late: Late::Ms(ms), ..calm },
            Some(Fault::Held) => Met { name: Some("held"), late: Late::Held, ..calm },
            Some(Fault::HalfBatch { failed, applied }) => {
                Met { name: Some("half_batch"), half: Some(Half { failed, applied }), ..calm }
            }
            Some(Fault::Refused { code }) => {
                let (status, code, description) = code.parts();
                Met { name: Some("refused"), refusal: Some(Refusal::new(status, code, description)), ..calm }
            }
        }
    }
}

impl Shared {
    pub(super) fn open(options: Options) -> Result<Shared, TwinError> {
        let stored = options.state_file.as_deref().map(load).transpose()?.flatten();
        let inner = Inner {
            portal: stored.unwrap_or_else(|| options.portal.clone()),
            usage: Usage::default(),
            draw: Draw::new(options.faults.clone()),
            watch: Watch::default(),
            outgoing: Outgoing::default(),
        };
        let (released, _) = signal::channel(0);
        let (notices, addresses) = (Notify::new(), OnceLock::new());
        Ok(Shared { options, inner: Mutex::new(inner), released, notices, addresses, unsaved: AtomicBool::new(false) })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held would be a bug of the twin; its data is plain and whole
        // after every statement, so others may go on.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn webhook(&self, addr: SocketAddr) -> String {
        format!("http://{addr}/rest/{}/{}/", self.options.user_id, self.options.secret.expose())
    }

    /// `127.0.0.1:8691`, as notices and answers name the portal.
    pub(super) fn domain(&self) -> String {
        self.addresses.get().map_or_else(String::new, |(portal, _)| portal.to_string())
    }

    /// Tells others what happened.
    fn tell(&self, inner: &mut Inner) {
        if inner.portal.happened.is_empty() {
            return;
        }
        let notices = inner.portal.notices(&self.domain());
        if notices.is_empty() {
            return;
        }
        let faults = inner.draw.faults.notices;
        let (outgoing, draw) = (&mut inner.outgoing, &mut inner.draw);
        outgoing.take(notices, faults, || draw.thousandths());
        self.notices.notify_waiters();
        self.notices.notify_one();
    }

    pub(super) fn state(&self) -> Json {
        let inner = self.lock();
        state(&inner.portal, &inner.watch)
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        self.lock().draw = Draw::new(faults);
    }

    pub(super) fn release_held(&self) {
        self.released.send_modify(|times| *times += 1);
    }

    pub(super) fn reset(&self) {
        *self.lock() = Inner {
            portal: self.options.portal.clone(),
            usage: Usage::default(),
            draw: Draw::new(self.options.faults.clone()),
            watch: Watch::default(),
            outgoing: Outgoing::default(),
        };
        self.touch();
    }

    /// The data changed behind the methods' back, and is to be saved.
    pub(super) fn touch(&self) {
        self.unsaved.store(true, Ordering::Relaxed);
    }

    pub(super) fn person(&self, act: &PersonAct) {
        let now = self.options.clock.now();
        let mut inner = self.lock();
        inner.portal.act(act, now.seconds());
        self.tell(&mut inner);
        drop(inner);
        self.touch();
    }

    pub(super) fn call_inside(&self, method: &str, given: &Json) -> Result<Json, Refusal> {
        let given = params::from_json(given);
        let call = Call {
            params: &given,
            now_s: self.options.clock.now().seconds(),
            user: self.options.user_id,
            by_application: false,
        };
        let mut inner = self.lock();
        let answer = inner.portal.call(method, &call);
        self.tell(&mut inner);
        drop(inner);
        self.touch();
        answer.map(|it| it.result)
    }

    pub(super) fn save_if_changed(&self) -> Result<(), TwinError> {
        match &self.options.state_file {
            Some(path) if self.unsaved.swap(false, Ordering::Relaxed) => {
                let portal = self.lock().portal.clone();
                save(path, &portal).inspect_err(|_| self.touch())
            }
            Some(_) | None => Ok(()),
        }
    }

    /// One request of the webhook: person, fault, bucket, scope, operating time, the call.
    pub(super) fn answer(
        &self,
        source: IpAddr,
        caller: Caller,
        method: &str,
        given: &Value,
    ) -> (Sent, Late, Option<Late>) {
        let now = self.options.clock.now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        let (acts, fault) = inner.draw.next(method);
        for act in &acts {
            inner.portal.act(act, now.seconds());
        }
        let met = Met::of(fault);
        let worked = match (met.refusal, met.applied) {
            (Some(refusal), _) => Sent::Refused(refusal),
            (None, true) => self.work(inner, (source, caller), method, given, met.half, now),
            (None, false) => Sent::Cut,
        };
        let sent = met.lost.unwrap_or(worked);
        if !only_reads(method) || !acts.is_empty() {
            self.touch();
        }
        let (status, error) = match &sent {
            Sent::Worked(_) => (200, None),
            Sent::Refused(refusal) => (refusal.status, Some(refusal.code_text())),
            Sent::Page(status) => (*status, None),
            Sent::Cut => (0, None),
        };
        inner.watch.request(Logged {
            at_ms: now.0,
            source: source.to_string(),
            method: method.to_owned(),
            params: shown_params(given),
            status,
            error,
            fault: met.name.map(str::to_owned),
        });
        (sent, met.late, met.afterwards)
    }

    /// What the authorisation server answers. Faults are planned under the name `oauth.token`.
    pub(super) fn exchange(&self, asked: &BTreeMap<String, String>) -> (TokenAnswer, Late) {
        let now = self.options.clock.now();
        let mut guard = self.lock();
        let inner = &mut *guard;
        let (acts, fault) = inner.draw.next("oauth.token");
        for act in &acts {
            inner.portal.act(act, now.seconds());
        }
        let met = Met::of(fault);
        let said = match met.refusal {
            Some(refusal) => TokenAnswer::Said(
                refusal.status,
                json!({"error": refusal.code, "error_description": refusal.description}),
            ),
            None if met.applied => {
                let portal = &mut inner.portal;
                match portal.grants.exchange(portal.app.as_ref(), asked, now.seconds()) {
                    Ok(pair) => {
                        let endpoint = format!("http://{}/rest/", self.domain());
                        TokenAnswer::Said(200, shown_pair(pair, &self.options.scopes, &endpoint, now.seconds()))
                    }
                    Err((status, error, text)) => {
                        TokenAnswer::Said(status, json!({"error": error, "error_description": text}))
                    }
                }
            }
            None => TokenAnswer::Cut,
        };
        let sent = match met.lost {
            Some(Sent::Page(status)) => TokenAnswer::Page(status),
            Some(Sent::Worked(_) | Sent::Refused(_) | Sent::Cut) => TokenAnswer::Cut,
            None => said,
        };
        let (status, error) = match &sent {
            TokenAnswer::Said(status, said) => (*status, said["error"].as_str().map(str::to_owned)),
            TokenAnswer::Page(status) => (*status, None),
            TokenAnswer::Cut => (0, None),
        };
        let grant = asked.get("grant_type").cloned().unwrap_or_default();
        inner.watch.request(Logged {
            at_ms: now.0,
            source: String::new(),
            method: "oauth.token".to_owned(),
            params: json!({"grant_type": grant}).to_string(),
            status,
            error,
            fault: met.name.map(str::to_owned),
        });
        self.touch();
        (sent, met.late)
    }

    /// The request of a connection that is gone is done all the same.
    pub(super) fn apply_late(&self, source: IpAddr, caller: Caller, method: &str, given: &Value) {
        let now = self.options.clock.now();
        let mut guard = self.lock();
        // Its caller hears nothing of it.
        let _unheard = self.work(&mut guard, (source, caller), method, given, None, now);
        drop(guard);
        self.touch();
    }

    fn work(
        &self,
        inner: &mut Inner,
        (source, caller): (IpAddr, Caller),
        method: &str,
        given: &Value,
        half: Option<Half>,
        now: Timestamp,
    ) -> Sent {
        // An outer batch costs one unit of the bucket, its commands none.
        if !inner.usage.admit(self.options.limits.bucket, source, now) {
            return Sent::Refused(Refusal::new(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"));
        }
        let (answer, time) = match method.eq_ignore_ascii_case("batch") {
            true => {
                let answer = run_batch(given, |command, given| self.command(inner, caller, command, given, half, now));
                // The outer call has no operating time of its own.
                (Ok(answer), self.time(now, Operating { spent_ms: 0, reset_at_s: None }))
            }
            false => self.one(inner, caller, method, given, now),
        };
        self.tell(inner);
        match answer {
            Ok(answer) => Sent::Worked(Worked { answer, time }),
            Err(refusal) => Sent::Refused(refusal),
        }
    }

    /// A command of a batch, with the chance to fail half-way.
    fn command(
        &self,
        inner: &mut Inner,
        caller: Caller,
        method: &str,
        given: &Value,
        half: Option<Half>,
        now: Timestamp,
    ) -> (Result<Answer, Refusal>, Json) {
        let failing = half.filter(|half| inner.draw.thousandths() < half.failed);
        let applied = failing.is_none_or(|half| inner.draw.thousandths() < half.applied);
        let worked = applied.then(|| self.one(inner, caller, method, given, now));
        let (answer, time) = match (failing, worked) {
            (None, Some(worked)) => worked,
            (Some(_), _) | (None, None) => {
                (Err(Refusal::new(500, "INTERNAL_SERVER_ERROR", "Internal server error")), Json::Null)
            }
        };
        inner.watch.command(method, answer.as_ref().err().map(Refusal::code_text).as_deref());
        (answer, time)
    }

    /// One method: scope, operating time, the call.
    fn one(
        &self,
        inner: &mut Inner,
        caller: Caller,
        method: &str,
        given: &Value,
        now: Timestamp,
    ) -> (Result<Answer, Refusal>, Json) {
        let needed = scope_of(method);
        if !super::portal::is_open(method, needed, &self.options.scopes) {
            let text = "The request requires higher privileges than provided by the webhook token";
            return (Err(Refusal::new(403, "insufficient_scope", text)), Json::Null);
        }
        if let Some(refusal) = inner.portal.edition.refusal(method) {
            return (Err(refusal), Json::Null);
        }
        let limit = self.options.limits.operating.as_ref();
        let operating = match inner.usage.charge(limit, caller.user, method, now) {
            Ok(operating) => operating,
            Err(spent) => {
                let text = "Method is blocked due to operation time limit.";
                let refusal = Refusal::new(429, "OPERATION_TIME_LIMIT", text);
                return (Err(Refusal { time: Some(self.time(now, spent)), ..refusal }), Json::Null);
            }
        };
        let call =
            Call { params: given, now_s: now.seconds(), user: caller.user, by_application: caller.by_application };
        let answer = match method.to_ascii_lowercase().as_str() {
            "scope" => Ok(Answer::of(json!(self.options.scopes))),
            "method.get" => inner.portal.method_get(&call, &self.options.scopes),
            _ => inner.portal.call(method, &call),
        };
        if answer.is_ok() && !only_reads(method) {
            inner.watch.wrote(method, given);
        }
        let answer = answer.map(|answer| super::dictionary::seen_by(method, answer, &self.options.scopes));
        (answer, self.time(now, operating))
    }

    fn time(&self, now: Timestamp, operating: Operating) -> Json {
        let zone = self.options.portal.zone;
        let start = now.0 as f64 / 1000.0;
        let mut time = json!({
            "start": start,
            "finish": start,
            "duration": 0.0,
            "processing": 0.0,
            "date_start": zone.iso(now.seconds()),
            "date_finish": zone.iso(now.seconds()),
            "operating": operating.spent_ms as f64 / 1000.0,
        });
        if let Some(reset_at_s) = operating.reset_at_s {
            time["operating_reset_at"] = json!(reset_at_s);
        }
        time
    }
}
