//! The ways to foreign systems: settings with their secrets, and a wire that carries the rights of
//! the connection, whichever kind it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Told;
use super::sources::secret;
use crate::auth::{Authorized, Standing, Tokens, TokensParts};
use crate::base::{Clock, Secret, Slug};
use crate::catalog::{Catalog, Connection};
use crate::config::{Listen, secret_name};
use crate::connector::OAuthSpec;
use crate::field::FieldValue;
use crate::net::{Client, Guard, Wire};
use crate::query::priority::Origins;
use crate::sink::{Settings, previous_of};
use crate::task::watch::Rights;
use crate::vault::Vault;

/// Tokens by connection.
pub(super) type TokensByConnection = Arc<BTreeMap<Slug, Arc<Tokens>>>;

/// The tokens of every connection that is set up for them. One value per connection: renewals of
/// its reader and its writer must meet.
pub(super) fn tokens(
    catalog: &Catalog,
    vault: &Arc<Vault>,
    listen: &Listen,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<TokensByConnection> {
    let mut all = BTreeMap::new();
    for connection in catalog.connections() {
        let Some(spec) = &connection.connector.oauth else { continue };
        let setting = |name: &str| setting(vault, connection, name);
        let (Some(_), Some(authorize_url), Some(token_url), Some(client_id), Some(client_secret)) = (
            setting(&spec.portal),
            spec.authorize_url.fill(&setting),
            spec.token_url.fill(&setting),
            setting(&spec.client_id),
            setting(&spec.client_secret),
        ) else {
            continue;
        };
        let public = listen.public_base();
        let parts = TokensParts {
            name: connection.name.clone(),
            spec: spec.clone(),
            authorize_url,
            token_url: Secret::new(token_url),
            client_id,
            client_secret: Secret::new(client_secret),
            redirect_uri: format!("{public}/oauth/{}", connection.name),
            vault: Arc::clone(vault),
            wire: plain_wire(connection)?,
            clock: Arc::clone(clock),
        };
        all.insert(connection.name.clone(), Arc::new(Tokens::new(parts)));
    }
    Ok(Arc::new(all))
}

/// Asks which connections have lost their rights.
pub(super) fn lost_rights(tokens: &TokensByConnection) -> Rights {
    let tokens = Arc::clone(tokens);
    let lost = |it: &Tokens| match it.standing() {
        Standing::Lost(message) | Standing::Refused(message) => Some(message),
        // Nobody has begun yet; or all is well.
        Standing::NotConnected | Standing::Connected => None,
    };
    Box::new(move || tokens.iter().filter_map(|(name, it)| Some((name.clone(), lost(it)?))).collect())
}

/// What a sink or poller of the connection needs: its settings, and the way there.
pub(super) fn link(
    vault: &Vault,
    tokens: &BTreeMap<Slug, Arc<Tokens>>,
    connection: &Connection,
) -> anyhow::Result<(Settings, Arc<dyn Wire>)> {
    let declared = connection.connector.settings.iter().filter(|setting| setting.secret);
    let secrets = declared.filter_map(|setting| {
        secret(vault, &connection.name, &setting.name).map(|secret| (setting.name.clone(), secret))
    });
    let mut secrets: Vec<(String, Secret)> = secrets.collect();
    for setting in connection.connector.settings.iter().filter(|setting| setting.secret) {
        let before = vault.previous(&secret_name(&connection.name, &setting.name));
        secrets.extend(before.map(|secret| (previous_of(&setting.name), secret)));
    }
    let mut settings = Settings { values: connection.settings.clone(), secrets };
    let wire = plain_wire(connection)?;
    let Some((tokens, spec)) = tokens.get(&connection.name).zip(connection.connector.oauth.as_ref()) else {
        return Ok((settings, wire));
    };
    if let Some((name, address)) = address_of(vault, connection, spec) {
        settings.secrets.retain(|(held, _)| *held != name);
        settings.secrets.push((name, Secret::new(address)));
    }
    Ok((settings, Arc::new(Authorized::new(wire, Arc::clone(tokens)))))
}

/// Where people see the objects of each sink: scheme and host of its address. What is behind them may
/// be a secret and stays here.
pub(super) fn origins(vault: &Vault, tokens: &BTreeMap<Slug, Arc<Tokens>>, catalog: &Catalog) -> Origins {
    let origin = |connection: &Connection| {
        let spec = connection.connector.oauth.as_ref().filter(|_| tokens.contains_key(&connection.name));
        let by_rights = spec.and_then(|spec| address_of(vault, connection, spec)).map(|(_, address)| address);
        let name = &connection.connector.sink.as_ref()?.address;
        let address = by_rights.or_else(|| setting(vault, connection, name))?;
        let (scheme, rest) = address.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
        let host = rest.split(['/', '?', '#']).next().and_then(|it| it.rsplit('@').next())?;
        (!host.is_empty()).then(|| (connection.name.clone(), format!("{scheme}://{host}")))
    };
    catalog.sinks().filter_map(origin).collect()
}

/// The setting that holds the sink's address, and what stands in its place.
fn address_of(vault: &Vault, connection: &Connection, spec: &OAuthSpec) -> Option<(String, String)> {
    let name = connection.connector.sink.as_ref()?.address.clone();
    let address = spec.address.fill(&|name| setting(vault, connection, name))?;
    Some((name, address))
}

pub(super) fn plain_wire(connection: &Connection) -> anyhow::Result<Arc<dyn Wire>> {
    Ok(Arc::new(Client::new(guard(connection)?).map_err(|error| Told(error.message().clone()))?))
}

/// What the connection may dial.
pub(super) fn guard(connection: &Connection) -> anyhow::Result<Guard> {
    let allow_private = connection.setting("allow_private") == Some(&FieldValue::Bool(true));
    let networks = connection.setting("allow_networks").map(|value| value.as_texts().to_vec()).unwrap_or_default();
    Ok(Guard::from_settings(allow_private, &networks).map_err(Told)?)
}

/// A setting as text, secret or not; `None` when it is not filled.
fn setting(vault: &Vault, connection: &Connection, name: &str) -> Option<String> {
    let open = || connection.setting(name).and_then(FieldValue::as_text).map(str::to_owned);
    let secret = secret(vault, &connection.name, name).map(|it| it.expose().to_owned());
    secret.or_else(open).filter(|it| !it.trim().is_empty())
}
