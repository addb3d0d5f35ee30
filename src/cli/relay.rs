//! `uzel relay`: a small daemon on a public host, and what the office gives it.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Context, Done};
use crate::app::error::Told;
use crate::app::relay::{RelayDaemon, RelayFolder, export, init, status};
use crate::app::{Folder, interrupted, logging};
use crate::base::Message;
use crate::query::views::{RelayView, StatusView};

/// Subcommands of `uzel relay`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Export {
        file: PathBuf,
    },
    Init {
        #[arg(long)]
        from: PathBuf,
        #[arg(long)]
        renew: bool,
    },
    Run {
        #[arg(long)]
        listen: Option<SocketAddr>,
        #[arg(long)]
        log_json: bool,
    },
    Status,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let folder = RelayFolder::new(&context.folder);
    match sub {
        Sub::Export { file } => exported(&file, context),
        Sub::Init { from, renew } => made(&folder, &from, renew, context),
        Sub::Run { listen, log_json } => {
            logging::start(log_json);
            let daemon = RelayDaemon::start(&folder, listen).await?;
            let interrupted = interrupted();
            println!("{}", daemon.address());
            interrupted.await;
            daemon.stop().await;
            Ok(Done::Well)
        }
        Sub::Status if folder.is_made() => of_relay(&folder, context),
        Sub::Status => of_office(context).await,
    }
}

fn exported(file: &std::path::Path, context: &Context) -> anyhow::Result<Done> {
    let exported = export(&Folder::new(&context.folder), file)?;
    if context.json {
        context.print_json(&exported)?;
        return Ok(Done::Well);
    }
    let list = |names: &[crate::base::Slug]| names.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(", ");
    let done = Message::new("cli-relay-exported").with("file", &exported.file);
    println!("{}", context.say(&done.with("connections", list(&exported.connections))));
    if !exported.left_out.is_empty() {
        let left = Message::new("cli-relay-left-out").with("connections", list(&exported.left_out));
        println!("{}", context.say(&left));
    }
    println!("{}", context.say(&Message::new("cli-relay-exported-next").with("file", &exported.file)));
    Ok(Done::Well)
}

fn made(folder: &RelayFolder, from: &std::path::Path, renew: bool, context: &Context) -> anyhow::Result<Done> {
    let made = init(folder, from, renew, context.locale)?;
    if context.json {
        context.print_json(&made)?;
        return Ok(Done::Well);
    }
    let done = if made.is_new { "cli-init-done" } else { "cli-init-kept" };
    println!("{}", context.say(&Message::new(done).with("file", &made.settings_file)));
    for address in &made.addresses {
        println!("  {}: {}", address.connection, address.address);
    }
    println!("{}", context.say(&Message::new("cli-relay-next").with("folder", context.folder.display())));
    Ok(Done::Well)
}

/// On the relay itself.
fn of_relay(folder: &RelayFolder, context: &Context) -> anyhow::Result<Done> {
    let status = status(folder)?;
    let done = if status.running && !status.is_full { Done::Well } else { Done::Problems };
    if context.json {
        context.print_json(&status)?;
        return Ok(done);
    }
    let word = |name: &str| context.word("relay-state", name);
    let contact = status.contact.clone().unwrap_or_else(|| word("never"));
    context.print_pairs(&[
        ("state", word(if status.running { "running" } else { "stopped" })),
        ("relay", status.relay.clone()),
        ("address", status.address.clone()),
        ("connections", status.connections.iter().map(|it| it.to_string()).collect::<Vec<_>>().join(", ")),
        ("head", status.head.to_string()),
        ("confirmed", status.confirmed.to_string()),
        ("relay-waiting", status.waiting.to_string()),
        ("contact", contact),
        ("free", status.free_mib.to_string()),
    ]);
    if status.is_full {
        println!("{}", context.say(&Message::new("cli-relay-full")));
    }
    Ok(done)
}

/// In the office.
async fn of_office(context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let view = connected.client.get::<StatusView>("status", context.locale).await;
    connected.close().await;
    let Some(relay) = view?.relay else {
        let file = Folder::new(&context.folder).settings_file();
        return Err(Told(Message::new("relay-no-address").with("file", file.display())).into());
    };
    let done = if relay.state == "pulling" || relay.state == "starting" { Done::Well } else { Done::Problems };
    if context.json {
        context.print_json(&relay)?;
        return Ok(done);
    }
    print(&relay, context);
    Ok(done)
}

/// What the office knows of its relay, line by line.
pub(super) fn print(relay: &RelayView, context: &Context) {
    context.print_pairs(&[
        ("state", context.word("relay-state", &relay.state)),
        ("since", relay.since.clone().unwrap_or_default()),
        ("relay", relay.relay.clone().unwrap_or_default()),
        ("address", relay.host.clone()),
        ("relay-pulled", relay.pulled.to_string()),
        ("relay-waiting", relay.waiting.map(|it| it.to_string()).unwrap_or_default()),
        ("contact", relay.contact.clone().unwrap_or_default()),
        ("source-news", relay.news_at.clone().unwrap_or_default()),
        ("reason", relay.trouble.clone().unwrap_or_default()),
    ]);
    relay.notices.iter().for_each(|notice| println!("! {}", super::output::printable(notice)));
}
