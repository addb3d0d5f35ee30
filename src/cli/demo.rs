//! `uzel demo`: the whole path in a minute.

use std::path::PathBuf;

use super::{Context, Done};
use crate::app::demo::{BUILT_IN, Demo, Input, Shown};
use crate::app::error::Problems;
use crate::app::{interrupted, logging};
use crate::base::Message;

/// Arguments of `uzel demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    once: bool,
    #[arg(long)]
    input: Option<PathBuf>,
    #[arg(long)]
    keep: Option<PathBuf>,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    if std::env::var_os("UZEL_LOG").is_some() {
        logging::start(false);
    }
    let (name, text) = match &args.input {
        Some(file) => (file.display().to_string(), super::read(file)?),
        None => ("examples/demo.toml".to_owned(), BUILT_IN.to_owned()),
    };
    let input = Input::compile(&name, &text).map_err(Problems)?;
    let demo = Demo::start(args.keep.as_deref(), context.locale).await?;
    let shown = demo.play(&input, context.locale).await;
    let shown = match shown {
        Ok(shown) => shown,
        Err(error) => {
            demo.stop().await;
            return Err(error);
        }
    };
    match context.json {
        true => context.print_json(&shown)?,
        false => print(&shown, context),
    }
    if !args.once {
        let message = Message::new("demo-stays")
            .with("daemon", demo.address())
            .with("twin", demo.twin_address())
            .with("folder", demo.folder().root().display());
        let interrupted = interrupted();
        println!("\n{}", context.say(&message));
        interrupted.await;
    }
    let is_true = shown.is_true();
    demo.stop().await;
    Ok(if is_true { Done::Well } else { Done::Problems })
}

fn heading(id: &str, context: &Context) {
    println!("\n== {}", context.say(&Message::new(id)));
}

fn print(shown: &Shown, context: &Context) {
    heading("demo-arrived", context);
    let rows = shown
        .arrived
        .iter()
        .filter(|it| it.kind == "received")
        .map(|it| vec![it.position.to_string(), it.at.clone(), it.summary.clone()]);
    context.print_table(&["position", "at", "summary"], rows.collect());

    heading("demo-clients", context);
    let rows = shown.clients.iter().map(|it| {
        vec![
            it.id.clone(),
            it.name.clone(),
            it.class.clone().unwrap_or_default(),
            it.contacts.join("\n"),
            it.deals.to_string(),
        ]
    });
    context.print_table(&["id", "name", "class", "contacts", "deals"], rows.collect());

    heading("demo-example", context);
    super::deal::print_lines(&shown.example, context);
    super::deal::print_totals(&shown.example_totals, context);

    heading("demo-deals", context);
    super::deal::print_lines(&shown.deals, context);
    super::deal::print_totals(&shown.totals, context);

    heading("demo-twin", context);
    let rows = shown.twin.iter().map(|it| {
        vec![
            it.id.clone(),
            it.title.clone(),
            context.amount(&it.price),
            it.probability.clone(),
            context.amount(&it.value),
            it.class.clone(),
            it.explanation.clone(),
        ]
    });
    context.print_table(&["foreign-id", "title", "price", "probability", "worth", "class", "why"], rows.collect());

    heading("demo-checks", context);
    for check in &shown.checks {
        let mark = if check.ok { "✓" } else { "✗" };
        println!("{mark} {} {}", context.say(&check.message()), check.detail);
    }
}
