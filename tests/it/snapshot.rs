//! Snapshots: what they hold, how damage shows, and that the store comes back from them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::Config;
use uzel::base::{Position, Timestamp};
use uzel::journal::Journal as _;
use uzel::pipeline::snapshot::{self, Snapshot};
use uzel::store::snapshot::{About, SnapshotFile, SnapshotWriter};
use uzel::store::{LayeredStore, MemoryStore, Store, StoreError, conformance};
use uzel::task::keep::next_time;

use crate::daemon_support::{Place, settings};
use crate::pipeline_acts::{Play, acts};
use crate::pipeline_support::{START, World, hash, person};

fn take(world: &World, folder: &Path, until: Position, changes_bytes_max: usize) -> Snapshot {
    let (journal, kept) = (world.journal.clone(), world.kept.clone());
    snapshot::make_bounded(journal, kept, folder, until, world.now, changes_bytes_max, &mut |_, _| {})
        .expect("a snapshot is made")
}

fn filled(snapshot: &Snapshot) -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let file = SnapshotFile::open(&snapshot.path).expect("it opens");
    snapshot::fill(store.as_ref(), &file, &mut |_, _| {}).expect("it fills");
    store
}

#[test]
fn a_store_of_two_layers_keeps_the_promises() {
    let folder = tempfile::tempdir().expect("a folder");
    conformance::run(|| LayeredStore::new(None, &folder.path().join("all"), usize::MAX));
    let number = std::cell::Cell::new(0);
    // Every commit goes down at once: all reads are of a file.
    conformance::run(|| {
        number.set(number.get() + 1);
        LayeredStore::new(None, &folder.path().join(format!("none-{}", number.get())), 0)
    });
    // In between: some below, some above.
    conformance::run(|| {
        number.set(number.get() + 1);
        LayeredStore::new(None, &folder.path().join(format!("some-{}", number.get())), 700)
    });
    let left = fs::read_dir(folder.path()).expect("it reads").count();
    assert_eq!(left, 0, "layers are removed with their store");
}

proptest! {
    #![proptest_config(Config { cases: 6, failure_persistence: None, max_shrink_iters: 60, ..Config::default() })]

    #[test]
    fn snapshot_and_tail_give_the_rows_of_the_whole_journal(
        acts in acts(20..70), first in any::<u16>(), second in any::<u16>(), bound in prop_oneof![Just(0), Just(20_000), Just(1 << 30)],
    ) {
        let world = Play::of(&acts).world;
        let head = world.journal.head().0;
        let mut cuts = [u64::from(first) % head + 1, u64::from(second) % head + 1, head];
        cuts.sort_unstable();
        let folder = tempfile::tempdir().expect("a folder");
        for cut in cuts {
            // Each grows from the one before.
            let made = take(&world, folder.path(), Position(cut), bound);
            prop_assert_eq!(made.position(), Position(cut));
            let plain: Arc<dyn Store> = Arc::new(MemoryStore::new());
            world.apply_up_to(Position(cut), &plain, 7).expect("it applies");
            prop_assert_eq!(made.totals.hash, hash(&plain));
            let store = filled(&made);
            prop_assert_eq!(hash(&store), hash(&plain));
            prop_assert_eq!(store.checkpoint().expect("it reads"), plain.checkpoint().expect("it reads"));
            world.apply_to(&store, 512).expect("the tail applies");
            prop_assert_eq!(hash(&store), hash(&world.store));
        }
        let names: Vec<PathBuf> = fs::read_dir(folder.path()).expect("it reads").map(|it| it.expect("an item").path()).collect();
        prop_assert!(names.iter().all(|it| it.extension().is_some_and(|it| it == "snapshot")), "{names:?}");
    }
}

fn world_of(forms: u32) -> World {
    let mut world = World::new();
    for number in 0..forms {
        world.pass(1_000);
        world.form(person("Мария Соколова", &format!("+7 916 000-{:02}-{:02}", number / 100, number % 100)));
    }
    world
}

#[test]
fn a_changed_byte_anywhere_is_found_and_the_snapshot_before_is_used() {
    let mut world = world_of(40);
    let folder = tempfile::tempdir().expect("a folder");
    let older = take(&world, folder.path(), world.journal.head(), usize::MAX);
    world.form(person("Пётр", "+7 917 000-00-00"));
    let newer = take(&world, folder.path(), world.journal.head(), usize::MAX);
    let whole = fs::read(&newer.path).expect("it reads");
    let step = whole.len() / 150;
    let places = (0..whole.len()).step_by(step.max(1)).chain(whole.len() - 64..whole.len()).chain(0..128);
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        fs::write(&newer.path, &bytes).expect("it writes");
        let chosen = match snapshot::newest(folder.path(), Position(u64::MAX)) {
            Ok(chosen) => chosen.expect("there is the older one").about().checkpoint,
            // The version itself was changed: a newer format is refused, never guessed at.
            Err(StoreError::Newer(_)) if (8..12).contains(&place) => continue,
            Err(error) => panic!("byte {place}: {error}"),
        };
        assert_eq!(chosen, older.about.checkpoint, "byte {place}");
    }
    for len in [0, 10, 127, 128, whole.len() / 2, whole.len() - 1] {
        fs::write(&newer.path, &whole[..len]).expect("it writes");
        let chosen = snapshot::newest(folder.path(), Position(u64::MAX)).expect("one is sound").expect("the older");
        assert_eq!(chosen.about().checkpoint, older.about.checkpoint, "cut at {len}");
    }
    // The next one grows from the sound one and takes the place of the damaged one.
    let again = take(&world, folder.path(), world.journal.head(), usize::MAX);
    assert_eq!(again.totals.hash, hash(&world.store));
    snapshot::verify(&again.path).expect("it is whole");
}

#[test]
fn snapshot_of_a_newer_format_is_refused_by_its_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("00000000000000000007.snapshot");
    let about = About {
        checkpoint: uzel::base::ItemRef::new(Position(8), 0),
        configuration: None,
        made_at: START,
        build: "9".into(),
    };
    let mut writer = SnapshotWriter::create(&path, &about).expect("it begins");
    writer.push(b"\x01a", b"1").expect("it writes");
    writer.finish().expect("it ends");
    snapshot::verify(&path).expect("it is whole");
    let mut bytes = fs::read(&path).expect("it reads");
    bytes[8] = 2;
    fs::write(&path, &bytes).expect("it writes");
    let error = snapshot::newest(folder.path(), Position(u64::MAX)).expect_err("it is newer");
    assert!(matches!(error, StoreError::Newer(_)), "{error}");
    assert!(error.to_string().contains("Update the program"), "{error}");
}

#[test]
fn schedules_follow_the_clock_on_the_wall() {
    let check = |text: &str, zone: &str, at: &str, expected: &str| {
        let zone = jiff::tz::TimeZone::get(zone).expect("a zone");
        let at: jiff::Timestamp = at.parse().expect("an instant");
        let next = next_time(text, &zone, Timestamp(at.as_millisecond()));
        let shown = next.map_or("never".to_owned(), |it| it.to_jiff().to_string());
        assert_eq!(shown, expected, "{text}");
    };
    check("0 3 * * *", "Europe/Moscow", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
    check("0 3 * * *", "Europe/Moscow", "2026-11-21T23:59:59Z", "2026-11-22T00:00:00Z");
    check("30 2 * * SUN", "Asia/Yekaterinburg", "2026-11-22T10:00:00Z", "2026-11-28T21:30:00Z");
    // An hour that does not exist that night, and one that comes twice.
    check("30 2 * * *", "Europe/Berlin", "2026-03-28T22:00:00Z", "2026-03-29T01:30:00Z");
    check("30 2 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T00:30:00Z");
    check("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    check("", "Europe/Moscow", "2026-11-22T00:00:00Z", "never");
    check("0 3 * * 1", "Europe/Moscow", "2026-11-22T00:00:00Z", "never");
}

#[tokio::test(flavor = "multi_thread")]
async fn store_that_is_gone_or_damaged_comes_back_from_the_snapshot() {
    let place = Place::new(&settings("observe"), "http://127.0.0.1:9/rest/1/x/");
    let daemon = place.start();
    for number in 0..5 {
        daemon.form(&format!("Клиент {number}"), &format!("+7 916 100-00-0{number}")).await;
    }
    daemon.caught_up().await;
    // Beside the running daemon.
    let made = place.json(&["snapshot", "make"]);
    daemon.form("Позже", "+7 916 200-00-00").await;
    daemon.caught_up().await;
    daemon.stop();
    let said = place.run(&["snapshot", "verify"]);
    assert_eq!(said.code, 0, "{said:?}");
    let whole = place.json(&["rebuild", "--check", "--whole"]);
    let quick = place.json(&["rebuild", "--check"]);
    assert_eq!((&whole["same"], &quick["same"]), (&true.into(), &true.into()), "{whole} {quick}");
    assert_eq!(whole["hash"], quick["hash"]);
    assert_eq!((&whole["snapshot"], &quick["snapshot"]), (&0.into(), &made["position"]));
    assert!(quick["entries"].as_u64() < whole["entries"].as_u64(), "only the tail is applied: {quick}");

    let clients = place.json(&["client", "list"]);
    fs::remove_dir_all(place.path().join("store")).expect("the store goes");
    assert_eq!(place.json(&["client", "list"]), clients);
    assert_eq!(place.json(&["rebuild", "--check", "--whole"])["same"], true);

    // Rot that sled notices.
    for item in fs::read_dir(place.path().join("store")).expect("it reads") {
        let path = item.expect("an item").path();
        if path.is_file() {
            fs::write(path, b"rot").expect("it writes");
        }
    }
    assert_eq!(place.json(&["client", "list"]), clients);
    assert_eq!(place.json(&["rebuild", "--check", "--whole"])["same"], true);

    // The snapshot rots too: said, and the journal gives everything.
    let file = place.path().join("snapshots").join(made["file"].as_str().expect("a name"));
    let mut bytes = fs::read(&file).expect("it reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("it writes");
    let said = place.run(&["snapshot", "verify"]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.contains("is damaged at byte"), "{said:?}");
    fs::remove_dir_all(place.path().join("store")).expect("the store goes");
    assert_eq!(place.json(&["client", "list"]), clients);
}
