//! `uzel quarantine`: records that wait for a person or a corrected mapping.

use super::client::give;
use super::output::{encoded, printable};
use super::{Context, Done};
use crate::query::views::{CommandView, Page, QuarantineView};

/// Subcommands of `uzel quarantine`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long, default_value_t = 100, value_parser = super::rows_of_page())]
        limit: u64,
        #[arg(long)]
        after: Option<String>,
    },
    Show {
        record: String,
    },
    Retry {
        #[arg(required_unless_present = "all")]
        record: Option<String>,
        #[arg(long, conflicts_with = "record")]
        all: bool,
    },
    Accept {
        record: String,
    },
    Discard {
        record: String,
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
        Sub::List { limit, after } => {
            let page = list(context, client, limit, after).await?;
            if context.json {
                context.print_json(&page)?;
                return Ok(Done::Well);
            }
            let rows = page.rows.iter().map(|it| {
                vec![it.record.clone(), it.connection.clone(), it.stream.clone(), it.at.clone(), it.reason.clone()]
            });
            context.print_table(&["record", "connection", "stream", "at", "reason"], rows.collect());
            context.print_next(page.next.as_ref());
        }
        Sub::Show { record } => {
            let view: QuarantineView = client.get(&format!("quarantine/{}", encoded(&record)), context.locale).await?;
            if context.json {
                context.print_json(&view)?;
                return Ok(Done::Well);
            }
            context.print_pairs(&[
                ("record", view.record.clone()),
                ("connection", view.connection.clone()),
                ("stream", view.stream.clone()),
                ("at", view.at.clone()),
                ("reason", view.reason.clone()),
                ("retries", view.retries.to_string()),
            ]);
            if let Some(body) = &view.body {
                println!("\n{}", printable(body));
            }
        }
        Sub::Retry { record: Some(record), .. } => {
            give(&format!("quarantine/{}/retry", encoded(&record)), context, client).await?;
        }
        Sub::Retry { record: None, .. } => return retry_all(context, client).await,
        Sub::Accept { record } => {
            give(&format!("quarantine/{}/accept", encoded(&record)), context, client).await?;
        }
        Sub::Discard { record, reason } => {
            let path = format!("quarantine/{}/discard?reason={}", encoded(&record), encoded(&reason));
            give(&path, context, client).await?;
        }
    }
    Ok(Done::Well)
}

async fn list(
    context: &Context,
    client: &crate::control::Client,
    limit: u64,
    after: Option<String>,
) -> anyhow::Result<Page<QuarantineView>> {
    let mut path = format!("quarantine?limit={limit}");
    if let Some(after) = after {
        path.push_str(&format!("&after={}", encoded(&after)));
    }
    Ok(client.get(&path, context.locale).await?)
}

/// What came of one record of `retry --all`.
#[derive(Debug, serde::Serialize)]
struct Retried {
    record: String,
    #[serde(flatten)]
    answer: CommandView,
}

/// Every record that was in quarantine when the command began, once.
async fn retry_all(context: &Context, client: &crate::control::Client) -> anyhow::Result<Done> {
    let mut retried = Vec::new();
    let mut after = None;
    loop {
        let page = list(context, client, 100, after).await?;
        for row in page.rows {
            let path = format!("quarantine/{}/retry", encoded(&row.record));
            let answer: CommandView = client.post(&path, context.locale).await?;
            retried.push(Retried { record: row.record, answer });
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    match context.json {
        true => context.print_json(&retried)?,
        false => {
            let rows = retried.into_iter().map(|it| vec![it.record, it.answer.result]);
            context.print_table(&["record", "result"], rows.collect());
        }
    }
    Ok(Done::Well)
}
