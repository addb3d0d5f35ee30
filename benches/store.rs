//! What a message costs the store: micro-batches of 256 messages of six rows, into sled.
//!
//! `cargo bench --bench store` prints the median of the rounds, in microseconds of wall-clock per
//! message: what the overlay takes (typed reads, changes, encoding; the store's reads are in it) and
//! what the commit takes; over memory first, which shows the overlay's own cost, then over sled.
//! The messages are site forms: one in four comes from a client that is known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uzel::base::checksum::Fingerprint;
use uzel::base::{ClientId, DealId, InteractionId, ItemRef, Position, Slug, Timestamp};
use uzel::entry::ObjectRef;
use uzel::model::{
    Client, ClientKind, ContactPoint, Deal, Direction, HeldContact, Interaction, InteractionKind, Name, Outcome,
    PersonName, Phone, Provenance, Sourced, Utm,
};
use uzel::store::sled::SledStore;
use uzel::store::{MemoryStore, Store};
use uzel::tables::rows::{ClientRow, ContactRow, DealRow, IdempotencyRow, InteractionRow, sink_state_mut};
use uzel::tables::{
    Block, Clients, ContactKey, Contacts, Deals, Idempotency, Interactions, Lane, Outcomes, Overlay, Pending, Tables,
    packed,
};

const BATCH: u64 = 256;
const BATCHES: u64 = 80;
const ROUNDS: usize = 5;

fn main() {
    for in_memory in [true, false] {
        measure(in_memory);
    }
}

fn measure(in_memory: bool) {
    let (mut overlay_us, mut commit_us, mut rows) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a folder");
        let round = match in_memory {
            true => round(Arc::new(MemoryStore::new())),
            false => round(Arc::new(SledStore::open(folder.path()).expect("opens").store)),
        };
        let per_message = |time: Duration| time.as_secs_f64() * 1e6 / (BATCH * BATCHES) as f64;
        overlay_us.push(per_message(round.overlay));
        commit_us.push(per_message(round.commit));
        rows = round.writes;
    }
    let (overlay, commit) = (median(overlay_us), median(commit_us));
    let rows_per_message = rows as f64 / (BATCH * BATCHES) as f64;
    let name = if in_memory { "memory" } else { "sled" };
    println!(
        "{name}: batches of {BATCH} messages, {rows_per_message:.2} keys written per message, median of {ROUNDS} rounds:"
    );
    println!("  overlay {overlay:6.2} us per message");
    println!("  commit  {commit:6.2} us per message");
    println!("  both    {:6.2} us per message, {:.0} messages/s", overlay + commit, 1e6 / (overlay + commit));
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Round {
    overlay: Duration,
    commit: Duration,
    writes: usize,
}

fn round(store: Arc<dyn Store>) -> Round {
    let tables = Tables::new(store);
    let mut overlay = tables.overlay();
    let mut round = Round { overlay: Duration::ZERO, commit: Duration::ZERO, writes: 0 };
    for batch in 0..BATCHES {
        let started = Instant::now();
        for number in batch * BATCH..(batch + 1) * BATCH {
            apply(&mut overlay, number);
        }
        let writes = overlay.finish();
        let finished = Instant::now();
        round.overlay += finished - started;
        round.writes += writes.len();
        let at = |batch: u64| ItemRef::new(Position(batch * BATCH), 0);
        tables.store().commit(at(batch), at(batch + 1), 1, writes).expect("commits");
        round.commit += finished.elapsed();
    }
    round
}

/// What a form does: finds or makes the client, makes a deal and an interaction, and leaves its marks.
fn apply(overlay: &mut Overlay, number: u64) {
    let at = ItemRef::new(Position(number + 1), 0);
    let sink = Slug::literal("bitrix24");
    let phone = if number % 4 == 3 { number / 8 } else { number };
    let point = ContactPoint::Phone(Phone { e164: format!("+7916{phone:07}").into(), extension: None });
    let key = ContactKey::of(&point);
    let known = overlay.peek::<Contacts, _>(&key, |row| row.map(|row| row.clients[0])).expect("reads");
    let client = known.unwrap_or(ClientId::derive(at, 0));
    let deal = DealId::derive(at, 0);
    let interaction = InteractionId::derive(at, 0);
    if known.is_none() {
        overlay.put::<Contacts>(&key, ContactRow { clients: vec![client], not_identifying: false });
    }
    let join = |row: &mut ClientRow| {
        row.client.version = at.position;
        packed::insert(&mut row.deals, deal);
        let spilled = row.push_interaction(interaction);
        assert!(spilled.is_none(), "no client has so many here");
        sink_state_mut(&mut row.sinks, &sink).delivery = None;
    };
    if known.is_some() {
        overlay.update::<Clients, _>(&client, |row| row.as_mut().map(join)).expect("reads");
    } else {
        // Its id derives from this record, so nothing can be there: no read.
        let mut row = ClientRow::new(new_client(client, point, at));
        join(&mut row);
        overlay.put::<Clients>(&client, row);
    }
    overlay.put::<Deals>(&deal, DealRow::new(new_deal(deal, client, at)));
    overlay.put::<Interactions>(&interaction, InteractionRow::new(new_interaction(interaction, client, deal, at)));
    let fingerprint = Fingerprint::of(&number.to_le_bytes());
    let came_before = overlay.peek::<Idempotency, _>(&fingerprint, |row| row.is_some()).expect("reads");
    assert!(!came_before, "each is another");
    overlay.put::<Idempotency>(&fingerprint, IdempotencyRow { first: at, until: Timestamp(i64::MAX) });
    let outcome = (at, Slug::literal("site"), Outcome::Applied { client: Some(client), deal: Some(deal) });
    let outcomes = |row: &mut Option<Vec<_>>| packed::replace(row.get_or_insert_default(), outcome, |it| it.0);
    overlay.update::<Outcomes, _>(&Block::of(at), outcomes).expect("reads");
    for object in [ObjectRef::Client(client), ObjectRef::Deal(deal), ObjectRef::Interaction(interaction)] {
        let open = |row: &mut Option<Vec<_>>| packed::insert(row.get_or_insert_default(), object);
        overlay.update::<Pending, _>(&Pending::key(&sink, Lane::Urgent, object), open).expect("reads");
    }
}

fn provenance(at: ItemRef) -> Provenance {
    Provenance {
        source: Slug::literal("site"),
        position: at.position,
        observed_at: Timestamp(1_767_323_045_000),
        rank: 1,
    }
}

fn new_client(id: ClientId, point: ContactPoint, at: ItemRef) -> Client {
    let name =
        PersonName { surname: "Петров".into(), given: "Пётр".into(), patronymic: "Петрович".into() };
    let mut client = Client::new(id, ClientKind::Person, Timestamp(1_767_323_045_000));
    client.name = Some(Sourced::new(Name::Person(name), &provenance(at)));
    client.contacts.push(HeldContact { point, provenance: provenance(at), origin: id });
    client
}

fn new_deal(id: DealId, client: ClientId, at: ItemRef) -> Deal {
    let mut deal = Deal::new(id, Some(client), Slug::literal("site"), Timestamp(1_767_323_045_000));
    deal.title = Some(Sourced::new("Заявка с сайта".into(), &provenance(at)));
    deal.source = Some(Sourced::new("сайт".into(), &provenance(at)));
    deal.comment = Some(Sourced::new("Перезвоните мне, пожалуйста, после обеда".to_owned(), &provenance(at)));
    deal
}

fn new_interaction(id: InteractionId, client: ClientId, deal: DealId, at: ItemRef) -> Interaction {
    Interaction {
        id,
        client: Some(client),
        deal: Some(deal),
        kind: InteractionKind::Form,
        direction: Direction::Inbound,
        at: Timestamp(1_767_323_045_000),
        source: Slug::literal("site"),
        record: at,
        subject: "Обратный звонок".into(),
        text: "Перезвоните мне, пожалуйста, после обеда".to_owned(),
        page: "/catalog/pipes".into(),
        utm: Utm { source: "yandex".into(), medium: "cpc".into(), ..Utm::default() },
        who: None,
        duration_s: None,
        result: Default::default(),
    }
}
