//! The asking half of a REST system: what changed there, what is there, what is no longer there.
//!
//! A [`Poller`] fills in the requests of the manifest ([`PollSpec`]), sends them by the caller that
//! the sink has (same address, rights, rules and rests; one bucket per host, in its lower lane),
//! and hands out rows with their ids, times and fingerprints. It names no foreign system.
//!
//! Guaranteed: an answer that the rules of the manifest do not call done gives no rows but a
//! [`Pause`]; a row without an id is counted, not lost in silence; our clock is never compared with
//! theirs.
//! Not here: when to look and where to go on (`task::poll`), what rows mean (`mapping`).

use std::sync::Arc;

use compact_str::CompactString;
use serde_json::{Value as Json, json};

use crate::base::checksum::Fingerprint;
use crate::base::limits::{POLL_REFUSED_REST_MS, POLL_REST_MS, PUSH_DEADLINE_MS};
use crate::base::{Clock, Message, Slug, Timestamp};
use crate::connector::{Connector, GetSpec, PollSpec, RequestSpec, Slot};
use crate::net::{Quotas, Wire};
use crate::sink::{Call, Caller, Judged, Lane, NotBefore, Reply, Ruling, Settings, SinkError};
use crate::value::Value;

/// A row as the foreign system gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id there.
    pub id: CompactString,
    /// Time of its newest change, as written there.
    pub time: CompactString,
    /// Names what it says, but for what is volatile.
    pub fingerprint: Fingerprint,
    /// All of it.
    pub value: Value,
}

impl Row {
    /// The id alone, of a row that is no longer there.
    pub fn gone(id: CompactString) -> Row {
        let value = Value::Text(id.clone());
        Row { id, time: CompactString::default(), fingerprint: Fingerprint::default(), value }
    }
}

/// Rows of one or several pages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The rows, in the order of the answer.
    pub rows: Vec<Row>,
    /// Whether there is more behind them.
    pub more: bool,
    /// Rows without an id.
    pub nameless: u64,
}

/// Nothing can be read before an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Not before.
    pub until: Timestamp,
    /// Why, and the next step.
    pub reason: Message,
}

/// What the newest row says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Newest {
    /// Time of the newest change there; empty when there are no rows.
    pub time: CompactString,
    /// Rows there are, when the foreign system says so.
    pub total: Option<u64>,
}

/// Asks one connection.
pub struct Poller {
    name: Slug,
    connector: Arc<Connector>,
    caller: Caller,
    clock: Arc<dyn Clock>,
}

impl Poller {
    /// Of the connection `name`; `None` when its connector is not asked but calls us.
    pub fn new(
        name: Slug,
        connector: Arc<Connector>,
        settings: &Settings,
        wire: Arc<dyn Wire>,
        quotas: Arc<Quotas>,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Poller>, SinkError> {
        let Some(spec) = connector.sink.clone().filter(|_| !connector.polls.is_empty()) else { return Ok(None) };
        let caller = Caller::new(Arc::new(spec), settings, wire, quotas, Arc::clone(&clock), Lane::Lower)?;
        Ok(Some(Poller { name, connector, caller, clock }))
    }

    /// Its connection.
    pub fn name(&self) -> &Slug {
        &self.name
    }

    /// Its connector.
    pub fn connector(&self) -> &Arc<Connector> {
        &self.connector
    }

    /// Ids that one request asks for by `get`.
    pub fn together_max(&self) -> usize {
        self.caller.together_max()
    }

    /// Requests sent since the last question.
    pub fn take_sent(&self) -> u32 {
        self.caller.take_sent()
    }

    /// The time of the newest change there.
    pub async fn newest(&self, poll: &PollSpec) -> Result<Newest, Pause> {
        let Some(request) = &poll.newest else { return Ok(Newest::default()) };
        let body = self.one_answer(call(request, "", "", 0, poll)).await?;
        let first = poll.rows.first(&body).map(Value::items).unwrap_or_default().first().cloned();
        let total = poll.total.as_ref().and_then(|path| path.first(&body)?.as_text()?.parse().ok());
        Ok(Newest { time: first.map(|row| poll.time_of(&row)).unwrap_or_default(), total })
    }

    /// Rows changed since `time`, but for the first `start` of them.
    pub async fn changed(&self, poll: &PollSpec, time: &str, start: u64) -> Result<Page, Pause> {
        let Some(request) = &poll.follow else { return Ok(Page::default()) };
        let body = self.one_answer(call(request, time, "", start, poll)).await?;
        Ok(page(poll, &body))
    }

    /// All rows, but for the first `start`.
    pub async fn whole(&self, poll: &PollSpec, start: u64) -> Result<Page, Pause> {
        let Some(request) = &poll.whole else { return Ok(Page::default()) };
        let body = self.one_answer(call(request, "", "", start, poll)).await?;
        Ok(page(poll, &body))
    }

    /// Rows behind the id `after`, in the order of ids: as many pages as travel together.
    pub async fn behind(&self, poll: &PollSpec, request: &RequestSpec, after: &str) -> Result<Page, Pause> {
        let after = if after.is_empty() { "0" } else { after };
        let mut calls = vec![call(request, "", after, 0, poll)];
        while calls.len() < self.caller.together_max() {
            // Each page begins behind the last row of the page before.
            let place = poll.page_rows - 1;
            let Some(before) = self.caller.row_before(calls.len(), &poll.rows, place, &poll.id) else { break };
            calls.push(call(request, "", &before, 0, poll));
        }
        let mut all = Page { more: true, ..Page::default() };
        let mut failed = None;
        for reply in self.ask(&calls).await? {
            match self.body(reply) {
                Ok(body) => {
                    let page = page(poll, &body);
                    // What is behind a short page was asked for with an empty id: it says nothing.
                    let is_last = page.rows.len() + (page.nameless as usize) < poll.page_rows as usize;
                    all.rows.extend(page.rows);
                    all.nameless += page.nameless;
                    if is_last {
                        all.more = false;
                        break;
                    }
                }
                Err(pause) => {
                    failed = Some(pause);
                    break;
                }
            }
        }
        match failed {
            // What came before the failure is good; the rest is asked for again from there.
            Some(pause) if all.rows.is_empty() => Err(pause),
            Some(_) | None => Ok(all),
        }
    }

    /// The rows of these ids; `None` for those that are no longer there.
    pub async fn get(
        &self,
        poll: &PollSpec,
        get: &GetSpec,
        ids: &[CompactString],
    ) -> Result<Vec<(CompactString, Option<Row>)>, Pause> {
        let mut found = Vec::with_capacity(ids.len());
        for ids in ids.chunks(self.caller.together_max()) {
            let calls: Vec<Call> = ids.iter().map(|id| call(&get.request, "", id, 0, poll)).collect();
            for (id, reply) in ids.iter().zip(self.ask(&calls).await?) {
                if let Reply::Answered(Judged { ruling: Ruling::Gone, .. }) = reply {
                    found.push((id.clone(), None));
                    continue;
                }
                let body = self.body(reply)?;
                // An answer that is not about this id says nothing of it.
                let row = get.record.first(&body).and_then(|row| row_of(poll, row)).filter(|row| row.id == *id);
                found.extend(row.map(|row| (id.clone(), Some(row))));
            }
        }
        Ok(found)
    }

    async fn one_answer(&self, call: Call) -> Result<Value, Pause> {
        match self.ask(&[call]).await?.pop() {
            Some(reply) => self.body(reply),
            None => Err(self.pause(POLL_REST_MS, Message::new("poll-no-answer"))),
        }
    }

    async fn ask(&self, calls: &[Call]) -> Result<Vec<Reply>, Pause> {
        self.caller.wake();
        let deadline = self.clock.now().plus_ms(PUSH_DEADLINE_MS);
        let method = calls.first().map(|call| call.method.clone()).unwrap_or_default();
        if let Err(NotBefore(until)) = self.caller.admit(&method, deadline).await {
            let reason = Message::new("sink-busy").with("host", self.caller.host());
            return Err(Pause { until, reason });
        }
        Ok(self.caller.send(calls, deadline).await)
    }

    fn body(&self, reply: Reply) -> Result<Value, Pause> {
        let judged = match reply {
            Reply::Answered(judged) => judged,
            Reply::NotSent(reason) => {
                let until = self.caller.rest().map(|rest| rest.until);
                let pause = self.pause(POLL_REST_MS, reason);
                return Err(Pause { until: until.unwrap_or(pause.until), ..pause });
            }
        };
        let Judged { ruling, reason } = judged;
        match ruling {
            Ruling::Done(body) => Ok(body),
            // Some systems say 404 for an empty list.
            Ruling::Gone => Ok(Value::Null),
            Ruling::Retry { at, .. } => Err(Pause { until: at, reason }),
            Ruling::Uncertain => Err(self.pause(POLL_REST_MS, reason)),
            Ruling::RejectObject | Ruling::RejectConnection => Err(self.pause(POLL_REFUSED_REST_MS, reason)),
        }
    }

    fn pause(&self, ms: i64, reason: Message) -> Pause {
        Pause { until: self.clock.now().plus_ms(ms), reason }
    }
}

fn call(request: &RequestSpec, time: &str, id: &str, start: u64, poll: &PollSpec) -> Call {
    Call::new(request, &|slot| match slot {
        Slot::Time => match time.parse::<i64>() {
            Ok(seconds) => json!(seconds),
            Err(_) => json!(time),
        },
        Slot::Id => json!(id),
        Slot::Start => json!(start),
        Slot::Page => json!(start / u64::from(poll.page_rows.max(1)) + 1),
        Slot::Fields
        | Slot::All
        | Slot::Field(_)
        | Slot::Origin
        | Slot::Values
        | Slot::Name
        | Slot::BareName
        | Slot::Type
        | Slot::LabelRu
        | Slot::LabelEn => Json::Null,
    })
}

/// The rows of an answer, and whether it says that there is more.
fn page(poll: &PollSpec, body: &Value) -> Page {
    let items = poll.rows.first(body).map(Value::items).unwrap_or_default();
    let rows: Vec<Row> = items.iter().filter_map(|item| row_of(poll, item)).collect();
    let more = match &poll.next {
        Some(path) => path.first(body).is_some_and(|next| !next.is_blank()),
        None => items.len() >= poll.page_rows as usize,
    };
    Page { nameless: (items.len() - rows.len()) as u64, rows, more }
}

fn row_of(poll: &PollSpec, value: &Value) -> Option<Row> {
    let id = poll.id_of(value)?;
    let (time, fingerprint) = (poll.time_of(value), poll.fingerprint_of(value));
    Some(Row { id, time, fingerprint, value: value.clone() })
}
