//! A listener on a free port of this machine, a journal that can refuse or wait, and a raw client.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use http::StatusCode;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinHandle;
use uzel::auth::signature::Scheme;
use uzel::base::clock::ManualClock;
use uzel::base::telemetry::Metrics;
use uzel::base::{Message, Position, Secret, Slug, Timestamp};
use uzel::connector::{SourceSpec, StreamSpec, TestRequest, Transport};
use uzel::entry::{Body, Entry, Received};
use uzel::http::{Door, Health, Listener, Options, Parts, State, TlsSide};
use uzel::journal::{AppendError, Appended, BodyReader, Journal, NewEntry, ReadError, StoredEntry};
use uzel::source::form::{FormSettings, FormSource, Rates, Ticks};
use uzel::value::Path;

pub(crate) const SECRET: &str = "s3cr3tpartoftheaddress0000000001";
pub(crate) const API_TOKEN: &str = "t0kenofthejsoninterface000000001";
pub(crate) const NOW: Timestamp = Timestamp(1_780_000_000_000);

/// How the journal treats the next append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Keep,
    NoSpace,
    Fail,
    Panic,
}

/// Keeps entries in memory, refuses on demand, and may hold every append until it is let go.
pub(crate) struct TestJournal {
    entries: Mutex<Vec<NewEntry>>,
    bodies: Mutex<Vec<Vec<u8>>>,
    mood: Mutex<Mood>,
    head: watch::Sender<Position>,
    gate: Arc<Semaphore>,
    appends_begun: watch::Sender<usize>,
}

impl TestJournal {
    fn new() -> TestJournal {
        TestJournal {
            entries: Mutex::default(),
            bodies: Mutex::default(),
            mood: Mutex::new(Mood::Keep),
            head: watch::Sender::new(Position::START),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            appends_begun: watch::Sender::new(0),
        }
    }

    pub(crate) fn set_mood(&self, mood: Mood) {
        *self.mood.lock().expect("not poisoned") = mood;
    }

    /// From now on appends wait.
    pub(crate) fn hold(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1_000);
    }

    pub(crate) async fn wait_for_appends(&self, count: usize) {
        let mut begun = self.appends_begun.subscribe();
        begun.wait_for(|it| *it >= count).await.expect("the journal outlives the test");
    }

    pub(crate) fn envelopes(&self) -> Vec<Received> {
        let entries = self.entries.lock().expect("not poisoned");
        let received = |entry: &NewEntry| match Entry::decode(entry.kind, &entry.payload).expect("own payload") {
            Entry::Received(received) => received,
            other => panic!("not an envelope: {other:?}"),
        };
        entries.iter().map(received).collect()
    }

    pub(crate) fn bodies(&self) -> Vec<usize> {
        self.bodies.lock().expect("not poisoned").iter().map(Vec::len).collect()
    }

    fn refusal(&self) -> Result<(), AppendError> {
        let message = Message::new("id-bad-item-ref").with("text", "/var/lib/uzel/journal");
        let mood = *self.mood.lock().expect("not poisoned");
        match mood {
            Mood::Keep => Ok(()),
            Mood::NoSpace => Err(AppendError::NoSpace(message)),
            Mood::Fail => Err(AppendError::Failed(message)),
            Mood::Panic => panic!("the test asked for it"),
        }
    }
}

impl Journal for TestJournal {
    fn append(&self, entry: NewEntry) -> Appended {
        if let Err(error) = self.refusal() {
            return Box::pin(std::future::ready(Err(error)));
        }
        let mut entries = self.entries.lock().expect("not poisoned");
        entries.push(entry);
        let position = Position(entries.len() as u64);
        self.appends_begun.send_replace(entries.len());
        let (gate, head) = (self.gate.clone(), self.head.clone());
        Box::pin(async move {
            gate.acquire().await.expect("never closed").forget();
            head.send_replace(position);
            Ok(position)
        })
    }

    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn first(&self) -> Position {
        Position(1)
    }

    fn read(&self, _from: Position, _entries_max: usize, _bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        Ok(Vec::new())
    }

    fn put_body(&self, bytes: Vec<u8>) -> Result<Body, AppendError> {
        self.refusal()?;
        let fingerprint = uzel::base::checksum::Fingerprint::of(&bytes);
        let body = Body::File { name: fingerprint.to_string().into(), len: bytes.len() as u64, fingerprint };
        self.bodies.lock().expect("not poisoned").push(bytes);
        Ok(body)
    }

    fn adopt_body(&self, _file: &std::path::Path) -> Result<Body, AppendError> {
        Err(AppendError::Closed(Message::new("http-closing")))
    }

    fn open_body(&self, _body: &Body) -> Result<Box<dyn BodyReader>, ReadError> {
        Ok(Box::new(std::io::Cursor::new(Vec::new())))
    }

    fn accepts_intake(&self) -> Result<(), AppendError> {
        self.refusal()
    }
}

/// Ready unless told otherwise.
pub(crate) struct TestHealth(pub(crate) AtomicBool);

impl Health for TestHealth {
    fn ready(&self) -> Result<(), Message> {
        match self.0.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err(Message::new("http-closing")),
        }
    }
}

pub(crate) fn spec(answer: &str) -> SourceSpec {
    let lead = StreamSpec {
        name: Slug::literal("lead"),
        mapping: Slug::literal("lead"),
        idempotency: vec![Path::compile("tranid").expect("a literal path")],
        window_s: 60,
        remember_days: 7,
        fold_names: true,
        drop: Vec::new(),
    };
    SourceSpec {
        transport: Transport::Webhook,
        answer: answer.to_owned(),
        test: Some(TestRequest { field: "test".to_owned(), value: "test".to_owned() }),
        honeypot: None,
        streams: vec![lead],
    }
}

pub(crate) fn settings(connection: &'static str, rates: Rates) -> FormSettings {
    FormSettings {
        connection: Slug::literal(connection),
        connector: Slug::literal("forms"),
        secret: Secret::new(SECRET),
        previous_secret: Some(Secret::new("the-one-before")),
        scheme: Scheme::None,
        signing: Vec::new(),
        origins: vec!["https://site.ru".to_owned()],
        redirects: vec!["https://site.ru/thanks".to_owned()],
        rates,
    }
}

fn source(connection: &'static str, answer: &str, rates: Rates) -> FormSource {
    FormSource::new(settings(connection, rates), &spec(answer), Ticks::monotonic()).expect("good settings")
}

/// What a test changes of the usual listener.
pub(crate) struct Setup {
    pub(crate) options: Options,
    pub(crate) rates: Rates,
    pub(crate) api: Option<axum::Router>,
}

impl Setup {
    pub(crate) fn usual() -> Setup {
        Setup { options: Options::standard(), rates: Rates::NONE, api: None }
    }
}

/// A listener that runs: connections `site` (answers by `Accept`) and `tilda` (answers `ok`).
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) journal: Arc<TestJournal>,
    pub(crate) health: Arc<TestHealth>,
    pub(crate) state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What the listener of a test is.
pub(crate) enum Role {
    Open,
    Tls(Arc<TlsSide>),
    Door(Door),
}

impl Running {
    pub(crate) async fn start(setup: Setup) -> Running {
        Running::start_as(setup, Role::Open).await
    }

    pub(crate) async fn start_as(setup: Setup, role: Role) -> Running {
        let journal = Arc::new(TestJournal::new());
        let health = Arc::new(TestHealth(AtomicBool::new(true)));
        let state = Arc::new(State::new(Parts {
            journal: journal.clone(),
            health: health.clone(),
            clock: Arc::new(ManualClock::new(NOW)),
            metrics: Arc::new(Metrics::new()),
            api: setup.api,
            pages: None,
            seed: 0xabcd_0123,
            options: setup.options,
        }));
        state.set_forms(vec![source("site", "", setup.rates), source("tilda", "ok", setup.rates)]);
        state.set_api_tokens(vec![Secret::new(API_TOKEN)]);
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(loopback, state.clone()).await.expect("a free port");
        let listener = match role {
            Role::Open => listener,
            Role::Tls(side) => listener.with_tls(side),
            Role::Door(door) => listener.as_door(door),
        };
        let address = listener.local_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(listener.run(async {
            // A dropped sender stops it too.
            let _ = stopped.await;
        }));
        Running { address, journal, health, state, stop: Some(stop), task }
    }

    pub(crate) fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) async fn stopped(self) {
        let Running { stop, task, .. } = self;
        drop(stop);
        task.await.expect("the listener does not panic");
    }

    /// Sends raw bytes on a connection of their own and reads the answer to its end.
    pub(crate) async fn raw(&self, bytes: impl AsRef<[u8]>) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.expect("it listens");
        // The listener may refuse before all of it is sent.
        let _ = stream.write_all(bytes.as_ref()).await;
        read_reply(&mut stream).await
    }

    /// A request that closes its connection.
    pub(crate) async fn send(&self, line: &str, headers: &str, body: impl AsRef<[u8]>) -> Reply {
        self.raw(request(line, headers, body)).await
    }
}

pub(crate) fn request(line: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n").into_bytes();
    for header in headers.lines().map(str::trim).filter(|it| !it.is_empty()) {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// An answer, in text.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = |line: &'_ str| {
            let (key, _) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(key.len())
        };
        self.head.lines().find_map(|it| line(it).map(|at| it[at + 1..].trim()))
    }

    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.status == status.as_u16()
    }
}

/// Reads until the peer closes; an empty answer has status 0.
pub(crate) async fn read_reply(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    // A reset after the answer is the peer's right: what came counts.
    let _ = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}
