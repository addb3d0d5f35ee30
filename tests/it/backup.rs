//! Backups: made under load, checked byte by byte, restored elsewhere.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::daemon_support::{Place, Said, crm, crm_deals, run, settings, until};

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn files(folder: &Path, found: &mut Vec<String>, prefix: &str) {
    for item in fs::read_dir(folder).expect("it reads") {
        let path = item.expect("an item").path();
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        match path.is_dir() {
            true => files(&path, found, &format!("{name}/")),
            false => found.push(name),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_under_load_restores_to_the_same_rows() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    let daemon = place.start();
    for number in 0..10 {
        daemon.form(&format!("Клиент {number}"), &format!("+7 916 100-00-0{number}")).await;
    }
    place.json(&["snapshot", "make"]);
    let target = tempfile::tempdir().expect("a folder");
    let copy = target.path().join("backup").display().to_string();
    let load = async {
        for number in 0..60 {
            daemon.form(&format!("Под нагрузкой {number}"), &format!("+7 916 200-00-{number:02}")).await;
        }
    };
    let making = async {
        let arguments = ["-d".to_owned(), place.name(), "backup".into(), "make".into(), copy.clone(), "--json".into()];
        tokio::task::spawn_blocking(move || run(&arguments.each_ref().map(String::as_str))).await.expect("it ends")
    };
    let (made, ()) = tokio::join!(making, load);
    assert_eq!(made.code, 0, "{made:?}");
    let made = json(&made);
    daemon.caught_up().await;
    let after = daemon.get("status").await;
    assert!(made["last"].as_u64() <= after["head"].as_u64());
    daemon.stop();

    let verified = run(&["backup", "verify", &copy, "--json"]);
    assert_eq!((verified.code, &json(&verified)["sound"]), (0, &true.into()), "{verified:?}");
    let elsewhere = target.path().join("elsewhere").display().to_string();
    let restored = run(&["restore", &copy, "-d", &elsewhere, "--json"]);
    assert_eq!(restored.code, 0, "{restored:?}");
    let restored = json(&restored);
    assert_eq!(restored["last"], made["last"]);

    // The first daemon's journal up to the same entry gives the same rows.
    let expected = hash_up_to(&place, made["last"].as_u64().expect("a position"));
    assert_eq!(restored["hash"].as_str(), Some(expected.as_str()));

    // A folder that holds something is left alone.
    let again = run(&["restore", &copy, "-d", &elsewhere, "--lang", "en"]);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains("is not empty"), "{again:?}");
}

/// Hash of the rows of everything up to `last`, from the first entry.
fn hash_up_to(place: &Place, last: u64) -> String {
    use std::sync::Arc;
    use uzel::app::ConfigurationFolder;
    use uzel::base::Position;
    use uzel::base::clock::SystemClock;
    use uzel::journal::{Options, RealDisk, Segments};
    use uzel::store::{MemoryStore, Store};
    let folder = place.path().join("journal");
    let options = Options::production(1);
    let (journal, _) =
        Segments::open_read_only(Arc::new(RealDisk), &folder, Arc::new(SystemClock), options).expect("it opens");
    let kept = ConfigurationFolder::open(place.path().join("configurations")).expect("it opens");
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let last = Position(last);
    uzel::pipeline::apply_all(Arc::new(journal), store.clone(), Arc::new(kept), last, 64, &mut |_, _| {})
        .expect("it applies");
    uzel::tables::rows_hash(store.as_ref(), |_| {}).expect("it reads").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_of_any_file_of_a_backup_is_named() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    fs::create_dir_all(place.path().join("rules")).expect("a folder");
    let rules = include_str!("../../rules/business.toml");
    fs::write(place.path().join("rules/business.toml"), rules).expect("a file");
    let daemon = place.start();
    daemon.form("Мария", "+7 916 100-00-01").await;
    daemon.caught_up().await;
    place.json(&["snapshot", "make"]);
    let target = tempfile::tempdir().expect("a folder");
    let copy = target.path().join("backup");
    let name = copy.display().to_string();
    let made = place.run(&["backup", "make", &name, "--with-secrets"]);
    assert_eq!(made.code, 0, "{made:?}");
    daemon.stop();
    let mut names = Vec::new();
    files(&copy, &mut names, "");
    for part in ["journal/", "configurations/", "snapshots/", "rules/", "uzel.toml", "vault.json", "manifest.json"] {
        assert!(names.iter().any(|name| name.starts_with(part)), "{part}: {names:?}");
    }
    for file in &names {
        let path = copy.join(file);
        let whole = fs::read(&path).expect("it reads");
        let problems = || {
            let verified = uzel::app::backup::verify(&copy, &mut |_, _| {}).expect("it looks");
            verified.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        for place in [0, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x20;
            fs::write(&path, bytes).expect("it writes");
            assert!(problems().contains(file.as_str()), "{file}, byte {place}: {}", problems());
        }
        fs::remove_file(&path).expect("it goes");
        assert!(problems().contains(file.as_str()), "{file} is gone: {}", problems());
        let elsewhere = target.path().join("elsewhere");
        let restored = uzel::app::backup::restore(&copy, &uzel::app::Folder::new(&elsewhere), &mut |_, _| {});
        assert!(restored.expect("it looks").is_err(), "{file} is gone");
        assert!(!elsewhere.exists(), "nothing is made of a bad backup");
        fs::write(&path, &whole).expect("it writes");
        assert_eq!(problems(), "");
    }
    fs::write(copy.join("journal/99999999999999999999.segment"), b"x").expect("it writes");
    let said = run(&["backup", "verify", &name, "--lang", "en"]);
    assert!(said.code == 3 && said.out.contains("is not part of the backup"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_folder_writes_nowhere_until_released_and_then_makes_nothing_twice() {
    let twin = crm().await;
    let place = Place::new(&settings("live"), &twin.url());
    let daemon = place.start();
    daemon.form("Мария Соколова", "+7 912 345-67-81").await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    until("the deal is in the CRM", || (crm_deals(&twin).len() == 1).then_some(()));
    let target = tempfile::tempdir().expect("a folder");
    let copy = target.path().join("backup").display().to_string();
    let made = place.run(&["backup", "make", &copy, "--with-secrets"]);
    assert_eq!(made.code, 0, "{made:?}");
    // The CRM learns of this one, the backup does not.
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    until("the second deal is in the CRM", || (crm_deals(&twin).len() == 2).then_some(()));
    daemon.stop();

    let (restored, said) = Place::restored(&copy, &place);
    assert!(said.out.contains("Nothing is written to any CRM yet"), "{said:?}");
    let daemon = restored.start();
    daemon.form("Анна Белова", "+7 912 345-67-83").await;
    daemon.caught_up().await;
    let status = daemon.get("status").await;
    let modes: Vec<&Value> = status["connections"].as_array().expect("a list").iter().map(|it| &it["mode"]).collect();
    assert!(modes.iter().all(|mode| *mode == "off"), "{status}");
    assert!(daemon.log().contains("restored from a backup"), "{}", daemon.log());
    assert!(daemon.get("outbox").await["rows"].as_array().is_some_and(|rows| !rows.is_empty()));
    daemon.stop();
    assert_eq!(crm_deals(&twin).len(), 2, "nothing was written");

    let said = restored.run(&["restore", "--release"]);
    assert_eq!(said.code, 0, "{said:?}");
    let daemon = restored.start();
    // The lost lead comes again by itself: the sender repeats, or a person types it in.
    daemon.form("Пётр Ильин", "+7 912 345-67-82").await;
    daemon.caught_up().await;
    daemon.until("outbox", |outbox| outbox["rows"].as_array().is_some_and(Vec::is_empty).then_some(())).await;
    daemon.stop();
    let deals = crm_deals(&twin);
    let mut origins: Vec<&str> = deals.iter().filter_map(|deal| deal["ORIGIN_ID"].as_str()).collect();
    origins.sort_unstable();
    let all = origins.len();
    origins.dedup();
    assert_eq!(origins.len(), all, "no id was given twice: {deals:?}");
    let of =
        |name: &str| deals.iter().filter(|deal| deal["TITLE"].as_str().is_some_and(|it| it.contains(name))).count();
    assert!(of("Мария") <= 1, "the deal that the backup knew is not made again: {deals:?}");
}
