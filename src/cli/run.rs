//! `uzel run`: the daemon, until it is told to stop.

use std::net::SocketAddr;

use super::{Context, Done};
use crate::app::{Daemon, Folder, interrupted, logging};

/// Arguments of `uzel run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    listen: Option<SocketAddr>,
    #[arg(long)]
    log_json: bool,
}

pub(super) async fn run(args: Args, context: &Context) -> anyhow::Result<Done> {
    logging::start(args.log_json);
    let folder = Folder::new(&context.folder);
    let daemon = Daemon::start(&folder, args.listen).await?;
    let interrupted = interrupted();
    println!("{}", daemon.address());
    tokio::select! {
        () = interrupted => {}
        () = daemon.failed() => {}
    }
    let failure = daemon.stop().await;
    match failure {
        None => Ok(Done::Well),
        Some(failure) => Err(anyhow::anyhow!(failure)),
    }
}
