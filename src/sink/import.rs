//! Imports: objects of history are made several at a time, and nothing starts there because of them.
//!
//! A create like any other: looked for first, announced in the journal before it is sent, looked for
//! again when its answer is lost. Rows of the answer stand in the order in which they were sent, and
//! each says its id or its error; an answer with another number of rows says nothing of any.
//! A refusal of the request as a whole (no such method, no right to import) is nobody's fault but the
//! method's: the objects wait as they are, a person is told, and everything else goes on.

use serde_json::Value as Json;

use super::bitrix24;
use super::caller::{Call, NotBefore, Reply};
use super::item::{End, Item, Stage};
use super::judge::{Judged, Ruling};
use super::push::{Push, untouched};
use crate::base::Message;
use crate::connector::{ImportSpec, Naming, Slot};
use crate::value::Value;

/// The objects of the next import: of one kind, as many as one request takes.
pub(super) fn chosen(items: &[Item<'_>]) -> Vec<usize> {
    let is_import = |it: &Item<'_>| it.stage == Stage::Import;
    let Some(first) = items.iter().find(|it| is_import(it)) else { return Vec::new() };
    let rows_max = first.spec.import.as_ref().map_or(1, |import| import.rows_max);
    let mine = items.iter().enumerate().filter(|(_, it)| is_import(it) && it.spec.kind == first.spec.kind);
    mine.map(|(index, _)| index).take(rows_max).collect()
}

impl Push<'_> {
    pub(super) async fn import(&mut self, items: &mut [Item<'_>], chosen: &[usize]) {
        let chosen: Vec<usize> = chosen.iter().copied().filter(|&index| self.alone(&mut items[index])).collect();
        let Some(spec) = chosen.first().and_then(|&index| items[index].spec.import.as_ref()) else { return };
        let rows: Vec<Json> = chosen.iter().map(|&index| row(spec, &items[index])).collect();
        let fill = |slot: &Slot| if *slot == Slot::Rows { Json::Array(rows.clone()) } else { Json::Null };
        let call = Call::new(&spec.request, &fill).apart();
        if let Err(NotBefore(until)) = self.caller.admit(&call.method, self.deadline).await {
            chosen.iter().for_each(|&index| items[index].stage = untouched(Some(until)));
            return;
        }
        if !self.announce(items, &chosen).await {
            return;
        }
        let reply = self.caller.send(std::slice::from_ref(&call), self.deadline).await.pop();
        let replies = match reply {
            Some(Reply::Answered(Judged { ruling: Ruling::Done(body), .. })) => self.rows(spec, &body, chosen.len()),
            Some(other) => vec![other; chosen.len()],
            None => Vec::new(),
        };
        let refusal = replies.iter().find_map(refusal).filter(|_| replies.iter().all(|it| refusal(it).is_some()));
        match refusal {
            Some(reason) => {
                let message = Message::new("sink-import-refused").with("sink", &self.sink.name);
                let message = message.with("method", &call.method).with("detail", reason);
                chosen.iter().for_each(|&index| items[index].stage = Stage::Ended(End::Refused(message.clone())));
            }
            None => self.take(items, &chosen, replies),
        }
    }

    /// What the answer says of each object.
    fn rows(&self, spec: &ImportSpec, body: &Value, count: usize) -> Vec<Reply> {
        let rows = spec.rows.first(body).map(Value::items).unwrap_or_default();
        let of_each = |index: usize| rows.get(index).filter(|_| rows.len() == count).cloned();
        (0..count).map(|index| Reply::Answered(self.caller.judge_row(of_each(index)))).collect()
    }
}

fn refusal(reply: &Reply) -> Option<&Message> {
    match reply {
        Reply::Answered(Judged { ruling: Ruling::RejectMethod | Ruling::RejectConnection, reason }) => Some(reason),
        Reply::Answered(_) | Reply::NotSent(_) | Reply::Forbidden(_) => None,
    }
}

fn row(spec: &ImportSpec, item: &Item<'_>) -> Json {
    let renamed = |name: &str| spec.rename.iter().find(|(from, _)| from == name).map(|(_, to)| to.clone());
    let fields = &item.work.desired;
    match spec.naming {
        Naming::Plain => {
            let member = |(name, value): &(_, Json)| {
                let name: &compact_str::CompactString = name;
                (renamed(name).unwrap_or_else(|| name.to_string()), value.clone())
            };
            Json::Object(fields.iter().map(member).collect())
        }
        Naming::Bitrix24Item => bitrix24::item_row(fields, &item.spec.multi, &renamed),
    }
}
