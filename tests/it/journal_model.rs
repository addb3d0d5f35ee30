//! The journal against a disk whose power is cut at any operation.
//!
//! The writer is driven without its thread. After each reopening: every acknowledged entry is there,
//! byte for byte, in order, at its position; nothing is there that was never appended or was
//! refused for want of space; positions have no gaps; of what was neither acknowledged nor refused a
//! prefix may be there. The same check must fail when syncs do nothing.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use uzel::base::{Position, Timestamp};
use uzel::entry::Kind;
use uzel::journal::group::{Failure, Group, payload_crc};
use uzel::journal::simulated::{Fault, SimulatedDisk, Syncs};
use uzel::journal::writer::{Opened, Writer};
use uzel::journal::{NewEntry, Options};

const FOLDER: &str = "journal";
const CASES: u32 = 1_000;

/// What happens to the journal.
#[derive(Debug, Clone)]
enum Step {
    /// A group of entries: (length of payload, its byte, time).
    Append(Vec<(usize, u8, i64)>),
    /// The next segment is made ahead of need.
    Prepare,
    /// Something goes wrong with a later operation; a power cut takes effect then.
    Inject(u64, Fault),
    /// The power goes now.
    Crash(u64),
    /// The program is killed, or ends: the cache survives.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![4 => 0usize..40, 3 => 40usize..400, 1 => 400usize..900];
    let entry = (length, any::<u8>(), -50i64..50);
    let fault = prop_oneof![2 => Just(Fault::NoSpace), 1 => Just(Fault::Io), 4 => Just(Fault::PowerCut)];
    prop_oneof![
        8 => prop::collection::vec(entry, 1..8).prop_map(Step::Append),
        2 => Just(Step::Prepare),
        3 => (0u64..12, fault).prop_map(|(after, fault)| Step::Inject(after, fault)),
        2 => any::<u64>().prop_map(Step::Crash),
        1 => Just(Step::Reopen),
    ]
}

type Content = (Kind, Vec<u8>);

struct Model {
    disk: SimulatedDisk,
    options: Options,
    opened: Option<Opened>,
    seed: u64,
    /// What must be there.
    acknowledged: Vec<Content>,
    /// What may be there behind it.
    uncertain: Vec<Content>,
}

impl Model {
    fn new(syncs: Syncs, seed: u64) -> Model {
        Model {
            disk: SimulatedDisk::new(syncs),
            options: Options::small(1024),
            opened: None,
            seed,
            acknowledged: Vec::new(),
            uncertain: Vec::new(),
        }
    }

    fn run(&mut self, steps: &[Step]) -> Result<(), TestCaseError> {
        self.reopen()?;
        for step in steps {
            match step {
                Step::Append(entries) => self.append(entries)?,
                Step::Prepare => {
                    if let Some(writer) = self.opened.as_mut().and_then(|it| it.writer.as_mut()) {
                        writer.prepare();
                    }
                }
                Step::Inject(after, fault) => self.disk.inject(*after, *fault),
                Step::Crash(seed) => self.crash(*seed)?,
                Step::Reopen => self.reopen()?,
            }
        }
        // However it went: what was acknowledged survives one more crash.
        self.crash(self.seed)
    }

    fn crash(&mut self, seed: u64) -> Result<(), TestCaseError> {
        self.opened = None;
        self.disk.crash(seed);
        self.reopen()
    }

    fn append(&mut self, entries: &[(usize, u8, i64)]) -> Result<(), TestCaseError> {
        let mut group = Group::default();
        let mut contents = Vec::new();
        for (length, byte, at) in entries {
            let kind = if *byte % 2 == 0 { Kind::Received } else { Kind::Attempted };
            let entry = NewEntry { kind, at: Timestamp(*at), payload: vec![*byte; *length] };
            group.push(&entry, payload_crc(&entry.payload));
            contents.push((kind, entry.payload));
        }
        let Some(writer) = self.opened.as_mut().and_then(|it| it.writer.as_mut()) else {
            return Ok(());
        };
        let written = writer.write(&mut group);
        prop_assert!(written.done == contents.len() || written.failure.is_some());
        let rest = contents.split_off(written.done);
        if !contents.is_empty() {
            prop_assert_eq!(written.first.0, self.acknowledged.len() as u64 + 1);
            prop_assert!(self.uncertain.is_empty(), "nothing is acknowledged behind what is uncertain");
        }
        self.acknowledged.extend(contents);
        match written.failure {
            // Refused for want of space: it must not turn up.
            Some(Failure::NoSpace(_)) | None => {}
            Some(Failure::Failed(_) | Failure::Closed(_)) => self.uncertain.extend(rest),
        }
        self.check()
    }

    fn reopen(&mut self) -> Result<(), TestCaseError> {
        self.opened = None;
        // A fault while opening: a power cut, or an error that a restart gets over.
        let mut opened = self.open();
        for attempt in 0.. {
            if opened.is_some() {
                break;
            }
            prop_assert!(attempt < 3, "the journal does not open on a disk without faults");
            self.disk.crash(self.seed.wrapping_add(attempt));
            opened = self.open();
        }
        let Some(opened) = opened else { return Ok(()) };
        prop_assert_eq!(&opened.recovery.damaged, &vec![], "a crash is no damage");
        prop_assert!(opened.writer.is_some());
        self.opened = Some(opened);
        let found = self.contents()?;
        prop_assert!(found.len() >= self.acknowledged.len(), "acknowledged entries are lost");
        let possible: Vec<_> = self.acknowledged.iter().chain(&self.uncertain).take(found.len()).cloned().collect();
        prop_assert_eq!(&found, &possible);
        self.acknowledged = found;
        self.uncertain.clear();
        Ok(())
    }

    fn open(&self) -> Option<Opened> {
        Writer::open(Arc::new(self.disk.clone()), Path::new(FOLDER), self.options.clone()).ok()
    }

    /// While it is open, exactly what was acknowledged is visible.
    fn check(&self) -> Result<(), TestCaseError> {
        if self.disk_is_up() {
            prop_assert_eq!(&self.contents()?, &self.acknowledged);
        }
        Ok(())
    }

    fn disk_is_up(&self) -> bool {
        use uzel::journal::Disk as _;
        self.disk.free_bytes(Path::new(FOLDER)).is_ok()
    }

    fn contents(&self) -> Result<Vec<Content>, TestCaseError> {
        let mut contents = Vec::new();
        let mut time = Timestamp(i64::MIN);
        let Some(opened) = &self.opened else { return Ok(contents) };
        loop {
            let from = Position(contents.len() as u64 + 1);
            let entries = opened.read(from, 5, 700).map_err(|error| TestCaseError::fail(error.to_string()))?;
            if entries.is_empty() {
                return Ok(contents);
            }
            for entry in entries {
                prop_assert_eq!(entry.position.0, contents.len() as u64 + 1);
                prop_assert!(entry.at >= time, "journal time went back");
                time = entry.at;
                contents.push((entry.kind, entry.payload.to_vec()));
            }
        }
    }
}

fn check(syncs: Syncs, cases: u32) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let input = (prop::collection::vec(step(), 1..40), any::<u64>());
    runner.run(&input, |(steps, seed)| Model::new(syncs, seed).run(&steps)).map_err(|error| error.to_string())
}

#[test]
fn acknowledged_entries_survive_power_cuts_at_any_operation() {
    if let Err(error) = check(Syncs::Honest, CASES) {
        panic!("{error}");
    }
}

/// The check above is worth something: without syncs it fails.
#[test]
fn journal_without_syncs_loses_acknowledged_entries() {
    let error = check(Syncs::Lying, CASES).expect_err("syncs that do nothing must be noticed");
    assert!(error.contains("lost") || error.contains("damage") || error.contains("open"), "{error}");
}

/// Every operation of a fixed story is cut once: appends over several segments, with a restart.
#[test]
fn power_cut_at_each_operation_of_a_story() {
    let story = |model: &mut Model| -> Result<(), TestCaseError> {
        for round in 0..6 {
            model.append(&[(200, round, 1), (30, round, 2)])?;
            model.append(&[(300, round + 100, 3)])?;
            if let Some(writer) = model.opened.as_mut().and_then(|it| it.writer.as_mut()) {
                writer.prepare();
            }
        }
        model.reopen()?;
        model.append(&[(1, 1, 1)])
    };
    for fault in [Fault::PowerCut, Fault::NoSpace, Fault::Io] {
        for after in 0..90 {
            for seed in 0..4 {
                let mut model = Model::new(Syncs::Honest, seed);
                model.disk.inject(after, fault);
                let result = model.reopen().and_then(|()| story(&mut model)).and_then(|()| model.crash(seed));
                if let Err(error) = result {
                    panic!("{fault:?} at operation {after}, seed {seed}: {error}");
                }
            }
        }
    }
}
