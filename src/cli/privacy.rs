//! `uzel privacy`: what we know of a person who asks, and erasure of one who wants to be forgotten.

use std::path::PathBuf;

use super::output::encoded;
use super::{Context, Done, privacy_export};
use crate::app::{Core, Folder};
use crate::base::Message;
use crate::query::keeping::ErasureView;

/// Subcommands of `uzel privacy`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Erase {
        client: String,
        #[arg(long)]
        dry_run: bool,
    },
    Export {
        client: String,
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    match sub {
        Sub::Erase { client, dry_run } => erase(client, dry_run, context).await,
        Sub::Export { client, out } => {
            let connected = context.connect().await?;
            let done = privacy_export::run(&client, out.as_deref(), context, &connected.client).await;
            connected.close().await;
            done
        }
    }
}

async fn erase(client: String, dry_run: bool, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let path = format!("privacy/{}", encoded(&client));
    let view: Result<ErasureView, _> = match dry_run {
        true => connected.client.get(&path, context.locale).await,
        false => connected.client.post(&path, context.locale).await,
    };
    let beside_daemon = connected.by_daemon();
    connected.close().await;
    let view = view?;
    if !dry_run && !beside_daemon {
        // Opening the folder cleans its files.
        Core::open(&Folder::new(&context.folder)).await?.close().await;
    }
    if context.json {
        context.print_json(&view)?;
        return Ok(Done::Well);
    }
    let message = Message::new(if dry_run { "cli-privacy-would" } else { "cli-privacy-erased" })
        .with("clients", view.clients.join(" "))
        .with("deals", view.deals)
        .with("documents", view.documents)
        .with("interactions", view.interactions)
        .with("entries", view.entries);
    println!("{}", context.say(&message));
    if !dry_run {
        let id = if beside_daemon { "cli-privacy-restart" } else { "cli-privacy-receipt" };
        println!("{}", context.say(&Message::new(id).with("position", view.position.unwrap_or_default())));
    }
    if !view.elsewhere.is_empty() {
        println!("{}", context.say(&Message::new("cli-privacy-elsewhere")));
        view.elsewhere.iter().for_each(|it| println!("  {it}"));
    }
    Ok(Done::Well)
}
