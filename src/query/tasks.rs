//! Tasks as people see them.

use super::deliveries::sink_views;
use super::views::{Page, TaskLine, TaskView};
use super::{Listing, Query, QueryError};
use crate::base::{Locale, TaskId, Timestamp};
use crate::model::Task;
use crate::tables::{Clients, OpenTasks, Span, Tasks};

impl Query {
    /// Open tasks by deadline; with the state `overdue` only those whose deadline is before `now`,
    /// with `done`, `cancelled` or `all` those in that state, the oldest first.
    pub fn tasks(&self, listing: &Listing, now: Timestamp) -> Result<Page<TaskLine>, QueryError> {
        let after: Option<TaskId> = match &listing.after {
            Some(after) => Some(after.parse().map_err(QueryError::Parameter)?),
            None => None,
        };
        let fits = |task: &Task| {
            let wanted = listing.responsible.as_deref();
            let is_his = |key: &str, wanted: &str| key == wanted || self.employee_name(key) == wanted;
            wanted.is_none_or(|wanted| task.responsible.as_deref().is_some_and(|key| is_his(key, wanted)))
        };
        match listing.state.as_deref() {
            None | Some("open") => self.open_tasks(listing, after, None, fits, now),
            Some("overdue") => self.open_tasks(listing, after, Some(now), fits, now),
            Some(state) => self.all_tasks(listing, after, |task| fits(task) && state_fits(task, state), now),
        }
    }

    fn open_tasks(
        &self,
        listing: &Listing,
        after: Option<TaskId>,
        due_before: Option<Timestamp>,
        fits: impl Fn(&Task) -> bool,
        now: Timestamp,
    ) -> Result<Page<TaskLine>, QueryError> {
        let mut span = Span::<OpenTasks>::all();
        let mut ended = None;
        if let Some(after) = after
            && let Some(row) = self.reader().get::<Tasks>(&after)?
        {
            let key = OpenTasks::key(row.task.due, after);
            ended = Some((key, after));
            span = span.from(&key);
        }
        let mut rows = Vec::new();
        for row in self.reader().rows(span) {
            let (key, tasks) = row?;
            if due_before.is_some_and(|before| key.0 >= before) {
                break;
            }
            for id in tasks {
                if ended.is_some_and(|(last_key, last)| key == last_key && id <= last) {
                    continue;
                }
                let Some(row) = self.reader().get::<Tasks>(&id)? else { continue };
                if fits(&row.task) {
                    rows.push(self.task_line(&row.task, listing.locale, now)?);
                }
                if rows.len() == listing.rows_max {
                    return Ok(Page { rows, next: Some(id.to_string()) });
                }
            }
        }
        Ok(Page { rows, next: None })
    }

    fn all_tasks(
        &self,
        listing: &Listing,
        after: Option<TaskId>,
        fits: impl Fn(&Task) -> bool,
        now: Timestamp,
    ) -> Result<Page<TaskLine>, QueryError> {
        let mut span = Span::<Tasks>::all();
        if let Some(after) = after {
            span = span.after(&after);
        }
        let mut rows = Vec::new();
        for row in self.reader().rows(span) {
            let (id, row) = row?;
            if fits(&row.task) {
                rows.push(self.task_line(&row.task, listing.locale, now)?);
            }
            if rows.len() == listing.rows_max {
                return Ok(Page { rows, next: Some(id.to_string()) });
            }
        }
        Ok(Page { rows, next: None })
    }

    /// One task.
    pub fn task(&self, id: TaskId, locale: Locale, now: Timestamp) -> Result<Option<TaskView>, QueryError> {
        let Some(row) = self.reader().get::<Tasks>(&id)? else { return Ok(None) };
        let end = row.task.state.end();
        Ok(Some(TaskView {
            rule: row.task.rule.to_string(),
            record: row.task.record.to_string(),
            ended_at: end.map(|end| self.local(end.at)),
            result: end.map(|end| end.by.render(locale)),
            sinks: sink_views(&row.sinks, locale),
            line: self.task_line(&row.task, locale, now)?,
        }))
    }

    pub(super) fn task_line(&self, task: &Task, locale: Locale, now: Timestamp) -> Result<TaskLine, QueryError> {
        let client_name = match task.client {
            Some(client) => self.reader().get::<Clients>(&client)?.map(|it| it.client.shown_name()).unwrap_or_default(),
            None => String::new(),
        };
        Ok(TaskLine {
            id: task.id.to_string(),
            kind: task.kind.name().to_owned(),
            title: task.title.render(locale),
            client: task.client.map(|id| id.to_string()),
            client_name,
            deal: task.deal.map(|id| id.to_string()),
            responsible: task.responsible.as_ref().map(|it| self.employee_name(it)),
            due: self.local(task.due),
            is_overdue: task.is_open() && task.due < now,
            late_minutes: if task.is_open() { (now.ms_since(task.due).max(0) / 60_000).unsigned_abs() } else { 0 },
            state: task.state.name().to_owned(),
            created_at: self.local(task.created_at),
            renewals: task.renewals,
        })
    }

    /// How many open tasks there are, and how many of them are late at `now`.
    pub fn task_counts(&self, now: Timestamp) -> Result<(u64, u64), QueryError> {
        let (mut open, mut overdue) = (0, 0);
        for row in self.reader().rows(Span::<OpenTasks>::all()) {
            let ((due, _), tasks) = row?;
            open += tasks.len() as u64;
            if due < now {
                overdue += tasks.len() as u64;
            }
        }
        Ok((open, overdue))
    }
}

fn state_fits(task: &Task, state: &str) -> bool {
    state == "all" || task.state.name() == state
}
