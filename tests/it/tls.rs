//! TLS of the listener: files that are exchanged while it runs, the plain listener beside it, and
//! what comes in that is no TLS.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use uzel::base::Locale;
use uzel::certificate::{Certificates, Pair};
use uzel::config::Settings;
use uzel::http::{Door, TlsSide};

use super::daemon_support::{Daemon, Place, run};
use super::http_support::{Role, Running, Setup, read_reply, request};

/// A certificate for `names`, signed by itself, and its key; valid for these years.
pub(crate) fn pair(names: &[&str], years: (i32, i32)) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let names: Vec<String> = names.iter().map(|it| (*it).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
    params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
    (params.self_signed(&key).expect("it is signed").pem(), key.serialize_pem())
}

fn problems(text: &str) -> String {
    let problems = Settings::compile("uzel.toml", text, &|_| None).expect_err("it is refused");
    problems.iter().map(|it| it.render(Locale::En)).collect::<Vec<_>>().join("\n")
}

#[test]
fn settings_that_do_not_go_together_are_named_with_their_line() {
    for (text, expected) in [
        ("[listen.tls]\ncertificate = \"a.pem\"\n", "uzel.toml:2: \"key\" is missing"),
        ("[listen.tls]\n", "\"certificate\" is missing"),
        ("[listen]\nplain_address = \"0.0.0.0:80\"\n", "uzel.toml:2: \"plain_address\" is of use only beside HTTPS"),
        (
            "[listen]\nplain_address = \"80\"\n[listen.tls]\ncertificate = \"a\"\nkey = \"b\"\n",
            "uzel.toml:2: \"80\" is no address",
        ),
        ("[listen]\nproxy_header = \"x-real-ip\"\n", "x-forwarded-for"),
        ("[listen.acme]\nagree_to_terms = true\n", "\"domains\" is missing"),
        ("[listen.acme]\ndomains = [\"in.company.ru\"]\n", "agree_to_terms = true"),
        (
            "[listen.acme]\ndomains = [\"in.company.ru\"]\nagree_to_terms = false\n",
            "uzel.toml:3: no certificate can be ordered",
        ),
        (
            "[listen.acme]\nagree_to_terms = true\ndomains = [\"https://in.company.ru\"]\n",
            "\"https://in.company.ru\" is no name",
        ),
        ("[listen.acme]\nagree_to_terms = true\ndomains = [\"*.company.ru\"]\n", "\"*.company.ru\" is no name"),
        ("[listen.acme]\nagree_to_terms = true\ndomains = [\"192.0.2.7\"]\n", "\"192.0.2.7\" is no name"),
        ("[listen.acme]\nagree_to_terms = true\ndomains = [\"вход.рф\"]\n", "is no name"),
        (
            "[listen.acme]\nagree_to_terms = true\ndomains = [\"a.ru\"]\nchallenge = \"http-01\"\n",
            "needs plain_address",
        ),
        (
            "[listen.acme]\nagree_to_terms = true\ndomains = [\"a.ru\"]\ndirectory = \"http://a.ru\"\n",
            "begins with https://",
        ),
        (
            "[listen.tls]\ncertificate = \"a\"\nkey = \"b\"\n[listen.acme]\nagree_to_terms = true\ndomains = [\"a.ru\"]\n",
            "Leave one of them",
        ),
        ("[listen.acme]\nagree_to_terms = true\ndomain = [\"a.ru\"]\n", "did you mean \"domains\"?"),
    ] {
        let said = problems(text);
        assert!(said.contains(expected), "{text}\n-> {said}");
    }
    let text =
        "[listen]\nplain_address = \"0.0.0.0:80\"\n[listen.acme]\nagree_to_terms = true\ndomains = [\"A.ru.\"]\n";
    let settings = Settings::compile("uzel.toml", text, &|_| None).expect("it reads");
    assert_eq!(settings.listen.public_base(), "https://a.ru");
}

/// TLS of the clients of a test.
pub(crate) fn provider() {
    let _already = rustls::crypto::ring::default_provider().install_default();
}

/// A client that believes this certificate only, and knows the name by its address.
pub(crate) fn client(certificate: &str, name: &str, address: SocketAddr) -> reqwest::Client {
    provider();
    let root = reqwest::Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]).resolve(name, address);
    builder.timeout(Duration::from_secs(20)).redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

fn place(text: &str) -> Place {
    let connections = "[connection.site]\nconnector = \"forms\"\n";
    Place::new(&format!("locale = \"en\"\n{text}{connections}"), "")
}

fn put(folder: &Path, pair: &(String, String)) {
    fs::write(folder.join("site.pem"), &pair.0).expect("the certificate is written");
    fs::write(folder.join("site.key"), &pair.1).expect("the key is written");
}

const BY_FILES: &str = "[listen.tls]\ncertificate = \"site.pem\"\nkey = \"site.key\"\n";

async fn form(client: &reqwest::Client, daemon: &Daemon, name: &str) -> Result<u16, reqwest::Error> {
    let (port, path) = (daemon.address.rsplit(':').next().expect("a port"), daemon.site.splitn(4, '/').last());
    let address = format!("https://{name}:{port}/{}", path.expect("a path"));
    let request = client.post(address).header("content-type", "application/json").body("{\"phone\":\"+79123456781\"}");
    Ok(request.send().await?.status().as_u16())
}

fn trouble(status: &serde_json::Value) -> &str {
    status["certificate"]["trouble"].as_str().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_are_exchanged_while_the_daemon_runs_and_bad_ones_are_not() {
    let place = place(BY_FILES);
    let (first, second) = (pair(&["in.test"], (2020, 2090)), pair(&["in.test"], (2020, 2095)));
    put(place.path(), &first);
    let daemon = place.start();
    let address: SocketAddr = daemon.address.parse().expect("an address");
    let (by_first, by_second) = (client(&first.0, "in.test", address), client(&second.0, "in.test", address));
    assert_eq!(form(&by_first, &daemon, "in.test").await.expect("TLS"), 200);
    assert!(form(&by_second, &daemon, "in.test").await.is_err(), "another certificate is not believed");
    let status = daemon.get("status").await;
    assert!(status["certificate"]["not_after"].as_str().is_some_and(|it| it.starts_with("2090-01-01")), "{status}");
    assert_eq!(trouble(&status), "");

    // A certificate whose key has not come yet, one that has run out, no certificate at all.
    let expired = pair(&["in.test"], (2020, 2021));
    for (certificate, key, expected) in [
        (&second.0, &first.1, "is not that of the certificate"),
        (&expired.0, &expired.1, "has run out already"),
        (&"nothing".to_owned(), &second.1, "there is no certificate"),
        (&second.0, &"nothing".to_owned(), "there is no key"),
    ] {
        put(place.path(), &(certificate.clone(), key.clone()));
        daemon.hang_up();
        daemon.until("status", |status| trouble(status).contains(expected).then_some(())).await;
        assert_eq!(form(&by_first, &daemon, "in.test").await.expect("the former one serves"), 200, "{expected}");
    }
    fs::remove_file(place.path().join("site.key")).expect("it is there");
    daemon.hang_up();
    daemon.until("status", |status| trouble(status).contains("site.key cannot be read").then_some(())).await;

    put(place.path(), &second);
    daemon.hang_up();
    daemon.until("status", |status| (trouble(status).is_empty()).then_some(())).await;
    assert_eq!(form(&by_second, &daemon, "in.test").await.expect("the new one serves"), 200);
    let shown = place.run(&["status"]);
    assert!(shown.out.contains("Certificate: until 2095-01-01"), "{shown:?}");
    let log = daemon.log();
    for key in [&first.1, &second.1] {
        let line = key.lines().nth(1).expect("a line of the key");
        assert!(!log.contains(line), "{log}");
    }
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_daemon_with_files_that_are_no_pair_says_which_and_does_not_start() {
    let place = place(BY_FILES);
    let start = || run(&["-d", &place.name(), "--lang", "en", "run", "--listen", "127.0.0.1:0"]);
    let said = start();
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("site.pem cannot be read"), "{said:?}");
    let (one, other) = (pair(&["a.ru"], (2020, 2090)), pair(&["a.ru"], (2020, 2090)));
    put(place.path(), &(one.0, other.1));
    let said = start();
    assert!(said.code == 1 && said.err.contains("site.key is not that of the certificate"), "{said:?}");
}

fn served(names: &[&str]) -> (Arc<Certificates>, String) {
    let (certificate, key) = pair(names, (2020, 2090));
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), &(certificate.clone(), key));
    let certificates = Arc::new(Certificates::default());
    let held = Pair::from_files(&folder.path().join("site.pem"), &folder.path().join("site.key")).expect("a pair");
    certificates.put(held);
    (certificates, certificate)
}

async fn secured(timeout: Duration) -> (Running, String) {
    let (certificates, text) = served(&["in.test"]);
    let side = TlsSide::new(certificates, false).expect("TLS").within(timeout);
    (Running::start_as(Setup::usual(), Role::Tls(Arc::new(side))).await, text)
}

#[tokio::test]
async fn plain_http_at_the_port_of_tls_is_told_so() {
    let (running, _) = secured(Duration::from_secs(20)).await;
    let reply = running.send("POST /in/site/x", "Accept-Language: en", "{}").await;
    assert_eq!(reply.status, 403, "{reply:?}");
    assert!(reply.body.contains("Change \"http://\" to \"https://\""), "{reply:?}");
    assert!(running.journal.envelopes().is_empty());
}

#[tokio::test]
async fn a_handshake_that_does_not_come_holds_no_connection() {
    let (running, text) = secured(Duration::from_millis(300)).await;
    let mut silent = TcpStream::connect(running.address).await.expect("it listens");
    let mut begun = TcpStream::connect(running.address).await.expect("it listens");
    begun.write_all(&[0x16, 0x03, 0x01, 0x02]).await.expect("it is taken");
    let mut noise = TcpStream::connect(running.address).await.expect("it listens");
    noise.write_all(&[0x16, 0x03, 0x01, 0x00, 0x04, 1, 2, 3, 4]).await.expect("it is taken");
    let began = Instant::now();
    for stream in [&mut silent, &mut begun, &mut noise] {
        let reply = read_reply(stream).await;
        assert_eq!(reply.status, 0, "{reply:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // Others are served meanwhile and after.
    let client = client(&text, "in.test", running.address);
    let answer = client.get(format!("https://in.test:{}/healthz", running.address.port())).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    running.stopped().await;
}

#[tokio::test]
async fn an_old_client_of_tls_1_2_is_served_too() {
    provider();
    let (running, text) = secured(Duration::from_secs(20)).await;
    let root = reqwest::Certificate::from_pem(text.as_bytes()).expect("a certificate");
    let old = reqwest::Client::builder().no_proxy().tls_certs_only([root]).resolve("in.test", running.address);
    let old = old.tls_version_max(reqwest::tls::Version::TLS_1_2).build().expect("a client");
    let answer = old.get(format!("https://in.test:{}/healthz", running.address.port())).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn without_a_certificate_yet_a_handshake_fails_and_nothing_else_does() {
    let side = TlsSide::new(Arc::new(Certificates::default()), true).expect("TLS");
    let running = Running::start_as(Setup::usual(), Role::Tls(Arc::new(side))).await;
    let (_, text) = served(&["in.test"]);
    let client = client(&text, "in.test", running.address);
    assert!(client.get(format!("https://in.test:{}/healthz", running.address.port())).send().await.is_err());
    running.stopped().await;
}

fn door(public_url: Option<&str>, tls_port: u16) -> Role {
    Role::Door(Door { certificates: Arc::default(), public_url: public_url.map(str::to_owned), tls_port })
}

#[tokio::test]
async fn the_plain_listener_sends_browsers_on_and_takes_no_secrets() {
    let running = Running::start_as(Setup::usual(), door(None, 443)).await;
    let onward = |host: &str| format!("GET /page?x=1 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    for (host, expected) in [
        ("in.company.ru", Some("https://in.company.ru/page?x=1")),
        ("in.company.ru:80", Some("https://in.company.ru/page?x=1")),
        ("[::1]:80", Some("https://[::1]/page?x=1")),
        ("evil/../x", None),
        ("a b", None),
        ("", None),
    ] {
        let reply = running.raw(onward(host)).await;
        assert_eq!(reply.header("location"), expected, "{host}: {reply:?}");
        assert_eq!(reply.status, if expected.is_some() { 308 } else { 403 }, "{host}");
    }
    for line in [
        "POST /in/site/s3cr3tpartoftheaddress0000000001",
        "GET /in/site/s3cr3tpartoftheaddress0000000001",
        "GET /exchange/1c?type=sale&mode=checkauth",
        "GET /bitrix/admin/1c_exchange.php",
        "GET /api/clients",
        "GET /oauth/crm?code=x",
        "POST /page",
    ] {
        let reply = running.send(line, "", "").await;
        assert_eq!((reply.status, reply.header("location")), (403, None), "{line}: {reply:?}");
    }
    assert_eq!(running.send("GET /.well-known/acme-challenge/none", "", "").await.status, 404);
    assert!(running.journal.envelopes().is_empty());
    running.stopped().await;

    let named = Running::start_as(Setup::usual(), door(Some("https://in.company.ru"), 8443)).await;
    let reply = named.raw(onward("other.ru")).await;
    assert_eq!(reply.header("location"), Some("https://in.company.ru/page?x=1"), "the settings say where");
    let far = Running::start_as(Setup::usual(), door(None, 8443)).await;
    let reply = far.raw(onward("in.company.ru")).await;
    assert_eq!(reply.header("location"), Some("https://in.company.ru:8443/page?x=1"));
}

#[tokio::test]
async fn a_shutdown_finishes_what_came_within_tls() {
    let (mut running, text) = secured(Duration::from_secs(20)).await;
    running.journal.hold();
    let client = client(&text, "in.test", running.address);
    let address = format!("https://in.test:{}/in/site/{}", running.address.port(), super::http_support::SECRET);
    let sent = tokio::spawn(client.post(address).body("phone=1").send());
    running.journal.wait_for_appends(1).await;
    running.begin_stop();
    running.journal.let_go();
    assert_eq!(sent.await.expect("it ends").expect("an answer").status(), 200);
    running.stopped().await;
}

/// A body that is cut in the middle of TLS is no lead.
#[tokio::test]
async fn a_request_that_breaks_off_is_not_journalled() {
    let (running, text) = secured(Duration::from_secs(20)).await;
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(text.as_bytes()).expect("PEM")).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(running.address).await.expect("it listens");
    let name = rustls::pki_types::ServerName::try_from("in.test").expect("a name");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.expect("a handshake");
    let whole = request(&format!("POST /in/site/{}", super::http_support::SECRET), "", "phone=%2B79123456781");
    stream.write_all(&whole[..whole.len() - 5]).await.expect("it is taken");
    stream.shutdown().await.expect("it ends");
    let mut rest = Vec::new();
    let _cut = stream.read_to_end(&mut rest).await;
    assert!(running.journal.envelopes().is_empty());
}

/// A web server in front keeps its connections: it must find them alive, or be told.
#[tokio::test]
async fn a_refusal_before_the_body_leaves_the_connection_alive_or_says_that_it_ends() {
    let running = Running::start(Setup::usual()).await;
    let mut stream = TcpStream::connect(running.address).await.expect("it listens");
    for _ in 0..2 {
        // The body comes after the head, as it does from a web server that does not wait.
        let head = "POST /in/site/wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("it is taken");
        tokio::task::yield_now().await;
        stream.write_all(b"phone=1").await.expect("it is taken");
        let mut answer = [0_u8; 12];
        stream.read_exact(&mut answer).await.expect("the connection lives");
        assert_eq!(&answer, b"HTTP/1.1 404");
        let mut rest = vec![0_u8; 4096];
        let read = stream.read(&mut rest).await.expect("the rest");
        assert!(!String::from_utf8_lossy(&rest[..read]).to_lowercase().contains("connection: close"));
    }
    let large = "POST /in/site/wrong HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\nphone=1";
    let reply = running.raw(large).await;
    assert_eq!((reply.status, reply.header("connection")), (404, Some("close")), "{reply:?}");
    running.stopped().await;
}
