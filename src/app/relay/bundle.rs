//! The file that the office gives to its relay: how to know senders and answer them, and the token by
//! which the office pulls. Nothing by which the CRM or 1C could be reached.
//!
//! JSON, version 1, for its owner only. Secrets of addresses and signatures are in it as they are: a
//! signature cannot be checked by a hash, and an address is seen by the relay with each request anyway.
//!
//! ```json
//! {"uzel_relay": 1, "build": "0.1.0", "address": "https://in.company.ru", "token": "...",
//!  "connections": [{"name": "site", "connector": "forms", "manifest": "title_ru = ...",
//!    "settings": {"origins": ["https://site.ru"]},
//!    "secrets": {"secret": {"present": "...", "previous": "..."}}}]}
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::error::{Problems, Told};
use crate::app::folder::unusable;
use crate::app::intake::{Intake, Kept};
use crate::base::limits::RELAY_BUNDLE_BYTES_MAX;
use crate::base::{Message, Secret, Slug};
use crate::catalog::FileSet;
use crate::connector::Connector;
use crate::field::FieldValue;
use crate::relay::write_owner_only;

const VERSION: u32 = 1;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Bundle {
    /// How the world reaches the relay.
    pub address: String,
    /// By which the office pulls.
    pub token: Secret,
    /// Connections that are called.
    pub intakes: Vec<Intake>,
    /// Their manifests, by connector.
    pub manifests: BTreeMap<Slug, String>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    uzel_relay: u32,
    build: String,
    address: String,
    token: String,
    connections: Vec<StoredConnection>,
}

#[derive(Serialize, Deserialize)]
struct StoredConnection {
    name: String,
    connector: String,
    manifest: String,
    #[serde(default)]
    settings: BTreeMap<String, StoredValue>,
    secrets: BTreeMap<String, StoredSecret>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredValue {
    Bool(bool),
    Integer(i64),
    Text(String),
    Texts(Vec<String>),
}

#[derive(Serialize, Deserialize)]
struct StoredSecret {
    present: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
}

impl Bundle {
    /// Of these connections, with the manifests that they are read by.
    pub(super) fn new(address: String, token: Secret, intakes: Vec<Intake>, files: &FileSet) -> Bundle {
        let manifest = |intake: &Intake| {
            let slug = intake.connector.slug.clone();
            let text = files.get(&manifest_name(&slug)).unwrap_or_default().to_owned();
            (slug, text)
        };
        let manifests = intakes.iter().map(manifest).collect();
        Bundle { address, token, intakes, manifests }
    }

    /// Writes the file, for its owner only.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let connections = self.intakes.iter().map(|intake| StoredConnection {
            name: intake.name.to_string(),
            connector: intake.connector.slug.to_string(),
            manifest: self.manifests.get(&intake.connector.slug).cloned().unwrap_or_default(),
            settings: intake.settings.iter().map(|(name, value)| (name.clone(), stored_value(value))).collect(),
            secrets: intake.secrets.iter().map(|(name, kept)| (name.clone(), stored_secret(kept))).collect(),
        });
        let stored = Stored {
            uzel_relay: VERSION,
            build: env!("CARGO_PKG_VERSION").to_owned(),
            address: self.address.clone(),
            token: self.token.expose().to_owned(),
            connections: connections.collect(),
        };
        let text = serde_json::to_vec_pretty(&stored)?;
        write_owner_only(path, &text).map_err(|error| unusable(path, &error))?;
        Ok(())
    }

    /// Reads the file. It came from another machine: all of it is checked.
    pub(super) fn read(path: &Path) -> anyhow::Result<Bundle> {
        let damaged = || Told(Message::new("relay-bundle-damaged").with("path", path.display()));
        let mut text = Vec::new();
        let file = File::open(path).map_err(|error| unusable(path, &error))?;
        file.take(RELAY_BUNDLE_BYTES_MAX + 1).read_to_end(&mut text).map_err(|error| unusable(path, &error))?;
        if text.len() as u64 > RELAY_BUNDLE_BYTES_MAX {
            return Err(damaged().into());
        }
        // The cause is not shown: serde quotes what it read, and that may be a secret.
        #[derive(Deserialize)]
        struct Version {
            uzel_relay: u32,
        }
        let version: Version = serde_json::from_slice(&text).map_err(|_| damaged())?;
        if version.uzel_relay > VERSION {
            return Err(Told(Message::new("relay-bundle-newer").with("path", path.display())).into());
        }
        let stored: Stored = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let (mut intakes, mut manifests) = (Vec::new(), BTreeMap::new());
        for it in stored.connections {
            let slug = |text: &str| Slug::new(text).ok_or_else(damaged);
            let (name, connector) = (slug(&it.name)?, slug(&it.connector)?);
            let file = manifest_name(&connector);
            let compiled = Connector::compile(connector.clone(), &file, &it.manifest).map_err(Problems)?;
            manifests.insert(connector, it.manifest);
            intakes.push(Intake {
                name,
                connector: Arc::new(compiled),
                settings: it.settings.into_iter().map(|(name, value)| (name, value_of(value))).collect(),
                secrets: it.secrets.into_iter().map(|(name, secret)| (name, kept_of(secret))).collect(),
            });
        }
        if stored.token.is_empty() || intakes.is_empty() {
            return Err(damaged().into());
        }
        Ok(Bundle { address: stored.address, token: Secret::new(stored.token), intakes, manifests })
    }
}

fn manifest_name(slug: &Slug) -> String {
    format!("connectors/{slug}/connector.toml")
}

fn stored_value(value: &FieldValue) -> StoredValue {
    match value {
        FieldValue::Text(text) => StoredValue::Text(text.clone()),
        FieldValue::Integer(number) => StoredValue::Integer(*number),
        FieldValue::Bool(flag) => StoredValue::Bool(*flag),
        FieldValue::Texts(texts) => StoredValue::Texts(texts.clone()),
    }
}

fn value_of(value: StoredValue) -> FieldValue {
    match value {
        StoredValue::Text(text) => FieldValue::Text(text),
        StoredValue::Integer(number) => FieldValue::Integer(number),
        StoredValue::Bool(flag) => FieldValue::Bool(flag),
        StoredValue::Texts(texts) => FieldValue::Texts(texts),
    }
}

fn stored_secret(kept: &Kept) -> StoredSecret {
    StoredSecret {
        present: kept.present.expose().to_owned(),
        previous: kept.previous.as_ref().map(|it| it.expose().to_owned()),
    }
}

fn kept_of(stored: StoredSecret) -> Kept {
    Kept { present: Secret::new(stored.present), previous: stored.previous.map(Secret::new) }
}
