//! Fields by hand, and explanations: what `uzel client` and `uzel deal` have in common.

use super::output::encoded;
use super::{Context, client::give_with};
use crate::app::error::Told;
use crate::base::Message;
use crate::control::{Client, Edit};
use crate::query::{WhereView, WhyView};

/// Sets fields and lets go of others.
pub(super) async fn edit(
    path: &str,
    set: &[String],
    release: Vec<String>,
    context: &Context,
    client: &Client,
) -> anyhow::Result<()> {
    let mut edit = Edit { release, ..Edit::default() };
    for pair in set {
        let (name, value) = pair.split_once('=').ok_or_else(|| Told(Message::new("edit-pair").with("text", pair)))?;
        if edit.set.insert(name.trim().to_owned(), value.to_owned()).is_some() {
            return Err(Told(Message::new("edit-twice").with("field", name)).into());
        }
    }
    give_with(path, &edit, context, client).await
}

/// Why the records of a client are one client; with another, whether the two are one.
pub(super) async fn why(id: &str, other: Option<&str>, context: &Context, client: &Client) -> anyhow::Result<()> {
    let with = other.map(|other| format!("?with={}", encoded(other))).unwrap_or_default();
    let view: WhyView = client.get(&format!("clients/{}/why{with}", encoded(id)), context.locale).await?;
    if context.json {
        return context.print_json(&view);
    }
    context.print_pairs(&[("id", view.client.clone()), ("name", view.name.clone())]);
    if let Some(same) = view.same {
        println!("{}", context.say(&Message::new(if same { "explain-same" } else { "explain-two" })));
        view.between.iter().for_each(|line| println!("  {line}"));
    }
    let merges = view.merges.iter().map(|it| vec![it.loser.clone(), it.position.to_string(), it.why.join("\n")]);
    context.print_section("merged", &["id", "position", "why"], merges.collect());
    let records = view.records.iter().enumerate().map(|(index, it)| {
        let source = format!("{}/{}", it.connection, it.stream);
        let why = match (index, it.keys.is_empty()) {
            (0, _) => context.say(&Message::new("explain-first")),
            (_, true) => context.say(&Message::new("explain-no-key")),
            (_, false) => it.keys.join("\n"),
        };
        vec![it.record.clone(), it.at.clone(), source, why]
    });
    context.print_section("records-of-client", &["record", "at", "source", "why"], records.collect());
    if view.records_left_out > 0 {
        println!("{}", context.say(&Message::new("explain-left-out").with("count", view.records_left_out)));
    }
    let ignored = view.ignored.iter().map(|text| vec![text.clone()]);
    context.print_section("ignored", &["text"], ignored.collect());
    let not_same = view.not_same.iter().map(|id| vec![id.clone()]);
    context.print_section("not-same", &["id"], not_same.collect());
    Ok(())
}

/// Where the fields of an object come from.
pub(super) async fn whence(path: &str, field: Option<&str>, context: &Context, client: &Client) -> anyhow::Result<()> {
    let asked = field.map(|field| format!("?field={}", encoded(field))).unwrap_or_default();
    let view: WhereView = client.get(&format!("{path}{asked}"), context.locale).await?;
    if context.json {
        return context.print_json(&view);
    }
    context.print_pairs(&[("id", view.object.clone())]);
    let mut rows = Vec::new();
    for it in &view.fields {
        let field = &it.field;
        rows.push(vec![
            context.word("field", &field.name),
            field.value.clone(),
            source(&field.source, context),
            field.position.to_string(),
            field.observed_at.clone(),
            it.rule.clone(),
        ]);
        for lost in &it.lost {
            rows.push(vec![
                String::new(),
                format!("({})", lost.value),
                source(&lost.source, context),
                lost.record.clone(),
                lost.observed_at.clone(),
                lost.why.clone(),
            ]);
        }
    }
    context.print_section("fields", &["field", "value", "source", "position", "observed", "why"], rows);
    Ok(())
}

fn source(name: &str, context: &Context) -> String {
    match name {
        "person" => context.say(&Message::new("explain-person")),
        name => name.to_owned(),
    }
}
