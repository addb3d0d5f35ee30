//! One object on its way through a push: what is to be asked next, and what an answer means for
//! it. Pure: requests go out and replies come in through [`push`](super::push).

use std::collections::BTreeMap;

use compact_str::CompactString;
use serde_json::{Map, Value as Json, json};

use super::caller::{Call, Reply};
use super::fields::{Fields, against_record};
use super::judge::{Judged, Ruling};
use super::{Certainty, Work};
use crate::base::{Message, Position, Timestamp};
use crate::connector::{Create, FindBy, FindSpec, FinishSpec, ObjectSpec, Scope, Slot};
use crate::entry::{Operation, Verdict};
use crate::model::Confirmed;
use crate::outbox;
use crate::value::{Path, Value};

/// Pages of one step of looking. At the bound the object counts as not found; an uncertain one
/// goes to a person.
const FIND_PAGES_MAX: u32 = 20;

/// What is next for an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stage {
    /// Look for it by this step of the manifest, from this row on.
    Find { step: usize, start: u64, page: u32 },
    /// Read it before it is changed.
    Get { id: CompactString, linked: bool },
    /// Make it.
    Create,
    /// Make it, together with others, without starting anything there.
    Import,
    /// Change it.
    Update { id: CompactString, fields: Fields, linked: bool },
    /// Nothing.
    Ended(End),
}

/// What became of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    /// The sink knows it.
    Done { operation: Operation, id: CompactString, sent: Vec<(CompactString, String)>, how: How },
    /// It does not.
    Failed { operation: Operation, verdict: Verdict, reason: Message },
    /// It was looked for, is not there, and need not be made.
    Absent,
    /// The sink refused the request as a whole: surely not made, and nothing is wrong with it.
    Refused(Message),
    /// It was not tried.
    Untouched { until: Option<Timestamp> },
}

/// How the sink came to know an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Created,
    Linked,
    Updated,
    Unchanged,
}

pub(super) struct Item<'a> {
    pub work: Work,
    pub spec: &'a ObjectSpec,
    pub stage: Stage,
    /// What people should know.
    pub note: Option<Message>,
    /// The journal entry before the create.
    pub attempting: Option<Position>,
    /// Looking ended at its bound: the object may be behind it.
    cut: bool,
}

impl<'a> Item<'a> {
    pub(super) fn new(mut work: Work, spec: &'a ObjectSpec) -> Item<'a> {
        marked(spec, &mut work);
        // Known under another kind (a person who turned out to be a company): unknown under this.
        work.confirmed.take_if(|it| *it.foreign_kind != *spec.kind);
        let mut item = Item { work, spec, stage: Stage::Create, note: None, attempting: None, cut: false };
        item.stage = item.first();
        item
    }

    fn first(&self) -> Stage {
        let Some(confirmed) = &self.work.confirmed else { return self.find_from(0) };
        let id = confirmed.foreign_id.clone();
        // Linked by a plan: nothing is known of what it holds.
        if confirmed.version == Position::START && self.spec.get.is_some() {
            return Stage::Get { id, linked: true };
        }
        let fields = self.difference();
        if self.spec.update.is_none() || fields.is_empty() {
            return self.ended(Operation::Update, id, How::Unchanged);
        }
        let is_multi = |(name, _): &(CompactString, Json)| self.spec.multi.iter().any(|it| *it.name == **name);
        match fields.iter().any(is_multi) && self.spec.get.is_some() {
            true => Stage::Get { id, linked: false },
            false => Stage::Update { id, fields, linked: false },
        }
    }

    /// What differs from what the sink confirmed; for an object that was just found, everything
    /// that may be changed.
    fn difference(&self) -> Fields {
        let nothing = Confirmed {
            foreign_kind: CompactString::default(),
            foreign_id: CompactString::default(),
            version: Position::START,
            at: Timestamp::ZERO,
            sent: Vec::new(),
        };
        let confirmed = self.work.confirmed.as_ref().unwrap_or(&nothing);
        let mut differs = outbox::difference(&self.work.desired, Some(confirmed), &self.work.create_only);
        if let Some(finish) = self.finish_of(&differs) {
            differs.retain(|(name, _)| *name == *finish.field);
        }
        differs
    }

    /// The request that ends the object, when that is among what changes.
    fn finish_of(&self, fields: &Fields) -> Option<&'a FinishSpec> {
        let finish = self.spec.finish.as_ref()?;
        fields.iter().any(|(name, _)| *name == *finish.field).then_some(finish)
    }

    /// The first step from `step` on that has something to look for; else the create.
    fn find_from(&self, step: usize) -> Stage {
        let next = (step..self.spec.find.len()).find(|&it| !self.values(&self.spec.find[it]).is_empty());
        if let Some(step) = next {
            return Stage::Find { step, start: 0, page: 1 };
        }
        let unknowable = self.work.certainty == Certainty::Uncertain
            && match self.spec.create_kind {
                Create::Keyed => false,
                Create::Findable => self.cut,
                Create::Neither => true,
            };
        if unknowable {
            let reason = Message::new("sink-ask-person").with("kind", &self.spec.kind);
            return failed(Operation::Create, Verdict::AskPerson, reason);
        }
        if !self.work.make {
            return Stage::Ended(End::Absent);
        }
        if self.work.import && self.spec.import.is_some() { Stage::Import } else { Stage::Create }
    }

    fn values(&self, find: &FindSpec) -> Vec<CompactString> {
        values(&self.work, find)
    }

    /// See [`shared_keys`].
    pub(super) fn shared_keys(&self) -> Vec<(FindBy, CompactString)> {
        shared_keys(self.spec, &self.work)
    }

    /// The request of the present stage; `None` when there is none.
    pub(super) fn call(&self) -> Option<Call> {
        let work = &self.work;
        let fill = |id: &str, fields: &Fields, slot: &Slot| match slot {
            Slot::Fields => object(fields),
            Slot::All => object(&work.desired),
            Slot::Field(name) => field(&work.desired, name),
            Slot::Id => json!(id),
            Slot::Origin => json!(work.origin),
            Slot::Ids
            | Slot::Values
            | Slot::Rows
            | Slot::Start
            | Slot::Page
            | Slot::Time
            | Slot::Name
            | Slot::Address
            | Slot::BareName
            | Slot::Type
            | Slot::LabelRu
            | Slot::LabelEn => Json::Null,
        };
        let none = Fields::new();
        match &self.stage {
            Stage::Find { step, start, .. } => {
                let find = &self.spec.find[*step];
                Some(Call::new(&find.request, &|slot| match slot {
                    Slot::Values => json!(self.values(find)),
                    Slot::Start => json!(start),
                    other => fill("", &none, other),
                }))
            }
            Stage::Get { id, .. } => {
                let get = self.spec.get.as_ref()?;
                Some(Call::new(&get.request, &|slot| fill(id, &none, slot)))
            }
            Stage::Create => {
                Some(Call::new(&self.spec.create, &|slot| fill("", &work.desired, slot)).of(self.message()))
            }
            Stage::Update { id, fields, .. } => {
                let finish = self.finish_of(fields).map(|finish| &finish.request);
                let update = finish.or(self.spec.update.as_ref())?;
                Some(Call::new(update, &|slot| fill(id, fields, slot)).of(self.message()))
            }
            // Goes with others: see `import`.
            Stage::Import | Stage::Ended(_) => None,
        }
    }

    /// Names what is told: the same in each try, another one when the object has changed since.
    fn message(&self) -> String {
        format!("msg_{}_{}", self.work.origin, self.work.version)
    }

    /// Takes the reply to [`Item::call`].
    pub(super) fn take(&mut self, reply: Reply, now: Timestamp) {
        let stage = std::mem::replace(&mut self.stage, Stage::Create);
        self.stage = match (stage, reply) {
            (Stage::Ended(end), _) => Stage::Ended(end),
            (Stage::Create | Stage::Import, Reply::NotSent(reason)) => {
                failed(Operation::Create, Verdict::RetryAt(now), reason)
            }
            // What was announced is over, and it goes again as if it never was.
            (Stage::Create | Stage::Import, Reply::Forbidden(_)) => Stage::Ended(End::Absent),
            (
                Stage::Find { .. } | Stage::Get { .. } | Stage::Update { .. },
                Reply::NotSent(_) | Reply::Forbidden(_),
            ) => Stage::Ended(End::Untouched { until: None }),
            (Stage::Find { step, page, .. }, Reply::Answered(judged)) => self.after_find(step, page, judged, now),
            (Stage::Get { id, linked }, Reply::Answered(judged)) => self.after_get(id, linked, judged, now),
            (Stage::Create, Reply::Answered(judged)) => self.after_create(self.spec.id.as_ref(), judged, now),
            (Stage::Import, Reply::Answered(judged)) => match &self.spec.import {
                Some(import) => self.after_create(Some(&import.id), judged, now),
                None => Stage::Ended(End::Untouched { until: None }),
            },
            (Stage::Update { id, linked, .. }, Reply::Answered(judged)) => match judged.ruling {
                Ruling::Done(_) => {
                    let how = if linked { How::Linked } else { How::Updated };
                    self.ended(Operation::Update, id, how)
                }
                _ => failed_repeatable(Operation::Update, judged, now),
            },
        };
    }

    fn after_find(&mut self, step: usize, page: u32, judged: Judged, now: Timestamp) -> Stage {
        let body = match judged.ruling {
            Ruling::Done(body) => body,
            // Some systems say 404 for an empty list.
            Ruling::Gone => Value::Null,
            _ => return failed_repeatable(Operation::Find, judged, now),
        };
        let find = &self.spec.find[step];
        let ids = self.found(find, &body);
        if let Some(id) = ids.first() {
            if ids.len() > 1 {
                let note = Message::new("sink-found-several").with("count", ids.len());
                self.note = Some(note.with("kind", &self.spec.kind).with("id", id));
            }
            return self.linked(id.clone());
        }
        let next = find.next.as_ref().and_then(|path| path.first(&body)?.as_text()?.parse().ok());
        match next {
            Some(start) if page < FIND_PAGES_MAX => Stage::Find { step, start, page: page + 1 },
            Some(_) => {
                self.cut = true;
                self.find_from(step + 1)
            }
            None => self.find_from(step + 1),
        }
    }

    /// Ids in the answer, the smallest number first.
    pub(super) fn found(&self, find: &FindSpec, body: &Value) -> Vec<CompactString> {
        let rows = find.rows.first(body).map(Value::items).unwrap_or_default();
        let ours = |row: &&Value| match &find.only {
            Some(only) => {
                let text = only.contains_origin.first(row).and_then(Value::as_text);
                text.is_some_and(|it| has_mark(it, &self.work.origin))
            }
            None => true,
        };
        let id = |row: &Value| match &find.id {
            Some(path) => path.first(row).and_then(Value::as_text).map(CompactString::from),
            None => row.as_text().map(CompactString::from),
        };
        let mut ids: Vec<CompactString> = rows.iter().filter(ours).filter_map(id).filter(|it| !it.is_empty()).collect();
        ids.sort_by_key(|it| (it.parse::<u64>().unwrap_or(u64::MAX), it.clone()));
        ids.dedup();
        ids
    }

    fn linked(&self, id: CompactString) -> Stage {
        match (&self.spec.update, &self.spec.get) {
            (None, _) => self.ended(Operation::Find, id, How::Linked),
            (Some(_), Some(_)) => Stage::Get { id, linked: true },
            (Some(_), None) => Stage::Update { id, fields: self.difference(), linked: true },
        }
    }

    fn after_get(&self, id: CompactString, linked: bool, judged: Judged, now: Timestamp) -> Stage {
        let Some(get) = &self.spec.get else { return Stage::Ended(End::Untouched { until: None }) };
        let body = match judged.ruling {
            Ruling::Done(body) => body,
            _ => return failed_repeatable(Operation::Find, judged, now),
        };
        let record = get.record.first(&body).filter(|it| matches!(it, Value::Map(_)));
        let Some(record) = record else {
            let reason = Message::new("sink-no-record").with("kind", &self.spec.kind).with("id", &id);
            return failed(Operation::Find, Verdict::Gone, reason);
        };
        let fields = against_record(self.spec, self.difference(), self.work.confirmed.as_ref(), record);
        match (fields.is_empty(), linked) {
            (true, true) => self.ended(Operation::Find, id, How::Linked),
            (true, false) => self.ended(Operation::Update, id, How::Unchanged),
            (false, _) => Stage::Update { id, fields, linked },
        }
    }

    fn after_create(&self, id: Option<&Path>, judged: Judged, now: Timestamp) -> Stage {
        let Judged { ruling, reason } = judged;
        let body = match ruling {
            Ruling::Done(body) => body,
            Ruling::Retry { at, .. } => return failed(Operation::Create, Verdict::RetryAt(at), reason),
            // What a new object refers to is not there: its data are at fault.
            Ruling::Gone => {
                let reason = Message::new("sink-refers-gone").with("kind", &self.spec.kind);
                return failed(Operation::Create, Verdict::RejectObject, reason);
            }
            Ruling::RejectObject => return failed(Operation::Create, Verdict::RejectObject, reason),
            Ruling::RejectMethod | Ruling::RejectConnection => {
                return failed(Operation::Create, Verdict::RejectConnection, reason);
            }
            Ruling::Uncertain => return failed(Operation::Create, self.uncertain(now), reason),
        };
        let id = match id {
            Some(path) => path.first(&body).and_then(Value::as_text).filter(|it| !it.is_empty() && *it != "0"),
            None => Some(self.work.origin.as_str()),
        };
        match id {
            Some(id) => {
                let sent = sent(&self.work.desired);
                Stage::Ended(End::Done { operation: Operation::Create, id: id.into(), sent, how: How::Created })
            }
            None => {
                let reason = Message::new("sink-no-id").with("kind", &self.spec.kind);
                failed(Operation::Create, self.uncertain(now), reason)
            }
        }
    }

    /// What follows from a create that may have taken effect.
    pub(super) fn uncertain(&self, now: Timestamp) -> Verdict {
        match self.spec.create_kind {
            Create::Keyed => Verdict::RetryAt(now),
            Create::Findable => Verdict::Uncertain,
            Create::Neither => Verdict::AskPerson,
        }
    }

    /// The sink knows the object: what it holds by our requests is what it held and what was
    /// desired now, but for what is never changed.
    fn ended(&self, operation: Operation, id: CompactString, how: How) -> Stage {
        let before = self.work.confirmed.iter().flat_map(|it| it.sent.iter().cloned());
        let mut held: BTreeMap<CompactString, String> = before.collect();
        if self.spec.update.is_some() || how == How::Linked {
            held.extend(sent(&self.work.desired).into_iter().filter(|(it, _)| !self.work.create_only.contains(it)));
        }
        Stage::Ended(End::Done { operation, id, sent: held.into_iter().collect(), how })
    }
}

/// What a step of looking looks for.
fn values(work: &Work, find: &FindSpec) -> Vec<CompactString> {
    let search = &work.search;
    let values = match find.by {
        FindBy::Origin => std::slice::from_ref(&work.origin),
        FindBy::Phone => &search.phones,
        FindBy::Email => &search.emails,
        FindBy::Inn => &search.inns,
    };
    values.iter().filter(|it| !it.is_empty()).take(find.values_max).cloned().collect()
}

/// What two objects must not have in common when both are created: the second would be found by it
/// a moment later.
pub(super) fn shared_keys(spec: &ObjectSpec, work: &Work) -> Vec<(FindBy, CompactString)> {
    let by = spec.find.iter().filter(|it| it.by != FindBy::Origin);
    by.flat_map(|find| values(work, find).into_iter().map(|value| (find.by, value))).collect()
}

/// Adds the line with our id, by which the object can be found; once.
pub fn marked(spec: &ObjectSpec, work: &mut Work) {
    let Some(marker) = &spec.marker else { return };
    let line = mark_line(&work.origin);
    match work.desired.iter_mut().find(|(name, _)| *name == **marker) {
        Some((_, Json::String(text))) => {
            if !has_mark(text, &work.origin) {
                text.push('\n');
                text.push_str(&line);
            }
        }
        Some((_, other)) => *other = Json::String(line),
        None => work.desired.push((marker.into(), Json::String(line))),
    }
}

fn mark_line(origin: &str) -> String {
    format!("[uzel:{origin}]")
}

fn has_mark(text: &str, origin: &str) -> bool {
    text.contains(&mark_line(origin))
}

fn object(fields: &Fields) -> Json {
    Json::Object(fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect::<Map<_, _>>())
}

fn field(fields: &Fields, name: &str) -> Json {
    fields.iter().find(|(key, _)| key == name).map_or(Json::Null, |(_, value)| value.clone())
}

fn sent(fields: &Fields) -> Vec<(CompactString, String)> {
    fields.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
}

fn failed(operation: Operation, verdict: Verdict, reason: Message) -> Stage {
    Stage::Ended(End::Failed { operation, verdict, reason })
}

/// Of a request that can be repeated: an uncertain one simply is. When the whole sink or the
/// method waits, the object was not to blame: its attempts are not counted.
fn failed_repeatable(operation: Operation, judged: Judged, now: Timestamp) -> Stage {
    let Judged { ruling, reason } = judged;
    let verdict = match ruling {
        Ruling::Retry { at, scope: Scope::Sink | Scope::Method } => {
            return Stage::Ended(End::Untouched { until: Some(at) });
        }
        Ruling::Retry { at, scope: Scope::Object } => Verdict::RetryAt(at),
        Ruling::Done(_) | Ruling::Uncertain => Verdict::RetryAt(now),
        Ruling::Gone => Verdict::Gone,
        Ruling::RejectObject => Verdict::RejectObject,
        Ruling::RejectMethod | Ruling::RejectConnection => Verdict::RejectConnection,
    };
    failed(operation, verdict, reason)
}
