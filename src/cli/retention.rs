//! `uzel retention`: which old entries of the journal may go, and why others may not.

use super::{Context, Done};
use crate::base::Message;
use crate::query::keeping::RetentionView;

/// Arguments of `uzel retention`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    dry_run: bool,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let path = args.days.map_or("retention".to_owned(), |days| format!("retention?days={days}"));
    let view: Result<RetentionView, _> = match args.dry_run {
        true => connected.client.get(&path, context.locale).await,
        false => connected.client.post(&path, context.locale).await,
    };
    connected.close().await;
    let view = view?;
    if context.json {
        context.print_json(&view)?;
        return Ok(Done::Well);
    }
    if view.days == 0 {
        println!("{}", context.say(&Message::new("cli-retention-all")));
        return Ok(Done::Well);
    }
    let goes = context.say(&Message::new("cli-retention-goes"));
    let rows = view.pieces.iter().map(|it| {
        let verdict = it.stays.clone().unwrap_or_else(|| goes.clone());
        vec![it.first.to_string(), it.last.to_string(), it.until.clone(), it.bytes.to_string(), verdict]
    });
    context.print_table(&["first", "last", "until", "bytes", "verdict"], rows.collect());
    let id = if args.dry_run { "cli-retention-would" } else { "cli-retention-done" };
    let message = Message::new(id).with("entries", view.entries).with("bytes", view.bytes).with("days", view.days);
    println!("{}", context.say(&message));
    Ok(Done::Well)
}
