//! A foreign system is asked to tell us of changes: our address is bound to its messages, and what
//! it keeps in a queue for us is taken.
//!
//! Guaranteed: asked again, nothing is bound twice; what is bound to an earlier address of ours is
//! taken back. A refusal says nothing of the connection as a whole: it is read all the same.

use std::collections::BTreeSet;

use compact_str::CompactString;
use serde_json::{Value as Json, json};

use super::poll::{Pause, Poller};
use crate::base::limits::POLL_REST_MS;
use crate::base::{Message, Secret};
use crate::connector::{BindSpec, HintSpec, QueueSpec, RequestSpec, Slot};
use crate::sink::Call;
use crate::value::Value;

/// A portion of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Taken {
    /// What the system calls it; empty: there was nothing.
    pub portion: String,
    /// Streams and ids that it tells of, each once.
    pub hints: BTreeSet<(CompactString, CompactString)>,
    /// Whether there may be more behind it.
    pub more: bool,
}

/// A message, and where it goes; `None`: into the queue.
type Bound = (String, Option<String>);

impl Poller {
    /// Asks to be told at `address` of everything that `spec` names. How many messages were bound
    /// that were not before.
    pub async fn bind(&self, spec: &HintSpec, bind: &BindSpec, address: &Secret) -> Result<usize, Pause> {
        let bound = self.bound(bind).await?;
        let is_ours = |name: &str| spec.stream_of(name).is_some();
        let stale = bound.iter().filter_map(|(name, at)| Some((name, at.as_deref()?)));
        let stale = stale.filter(|(name, at)| is_ours(name) && *at != address.expose());
        let mut calls: Vec<Call> = stale.map(|(name, at)| filled(&bind.unbind, name, at, "")).collect();
        let is_bound = |name: &str| {
            bound.iter().any(|(held, at)| held.eq_ignore_ascii_case(name) && at.as_deref() == Some(address.expose()))
        };
        let missing: Vec<&str> = names(spec).filter(|name| !is_bound(name)).collect();
        calls.extend(missing.iter().map(|name| filled(&bind.bind, name, address.expose(), "")));
        self.all_done(calls).await?;
        Ok(missing.len())
    }

    /// Asks for everything that `spec` names to be put into the queue. How many messages were bound
    /// that were not before.
    pub async fn bind_queue(&self, spec: &HintSpec, bind: &BindSpec, queue: &QueueSpec) -> Result<usize, Pause> {
        let bound = self.bound(bind).await?;
        let is_queued = |name: &str| bound.iter().any(|(held, at)| held.eq_ignore_ascii_case(name) && at.is_none());
        let missing: Vec<&str> = names(spec).filter(|name| !is_queued(name)).collect();
        self.all_done(missing.iter().map(|name| filled(&queue.bind, name, "", "")).collect()).await?;
        Ok(missing.len())
    }

    /// Takes a portion of the queue. It is kept there until [`Poller::done_with`].
    pub async fn take_queue(&self, spec: &HintSpec, queue: &QueueSpec) -> Result<Taken, Pause> {
        let body = self.one_answer(filled(&queue.take, "", "", "")).await?;
        let rows = queue.rows.first(&body).map(Value::items).unwrap_or_default();
        let hint = |row: &Value| {
            let stream = spec.stream_of(queue.name.first(row)?.as_text()?)?;
            let id = queue.id.first(row)?.as_text()?.trim();
            (!id.is_empty()).then(|| (CompactString::new(stream), CompactString::new(id)))
        };
        let portion = queue.portion.first(&body).and_then(Value::as_text).unwrap_or_default();
        let portion = if rows.is_empty() { String::new() } else { portion.to_owned() };
        let more = rows.len() >= queue.page_rows as usize;
        Ok(Taken { portion, hints: rows.iter().filter_map(hint).collect(), more })
    }

    /// A portion is seen to: it may go there.
    pub async fn done_with(&self, queue: &QueueSpec, portion: &str) -> Result<(), Pause> {
        self.one_answer(filled(&queue.done, "", "", portion)).await.map(drop)
    }

    async fn bound(&self, bind: &BindSpec) -> Result<Vec<Bound>, Pause> {
        let body = self.one_answer(filled(&bind.list, "", "", "")).await?;
        let row = |row: &Value| {
            let text = |path: &crate::value::Path| path.first(row).and_then(Value::as_text).map(str::to_owned);
            let is_queued = bind.queued.as_ref().and_then(text).is_some_and(|it| matches!(it.as_str(), "1" | "true"));
            let address = text(&bind.address).unwrap_or_default();
            Some((text(&bind.name)?, (!is_queued).then_some(address)))
        };
        Ok(bind.rows.first(&body).map(Value::items).unwrap_or_default().iter().filter_map(row).collect())
    }

    /// Sends these; the first that is refused is the reason why it is not done.
    async fn all_done(&self, calls: Vec<Call>) -> Result<(), Pause> {
        for calls in calls.chunks(self.together_max().max(1)) {
            let replies = self.ask(calls).await?;
            if replies.len() != calls.len() {
                return Err(self.pause(POLL_REST_MS, Message::new("poll-no-answer")));
            }
            for reply in replies {
                self.body(reply)?;
            }
        }
        Ok(())
    }
}

fn names(spec: &HintSpec) -> impl Iterator<Item = &str> {
    spec.streams.iter().map(|(name, _)| name.as_str())
}

/// A request that may be refused for ever, and everything else goes on.
fn filled(request: &RequestSpec, name: &str, address: &str, id: &str) -> Call {
    let places = [(Slot::Name, name), (Slot::Address, address), (Slot::Id, id)];
    let fill = |slot: &Slot| places.iter().find(|(place, _)| place == slot).map_or(Json::Null, |(_, text)| json!(text));
    Call::new(request, &fill).apart()
}
