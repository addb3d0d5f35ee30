//! The outer side of the daemon: its listeners, the certificate they serve, whom they believe.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::error;

use super::error::Told;
use crate::base::telemetry::Metrics;
use crate::base::{Clock, Message};
use crate::certificate::{Certificates, Issuer, Pair};
use crate::config::{self, Acme, Challenge, Listen, Tls};
use crate::http::{Door, Listener, Options, ProxyHeader, State, TlsSide, TrustedProxies};
use crate::task::certificates::{self, Hurry, Renewal};

/// The account, certificates and keys of ACME, in the folder of the data.
const ACME_FOLDER: &str = "acme";

/// What a listener runs with.
pub(super) struct Run<'r> {
    pub(super) clock: &'r Arc<dyn Clock>,
    pub(super) stop: &'r watch::Receiver<bool>,
    pub(super) metrics: &'r Arc<Metrics>,
    pub(super) tasks: &'r mut JoinSet<()>,
}

/// The certificate, and where the next one is from.
pub(super) struct Certified {
    pub(super) certificates: Arc<Certificates>,
    renewal: Renewal,
    proofs: bool,
}

/// What the settings say of TLS. Files that are no pair are refused here: a person is looking.
pub(super) fn certified(listen: &Listen, folder: &Path) -> anyhow::Result<Option<Certified>> {
    let certificates = Arc::new(Certificates::default());
    let (renewal, proofs) = match &listen.tls {
        None => return Ok(None),
        Some(Tls::Files { certificate, key }) => {
            let (certificate, key) = (folder.join(certificate), folder.join(key));
            certificates.put(Pair::from_files(&certificate, &key).map_err(|error| Told(error.0))?);
            (Renewal::Files { certificate, key }, false)
        }
        Some(Tls::Acme(acme)) => {
            let root = acme.root.as_ref().map(|it| folder.join(it));
            let acme = Acme { root, ..acme.clone() };
            let proofs = acme.challenge == Challenge::TlsAlpn01;
            let issuer = Issuer::open(folder.join(ACME_FOLDER), acme, listen, Arc::clone(&certificates));
            let issuer = issuer.map_err(|error| Told(error.0))?;
            (Renewal::Acme(Box::new(issuer)), proofs)
        }
    };
    Ok(Some(Certified { certificates, renewal, proofs }))
}

/// Listens, and keeps the certificate fresh. Returns the address, as people write it.
pub(super) async fn listen(
    settings: &Listen,
    listen: Option<SocketAddr>,
    state: Arc<State>,
    certified: Option<Certified>,
    run: Run<'_>,
) -> anyhow::Result<String> {
    let Run { clock, stop, metrics, tasks } = run;
    // Without a certificate nobody hears it; unheard it would end the process.
    let hurry = Hurry::default();
    tasks.spawn(hang_ups(Arc::clone(&hurry), stop.clone()));
    let bound = Listener::bind(listen.unwrap_or(settings.address), Arc::clone(&state)).await;
    let listener = bound.map_err(|error| Told(error.message))?;
    let address = listener.local_addr();
    let Some(Certified { certificates, renewal, proofs }) = certified else {
        tasks.spawn(listener.run(stopped(stop.clone())));
        return Ok(format!("http://{address}"));
    };
    let side = TlsSide::new(Arc::clone(&certificates), proofs);
    let side = side.map_err(|error| Told(Message::new("http-tls").with("cause", error)))?;
    tasks.spawn(listener.with_tls(Arc::new(side)).run(stopped(stop.clone())));
    if let Some(plain) = settings.plain_address {
        let bound = Listener::bind(plain, state).await;
        let door = Door {
            certificates: Arc::clone(&certificates),
            public_url: Some(settings.public_url.clone()).filter(|it| it.starts_with("https://")),
            tls_port: address.port(),
        };
        let door = bound.map_err(|error| Told(error.message))?.as_door(door);
        tasks.spawn(door.run(stopped(stop.clone())));
    }
    tasks.spawn(certificates::run(Arc::clone(clock), stop.clone(), certificates, renewal, hurry, Arc::clone(metrics)));
    Ok(format!("https://{address}"))
}

/// Resolves when the daemon stops. An error means that the sender is gone: also the end.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    let _stopped = stop.wait_for(|stop| *stop).await;
}

/// SIGHUP: the certificate is looked at now, an order that waits is tried now.
async fn hang_ups(hurry: Hurry, stop: watch::Receiver<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signals = match signal(SignalKind::hangup()) {
        Ok(signals) => signals,
        Err(error) => {
            error!(%error, "a signal cannot be listened for");
            return;
        }
    };
    let mut stop = std::pin::pin!(stopped(stop));
    loop {
        tokio::select! {
            () = &mut stop => return,
            received = signals.recv() => match received {
                Some(()) => hurry.notify_one(),
                None => return,
            },
        }
    }
}

/// Bounds of a listener, as its settings say.
pub(super) fn options(listen: &Listen) -> anyhow::Result<Options> {
    let header = match listen.proxy_header {
        config::ProxyHeader::XForwardedFor => ProxyHeader::XForwardedFor,
        config::ProxyHeader::Forwarded => ProxyHeader::Forwarded,
    };
    let trusted_proxies = match listen.trusted_proxies.is_empty() {
        true => TrustedProxies::none(),
        false => TrustedProxies::parse(&listen.trusted_proxies, header).map_err(Told)?,
    };
    Ok(Options { trusted_proxies, ..Options::standard() })
}
