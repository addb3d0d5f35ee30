//! Sources of a configuration, made ready for the listener.

use std::path::Path;
use std::sync::Arc;

use crate::base::limits::EXCHANGE_FILE_LIMIT_BYTES;
use crate::base::{Clock, Locale, Message, Secret, Slug};
use crate::catalog::Catalog;
use crate::config::{secret_name, secret_variable};
use crate::connector::Transport;
use crate::field::FieldValue;
use crate::journal::Journal;
use crate::source::asterisk::{AsteriskSettings, Auth, Listener, Tls};
use crate::source::exchange::{Exchange, ExchangeSettings, Progress};
use crate::source::folder::{After, FolderSettings, FolderSource, Pattern};
use crate::vault::Vault;

use super::error::Told;

/// A secret of a connection: the environment first (`UZEL_SECRET_<CONNECTION>_<SETTING>`), then
/// the vault.
pub(super) fn secret(vault: &Vault, connection: &str, setting: &str) -> Option<Secret> {
    let given = std::env::var(secret_variable(connection, setting)).ok().filter(|value| !value.is_empty());
    given.map(Secret::new).or_else(|| vault.get(&secret_name(connection, setting)))
}

/// The same, reported when it is missing.
fn required_secret(vault: &Vault, connection: &Slug, setting: &str) -> anyhow::Result<Secret> {
    secret(vault, connection, setting).ok_or_else(|| {
        let name = format!("{connection}.{setting}");
        Told(Message::new("app-no-secret").with("name", name)).into()
    })
}

/// Watched folders of the configuration; what was read is remembered in `memory`.
pub(super) fn folders(catalog: &Catalog, memory: &Path) -> Vec<FolderSource> {
    let mut sources = Vec::new();
    for connection in catalog.connections() {
        let Some(spec) = &connection.connector.source else { continue };
        let text = |name: &str| connection.setting(name).and_then(FieldValue::as_text).unwrap_or_default().to_owned();
        let records = text("records");
        let stream = spec.streams.iter().find(|it| *it.name == *records).or(spec.streams.first());
        let (Transport::Folder, Some(stream)) = (spec.transport, stream) else { continue };
        sources.push(FolderSource::open(FolderSettings {
            connection: connection.name.clone(),
            connector: connection.connector.slug.clone(),
            stream: stream.name.clone(),
            path: text("path").into(),
            pattern: Pattern::new(&text("pattern")),
            after: if text("after") == "leave" { After::Leave } else { After::Move },
            memory: memory.join(format!("{}.json", connection.name)),
        }));
    }
    sources
}

/// Telephone exchanges of the configuration; how far call records are read is remembered in `memory`.
pub(super) fn listeners(
    catalog: &Catalog,
    vault: &Vault,
    memory: &Path,
    journal: &Arc<dyn Journal>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    for connection in catalog.connections() {
        let Some(spec) = &connection.connector.source else { continue };
        let (Transport::Asterisk, Some(stream)) = (spec.transport, spec.streams.first()) else { continue };
        let text = |name: &str| connection.setting(name).and_then(FieldValue::as_text).unwrap_or_default().to_owned();
        let path = |name: &str| Some(text(name)).filter(|it| !it.is_empty()).map(std::path::PathBuf::from);
        let port = connection.setting("port").and_then(FieldValue::as_integer).and_then(|it| u16::try_from(it).ok());
        let Some(port) = port.filter(|it| *it > 0) else {
            return Err(Told(Message::new("asterisk-port").with("connection", &connection.name)).into());
        };
        let within_tls = connection.setting("tls").is_some_and(|value| *value == FieldValue::Bool(true));
        let tls = match (within_tls, path("tls_ca")) {
            (false, _) => None,
            (true, Some(authorities)) => Some(Tls { authorities }),
            (true, None) => {
                return Err(Told(Message::new("asterisk-no-authorities").with("connection", &connection.name)).into());
            }
        };
        let settings = AsteriskSettings {
            connection: connection.name.clone(),
            connector: connection.connector.slug.clone(),
            stream: stream.name.clone(),
            host: text("host"),
            port,
            login: text("login"),
            password: secret(vault, &connection.name, "password")
                .ok_or_else(|| Told(Message::new("asterisk-no-password").with("connection", &connection.name)))?,
            auth: if text("auth") == "plain" { Auth::Plain } else { Auth::Md5 },
            tls,
            variables: connection.setting("variables").map(|it| it.as_texts().to_vec()).unwrap_or_default(),
            cdr_file: path("cdr_file"),
            memory: memory.join(format!("{}.cdr.json", connection.name)),
        };
        listeners.push(Listener::new(settings, Arc::clone(journal), Arc::clone(clock)));
    }
    Ok(listeners)
}

/// Exchange endpoints of the configuration, by connection.
pub(super) fn exchanges(
    catalog: &Catalog,
    vault: &Vault,
    spool: &Path,
    journal: &Arc<dyn Journal>,
    clock: &Arc<dyn Clock>,
    progress: &Arc<dyn Progress>,
    locale: Locale,
) -> anyhow::Result<Vec<(Slug, Arc<Exchange>)>> {
    let mut endpoints = Vec::new();
    for connection in catalog.connections() {
        let Some(spec) = &connection.connector.source else { continue };
        if spec.transport != Transport::Exchange1c {
            continue;
        }
        let login = connection.setting("login").and_then(FieldValue::as_text).unwrap_or("uzel").to_owned();
        let settings = ExchangeSettings {
            connection: connection.name.clone(),
            connector: connection.connector.slug.clone(),
            login,
            password: required_secret(vault, &connection.name, "password")?,
            file_limit: EXCHANGE_FILE_LIMIT_BYTES,
            locale,
            zip: connection.setting("zip").is_none_or(|value| *value == FieldValue::Bool(true)),
        };
        let spool = spool.join(&*connection.name);
        let exchange = Exchange::new(settings, spool, Arc::clone(journal), Arc::clone(clock), Arc::clone(progress))?;
        endpoints.push((connection.name.clone(), Arc::new(exchange)));
    }
    Ok(endpoints)
}
