//! A player of the manager interface of Asterisk: it plays what a real exchange once said.
//!
//! Written from the facts on AMI: the line of greeting, both ways to log in, a pause after a refusal,
//! an `ActionID` in every reply, events between replies, `FullyBooted` twice, lists, `Ping`. There is
//! no history: while nobody is connected, what is played is lost. The link is cut where the test
//! says, at any byte.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is played.
#[derive(Debug, Clone, Default)]
pub struct Play {
    /// Bytes of events.
    pub events: Vec<u8>,
    /// Bytes at once; all when none is said.
    pub piece: Option<usize>,
    /// Pause between pieces, ms.
    pub pause_ms: u64,
    /// Where the link is cut, and how many bytes behind are said to nobody.
    pub cuts: Vec<(usize, usize)>,
}

/// Who may log in, and how the exchange speaks.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Name of the user.
    pub login: String,
    /// His password.
    pub secret: String,
    /// Version of the protocol in the greeting.
    pub version: String,
    /// How long a refusal takes, ms.
    pub refusal_ms: u64,
}

impl Default for Manners {
    fn default() -> Manners {
        Manners { login: "uzel".into(), secret: "sekret".into(), version: "5.0.4".into(), refusal_ms: 1_000 }
    }
}

#[derive(Debug, Default)]
struct Stage {
    play: Play,
    /// How much was played.
    played: usize,
    logins: u32,
    refusals: u32,
    actions: Vec<String>,
}

/// A running player.
#[derive(Debug)]
pub struct AsteriskTwin {
    address: SocketAddr,
    stage: Arc<Mutex<Stage>>,
    serving: JoinHandle<()>,
}

impl Drop for AsteriskTwin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl AsteriskTwin {
    /// Listens on a port of its own on this machine.
    pub async fn start(manners: Manners) -> std::io::Result<AsteriskTwin> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let stage = Arc::new(Mutex::new(Stage::default()));
        let shared = Arc::clone(&stage);
        let serving = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                sessions.spawn(session(stream, Arc::clone(&shared), manners.clone()));
            }
        });
        Ok(AsteriskTwin { address, stage, serving })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Plays this after what is played already.
    pub fn play(&self, play: Play) {
        let mut stage = lock(&self.stage);
        let before = stage.play.events.len();
        stage.play.events.extend_from_slice(&play.events);
        stage.play.cuts.extend(play.cuts.iter().map(|(at, lost)| (before + at, *lost)));
        stage.play.piece = play.piece;
        stage.play.pause_ms = play.pause_ms;
    }

    /// Whether everything was played.
    pub fn is_over(&self) -> bool {
        let stage = lock(&self.stage);
        stage.played >= stage.play.events.len()
    }

    /// How often somebody was let in, and turned away.
    pub fn logins(&self) -> (u32, u32) {
        let stage = lock(&self.stage);
        (stage.logins, stage.refusals)
    }

    /// Actions that were asked for, in order.
    pub fn actions(&self) -> Vec<String> {
        lock(&self.stage).actions.clone()
    }
}

fn lock(stage: &Mutex<Stage>) -> std::sync::MutexGuard<'_, Stage> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Events of a capture: what a real exchange said of its own accord, without the greeting and replies.
pub fn events_of(capture: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(capture).into_owned();
    let body = text.split_once("\r\n").map_or("", |(_, body)| body);
    let events = body.split_inclusive("\r\n\r\n").filter(|packet| packet.starts_with("Event:"));
    events.collect::<String>().into_bytes()
}

const CHALLENGE: &str = "268435456";

async fn session(mut stream: TcpStream, stage: Arc<Mutex<Stage>>, manners: Manners) {
    let greeting = format!("Asterisk Call Manager/{}\r\n", manners.version);
    if stream.write_all(greeting.as_bytes()).await.is_err() {
        return;
    }
    let mut asked = Vec::new();
    let mut buffer = [0u8; 4_096];
    let mut is_in = false;
    loop {
        // Actions first, then a piece of the play.
        while let Some(end) = find(&asked, b"\r\n\r\n") {
            let action: Vec<u8> = asked.drain(..end + 4).collect();
            let action = headers(&String::from_utf8_lossy(&action));
            match answer(&action, &stage, &manners, &mut is_in).await {
                Some(reply) => {
                    if stream.write_all(reply.as_bytes()).await.is_err() {
                        return;
                    }
                }
                None => return,
            }
        }
        let (piece, pause_ms, cut) = if is_in { next_piece(&stage) } else { (Vec::new(), 0, false) };
        if !piece.is_empty() && stream.write_all(&piece).await.is_err() {
            return;
        }
        if cut {
            let _flushed = stream.shutdown().await;
            return;
        }
        let wait = if piece.is_empty() { 10 } else { pause_ms };
        match tokio::time::timeout(Duration::from_millis(wait), stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(count)) => asked.extend_from_slice(&buffer[..count]),
            Err(_elapsed) => {}
        }
    }
}

fn next_piece(stage: &Mutex<Stage>) -> (Vec<u8>, u64, bool) {
    let mut stage = lock(stage);
    let from = stage.played;
    let piece = stage.play.piece.unwrap_or(usize::MAX);
    let mut to = stage.play.events.len().min(from.saturating_add(piece));
    let next = stage.play.cuts.iter().copied().filter(|(at, _)| *at >= from).min();
    let cut = next.filter(|(at, _)| *at <= to);
    if let Some((at, _)) = cut {
        to = at;
    }
    let bytes = stage.play.events[from..to].to_vec();
    stage.played = to;
    if let Some(cut) = cut {
        stage.played = (cut.0 + cut.1).min(stage.play.events.len());
        stage.play.cuts.retain(|it| *it != cut);
    }
    (bytes, stage.play.pause_ms, cut.is_some())
}

async fn answer(
    action: &BTreeMap<String, String>,
    stage: &Mutex<Stage>,
    manners: &Manners,
    is_in: &mut bool,
) -> Option<String> {
    let of = |name: &str| action.get(name).map_or("", String::as_str);
    let id = match of("actionid") {
        "" => String::new(),
        id => format!("ActionID: {id}\r\n"),
    };
    let name = of("action").to_lowercase();
    lock(stage).actions.push(name.clone());
    let reply = |response: &str, rest: &str| format!("Response: {response}\r\n{id}{rest}\r\n");
    Some(match name.as_str() {
        "challenge" => reply("Success", &format!("Challenge: {CHALLENGE}\r\n")),
        "login" => {
            let key = format!("{:x}", md5::compute(format!("{CHALLENGE}{}", manners.secret)));
            let shown = of("key") == key || (of("key").is_empty() && of("secret") == manners.secret);
            if of("username") != manners.login || !shown {
                lock(stage).refusals += 1;
                tokio::time::sleep(Duration::from_millis(manners.refusal_ms)).await;
                return Some(reply("Error", "Message: Authentication failed\r\n"));
            }
            *is_in = true;
            lock(stage).logins += 1;
            let booted = "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n";
            format!("{}{booted}{booted}", reply("Success", "Message: Authentication accepted\r\n"))
        }
        "logoff" => return None,
        _ if !*is_in => reply("Error", "Message: Permission denied\r\n"),
        "ping" => reply("Success", "Ping: Pong\r\nTimestamp: 1795298310.000000\r\n"),
        "coreshowchannels" => {
            let live = live(stage);
            let mut text = reply("Success", "EventList: start\r\nMessage: Channels will follow\r\n");
            for lines in &live {
                text.push_str(&format!("Event: CoreShowChannel\r\n{id}{lines}\r\n"));
            }
            let count = live.len();
            text.push_str(&format!(
                "Event: CoreShowChannelsComplete\r\n{id}EventList: Complete\r\nListItems: {count}\r\n\r\n"
            ));
            text
        }
        _ => reply("Error", "Message: Invalid/unknown command\r\n"),
    })
}

/// Channels that are there after what was played, as a list shows them.
fn live(stage: &Mutex<Stage>) -> Vec<String> {
    let stage = lock(stage);
    let text = String::from_utf8_lossy(&stage.play.events[..stage.played]).into_owned();
    let mut live = BTreeMap::new();
    for packet in text.split("\r\n\r\n") {
        let named = headers(packet);
        let Some(channel) = named.get("uniqueid") else { continue };
        match named.get("event").map(String::as_str) {
            Some("Newchannel") => {
                let lines: String =
                    packet.lines().filter(|it| !it.starts_with("Event")).map(|it| format!("{it}\r\n")).collect();
                live.insert(channel.clone(), lines);
            }
            Some("Hangup") => {
                live.remove(channel);
            }
            Some(_) | None => {}
        }
    }
    live.into_values().collect()
}

fn headers(packet: &str) -> BTreeMap<String, String> {
    let lines = packet.lines().filter_map(|line| line.split_once(':'));
    lines.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned())).collect()
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|it| it == mark)
}
