//! One prepared entry applied: the heart of the daemon, a function of the overlay and the entry.

use super::prepare::{Content, Prepared, Record, Work};
use super::relayed::Whence;
use super::{attempts, calls, edits, erase, gate, merges, polled, records, relayed, scores, tasks, words};
use crate::base::checksum::Fingerprint;
use crate::base::limits::{FORGET_BLOCKS_MAX, TICK_DEALS_MAX, TICK_WATCHES_MAX};
use crate::base::{ItemRef, Message, Position, Slug, Timestamp};
use crate::catalog::{Catalog, Moment};
use crate::entry::{Command, Commanded, ObjectRef, Received};
use crate::model::{FilterReason, Outcome, OutcomeKind, TaskState};
use crate::tables::rows::{IdempotencyRow, ImportRow, MetaRow, QuarantineRow};
use crate::tables::{
    Block, Counters, Idempotency, IdempotencyBlocks, Imports, Meta, Outcomes, Overlay, Quarantine, Span, TableError,
};

/// What the applier knows while it applies one entry.
pub(super) struct Step<'a> {
    /// The micro-batch.
    pub rows: &'a mut Overlay,
    /// The configuration in force.
    pub catalog: &'a Catalog,
    /// The entry being applied.
    pub position: Position,
    /// Journal time.
    pub at: Timestamp,
    /// How what is applied stands to the switch-over of its source.
    pub moment: Moment,
    /// The connection whose history is being applied.
    pub history_of: Option<Slug>,
}

/// Applies one entry.
pub(super) fn step(rows: &mut Overlay, prepared: Prepared) -> Result<(), TableError> {
    let Prepared { position, at, catalog, work } = prepared;
    rows.update::<Meta, _>(&(), |meta| meta.get_or_insert_with(MetaRow::default).journal_time = at)?;
    let mut step = Step { rows, catalog: &catalog, position, at, moment: Moment::Unknown, history_of: None };
    match work {
        Work::Envelope { envelope, records, more } => step.envelope(&envelope, records, more),
        Work::Import { of, from, envelope, records, last } => step.import(of, from, &envelope, records, last),
        Work::Again { at, envelope, record, after, more, despite_filter } => {
            let (whole, after) = step.whole_again(at, after)?;
            match whole && more {
                true => step.import_again(at, &envelope),
                false => {
                    step.again(at, &envelope, *record, despite_filter)?;
                    after
                        .into_iter()
                        .try_for_each(|it| step.record(ItemRef::new(at.position, it.item), &envelope, it, false))
                }
            }
        }
        Work::Command(commanded) => step.command(commanded),
        Work::Edit { object, change, release } => match object {
            ObjectRef::Client(id) => edits::client(&mut step, id, &change, &release),
            ObjectRef::Deal(id) => edits::deal(&mut step, id, &change, &release),
            ObjectRef::Interaction(_) | ObjectRef::Task(_) => Ok(()),
        },
        Work::Attempting(attempting) => attempts::attempting(&mut step, attempting),
        Work::Attempted(attempted) => attempts::attempted(&mut step, attempted),
        Work::Configured(configured) => {
            step.rows.update::<Meta, _>(&(), |meta| {
                let meta = meta.get_or_insert_with(MetaRow::default);
                meta.configuration = Some(configured.hash);
                meta.configured_at = position;
                // Every open deal is scored again, in slices, under the new rules.
                meta.rescore = Some((position, None));
            })?;
            gate::configured(&mut step)
        }
        Work::Ticked => {
            scores::rescore_due(&mut step, TICK_DEALS_MAX)?;
            tasks::look(&mut step, TICK_WATCHES_MAX)?;
            step.forget()
        }
        Work::Rescore { of, after, count } => scores::rescore_slice(&mut step, of, after, count),
        Work::Unreadable(message) => {
            let unknown = Slug::literal("unknown");
            step.quarantine(ItemRef::new(position, 0), &unknown, &unknown, message)
        }
    }
}

impl Step<'_> {
    fn envelope(&mut self, envelope: &Received, records: Vec<Record>, more: bool) -> Result<(), TableError> {
        let first = ItemRef::new(self.position, 0);
        // A repetition moves it too: the relay is not asked for it again.
        let whence = relayed::cursor(self, envelope)?;
        if let Some(earlier) = self.repeated(envelope, first, whence)? {
            return self.outcome(first, &envelope.connection, &envelope.stream, Outcome::Repeated(earlier));
        }
        polled::cursor(self, envelope);
        if more {
            let row = ImportRow { connection: envelope.connection.clone(), next: 0, total: None };
            self.rows.put::<Imports>(&self.position, row);
            return Ok(());
        }
        for record in records {
            self.record(ItemRef::new(self.position, record.item), envelope, record, false)?;
        }
        Ok(())
    }

    fn import(
        &mut self,
        of: Position,
        from: u32,
        envelope: &Received,
        records: Vec<Record>,
        last: bool,
    ) -> Result<(), TableError> {
        let Some(mut import) = self.rows.get::<Imports>(&of)? else { return Ok(()) };
        let next = from + records.len() as u32;
        // Idempotent: a slice admitted twice, or out of turn, changes nothing.
        if from != import.next || import.total.is_some() {
            return Ok(());
        }
        for record in records {
            self.record(ItemRef::new(of, record.item), envelope, record, false)?;
        }
        import.next = next;
        import.total = last.then_some(next);
        self.rows.put::<Imports>(&of, import);
        Ok(())
    }

    /// Whether an envelope was quarantined as a whole (a file whose columns were shifted) and has
    /// more than one record now; the records behind the first one are applied too then. It was when
    /// its first record waits and its second has no fate.
    fn whole_again(&mut self, at: ItemRef, after: Vec<Record>) -> Result<(bool, Vec<Record>), TableError> {
        let Some(second) = after.first() else { return Ok((false, after)) };
        let second = ItemRef::new(at.position, second.item);
        let waits = matches!(self.outcome_at(at)?, Some(Outcome::Quarantined(_)));
        match waits && self.outcome_at(second)?.is_none() {
            true => Ok((true, after)),
            false => Ok((false, Vec::new())),
        }
    }

    /// A large envelope that was quarantined as a whole begins anew, slice by slice. The fate of its
    /// first record takes the place of the file's.
    fn import_again(&mut self, at: ItemRef, envelope: &Received) -> Result<(), TableError> {
        self.rows.remove::<Quarantine>(&at);
        let row = ImportRow { connection: envelope.connection.clone(), next: 0, total: None };
        self.rows.put::<Imports>(&at.position, row);
        Ok(())
    }

    fn again(
        &mut self,
        at: ItemRef,
        envelope: &Received,
        record: Record,
        despite_filter: bool,
    ) -> Result<(), TableError> {
        let waits = match self.outcome_at(at)? {
            Some(Outcome::Quarantined(_)) => true,
            Some(Outcome::Filtered(_)) => despite_filter,
            Some(Outcome::Applied { .. } | Outcome::Unchanged | Outcome::Repeated(_) | Outcome::Discarded) | None => {
                false
            }
        };
        if !waits {
            return Ok(());
        }
        let retries = self.rows.get::<Quarantine>(&at)?.map_or(0, |row| row.retries);
        self.rows.remove::<Quarantine>(&at);
        self.record(at, envelope, record, despite_filter)?;
        self.rows.update::<Quarantine, _>(&at, |row| {
            if let Some(row) = row {
                row.retries = retries + 1;
            }
        })
    }

    fn command(&mut self, commanded: Commanded) -> Result<(), TableError> {
        match commanded.command {
            Command::DiscardRecord { at, reason: _ } => {
                let Some(row) = self.rows.get::<Quarantine>(&at)? else { return Ok(()) };
                self.rows.remove::<Quarantine>(&at);
                self.outcome(at, &row.connection, &row.stream, Outcome::Discarded)
            }
            Command::ResendDelivery { sink, object } => attempts::resend(self, &sink, object),
            Command::DiscardDelivery { sink, object } => attempts::discard(self, &sink, object),
            Command::MergeClients { winner, loser } => {
                let why = vec![Message::new("identity-merged-by-person").with("who", &commanded.by)];
                merges::merge(self, winner, loser, why)
            }
            Command::SplitClients { winner, loser } => merges::split(self, winner, loser),
            Command::CompleteTask { task, note } => tasks::by_person(self, task, &commanded.by, &note, TaskState::Done),
            Command::CancelTask { task, reason } => {
                tasks::by_person(self, task, &commanded.by, &reason, TaskState::Cancelled)
            }
            Command::ErasePerson(erasure) => erase::erase(self, erasure),
            Command::ApplyPlan { sink, plan, objects } => gate::apply_plan(self, &sink, plan, &objects),
            Command::PauseSink { sink } => gate::pause(self, &sink),
            Command::ResumeSink { sink } => gate::resume(self, &sink),
            Command::LoadSource { connection } => polled::load(self, &connection),
            // The record was not there to be read again, or a text does not read: nothing to do.
            Command::RetryRecord { .. }
            | Command::AcceptRecord { .. }
            | Command::EditClient { .. }
            | Command::EditDeal { .. } => Ok(()),
        }
    }

    fn record(
        &mut self,
        at: ItemRef,
        envelope: &Received,
        record: Record,
        despite_filter: bool,
    ) -> Result<(), TableError> {
        let Record { stream, content, polled, .. } = record;
        self.moment = self.catalog.moment(envelope, envelope.received_at);
        let outcome = match content {
            Content::Erased => Outcome::Filtered(FilterReason::Erased),
            Content::Refused(message) => {
                if let Some(told) = &polled {
                    polled::settle(self, envelope, told, Vec::new())?;
                }
                self.moment = Moment::Unknown;
                return self.quarantine(at, &envelope.connection, &stream, message);
            }
            Content::Facts(facts) => match calls::take(self, at, envelope, facts)? {
                calls::Gathered::Outcome(outcome) => outcome,
                calls::Gathered::Refused(message) => {
                    self.moment = Moment::Unknown;
                    self.history_of = None;
                    return self.quarantine(at, &envelope.connection, &stream, message);
                }
            },
            Content::Word(word) => words::word(self, envelope, polled.as_ref(), *word)?,
            Content::LostWord(word) => words::taken_away(self, envelope, *word)?,
            Content::Gone(id) => polled::gone(self, envelope, &id)?,
            Content::Change(mut change) => {
                let observed_at = change.observed_at.unwrap_or(envelope.received_at);
                self.moment = self.catalog.moment(envelope, observed_at);
                self.history_of = (self.moment == Moment::History).then(|| envelope.connection.clone());
                let mut tells = Vec::new();
                if let Some(told) = &polled {
                    polled::ours(self, envelope, told)?;
                    tells = polled::keep_news(self, envelope, told, &mut change)?;
                    words::look_up(self, envelope, &mut change, &mut tells)?;
                }
                let of_ours = match &polled {
                    Some(told) => polled::told_by_us(self, envelope, told, &change)?,
                    None => None,
                };
                let outcome = match change.filter {
                    _ if of_ours.is_some() => of_ours.unwrap_or(Outcome::Unchanged),
                    Some(reason) if !despite_filter => Outcome::Filtered(reason),
                    Some(_) | None => match self.is_internal(&change) {
                        true => Outcome::Filtered(FilterReason::Internal),
                        false => records::apply(self, at, envelope, *change)?,
                    },
                };
                if let Some(told) = &polled {
                    polled::settle(self, envelope, told, tells)?;
                }
                outcome
            }
        };
        self.moment = Moment::Unknown;
        self.history_of = None;
        self.outcome(at, &envelope.connection, &stream, outcome)
    }

    /// Whether what is applied is of before the switch-over of its source.
    pub(super) fn is_history(&self) -> bool {
        self.moment == Moment::History
    }

    fn is_internal(&self, change: &crate::model::Change) -> bool {
        let inn = change.client.inn.as_ref();
        inn.is_some_and(|inn| self.catalog.is_own_inn(&inn.0))
    }

    /// Whether the envelope came before; remembers it when it did not. What a relay held back comes
    /// in one rush, so its repetitions are told by when the relay got them, not by journal time.
    fn repeated(&mut self, envelope: &Received, at: ItemRef, whence: Whence) -> Result<Option<ItemRef>, TableError> {
        let key = envelope_key(envelope);
        let remember_ms = self.catalog.remember_ms(envelope);
        let seen = match whence {
            Whence::Straight => self.at,
            Whence::Relay => envelope.received_at,
        };
        let is_within = |until: Timestamp| match whence {
            Whence::Straight => until > seen,
            // What was held back may also be much older than what came straight meanwhile.
            Whence::Relay => until > seen && until.plus_ms(remember_ms.saturating_mul(-2)) <= seen,
        };
        if let Some(row) = self.rows.get::<Idempotency>(&key)?
            && is_within(row.until)
            && row.first != at
        {
            return Ok(Some(row.first));
        }
        let until = seen.plus_ms(remember_ms);
        self.rows.put::<Idempotency>(&key, IdempotencyRow { first: at, until });
        // Forgotten by journal time all the same: what follows in the same rush still asks for it.
        let forgotten_at = until.max(self.at.plus_ms(remember_ms));
        self.rows.update::<IdempotencyBlocks, _>(&Block::of(at), |block| {
            block.get_or_insert_default().push((key, forgotten_at));
        })?;
        Ok(None)
    }

    /// Forgets idempotency keys whose time is over, block by block from the oldest.
    fn forget(&mut self) -> Result<(), TableError> {
        for (block, keys) in self.rows.range(&Span::<IdempotencyBlocks>::all(), false, FORGET_BLOCKS_MAX)? {
            if keys.iter().any(|(_, until)| *until > self.at) {
                break;
            }
            for (key, _) in keys {
                let expired = self.rows.get::<Idempotency>(&key)?.is_some_and(|row| row.until <= self.at);
                if expired {
                    self.rows.remove::<Idempotency>(&key);
                }
            }
            self.rows.remove::<IdempotencyBlocks>(&block);
        }
        Ok(())
    }

    fn quarantine(&mut self, at: ItemRef, connection: &Slug, stream: &Slug, reason: Message) -> Result<(), TableError> {
        let row = QuarantineRow {
            connection: connection.clone(),
            stream: stream.clone(),
            at: self.at,
            reason: reason.clone(),
            retries: 0,
        };
        self.rows.put::<Quarantine>(&at, row);
        self.outcome(at, connection, stream, Outcome::Quarantined(reason))
    }

    pub(super) fn outcome_at(&mut self, at: ItemRef) -> Result<Option<Outcome>, TableError> {
        let block = self.rows.get::<Outcomes>(&Block::of(at))?.unwrap_or_default();
        Ok(block.into_iter().find(|(record, ..)| *record == at).map(|(_, _, outcome)| outcome))
    }

    /// Records the one final fate of a record; a new fate (after a retry) takes the place of the
    /// old one, in the counters too.
    pub(super) fn outcome(
        &mut self,
        at: ItemRef,
        connection: &Slug,
        stream: &Slug,
        outcome: Outcome,
    ) -> Result<(), TableError> {
        let kind = outcome.kind();
        let before = self.rows.update::<Outcomes, _>(&Block::of(at), |block| {
            let block = block.get_or_insert_default();
            match block.binary_search_by_key(&at, |(record, ..)| *record) {
                Ok(index) => Some(std::mem::replace(&mut block[index].2, outcome).kind()),
                Err(index) => {
                    block.insert(index, (at, connection.clone(), outcome));
                    None
                }
            }
        })?;
        if let Some(before) = before {
            self.count(connection, stream, before, -1)?;
        }
        self.count(connection, stream, kind, 1)
    }

    fn count(&mut self, connection: &Slug, stream: &Slug, kind: OutcomeKind, by: i64) -> Result<(), TableError> {
        self.rows.update::<Counters, _>(&(connection.clone(), stream.clone(), kind), |count| {
            let count = count.get_or_insert(0);
            *count = count.saturating_add_signed(by);
        })
    }
}

/// Names an envelope among all connections and streams.
pub(super) fn envelope_key(envelope: &Received) -> Fingerprint {
    Fingerprint::of_parts([
        envelope.connection.as_bytes(),
        envelope.stream.as_bytes(),
        envelope.idempotency_key.0.as_slice(),
    ])
}
