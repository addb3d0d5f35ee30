//! `uzel task`: what people have to do, until when, and why.

use super::client::give;
use super::output::encoded;
use super::{Context, Done};
use crate::query::views::{Page, TaskLine, TaskView};

/// Subcommands of `uzel task`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long, default_value = "open", value_parser = ["open", "overdue", "done", "cancelled", "all"])]
        state: String,
        #[arg(long)]
        responsible: Option<String>,
        #[arg(long, default_value_t = 100, value_parser = super::rows_of_page())]
        limit: u64,
        #[arg(long)]
        after: Option<String>,
    },
    Show {
        id: String,
    },
    Done {
        id: String,
        #[arg(long, default_value = "")]
        note: String,
    },
    Cancel {
        id: String,
        #[arg(long, default_value = "")]
        reason: String,
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
        Sub::List { state, responsible, limit, after } => {
            let mut path = format!("tasks?limit={limit}&state={state}");
            for (name, value) in [("responsible", responsible), ("after", after)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", encoded(&value)));
                }
            }
            let page: Page<TaskLine> = client.get(&path, context.locale).await?;
            match context.json {
                true => context.print_json(&page)?,
                false => {
                    context.print_table(&COLUMNS, rows(&page.rows, context));
                    context.print_next(page.next.as_ref());
                }
            }
        }
        Sub::Show { id } => {
            let view: TaskView = client.get(&format!("tasks/{}", encoded(&id)), context.locale).await?;
            match context.json {
                true => context.print_json(&view)?,
                false => show(&view, context),
            }
        }
        Sub::Done { id, note } => {
            let path = format!("tasks/{}/done?reason={}", encoded(&id), encoded(&note));
            give(&path, context, client).await?;
        }
        Sub::Cancel { id, reason } => {
            let path = format!("tasks/{}/cancel?reason={}", encoded(&id), encoded(&reason));
            give(&path, context, client).await?;
        }
    }
    Ok(Done::Well)
}

/// Columns of [`rows`].
pub(super) const COLUMNS: [&str; 7] = ["id", "task-due", "state", "responsible", "client", "deal", "title"];

/// Rows of a table of tasks.
pub(super) fn rows(lines: &[TaskLine], context: &Context) -> Vec<Vec<String>> {
    let row = |it: &TaskLine| {
        vec![
            it.id.clone(),
            it.due.clone(),
            state(it, context),
            it.responsible.clone().unwrap_or_default(),
            it.client_name.clone(),
            it.deal.clone().unwrap_or_default(),
            it.title.clone(),
        ]
    };
    lines.iter().map(row).collect()
}

fn state(line: &TaskLine, context: &Context) -> String {
    context.word("task-state", if line.is_overdue { "overdue" } else { &line.state })
}

fn show(view: &TaskView, context: &Context) {
    let line = &view.line;
    context.print_pairs(&[
        ("id", line.id.clone()),
        ("title", line.title.clone()),
        ("state", state(line, context)),
        ("task-due", line.due.clone()),
        ("responsible", line.responsible.clone().unwrap_or_default()),
        ("client", [line.client.clone().unwrap_or_default(), line.client_name.clone()].join(" ").trim().to_owned()),
        ("deal", line.deal.clone().unwrap_or_default()),
        ("task-created", line.created_at.clone()),
        ("task-renewals", if line.renewals == 0 { String::new() } else { line.renewals.to_string() }),
        ("task-rule", view.rule.clone()),
        ("record", view.record.clone()),
        ("task-ended", view.ended_at.clone().unwrap_or_default()),
        ("result", view.result.clone().unwrap_or_default()),
    ]);
    super::deal::print_sinks(&view.sinks, context);
}
