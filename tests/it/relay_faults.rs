//! What goes wrong between a relay and its office has a name, says what to do, and loses nothing.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};
use uzel::entry::Body;

use super::daemon_support::{Daemon, Place, crm, until, uzel};
use super::relay_support::{CRM, Line, Relay, RelayPlace, ask, bundle, envelopes, office_settings};

const JSON: &[(&str, &str)] = &[("content-type", "application/json"), ("accept", "application/json")];

/// An office and its relay, both at work.
struct Pair {
    line: Line,
    office: Place,
    place: RelayPlace,
    daemon: Option<Daemon>,
    relay: Relay,
}

impl Pair {
    fn start() -> Pair {
        let line = Line::new();
        let office = Place::new(&office_settings(&line.url()), CRM);
        let place = RelayPlace::of(&office);
        let relay = place.start();
        line.leads_to(Some(relay.address));
        let daemon = Some(office.start());
        Pair { line, office, place, daemon, relay }
    }

    /// A form of this person; acknowledged.
    fn form(&self, number: u32) {
        let body = json!({ "name": "Анна", "phone": format!("+7916{number:07}") }).to_string();
        let (status, said) = self.relay.post(&self.place.path_of("site"), JSON, body.as_bytes());
        assert_eq!(status, 200, "{said}");
    }

    fn relay_view(&self) -> Value {
        self.office.json(&["status"])["relay"].clone()
    }

    /// Waits for a state of the office; gives the view.
    fn until_state(&self, state: &str) -> Value {
        until(state, || Some(self.relay_view()).filter(|view| view["state"] == state))
    }

    fn until_pulled(&self, position: u64) -> Value {
        until("everything is pulled", || Some(self.relay_view()).filter(|view| view["pulled"] == position))
    }

    /// The relay begins another life.
    fn restart(&mut self) {
        self.relay.end();
        self.relay = self.place.start();
        self.line.leads_to(Some(self.relay.address));
    }

    /// The office is killed and begins another life, with these settings put in place of others.
    fn restart_office(&mut self, settings: &str) {
        self.daemon = None;
        let text = office_settings(&self.line.url()) + settings;
        std::fs::write(self.office.path().join("uzel.toml"), text).expect("settings");
        self.daemon = Some(self.office.start());
    }

    fn until_applied(&self) {
        until("everything is applied", || (self.office.json(&["status"])["lag"] == 0).then_some(()));
    }

    fn stop_office(&mut self) {
        assert_eq!(self.daemon.take().and_then(Daemon::stop), Some(0));
    }
}

fn trouble(view: &Value) -> &str {
    view["trouble"].as_str().unwrap_or_default()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (kind, target) = (entry.file_type().expect("a kind"), to.join(entry.file_name()));
        match (kind.is_dir(), kind.is_file()) {
            (true, _) => copy(&entry.path(), &target),
            (_, true) => drop(std::fs::copy(entry.path(), target).expect("it is copied")),
            // A socket is the process's own.
            (false, false) => {}
        }
    }
}

#[test]
fn status_tells_lag_and_last_contact_and_an_outage_loses_nothing() {
    let mut pair = Pair::start();
    pair.form(1);
    let view = pair.until_pulled(1);
    assert_eq!((&view["state"], &view["waiting"], &view["trouble"]), (&json!("pulling"), &json!(0), &Value::Null));
    assert!(view["contact"].is_string() && view["contact_s"].is_number() && view["clock_s"].is_number(), "{view:#}");
    let said = pair.office.run(&["relay", "status"]);
    assert!(said.code == 0 && said.out.contains("State: pulling"), "{said:?}");
    assert!(pair.office.run(&["status"]).out.contains("Pulled up to: 1"));
    until("the relay knows", || (pair.place.status()["waiting"] == 0).then_some(()));

    // The line is dead: the relay takes on, and each side says so.
    pair.line.leads_to(None);
    pair.restart();
    pair.line.leads_to(None);
    pair.form(2);
    pair.form(3);
    let view = pair.until_state("unreachable");
    assert!(trouble(&view).contains("tries again"), "{view:#}");
    assert_eq!(pair.office.run(&["relay", "status"]).code, 3);
    assert_eq!(pair.place.status()["waiting"], 2);
    let metrics = pair.daemon.as_ref().expect("it runs").plain("GET /metrics", &[]).1;
    assert!(
        metrics.contains("uzel_relay_waiting 0") && metrics.contains("uzel_relay_contact_age_seconds"),
        "{metrics}"
    );

    pair.line.leads_to(Some(pair.relay.address));
    let view = pair.until_pulled(3);
    assert_eq!(view["state"], "pulling");
    until("the relay knows", || (pair.place.status()["waiting"] == 0).then_some(()));

    // Without a daemon the journal still knows how far it was.
    pair.stop_office();
    let view = pair.office.json(&["status"])["relay"].clone();
    assert_eq!((&view["state"], &view["pulled"]), (&json!("off"), &json!(3)));
}

#[test]
fn a_wrong_token_and_something_else_at_the_address_have_names() {
    let mut pair = Pair::start();
    pair.form(1);
    pair.until_pulled(1);
    // The relay was made of another export.
    let file = bundle(&pair.office);
    let token = {
        let stored: Value = serde_json::from_str(&std::fs::read_to_string(&file).expect("a file")).expect("JSON");
        stored["token"].as_str().expect("a token").to_owned()
    };
    let connections = pair.place.path().join("connections.json");
    let text = std::fs::read_to_string(&connections).expect("a file");
    std::fs::write(&connections, text.replace(&token, "anothertoken")).expect("it is written");
    pair.restart();
    pair.form(2);
    let view = pair.until_state("token");
    assert!(trouble(&view).contains("uzel relay init --from"), "{view:#}");
    // People are told at once: nobody but them can mend it.
    let alarm = |id: &str| {
        let status = pair.office.json(&["status"]);
        status["alarms"].as_array()?.iter().find(|it| it["id"] == id).cloned()
    };
    let told = until("it is an alarm", || alarm("relay-stopped"));
    assert_eq!((told["severity"].as_str(), told["subject"].as_str()), (Some("critical"), Some("relay")), "{told:#}");
    assert!(told["why"].as_str().is_some_and(|why| why.contains("uzel relay init --from")), "{told:#}");
    // Made again of the right export it goes on where it was.
    pair.relay.end();
    pair.place.init(&pair.office, &[]);
    pair.restart();
    pair.until_pulled(2);
    until("it is no alarm any more", || {
        let status = pair.office.json(&["status"]);
        let alarms = status["alarms"].as_array()?;
        alarms.iter().all(|it| it["id"] != "relay-stopped").then_some(())
    });

    // A page of the provider. What other statuses mean is a table beside `Link`.
    let page = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n<html></html>";
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    pair.line.leads_to(Some(listener.local_addr().expect("it is bound")));
    pair.relay.end();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _read = stream.read(&mut request);
            let _written = stream.write_all(page.as_bytes());
        }
    });
    let view = pair.until_state("foreign");
    assert!(trouble(&view).contains("passes /relay/ on"), "{view:#}");
    pair.restart();
    pair.until_state("pulling");
}

#[test]
fn of_two_offices_the_one_that_came_last_pulls_and_the_other_stops_for_good() {
    let mut pair = Pair::start();
    pair.form(1);
    pair.until_pulled(1);
    // Somebody starts a copy of the folder.
    let other = tempfile::tempdir().expect("a temporary folder");
    copy(pair.office.path(), other.path());
    let name = other.path().display().to_string();
    let mut copied = uzel(&["-d", &name, "--lang", "en", "run", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let view = pair.until_state("fenced");
    assert!(trouble(&view).contains("a copy of this folder is at work"), "{view:#}");
    copied.kill().expect("it runs");
    copied.wait().expect("it ends");
    // It does not come back by itself: only a person knows which of the two is the right one.
    pair.form(2);
    pair.restart();
    assert_eq!(pair.relay_view()["state"], "fenced");
    pair.restart_office("");
    pair.until_pulled(2);
}

#[test]
fn a_relay_made_anew_is_noticed_and_pulled_from_its_beginning() {
    let mut pair = Pair::start();
    (1..=3).for_each(|number| pair.form(number));
    pair.until_pulled(3);
    pair.relay.end();
    pair.place = RelayPlace::of(&pair.office);
    pair.restart();
    (4..=5).for_each(|number| pair.form(number));
    let view = pair.until_pulled(2);
    let notices = view["notices"].to_string();
    assert!(notices.contains("was made anew") && notices.contains("message 3"), "{view:#}");
    pair.until_applied();
    assert_eq!(pair.office.json(&["client", "list"])["rows"].as_array().map(Vec::len), Some(5));
}

#[test]
fn a_relay_put_back_to_an_earlier_state_stops_the_office_until_a_person_says() {
    let mut pair = Pair::start();
    (1..=2).for_each(|number| pair.form(number));
    pair.until_pulled(2);
    until("the relay knows", || (pair.place.status()["waiting"] == 0).then_some(()));
    pair.relay.end();
    let before = tempfile::tempdir().expect("a temporary folder");
    copy(pair.place.path(), before.path());
    pair.restart();
    (3..=4).for_each(|number| pair.form(number));
    pair.until_pulled(4);
    pair.relay.end();

    // A snapshot of the machine is put back: other people stand at positions that were pulled.
    for part in ["journal", "state.json"] {
        let target = pair.place.path().join(part);
        match target.is_dir() {
            true => std::fs::remove_dir_all(&target).expect("it was there"),
            false => std::fs::remove_file(&target).expect("it was there"),
        }
    }
    copy(before.path(), pair.place.path());
    pair.restart();
    let view = pair.until_state("rolled_back");
    assert!(trouble(&view).contains("--renew"), "{view:#}");
    (5..=7).for_each(|number| pair.form(number));
    pair.until_state("rolled_back");
    pair.relay.end();
    pair.place.init(&pair.office, &["--renew"]);
    pair.restart();
    // Two that were pulled before the snapshot, and three since.
    pair.until_pulled(5);
    pair.until_applied();
    let clients = pair.office.json(&["client", "list"]);
    assert_eq!(clients["rows"].as_array().map(Vec::len), Some(7), "{clients:#}");
    let records = pair.office.json(&["status"])["records"].clone();
    let repeated = records.as_array().expect("records").iter().find(|it| it["outcome"] == "repeated");
    assert_eq!(repeated.map(|it| &it["count"]), Some(&json!(2)), "{records:#}");
}

#[test]
fn a_full_disk_of_the_relay_is_the_senders_to_wait_for() {
    let mut pair = Pair::start();
    pair.form(1);
    pair.until_pulled(1);
    pair.relay.end();
    pair.relay = pair.place.start_with(&[("UZEL_LIMITS_FREE_SPACE_MIB", "1000000")]);
    pair.line.leads_to(Some(pair.relay.address));
    let (status, _) = pair.relay.post(&pair.place.path_of("site"), JSON, br#"{"phone":"+79160000002"}"#);
    assert_eq!(status, 503);
    // What is there is still given away.
    pair.until_state("pulling");
    pair.restart();
    pair.form(2);
    pair.until_pulled(2);
}

#[test]
fn a_full_disk_of_the_office_leaves_everything_on_the_relay() {
    let mut pair = Pair::start();
    pair.form(1);
    pair.until_pulled(1);
    pair.restart_office("[limits]\nfree_space_mib = 1000000\n");
    pair.form(2);
    let view = pair.until_state("own");
    assert!(trouble(&view).contains("MiB") && view["pulled"] == 1, "{view:#}");
    until("the relay knows", || (pair.place.status()["waiting"] == 1).then_some(()));
    pair.restart_office("");
    pair.until_pulled(2);
}

#[test]
fn a_large_body_comes_whole_over_a_line_that_is_cut_again_and_again() {
    let mut pair = Pair::start();
    pair.form(1);
    pair.until_pulled(1);
    pair.line.cut_after(1_500_000);
    let boundary = "xxBOUNDARYxx";
    let file: Vec<u8> = (0..5_000_000_u32).map(|it| (it.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"phone\"\r\n\r\n+79160000002\r\n--{boundary}\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"план.pdf\"\r\ncontent-type: application/pdf\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(&file);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let headers = [("content-type", content_type.as_str()), ("accept", "application/json")];
    let (status, said) = pair.relay.post(&pair.place.path_of("site"), &headers, &body);
    assert_eq!(status, 200, "{said}");
    pair.form(3);
    pair.until_pulled(3);
    pair.until_applied();
    assert_eq!(pair.office.json(&["client", "list"])["rows"].as_array().map(Vec::len), Some(3));
    println!("the line was cut {} times", pair.line.cuts());
    pair.stop_office();
    let office = &pair.office;
    let found = envelopes(office.path());
    let Some(Body::File { name, len, .. }) = found.iter().map(|it| &it.body).find(|it| matches!(it, Body::File { .. }))
    else {
        panic!("no large body")
    };
    assert_eq!(*len, body.len() as u64);
    assert!(std::fs::read(office.path().join("journal/bodies").join(name.as_str())).expect("it is there") == body);
    assert!(!office.path().join("spool/relay.part").exists());
}

#[test]
fn a_hint_goes_through_and_a_restored_folder_pulls_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let twin = runtime.block_on(crm());
    let line = Line::new();
    let settings =
        office_settings(&line.url()).replace("[connection.bitrix24]", "[connection.bitrix24]\npoll_s = 3600");
    let office = Place::new(&settings, &twin.url());
    {
        let vault = uzel::vault::Vault::open(&office.path().join("vault.json")).expect("the vault");
        for (name, value) in [("bitrix24.hint_secret", "hintsecret"), ("bitrix24.application_token", "apptoken")] {
            vault.set(name, uzel::base::Secret::new(value)).expect("it is kept");
        }
    }
    let place = RelayPlace::of(&office);
    let relay = place.start();
    line.leads_to(Some(relay.address));
    let daemon = office.start_with("debug");
    until("it pulls", || (office.json(&["status"])["relay"]["state"] == "pulling").then_some(()));
    let hint = |token: &str| {
        let body = format!("event=ONCRMDEALUPDATE&data[FIELDS][ID]=17&auth[application_token]={token}");
        ask(relay.address, "POST", "/in/bitrix24/hintsecret", &[], body.as_bytes()).expect("an answer").0
    };
    assert_eq!(hint("wrong"), 403);
    assert_eq!(hint("apptoken"), 200);
    // The reader looks at the deal that was named, though its next look is an hour away.
    until("the deal is asked for", || {
        let log = twin.log();
        log.iter().any(|call| call.method.contains("crm.deal") || call.method.contains("batch")).then_some(())
    });
    let copy = office.path().join("backup").display().to_string();
    assert_eq!(office.run(&["backup", "make", &copy, "--with-secrets"]).code, 0);
    assert_eq!(daemon.stop(), Some(0));
    let (restored, _) = Place::restored(&copy, &office);
    let daemon = restored.start();
    assert_eq!(restored.json(&["status"])["relay"], Value::Null);
    let (status, _) = relay.post(&place.path_of("site"), JSON, br#"{"phone":"+79160000002"}"#);
    assert_eq!(status, 200);
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(place.status()["waiting"], 1, "it waits for the office that is the right one");
    runtime.block_on(twin.shut_down()).expect("the twin stops");
}
