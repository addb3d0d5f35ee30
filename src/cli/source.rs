//! `uzel source`: what is read from foreign systems, and how far.

use super::{Context, Done};
use crate::app::error::Told;
use crate::base::Message;
use crate::query::views::SourceView;

/// Subcommands of `uzel source`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List,
    Address { connection: String },
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    if let Sub::Address { connection } = sub {
        return address(&connection, context);
    }
    let connected = context.connect().await?;
    let views: anyhow::Result<Vec<SourceView>> = Ok(connected.client.get("sources", context.locale).await?);
    connected.close().await;
    let views = views?;
    if context.json {
        context.print_json(&views)?;
        return Ok(Done::Well);
    }
    let rows = views.iter().map(|it| {
        vec![
            it.connection.clone(),
            it.stream.clone(),
            state(it, context),
            it.told_by.as_ref().map(|it| context.word("source-told", it)).unwrap_or_default(),
            it.time.clone().unwrap_or_default(),
            it.news_at.clone().unwrap_or_default(),
            it.read_at.clone().unwrap_or_default(),
            hindrance(it, context),
        ]
    });
    let columns = [
        "source-connection",
        "source-stream",
        "state",
        "source-told",
        "source-time",
        "source-news",
        "source-read",
        "reason",
    ];
    context.print_table(&columns, rows.collect());
    let has_trouble = views.iter().any(|it| it.trouble.is_some());
    Ok(if has_trouble { Done::Problems } else { Done::Well })
}

/// Where messages of a connection go, and nothing else: for a script, or to be copied.
fn address(connection: &str, context: &Context) -> anyhow::Result<Done> {
    let addresses = crate::app::addresses(&crate::app::Folder::new(&context.folder))?;
    let Some(found) = addresses.iter().find(|it| it.connection == connection) else {
        let known: Vec<&str> = addresses.iter().map(|it| it.connection.as_str()).collect();
        let message = Message::new("cli-source-no-address").with("connection", connection);
        return Err(Told(message.with("known", known.join(", "))).into());
    };
    match context.json {
        true => context.print_json(found)?,
        false => println!("{}", found.address),
    }
    Ok(Done::Well)
}

/// Why it is not read now: something is wrong, or the foreign system allows no more for a while.
pub(super) fn hindrance(view: &SourceView, context: &Context) -> String {
    match (&view.trouble, &view.waits_until) {
        (Some(trouble), _) => trouble.clone(),
        (None, Some(until)) => {
            let message = Message::new("cli-source-waits").with("connection", &view.connection);
            context.say(&message.with("until", until))
        }
        (None, None) => String::new(),
    }
}

/// Its state; of a load, how far it is.
fn state(view: &SourceView, context: &Context) -> String {
    let word = context.word("source-state", &view.state);
    match (view.loaded, view.total) {
        (Some(loaded), Some(total)) => format!("{word} {loaded}/{total}"),
        (Some(loaded), None) => format!("{word} {loaded}"),
        (None, _) => word,
    }
}
