//! Keys and rows of the tables.

use std::collections::BTreeSet;
use std::fmt::Debug;

use rust_decimal::Decimal;
use uzel::base::checksum::Fingerprint;
use uzel::base::{ClientId, DealId, DocumentId, InteractionId, ItemRef, Message, Position, Slug, TaskId, Timestamp};
use uzel::entry::{Cursor, Erasure, Loading, ObjectRef};
use uzel::model::score::FactorPoints;
use uzel::model::{
    Class, ClassChange, Client, ClientKind, ClientState, CompanyName, Confirmed, ContactPoint, Currency, Deal,
    DealState, Delivery, DeliveryState, Direction, Document, DocumentKind, Email, Fault, FilterReason, Foreign,
    HeldContact, Inn, Interaction, InteractionKind, Kpp, Line as DealLine, LostReason, Money, Name, Ogrn, Outcome,
    OutcomeKind, PersonName, Phone, Provenance, Score, Sourced, Standing, Task, TaskEnd, TaskKind, TaskState, Utm,
};
use uzel::scoring::Sent;
use uzel::tables::rows::*;
use uzel::tables::*;

use super::{Line, check_no_strangers, check_unchanged, file_name, read_or_freeze};

#[test]
fn rows_written_once_read_for_ever() {
    let mut files = BTreeSet::new();
    let seen = &mut files;
    check::<Clients>(seen, clients());
    check::<ClientInteractions>(seen, vec![((ClientId(300), 2), vec![InteractionId(1), InteractionId(70_000)])]);
    check::<Deals>(seen, deals());
    check_earlier::<Interactions>(seen, 1, interactions_before(2));
    check::<Interactions>(seen, interactions());
    check::<Documents>(seen, documents());
    check::<Contacts>(seen, contacts());
    check::<Inns>(seen, vec![(Inn("7728123456".into()), vec![ClientId(1), ClientId(300)])]);
    check::<Crosswalk>(seen, crosswalk());
    check::<Pending>(seen, pending());
    check::<Outcomes>(seen, vec![(Block::of(record(64)), outcomes())]);
    check::<Idempotency>(seen, vec![(Fingerprint([7; 16]), IdempotencyRow { first: record(40), until: Timestamp(9) })]);
    check::<IdempotencyBlocks>(seen, vec![(Block::of(record(64)), vec![(Fingerprint([7; 16]), Timestamp(90))])]);
    check::<Quarantine>(seen, vec![(record(40), quarantined())]);
    check::<Due>(seen, vec![(Due::key(Timestamp(-5), DealId(1 << 40)), vec![DealId(1 << 40)])]);
    check::<Imports>(seen, imports());
    check::<Counters>(seen, counters());
    check::<Meta>(seen, vec![((), MetaRow::default()), ((), meta())]);
    check::<Merges>(seen, vec![((ClientId(1), ClientId(300)), merge())]);
    check::<Tasks>(seen, tasks());
    check::<OpenTasks>(seen, vec![(OpenTasks::key(Timestamp(-5), TaskId(1 << 40)), vec![TaskId(1 << 40)])]);
    check::<Watches>(seen, vec![(Watches::key(Timestamp(-5), DealId(1 << 40)), vec![DealId(1 << 40)])]);
    check::<Sinks>(seen, sink_rows());
    check::<Held>(seen, pending());
    check::<Turns>(seen, vec![("Москва".into(), vec![(Slug::literal("ivanova"), 2), (Slug::literal("petrov"), 300)])]);
    check::<OpenDeals>(seen, vec![(Slug::literal("ivanova"), 0), (Slug::literal("petrov"), 300)]);
    check::<Assignments>(seen, assignments());
    check::<Gatherings>(seen, gatherings());
    check::<Erasures>(seen, vec![(Position(300), erased())]);
    let crm = || Slug::literal("crm");
    check::<Cursors>(
        seen,
        vec![((crm(), Slug::literal("contact")), cursor(None)), ((crm(), Slug::literal("deal")), cursor(Some("50")))],
    );
    let polled = PolledRow {
        fingerprint: Fingerprint([8; 16]),
        time: "2026-01-02T03:04:05+03:00".into(),
        gone: true,
        told: vec![(6, 70_000)],
    };
    check::<PolledRows>(seen, vec![(foreign("contact", "17"), polled)]);
    check::<WordIds>(seen, vec![((crm(), "stage".into(), "КП".into()), "PREPARATION".into())]);
    check::<Words>(seen, vec![((crm(), "user".into(), "7".into()), word())]);

    let listed: BTreeSet<String> = TABLES.iter().map(|table| file_name(table.name, table.version)).collect();
    assert!(listed.is_subset(&files), "each table has its examples: {listed:?} {files:?}");
    check_no_strangers("tables", &files);
}

/// The file of the newest version reads as `expected`, and `expected` is still written so.
fn check<T: Table>(files: &mut BTreeSet<String>, expected: Vec<(T::Key, T::Row)>)
where
    T::Row: PartialEq + Debug,
{
    let version = <T::Row as Persisted>::VERSION;
    let fresh: Vec<Line> = expected.iter().map(|(key, row)| (key_bytes::<T>(key), row_bytes::<T>(row))).collect();
    let frozen = read_or_freeze("tables", T::NAME, version, Some(&fresh));
    files.insert(file_name(T::NAME, version));
    check_unchanged(&format!("table {}", T::NAME), version, &frozen, &fresh);
    for ((key, row), expected) in frozen.iter().zip(&expected) {
        assert_eq!(&decode_pair::<T>(key, row).expect("a frozen row reads"), expected, "table {}", T::NAME);
    }
}

/// The file of an earlier version still reads, as `expected`.
fn check_earlier<T: Table>(files: &mut BTreeSet<String>, version: u8, expected: Vec<(T::Key, T::Row)>)
where
    T::Row: PartialEq + Debug,
{
    let frozen = read_or_freeze("tables", T::NAME, version, None);
    files.insert(file_name(T::NAME, version));
    assert_eq!(frozen.len(), expected.len(), "examples of table {} version {version}", T::NAME);
    for ((key, row), expected) in frozen.iter().zip(&expected) {
        assert_eq!(&decode_pair::<T>(key, row).expect("a frozen row reads"), expected, "table {}", T::NAME);
    }
}

fn record(position: u64) -> ItemRef {
    ItemRef::new(Position(position), 3)
}

fn said<T>(value: T) -> Option<Sourced<T>> {
    let source = Slug::literal("1c");
    let provenance = Provenance { source, position: Position(40), observed_at: Timestamp(1_767_323_045_678), rank: 3 };
    Some(Sourced::new(value, &provenance))
}

fn text(text: &str) -> Option<Sourced<compact_str::CompactString>> {
    said(text.into())
}

fn extra() -> Vec<(compact_str::CompactString, Sourced<compact_str::CompactString>)> {
    vec![("Шкала/1".into(), text("да").expect("some"))]
}

fn foreign(kind: &str, id: &str) -> Foreign {
    Foreign { connection: Slug::literal("1c"), kind: kind.into(), id: id.into() }
}

/// A sink in every state that a delivery may be in.
fn sinks() -> Vec<SinkState> {
    let dead = |fault| DeliveryState::Dead { fault, reason: reason(), since: Timestamp(8) };
    let states = [
        DeliveryState::Due { at: Timestamp(7) },
        DeliveryState::InFlight { attempting: Position(41) },
        DeliveryState::Uncertain { at: Timestamp(7) },
        dead(Fault::Data),
        dead(Fault::Connection),
        dead(Fault::Sink),
        dead(Fault::Uzel),
        DeliveryState::Discarded,
    ];
    let open = |state| Delivery {
        state,
        wanted_since: Timestamp(6),
        wanted: Position(40),
        attempts: 2,
        last_reason: Some(reason()),
    };
    let mut sinks: Vec<SinkState> = states
        .into_iter()
        .map(|state| SinkState {
            sink: Slug::literal("bitrix24"),
            delivery: Some(open(state)),
            confirmed: None,
            gone: None,
        })
        .collect();
    let confirmed = Confirmed {
        foreign_kind: "contact".into(),
        foreign_id: "17".into(),
        version: Position(40),
        at: Timestamp(9),
        sent: vec![("NAME".into(), "\"Иван\"".into())],
    };
    sinks.push(SinkState {
        sink: Slug::literal("crm"),
        delivery: None,
        confirmed: Some(confirmed),
        gone: Some(Timestamp(10)),
    });
    sinks
}

fn reason() -> Message {
    Message::new("sink-refused").with("code", 400)
}

fn clients() -> Vec<(ClientId, ClientRow)> {
    let person =
        PersonName { surname: "Петров".into(), given: "Пётр".into(), patronymic: String::new().into() };
    let phone = |extension: Option<&str>| {
        ContactPoint::Phone(Phone { e164: "+79160000001".into(), extension: extension.map(Into::into) })
    };
    let email = Email { address: "P.Petrov@example.ru".into(), key: "p.petrov@example.ru".into() };
    let points = [
        phone(None),
        phone(Some("12")),
        ContactPoint::Email(email),
        ContactPoint::Messenger("telegram".into(), "petrov".into()),
        ContactPoint::Visitor("v-1".into()),
    ];
    let provenance = text("").expect("some").provenance;
    let held = |point| HeldContact { point, provenance: provenance.clone(), origin: ClientId(1) };
    let company =
        CompanyName { full: "ООО «Ромашка»".into(), form: "ООО".into(), bare: "Ромашка".into() };

    let full = Client {
        kind: ClientKind::Company,
        state: ClientState::MergedInto(ClientId(1), Position(44)),
        name: said(Name::Company(company)),
        inn: said(Inn("7728123456".into())),
        kpp: said(Kpp("772801001".into())),
        ogrn: said(Ogrn("1027700132195".into())),
        address: text("Москва"),
        responsible: text("17"),
        segment: text("regular"),
        decides: said(true),
        contacts: points.map(held).into(),
        foreign: vec![(foreign("counterparty", "8d1f"), ClientId(1))],
        merged: vec![ClientId(2)],
        not_same: vec![ClientId(3)],
        purchases: 300,
        extra: extra(),
        ..Client::new(ClientId(1 << 24), ClientKind::Company, Timestamp(5))
    };
    let row = ClientRow {
        client: full,
        deals: vec![DealId(1), DealId(300)],
        documents: vec![DocumentId(2)],
        interactions: vec![InteractionId(3)],
        interactions_spilled: 1,
        class: Some(Class::C2),
        open_tasks: vec![TaskId(5), TaskId(70_000)],
        sinks: sinks(),
    };
    let standings =
        [Standing::Client, Standing::Own, Standing::Supplier, Standing::Courier, Standing::Applicant, Standing::Spam];
    let plain = |standing| {
        let client = Client::new(ClientId(300), ClientKind::Person, Timestamp(5));
        ClientRow::new(Client { standing, name: said(Name::Person(person.clone())), ..client })
    };
    let rows = std::iter::once(row).chain(standings.map(plain));
    rows.map(|row| (row.client.id, row)).collect()
}

fn line() -> DealLine {
    DealLine {
        product: "p-1".into(),
        name: "Труба".into(),
        quantity: Decimal::new(1_250, 3),
        price: Decimal::new(-99_990, 2),
        sum: Decimal::from(i64::MAX),
    }
}

fn utm() -> Utm {
    Utm {
        source: "yandex".into(),
        medium: "cpc".into(),
        campaign: "spring".into(),
        content: "1".into(),
        term: "трубы".into(),
        clicks: vec![("yclid".into(), "99".into())],
    }
}

fn score() -> Score {
    let factor =
        FactorPoints { factor: "status".into(), level: "Встреча".into(), points_bp: -1_500, no_data: false };
    Score {
        as_of: Timestamp(5),
        rules: Fingerprint([8; 16]),
        base_bp: 2_000,
        factors: vec![factor],
        raw_bp: -2_500,
        p_bp: 500,
        floored: true,
        capped: false,
        price_minor: Some(12_345_678_900),
        value_minor: Some(617_283_945),
        fresh_value_minor: Some(1),
        currency: Some(Currency::rub()),
        class: Class::C1,
        in_forecast: true,
        next_change: Some(Timestamp(6)),
    }
}

fn erased() -> ErasureRow {
    ErasureRow {
        at: Timestamp(9),
        erasure: Erasure {
            client: ClientId(1),
            records: vec![record(40)],
            marks: vec![Fingerprint([9; 16])],
            salt: [3; 16],
        },
        clients: vec![ClientId(1), ClientId(300)],
        deals: vec![DealId(1)],
        objects: vec![ObjectRef::Client(ClientId(1)), ObjectRef::Deal(DealId(1))],
    }
}

fn assignments() -> Vec<(DealId, AssignmentRow)> {
    let by_turn = AssignmentRow {
        employee: Some(Slug::literal("ivanova")),
        group: Some("Москва".into()),
        at: Timestamp(9),
        why: vec![Message::new("people-turn").with("name", "Иванова Анна").with("group", "Москва")],
        counted: Some(Slug::literal("petrov")),
    };
    vec![(DealId(1), by_turn), (DealId(300), AssignmentRow::counted_only(Timestamp(-5)))]
}

fn deals() -> Vec<(DealId, DealRow)> {
    let class_change = |to| ClassChange { from: Some(Class::A), to, at: Timestamp(5) };
    let full = Deal {
        title: text("Заявка"),
        pipeline: text("Продажи"),
        stage: text("КП"),
        price: said(Money::rub(Decimal::new(123_456_789, 2))),
        source: text("сарафан"),
        utm_first: utm(),
        utm_last: utm(),
        responsible: text("17"),
        comment: said("Перезвонить".to_owned()),
        product_line: text("трубы"),
        close_date: said(Timestamp(77)),
        close_date_moves: 2,
        client_replied_at: Some(Timestamp(66)),
        next_step: text("planned"),
        deferred: said(false),
        lines: vec![line()],
        paid: said(Money::rub(1)),
        documents: vec![DocumentId(2)],
        foreign: vec![foreign("order", "1")],
        score: Some(score()),
        class_history: Class::ALL.map(class_change).into(),
        hidden: true,
        extra: extra(),
        ..Deal::new(DealId(1 << 24), Some(ClientId(1)), Slug::literal("site"), Timestamp(5))
    };
    let lost = |reason| DealState::Lost(Timestamp(7), reason);
    let states = [
        DealState::Open,
        DealState::Won(Timestamp(7)),
        lost(LostReason::Other),
        lost(LostReason::Refused),
        lost(LostReason::Junk),
    ];
    let plain =
        |state| DealRow::new(Deal { state, ..Deal::new(DealId(300), None, Slug::literal("site"), Timestamp(5)) });
    let published = Sent { class: Class::B, leading_reason: "+40 КП".into(), value_minor: Some(8_000_000) };
    let full_row = DealRow {
        deal: full,
        published: Some(published),
        watch: Some(Watch { since: Timestamp(5), at: Timestamp(900_005), found: 1 }),
        open_tasks: vec![TaskId(5)],
        sinks: sinks(),
    };
    let rows = std::iter::once(full_row).chain(states.map(plain));
    rows.map(|row| (row.deal.id, row)).collect()
}

fn interactions() -> Vec<(InteractionId, InteractionRow)> {
    let kinds = [
        InteractionKind::Call,
        InteractionKind::Letter,
        InteractionKind::Form,
        InteractionKind::Visit,
        InteractionKind::Message,
        InteractionKind::Note,
        InteractionKind::StageTransition,
        InteractionKind::Meeting,
    ];
    let directions = [Direction::Inbound, Direction::Outbound, Direction::Internal];
    let interaction = |(kind, direction)| Interaction {
        id: InteractionId(1 << 24),
        client: Some(ClientId(1)),
        deal: Some(DealId(300)),
        kind,
        direction,
        at: Timestamp(5),
        source: Slug::literal("site"),
        record: record(40),
        subject: "Обратный звонок".into(),
        text: "Здравствуйте".to_owned(),
        page: "/contacts".into(),
        utm: utm(),
        who: Some("Иван Петров".into()),
        duration_s: Some(300),
        result: "пропущен".into(),
    };
    let all = std::iter::zip(kinds, directions.into_iter().cycle()).map(interaction);
    let mut rows: Vec<InteractionRow> = all.map(InteractionRow::new).collect();
    rows[0].sinks = sinks();
    rows.into_iter().map(|row| (row.interaction.id, row)).collect()
}

/// Before version 2 there were no meetings, and nobody was told to have taken part.
fn interactions_before(version: u8) -> Vec<(InteractionId, InteractionRow)> {
    assert_eq!(version, 2);
    let mut rows = interactions();
    rows.retain(|(_, row)| row.interaction.kind != InteractionKind::Meeting);
    for (_, row) in &mut rows {
        let it = &mut row.interaction;
        (it.who, it.duration_s, it.result) = (None, None, Default::default());
    }
    rows
}

fn documents() -> Vec<(DocumentId, Document)> {
    let kinds = [
        DocumentKind::Order,
        DocumentKind::Invoice,
        DocumentKind::Shipment,
        DocumentKind::Payment,
        DocumentKind::Return,
        DocumentKind::Contract,
    ];
    let mut all: Vec<Document> = kinds.map(|kind| Document::new(DocumentId(300), kind)).into();
    all[0] = Document {
        client: Some(ClientId(1)),
        deal: Some(DealId(300)),
        foreign: vec![foreign("order", "1")],
        number: text("КА-000017"),
        date: said(Timestamp(5)),
        number_1c: text("17"),
        sum: said(Money::rub(Decimal::new(999, 1))),
        posted: said(true),
        deletion_mark: said(false),
        cancelled: said(false),
        paid: said(true),
        shipped: said(false),
        status: text("К отгрузке"),
        comment: said(String::new()),
        lines: vec![line()],
        extra: extra(),
        ..all[0].clone()
    };
    all.into_iter().map(|document| (document.id, document)).collect()
}

fn contacts() -> Vec<(ContactKey, ContactRow)> {
    let own = ContactRow { clients: vec![ClientId(1)], not_identifying: false };
    let shared = ContactRow { clients: vec![ClientId(1), ClientId(300)], not_identifying: true };
    vec![(ContactKey("p+79160000001;12".into()), own), (ContactKey("einfo@example.ru".into()), shared)]
}

fn crosswalk() -> Vec<(Foreign, ObjectKey)> {
    vec![
        (foreign("counterparty", "8d1f-00"), ObjectKey::Client(ClientId(1))),
        (foreign("сделка", ""), ObjectKey::Deal(DealId(300))),
        (foreign("order", "a\0b"), ObjectKey::Document(DocumentId(70_000))),
        (foreign("call", "1"), ObjectKey::Interaction(InteractionId(4))),
        (foreign("activity", "1"), ObjectKey::Task(TaskId(5))),
    ]
}

fn pending() -> Vec<((Slug, u8, Block), Vec<ObjectRef>)> {
    let objects = [
        ObjectRef::Client(ClientId::derive(record(64), 0)),
        ObjectRef::Deal(DealId::derive(record(70), 1)),
        ObjectRef::Interaction(InteractionId::derive(ItemRef::new(Position(64), 100), 0)),
        ObjectRef::Task(TaskId::derive(record(70), 3)),
    ];
    objects.map(|object| (Pending::key(&Slug::literal("bitrix24"), Lane::Urgent, object), vec![object])).into()
}

fn outcomes() -> Vec<OutcomeItem> {
    let all = [
        Outcome::Applied { client: Some(ClientId(1)), deal: None },
        Outcome::Applied { client: None, deal: Some(DealId(300)) },
        Outcome::Unchanged,
        Outcome::Repeated(record(40)),
        Outcome::Filtered(FilterReason::Test),
        Outcome::Filtered(FilterReason::Spam),
        Outcome::Filtered(FilterReason::NotUsed),
        Outcome::Filtered(FilterReason::Internal),
        Outcome::Quarantined(reason()),
        Outcome::Discarded,
    ];
    std::iter::zip(64.., all).map(|(position, outcome)| (record(position), Slug::literal("site"), outcome)).collect()
}

fn quarantined() -> QuarantineRow {
    QuarantineRow {
        connection: Slug::literal("site"),
        stream: Slug::literal("lead"),
        at: Timestamp(5),
        reason: reason(),
        retries: 1,
    }
}

fn imports() -> Vec<(Position, ImportRow)> {
    let row = |total| ImportRow { connection: Slug::literal("1c"), next: 256, total };
    vec![(Position(40), row(None)), (Position(41), row(Some(70_000)))]
}

fn counters() -> Vec<((Slug, Slug, OutcomeKind), u64)> {
    let key = |kind| (Slug::literal("site"), Slug::literal("lead"), kind);
    OutcomeKind::ALL
        .into_iter()
        .zip([0, 1, 127, 128, 70_000, u64::MAX])
        .map(|(kind, count)| (key(kind), count))
        .collect()
}

fn meta() -> MetaRow {
    MetaRow {
        journal_time: Timestamp(5),
        configuration: Some(Fingerprint([6; 16])),
        configured_at: Position(39),
        rescore: Some((Position(39), Some(DealId(300)))),
        deals_scored: 9,
    }
}

fn cursor(after: Option<&str>) -> CursorRow {
    let loading = after.map(|after| Loading { after: after.into(), read: 50, total: Some(70_000) });
    let time = "2026-01-02T03:04:05+03:00".into();
    CursorRow {
        cursor: Cursor {
            time,
            id: "17".into(),
            mark: "2026-01-01T00:00:00+03:00".into(),
            loading,
            loaded: true,
            swept_at: 5,
        },
        at: Timestamp(5),
    }
}

fn word() -> WordRow {
    WordRow {
        name: "Анна Орлова".into(),
        within: "2".into(),
        active: true,
        email: "anna@example.ru".into(),
        phone: "102".into(),
    }
}

fn merge() -> MergeRow {
    MergeRow {
        at: Position(44),
        why: vec![reason()],
        moved_deals: vec![DealId(300)],
        moved_documents: vec![DocumentId(2)],
        moved_interactions: vec![InteractionId(3)],
        moved_tasks: vec![TaskId(5)],
    }
}

fn tasks() -> Vec<(TaskId, TaskRow)> {
    let end = || TaskEnd { at: Timestamp(9), by: reason() };
    let states = [TaskState::Open, TaskState::Done(end()), TaskState::Cancelled(end())];
    let task = |(kind, state): (TaskKind, TaskState)| Task {
        id: TaskId(1 << 24),
        kind,
        title: reason(),
        client: Some(ClientId(1)),
        deal: Some(DealId(300)),
        responsible: Some("Иванова".into()),
        due: Timestamp(70),
        state,
        created_at: Timestamp(5),
        rule: "lead.open_deal".into(),
        record: record(40),
        renewals: 2,
        version: Position(41),
    };
    let all = std::iter::zip(TaskKind::ALL, states.into_iter().cycle()).map(task);
    let mut rows: Vec<TaskRow> = all.map(|task| TaskRow { task, sinks: Vec::new() }).collect();
    rows[0].sinks = sinks();
    rows[1].task.responsible = None;
    rows.into_iter().map(|row| (row.task.id, row)).collect()
}

/// A call with everything that one may have.
fn gatherings() -> Vec<((Slug, compact_str::CompactString), GatheringRow)> {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use uzel::assembly::call::{Desk, Fact, Link, Shelf, Slot, ami};
    use uzel::decode::{ami::packets, cdr};

    struct Memory(BTreeMap<String, Slot>);
    impl Shelf for Memory {
        type Error = Infallible;
        fn take(&mut self, name: &str) -> Result<Option<Slot>, Infallible> {
            Ok(self.0.remove(name))
        }
        fn put(&mut self, name: &str, slot: Slot) -> Result<(), Infallible> {
            self.0.insert(name.to_owned(), slot);
            Ok(())
        }
    }

    let file = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/asterisk").join(name);
        std::fs::read(path).expect("a capture")
    };
    let mut facts = Vec::new();
    packets(&file("ring-group-local-channels.ami"), |packet| facts.extend(ami::fact(&packet, facts.len() as u32)));
    cdr::rows(&file("ring-group-local-channels.cdr.csv"), |row| facts.extend(row.map(Fact::of_row)));
    let mut shelf = Memory(BTreeMap::new());
    let Ok(_ready) = Desk::new(&mut shelf, record(40), Timestamp(1_795_298_400_000)).take(facts);
    shelf.0.insert(String::new(), Slot::Link(Link { session: 2, lost: true, open: vec!["1795298383.549".into()] }));
    let ats = || Slug::literal("ats");
    shelf.0.into_iter().map(|(name, slot)| ((ats(), name.into()), GatheringRow { slot })).collect()
}

fn sink_rows() -> Vec<(Slug, SinkRow)> {
    let approval = Approval { position: Position(50), at: Timestamp(9), plan: Fingerprint([5; 16]), lines: 12 };
    let paused = SinkRow { open: true, live_by_file: false, approval: Some(approval), paused: Some(Timestamp(11)) };
    let live = SinkRow { open: true, live_by_file: true, ..SinkRow::default() };
    let row = |row| (Slug::literal("bitrix24"), row);
    vec![row(SinkRow::default()), row(live), row(paused)]
}
