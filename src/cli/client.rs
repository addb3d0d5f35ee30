//! `uzel client`: who they are, and why.

use super::output::encoded;
use super::{Context, Done};
use crate::query::views::{ClientLine, ClientView, CommandView, Page};

/// Subcommands of `uzel client`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long, short = 's')]
        search: Option<String>,
        #[arg(long, default_value_t = 100, value_parser = super::rows_of_page())]
        limit: u64,
        #[arg(long)]
        after: Option<String>,
    },
    Show {
        id: String,
    },
    Merge {
        winner: String,
        loser: String,
    },
    Split {
        winner: String,
        loser: String,
    },
    Edit {
        id: String,
        #[arg(value_name = "FIELD=VALUE", required_unless_present = "release")]
        set: Vec<String>,
        #[arg(long, value_name = "FIELD")]
        release: Vec<String>,
    },
    Why {
        id: String,
        other: Option<String>,
    },
    Where {
        id: String,
        field: Option<String>,
    },
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let connected = context.connect().await?;
    let done = with(sub, context, &connected.client).await;
    connected.close().await;
    done
}

async fn with(sub: Sub, context: &Context, client: &crate::control::Client) -> anyhow::Result<Done> {
    match sub {
        Sub::List { search, limit, after } => {
            let mut path = format!("clients?limit={limit}");
            for (name, value) in [("search", search), ("after", after)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", encoded(&value)));
                }
            }
            let page: Page<ClientLine> = client.get(&path, context.locale).await?;
            if context.json {
                context.print_json(&page)?;
                return Ok(Done::Well);
            }
            let rows = page.rows.iter().map(|it| {
                vec![
                    it.id.clone(),
                    it.name.clone(),
                    it.class.clone().unwrap_or_default(),
                    it.contacts.join("\n"),
                    it.inn.clone().unwrap_or_default(),
                    it.deals.to_string(),
                ]
            });
            context.print_table(&["id", "name", "class", "contacts", "inn", "deals"], rows.collect());
            context.print_next(page.next.as_ref());
        }
        Sub::Show { id } => {
            let view: ClientView = client.get(&format!("clients/{}", encoded(&id)), context.locale).await?;
            if context.json {
                context.print_json(&view)?;
                return Ok(Done::Well);
            }
            show(&view, context);
        }
        Sub::Merge { winner, loser } => {
            give(&format!("clients/{}/merge/{}", encoded(&winner), encoded(&loser)), context, client).await?;
        }
        Sub::Split { winner, loser } => {
            give(&format!("clients/{}/split/{}", encoded(&winner), encoded(&loser)), context, client).await?;
        }
        Sub::Edit { id, set, release } => {
            super::explain::edit(&format!("clients/{}/edit", encoded(&id)), &set, release, context, client).await?;
        }
        Sub::Why { id, other } => super::explain::why(&id, other.as_deref(), context, client).await?,
        Sub::Where { id, field } => {
            super::explain::whence(&format!("clients/{}/where", encoded(&id)), field.as_deref(), context, client)
                .await?;
        }
    }
    Ok(Done::Well)
}

/// Gives a command and prints what came of it.
pub(super) async fn give(path: &str, context: &Context, client: &crate::control::Client) -> anyhow::Result<()> {
    let view: CommandView = client.post(path, context.locale).await?;
    match context.json {
        true => context.print_json(&view),
        false => {
            println!("{}", view.result);
            Ok(())
        }
    }
}

/// The same for a command that says more than its path.
pub(super) async fn give_with(
    path: &str,
    body: &impl serde::Serialize,
    context: &Context,
    client: &crate::control::Client,
) -> anyhow::Result<()> {
    let view: CommandView = client.post_with(path, body, context.locale).await?;
    match context.json {
        true => context.print_json(&view),
        false => {
            println!("{}", view.result);
            Ok(())
        }
    }
}

fn show(view: &ClientView, context: &Context) {
    context.print_pairs(&[
        ("id", view.line.id.clone()),
        ("name", view.line.name.clone()),
        ("kind", context.word("kind", &view.line.kind)),
        ("class", view.line.class.clone().unwrap_or_default()),
        ("known-since", view.known_since.clone()),
        ("merged-into", view.merged_into.clone().unwrap_or_default()),
        ("contacts", view.line.contacts.join(", ")),
    ]);
    super::deal::print_fields(&view.fields, context);
    let merged =
        view.merged.iter().map(|merge| vec![merge.loser.clone(), merge.position.to_string(), merge.why.join("; ")]);
    context.print_section("merged", &["id", "position", "why"], merged.collect());
    super::deal::print_foreign(&view.foreign, context);
    context.print_section("deals", &super::deal::COLUMNS, super::deal::rows(&view.open_deals, context));
    context.print_section("tasks", &super::task::COLUMNS, super::task::rows(&view.open_tasks, context));
    super::deal::print_documents(&view.documents, context);
    let interactions = view.interactions.iter().map(|it| {
        let kind = context.word("kind", &it.kind);
        let who = it.who.clone().unwrap_or_default();
        let text = [it.result.as_str(), it.text.as_str()].into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>();
        vec![it.at.clone(), kind, it.source.clone(), it.record.clone(), who, it.subject.clone(), text.join("; ")]
    });
    let columns = ["at", "kind", "source", "record", "who", "subject", "text"];
    context.print_section("interactions", &columns, interactions.collect());
    super::deal::print_sinks(&view.sinks, context);
}
