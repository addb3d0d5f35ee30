//! The real daemon, killed a hundred times at any moment under load, over one folder: everything
//! acknowledged is one client and one deal in our store and one contact, one deal and one comment
//! in the CRM, nothing is doubled, and the store is what the journal says.
//!
//! Senders post forms from new clients. One that got no answer may be sent again with the same
//! `submission_id` once the daemon is up, or given up: then it may be there once, or not. The twin
//! of Bitrix24 lives in this process; some of its answers are lost, late, or errors.
//!
//! Chance comes from a seed; moments of kills are real time and differ from run to run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use uzel::base::Secret;
use uzel::twin::bitrix24::{Bitrix24Twin, Faults, Kind, Limits, Options, Portal, RunningTwin, Shares};

const KILLS: u32 = 100;
const SENDERS: u64 = 3;
/// Between two forms of a sender, ms at the most: so that the load lasts as long as a life of the
/// daemon, and the CRM keeps up.
const PAUSE_MS_MAX: u64 = 25;
const SEED: u64 = 0x5eed_4e11;
const FORM_SECRET: &str = "killsecretkillsecretkillsecretki";
/// After this the daemon is taken to hang. Generous: other tests run beside this one.
const PATIENCE: Duration = Duration::from_secs(120);

/// Numbers that look like chance and are the same for the same seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A folder with a form source and a live sink, and how its program is called.
struct Ground {
    folder: tempfile::TempDir,
    webhook: String,
}

impl Ground {
    fn make(webhook: String) -> Ground {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder on the disk of the target");
        let settings = "locale = \"ru\"\n[company]\nname = \"Проверка\"\n\
             [listen]\naddress = \"127.0.0.1:0\"\naddress_per_minute = 0\n\
             [connection.site]\nconnector = \"forms\"\n\
             [connection.bitrix24]\nconnector = \"bitrix24\"\nmode = \"live\"\nallow_private = true\nsettle_s = 1\n";
        std::fs::write(folder.path().join("uzel.toml"), settings).expect("settings");
        // The quota of the cloud would make the test wait for minutes; the twin has none.
        let manifest = include_str!("../../connectors/bitrix24/connector.toml");
        let quota = "quota = { requests = 2, per_ms = 1000, burst = 40 }";
        assert!(manifest.contains(quota), "the quota of the manifest has changed");
        let manifest = manifest.replace(quota, "quota = { requests = 1000, per_ms = 1000, burst = 1000 }");
        let own = folder.path().join("connectors/bitrix24");
        std::fs::create_dir_all(&own).expect("a folder for the manifest");
        std::fs::write(own.join("connector.toml"), manifest).expect("the manifest");
        Ground { folder, webhook }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_uzel"));
        command.args(arguments).arg("-d").arg(self.folder.path()).env("UZEL_LOG", "warn");
        command.env("UZEL_SECRET_SITE_SECRET", FORM_SECRET);
        command.env("UZEL_SECRET_BITRIX24_WEBHOOK_URL", &self.webhook);
        command
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join("daemon.log")
    }

    /// Runs a command to its end; it must end well.
    fn done(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("the command runs");
        let shown = [&output.stdout[..], &output.stderr[..]].map(|it| String::from_utf8_lossy(it).into_owned());
        assert!(output.status.success(), "uzel {}: {}\n{}", arguments.join(" "), shown[0], shown[1]);
        output
    }

    fn json(&self, arguments: &[&str]) -> Json {
        let output = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).expect("--json prints JSON")
    }

    /// Every row of a listing, page by page.
    fn rows(&self, listing: &str) -> Vec<Json> {
        let mut rows = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut arguments = vec![listing, "list", "--limit", "1000"];
            arguments.extend(next.iter().flat_map(|after| ["--after", after.as_str()]));
            let page = self.json(&arguments);
            rows.extend(page["rows"].as_array().cloned().expect("a page has rows"));
            match page["next"].as_str() {
                Some(after) => next = Some(after.to_owned()),
                None => return rows,
            }
        }
    }
}

/// One life of the daemon.
struct Daemon {
    child: Child,
    address: SocketAddr,
    start: Duration,
}

impl Daemon {
    fn start(ground: &Ground) -> Daemon {
        let begin = Instant::now();
        let log = File::options().create(true).append(true).open(ground.log()).expect("the log");
        let mut command = ground.command(&["run"]);
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the daemon starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("its first line");
        let address = line.trim().trim_start_matches("http://").parse();
        let address = address.unwrap_or_else(|_| panic!("an address, not {line:?}: {}", tail(&ground.log())));
        Daemon { child, address, start: begin.elapsed() }
    }

    /// SIGKILL: no thread of it does anything more.
    fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// SIGTERM: it flushes and goes.
    fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(asked.success());
        let status = self.child.wait().expect("it has ended");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // After a failed assertion; otherwise it has ended long ago.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

/// Which life of the daemon it is, and where it listens.
#[derive(Default)]
struct Lives {
    now: Mutex<(u32, Option<SocketAddr>)>,
    changed: Condvar,
}

impl Lives {
    fn begin(&self, address: SocketAddr) {
        let mut now = self.now.lock().expect("not poisoned");
        *now = (now.0 + 1, Some(address));
        self.changed.notify_all();
    }

    /// Waits for a life later than `after`.
    fn later(&self, after: u32) -> (u32, SocketAddr) {
        let now = self.now.lock().expect("not poisoned");
        let (now, timeout) =
            self.changed.wait_timeout_while(now, PATIENCE, |(life, _)| *life <= after).expect("not poisoned");
        assert!(!timeout.timed_out(), "the daemon did not come up again");
        (now.0, now.1.expect("a life has an address"))
    }
}

/// Form number `number`: nobody else has its telephone or address.
fn form(number: u64) -> String {
    format!(
        r#"{{"submission_id":"s-{number}","name":"Клиент Номер{number}","phone":"+7912{number:07}","email":"client{number}@example.ru","message":"Заявка {number}"}}"#
    )
}

/// Posts a form; `Err` when there was no answer.
fn post(address: SocketAddr, body: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = format!(
        "POST /in/site/{FORM_SECRET} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         accept: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let mut answer = Vec::new();
    // A connection cut behind a whole status line is an answer all the same.
    let _cut = stream.read_to_end(&mut answer);
    let status = answer.get(9..12).and_then(|it| std::str::from_utf8(it).ok()).and_then(|it| it.parse().ok());
    status.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

/// What senders know of their forms.
#[derive(Default)]
struct Sent {
    /// Answered with 200.
    acknowledged: BTreeSet<u64>,
    /// Never answered and given up.
    unknown: BTreeSet<u64>,
    /// Acknowledged more than once.
    repeated: u64,
}

/// Sends forms of new clients until `enough`.
fn send(lives: &Lives, next: &AtomicU64, enough: &AtomicBool, seed: u64) -> Sent {
    let (mut chance, mut sent) = (Chance(seed), Sent::default());
    let (mut life, mut address) = lives.later(0);
    while !enough.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(chance.below(PAUSE_MS_MAX + 1)));
        let number = next.fetch_add(1, Ordering::SeqCst);
        loop {
            match post(address, &form(number)) {
                Ok(status) => {
                    assert_eq!(status, 200, "form {number}");
                    let is_new = sent.acknowledged.insert(number);
                    sent.repeated += u64::from(!is_new);
                    // A sender that did not see the answer sends again.
                    if chance.below(10) > 0 {
                        break;
                    }
                }
                Err(_) => {
                    (life, address) = lives.later(life);
                    if sent.acknowledged.contains(&number) || chance.below(4) == 0 {
                        break;
                    }
                }
            }
        }
        if !sent.acknowledged.contains(&number) {
            sent.unknown.insert(number);
        }
    }
    sent
}

/// Waits until everything is applied and the CRM knows it.
fn settled(ground: &Ground) {
    let begin = Instant::now();
    loop {
        let (status, outbox) = (ground.json(&["status"]), ground.json(&["outbox", "list"]));
        let open = outbox["rows"].as_array().expect("a page has rows");
        if status["lag"] == 0 && open.is_empty() {
            return;
        }
        assert!(status["pipeline_failure"].is_null(), "{status}");
        assert!(begin.elapsed() < PATIENCE, "still open: {:#?}\n{}", &open[..open.len().min(3)], tail(&ground.log()));
        // The daemon is another process: there is nothing to wait on but its answers.
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn number_in<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<u64> {
    texts.into_iter().find_map(|text| text.strip_prefix("client")?.strip_suffix("@example.ru")?.parse().ok())
}

/// Every number once, the acknowledged all there, and nothing that was never sent.
fn each_once(what: &str, found: impl IntoIterator<Item = Option<u64>>, sent: &Sent) -> BTreeSet<u64> {
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    for number in found {
        *counts.entry(number.unwrap_or_else(|| panic!("{what} of nobody"))).or_default() += 1;
    }
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "{what}: doubled {doubled:?}");
    let lost: Vec<_> = sent.acknowledged.iter().filter(|it| !counts.contains_key(it)).collect();
    assert!(lost.is_empty(), "{what}: acknowledged and lost {lost:?}");
    let strange: Vec<_> =
        counts.keys().filter(|it| !sent.acknowledged.contains(it) && !sent.unknown.contains(it)).collect();
    assert!(strange.is_empty(), "{what}: never sent {strange:?}");
    counts.into_keys().collect()
}

/// Our store: one client and one deal for each form, and an outcome for each envelope.
fn check_store(ground: &Ground, sent: &Sent) -> BTreeSet<u64> {
    let clients = ground.rows("client");
    let contacts = |client: &Json| {
        let contacts = client["contacts"].as_array().cloned().unwrap_or_default();
        number_in(contacts.iter().filter_map(Json::as_str))
    };
    let present = each_once("clients", clients.iter().map(contacts), sent);
    assert!(clients.iter().all(|client| client["deals"] == 1), "a client has another number of deals than one");
    let by_id: BTreeMap<&str, u64> =
        clients.iter().map(|it| (it["id"].as_str().expect("an id"), contacts(it).expect("checked above"))).collect();
    let deals = ground.rows("deal");
    let client_of = |deal: &Json| deal["client"].as_str().and_then(|id| by_id.get(id).copied());
    assert_eq!(each_once("deals", deals.iter().map(client_of), sent), present);

    let entries = ground.rows("journal");
    // Pages that are read from the CRM are beside them.
    let is_form = |entry: &Json| {
        entry["kind"] == "received" && entry["summary"].as_str().is_some_and(|it| it.starts_with("site"))
    };
    let received = entries.iter().filter(|entry| is_form(entry)).count() as u64;
    let status = ground.json(&["status"]);
    let counted = |outcome: &str| {
        let records = status["records"].as_array().expect("counts").iter();
        let forms = records.filter(|it| it["connection"] == "site");
        forms.filter(|it| it["outcome"] == outcome).map(|it| it["count"].as_u64().expect("a count")).sum::<u64>()
    };
    let (applied, repeated) = (counted("applied"), counted("repeated"));
    assert_eq!(applied, present.len() as u64, "{status}");
    assert_eq!(applied + repeated, received, "{status}");
    assert!(repeated >= sent.repeated, "a form acknowledged twice was journalled twice, and counted");
    present
}

/// The CRM: one contact, one deal and one comment for each form.
fn check_twin(twin: &RunningTwin, present: &BTreeSet<u64>, sent: &Sent) {
    twin.with(|portal: &Portal| {
        let emails = |id: u64| {
            let contact = portal.object(Kind::Contact, id);
            contact.and_then(|it| number_in(it.multi("EMAIL").iter().map(|held| held.value.as_str())))
        };
        let contacts = portal.objects_of(Kind::Contact).map(|it| emails(it.id));
        assert_eq!(each_once("contacts", contacts, sent), *present);
        let contact_of = |id: u64| {
            let deal = portal.object(Kind::Deal, id)?;
            emails(deal.text("CONTACT_ID").parse().ok()?)
        };
        let deals = portal.objects_of(Kind::Deal).map(|it| contact_of(it.id));
        assert_eq!(each_once("deals there", deals, sent), *present);
        let owners = portal.comments.values().map(|it| {
            assert_eq!(it["ENTITY_TYPE"].to_lowercase(), "deal", "{it:?}");
            contact_of(it["ENTITY_ID"].parse().ok()?)
        });
        assert_eq!(each_once("comments", owners, sent), *present);
    });
}

fn running_twin(runtime: &tokio::runtime::Runtime) -> RunningTwin {
    let shares = Shares {
        lost_answer: 40,
        lost_request: 20,
        internal_error: 20,
        error_page: 10,
        delayed: 100,
        delay_ms: 40,
        half_batch: 40,
    };
    let faults = Faults { seed: SEED, shares, ..Faults::default() };
    let options = Options { limits: Limits::none(), faults, ..Options::new(Secret::new("k3yk3yk3yk3yk3yk")) };
    let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
    runtime.block_on(Bitrix24Twin::start(options, anywhere)).expect("the twin starts")
}

#[test]
fn a_hundred_kills_lose_nothing_and_double_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let twin = running_twin(&runtime);
    let ground = Ground::make(twin.url());
    let (lives, next, enough) = (Lives::default(), AtomicU64::new(1), AtomicBool::new(false));
    let mut chance = Chance(SEED);
    let mut starts = Vec::new();

    let (daemon, sent) = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (lives, next, enough) = (&lives, &next, &enough);
                scope.spawn(move || send(lives, next, enough, SEED + 1 + sender))
            })
            .collect();
        for _ in 0..KILLS {
            let daemon = Daemon::start(&ground);
            starts.push(daemon.start);
            lives.begin(daemon.address);
            // The moment of the kill is what is tested.
            std::thread::sleep(Duration::from_millis(5 + chance.below(296)));
            daemon.kill();
        }
        enough.store(true, Ordering::SeqCst);
        twin.set_faults(Faults::default());
        let daemon = Daemon::start(&ground);
        lives.begin(daemon.address);
        let mut sent = Sent::default();
        for sender in senders {
            let mut one = sender.join().expect("a sender ends well");
            sent.acknowledged.append(&mut one.acknowledged);
            sent.unknown.append(&mut one.unknown);
            sent.repeated += one.repeated;
        }
        (daemon, sent)
    });
    starts.sort();
    println!(
        "{KILLS} kills; {} forms acknowledged ({} twice), {} given up; start: median {:?}, longest {:?}",
        sent.acknowledged.len(),
        sent.repeated,
        sent.unknown.len(),
        starts[starts.len() / 2],
        starts[starts.len() - 1],
    );
    assert!(sent.acknowledged.len() > KILLS as usize, "there was no load");

    let begin = Instant::now();
    settled(&ground);
    println!("settled in {:?}", begin.elapsed());
    let present = check_store(&ground, &sent);
    check_twin(&twin, &present, &sent);
    daemon.stop();
    ground.done(&["journal", "verify"]);
    ground.done(&["rebuild", "--check"]);
    let log = std::fs::read_to_string(ground.log()).expect("the log");
    assert!(!log.contains("panicked"), "{}", tail(&ground.log()));
}
