//! A new folder: commented settings and fresh secrets. Running it again adds what is missing and
//! keeps what is there.

use std::fs;

use serde::Serialize;

use super::Folder;
use super::error::{Problems, Told};
use super::folder::unusable;
use super::sources::secret;
use crate::base::{Locale, Message, Secret, Slug};
use crate::catalog::Catalog;
use crate::config::{self, secret_name};
use crate::connector::Transport;
use crate::field::FieldValue;
use crate::vault::Vault;

/// Name of the token of the JSON interface in the vault.
pub(super) const API_TOKEN: &str = "api.token";

/// What was made.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The settings file.
    pub settings_file: String,
    /// Whether it was written now; else it was there and is as it was.
    pub is_new: bool,
    /// Where sources are reached.
    pub addresses: Vec<MadeAddress>,
}

/// Where one source is reached. Shown once, to the person who sets things up.
#[derive(Debug, Serialize)]
pub struct MadeAddress {
    /// The connection.
    pub connection: String,
    /// Its address, with its secret part.
    pub address: String,
    /// Login, where there is one.
    pub login: Option<String>,
    /// Password, where there is one.
    pub password: Option<String>,
}

/// A connection to write into new settings: name, connector, lines of settings.
pub(super) type NewConnection<'a> = (&'a str, &'a str, &'a [&'a str]);

/// Makes a folder with the usual connections: a site, Tilda, 1C, and Bitrix24 in observe mode.
pub fn init(
    folder: &Folder,
    bitrix24: Option<Secret>,
    allow_private: bool,
    zone: &str,
    locale: Locale,
) -> anyhow::Result<Made> {
    let private: &[&str] =
        if allow_private { &["mode = \"observe\"", "allow_private = true"] } else { &["mode = \"observe\""] };
    let connections: [NewConnection<'_>; 4] =
        [("site", "forms", &[]), ("tilda", "tilda", &[]), ("1c", "commerceml", &[]), ("bitrix24", "bitrix24", private)];
    make(folder, bitrix24, zone, locale, &connections)
}

/// Makes a folder with these connections.
pub(super) fn make(
    folder: &Folder,
    bitrix24: Option<Secret>,
    zone: &str,
    locale: Locale,
    connections: &[NewConnection<'_>],
) -> anyhow::Result<Made> {
    if jiff::tz::TimeZone::get(zone).is_err() {
        return Err(Told(Message::new("app-unknown-zone").with("zone", zone)).into());
    }
    fs::create_dir_all(folder.root()).map_err(|error| unusable(folder.root(), &error))?;
    let file = folder.settings_file();
    let is_new = !file.exists();
    if is_new {
        fs::write(&file, config::template(locale, zone, connections)).map_err(|error| unusable(&file, &error))?;
    }
    let settings = folder.settings().map_err(Problems)?;
    let catalog = Catalog::compile(&folder.files()?, &settings).map_err(Problems)?;
    let vault = Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()))?;
    if vault.get(API_TOKEN).is_none() {
        vault.set(API_TOKEN, Secret::generate())?;
    }
    let base = settings.listen.public_base();
    // What a relay takes is sent there; the exchange of 1C comes to us.
    let webhooks = settings.relay.as_ref().map_or(&base, |relay| &relay.address);
    let mut addresses = Vec::new();
    for connection in catalog.connections() {
        let name = &connection.name;
        if let Some(address) = &bitrix24
            && connection.connector.sink.as_ref().is_some_and(|sink| sink.address == "webhook_url")
        {
            vault.set(&secret_name(name, "webhook_url"), address.clone())?;
        }
        let Some(source) = &connection.connector.source else { continue };
        match source.transport {
            Transport::Webhook => {
                let secret = made(&vault, name, "secret")?;
                let address = format!("{webhooks}/in/{name}/{}", secret.expose());
                let password = signing(&vault, connection)?;
                addresses.push(MadeAddress { connection: name.to_string(), address, login: None, password });
            }
            // Files come to where the settings say: there is no address to give away.
            Transport::Folder => {}
            Transport::Exchange1c => {
                let password = made(&vault, name, "password")?;
                let login = connection.setting("login").and_then(FieldValue::as_text).unwrap_or("uzel");
                addresses.push(MadeAddress {
                    connection: name.to_string(),
                    address: format!("{base}/exchange/{name}"),
                    login: Some(login.to_owned()),
                    password: Some(password.expose().to_owned()),
                });
            }
            // It is asked, not called: it needs no address of ours.
            Transport::Poll => {}
        }
    }
    Ok(Made { settings_file: file.display().to_string(), is_new, addresses })
}

/// The secret that signs the messages of a connection, where they are signed.
fn signing(vault: &Vault, connection: &crate::catalog::Connection) -> anyhow::Result<Option<String>> {
    let scheme = connection.setting("signature").and_then(FieldValue::as_text).filter(|it| *it != "none");
    let Some(scheme) = scheme else { return Ok(None) };
    if let Some(there) = secret(vault, &connection.name, "signing_secret") {
        return Ok(Some(there.expose().to_owned()));
    }
    // What follows the prefix is read as base64 on both sides.
    let fresh = match scheme {
        "standard_webhooks" => Secret::new(format!("whsec_{}", Secret::generate().expose())),
        _ => Secret::generate(),
    };
    vault.set(&secret_name(&connection.name, "signing_secret"), fresh.clone())?;
    Ok(Some(fresh.expose().to_owned()))
}

/// The secret that is there, else a new one.
fn made(vault: &Vault, connection: &Slug, setting: &str) -> anyhow::Result<Secret> {
    if let Some(secret) = secret(vault, connection, setting) {
        return Ok(secret);
    }
    let secret = Secret::generate();
    vault.set(&secret_name(connection, setting), secret.clone())?;
    Ok(secret)
}
