//! `uzel page`: links to the page of the head of sales.

use super::output::encoded;
use super::{Context, Done};
use crate::base::Message;
use crate::base::limits::PAGE_LINK_DAYS_MAX;
use crate::control::{MadeLinkView, PageLinkView, RevokedView};

/// Subcommands of `uzel page`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Link {
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=PAGE_LINK_DAYS_MAX))]
        days: u64,
        #[arg(long = "for", default_value = "")]
        name: String,
    },
    Links,
    Revoke {
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<u32>,
        #[arg(long)]
        all: bool,
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
        Sub::Link { days, name } => {
            let path = format!("page/links?days={days}&for={}", encoded(&name));
            let made: MadeLinkView = client.post(&path, context.locale).await?;
            if context.json {
                context.print_json(&made)?;
                return Ok(Done::Well);
            }
            let message = Message::new("cli-page-made").with("id", made.link.id).with("expires", &made.link.expires);
            println!("{}", context.say(&message));
            println!("{}", made.url);
            if !made.is_public {
                eprintln!("{}", context.say(&Message::new("cli-page-local")));
            }
        }
        Sub::Links => {
            let links: Vec<PageLinkView> = client.get("page/links", context.locale).await?;
            if context.json {
                context.print_json(&links)?;
                return Ok(Done::Well);
            }
            let row = |it: PageLinkView| vec![it.id.to_string(), it.name, it.made, it.expires];
            let columns = ["link", "link-name", "link-made", "link-expires"];
            context.print_table(&columns, links.into_iter().map(row).collect());
        }
        Sub::Revoke { id, all: _ } => {
            let path = match id {
                Some(id) => format!("page/links/{id}/revoke"),
                None => "page/revoke".to_owned(),
            };
            let revoked: RevokedView = client.post(&path, context.locale).await?;
            if context.json {
                context.print_json(&revoked)?;
                return Ok(Done::Well);
            }
            println!("{}", context.say(&Message::new("cli-page-revoked").with("count", revoked.revoked)));
        }
    }
    Ok(Done::Well)
}
