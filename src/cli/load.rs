//! `uzel load CONNECTION`: the whole history of a foreign system. A running daemon does it in the
//! background, and this command only watches; without one it is done here. Either way it goes on
//! where it was when it is cut short.

use std::time::Duration;

use super::journal::progress_bar;
use super::output::encoded;
use super::{Connected, Context, Done};
use crate::base::Message;
use crate::query::views::{CommandView, SourceView};

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// Arguments of `uzel load`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    connection: String,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let done = load(&args.connection, &connected, context).await;
    connected.close().await;
    let views = done?;
    match context.json {
        true => context.print_json(&views)?,
        false => println!("{}", context.say(&Message::new("cli-load-done").with("connection", &args.connection))),
    }
    Ok(Done::Well)
}

async fn load(connection: &str, connected: &Connected, context: &Context) -> anyhow::Result<Vec<SourceView>> {
    let path = format!("sources/{}/load", encoded(connection));
    let _given: CommandView = connected.client.post(&path, context.locale).await?;
    let mut here = match &connected.core {
        Some(core) => Some(crate::app::Loader::new(core, connection)?),
        None => None,
    };
    let bar = progress_bar();
    let views = loop {
        if let Some(loader) = &mut here {
            loader.step().await?;
        }
        let all: Vec<SourceView> = connected.client.get("sources", context.locale).await?;
        let mine: Vec<SourceView> = all.into_iter().filter(|it| it.connection == connection).collect();
        let loading: Vec<&SourceView> = mine.iter().filter(|it| it.state == "loading").collect();
        if loading.is_empty() {
            break mine;
        }
        bar.set_length(loading.iter().filter_map(|it| it.total).sum());
        bar.set_position(loading.iter().filter_map(|it| it.loaded).sum());
        let words: Vec<&str> = loading.iter().map(|it| it.stream.as_str()).collect();
        let trouble = loading.iter().find_map(|it| it.trouble.clone()).unwrap_or_default();
        bar.set_message(format!("{} {trouble}", words.join(", ")));
        if here.is_none() {
            tokio::time::sleep(LOOK).await;
        }
    };
    bar.finish_and_clear();
    Ok(views)
}
