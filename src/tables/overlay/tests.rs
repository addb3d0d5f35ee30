//! The overlay against a sorted map, and what it writes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::{ClientId, InteractionId, ItemRef, Position};
use crate::store::{MemoryStore, StoreError};
use crate::tables::{ClientInteractions, Inns, Reader};

const SMALL: Bounds = Bounds { rows_max: 6, bytes_max: 100 };

type Row = Vec<InteractionId>;

fn key(number: u8) -> (ClientId, u32) {
    (ClientId(u64::from(number / 4)), u32::from(number % 4))
}

fn row(number: u8) -> Row {
    vec![InteractionId(u64::from(number))]
}

fn at(position: u64) -> ItemRef {
    ItemRef::new(Position(position), 0)
}

#[derive(Debug, Clone)]
enum Step {
    Get(u8),
    Put(u8, u8),
    Remove(u8),
    Push(u8, u8),
    Range { from: u8, to: u8, reverse: bool, rows_max: usize },
    Commit,
    Hold,
    Release,
    Prefetch(u8),
    FencedCommit,
    FinishedInVain,
    Rollback,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = 0u8..12;
    let step = prop_oneof![
        3 => number.clone().prop_map(Step::Get),
        3 => (number.clone(), 0u8..3).prop_map(|(key, row)| Step::Put(key, row)),
        2 => number.clone().prop_map(Step::Remove),
        4 => (number.clone(), 0u8..3).prop_map(|(key, item)| Step::Push(key, item)),
        3 => (number.clone(), number, any::<bool>(), 0usize..14)
            .prop_map(|(from, to, reverse, rows_max)| Step::Range { from, to, reverse, rows_max }),
        3 => Just(Step::Commit),
        3 => Just(Step::Hold),
        1 => Just(Step::Release),
        2 => (0u8..12).prop_map(Step::Prefetch),
        1 => Just(Step::FencedCommit),
        1 => Just(Step::FinishedInVain),
        1 => Just(Step::Rollback),
    ];
    proptest::collection::vec(step, 0..80)
}

/// The overlay, and the same as plain maps.
struct Bench {
    store: Arc<MemoryStore>,
    overlay: Overlay,
    position: u64,
    committed: BTreeMap<u8, Row>,
    now: BTreeMap<u8, Row>,
}

impl Bench {
    fn step(&mut self, step: Step) {
        match step {
            Step::Get(number) => {
                let got = self.overlay.get::<ClientInteractions>(&key(number)).expect("reads");
                assert_eq!(got.as_ref(), self.now.get(&number));
            }
            Step::Put(number, value) => {
                self.overlay.put::<ClientInteractions>(&key(number), row(value));
                self.now.insert(number, row(value));
            }
            Step::Remove(number) => {
                self.overlay.remove::<ClientInteractions>(&key(number));
                self.now.remove(&number);
            }
            Step::Push(number, item) => {
                let push = |held: &mut Option<Row>| {
                    held.get_or_insert_default().push(InteractionId(u64::from(item)));
                    held.as_ref().map_or(0, Vec::len)
                };
                let len = self.overlay.update::<ClientInteractions, _>(&key(number), push).expect("reads");
                let held = self.now.entry(number).or_default();
                held.push(InteractionId(u64::from(item)));
                assert_eq!(len, held.len());
            }
            Step::Range { from, to, reverse, rows_max } => self.range(from, to, reverse, rows_max),
            Step::Hold => {
                self.overlay.hold(at(self.position), at(self.position + 1), 1).expect("the batches before commit");
                self.position += 1;
                self.committed = self.now.clone();
            }
            Step::Release => self.overlay.release().expect("the batch before commits"),
            Step::Prefetch(number) => {
                self.overlay.settle().expect("the batch before commits");
                let keys = (0..number).map(key);
                self.overlay.prefetch::<ClientInteractions>(keys).expect("reads");
            }
            Step::Commit => {
                self.settle();
                let (before, after) = (at(self.position), at(self.position + 1));
                self.overlay.commit(before, after, 1).expect("commits");
                self.position += 1;
                self.committed = self.now.clone();
            }
            Step::FencedCommit => {
                self.settle();
                let refused = self.overlay.commit(at(self.position + 7), at(self.position + 8), 1);
                assert!(matches!(refused, Err(TableError::Store(StoreError::Fenced(_)))));
                self.now = self.committed.clone();
            }
            Step::FinishedInVain => {
                self.settle();
                let writes = self.overlay.finish();
                assert!(writes.is_sorted_by(|left, right| left.0 < right.0), "each key once, in order");
                self.overlay.rollback();
                self.now = self.committed.clone();
            }
            Step::Rollback => {
                self.settle();
                self.overlay.rollback();
                self.now = self.committed.clone();
            }
        }
    }

    /// Whatever is not the pipeline's way of committing waits for it first.
    fn settle(&mut self) {
        self.overlay.release().expect("commits");
        self.overlay.settle().expect("commits");
    }

    fn range(&mut self, from: u8, to: u8, reverse: bool, rows_max: usize) {
        let span = Span::all().from(&key(from)).before(&key(to));
        let got = self.overlay.range::<ClientInteractions>(&span, reverse, rows_max).expect("reads");
        let mut expected: Vec<((ClientId, u32), Row)> = Vec::new();
        if from < to {
            expected.extend(self.now.range(from..to).map(|(number, row)| (key(*number), row.clone())));
        }
        if reverse {
            expected.reverse();
        }
        expected.truncate(rows_max);
        assert_eq!(got, expected);
    }

    /// What readers see is what was committed, and the overlay keeps its bound.
    fn check(&mut self) {
        let bytes: usize = self.overlay.rows.values().map(|slot| slot.stored.len()).sum();
        assert_eq!(self.overlay.kept_bytes, bytes);
        if self.overlay.is_behind() {
            return;
        }
        let read: Result<Vec<_>, _> = Reader::new(&*self.store).rows::<ClientInteractions>(Span::all()).collect();
        let committed: Vec<_> = self.committed.iter().map(|(number, row)| (key(*number), row.clone())).collect();
        assert_eq!(read.expect("reads"), committed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn overlay_is_a_map_that_commits_and_rolls_back(steps in steps()) {
        let store = Arc::new(MemoryStore::new());
        let mut overlay = Overlay::bounded(store.clone(), SMALL);
        overlay.commit_behind(|_| (), || ());
        let (committed, now) = (BTreeMap::new(), BTreeMap::new());
        let mut bench = Bench { store, overlay, position: 0, committed, now };
        for step in steps {
            bench.step(step);
            bench.check();
        }
        bench.settle();
        bench.check();
    }
}

/// A store that is asked only for what it may have.
struct Asked {
    inner: MemoryStore,
    gets: std::sync::atomic::AtomicUsize,
}

impl Store for Asked {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.gets.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], reverse: bool, rows: usize) -> Result<Vec<crate::store::Pair>, StoreError> {
        self.inner.range(from, to, reverse, rows)
    }

    fn commit(&self, from: Checkpoint, to: Checkpoint, epoch: u64, writes: Vec<Write>) -> Result<(), StoreError> {
        self.inner.commit(from, to, epoch, writes)
    }

    fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.inner.checkpoint()
    }

    fn flush(&self) -> Result<Checkpoint, StoreError> {
        self.inner.flush()
    }
}

#[test]
fn store_is_not_asked_for_what_was_not_born() {
    let store = Arc::new(Asked { inner: MemoryStore::new(), gets: Default::default() });
    let mut overlay = Overlay::new(store.clone());
    overlay.commit_behind(|_| (), || ());
    let client = |position| (ClientId::derive(at(position), 0), 0);
    let gets_of = |overlay: &mut Overlay, position| {
        let before = store.gets.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(overlay.get::<ClientInteractions>(&client(position)).expect("reads"), None);
        store.gets.load(std::sync::atomic::Ordering::Relaxed) - before
    };
    assert_eq!(gets_of(&mut overlay, 3), 1, "nothing is known yet");
    overlay.hold(at(0), at(5), 1).expect("nothing to wait for");
    overlay.hold(at(5), at(9), 1).expect("the first is committed");
    assert_eq!([1, 4, 5, 6, 9, 20].map(|position| gets_of(&mut overlay, position)), [1, 1, 0, 0, 0, 0]);
    overlay.clear();
    assert_eq!(gets_of(&mut overlay, 20), 1, "another store may know more");
}

#[test]
fn failed_commit_is_told_to_whoever_waits_next() {
    let mut overlay = overlay();
    overlay.commit_behind(|_| unreachable!("nothing is committed"), || ());
    overlay.put::<ClientInteractions>(&key(1), row(1));
    overlay.hold(at(7), at(8), 1).expect("nothing to wait for");
    overlay.release().expect("nothing to wait for");
    assert!(matches!(overlay.settle(), Err(TableError::Store(StoreError::Fenced(_)))));
}

fn overlay() -> Overlay {
    Overlay::new(Arc::new(MemoryStore::new()))
}

#[test]
fn row_put_back_as_it_was_is_not_written() {
    let mut overlay = overlay();
    overlay.put::<ClientInteractions>(&key(1), row(1));
    overlay.put::<ClientInteractions>(&key(2), row(2));
    overlay.commit(at(0), at(1), 1).expect("commits");

    overlay.update::<ClientInteractions, _>(&key(1), |_| ()).expect("reads");
    overlay.remove::<ClientInteractions>(&key(2));
    overlay.put::<ClientInteractions>(&key(2), row(2));
    overlay.update::<ClientInteractions, _>(&key(3), |row| assert_eq!(*row, None)).expect("reads");
    assert_eq!(overlay.finish(), []);

    overlay.clear();
    overlay.update::<ClientInteractions, _>(&key(1), |row| *row = row.take()).expect("reads anew");
    assert_eq!(overlay.finish(), []);
}

#[test]
fn each_changed_row_is_written_once() {
    let mut overlay = overlay();
    for number in 0..9 {
        overlay.put::<ClientInteractions>(&key(5), row(number));
        overlay.update::<ClientInteractions, _>(&key(3), |held| *held = Some(row(number))).expect("reads");
    }
    overlay.remove::<ClientInteractions>(&key(4));
    let expected = [
        (
            super::super::key_bytes::<ClientInteractions>(&key(3)),
            Some(super::super::row_bytes::<ClientInteractions>(&row(8)).into()),
        ),
        (super::super::key_bytes::<ClientInteractions>(&key(4)), None),
        (
            super::super::key_bytes::<ClientInteractions>(&key(5)),
            Some(super::super::row_bytes::<ClientInteractions>(&row(8)).into()),
        ),
    ];
    assert_eq!(overlay.finish(), expected);
    assert_eq!(overlay.finish(), [], "and not again");
}

#[test]
fn rows_kept_between_batches_are_bounded_and_the_used_ones_stay() {
    let store = Arc::new(MemoryStore::new());
    let mut overlay = Overlay::bounded(store, Bounds { rows_max: 100, bytes_max: usize::MAX });
    for batch in 0..40u64 {
        for number in 0..20 {
            overlay.put::<Inns>(&crate::model::Inn(format!("{batch}-{number}").into()), vec![]);
        }
        overlay
            .update::<ClientInteractions, _>(&key(1), |held| held.get_or_insert_default().push(InteractionId(batch)))
            .expect("reads");
        overlay.commit(at(batch), at(batch + 1), 1).expect("commits");
        assert!(overlay.rows.len() <= 100, "{} rows", overlay.rows.len());
        assert!(overlay.rows.contains_key(super::super::key_bytes::<ClientInteractions>(&key(1)).as_slice()));
    }
}

#[test]
fn row_that_does_not_read_is_an_error_and_stays_as_it_is() {
    let store = Arc::new(MemoryStore::new());
    let bytes = super::super::key_bytes::<ClientInteractions>(&key(1));
    store.commit(at(0), at(1), 1, vec![(bytes, Some(vec![1, 0xFF].into()))]).expect("commits");
    let mut overlay = Overlay::new(store);
    for _ in 0..2 {
        assert!(matches!(overlay.get::<ClientInteractions>(&key(1)), Err(TableError::Row { .. })));
        assert!(overlay.update::<ClientInteractions, _>(&key(1), |row| *row = None).is_err());
        assert!(overlay.range::<ClientInteractions>(&Span::all(), false, 9).is_err());
    }
    assert_eq!(overlay.finish(), []);
}
