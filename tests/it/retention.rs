//! Retention: old entries go, and nothing that is still needed goes with them.

use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::Config;
use uzel::base::clock::ManualClock;
use uzel::base::{Message, Position, Timestamp};
use uzel::journal::simulated::{SimulatedDisk, Syncs};
use uzel::journal::{Journal, NewEntry, Options, Piece, ReadError, Segments};
use uzel::model::OutcomeKind;
use uzel::pipeline::retention::{Mark, marks, plan};
use uzel::pipeline::{apply_all, snapshot};
use uzel::store::snapshot::SnapshotFile;
use uzel::store::{MemoryStore, Store};

use crate::pipeline_acts::{Play, acts, outcomes};
use crate::pipeline_support::{START, World, hash};

const NEVER: Timestamp = Timestamp(i64::MAX / 2);

/// The journal of a world, in small segments on a disk.
fn on_disk(world: &World) -> Arc<Segments> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let disk = Arc::new(SimulatedDisk::new(Syncs::Honest));
    let clock = Arc::new(ManualClock::new(START));
    let stored = world.journal.read(Position(1), usize::MAX, usize::MAX).expect("it reads");
    let largest = stored.iter().map(|stored| stored.payload.len()).max().unwrap_or(0) as u64;
    let options = Options::small((largest + 1024).max(16 * 1024).next_multiple_of(4096));
    let (journal, _) = Segments::open_on(disk, "journal".as_ref(), clock, options).expect("it opens");
    for stored in stored {
        let entry = NewEntry { kind: stored.kind, at: stored.at, payload: stored.payload.to_vec() };
        assert_eq!(runtime.block_on(journal.append(entry)).expect("there is room"), stored.position);
    }
    Arc::new(journal)
}

proptest! {
    #![proptest_config(Config { cases: 5, failure_persistence: None, max_shrink_iters: 20, ..Config::default() })]

    #[test]
    fn what_stays_is_enough_for_the_same_rows(acts in acts(60..140), cuts in proptest::collection::vec(any::<u16>(), 1..4)) {
        let world = Play::of(&acts).world;
        let journal = on_disk(&world);
        let head = journal.head();
        let folder = tempfile::tempdir().expect("a folder");
        let mut cuts: Vec<u64> = cuts.into_iter().map(|cut| u64::from(cut) % head.0 + 1).collect();
        cuts.sort_unstable();
        for cut in cuts {
            snapshot::make_bounded(journal.clone(), world.kept.clone(), folder.path(), Position(cut), START, usize::MAX, &mut |_, _| {})
                .expect("a snapshot is made");
        }
        let marks = marks(journal.as_ref(), world.store.as_ref(), folder.path()).expect("it reads");
        let plan = plan(&journal.pieces().expect("they read"), NEVER, &marks);
        let removed = journal.remove_before(plan.before).expect("it removes");
        prop_assert_eq!(removed.entries, journal.first().0 - 1);
        prop_assert!(journal.first() <= plan.before.max(Position(1)));

        // From every snapshot kept, the oldest too, the rest of the journal gives the same rows.
        for (path, _) in snapshot::list(folder.path()).expect("it reads") {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let file = SnapshotFile::open(&path).expect("it opens");
            snapshot::fill(store.as_ref(), &file, &mut |_, _| {}).expect("it fills");
            apply_all(journal.clone(), store.clone(), world.kept.clone(), head, 64, &mut |_, _| {}).expect("it applies");
            prop_assert_eq!(hash(&store), hash(&world.store));
        }
        // What waits for a person can still be read.
        for (at, kind) in outcomes(&world) {
            if kind == OutcomeKind::Quarantined {
                prop_assert!(at.position >= journal.first(), "{} waits, the journal begins at {}", at, journal.first());
            }
        }
        // What went is said to have gone.
        if journal.first() > Position(1) {
            let asked = journal.read(Position(1), 1, usize::MAX);
            prop_assert!(matches!(asked, Err(ReadError::Removed(_))), "{asked:?}");
        }
    }
}

#[test]
fn removal_really_happens_and_survives_opening() {
    let mut world = World::new();
    for number in 0..400 {
        world.pass(60_000);
        world.form(crate::pipeline_support::person("Мария", &format!("+7 916 {:03}-12-34", number + 100)));
    }
    let journal = on_disk(&world);
    let folder = tempfile::tempdir().expect("a folder");
    let (head, until) = (journal.head(), Position(300));
    snapshot::make_bounded(
        journal.clone(),
        world.kept.clone(),
        folder.path(),
        until,
        START,
        usize::MAX,
        &mut |_, _| {},
    )
    .expect("a snapshot is made");
    let needed = marks(journal.as_ref(), world.store.as_ref(), folder.path()).expect("it reads");
    let pieces = journal.pieces().expect("they read");
    // Older than the two hundredth entry, of what a snapshot of three hundred holds.
    let half = plan(&pieces, START.plus_ms(200 * 60_000), &needed);
    assert!(half.before > Position(100) && half.before <= Position(204), "{half:?}");
    let all = plan(&pieces, NEVER, &needed);
    assert!(all.before > half.before && all.before <= Position(301), "{all:?}");
    let removed = journal.remove_before(all.before).expect("it removes");
    assert_eq!((journal.first(), removed.entries), (all.before, all.before.0 - 1));
    assert_eq!(journal.remove_before(all.before).expect("nothing to do").pieces, 0);
    assert_eq!(journal.read(all.before, 1, usize::MAX).expect("it reads").len(), 1);
    assert_eq!(journal.head(), head);
}

#[test]
fn verdicts_name_what_keeps_a_piece() {
    let piece = |first: u64, until: i64| Piece {
        first: Position(first),
        next: Position(first + 10),
        until: Timestamp(until),
        bytes: 1,
    };
    let pieces = [piece(1, 100), piece(11, 200), piece(21, 300), piece(31, 400)];
    let check = |older_than: i64, needed: &[(u64, &str)], expected: &str| {
        let marks: Vec<Mark> =
            needed.iter().map(|(at, why)| Mark { position: Position(*at), why: Message::new(why) }).collect();
        let plan = plan(&pieces, Timestamp(older_than), &marks);
        let shown: Vec<String> = plan
            .verdicts
            .iter()
            .map(|it| it.stays.as_ref().map_or("goes".to_owned(), |why| why.id.replace("retention-", "")))
            .collect();
        assert_eq!(format!("{} {}", plan.before, shown.join(" ")), expected);
    };
    check(1_000, &[(100, "retention-checkpoint")], "41 goes goes goes goes");
    check(300, &[(100, "retention-checkpoint")], "21 goes goes young young");
    check(1_000, &[(31, "retention-snapshot")], "31 goes goes goes snapshot");
    check(1_000, &[(30, "retention-snapshot")], "21 goes goes snapshot snapshot");
    check(
        1_000,
        &[(31, "retention-snapshot"), (15, "retention-quarantine")],
        "11 goes quarantine quarantine quarantine",
    );
    check(1_000, &[(0, "retention-no-snapshot")], "0 no-snapshot no-snapshot no-snapshot no-snapshot");
}
