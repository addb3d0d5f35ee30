//! Twins, as the command line starts them.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::error::Told;
use crate::base::clock::SystemClock;
use crate::base::{Clock, Secret};
use crate::twin::bitrix24::{Bitrix24Twin, BucketLimit, Edition, Growth, Limits, Options, RunningTwin};

/// A running twin.
pub type TwinRunning = RunningTwin;

/// What the command line asked for.
#[derive(Debug, Clone)]
pub struct TwinOrder {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the state is kept.
    pub state: Option<PathBuf>,
    /// The secret part of the webhook's address.
    pub secret: String,
    /// Requests a second.
    pub rate: u32,
    /// Requests at once.
    pub burst: u32,
    /// Contacts that are there from the start.
    pub contacts: u64,
    /// Deals that are there from the start.
    pub deals: u64,
    /// The plan: `free`, `basic`, `professional`.
    pub edition: String,
}

impl TwinOrder {
    /// An empty portal with the ordinary limits, kept nowhere.
    pub fn small(listen: SocketAddr, secret: &str) -> TwinOrder {
        TwinOrder {
            listen,
            state: None,
            secret: secret.to_owned(),
            rate: 2,
            burst: 50,
            contacts: 0,
            deals: 0,
            edition: "professional".to_owned(),
        }
    }
}

/// Three years in seconds: how old a portal with objects from the start is.
const AGE_S: i64 = 3 * 365 * 86_400;

/// Starts the twin of Bitrix24.
pub async fn start_bitrix24_twin(order: TwinOrder) -> anyhow::Result<TwinRunning> {
    let bucket = Some(BucketLimit { drain_per_s: order.rate, size: order.burst });
    let limits = Limits { bucket, ..Limits::cloud() };
    let mut options = Options { state_file: order.state, limits, ..Options::new(Secret::new(order.secret)) };
    options.portal.edition = Edition::named(&order.edition).unwrap_or_else(Edition::professional);
    let to_s = SystemClock.now().seconds();
    let (contacts, deals) = (order.contacts, order.deals);
    options.portal.grow(&Growth { contacts, deals, from_s: to_s - AGE_S, to_s, ..Growth::default() });
    Ok(Bitrix24Twin::start(options, order.listen).await.map_err(|error| Told(error.message().clone()))?)
}
