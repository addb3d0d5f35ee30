//! The link to the manager interface: opening, logging in, reading, keeping it alive.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tracing::{info, warn};

use super::{AsteriskSettings, Heard, LinkState};
use crate::base::Message;
use crate::base::limits::{AMI_LIST_MS, AMI_OPEN_MS, AMI_PING_MS, AMI_SILENCE_MS};
use crate::decode::ami::{Packet, Splitter, keep};

/// How the password is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// A digest of it and of what the exchange asks.
    Md5,
    /// As it is.
    Plain,
}

/// Who is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of the authorities that sign for the exchange, PEM.
    pub authorities: PathBuf,
}

/// Why the link is down.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The exchange cannot be reached, or the link broke.
    #[error("the link broke")]
    Io(#[from] io::Error),
    /// It was closed.
    #[error("the exchange closed the link")]
    Closed,
    /// Nothing came for too long.
    #[error("the exchange is silent")]
    Silent,
    /// Who answers is no manager interface.
    #[error("what answers there is not the manager interface of Asterisk")]
    Stranger,
    /// It does not let us in.
    #[error("the exchange refuses the login")]
    Refused(String),
    /// The certificates that are to be trusted do not read.
    #[error("the file of authorities does not read")]
    Authorities,
}

impl LinkError {
    /// Whether trying again soon will not help: a person must act.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            LinkError::Refused(_) | LinkError::Authorities => true,
            LinkError::Io(_) | LinkError::Closed | LinkError::Silent | LinkError::Stranger => false,
        }
    }

    /// For people.
    pub(super) fn message(&self, settings: &AsteriskSettings) -> Message {
        let place = format!("{}:{}", settings.host, settings.port);
        let named = |id: &str| Message::new(id).with("connection", &settings.connection).with("place", &place);
        match self {
            LinkError::Io(error) => named("asterisk-io").with("detail", error),
            LinkError::Closed => named("asterisk-closed"),
            LinkError::Silent => named("asterisk-silent").with("seconds", AMI_SILENCE_MS / 1_000),
            LinkError::Stranger => named("asterisk-stranger"),
            LinkError::Refused(said) => named("asterisk-refused").with("login", &settings.login).with("said", said),
            LinkError::Authorities => named("asterisk-authorities"),
        }
    }
}

/// The keeper's end of the queue. What does not fit is a hole.
pub(super) struct Queue {
    sender: mpsc::Sender<Heard>,
    /// A hole that could not be told of yet.
    hole: bool,
}

impl Queue {
    pub(super) fn new(sender: mpsc::Sender<Heard>) -> Queue {
        Queue { sender, hole: false }
    }

    /// Never waits.
    fn push(&mut self, packet: &Packet<'_>) {
        if self.hole && self.sender.try_send(Heard::Hole).is_err() {
            return;
        }
        self.hole = false;
        if self.sender.try_send(Heard::Packet(packet.bytes().to_vec())).is_err() {
            // Bound: the journal is far behind; the call records tell what is lost here.
            warn!("events of the exchange are lost: the journal is behind");
            self.hole = true;
        }
    }

    /// What comes next does not follow what came.
    pub(super) fn hole(&mut self) {
        self.hole = self.sender.try_send(Heard::Hole).is_err();
    }

    /// Waits before the next try; a hole that could not be told of is told of meanwhile.
    pub(super) async fn rest(&mut self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        if self.hole {
            let told = tokio::time::timeout_at(until, self.sender.send(Heard::Hole)).await;
            self.hole = !matches!(told, Ok(Ok(())));
        }
        tokio::time::sleep_until(until).await;
    }
}

/// Opens the link and reads it until it is lost.
pub(super) async fn hold(
    settings: &AsteriskSettings,
    queue: &mut Queue,
    state: &watch::Sender<LinkState>,
) -> LinkError {
    let opened = timeout(Duration::from_millis(AMI_OPEN_MS), open(settings)).await;
    let held = match opened {
        Err(_elapsed) => return LinkError::Io(io::ErrorKind::TimedOut.into()),
        Ok(Err(error)) => return error,
        Ok(Ok(stream)) => Link::new(stream, settings).read(queue, state).await,
    };
    match held {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn open(settings: &AsteriskSettings) -> Result<Box<dyn Stream>, LinkError> {
    let stream = TcpStream::connect((settings.host.as_str(), settings.port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = &settings.tls else { return Ok(Box::new(stream)) };
    let mut roots = RootCertStore::empty();
    let read = tokio::fs::read(&tls.authorities).await.map_err(|_error| LinkError::Authorities)?;
    for certificate in CertificateDer::pem_slice_iter(&read) {
        let certificate = certificate.map_err(|_error| LinkError::Authorities)?;
        roots.add(certificate).map_err(|_error| LinkError::Authorities)?;
    }
    if roots.is_empty() {
        return Err(LinkError::Authorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(settings.host.clone()).map_err(io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

/// Where logging in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first line has not come.
    Banner,
    /// A challenge was asked for.
    Challenge,
    /// The password was shown.
    Login,
    /// We are in.
    In,
}

struct Link<'s> {
    stream: Box<dyn Stream>,
    settings: &'s AsteriskSettings,
    stage: Stage,
    splitter: Splitter,
    actions: u64,
}

enum Never {}

impl<'s> Link<'s> {
    fn new(stream: Box<dyn Stream>, settings: &'s AsteriskSettings) -> Link<'s> {
        Link { stream, settings, stage: Stage::Banner, splitter: Splitter::new(), actions: 0 }
    }

    async fn read(mut self, queue: &mut Queue, state: &watch::Sender<LinkState>) -> Result<Never, LinkError> {
        let mut buffer = vec![0; 64 * 1024];
        let mut heard_at = Instant::now();
        let mut ping_at = heard_at + Duration::from_millis(AMI_PING_MS);
        let mut list_at = heard_at + Duration::from_millis(AMI_LIST_MS);
        loop {
            let now = Instant::now();
            if now.duration_since(heard_at) > Duration::from_millis(AMI_SILENCE_MS) {
                return Err(LinkError::Silent);
            }
            if self.stage == Stage::In && now >= list_at {
                list_at = now + Duration::from_millis(AMI_LIST_MS);
                self.act("CoreShowChannels", &[]).await?;
            } else if self.stage == Stage::In && now >= ping_at {
                ping_at = now + Duration::from_millis(AMI_PING_MS);
                self.act("Ping", &[]).await?;
            }
            let count = match tokio::time::timeout_at(ping_at.min(list_at), self.stream.read(&mut buffer)).await {
                Err(_elapsed) => continue,
                Ok(count) => count?,
            };
            if count == 0 {
                return Err(LinkError::Closed);
            }
            heard_at = Instant::now();
            self.splitter.push(&buffer[..count]);
            while let Some(answer) = self.next(queue)? {
                self.answer(answer, state).await?;
            }
        }
    }

    /// Takes packets until one asks for something to be done.
    fn next(&mut self, queue: &mut Queue) -> Result<Option<Answer>, LinkError> {
        loop {
            let Some(packet) = self.splitter.next_packet() else {
                let is_noise = self.stage == Stage::Banner && self.splitter.pending() > 256;
                return if is_noise { Err(LinkError::Stranger) } else { Ok(None) };
            };
            if keep::is_kept(&packet, &self.settings.variables) {
                queue.push(&packet);
            }
            if let (Some(version), Stage::Banner) = (packet.banner(), self.stage) {
                let version = String::from_utf8_lossy(version).into_owned();
                return Ok(Some(Answer::Greeted(version)));
            }
            if self.stage == Stage::Banner {
                return Err(LinkError::Stranger);
            }
            let Some(response) = packet.raw("Response") else { continue };
            let good = response.eq_ignore_ascii_case(b"Success");
            match (self.stage, good) {
                (Stage::Challenge, true) => {
                    let challenge = packet.text("Challenge").unwrap_or_default().into_owned();
                    return Ok(Some(Answer::Challenged(challenge)));
                }
                (Stage::Login, true) => return Ok(Some(Answer::In)),
                (Stage::Challenge | Stage::Login, false) => {
                    let said = packet.text("Message").unwrap_or_default();
                    return Err(LinkError::Refused(said.chars().take(200).collect()));
                }
                (Stage::Banner | Stage::In, _) => {}
            }
        }
    }

    async fn answer(&mut self, answer: Answer, state: &watch::Sender<LinkState>) -> Result<(), LinkError> {
        let settings = self.settings;
        let login = settings.login.as_str();
        match (answer, settings.auth) {
            (Answer::Greeted(version), auth) => {
                info!(connection = %settings.connection, version = %version, "the exchange answers");
                match auth {
                    Auth::Md5 => {
                        self.stage = Stage::Challenge;
                        self.act("Challenge", &[("AuthType", "MD5")]).await
                    }
                    Auth::Plain => {
                        self.stage = Stage::Login;
                        let password = settings.password.expose().to_owned();
                        self.act("Login", &[("Username", login), ("Secret", &password), ("Events", "on")]).await
                    }
                }
            }
            (Answer::Challenged(challenge), _) => {
                self.stage = Stage::Login;
                let key = format!("{:x}", md5::compute(format!("{challenge}{}", settings.password.expose())));
                let parts = [("AuthType", "MD5"), ("Username", login), ("Key", &key), ("Events", "on")];
                self.act("Login", &parts).await
            }
            (Answer::In, _) => {
                self.stage = Stage::In;
                state.send_replace(LinkState::Listening);
                info!(connection = %settings.connection, "calls of {} are heard", settings.connection);
                self.act("CoreShowChannels", &[]).await
            }
        }
    }

    async fn act(&mut self, action: &str, headers: &[(&str, &str)]) -> Result<(), LinkError> {
        self.actions += 1;
        let mut text = format!("Action: {action}\r\nActionID: {}\r\n", self.actions);
        for (name, value) in headers {
            // A line break in a setting must not become another header.
            let value = value.replace(['\r', '\n'], " ");
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await?;
        Ok(())
    }
}

/// What the exchange said that wants an answer.
enum Answer {
    /// The first line, with the version of the protocol.
    Greeted(String),
    /// What the password is to be mixed with.
    Challenged(String),
    /// We are let in.
    In,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_key_is_the_digest_of_challenge_and_secret() {
        let key = format!("{:x}", md5::compute("268435456sekret"));
        assert_eq!(key, "929fa5949a5996743b3a7fbb8df370ea");
    }
}
