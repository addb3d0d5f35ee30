//! How fast forms are taken in, as ratios within one run (machines are noisy).
//!
//! `cargo bench --bench intake` — paired rounds: a bare axum handler that only parses JSON (the
//! ceiling), the daemon's acknowledged-durable intake, and the daemon with the whole pipeline,
//! counted until the checkpoint is the head; then the latency of an acknowledgement at half of
//! the durable load. `cargo bench --bench intake -- memory` — resident memory of the daemon after
//! one million envelopes. The rounds are made twice: with reqwest as the load generator, and with
//! the thinnest client there can be, which leaves the machine to the servers.
//!
//! 1 KiB JSON forms, each from a new client, 64 keep-alive connections, load generator on the same
//! machine; the daemon is the real binary in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 64;
const REQUESTS_PER_ROUND: u64 = 40_000;
const ROUNDS: usize = 5;

fn main() {
    if std::env::var_os("UZEL_BENCH_BARE").is_some() {
        return serve_bare();
    }
    rustls::crypto::ring::default_provider().install_default().expect("the first one");
    let memory = std::env::args().any(|argument| argument == "memory");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    match memory {
        true => runtime.block_on(memory_after(1_000_000)),
        false => runtime.block_on(async {
            rounds(Sender::Reqwest).await;
            rounds(Sender::Thin).await;
        }),
    }
}

/// One form of about 1 KiB, from a client that was never seen.
fn form(number: u64) -> Vec<u8> {
    let filler = "Прошу прислать коммерческое предложение и сроки поставки. ".repeat(7);
    format!(
        r#"{{"name":"Клиент Тестовый{number}","phone":"+7912{:07}","email":"client{number}@example.ru","message":"{filler}{number}","utm_source":"bench"}}"#,
        number % 10_000_000
    )
    .into_bytes()
}

fn request(path: &str, host: SocketAddr, number: u64) -> Vec<u8> {
    let body = form(number);
    let mut bytes = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\naccept: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

/// Reads one answer; returns its status.
async fn answer(stream: &mut (impl tokio::io::AsyncRead + Unpin), buffer: &mut Vec<u8>) -> u16 {
    buffer.clear();
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.and_then(|it| it.trim().parse().ok()).unwrap_or(0);
            while buffer.len() < end + 4 + length {
                stream.read_buf(buffer).await.expect("the body of an answer");
            }
            return head.get(9..12).and_then(|it| it.parse().ok()).expect("a status");
        }
        let read = stream.read_buf(buffer).await.expect("an answer");
        assert!(read > 0, "the server closed the connection");
    }
}

async fn load_reqwest(address: SocketAddr, path: &str, first: u64, count: u64) -> f64 {
    let client = reqwest::Client::builder().pool_max_idle_per_host(CONNECTIONS).build().expect("client");
    let next = Arc::new(AtomicU64::new(first));
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (next, url, client) = (next.clone(), format!("http://{address}{path}"), client.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return;
                }
                let answer = client
                    .post(&url)
                    .header("content-type", "application/json")
                    .header("accept", "application/json")
                    .body(form(number))
                    .send()
                    .await
                    .expect("an answer");
                assert_eq!(answer.status(), 200);
                answer.bytes().await.expect("the body of an answer");
            }
        }));
    }
    for task in tasks {
        task.await.expect("a sender");
    }
    begin.elapsed().as_secs_f64()
}

/// Which client the load generator is.
#[derive(Debug, Clone, Copy)]
enum Sender {
    /// reqwest, as a site would use it.
    Reqwest,
    /// A few lines over a socket: the least that a client can cost, so the highest ceiling.
    Thin,
}

impl Sender {
    /// Sends `count` forms over all connections as fast as they are answered; returns the seconds.
    async fn load(self, address: SocketAddr, path: &str, first: u64, count: u64) -> f64 {
        match self {
            Sender::Reqwest => load_reqwest(address, path, first, count).await,
            Sender::Thin => load_thin(address, path, first, count).await,
        }
    }
}

async fn load_thin(address: SocketAddr, path: &str, first: u64, count: u64) -> f64 {
    let next = Arc::new(AtomicU64::new(first));
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (next, path) = (next.clone(), path.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("nodelay");
            let mut buffer = Vec::with_capacity(4096);
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return;
                }
                stream.write_all(&request(&path, address, number)).await.expect("a request");
                let status = answer(&mut stream, &mut buffer).await;
                assert_eq!(status, 200, "{}", String::from_utf8_lossy(&buffer));
            }
        }));
    }
    for task in tasks {
        task.await.expect("a sender");
    }
    begin.elapsed().as_secs_f64()
}

/// Latencies, ms, of `count` forms sent at a steady rate whatever the answers take.
async fn steady(address: SocketAddr, path: &str, first: u64, count: u64, per_second: f64) -> Vec<f64> {
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for lane in 0..CONNECTIONS as u64 {
        let path = path.to_owned();
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("a connection");
            stream.set_nodelay(true).expect("nodelay");
            let mut buffer = Vec::with_capacity(4096);
            let mut latencies = Vec::new();
            let mut number = lane;
            while number < count {
                let due = begin + Duration::from_secs_f64(number as f64 / per_second);
                tokio::time::sleep_until(due.into()).await;
                stream.write_all(&request(&path, address, first + number)).await.expect("a request");
                answer(&mut stream, &mut buffer).await;
                // From when it was due, not from when it was sent: a stall is not forgotten.
                latencies.push(due.elapsed().as_secs_f64() * 1000.0);
                number += CONNECTIONS as u64;
            }
            latencies
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a sender"));
    }
    all
}

/// The bare handler, in a process of its own as the daemon is: this bench started again.
fn bare_server() -> (Child, SocketAddr) {
    let me = std::env::current_exe().expect("this program");
    started(Command::new(me).env("UZEL_BENCH_BARE", "1"))
}

/// Serves the bare handler until killed.
fn serve_bare() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let handler = |axum::Json(_): axum::Json<serde_json::Value>| async { "{\"status\":\"accepted\"}" };
        let router = axum::Router::new().route("/", axum::routing::post(handler));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("http://{}", listener.local_addr().expect("an address"));
        axum::serve(listener, router).await.expect("serving");
    });
}

/// Starts a server whose first line of output is its address.
fn started(command: &mut Command) -> (Child, SocketAddr) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("the server starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
    let address = line.trim().trim_start_matches("http://").trim_end_matches('/').parse();
    (child, address.unwrap_or_else(|_| panic!("an address, not {line:?}")))
}

/// The daemon on a fresh folder, with one form source and no rate limit.
struct Daemon {
    child: Child,
    address: SocketAddr,
    path: String,
    folder: tempfile::TempDir,
}

impl Daemon {
    fn start() -> Daemon {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk of the target");
        // A CRM is there, observed: its outbox fills as it would.
        let settings = "[listen]\naddress = \"127.0.0.1:0\"\nsource_per_minute = 0\naddress_per_minute = 0\n\
                        [connection.site]\nconnector = \"forms\"\n\
                        [connection.bitrix24]\nconnector = \"bitrix24\"\nread = false\n";
        std::fs::write(folder.path().join("uzel.toml"), settings).expect("settings");
        let mut command = Command::new(env!("CARGO_BIN_EXE_uzel"));
        command.args(["run", "-d"]).arg(folder.path()).env("UZEL_LOG", "warn");
        command.env("UZEL_SECRET_SITE_SECRET", "benchsecretbenchsecretbenchsecre");
        let (child, address) = started(&mut command);
        Daemon { child, address, path: "/in/site/benchsecretbenchsecretbenchsecre".to_owned(), folder }
    }

    /// Waits until everything is applied: asks the daemon's socket for its position, which costs it
    /// next to nothing.
    async fn caught_up(&self) {
        let path = self.folder.path().join("uzel.sock");
        let mut stream = tokio::net::UnixStream::connect(path).await.expect("the socket");
        let mut buffer = Vec::with_capacity(4096);
        loop {
            stream.write_all(b"GET /api/position HTTP/1.1\r\nhost: uzel\r\n\r\n").await.expect("a request");
            assert_eq!(answer(&mut stream, &mut buffer).await, 200);
            let body = buffer.iter().position(|byte| *byte == b'{').expect("JSON");
            let position: serde_json::Value = serde_json::from_slice(&buffer[body..]).expect("JSON");
            if position["applied"] == position["head"] {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn resident_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("/proc");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|it| it.parse::<u64>().ok()).expect("a number") / 1024
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The folder goes with it: nothing to flush.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

async fn rounds(sender: Sender) {
    println!("load by {sender:?}");
    let (mut bare, bare_address) = bare_server();
    sender.load(bare_address, "/", 0, REQUESTS_PER_ROUND / 4).await;
    let mut durable_ratios = Vec::new();
    let mut whole_ratios = Vec::new();
    let mut durable_rates = Vec::new();
    for round in 0..ROUNDS {
        let count = REQUESTS_PER_ROUND as f64;
        let ceiling = count / sender.load(bare_address, "/", 0, REQUESTS_PER_ROUND).await;
        let daemon = Daemon::start();
        let begin = Instant::now();
        let durable = count / sender.load(daemon.address, &daemon.path, 0, REQUESTS_PER_ROUND).await;
        daemon.caught_up().await;
        let whole = count / begin.elapsed().as_secs_f64();
        println!(
            "round {round}: bare {ceiling:.0}/s, durable {durable:.0}/s ({:.2}), whole {whole:.0}/s ({:.2})",
            durable / ceiling,
            whole / ceiling
        );
        durable_ratios.push(durable / ceiling);
        whole_ratios.push(whole / ceiling);
        durable_rates.push(durable);
    }
    let _killed = bare.kill();
    let _reaped = bare.wait();
    println!("durable / bare: median {:.2}", median(durable_ratios));
    println!("whole / bare:   median {:.2}", median(whole_ratios));
    let half = median(durable_rates) / 2.0;
    let daemon = Daemon::start();
    let mut latencies = steady(daemon.address, &daemon.path, 0, (half * 10.0) as u64, half).await;
    latencies.sort_by(f64::total_cmp);
    let at = |part: f64| latencies[((latencies.len() - 1) as f64 * part) as usize];
    println!("acknowledgement at {half:.0}/s: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0));
}

async fn memory_after(envelopes: u64) {
    let daemon = Daemon::start();
    for part in 0..10 {
        Sender::Thin.load(daemon.address, &daemon.path, part * envelopes / 10, envelopes / 10).await;
        daemon.caught_up().await;
        println!("{} envelopes: resident {} MiB", (part + 1) * envelopes / 10, daemon.resident_mib());
    }
}
