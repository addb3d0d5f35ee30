//! Words for what the store holds.

use super::main_units;
use super::views::TotalsView;
use crate::base::{Locale, Message};
use crate::entry::{Command, Entry, Slice};
use crate::journal::AppendError;
use crate::model::{Class, FilterReason, Outcome};
use crate::report::Totals;

/// What became of a record, for people.
pub fn outcome_text(outcome: &Outcome, locale: Locale) -> String {
    let message = match outcome {
        Outcome::Applied { client, deal } => {
            let mut places = Vec::new();
            places.extend(client.map(|id| id.to_string()));
            places.extend(deal.map(|id| id.to_string()));
            Message::new("query-applied").with("places", places.join(", "))
        }
        Outcome::Unchanged => Message::new("query-unchanged"),
        Outcome::Repeated(first) => Message::new("query-repeated").with("record", first),
        Outcome::Filtered(reason) => Message::new(match reason {
            FilterReason::Test => "query-filtered-test",
            FilterReason::Spam => "query-filtered-spam",
            FilterReason::NotUsed => "query-filtered-not-used",
            FilterReason::Internal => "query-filtered-internal",
            FilterReason::Erased => "query-filtered-erased",
        }),
        Outcome::Quarantined(reason) => Message::new("query-quarantined").with("reason", reason.render(locale)),
        Outcome::Discarded => Message::new("query-discarded"),
    };
    message.render(locale)
}

pub(super) fn refusal(error: &AppendError, locale: Locale) -> String {
    match error {
        AppendError::NoSpace(message)
        | AppendError::TooLarge(message)
        | AppendError::Failed(message)
        | AppendError::Closed(message) => message.render(locale),
    }
}

/// An entry in one line, without personal data.
pub(super) fn summary(entry: &Entry) -> String {
    match entry {
        Entry::Received(it) => {
            let file = it.header("file").map(|name| format!(" {name}")).unwrap_or_default();
            format!("{}/{}{file} {} B", it.connection, it.stream, it.body.len())
        }
        Entry::Attempting(it) => format!("{}: {}", it.sink, it.items.len()),
        Entry::Attempted(it) => {
            let confirmed = it.items.iter().filter(|item| is_done(&item.result)).count();
            format!("{}: {confirmed}/{}", it.sink, it.items.len())
        }
        Entry::Commanded(it) => command(&it.command),
        Entry::Configured(it) => format!("{} ({})", it.hash, it.build),
        Entry::Ticked(it) => it.at.to_string(),
        Entry::Slice(Slice::Import { of, from, to }) => format!("import {of}: {from}..{to}"),
        Entry::Slice(Slice::Rescore { of, after, count }) => {
            let after = after.map(|id| id.to_string()).unwrap_or_default();
            format!("rescore {of}: {after} +{count}")
        }
    }
}

fn is_done(result: &crate::entry::AttemptResult) -> bool {
    match result {
        crate::entry::AttemptResult::Done { .. } => true,
        crate::entry::AttemptResult::Failed { .. } => false,
    }
}

fn command(command: &Command) -> String {
    match command {
        Command::RetryRecord { at } => format!("retry {at}"),
        Command::AcceptRecord { at } => format!("accept {at}"),
        Command::DiscardRecord { at, reason: _ } => format!("discard {at}"),
        Command::ResendDelivery { sink, object } => format!("resend {object} -> {sink}"),
        Command::DiscardDelivery { sink, object } => format!("discard {object} -> {sink}"),
        Command::MergeClients { winner, loser } => format!("merge {loser} -> {winner}"),
        Command::CompleteTask { task, note: _ } => format!("done {task}"),
        Command::CancelTask { task, reason: _ } => format!("cancel {task}"),
        Command::ErasePerson(erasure) => format!("erase {}", erasure.client),
        Command::SplitClients { winner, loser } => format!("split {loser} <- {winner}"),
        Command::ApplyPlan { sink, plan, objects } => format!("apply {plan} ({}) -> {sink}", objects.len()),
        Command::PauseSink { sink } => format!("pause {sink}"),
        Command::ResumeSink { sink } => format!("resume {sink}"),
        Command::LoadSource { connection } => format!("load {connection}"),
        Command::EditClient { client, set, release } => format!("edit {client}: {}", names(set, release)),
        Command::EditDeal { deal, set, release } => format!("edit {deal}: {}", names(set, release)),
    }
}

/// Fields by name only: their values may tell of people.
fn names(set: &[(compact_str::CompactString, String)], release: &[compact_str::CompactString]) -> String {
    let set = set.iter().map(|(name, _)| name.to_string());
    let released = release.iter().map(|name| format!("-{name}"));
    set.chain(released).collect::<Vec<_>>().join(", ")
}

/// Totals as they are shown: the company's currency first, then the others.
pub(super) fn totals(totals: &Totals) -> Vec<TotalsView> {
    let classes = Class::ALL.iter().filter(|class| !matches!(class, Class::C1 | Class::C2)).map(|class| {
        let count = match class {
            Class::C => totals.all_c().count,
            other => totals.class(*other).count,
        };
        (class.name().to_owned(), count)
    });
    let main = TotalsView {
        forecast: main_units(totals.forecast_minor),
        all_in: main_units(totals.all_minor),
        currency: totals.currency.to_string(),
        deals: totals.deals,
        without_price: totals.without_price,
        classes: classes.collect(),
    };
    let others = totals.other_currencies.iter().map(|(currency, sum)| TotalsView {
        // Another currency is never converted, and so in no forecast.
        forecast: "0".to_owned(),
        all_in: main_units(sum.value_minor),
        currency: currency.to_string(),
        deals: sum.count,
        without_price: 0,
        classes: Vec::new(),
    });
    std::iter::once(main).chain(others).collect()
}

/// Why an object is to be told: what the entry that asked for it is.
pub(super) fn cause(entry: &Entry, locale: Locale) -> String {
    let message = match entry {
        Entry::Received(it) => {
            Message::new("plan-why-received").with("connection", &it.connection).with("stream", &it.stream)
        }
        Entry::Commanded(_) => Message::new("plan-why-command"),
        Entry::Ticked(_) => Message::new("plan-why-time"),
        Entry::Configured(_) | Entry::Slice(Slice::Rescore { .. }) => Message::new("plan-why-rules"),
        Entry::Slice(Slice::Import { .. }) => Message::new("plan-why-import"),
        Entry::Attempting(_) | Entry::Attempted(_) => Message::new("plan-why-attempt"),
    };
    message.render(locale)
}
