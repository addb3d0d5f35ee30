//! Asterisk: a link to its manager interface that is held open, and the tail of its call records.
//!
//! Three actors. The *reader* ([`link`]) takes bytes from the socket as they come, drops what is of
//! no call, and puts the rest into a queue with a bound: it never waits for the disk, because the
//! exchange cuts off whoever reads slowly. The *keeper* ([`Listener`]) takes what is there, some
//! packets at a time, and journals it. The *tail* ([`tail`]) follows the file of call records.
//!
//! Guaranteed: what was journalled survives whatever happens to us, and calls are put together from
//! the journal alone. What was not (the link was lost, the queue was full, we did not run) is a hole
//! that is marked as such in the journal; the call records fill it.
//!
//! Nothing of the exchange is changed: the only actions are those of logging in, `Ping`, and
//! `CoreShowChannels`, by which is found out, after the link was lost, which calls still go on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::base::checksum::Fingerprint;
use crate::base::limits::{
    AMI_BACKOFF_MS_MAX, AMI_BACKOFF_MS_MIN, AMI_PORTION_BYTES_MAX, AMI_PORTION_MS, AMI_PORTION_PACKETS_MAX,
    AMI_QUEUE_PACKETS_MAX,
};
use crate::base::{Clock, Message, Secret, Slug};
use crate::decode::{ami, cdr};
use crate::entry::{Body, Entry, Received};
use crate::journal::{Journal, NewEntry};

mod link;
mod tail;

pub use link::{Auth, LinkError, Tls};
pub use tail::Tail;

/// What an administrator sets for one connection.
#[derive(Debug, Clone)]
pub struct AsteriskSettings {
    /// The connection.
    pub connection: Slug,
    /// Its connector.
    pub connector: Slug,
    /// Kind of its records.
    pub stream: Slug,
    /// Where it listens.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Name of the user of the manager interface.
    pub login: String,
    /// The password.
    pub password: Secret,
    /// How the password is shown.
    pub auth: Auth,
    /// Who is trusted, when the link is within TLS.
    pub tls: Option<Tls>,
    /// Channel variables that are kept.
    pub variables: Vec<String>,
    /// The file of call records.
    pub cdr_file: Option<PathBuf>,
    /// Where is remembered how far it is read.
    pub memory: PathBuf,
}

/// How the link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// It is being opened.
    Opening,
    /// Calls are heard.
    Listening,
    /// Calls are not heard, for this reason.
    Down(Message),
}

/// What the reader gives the keeper.
#[derive(Debug)]
enum Heard {
    /// A packet as it came.
    Packet(Vec<u8>),
    /// What comes next is not what came after the one before.
    Hole,
}

/// Listens to one exchange.
pub struct Listener {
    settings: Arc<AsteriskSettings>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    state: watch::Sender<LinkState>,
    /// Names envelopes apart: the instant of the start and a number.
    started: i64,
    number: u64,
}

impl Listener {
    /// Ready to run.
    pub fn new(settings: AsteriskSettings, journal: Arc<dyn Journal>, clock: Arc<dyn Clock>) -> Listener {
        let started = clock.now().0;
        let (state, _) = watch::channel(LinkState::Opening);
        Listener { settings: Arc::new(settings), journal, clock, state, started, number: 0 }
    }

    /// The connection.
    pub fn connection(&self) -> &Slug {
        &self.settings.connection
    }

    /// Kind of its records.
    pub fn stream(&self) -> &Slug {
        &self.settings.stream
    }

    /// How the link stands, from now on.
    pub fn state(&self) -> watch::Receiver<LinkState> {
        self.state.subscribe()
    }

    /// Runs until `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut stopping = stop.clone();
        let work = async {
            let (sender, mut queue) = mpsc::channel(AMI_QUEUE_PACKETS_MAX);
            let reader = read(Arc::clone(&self.settings), sender, self.state.clone());
            let mut tail = self.settings.cdr_file.as_ref().map(|file| Tail::open(file, &self.settings.memory));
            let keeper = async {
                loop {
                    self.keep(&mut queue, &mut tail).await;
                }
            };
            tokio::join!(reader, keeper);
        };
        tokio::select! {
            () = work => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
        // What was heard last may have told of the end of a call: the call records tell it too.
        let _stopped = stop.wait_for(|stop| *stop).await;
    }

    /// Journals what is there: one portion of packets, and new rows of call records.
    async fn keep(&mut self, queue: &mut mpsc::Receiver<Heard>, tail: &mut Option<Tail>) {
        let mut portion = Vec::new();
        let mut hole = false;
        let mut packets = 0;
        // Without packets it is time for a look at the file.
        let first = timeout(Duration::from_millis(tail::LOOK_MS), queue.recv()).await;
        let mut next = first.ok().flatten();
        let until = Instant::now() + Duration::from_millis(AMI_PORTION_MS);
        while let Some(heard) = next.take() {
            match heard {
                Heard::Packet(bytes) => {
                    portion.extend_from_slice(&bytes);
                    packets += 1;
                }
                Heard::Hole => {
                    hole = true;
                    break;
                }
            }
            if packets >= AMI_PORTION_PACKETS_MAX || portion.len() >= AMI_PORTION_BYTES_MAX {
                break;
            }
            next = tokio::time::timeout_at(until, queue.recv()).await.ok().flatten();
        }
        if packets > 0 {
            self.append(portion, ami::CONTENT_TYPE, Vec::new()).await;
        }
        if hole {
            self.append(Vec::new(), ami::CONTENT_TYPE, vec![(ami::NOTE_LINK.into(), ami::LOST.to_owned())]).await;
        }
        if let Some(tail) = tail {
            self.follow(tail).await;
        }
    }

    async fn follow(&mut self, tail: &mut Tail) {
        match tail.look().await {
            Ok(Some(rows)) => {
                self.append(rows, cdr::CONTENT_TYPE, Vec::new()).await;
                if let Err(error) = tail.took().await {
                    warn!(connection = %self.settings.connection, %error, "how far the call records are read cannot be remembered");
                }
            }
            Ok(None) => {}
            Err(error) if tail.is_new_trouble(&error) => {
                warn!(connection = %self.settings.connection, %error, "the file of call records cannot be read");
            }
            Err(_told) => {}
        }
    }

    /// Appends an envelope; tries until it is durable. Meanwhile the reader goes on, as far as the
    /// queue lets it.
    async fn append(&mut self, body: Vec<u8>, content_type: &str, headers: Vec<(compact_str::CompactString, String)>) {
        self.number += 1;
        let (started, number) = (self.started.to_le_bytes(), self.number.to_le_bytes());
        let parts = [&b"asterisk"[..], self.settings.connection.as_bytes(), &started, &number];
        let at = self.clock.now();
        let entry = Entry::Received(Received {
            connection: self.settings.connection.clone(),
            connector: self.settings.connector.clone(),
            stream: self.settings.stream.clone(),
            received_at: at,
            idempotency_key: Fingerprint::of_parts(parts),
            content_type: content_type.into(),
            headers,
            body: Body::Inline(body),
        });
        let payload = entry.encode();
        let mut pause = AMI_BACKOFF_MS_MIN;
        loop {
            let taken = match self.journal.accepts_intake() {
                Ok(()) => self.journal.append(NewEntry { kind: entry.kind(), at, payload: payload.clone() }).await,
                Err(error) => Err(error),
            };
            let Err(error) = taken else { return };
            warn!(connection = %self.settings.connection, %error, "what the exchange told cannot be journalled yet");
            tokio::time::sleep(Duration::from_millis(pause)).await;
            pause = (pause * 2).min(AMI_BACKOFF_MS_MAX);
        }
    }
}

/// Holds the link open, and opens it again when it is lost.
async fn read(settings: Arc<AsteriskSettings>, queue: mpsc::Sender<Heard>, state: watch::Sender<LinkState>) {
    let mut pause = AMI_BACKOFF_MS_MIN;
    let mut queue = link::Queue::new(queue);
    loop {
        state.send_replace(LinkState::Opening);
        let began = Instant::now();
        let error = link::hold(&settings, &mut queue, &state).await;
        queue.hole();
        let heard = matches!(*state.borrow(), LinkState::Listening);
        state.send_replace(LinkState::Down(error.message(&settings)));
        if heard && began.elapsed() > Duration::from_millis(AMI_BACKOFF_MS_MAX) {
            pause = AMI_BACKOFF_MS_MIN;
        }
        let wait = if error.is_refusal() { AMI_BACKOFF_MS_MAX } else { pause };
        // The error names the server, never the password.
        warn!(connection = %settings.connection, reason = %error, retry_after_ms = wait, "calls of {} are not heard", settings.connection);
        queue.rest(wait).await;
        pause = (pause * 2).min(AMI_BACKOFF_MS_MAX);
        info!(connection = %settings.connection, "the link to {} is opened again", settings.connection);
    }
}
