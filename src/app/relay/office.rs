//! The office's side: what it gives to a relay, and the task that pulls.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::bundle::Bundle;
use crate::app::error::{Problems, Told};
use crate::app::sources::secret;
use crate::app::{Core, Folder, intake};
use crate::base::telemetry::Metrics;
use crate::base::{Message, Secret, Slug};
use crate::catalog::Catalog;
use crate::config::RelayAddress;
use crate::net::{Client, Guard};
use crate::relay::Link;
use crate::task::Ground;
use crate::task::poll::Hints;
use crate::task::relay::{Puller, Relaying};
use crate::vault::Vault;

/// What was exported.
#[derive(Debug, Serialize)]
pub struct Exported {
    /// The file.
    pub file: String,
    /// Connections for which the relay will take messages.
    pub connections: Vec<Slug>,
    /// Connections that are called and cannot be relayed: the exchange of 1C is a dialogue.
    pub left_out: Vec<Slug>,
}

/// Writes what the relay of this folder needs into `target`. A token is made when there is none yet.
pub fn export(folder: &Folder, target: &Path) -> anyhow::Result<Exported> {
    let settings = folder.settings().map_err(Problems)?;
    let Some(relay) = &settings.relay else {
        let message = Message::new("relay-no-address").with("file", folder.settings_file().display());
        return Err(Told(message).into());
    };
    let files = folder.files()?;
    let catalog = Catalog::compile(&files, &settings).map_err(Problems)?;
    let token = token(folder)?;
    let vault = Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()))?;
    let mut intakes = intake::of_catalog(&catalog, &vault);
    // A form without its secret is an error, a connection that never tells of changes is none.
    let forms = intake::forms(&intakes, &settings.listen)?;
    let hinted = intake::hints(&intakes);
    intakes.retain(|it| {
        forms.iter().any(|form| *form.connection() == it.name) || hinted.iter().any(|hint| hint.connection == it.name)
    });
    if intakes.is_empty() {
        return Err(Told(Message::new("relay-nothing")).into());
    }
    let connections = intakes.iter().map(|it| it.name.clone()).collect();
    let is_exchange = |it: &&crate::catalog::Connection| {
        it.connector.source.as_ref().is_some_and(|it| it.transport == crate::connector::Transport::Exchange1c)
    };
    let left_out = catalog.connections().filter(is_exchange).map(|it| it.name.clone()).collect();
    Bundle::new(relay.address.clone(), token, intakes, &files).write(target)?;
    Ok(Exported { file: target.display().to_string(), connections, left_out })
}

/// The token that is there, else a new one; for that no daemon may run, the vault has one writer.
fn token(folder: &Folder) -> anyhow::Result<Secret> {
    let open = || Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()));
    if let Some(token) = token_in(&open()?) {
        return Ok(token);
    }
    let _lock = folder.lock()?;
    let (vault, token) = (open()?, Secret::generate());
    vault.set(RelayAddress::TOKEN, token.clone()).map_err(|error| Told(error.message().clone()))?;
    Ok(token)
}

fn token_in(vault: &Vault) -> Option<Secret> {
    secret(vault, &Slug::literal("relay"), "token")
}

/// What pulls from the relay; `None` without one, or while the folder is a restored one: its original
/// may still be at work, and the relay gives everything to one office only.
pub(in crate::app) fn puller(
    core: &Core,
    ground: &Ground,
    relaying: &Relaying,
    hints: &Hints,
    metrics: &Arc<Metrics>,
) -> anyhow::Result<Option<Puller>> {
    let Some(relay) = core.settings.relay.as_ref().filter(|_| !core.folder.restored().exists()) else {
        return Ok(None);
    };
    let missing = || Told(Message::new("relay-no-token").with("name", RelayAddress::TOKEN));
    let token = token_in(&core.vault).ok_or_else(missing)?;
    let guard = Guard::from_settings(relay.allow_private, &relay.allow_networks).map_err(Told)?;
    let client = Client::new(guard).map_err(|error| Told(error.message().clone()))?;
    let instance = Secret::generate();
    let link = Link::new(Arc::new(client), &relay.address, token, instance.expose());
    let hinted = core.catalog.connections().filter(|it| it.connector.hints.is_some() && it.is_read());
    let hinted = hinted.map(|it| it.name.clone()).collect();
    let (spool, relaying, hints) = (core.folder.spool(), relaying.clone(), hints.clone());
    Ok(Some(Puller::new(ground.clone(), link, spool, relaying, hints, hinted, Arc::clone(metrics))))
}
