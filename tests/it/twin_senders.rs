//! The 1C base and the form senders against a small site that records what it hears.
//!
//! "1c N" is a section of facts/1c.md, "forms N" one of facts/email-forms.md.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use uzel::base::{Secret, Timestamp};
use uzel::twin::commerceml::{Order, orders_file, orders_file_name};
use uzel::twin::exchange_client::{ExchangeClient, ExchangeType, FaultCause, Profile};
use uzel::twin::site::{Form, Sender, TILDA_PAUSE_MS, TildaMarks, TildaState, TildaSubmission, tilda_test};

/// One request heard.
#[derive(Debug, Clone)]
struct Heard {
    method: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Heard {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or("")
    }
}

/// A site: answers what its rule says, `progress` while the script has some left.
#[derive(Clone)]
struct Site {
    heard: Arc<Mutex<Vec<Heard>>>,
    script: Arc<Mutex<VecDeque<(u16, String)>>>,
    rule: fn(&Heard) -> (u16, String),
}

impl Site {
    async fn start(rule: fn(&Heard) -> (u16, String)) -> (Site, String) {
        let site = Site { heard: Arc::default(), script: Arc::default(), rule };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let router = axum::Router::new().fallback(answer).with_state(site.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (site, format!("http://{addr}"))
    }

    fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("no panic held it").clone()
    }

    fn say(&self, replies: &[(u16, &str)]) {
        let mut script = self.script.lock().expect("no panic held it");
        script.extend(replies.iter().map(|(status, text)| (*status, (*text).to_owned())));
    }

    /// `METHOD query` of each request heard.
    fn lines(&self) -> Vec<String> {
        self.heard().iter().map(|it| format!("{} {}", it.method, it.query)).collect()
    }
}

async fn answer(
    State(site): State<Site>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let query = uri.query().unwrap_or("").to_owned();
    let heard = Heard { method: method.to_string(), query, headers, body: body.to_vec() };
    site.heard.lock().expect("no panic held it").push(heard.clone());
    let scripted = site.script.lock().expect("no panic held it").pop_front();
    let (status, text) = scripted.unwrap_or_else(|| (site.rule)(&heard));
    (StatusCode::from_u16(status).expect("a status of the script"), text)
}

fn takes_everything(_: &Heard) -> (u16, String) {
    (200, "ok".to_owned())
}

/// A site of the Bitrix flavour with archives and a small limit.
fn bitrix(heard: &Heard) -> (u16, String) {
    let text = match heard.query.as_str() {
        it if it.contains("mode=checkauth") => "success\nPHPSESSID\nabc123\nsessid=5f1e\ntimestamp=1795244400",
        it if it.contains("mode=init") => "zip=yes\nfile_limit=1000",
        it if it.contains("mode=query") => "<?xml version=\"1.0\" encoding=\"UTF-8\"?><КоммерческаяИнформация/>",
        _ => "success",
    };
    (200, text.to_owned())
}

/// A site without archives that needs no cutting.
fn plain(heard: &Heard) -> (u16, String) {
    let text = match heard.query.as_str() {
        it if it.contains("mode=checkauth") => "success\nsid\nxyz\n",
        it if it.contains("mode=init") => "zip=no\nfile_limit=0",
        _ => "success",
    };
    (200, text.to_owned())
}

fn base(url: &str, profile: Profile) -> ExchangeClient {
    let mut client = ExchangeClient::new(url, "obmen", Secret::new("parol"), profile).expect("a client");
    client.options.poll_pause_ms = 0;
    client
}

fn files(names: &[&str]) -> Vec<(String, Vec<u8>)> {
    names.iter().map(|name| ((*name).to_owned(), format!("<x>{name}</x>").into_bytes())).collect()
}

#[tokio::test]
async fn ut11_uploads_orders_in_parts_of_one_name() {
    let (site, url) = Site::start(bitrix).await;
    let client = base(&url, Profile::Ut11);
    let orders: Vec<Order> = (1..=40).map(|number| Order::sample(&number.to_string(), 100_000 + number)).collect();
    let name = orders_file_name("5c3ab6f0-7c1e-4a53-9f0e-000000000001", 1);
    let file = orders_file(&orders, "2026-11-20T12:00:00");
    let transcript = client.upload(ExchangeType::Sale, &[(name.clone(), file.clone())]).await.expect("a leg");
    let heard = site.heard();
    let lines = site.lines();
    // 1c 1.2: checkauth, init, file...; 1c 1.6: no import for orders.
    assert_eq!(&lines[..2], ["GET type=sale&mode=checkauth", "GET type=sale&mode=init&sessid=5f1e"]);
    assert!(lines.len() > 3, "the archive is cut: {lines:?}");
    assert!(
        lines[2..].iter().all(|it| it == "POST type=sale&mode=file&filename=v8_6F3A_1c.zip&sessid=5f1e"),
        "{lines:?}"
    );
    // 1c 1.1: Basic with every request, the cookie by hand, the bytes as they are.
    assert!(heard.iter().all(|it| it.header("authorization").starts_with("Basic ")));
    assert_eq!((heard[0].header("cookie"), heard[1].header("cookie")), ("", "PHPSESSID=abc123"));
    assert!(heard[2..].iter().all(|it| it.body.len() <= 1_000 && it.header("content-type").is_empty()));
    let whole: Vec<u8> = heard[2..].iter().flat_map(|it| it.body.clone()).collect();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(whole)).expect("an archive");
    let mut unpacked = Vec::new();
    archive.by_name(&name).expect("the file under its own name").read_to_end(&mut unpacked).expect("its bytes");
    assert_eq!(unpacked, file);
    assert!(
        transcript
            .text()
            .starts_with("GET ?type=sale&mode=checkauth -> success\nGET ?type=sale&mode=init -> zip=yes\n")
    );
    assert!(!transcript.text().contains("5f1e"), "the session id is not shown");
}

#[tokio::test]
async fn import_is_polled_by_the_names_of_the_xml_files() {
    let (site, url) = Site::start(plain).await;
    let sent = files(&["offers0_1.xml", "import_files/ab/1.jpg", "import0_1.xml"]);
    let client = base(&url, Profile::Ut11);
    site.say(&[
        (200, "success\nsid\nxyz"),
        (200, "zip=no\nfile_limit=0"),
        (200, "success"),
        (200, "success"),
        (200, "success\nwritten"),
        (200, "progress\nunpacked 10 of 20"),
        (200, "Progress"),
        (200, "success\n"),
        (200, "progress"),
        (200, "success"),
    ]);
    client.upload(ExchangeType::Catalog, &sent).await.expect("a leg");
    let lines = site.lines();
    let expected = [
        "GET type=catalog&mode=checkauth",
        "GET type=catalog&mode=init",
        "POST type=catalog&mode=file&filename=offers0_1.xml",
        "POST type=catalog&mode=file&filename=import_files/ab/1.jpg",
        "POST type=catalog&mode=file&filename=import0_1.xml",
        "GET type=catalog&mode=import&filename=offers0_1.xml",
        "GET type=catalog&mode=import&filename=offers0_1.xml",
        "GET type=catalog&mode=import&filename=offers0_1.xml",
        "GET type=catalog&mode=import&filename=import0_1.xml",
        "GET type=catalog&mode=import&filename=import0_1.xml",
    ];
    assert_eq!(lines, expected);
    // UNF asks for import* first (1c 1.6).
    let (site, url) = Site::start(plain).await;
    base(&url, Profile::Unf).upload(ExchangeType::Catalog, &sent).await.expect("a leg");
    assert_eq!(
        site.lines()[5..],
        ["GET type=catalog&mode=import&filename=import0_1.xml", "GET type=catalog&mode=import&filename=offers0_1.xml"]
    );
    // Fire and forget: import is never called.
    let (site, url) = Site::start(plain).await;
    let mut client = base(&url, Profile::Ut11);
    client.options.wait_for_import = false;
    client.upload(ExchangeType::Catalog, &sent).await.expect("a leg");
    assert!(!site.lines().iter().any(|it| it.contains("mode=import")));
}

#[tokio::test]
async fn unf_appends_line_four_and_speaks_versions_when_told() {
    let (site, url) = Site::start(bitrix).await;
    let mut client = base(&url, Profile::Unf);
    client.options.subordinate_documents = true;
    site.say(&[
        (200, "success\nPHPSESSID\nabc\nsessid=77\ntimestamp=1"),
        (200, "zip=no\nfile_limit=204800\nsessid=77\nversion=2.09\n"),
    ]);
    client.upload(ExchangeType::Sale, &files(&["orders-1_1.xml"])).await.expect("a leg");
    assert_eq!(
        site.lines()[1..],
        [
            "GET type=sale&mode=init&version=2.09&cmlVersion=2.10&sessid=77",
            "POST type=sale&mode=file&filename=orders-1_1.xml&sessid=77",
            "GET type=sale&mode=import&filename=orders-1_1.xml&sessid=77"
        ]
    );
}

#[tokio::test]
async fn legs_fail_as_1c_fails() {
    const AUTH: (u16, &str) = (200, "success\nsid\nxyz");
    const INIT: (u16, &str) = (200, "zip=no\nfile_limit=0");
    const DONE: (u16, &str) = (200, "success");
    type Row<'a> = (&'a str, Profile, &'a [(u16, &'a str)], fn(&FaultCause) -> bool);
    let table: &[Row<'_>] = &[
        (
            "1c 1.3",
            Profile::Ut11,
            &[(200, "failure\nWrong password")],
            |it| matches!(it, FaultCause::NotAuthorised { reply } if reply.contains("Wrong")),
        ),
        ("1c 1.3 no cookie", Profile::Ut11, &[(200, "success")], |it| matches!(it, FaultCause::NotAuthorised { .. })),
        ("1c 1.1 a mark before", Profile::Ut11, &[(200, "\u{feff}success\nsid\nxyz")], |it| {
            matches!(it, FaultCause::NotAuthorised { .. })
        }),
        ("1c 1.4 trailing line feed", Profile::Ut11, &[AUTH, (200, "zip=no\nfile_limit=0\n")], |it| {
            matches!(it, FaultCause::BadInit { .. })
        }),
        ("1c 1.4 one line", Profile::Unf, &[AUTH, (200, "zip=no")], |it| matches!(it, FaultCause::BadInit { .. })),
        (
            "1c 1.5",
            Profile::Ut11,
            &[AUTH, INIT, (200, "failure\ndisk full")],
            |it| matches!(it, FaultCause::FileRefused { file, .. } if file == "import0_1.xml"),
        ),
        ("1c 1.1 empty", Profile::Ut11, &[AUTH, INIT, (200, "")], |it| matches!(it, FaultCause::EmptyBody)),
        ("1c 1.1 status", Profile::Unf, &[AUTH, INIT, (500, "success")], |it| {
            matches!(it, FaultCause::Status { status: 500 })
        }),
        ("1c 1.1 no redirects", Profile::Unf, &[(302, "moved")], |it| matches!(it, FaultCause::Status { status: 302 })),
        ("1c 1.6", Profile::Ut11, &[AUTH, INIT, DONE, (200, "failure\nbad XML")], |it| {
            matches!(it, FaultCause::ImportRefused { .. })
        }),
        ("1c 1.6 a warning before", Profile::Ut11, &[AUTH, INIT, DONE, (200, "<b>Warning</b>\nsuccess")], |it| {
            matches!(it, FaultCause::ImportUnknown { .. })
        }),
        (
            "1c 1.6 endless",
            Profile::Ut11,
            &[AUTH, INIT, DONE, (200, "progress"), (200, "progress"), (200, "progress")],
            |it| matches!(it, FaultCause::ImportEndless { polls: 3, .. }),
        ),
    ];
    for (fact, profile, replies, judge) in table {
        let (site, url) = Site::start(takes_everything).await;
        site.say(replies);
        let mut client = base(&url, *profile);
        client.options.polls_max = 3;
        let fault = client.upload(ExchangeType::Catalog, &files(&["import0_1.xml"])).await.expect_err(fact);
        assert!(judge(&fault.cause), "{fact}: {fault:?}");
        assert_eq!(fault.transcript.steps.len(), replies.len(), "{fact}: the leg ends where it failed");
    }
    // UT 11 reads the answer of a file whatever its status.
    let (site, url) = Site::start(plain).await;
    site.say(&[AUTH, INIT, (500, "success"), DONE]);
    base(&url, Profile::Ut11).upload(ExchangeType::Catalog, &files(&["import0_1.xml"])).await.expect("a leg");
}

#[tokio::test]
async fn orders_are_fetched_and_confirmed_apart() {
    let (site, url) = Site::start(bitrix).await;
    let client = base(&url, Profile::Ut11);
    let (orders, _) = client.download(true).await.expect("a leg");
    assert!(orders.starts_with(b"<?xml"));
    client.download(false).await.expect("a leg that breaks off before the commit point");
    let lines = site.lines();
    assert_eq!(lines.iter().filter(|it| it.contains("mode=success")).count(), 1);
    assert_eq!(lines.iter().filter(|it| it.contains("mode=query")).count(), 2);
    site.say(&[(200, "success\nsid\nxyz"), (200, "\n<?xml version=\"1.0\"?><x/>")]);
    let fault = client.download(true).await.expect_err("a line feed before the declaration");
    assert!(matches!(fault.cause, FaultCause::OrdersUnreadable { .. }), "{fault:?}");
}

fn marks() -> TildaMarks {
    TildaMarks {
        tranid: "1234567:89".to_owned(),
        formid: "form652374741".to_owned(),
        formname: "Обратный звонок".to_owned(),
        cookies: None,
    }
}

#[tokio::test]
async fn tilda_tries_three_times_a_minute_apart_with_one_tranid() {
    let (site, url) = Site::start(takes_everything).await;
    let sender = Sender::new(5_000).expect("a client");
    assert_eq!(sender.send(&url, &tilda_test()).await.expect("an answer").status, 200);
    let start = Timestamp(1_795_244_400_000);
    let mut submission = TildaSubmission::new(&Form::sample("Иван", "+79000000001"), &marks(), start);
    site.say(&[(500, "x"), (302, "x")]);
    // forms 2.1: 5 s, then two more attempts, one a minute.
    assert_eq!(submission.step(&sender, &url, start).await, TildaState::Due(start.plus_ms(TILDA_PAUSE_MS)));
    assert_eq!(submission.step(&sender, &url, start.plus_ms(59_999)).await, TildaState::Due(start.plus_ms(60_000)));
    assert_eq!(submission.step(&sender, &url, start.plus_ms(60_000)).await, TildaState::Due(start.plus_ms(120_000)));
    assert_eq!(submission.step(&sender, &url, start.plus_ms(120_000)).await, TildaState::Delivered);
    assert_eq!(submission.step(&sender, &url, start.plus_ms(180_000)).await, TildaState::Delivered);
    let heard = site.heard();
    assert_eq!((heard.len(), heard[0].body.as_slice()), (4, b"test=test".as_slice()));
    assert!(heard[1].body == heard[2].body && heard[2].body == heard[3].body, "the same bytes, the same tranid");

    let mut refused = TildaSubmission::new(&Form::sample("Иван", "+79000000001"), &marks(), start);
    site.say(&[(500, "x"), (500, "x"), (500, "x")]);
    for minute in 0..3 {
        refused.step(&sender, &url, start.plus_ms(minute * TILDA_PAUSE_MS)).await;
    }
    assert_eq!((refused.state(), refused.attempts()), (TildaState::GivenUp, 3));
}

#[tokio::test]
async fn browsers_send_forms_once_or_twice() {
    let (site, url) = Site::start(takes_everything).await;
    let sender = Sender::new(60_000).expect("a client");
    let form = Form::sample("Иван", "+79000000001");
    sender.send(&url, &form.preflight()).await.expect("an answer");
    sender.send(&url, &form.json()).await.expect("an answer");
    let both = sender.send_doubled(&url, &form.urlencoded()).await.expect("two answers");
    assert_eq!(both.map(|it| it.status), [200, 200]);
    let heard = site.heard();
    assert_eq!((heard[0].method.as_str(), heard[0].header("access-control-request-method")), ("OPTIONS", "POST"));
    assert_eq!(
        (heard[1].header("content-type"), heard[1].header("origin")),
        ("application/json", "https://shop.example")
    );
    assert!(heard[1].header("referer").contains("utm_campaign="));
    assert_eq!(heard[2].body, heard[3].body);
    let nobody = sender.send("http://127.0.0.1:9/", &form.json()).await.expect_err("nobody listens");
    assert!(!nobody.to_string().is_empty());
}
