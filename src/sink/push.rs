//! One push: objects go through their stages together, in as few requests as the sink allows.

use std::collections::{BTreeMap, HashSet};

use compact_str::CompactString;
use tracing::{info, warn};

use super::caller::{Call, Caller, NotBefore, Reply};
use super::import;
use super::item::{End, How, Item, Stage};
use super::{Ending, PushReport, Recorder, Sink, Stop, Work};
use crate::base::{Message, Position, Timestamp};
use crate::connector::{FindBy, ObjectSpec};
use crate::entry::{AttemptResult, Attempted, AttemptedItem, Attempting, AttemptingItem, Operation};
use crate::model::Fault;

/// Objects of one push. At the bound the rest is left untouched.
const WORKS_MAX: usize = 500;
/// Rest after a failure of our own journal, ms.
const JOURNAL_REST_MS: i64 = 5_000;

/// Requests that go together: looks and reads, changes, or creates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Read,
    Update,
    Create,
    Import,
}

pub(super) struct Push<'a> {
    pub(super) sink: &'a Sink,
    pub(super) caller: &'a Caller,
    recorder: &'a dyn Recorder,
    pub(super) deadline: Timestamp,
    pub(super) report: PushReport,
    /// Telephone numbers and addresses of what was created in this push.
    created: HashSet<(FindBy, CompactString)>,
}

impl<'a> Push<'a> {
    pub(super) fn new(sink: &'a Sink, caller: &'a Caller, recorder: &'a dyn Recorder, deadline: Timestamp) -> Push<'a> {
        Push { sink, caller, recorder, deadline, report: PushReport::default(), created: HashSet::new() }
    }

    pub(super) async fn run(mut self, works: Vec<Work>) -> PushReport {
        self.caller.wake();
        let mut items = self.items(works);
        self.settle(&mut items).await;
        if !items.is_empty()
            && let Err(rest) = self.caller.knock(self.deadline).await
        {
            self.report.stop = Some(Stop { until: rest.until, fault: rest.fault, reason: rest.reason });
        }
        // Bound: each round moves at least one object on or ends it, and an object has a bounded
        // number of stages (steps of looking times pages, and three).
        while self.report.stop.is_none() {
            let Some((phase, chosen)) = self.choose(&items) else { break };
            match phase {
                Phase::Read | Phase::Update => self.ask(&mut items, &chosen).await,
                Phase::Create => self.create(&mut items, &chosen).await,
                Phase::Import => self.import(&mut items, &chosen).await,
            }
            self.settle(&mut items).await;
            if self.report.stop.is_none() {
                self.report.stop = self.rest();
            }
        }
        let left = items.iter().map(|it| (it.work.object, None));
        self.report.untouched.extend(left);
        self.report.requests = self.caller.take_sent();
        self.tell();
        self.report
    }

    /// The objects with their first stages. One object comes once; the second is left for later.
    pub(super) fn items(&mut self, works: Vec<Work>) -> Vec<Item<'a>> {
        let sink = self.sink;
        let mut seen = HashSet::new();
        let mut items = Vec::new();
        for work in works {
            if !seen.insert(work.object) || items.len() >= WORKS_MAX {
                self.report.untouched.push((work.object, None));
                continue;
            }
            match sink.spec.object(&work.foreign_kind) {
                Some(object) => items.push(Item::new(work, object)),
                None => {
                    let reason = Message::new("sink-kind-unknown")
                        .with("sink", &self.sink.name)
                        .with("kind", &work.foreign_kind);
                    warn!(sink.name = %self.sink.name, "object {} is of a kind that the sink does not declare", work.object);
                    self.report.untouched.push((work.object, None));
                    self.report.notes.push((work.object, reason));
                }
            }
        }
        items
    }

    /// Which objects go next, together: looks first, so that objects are linked before anything
    /// is made; changes before creates, so that a short deadline serves what is known.
    pub(super) fn choose(&self, items: &[Item<'_>]) -> Option<(Phase, Vec<usize>)> {
        let of = |phase: Phase| {
            if phase == Phase::Import {
                return import::chosen(items);
            }
            let mine = items.iter().enumerate().filter(|(_, it)| phase_of(&it.stage) == Some(phase));
            mine.map(|(index, _)| index).take(self.caller.together_max()).collect::<Vec<usize>>()
        };
        let phases = [Phase::Read, Phase::Update, Phase::Create, Phase::Import].into_iter();
        phases.map(|phase| (phase, of(phase))).find(|(_, chosen)| !chosen.is_empty())
    }

    /// The calls that may go now; objects whose method has spent its time behind the deadline
    /// are left untouched.
    async fn admitted(&mut self, items: &mut [Item<'_>], chosen: &[usize]) -> Vec<(usize, Call)> {
        let mut calls: Vec<(usize, Call)> = Vec::new();
        for &index in chosen {
            let Some(call) = items[index].call() else {
                items[index].stage = untouched(None);
                continue;
            };
            match self.caller.spent_until(&call.method) {
                Some(until) if until > self.deadline => items[index].stage = untouched(Some(until)),
                Some(_) | None => calls.push((index, call)),
            }
        }
        // A method that opens before the deadline is waited for; the others go with it.
        let methods: HashSet<&str> = calls.iter().map(|(_, it)| it.method.as_str()).collect();
        let slowest = methods.into_iter().max_by_key(|it| self.caller.spent_until(it)).map(str::to_owned);
        let Some(method) = slowest else { return calls };
        if let Err(NotBefore(until)) = self.caller.admit(&method, self.deadline).await {
            calls.iter().for_each(|(index, _)| items[*index].stage = untouched(Some(until)));
            calls.clear();
        }
        calls
    }

    pub(super) async fn ask(&mut self, items: &mut [Item<'_>], chosen: &[usize]) {
        let (indexes, calls): (Vec<usize>, Vec<Call>) = self.admitted(items, chosen).await.into_iter().unzip();
        if !calls.is_empty() {
            let replies = self.caller.send(&calls, self.deadline).await;
            self.take(items, &indexes, replies);
        }
    }

    async fn create(&mut self, items: &mut [Item<'_>], chosen: &[usize]) {
        let chosen: Vec<usize> = chosen.iter().copied().filter(|&index| self.alone(&mut items[index])).collect();
        let (indexes, calls): (Vec<usize>, Vec<Call>) = self.admitted(items, &chosen).await.into_iter().unzip();
        if calls.is_empty() {
            return;
        }
        if self.announce(items, &indexes).await {
            let replies = self.caller.send(&calls, self.deadline).await;
            self.take(items, &indexes, replies);
        }
    }

    /// Writes down that these are about to be made. `false`: not written down, so not to be sent.
    pub(super) async fn announce(&mut self, items: &mut [Item<'_>], indexes: &[usize]) -> bool {
        let item = |index: &usize| AttemptingItem { object: items[*index].work.object, operation: Operation::Create };
        let entry = Attempting {
            sink: self.sink.name.clone(),
            at: self.sink.clock.now(),
            items: indexes.iter().map(item).collect(),
        };
        match self.recorder.attempting(entry).await {
            Ok(position) => {
                indexes.iter().for_each(|&index| items[index].attempting = Some(position));
                true
            }
            Err(reason) => {
                self.journal_failed(reason);
                false
            }
        }
    }

    /// Whether nothing created in this push shares a telephone number or address with the object:
    /// it would be found by it a moment later, and must be, so it waits for the next push.
    pub(super) fn alone(&mut self, item: &mut Item<'_>) -> bool {
        let keys = item.shared_keys();
        if keys.iter().any(|it| self.created.contains(it)) {
            item.stage = untouched(None);
            return false;
        }
        self.created.extend(keys);
        true
    }

    pub(super) fn take(&mut self, items: &mut [Item<'_>], indexes: &[usize], replies: Vec<Reply>) {
        let now = self.sink.clock.now();
        debug_assert_eq!(indexes.len(), replies.len());
        for (&index, reply) in indexes.iter().zip(replies) {
            items[index].take(reply, now);
        }
    }

    /// Journals what has ended, and takes it out of `items`.
    async fn settle(&mut self, items: &mut Vec<Item<'_>>) {
        let is_ended = |it: &mut Item<'_>| matches!(it.stage, Stage::Ended(_));
        let ended: Vec<Item<'_>> = items.extract_if(.., is_ended).collect();
        let mut entries: BTreeMap<Option<Position>, Vec<AttemptedItem>> = BTreeMap::new();
        for item in ended {
            let object = item.work.object;
            self.report.notes.extend(item.note.map(|note| (object, note)));
            let Stage::Ended(end) = item.stage else { continue };
            match &end {
                End::Untouched { until } => {
                    self.report.untouched.push((object, *until));
                    continue;
                }
                End::Refused(reason) => {
                    self.report.untouched.push((object, None));
                    self.report.import_refused = Some(reason.clone());
                }
                End::Done { .. } | End::Failed { .. } | End::Absent => {}
            }
            self.report.ended.extend(ending(&end).map(|it| (object, it)));
            let attempted = result(item.spec, end).map(|(operation, result)| AttemptedItem {
                object,
                operation,
                version: item.work.version,
                result,
            });
            entries.entry(item.attempting).or_default().extend(attempted);
        }
        for (attempting, items) in entries {
            self.record(attempting, items).await;
        }
    }

    async fn record(&mut self, attempting: Option<Position>, items: Vec<AttemptedItem>) {
        let (sink, at) = (self.sink.name.clone(), self.sink.clock.now());
        if let Err(reason) = self.recorder.attempted(Attempted { sink, at, attempting, items }).await {
            // What was sent stays in flight, so uncertain: it is looked for before it is sent again.
            self.journal_failed(reason);
        }
    }

    fn journal_failed(&mut self, reason: Message) {
        let until = self.sink.clock.now().plus_ms(JOURNAL_REST_MS);
        self.report.stop = Some(Stop { until, fault: Fault::Uzel, reason });
    }

    pub(super) fn rest(&self) -> Option<Stop> {
        let rest = self.caller.rest()?;
        Some(Stop { until: rest.until, fault: rest.fault, reason: rest.reason })
    }

    /// Numbers and ids only: reasons may quote what the sink said of a person.
    fn tell(&self) {
        let failed = self.report.ended.iter().filter(|(_, it)| matches!(it, Ending::Failed(..))).count();
        let (ended, requests) = (self.report.ended.len(), self.report.requests);
        let name = &self.sink.name;
        info!(sink.name = %name, ended, failed, requests, "sink {name} took {ended} objects");
        if let Some(stop) = &self.report.stop {
            let code = &stop.reason.id;
            warn!(sink.name = %name, stop.until = %stop.until, stop.fault = ?stop.fault, "sink {name} rests: {code}");
        }
    }
}

fn phase_of(stage: &Stage) -> Option<Phase> {
    match stage {
        Stage::Find { .. } | Stage::Get { .. } => Some(Phase::Read),
        Stage::Update { .. } => Some(Phase::Update),
        Stage::Create => Some(Phase::Create),
        Stage::Import => Some(Phase::Import),
        Stage::Ended(_) => None,
    }
}

pub(super) fn untouched(until: Option<Timestamp>) -> Stage {
    Stage::Ended(End::Untouched { until })
}

fn ending(end: &End) -> Option<Ending> {
    match end {
        End::Done { how: How::Created, .. } => Some(Ending::Created),
        End::Done { how: How::Linked, .. } => Some(Ending::Linked),
        End::Done { how: How::Updated, .. } => Some(Ending::Updated),
        End::Done { how: How::Unchanged, .. } => Some(Ending::Unchanged),
        End::Absent => Some(Ending::Unchanged),
        End::Failed { verdict, reason, .. } => Some(Ending::Failed(*verdict, reason.clone())),
        End::Untouched { .. } | End::Refused(_) => None,
    }
}

fn result(spec: &ObjectSpec, end: End) -> Option<(Operation, AttemptResult)> {
    match end {
        End::Done { operation, id, sent, .. } => {
            let foreign_kind = CompactString::from(&*spec.kind);
            Some((operation, AttemptResult::Done { foreign_kind, foreign_id: Some(id), sent }))
        }
        // Surely not there: what was announced is over, and it goes again as if it never was.
        End::Absent | End::Refused(_) => {
            let foreign_kind = CompactString::from(&*spec.kind);
            Some((Operation::Find, AttemptResult::Done { foreign_kind, foreign_id: None, sent: Vec::new() }))
        }
        End::Failed { operation, verdict, reason } => Some((operation, AttemptResult::Failed { verdict, reason })),
        End::Untouched { .. } => None,
    }
}
