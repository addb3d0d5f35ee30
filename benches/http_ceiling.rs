//! How much of a bare axum handler's throughput the listener reaches: 1 KiB JSON bodies, 64 kept
//! connections, no pipelining, the load generator on the same cores.
//!
//! `cargo bench --bench http_ceiling`; prints the median of the rounds and the ratio. Two journals: one
//! that is durable at once and keeps nothing (the cost of listener, envelope and key alone), and the
//! real one in a temporary folder, synced.
//! Environment: `ROUNDS` (5), `SECONDS` of a round (3), `TMPDIR` chooses the disk.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::routing::post;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use uzel::base::clock::SystemClock;
use uzel::base::telemetry::Metrics;
use uzel::base::{Message, Position, Secret, Slug, Timestamp};
use uzel::connector::{SourceSpec, StreamSpec, Transport};
use uzel::entry::{Body, Entry};
use uzel::http::{Health, Listener, Options, Parts, State};
use uzel::journal::{
    AppendError, Appended, BodyReader, Journal, NewEntry, Options as JournalOptions, ReadError, Segments, StoredEntry,
};
use uzel::source::form::{Accept, Admit, FormHead, FormSettings, FormSource, Rates, Ticks};
use uzel::value::Path;

const CONNECTIONS: usize = 64;
const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn main() {
    // As in production: spans are made, debug lines are not written.
    tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr).init();
    let rounds = number("ROUNDS", 5);
    let round = Duration::from_secs(number("SECONDS", 3));
    let body = body();
    envelopes(&body);
    let server = runtime("server");
    let bare = server.block_on(bare());
    let ours = server.block_on(listening(Arc::new(Nowhere(AtomicU64::new(0), watch::Sender::new(Position::START)))));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (segments, _) =
        Segments::open(&folder.path().join("journal"), Arc::new(SystemClock), JournalOptions::production(1))
            .expect("the journal opens");
    let durable = server.block_on(listening(Arc::new(segments)));
    let load = runtime("load");
    let mut rates: [Vec<Rate>; 4] = Default::default();
    for index in 0..=rounds {
        // Interleaved, so that a noisy neighbour disturbs all alike; the first round warms up.
        let measured = [
            measure(&load, bare, &request("/bare", &body), round),
            measure(&load, ours, &request(&format!("/in/content/{SECRET}"), &body), round),
            measure(&load, ours, &request(&format!("/in/id/{SECRET}"), &body), round),
            measure(&load, durable, &request(&format!("/in/content/{SECRET}"), &body), round),
        ];
        if index > 0 {
            rates.iter_mut().zip(measured).for_each(|(all, one)| all.push(one));
        }
    }
    let [bare, content, id, synced] = rates.map(median);
    for (name, it) in [
        ("bare axum, JSON parsed", bare),
        ("webhook, key by sender's id", id),
        ("webhook, key by content", content),
        ("webhook, synced to the disk", synced),
    ] {
        let ratio = it.per_second / bare.per_second;
        println!("{name:<28} {:>7.0} requests/s {:>6.1} us of CPU each, ratio {ratio:.2}", it.per_second, it.cpu_us);
    }
}

/// Of one round. The CPU time is that of both ends together; unlike the rate it does not suffer from
/// what else the machine does.
#[derive(Clone, Copy)]
struct Rate {
    per_second: f64,
    cpu_us: f64,
}

/// CPU time of this process in microseconds; 0 where there is no `/proc`.
fn cpu_us() -> f64 {
    const TICK_US: f64 = 10_000.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    fields.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>() * TICK_US
}

/// What making an envelope costs by itself.
fn envelopes(body: &str) {
    const COUNT: u32 = 200_000;
    let body = bytes::Bytes::copy_from_slice(body.as_bytes());
    let headers =
        http::HeaderMap::from_iter([(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"))]);
    for (name, ids) in [("content", [].as_slice()), ("id", &["tranid"])] {
        let source = source("site", ids);
        let head = FormHead {
            secret: SECRET,
            stream: None,
            method: &http::Method::POST,
            headers: &headers,
            remote: [127, 0, 0, 1].into(),
        };
        let begun = Instant::now();
        for _ in 0..COUNT {
            let Admit::Body(admitted) = source.admit(&head) else { panic!("not admitted") };
            let accept = source.accept(admitted, &headers, None, body.clone(), Timestamp(0));
            let Accept::Envelope { received, .. } = accept else { panic!("not an envelope") };
            std::hint::black_box(Entry::Received(*received).encode());
        }
        println!("envelope with key by {name:<8} {:>6} ns", (begun.elapsed() / COUNT).as_nanos());
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

fn runtime(name: &str) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .expect("threads")
}

/// A lead of 1 KiB.
fn body() -> String {
    let lead = |comment: &str| {
        serde_json::json!({
            "tranid": "652374741:1234567", "formid": "form652374741", "formname": "Заявка",
            "name": "Анна Петрова", "phone": "+7 (900) 000-00-01", "email": "anna@example.ru",
            "utm": {"source": "yandex", "medium": "cpc", "campaign": "spring", "content": "1", "term": "окна"},
            "page": "https://site.ru/price", "agree": true, "sum": 12500.50, "comment": comment,
        })
        .to_string()
    };
    let rest = 1024 - lead("").len();
    lead(&"x".repeat(rest))
}

fn request(path: &str, body: &str) -> Arc<[u8]> {
    let length = body.len();
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nUser-Agent: load\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    text.into_bytes().into()
}

async fn bare() -> SocketAddr {
    let handler = async |Json(_lead): Json<serde_json::Value>| Json(serde_json::json!({"status": "accepted"}));
    let router = axum::Router::new().route("/bare", post(handler));
    let socket = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = socket.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(socket, router).await });
    address
}

async fn listening(journal: Arc<dyn Journal>) -> SocketAddr {
    let state = State::new(Parts {
        journal,
        health: Arc::new(Ready),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(Metrics::new()),
        api: None,
        pages: None,
        seed: 1,
        options: Options::standard(),
    });
    state.set_forms(vec![source("content", &[]), source("id", &["tranid"])]);
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), Arc::new(state)).await.expect("a free port");
    let address = listener.local_addr();
    tokio::spawn(listener.run(std::future::pending()));
    address
}

fn source(connection: &'static str, ids: &[&str]) -> FormSource {
    let settings = FormSettings {
        connection: Slug::literal(connection),
        connector: Slug::literal("forms"),
        secret: Secret::new(SECRET),
        previous_secret: None,
        scheme: uzel::auth::signature::Scheme::None,
        signing: Vec::new(),
        origins: Vec::new(),
        redirects: Vec::new(),
        rates: Rates::NONE,
    };
    let stream = StreamSpec {
        name: Slug::literal("lead"),
        mapping: Slug::literal("lead"),
        idempotency: ids.iter().map(|it| Path::compile(it).expect("a literal path")).collect(),
        window_s: 60,
        remember_days: 7,
        fold_names: true,
        drop: Vec::new(),
    };
    let spec = SourceSpec {
        transport: Transport::Webhook,
        answer: String::new(),
        test: None,
        honeypot: None,
        streams: vec![stream],
    };
    FormSource::new(settings, &spec, Ticks::monotonic()).expect("good settings")
}

fn measure(load: &Runtime, address: SocketAddr, request: &Arc<[u8]>, round: Duration) -> Rate {
    let stop = Arc::new(AtomicBool::new(false));
    let (begun, cpu_begun) = (Instant::now(), cpu_us());
    let counts: Vec<_> = (0..CONNECTIONS).map(|_| load.spawn(ask(address, request.clone(), stop.clone()))).collect();
    std::thread::sleep(round);
    stop.store(true, Ordering::Relaxed);
    let took = begun.elapsed();
    let total: u64 = counts.into_iter().map(|it| load.block_on(it).expect("the load does not panic")).sum();
    let total = total as f64;
    Rate { per_second: total / took.as_secs_f64(), cpu_us: (cpu_us() - cpu_begun) / total }
}

async fn ask(address: SocketAddr, request: Arc<[u8]>, stop: Arc<AtomicBool>) -> u64 {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("a socket option");
    let mut buffer = [0; 4096];
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(&request).await.expect("it reads");
        // Answers are small and come in one piece; a piece without its end is read on.
        let mut got = 0;
        while !is_whole(&buffer[..got]) {
            let bytes = stream.read(&mut buffer[got..]).await.expect("it answers");
            assert!(bytes > 0, "closed: {}", String::from_utf8_lossy(&buffer[..got]));
            got += bytes;
        }
        assert!(buffer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&buffer[..got]));
        count += 1;
    }
    count
}

fn is_whole(answer: &[u8]) -> bool {
    answer.ends_with(b"}") && answer.windows(4).any(|it| it == b"\r\n\r\n")
}

fn median(mut rates: Vec<Rate>) -> Rate {
    rates.sort_unstable_by(|left, right| left.per_second.total_cmp(&right.per_second));
    rates[rates.len() / 2]
}

struct Ready;

impl Health for Ready {
    fn ready(&self) -> Result<(), Message> {
        Ok(())
    }
}

/// Counts, and is durable at once.
struct Nowhere(AtomicU64, watch::Sender<Position>);

impl Journal for Nowhere {
    fn append(&self, entry: NewEntry) -> Appended {
        std::hint::black_box(&entry.payload);
        let position = Position(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        Box::pin(std::future::ready(Ok(position)))
    }

    fn head(&self) -> Position {
        Position(self.0.load(Ordering::Relaxed))
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.1.subscribe()
    }

    fn first(&self) -> Position {
        Position(1)
    }

    fn read(&self, _from: Position, _entries_max: usize, _bytes_max: usize) -> Result<Vec<StoredEntry>, ReadError> {
        Ok(Vec::new())
    }

    fn put_body(&self, bytes: Vec<u8>) -> Result<Body, AppendError> {
        Ok(Body::Inline(bytes))
    }

    fn adopt_body(&self, _file: &std::path::Path) -> Result<Body, AppendError> {
        Err(AppendError::Closed(Message::new("http-closing")))
    }

    fn open_body(&self, _body: &Body) -> Result<Box<dyn BodyReader>, ReadError> {
        Ok(Box::new(std::io::Cursor::new(Vec::<u8>::new())))
    }

    fn accepts_intake(&self) -> Result<(), AppendError> {
        Ok(())
    }
}
