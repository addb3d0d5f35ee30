//! `uzel snapshot`: all rows at one position, from which the store can be made anew.

use super::{Context, Done};
use crate::base::Message;
use crate::control::Client;
use crate::query::keeping::SnapshotView;

/// Subcommands of `uzel snapshot`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Make,
    List,
    Verify,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let done = with(&sub, context, &connected.client).await;
    connected.close().await;
    done
}

async fn with(sub: &Sub, context: &Context, client: &Client) -> anyhow::Result<Done> {
    let views: Vec<SnapshotView> = match sub {
        Sub::Make => {
            let made: SnapshotView = client.post("snapshots", context.locale).await?;
            if context.json {
                context.print_json(&made)?;
            } else {
                let message = Message::new("cli-snapshot-made").with("file", &made.file);
                let message = message.with("position", made.position).with("rows", made.rows).with("hash", &made.hash);
                println!("{}", context.say(&message));
            }
            return Ok(Done::Well);
        }
        Sub::List => client.get("snapshots", context.locale).await?,
        Sub::Verify => client.post("snapshots/verify", context.locale).await?,
    };
    let sound = views.iter().all(|it| it.problem.is_none());
    if context.json {
        context.print_json(&views)?;
    } else {
        let readable = views.iter().filter(|it| it.rows > 0);
        let rows = readable.map(|it| {
            vec![
                it.file.clone(),
                it.position.to_string(),
                it.made_at.clone(),
                it.rows.to_string(),
                it.bytes.to_string(),
            ]
        });
        context.print_table(&["file", "position", "made-at", "rows", "bytes"], rows.collect());
        views.iter().filter_map(|it| it.problem.as_ref()).for_each(|problem| println!("{problem}"));
        if let (Sub::Verify, true, false) = (sub, sound, views.is_empty()) {
            println!("{}", context.say(&Message::new("cli-snapshot-sound")));
        }
    }
    Ok(if sound { Done::Well } else { Done::Problems })
}
