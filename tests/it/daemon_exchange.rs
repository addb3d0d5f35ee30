//! Real files of 1C and of sites, and large ones, through the exchange into a running daemon.

use serde_json::Value;
use uzel::twin::commerceml::{Order, orders_file, orders_file_name};
use uzel::twin::exchange_client::{ExchangeType, FaultCause, Profile};

use super::daemon_support::{Daemon, Place, samples, settings};

const NOWHERE: &str = "http://127.0.0.1:9/rest/1/nobodylistenshere/";

/// Outcomes of the records of the newest envelope, by kind.
async fn outcomes(daemon: &Daemon) -> Vec<(String, usize)> {
    let journal = daemon.get("journal?limit=50").await;
    let rows = journal["rows"].as_array().expect("entries");
    let newest = rows.iter().find(|it| it["kind"] == "received").expect("an envelope")["position"].clone();
    let entry = daemon.get(&format!("journal/{newest}")).await;
    let mut counts = std::collections::BTreeMap::new();
    for outcome in entry["outcomes"].as_array().into_iter().flatten() {
        *counts.entry(outcome["outcome"].as_str().expect("a word").to_owned()).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

async fn count(daemon: &Daemon, path: &str) -> usize {
    daemon.get(path).await["rows"].as_array().map_or(0, Vec::len)
}

/// File, who sends it, what becomes of its records, clients and deals in all afterwards.
type Case = (&'static str, ExchangeType, Profile, &'static [(&'static str, usize)], usize, usize);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_files_have_their_outcomes() {
    let Some(folder) = samples("commerceml") else { return };
    let cases: [Case; 7] = [
        ("bitrix-orders-2.03-cp1251.xml", ExchangeType::Sale, Profile::Ut11, &[("applied", 1)], 1, 1),
        ("bitrix-orders-2.05-cp1251.xml", ExchangeType::Sale, Profile::Unf, &[("applied", 2)], 3, 3),
        ("bitrix-orders-2.05-cp1251.xml", ExchangeType::Sale, Profile::Ut11, &[("repeated", 1)], 3, 3),
        ("bitrix-orders-empty.xml", ExchangeType::Sale, Profile::Unf, &[], 3, 3),
        ("ut-catalogue-2.07.xml", ExchangeType::Catalog, Profile::Ut11, &[("filtered", 36)], 3, 3),
        ("ut-offers-2.07.xml", ExchangeType::Catalog, Profile::Unf, &[("filtered", 44)], 3, 3),
        ("split-rests-2.09.xml", ExchangeType::Catalog, Profile::Ut11, &[("filtered", 978)], 3, 3),
    ];
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    for (name, of, profile, expected, clients, deals) in cases {
        let bytes = std::fs::read(folder.join(name)).expect("the sample");
        let sent = daemon.base(profile).upload(of, &[(name.to_owned(), bytes)]).await;
        let transcript = sent.unwrap_or_else(|fault| panic!("{name}: {fault}\n{}", fault.transcript.text()));
        assert!(transcript.steps.iter().all(|step| step.status == 200), "{name}: {}", transcript.text());
        daemon.caught_up().await;
        let found = outcomes(&daemon).await;
        let found: Vec<(&str, usize)> = found.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!((count(&daemon, "clients").await, count(&daemon, "deals").await), (clients, deals), "{name}");
    }
    assert_eq!(count(&daemon, "quarantine").await, 0);
    assert_eq!(daemon.stop(), Some(0));
}

/// A base whose orders are followed by `import`, as УНФ with subordinate documents does it.
fn importing(daemon: &Daemon) -> uzel::twin::exchange_client::ExchangeClient {
    let mut base = daemon.base(Profile::Unf);
    base.options.subordinate_documents = true;
    base
}

/// What `import` refused a file with.
async fn refused(daemon: &Daemon, name: &str, bytes: &[u8]) -> String {
    let sent = importing(daemon).upload(ExchangeType::Sale, &[(name.to_owned(), bytes.to_vec())]).await;
    match sent.expect_err("it is refused").cause {
        FaultCause::ImportRefused { reply, .. } => reply,
        other => panic!("{name}: {other:?}"),
    }
}

fn quarantine_reasons(page: &Value) -> Vec<String> {
    let rows = page["rows"].as_array().expect("rows");
    rows.iter().map(|row| row["reason"].as_str().expect("a reason").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_read_is_refused_with_words_and_kept() {
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    let whole = orders_file(&[Order::sample("1", 10_000)], "2026-11-21T09:00:00");
    let cut = &whole[..whole.len() * 2 / 3];
    let cases: [(&str, &[u8]); 3] = [
        ("page.xml", b"<html><body>404</body></html>"),
        ("photo.xml", &[0xff, 0xd8, 0xff, 0xe0, 0, 16]),
        ("cut.xml", cut),
    ];
    for (index, (name, bytes)) in cases.into_iter().enumerate() {
        let reply = refused(&daemon, name, bytes).await;
        let mut lines = reply.lines();
        assert_eq!(lines.next(), Some("failure"), "{name}");
        let told = lines.collect::<Vec<_>>().join(" ");
        assert!(told.contains(name), "{name}: {told}");
        let reasons = quarantine_reasons(&daemon.get("quarantine").await);
        assert_eq!(reasons.len(), index + 1, "{name}: {reasons:?}");
        assert!(told.contains(&reasons[index]), "{name}: {told} / {reasons:?}");
    }
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrected_mapping_takes_in_what_waited() {
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    // An order without the number that the built-in mapping asks for, between two good ones.
    let orders = [
        Order::sample("1", 10_000),
        Order { number: String::new(), ..Order::sample("2", 20_000) },
        Order::sample("3", 30_000),
    ];
    let file = orders_file(&orders, "2026-11-21T09:00:00");
    let transcript = importing(&daemon).upload(ExchangeType::Sale, &[("orders.xml".to_owned(), file)]).await;
    let transcript = transcript.unwrap_or_else(|fault| panic!("{fault}\n{}", fault.transcript.text()));
    let last = transcript.steps.last().expect("an answer");
    assert!(last.reply.starts_with("success"), "{last:?}");
    let page = daemon.get("quarantine").await;
    let record = page["rows"][0]["record"].as_str().expect("a record").to_owned();
    assert!(quarantine_reasons(&page)[0].contains("Номер"), "{page:#}");
    assert_eq!(count(&daemon, "deals").await, 2);
    // Nothing has changed: it stays where it is.
    let said = place.run(&["quarantine", "retry", &record]);
    assert!(said.code == 0 && said.out.starts_with("in quarantine: "), "{said:?}");
    assert_eq!(daemon.stop(), Some(0));

    let built_in = include_str!("../../mappings/commerceml/order.in.toml");
    let corrected = built_in.replace("number = { from = \"Номер\", required = true }", "number = [\"Номер\", \"Ид\"]");
    assert_ne!(corrected, built_in);
    std::fs::create_dir_all(place.path().join("mappings/commerceml")).expect("a folder");
    std::fs::write(place.path().join("mappings/commerceml/order.in.toml"), corrected).expect("it is written");
    assert_eq!(place.run(&["lint"]).code, 0, "{:?}", place.run(&["lint"]));
    let daemon = place.start();
    let said = place.run(&["quarantine", "retry", "--all"]);
    assert!(said.code == 0 && said.out.contains(&record) && said.out.contains("taken in: cli_"), "{said:?}");
    assert_eq!((count(&daemon, "quarantine").await, count(&daemon, "deals").await), (0, 3));
    assert_eq!(daemon.stop(), Some(0));
    let said = place.run(&["rebuild", "--check"]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_does_not_wait_for_a_large_import() {
    let place = Place::new(&settings("observe"), NOWHERE);
    let daemon = place.start();
    let order = |number: usize| {
        let mut order = Order::sample(&number.to_string(), 10_000 + number as i64);
        order.buyer.id = format!("b5b1c7a0-0000-4000-8000-{number:012}");
        order.buyer.name = format!("Покупатель {number}");
        order.buyer.inn = String::new();
        order
    };
    let orders: Vec<Order> = (1..=ORDERS).map(order).collect();
    let file = orders_file(&orders, "2026-11-21T09:00:00");
    let file = (orders_file_name("5f3a9c1e-0000-4000-8000-00000000d311", 1), file);
    let base = importing(&daemon);
    let importing = tokio::spawn(async move { base.upload(ExchangeType::Sale, &[file]).await });
    // The file is in the journal and being applied when the form comes.
    daemon.until("journal", |journal| (!slices(journal).is_empty()).then_some(())).await;
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.until("clients?search=9123456781", |page| page["rows"][0]["id"].as_str().map(str::to_owned)).await;
    let applied_when_seen = daemon.records("order", "applied").await;
    let transcript = importing.await.expect("no panic");
    let transcript = transcript.unwrap_or_else(|fault| panic!("{fault}\n{}", fault.transcript.text()));
    let answers = transcript.steps.iter().filter(|step| step.request.contains("mode=import"));
    let mut answers: Vec<&str> = answers.map(|step| step.first_line.as_str()).collect();
    // How often it is told to wait depends on the machine; nothing else is ever said before.
    assert_eq!(answers.pop(), Some("success"));
    assert!(answers.iter().all(|answer| *answer == "progress"), "{answers:?}");
    assert_eq!(daemon.records("order", "applied").await, ORDERS as u64);
    assert!(applied_when_seen < ORDERS as u64, "the form waited for the whole import");
    let journal = daemon.get("journal?limit=1000").await;
    let form = journal["rows"].as_array().expect("entries").iter().find(|it| is_form(it)).expect("the form");
    let form = form["position"].as_u64().expect("a position");
    let (before, after): (Vec<u64>, Vec<u64>) = slices(&journal).into_iter().partition(|position| *position < form);
    assert!(!before.is_empty() && !after.is_empty(), "{before:?} {form} {after:?}");
    assert_eq!(daemon.stop(), Some(0));
}

/// Enough for a dozen slices.
const ORDERS: usize = 3_000;

/// Positions of the portions of an import.
fn slices(journal: &Value) -> Vec<u64> {
    let rows = journal["rows"].as_array().expect("entries");
    let is_import =
        |it: &&Value| it["kind"] == "slice" && it["summary"].as_str().is_some_and(|it| it.starts_with("import"));
    rows.iter().filter(is_import).filter_map(|it| it["position"].as_u64()).collect()
}

fn is_form(entry: &Value) -> bool {
    entry["kind"] == "received" && entry["summary"].as_str().is_some_and(|it| it.starts_with("site/"))
}
