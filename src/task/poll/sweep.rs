//! What hints tell of is read; ids are compared to find what was deleted.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use compact_str::CompactString;

use super::journal::Notes;
use super::{Follower, Ledger, Trouble};
use crate::base::limits::{POLL_ENVELOPE_ROWS_MAX, POLL_SWEEP_EVERY_S, POLL_SWEEP_IDS_MAX};
use crate::base::{Message, Slug, Timestamp};
use crate::connector::PollSpec;
use crate::entry::{Cursor, foreign_instant};
use crate::model::Foreign;
use crate::source::poll::Row;
use crate::tables::{PolledRows, Reader, Span};

impl<L: Ledger> Follower<L> {
    /// Reads what hints tell of.
    pub(super) async fn verify(&mut self, poll: &PollSpec, ids: &[CompactString]) -> Result<(), Trouble> {
        let Some(get) = &poll.get else {
            self.due.remove(&poll.stream);
            return Ok(());
        };
        let found = self.poller.get(poll, get, ids).await?;
        let rows: Vec<Row> = found.iter().filter_map(|(_, row)| row.clone()).collect();
        self.read_owners(poll, &rows).await?;
        self.take_found(poll, found).await
    }

    /// Journals what was asked for by its id: rows, and ids that are no longer there. What is as old
    /// as the mark was there before we were.
    async fn take_found(&mut self, poll: &PollSpec, found: Vec<(CompactString, Option<Row>)>) -> Result<(), Trouble> {
        let base = self.cursor(poll)?.unwrap_or_default();
        let gone: Vec<CompactString> =
            found.iter().filter(|(_, row)| row.is_none()).map(|(id, _)| id.clone()).collect();
        // First what is gone: of two cards that people merged, the one that is left is both.
        self.tell_gone(poll, gone).await?;
        let fresh = self.changed(poll, found.into_iter().filter_map(|(_, row)| row).collect())?;
        let mark = foreign_instant(&base.mark);
        let is_news = |row: &Row| mark.is_none() || foreign_instant(&row.time) > mark;
        let (fresh, history): (Vec<Row>, Vec<Row>) = fresh.into_iter().partition(is_news);
        for (rows, notes) in [(history, Notes::history()), (fresh, Notes::plain())] {
            if !rows.is_empty() {
                self.append(poll, rows, &notes, |_| base.clone()).await?;
            }
        }
        Ok(())
    }

    /// Reads the objects that rows hang on, those of which nothing is known: a comment says nothing
    /// without its deal.
    pub(super) async fn read_owners(&mut self, poll: &PollSpec, rows: &[Row]) -> Result<(), Trouble> {
        let Some(owner) = &poll.owner else { return Ok(()) };
        let mut wanted: BTreeMap<Slug, BTreeSet<CompactString>> = BTreeMap::new();
        for (stream, id) in rows.iter().filter_map(|row| owner.of(&row.value)) {
            wanted.entry(stream.clone()).or_default().insert(id);
        }
        let connector = Arc::clone(&self.connector);
        for (stream, ids) in wanted {
            let Some(of) = connector.poll(&stream) else { continue };
            let Some(get) = of.get.as_ref().filter(|_| !self.is_not_offered(of)) else { continue };
            let keys: Vec<Foreign> = ids.iter().map(|id| self.foreign(of, id)).collect();
            let known = Reader::new(self.ledger.store()).get_many::<PolledRows>(&keys)?;
            let unknown = ids.into_iter().zip(known).filter(|(_, row)| row.is_none()).map(|(id, _)| id);
            let unknown: Vec<CompactString> = unknown.collect();
            for ids in unknown.chunks(POLL_ENVELOPE_ROWS_MAX) {
                let found = self.poller.get(of, get, ids).await?;
                self.take_found(of, found).await?;
            }
        }
        Ok(())
    }

    /// Journals that objects are no longer there, those of which that was not known.
    async fn tell_gone(&mut self, poll: &PollSpec, ids: Vec<CompactString>) -> Result<(), Trouble> {
        let keys: Vec<Foreign> = ids.iter().map(|id| self.foreign(poll, id)).collect();
        let known = Reader::new(self.ledger.store()).get_many::<PolledRows>(&keys)?;
        let news: Vec<CompactString> = ids
            .into_iter()
            .zip(known)
            .filter(|(_, row)| !row.as_ref().is_some_and(|it| it.gone))
            .map(|it| it.0)
            .collect();
        for ids in news.chunks(POLL_ENVELOPE_ROWS_MAX) {
            let base = self.cursor(poll)?.unwrap_or_default();
            let rows = ids.iter().cloned().map(Row::gone);
            self.append(poll, rows.collect(), &Notes::deleted(), |_| base.clone()).await?;
        }
        Ok(())
    }

    pub(super) async fn sweep_when_due(&mut self, poll: &PollSpec) -> Result<(), Trouble> {
        let (Some(request), Some(get)) = (&poll.sweep, &poll.get) else { return Ok(()) };
        let Some(cursor) = self.cursor(poll)? else { return Ok(()) };
        let now = self.clock.now();
        let is_first = cursor.swept_at == 0;
        let is_due = now.ms_since(Timestamp(cursor.swept_at)) >= POLL_SWEEP_EVERY_S * 1_000;
        // Nothing can be missing before anything was read; a load under way is let be.
        if cursor.loading.is_some() || !is_due {
            return Ok(());
        }
        if !is_first {
            self.sweep(poll, request, get, cursor.loaded).await?;
        }
        let base = self.cursor(poll)?.unwrap_or_default();
        self.append(poll, Vec::new(), &Notes::plain(), |_| Cursor { swept_at: now.0, ..base.clone() }).await
    }

    /// Compares the ids that are there with those that we know. What is missing is asked for by its
    /// id before it counts as deleted; what we do not know is read.
    async fn sweep(
        &mut self,
        poll: &PollSpec,
        request: &crate::connector::RequestSpec,
        get: &crate::connector::GetSpec,
        is_loaded: bool,
    ) -> Result<(), Trouble> {
        let mut there: HashSet<CompactString> = HashSet::new();
        let mut after = CompactString::default();
        loop {
            let page = self.poller.behind(poll, request, &after).await?;
            let Some(last) = page.rows.last().map(|row| row.id.clone()) else { break };
            let went_on = last != after;
            after = last;
            there.extend(page.rows.into_iter().map(|row| row.id));
            // Bound: more are not compared; a person is told.
            if there.len() > POLL_SWEEP_IDS_MAX {
                return Err(Trouble::Own(Message::new("poll-sweep-many").with("max", POLL_SWEEP_IDS_MAX)));
            }
            if !page.more || !went_on {
                break;
            }
        }
        let mut missing = Vec::new();
        let prefix = (self.poller.name().clone(), poll.kind.clone());
        for row in Reader::new(self.ledger.store()).rows(Span::<PolledRows>::of(&prefix)) {
            let (key, row) = row?;
            if !there.remove(&key.id) && !row.gone {
                missing.push(key.id);
            }
        }
        // What is left is there, and we do not know it: a page that shifted, a hint that was lost.
        let mut unknown: Vec<CompactString> = if is_loaded { there.into_iter().collect() } else { Vec::new() };
        unknown.sort_unstable();
        for ids in missing.chunks(POLL_ENVELOPE_ROWS_MAX).chain(unknown.chunks(POLL_ENVELOPE_ROWS_MAX)) {
            let found = self.poller.get(poll, get, ids).await?;
            self.take_found(poll, found).await?;
        }
        Ok(())
    }
}
