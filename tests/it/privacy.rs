//! Erasure: afterwards no file of the folder knows the person, and everybody else is as before.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use uzel::app::Folder;
use uzel::app::erasure::{Step, finish_by_steps, read_list};
use uzel::base::clock::SystemClock;
use uzel::store::snapshot::SnapshotFile;
use uzel::twin::commerceml::{Order, Party, orders_file};
use uzel::twin::exchange_client::{ExchangeType, Profile};
use uzel::twin::site::Form;

use crate::daemon_support::{Daemon, Place, crm, run, settings};

const SURNAME: &str = "Тайнознаменская";
const MAIL: &str = "tayna@person-example.ru";

/// What must be nowhere, in every character set that sources write.
fn needles() -> Vec<(String, Vec<u8>)> {
    let texts = [
        SURNAME.to_owned(),
        SURNAME.to_lowercase(),
        MAIL.to_owned(),
        "tayna%40person-example.ru".to_owned(),
        "9161112233".to_owned(),
        "916-111-22-33".to_owned(),
        "916 111-22-33".to_owned(),
        "916)111-22-33".to_owned(),
    ];
    let mut needles = Vec::new();
    for text in texts {
        let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let windows = encoding_rs::WINDOWS_1251.encode(&text).0.into_owned();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let forms = [text.clone().into_bytes(), windows, wide, escaped.into_bytes(), percent.into_bytes()];
        needles.extend(forms.map(|form| (text.clone(), form)));
    }
    needles
}

fn seen(folder: &Path, found: &mut Vec<String>) {
    for item in fs::read_dir(folder).expect("it reads") {
        let path = item.expect("an item").path();
        if path.is_dir() {
            seen(&path, found);
            continue;
        }
        let Ok(mut bytes) = fs::read(&path) else { continue };
        if path.extension().is_some_and(|it| it == "snapshot") {
            let file = SnapshotFile::open(&path).expect("it opens");
            file.read_all(&mut |key, value| {
                bytes.extend_from_slice(key);
                bytes.extend_from_slice(value);
                Ok(())
            })
            .expect("it is whole");
        }
        for (text, form) in needles() {
            if memchr::memmem::find(&bytes, &form).is_some() {
                found.push(format!("{text} in {}", path.display()));
            }
        }
    }
}

fn where_seen(place: &Place) -> Vec<String> {
    let mut found = Vec::new();
    seen(place.path(), &mut found);
    found.sort_unstable();
    found.dedup();
    found
}

fn ids(clients: &Value) -> Vec<String> {
    let rows = clients["rows"].as_array().expect("rows");
    rows.iter().filter_map(|it| it["id"].as_str()).map(str::to_owned).collect()
}

/// A company's day in which the person comes in every way.
async fn day(daemon: &Daemon, place: &Place) {
    let mut form = Form::sample(&format!("{SURNAME} Анна"), "8 916-111-22-33");
    form.fields.retain(|(field, _)| !field.contains("mail"));
    form.fields.push(("email".to_owned(), MAIL.to_owned()));
    for request in [form.json(), form.json_as_text(), form.urlencoded(), form.multipart(&[])] {
        assert!(daemon.post(&daemon.site, &request).await.status < 400);
    }
    daemon.form("Соколова Мария", "+7 912 345-67-81").await;
    daemon.form("Ильин Пётр", "+7 912 345-67-82").await;
    let mut ours = Order::sample("00042", 150_000);
    ours.buyer.name = format!("{SURNAME} Анна");
    ours.buyer.id = "c0ffee00-1d64-11e9-80c9-0cc47ab29cd1".to_owned();
    (ours.buyer.inn, ours.buyer.kpp) = (String::new(), String::new());
    ours.buyer.party =
        Party::Person { surname: SURNAME.to_owned(), given: "Анна".to_owned(), patronymic: String::new() };
    let mut other = Order::sample("00043", 90_000);
    other.buyer.name = "Белова Ольга".to_owned();
    (other.buyer.inn, other.buyer.kpp) = (String::new(), String::new());
    other.buyer.party =
        Party::Person { surname: "Белова".to_owned(), given: "Ольга".to_owned(), patronymic: String::new() };
    let file = orders_file(&[other, ours], "2026-11-21T09:00:00");
    let base = daemon.base(Profile::Ut11);
    base.upload(ExchangeType::Sale, &[("orders.xml".to_owned(), file)]).await.expect("it is taken");
    daemon.caught_up().await;
    // A record that nobody could read, with the telephone in it.
    let mut broken = form.json();
    broken.body.truncate(broken.body.len() - 2);
    let _any = daemon.post(&daemon.site, &broken).await;
    daemon.caught_up().await;
    let _made = place.json(&["snapshot", "make"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn erased_person_is_in_no_file_and_everybody_else_is_as_before() {
    let twin = crm().await;
    let place = Place::new(&settings("live"), &twin.url());
    let daemon = place.start();
    day(&daemon, &place).await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    let copies = tempfile::tempdir().expect("a folder");
    let copy = copies.path().join("before").display().to_string();
    assert_eq!(place.run(&["backup", "make", &copy]).code, 0);
    daemon.stop();
    assert!(!where_seen(&place).is_empty(), "the test looks in the right way");

    let ours = ids(&place.json(&["client", "list", "--search", SURNAME]));
    let mut others = ids(&place.json(&["client", "list"]));
    others.retain(|id| !ours.contains(id));
    assert!(!ours.is_empty() && others.len() >= 3, "{ours:?} {others:?}");
    let before: Vec<Value> = others.iter().map(|id| place.json(&["client", "show", id])).collect();
    let mut blanked = 0;
    for id in &ours {
        let dry = place.json(&["privacy", "erase", id, "--dry-run"]);
        assert!(dry["position"].is_null() && dry["entries"].as_u64() > Some(0), "{dry:#}");
        let gone = place.json(&["privacy", "erase", id]);
        let receipt = place.path().join(format!("erasures/erasure-{}.json", gone["position"]));
        let receipt: Value = serde_json::from_slice(&fs::read(receipt).expect("a receipt")).expect("JSON");
        assert_eq!(receipt["clients"], gone["clients"]);
        blanked += receipt["entries_blanked"].as_array().map_or(0, Vec::len);
    }
    let found = where_seen(&place);
    assert!(found.is_empty(), "{found:#?}");
    assert!(!place.path().join("erasures/pending").exists());
    // Of the file of 1C the other buyer's document is still what was received.
    let journal = fs::read(place.path().join("journal/00000000000000000001.segment")).expect("it reads");
    let kept = memchr::memmem::find(&journal, "Белова Ольга".as_bytes()).is_some();
    assert!(kept && blanked > 0, "{kept} {blanked}");

    for (id, before) in others.iter().zip(before) {
        assert_eq!(place.json(&["client", "show", id]), before);
    }
    assert_eq!(place.json(&["journal", "verify"])["sound"], true);
    assert_eq!(place.json(&["rebuild", "--check"])["same"], true);
    // The blanked journal from its first entry: no stop, and no person.
    let said = place.run(&["rebuild", "--whole", "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let people = place.json(&["client", "list", "--search", SURNAME]);
    assert_eq!(people["rows"].as_array().map(Vec::len), Some(0), "{people:#}");

    // The daemon goes on; the sender's repetition of an erased envelope is still a repetition.
    // The CRM still knows the person, and would tell of her again: there it is the CRM's own matter.
    let file = place.path().join("uzel.toml");
    let unread = fs::read_to_string(&file)
        .expect("settings")
        .replace("allow_private = true", "allow_private = true\nread = false");
    fs::write(&file, unread).expect("written");
    let daemon = place.start();
    daemon.form("Новый Клиент", "+7 912 345-67-99").await;
    daemon.caught_up().await;
    daemon.stop();
    assert!(where_seen(&place).is_empty());

    // A backup of before brings the person back, and the list takes the person out again.
    let list = place.path().join("erasures/list.json").display().to_string();
    let elsewhere = copies.path().join("restored").display().to_string();
    let said = run(&["restore", &copy, "-d", &elsewhere, "--erasures", &list, "--lang", "en"]);
    assert_eq!(said.code, 0, "{said:?}");
    let mut found = Vec::new();
    seen(Path::new(&elsewhere), &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_beside_the_daemon_is_finished_by_the_next_start_wherever_it_was_stopped() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    let daemon = place.start();
    day(&daemon, &place).await;
    for client in place.json(&["client", "list", "--search", SURNAME])["rows"].as_array().expect("rows") {
        let gone = place.json(&["privacy", "erase", client["id"].as_str().expect("an id")]);
        assert!(gone["position"].as_u64().is_some());
    }
    let people = place.json(&["client", "list", "--search", SURNAME]);
    assert_eq!(people["rows"].as_array().map(Vec::len), Some(0), "at once: {people:#}");
    assert!(place.path().join("erasures/pending").exists());
    daemon.stop();
    // As a kill in the middle leaves it: half-written files, no store.
    fs::create_dir_all(place.path().join("store.filling")).expect("a folder");
    fs::write(place.path().join("journal/00000000000000000001.segment-part"), "half").expect("a file");
    fs::write(place.path().join("snapshots/00000000000000000003.part"), "half").expect("a file");
    fs::remove_dir_all(place.path().join("store")).expect("it goes");
    let daemon = place.start();
    daemon.caught_up().await;
    daemon.stop();
    let found = where_seen(&place);
    assert!(found.is_empty(), "{found:#?}");
    assert!(!place.path().join("erasures/pending").exists());
    assert_eq!(place.json(&["rebuild", "--check"])["same"], true);
    // Once more changes nothing.
    fs::write(place.path().join("erasures/pending"), "").expect("a file");
    assert_eq!(place.json(&["rebuild", "--check"])["same"], true);
    assert!(where_seen(&place).is_empty());
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for item in fs::read_dir(from).expect("it reads") {
        let path = item.expect("an item").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.is_dir() {
            true => copy_folder(&path, &target),
            // The socket of the daemon that has stopped is no file.
            false if path.is_file() => drop(fs::copy(&path, &target).expect("copied")),
            false => {}
        }
    }
}

/// Two erasures wait; the cleaning of the files ends behind each of its steps in turn, and the next
/// start makes it good.
#[tokio::test(flavor = "multi_thread")]
async fn erasure_that_ends_behind_any_of_its_steps_is_made_good_by_the_next_start() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    let daemon = place.start();
    day(&daemon, &place).await;
    let ours = ids(&place.json(&["client", "list", "--search", SURNAME]));
    assert_eq!(ours.len(), 2, "one of the site, one of 1C");
    let mut positions = Vec::new();
    for id in &ours {
        positions.push(place.json(&["privacy", "erase", id])["position"].clone());
    }
    let others = place.json(&["client", "list"]);
    daemon.stop();
    let pending = tempfile::tempdir().expect("a folder");
    let pending = pending.path().join("pending");
    copy_folder(place.path(), &pending);
    // What is done for each erasure comes twice.
    let ends = Step::ALL.map(|step| (0, step)).into_iter().chain([(1, Step::Listed), (1, Step::Receipt)]);
    for (nth, step) in ends {
        let copies = tempfile::tempdir().expect("a folder");
        let copy = copies.path().join("copy");
        copy_folder(&pending, &copy);
        let folder = Folder::new(&copy);
        let settings = folder.settings().expect("settings");
        let mut seen_already = 0;
        let ended = finish_by_steps(&folder, &settings, Arc::new(SystemClock), &mut |done| {
            let is_it = done == step && seen_already == nth;
            seen_already += usize::from(done == step);
            if is_it { Err(anyhow::anyhow!("the power goes")) } else { Ok(()) }
        });
        assert!(ended.is_err(), "{step:?} {nth}");
        let name = copy.display().to_string();
        let left = run(&["client", "list", "--json", "-d", &name]);
        let left: Value = serde_json::from_str(&left.out).expect("JSON");
        assert_eq!(left, others, "{step:?} {nth}");
        let checked = run(&["rebuild", "--check", "-d", &name, "--lang", "en"]);
        assert_eq!(checked.code, 0, "{step:?} {nth}: {checked:?}");
        let mut found = Vec::new();
        seen(&copy, &mut found);
        assert!(found.is_empty(), "{step:?} {nth}: {found:#?}");
        assert!(!copy.join("erasures/pending").exists());
        for position in &positions {
            assert!(copy.join(format!("erasures/erasure-{position}.json")).exists(), "{step:?} {nth}");
        }
        let list = read_list(&copy.join("erasures/list.json")).expect("a list");
        assert_eq!(list.len(), positions.len(), "{step:?} {nth}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_given_all_that_is_held_and_nothing_of_anybody_else() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    let daemon = place.start();
    day(&daemon, &place).await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for id in ids(&place.json(&["client", "list", "--search", SURNAME])) {
        let file = folder.path().join(format!("{id}.md")).display().to_string();
        let said = place.run(&["privacy", "export", &id, "--out", &file]);
        assert_eq!(said.code, 0, "{said:?}");
        text += &fs::read_to_string(&file).expect("it is there");
        assert_ne!(place.run(&["privacy", "export", &id, "--out", &file]).code, 0, "nothing is written over");
    }
    // Fields, the order of 1C, what the forms said word for word, and the record nobody could read.
    for wanted in [SURNAME, MAIL, "00042", "916-111-22-33", "Фамилия: Тайнознаменская", "in quarantine"]
    {
        assert!(text.contains(wanted), "{wanted} is not in\n{text}");
    }
    // The other buyer of the same file of 1C, and the other clients.
    for other in ["Белова", "00043", "Соколова", "Ильин"] {
        assert!(!text.contains(other), "{other} is in\n{text}");
    }
    // Of a namesake's records none: two clients bear this name here.
    assert_eq!(text.matches("site/lead").count(), 5, "{text}");
    daemon.stop();
    let unknown = place.run(&["privacy", "export", "cl_999999_0"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
}
