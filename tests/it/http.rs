//! The listener over a real socket: what senders, browsers, 1C and Prometheus see.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use tokio::sync::watch;
use tracing_subscriber::fmt::MakeWriter;
use uzel::base::clock::ManualClock;
use uzel::base::{Locale, Position, Secret, Slug};
use uzel::http::{ExchangeEndpoint, ProxyHeader, TrustedProxies};
use uzel::journal::{Journal as _, MemoryJournal};
use uzel::source::exchange::{
    Exchange, ExchangeReply, ExchangeRequest, ExchangeSettings, ImportCounts, ImportProgress, Progress,
};
use uzel::source::form::{Rate, Rates};

use crate::http_support::{API_TOKEN, Mood, NOW, Running, SECRET, Setup};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const JSON: &str = "Content-Type: application/json";
const BROWSER: &str = "Accept: text/html,application/xhtml+xml";

fn to(connection: &str) -> String {
    format!("POST /in/{connection}/{SECRET}")
}

#[tokio::test]
async fn a_submission_is_journalled_before_it_is_acknowledged() {
    let running = Running::start(Setup::usual()).await;
    running.journal.hold();
    let line = to("site");
    let request = running.send(&line, JSON, r#"{"name":"Anna"}"#);
    let release = async {
        running.journal.wait_for_appends(1).await;
        assert_eq!(running.journal.envelopes().len(), 1);
        running.journal.let_go();
    };
    let (reply, ()) = tokio::join!(request, release);
    assert!(reply.is(StatusCode::OK));
    assert_eq!(reply.body, r#"{"status":"accepted","id":"1"}"#);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let envelope = &running.journal.envelopes()[0];
    assert_eq!((&*envelope.connection, &*envelope.stream, envelope.received_at), ("site", "lead", NOW));
    running.stopped().await;
}

#[tokio::test]
async fn answers_follow_the_dialect_and_the_reader() {
    let running = Running::start(Setup::usual()).await;
    let tilda = running.send(&to("tilda"), FORM, "Name=Anna&tranid=1:2").await;
    assert_eq!((tilda.status, tilda.body.as_str()), (200, "ok"));

    let browser = format!("{FORM}\n{BROWSER}");
    let redirect = running.send(&to("site"), &browser, "Name=Anna&redirect=https%3A%2F%2Fsite.ru%2Fthanks").await;
    assert_eq!((redirect.status, redirect.header("location")), (303, Some("https://site.ru/thanks")));

    let page = running.send(&to("site"), &browser, "Name=Anna&redirect=https%3A%2F%2Fevil.example").await;
    assert_eq!((page.status, page.header("location")), (200, None));
    assert!(page.body.contains("<html lang=\"ru\">") && page.body.contains("Спасибо"), "{}", page.body);
    assert_eq!(running.journal.envelopes().len(), 3);
}

#[tokio::test]
async fn tildas_test_of_the_address_is_answered_and_not_kept() {
    let running = Running::start(Setup::usual()).await;
    let reply = running.send(&to("tilda"), FORM, "test=test").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "ok"));
    assert!(running.journal.envelopes().is_empty());
}

#[tokio::test]
async fn wrong_addresses_look_all_alike() {
    let running = Running::start(Setup::usual()).await;
    let mut bodies = Vec::new();
    for path in ["/in/site/wrong", "/in/nobody/wrong", "/in/site/", "/in/site", "/", "/favicon.ico"] {
        let reply = running.send(&format!("POST {path}"), FORM, "Name=Anna").await;
        assert_eq!(reply.status, 404, "{path}");
        bodies.push(reply.body);
    }
    let other_stream = running.send(&format!("{}/other", to("site")), FORM, "Name=Anna").await;
    assert_eq!(other_stream.status, 404);
    assert!(bodies.iter().all(|it| *it == other_stream.body), "{bodies:?}");
    assert!(running.journal.envelopes().is_empty());

    let previous = running.send("POST /in/site/the-one-before/lead", FORM, "Name=Anna").await;
    assert_eq!(previous.status, 200);
}

#[tokio::test]
async fn a_body_of_the_wrong_kind_is_kept() {
    let running = Running::start(Setup::usual()).await;
    for headers in ["Content-Type: image/png", JSON, ""] {
        let reply = running.send(&to("site"), headers, b"\xff\x00 not anything").await;
        assert_eq!(reply.status, 200, "{headers}");
    }
    assert_eq!(running.journal.envelopes().len(), 3);
}

#[tokio::test]
async fn methods_and_codings_that_cannot_be_are_refused() {
    let running = Running::start(Setup::usual()).await;
    let get = running.send(&to("site").replace("POST", "GET"), "", "").await;
    assert_eq!((get.status, get.header("allow")), (405, Some("POST, OPTIONS")));
    let packed = running.send(&to("site"), "Content-Encoding: gzip", "xx").await;
    assert_eq!(packed.status, 415);
    let health = running.send("POST /healthz", "", "").await;
    assert_eq!((health.status, health.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn scripts_of_listed_sites_may_send_and_read() {
    let running = Running::start(Setup::usual()).await;
    let options = to("site").replace("POST", "OPTIONS");
    let asked = "Access-Control-Request-Method: POST\nAccess-Control-Request-Headers: content-type";

    let listed = running.send(&options, &format!("Origin: https://site.ru\n{asked}"), "").await;
    assert_eq!(listed.status, 204);
    assert_eq!(listed.header("access-control-allow-origin"), Some("https://site.ru"));
    assert_eq!(listed.header("access-control-allow-methods"), Some("POST, OPTIONS"));
    assert_eq!(listed.header("access-control-allow-headers"), Some("content-type, idempotency-key"));
    assert_eq!(listed.header("access-control-allow-credentials"), None);
    assert_eq!(listed.header("vary"), Some("Origin"));

    let stranger = running.send(&options, &format!("Origin: https://evil.example\n{asked}"), "").await;
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (204, None));
    assert_eq!(stranger.header("access-control-allow-methods"), None);

    let wrong = running.send("OPTIONS /in/site/wrong", "Origin: https://site.ru", "").await;
    assert_eq!(wrong.status, 404);

    let sent = running.send(&to("site"), &format!("{JSON}\nOrigin: https://site.ru"), "{}").await;
    assert_eq!((sent.status, sent.header("access-control-allow-origin")), (200, Some("https://site.ru")));
    // A script must be able to read why it was refused, too.
    let refused = running.send(&to("site"), "Origin: https://site.ru\nContent-Encoding: br", "x").await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (415, Some("https://site.ru")));
}

#[tokio::test]
async fn a_journal_that_refuses_is_503_and_says_when_to_come_again() {
    let running = Running::start(Setup::usual()).await;
    for (mood, seconds) in [(Mood::NoSpace, "60"), (Mood::Fail, "10")] {
        running.journal.set_mood(mood);
        let reply = running.send(&to("site"), JSON, "{}").await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some(seconds)), "{mood:?}");
        assert!(!reply.body.contains("/var/lib"), "paths of ours stay with us: {}", reply.body);
        assert_eq!(running.send("GET /readyz", "", "").await.status, 503);
        assert_eq!(running.send("GET /healthz", "", "").await.status, 200);
    }
    running.journal.set_mood(Mood::Keep);
    assert_eq!(running.send(&to("site"), JSON, "{}").await.status, 200);
    assert_eq!(running.send("GET /readyz", "", "").await.status, 200);
    running.health.0.store(false, Ordering::SeqCst);
    assert_eq!(running.send("GET /readyz", "", "").await.status, 503);
}

#[tokio::test]
async fn a_bug_ends_one_request_and_not_the_listener() {
    let running = Running::start(Setup::usual()).await;
    running.journal.set_mood(Mood::Panic);
    let reply = running.send(&to("site"), JSON, "{}").await;
    assert_eq!(reply.status, 500);
    assert!(reply.header("x-request-id").is_some());
    running.journal.set_mood(Mood::Keep);
    assert_eq!(running.send(&to("site"), JSON, "{}").await.status, 200);
}

#[tokio::test]
async fn each_answer_has_an_id_of_its_own() {
    let running = Running::start(Setup::usual()).await;
    let first = running.send("GET /healthz", "X-Request-Id: 79000000001", "").await;
    let second = running.send("GET /nothing", "", "").await;
    assert_eq!(first.header("x-request-id"), Some("abcd012300000000"));
    assert_eq!(second.header("x-request-id"), Some("abcd012300000001"));
}

#[tokio::test]
async fn senders_over_the_limit_are_told_when_to_come_again() {
    let rates = Rates { source: None, address: Rate::new(1, 2) };
    let mut setup = Setup { rates, ..Setup::usual() };
    setup.options.trusted_proxies =
        TrustedProxies::parse(&["127.0.0.1".to_owned()], ProxyHeader::XForwardedFor).expect("an address");
    let running = Running::start(setup).await;
    let from = |address: &str| format!("{JSON}\nX-Forwarded-For: {address}");
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(running.send(&to("site"), &from("203.0.113.9"), "{}").await);
    }
    assert_eq!(statuses.iter().map(|it| it.status).collect::<Vec<_>>(), [200, 200, 429]);
    let wait: u32 = statuses[2].header("retry-after").and_then(|it| it.parse().ok()).expect("a number of seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(running.send(&to("site"), &from("203.0.113.10"), "{}").await.status, 200);
    // Another source has its own allowance.
    assert_eq!(running.send(&to("tilda"), &from("203.0.113.9"), "{}").await.status, 200);
    // A stranger's guesses at the secret use nothing up.
    assert_eq!(running.send("POST /in/site/wrong", &from("203.0.113.11"), "{}").await.status, 404);
}

#[tokio::test]
async fn a_forwarding_header_of_a_stranger_counts_for_nothing() {
    let rates = Rates { source: None, address: Rate::new(1, 1) };
    let running = Running::start(Setup { rates, ..Setup::usual() }).await;
    let from = |address: &str| format!("{JSON}\nX-Forwarded-For: {address}");
    assert_eq!(running.send(&to("site"), &from("203.0.113.1"), "{}").await.status, 200);
    assert_eq!(running.send(&to("site"), &from("203.0.113.2"), "{}").await.status, 429);
}

#[tokio::test]
async fn the_json_interface_wants_its_token() {
    let router = axum::Router::new().route("/api/ping", axum::routing::get(async || "pong"));
    let running = Running::start(Setup { api: Some(router), ..Setup::usual() }).await;
    let ping = async |headers: &str| running.send("GET /api/ping", headers, "").await;
    let good = format!("Authorization: Bearer {API_TOKEN}");
    assert_eq!(ping(&good).await.body, "pong");
    assert_eq!(ping(&format!("authorization: bearer {API_TOKEN}")).await.status, 200);
    for bad in ["", "Authorization: Bearer", "Authorization: Bearer x", &format!("Authorization: Basic {API_TOKEN}")] {
        let reply = ping(bad).await;
        assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer")), "{bad}");
    }
    assert_eq!(running.send("GET /api/nothing", &good, "").await.status, 404);
    assert_eq!(running.send("GET /api/nothing", "", "").await.status, 401);

    running.state.set_api_tokens(vec![Secret::new("new"), Secret::new(API_TOKEN)]);
    assert_eq!(ping("Authorization: Bearer new").await.status, 200);
    assert_eq!(ping(&good).await.status, 200);
    running.state.set_api_tokens(Vec::new());
    assert_eq!(ping(&good).await.status, 401);
}

#[tokio::test]
async fn metrics_count_and_are_not_for_strangers() {
    let running = Running::start(Setup::usual()).await;
    running.send(&to("site"), JSON, "{}").await;
    running.send(&to("site"), "Content-Encoding: gzip", "x").await;
    let page = running.send("GET /metrics", "", "").await;
    assert_eq!(page.status, 200);
    for line in [
        r#"uzel_envelopes_acknowledged_total{connector="forms"} 1"#,
        r#"uzel_envelopes_refused_total{connector="forms",reason="encoding"} 1"#,
        r#"uzel_http_requests_total{route="webhook",status="2xx"} 1"#,
        r#"uzel_http_requests_total{route="webhook",status="4xx"} 1"#,
        "uzel_journal_head 1",
    ] {
        assert!(page.body.contains(line), "{line}\n{}", page.body);
    }
    let forwarded = "X-Forwarded-For: 203.0.113.9";
    assert_eq!(running.send("GET /metrics", forwarded, "").await.status, 404);
    let with_token = format!("{forwarded}\nAuthorization: Bearer {API_TOKEN}");
    assert_eq!(running.send("GET /metrics", &with_token, "").await.status, 200);
}

#[tokio::test]
async fn sources_are_replaced_while_the_listener_runs() {
    let running = Running::start(Setup::usual()).await;
    assert_eq!(running.send(&to("site"), JSON, "{}").await.status, 200);
    running.state.set_forms(Vec::new());
    assert_eq!(running.send(&to("site"), JSON, "{}").await.status, 404);
}

/// Answers what it was asked.
struct Echo;

impl ExchangeEndpoint for Echo {
    fn handle(&self, request: ExchangeRequest) -> Pin<Box<dyn Future<Output = ExchangeReply> + Send + '_>> {
        Box::pin(async move {
            let ExchangeRequest { method, query, authorization, cookie, mut body, .. } = request;
            let mut bytes = 0;
            let end = loop {
                match body.chunk().await {
                    Ok(Some(chunk)) => bytes += chunk.len(),
                    Ok(None) => break "whole",
                    Err(_) => break "cut",
                }
            };
            let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            let headers = authorization.unwrap_or_default() + " " + &cookie.unwrap_or_default();
            let text = format!("{method} {} {headers} {bytes} {end}", query.join(" "));
            ExchangeReply { content_type: "text/plain; charset=utf-8", body: text.into_bytes() }
        })
    }
}

#[tokio::test]
async fn the_exchange_of_1c_is_found_under_each_of_its_addresses() {
    let running = Running::start(Setup::usual()).await;
    let ask = async |path: &str| running.send(&format!("GET {path}?type=sale&mode=init"), "", "").await;
    assert_eq!(ask("/exchange/ut").await.status, 404);

    running.state.set_exchanges(vec![(Slug::literal("ut"), Arc::new(Echo))]);
    for path in ["/exchange/ut", "/exchange/ut/bitrix/admin/1c_exchange.php", "/bitrix/admin/1c_exchange.php"] {
        assert_eq!(ask(path).await.body, "GET type=sale mode=init   0 whole", "{path}");
    }
    assert_eq!(ask("/exchange/other").await.status, 404);

    running.state.set_exchanges(vec![(Slug::literal("ut"), Arc::new(Echo)), (Slug::literal("bp"), Arc::new(Echo))]);
    assert_eq!(ask("/bitrix/admin/1c_exchange.php").await.status, 404);
    assert_eq!(ask("/exchange/bp").await.status, 200);

    let upload = "POST /exchange/ut?type=sale&mode=file&filename=заказы.xml";
    let headers = "Authorization: Basic dTpw\nCookie: sessid=1";
    let reply = running.send(upload, headers, vec![b'x'; 300_000]).await;
    assert_eq!(reply.body, "POST type=sale mode=file filename=заказы.xml Basic dTpw sessid=1 300000 whole");

    // A client that announces more than a chunk may hold gets its answer from the protocol.
    let head = "POST /exchange/ut?mode=file HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 70000000\r\n";
    let mut large = format!("{head}\r\n").into_bytes();
    large.resize(large.len() + 70_000_000, b'x');
    let reply = running.raw(large).await;
    assert!(reply.body.starts_with("POST mode=file") && reply.body.ends_with("cut"), "{reply:?}");

    // hyper refuses bytes in an address that are not UTF-8.
    let mut cp1251 = b"GET /exchange/ut?mode=file&filename=".to_vec();
    cp1251.extend_from_slice(b"\xe7\xe0\xea.xml HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let reply = running.raw(cp1251).await;
    assert_eq!(reply.status, 400);
}

/// Everything is applied at once.
struct AllDone(watch::Sender<Position>);

impl Progress for AllDone {
    fn of(&self, _position: Position) -> ImportProgress {
        ImportProgress::Done(ImportCounts::default())
    }

    fn subscribe(&self) -> watch::Receiver<Position> {
        self.0.subscribe()
    }
}

#[tokio::test]
async fn orders_of_1c_come_in_through_the_listener() {
    let spool = tempfile::tempdir().expect("a temporary folder can be made");
    let journal = Arc::new(MemoryJournal::new());
    let settings = ExchangeSettings {
        connection: Slug::literal("ut"),
        connector: Slug::literal("commerceml"),
        login: "u".to_owned(),
        password: Secret::new("p"),
        file_limit: 1_000_000,
        zip: false,
        locale: Locale::Ru,
    };
    let progress = Arc::new(AllDone(watch::Sender::new(Position::START)));
    let clock = Arc::new(ManualClock::new(NOW));
    let exchange = Exchange::new(settings, spool.path().join("spool"), journal.clone(), clock, progress);
    let running = Running::start(Setup::usual()).await;
    running.state.set_exchanges(vec![(Slug::literal("ut"), Arc::new(exchange.expect("an empty folder")))]);

    let ask = async |line: &str, headers: &str, body: &str| {
        let path = format!("{line}&type=sale");
        running.send(&path, headers, body).await.body
    };
    const SCRIPT: &str = "/bitrix/admin/1c_exchange.php";
    let refused = ask(&format!("GET {SCRIPT}?mode=checkauth"), "Authorization: Basic dTp4", "").await;
    assert!(refused.starts_with("failure\n"), "{refused}");
    let granted = ask(&format!("GET {SCRIPT}?mode=checkauth"), "Authorization: Basic dTpw", "").await;
    let lines: Vec<_> = granted.lines().collect();
    assert_eq!(lines[0], "success", "{granted}");
    let cookie = format!("Cookie: {}={}", lines[1], lines[2]);

    let order = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><КоммерческаяИнформация><Документ><Ид>1</Ид>\
                 </Документ></КоммерческаяИнформация>";
    let uploaded = ask(&format!("POST {SCRIPT}?mode=file&filename=orders.xml"), &cookie, order).await;
    assert!(uploaded.starts_with("success"), "{uploaded}");
    assert_eq!(journal.head(), Position(1));
    let imported = ask(&format!("GET {SCRIPT}?mode=import&filename=orders.xml"), &cookie, "").await;
    assert!(imported.starts_with("success"), "{imported}");
}

/// Log lines of one test.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

#[tokio::test]
async fn neither_secrets_nor_phones_reach_the_log() {
    const PHONE: &str = "79005550177";
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    // With a single subscriber alive, tracing asks only the thread that meets a log line first whether
    // anybody listens, and neighbouring tests would answer no for ever. With two it asks both.
    let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
    // The test's runtime has one thread, so all of the listener logs here.
    let _guard = tracing::subscriber::set_default(subscriber);
    let running = Running::start(Setup::usual()).await;
    running.state.set_exchanges(vec![(Slug::literal("ut"), Arc::new(Echo))]);
    let personal = format!("{FORM}\nX-Request-Id: {PHONE}\nCookie: c={SECRET}\nReferer: https://site.ru/?p={PHONE}");
    let body = format!("Name=Anna&Phone={PHONE}&token={SECRET}");
    let query = format!("{}?phone={PHONE}", to("site"));
    for (line, headers) in [
        (query.as_str(), personal.as_str()),
        (&to("site"), "Content-Encoding: gzip"),
        (&format!("GET /in/site/{SECRET}"), ""),
        (&format!("POST /in/{PHONE}/{SECRET}"), ""),
        (&format!("POST /in/site/{SECRET}x"), ""),
        (&format!("GET /{PHONE}/{SECRET}"), ""),
        ("GET /api/x", &format!("Authorization: Bearer {SECRET}")),
        (&format!("POST /exchange/ut?filename={PHONE}.xml&sessid={SECRET}"), ""),
    ] {
        running.send(line, headers, &body).await;
    }
    running.journal.set_mood(Mood::NoSpace);
    running.send(&query, &personal, &body).await;
    running.journal.set_mood(Mood::Panic);
    running.send(&query, &personal, &body).await;
    running.raw(format!("POST /in/site/{SECRET} HTTP/1.1\r\nbad header {PHONE}\r\n\r\n")).await;
    running.stopped().await;

    let log = String::from_utf8(captured.0.lock().expect("not poisoned").clone()).expect("logs are UTF-8");
    assert!(log.contains("envelope journalled") && log.contains("senders get 503"), "the log was captured: {log}");
    assert!(log.contains("request.id=abcd012300000000"), "requests are named: {log}");
    for planted in [SECRET, PHONE] {
        assert!(!log.contains(planted), "{planted} is in the log:\n{log}");
    }
}
