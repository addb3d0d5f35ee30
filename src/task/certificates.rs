//! The certificate of the listener stays fresh: files are looked at, orders of ACME are made ahead of
//! time. What serves now stays until something better is there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tracing::{info, warn};

use crate::base::limits::CERTIFICATE_LOOK_MS;
use crate::base::telemetry::{Metric, Metrics};
use crate::base::{Clock, Message, Timestamp};
use crate::certificate::{Certificates, Issuer, Pair};

/// Where new pairs are from.
pub enum Renewal {
    /// Somebody else renews these.
    Files {
        /// The certificate.
        certificate: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// ACME.
    Acme(Box<Issuer>),
}

/// Wakes the look at once: SIGHUP.
pub type Hurry = Arc<Notify>;

/// Looks until the daemon stops.
pub async fn run(
    clock: Arc<dyn Clock>,
    mut stop: watch::Receiver<bool>,
    certificates: Arc<Certificates>,
    renewal: Renewal,
    hurry: Hurry,
    metrics: Arc<Metrics>,
) {
    if let Renewal::Acme(issuer) = &renewal {
        issuer.say_wait(clock.now());
    }
    while !*stop.borrow() {
        let now = clock.now();
        match &renewal {
            Renewal::Files { certificate, key } => look(&certificates, certificate, key, now),
            Renewal::Acme(issuer) if issuer.is_due(now) => {
                tokio::select! {
                    // An order that is cut goes on at the next start.
                    _ = stop.wait_for(|stop| *stop) => return,
                    () = order(&certificates, issuer, now) => {}
                }
            }
            Renewal::Acme(_) => {}
        }
        if let Some(not_after) = certificates.standing().not_after {
            metrics.series(Metric::CertificateNotAfter, &[]).set(not_after.seconds());
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(Duration::from_millis(CERTIFICATE_LOOK_MS)) => {}
            () = hurry.notified() => {
                if let Renewal::Acme(issuer) = &renewal {
                    issuer.hurry();
                }
            }
        }
    }
}

/// Whether the files hold another pair, and a good one.
fn look(certificates: &Certificates, certificate: &std::path::Path, key: &std::path::Path, now: Timestamp) {
    let current = certificates.pair();
    let is_same = match &current {
        Some(current) => current.is_of(certificate, key),
        None => Ok(false),
    };
    let refusal = match is_same {
        Ok(true) if current.as_ref().is_some_and(|it| it.has_run_out(now)) => {
            Message::new("certificate-run-out").with("path", certificate.display())
        }
        Ok(true) => return certificates.well(),
        Ok(false) => match Pair::from_files(certificate, key) {
            Ok(pair) if pair.has_run_out(now) && current.is_some_and(|it| !it.has_run_out(now)) => {
                Message::new("certificate-expired")
                    .with("path", certificate.display())
                    .with("date", pair.not_after.to_jiff())
            }
            Ok(pair) => {
                info!(certificate.not_after = %pair.not_after.to_jiff(), "another certificate is served from now on");
                return certificates.put(pair);
            }
            Err(error) => error.0,
        },
        Err(error) => error.0,
    };
    if certificates.trouble(refusal.clone(), None) {
        warn!("{refusal}");
    }
}

async fn order(certificates: &Certificates, issuer: &Issuer, now: Timestamp) {
    info!("a certificate is ordered");
    match issuer.order(now).await {
        Ok(()) => {
            let not_after = certificates.standing().not_after.map(|at| at.to_jiff().to_string()).unwrap_or_default();
            info!(certificate.not_after = %not_after, "a new certificate is served from now on");
        }
        Err(error) => warn!("{error}"),
    }
}
