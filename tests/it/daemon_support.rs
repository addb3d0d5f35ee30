//! The real program over a folder of its own, and the people and systems around it.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use uzel::base::{Locale, Secret};
use uzel::control::Client;
use uzel::twin::bitrix24::RunningTwin;
use uzel::twin::exchange_client::{ExchangeClient, Profile};
use uzel::twin::site::{Form, RawRequest, Received, Sender};

/// Above this a condition that has not come true never will.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The program with arguments, away from the settings of whoever runs the tests.
pub(crate) fn uzel(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_uzel"));
    for name in ["UZEL_FOLDER", "UZEL_LANG", "UZEL_LOG", "UZEL_BITRIX24_WEBHOOK", "COLUMNS", "LC_ALL", "RUST_BACKTRACE"]
    {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a command to its end.
pub(crate) fn run(arguments: &[&str]) -> Said {
    let output = uzel(arguments).output().expect("the program starts");
    Said {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// Looks until `found` has something, at most as long as patience lasts.
pub(crate) fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not within {} s", PATIENCE.as_secs());
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// The usual settings: a site, 1C, and Bitrix24 in this mode.
pub(crate) fn settings(mode: &str) -> String {
    format!(
        "locale = \"en\"\n[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\nregion = \"RU\"\ncurrency = \"RUB\"\n\
         [connection.site]\nconnector = \"forms\"\n[connection.1c]\nconnector = \"commerceml\"\n\
         [connection.bitrix24]\nconnector = \"bitrix24\"\nmode = \"{mode}\"\nallow_private = true\n"
    )
}

/// A folder made by `uzel init`, with its secrets.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) form_secret: String,
    pub(crate) password: String,
}

impl Place {
    /// A new folder; `webhook` is the address of the CRM.
    pub(crate) fn new(settings: &str, webhook: &str) -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("uzel.toml"), settings).expect("the settings are written");
        let path = folder.path().display().to_string();
        let said = run(&["init", "-d", &path, "--bitrix24", webhook, "--json"]);
        assert_eq!(said.code, 0, "{said:?}");
        let made: Value = serde_json::from_str(&said.out).expect("JSON");
        let of = |name: &str| -> Value {
            let addresses = made["addresses"].as_array().expect("addresses");
            addresses.iter().find(|it| it["connection"] == name).cloned().unwrap_or_default()
        };
        let secret = of("site")["address"].as_str().and_then(|it| it.rsplit('/').next()).unwrap_or("").to_owned();
        Place { folder, form_secret: secret, password: of("1c")["password"].as_str().unwrap_or("").to_owned() }
    }

    /// A folder that is there already, whose secrets do not matter.
    pub(crate) fn of(folder: TempDir) -> Place {
        Place { folder, form_secret: String::new(), password: String::new() }
    }

    /// A folder restored from a backup of `of`.
    pub(crate) fn restored(backup: &str, of: &Place) -> (Place, Said) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let said = run(&["restore", backup, "-d", &folder.path().display().to_string(), "--lang", "en"]);
        assert_eq!(said.code, 0, "{said:?}");
        (Place { folder, form_secret: of.form_secret.clone(), password: of.password.clone() }, said)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// A command over this folder, in English.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let name = self.name();
        let mut all = vec!["-d", name.as_str(), "--lang", "en"];
        all.extend(arguments);
        run(&all)
    }

    /// What a command shows, as data.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.push("--json");
        let said = self.run(&all);
        assert_eq!(said.code, 0, "{arguments:?}: {said:?}");
        serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", said.out))
    }

    /// The token of the JSON interface.
    pub(crate) fn token(&self) -> String {
        let vault = uzel::vault::Vault::open(&self.path().join("vault.json")).expect("the vault");
        vault.get("api.token").expect("init makes a token").expose().to_owned()
    }

    /// Starts the daemon; returns once it listens.
    pub(crate) fn start(&self) -> Daemon {
        self.start_with("info")
    }

    /// The same with a filter of the log.
    pub(crate) fn start_with(&self, log: &str) -> Daemon {
        self.start_at("127.0.0.1:0", log)
    }

    /// The same at an address.
    pub(crate) fn start_at(&self, listen: &str, log: &str) -> Daemon {
        let log_file = self.path().join("daemon.log");
        let stderr = File::options().create(true).append(true).open(&log_file).expect("a file for the log");
        let mut child = uzel(&["-d", &self.name(), "--lang", "en", "run", "--listen", listen])
            .env("UZEL_LOG", log)
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("the daemon starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("its first line");
        let log = fs::read_to_string(&log_file).unwrap_or_default();
        let (_, address) = line.trim().split_once("://").unwrap_or_else(|| panic!("no address: {line:?}\n{log}"));
        Daemon {
            address: address.to_owned(),
            child,
            log_file,
            site: format!("http://{address}/in/site/{}", self.form_secret),
            exchange: format!("http://{address}/exchange/1c"),
            socket: Client::Socket(self.path().join("uzel.sock")),
            password: self.password.clone(),
        }
    }
}

/// A daemon at work; killed when a test leaves it behind.
pub(crate) struct Daemon {
    pub(crate) address: String,
    /// Where the site sends its forms.
    pub(crate) site: String,
    exchange: String,
    socket: Client,
    password: String,
    child: Child,
    log_file: PathBuf,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has ended already when the test stopped it.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Daemon {
    /// A polite kill; the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        self.ask_to_stop();
        until("the daemon ends", || self.child.try_wait().expect("it is ours")).code()
    }

    fn ask_to_stop(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// As `systemctl reload` does.
    pub(crate) fn hang_up(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).expect("it runs");
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log_file).expect("the log")
    }

    /// A view over the socket.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.socket.get(path, Locale::En).await.unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.log()))
    }

    /// Looks at a view until `found` has something.
    pub(crate) async fn until<T>(&self, path: &str, found: impl Fn(&Value) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let view = self.get(path).await;
            if let Some(found) = found(&view) {
                return found;
            }
            assert!(began.elapsed() < PATIENCE, "{path}: {view:#}\n{}", self.log());
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Waits until everything received is applied.
    pub(crate) async fn caught_up(&self) {
        self.until("status", |status| (status["lag"] == 0).then_some(())).await;
    }

    /// Records of a stream by outcome.
    pub(crate) async fn records(&self, stream: &str, outcome: &str) -> u64 {
        let status = self.get("status").await;
        let rows = status["records"].as_array().expect("records").clone();
        rows.iter()
            .filter(|it| it["stream"] == stream && it["outcome"] == outcome)
            .filter_map(|it| it["count"].as_u64())
            .sum()
    }

    /// Sends a request of a browser or a site builder.
    pub(crate) async fn post(&self, address: &str, request: &RawRequest) -> Received {
        let sender = Sender::new(20_000).expect("a client");
        sender.send(address, request).await.expect("an answer")
    }

    /// A form of the site; it must be acknowledged.
    pub(crate) async fn form(&self, name: &str, phone: &str) {
        let answer = self.post(&self.site, &form(name, phone)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// A base of 1C that knows the password.
    pub(crate) fn base(&self, profile: Profile) -> ExchangeClient {
        self.base_with(profile, &self.password)
    }

    /// The same with another password.
    pub(crate) fn base_with(&self, profile: Profile, password: &str) -> ExchangeClient {
        let mut base = ExchangeClient::new(&self.exchange, "uzel", Secret::new(password), profile).expect("a client");
        base.options.poll_pause_ms = 0;
        base
    }

    /// One plain request; status and body.
    pub(crate) fn plain(&self, line: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let mut request = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    }
}

/// A form as a script of the page sends it. Its sender gives nothing but name and phone.
pub(crate) fn form(name: &str, phone: &str) -> RawRequest {
    let mut form = Form::sample(name, phone);
    form.fields.retain(|(field, _)| !field.contains("mail"));
    form.json()
}

/// A CRM that is not stingy.
pub(crate) async fn crm() -> RunningTwin {
    let any = "127.0.0.1:0".parse().expect("an address");
    let order = uzel::app::TwinOrder {
        rate: 1_000,
        burst: 10_000,
        ..uzel::app::TwinOrder::small(any, "tw1nsecret0fthewebhook01")
    };
    uzel::app::start_bitrix24_twin(order).await.expect("the twin")
}

/// Deals of the CRM that we made.
pub(crate) fn crm_deals(twin: &RunningTwin) -> Vec<Value> {
    let ask =
        serde_json::json!({ "filter": { "ORIGINATOR_ID": "uzel" }, "select": ["*", "UF_*"], "order": { "ID": "ASC" } });
    let listed = twin.call("crm.deal.list", &ask).expect("it lists");
    listed.get("result").unwrap_or(&listed).as_array().cloned().unwrap_or_default()
}

/// The folder of real samples, when it is here.
pub(crate) fn samples(part: &str) -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/samples")).join(part);
    if !folder.exists() {
        println!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}
