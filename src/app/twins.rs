//! Twins, as the command line starts them.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::error::Told;
use crate::base::Secret;
use crate::twin::bitrix24::{Bitrix24Twin, BucketLimit, Limits, Options, RunningTwin};

/// A running twin.
pub type TwinRunning = RunningTwin;

/// Starts the twin of Bitrix24.
pub async fn start_bitrix24_twin(
    listen: SocketAddr,
    state: Option<PathBuf>,
    secret: &str,
    rate: u32,
    burst: u32,
) -> anyhow::Result<TwinRunning> {
    let bucket = Some(BucketLimit { drain_per_s: rate, size: burst });
    let limits = Limits { bucket, ..Limits::cloud() };
    let options = Options { state_file: state, limits, ..Options::new(Secret::new(secret)) };
    Ok(Bitrix24Twin::start(options, listen).await.map_err(|error| Told(error.message().clone()))?)
}
