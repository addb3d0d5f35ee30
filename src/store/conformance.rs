//! What every store must do, as functions that run against any of them.
//!
//! Each takes a function that makes an empty store, and panics with the broken promise. A new
//! engine costs one line: `conformance::run(|| ...)`; one that keeps its rows on disk adds
//! [`survives_reopening`].

use super::{Checkpoint, Pair, RESERVED, Store, StoreError, Write};
use crate::base::{ItemRef, Position};

/// Every promise but those about reopening.
pub fn run<S: Store>(make: impl Fn() -> S) {
    empty_store_has_nothing(&make());
    rows_are_put_replaced_and_removed(&make());
    many_are_got_in_the_order_asked(&make());
    ranges_are_half_open_ordered_and_bounded(&make());
    ranges_agree_with_a_sorted_list(&make());
    commit_is_whole(&make());
    stale_checkpoint_is_fenced(&make());
    older_epoch_is_fenced(&make());
    reserved_keys_are_hidden_and_refused(&make());
    flush_tells_the_durable_checkpoint(&make());
}

fn at(position: u64) -> Checkpoint {
    ItemRef::new(Position(position), 0)
}

fn put(key: &[u8], value: &[u8]) -> Write {
    (key.to_vec(), Some(value.into()))
}

fn gone(key: &[u8]) -> Write {
    (key.to_vec(), None)
}

/// Commits from wherever the store is to the next position.
fn commit<S: Store>(store: &S, writes: Vec<Write>) {
    let from = store.checkpoint().expect("the checkpoint reads");
    store.commit(from, at(from.position.0 + 1), 1, writes).expect("commits");
}

fn all<S: Store>(store: &S) -> Vec<Pair> {
    store.range(&[], &[0xFF], false, usize::MAX).expect("reads")
}

fn get<S: Store>(store: &S, key: &[u8]) -> Option<Vec<u8>> {
    store.get(key).expect("reads")
}

/// A new store is empty and stands before the first entry.
pub fn empty_store_has_nothing<S: Store>(store: &S) {
    assert_eq!(store.checkpoint().expect("the checkpoint reads"), ItemRef::default());
    assert_eq!(get(store, b"a"), None);
    assert_eq!(all(store), []);
}

/// A key has the value written last.
pub fn rows_are_put_replaced_and_removed<S: Store>(store: &S) {
    commit(store, vec![put(b"a", b"1"), put(b"b", b"")]);
    assert_eq!((get(store, b"a"), get(store, b"b")), (Some(b"1".to_vec()), Some(Vec::new())), "an empty value is one");
    commit(store, vec![put(b"a", b"2"), gone(b"b"), gone(b"never there")]);
    assert_eq!((get(store, b"a"), get(store, b"b")), (Some(b"2".to_vec()), None));
}

/// `get_many` answers key by key.
pub fn many_are_got_in_the_order_asked<S: Store>(store: &S) {
    commit(store, vec![put(b"a", b"1"), put(b"b", b"2")]);
    let asked = [&b"b"[..], b"x", b"a", b"b", &[RESERVED]].map(<[u8]>::to_vec);
    let got = store.get_many(&asked).expect("reads");
    assert_eq!(got, [Some(b"2".to_vec()), None, Some(b"1".to_vec()), Some(b"2".to_vec()), None]);
}

/// `from <= key < to`, in both directions, never more than asked for.
pub fn ranges_are_half_open_ordered_and_bounded<S: Store>(store: &S) {
    commit(store, vec![put(b"c", b""), put(b"a", b""), put(b"b", b""), put(b"b\0", b"")]);
    let keys = |from: &[u8], to: &[u8], reverse: bool, rows_max: usize| {
        let rows = store.range(from, to, reverse, rows_max).expect("reads");
        rows.into_iter().map(|(key, _)| String::from_utf8(key).expect("text")).collect::<Vec<_>>()
    };
    assert_eq!(keys(b"a", b"c", false, 9), ["a", "b", "b\0"]);
    assert_eq!(keys(b"a", b"c", true, 9), ["b\0", "b", "a"]);
    assert_eq!(keys(b"", &[0xFF], false, 9), ["a", "b", "b\0", "c"]);
    assert_eq!(keys(b"a", b"z", false, 2), ["a", "b"]);
    assert_eq!(keys(b"a", b"z", true, 2), ["c", "b\0"]);
    assert_eq!(keys(b"b", b"b\0", false, 9), ["b"]);
    let none: [&str; 0] = [];
    assert_eq!(keys(b"a", b"z", false, 0), none);
    assert_eq!(keys(b"b", b"b", false, 9), none);
    assert_eq!(keys(b"c", b"a", false, 9), none, "an inverted range is empty");
    assert_eq!(keys(b"c", b"a", true, 9), none, "an inverted range is empty");
}

/// Many rows of many lengths, removed and put again: ranges from anywhere, both ways.
pub fn ranges_agree_with_a_sorted_list<S: Store>(store: &S) {
    let mut list = std::collections::BTreeMap::new();
    // A fixed walk over keys of 1 to 40 bytes; runs of 0xFF are what engines stumble over.
    let mut state = 1u64;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for _ in 0..12 {
        let mut writes = std::collections::BTreeMap::new();
        for _ in 0..150 {
            let mut key = vec![1 + next(3) as u8];
            key.extend((0..next(40)).map(|_| [0x00, 0x01, 0x7F, 0xFE, 0xFF][next(5) as usize]));
            let value = (next(4) > 0).then(|| vec![next(256) as u8; next(300) as usize]);
            match &value {
                Some(value) => list.insert(key.clone(), value.clone()),
                None => list.remove(&key),
            };
            writes.insert(key, value);
        }
        commit(store, writes.into_iter().map(|(key, value)| (key, value.map(Into::into))).collect());
    }
    let keys: Vec<Vec<u8>> = list.keys().cloned().collect();
    for (from, to) in [(0, keys.len() - 1), (keys.len() / 3, keys.len() / 2), (keys.len() - 9, keys.len() - 1)] {
        let expected: Vec<Pair> =
            list.range(keys[from].clone()..keys[to].clone()).map(|(key, value)| (key.clone(), value.clone())).collect();
        for rows_max in [1, 7, usize::MAX] {
            let up = store.range(&keys[from], &keys[to], false, rows_max).expect("reads");
            assert!(up.iter().eq(expected.iter().take(rows_max)), "upwards {from}..{to} by {rows_max}");
            let down = store.range(&keys[from], &keys[to], true, rows_max).expect("reads");
            assert!(down.iter().eq(expected.iter().rev().take(rows_max)), "downwards {from}..{to} by {rows_max}");
        }
    }
}

/// Rows and checkpoint move together, and a reader beside the writer never sees half of a commit.
pub fn commit_is_whole<S: Store>(store: &S) {
    store.commit(at(0), ItemRef::new(Position(3), 5), 1, vec![put(b"a", b"1"), put(b"b", b"1")]).expect("commits");
    assert_eq!(store.checkpoint().expect("reads"), ItemRef::new(Position(3), 5));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                let rows = store.range(b"a", b"c", false, 9).expect("reads");
                let values: Vec<&[u8]> = rows.iter().map(|(_, value)| value.as_slice()).collect();
                assert!(values.len() == 2 && values[0] == values[1], "half of a commit: {values:?}");
                if values[0] == b"end" {
                    return;
                }
            }
        });
        for round in 0..200u32 {
            let value = if round == 199 { b"end".to_vec() } else { round.to_be_bytes().to_vec() };
            commit(store, vec![put(b"a", &value), put(b"b", &value)]);
        }
        reader.join().expect("the reader saw whole commits");
    });
}

/// A writer that does not know the checkpoint changes nothing.
pub fn stale_checkpoint_is_fenced<S: Store>(store: &S) {
    store.commit(at(0), at(5), 1, vec![put(b"a", b"1")]).expect("commits");
    for stale in [at(0), at(4), at(6), ItemRef::new(Position(5), 1)] {
        let refused = store.commit(stale, at(9), 1, vec![put(b"a", b"2"), put(b"b", b"2")]);
        assert!(matches!(refused, Err(StoreError::Fenced(_))), "from {stale}: {refused:?}");
    }
    assert_eq!(all(store), [(b"a".to_vec(), b"1".to_vec())]);
    assert_eq!(store.checkpoint().expect("reads"), at(5));
    store.commit(at(5), at(6), 1, vec![]).expect("the writer that does know goes on");
}

/// A former leader changes nothing once a later one has committed, even at the right checkpoint.
pub fn older_epoch_is_fenced<S: Store>(store: &S) {
    store.commit(at(0), at(1), 3, vec![put(b"a", b"1")]).expect("commits");
    let refused = store.commit(at(1), at(2), 2, vec![put(b"a", b"2")]);
    assert!(matches!(refused, Err(StoreError::Fenced(_))), "{refused:?}");
    assert_eq!((get(store, b"a"), store.checkpoint().expect("reads")), (Some(b"1".to_vec()), at(1)));
    store.commit(at(1), at(2), 3, vec![]).expect("the same epoch goes on");
    store.commit(at(2), at(3), 4, vec![]).expect("a later epoch takes over");
    assert!(matches!(store.commit(at(3), at(4), 3, vec![]), Err(StoreError::Fenced(_))));
}

/// The store's own keys are out of reach.
pub fn reserved_keys_are_hidden_and_refused<S: Store>(store: &S) {
    commit(store, vec![put(&[1], b"1")]);
    for reserved in [&b""[..], &[RESERVED], &[RESERVED, b'h', b'e', b'a', b'd']] {
        let before = store.checkpoint().expect("reads");
        let refused = store.commit(before, at(99), 1, vec![put(&[1], b"2"), put(reserved, b"")]);
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
        assert_eq!((store.checkpoint().expect("reads"), get(store, reserved)), (before, None));
    }
    assert_eq!(all(store), [(vec![1], b"1".to_vec())]);
    assert_eq!(store.range(&[], &[RESERVED + 1], true, 9).expect("reads"), []);
}

/// `flush` answers with the checkpoint that it made durable.
pub fn flush_tells_the_durable_checkpoint<S: Store>(store: &S) {
    assert_eq!(store.flush().expect("flushes"), ItemRef::default());
    commit(store, vec![put(b"a", b"1")]);
    assert_eq!(store.flush().expect("flushes"), at(1));
}

/// For stores that outlive the process: `open` opens the same store each time, empty at first.
pub fn survives_reopening<S: Store>(open: impl Fn() -> S) {
    let store = open();
    commit(&store, vec![put(b"a", b"1"), put(b"b", b"1")]);
    store.commit(at(1), ItemRef::new(Position(7), 2), 5, vec![gone(b"b"), put(b"c", &[7; 100_000])]).expect("commits");
    store.flush().expect("flushes");
    drop(store);
    let store = open();
    assert_eq!(store.checkpoint().expect("reads"), ItemRef::new(Position(7), 2));
    assert_eq!(all(&store), [(b"a".to_vec(), b"1".to_vec()), (b"c".to_vec(), vec![7; 100_000])]);
    let former = store.commit(ItemRef::new(Position(7), 2), at(8), 4, vec![]);
    assert!(matches!(former, Err(StoreError::Fenced(_))), "the epoch survives: {former:?}");
    store.commit(ItemRef::new(Position(7), 2), at(8), 5, vec![gone(b"a")]).expect("goes on where it was");
    drop(store);
    assert_eq!(all(&open()).len(), 1, "a store that is closed in order loses nothing");
}
