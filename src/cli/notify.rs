//! `uzel notify`: telling people what is wrong.

use super::{Context, Done};
use crate::app::error::Told;
use crate::base::Message;
use crate::control::NotifiedView;

/// Subcommands of `uzel notify`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Test,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let Sub::Test = sub;
    let connected = context.connect().await?;
    let views = connected.client.post::<Vec<NotifiedView>>("notify/test", context.locale).await;
    connected.close().await;
    let views = views?;
    if views.is_empty() {
        return Err(Told(Message::new("notify-nowhere")).into());
    }
    let is_well = views.iter().all(|it| it.problem.is_none());
    if context.json {
        context.print_json(&views)?;
    } else {
        for view in &views {
            let message = match &view.problem {
                None => Message::new("cli-notify-sent").with("channel", &view.channel),
                Some(problem) => {
                    Message::new("cli-notify-failed").with("channel", &view.channel).with("problem", problem)
                }
            };
            println!("{}", context.say(&message));
        }
    }
    Ok(if is_well { Done::Well } else { Done::Problems })
}
