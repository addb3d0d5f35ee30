//! `uzel rules preview`: leads of the last days under other rules, before anything is applied.

use std::path::PathBuf;

use super::journal::progress_bar;
use super::{Context, Done};
use crate::app::{Folder, OtherFiles, Preview, preview};
use crate::base::limits::{DIFFERENCE_LINES_MAX, PREVIEW_DAYS_MAX};
use crate::base::{Message, message::text};
use crate::query::{FateView, PreviewCount, PreviewView, StandView};

/// Subcommands of `uzel rules`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Preview {
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=PREVIEW_DAYS_MAX))]
        days: u64,
        #[arg(long)]
        rules: Option<PathBuf>,
        #[arg(long)]
        changed: bool,
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=DIFFERENCE_LINES_MAX as u64))]
        limit: u64,
    },
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let Sub::Preview { days, rules, changed, limit } = sub;
    let folder = Folder::new(&context.folder);
    folder.made()?;
    let asked = Preview {
        files: match rules {
            None => OtherFiles::Folder,
            rules @ Some(_) => OtherFiles::Parts { mappings: None, rules },
        },
        days,
        only_changed: changed,
        lines_max: limit as usize,
        locale: context.locale,
    };
    let bar = progress_bar();
    let shown = bar.clone();
    let found = tokio::task::spawn_blocking(move || {
        preview(&folder, &asked, &|done, of| {
            shown.set_length(of);
            shown.set_position(done);
        })
    })
    .await?;
    bar.finish_and_clear();
    let found = found?;
    match context.json {
        true => context.print_json(&found)?,
        false => print(&found, days, context),
    }
    Ok(Done::Well)
}

fn print(found: &PreviewView, days: u64, context: &Context) {
    let message = Message::new("preview-summary").with("days", days).with("leads", found.leads);
    println!("{}", context.say(&message.with("changed", found.changed)));
    let counts = |counts: &[PreviewCount], name: &dyn Fn(&str) -> String| -> Vec<Vec<String>> {
        counts.iter().map(|it| vec![name(&it.name), it.now.to_string(), it.other.to_string()]).collect()
    };
    let fate = |name: &str| fate_word(name, context);
    context.print_section("fates", &["lead-fate", "lead-was", "would"], counts(&found.fates, &fate));
    let employee = |name: &str| match name {
        "" => context.say(&Message::new("preview-nobody")),
        name => name.to_owned(),
    };
    context.print_section("taken", &["employee", "lead-was", "would"], counts(&found.employees, &employee));
    let rows = found.lines.iter().map(|line| {
        vec![
            if line.changed { "≠".to_owned() } else { String::new() },
            line.at.clone(),
            line.connection.clone(),
            line.client.clone(),
            told(&line.now, context),
            told(&line.other, context),
            if line.changed { line.other.why.join("; ") } else { String::new() },
        ]
    });
    context.print_section(
        "leads",
        &["change", "at", "connection", "client", "lead-was", "would", "why"],
        rows.collect(),
    );
    if found.more > 0 {
        println!("{}", context.say(&Message::new("whatif-more").with("count", found.more)));
    }
    let deals = found
        .deals
        .iter()
        .map(|it| vec![it.deal.clone(), it.client.clone(), stands(&it.now, context), stands(&it.other, context)]);
    context.print_section("standing", &["id", "client", "lead-was", "would"], deals.collect());
    if found.more_deals > 0 {
        println!("{}", context.say(&Message::new("preview-more-deals").with("count", found.more_deals)));
    }
}

/// `open, Счёт, paid 100 RUB`.
fn stands(it: &StandView, context: &Context) -> String {
    let paid = match it.paid.as_str() {
        "" => String::new(),
        sum => context.say(&Message::new("preview-paid").with("sum", sum)),
    };
    let words = [context.word("state", &it.state), it.stage.clone(), paid];
    words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}

fn told(fate: &FateView, context: &Context) -> String {
    let words = [fate_word(&fate.fate, context), fate.responsible.clone()];
    words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join("\n")
}

fn fate_word(fate: &str, context: &Context) -> String {
    text(&format!("preview-fate-{}", fate.replace('_', "-")), context.locale).unwrap_or_else(|| fate.to_owned())
}
