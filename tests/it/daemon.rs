//! A running daemon and those around it: its interface, its end, its modes, its secrets, its store.

use serde_json::Value;
use uzel::twin::exchange_client::{ExchangeType, Profile};
use uzel::twin::site::Form;

use super::daemon_support::{Place, crm, crm_deals, settings, until};

const NOWHERE: &str = "http://127.0.0.1:9/rest/1/nobodylistenshere/";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_interface_asks_strangers_for_the_token_and_the_owner_for_nothing() {
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    let bearer = format!("Bearer {}", place.token());
    let check = |line: &str, headers: &[(&str, &str)], status: u16| {
        let answer = daemon.plain(line, headers);
        assert_eq!(answer.0, status, "{line} {headers:?}: {}", answer.1);
        answer.1
    };
    check("GET /api/status", &[], 401);
    check("GET /api/status", &[("authorization", "Bearer wrong")], 401);
    check("GET /api/clients", &[], 401);
    check("POST /api/quarantine/1.0/retry", &[], 401);
    check("GET /api/none", &[("authorization", &bearer)], 404);
    check("GET /api/clients/foo", &[("authorization", &bearer)], 404);
    check("GET /api/clients?after=foo", &[("authorization", &bearer)], 400);
    check("GET /healthz", &[], 200);
    check("GET /readyz", &[], 200);
    check("GET /nothing", &[], 404);
    let status = check("GET /api/status?lang=en", &[("authorization", &bearer)], 200);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["connections"], daemon.get("status").await["connections"]);
    let metrics = check("GET /metrics", &[], 200);
    assert!(metrics.contains("uzel_"), "{metrics}");
    // Without a daemon and beside one the command line shows the same.
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.caught_up().await;
    let beside = place.json(&["client", "list"]);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.json(&["client", "list"]), beside);
    assert_eq!(beside["rows"].as_array().map(Vec::len), Some(1), "{beside:#}");
}

#[test]
fn a_second_daemon_is_told_who_holds_the_folder() {
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    for arguments in [&["run", "--listen", "127.0.0.1:0"][..], &["rebuild"], &["rebuild", "--check"]] {
        let said = place.run(arguments);
        assert_eq!(said.code, 1, "{arguments:?} {said:?}");
        assert!(said.err.contains(&format!("the folder {} is in use by another uzel", place.name())), "{said:?}");
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.run(&["rebuild", "--check"]).code, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn observe_writes_nothing_and_live_sends_what_has_gathered() {
    let twin = crm().await;
    let place = Place::new(&settings("observe"), &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;
    let waiting = daemon.get("outbox").await;
    // Two clients and two deals wait; forms are told besides.
    let of = |prefix: &str| {
        let rows = waiting["rows"].as_array().expect("rows");
        rows.iter().filter(|it| it["object"].as_str().is_some_and(|it| it.starts_with(prefix))).count()
    };
    assert_eq!((of("cli_"), of("dl_")), (2, 2), "{waiting:#}");
    assert_eq!(daemon.stop(), Some(0));
    // It is read, and nothing is written.
    let reads = |method: &str| [".list", ".get", "batch"].iter().any(|it| method.ends_with(it));
    assert!(twin.log().iter().all(|it| reads(&it.method)), "{:?}", twin.log());

    std::fs::write(place.path().join("uzel.toml"), settings("live")).expect("it is written");
    let daemon = place.start();
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    let deals = crm_deals(&twin);
    assert_eq!(deals.len(), 2, "{deals:#?}");
    // Base 20 %, no data of anything else, first deal of a new client: C1.
    assert!(deals.iter().all(|deal| deal["UF_CRM_UZEL_CLASS"] == "C1"), "{deals:#?}");
    assert_eq!(daemon.stop(), Some(0));
    twin.shut_down().await.expect("the twin stops");
}

/// Nothing of these may ever be in a log or a metric.
const PERSON: [&str; 4] = ["Тайнознаменская", "9161112233", "916-111-22-33", "tayna@person-example.ru"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_and_metrics_hold_no_secret_and_no_person() {
    let twin = crm().await;
    let place = Place::new(&settings("live"), &twin.url());
    let daemon = place.start_with("trace");
    let token = place.token();
    let mut form = Form::sample("Тайнознаменская Анна", "8 916-111-22-33");
    form.fields.push(("email".to_owned(), "tayna@person-example.ru".to_owned()));
    for request in [form.json(), form.json_as_text(), form.urlencoded(), form.multipart(&[])] {
        assert!(daemon.post(&daemon.site, &request).await.status < 400);
    }
    // Bad ones: a broken body, a wrong secret, a wrong token, a wrong password, a file that is none.
    let mut broken = form.json();
    broken.body.truncate(broken.body.len() - 9);
    daemon.post(&daemon.site, &broken).await;
    daemon.post(&daemon.site.replace(&place.form_secret, "wr0ngsecret000000000000000000001"), &form.json()).await;
    daemon.post(&format!("{}/more", daemon.site), &form.json()).await;
    daemon.plain("GET /api/status", &[("authorization", &format!("Bearer {token}"))]);
    daemon.plain("GET /api/status", &[("authorization", "Bearer wr0ngt0ken0000000000000000000001")]);
    daemon.plain("GET /api/clients?search=tayna@person-example.ru", &[("authorization", &format!("Bearer {token}"))]);
    let mut order = uzel::twin::commerceml::Order::sample("00042", 150_000);
    order.buyer.name = "Тайнознаменская Анна".to_owned();
    let file = uzel::twin::commerceml::orders_file(&[order], "2026-11-21T09:00:00");
    let cut = file[..file.len() / 2].to_vec();
    let base = daemon.base(Profile::Ut11);
    base.upload(ExchangeType::Sale, &[("orders.xml".to_owned(), file)]).await.expect("it is taken");
    let _refused = base.upload(ExchangeType::Catalog, &[("import0_1.xml".to_owned(), cut)]).await;
    let _refused = daemon.base_with(Profile::Ut11, "wr0ngpassw0rd").upload(ExchangeType::Sale, &[]).await;
    let _offered = daemon.base(Profile::Unf).download(true).await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    assert!(!crm_deals(&twin).is_empty());

    let metrics = daemon.plain("GET /metrics", &[]).1;
    let log = {
        let text = daemon.log();
        assert_eq!(daemon.stop(), Some(0));
        text
    };
    // Our own words are there; at `trace` other crates would print every row and address.
    assert!(log.contains("uzel::") && !log.contains("TRACE sled") && !log.contains("TRACE hyper"), "{log}");
    let secrets = [
        place.form_secret.as_str(),
        &token,
        "tw1nsecret0fthewebhook01",
        &place.password,
        "wr0ngt0ken",
        "wr0ngpassw0rd",
    ];
    let mut planted: Vec<String> = secrets.iter().chain(PERSON.iter()).map(|it| (*it).to_owned()).collect();
    // Basic authorisation is the password in another spelling; bytes may be printed escaped.
    planted.push(base64_of(&format!("uzel:{}", place.password)));
    for text in ["Тайнознаменская", "Анна"] {
        planted.push(text.bytes().map(|byte| format!("\\x{byte:02x}")).collect());
        planted.push(text.bytes().map(|byte| format!("%{byte:02X}")).collect());
        planted.push(text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(", "));
    }
    for secret in planted {
        for (place, text) in [("the log", &log), ("the metrics", &metrics)] {
            let line = text.lines().find(|line| line.contains(&secret));
            assert_eq!(line.map(|line| line.chars().take(300).collect::<String>()), None, "{secret} is in {place}");
        }
    }
    twin.shut_down().await.expect("the twin stops");
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_store_is_set_aside_and_made_anew() {
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    for (name, phone) in [("Мария Соколова", "+7 912 345-67-81"), ("Пётр Ильин", "+7 912 345-67-82")]
    {
        daemon.form(name, phone).await;
    }
    daemon.caught_up().await;
    let before = daemon.get("clients").await;
    assert_eq!(daemon.stop(), Some(0));
    let mut spoiled = 0;
    for entry in std::fs::read_dir(place.path().join("store")).expect("the store") {
        let path = entry.expect("a file").path();
        if path.is_file() {
            std::fs::write(&path, b"garbage garbage garbage garbage garbage garbage").expect("it is spoiled");
            spoiled += 1;
        }
    }
    assert!(spoiled > 0);
    let daemon = place.start();
    daemon.caught_up().await;
    assert_eq!(daemon.get("clients").await, before);
    daemon.form("Анна Новая", "+7 912 345-67-83").await;
    daemon.until("clients", |page| (page["rows"].as_array().map(Vec::len) == Some(3)).then_some(())).await;
    assert!(daemon.log().contains("it is set aside and rebuilt"), "{}", daemon.log());
    assert_eq!(daemon.stop(), Some(0));
    let names = std::fs::read_dir(place.path()).expect("the folder").map(|it| it.expect("a name").file_name());
    let aside = names.filter(|it| it.to_string_lossy().starts_with("store.")).count();
    assert_eq!(aside, 1, "the spoiled one is kept beside");
}

#[test]
fn a_store_of_a_newer_program_is_left_alone() {
    let place = Place::new(&settings("observe"), NOWHERE);
    assert_eq!(place.start().stop(), Some(0));
    // The head of the store begins with its format version: made one that is not known yet.
    let path = place.path().join("store");
    let rewrite = || {
        let db = sled::open(&path).expect("it opens");
        let mut head = db.get(b"\0head").expect("it reads").expect("a head").to_vec();
        head[1] = 99;
        db.insert(b"\0head", head).expect("it is written");
        db.flush().expect("it is flushed");
    };
    rewrite();
    let said = place.run(&["run", "--listen", "127.0.0.1:0"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("has format 99") && said.err.contains("Update the program"), "{said:?}");
    let names = std::fs::read_dir(place.path()).expect("the folder").map(|it| it.expect("a name").file_name());
    assert_eq!(names.filter(|it| it.to_string_lossy().starts_with("store.")).count(), 0, "nothing is set aside");
    until("the lock is free", || (place.run(&["journal", "verify"]).code == 0).then_some(()));
}
