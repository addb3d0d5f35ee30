//! `uzel demo`: a day in a minute. A daemon on an embedded store, the twin of Bitrix24 as the CRM,
//! a 1C base and a site that send what the input file says; then everything is read back, from our
//! store and from the twin, and held against the input.

mod check;
mod input;
mod send;

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

pub use check::Check;
pub use input::Input;

use super::init::{self, Order};
use super::{Daemon, Folder, TwinOrder, TwinRunning, start_bitrix24_twin};
use crate::base::limits::DEMO_WAIT_MS;
use crate::base::{Locale, Secret};
use crate::config::{NewConnection, NewSettings};
use crate::control::Client;
use crate::query::Listing;
use crate::query::views::{ClientLine, DealLine, EntryView, TotalsView};

/// The input that is built in.
pub const BUILT_IN: &str = include_str!("../../../examples/demo.toml");

/// The pipeline that the deals of the worked example are put into.
pub const PIPELINE: &str = "Пример";

/// Everything the demo shows, and whether it is true.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Envelopes and attempts in the journal, the oldest first.
    pub arrived: Vec<EntryView>,
    /// Clients.
    pub clients: Vec<ClientLine>,
    /// Deals of the worked example.
    pub example: Vec<DealLine>,
    /// Its total lines.
    pub example_totals: Vec<TotalsView>,
    /// All deals.
    pub deals: Vec<DealLine>,
    /// Total lines of all deals.
    pub totals: Vec<TotalsView>,
    /// Deals as the twin holds them, by our id.
    pub twin: Vec<check::TwinDeal>,
    /// What was held against what.
    pub checks: Vec<Check>,
}

impl Shown {
    /// Whether all of it is true.
    pub fn is_true(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}

/// A demo at work: daemon and twin stay up until it is stopped.
pub struct Demo {
    daemon: Daemon,
    twin: TwinRunning,
    _temporary: Option<TemporaryFolder>,
    folder: Folder,
}

/// A folder that goes when the demo ends.
struct TemporaryFolder(std::path::PathBuf);

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // The demo is over either way; what is left lies in the system's temporary folder.
        let _removed = std::fs::remove_dir_all(&self.0);
    }
}

impl Demo {
    /// Starts twin and daemon; over `keep`, or a temporary folder.
    pub async fn start(keep: Option<&Path>, locale: Locale) -> anyhow::Result<Demo> {
        let temporary = match keep {
            Some(_) => None,
            None => {
                let name = format!("uzel-demo-{:08x}", rand::random::<u32>());
                Some(TemporaryFolder(std::env::temp_dir().join(name)))
            }
        };
        let root = match (keep, &temporary) {
            (Some(keep), _) => keep.to_owned(),
            (None, Some(temporary)) => temporary.0.clone(),
            (None, None) => std::env::temp_dir(),
        };
        let folder = Folder::new(&root);
        let secret = Secret::generate();
        let any = "127.0.0.1:0".parse()?;
        let twin = start_bitrix24_twin(TwinOrder::small(any, secret.expose())).await?;
        let new = NewSettings {
            locale,
            company: String::new(),
            zone: "Europe/Moscow".to_owned(),
            own_inns: Vec::new(),
            public_url: String::new(),
            connections: vec![
                NewConnection::new("site", "forms", &[]),
                NewConnection::new("deals", "forms", &[]),
                NewConnection::new("tilda", "tilda", &[]),
                NewConnection::new("1c", "commerceml", &[]),
                NewConnection::new("bitrix24", "bitrix24", &["mode = \"live\"", "allow_private = true"]),
            ],
        };
        let webhook = Some(Secret::new(twin.url()));
        init::init(&folder, Order { new, secrets: Vec::new(), webhook, found: None, employees: false })?;
        let daemon = Daemon::start(&folder, Some(any)).await?;
        Ok(Demo { daemon, twin, _temporary: temporary, folder })
    }

    /// Where the daemon listens.
    pub fn address(&self) -> String {
        self.daemon.address()
    }

    /// Webhook of the twin.
    pub fn twin_address(&self) -> String {
        self.twin.page("state")
    }

    /// The folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Sends the input, waits until the CRM knows it, reads everything back.
    pub async fn play(&self, input: &Input, locale: Locale) -> anyhow::Result<Shown> {
        let core = self.daemon.core();
        let mut checks = send::send(self, input).await?;
        core.caught_up().await?;
        checks.push(self.delivered().await?);
        let client = Client::Local(core.router());
        let (clients, deals) = (self.all_clients(&client, locale).await?, self.all_deals(&client, locale).await?);
        let example: Vec<DealLine> = deals.iter().filter(|deal| deal.pipeline == PIPELINE).cloned().collect();
        let query = core.control(Default::default()).query;
        let listing = Listing { rows_max: crate::base::limits::PAGE_ROWS_MAX, ..Listing::default() };
        let mut arrived = query.journal(&listing)?.rows;
        arrived.reverse();
        let twin = check::twin_deals(&self.twin)?;
        let mut shown = Shown {
            arrived,
            clients,
            example,
            example_totals: query.totals(Some(PIPELINE))?,
            deals,
            totals: query.totals(None)?,
            twin,
            checks,
        };
        let found = check::all(self, input, &shown)?;
        shown.checks.extend(found);
        Ok(shown)
    }

    async fn all_clients(&self, client: &Client, locale: Locale) -> anyhow::Result<Vec<ClientLine>> {
        let page: crate::query::views::Page<ClientLine> = client.get("clients?limit=1000", locale).await?;
        Ok(page.rows)
    }

    async fn all_deals(&self, client: &Client, locale: Locale) -> anyhow::Result<Vec<DealLine>> {
        let page: crate::query::views::Page<DealLine> = client.get("deals?limit=1000", locale).await?;
        Ok(page.rows)
    }

    /// Waits until nothing is left in the outbox, or only what a person must look at.
    async fn delivered(&self) -> anyhow::Result<Check> {
        let core = self.daemon.core();
        let query = core.control(Default::default()).query;
        let listing = Listing { rows_max: 100, ..Listing::default() };
        let mut applied = core.pipeline.applied();
        let wait = async {
            loop {
                applied.borrow_and_update();
                let open = query.outbox(&listing)?.rows;
                if open.iter().all(|row| row.state == "dead" || row.state == "discarded") {
                    return anyhow::Ok(open);
                }
                // Each answer of the CRM is an entry: the outbox changes when one is applied.
                applied.changed().await?;
            }
        };
        let open = match tokio::time::timeout(Duration::from_millis(DEMO_WAIT_MS), wait).await {
            Ok(open) => open?,
            Err(_) => query.outbox(&listing)?.rows,
        };
        let detail =
            open.iter().map(|row| format!("{} {} {}", row.object, row.state, row.reason.clone().unwrap_or_default()));
        Ok(Check::new("demo-check-delivered", open.is_empty(), detail.collect::<Vec<_>>().join("; ")))
    }

    /// Stops daemon and twin.
    pub async fn stop(self) -> Option<String> {
        let failure = self.daemon.stop().await;
        // The demo is over: a twin that stops badly harms nobody.
        let _stopped = self.twin.shut_down().await;
        failure
    }
}
