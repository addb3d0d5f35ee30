//! The initial load: all of history, by ids, portion by portion.

use tracing::info;

use super::journal::Notes;
use super::{Follower, Ledger, Step, Trouble};
use crate::connector::PollSpec;
use crate::entry::{Cursor, Loading};

impl<L: Ledger> Follower<L> {
    /// One portion of the initial load.
    pub(super) async fn load(&mut self, poll: &PollSpec) -> Result<Step, Trouble> {
        let Some(request) = &poll.load else { return Ok(Step::Rests) };
        let Some(cursor) = self.cursor(poll)? else { return Ok(Step::Rests) };
        let Some(mut loading) = cursor.loading.clone() else { return Ok(Step::Rests) };
        // What hangs on others is loaded behind them.
        if self.owners_load(poll)? {
            return Ok(Step::Rests);
        }
        if loading.after.is_empty() && loading.total.is_none() {
            loading.total = self.poller.newest(poll).await?.total;
        }
        let page = self.poller.behind(poll, request, &loading.after).await?;
        let read = page.rows.len() as u64 + page.nameless;
        let last = page.rows.last().map(|row| row.id.clone());
        let rows = match &poll.each {
            None => page.rows,
            Some(each) => self.poller.rows_of(poll, each, &page.rows).await?,
        };
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
        self.readings.edit(self.poller.name(), &poll.stream, |reading| {
            reading.trouble = None;
            reading.troubled_since = None;
        });
        Ok(Step::Went)
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
}
