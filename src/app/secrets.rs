//! Secrets of a folder, as the command line keeps them.

use super::Folder;
use super::error::{Problems, Told};
use crate::base::{Message, Secret};
use crate::catalog::Catalog;
use crate::config::RelayAddress;
use crate::vault::Vault;

/// Keeps a secret that a connector declares. The daemon must not be running: the vault has one
/// writer.
pub fn set_secret(folder: &Folder, name: &str, secret: &Secret) -> anyhow::Result<()> {
    let settings = folder.settings().map_err(Problems)?;
    let catalog = Catalog::compile(&folder.files()?, &settings).map_err(Problems)?;
    let known: Vec<String> = catalog
        .connections()
        .flat_map(|connection| {
            let secrets = connection.connector.settings.iter().filter(|it| it.secret);
            secrets.map(|it| crate::config::secret_name(&connection.name, &it.name))
        })
        .chain(settings.relay.as_ref().map(|_| RelayAddress::TOKEN.to_owned()))
        .chain(super::signals::secret_names())
        .collect();
    if !known.iter().any(|it| it == name) {
        let known = known.join(", ");
        return Err(Told(Message::new("app-secret-unknown").with("name", name).with("known", known)).into());
    }
    if secret.expose().is_empty() {
        return Err(Told(Message::new("app-secret-empty").with("name", name)).into());
    }
    let _lock = folder.lock()?;
    let vault = Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()))?;
    vault.set(name, secret.clone()).map_err(|error| Told(error.message().clone()))?;
    Ok(())
}

/// Names of the secrets that the vault keeps.
pub fn vault_names(folder: &Folder) -> anyhow::Result<Vec<String>> {
    let vault = Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()))?;
    Ok(vault.names())
}
