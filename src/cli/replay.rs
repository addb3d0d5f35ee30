//! `uzel replay --diff`: what would be otherwise under other mappings or rules.

use std::path::PathBuf;

use super::journal::progress_bar;
use super::{Context, Done};
use crate::app::error::Told;
use crate::app::{Against, Folder, OtherFiles, WhatIf, what_if};
use crate::base::limits::DIFFERENCE_LINES_MAX;
use crate::base::{ClientId, Message, Timestamp};
use crate::query::{ClassCountView, DifferenceLine, DifferenceView};

/// Columns of the chart of classes at the most.
const CHART_COLUMNS: u64 = 40;

/// Arguments of `uzel replay`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long, required = true)]
    diff: bool,
    #[arg(long, conflicts_with_all = ["mappings", "rules"])]
    config: Option<PathBuf>,
    #[arg(long)]
    mappings: Option<PathBuf>,
    #[arg(long)]
    rules: Option<PathBuf>,
    #[arg(long)]
    history: bool,
    #[arg(long)]
    since: Option<String>,
    #[arg(long)]
    client: Option<String>,
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=DIFFERENCE_LINES_MAX as u64))]
    limit: u64,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    let folder = Folder::new(&context.folder);
    folder.made()?;
    let client = args.client.as_deref().map(str::parse::<ClientId>).transpose().map_err(Told)?;
    let since = match &args.since {
        None => None,
        Some(text) => Some(instant(&folder, text)?),
    };
    let asked = WhatIf {
        files: match (args.config, args.mappings, args.rules) {
            (Some(root), ..) => OtherFiles::Whole(root),
            (None, None, None) => OtherFiles::Folder,
            (None, mappings, rules) => OtherFiles::Parts { mappings, rules },
        },
        against: if args.history { Against::History } else { Against::Now },
        client,
        since,
        lines_max: args.limit as usize,
        locale: context.locale,
    };
    let bar = progress_bar();
    let shown = bar.clone();
    let found = tokio::task::spawn_blocking(move || {
        what_if(&folder, &asked, &|done, of| {
            shown.set_length(of);
            shown.set_position(done);
        })
    })
    .await?;
    bar.finish_and_clear();
    let found = found?;
    match context.json {
        true => context.print_json(&found)?,
        false => print(&found, context),
    }
    Ok(if found.is_empty() { Done::Well } else { Done::Problems })
}

/// An instant as people write it: a date, a date with a time, or with its zone.
pub(super) fn instant(folder: &Folder, text: &str) -> anyhow::Result<Timestamp> {
    let settings = folder.settings().map_err(crate::app::error::Problems)?;
    let zoned = || text.parse::<jiff::Timestamp>().ok();
    let local = || {
        let at = text.replace(' ', "T").parse::<jiff::civil::DateTime>().ok();
        let at = at.or_else(|| text.parse::<jiff::civil::Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
        at.to_zoned(settings.company.zone.clone()).ok().map(|zoned| zoned.timestamp())
    };
    let at = zoned().or_else(local);
    at.map(|at| Timestamp(at.as_millisecond()))
        .ok_or_else(|| Told(Message::new("whatif-time").with("text", text)).into())
}

fn print(found: &DifferenceView, context: &Context) {
    if let Some(begun) = found.begun {
        println!("{}", context.say(&Message::new("whatif-begun").with("position", begun)));
    }
    if found.is_empty() {
        println!("{}", context.say(&Message::new("whatif-none")));
        return;
    }
    for (name, count) in &found.counts {
        println!("{}", context.say(&Message::new(&format!("whatif-count-{name}")).with("count", count)));
    }
    for push in &found.pushes {
        let message = Message::new("whatif-pushes").with("sink", &push.sink);
        println!("{}", context.say(&message.with("create", push.create).with("update", push.update)));
    }
    println!("\n{}", context.say(&Message::new("whatif-now")));
    super::deal::print_totals(&found.totals_now, context);
    println!("{}", context.say(&Message::new("whatif-other")));
    super::deal::print_totals(&found.totals_other, context);
    print_chart(&found.classes, context);
    let rows = found.lines.iter().map(|line| {
        vec![
            line.object.clone(),
            line.title.clone(),
            context.say(&Message::new(&format!("whatif-change-{}", line.change))),
            context.word("field", &line.field),
            with_origin(&line.now, &line.now_from, line, context),
            with_origin(&line.other, &line.other_from, line, context),
        ]
    });
    context.print_section("differences", &["object", "title", "change", "field", "now", "would"], rows.collect());
    if found.more > 0 {
        println!("{}", context.say(&Message::new("whatif-more").with("count", found.more)));
    }
}

/// The value and, on its own line, who says it.
fn with_origin(value: &str, origin: &str, line: &DifferenceLine, context: &Context) -> String {
    let value = match line.field.as_str() {
        "kind" => context.word("kind", value),
        "state" => context.word("state", value),
        _ => value.to_owned(),
    };
    if origin.is_empty() { value } else { format!("{value}\n({origin})") }
}

/// Open deals by class, now above what would be.
fn print_chart(classes: &[ClassCountView], context: &Context) {
    let most = classes.iter().map(|it| it.now.max(it.other)).max().unwrap_or(0);
    if most == 0 || classes.iter().all(|it| it.now == it.other) {
        return;
    }
    println!("\n{}", context.say(&Message::new("whatif-chart")));
    let bar = |count: u64, sign: &str| sign.repeat((count * CHART_COLUMNS).div_ceil(most) as usize);
    for it in classes.iter().filter(|it| it.now + it.other > 0) {
        println!("{:>2} {} {}", it.class, bar(it.now, "░"), it.now);
        println!("   {} {}", bar(it.other, "█"), it.other);
    }
}
