//! A relay as a process, its office as another, and the line between them, which a test may cut.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use uzel::base::Position;
use uzel::base::clock::SystemClock;
use uzel::entry::{Entry, Received};
use uzel::journal::{Journal as _, Options, RealDisk, Segments};

use super::daemon_support::{Place, Said, run, uzel};

/// Numbers that look like chance and are the same for the same seed (splitmix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A TCP line with one address for ever, whoever is at its other end just now.
pub(crate) struct Line {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: Mutex<Option<SocketAddr>>,
    /// Each connection is cut after some bytes, in the mean about so many; 0: none is.
    cut_after: AtomicU64,
    connections: AtomicU64,
    cuts: AtomicU64,
    ended: AtomicBool,
}

impl Line {
    pub(crate) fn new() -> Line {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            target: Mutex::new(None),
            cut_after: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            cuts: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if of_thread.ended.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                std::thread::spawn(move || shared.carry(stream));
            }
        });
        Line { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn leads_to(&self, address: Option<SocketAddr>) {
        *self.shared.target.lock().expect("not poisoned") = address;
    }

    pub(crate) fn cut_after(&self, bytes: u64) {
        self.shared.cut_after.store(bytes, Ordering::SeqCst);
    }

    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Its thread waits for a connection.
        let _woken = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn carry(self: &Arc<Shared>, near: TcpStream) {
        let Some(target) = *self.target.lock().expect("not poisoned") else { return };
        let Ok(far) = TcpStream::connect(target) else { return };
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let mean = self.cut_after.load(Ordering::SeqCst);
        let budget = if mean == 0 { u64::MAX } else { Chance(number).below(2 * mean) };
        let left = Arc::new(AtomicU64::new(budget));
        let (Ok(near_again), Ok(far_again)) = (near.try_clone(), far.try_clone()) else { return };
        let (shared, of_back) = (Arc::clone(self), Arc::clone(&left));
        let back = std::thread::spawn(move || shared.copy(far_again, near_again, &of_back));
        self.copy(near, far, &left);
        let _ended = back.join();
    }

    fn copy(&self, mut from: TcpStream, mut to: TcpStream, left: &AtomicU64) {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let allowed = left.load(Ordering::SeqCst).min(count as u64);
            let written = to.write_all(&buffer[..usize::try_from(allowed).expect("at most the buffer")]);
            let rest = left.fetch_sub(allowed, Ordering::SeqCst) - allowed;
            if rest == 0 {
                self.cuts.fetch_add(1, Ordering::SeqCst);
            }
            if rest == 0 || written.is_err() {
                break;
            }
        }
        // One end that goes takes the other with it.
        let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

/// Settings of an office behind a relay: a form, Tilda, a signed webhook, 1C, and a CRM that is observed.
pub(crate) fn office_settings(relay: &str) -> String {
    format!(
        "locale = \"en\"\n[company]\nname = \"x\"\n[listen]\naddress_per_minute = 0\n\
         [relay]\naddress = \"{relay}\"\nallow_private = true\n\
         [connection.site]\nconnector = \"forms\"\norigins = [\"https://site.ru\"]\n\
         [connection.tilda]\nconnector = \"tilda\"\n\
         [connection.shop]\nconnector = \"webhook\"\nsignature = \"token_header\"\nsignature_header = \"X-Token\"\n\
         [connection.1c]\nconnector = \"commerceml\"\n\
         [connection.bitrix24]\nconnector = \"bitrix24\"\nallow_private = true\n"
    )
}

/// The address of a CRM at which nobody listens; its secret must not leave the office.
pub(crate) const CRM: &str = "http://127.0.0.1:9/rest/1/crmsecretcrmsecret/";

/// The folder of a relay.
pub(crate) struct RelayPlace {
    folder: TempDir,
    pub(crate) made: Value,
}

impl RelayPlace {
    /// Made of what the office exports.
    pub(crate) fn of(office: &Place) -> RelayPlace {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut place = RelayPlace { folder, made: Value::Null };
        place.made = place.init(office, &[]);
        place
    }

    /// Makes it again of the same office; returns what was made.
    pub(crate) fn init(&self, office: &Place, more: &[&str]) -> Value {
        let file = bundle(office);
        let mut arguments = vec!["relay", "init", "--from", file.as_str(), "--json"];
        arguments.extend(more);
        let said = self.run(&arguments);
        assert_eq!(said.code, 0, "{said:?}");
        // The office and the relay meet over a line: no limits, any port.
        let settings = "[listen]\naddress = \"127.0.0.1:0\"\naddress_per_minute = 0\n[limits]\nfree_space_mib = 64\n";
        std::fs::write(self.path().join("relay.toml"), settings).expect("settings");
        serde_json::from_str(&said.out).expect("JSON")
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command over this folder, in English.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let name = self.path().display().to_string();
        let mut all = vec!["-d", name.as_str(), "--lang", "en"];
        all.extend(arguments);
        run(&all)
    }

    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["relay", "status", "--json"]).out).expect("JSON")
    }

    /// The secret part of the address of a connection.
    pub(crate) fn path_of(&self, connection: &str) -> String {
        let addresses = self.made["addresses"].as_array().expect("addresses");
        let found = addresses.iter().find(|it| it["connection"] == connection).expect("the connection");
        let address = found["address"].as_str().expect("an address");
        address[address.find("/in/").expect("a path")..].to_owned()
    }

    pub(crate) fn start(&self) -> Relay {
        self.start_with(&[])
    }

    pub(crate) fn start_with(&self, environment: &[(&str, &str)]) -> Relay {
        let log = self.path().join("relay.log");
        let stderr = File::options().create(true).append(true).open(&log).expect("a file for the log");
        let name = self.path().display().to_string();
        let mut child = uzel(&["-d", &name, "--lang", "en", "relay", "run"])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the relay starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("its first line");
        let address = line.trim().trim_start_matches("http://").parse();
        let shown = || std::fs::read_to_string(&log).unwrap_or_default();
        let address = address.unwrap_or_else(|_| panic!("no address: {line:?}\n{}", shown()));
        Relay { child, address, log }
    }
}

/// What the office exports, as a file in its folder.
pub(crate) fn bundle(office: &Place) -> String {
    let file = office.path().join("bundle.json").display().to_string();
    let said = office.run(&["relay", "export", &file]);
    assert_eq!(said.code, 0, "{said:?}");
    file
}

/// A relay at work; killed when a test leaves it behind.
pub(crate) struct Relay {
    child: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl Relay {
    /// SIGKILL: no thread of it does anything more.
    pub(crate) fn end(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// One request; status and body.
    pub(crate) fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        ask(self.address, "POST", path, headers, body).expect("an answer")
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // After a failed assertion; otherwise it has ended long ago.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// One request on a connection of its own; `Err` when there was no whole status line.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes())?;
    // It may be refused before all of it is sent.
    let _refused = stream.write_all(body);
    let mut answer = Vec::new();
    // A connection cut behind a whole status line is an answer all the same.
    let _cut = stream.read_to_end(&mut answer);
    let text = String::from_utf8_lossy(&answer);
    let status = text.get(9..12).and_then(|it| it.parse().ok()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
    Ok((status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()))
}

/// Every envelope in the journal of a stopped office.
pub(crate) fn envelopes(office: &Path) -> Vec<Received> {
    let journal = office.join("journal");
    let opened = Segments::open_read_only(Arc::new(RealDisk), &journal, Arc::new(SystemClock), Options::production(1));
    let (segments, _) = opened.expect("the journal opens");
    let mut found = Vec::new();
    let mut from = Position(1);
    loop {
        let entries = segments.read(from, 1_000, 1 << 24).expect("it reads");
        let Some(last) = entries.last() else { return found };
        from = last.position.next();
        found.extend(entries.iter().filter_map(|stored| match Entry::decode(stored.kind, &stored.payload) {
            Ok(Entry::Received(received)) => Some(received),
            Ok(_) => None,
            Err(error) => panic!("{}: {error}", stored.position),
        }));
    }
}
