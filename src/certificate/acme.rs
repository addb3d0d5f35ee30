//! Orders a certificate by ACME (RFC 8555).
//!
//! Account and key are made once. The order and the key of its certificate are on the disk before
//! the authority is asked to sign: a crash behind that finishes the same order, so that a loop of
//! crashes does not use up what the authority allows in a week. An order that failed is tried again
//! after ten minutes, then twice as long, up to half a day; a restart does not shorten the wait, a
//! change of the settings and SIGHUP do.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, ChallengeType, Identifier, NewAccount, NewOrder, Order,
    OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use tracing::info;

use super::kept::{Kept, KeptAccount, KeptOrder, KeptTries};
use super::{CertificateError, Certificates, Pair};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{ACME_ORDER_TIMEOUT_MS, ACME_RETRY_MS_MAX, ACME_RETRY_MS_MIN};
use crate::base::{Message, Timestamp};
use crate::config::{Acme, Challenge, Listen};

/// Orders certificates for one listener.
#[derive(Debug)]
pub struct Issuer {
    settings: Acme,
    /// Of the settings of the listener: others may go better.
    fingerprint: String,
    kept: Kept,
    certificates: Arc<Certificates>,
}

/// Polls of an order: at most half of the time of the whole.
const POLLS: RetryPolicy = RetryPolicy::new()
    .initial_delay(Duration::from_millis(500))
    .backoff(1.5)
    .timeout(Duration::from_millis(ACME_ORDER_TIMEOUT_MS / 2));

impl Issuer {
    /// Over the folder of an earlier run: its pair serves at once.
    pub fn open(
        folder: PathBuf,
        settings: Acme,
        listen: &Listen,
        certificates: Arc<Certificates>,
    ) -> Result<Issuer, CertificateError> {
        // Whoever installs first wins, and all install the same: an error means that it is there.
        let _already = ring::default_provider().install_default();
        let kept = Kept::open(folder)?;
        if let Some(pair) = kept.pair() {
            certificates.put(pair);
        }
        let fingerprint = Fingerprint::of(format!("{listen:?}").as_bytes()).to_string();
        Ok(Issuer { settings, fingerprint, kept, certificates })
    }

    /// Whether a certificate is to be ordered now.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let good = self.certificates.pair().filter(|pair| self.settings.domains.iter().all(|it| pair.covers(it)));
        let waits = self.tries().is_some_and(|tries| now < tries.next());
        good.is_none_or(|pair| pair.renew_at() <= now) && !waits
    }

    /// Forgets that orders failed: a person says that it will go now.
    pub fn hurry(&self) {
        self.kept.forget_tries();
    }

    /// Orders, and puts the new pair into use. The pair in use stays when it fails.
    pub async fn order(&self, now: Timestamp) -> Result<(), CertificateError> {
        let ordered = tokio::time::timeout(Duration::from_millis(ACME_ORDER_TIMEOUT_MS), self.obtain_patiently()).await;
        self.certificates.forget_answers();
        let failure = match ordered {
            Ok(Ok(pair)) => {
                self.kept.forget_tries();
                self.certificates.put(pair);
                return Ok(());
            }
            Ok(Err(Failure::Again(error) | Failure::Final(error))) => error.0,
            Err(_elapsed) => Message::new("acme-slow")
                .with("directory", &self.settings.directory)
                .with("seconds", ACME_ORDER_TIMEOUT_MS / 1000),
        };
        let failed = self.tries().map_or(0, |tries| tries.failed).saturating_add(1);
        let next = now.plus_ms(wait_ms(failed));
        self.kept.keep_tries(&KeptTries::new(failed, next, self.fingerprint.clone()))?;
        self.certificates.trouble(failure.clone(), Some(next));
        Err(CertificateError(failure))
    }

    /// The wait after failed orders, as an earlier run left it, is shown too.
    pub fn say_wait(&self, now: Timestamp) {
        if let Some(tries) = self.tries().filter(|tries| now < tries.next()) {
            let message = Message::new("acme-waits").with("failed", tries.failed);
            self.certificates.trouble(message, Some(tries.next()));
        }
    }

    fn tries(&self) -> Option<KeptTries> {
        self.kept.tries(&self.fingerprint)
    }

    /// Chance is given three turns.
    async fn obtain_patiently(&self) -> Result<Pair, Failure> {
        for _ in 0..2 {
            match self.obtain().await {
                Err(Failure::Again(error)) => info!("the order is begun again: {error}"),
                ended => return ended,
            }
        }
        self.obtain().await
    }

    async fn obtain(&self) -> Result<Pair, Failure> {
        let account = self.account().await?;
        if let Some(pair) = self.resumed(&account).await? {
            return Ok(pair);
        }
        let names: Vec<Identifier> = self.settings.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await.map_err(|error| self.failed(&error))?;
        self.prove(&mut order).await?;
        let key = KeyPair::generate().map_err(|error| self.failed_by(&error))?.serialize_pem();
        let kept = KeptOrder::new(&self.settings.directory, &self.settings.domains, order.url(), key);
        self.kept.keep_order(&kept)?;
        self.finish(&mut order, &kept).await
    }

    /// The account of an earlier order, else a new one.
    async fn account(&self) -> Result<Account, Failure> {
        let builder = match &self.settings.root {
            Some(root) => Account::builder_with_root(root),
            None => Account::builder(),
        };
        let builder = builder.map_err(|error| self.failed(&error))?;
        let held = self.kept.account::<AccountCredentials>();
        if let Some(held) = held.filter(|it| it.directory == self.settings.directory) {
            return builder.from_credentials(held.account).await.map_err(|error| self.failed(&error));
        }
        let contact = format!("mailto:{}", self.settings.email);
        let contacts = [contact.as_str()];
        // The settings are refused where the person has not agreed.
        let new = NewAccount {
            contact: if self.settings.email.is_empty() { &[] } else { &contacts },
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let made = builder.create(&new, self.settings.directory.clone(), None).await;
        let (account, credentials) = made.map_err(|error| self.failed(&error))?;
        self.kept.keep_account(&KeptAccount::new(&self.settings.directory, credentials))?;
        Ok(account)
    }

    /// An order that an earlier run left behind its signature.
    async fn resumed(&self, account: &Account) -> Result<Option<Pair>, Failure> {
        let Some(kept) = self.kept.order() else { return Ok(None) };
        let is_ours = kept.directory == self.settings.directory && kept.domains == self.settings.domains;
        let found = match is_ours {
            true => account.order(kept.order.clone()).await.ok(),
            false => None,
        };
        // An order that the authority has forgotten or refused is made anew.
        let Some(mut order) = found else {
            self.kept.forget_order();
            return Ok(None);
        };
        match order.state().status {
            OrderStatus::Ready | OrderStatus::Processing | OrderStatus::Valid => {
                info!("an order of an earlier run is finished");
                self.finish(&mut order, &kept).await.map(Some)
            }
            OrderStatus::Pending | OrderStatus::Invalid => {
                self.kept.forget_order();
                Ok(None)
            }
        }
    }

    /// Lays the answers out, and lets the authority look.
    async fn prove(&self, order: &mut Order) -> Result<(), Failure> {
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization.map_err(|error| self.failed(&error))?;
            match authorization.status {
                AuthorizationStatus::Pending => {}
                // Proved within the last days: the authority remembers.
                AuthorizationStatus::Valid => continue,
                AuthorizationStatus::Invalid
                | AuthorizationStatus::Revoked
                | AuthorizationStatus::Expired
                | AuthorizationStatus::Deactivated => return Err(self.refused("")),
            }
            let wanted = match self.settings.challenge {
                Challenge::Http01 => ChallengeType::Http01,
                Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
            };
            let Some(mut challenge) = authorization.challenge(wanted) else {
                let message = Message::new("acme-no-challenge").with("directory", &self.settings.directory);
                return Err(Failure::Final(CertificateError(message)));
            };
            let answer = challenge.key_authorization();
            match self.settings.challenge {
                Challenge::Http01 => self.certificates.set_token(challenge.token.clone(), answer.as_str().to_owned()),
                Challenge::TlsAlpn01 => {
                    let domain = challenge.identifier().to_string();
                    let made = proof(&domain, answer.digest().as_ref()).map_err(|error| self.failed_by(&error))?;
                    self.certificates.set_proof(domain, made);
                }
            }
            match challenge.set_ready().await {
                Ok(()) => {}
                // It may have looked already.
                Err(instant_acme::Error::Api(problem)) if !is_stale_nonce(&problem) => {
                    return Err(self.refused(problem.detail.as_deref().unwrap_or_default()));
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        match order.poll_ready(&POLLS).await {
            Ok(OrderStatus::Ready) => Ok(()),
            // What it says of the order as a whole is less than what it says of the names.
            Ok(_) => Err(self.refused(&self.why_invalid(order).await)),
            Err(instant_acme::Error::Api(problem)) if !is_stale_nonce(&problem) => {
                let names = self.why_invalid(order).await;
                Err(self.refused(if names.is_empty() { problem.detail.as_deref().unwrap_or_default() } else { &names }))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// What the authority says of the names that it could not see.
    async fn why_invalid(&self, order: &mut Order) -> String {
        let mut reasons = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let Ok(mut authorization) = authorization else { continue };
            let Ok(state) = authorization.refresh().await else { continue };
            let errors = state.challenges.iter().filter_map(|it| it.error.as_ref());
            reasons.extend(errors.filter_map(|it| it.detail.clone()));
        }
        reasons.join("; ")
    }

    /// Has the authority sign, and keeps what comes.
    async fn finish(&self, order: &mut Order, kept: &KeptOrder) -> Result<Pair, Failure> {
        if order.state().status == OrderStatus::Ready {
            let key = KeyPair::from_pem(&kept.key).map_err(|error| self.failed_by(&error))?;
            let mut asked = CertificateParams::new(kept.domains.clone()).map_err(|error| self.failed_by(&error))?;
            asked.distinguished_name = DistinguishedName::new();
            let asked = asked.serialize_request(&key).map_err(|error| self.failed_by(&error))?;
            if let Err(error) = order.finalize_csr(asked.der()).await {
                if matches!(error, instant_acme::Error::Api(_)) {
                    self.kept.forget_order();
                }
                return Err(self.failed(&error));
            }
        }
        let chain = match order.poll_certificate(&POLLS).await {
            Ok(chain) => chain,
            Err(error) => {
                // A signature that was refused is not asked for again by the same order.
                if order.state().status == OrderStatus::Invalid {
                    self.kept.forget_order();
                }
                return Err(self.failed(&error));
            }
        };
        let pair = Pair::parse(chain.as_bytes(), kept.key.as_bytes());
        let pair = pair.map_err(|_| {
            self.kept.forget_order();
            Failure::Final(CertificateError(Message::new("acme-no-pair").with("directory", &self.settings.directory)))
        })?;
        self.kept.keep_pair(&kept.key, &chain)?;
        self.kept.forget_order();
        Ok(pair)
    }

    fn refused(&self, detail: &str) -> Failure {
        let id = match self.settings.challenge {
            Challenge::Http01 => "acme-unseen-http",
            Challenge::TlsAlpn01 => "acme-unseen-tls",
        };
        let names = self.settings.domains.join(", ");
        Failure::Final(CertificateError(Message::new(id).with("domains", names).with("detail", detail)))
    }

    fn failed(&self, error: &instant_acme::Error) -> Failure {
        let failure = self.failed_by(error);
        match (error, failure) {
            (instant_acme::Error::Api(problem), Failure::Final(error)) if is_stale_nonce(problem) => {
                Failure::Again(error)
            }
            (_, failure) => failure,
        }
    }

    fn failed_by(&self, error: &dyn std::error::Error) -> Failure {
        let mut detail = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !detail.contains(&text) {
                detail = format!("{detail}: {text}");
            }
            cause = inner.source();
        }
        let directory = &self.settings.directory;
        let message = Message::new("acme-failed").with("directory", directory).with("detail", detail);
        Failure::Final(CertificateError(message))
    }
}

/// How an order ended without a pair.
enum Failure {
    /// By chance: the whole may be tried again at once.
    Again(CertificateError),
    /// For a reason that stays.
    Final(CertificateError),
}

impl From<CertificateError> for Failure {
    fn from(error: CertificateError) -> Failure {
        Failure::Final(error)
    }
}

/// The library asks three times with a fresh nonce; an authority that is restarted, or stands behind
/// several machines, refuses more of them than that.
fn is_stale_nonce(problem: &instant_acme::Problem) -> bool {
    problem.r#type.as_deref().is_some_and(|it| it.ends_with(":badNonce"))
}

/// The certificate that answers a challenge within TLS: for the one name, with the answer in it.
fn proof(domain: &str, digest: &[u8]) -> Result<CertifiedKey, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec![domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let certificate = params.self_signed(&key)?;
    let secret = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let secret = ring::sign::any_supported_type(&secret).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    // Not checked against each other: no reader of certificates takes the critical answer in it.
    Ok(CertifiedKey::new(vec![certificate.der().clone()], secret))
}

/// Ten minutes, twenty, forty, ... half a day.
fn wait_ms(failed: u32) -> i64 {
    let doubled = failed.saturating_sub(1).min(16);
    (ACME_RETRY_MS_MIN << doubled).min(ACME_RETRY_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_half_a_day() {
        let minutes = |failed| wait_ms(failed) / 60_000;
        assert_eq!([1, 2, 3, 6, 7, 8, 1_000_000].map(minutes), [10, 20, 40, 320, 640, 720, 720]);
    }
}
