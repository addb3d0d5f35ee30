//! The list of tables, spans, readers, and what people are shown.

use std::sync::Arc;

use super::rows::IdempotencyRow;
use super::*;
use crate::base::Locale;
use crate::store::{MemoryStore, Store};

fn at(position: u64) -> ItemRef {
    ItemRef::new(Position(position), 0)
}

fn import(next: u32) -> ImportRow {
    ImportRow { connection: Slug::literal("1c"), next, total: None }
}

/// A thousand imports at odd positions, between rows of other tables.
fn filled() -> Tables {
    let tables = Tables::new(Arc::new(MemoryStore::new()));
    let mut overlay = tables.overlay();
    overlay.put::<Idempotency>(&Fingerprint([0xFF; 16]), IdempotencyRow { first: at(1), until: Timestamp(9) });
    overlay.put::<Meta>(&(), MetaRow::default());
    for number in 0..1_000 {
        overlay.put::<Imports>(&Position(number * 2 + 1), import(number as u32));
    }
    overlay.commit(at(0), at(1), 1).expect("commits");
    tables
}

#[test]
fn tags_and_names_are_each_used_once() {
    assert!(TABLES.is_sorted_by(|left, right| left.tag < right.tag), "tags ascend and differ");
    assert!(TABLES.iter().all(|table| (0x01..0xFF).contains(&table.tag)));
    let mut names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TABLES.len());
}

#[test]
fn spans_mean_what_they_say() {
    let tables = filled();
    let check = |span: Span<Imports>, reverse: bool, expected: &[u64]| {
        let rows = tables.reader().range(&span, reverse, 4).expect("reads");
        let found: Vec<u64> = rows.iter().map(|(position, _)| position.0).collect();
        assert_eq!(found, expected);
    };
    let key = Position;
    check(Span::all(), false, &[1, 3, 5, 7]);
    check(Span::all(), true, &[1999, 1997, 1995, 1993]);
    check(Span::all().from(&key(3)).before(&key(7)), false, &[3, 5]);
    check(Span::all().after(&key(3)).through(&key(7)), false, &[5, 7]);
    check(Span::all().after(&key(1997)), false, &[1999]);
    check(Span::all().before(&key(1995)), true, &[1993, 1991, 1989, 1987]);
    check(Span::all().from(&key(9)).before(&key(9)), false, &[]);
    check(Span::all().from(&key(9)).before(&key(3)), false, &[]);
    check(Span::all().from(&key(3)).from(&key(1)).before(&key(4)).before(&key(9)), false, &[3]);
}

#[test]
fn prefix_spans_hold_their_own_and_no_neighbours() {
    let tables = Tables::new(Arc::new(MemoryStore::new()));
    let mut overlay = tables.overlay();
    let foreign = |connection: &str, kind: &str, id: &str| Foreign {
        connection: Slug::new(connection).expect("a slug"),
        kind: kind.into(),
        id: id.into(),
    };
    let all = [
        ("1c", "order", "b"),
        ("1c", "order", "a\0"),
        ("1c", "orders", "a"),
        ("1c-2", "order", "a"),
        ("1c", "orde", "ra"),
    ];
    for (number, (connection, kind, id)) in all.into_iter().enumerate() {
        overlay.put::<Crosswalk>(&foreign(connection, kind, id), ObjectKey::Deal(DealId(number as u64)));
    }
    overlay.commit(at(0), at(1), 1).expect("commits");
    let ids = |span| -> Vec<String> {
        let rows = tables.reader().range::<Crosswalk>(&span, false, 9).expect("reads");
        rows.iter().map(|(key, _)| format!("{}:{}", key.kind, key.id.escape_debug())).collect()
    };
    assert_eq!(ids(Span::of(&(Slug::literal("1c"), "order".into()))), ["order:a\\0", "order:b"]);
    assert_eq!(ids(Span::of(&Slug::literal("1c"))), ["orde:ra", "order:a\\0", "order:b", "orders:a"]);
    assert_eq!(ids(Span::of(&Slug::literal("1"))), [""; 0]);
}

#[test]
fn rows_are_read_page_by_page_to_the_end() {
    let tables = filled();
    let rows: Result<Vec<_>, _> = tables.reader().rows::<Imports>(Span::all()).collect();
    let rows = rows.expect("reads");
    assert!(rows.into_iter().eq((0..1_000u64).map(|number| (Position(number * 2 + 1), import(number as u32)))));
    assert_eq!(tables.reader().rows::<Merges>(Span::all()).count(), 0);
}

#[test]
fn unreadable_row_is_named_and_never_skipped() {
    let tables = filled();
    let bad = |value: &[u8]| {
        let from = tables.store().checkpoint().expect("reads");
        let write = (key_bytes::<Imports>(&Position(801)), Some(value.into()));
        tables.store().commit(from, at(from.position.0 + 1), 1, vec![write]).expect("commits");
        let reader = tables.reader();
        let mut rows = reader.rows::<Imports>(Span::all());
        let error = rows.find_map(Result::err).expect("the bad row is reported");
        assert!(rows.next().is_none(), "and nothing after it");
        assert!(reader.range::<Imports>(&Span::all(), true, 1_000).is_err());
        assert!(reader.get_many::<Imports>(&[Position(1), Position(801)]).is_err());
        assert!(reader.get::<Imports>(&Position(801)).is_err());
        assert!(reader.get::<Imports>(&Position(803)).is_ok_and(|row| row.is_some()));
        error.message()
    };
    for damaged in [&[][..], &[0], &[1], &[1, 2, b'1'], &[&row_bytes::<Imports>(&import(1))[..], &[0]].concat()] {
        assert_eq!(bad(damaged).id, "table-row-damaged", "{damaged:?}");
    }
    let newer = bad(&[2, 0, 0, 0]);
    let text = newer.render(Locale::En);
    assert!(text.contains("imports") && text.contains("801") && text.contains("version 2"), "{text}");
    assert!(newer.render(Locale::Ru).contains("801"));
}

#[test]
fn keys_are_described_for_people_and_masked() {
    let check = |key: Vec<u8>, expected: &str| assert_eq!(describe(&key), expected);
    let client = ClientId::derive(at(17), 0);
    check(key_bytes::<Clients>(&client), &format!("clients {client}"));
    check(key_bytes::<Contacts>(&ContactKey("p+79161234567".into())), "contacts p+7***67");
    check(key_bytes::<Inns>(&Inn("7728123456".into())), "inns 7728***");
    check(key_bytes::<Meta>(&()), "meta");
    check(key_bytes::<Quarantine>(&ItemRef::new(Position(9), 4)), "quarantine 9.4");
    let object = ObjectRef::Deal(DealId::derive(at(70), 0));
    check(key_bytes::<Pending>(&Pending::key(&Slug::literal("crm"), object)), "pending crm 1 from 64.0");
    check(key_bytes::<Due>(&Due::key(Timestamp(0), DealId::derive(at(3), 0))), "due 1970-01-01T00:00:00Z from 0.0");
    let counter = (Slug::literal("site"), Slug::literal("lead"), OutcomeKind::Applied);
    check(key_bytes::<Counters>(&counter), "counters site lead applied");
    check(vec![0xFD, 1], "? 0xfd01 (2 B)");
    check(vec![Clients::TAG, 1], "clients 0x0101 (2 B)");
    check(vec![], "? 0x (0 B)");
    check(b"\x06p+79161234567".to_vec(), "contacts 0x06702b37 (14 B)");
}

#[test]
fn hash_sees_every_row_and_not_how_it_was_written() {
    let tables = filled();
    let hash = |store: &dyn Store| {
        let mut rows = 0;
        (rows_hash(store, |so_far| rows = so_far).expect("reads"), rows)
    };
    let (whole, rows) = hash(&**tables.store());
    assert_eq!(rows, 1_002);

    // The same rows, one commit each, under another epoch.
    let other = MemoryStore::new();
    let pairs = tables.store().range(&[], &[0xFF], true, usize::MAX).expect("reads");
    for (number, (key, value)) in pairs.into_iter().enumerate() {
        let number = number as u64;
        other.commit(at(number), at(number + 1), 9, vec![(key, Some(value.into()))]).expect("commits");
    }
    assert_eq!(hash(&other), (whole, 1_002));

    let from = other.checkpoint().expect("reads");
    let last = key_bytes::<Meta>(&());
    other.commit(from, at(5_000), 9, vec![(last, Some(vec![1].into()))]).expect("commits");
    assert_ne!(hash(&other).0, whole);
}

#[test]
fn clients_go_to_a_sink_before_deals_and_deals_before_calls() {
    let record = at(70);
    let crm = Slug::literal("crm");
    let client = Pending::key(&crm, ObjectRef::Client(ClientId::derive(at(900), 0)));
    let deal = Pending::key(&crm, ObjectRef::Deal(DealId::derive(record, 0)));
    let interaction = Pending::key(&crm, ObjectRef::Interaction(InteractionId::derive(record, 0)));
    assert!(client < deal && deal < interaction);
}
