//! Probes of the connections of a folder: beside a running daemon or without one.

use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;

use super::error::Told;
use super::intake;
use super::links::{self, TokensByConnection};
use super::sources::secret;
use crate::base::{Clock, Locale, Message};
use crate::catalog::{Catalog, Connection};
use crate::connector::Transport;
use crate::journal::Journal;
use crate::net::{Boxed, Client, Guard, Quotas};
use crate::probe::{Foreign, Listening, Own, ProbeView, Prober, Standing, last_heard};
use crate::vault::Vault;

/// Everything that a probe stands on.
pub(super) struct Probes {
    pub(super) catalog: Arc<Catalog>,
    pub(super) vault: Arc<Vault>,
    pub(super) tokens: TokensByConnection,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) clock: Arc<dyn Clock>,
    /// The buckets of a running daemon: reading, writing and probing share them.
    pub(super) quotas: Arc<Quotas>,
    /// Where our listener is, once there is one.
    pub(super) here: Arc<OnceLock<String>>,
    pub(super) public_url: String,
    /// Where webhooks come to instead, when a relay takes them for us.
    pub(super) relay: Option<String>,
    pub(super) zone: TimeZone,
}

impl Prober for Probes {
    fn probe<'a>(&'a self, connection: Option<&'a str>, locale: Locale) -> Boxed<'a, Option<Vec<ProbeView>>> {
        Box::pin(async move {
            let wanted = |it: &&Connection| connection.is_none_or(|name| *it.name == *name);
            let connections: Vec<&Connection> = self.catalog.connections().filter(wanted).collect();
            if connections.is_empty() && connection.is_some() {
                return None;
            }
            let journal = Arc::clone(&self.journal);
            // Reading back through the journal blocks; a probe without it still says the rest.
            let heard = tokio::task::spawn_blocking(move || last_heard(journal.as_ref())).await.unwrap_or_default();
            let mut views = Vec::with_capacity(connections.len());
            for connection in connections {
                let mut view = ProbeView::begin(connection, locale);
                self.foreign(connection, &mut view, locale).await;
                self.own(connection, &mut view, heard.get(&connection.name).copied(), locale).await;
                views.push(view);
            }
            Some(views)
        })
    }
}

impl Probes {
    async fn foreign(&self, connection: &Connection, view: &mut ProbeView, locale: Locale) {
        if connection.connector.sink.is_none() {
            return;
        }
        let made = links::link(&self.vault, &self.tokens, connection);
        let made = made.and_then(|(settings, wire)| Ok((settings, wire, links::guard(connection)?)));
        let (settings, wire, guard) = match made {
            Ok(made) => made,
            Err(cause) => {
                let told = cause.downcast_ref::<Told>().map(|told| told.0.clone());
                let message = told.unwrap_or_else(|| Message::new("app-sink").with("detail", &cause));
                return view.add("settings", Standing::Fail, &message, locale);
            }
        };
        let rights = self.tokens.get(&connection.name).map(|tokens| tokens.standing());
        let (quotas, clock) = (Arc::clone(&self.quotas), Arc::clone(&self.clock));
        let people = &self.catalog.people;
        Foreign { connection, settings, wire, guard, rights, quotas, clock, people, locale }.probe(view).await;
    }

    async fn own(
        &self,
        connection: &Connection,
        view: &mut ProbeView,
        heard: Option<crate::base::Timestamp>,
        locale: Locale,
    ) {
        let Some(source) = &connection.connector.source else { return };
        let of = |setting: &str| secret(&self.vault, &connection.name, setting);
        // Our own addresses lie in private networks.
        let Ok(client) = Client::new(Guard::new(true, Vec::new())) else { return };
        let relay = self.relay.as_ref().filter(|_| source.transport == Transport::Webhook);
        let public_url = relay.unwrap_or(&self.public_url).trim_end_matches('/').to_owned();
        let listening = Listening { here: self.here.get().cloned(), public_url };
        let own = Own {
            connection,
            secret: of(if source.transport == Transport::Exchange1c { "password" } else { "secret" }),
            scheme: intake::scheme(&connection.settings),
            signing: of("signing_secret"),
            listening: &listening,
            wire: Arc::new(client),
            heard,
            zone: &self.zone,
            now: self.clock.now(),
            locale,
        };
        own.probe(view).await;
    }
}
