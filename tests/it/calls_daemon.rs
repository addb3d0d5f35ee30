//! Calls from a player of Asterisk's manager interface through the real daemon.

use std::path::PathBuf;

use serde_json::Value;
use uzel::twin::asterisk::{AsteriskTwin, Manners, Play, events_of};

use crate::daemon_support::{Daemon, Place, uzel};

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/asterisk").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A folder with one telephone exchange.
fn place(twin: &AsteriskTwin, more: &str) -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = format!(
        "locale = \"ru\"\n[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\nregion = \"RU\"\ncurrency = \"RUB\"\n\
         [connection.ats]\nconnector = \"asterisk\"\nhost = \"127.0.0.1\"\nport = {}\nvariables = [\"CRM_DEAL\"]\n{more}",
        twin.port()
    );
    std::fs::write(folder.path().join("uzel.toml"), settings).expect("the settings are written");
    let path = folder.path().display().to_string();
    let said = uzel(&["init", "-d", &path, "--json"]).output().expect("it runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let vault = uzel::vault::Vault::open(&folder.path().join("vault.json")).expect("the vault");
    vault.set("ats.password", uzel::base::Secret::new("sekret")).expect("the password is kept");
    Place::of(folder)
}

fn capture(name: &str) -> Play {
    Play { events: events_of(&fixture(&format!("{name}.ami"))), ..Play::default() }
}

async fn rows(daemon: &Daemon, path: &str) -> Vec<Value> {
    daemon.get(path).await["rows"].as_array().cloned().unwrap_or_default()
}

/// Waits until so many clients are known.
async fn clients(daemon: &Daemon, count: usize) -> Vec<Value> {
    daemon
        .until("clients", |view| {
            let rows = view["rows"].as_array()?;
            (rows.len() == count).then(|| rows.clone())
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_capture_becomes_calls_of_clients() {
    let twin = AsteriskTwin::start(Manners::default()).await.expect("the twin");
    let place = place(&twin, "");
    let daemon = place.start();
    for name in ["inbound-answered", "ring-group", "queue-answered", "anonymous", "internal", "outbound-answered"] {
        twin.play(Play { piece: Some(1_000), ..capture(name) });
    }
    // The hidden number and the talk of employees make no client.
    let clients = clients(&daemon, 4).await;
    daemon.caught_up().await;
    assert_eq!(clients.len(), 4, "{clients:#?}");
    let id = clients.iter().find(|it| it.to_string().contains("79161234567")).expect("who called")["id"].clone();
    let shown = daemon.get(&format!("clients/{}", id.as_str().expect("an id"))).await;
    let text = shown.to_string();
    assert!(text.contains("call") && text.contains("отвечен"), "{shown:#}");
    // What the exchange says of others is not asked for twice.
    assert_eq!(twin.logins(), (1, 0));
    assert!(rows(&daemon, "tasks").await.is_empty(), "nobody missed anything");
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_call_asks_to_call_back_once_until_somebody_reaches_the_client() {
    let twin = AsteriskTwin::start(Manners::default()).await.expect("the twin");
    let place = place(&twin, "");
    let daemon = place.start();
    twin.play(capture("inbound-missed"));
    let task = daemon.until("tasks", |view| view["rows"].as_array()?.first().cloned()).await;
    assert_eq!(task["kind"], "call_back", "{task:#}");
    assert!(task["due"].as_str().is_some_and(|due| !due.is_empty()), "{task:#}");
    // He calls again, a minute later, from the same number: the same task.
    let again = |from: &str, to: &str| {
        let text = String::from_utf8(events_of(&fixture("inbound-missed.ami"))).expect("text");
        text.replace(from, to).into_bytes()
    };
    twin.play(Play { events: again("1795298325.", "1795298999."), ..Play::default() });
    let renewed = daemon.until("tasks", |view| (view["rows"][0]["renewals"] == 1).then(|| view["rows"].clone())).await;
    assert_eq!(renewed.as_array().map(Vec::len), Some(1), "{renewed:#}");
    assert_eq!(clients(&daemon, 1).await.len(), 1);
    // Somebody calls back.
    let text = String::from_utf8(events_of(&fixture("outbound-answered.ami"))).expect("text");
    twin.play(Play { events: text.replace("79035550011", "79161234568").into_bytes(), ..Play::default() });
    daemon.until("tasks", |view| view["rows"].as_array()?.is_empty().then_some(())).await;
    // He was unknown: now that somebody has spoken with him there is a deal.
    let deals = rows(&daemon, "deals").await;
    assert_eq!(deals.len(), 1, "{deals:#?}");
    let done = place.json(&["task", "list", "--state", "done"]);
    assert_eq!(done["rows"].as_array().map(Vec::len), Some(1), "{done:#}");
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_caller_with_whom_somebody_spoke_is_a_lead_and_a_known_one_is_not() {
    let twin = AsteriskTwin::start(Manners::default()).await.expect("the twin");
    let place = place(&twin, "");
    let rules = uzel::catalog::FileSet::builtin().get("rules/business.toml").expect("built in").to_owned();
    std::fs::create_dir_all(place.path().join("rules")).expect("a folder");
    let rules = rules.replace("answered_seconds = 10", "answered_seconds = 8");
    std::fs::write(place.path().join("rules/business.toml"), rules).expect("it is written");
    let daemon = place.start();
    // Eight seconds are enough, four are not.
    twin.play(capture("inbound-answered"));
    twin.play(capture("ring-group"));
    clients(&daemon, 2).await;
    daemon.caught_up().await;
    let deals = rows(&daemon, "deals").await;
    assert_eq!(deals.len(), 1, "{deals:#?}");
    let text = String::from_utf8(events_of(&fixture("inbound-answered.ami"))).expect("text");
    twin.play(Play { events: text.replace("1795298310.", "1795299310.").into_bytes(), ..Play::default() });
    let known = clients(&daemon, 2).await;
    let id = known.iter().find(|it| it.to_string().contains("79161234567")).expect("who called")["id"].clone();
    let path = format!("clients/{}", id.as_str().expect("an id"));
    daemon.until(&path, |view| (view.to_string().matches("отвечен").count() == 2).then_some(())).await;
    assert_eq!(rows(&daemon, "deals").await.len(), 1);
    // The link and how it stands are shown.
    let sources = daemon.get("sources").await;
    assert_eq!((&sources[0]["connection"], &sources[0]["state"]), (&Value::from("ats"), &Value::from("listened")));
    assert!(sources[0]["trouble"].is_null() && !sources[0]["read_at"].is_null(), "{sources:#}");
    assert_eq!(daemon.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_told_to_the_crm_once_in_the_timeline_of_its_client() {
    let exchange = AsteriskTwin::start(Manners::default()).await.expect("the twin");
    let portal = crate::daemon_support::crm().await;
    let settings = format!(
        "locale = \"ru\"\n[company]\nname = \"x\"\nzone = \"Europe/Moscow\"\nregion = \"RU\"\ncurrency = \"RUB\"\n\
         [connection.bitrix24]\nconnector = \"bitrix24\"\nmode = \"live\"\nallow_private = true\nsettle_s = 1\n\
         [connection.ats]\nconnector = \"asterisk\"\nhost = \"127.0.0.1\"\nport = {}\n",
        exchange.port()
    );
    let place = Place::new(&settings, &portal.url());
    let vault = uzel::vault::Vault::open(&place.path().join("vault.json")).expect("the vault");
    vault.set("ats.password", uzel::base::Secret::new("sekret")).expect("the password is kept");
    drop(vault);
    let daemon = place.start();
    for name in ["inbound-answered", "internal", "anonymous"] {
        exchange.play(capture(name));
    }
    clients(&daemon, 1).await;
    crate::daemon_support::until("everything is played", || exchange.is_over().then_some(()));
    daemon.until("status", |status| (status["records"].to_string().matches("call").count() >= 1).then_some(())).await;
    daemon.caught_up().await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    let listed = portal.call("crm.contact.list", &serde_json::json!({ "select": ["ID"] })).expect("it lists");
    let contacts = listed.get("result").unwrap_or(&listed).as_array().cloned().unwrap_or_default();
    assert_eq!(contacts.len(), 1, "{contacts:#?}");
    let ask = serde_json::json!({
        "filter": { "ENTITY_TYPE": "contact", "ENTITY_ID": contacts[0]["ID"] }, "select": ["ID", "COMMENT"],
    });
    let listed = portal.call("crm.timeline.comment.list", &ask).expect("it lists");
    let comments = listed.get("result").unwrap_or(&listed).as_array().cloned().unwrap_or_default();
    assert_eq!(comments.len(), 1, "{comments:#?}");
    let text = comments[0]["COMMENT"].as_str().unwrap_or_default();
    assert!(text.contains("Звонок: отвечен") && text.contains("Говорили, с: 8"), "{text}");
    assert_eq!(daemon.stop(), Some(0));
    portal.shut_down().await.expect("the twin stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_link_and_a_kill_lose_nothing_that_the_call_records_tell() {
    let twin = AsteriskTwin::start(Manners::default()).await.expect("the twin");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("Master.csv");
    std::fs::write(&file, fixture("internal.cdr.csv")).expect("history");
    let place = place(&twin, &format!("cdr_file = \"{}\"\n", file.display()));
    let daemon = place.start();
    // The file is followed from its end.
    let memory = place.path().join("folders/ats.cdr.json");
    crate::daemon_support::until("the file is looked at", || memory.exists().then_some(()));
    let events = events_of(&fixture("ring-group.ami"));
    let (third, half) = (events.len() / 3, events.len() / 2);
    twin.play(Play { events, cuts: vec![(third, half)], piece: Some(700), ..Play::default() });
    crate::daemon_support::until("the link is opened again", || (twin.logins().0 == 2 && twin.is_over()).then_some(()));
    daemon.caught_up().await;
    drop(daemon);
    let daemon = place.start();
    let mut rows = fixture("internal.cdr.csv");
    rows.extend_from_slice(&fixture("ring-group.cdr.csv"));
    std::fs::write(&file, &rows).expect("rows");
    let known = clients(&daemon, 1).await;
    assert!(known[0].to_string().contains("79161234569"), "{known:#?}");
    let shown = daemon
        .until(&format!("clients/{}", known[0]["id"].as_str().expect("an id")), |view| {
            view.to_string().contains("отвечен").then(|| view.clone())
        })
        .await;
    assert_eq!(shown.to_string().matches("отвечен").count(), 1, "{shown:#}");
    assert_eq!(daemon.stop(), Some(0));
    // What is put together is derived: the journal alone gives the same rows.
    let checked = place.run(&["rebuild", "--check"]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_and_not_tried_again_at_once() {
    let twin = AsteriskTwin::start(Manners { secret: "other".into(), refusal_ms: 10, ..Manners::default() }).await;
    let twin = twin.expect("the twin");
    let place = place(&twin, "");
    let daemon = place.start();
    crate::daemon_support::until("it is refused", || daemon.log().contains("refuses the login").then_some(()));
    assert!(!daemon.log().contains("sekret"));
    let trouble = daemon.until("sources", |view| view[0]["trouble"].as_str().map(str::to_owned)).await;
    assert!(trouble.contains("uzel secret set ats.password"), "{trouble}");
    assert_eq!(twin.logins(), (0, 1));
    assert_eq!(daemon.stop(), Some(0));
}
