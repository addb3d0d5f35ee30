//! `uzel rebuild`: the store anew from the journal; or only the proof that it would be the same.

use super::journal::progress_bar;
use super::{Context, Done};
use crate::app::{Folder, Start, rebuild};
use crate::base::Message;

/// Arguments of `uzel rebuild`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    check: bool,
    #[arg(long)]
    whole: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    folder.made()?;
    let bar = progress_bar();
    let (check, shown) = (args.check, bar.clone());
    let start = if args.whole { Start::FirstEntry } else { Start::Snapshot };
    let report = tokio::task::spawn_blocking(move || {
        rebuild(&folder, start, check, &mut |applied, head| {
            shown.set_length(head.0);
            shown.set_position(applied.0);
        })
    })
    .await??;
    bar.finish_and_clear();
    if context.json {
        context.print_json(&report)?;
    } else {
        let message = match report.same {
            Some(true) => Message::new("cli-rebuild-same"),
            Some(false) => Message::new("cli-rebuild-differs"),
            None => Message::new("cli-rebuild-done"),
        };
        println!("{}", context.say(&message.with("entries", report.entries).with("hash", &report.hash)));
        if report.snapshot > 0 {
            println!("{}", context.say(&Message::new("cli-rebuild-snapshot").with("position", report.snapshot)));
        }
        for difference in &report.differences {
            println!("  {difference}");
        }
    }
    Ok(match report.same {
        Some(false) => Done::Problems,
        Some(true) | None => Done::Well,
    })
}
