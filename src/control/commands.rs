//! What a person decides. A command is a journal entry; the answer comes when it is applied.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query as Params, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::{Asked, Control, Refusal};
use crate::base::{ItemRef, Locale, Message, Slug};
use crate::entry::{Command, Commanded, Entry, ObjectRef};
use crate::journal::{AppendError, NewEntry};
use crate::query::views::CommandView;

type Answer = Result<Json<CommandView>, Refusal>;

/// Why a record is given up.
#[derive(Debug, Deserialize, Default)]
pub(super) struct Reason {
    lang: Option<Locale>,
    reason: Option<String>,
}

impl Control {
    async fn give(&self, command: Command, locale: Locale, result: Message) -> Answer {
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

fn parse<T: std::str::FromStr<Err = Message>>(text: &str, locale: Locale) -> Result<T, Refusal> {
    text.parse().map_err(|message| Refusal::new(StatusCode::BAD_REQUEST, &message, locale))
}

fn sink_of(text: &str, locale: Locale) -> Result<Slug, Refusal> {
    let not_found = || Refusal::new(StatusCode::NOT_FOUND, &Message::new("control-not-found").with("id", text), locale);
    Slug::new(text).ok_or_else(not_found)
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
    let (sink, object): (Slug, ObjectRef) = (sink_of(&sink, locale)?, parse(&object, locale)?);
    let result = Message::new("control-resend").with("sink", &sink).with("object", object);
    control.give(Command::ResendDelivery { sink, object }, locale, result).await
}

pub(super) async fn discard_delivery(
    State(control): State<Arc<Control>>,
    Path((sink, object)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
    let (sink, object): (Slug, ObjectRef) = (sink_of(&sink, locale)?, parse(&object, locale)?);
    let result = Message::new("control-discarded").with("sink", &sink).with("object", object);
    control.give(Command::DiscardDelivery { sink, object }, locale, result).await
}

pub(super) async fn merge(
    State(control): State<Arc<Control>>,
    Path((winner, loser)): Path<(String, String)>,
    Params(asked): Params<Asked>,
) -> Answer {
    let locale = asked.locale();
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
    let (winner, loser) = (parse(&winner, locale)?, parse(&loser, locale)?);
    let result = Message::new("control-split").with("winner", winner).with("loser", loser);
    control.give(Command::SplitClients { winner, loser }, locale, result).await
}
