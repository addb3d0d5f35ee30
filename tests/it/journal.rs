//! The journal on a real and on a simulated disk: conformance, recovery, damage, space.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uzel::base::checksum::Fingerprint;
use uzel::base::clock::ManualClock;
use uzel::base::{Position, Slug, Timestamp};
use uzel::entry::{Body, Entry, Kind, Received};
use uzel::journal::format::{FrameHeader, SegmentHeader};
use uzel::journal::group::{Group, payload_crc};
use uzel::journal::simulated::{Fault, SimulatedDisk, Syncs};
use uzel::journal::writer::Writer;
use uzel::journal::{
    AppendError, Disk, Journal, MemoryJournal, NewEntry, OpenError, Options, ReadError, RealDisk, Recovery, Segments,
    Takes, conformance, verify,
};

const FOLDER: &str = "journal";

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Timestamp(1_000)))
}

fn entry(payload: &[u8]) -> NewEntry {
    NewEntry { kind: Kind::Ticked, at: Timestamp(7), payload: payload.to_vec() }
}

/// A journal on a simulated disk, with the files at hand.
struct Fixture {
    disk: SimulatedDisk,
    options: Options,
    clock: Arc<ManualClock>,
}

impl Fixture {
    fn new() -> Fixture {
        Fixture { disk: SimulatedDisk::new(Syncs::Honest), options: Options::small(2048), clock: clock() }
    }

    fn open(&self) -> Result<(Segments, Recovery), OpenError> {
        Segments::open_on(Arc::new(self.disk.clone()), Path::new(FOLDER), self.clock.clone(), self.options.clone())
    }

    fn opened(&self) -> (Segments, Recovery) {
        self.open().expect("the journal opens")
    }

    fn read_only(&self) -> Segments {
        let disk = Arc::new(self.disk.clone());
        let opened = Segments::open_read_only(disk, Path::new(FOLDER), self.clock.clone(), self.options.clone());
        opened.expect("the journal opens").0
    }

    fn segment(&self, first: u64) -> PathBuf {
        Path::new(FOLDER).join(format!("{first:020}.segment"))
    }

    fn segments(&self) -> Vec<u64> {
        let mut names = self.disk.list(Path::new(FOLDER)).expect("the folder lists");
        names.sort();
        names.iter().filter_map(|name| name.strip_suffix(".segment")?.parse().ok()).collect()
    }
}

/// Appends payloads of 100 bytes, each in a group of its own: frames of 136 bytes, 14 to a segment
/// of 2048.
async fn fill(journal: &Segments, count: u8) {
    for index in 0..count {
        journal.append(entry(&[index; 100])).await.expect("the journal takes it");
    }
}

fn positions(journal: &Segments, from: u64) -> Vec<u64> {
    let entries = journal.read(Position(from), 1000, 1_000_000).expect("the journal reads");
    entries.iter().map(|it| it.position.0).collect()
}

fn range(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

#[tokio::test]
async fn memory_journal_conforms() {
    let folder = tempfile::tempdir().expect("a folder for tests");
    conformance::all(MemoryJournal::new, &|bytes| {
        let path = folder.path().join("spooled");
        std::fs::write(&path, bytes).expect("the folder takes it");
        path
    })
    .await;
}

#[tokio::test]
async fn segments_on_a_real_disk_conform() {
    let folder = tempfile::tempdir().expect("a folder for tests");
    let count = AtomicU64::new(0);
    let fresh = || {
        let journal = folder.path().join(count.fetch_add(1, Ordering::Relaxed).to_string());
        let options = Options { segment_bytes: 4_300_000, ..Options::production(1) };
        let options = Options { free_intake_bytes_min: 0, free_command_bytes_min: 0, ..options };
        Segments::open(&journal, clock(), options).expect("the journal opens").0
    };
    conformance::all(fresh, &|bytes| {
        let path = folder.path().join("spooled");
        std::fs::write(&path, bytes).expect("the folder takes it");
        path
    })
    .await;
}

#[tokio::test]
async fn segments_of_a_few_entries_conform() {
    let spools = SimulatedDisk::new(Syncs::Honest);
    let fresh = || {
        let options = Options { inline_body_bytes_max: 1024 * 1024, ..Options::small(2048) };
        Segments::open_on(Arc::new(spools.clone()), &unique(), clock(), options).expect("the journal opens").0
    };
    conformance::all(fresh, &|bytes| {
        let path = unique();
        spools.create(&path).and_then(|file| file.write_at(bytes, 0)).expect("nothing is injected");
        path
    })
    .await;
}

fn unique() -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    PathBuf::from(format!("journal-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[tokio::test]
async fn reopened_journal_goes_on_where_it_stopped() {
    let fixture = Fixture::new();
    let (journal, recovery) = fixture.opened();
    assert_eq!((recovery.head, recovery.segments), (Position::START, 0));
    fill(&journal, 30).await;
    journal.close();
    assert!(matches!(journal.append(entry(b"late")).await, Err(AppendError::Closed(_))));

    let (journal, recovery) = fixture.opened();
    assert_eq!((recovery.head, recovery.segments, recovery.torn), (Position(30), 3, None));
    assert_eq!(recovery.time, Timestamp(7));
    assert_eq!(journal.append(entry(b"next")).await.expect("taken"), Position(31));
    assert_eq!(positions(&journal, 1), range(1, 31));
    assert_eq!(fixture.segments(), [1, 15, 29]);
}

#[tokio::test]
async fn one_entry_of_a_reopened_journal_is_found_wherever_it_is() {
    let fixture = Fixture::new();
    fill(&fixture.opened().0, 60).await;
    for examination in [uzel::journal::Examination::Last, uzel::journal::Examination::All] {
        let options = Options { examination, ..fixture.options.clone() };
        let journal = Fixture { options, ..Fixture { disk: fixture.disk.clone(), ..Fixture::new() } }.opened().0;
        for position in (1..=60).rev() {
            let entries = journal.read(Position(position), 1, 1).expect("the journal reads");
            assert_eq!(entries[0].payload.as_ref(), [position as u8 - 1; 100], "position {position}");
        }
    }
}

#[tokio::test]
async fn many_senders_share_syncs_and_lose_nothing() {
    let fixture = Fixture { options: Options { segment_bytes: 1 << 20, ..Options::small(1 << 20) }, ..Fixture::new() };
    let journal = Arc::new(fixture.opened().0);
    let senders: Vec<_> = (0u8..16)
        .map(|sender| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut mine = Vec::new();
                for index in 0u8..50 {
                    mine.push((journal.append(entry(&[sender, index])).await.expect("taken"), [sender, index]));
                }
                mine
            })
        })
        .collect();
    let mut expected = Vec::new();
    for sender in senders {
        expected.extend(sender.await.expect("the sender does not panic"));
    }
    expected.sort();
    let entries = journal.read(Position(1), 10_000, 1 << 20).expect("the journal reads");
    let found: Vec<_> = entries.iter().map(|it| (it.position, [it.payload[0], it.payload[1]])).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn torn_tail_is_cut_and_said_so() {
    let fixture = Fixture::new();
    fill(&fixture.opened().0, 5).await;
    // The fifth frame begins behind four others.
    let offset = 64 + 4 * 136;
    fixture.disk.corrupt(&fixture.segment(1), |bytes| bytes[offset + 50] ^= 1);
    let (journal, recovery) = fixture.opened();
    let torn = recovery.torn.expect("a tail was cut");
    assert_eq!((torn.offset, torn.bytes), (offset as u64, 132), "up to the last byte that is not zero");
    assert_eq!((recovery.head, recovery.damaged.len()), (Position(4), 0));
    let content = fixture.disk.content(&fixture.segment(1)).expect("the segment is there");
    assert!(content[offset..].iter().all(|it| *it == 0), "nothing of it is left");
    assert_eq!(content.len(), 2048, "and the space is reserved again");
    assert_eq!(journal.append(entry(b"again")).await.expect("taken"), Position(5));
}

/// A group of four, of which the disk kept the first and the last two.
#[test]
fn hole_in_an_unsynced_group_is_a_torn_tail() {
    let fixture = Fixture::new();
    let open = || Writer::open(Arc::new(fixture.disk.clone()), Path::new(FOLDER), fixture.options.clone());
    let mut writer = open().expect("the journal opens").writer.expect("it takes entries");
    let write = |writer: &mut Writer, entries: usize| {
        let mut group = Group::default();
        let it = entry(&[9; 100]);
        (0..entries).for_each(|_| group.push(&it, payload_crc(&it.payload)));
        writer.write(&mut group)
    };
    assert_eq!(write(&mut writer, 2).done, 2);
    fixture.disk.inject(1, Fault::Io); // Not the write: its sync.
    assert_eq!(write(&mut writer, 4).done, 0);
    fixture.disk.corrupt(&fixture.segment(1), |bytes| bytes[64 + 3 * 136 + 40] ^= 1);

    let opened = open().expect("the journal opens");
    assert_eq!((opened.recovery.head, opened.recovery.damaged), (Position(3), vec![]));
    let torn = opened.recovery.torn.expect("a tail was cut");
    assert_eq!((torn.offset, torn.bytes), (64 + 3 * 136, 3 * 136));
    // The same hole, with a group behind it: that one proves that the hole was durable.
    let mut writer = opened.writer.expect("it takes entries");
    assert_eq!((write(&mut writer, 3).done, write(&mut writer, 1).done), (3, 1));
    fixture.disk.corrupt(&fixture.segment(1), |bytes| bytes[64 + 4 * 136 + 40] ^= 1);
    let recovery = open().expect("the journal opens").recovery;
    assert_eq!((recovery.damaged[0].first, recovery.damaged[0].next, recovery.torn), (Position(5), Position(6), None));
}

#[tokio::test]
async fn bad_entry_in_the_middle_is_reported_and_never_skipped() {
    let mut fixture = Fixture::new();
    fill(&fixture.opened().0, 5).await;
    let offset = 64 + 136;
    fixture.disk.corrupt(&fixture.segment(1), |bytes| bytes[offset + 50] ^= 1);
    let before = fixture.disk.content(&fixture.segment(1));

    let (journal, recovery) = fixture.opened();
    let damage = &recovery.damaged[0];
    assert_eq!(
        (damage.offset, damage.bytes, damage.first, damage.next),
        (offset as u64, 136, Position(2), Position(3))
    );
    assert_eq!((recovery.head, recovery.torn.clone()), (Position(1), None));
    assert!(recovery.refuses.is_some());
    assert_eq!(positions(&journal, 1), [1], "it reads up to the bad entry");
    assert!(matches!(journal.append(entry(b"x")).await, Err(AppendError::Failed(_))));
    assert!(matches!(journal.accepts_intake(), Err(AppendError::Failed(_))));
    drop(journal);
    assert_eq!(fixture.disk.content(&fixture.segment(1)), before, "nothing was changed");

    // Accepting the loss of an earlier place accepts nothing here.
    fixture.options.damage_accepted_before = Position(2);
    assert!(fixture.opened().1.refuses.is_some());
    fixture.options.damage_accepted_before = Position(3);
    let (journal, recovery) = fixture.opened();
    assert_eq!((recovery.head, recovery.damaged.len(), recovery.refuses), (Position(5), 1, None));
    assert_eq!(journal.append(entry(b"x")).await.expect("taken"), Position(6));
    assert_eq!(positions(&journal, 1), [1]);
    match journal.read(Position(2), 10, 1000) {
        Err(ReadError::Damaged(message)) => {
            let text = message.to_string();
            assert!(text.contains("00000000000000000001.segment") && text.contains("byte 200"), "{text}");
        }
        other => panic!("the lost entry reads as {other:?}"),
    }
    assert_eq!(positions(&journal, 3), range(3, 6));
}

#[tokio::test]
async fn damage_in_an_older_segment_is_found_by_reading_and_by_full_examination() {
    let mut fixture = Fixture::new();
    fill(&fixture.opened().0, 30).await;
    fixture.disk.corrupt(&fixture.segment(15), |bytes| bytes[70] ^= 1);
    assert_eq!(fixture.opened().1.damaged.len(), 1);

    fixture.options.examination = uzel::journal::Examination::Last;
    let (journal, recovery) = fixture.opened();
    assert_eq!((recovery.damaged.len(), recovery.head), (0, Position(30)));
    assert_eq!(positions(&journal, 1), range(1, 14));
    assert!(matches!(journal.read(Position(15), 1, 1), Err(ReadError::Damaged(_))));
    assert_eq!(positions(&journal, 16), range(16, 30));
}

/// What happens to a file, and what opening then says: (first, next) of the damage.
#[tokio::test]
async fn every_kind_of_loss_in_an_older_segment_is_noticed() {
    type Change = fn(&mut Vec<u8>);
    let cases: [(&str, Change, (u64, u64)); 5] = [
        ("its header", |bytes| bytes[3] ^= 1, (15, 29)),
        ("the last entry zeroed", |bytes| bytes[64 + 13 * 136..].fill(0), (28, 29)),
        ("the file cut", |bytes| bytes.truncate(64 + 10 * 136 + 5), (25, 29)),
        ("all of it gone", Vec::clear, (15, 29)),
        ("an entry in the middle zeroed", |bytes| bytes[64 + 136..64 + 272].fill(0), (16, 17)),
    ];
    for (name, change, expected) in cases {
        let fixture = Fixture::new();
        fill(&fixture.opened().0, 30).await;
        fixture.disk.corrupt(&fixture.segment(15), change);
        let (journal, recovery) = fixture.opened();
        let found: Vec<_> = recovery.damaged.iter().map(|it| (it.first.0, it.next.0)).collect();
        assert_eq!(found, [expected], "{name}");
        assert_eq!(recovery.head, Position(expected.0 - 1), "{name}");
        assert_eq!(positions(&journal, 1), range(1, expected.0 - 1), "{name}");
    }
}

#[tokio::test]
async fn missing_segment_is_damage() {
    let fixture = Fixture::new();
    fill(&fixture.opened().0, 30).await;
    fixture.disk.remove(&fixture.segment(15)).expect("nothing is injected");
    let (_, recovery) = fixture.opened();
    assert_eq!((recovery.damaged[0].first, recovery.damaged[0].next), (Position(15), Position(29)));
}

/// The last segment lost its header: how much it held is unknown, so no position is given twice.
#[tokio::test]
async fn last_segment_without_header_can_be_accepted_as_lost() {
    let mut fixture = Fixture::new();
    fill(&fixture.opened().0, 16).await;
    fixture.disk.corrupt(&fixture.segment(15), |bytes| bytes[..64].fill(0));
    let (_, recovery) = fixture.opened();
    let damage = recovery.damaged[0].clone();
    assert_eq!((damage.first, recovery.head), (Position(15), Position(14)));
    fixture.options.damage_accepted_before = damage.next;
    let (journal, _) = fixture.opened();
    let position = journal.append(entry(b"x")).await.expect("taken");
    assert_eq!(position, damage.next);
    assert!(position.0 > 16);
    assert_eq!(positions(&journal, position.0), [position.0]);
    journal.close();
    assert_eq!(fixture.opened().1.refuses, None, "accepted once, accepted after the next start");
}

/// A payload made to look like a later frame must not turn a torn tail into damage.
#[tokio::test]
async fn payload_that_looks_like_a_frame_deceives_nobody() {
    let forged =
        FrameHeader { position: Position(50), kind: Kind::Ticked, at: Timestamp(1), place: 0, len: 0, payload_crc: 0 };
    for (knows_the_salt, expected) in [(false, 0), (true, 1)] {
        let fixture = Fixture::new();
        let (journal, _) = fixture.opened();
        fill(&journal, 1).await;
        let head = fixture.disk.content(&fixture.segment(1)).expect("the segment is there");
        let salt = SegmentHeader::decode(&head).expect("a whole header").salt;
        let guess = if knows_the_salt { salt } else { fixture.options.salt };
        journal.append(entry(&forged.encode(guess))).await.expect("taken");
        drop(journal);
        fixture.disk.corrupt(&fixture.segment(1), |bytes| bytes[64 + 136] ^= 1);
        let (_, recovery) = fixture.opened();
        assert_eq!(recovery.damaged.len(), expected);
        assert_eq!(recovery.torn.is_some(), expected == 0);
    }
}

#[tokio::test]
async fn newer_format_is_refused_and_left_alone() {
    let fixture = Fixture::new();
    fill(&fixture.opened().0, 30).await;
    for first in [1, 29] {
        fixture.disk.corrupt(&fixture.segment(first), |bytes| bytes[8] = 2);
        let before = fixture.disk.operations();
        match fixture.open() {
            Err(OpenError::Newer(message)) => assert!(message.to_string().contains("format 2"), "{message}"),
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("a newer segment was opened"),
        }
        assert_eq!(fixture.disk.operations(), before, "nothing was changed");
        fixture.disk.corrupt(&fixture.segment(first), |bytes| bytes[8] = 1);
    }
    assert_eq!(fixture.opened().1.head, Position(30));
}

#[tokio::test]
async fn low_space_refuses_intake_first_and_everything_later() {
    let fixture = Fixture::new();
    let (journal, _) = fixture.opened();
    let (intake, command) = (fixture.options.free_intake_bytes_min, fixture.options.free_command_bytes_min);
    for (free, takes_intake, takes_commands) in
        [(intake, true, true), (intake - 1, false, true), (command - 1, false, false), (intake * 2, true, true)]
    {
        fixture.disk.set_free_bytes(free);
        fixture.clock.advance_ms(5_000);
        let refused = |result: Result<Position, AppendError>| matches!(result, Err(AppendError::NoSpace(_)));
        let received = NewEntry { kind: Kind::Received, ..entry(b"x") };
        assert_eq!(!refused(journal.append(received).await), takes_intake, "{free} free");
        let attempted = NewEntry { kind: Kind::Attempted, ..entry(b"x") };
        assert_eq!(!refused(journal.append(attempted).await), takes_commands, "{free} free");
        assert_eq!(journal.accepts_intake().is_ok(), takes_intake, "{free} free");
        assert_eq!(journal.put_body(vec![1; 1000]).is_ok(), takes_intake, "{free} free");
    }
}

/// The disk is full at each operation in turn: the group is refused whole, and the next one goes.
#[tokio::test]
async fn full_disk_refuses_the_group_and_the_journal_goes_on() {
    for operation in 0..6 {
        let fixture = Fixture::new();
        let (journal, _) = fixture.opened();
        // The writer has prepared its spare when the first append has been written.
        fill(&journal, 14).await;
        fixture.disk.inject(operation, Fault::NoSpace);
        let mut taken = 14;
        for index in 0..8 {
            match journal.append(entry(&[index; 100])).await {
                Ok(position) => {
                    taken += 1;
                    assert_eq!(position, Position(taken), "operation {operation}");
                }
                Err(AppendError::NoSpace(_)) => {}
                // A sync that fails for want of space is a failed sync.
                Err(AppendError::Failed(_)) => break,
                Err(other) => panic!("operation {operation}: {other}"),
            }
        }
        assert_eq!(positions(&journal, 1), range(1, taken), "operation {operation}");
        drop(journal);
        fixture.disk.forgive();
        let (journal, recovery) = fixture.opened();
        assert_eq!(recovery.damaged, [], "operation {operation}");
        assert!(recovery.head.0 >= taken, "operation {operation}");
        assert_eq!(journal.append(entry(b"x")).await.expect("taken"), recovery.head.next());
    }
}

#[tokio::test]
async fn failed_sync_is_never_retried_as_if_it_had_not_been() {
    let fixture = Fixture::new();
    let (journal, _) = fixture.opened();
    fill(&journal, 3).await;
    fixture.disk.inject(1, Fault::Io);
    assert!(matches!(journal.append(entry(b"lost")).await, Err(AppendError::Failed(_))));
    for _ in 0..3 {
        assert!(matches!(journal.append(entry(b"later")).await, Err(AppendError::Failed(_))));
    }
    assert_eq!(journal.head(), Position(3));
    assert_eq!(positions(&journal, 1), range(1, 3), "what is not synced is not read");
    drop(journal);
    // The cache still shows the entry; opening makes it durable before it is shown.
    let (journal, recovery) = fixture.opened();
    assert_eq!(recovery.head, Position(4));
    drop(journal);
    for seed in 0..20 {
        fixture.disk.crash(seed);
        assert_eq!(fixture.opened().1.head, Position(4), "seed {seed}");
    }
}

#[tokio::test]
async fn reader_beside_the_daemon_sees_what_is_written_and_changes_nothing() {
    let fixture = Fixture::new();
    let (journal, _) = fixture.opened();
    let beside = fixture.read_only();
    assert_eq!(beside.head(), Position::START);
    for (count, head) in [(3, 3), (10, 13), (30, 43), (0, 43)] {
        fill(&journal, count).await;
        let before = fixture.disk.operations();
        assert_eq!(beside.refresh().expect("the journal reads"), Position(head));
        assert_eq!(positions(&beside, 1), range(1, head));
        assert!(fixture.disk.operations() <= before + 3, "only the writer's spare may be in the making");
    }
    assert!(matches!(beside.append(entry(b"x")).await, Err(AppendError::Closed(_))));
    assert_eq!(journal.append(entry(b"x")).await.expect("taken"), Position(44));
}

#[tokio::test]
async fn positions_before_the_oldest_segment_were_removed() {
    let fixture = Fixture::new();
    fill(&fixture.opened().0, 30).await;
    fixture.disk.remove(&fixture.segment(1)).expect("nothing is injected");
    let (journal, recovery) = fixture.opened();
    assert_eq!((recovery.first, journal.first()), (Position(15), Position(15)));
    assert!(matches!(journal.read(Position(14), 1, 1), Err(ReadError::Removed(_))));
    assert!(matches!(journal.read(Position::START, 1, 1), Err(ReadError::Removed(_))));
    assert_eq!(positions(&journal, 15), range(15, 30));
}

fn received(body: Body) -> NewEntry {
    let received = Received {
        connection: Slug::literal("site"),
        connector: Slug::literal("forms"),
        stream: Slug::literal("lead"),
        received_at: Timestamp(5),
        idempotency_key: Fingerprint::of(b"key"),
        content_type: "text/plain".into(),
        headers: Vec::new(),
        body,
    };
    NewEntry { kind: Kind::Received, at: Timestamp(5), payload: Entry::Received(received).encode() }
}

#[tokio::test]
async fn verify_counts_entries_and_finds_what_is_wrong() {
    let fixture = Fixture::new();
    let (journal, _) = fixture.opened();
    let folder = Path::new(FOLDER);
    let mut names = Vec::new();
    for index in 0..4u8 {
        let body = journal.put_body(vec![index; 500]).expect("kept");
        if let Body::File { name, .. } = &body {
            names.push(name.to_string());
        }
        // The last body has no entry.
        if index < 3 {
            journal.append(received(body)).await.expect("taken");
        }
    }
    drop(journal);
    let mut steps = Vec::new();
    let check = |steps: &mut Vec<_>| {
        verify(&fixture.disk, folder, &mut |it| steps.push((it.done, it.total))).expect("it reads")
    };
    let report = check(&mut steps);
    assert!(report.is_sound());
    assert_eq!(steps, [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]);
    assert_eq!((report.bodies, report.bodies_orphaned.clone()), (3, vec![names[3].clone()]));
    let segment = &report.segments[0];
    assert_eq!((segment.entries, segment.first, segment.last), (3, Position(1), Position(3)));

    fixture.disk.remove(&folder.join("bodies").join(&names[0])).expect("nothing is injected");
    fixture.disk.corrupt(&folder.join("bodies").join(&names[1]), |bytes| bytes[7] ^= 1);
    let report = check(&mut steps);
    assert!(!report.is_sound());
    assert_eq!((report.bodies_missing[0].name.as_str(), report.bodies_missing[0].position), (&*names[0], Position(1)));
    assert_eq!((report.bodies_changed[0].name.as_str(), report.bodies_changed[0].position), (&*names[1], Position(2)));

    fixture.disk.corrupt(&fixture.segment(1), |bytes| bytes[64 + 40] ^= 1);
    let report = check(&mut steps);
    assert_eq!((report.segments[0].damaged.len(), report.segments[0].entries), (1, 2));
}

#[tokio::test]
async fn unfinished_body_is_removed_and_a_short_one_is_an_error() {
    let fixture = Fixture::new();
    let (journal, _) = fixture.opened();
    let body = journal.put_body(vec![1; 500]).expect("kept");
    let Body::File { name, .. } = &body else { panic!("a large body has a file") };
    fixture.disk.corrupt(&Path::new(FOLDER).join("bodies").join(name), |bytes| bytes.truncate(499));
    assert!(matches!(journal.open_body(&body), Err(ReadError::Damaged(_))));
    drop(journal);
    let part = Path::new(FOLDER).join("bodies/unfinished.part");
    fixture.disk.create(&part).expect("nothing is injected");
    assert_eq!(fixture.opened().1.body_parts_removed, 1);
    assert!(fixture.disk.content(&part).is_none());
}

#[tokio::test]
async fn memory_journal_refuses_as_told() {
    let journal = MemoryJournal::new();
    for (takes, intake, command) in
        [(Takes::NoIntake, false, true), (Takes::Nothing, false, false), (Takes::All, true, true)]
    {
        journal.set_takes(takes);
        assert_eq!(journal.append(NewEntry { kind: Kind::Received, ..entry(b"x") }).await.is_ok(), intake, "{takes:?}");
        assert_eq!(journal.append(entry(b"x")).await.is_ok(), command, "{takes:?}");
        assert_eq!(journal.put_body(b"x".to_vec()).is_ok(), intake, "{takes:?}");
    }
}

/// The files of a journal on a real disk are for their owner only, and reserved in full.
#[cfg(unix)]
#[tokio::test]
async fn real_segments_are_private_and_reserved() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder for tests");
    let path = folder.path().join("journal");
    let options = Options { free_intake_bytes_min: 0, free_command_bytes_min: 0, ..Options::small(1 << 16) };
    let (journal, _) = Segments::open(&path, clock(), options).expect("the journal opens");
    fill(&journal, 3).await;
    journal.close();
    let segment = path.join("00000000000000000001.segment").metadata().expect("the segment is there");
    assert_eq!((segment.permissions().mode() & 0o777, segment.len()), (0o600, 1 << 16));
    assert_eq!(path.metadata().expect("the folder is there").permissions().mode() & 0o777, 0o700);
    let report = verify(&RealDisk, &path, &mut |_| {}).expect("it reads");
    assert_eq!(report.segments[0].entries, 3);
}
