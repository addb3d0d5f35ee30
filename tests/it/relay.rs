//! The relay's desk, what the office gives a relay, and what the pipeline makes of what came through
//! one.

use std::sync::Arc;

use serde_json::{Value, json};
use uzel::base::checksum::Fingerprint;
use uzel::base::clock::ManualClock;
use uzel::base::{Position, Slug, Timestamp};
use uzel::entry::{Entry, Kind, Received, Relayed};
use uzel::journal::{Journal, MemoryJournal, NewEntry, Options, Segments};
use uzel::model::OutcomeKind;
use uzel::relay::{Asked, Desk, Facts, Hint, Refused, RelayId, Standing};
use uzel::source::form::KEY_NOTE;
use uzel::tables::rows::relay_key;
use uzel::tables::{Counters, Cursors};
use uzel::task::relay::Place as Pulled;

use super::daemon_support::{Place, crm};
use super::pipeline_support::{DAY_MS, MINUTE_MS, START, World, form_at};
use super::relay_support::{CRM, RelayPlace, ask, bundle, office_settings};

const RELAY: RelayId = RelayId([7; 16]);

/// A desk over a journal with so many entries.
async fn desk(entries: u64) -> (tempfile::TempDir, Arc<MemoryJournal>, Arc<Desk>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let journal = Arc::new(MemoryJournal::new());
    for number in 1..=entries {
        append(journal.as_ref(), number).await;
    }
    let desk = open(folder.path(), journal.clone(), Position::START).expect("it opens");
    (folder, journal, Arc::new(desk))
}

fn open(folder: &std::path::Path, journal: Arc<MemoryJournal>, confirmed: Position) -> Result<Desk, String> {
    let path = folder.join("state.json");
    Standing { confirmed, ..Standing::new(RELAY) }.write(&path).expect("it is written");
    let clock = Arc::new(ManualClock::new(START));
    Desk::open(path, journal, clock).map_err(|error| error.0.id.to_string())
}

async fn append(journal: &dyn Journal, number: u64) -> Position {
    let entry = Entry::Received(form_at(START, &json!({ "number": number })));
    let new = NewEntry { kind: entry.kind(), at: START, payload: entry.encode() };
    journal.append(new).await.expect("the journal takes it")
}

fn behind(after: u64) -> Asked {
    Asked { relay: RELAY, after: Position(after), print: None, bytes_max: 1 << 20, wait_s: 0 }
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_given_in_order_and_in_portions() {
    let (_folder, journal, desk) = desk(5).await;
    desk.attach("a").expect("it attaches");
    let batch = desk.entries("a", behind(2)).await.expect("a batch");
    assert_eq!(batch.entries.iter().map(|(at, _)| at.0).collect::<Vec<_>>(), [3, 4, 5]);
    let facts = Facts { relay: RELAY, now: START, first: Position(1), head: Position(5), confirmed: Position::START };
    assert_eq!(batch.facts, facts);
    // A byte is too little for one: still one is given.
    let small = desk.entries("a", Asked { bytes_max: 1, ..behind(0) }).await.expect("a batch");
    assert_eq!(small.entries.len(), 1);
    // Nothing new: the answer comes when something is, or when the time is over.
    let waiting = tokio::spawn({
        let desk = Arc::clone(&desk);
        async move { desk.entries("a", Asked { wait_s: 20, ..behind(5) }).await }
    });
    tokio::task::yield_now().await;
    append(journal.as_ref(), 6).await;
    let batch = waiting.await.expect("no panic").expect("a batch");
    assert_eq!(batch.entries.len(), 1);
    assert!(desk.entries("a", Asked { wait_s: 20, ..behind(6) }).await.expect("a batch").entries.is_empty());
}

#[tokio::test]
async fn every_refusal_has_its_name() {
    let (_folder, journal, desk) = desk(3).await;
    let stored = journal.read(Position(2), 1, 1).expect("it reads");
    let print = Some(Fingerprint::of(&stored[0].payload).to_string());
    let other = RelayId([8; 16]);
    desk.attach("a").expect("it attaches");
    let check = async |who: &str, asked: Asked, expected: Result<usize, Refused>| {
        let shown = format!("{who} {asked:?}");
        assert_eq!(desk.entries(who, asked).await.map(|batch| batch.entries.len()), expected, "{shown}");
    };
    check("a", Asked { print: print.clone(), ..behind(2) }, Ok(1)).await;
    check("a", Asked { print: Some("0".repeat(32)), ..behind(2) }, Err(Refused::RolledBack)).await;
    check("a", behind(4), Err(Refused::RolledBack)).await;
    check("a", Asked { relay: other, ..behind(0) }, Err(Refused::OtherRelay)).await;
    check("A-", behind(0), Err(Refused::Asked)).await;
    check("b", behind(0), Err(Refused::Fenced)).await;
    assert_eq!(desk.confirm("b", RELAY, Position(1)), Err(Refused::Fenced));
    assert_eq!(desk.confirm("a", RELAY, Position(4)), Err(Refused::RolledBack));
    assert_eq!(desk.confirm("a", other, Position(1)), Err(Refused::OtherRelay));
    assert_eq!(desk.confirm("a", RELAY, Position(2)), Ok(()));
    // An earlier word that comes late takes nothing back.
    assert_eq!(desk.confirm("a", RELAY, Position(1)), Ok(()));
    assert_eq!((desk.standing().confirmed, desk.waiting()), (Position(2), 1));
    assert_eq!(desk.body("a", RELAY, Position(1), 0), Err(Refused::Asked));
    // Who attached last pulls.
    desk.attach("b").expect("it attaches");
    check("a", behind(2), Err(Refused::Fenced)).await;
    check("b", behind(2), Ok(1)).await;
}

#[tokio::test]
async fn a_hint_is_given_once_and_a_flood_of_them_is_bounded() {
    let (_folder, _journal, desk) = desk(0).await;
    let hint = |id: usize| Hint { connection: Slug::literal("crm"), stream: "deal".into(), id: id.to_string() };
    desk.hint(hint(1));
    desk.hint(hint(1));
    let batch = desk.entries("a", Asked { wait_s: 20, ..behind(0) }).await.expect("at once");
    assert_eq!(batch.hints, [hint(1)]);
    assert!(desk.entries("a", behind(0)).await.expect("a batch").hints.is_empty());
    (0..2_000).for_each(|id| desk.hint(hint(id)));
    assert_eq!(desk.entries("a", behind(0)).await.expect("a batch").hints.len(), 1_000);
}

#[tokio::test]
async fn the_state_outlives_the_process_and_a_journal_that_is_shorter_is_noticed() {
    let (folder, journal, desk) = desk(3).await;
    desk.attach("a").expect("it attaches");
    desk.confirm("a", RELAY, Position(2)).expect("it confirms");
    desk.close();
    let path = folder.path().join("state.json");
    let standing = Standing::read(&path).expect("it reads").expect("it is there");
    assert_eq!((standing.relay, standing.confirmed, standing.contact), (RELAY, Position(2), Some(START)));
    assert!(open(folder.path(), journal.clone(), Position(3)).is_ok());
    assert_eq!(open(folder.path(), journal.clone(), Position(4)).err().as_deref(), Some("relay-journal-short"));
    for (text, id) in [("{", "relay-state-damaged"), (r#"{"version":9,"relay":"","confirmed":0}"#, "relay-state-newer")]
    {
        std::fs::write(&path, text).expect("it is written");
        let opened = Desk::open(path.clone(), journal.clone(), Arc::new(ManualClock::new(START)));
        assert_eq!(opened.err().map(|error| error.0.id.to_string()).as_deref(), Some(id));
    }
    std::fs::remove_file(&path).expect("it was there");
    let opened = Desk::open(path, journal, Arc::new(ManualClock::new(START)));
    assert_eq!(opened.err().map(|error| error.0.id.to_string()).as_deref(), Some("relay-state-missing"));
}

#[tokio::test]
async fn only_what_was_confirmed_is_removed_and_only_after_its_days() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let clock = Arc::new(ManualClock::new(START));
    let (segments, _) =
        Segments::open(&folder.path().join("journal"), clock.clone(), Options::small(4_096)).expect("new");
    let journal: Arc<dyn Journal> = Arc::new(segments);
    for number in 1..=100 {
        append(journal.as_ref(), number).await;
    }
    let path = folder.path().join("state.json");
    Standing::new(RELAY).write(&path).expect("it is written");
    let desk = Desk::open(path, journal.clone(), clock.clone()).expect("it opens");
    desk.attach("a").expect("it attaches");
    let prune = |days: u32| {
        desk.prune(days).expect("it removes");
        journal.first().0
    };
    clock.advance_ms(8 * DAY_MS);
    assert_eq!(prune(7), 1, "nothing is confirmed");
    desk.confirm("a", RELAY, Position(50)).expect("it confirms");
    assert_eq!(prune(9), 1, "it is too young");
    let first = prune(7);
    assert!((2..=51).contains(&first), "{first}");
    desk.confirm("a", RELAY, Position(100)).expect("it confirms");
    let first = prune(7);
    assert!((52..=100).contains(&first), "the newest segment stays: {first}");
    // Who has less than what is left gets what there is; the gap shows.
    let desk = Arc::new(desk);
    let batch = desk.entries("a", Asked { print: Some("0".repeat(32)), ..behind(3) }).await.expect("a batch");
    assert_eq!((batch.entries[0].0.0, batch.facts.first.0), (first, first));
}

/// The same form through a relay: its content, when the relay took it, where it stood there.
fn relayed(at: Timestamp, after: u64, position: u64, content: &str) -> Received {
    let mut received = form_at(at, &json!({ "phone": content, "name": "Анна" }));
    received.idempotency_key = Fingerprint::of(content.as_bytes());
    received.headers.push((KEY_NOTE.into(), "content".to_owned()));
    let note = Relayed { relay: "r1".into(), after, position, print: "p".into(), clock: None };
    received.headers.push(note.to_note());
    received
}

fn counts(world: &World) -> (u64, u64) {
    let key = |kind| (Slug::literal("site"), Slug::literal("lead"), kind);
    let count = |kind| world.reader().get::<Counters>(&key(kind)).expect("it reads").unwrap_or(0);
    (count(OutcomeKind::Applied), count(OutcomeKind::Repeated))
}

fn cursor(world: &World) -> Option<String> {
    let row = world.reader().get::<Cursors>(&relay_key()).expect("it reads")?;
    Some(format!("{}/{}", row.cursor.mark, row.cursor.id))
}

#[test]
fn what_was_held_back_is_told_apart_by_when_the_relay_took_it() {
    let ago = |minutes: i64| START.plus_ms(-minutes * MINUTE_MS);
    // (minutes ago, content), all pulled in one rush; the window of forms is ten minutes.
    let check = |taken: &[(i64, &str)], expected: (u64, u64)| {
        let mut world = World::new();
        for (index, (minutes, content)) in taken.iter().enumerate() {
            let after = index as u64;
            world.append(&Entry::Received(relayed(ago(*minutes), after, after + 1, content)));
            world.tick();
        }
        assert_eq!(counts(&world), expected, "{taken:?}");
        assert_eq!(cursor(&world), Some(format!("r1/{}", taken.len())), "a repetition moves the cursor too");
    };
    let (anna, olga) = ("+79160000001", "+79160000002");
    check(&[(300, anna), (299, anna)], (1, 1));
    check(&[(300, anna), (120, anna)], (2, 0));
    check(&[(300, anna), (299, olga), (295, anna)], (2, 1));
    check(&[(300, anna), (120, anna), (115, anna)], (2, 1));

    // What came straight meanwhile is not what was held back for hours.
    let mut world = World::new();
    let straight = |at| Received {
        idempotency_key: Fingerprint::of(anna.as_bytes()),
        headers: vec![(KEY_NOTE.into(), "content".to_owned())],
        ..form_at(at, &json!({ "phone": anna }))
    };
    world.append(&Entry::Received(straight(START)));
    world.append(&Entry::Received(relayed(ago(180), 0, 1, anna)));
    assert_eq!(counts(&world), (2, 0));
    world.append(&Entry::Received(straight(START)));
    world.append(&Entry::Received(relayed(START, 1, 2, anna)));
    assert_eq!((counts(&world).0, cursor(&world)), (3, Some("r1/2".to_owned())), "within ten minutes they are one");
}

#[test]
fn the_cursor_never_passes_what_is_missing() {
    let steps: &[(u64, u64, &str)] = &[
        (0, 1, "r1/1"),
        (1, 2, "r1/2"),
        // The append of 3 failed, that of 4 did not.
        (3, 4, "r1/2"),
        (2, 3, "r1/3"),
        (3, 4, "r1/4"),
        // Removed on the relay in between: the office says so, and goes on.
        (4, 9, "r1/9"),
    ];
    let mut world = World::new();
    for (after, position, expected) in steps {
        let phone = format!("+791600000{position:02}");
        world.append(&Entry::Received(relayed(START, *after, *position, &phone)));
        assert_eq!(cursor(&world).as_deref(), Some(*expected), "{after} -> {position}");
    }
    assert_eq!(counts(&world), (5, 1), "the second 4 is a repetition");
    let mut anew = relayed(START, 0, 1, "+79160000099");
    anew.headers.retain(|(name, _)| name != "uzel-relay");
    let note = Relayed { relay: "r2".into(), after: 0, position: 1, print: "p".into(), clock: None };
    anew.headers.push(note.to_note());
    world.append(&Entry::Received(anew));
    assert_eq!(cursor(&world).as_deref(), Some("r2/1"));
    let pulled = Pulled::read(world.store.as_ref()).expect("it reads").expect("it is there");
    assert_eq!((pulled.position, &*pulled.relay, &*pulled.print), (Position(1), "r2", "p"));
    // The replay law.
    assert_eq!(world.rebuilt(1), world.rebuilt(512));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relay_is_given_what_proves_senders_and_nothing_that_opens_the_crm() {
    let twin = crm().await;
    let office = Place::new(&office_settings("https://in.company.ru"), &twin.url());
    for (name, value) in [("bitrix24.hint_secret", "hintsecret"), ("bitrix24.application_token", "apptoken")] {
        let vault = uzel::vault::Vault::open(&office.path().join("vault.json")).expect("the vault");
        vault.set(name, uzel::base::Secret::new(value)).expect("it is kept");
    }
    let file = bundle(&office);
    let text = std::fs::read_to_string(&file).expect("it is written");
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).expect("it is there"));
    assert_eq!(mode & 0o777, 0o600);
    let stored: Value = serde_json::from_str(&text).expect("JSON");
    let mut secrets: Vec<String> = Vec::new();
    for connection in stored["connections"].as_array().expect("connections") {
        let of = connection["secrets"].as_object().expect("secrets").keys();
        secrets.extend(of.map(|name| format!("{}.{name}", connection["name"].as_str().expect("a name"))));
    }
    let expected = [
        "bitrix24.application_token",
        "bitrix24.hint_secret",
        "shop.secret",
        "shop.signing_secret",
        "site.secret",
        "tilda.secret",
    ];
    secrets.sort();
    assert_eq!(secrets, expected);
    let crm_secret = twin.url().trim_end_matches('/').rsplit('/').next().expect("a secret").to_owned();
    for secret in [crm_secret, office.token(), office.password.clone()] {
        assert!(!secret.is_empty() && !text.contains(&secret));
    }

    // What is no such file, in every way.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = folder.path().join("relay").display().to_string();
    let bad = folder.path().join("bad.json");
    let newer = text.replacen("\"uzel_relay\": 1", "\"uzel_relay\": 2", 1);
    for (content, word) in [
        ("", "is not a file for a relay"),
        ("{}", "is not a file for a relay"),
        (&text[..text.len() / 2], "is not a file for a relay"),
        (text.replacen("\"name\": \"site\"", "\"name\": \"../x\"", 1).as_str(), "is not a file for a relay"),
        (newer.as_str(), "newer Uzel"),
        (text.replace("title_en", "title_xx").as_str(), "title_xx"),
        (r#"{"uzel_relay":1,"build":"","address":"","token":"t","connections":[]}"#, "is not a file for a relay"),
    ] {
        std::fs::write(&bad, content).expect("it is written");
        let said = super::daemon_support::run(&[
            "relay",
            "init",
            "--from",
            &bad.display().to_string(),
            "-d",
            &target,
            "--lang",
            "en",
        ]);
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(word), "{word}: {said:?}");
        assert!(!said.err.contains("hintsecret"), "{said:?}");
        assert!(!std::path::Path::new(&target).exists(), "nothing is made of a bad file");
    }
    let said = office.run(&["relay", "init", "--from", &file]);
    assert!(said.code == 1 && said.err.contains("Take another folder"), "{said:?}");
    twin.shut_down().await.expect("the twin stops");
}

/// Whoever sends, the relay answers as the office would.
#[test]
fn a_relay_answers_senders_as_the_office_does() {
    let office = Place::new(&office_settings("https://in.company.ru"), CRM);
    let relay = RelayPlace::of(&office);
    let (daemon, at_relay) = (office.start(), relay.start());
    let daemon_at = daemon.address.parse().expect("an address");
    let vault = uzel::vault::Vault::open(&office.path().join("vault.json")).expect("the vault");
    let token = vault.get("shop.signing_secret").expect("init makes one").expose().to_owned();
    let (site, tilda, shop) = (relay.path_of("site"), relay.path_of("tilda"), relay.path_of("shop"));
    let json: &[(&str, &str)] = &[("content-type", "application/json"), ("accept", "application/json")];
    let signed: &[(&str, &str)] = &[("content-type", "application/json"), ("x-token", &token)];
    let form: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded"), ("accept", "text/html")];
    let preflight: &[(&str, &str)] = &[("origin", "https://site.ru"), ("access-control-request-method", "POST")];
    let large = vec![b'x'; 2 << 20];
    for (method, path, headers, body, status) in [
        ("POST", site.as_str(), json, &br#"{"name":"A","phone":"+79160000001"}"#[..], 200),
        ("POST", &site, form, b"name=A&phone=89160000002", 200),
        ("POST", &site, json, b"not json at all", 200),
        ("POST", &site, json, &large, 413),
        ("OPTIONS", &site, preflight, b"", 204),
        ("GET", &site, &[], b"", 405),
        ("POST", &tilda, form, b"test=test", 200),
        ("POST", &tilda, form, b"Name=A&Phone=89160000003&tranid=1:2", 200),
        ("POST", &shop, signed, br#"{"name":"A","phone":"+79160000004"}"#, 200),
        ("POST", &shop, json, br#"{"name":"A","phone":"+79160000004"}"#, 401),
        ("POST", "/in/site/wrong", json, b"{}", 404),
        ("POST", "/in/nobody/wrong", json, b"{}", 404),
        ("POST", "/exchange/nobody?type=catalog&mode=checkauth", &[], b"", 404),
    ] {
        let (here, there) = (
            ask(at_relay.address, method, path, headers, body).expect("an answer"),
            ask(daemon_at, method, path, headers, body).expect("an answer"),
        );
        assert_eq!(here.0, status, "{method} {path}: {}", here.1);
        // The position is each journal's own.
        let without_id = |text: &str| text.split("\"id\"").next().unwrap_or_default().to_owned();
        assert_eq!((here.0, without_id(&here.1)), (there.0, without_id(&there.1)), "{method} {path}");
    }
    // The 1C exchange is not relayed, and nothing of the office's interface is there.
    for path in ["/exchange/1c?type=catalog&mode=checkauth", "/api/status", "/oauth/bitrix24"] {
        assert_eq!(ask(at_relay.address, "GET", path, &[], b"").expect("an answer").0, 404, "{path}");
    }
    // An office has no desk.
    for path in ["/relay/v1/attach?instance=a", "/relay/v1/entries", "/relay/"] {
        assert_eq!(ask(daemon_at, "POST", path, &[], b"").expect("an answer").0, 404, "{path}");
    }
    let bearer = format!("Bearer {}", vault.get("relay.token").expect("export makes it").expose());
    let known: &[(&str, &str)] = &[("authorization", &bearer)];
    for (method, path, headers, status) in [
        ("POST", "/relay/v1/attach?instance=a", &[][..], 401),
        ("POST", "/relay/v1/attach?instance=a", &[("authorization", "Bearer wrong")], 401),
        ("POST", "/relay/v1/attach?instance=a", known, 200),
        ("POST", "/relay/v1/attach?instance=A%20", known, 400),
        ("POST", "/relay/v1/attach", known, 400),
        ("GET", "/relay/v1/attach?instance=a", known, 405),
        ("GET", "/relay/v1/entries?instance=a&relay=x&after=0", known, 400),
        ("GET", "/relay/v1/entries?instance=a&relay=00000000000000000000000000000000&after=0", known, 409),
        ("GET", "/relay/v2/entries?instance=a", known, 404),
        ("GET", "/metrics", known, 200),
    ] {
        let answer = ask(at_relay.address, method, path, headers, b"").expect("an answer");
        assert_eq!(answer.0, status, "{method} {path}: {}", answer.1);
    }
}

#[test]
fn an_entry_of_a_relay_reads_back_as_it_was() {
    let received = relayed(START, 4, 5, "x");
    let payload = Entry::Received(received.clone()).encode();
    let Ok(Entry::Received(again)) = Entry::decode(Kind::Received, &payload) else { panic!("it decodes") };
    assert_eq!(again.relayed(), received.relayed());
    assert_eq!(form_at(START, &json!({})).relayed(), None);
}
