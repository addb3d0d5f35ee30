//! Following: what changed there since the newest change seen.

use std::collections::HashSet;

use compact_str::CompactString;

use super::journal::Notes;
use super::{Follower, Ledger, Trouble, before, is_later};
use crate::base::Slug;
use crate::base::limits::POLL_PAGES_MAX;
use crate::connector::{PollSpec, RequestSpec};
use crate::entry::{Cursor, foreign_instant};
use crate::model::Foreign;
use crate::source::poll::Row;
use crate::tables::rows::PolledRow;
use crate::tables::{PolledRows, Reader};

/// Rows that may be read again and again because no cursor was written behind them.
const UNWRITTEN_ROWS_MAX: u64 = 500;
/// Looks after which an owner that did not change is passed over: what came within the second of
/// its time is seen by the second look.
const OWNER_LOOKS: u32 = 2;

impl<L: Ledger> Follower<L> {
    pub(super) async fn follow(&mut self, poll: &PollSpec, stored: &Cursor) -> Result<(), Trouble> {
        let from = self.unwritten.get(&poll.stream).filter(|it| is_later(it, stored)).unwrap_or(stored).clone();
        let mut newest = from.clone();
        let mut journalled = false;
        let mut owners = Vec::new();
        for request in &poll.follow {
            journalled |= self.follow_by(poll, request, stored, &from, &mut newest, &mut owners).await?;
        }
        if poll.each.is_some() {
            let looks = owners.into_iter().map(|row| {
                let before = self.looks(&poll.stream, &row);
                (row.id, (row.time, before + 1))
            });
            let seen = looks.collect();
            self.owners_seen.insert(poll.stream.clone(), seen);
        }
        if journalled && poll.follow.len() > 1 {
            // Only now all that changed up to there is read.
            let base = self.cursor(poll)?.unwrap_or_default();
            let (time, id) = (newest.time.clone(), newest.id.clone());
            self.append(poll, Vec::new(), &Notes::plain(), |_| Cursor {
                time: time.clone(),
                id: id.clone(),
                ..base.clone()
            })
            .await?;
        }
        self.unwritten.insert(poll.stream.clone(), newest);
        Ok(())
    }

    /// Follows by one request. Moves `newest` over what it sees; whether anything was journalled.
    async fn follow_by(
        &mut self,
        poll: &PollSpec,
        request: &RequestSpec,
        stored: &Cursor,
        from: &Cursor,
        newest: &mut Cursor,
        owners: &mut Vec<Row>,
    ) -> Result<bool, Trouble> {
        let mut since = before(&from.time, poll);
        if foreign_instant(&since) < foreign_instant(&stored.mark) {
            since.clone_from(&stored.mark);
        }
        // Of rows that come in the order of their times each one is a place to go on from.
        let in_order = poll.each.is_none() && poll.follow.len() == 1;
        let mut start = 0;
        let mut passed = 0;
        let mut journalled = false;
        for _ in 0..POLL_PAGES_MAX {
            let page = self.poller.changed(poll, request, &since, start).await?;
            let read = page.rows.len() as u64;
            let last = page.rows.last().map(|row| row.time.clone());
            pass(&page.rows, newest);
            let rows = match &poll.each {
                None => page.rows,
                Some(each) => {
                    let news: Vec<Row> =
                        page.rows.iter().filter(|row| self.looks(&poll.stream, row) < OWNER_LOOKS).cloned().collect();
                    let rows = self.poller.rows_of(poll, each, &news).await?;
                    owners.extend(page.rows);
                    rows
                }
            };
            let fresh = self.changed(poll, rows)?;
            passed = if fresh.is_empty() { passed + read } else { 0 };
            let writes_cursor = passed > UNWRITTEN_ROWS_MAX && poll.follow.len() == 1;
            if !fresh.is_empty() || writes_cursor {
                passed = 0;
                journalled = true;
                self.read_owners(poll, &fresh).await?;
                // What is as old as the mark was there before we were.
                let mark = foreign_instant(&stored.mark);
                let (fresh, history): (Vec<Row>, Vec<Row>) =
                    fresh.into_iter().partition(|row| foreign_instant(&row.time) > mark);
                let base = self.cursor(poll)?.unwrap_or_default();
                if !history.is_empty() {
                    self.append(poll, history, &Notes::history(), |_| base.clone()).await?;
                }
                let behind_all = match poll.follow.len() {
                    1 => Cursor { time: newest.time.clone(), id: newest.id.clone(), ..base.clone() },
                    _ => base.clone(),
                };
                let (total, mut count) = (fresh.len(), 0);
                self.append(poll, fresh, &Notes::plain(), |last| {
                    count += 1;
                    match last {
                        // In the order of time: what is behind this row comes after it.
                        Some(row) if in_order && foreign_instant(&row.time) >= foreign_instant(&base.time) => {
                            Cursor { time: row.time.clone(), id: row.id.clone(), ..base.clone() }
                        }
                        // Within the overlap.
                        Some(_) if in_order || count < total => base.clone(),
                        Some(_) | None => behind_all.clone(),
                    }
                })
                .await?;
            }
            if poll.follow.len() == 1 {
                self.unwritten.insert(poll.stream.clone(), newest.clone());
            }
            let Some(last) = last.filter(|_| page.more) else { return Ok(journalled) };
            match (foreign_instant(&last), foreign_instant(&since)) {
                (Some(last_at), Some(since_at)) if last_at > since_at => {
                    since = last;
                    start = 0;
                }
                // All of a page within one second: the rest of that second is behind it.
                _ => start += read,
            }
        }
        Ok(journalled)
    }

    /// How often the rows of this owner were read since it changed last.
    fn looks(&self, stream: &Slug, owner: &Row) -> u32 {
        let seen = self.owners_seen.get(stream).and_then(|seen| seen.get(&owner.id));
        seen.filter(|(time, _)| *time == owner.time).map_or(0, |(_, looks)| *looks)
    }

    /// The rows that say something new; the others are counted.
    pub(super) fn changed(&self, poll: &PollSpec, rows: Vec<Row>) -> Result<Vec<Row>, Trouble> {
        let keys: Vec<Foreign> = rows.iter().map(|row| self.foreign(poll, &row.id)).collect();
        let known = Reader::new(self.ledger.store()).get_many::<PolledRows>(&keys)?;
        let total = rows.len();
        let is_new = |known: &Option<PolledRow>, row: &Row| match known {
            Some(known) => known.gone || known.fingerprint != row.fingerprint,
            None => !holds_nothing(poll, row),
        };
        let mut seen = HashSet::new();
        let fresh: Vec<Row> = rows
            .into_iter()
            .zip(&known)
            .filter(|(row, known)| is_new(known, row) && seen.insert((row.id.clone(), row.fingerprint)))
            .map(|(row, _)| row)
            .collect();
        let same = (total - fresh.len()) as u64;
        self.readings.edit(self.poller.name(), &poll.stream, |reading| reading.same += same);
        Ok(fresh)
    }

    pub(super) fn foreign(&self, poll: &PollSpec, id: &CompactString) -> Foreign {
        Foreign { connection: self.poller.name().clone(), kind: poll.kind.clone(), id: id.clone() }
    }
}

/// Moves a cursor over rows.
fn pass(rows: &[Row], cursor: &mut Cursor) {
    for row in rows {
        let ahead = match (foreign_instant(&row.time), foreign_instant(&cursor.time)) {
            (Some(row), Some(cursor)) => row >= cursor,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if ahead {
            cursor.time.clone_from(&row.time);
            cursor.id.clone_from(&row.id);
        }
    }
}

/// Whether a row that gathers the rows of an owner has none.
fn holds_nothing(poll: &PollSpec, row: &Row) -> bool {
    let member = poll.each.as_ref().and_then(|each| each.into.as_ref());
    member.is_some_and(|member| row.value.get(member).is_none_or(|rows| rows.items().is_empty()))
}
