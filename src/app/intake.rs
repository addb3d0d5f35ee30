//! What a listener needs of the connections that call it: by what their senders are known, and how
//! they are answered; nothing of what is done with a message. The daemon makes it of its configuration
//! and vault, a relay of the file that the office gave it: one form, so that both answer alike.

use std::sync::Arc;

use tracing::{error, info};

use super::error::Told;
use super::links::TokensByConnection;
use super::sources::secret;
use crate::auth::signature::{Encoding, Scheme};
use crate::base::{Message, Secret, Slug};
use crate::catalog::Catalog;
use crate::config::{Listen, secret_name};
use crate::connector::{Connector, Transport};
use crate::field::FieldValue;
use crate::source::form::{FormSettings, FormSource, Rate, Rates, Ticks};
use crate::source::hint::HintSource;
use crate::vault::Vault;

/// Settings that decide whom a listener believes and how it answers.
const SETTINGS: [&str; 5] = ["signature", "signature_header", "signature_prefix", "origins", "redirects"];
/// Secrets of a connection that is called.
const SECRETS: [&str; 2] = ["secret", "signing_secret"];

/// One connection that is called.
#[derive(Debug, Clone)]
pub(super) struct Intake {
    /// Its name.
    pub name: Slug,
    /// Its connector.
    pub connector: Arc<Connector>,
    /// Of its settings those that matter here.
    pub settings: Vec<(String, FieldValue)>,
    /// Of its secrets those that prove who sends: by name of the setting.
    pub secrets: Vec<(String, Kept)>,
}

/// A secret and the one before it.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub present: Secret,
    pub previous: Option<Secret>,
}

/// The connections of a configuration that are called.
pub(super) fn of_catalog(catalog: &Catalog, vault: &Vault) -> Vec<Intake> {
    let mut intakes = Vec::new();
    for connection in catalog.connections() {
        let connector = &connection.connector;
        let is_webhook = connector.source.as_ref().is_some_and(|it| it.transport == Transport::Webhook);
        let hinted = connector.hints.iter().flat_map(|spec| [spec.secret.as_str(), spec.token.as_str()]);
        let wanted: Vec<&str> = SECRETS.into_iter().filter(|_| is_webhook).chain(hinted).collect();
        if wanted.is_empty() {
            continue;
        }
        let kept = |name: &&str| {
            let present = secret(vault, &connection.name, name)?;
            let previous = vault.previous(&secret_name(&connection.name, name));
            Some(((*name).to_owned(), Kept { present, previous }))
        };
        let settings = connection.settings.iter().filter(|(name, _)| SETTINGS.contains(&name.as_str()));
        intakes.push(Intake {
            name: connection.name.clone(),
            connector: Arc::clone(connector),
            settings: settings.cloned().collect(),
            secrets: wanted.iter().filter_map(kept).collect(),
        });
    }
    intakes
}

impl Intake {
    fn kept(&self, name: &str) -> Option<&Kept> {
        self.secrets.iter().find(|(held, _)| held == name).map(|(_, kept)| kept)
    }

    fn required(&self, name: &str) -> anyhow::Result<&Kept> {
        let missing = || Told(Message::new("app-no-secret").with("name", secret_name(&self.name, name)));
        Ok(self.kept(name).ok_or_else(missing)?)
    }

    fn setting(&self, name: &str) -> Option<&FieldValue> {
        self.settings.iter().find(|(held, _)| held == name).map(|(_, value)| value)
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.setting(name).map(|value| value.as_texts().to_vec()).unwrap_or_default()
    }

    fn scheme(&self) -> Scheme {
        scheme(&self.settings)
    }

    /// The secret that signs and the one before it; none is asked for where nothing is signed.
    fn signing(&self) -> anyhow::Result<Vec<Secret>> {
        match self.scheme() {
            Scheme::None => Ok(Vec::new()),
            _ => Ok(both(self.required("signing_secret")?)),
        }
    }
}

/// How messages to a connection are signed, by its settings.
pub(super) fn scheme(settings: &[(String, FieldValue)]) -> Scheme {
    let text = |name: &str| {
        let set = settings.iter().find(|(held, _)| held == name);
        set.and_then(|(_, value)| value.as_text()).unwrap_or_default().to_owned()
    };
    let (header, prefix) = (text("signature_header").to_lowercase(), text("signature_prefix"));
    let hmac = |encoding| Scheme::HmacSha256 { header: header.clone(), prefix: prefix.clone(), encoding };
    match text("signature").as_str() {
        "token_header" => Scheme::TokenHeader { header, prefix },
        "basic" => Scheme::Basic,
        "hmac_sha256_hex" => hmac(Encoding::Hex),
        "hmac_sha256_base64" => hmac(Encoding::Base64),
        "stripe" => Scheme::Stripe,
        "standard_webhooks" => Scheme::StandardWebhooks,
        _ => Scheme::None,
    }
}

fn both(kept: &Kept) -> Vec<Secret> {
    std::iter::once(&kept.present).chain(&kept.previous).cloned().collect()
}

/// Form sources. A secret that is missing is an error: a form would be refused without a word.
pub(super) fn forms(intakes: &[Intake], listen: &Listen) -> anyhow::Result<Vec<FormSource>> {
    let mut sources = Vec::new();
    for intake in intakes {
        let Some(spec) = intake.connector.source.as_ref().filter(|it| it.transport == Transport::Webhook) else {
            continue;
        };
        let address = intake.required("secret")?;
        let settings = FormSettings {
            connection: intake.name.clone(),
            connector: intake.connector.slug.clone(),
            secret: address.present.clone(),
            previous_secret: address.previous.clone(),
            scheme: intake.scheme(),
            signing: intake.signing()?,
            origins: intake.texts("origins"),
            redirects: intake.texts("redirects"),
            rates: Rates {
                source: Rate::new(listen.source_per_minute, listen.source_per_minute.div_ceil(10)),
                address: Rate::new(listen.address_per_minute, listen.address_burst),
            },
        };
        sources.push(FormSource::new(settings, spec, Ticks::monotonic()).map_err(Told)?);
    }
    Ok(sources)
}

/// Connections that may be told of changes: those whose secrets for it are there.
pub(super) fn hints(intakes: &[Intake]) -> Vec<HintSource> {
    let source = |intake: &Intake| {
        let spec = intake.connector.hints.as_ref()?;
        let (secrets, tokens) = (both(intake.kept(&spec.secret)?), both(intake.kept(&spec.token)?));
        let (name, slug) = (intake.name.clone(), intake.connector.slug.clone());
        Some(HintSource::new(name, slug, spec.clone(), secrets, tokens))
    };
    intakes.iter().filter_map(source).collect()
}

/// Those of a daemon: an application of ours has a token that nobody is shown, and that comes with its
/// first message. It is kept in the vault.
pub(super) fn hints_learning(intakes: &[Intake], tokens: &TokensByConnection, vault: &Arc<Vault>) -> Vec<HintSource> {
    let mut sources = hints(intakes);
    for intake in intakes.iter().filter(|it| tokens.contains_key(&it.name)) {
        let Some(spec) = &intake.connector.hints else { continue };
        let Some(secret) = intake.kept(&spec.secret).filter(|_| intake.kept(&spec.token).is_none()) else { continue };
        let (name, slug) = (intake.name.clone(), intake.connector.slug.clone());
        let (vault, kept) = (Arc::clone(vault), secret_name(&intake.name, &spec.token));
        let source = HintSource::new(name.clone(), slug, spec.clone(), both(secret), Vec::new());
        sources.push(source.learning(move |token| match vault.set(&kept, token.clone()) {
            Ok(_) => {
                info!(connection = %name, "the token of the application is kept: messages of {name} are known by it");
                true
            }
            Err(error) => {
                error!(connection = %name, "the token of the application of {name} cannot be kept: {error}");
                false
            }
        }));
    }
    sources
}
