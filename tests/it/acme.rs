//! Certificates by ACME from Pebble, the test authority of Let's Encrypt: it rejects nonces at random,
//! and looks at our ports as a real one does. Without the program (Debian: `pebble`) these are skipped;
//! `.ci/run` installs it.

use std::fs;
use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::daemon_support::{Daemon, Place, until};
use super::tls::{client, provider};

const DOMAIN: &str = "in.company.test";

/// A port that nobody has now, neither by TCP nor by UDP.
pub(crate) fn free_port() -> u16 {
    loop {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = socket.local_addr().expect("an address").port();
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Ended with the test.
pub(crate) struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

pub(crate) fn program(command: &mut Command, log: &Path) -> Option<Program> {
    let log = fs::File::create(log).expect("a log");
    let errors = log.try_clone().expect("a log");
    match command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn() {
        Ok(child) => Some(Program(child)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("skipped: {:?} is not installed", command.get_program());
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

/// An authority with its names, which all lead to this machine.
struct Authority {
    folder: TempDir,
    directory: String,
    management: u16,
    /// Where it looks for us.
    http: u16,
    tls: u16,
    root: String,
    _programs: [Program; 2],
}

impl Authority {
    /// Certificates live `seconds`.
    async fn start(seconds: u64) -> Option<Authority> {
        provider();
        let folder = tempfile::tempdir().expect("a folder");
        let root = server_certificate(folder.path());
        let [listen, management, http, tls, names, names_management] = std::array::from_fn(|_| free_port());
        let settings = json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{listen}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": folder.path().join("server.pem"),
            "privateKey": folder.path().join("server.key"),
            "httpPort": http,
            "tlsPort": tls,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": seconds,
        } });
        let file = folder.path().join("pebble.json");
        fs::write(&file, settings.to_string()).expect("settings are written");
        let names_program = program(
            Command::new("pebble-challtestsrv")
                .args(["-dns01", &format!("127.0.0.1:{names}"), "-http01", "", "-https01", "", "-tlsalpn01", ""])
                .args(["-management", &format!("127.0.0.1:{names_management}")])
                .args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]),
            &folder.path().join("names.log"),
        )?;
        let authority = program(
            Command::new("pebble")
                .args(["-config", &file.display().to_string(), "-dnsserver", &format!("127.0.0.1:{names}")])
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_WFE_NONCEREJECT", "20")
                // Each order is proved anew.
                .env("PEBBLE_AUTHZREUSE", "0"),
            &folder.path().join("pebble.log"),
        )?;
        let started = Authority {
            directory: format!("https://127.0.0.1:{listen}/dir"),
            management,
            http,
            tls,
            root,
            _programs: [names_program, authority],
            folder,
        };
        let log = || started.log();
        until("the authority listens", || {
            let up = std::net::TcpStream::connect(("127.0.0.1", listen)).is_ok()
                && std::net::TcpStream::connect(("127.0.0.1", management)).is_ok();
            assert!(!log().contains("panic"), "{}", log());
            up.then_some(())
        });
        Some(started)
    }

    fn log(&self) -> String {
        let mut log = String::new();
        if let Ok(mut file) = fs::File::open(self.folder.path().join("pebble.log")) {
            let _read = file.read_to_string(&mut log);
        }
        log
    }

    /// The root of the certificates that it gives out.
    async fn issuing_root(&self) -> String {
        let address: SocketAddr = format!("127.0.0.1:{}", self.management).parse().expect("an address");
        let client = client(&self.root, "localhost", address);
        let page = client.get(format!("https://127.0.0.1:{}/roots/0", self.management)).send().await;
        page.expect("it answers").text().await.expect("text")
    }

    fn place(&self, challenge: &str, plain: bool) -> Place {
        let plain = if plain { format!("plain_address = \"127.0.0.1:{}\"\n", self.http) } else { String::new() };
        fs::write(self.folder.path().join("root.pem"), &self.root).expect("the root is written");
        Place::new(
            &format!(
                "locale = \"en\"\n[listen]\naddress = \"127.0.0.1:{}\"\n{plain}[listen.acme]\ndomains = [\"{DOMAIN}\"]\n\
                 email = \"it@company.test\"\ndirectory = \"{}\"\nroot = \"{}\"\nchallenge = \"{challenge}\"\n\
                 agree_to_terms = true\n[connection.site]\nconnector = \"forms\"\n",
                self.tls,
                self.directory,
                self.folder.path().join("root.pem").display(),
            ),
            "",
        )
    }

    fn start_daemon(&self, place: &Place) -> Daemon {
        place.start_at(&format!("127.0.0.1:{}", self.tls), "info")
    }
}

/// Writes what the authority itself serves; returns the root above it.
fn server_certificate(folder: &Path) -> String {
    let root_key = KeyPair::generate().expect("a key");
    let mut root = CertificateParams::new(Vec::new()).expect("no names");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_text = root.self_signed(&root_key).expect("it is signed").pem();
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names).expect("names");
    let server = server.signed_by(&key, &Issuer::new(root, root_key)).expect("it is signed");
    fs::write(folder.join("server.pem"), server.pem()).expect("it is written");
    fs::write(folder.join("server.key"), key.serialize_pem()).expect("it is written");
    root_text
}

fn standing<'s>(status: &'s Value, name: &str) -> Option<&'s str> {
    status["certificate"][name].as_str()
}

async fn certified(daemon: &Daemon) -> String {
    daemon.until("status", |status| standing(status, "not_after").map(str::to_owned)).await
}

/// Whether the daemon serves a certificate of the authority: a form goes through.
async fn serves(authority: &Authority, daemon: &Daemon) {
    let address: SocketAddr = daemon.address.parse().expect("an address");
    let client = client(&authority.issuing_root().await, DOMAIN, address);
    let path = daemon.site.splitn(4, '/').last().expect("a path");
    let request = client.post(format!("https://{DOMAIN}:{}/{path}", address.port())).body("phone=%2B79123456781");
    let answer = request.send().await.unwrap_or_else(|error| panic!("{error:?}\n{}", daemon.log()));
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_ordered_by_port_80_and_kept_over_a_restart() {
    let Some(authority) = Authority::start(3_600).await else { return };
    let place = authority.place("http-01", true);
    let daemon = authority.start_daemon(&place);
    let until_when = certified(&daemon).await;
    serves(&authority, &daemon).await;
    let folder = place.path().join("acme");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for name in ["account.json", "pair.pem"] {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
    }
    assert!(!folder.join("order.json").exists(), "the order is over");
    let log = daemon.log();
    assert!(log.contains("a new certificate is served") && !log.contains("PRIVATE KEY"), "{log}");
    assert_eq!(daemon.stop(), Some(0));

    let kept = fs::read(folder.join("pair.pem")).expect("the pair");
    let account = fs::read(folder.join("account.json")).expect("the account");
    let daemon = authority.start_daemon(&place);
    assert_eq!(certified(&daemon).await, until_when);
    serves(&authority, &daemon).await;
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(fs::read(folder.join("pair.pem")).expect("the pair"), kept, "nothing is ordered without need");
    assert_eq!(fs::read(folder.join("account.json")).expect("the account"), account);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_ordered_within_tls_and_renewed_ahead_of_time() {
    // Two thirds of twelve seconds: ordered again eight seconds later.
    let Some(authority) = Authority::start(12).await else { return };
    let place = authority.place("tls-alpn-01", false);
    let daemon = authority.start_daemon(&place);
    let first = certified(&daemon).await;
    serves(&authority, &daemon).await;
    let renewed = daemon
        .until("status", |status| {
            daemon.hang_up();
            standing(status, "not_after").filter(|it| *it != first).map(str::to_owned)
        })
        .await;
    assert!(renewed > first, "{renewed} {first}");
    serves(&authority, &daemon).await;
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_fails_is_told_waits_and_goes_when_a_person_says_so() {
    let Some(authority) = Authority::start(3_600).await else { return };
    let place = authority.place("http-01", true);
    // The authority looks at a port where nobody listens, as when the router leads elsewhere.
    let file = place.path().join("uzel.toml");
    let settings = fs::read_to_string(&file).expect("settings");
    let elsewhere = free_port();
    let wrong = settings.replace(&format!("127.0.0.1:{}", authority.http), &format!("127.0.0.1:{elsewhere}"));
    assert_ne!(wrong, settings);
    fs::write(&file, &wrong).expect("settings are written");
    let daemon = authority.start_daemon(&place);
    let status = daemon.until("status", |status| standing(status, "trouble").map(|_| status.clone())).await;
    let trouble = standing(&status, "trouble").expect("it is told");
    assert!(trouble.contains(DOMAIN) && trouble.contains("port 80"), "{trouble}");
    assert!(standing(&status, "next_try").is_some() && status["certificate"]["not_after"].is_null(), "{status}");
    let alarm =
        |status: &Value| status["alarms"].as_array()?.iter().find(|it| it["id"] == "certificate-failed").cloned();
    let told = daemon.until("status", alarm).await;
    assert_eq!(told["severity"], "critical", "{told:#}");
    assert!(told["why"].as_str().is_some_and(|why| why.contains("port 80")), "{told:#}");
    let tries = || fs::read_to_string(place.path().join("acme/tries.json")).expect("tries");
    let failed = |count: u32| tries().contains(&format!("\"failed\":{count},"));
    assert!(failed(1), "{}", tries());
    assert_eq!(daemon.stop(), Some(0));

    // A restart is no reason to ask again.
    let daemon = authority.start_daemon(&place);
    daemon
        .until("status", |status| {
            standing(status, "trouble").filter(|it| it.contains("systemctl reload")).map(str::to_owned)
        })
        .await;
    assert!(failed(1), "{}", tries());
    // A person says that it goes now: it is asked for, and fails again for its own reason.
    daemon.hang_up();
    daemon.until("status", |status| standing(status, "trouble").filter(|it| it.contains("port 80")).map(|_| ())).await;
    assert_eq!(daemon.stop(), Some(0));

    // Other settings are tried at once.
    fs::write(&file, settings).expect("settings are written");
    let daemon = authority.start_daemon(&place);
    certified(&daemon).await;
    serves(&authority, &daemon).await;
    assert!(!place.path().join("acme/tries.json").exists());
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_killed_in_the_middle_of_an_order_has_its_certificate_in_the_end() {
    let Some(authority) = Authority::start(3_600).await else { return };
    let place = authority.place("http-01", true);
    let folder = place.path().join("acme");
    for step in ["account.json", "order.json"] {
        let daemon = authority.start_daemon(&place);
        until("the order goes on", || (folder.join(step).exists() || folder.join("pair.pem").exists()).then_some(()));
        // Dropped: killed without a word.
        drop(daemon);
    }
    let daemon = authority.start_daemon(&place);
    certified(&daemon).await;
    serves(&authority, &daemon).await;
    assert_eq!(daemon.stop(), Some(0));
    assert!(!folder.join("order.json").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_is_not_there_keeps_the_daemon_from_nothing() {
    let Some(authority) = Authority::start(3_600).await else { return };
    let place = authority.place("http-01", true);
    let file = place.path().join("uzel.toml");
    let settings = fs::read_to_string(&file).expect("settings");
    fs::write(&file, settings.replace(&authority.directory, "https://127.0.0.1:9/dir")).expect("settings are written");
    let daemon = authority.start_daemon(&place);
    daemon
        .until("status", |status| {
            standing(status, "trouble").filter(|it| it.contains("https://127.0.0.1:9/dir")).map(|_| ())
        })
        .await;
    let plain = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().expect("a client");
    let door = format!("http://127.0.0.1:{}/.well-known/acme-challenge/x", authority.http);
    assert_eq!(plain.get(door).send().await.expect("an answer").status(), 404);
    assert_eq!(daemon.stop(), Some(0));
}
