//! `uzel quarantine`: records that wait for a person or a corrected mapping.

use super::client::give;
use super::output::{encoded, printable};
use super::{Context, Done};
use crate::query::views::{Page, QuarantineView};

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
        #[arg(required_unless_present_any = ["all", "stream", "since"], conflicts_with_all = ["all", "stream", "since"])]
        record: Option<String>,
        #[arg(long)]
        all: bool,
        #[arg(long)]
        stream: Option<String>,
        #[arg(long)]
        since: Option<String>,
    },
    Accept {
        record: String,
    },
    Discard {
        #[arg(required_unless_present_any = ["all", "stream", "since"], conflicts_with_all = ["all", "stream", "since"])]
        record: Option<String>,
        #[arg(long)]
        all: bool,
        #[arg(long)]
        stream: Option<String>,
        #[arg(long)]
        since: Option<String>,
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long)]
        yes: bool,
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
        Sub::Retry { record: None, stream, since, .. } => {
            let records = waiting(stream.as_deref(), since.as_deref(), context, client).await?;
            let paths = records.into_iter().map(|record| {
                let path = format!("quarantine/{}/retry", encoded(&record));
                (record, path)
            });
            // A retry loses nothing: what does not read stays in quarantine.
            super::bulk::give_all(paths.collect(), true, context, client).await?;
        }
        Sub::Accept { record } => {
            give(&format!("quarantine/{}/accept", encoded(&record)), context, client).await?;
        }
        Sub::Discard { record: None, stream, since, reason, yes, .. } => {
            let records = waiting(stream.as_deref(), since.as_deref(), context, client).await?;
            let paths = records.into_iter().map(|record| {
                let path = format!("quarantine/{}/discard?reason={}", encoded(&record), encoded(&reason));
                (record, path)
            });
            super::bulk::give_all(paths.collect(), yes, context, client).await?;
        }
        Sub::Discard { record: Some(record), reason, .. } => {
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

/// Records that are in quarantine now: of one stream (`lead`, `site/lead`), or since an instant.
async fn waiting(
    stream: Option<&str>,
    since: Option<&str>,
    context: &Context,
    client: &crate::control::Client,
) -> anyhow::Result<Vec<String>> {
    let since = match since {
        None => None,
        Some(text) => {
            let folder = crate::app::Folder::new(&context.folder);
            let zone = folder.settings().map_err(crate::app::error::Problems)?.company.zone;
            let at = super::replay::instant(&folder, text)?;
            // As rows show it: the same zone, the same order of digits.
            Some(at.to_jiff().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
    };
    let fits = |row: &QuarantineView| {
        let is_of = |wanted: &str| row.stream == wanted || format!("{}/{}", row.connection, row.stream) == wanted;
        stream.is_none_or(is_of) && since.as_ref().is_none_or(|since| row.at >= *since)
    };
    let mut records = Vec::new();
    let mut after = None;
    loop {
        let page = list(context, client, 1_000, after).await?;
        records.extend(page.rows.into_iter().filter(|row| fits(row)).map(|row| row.record));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(records),
        }
    }
}
