//! Journal entries.

use std::collections::BTreeSet;

use uzel::base::checksum::Fingerprint;
use uzel::base::{ClientId, DealId, InteractionId, ItemRef, Message, Position, Slug, TaskId, Timestamp};
use uzel::entry::{
    AttemptResult, Attempted, AttemptedItem, Attempting, AttemptingItem, Body, Command, Commanded, Configured, Entry,
    Erasure, Kind, ObjectRef, Operation, Received, Slice, Ticked, Verdict,
};

use super::{Line, check_no_strangers, check_unchanged, file_name, read_or_freeze};

const KINDS: [Kind; 7] =
    [Kind::Received, Kind::Attempting, Kind::Attempted, Kind::Commanded, Kind::Configured, Kind::Ticked, Kind::Slice];

#[test]
fn entries_written_once_read_for_ever() {
    let mut files = BTreeSet::new();
    for kind in KINDS {
        let expected: Vec<Entry> = examples().into_iter().filter(|entry| entry.kind() == kind).collect();
        assert!(!expected.is_empty(), "no example of {}", kind.name());
        let fresh: Vec<Line> = expected.iter().map(|entry| (Vec::new(), entry.encode())).collect();
        let version = fresh[0].1[0];
        let frozen = read_or_freeze("entry", kind.name(), version, Some(&fresh));
        files.insert(file_name(kind.name(), version));
        check_unchanged(&format!("the entry {}", kind.name()), version, &frozen, &fresh);
        for ((_, payload), expected) in frozen.iter().zip(&expected) {
            assert_eq!(&Entry::decode(kind, payload).expect("a frozen entry reads"), expected);
        }
    }
    check_no_strangers("entry", &files);
}

/// Every kind with every variant that it may hold.
fn examples() -> Vec<Entry> {
    let mut all = received();
    all.extend(attempts());
    all.extend(commands());
    all.push(Entry::Configured(Configured { hash: Fingerprint([9; 16]), build: "0.1.0".into() }));
    all.push(Entry::Ticked(Ticked { at: Timestamp(-1) }));
    let of = Position(40);
    let slices = [
        Slice::Import { of, from: 256, to: 512 },
        Slice::Rescore { of, after: None, count: 256 },
        Slice::Rescore { of, after: Some(DealId(1 << 24)), count: 256 },
    ];
    all.extend(slices.map(Entry::Slice));
    all
}

fn received() -> Vec<Entry> {
    let file = Body::File { name: "b-40".into(), len: 5_000_000_000, fingerprint: Fingerprint([4; 16]) };
    let bodies = [Body::Inline(b"name=\xD0\x98".to_vec()), Body::Inline(Vec::new()), file];
    let received = |body| {
        Entry::Received(Received {
            connection: Slug::literal("site"),
            connector: Slug::literal("forms"),
            stream: Slug::literal("lead"),
            received_at: Timestamp(1_767_323_045_678),
            idempotency_key: Fingerprint([3; 16]),
            content_type: "application/x-www-form-urlencoded".into(),
            headers: vec![("x-form".into(), "callback".into()), ("file".into(), String::new())],
            body,
        })
    };
    bodies.map(received).into()
}

fn attempts() -> [Entry; 2] {
    let (sink, at) = (Slug::literal("bitrix24"), Timestamp(1_767_323_046_000));
    let objects = [
        ObjectRef::Client(ClientId(1)),
        ObjectRef::Deal(DealId(300)),
        ObjectRef::Interaction(InteractionId(70_000)),
        ObjectRef::Task(TaskId(5)),
    ];
    let operations = [Operation::Create, Operation::Update, Operation::Find, Operation::Create];
    let items = std::iter::zip(objects, operations).map(|(object, operation)| AttemptingItem { object, operation });
    let attempting = Attempting { sink: sink.clone(), at, items: items.collect() };

    let done = |foreign_id| AttemptResult::Done {
        foreign_kind: "contact".into(),
        foreign_id,
        sent: vec![("UF_CRM_SCORE".into(), "\"20\"".into())],
    };
    let failed = |verdict| AttemptResult::Failed { verdict, reason: Message::new("sink-refused").with("code", 400) };
    let verdicts = [
        Verdict::RetryAt(Timestamp(9)),
        Verdict::Uncertain,
        Verdict::Gone,
        Verdict::RejectObject,
        Verdict::RejectConnection,
    ];
    let results = [done(Some("17".into())), done(None)].into_iter().chain(verdicts.map(failed));
    let item =
        |result| AttemptedItem { object: objects[1], operation: Operation::Create, version: Position(39), result };
    let attempted = Attempted { sink, at, attempting: Some(Position(41)), items: results.map(item).collect() };
    [Entry::Attempting(attempting), Entry::Attempted(attempted)]
}

fn commands() -> Vec<Entry> {
    let at = ItemRef::new(Position(40), 2);
    let (sink, object) = (Slug::literal("bitrix24"), ObjectRef::Deal(DealId(300)));
    let (winner, loser, connection) = (ClientId(1), ClientId(2), Slug::literal("bitrix24"));
    let objects = vec![object, ObjectRef::Client(ClientId(1))];
    let commands = [
        Command::RetryRecord { at },
        Command::DiscardRecord { at, reason: "опечатка".into() },
        Command::ResendDelivery { sink: sink.clone(), object },
        Command::DiscardDelivery { sink: sink.clone(), object },
        Command::MergeClients { winner, loser },
        Command::SplitClients { winner, loser },
        Command::CompleteTask { task: TaskId(5), note: "договорились".into() },
        Command::CancelTask { task: TaskId(5), reason: String::new() },
        Command::ErasePerson(Erasure {
            client: ClientId(1),
            records: vec![at],
            marks: vec![Fingerprint([9; 16])],
            salt: [3; 16],
        }),
        Command::ApplyPlan { sink: sink.clone(), plan: Fingerprint([5; 16]), objects },
        Command::PauseSink { sink: sink.clone() },
        Command::ResumeSink { sink },
        Command::LoadSource { connection },
        Command::EditClient {
            client: ClientId(1),
            set: vec![("inn".into(), "7707083893".to_owned())],
            release: vec!["name".into()],
        },
        Command::EditDeal { deal: DealId(300), set: vec![("stage".into(), "КП".to_owned())], release: vec![] },
    ];
    let commanded = |command| Entry::Commanded(Commanded { at: Timestamp(5), by: "cli".into(), command });
    commands.map(commanded).into()
}
