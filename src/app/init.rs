//! A new folder: commented settings, fresh secrets, and, when a person agrees, a file of employees.
//! Running it again adds what is missing and keeps what is there.
//!
//! Everything is compiled before anything is written, so that a folder is never left with settings
//! that do not read.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::Folder;
use super::error::{Problems, Told};
use super::folder::{Lock, unusable};
use super::looked;
use super::sources::secret;
use crate::base::{Message, Secret, Slug};
use crate::catalog::{Catalog, Connection};
use crate::config::{self, NewConnection, NewSettings, Settings, secret_name};
use crate::connector::{Auth, Transport};
use crate::field::FieldValue;
use crate::probe::ProbeView;
use crate::vault::Vault;

/// Name of the token of the JSON interface in the vault.
pub(super) const API_TOKEN: &str = "api.token";
/// Where employees are written.
const EMPLOYEES: &str = "rules/employees.toml";

/// What a person wants.
#[derive(Debug, Clone)]
pub struct Order {
    /// What a new `uzel.toml` says. Of a file that is there only missing connections are added.
    pub new: NewSettings,
    /// Secrets by connection and setting.
    pub secrets: Vec<(String, String, Secret)>,
    /// The address of an inbound webhook, for every CRM that is reached by one.
    pub webhook: Option<Secret>,
    /// What a probe found: it goes into the comments.
    pub found: Option<ProbeView>,
    /// Whether employees are written down from what was found.
    pub employees: bool,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The settings file.
    pub settings_file: String,
    /// Whether it was written now; else what was in it is as it was.
    pub is_new: bool,
    /// Connections that were added to a file that was there.
    pub added: Vec<String>,
    /// The file of employees, when it was written now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employees_file: Option<String>,
    /// Employees that were wanted, but their file was there already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub employees_kept: bool,
    /// Where sources are reached.
    pub addresses: Vec<MadeAddress>,
    /// What messages of ours are signed with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signing: Vec<MadeSigning>,
    /// What the probe of the CRM found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeView>,
}

/// Where one source is reached. Shown once, to the person who sets things up.
#[derive(Debug, Serialize)]
pub struct MadeAddress {
    /// The connection.
    pub connection: String,
    /// Its connector.
    pub connector: String,
    /// Its address, with its secret part.
    pub address: String,
    /// Login, where there is one.
    pub login: Option<String>,
    /// Password, where there is one.
    pub password: Option<String>,
}

/// What the messages of an outgoing webhook are signed with. Shown to the person who sets things up:
/// the receiver has to know it.
#[derive(Debug, Serialize)]
pub struct MadeSigning {
    /// The connection.
    pub connection: String,
    /// The secret.
    pub secret: String,
}

/// Makes a folder, or adds to it.
pub fn init(folder: &Folder, mut order: Order) -> anyhow::Result<Made> {
    check_company(&order.new)?;
    let file = folder.settings_file();
    let is_new = !file.exists();
    if let Some(found) = &order.found {
        let comments = looked::comments(found, order.new.locale);
        let looked_at = order.new.connections.iter_mut().filter(|it| it.name == found.connection);
        looked_at.for_each(|it| it.lines.extend(comments.iter().cloned()));
    }
    let (text, added) = if is_new {
        (config::template(&order.new), Vec::new())
    } else {
        let text = fs::read_to_string(&file).map_err(|error| unusable(&file, &error))?;
        with_missing(&folder.settings().map_err(Problems)?, text, &order)
    };
    // Nothing is written that does not compile.
    let settings = Settings::compile(&file.display().to_string(), &text, &|name| std::env::var(name).ok());
    let settings = settings.map_err(Problems)?;
    let mut files = folder.files()?;
    let employees_path = folder.root().join(EMPLOYEES);
    let wants_employees = order.found.as_ref().filter(|_| order.employees);
    let employees = wants_employees.filter(|_| !employees_path.exists());
    let employees = employees.map(|found| looked::employees(found, order.new.locale));
    if let Some(employees) = &employees {
        files.put(EMPLOYEES, employees.clone());
    }
    let catalog = Catalog::compile(&files, &settings).map_err(Problems)?;

    fs::create_dir_all(folder.root()).map_err(|error| unusable(folder.root(), &error))?;
    let mut keeper = Keeper { folder, vault: open_vault(folder)?, lock: None };
    keeper.keep_all(&order, &catalog)?;
    if is_new || !added.is_empty() {
        replace(&file, &text)?;
    }
    if let Some(employees) = &employees {
        replace(&employees_path, employees)?;
    }
    let (mut addresses, mut signing) = (Vec::new(), Vec::new());
    for connection in catalog.connections() {
        addresses.extend(keeper.address(connection, &settings)?);
        signing.extend(keeper.sends_signed(connection)?);
    }
    Ok(Made {
        settings_file: file.display().to_string(),
        is_new,
        added,
        employees_kept: wants_employees.is_some() && employees.is_none(),
        employees_file: employees.map(|_| employees_path.display().to_string()),
        addresses,
        signing,
        probe: order.found,
    })
}

/// Where the sources of a folder are reached; nothing is made.
pub fn addresses(folder: &Folder) -> anyhow::Result<Vec<MadeAddress>> {
    let settings = folder.settings().map_err(Problems)?;
    let catalog = Catalog::compile(&folder.files()?, &settings).map_err(Problems)?;
    let vault = open_vault(folder)?;
    Ok(catalog.connections().filter_map(|connection| reached(connection, &settings, &vault)).collect())
}

/// What can be said about a company before anything is made.
fn check_company(new: &NewSettings) -> anyhow::Result<()> {
    if jiff::tz::TimeZone::get(&new.zone).is_err() {
        return Err(Told(Message::new("app-unknown-zone").with("zone", &new.zone)).into());
    }
    for inn in &new.own_inns {
        if crate::normalize::inn(inn).value.is_none() {
            return Err(Told(Message::new("config-inn").with("inn", inn)).into());
        }
    }
    Ok(())
}

/// The text with those connections that it does not have, and their names.
fn with_missing(settings: &Settings, mut text: String, order: &Order) -> (String, Vec<String>) {
    let mut added = Vec::new();
    let has = |wanted: &NewConnection| settings.connections.iter().any(|it| *it.name == *wanted.name);
    for connection in order.new.connections.iter().filter(|it| !has(it)) {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&connection.section());
        added.push(connection.name.clone());
    }
    (text, added)
}

fn open_vault(folder: &Folder) -> anyhow::Result<Vault> {
    Ok(Vault::open(&folder.vault()).map_err(|error| Told(error.message().clone()))?)
}

/// Writes a file beside and renames it: a file that is there is never half of the new one.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| unusable(parent, &error))?;
    let beside = path.with_extension("toml.new");
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
    Ok(written.map_err(|error| unusable(path, &error))?)
}

/// The vault, written to only by whoever owns the folder: a running daemon has it open.
struct Keeper<'a> {
    folder: &'a Folder,
    vault: Vault,
    lock: Option<Lock>,
}

impl Keeper<'_> {
    fn keep_all(&mut self, order: &Order, catalog: &Catalog) -> anyhow::Result<()> {
        if self.vault.get(API_TOKEN).is_none() {
            self.set(API_TOKEN, Secret::generate())?;
        }
        for (connection, setting, secret) in &order.secrets {
            self.set(&secret_name(connection, setting), secret.clone())?;
        }
        let Some(webhook) = &order.webhook else { return Ok(()) };
        for connection in catalog.sinks() {
            if connection.connector.sink.as_ref().is_some_and(|sink| sink.address == "webhook_url") {
                self.set(&secret_name(&connection.name, "webhook_url"), webhook.clone())?;
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, secret: Secret) -> anyhow::Result<()> {
        if self.vault.get(name).is_some_and(|held| held.expose() == secret.expose()) {
            return Ok(());
        }
        if self.lock.is_none() {
            self.lock = Some(self.folder.lock()?);
        }
        Ok(self.vault.set(name, secret)?)
    }

    /// Where a source is reached, after its secrets are made.
    fn address(&mut self, connection: &Connection, settings: &Settings) -> anyhow::Result<Option<MadeAddress>> {
        let Some(source) = &connection.connector.source else { return Ok(None) };
        match source.transport {
            Transport::Webhook => {
                self.made(&connection.name, "secret")?;
                self.signing(connection)?;
            }
            Transport::Exchange1c => self.made(&connection.name, "password")?,
            // Files come to where the settings say; what is asked needs no address of ours.
            Transport::Folder | Transport::Poll | Transport::Asterisk => {}
        }
        Ok(reached(connection, settings, &self.vault))
    }

    /// Makes a secret that is not there.
    fn made(&mut self, connection: &Slug, setting: &str) -> anyhow::Result<()> {
        match secret(&self.vault, connection, setting) {
            Some(_) => Ok(()),
            None => self.set(&secret_name(connection, setting), Secret::generate()),
        }
    }

    /// The secret that signs the messages of a connection, where they are signed.
    fn signing(&mut self, connection: &Connection) -> anyhow::Result<()> {
        let Some(scheme) = scheme(connection) else { return Ok(()) };
        if secret(&self.vault, &connection.name, "signing_secret").is_some() {
            return Ok(());
        }
        let fresh = match scheme {
            "standard_webhooks" => standard_webhooks_secret(),
            _ => Secret::generate(),
        };
        self.set(&secret_name(&connection.name, "signing_secret"), fresh)
    }

    /// What the messages of an outgoing webhook are signed with, made when there is none.
    fn sends_signed(&mut self, connection: &Connection) -> anyhow::Result<Option<MadeSigning>> {
        let auth = connection.connector.sink.as_ref().map(|sink| &sink.auth);
        let Some(Auth::StandardWebhooks(setting)) = auth else { return Ok(None) };
        if secret(&self.vault, &connection.name, setting).is_none() {
            self.set(&secret_name(&connection.name, setting), standard_webhooks_secret())?;
        }
        let held = secret(&self.vault, &connection.name, setting);
        Ok(held.map(|it| MadeSigning { connection: connection.name.to_string(), secret: it.expose().to_owned() }))
    }
}

/// What follows the prefix is read as base64 on both sides.
fn standard_webhooks_secret() -> Secret {
    Secret::new(format!("whsec_{}", Secret::generate().expose()))
}

fn scheme(connection: &Connection) -> Option<&str> {
    connection.setting("signature").and_then(FieldValue::as_text).filter(|it| *it != "none")
}

/// Where a source is reached; `None` when it is not called, or has no secret yet.
fn reached(connection: &Connection, settings: &Settings, vault: &Vault) -> Option<MadeAddress> {
    let name = &connection.name;
    let base = settings.listen.public_base();
    // What a relay takes is sent there; the exchange of 1C comes to us.
    let webhooks = settings.relay.as_ref().map_or(&base, |relay| &relay.address);
    let (address, login, password) = match connection.connector.source.as_ref()?.transport {
        Transport::Webhook => {
            let address = format!("{webhooks}/in/{name}/{}", secret(vault, name, "secret")?.expose());
            let signing = scheme(connection).and_then(|_| secret(vault, name, "signing_secret"));
            (address, None, signing)
        }
        Transport::Exchange1c => {
            let login = connection.setting("login").and_then(FieldValue::as_text).unwrap_or("uzel");
            (format!("{base}/exchange/{name}"), Some(login.to_owned()), Some(secret(vault, name, "password")?))
        }
        Transport::Folder | Transport::Poll | Transport::Asterisk => return None,
    };
    Some(MadeAddress {
        connection: name.to_string(),
        connector: connection.connector.slug.to_string(),
        address,
        login,
        password: password.map(|it| it.expose().to_owned()),
    })
}
