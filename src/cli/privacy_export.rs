//! `uzel privacy export`: what we know of a person, as a text for the person or as JSON.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value as Json;

use super::{Context, Done};
use crate::app::error::Told;
use crate::base::Message;
use crate::control::Client;
use crate::query::export::{ExportView, SpokenView};
use crate::query::views::FieldView;

/// Asks for everything of `client` and writes it to `out`, else to the terminal.
pub(super) async fn run(client: &str, out: Option<&Path>, context: &Context, daemon: &Client) -> anyhow::Result<Done> {
    let view: ExportView =
        daemon.get(&format!("privacy/{}/export", super::output::encoded(client)), context.locale).await?;
    let as_json = context.json || out.and_then(Path::extension).is_some_and(|it| it == "json");
    let text = match as_json {
        true => serde_json::to_string_pretty(&view)? + "\n",
        false => page(&view, context),
    };
    let Some(out) = out else {
        print!("{text}");
        return Ok(Done::Well);
    };
    // Personal data: for the owner only, and nothing that is there is written over.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            anyhow::Error::new(Told(Message::new("cli-privacy-export-there").with("file", out.display())))
        }
        _ => anyhow::Error::new(error).context(out.display().to_string()),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| out.display().to_string())?;
    let done = Message::new("cli-privacy-exported")
        .with("file", out.display())
        .with("clients", view.clients.len())
        .with("deals", view.deals.len())
        .with("records", view.records.len());
    println!("{}", context.say(&done));
    Ok(Done::Well)
}

/// The text, in Markdown: it is read as it is, and prints well.
fn page(view: &ExportView, context: &Context) -> String {
    let say = |id: &str| context.say(&Message::new(id));
    let mut page = format!("# {}\n\n", context.say(&Message::new("privacy-export-title").with("at", &view.made_at)));
    for client in &view.clients {
        section(&mut page, &format!("{} {}", client.line.id, client.line.name));
        fields(&mut page, &client.fields, context);
    }
    for deal in &view.deals {
        section(&mut page, &format!("{} {}: {}", say("privacy-export-deal"), deal.line.id, deal.line.title));
        line(&mut page, &say("cli-column-state"), &context.word("state", &deal.line.state));
        fields(&mut page, &deal.fields, context);
        for goods in &deal.lines {
            let _ = writeln!(page, "- {} × {} = {}", goods.name, goods.quantity, goods.sum);
        }
        line(&mut page, &say("cli-column-class"), deal.line.class.as_deref().unwrap_or_default());
        line(&mut page, &say("cli-column-why"), &deal.line.explanation);
    }
    if !view.documents.is_empty() {
        section(&mut page, &say("privacy-export-documents"));
        for it in &view.documents {
            let sum = it.sum.as_deref().unwrap_or_default();
            let _ = writeln!(page, "- {} {} {sum}", context.word("kind", &it.kind), it.number);
        }
    }
    if !view.tasks.is_empty() {
        section(&mut page, &say("privacy-export-tasks"));
        for it in &view.tasks {
            let _ = writeln!(page, "- {} ({}: {})", it.title, it.due, context.word("state", &it.state));
        }
    }
    if !view.interactions.is_empty() {
        section(&mut page, &say("privacy-export-interactions"));
        for it in &view.interactions {
            let kind = context.word("kind", &it.kind);
            let _ = writeln!(page, "- {} {kind}, {}: {}", it.at, it.source, it.subject);
            it.text.lines().for_each(|text| {
                let _ = writeln!(page, "  > {text}");
            });
        }
    }
    if !view.records.is_empty() {
        section(&mut page, &say("privacy-export-records"));
        view.records.iter().for_each(|it| record(&mut page, it));
    }
    if view.records_left_out > 0 {
        let left = Message::new("privacy-export-left-out").with("count", view.records_left_out);
        let _ = writeln!(page, "\n{}", context.say(&left));
    }
    if !view.elsewhere.is_empty() {
        section(&mut page, &say("privacy-export-elsewhere"));
        view.elsewhere.iter().for_each(|it| {
            let _ = writeln!(page, "- {it}");
        });
    }
    page
}

fn section(page: &mut String, title: &str) {
    let _ = write!(page, "\n## {title}\n\n");
}

fn line(page: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(page, "- {name}: {value}");
    }
}

fn fields(page: &mut String, fields: &[FieldView], context: &Context) {
    for field in fields {
        let name = context.word("field", &field.name);
        let _ = writeln!(page, "- {name}: {} ({}, {})", field.value, field.source, field.observed_at);
    }
}

fn record(page: &mut String, record: &SpokenView) {
    let SpokenView { record: at, at: when, connection, stream, outcome, said } = record;
    let _ = writeln!(page, "- {at}, {when}, {connection}/{stream}: {outcome}");
    leaves(page, "", said);
}

/// What was said, a line for each text.
fn leaves(page: &mut String, path: &str, said: &Json) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match said {
        Json::Null => {}
        Json::Object(members) => members.iter().for_each(|(name, value)| leaves(page, &below(name), value)),
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| leaves(page, &below(&at.to_string()), value))
        }
        Json::String(text) if text.trim().is_empty() => {}
        Json::String(text) => {
            let _ = writeln!(page, "  - {path}: {}", text.trim().replace('\n', " "));
        }
        Json::Bool(_) | Json::Number(_) => {
            let _ = writeln!(page, "  - {path}: {said}");
        }
    }
}
