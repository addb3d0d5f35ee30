//! `uzel connect CONNECTION`: a person agrees in the foreign system, and its tokens are kept.

use std::time::Duration;

use super::{Context, Done};
use crate::base::Message;
use crate::control::ConnectView;

/// How often it is looked whether the person came back, and for how long.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOKS_MAX: u32 = 600;

/// Arguments of `uzel connect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    connection: String,
    #[arg(long)]
    code: Option<String>,
    #[arg(long)]
    status: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let by_daemon = connected.by_daemon();
    let done = with(&args, context, &connected.client, by_daemon).await;
    connected.close().await;
    done
}

async fn with(
    args: &Args,
    context: &Context,
    client: &crate::control::Client,
    by_daemon: bool,
) -> anyhow::Result<Done> {
    let tokens = format!("connections/{}/tokens", args.connection);
    if args.status {
        let view: ConnectView = client.get(&tokens, context.locale).await?;
        return show(context, &view);
    }
    if let Some(code) = &args.code {
        let escaped: String = code.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("connections/{}/connect?code={escaped}", args.connection);
        let view: ConnectView = client.post(&path, context.locale).await?;
        return show(context, &view);
    }
    let before: ConnectView = client.get(&tokens, context.locale).await?;
    let begun: ConnectView = client.post(&format!("connections/{}/connect", args.connection), context.locale).await?;
    if context.json {
        context.print_json(&begun)?;
        return Ok(Done::Well);
    }
    let url = begun.url.clone().unwrap_or_default();
    let id = if by_daemon { "cli-connect-open" } else { "cli-connect-open-by-hand" };
    let message = Message::new(id).with("url", url).with("redirect", &begun.redirect);
    println!("{}", context.say(&message.with("connection", &args.connection)));
    // Without a daemon nobody listens for the person to come back.
    if !by_daemon {
        return Ok(Done::Well);
    }
    // Bound: the address given out is good for an hour, but nobody waits that long at a terminal.
    for _ in 0..LOOKS_MAX {
        tokio::time::sleep(LOOK_EVERY).await;
        let now: ConnectView = client.get(&tokens, context.locale).await?;
        if now.since != before.since {
            return show(context, &now);
        }
    }
    println!("{}", context.say(&Message::new("cli-connect-waited").with("connection", &args.connection)));
    Ok(Done::Problems)
}

fn show(context: &Context, view: &ConnectView) -> anyhow::Result<Done> {
    if context.json {
        context.print_json(view)?;
    } else {
        match (&view.problem, &view.since) {
            (Some(problem), _) => println!("{problem}"),
            (None, since) => {
                let message = Message::new("cli-connect-done").with("connection", &view.connection);
                println!("{}", context.say(&message.with("since", since.clone().unwrap_or_default())));
            }
        }
    }
    Ok(if view.problem.is_none() { Done::Well } else { Done::Problems })
}
