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

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use compact_str::CompactString;
use serde_json::{Value as Json, json};

use crate::base::checksum::Fingerprint;
use crate::base::limits::{
    POLL_NOT_OFFERED_REST_MS, POLL_PAGES_MAX, POLL_REFUSED_REST_MS, POLL_REST_MS, PUSH_DEADLINE_MS,
};
use crate::base::{Clock, Message, Slug, Timestamp};
use crate::connector::{Connector, EachSpec, GetSpec, PollSpec, RequestSpec, Scope, Slot};
use crate::entry::{LOST_WORD, foreign_instant};
use crate::net::{Quotas, Wire};
use crate::sink::{Call, Caller, Judged, Lane, NotBefore, Reply, Ruling, Settings, SinkError};
use crate::value::{Path, Value};

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

    /// A word of a dictionary that is no longer there.
    pub fn lost(dictionary: &CompactString, key: &CompactString) -> Row {
        let text = |text: &CompactString| Value::Text(text.clone());
        let members = LOST_WORD.into_iter().map(CompactString::const_new).zip([dictionary, key].map(text));
        let value = Value::Map(members.collect());
        Row { id: key.clone(), time: CompactString::default(), fingerprint: Fingerprint::default(), value }
    }
}

/// Rows of owners, as far as they were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OwnersRows {
    /// The rows of the first `owners` of the owners.
    pub rows: Vec<Row>,
    /// Owners all of whose rows were read.
    pub owners: usize,
    /// Why those behind them were not.
    pub pause: Option<Pause>,
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
    /// What kind of hindrance it is.
    pub cause: Cause,
    /// Why, and the next step.
    pub reason: Message,
}

/// What hinders reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Something is wrong.
    Trouble,
    /// What the system allows in its time is used up: nothing is wrong, it is waited for.
    Quota,
    /// The system does not offer this at all.
    NotOffered,
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
        let mut newest = Newest::default();
        for request in &poll.newest {
            let body = self.one_answer(call(request, "", "", 0, poll)).await?;
            let first = listed(poll).first(&body).map(Value::items).unwrap_or_default().first();
            newest.total = total_of(poll, &body);
            let time = first.and_then(|row| listed_row(poll, row)).map(|row| row.time).unwrap_or_default();
            if foreign_instant(&time) > foreign_instant(&newest.time) {
                newest.time = time;
            }
        }
        Ok(newest)
    }

    /// How many rows each of these streams has, where the foreign system says so. The questions travel
    /// together.
    pub async fn totals(&self, polls: &[&PollSpec]) -> Result<Vec<Option<u64>>, Pause> {
        let is_counted = |poll: &&PollSpec| poll.total.is_some() && !poll.newest.is_empty();
        let counted: Vec<&PollSpec> = polls.iter().copied().filter(is_counted).collect();
        let mut found = HashMap::new();
        for polls in counted.chunks(self.caller.together_max().max(1)) {
            let calls = polls.iter().filter_map(|poll| Some(call(poll.newest.first()?, "", "", 0, poll)));
            let calls: Vec<Call> = calls.collect();
            for (poll, reply) in polls.iter().zip(self.ask(&calls).await?) {
                // A stream that cannot be counted is read all the same.
                let total = self.body(reply).ok().and_then(|body| total_of(poll, &body));
                found.extend(total.map(|total| (poll.stream.clone(), total)));
            }
        }
        Ok(polls.iter().map(|poll| found.get(&poll.stream).copied()).collect())
    }

    /// Rows that `request` (one of those that follow) finds changed since `time`, but for the first
    /// `start` of them; of a stream that is asked for owner by owner, the owners.
    pub async fn changed(&self, poll: &PollSpec, request: &RequestSpec, time: &str, start: u64) -> Result<Page, Pause> {
        let body = self.one_answer(call(request, time, "", start, poll)).await?;
        Ok(page(poll, &body))
    }

    /// Owners whose rows one request asks for.
    pub fn owners_together(&self, poll: &PollSpec, each: &EachSpec) -> usize {
        owners_in_a_call(poll, each) * self.together_max().max(1)
    }

    /// The rows of these owners.
    pub async fn rows_of(&self, poll: &PollSpec, each: &EachSpec, owners: &[Row]) -> Result<Vec<Row>, Pause> {
        let read = self.rows_as_far(poll, each, owners).await;
        read.pause.map_or(Ok(read.rows), Err)
    }

    /// The rows of these owners, as far as they can be read: what came before a failure is good.
    pub async fn rows_as_far(&self, poll: &PollSpec, each: &EachSpec, owners: &[Row]) -> OwnersRows {
        let in_a_call = owners_in_a_call(poll, each);
        let groups: Vec<Vec<CompactString>> =
            owners.chunks(in_a_call).map(|owners| owners.iter().map(|row| row.id.clone()).collect()).collect();
        // Groups of owners, each with the rows of it that were read.
        let mut waiting: VecDeque<(usize, u64)> = (0..groups.len()).map(|group| (group, 0)).collect();
        let mut found: HashMap<CompactString, Vec<Value>> = HashMap::new();
        let mut rows_alone = Vec::new();
        let mut pause = None;
        // Bound: each round asks for a page of as many owners as travel together.
        let mut rounds = waiting.len() + POLL_PAGES_MAX as usize;
        while !waiting.is_empty() && pause.is_none() {
            if rounds == 0 {
                pause = Some(self.pause(POLL_REST_MS, Message::new("poll-many-rows").with("stream", &poll.stream)));
                break;
            }
            rounds -= 1;
            let asked: Vec<_> = waiting.drain(..waiting.len().min(self.caller.together_max())).collect();
            let calls: Vec<Call> =
                asked.iter().map(|(group, start)| each_call(each, &groups[*group], *start, poll)).collect();
            let replies = match self.ask(&calls).await {
                Ok(replies) => replies,
                Err(refusal) => {
                    waiting.extend(asked);
                    pause = Some(refusal);
                    break;
                }
            };
            for ((group, start), reply) in asked.into_iter().zip(replies) {
                let body = match self.body(reply) {
                    Ok(body) => body,
                    Err(refusal) => {
                        waiting.push_back((group, start));
                        pause.get_or_insert(refusal);
                        continue;
                    }
                };
                let rows = poll.rows.first(&body).map(Value::items).unwrap_or_default();
                for row in rows {
                    let owner = match (&each.into, &each.of) {
                        (None, _) => {
                            rows_alone.extend(row_of(poll, row).map(|row| (group, row)));
                            continue;
                        }
                        (Some(_), Some(of)) => of.first(row).and_then(Value::as_text).map(CompactString::new),
                        (Some(_), None) => groups[group].first().cloned(),
                    };
                    if let Some(owner) = owner {
                        found.entry(owner).or_default().push(row.clone());
                    }
                }
                if !rows.is_empty() && has_more(poll, &body, rows.len()) {
                    waiting.push_back((group, start + rows.len() as u64));
                }
            }
        }
        // What still waits was not read to its end.
        let whole = waiting.iter().map(|(group, _)| *group).min().unwrap_or(groups.len());
        let owners = &owners[..(whole * in_a_call).min(owners.len())];
        let rows = match &each.into {
            None => rows_alone.into_iter().filter(|(group, _)| *group < whole).map(|(_, row)| row).collect(),
            Some(member) => {
                let rows = owners.iter().map(|owner| (owner, found.remove(&owner.id).unwrap_or_default()));
                rows.filter_map(|(owner, rows)| gathered(poll, member, owner, rows)).collect()
            }
        };
        OwnersRows { rows, owners: owners.len(), pause }
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
            let Some(before) = self.caller.row_before(calls.len(), listed(poll), place, listed_id(poll)) else {
                break;
            };
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

    pub(super) async fn one_answer(&self, call: Call) -> Result<Value, Pause> {
        match self.ask(&[call]).await?.pop() {
            Some(reply) => self.body(reply),
            None => Err(self.pause(POLL_REST_MS, Message::new("poll-no-answer"))),
        }
    }

    pub(super) async fn ask(&self, calls: &[Call]) -> Result<Vec<Reply>, Pause> {
        self.caller.wake();
        let deadline = self.clock.now().plus_ms(PUSH_DEADLINE_MS);
        if let Err(rest) = self.caller.knock(deadline).await {
            return Err(Pause { until: rest.until, reason: rest.reason, cause: Cause::Trouble });
        }
        let method = calls.first().map(|call| call.method.clone()).unwrap_or_default();
        // A method whose time is spent keeps no other stream waiting.
        let admitted = match self.caller.spent_until(&method) {
            Some(until) => Err(NotBefore(until)),
            None => self.caller.admit(&method, deadline).await,
        };
        if let Err(NotBefore(until)) = admitted {
            let reason = Message::new("sink-busy").with("host", self.caller.host());
            return Err(Pause { until, cause: Cause::Quota, reason });
        }
        Ok(self.caller.send(calls, deadline).await)
    }

    pub(super) fn body(&self, reply: Reply) -> Result<Value, Pause> {
        let judged = match reply {
            Reply::Answered(judged) => judged,
            Reply::Forbidden(reason) => return Err(self.pause(POLL_REFUSED_REST_MS, reason)),
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
            Ruling::Retry { at, scope } => {
                let cause = match scope {
                    Scope::Method => Cause::Quota,
                    Scope::Sink | Scope::Object => Cause::Trouble,
                };
                Err(Pause { until: at, cause, reason })
            }
            Ruling::Uncertain => Err(self.pause(POLL_REST_MS, reason)),
            Ruling::RejectMethod => {
                let pause = self.pause(POLL_NOT_OFFERED_REST_MS, reason);
                Err(Pause { cause: Cause::NotOffered, ..pause })
            }
            Ruling::RejectObject | Ruling::RejectConnection => Err(self.pause(POLL_REFUSED_REST_MS, reason)),
        }
    }

    pub(super) fn pause(&self, ms: i64, reason: Message) -> Pause {
        Pause { until: self.clock.now().plus_ms(ms), cause: Cause::Trouble, reason }
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
        | Slot::Ids
        | Slot::Origin
        | Slot::Values
        | Slot::Rows
        | Slot::Name
        | Slot::Address
        | Slot::BareName
        | Slot::Type
        | Slot::LabelRu
        | Slot::LabelEn => Json::Null,
    })
}

fn each_call(each: &EachSpec, ids: &[CompactString], start: u64, poll: &PollSpec) -> Call {
    Call::new(&each.request, &|slot| match slot {
        Slot::Id => json!(ids.first()),
        Slot::Ids => json!(ids),
        Slot::Start => json!(start),
        Slot::Page => json!(start / u64::from(poll.page_rows.max(1)) + 1),
        Slot::Fields
        | Slot::Field(_)
        | Slot::All
        | Slot::Origin
        | Slot::Values
        | Slot::Rows
        | Slot::Time
        | Slot::Name
        | Slot::Address
        | Slot::BareName
        | Slot::Type
        | Slot::LabelRu
        | Slot::LabelEn => Json::Null,
    })
}

/// Owners of whose rows one call asks.
fn owners_in_a_call(poll: &PollSpec, each: &EachSpec) -> usize {
    if each.of.is_some() { poll.page_rows.max(1) as usize } else { 1 }
}

fn total_of(poll: &PollSpec, body: &Value) -> Option<u64> {
    poll.total.as_ref()?.first(body)?.as_text()?.parse().ok()
}

/// Where the rows stand in an answer that lists: those of the stream, or the owners.
fn listed(poll: &PollSpec) -> &Path {
    poll.each.as_ref().map_or(&poll.rows, |each| &each.owners)
}

fn listed_id(poll: &PollSpec) -> &Path {
    poll.each.as_ref().map_or(&poll.id, |each| &each.owner_id)
}

fn listed_row(poll: &PollSpec, value: &Value) -> Option<Row> {
    let Some(each) = &poll.each else { return row_of(poll, value) };
    let text = |path: &Path| path.first(value).and_then(Value::as_text).map(str::trim).filter(|it| !it.is_empty());
    let (id, time) = (text(&each.owner_id)?.into(), text(&each.owner_time).unwrap_or_default().into());
    Some(Row { id, time, fingerprint: Fingerprint::default(), value: value.clone() })
}

/// The rows of an answer that lists, and whether it says that there is more.
fn page(poll: &PollSpec, body: &Value) -> Page {
    let items = listed(poll).first(body).map(Value::items).unwrap_or_default();
    let rows: Vec<Row> = items.iter().filter_map(|item| listed_row(poll, item)).collect();
    let more = has_more(poll, body, items.len());
    Page { nameless: (items.len() - rows.len()) as u64, rows, more }
}

fn has_more(poll: &PollSpec, body: &Value, items: usize) -> bool {
    match &poll.next {
        Some(path) => path.first(body).is_some_and(|next| !next.is_blank()),
        None => items >= poll.page_rows as usize,
    }
}

/// The row of an owner that holds its rows in a member.
fn gathered(poll: &PollSpec, member: &CompactString, owner: &Row, rows: Vec<Value>) -> Option<Row> {
    let Value::Map(members) = &owner.value else { return None };
    let mut members = members.clone();
    members.push((member.clone(), Value::List(rows)));
    row_of(poll, &Value::Map(members))
}

fn row_of(poll: &PollSpec, value: &Value) -> Option<Row> {
    let id = poll.id_of(value)?;
    let (time, fingerprint) = (poll.time_of(value), poll.fingerprint_of(value));
    Some(Row { id, time, fingerprint, value: value.clone() })
}
