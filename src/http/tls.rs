//! Connections within TLS. The handshake has a bound of its own; what is no handshake but plain HTTP
//! is told so in plain HTTP, because a person at the other end sees nothing of a handshake that failed.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use crate::base::limits::TLS_HANDSHAKE_TIMEOUT_MS;
use crate::certificate::{ACME_ALPN, Certificates};

/// What handshakes are made with.
pub struct TlsSide {
    acceptor: TlsAcceptor,
    timeout: Duration,
}

/// Notes in a request that it came within TLS of ours.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithinTls;

/// What a connection turned out to be.
pub(super) enum Taken {
    /// TLS.
    Secured(Box<TlsStream<TcpStream>>),
    /// Plain HTTP where TLS was expected.
    Plain(TcpStream),
    /// Nothing that is to be answered: silence, noise, an authority that has seen what it wanted.
    Ended,
}

impl TlsSide {
    /// Handshakes with the pair in use; `proofs`: an authority may ask for its proof here.
    pub fn new(certificates: Arc<Certificates>, proofs: bool) -> Result<TlsSide, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config =
            builder.with_safe_default_protocol_versions()?.with_no_client_auth().with_cert_resolver(certificates);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if proofs {
            config.alpn_protocols.push(ACME_ALPN.to_vec());
        }
        // Senders of one webhook a minute come again without the long handshake.
        config.ticketer = ring::Ticketer::new()?;
        let timeout = Duration::from_millis(TLS_HANDSHAKE_TIMEOUT_MS);
        Ok(TlsSide { acceptor: TlsAcceptor::from(Arc::new(config)), timeout })
    }

    /// Shorter handshakes, for tests.
    #[must_use]
    pub fn within(self, timeout: Duration) -> TlsSide {
        TlsSide { timeout, ..self }
    }

    pub(super) async fn take(&self, stream: TcpStream) -> Taken {
        match tokio::time::timeout(self.timeout, self.begin(stream)).await {
            Ok(taken) => taken,
            Err(_elapsed) => {
                debug!("a handshake took too long, its connection is closed");
                Taken::Ended
            }
        }
    }

    async fn begin(&self, stream: TcpStream) -> Taken {
        let mut first = [0_u8; 1];
        match stream.peek(&mut first).await {
            // A request begins with the word of its method, a handshake with 0x16.
            Ok(1..) if first[0].is_ascii_alphabetic() => return Taken::Plain(stream),
            Ok(1..) => {}
            Ok(0) | Err(_) => return Taken::Ended,
        }
        match self.acceptor.accept(stream).await {
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(ACME_ALPN) => Taken::Ended,
            Ok(stream) => Taken::Secured(Box::new(stream)),
            Err(error) => {
                debug!(%error, "a handshake failed");
                Taken::Ended
            }
        }
    }
}
