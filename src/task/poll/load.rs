//! The initial load: all of history, by ids, portion by portion.
//!
//! What a system lists only owner by owner costs as many calls as there are owners. Its portions are
//! what one request can ask for, so that a quota that runs out costs a portion and not the owners
//! of fifty pages, and it is loaded behind all else: contacts and deals never wait for comments.

use std::collections::VecDeque;
use std::sync::Arc;

use compact_str::CompactString;
use tracing::info;

use super::journal::Notes;
use super::{Follower, Ledger, Reading, Step, Trouble};
use crate::connector::{PollSpec, RequestSpec};
use crate::entry::{Cursor, Loading};
use crate::source::poll::{Page, Row};

/// Owners that were listed, and whose rows are not asked for yet. Lost with the process: they are
/// listed again from the cursor. Bound: the pages that travel together.
pub(super) struct Ahead {
    /// The id that they were asked for behind.
    behind: CompactString,
    owners: VecDeque<Row>,
    /// Whether there are more behind them.
    more: bool,
    /// Owners without an id among them that no portion has counted yet.
    nameless: u64,
}

impl<L: Ledger> Follower<L> {
    /// One portion of the initial load.
    pub(super) async fn load(&mut self, poll: &PollSpec) -> Result<Step, Trouble> {
        let Some(request) = &poll.load else { return Ok(Step::Rests) };
        // What hangs on others is loaded behind them.
        if self.owners_load(poll)? || self.lighter_load(poll)? {
            return Ok(Step::Rests);
        }
        let is_uncounted = |cursor: &Cursor| cursor.loading.as_ref().is_some_and(Loading::is_uncounted);
        if self.cursor(poll)?.as_ref().is_some_and(is_uncounted) {
            self.count().await?;
        }
        let Some(cursor) = self.cursor(poll)? else { return Ok(Step::Rests) };
        let Some(loading) = cursor.loading.clone() else { return Ok(Step::Rests) };
        let mut page = match &poll.each {
            None => self.poller.behind(poll, request, &loading.after).await?,
            Some(each) => {
                let together = self.poller.owners_together(poll, each);
                self.owners_behind(poll, request, &loading.after, together).await?
            }
        };
        let rows = match &poll.each {
            None => page.rows.clone(),
            Some(each) => {
                let read = self.poller.rows_as_far(poll, each, &page.rows).await;
                if let Some(pause) = read.pause {
                    // What was read before the failure counts: a method that works long would else
                    // spend its time on the same owners again.
                    if read.owners == 0 {
                        return Err(pause.into());
                    }
                    page.rows.truncate(read.owners);
                    page.more = true;
                }
                read.rows
            }
        };
        let read = page.rows.len() as u64 + page.nameless;
        let last = page.rows.last().map(|row| row.id.clone());
        let fresh = self.changed(poll, rows)?;
        self.read_owners(poll, &fresh).await?;
        let base = Cursor { loading: None, ..cursor.clone() };
        let done = match last {
            Some(after) if page.more && after != loading.after => Cursor {
                loading: Some(Loading { after, read: loading.read + read, ..loading.clone() }),
                ..base.clone()
            },
            Some(_) | None => Cursor { loaded: true, ..base.clone() },
        };
        if done.loaded && done.loading.is_none() {
            info!(source.name = %self.poller.name(), source.stream = %poll.stream, rows = loading.read + read, "history is loaded");
        }
        let mut count = 0;
        let total = fresh.len();
        // The rows of owners are no places to go on from.
        let in_order = poll.each.is_none();
        self.append(poll, fresh, &Notes::history(), |row| {
            let Some(row) = row else { return done.clone() };
            count += 1;
            // Behind the last of the portion: as far as the portion went.
            match (count == total, in_order) {
                (true, _) => done.clone(),
                (false, false) => cursor.clone(),
                (false, true) => {
                    let after = row.id.clone();
                    let loading = Loading { after, read: loading.read + count as u64, ..loading.clone() };
                    Cursor { loading: Some(loading), ..base.clone() }
                }
            }
        })
        .await?;
        if let Some(ahead) = self.ahead.get_mut(&poll.stream) {
            ahead.passed(read);
        }
        self.readings.edit(self.poller.name(), &poll.stream, Reading::recovered);
        self.hurry_after_load()?;
        Ok(Step::Went)
    }

    /// Asks how much history there is, of all streams that wait to be loaded at once, and writes it
    /// beside their cursors: how far a load is shows from its beginning.
    async fn count(&mut self) -> Result<(), Trouble> {
        let connector = Arc::clone(&self.connector);
        let mut counted = Vec::new();
        for poll in connector.polls.iter().filter(|poll| !self.is_not_offered(poll)) {
            let Some(cursor) = self.cursor(poll)? else { continue };
            if cursor.loading.as_ref().is_some_and(Loading::is_uncounted) {
                counted.push(poll);
            }
        }
        let totals = self.poller.totals(&counted).await?;
        for (poll, total) in counted.into_iter().zip(totals) {
            let Some(cursor) = self.cursor(poll)?.filter(|_| total.is_some()) else { continue };
            let loading = cursor.loading.clone().map(|loading| Loading { total, ..loading });
            let cursor = Cursor { loading, ..cursor };
            self.append(poll, Vec::new(), &Notes::plain(), |_| cursor.clone()).await?;
        }
        Ok(())
    }

    /// The next owners behind an id: of those that were listed already, as long as there are any.
    async fn owners_behind(
        &mut self,
        poll: &PollSpec,
        request: &RequestSpec,
        after: &CompactString,
        together: usize,
    ) -> Result<Page, Trouble> {
        let listed = self.ahead.get(&poll.stream).filter(|it| it.behind == *after && !it.owners.is_empty());
        if listed.is_none() {
            let page = self.poller.behind(poll, request, after).await?;
            let Page { rows, more, nameless } = page;
            let ahead = Ahead { behind: after.clone(), owners: rows.into(), more, nameless };
            self.ahead.insert(poll.stream.clone(), ahead);
        }
        let Some(ahead) = self.ahead.get(&poll.stream) else { return Ok(Page::default()) };
        let rows: Vec<Row> = ahead.owners.iter().take(together).cloned().collect();
        let more = ahead.more || rows.len() < ahead.owners.len();
        Ok(Page { rows, more, nameless: ahead.nameless })
    }

    /// There is no history where the stream is not offered: nobody waits for it.
    pub(super) async fn load_no_more(&mut self, poll: &PollSpec) -> Result<(), Trouble> {
        let Some(cursor) = self.cursor(poll)?.filter(|cursor| cursor.loading.is_some()) else { return Ok(()) };
        let ended = Cursor { loading: None, ..cursor };
        self.append(poll, Vec::new(), &Notes::plain(), |_| ended.clone()).await
    }

    /// Whether objects that the rows of the stream hang on are still being loaded.
    fn owners_load(&self, poll: &PollSpec) -> Result<bool, Trouble> {
        let Some(owner) = &poll.owner else { return Ok(false) };
        for stream in owner.streams() {
            let Some(of) = self.connector.poll(stream).filter(|of| !self.is_not_offered(of)) else { continue };
            if self.cursor(of)?.is_some_and(|cursor| cursor.loading.is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the stream costs a call per owner, and one that costs less is still being loaded. One
    /// that cannot be read just now is not waited for.
    fn lighter_load(&self, poll: &PollSpec) -> Result<bool, Trouble> {
        if !is_by_owner(poll) {
            return Ok(false);
        }
        for other in self.connector.polls.iter().filter(|other| !is_by_owner(other)) {
            let is_loading = self.cursor(other)?.is_some_and(|cursor| cursor.loading.is_some());
            let reading = self.readings.of(self.poller.name(), &other.stream);
            if is_loading && !reading.is_some_and(|it| it.is_hindered()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Ahead {
    /// The rows of the first of the owners are journalled.
    fn passed(&mut self, read: u64) {
        let count = (read - self.nameless.min(read)) as usize;
        self.nameless = 0;
        if let Some(last) = self.owners.drain(..count.min(self.owners.len())).next_back() {
            self.behind = last.id;
        }
    }
}

/// Whether the rows of each owner are a call of their own.
fn is_by_owner(poll: &PollSpec) -> bool {
    poll.each.as_ref().is_some_and(|each| each.of.is_none())
}
