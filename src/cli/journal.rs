//! `uzel journal`: what came in, byte for byte, and whether it is whole.

use indicatif::{ProgressBar, ProgressStyle};

use super::{Context, Done};
use crate::app::Folder;
use crate::query::views::{EntryView, Page};

/// Subcommands of `uzel journal`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        after: Option<String>,
    },
    Show {
        position: u64,
    },
    Verify,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    if let Sub::Verify = sub {
        return verify(context);
    }
    let connected = context.connect().await?;
    let done = with(sub, context, &connected.client).await;
    connected.close().await;
    done
}

async fn with(sub: Sub, context: &Context, client: &crate::control::Client) -> anyhow::Result<Done> {
    match sub {
        Sub::List { limit, after } => {
            let after = after.map(|after| format!("&after={}", super::output::encoded(&after))).unwrap_or_default();
            let page: Page<EntryView> = client.get(&format!("journal?limit={limit}{after}"), context.locale).await?;
            if context.json {
                context.print_json(&page)?;
                return Ok(Done::Well);
            }
            let rows = page.rows.iter().map(|it| {
                vec![it.position.to_string(), it.at.clone(), it.kind.clone(), it.bytes.to_string(), it.summary.clone()]
            });
            context.print_table(&["position", "at", "kind", "bytes", "summary"], rows.collect());
            context.print_next(page.next.as_ref());
        }
        Sub::Show { position } => {
            let view: EntryView = client.get(&format!("journal/{position}"), context.locale).await?;
            if context.json {
                context.print_json(&view)?;
                return Ok(Done::Well);
            }
            context.print_pairs(&[
                ("position", view.position.to_string()),
                ("kind", view.kind.clone()),
                ("at", view.at.clone()),
                ("summary", view.summary.clone()),
            ]);
            let rows = view.outcomes.iter().map(|it| vec![it.record.clone(), it.outcome.clone(), it.detail.clone()]);
            if !view.outcomes.is_empty() {
                context.print_table(&["record", "outcome", "detail"], rows.collect());
            }
            if let Some(body) = &view.body {
                println!("\n{body}");
            }
        }
        Sub::Verify => {}
    }
    Ok(Done::Well)
}

/// Reads every byte; needs no daemon and does not disturb one.
fn verify(context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    let bar = progress_bar();
    let report = crate::journal::verify(&folder.journal(), &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    if context.json {
        context.print_json(&report)?;
    } else {
        let rows = report.segments.iter().map(|it| {
            vec![
                it.file.clone(),
                it.entries.to_string(),
                it.first.to_string(),
                it.last.to_string(),
                it.bytes.to_string(),
                it.damage.as_ref().map(|message| context.say(message)).unwrap_or_default(),
            ]
        });
        context.print_table(&["file", "entries", "first", "last", "bytes", "damage"], rows.collect());
        for problem in report.problems() {
            println!("{}", context.say(&problem));
        }
    }
    Ok(if report.is_whole() { Done::Well } else { Done::Problems })
}

/// A bar for long work; silent when standard error is no terminal.
pub(super) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{wide_bar} {percent}% {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
