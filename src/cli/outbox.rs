//! `uzel outbox`: what the sinks still have to be told.

use super::client::give;
use super::output::encoded;
use super::{Context, Done};
use crate::query::views::{OutboxView, Page};

/// Subcommands of `uzel outbox`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    List {
        #[arg(long)]
        sink: Option<String>,
        #[arg(long, value_parser = ["due", "held", "in_flight", "uncertain", "dead", "discarded"])]
        state: Option<String>,
        #[arg(long, default_value_t = 100, value_parser = super::rows_of_page())]
        limit: u64,
        #[arg(long)]
        after: Option<String>,
    },
    Resend {
        sink: String,
        #[arg(required_unless_present_any = ["all", "since", "dead"], conflicts_with_all = ["all", "since", "dead"])]
        object: Option<String>,
        #[arg(long)]
        all: bool,
        #[arg(long)]
        dead: bool,
        #[arg(long)]
        since: Option<String>,
        #[arg(long)]
        yes: bool,
    },
    Discard {
        sink: String,
        object: String,
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
        Sub::List { sink, state, limit, after } => {
            let mut path = format!("outbox?limit={limit}");
            for (name, value) in [("sink", sink), ("state", state), ("after", after)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", encoded(&value)));
                }
            }
            let page: Page<OutboxView> = client.get(&path, context.locale).await?;
            if context.json {
                context.print_json(&page)?;
                return Ok(Done::Well);
            }
            let rows = page.rows.iter().map(|it| {
                vec![
                    it.sink.clone(),
                    it.object.clone(),
                    it.title.clone(),
                    standing(it, context),
                    it.wanted_since.clone(),
                    it.attempts.to_string(),
                    it.reason.clone().unwrap_or_default(),
                ]
            });
            context.print_table(&["sink", "object", "title", "state", "since", "attempts", "reason"], rows.collect());
            context.print_next(page.next.as_ref());
        }
        Sub::Resend { sink, object: Some(object), .. } => {
            give(&format!("outbox/{}/{}/resend", encoded(&sink), encoded(&object)), context, client).await?;
        }
        Sub::Resend { sink, object: None, dead, since, yes, .. } => {
            let mut objects = open(&sink, dead, context, client).await?;
            if let Some(since) = since {
                let folder = crate::app::Folder::new(&context.folder);
                let since = super::replay::instant(&folder, &since)?;
                for object in told(&sink, since, context, client).await? {
                    if !objects.contains(&object) {
                        objects.push(object);
                    }
                }
            }
            let paths = objects
                .iter()
                .map(|object| (object.clone(), format!("outbox/{}/{}/resend", encoded(&sink), encoded(object))));
            super::bulk::give_all(paths.collect(), yes, context, client).await?;
        }
        Sub::Discard { sink, object } => {
            give(&format!("outbox/{}/{}/discard", encoded(&sink), encoded(&object)), context, client).await?;
        }
    }
    Ok(Done::Well)
}

/// Objects whose delivery to the sink is open; only dead letters when `dead`.
async fn open(
    sink: &str,
    dead: bool,
    context: &Context,
    client: &crate::control::Client,
) -> anyhow::Result<Vec<String>> {
    let state = if dead { "&state=dead" } else { "" };
    let mut objects = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let from = after.map(|after| format!("&after={}", encoded(&after))).unwrap_or_default();
        let path = format!("outbox?limit=1000&sink={}{state}{from}", encoded(sink));
        let page: Page<OutboxView> = client.get(&path, context.locale).await?;
        objects.extend(page.rows.into_iter().map(|row| row.object));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(objects),
        }
    }
}

/// Objects that the sink has confirmed since an instant.
async fn told(
    sink: &str,
    since: crate::base::Timestamp,
    context: &Context,
    client: &crate::control::Client,
) -> anyhow::Result<Vec<String>> {
    let mut objects = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let from = after.map(|after| format!("&after={}", encoded(&after))).unwrap_or_default();
        let path = format!("told/{}?limit=1000&since={}{from}", encoded(sink), since.0);
        let page: Page<String> = client.get(&path, context.locale).await?;
        objects.extend(page.rows);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(objects),
        }
    }
}

/// Its state, and whose fault a dead letter is.
fn standing(row: &OutboxView, context: &Context) -> String {
    let state = context.word("state", &row.state);
    match &row.fault {
        None => state,
        Some(fault) => format!("{state} ({fault})"),
    }
}
