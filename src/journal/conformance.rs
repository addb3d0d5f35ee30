//! What every [`Journal`] must do, as functions that any implementation is run through.
//!
//! Each function takes an empty journal of its own and panics at the first breach.

use std::path::PathBuf;

use super::{AppendError, Journal, NewEntry, StoredEntry};
use crate::base::{Position, Timestamp, limits};
use crate::entry::{Body, Kind};

/// Makes a synced file with these bytes where the journal's `adopt_body` can take it from.
pub type Spool<'a> = &'a dyn Fn(&[u8]) -> PathBuf;

/// Runs all; `fresh` gives an empty journal each time.
pub async fn all<J: Journal>(fresh: impl Fn() -> J, spool: Spool<'_>) {
    positions_follow_the_order_of_calls(&fresh()).await;
    entries_read_back_as_appended(&fresh()).await;
    reads_respect_their_bounds(&fresh()).await;
    journal_time_never_goes_back(&fresh()).await;
    head_is_published_with_the_entry(&fresh()).await;
    dropped_future_does_not_take_the_entry_back(&fresh()).await;
    too_large_entry_is_refused(&fresh()).await;
    bodies_read_back(&fresh(), spool).await;
}

fn entry(at: i64, payload: &[u8]) -> NewEntry {
    NewEntry { kind: Kind::Ticked, at: Timestamp(at), payload: payload.to_vec() }
}

async fn append(journal: &impl Journal, entry: NewEntry) -> Position {
    journal.append(entry).await.expect("the journal takes it")
}

fn read_all(journal: &impl Journal) -> Vec<StoredEntry> {
    journal.read(Position(1), usize::MAX, usize::MAX).expect("the journal reads")
}

/// Positions count from 1 without gaps; calls of one thread keep their order although nobody
/// awaits in between.
pub async fn positions_follow_the_order_of_calls(journal: &impl Journal) {
    assert_eq!((journal.head(), journal.first()), (Position::START, Position(1)));
    let appends: Vec<_> = (0u8..50).map(|index| journal.append(entry(1, &[index]))).collect();
    for (index, append) in (1..).zip(appends) {
        assert_eq!(append.await.expect("the journal takes it"), Position(index));
    }
    let payloads: Vec<u8> = read_all(journal).iter().map(|it| it.payload[0]).collect();
    assert_eq!(payloads, (0..50).collect::<Vec<u8>>());
}

/// Kind, time and bytes come back; an empty payload and one of zeros too.
pub async fn entries_read_back_as_appended(journal: &impl Journal) {
    let payloads = [vec![], vec![0; 300], vec![7; 1], vec![0xFF; 1000]];
    let kinds = [Kind::Received, Kind::Attempting, Kind::Configured, Kind::Slice];
    for ((payload, kind), at) in payloads.iter().zip(kinds).zip(5..) {
        append(journal, NewEntry { kind, at: Timestamp(at), payload: payload.clone() }).await;
    }
    let expected: Vec<_> = (1..)
        .zip(payloads.into_iter().zip(kinds))
        .map(|(index, (payload, kind))| StoredEntry {
            position: Position(index),
            kind,
            at: Timestamp(4 + index as i64),
            payload: payload.into(),
        })
        .collect();
    assert_eq!(read_all(journal), expected);
}

/// Count and bytes are bounds, one entry comes always, and nothing behind the head.
pub async fn reads_respect_their_bounds(journal: &impl Journal) {
    for index in 0..10 {
        append(journal, entry(1, &[index; 100])).await;
    }
    for (from, entries_max, bytes_max, expected) in [
        (1, 3, 10_000, 1..4),
        (0, 3, 10_000, 1..4),
        (4, 100, 10_000, 4..11),
        (4, 100, 250, 4..6),
        (4, 100, 300, 4..7),
        (4, 100, 0, 4..5),
        (10, 100, 10_000, 10..11),
        (11, 100, 10_000, 11..11),
        (500, 100, 10_000, 500..500),
        (1, 0, 10_000, 1..1),
    ] {
        let entries = journal.read(Position(from), entries_max, bytes_max).expect("the journal reads");
        let positions: Vec<u64> = entries.iter().map(|it| it.position.0).collect();
        assert_eq!(positions, expected.collect::<Vec<u64>>(), "from {from}, {entries_max} entries, {bytes_max} bytes");
    }
}

/// The running maximum of entry times.
pub async fn journal_time_never_goes_back(journal: &impl Journal) {
    for at in [5, 3, 9, -4, 9] {
        append(journal, entry(at, b"x")).await;
    }
    let times: Vec<i64> = read_all(journal).iter().map(|it| it.at.0).collect();
    assert_eq!(times, [5, 5, 9, 9, 9]);
}

/// Who has its position sees its entry; followers of the head are woken.
pub async fn head_is_published_with_the_entry(journal: &impl Journal) {
    let mut follower = journal.subscribe();
    for index in 1..20 {
        let position = append(journal, entry(1, b"x")).await;
        assert_eq!(position, Position(index));
        assert!(journal.head() >= position);
        assert_eq!(journal.read(position, 1, 1).expect("the journal reads").len(), 1);
        follower.changed().await.expect("the journal is open");
        assert_eq!(*follower.borrow_and_update(), position);
    }
}

/// The entry is the journal's from the call on.
pub async fn dropped_future_does_not_take_the_entry_back(journal: &impl Journal) {
    drop(journal.append(entry(1, b"dropped")));
    let position = append(journal, entry(1, b"awaited")).await;
    assert_eq!(position, Position(2));
    assert_eq!(read_all(journal)[0].payload.as_ref(), b"dropped");
}

/// And leaves no trace.
pub async fn too_large_entry_is_refused(journal: &impl Journal) {
    let refused = journal.append(entry(1, &vec![0; limits::ENTRY_PAYLOAD_BYTES_MAX + 1])).await;
    assert!(matches!(refused, Err(AppendError::TooLarge(_))));
    assert_eq!(append(journal, entry(1, b"x")).await, Position(1));
}

/// Small ones inline, large ones in files, adopted ones taken away from where they were.
pub async fn bodies_read_back(journal: &impl Journal, spool: Spool<'_>) {
    let large = vec![3; limits::INLINE_BODY_BYTES_MAX + 1];
    let file = spool(b"adopted");
    let bodies = [
        (journal.put_body(b"small".to_vec()).expect("kept"), b"small".to_vec()),
        (journal.put_body(large.clone()).expect("kept"), large),
        (journal.adopt_body(&file).expect("adopted"), b"adopted".to_vec()),
    ];
    assert!(matches!(bodies[0].0, Body::Inline(_)));
    assert!(matches!(bodies[1].0, Body::File { .. }));
    for (body, expected) in bodies {
        let mut bytes = Vec::new();
        let mut reader = journal.open_body(&body).expect("the body opens");
        std::io::Read::read_to_end(&mut reader, &mut bytes).expect("the body reads");
        assert!(bytes == expected, "a body of {} bytes", expected.len());
        assert_eq!(body.len(), expected.len() as u64);
    }
    assert!(journal.adopt_body(&file).is_err(), "it is no longer there");
}
