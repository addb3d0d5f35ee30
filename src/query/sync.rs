//! What the sinks would be told: plans, and how each sink stands.

use std::collections::HashMap;

use compact_str::CompactString;

use super::views::{FieldChangeView, PlanLineView, PlanView, SyncView};
use super::{Query, QueryError, text};
use crate::base::{Locale, Position, Timestamp};
use crate::catalog::Connection;
use crate::entry::{Entry, ObjectRef};
use crate::plan::{self, Line, Plan, PlanError, Plans, Source, Vocabulary, Work};
use crate::tables::rows::SinkRow;
use crate::tables::{Lane, Reader, Sinks, TableError};

/// How a plan stands to the store of now.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Objects whose lines still hold.
    pub holds: Vec<ObjectRef>,
    /// Of them those that a look has found: kind and id there.
    pub found: Vec<(ObjectRef, CompactString, CompactString)>,
    /// Objects whose lines were overtaken: they changed, went another way, or are known by now.
    pub overtaken: Vec<ObjectRef>,
    /// Objects that have gathered since.
    pub newer: u64,
}

impl Query {
    /// Makes a plan and keeps it.
    pub fn make_plan(
        &self,
        plans: &Plans,
        connection: &Connection,
        locale: Locale,
        now: Timestamp,
    ) -> Result<Plan, PlanError> {
        let reader = self.reader();
        let position = reader.checkpoint().map_err(TableError::from)?.position;
        let mut writing = plans.begin(&connection.name)?;
        let vocabulary = plan::vocabulary(&reader, connection)?;
        self.plan_source(reader, connection, locale, &vocabulary).lines(|line| writing.add(&line))?;
        let spec = connection.connector.sink.as_ref().expect("plans are made of sinks");
        writing.end(now, Position(position.0.saturating_sub(1)), spec)
    }

    /// Compares a plan with what one of now would say.
    pub fn standing(
        &self,
        plans: &Plans,
        plan: &Plan,
        connection: &Connection,
        locale: Locale,
    ) -> Result<Standing, PlanError> {
        let mut planned: HashMap<ObjectRef, (String, Option<CompactString>)> = HashMap::new();
        plans.lines(plan, |line| {
            if line.action.goes() {
                planned.insert(line.object, (line.base, line.found.map(|found| found.id)));
            }
            true
        })?;
        let mut standing = Standing::default();
        let vocabulary = plan::vocabulary(&self.reader(), connection)?;
        self.plan_source(self.reader(), connection, locale, &vocabulary).lines(|line| {
            match planned.remove(&line.object) {
                Some((base, found)) if base == line.base => {
                    standing.holds.push(line.object);
                    standing.found.extend(found.map(|id| (line.object, line.kind, id)));
                }
                Some(_) => standing.overtaken.push(line.object),
                None => standing.newer += u64::from(line.action.goes()),
            }
            Ok::<(), PlanError>(())
        })?;
        // No longer waiting: told meanwhile, or gone.
        standing.overtaken.extend(planned.into_keys());
        standing.overtaken.sort_unstable();
        Ok(standing)
    }

    /// What a sink would be told of objects that it does not know, to look for them there. Each with
    /// whether it is history.
    pub fn works_of(
        &self,
        connection: &Connection,
        objects: &[(ObjectRef, bool)],
        locale: Locale,
    ) -> Result<Vec<Work>, TableError> {
        let vocabulary = plan::vocabulary(&self.reader(), connection)?;
        let source = self.plan_source(self.reader(), connection, locale, &vocabulary);
        let works = objects.iter().filter_map(|(object, quiet)| source.work(*object, *quiet).transpose());
        works.collect()
    }

    /// What a sink calls its stages, pipelines and sources.
    pub fn vocabulary(&self, connection: &Connection) -> Result<Vocabulary, QueryError> {
        Ok(plan::vocabulary(&self.reader(), connection)?)
    }

    fn plan_source<'a>(
        &'a self,
        reader: Reader<'a>,
        connection: &'a Connection,
        locale: Locale,
        vocabulary: &'a Vocabulary,
    ) -> Source<'a> {
        Source { reader, catalog: &self.catalog, connection, locale, vocabulary }
    }

    /// The row of a sink.
    pub fn sink_row(&self, connection: &Connection) -> Result<SinkRow, QueryError> {
        Ok(self.reader().get::<Sinks>(&connection.name)?.unwrap_or_default())
    }

    /// How each sink stands.
    pub fn sync_status(&self) -> Result<Vec<SyncView>, QueryError> {
        let mut views = Vec::new();
        for connection in self.catalog.sinks() {
            let row = self.sink_row(connection)?;
            let mut view = SyncView {
                sink: connection.name.to_string(),
                mode: self.standing_of(connection)?.to_owned(),
                urgent: 0,
                quiet: 0,
                later: 0,
                held: 0,
                plan: row.approval.as_ref().map(|it| it.plan.to_string()),
                approved_at: row.approval.as_ref().map(|it| self.local(it.at)),
                lines: row.approval.as_ref().map(|it| it.lines),
                paused_since: row.paused.map(|at| self.local(at)),
            };
            for ((lane, held), count) in self.lanes(&connection.name)? {
                match (held, lane) {
                    (true, _) => view.held += count,
                    (false, Lane::Urgent) => view.urgent += count,
                    (false, Lane::Quiet) => view.quiet += count,
                    (false, Lane::Later) => view.later += count,
                }
            }
            views.push(view);
        }
        Ok(views)
    }

    /// A plan for people.
    pub fn plan_view(&self, plan: Plan, lines: Vec<Line>, next: Option<String>, locale: Locale) -> PlanView {
        PlanView {
            plan: plan.plan,
            sink: plan.sink.to_string(),
            made_at: self.local(plan.made_at),
            looked_at: plan.looked_at.map(|at| self.local(at)),
            position: plan.position.0,
            goes: plan.goes,
            beyond: plan.beyond,
            requests: plan.need.requests,
            seconds: plan.need.seconds,
            groups: plan.groups,
            lines: lines.into_iter().map(|line| self.plan_line(line, locale)).collect(),
            next,
        }
    }

    fn plan_line(&self, line: Line, locale: Locale) -> PlanLineView {
        let field = |it: crate::plan::FieldLine| FieldChangeView {
            name: it.name.to_string(),
            from: it.from.map(|value| shown(&value)),
            to: shown(&it.to),
        };
        PlanLineView {
            object: line.object.to_string(),
            title: line.title,
            kind: line.kind.to_string(),
            action: line.action.name().to_owned(),
            quiet: line.quiet,
            foreign_id: line.foreign_id.map(|id| id.to_string()),
            several: line.found.is_some_and(|found| found.several),
            fields: line.fields.into_iter().map(field).collect(),
            left_out: line.left_out.iter().map(|it| it.render(locale)).collect(),
            position: line.wanted.0,
            why: self.cause_of(line.wanted, locale),
        }
    }

    /// What made it necessary: the entry at that position, in words.
    fn cause_of(&self, position: Position, locale: Locale) -> String {
        let stored = self.stored(position).ok().flatten();
        let entry = stored.and_then(|stored| Entry::decode(stored.kind, &stored.payload).ok());
        entry.map(|entry| text::cause(&entry, locale)).unwrap_or_default()
    }
}

/// A value as people read it: texts without quotes.
fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
