//! The lines of a plan: one object each, with what would be written and over what.

use std::collections::BTreeMap;
use std::fmt;

use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::subject::Subject;
use super::work::{Ids, Telling, Told, work};
use crate::base::checksum::Fingerprint;
use crate::base::{Locale, Message, Position, Slug};
use crate::catalog::{Catalog, Connection};
use crate::connector::{ObjectSpec, SinkSpec};
use crate::entry::ObjectRef;
use crate::mapping::Vocabulary;
use crate::model::DeliveryState;
use crate::outbox;
use crate::sink::{Certainty, Work, marked};
use crate::tables::rows::SinkState;
use crate::tables::{Held, Lane, Pending, Reader, Sinks, Span, TableError};

/// What would be done about an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Made, unless it is found there by then: then it is linked, and what differs is written.
    Create,
    /// Made as history: nothing starts there because of it. Looked for first, as for `Create`.
    Import,
    /// It is there already, as a look has shown: linked, and what differs is written.
    Link,
    /// Fields are changed.
    Update,
    /// The sink knows everything: nothing is sent.
    Nothing,
    /// Nothing now: it waits for an object that the sink does not know and is not being told.
    Waits,
    /// Nothing now: a dead letter, which a person must look at.
    Person,
    /// Nothing: no mapping tells of it, or it was merged away.
    Untold,
}

impl Action {
    /// For listings and labels.
    pub fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Import => "import",
            Action::Link => "link",
            Action::Update => "update",
            Action::Nothing => "nothing",
            Action::Waits => "waits",
            Action::Person => "person",
            Action::Untold => "untold",
        }
    }

    /// Whether an applied plan lets the object go.
    pub fn goes(self) -> bool {
        match self {
            Action::Create | Action::Import | Action::Link | Action::Update | Action::Nothing => true,
            Action::Waits | Action::Person | Action::Untold => false,
        }
    }
}

/// A field as it would be written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldLine {
    /// Its name in the sink.
    pub name: CompactString,
    /// What the sink last confirmed, if anything.
    pub from: Option<Json>,
    /// What would be written. Our id stands for the id of an object that is made by the same plan.
    pub to: Json,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The object.
    #[serde(with = "as_text")]
    pub object: ObjectRef,
    /// Name or title, for people.
    pub title: String,
    /// Foreign kind (`contact`); empty when nothing is told.
    pub kind: CompactString,
    /// What would be done.
    pub action: Action,
    /// Whether it is history.
    pub quiet: bool,
    /// Its id in the sink, when it is known there.
    pub foreign_id: Option<CompactString>,
    /// What would be written.
    pub fields: Vec<FieldLine>,
    /// Which fields the sink has no word for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Message>,
    /// By what it is looked for first: steps of looking that have something to look for.
    pub looks: u32,
    /// Whether the object is read before it is changed.
    pub read_first: bool,
    /// Version of the object.
    pub version: Position,
    /// The entry that made it necessary.
    pub wanted: Position,
    /// Names all of the above: a line is as it was planned when this is the same.
    pub base: String,
    /// What a look found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

/// What a look found in place of an object that would be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its id there.
    pub id: CompactString,
    /// Whether others fit too; this one has the smallest id.
    pub several: bool,
    /// What would be written.
    pub fields: Vec<FieldLine>,
}

impl Found {
    /// With the fields that would be written.
    pub fn new(id: CompactString, several: bool, fields: Vec<(CompactString, Json)>) -> Found {
        let fields = fields.into_iter().map(|(name, to)| FieldLine { name, from: None, to }).collect();
        Found { id, several, fields }
    }
}

mod as_text {
    use std::str::FromStr as _;

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::entry::ObjectRef;

    pub(super) fn serialize<S: Serializer>(object: &ObjectRef, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(object)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectRef, D::Error> {
        let text = String::deserialize(deserializer)?;
        ObjectRef::from_str(&text).map_err(D::Error::custom)
    }
}

/// What a plan is made of.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The store.
    pub reader: Reader<'a>,
    /// The configuration.
    pub catalog: &'a Catalog,
    /// The sink.
    pub connection: &'a Connection,
    /// Language of what people read in the sink.
    pub locale: Locale,
    /// What the sink calls its stages and sources.
    pub vocabulary: &'a Vocabulary,
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({})", self.connection.name)
    }
}

impl Source<'_> {
    /// Shows every line in the order of delivery: what has gathered, and, while the sink is not
    /// written to, also what was on its way when that ended. Stops when `visit` fails.
    pub fn lines<E: From<TableError>>(&self, mut visit: impl FnMut(Line) -> Result<(), E>) -> Result<(), E> {
        let sink = &self.connection.name;
        let row = self.reader.get::<Sinks>(sink)?.unwrap_or_default();
        if !row.delivers() {
            for row in self.reader.rows(Span::<Pending>::of(sink)) {
                let ((_, rank, _), objects) = row?;
                self.visit(objects, rank, &mut visit)?;
            }
        }
        for row in self.reader.rows(Span::<Held>::of(sink)) {
            let ((_, rank, _), objects) = row?;
            self.visit(objects, rank, &mut visit)?;
        }
        Ok(())
    }

    fn visit<E: From<TableError>>(
        &self,
        objects: Vec<ObjectRef>,
        rank: u8,
        visit: &mut impl FnMut(Line) -> Result<(), E>,
    ) -> Result<(), E> {
        for object in objects {
            visit(self.line(object, Lane::of_key(rank) == Lane::Quiet)?)?;
        }
        Ok(())
    }

    /// What the sink would be told of an object that it does not know. `None`: nothing, or of
    /// something that it surely does not know either.
    pub fn work(&self, object: ObjectRef, quiet: bool) -> Result<Option<Work>, TableError> {
        let subject = Subject::read(&self.reader, object)?;
        let state = subject.as_ref().and_then(|it| it.state(&self.connection.name));
        let (Some(subject), Some(state)) = (&subject, state) else { return Ok(None) };
        // What hangs on another object is looked for at that object; what stands by itself is not.
        let ids = match object {
            ObjectRef::Client(_) | ObjectRef::Deal(_) => Ids::Expected,
            ObjectRef::Interaction(_) | ObjectRef::Task(_) => Ids::Given,
        };
        let telling = Telling { ids, certainty: Certainty::Fresh, quiet };
        Ok(match work(self.catalog, self.connection, self.locale, subject, state, telling, self.vocabulary) {
            Told::Work(work, ..) => Some(*work).filter(|work| work.confirmed.is_none()),
            Told::Waits(_) | Told::Nothing => None,
        })
    }

    /// The line of one object as of now.
    pub fn line(&self, object: ObjectRef, quiet: bool) -> Result<Line, TableError> {
        let subject = Subject::read(&self.reader, object)?;
        let state = subject.as_ref().and_then(|it| it.state(&self.connection.name));
        let (Some(subject), Some(state)) = (&subject, state) else {
            return Ok(Line::without(object, String::new(), Action::Untold, quiet).named());
        };
        let mut line = Line::without(object, subject.title(self.locale), Action::Untold, quiet);
        line.version = subject.version();
        line.wanted = state.delivery.as_ref().map_or(line.version, |delivery| delivery.wanted);
        line.foreign_id = state.confirmed.as_ref().map(|confirmed| confirmed.foreign_id.clone());
        let telling = Telling { ids: Ids::Expected, certainty: Certainty::Fresh, quiet };
        match work(self.catalog, self.connection, self.locale, subject, state, telling, self.vocabulary) {
            Told::Nothing => {}
            Told::Waits(_) => line.action = Action::Waits,
            Told::Work(work, spec, left_out) => {
                line.take(*work, spec, state);
                line.left_out = left_out.into_iter().map(|it| it.reason).collect();
            }
        }
        Ok(line.named())
    }
}

impl Line {
    fn without(object: ObjectRef, title: String, action: Action, quiet: bool) -> Line {
        Line {
            object,
            title,
            kind: CompactString::default(),
            action,
            quiet,
            foreign_id: None,
            fields: Vec::new(),
            left_out: Vec::new(),
            looks: 0,
            read_first: false,
            version: Position::START,
            wanted: Position::START,
            base: String::new(),
            found: None,
        }
    }

    fn take(&mut self, mut work: Work, spec: &ObjectSpec, state: &SinkState) {
        marked(spec, &mut work);
        self.kind = work.foreign_kind.clone();
        let confirmed = work.confirmed.as_ref();
        let held = |name: &str| {
            let text = confirmed?.sent.iter().find(|(key, _)| key == name).map(|(_, text)| text)?;
            serde_json::from_str(text).ok()
        };
        let changes = match (confirmed, &spec.update) {
            // Told once.
            (Some(_), None) => Vec::new(),
            (Some(_), Some(_)) | (None, _) => outbox::difference(&work.desired, confirmed, &work.create_only),
        };
        self.fields = changes.into_iter().map(|(name, to)| FieldLine { from: held(&name), name, to }).collect();
        let is_dead = |state: &DeliveryState| match state {
            DeliveryState::Dead { .. } | DeliveryState::Discarded => true,
            DeliveryState::Due { .. } | DeliveryState::InFlight { .. } | DeliveryState::Uncertain { .. } => false,
        };
        self.action = match (&state.delivery, confirmed) {
            (Some(delivery), _) if is_dead(&delivery.state) => Action::Person,
            (_, None) if work.import => Action::Import,
            (_, None) => Action::Create,
            (_, Some(_)) if self.fields.is_empty() => Action::Nothing,
            (_, Some(_)) => Action::Update,
        };
        let is_multi = |field: &FieldLine| spec.multi.iter().any(|it| *it.name == *field.name);
        self.read_first = self.action == Action::Update && spec.get.is_some() && self.fields.iter().any(is_multi);
        if matches!(self.action, Action::Create | Action::Import) {
            self.looks = spec.find.iter().filter(|find| work.search.has(find.by)).count() as u32;
        }
    }

    /// The line of an object that a look has found there.
    pub fn linked(mut self, found: Found) -> Line {
        self.action = Action::Link;
        self.foreign_id = Some(found.id.clone());
        self.fields = found.fields.clone();
        self.found = Some(found);
        self
    }

    fn named(mut self) -> Line {
        let bytes = serde_json::to_vec(&self).expect("a line has no map with keys that are no text");
        self.base = Fingerprint::of(&bytes).to_string();
        self
    }
}

/// Lines counted: by kind, action, and whether they are history.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    groups: BTreeMap<(CompactString, Action, bool), Counted>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    lines: u64,
    looks_max: u32,
    read_first: bool,
}

/// A group of lines.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Group {
    /// Foreign kind; empty when nothing is told.
    pub kind: String,
    /// What would be done.
    pub action: Action,
    /// Whether it is history.
    pub quiet: bool,
    /// How many.
    pub count: u64,
}

/// What a plan needs of the sink's quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// Requests, about: looks that find something save some.
    pub requests: u64,
    /// How long they take within the quota at the least, s.
    pub seconds: u64,
}

impl Tally {
    /// Counts a line.
    pub fn add(&mut self, line: &Line) {
        let counted = self.groups.entry((line.kind.clone(), line.action, line.quiet)).or_default();
        counted.lines += 1;
        counted.looks_max = counted.looks_max.max(line.looks);
        counted.read_first |= line.read_first;
    }

    /// The groups.
    pub fn groups(&self) -> Vec<Group> {
        let group = |((kind, action, quiet), counted): (&(CompactString, Action, bool), &Counted)| Group {
            kind: kind.to_string(),
            action: *action,
            quiet: *quiet,
            count: counted.lines,
        };
        self.groups.iter().map(group).collect()
    }

    /// Requests and time. Objects go together, as many as one request carries; each step of looking
    /// is a request for all of them; an import carries fewer.
    pub fn need(&self, spec: &SinkSpec) -> Need {
        let mut requests = 0;
        for ((kind, action, _), counted) in &self.groups {
            let together = spec.together_max() as u64;
            let rounds = counted.lines.div_ceil(together);
            requests += match action {
                Action::Create => rounds * (1 + u64::from(counted.looks_max)),
                Action::Import => {
                    let imported = spec.import_max(kind) as u64;
                    let of_last = (counted.lines % together).div_ceil(imported);
                    let of_whole = counted.lines / together * together.div_ceil(imported);
                    rounds * u64::from(counted.looks_max) + of_whole + of_last
                }
                // It is read, to write only what differs.
                Action::Link => rounds * 2,
                Action::Update => rounds * (1 + u64::from(counted.read_first)),
                Action::Nothing | Action::Waits | Action::Person | Action::Untold => 0,
            };
        }
        let quota = spec.quota;
        let paid = requests.saturating_sub(u64::from(quota.burst));
        let ms = paid * u64::from(quota.per_ms) / u64::from(quota.requests.max(1));
        Need { requests, seconds: ms.div_ceil(1_000) }
    }
}

/// The fingerprint of a plan grows line by line.
#[derive(Debug, Clone)]
pub(super) struct Naming(Fingerprint);

impl Naming {
    /// Of a plan of this sink, without lines yet.
    pub(super) fn new(sink: &Slug) -> Naming {
        Naming(Fingerprint::of(sink.as_bytes()))
    }

    /// With one more line.
    pub(super) fn add(&mut self, line: &Line) {
        let found = line.found.as_ref().map(|found| found.id.as_bytes()).unwrap_or_default();
        self.0 = Fingerprint::of_parts([&self.0.0[..], line.base.as_bytes(), found]);
    }

    /// The name.
    pub(super) fn done(self) -> Fingerprint {
        self.0
    }
}
