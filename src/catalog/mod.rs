//! The catalog: the compiled configuration. Connectors + mappings + rules, checked against each
//! other and named by a hash.
//!
//! Built-ins are compiled into the program; a file of the same name in the configuration folder
//! takes the place of one ([`FileSet`]). [`Catalog::compile`] reports every problem of every file at
//! once. [`Catalog::hash`] covers each file that the used connections and the rules read and the
//! settings that change what the pipeline does; never secrets, nor where the daemon listens.
//! [`Catalog::to_bytes`] holds the same files and settings, so that a configuration kept beside the
//! journal compiles again years later, on another machine, whatever its built-ins are by then.
//!
//! Not here: secrets (`vault`), the network (`source`, `sink`), what a change does (`pipeline`).

mod bundle;
mod business;
mod contacts;
mod files;
mod lint;
mod ownership;

use std::collections::BTreeSet;
use std::sync::Arc;

use compact_str::CompactString;
use jiff::tz::TimeZone;

pub use business::{Business, ClosedDeal, OpenDeal, OrderRule, PaymentRule, UntouchedRule};
pub use contacts::Contacts;
pub use files::FileSet;
pub use lint::{LintReport, lint};
pub use ownership::{GROUPS, Ownership, PLAIN_RANK};

pub use crate::config::Mode;
pub use crate::mapping::{MapContext, Mapped, OutEmployee, OutObject, Readiness};

use crate::base::checksum::Fingerprint;
use crate::base::limits::{SETTLE_S, SETTLE_S_MAX};
use crate::base::{Message, Problem, Slug, Timestamp};
use crate::calendar::Calendar;
use crate::config::{Company, ConnectionSettings, Settings};
use crate::connector::{Connector, ObjectKind, StreamSpec, Transport};
use crate::entry::{ObjectRef, Received};
use crate::field::FieldValue;
use crate::field::reader::unknown_word;
use crate::mapping::canonical::Section;
use crate::mapping::{Inbound, Outbound, Scope, edit, outbound};
use crate::model::{Change, FilterReason, Issue, Standing};
use crate::people::{self, People};
use crate::value::Value;
use crate::{identity, scoring};

/// The compiled configuration.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// Whose daemon it is.
    pub company: Company,
    /// Business rules.
    pub business: Business,
    /// Who is no client.
    pub contacts: Contacts,
    /// Working time.
    pub calendar: Calendar,
    /// Employees, organisations and who gets a lead.
    pub people: People,
    /// The ownership table.
    pub ownership: Ownership,
    /// Scoring rules.
    pub scoring: scoring::Rules,
    /// Rules of identity.
    pub identity: identity::Rules,
    connections: Vec<Connection>,
    bytes: Vec<u8>,
    hash: Fingerprint,
}

/// How a record stands to the switch-over of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The source has no switch-over: nobody has said.
    Unknown,
    /// Before it: kept and scored, told only by a plan, starts nothing.
    History,
    /// After it.
    Live,
}

/// A foreign system that this company uses.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its name in `uzel.toml`.
    pub name: Slug,
    /// Its connector.
    pub connector: Arc<Connector>,
    /// Whether it is written to.
    pub mode: Mode,
    /// From when its records are ours to act on; what it observed earlier is history.
    pub switch_over: Option<Timestamp>,
    /// What the administrator set, by name; without secrets.
    pub settings: Vec<(String, FieldValue)>,
    maps: Arc<Maps>,
}

/// The mappings of one connector.
#[derive(Debug)]
struct Maps {
    inbound: Vec<(Slug, Inbound)>,
    outbound: Vec<(CompactString, Outbound)>,
}

impl Connection {
    /// The setting `name`.
    pub fn setting(&self, name: &str) -> Option<&FieldValue> {
        self.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Whether it is asked, and the administrator has not said no (`read = false`).
    pub fn is_read(&self) -> bool {
        !self.connector.polls.is_empty() && self.setting("read") != Some(&FieldValue::Bool(false))
    }

    /// Whether a link to it is held open.
    pub fn is_listened(&self) -> bool {
        self.connector.source.as_ref().is_some_and(|source| source.transport == Transport::Asterisk)
    }

    /// Whether history is written without starting anything there, where the sink can do so; the
    /// administrator may have said that it need not be (`history_with_robots = true`).
    pub fn imports_history(&self) -> bool {
        self.setting("history_with_robots") != Some(&FieldValue::Bool(true))
    }

    /// The stream `name` of its source.
    pub fn stream(&self, name: &str) -> Option<&StreamSpec> {
        self.connector.source.as_ref()?.streams.iter().find(|stream| *stream.name == *name)
    }

    /// The mapping of a stream.
    pub fn inbound(&self, stream: &str) -> Option<&Inbound> {
        self.maps.inbound.iter().find(|(name, _)| **name == *stream).map(|(_, mapping)| mapping)
    }

    /// The outbound mapping `name` (`contact`).
    pub fn outbound(&self, name: &str) -> Option<&Outbound> {
        self.maps.outbound.iter().find(|(held, _)| held == name).map(|(_, mapping)| mapping)
    }

    /// Dictionaries of the foreign system that its outbound mappings ask, each once.
    pub fn dictionaries(&self) -> BTreeSet<&CompactString> {
        self.maps.outbound.iter().flat_map(|(_, mapping)| mapping.dictionaries()).collect()
    }

    /// Whether it tells such objects to a foreign system.
    pub fn tells(&self, object: ObjectRef) -> bool {
        let wanted = match object {
            ObjectRef::Client(_) => ObjectKind::Client,
            ObjectRef::Deal(_) => ObjectKind::Deal,
            ObjectRef::Interaction(_) => ObjectKind::Interaction,
            ObjectRef::Task(_) => ObjectKind::Task,
        };
        self.connector.sink.as_ref().is_some_and(|sink| sink.objects.iter().any(|spec| spec.of == wanted))
    }
}

impl Catalog {
    /// Compiles. Every problem of every file that is used, sorted by file and line.
    pub fn compile(files: &FileSet, settings: &Settings) -> Result<Catalog, Vec<Problem>> {
        let known: Vec<&str> = files.connectors().collect();
        Catalog::compile_with(files, settings, |file, text| Ownership::compile(file, text, &known))
    }

    fn compile_with(
        files: &FileSet,
        settings: &Settings,
        ownership: impl FnOnce(&str, &str) -> Result<Ownership, Vec<Problem>>,
    ) -> Result<Catalog, Vec<Problem>> {
        let mut compiler = Compiler { files, problems: Vec::new(), used: Vec::new(), compiled: Vec::new() };
        let connections: Vec<Connection> =
            settings.connections.iter().filter_map(|it| compiler.connection(it)).collect();
        let business = compiler.rules("rules/business.toml", Business::compile);
        let contacts = compiler.rules("rules/contacts.toml", Contacts::compile);
        let calendar = compiler.calendar(&settings.company.zone);
        let people = calendar.as_ref().and_then(|calendar| compiler.people(calendar, settings));
        let ownership = compiler.rules("rules/ownership.toml", ownership);
        let scoring = compiler.rules("rules/scoring.toml", scoring::Rules::compile);
        let identity = compiler.rules("rules/identity.toml", identity::Rules::compile);
        let Compiler { mut problems, used, .. } = compiler;
        problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        match (business, contacts, calendar, people, ownership, scoring, identity) {
            (
                Some(business),
                Some(contacts),
                Some(calendar),
                Some(people),
                Some(ownership),
                Some(scoring),
                Some(identity),
            ) if problems.is_empty() => {
                let bytes = bundle::write(&used, settings, &connections);
                let hash = Fingerprint::of(&bytes);
                let company = settings.company.clone();
                Ok(Catalog {
                    company,
                    business,
                    contacts,
                    calendar,
                    people,
                    ownership,
                    scoring,
                    identity,
                    connections,
                    bytes,
                    hash,
                })
            }
            _ => Err(problems),
        }
    }

    /// What works and will not do what a person expects, at `now`.
    pub fn warnings(&self, now: Timestamp) -> Vec<Problem> {
        let mut warnings = self.calendar.warnings(now);
        warnings.extend(self.people.warnings(&self.calendar, now));
        warnings
    }

    /// Whether an INN is of one of our own legal entities.
    pub fn is_own_inn(&self, inn: &str) -> bool {
        self.company.own_inns.iter().any(|own| *own == inn) || self.people.is_own_inn(inn)
    }

    /// Names the configuration.
    pub fn hash(&self) -> Fingerprint {
        self.hash
    }

    /// Everything needed to compile it again.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Compiles what [`Catalog::to_bytes`] gave, without built-ins and without the environment.
    pub fn from_bytes(bytes: &[u8]) -> Result<Catalog, Vec<Problem>> {
        let (files, settings) = bundle::read(bytes)?;
        Catalog::compile_with(&files, &settings, Ownership::kept)
    }

    /// Every connection, in the order of `uzel.toml`.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter()
    }

    /// The connection `name`.
    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections.iter().find(|connection| *connection.name == *name)
    }

    /// Connections that have a sink.
    pub fn sinks(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| connection.connector.sink.is_some())
    }

    /// Sinks that tell such an object.
    pub fn sinks_for(&self, object: ObjectRef) -> impl Iterator<Item = &Connection> {
        self.sinks().filter(move |connection| connection.tells(object))
    }

    /// How a record of the envelope, observed then, stands to the switch-over of its source.
    pub fn moment(&self, envelope: &Received, observed_at: Timestamp) -> Moment {
        if envelope.is_history() {
            return Moment::History;
        }
        match self.connection(&envelope.connection).and_then(|it| it.switch_over) {
            Some(switch_over) if observed_at < switch_over => Moment::History,
            Some(_) => Moment::Live,
            None => Moment::Unknown,
        }
    }

    /// How long a request to the sink whose answer was lost may still be at work there, ms. Looking
    /// earlier could find nothing, and the object would be made twice.
    pub fn settle_ms(&self, sink: &str) -> i64 {
        let connection = self.connection(sink);
        let set = connection.and_then(|it| it.setting("settle_s")).and_then(FieldValue::as_integer);
        let declared = connection.and_then(|it| it.connector.sink.as_ref()).map_or(SETTLE_S, |it| it.settle_s);
        set.unwrap_or(i64::from(declared)).clamp(0, i64::from(SETTLE_S_MAX)) * 1_000
    }

    /// For how long the idempotency key of an envelope is remembered, ms. A key of the content
    /// (`uzel-key: content`) counts only within the stream's window: two equal forms of two days
    /// are two.
    pub fn remember_ms(&self, envelope: &Received) -> i64 {
        const REMEMBER_DAYS: u32 = 8;
        let stream = self.connection(&envelope.connection).and_then(|it| it.stream(&envelope.stream));
        let is_content = envelope.header("uzel-key") == Some("content");
        match stream {
            Some(stream) if is_content && stream.window_s > 0 => i64::from(stream.window_s) * 1_000,
            Some(stream) => i64::from(stream.remember_days) * 86_400_000,
            None => i64::from(REMEMBER_DAYS) * 86_400_000,
        }
    }

    /// What a record of the envelope says.
    pub fn map_inbound(&self, envelope: &Received, stream: &str, record: &Value) -> Mapped {
        let Some(connection) = self.connection(&envelope.connection) else {
            let message = Message::new("catalog-no-connection").with("connection", &envelope.connection);
            return Mapped::Refused(message);
        };
        let Some(inbound) = connection.inbound(stream) else {
            let message = Message::new("catalog-no-mapping")
                .with("stream", stream)
                .with("file", format!("mappings/{}/{stream}.in.toml", connection.connector.slug));
            return Mapped::Refused(message);
        };
        let mut mapped = inbound.apply(record, &self.context(envelope.received_at, &envelope.headers));
        if let Mapped::Change(change) = &mut mapped {
            self.name_employees(envelope, change);
            self.name_strangers(change);
        }
        mapped
    }

    /// Whom a source calls responsible becomes the key of an employee, where he is known; otherwise
    /// he stays as he is written.
    fn name_employees(&self, envelope: &Received, change: &mut Change) {
        if self.people.is_empty() {
            return;
        }
        let day = self.calendar.date(change.observed_at.unwrap_or(envelope.received_at));
        let of_deal = change.deal.as_mut().map(|deal| ("deal.responsible", &mut deal.responsible));
        let of_client = ("client.responsible", &mut change.client.responsible);
        for (field, slot) in of_deal.into_iter().chain([of_client]) {
            let Some(text) = slot.as_ref() else { continue };
            match self.people.resolve(&envelope.connection, text, day) {
                Some(employee) => *slot = Some(CompactString::new(&*employee.key)),
                None => {
                    let message = Message::new("people-unknown").with("text", text);
                    let message = message.with("connection", &envelope.connection);
                    change.issues.push(Issue::new(field, message, text.as_str()));
                }
            }
        }
    }

    /// What a person sets by hand on a client or a deal.
    pub fn edit(&self, object: ObjectRef, set: &[(CompactString, String)], at: Timestamp) -> Mapped {
        edit::edit(section_of(object), set, &self.context(at, &[]))
    }

    /// Whether a person may set (and release) the field `name` of the object.
    pub fn is_editable(&self, object: ObjectRef, name: &str) -> Result<(), Message> {
        edit::is_editable(section_of(object), name)
    }

    /// Who is no client by the lists or is an employee says so; a lead of spam is set aside.
    fn name_strangers(&self, change: &mut Change) {
        let is_lead = change.is_lead();
        let standing = self.contacts.standing_of(&change.client).or_else(|| {
            let is_staff = change.client.contacts.iter().any(|point| self.people.is_contact_of_staff(point));
            is_staff.then_some(Standing::Own)
        });
        match standing {
            Some(Standing::Spam) if is_lead => {
                change.filter.get_or_insert(FilterReason::Spam);
            }
            Some(Standing::Spam) | None => {}
            Some(standing) => {
                change.client.standing.get_or_insert(standing);
            }
        }
    }

    /// The surroundings of a record.
    pub fn context<'a>(&'a self, received_at: Timestamp, notes: &'a [(CompactString, String)]) -> MapContext<'a> {
        MapContext {
            zone: &self.company.zone,
            region: &self.company.region,
            currency: &self.company.currency,
            received_at,
            notes,
        }
    }

    /// What a sink should hold of the object by the mapping of that name.
    pub fn map_outbound(&self, connection: &Connection, mapping: &str, object: &OutObject<'_>) -> Readiness {
        let employee = |key: &str| {
            self.people
                .employee(key)
                .map(|it| OutEmployee { name: it.name.to_string(), id: it.id_in(&connection.name).map(str::to_owned) })
                // Whom only the sink itself knows by that name.
                .or_else(|| (object.employee)(key))
        };
        let object = OutObject { employee: &employee, ..*object };
        connection.outbound(mapping).map_or(Readiness::NotMeant, |outbound| outbound.apply(&object))
    }
}

fn section_of(object: ObjectRef) -> Section {
    match object {
        ObjectRef::Client(_) => Section::Client,
        ObjectRef::Deal(_) => Section::Deal,
        ObjectRef::Interaction(_) | ObjectRef::Task(_) => Section::Interaction,
    }
}

struct Compiler<'f> {
    files: &'f FileSet,
    problems: Vec<Problem>,
    /// Files that were read: name, content.
    used: Vec<(String, String)>,
    /// Connectors compiled so far; `None` when it did not compile.
    compiled: Vec<(Slug, Option<Compiled>)>,
}

/// A connector with its mappings.
type Compiled = (Arc<Connector>, Arc<Maps>);

impl Compiler<'_> {
    fn read(&mut self, name: &str) -> Option<String> {
        let content = self.files.get(name)?.to_owned();
        if !self.used.iter().any(|(held, _)| held == name) {
            self.used.push((name.to_owned(), content.clone()));
        }
        Some(content)
    }

    fn take<T>(&mut self, result: Result<T, Vec<Problem>>) -> Option<T> {
        result.map_err(|problems| self.problems.extend(problems)).ok()
    }

    fn rules<T>(&mut self, file: &str, compile: impl FnOnce(&str, &str) -> Result<T, Vec<Problem>>) -> Option<T> {
        match self.read(file) {
            Some(text) => {
                let compiled = compile(file, &text);
                self.take(compiled)
            }
            None => {
                self.problems.push(Problem::new(file, 0, Message::new("catalog-file-missing")));
                None
            }
        }
    }

    fn calendar(&mut self, zone: &TimeZone) -> Option<Calendar> {
        let mut used = Vec::new();
        let files = self.files;
        let mut read = |name: &str| {
            used.push(name.to_owned());
            files.get(name).map(str::to_owned)
        };
        let calendar = self.rules("rules/calendar.toml", |file, text| Calendar::compile(file, text, zone, &mut read));
        used.iter().for_each(|name| drop(self.read(name)));
        calendar
    }

    fn people(&mut self, calendar: &Calendar, settings: &Settings) -> Option<People> {
        let mut text = |file: &str| self.rules(file, |_, text| Ok(text.to_owned()));
        let employees = text("rules/employees.toml");
        let organisations = text("rules/organisations.toml");
        let distribution = text("rules/distribution.toml");
        let connections: Vec<&str> = settings.connections.iter().map(|it| &*it.name).collect();
        let compiled = People::compile(&people::Files {
            employees: ("rules/employees.toml", &employees?),
            organisations: ("rules/organisations.toml", &organisations?),
            distribution: ("rules/distribution.toml", &distribution?),
            calendar,
            connections: &connections,
            region: &settings.company.region,
        });
        self.take(compiled)
    }

    fn connection(&mut self, settings: &ConnectionSettings) -> Option<Connection> {
        let slug = &settings.connector;
        if !self.files.connectors().any(|known| *known == **slug) {
            self.problems.push(settings.unknown_connector(self.files.connectors()));
            return None;
        }
        let (connector, mut maps) = self.connector(slug)?;
        if self.has_own_mappings(&settings.name) {
            maps = self.own_maps(&settings.name, &connector, &maps);
        }
        let read = settings.read(&connector.settings);
        let values = self.take(read)?;
        let ConnectionSettings { name, mode, switch_over, .. } = settings;
        Some(Connection {
            name: name.clone(),
            connector,
            mode: *mode,
            switch_over: *switch_over,
            settings: values,
            maps,
        })
    }

    fn connector(&mut self, slug: &Slug) -> Option<Compiled> {
        if let Some((_, done)) = self.compiled.iter().find(|(held, _)| held == slug) {
            return done.clone();
        }
        let file = format!("connectors/{slug}/connector.toml");
        let text = self.read(&file)?;
        let compiled = Connector::compile(slug.clone(), &file, &text);
        let connector = self.take(compiled);
        let done = connector.map(|connector| {
            let maps = Maps { inbound: self.inbound(&connector), outbound: self.outbound(&connector) };
            self.strangers_in(&connector.slug, &connector, true);
            (Arc::new(connector), Arc::new(maps))
        });
        self.compiled.push((slug.clone(), done.clone()));
        done
    }

    /// Whether `mappings/<connection>/` holds mappings of that one connection. A folder that bears
    /// the name of a connector belongs to the connector.
    fn has_own_mappings(&self, connection: &Slug) -> bool {
        let is_connector = self.files.connectors().any(|known| *known == **connection);
        !is_connector && self.files.under(&format!("mappings/{connection}/")).next().is_some()
    }

    /// The mappings of a connection: its own files, else those of its connector.
    fn own_maps(&mut self, name: &Slug, connector: &Connector, of_connector: &Maps) -> Arc<Maps> {
        let mut inbound = self.inbound_in(name, connector);
        let of_streams =
            of_connector.inbound.iter().filter(|(stream, _)| !inbound.iter().any(|(own, _)| own == stream));
        let rest: Vec<_> = of_streams.cloned().collect();
        inbound.extend(rest);
        self.strangers_in(name, connector, false);
        Arc::new(Maps { inbound, outbound: of_connector.outbound.clone() })
    }

    fn inbound(&mut self, connector: &Connector) -> Vec<(Slug, Inbound)> {
        self.inbound_in(&connector.slug, connector)
    }

    fn inbound_in(&mut self, folder: &str, connector: &Connector) -> Vec<(Slug, Inbound)> {
        let Some(source) = &connector.source else { return Vec::new() };
        let honeypot = source.honeypot.as_ref().map_or(&[][..], |it| &it.fields);
        let test = source.test.as_ref().map(|it| (it.field.as_str(), it.value.as_str()));
        let mut mappings = Vec::new();
        for stream in &source.streams {
            let file = format!("mappings/{folder}/{}.in.toml", stream.mapping);
            // A stream without a mapping is quarantined record by record, which names the file to
            // write: `exchange` of 1C, for one, is only a stream of envelopes.
            let Some(text) = self.read(&file) else { continue };
            let names_members = connector.poll(&stream.name).is_some();
            let scope = Scope { fold_names: stream.fold_names, drop: &stream.drop, honeypot, test, names_members };
            let compiled = Inbound::compile(&file, &text, scope);
            mappings.extend(self.take(compiled).map(|mapping| (stream.name.clone(), mapping)));
        }
        mappings
    }

    fn outbound(&mut self, connector: &Connector) -> Vec<(CompactString, Outbound)> {
        let Some(sink) = &connector.sink else { return Vec::new() };
        let mut mappings = Vec::new();
        for object in &sink.objects {
            let file = format!("mappings/{}/{}.out.toml", connector.slug, object.mapping);
            let Some(text) = self.read(&file) else {
                let message = Message::new("catalog-no-out-mapping").with("object", &object.kind);
                self.problems.push(Problem::new(file, 0, message));
                continue;
            };
            let compiled = Outbound::compile(&file, &text);
            let Some(mapping) = self.take(compiled) else { continue };
            let same = match object.of {
                ObjectKind::Client => mapping.object() == outbound::ObjectKind::Client,
                ObjectKind::Deal => mapping.object() == outbound::ObjectKind::Deal,
                ObjectKind::Interaction => mapping.object() == outbound::ObjectKind::Interaction,
                ObjectKind::Task => mapping.object() == outbound::ObjectKind::Task,
            };
            if !same {
                let message = Message::new("catalog-other-object").with("object", &object.kind);
                self.problems.push(Problem::new(file, 0, message));
            }
            let polled: Vec<&str> = connector
                .polls
                .iter()
                .filter_map(|it| it.words.as_ref())
                .flat_map(|it| it.dictionaries())
                .map(CompactString::as_str)
                .collect();
            for name in mapping.dictionaries().filter(|name| !polled.contains(&name.as_str())) {
                let message = unknown_word("catalog-words", name, polled.iter().copied());
                self.problems.push(Problem::new(mapping.file(), 0, message));
            }
            mappings.push((CompactString::new(&object.mapping), mapping));
        }
        mappings
    }

    /// Files beside the mappings that belong to no stream and no object: a slip in a name would
    /// otherwise be silent.
    fn strangers_in(&mut self, folder: &str, connector: &Connector, with_sink: bool) {
        let folder = format!("mappings/{folder}/");
        let mut known = Vec::new();
        for stream in connector.source.iter().flat_map(|source| &source.streams) {
            known.push(format!("{folder}{}.in.toml", stream.mapping));
            known.push(format!("{folder}{}.cases.toml", stream.mapping));
        }
        for object in connector.sink.iter().filter(|_| with_sink).flat_map(|sink| &sink.objects) {
            known.push(format!("{folder}{}.out.toml", object.mapping));
        }
        for name in self.files.under(&folder) {
            if name.ends_with(".toml") && !known.iter().any(|it| it == name) {
                let message = unknown_word("catalog-stranger", name, known.iter().map(String::as_str));
                self.problems.push(Problem::new(name, 0, message));
            }
        }
    }
}
