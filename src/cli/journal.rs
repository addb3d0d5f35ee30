//! `uzel journal`: what came in, byte for byte, and whether it is whole.

use indicatif::{ProgressBar, ProgressStyle};

use super::output::printable;
use super::{Context, Done};
use crate::app::Folder;
use crate::base::Message;
use crate::journal;
use crate::query::views::{EntryView, Page};

/// Subcommands of `uzel journal`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long, default_value_t = 50, value_parser = super::rows_of_page())]
        limit: u64,
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
                vec![
                    it.position.to_string(),
                    it.at.clone(),
                    context.word("entry", &it.kind),
                    it.bytes.to_string(),
                    it.summary.clone(),
                ]
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
                ("kind", context.word("entry", &view.kind)),
                ("at", view.at.clone()),
                ("summary", view.summary.clone()),
            ]);
            let rows = view
                .outcomes
                .iter()
                .map(|it| vec![it.record.clone(), context.word("outcome", &it.outcome), it.detail.clone()]);
            context.print_section("records", &["record", "outcome", "detail"], rows.collect());
            if let Some(body) = &view.body {
                println!("\n{}", printable(body));
            }
        }
        Sub::Verify => {}
    }
    Ok(Done::Well)
}

/// What a verification found, as data.
#[derive(Debug, serde::Serialize)]
struct Verified {
    sound: bool,
    segments: Vec<VerifiedSegment>,
    bodies: usize,
    problems: Vec<String>,
}

#[derive(Debug, serde::Serialize)]
struct VerifiedSegment {
    file: String,
    entries: u64,
    first: u64,
    last: u64,
    bytes: u64,
    damage: String,
}

/// Reads every byte; needs no daemon and does not disturb one.
fn verify(context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    // The journal of a relay is one too.
    if !crate::app::relay::RelayFolder::new(&context.folder).is_made() {
        folder.made()?;
    }
    let bar = progress_bar();
    let report = journal::verify(&journal::RealDisk, &folder.journal(), &mut |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    });
    bar.finish_and_clear();
    let report = report?;
    let say = |id: &str, name: &str, at: u64| context.say(&Message::new(id).with("name", name).with("position", at));
    let mut problems = Vec::new();
    problems.extend(report.undecodable.iter().map(|at| say("cli-verify-undecodable", "", at.0)));
    problems.extend(report.bodies_missing.iter().map(|it| say("cli-verify-body-missing", &it.name, it.position.0)));
    problems.extend(report.bodies_changed.iter().map(|it| say("cli-verify-body-changed", &it.name, it.position.0)));
    problems.extend(report.bodies_orphaned.iter().map(|name| say("cli-verify-body-orphaned", name, 0)));
    let segments = report.segments.iter().map(|it| VerifiedSegment {
        file: it.name.clone(),
        entries: it.entries,
        first: it.first.0,
        last: it.last.0,
        bytes: it.bytes,
        damage: it
            .damaged
            .iter()
            .map(|damage| format!("{}+{}", damage.offset, damage.bytes))
            .collect::<Vec<_>>()
            .join(" "),
    });
    let verified = Verified { sound: report.is_sound(), segments: segments.collect(), bodies: report.bodies, problems };
    if context.json {
        context.print_json(&verified)?;
    } else {
        let rows = verified.segments.iter().map(|it| {
            let numbers = [it.entries, it.first, it.last, it.bytes].map(|number| number.to_string());
            std::iter::once(it.file.clone()).chain(numbers).chain([it.damage.clone()]).collect()
        });
        context.print_table(&["file", "entries", "first", "last", "bytes", "damage"], rows.collect());
        verified.problems.iter().for_each(|problem| println!("{problem}"));
        println!(
            "{}",
            context.say(&Message::new(if verified.sound { "cli-verify-sound" } else { "cli-verify-unsound" }))
        );
    }
    Ok(if verified.sound { Done::Well } else { Done::Problems })
}

/// A bar for long work; silent when standard error is no terminal.
pub(super) fn progress_bar() -> ProgressBar {
    bar("{wide_bar} {percent}% {pos}/{len} {eta}")
}

/// The same, and below it what is being done and what is waited for.
pub(super) fn telling_bar() -> ProgressBar {
    bar("{wide_bar} {percent}% {pos}/{len} {eta}\n{wide_msg}")
}

fn bar(template: &str) -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
