//! `uzel folder`: watched folders, and what a file for one seems to be.

use std::path::PathBuf;

use super::output::printable;
use super::{Context, Done};
use crate::app::{Folder, guess};
use crate::base::Message;
use crate::query::views::FolderView;

/// Subcommands of `uzel folder`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List,
    Guess {
        file: PathBuf,
        #[arg(long)]
        connection: Option<String>,
        #[arg(long, value_parser = ["clients", "deals", "orders", "payments"])]
        records: Option<String>,
        #[arg(long)]
        mapping: bool,
    },
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    match sub {
        Sub::List => list(context).await,
        Sub::Guess { file, connection, records, mapping } => {
            let folder = Folder::new(&context.folder);
            let guessed = guess(&folder, &file, connection.as_deref(), records.as_deref(), context.locale)?;
            match (mapping, context.json) {
                (true, _) => print!("{}", guessed.mapping),
                (false, true) => context.print_json(&guessed)?,
                (false, false) => show(&guessed, context),
            }
            Ok(if guessed.problem.is_some() { Done::Problems } else { Done::Well })
        }
    }
}

async fn list(context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let folders = connected.client.get::<Vec<FolderView>>("folders", context.locale).await;
    connected.close().await;
    let folders = folders?;
    if context.json {
        context.print_json(&folders)?;
        return Ok(Done::Well);
    }
    let mut rows = Vec::new();
    for folder in &folders {
        if let Some(problem) = &folder.problem {
            rows.push(vec![folder.connection.clone(), folder.path.clone(), String::new(), problem.clone()]);
        }
        for file in &folder.files {
            let position = file.position.map(|it| it.to_string()).unwrap_or_default();
            let waits = file.waits.clone().unwrap_or_default();
            rows.push(vec![folder.connection.clone(), file.name.clone(), position, waits]);
        }
    }
    context.print_table(&["connection", "file", "position", "waits"], rows);
    Ok(Done::Well)
}

fn show(guessed: &crate::app::Guessed, context: &Context) {
    context.print_pairs(&[
        ("format", guessed.format.to_owned()),
        ("charset", guessed.charset.to_owned()),
        ("delimiter", guessed.delimiter.clone()),
        ("sheet", guessed.sheet.clone()),
        ("other-sheets", guessed.other_sheets.join(", ")),
        ("header-row", guessed.header_row.to_string()),
        ("rows", guessed.rows.to_string()),
        ("totals-rows", guessed.totals.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
    ]);
    let percent = |it: u8| format!("{it} %");
    let rows = guessed.columns.iter().map(|it| {
        let sure = if it.field.is_empty() { String::new() } else { percent(it.confidence) };
        let fits = if it.field.is_empty() { String::new() } else { percent(it.fits) };
        let by = context.word("by", &it.by);
        vec![it.column.clone(), it.field.clone(), by, sure, fits, it.filled.to_string(), it.samples.join(", ")]
    });
    println!();
    context.print_table(&["column", "field", "by", "confidence", "fits", "count", "samples"], rows.collect());
    println!();
    match &guessed.problem {
        Some(problem) => println!("{}", printable(problem)),
        None => println!("{}", context.say(&Message::new("cli-folder-fits"))),
    }
    println!("{}", context.say(&Message::new("cli-folder-draft").with("file", &guessed.mapping_file)));
}
