//! Certificates of the listener: two PEM files that somebody else renews, or orders by ACME.
//!
//! [`Certificates`] is what a handshake asks: the pair in use, and the answers to challenges of an
//! authority. A pair is exchanged as a whole while the listener runs. Guaranteed:
//! - a new pair that does not read, whose key is not its own, or that has run out, never takes the
//!   place of one that serves; why it was refused stands in the status until a good one comes;
//! - a pair by ACME lies in one owner-only file, replaced atomically: a power cut leaves the old one
//!   or the new one, never a certificate with another key;
//! - keys are never logged and never shown.
//!
//! Not here: when to look (`task::certificates`), and the sockets (`http`).

mod acme;
mod kept;
mod pair;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

pub use acme::Issuer;
pub use pair::Pair;

use crate::base::{Message, Timestamp};

/// The protocol by which an authority looks at port 443 (RFC 8737).
pub const ACME_ALPN: &[u8] = b"acme-tls/1";

/// Why there is no pair.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CertificateError(pub Message);

/// How the certificate stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// When the certificate in use runs out; `None`: there is none yet.
    pub not_after: Option<Timestamp>,
    /// What is wrong, and the next step.
    pub trouble: Option<Message>,
    /// When the next order is tried, after one that failed.
    pub next_try: Option<Timestamp>,
}

/// What handshakes are served with; shared by the listener and by who renews.
#[derive(Debug, Default)]
pub struct Certificates {
    pair: RwLock<Option<Arc<Pair>>>,
    /// By domain: certificates that answer a challenge within TLS.
    proofs: RwLock<BTreeMap<String, Arc<CertifiedKey>>>,
    /// By token: texts that answer a challenge at port 80.
    tokens: RwLock<BTreeMap<String, String>>,
    standing: RwLock<Standing>,
}

impl Certificates {
    /// The pair in use.
    pub fn pair(&self) -> Option<Arc<Pair>> {
        self.pair.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a pair into use: new handshakes get it, connections that are open go on.
    pub fn put(&self, pair: Pair) {
        let not_after = Some(pair.not_after);
        *self.pair.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pair));
        *self.standing.write().unwrap_or_else(PoisonError::into_inner) =
            Standing { not_after, trouble: None, next_try: None };
    }

    /// Says what is wrong; `true` when it was not known before.
    pub fn trouble(&self, trouble: Message, next_try: Option<Timestamp>) -> bool {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        let is_news = standing.trouble.as_ref() != Some(&trouble);
        standing.trouble = Some(trouble);
        standing.next_try = next_try;
        is_news
    }

    /// Nothing is wrong any more.
    pub fn well(&self) {
        let mut standing = self.standing.write().unwrap_or_else(PoisonError::into_inner);
        (standing.trouble, standing.next_try) = (None, None);
    }

    /// How the certificate stands.
    pub fn standing(&self) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answer to a challenge at port 80.
    pub fn token(&self, token: &str) -> Option<String> {
        self.tokens.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    fn set_token(&self, token: String, answer: String) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).insert(token, answer);
    }

    fn set_proof(&self, domain: String, proof: CertifiedKey) {
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).insert(domain, Arc::new(proof));
    }

    /// The order is over: its answers go.
    fn forget_answers(&self) {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.proofs.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asks_for_proof = hello.alpn().is_some_and(|mut it| it.any(|protocol| protocol == ACME_ALPN));
        if asks_for_proof {
            let proofs = self.proofs.read().unwrap_or_else(PoisonError::into_inner);
            return proofs.get(hello.server_name()?).cloned();
        }
        self.pair().map(|pair| Arc::clone(&pair.key))
    }
}
