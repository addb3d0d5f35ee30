//! The relay as a program: its folder, what the office exports for it, and the daemon.
//!
//! ```text
//! relay.toml         settings, written by people
//! connections.json   what the office exported: owner-only, replaced by `uzel relay init --from`
//! state.json         the name of the relay, how far the office is
//! journal/           what was acknowledged: the truth until the office has it
//! uzel.lock          one process owns the folder
//! ```

mod bundle;
mod daemon;
mod office;

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;

use bundle::Bundle;
pub use daemon::RelayDaemon;
pub(super) use office::puller;
pub use office::{Exported, export};

use super::Folder;
use super::error::{Problems, Told};
use super::folder::unusable;
use super::init::MadeAddress;
use super::intake;
use crate::base::clock::SystemClock;
use crate::base::limits::RELAY_SEGMENT_BYTES;
use crate::base::{Locale, Message, Problem, Slug};
use crate::config::{RelaySettings, relay_template};
use crate::connector::Transport;
use crate::journal::{Disk as _, Examination, Journal as _, Options, RealDisk, Segments};
use crate::relay::{RelayId, Standing};

/// Paths of a relay's folder.
#[derive(Debug, Clone)]
pub struct RelayFolder {
    root: PathBuf,
}

impl RelayFolder {
    /// The folder at `root`; nothing is read or made.
    pub fn new(root: &Path) -> RelayFolder {
        RelayFolder { root: root.to_owned() }
    }

    /// Whether a relay was made here.
    pub fn is_made(&self) -> bool {
        self.settings_file().exists()
    }

    fn settings_file(&self) -> PathBuf {
        self.root.join("relay.toml")
    }

    fn connections(&self) -> PathBuf {
        self.root.join("connections.json")
    }

    fn state(&self) -> PathBuf {
        self.root.join("state.json")
    }

    fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    fn settings(&self) -> anyhow::Result<RelaySettings> {
        let file = self.settings_file();
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).map_err(|error| {
            let message = Message::new("relay-no-settings").with("detail", error).with("folder", self.root.display());
            Problems(vec![Problem::new(name.clone(), 0, message)])
        })?;
        let read = RelaySettings::compile(&name, &text, &|variable| std::env::var(variable).ok());
        Ok(read.map_err(Problems)?)
    }

    fn standing(&self) -> anyhow::Result<Standing> {
        let missing = || Told(Message::new("relay-state-missing").with("path", self.state().display()));
        let standing = Standing::read(&self.state()).map_err(|error| Told(error.0))?;
        Ok(standing.ok_or_else(missing)?)
    }
}

/// How the journal of a relay is kept.
fn journal_options(settings: &RelaySettings) -> Options {
    Options {
        segment_bytes: RELAY_SEGMENT_BYTES,
        free_intake_bytes_min: settings.limits.free_space_bytes,
        ..Options::production(rand::random())
    }
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct MadeRelay {
    /// The settings file.
    pub settings_file: String,
    /// Whether it was written now; else it was there and is as it was.
    pub is_new: bool,
    /// Name of the relay.
    pub relay: String,
    /// Where senders reach it.
    pub addresses: Vec<MadeAddress>,
}

/// Makes the folder of a relay, or gives one that is there new connections. `renew` gives it another
/// name, after its journal was put back to an earlier state or its state was lost.
pub fn init(folder: &RelayFolder, from: &Path, renew: bool, locale: Locale) -> anyhow::Result<MadeRelay> {
    let bundle = Bundle::read(from)?;
    if Folder::new(&folder.root).settings_file().exists() {
        return Err(Told(Message::new("relay-office-folder").with("folder", folder.root.display())).into());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(&folder.root).map_err(|error| unusable(&folder.root, &error))?;
    let _lock = Folder::new(&folder.root).lock()?;
    let file = folder.settings_file();
    let is_new = !file.exists();
    if is_new {
        fs::write(&file, relay_template(locale, &bundle.address)).map_err(|error| unusable(&file, &error))?;
    }
    let settings = folder.settings()?;
    // What cannot serve is refused now, not at the start.
    intake::forms(&bundle.intakes, &settings.listen)?;
    let standing = Standing::read(&folder.state()).map_err(|error| Told(error.0));
    let standing = match (renew, standing) {
        (false, Ok(Some(standing))) => standing,
        (false, Err(error)) => return Err(error.into()),
        (false, Ok(None)) if has_entries(folder) => {
            return Err(Told(Message::new("relay-state-missing").with("path", folder.state().display())).into());
        }
        (true, _) | (false, Ok(None)) => Standing::new(RelayId::generate()),
    };
    // Order: the name first; connections without a name are not served.
    standing.write(&folder.state()).map_err(|error| Told(error.0))?;
    bundle.write(&folder.connections())?;
    Ok(MadeRelay {
        settings_file: file.display().to_string(),
        is_new,
        relay: standing.relay.to_string(),
        addresses: addresses(&bundle, &settings),
    })
}

fn has_entries(folder: &RelayFolder) -> bool {
    fs::read_dir(folder.journal()).is_ok_and(|mut entries| entries.next().is_some())
}

fn addresses(bundle: &Bundle, settings: &RelaySettings) -> Vec<MadeAddress> {
    let base = match settings.listen.public_url.is_empty() {
        true => format!("http://{}", settings.listen.address),
        false => settings.listen.public_url.clone(),
    };
    let address = |intake: &intake::Intake| {
        let is_webhook = intake.connector.source.as_ref().is_some_and(|it| it.transport == Transport::Webhook);
        let name = match &intake.connector.hints {
            Some(spec) if !is_webhook => spec.secret.as_str(),
            Some(_) | None => "secret",
        };
        let (_, kept) = intake.secrets.iter().find(|(held, _)| held == name)?;
        let address = format!("{base}/in/{}/{}", intake.name, kept.present.expose());
        let (connection, connector) = (intake.name.to_string(), intake.connector.slug.to_string());
        Some(MadeAddress { connection, connector, address, login: None, password: None })
    };
    bundle.intakes.iter().filter_map(address).collect()
}

/// A relay at a glance.
#[derive(Debug, Serialize)]
pub struct RelayStatus {
    /// Its name.
    pub relay: String,
    /// Whether its daemon runs.
    pub running: bool,
    /// How the world reaches it.
    pub address: String,
    /// Connections for which it takes messages.
    pub connections: Vec<Slug>,
    /// The oldest position it keeps.
    pub first: u64,
    /// Its newest.
    pub head: u64,
    /// What the office has confirmed.
    pub confirmed: u64,
    /// What the office has still to take.
    pub waiting: u64,
    /// When the office asked last, UTC.
    pub contact: Option<String>,
    /// Free space on the disk of the journal, MiB.
    pub free_mib: u64,
    /// Whether that is too little to take more.
    pub is_full: bool,
}

/// Looks at a relay's folder, also while its daemon runs.
pub fn status(folder: &RelayFolder) -> anyhow::Result<RelayStatus> {
    let settings = folder.settings()?;
    let bundle = Bundle::read(&folder.connections())?;
    let standing = folder.standing()?;
    let running = Folder::new(&folder.root).lock().is_err();
    let options = Options { examination: Examination::Last, ..journal_options(&settings) };
    let journal = folder.journal();
    let disk = Arc::new(RealDisk);
    let free = disk.free_bytes(&folder.root).map_err(|error| unusable(&folder.root, &error))?;
    let (first, head) = match journal.exists() {
        true => {
            let (segments, _) = Segments::open_read_only(disk, &journal, Arc::new(SystemClock), options)?;
            (segments.first().0, segments.head().0)
        }
        false => (1, 0),
    };
    Ok(RelayStatus {
        relay: standing.relay.to_string(),
        running,
        address: settings.listen.public_url.clone(),
        connections: bundle.intakes.iter().map(|intake| intake.name.clone()).collect(),
        first,
        head,
        confirmed: standing.confirmed.0,
        waiting: head.saturating_sub(standing.confirmed.0),
        contact: standing.contact.map(|at| at.to_string()),
        free_mib: free / (1024 * 1024),
        is_full: free < settings.limits.free_space_bytes,
    })
}
