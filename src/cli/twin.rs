//! `uzel twin`: fakes of foreign systems, for trying things out without the real ones.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{Context, Done};
use crate::app::TwinOrder;
use crate::app::error::Told;
use crate::base::Message;

/// Subcommands of `uzel twin`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Sub {
    Bitrix24(Bitrix24),
}

/// Arguments of `uzel twin bitrix24`.
#[derive(Debug, clap::Args)]
pub(super) struct Bitrix24 {
    #[arg(long, default_value = "127.0.0.1:8691")]
    listen: SocketAddr,
    #[arg(long)]
    state: Option<PathBuf>,
    #[arg(long, default_value = "twinsecret0000000000")]
    secret: String,
    #[arg(long, default_value_t = 2)]
    rate: u32,
    #[arg(long, default_value_t = 50)]
    burst: u32,
    #[arg(long, default_value_t = 0)]
    contacts: u64,
    #[arg(long, default_value_t = 0)]
    deals: u64,
    #[arg(long, default_value = "professional", value_parser = ["free", "basic", "professional"])]
    edition: String,
}

pub(super) async fn run(sub: Sub, context: &Context) -> anyhow::Result<Done> {
    let Sub::Bitrix24(args) = sub;
    let running = crate::app::start_bitrix24_twin(TwinOrder {
        listen: args.listen,
        state: args.state,
        secret: args.secret,
        rate: args.rate,
        burst: args.burst,
        contacts: args.contacts,
        deals: args.deals,
        edition: args.edition,
    })
    .await?;
    let interrupted = crate::app::interrupted();
    println!("{}", context.say(&Message::new("cli-twin-listens").with("url", running.url())));
    interrupted.await;
    running.shut_down().await.map_err(|error| Told(error.message().clone()))?;
    Ok(Done::Well)
}
