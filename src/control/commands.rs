//! What a person decides. A command is a journal entry; the answer comes when it is applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;
use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Asked, Control, Refusal, parse};
use crate::base::{ItemRef, Locale, Message, Slug, TaskId};
use crate::entry::{Command, Commanded, Entry, ObjectRef};
use crate::journal::{AppendError, NewEntry};
use crate::query::views::{ClientView, CommandView};

type Answer = Result<Json<CommandView>, Refusal>;

/// Why a record is given up.
#[derive(Debug, JsonSchema, Deserialize, Default)]
pub(super) struct Reason {
    lang: Option<Locale>,
    reason: Option<String>,
}

impl Control {
    pub(super) async fn give(&self, command: Command, locale: Locale, result: Message) -> Answer {
        let at = self.clock.now();
        let entry = Entry::Commanded(Commanded { at, by: "cli".into(), command });
        let appended = self.journal.append(NewEntry { kind: entry.kind(), at, payload: entry.encode() }).await;
        let position = appended.map_err(|error| match error {
            AppendError::NoSpace(message)
            | AppendError::TooLarge(message)
            | AppendError::Failed(message)
            | AppendError::Closed(message) => Refusal::new(StatusCode::SERVICE_UNAVAILABLE, &message, locale),
        })?;
        self.pipeline
            .wait(position)
            .await
            .map_err(|failure| Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, text: failure })?;
        Ok(Json(CommandView { position: position.0, result: result.render(locale) }))
    }

    /// The command on a quarantined or filtered record, and what became of it.
    async fn give_for_record(&self, command: Command, at: ItemRef, locale: Locale) -> Answer {
        if self.query.outcome(at)?.is_none() {
            let message = Message::new("control-not-found").with("id", at);
            return Err(Refusal::new(StatusCode::NOT_FOUND, &message, locale));
        }
        let mut answer = self.give(command, locale, Message::new("control-done")).await?;
        if let Some(outcome) = self.query.outcome(at)? {
            answer.0.result = crate::query::outcome_text(&outcome, locale);
        }
        Ok(answer)
    }
}

fn not_found(id: impl std::fmt::Display, locale: Locale) -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, &Message::new("control-not-found").with("id", id), locale)
}

/// The sink and object of a delivery, when the sink has anything to do with the object.
fn delivery_of(control: &Control, sink: &str, object: &str, locale: Locale) -> Result<(Slug, ObjectRef), Refusal> {
    let name = Slug::new(sink).filter(|_| control.query.is_sink(sink)).ok_or_else(|| not_found(sink, locale))?;
    let object: ObjectRef = parse(object, locale)?;
    match control.query.has_sink_state(&name, object)? {
        true => Ok((name, object)),
        false => Err(not_found(format!("{sink}/{object}"), locale)),
    }
}

/// A client that is there, merged or not.
fn client_of(control: &Control, id: &str, locale: Locale) -> Result<ClientView, Refusal> {
    control.query.client(parse(id, locale)?, locale)?.ok_or_else(|| not_found(id, locale))
}

/// Fields to set by hand, and fields to let go of.
#[derive(Debug, Clone, JsonSchema, Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Canonical field (`inn`) -> its text.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Fields set by hand earlier whose next word is a source's again.
    #[serde(default)]
    pub release: Vec<String>,
}

impl Edit {
    /// Both as a command holds them, after everything was read once; the first that does not read
    /// refuses the whole.
    fn read(self, control: &Control, object: ObjectRef, locale: Locale) -> Result<Texts, Refusal> {
        let refuse = |message: &Message| Refusal::new(StatusCode::BAD_REQUEST, message, locale);
        if self.set.is_empty() && self.release.is_empty() {
            return Err(refuse(&Message::new("edit-nothing")));
        }
        let set: Vec<(CompactString, String)> = self.set.into_iter().map(|(name, text)| (name.into(), text)).collect();
        for name in &self.release {
            control.query.is_editable(object, name).map_err(|message| refuse(&message))?;
        }
        control.query.reads_as_edit(object, &set, control.clock.now()).map_err(|message| refuse(&message))?;
        Ok((set, self.release.into_iter().map(CompactString::from).collect()))
    }
}

type Texts = (Vec<(CompactString, String)>, Vec<CompactString>);

fn edited(object: impl std::fmt::Display, texts: &Texts) -> Message {
    let set = texts.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let message = match (texts.0.is_empty(), texts.1.is_empty()) {
        (false, true) => Message::new("edit-set"),
        (true, _) => Message::new("edit-released"),
        (false, false) => Message::new("edit-both"),
    };
    message.with("object", object).with("set", set).with("released", texts.1.join(", "))
}

pub(super) async fn edit_client(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
    Json(edit): Json<Edit>,
) -> Answer {
    let locale = asked.locale();
    let view = client_of(&control, &id, locale)?;
    let client = parse(&view.line.id, locale)?;
    let texts = edit.read(&control, ObjectRef::Client(client), locale)?;
    let result = edited(client, &texts);
    control.give(Command::EditClient { client, set: texts.0, release: texts.1 }, locale, result).await
}

pub(super) async fn edit_deal(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Asked>,
    Json(edit): Json<Edit>,
) -> Answer {
    let locale = asked.locale();
    let deal = parse(&id, locale)?;
    control.query.deal(deal, locale)?.ok_or_else(|| not_found(&id, locale))?;
    let texts = edit.read(&control, ObjectRef::Deal(deal), locale)?;
    let result = edited(deal, &texts);
    control.give(Command::EditDeal { deal, set: texts.0, release: texts.1 }, locale, result).await
}

pub(super) async fn retry(
    State(control): State<Arc<Control>>,
    Path(record): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    let at = parse(&record, asked.locale())?;
    control.give_for_record(Command::RetryRecord { at }, at, asked.locale()).await
}

pub(super) async fn accept(
    State(control): State<Arc<Control>>,
    Path(record): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    let at = parse(&record, asked.locale())?;
    control.give_for_record(Command::AcceptRecord { at }, at, asked.locale()).await
}

pub(super) async fn discard_record(
    State(control): State<Arc<Control>>,
    Path(record): Path<String>,
    Params(asked): Params<Reason>,
) -> Answer {
    let locale = asked.lang.unwrap_or_default();
    let at = parse(&record, locale)?;
    let reason = asked.reason.unwrap_or_default();
    control.give_for_record(Command::DiscardRecord { at, reason }, at, locale).await
}

pub(super) async fn resend(
    State(control): State<Arc<Control>>,
    Path((sink, object)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let (sink, object) = delivery_of(&control, &sink, &object, locale)?;
    let result = Message::new("control-resend").with("sink", &sink).with("object", object);
    control.give(Command::ResendDelivery { sink, object }, locale, result).await
}

pub(super) async fn discard_delivery(
    State(control): State<Arc<Control>>,
    Path((sink, object)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let (sink, object) = delivery_of(&control, &sink, &object, locale)?;
    let result = Message::new("control-discarded").with("sink", &sink).with("object", object);
    control.give(Command::DiscardDelivery { sink, object }, locale, result).await
}

/// An open task; an ended one is refused with how it ended.
async fn end_task(
    control: &Control,
    id: &str,
    locale: Locale,
    command: impl FnOnce(TaskId) -> Command,
    done: &str,
) -> Answer {
    let task: TaskId = parse(id, locale)?;
    let view = control.query.task(task, locale, control.clock.now())?.ok_or_else(|| not_found(id, locale))?;
    if let Some(result) = view.result {
        let message = Message::new("control-task-ended").with("id", task).with("result", result);
        return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
    }
    control.give(command(task), locale, Message::new(done).with("id", task)).await
}

pub(super) async fn complete_task(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Reason>,
) -> Answer {
    let note = asked.reason.unwrap_or_default();
    let command = |task| Command::CompleteTask { task, note };
    end_task(&control, &id, asked.lang.unwrap_or_default(), command, "control-task-done").await
}

pub(super) async fn cancel_task(
    State(control): State<Arc<Control>>,
    Path(id): Path<String>,
    Params(asked): Params<Reason>,
) -> Answer {
    let reason = asked.reason.unwrap_or_default();
    let command = |task| Command::CancelTask { task, reason };
    end_task(&control, &id, asked.lang.unwrap_or_default(), command, "control-task-cancelled").await
}

pub(super) async fn merge(
    State(control): State<Arc<Control>>,
    Path((winner, loser)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let (held, gone) = (client_of(&control, &winner, locale)?, client_of(&control, &loser, locale)?);
    let standing = |view: &ClientView| view.merged_into.clone().unwrap_or_else(|| view.line.id.clone());
    if standing(&held) == standing(&gone) {
        let message = Message::new("control-merged-already").with("winner", &winner).with("loser", &loser);
        return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
    }
    let (winner, loser) = (parse(&winner, locale)?, parse(&loser, locale)?);
    let result = Message::new("control-merged").with("winner", winner).with("loser", loser);
    control.give(Command::MergeClients { winner, loser }, locale, result).await
}

pub(super) async fn split(
    State(control): State<Arc<Control>>,
    Path((winner, loser)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let (held, gone) = (client_of(&control, &winner, locale)?, client_of(&control, &loser, locale)?);
    if gone.merged_into.as_ref() != Some(&held.line.id) {
        let message = Message::new("control-not-merged").with("winner", &winner).with("loser", &loser);
        return Err(Refusal::new(StatusCode::CONFLICT, &message, locale));
    }
    let (winner, loser) = (parse(&winner, locale)?, parse(&loser, locale)?);
    let result = Message::new("control-split").with("winner", winner).with("loser", loser);
    control.give(Command::SplitClients { winner, loser }, locale, result).await
}

pub(super) async fn load(
    State(control): State<Arc<Control>>,
    Path(connection): Path<String>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let name = Slug::new(&connection).filter(|_| control.query.can_load(&connection));
    let connection = name.ok_or_else(|| not_found(&connection, locale))?;
    let result = Message::new("control-load").with("connection", &connection);
    control.give(Command::LoadSource { connection }, locale, result).await
}
