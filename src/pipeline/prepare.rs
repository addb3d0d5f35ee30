//! Decoding and mapping, in parallel, before anything is applied.
//!
//! Pure but for reading bodies. Each entry is prepared under the configuration in force at its
//! position: the preparer sees `Configured` entries pass in order.

use std::io::Read as _;
use std::sync::Arc;

use compact_str::CompactString;
use rayon::prelude::*;

use super::words::{self, LostWord};
use super::{Configurations, PipelineError};
use crate::assembly::call::{Fact, ami as call_events};
use crate::base::checksum::Fingerprint;
use crate::base::limits::INLINE_ITEMS_MAX;
use crate::base::{ItemRef, Message, Position, Slug, Timestamp};
use crate::catalog::{Catalog, Connection};
use crate::connector::Transport;
use crate::decode::table::{self, Format};
use crate::decode::{self, ami, cdr, commerceml};
use crate::entry::{
    Attempted, Attempting, Body, Command, Commanded, Configured, DELETED_NOTE, Entry, ObjectRef, Received, Slice,
};
use crate::field::FieldValue;
use crate::journal::{Journal, StoredEntry};
use crate::mapping::{Mapped, columns};
use crate::model::{Change, Issue};
use crate::tables::rows::WordRow;
use crate::value::Value;

/// An entry ready to be applied.
pub(super) struct Prepared {
    /// Its position.
    pub position: Position,
    /// Journal time.
    pub at: Timestamp,
    /// The configuration in force.
    pub catalog: Arc<Catalog>,
    /// What is to be applied.
    pub work: Work,
}

/// What an entry asks for.
pub(super) enum Work {
    /// Records of an envelope, at most [`INLINE_ITEMS_MAX`]; `more` when there are more, which
    /// then come as slices and `records` is empty.
    Envelope { envelope: Arc<Received>, records: Vec<Record>, more: bool },
    /// A portion of a large envelope; `last` when the envelope ends in it.
    Import { of: Position, from: u32, envelope: Arc<Received>, records: Vec<Record>, last: bool },
    /// A quarantined or filtered record decoded again; `after` are the records behind it, which an
    /// envelope that was quarantined as a whole has now too, `more` when they come as slices.
    Again {
        at: ItemRef,
        envelope: Arc<Received>,
        record: Box<Record>,
        after: Vec<Record>,
        more: bool,
        despite_filter: bool,
    },
    /// Fields that a person set by hand or let go of.
    Edit { object: ObjectRef, change: Box<Change>, release: Vec<CompactString> },
    /// Any other decision of a person.
    Command(Commanded),
    /// See [`Attempting`].
    Attempting(Attempting),
    /// See [`Attempted`].
    Attempted(Attempted),
    /// See [`Configured`].
    Configured(Configured),
    /// Time passed, to the entry's journal time.
    Ticked,
    /// A portion of rescoring.
    Rescore { of: Position, after: Option<crate::base::DealId>, count: u32 },
    /// The entry itself does not read; its record is quarantined.
    Unreadable(Message),
}

/// One decoded and mapped record.
pub(super) struct Record {
    /// Its place in the envelope.
    pub item: u32,
    /// Its stream.
    pub stream: Slug,
    /// What it says, or why it cannot be used.
    pub content: Content,
    /// Of a record that a poller read: which foreign object it is.
    pub polled: Option<Polled>,
}

/// A row that a poller read.
pub(super) struct Polled {
    /// What it is there: the foreign kind.
    pub kind: CompactString,
    /// Whether it hangs on other objects: it names them and never makes them.
    pub refers: bool,
    /// Its id there.
    pub id: CompactString,
    /// Time of its newest change, as the foreign system writes it.
    pub time: CompactString,
    /// Names what it says.
    pub fingerprint: Fingerprint,
    /// Our object that it is, when we made it.
    pub ours: Option<ObjectRef>,
    /// Fields that we write there: what they hold (JSON text), and whether we keep them up to date.
    pub held: Vec<(CompactString, String, bool)>,
    /// All of it.
    pub row: Value,
}

/// A word of a foreign dictionary.
pub(super) struct Word {
    /// Our name of the dictionary.
    pub dictionary: CompactString,
    /// Its id there.
    pub key: CompactString,
    /// What it says.
    pub row: WordRow,
}

/// What a record says.
pub(super) enum Content {
    /// A canonical change.
    Change(Box<Change>),
    /// A word of a foreign dictionary.
    Word(Box<Word>),
    /// The foreign object of this id is no longer there.
    Gone(CompactString),
    /// The word of a foreign dictionary is no longer there.
    LostWord(Box<LostWord>),
    /// What a telephone exchange tells of a call.
    Facts(Vec<Fact>),
    /// Why it waits for a person.
    Refused(Message),
    /// It spoke of a person who was erased.
    Erased,
}

pub(super) type Items = Box<dyn Iterator<Item = Decoded> + Send>;

/// One item of an envelope, in the source's shape.
pub(super) enum Decoded {
    /// A record of this stream.
    Record(Slug, Value, Vec<Issue>),
    /// The foreign object of this id is no longer there.
    Gone(CompactString),
    /// The word of a dictionary is no longer there.
    Lost(Box<LostWord>),
    /// What a telephone exchange tells of a call.
    Facts(Vec<Fact>),
    /// Something that cannot be read.
    Broken(Message),
}

/// The preparer's state: the configuration in force and the decoders of imports under way.
pub(super) struct Preparer {
    journal: Arc<dyn Journal>,
    configurations: Arc<dyn Configurations>,
    catalog: Option<Arc<Catalog>>,
    /// Decoder of the newest import: (envelope, next item). Kept so that slice after slice goes
    /// on where the last ended; found anew by skipping when it is not there.
    import: Option<(Position, u32, Arc<Received>, Items)>,
}

impl Preparer {
    /// Starts under `catalog`, the configuration in force at the checkpoint.
    pub(super) fn new(
        journal: Arc<dyn Journal>,
        configurations: Arc<dyn Configurations>,
        catalog: Option<Arc<Catalog>>,
    ) -> Preparer {
        Preparer { journal, configurations, catalog, import: None }
    }

    /// Prepares entries in order. Runs of envelopes between other entries are done in parallel.
    pub(super) fn prepare(&mut self, entries: Vec<StoredEntry>) -> Result<Vec<Prepared>, PipelineError> {
        let mut prepared = Vec::with_capacity(entries.len());
        let mut decoded: Vec<(StoredEntry, Result<Entry, Message>)> = entries
            .into_par_iter()
            .with_min_len(32)
            .map(|stored| {
                let entry = Entry::decode(stored.kind, &stored.payload).map_err(|error| error.message);
                (stored, entry)
            })
            .collect();
        while !decoded.is_empty() {
            let is_envelope = |it: &(StoredEntry, Result<Entry, Message>)| matches!(it.1, Ok(Entry::Received(_)));
            let run = decoded.iter().take_while(|it| is_envelope(it)).count();
            if run > 0 {
                let rest = decoded.split_off(run);
                let catalog = self.catalog_at(decoded[0].0.position)?;
                let journal = &self.journal;
                prepared.par_extend(decoded.into_par_iter().with_min_len(16).map(|(stored, entry)| {
                    let Ok(Entry::Received(received)) = entry else { unreachable!("the run holds envelopes only") };
                    let work = envelope(journal.as_ref(), &catalog, received);
                    Prepared { position: stored.position, at: stored.at, catalog: catalog.clone(), work }
                }));
                decoded = rest;
                continue;
            }
            let (stored, entry) = decoded.remove(0);
            prepared.push(self.other(&stored, entry)?);
        }
        Ok(prepared)
    }

    fn catalog_at(&self, position: Position) -> Result<Arc<Catalog>, PipelineError> {
        self.catalog.clone().ok_or_else(|| PipelineError::Configuration {
            position,
            message: Message::new("pipeline-no-configuration").with("position", position),
        })
    }

    fn other(&mut self, stored: &StoredEntry, entry: Result<Entry, Message>) -> Result<Prepared, PipelineError> {
        let position = stored.position;
        let work = match entry {
            Ok(Entry::Configured(configured)) => {
                let loaded = self.configurations.load(configured.hash);
                let catalog = loaded.map_err(|message| PipelineError::Configuration { position, message })?;
                self.catalog = Some(catalog);
                Work::Configured(configured)
            }
            Ok(Entry::Received(_)) => unreachable!("envelopes are prepared in runs"),
            Ok(Entry::Attempting(it)) => Work::Attempting(it),
            Ok(Entry::Attempted(it)) => Work::Attempted(it),
            Ok(Entry::Ticked(_)) => Work::Ticked,
            Ok(Entry::Slice(Slice::Import { of, from, to })) => self.slice(position, of, from, to)?,
            Ok(Entry::Slice(Slice::Rescore { of, after, count })) => Work::Rescore { of, after, count },
            Ok(Entry::Commanded(commanded)) => self.command(position, commanded)?,
            Err(message) => Work::Unreadable(message),
        };
        Ok(Prepared { position, at: stored.at, catalog: self.catalog_at(position)?, work })
    }

    fn command(&self, position: Position, commanded: Commanded) -> Result<Work, PipelineError> {
        let (at, despite_filter) = match &commanded.command {
            Command::RetryRecord { at } => (*at, false),
            Command::AcceptRecord { at } => (*at, true),
            Command::DiscardRecord { .. }
            | Command::ResendDelivery { .. }
            | Command::DiscardDelivery { .. }
            | Command::MergeClients { .. }
            | Command::SplitClients { .. }
            | Command::CompleteTask { .. }
            | Command::CancelTask { .. }
            | Command::ErasePerson(_)
            | Command::ApplyPlan { .. }
            | Command::PauseSink { .. }
            | Command::ResumeSink { .. }
            | Command::LoadSource { .. } => return Ok(Work::Command(commanded)),
            Command::EditClient { client, set, release } => {
                let object = ObjectRef::Client(*client);
                return self.edit(position, &commanded, object, set, release);
            }
            Command::EditDeal { deal, set, release } => {
                let object = ObjectRef::Deal(*deal);
                return self.edit(position, &commanded, object, set, release);
            }
        };
        let Some(envelope) = self.envelope_at(at.position)? else { return Ok(Work::Command(commanded)) };
        let catalog = self.catalog_at(position)?;
        let mut found = items(self.journal.as_ref(), &catalog, &envelope);
        let item = found.as_mut().map(|items| items.nth(at.item as usize)).map_err(|message| message.clone());
        let mut after = Vec::new();
        let mut more = false;
        if let (0, Ok(items)) = (at.item, &mut found) {
            for (index, item) in items.take(INLINE_ITEMS_MAX as usize).enumerate() {
                after.push(record(&catalog, &envelope, index as u32 + 1, item));
            }
            more = after.len() == INLINE_ITEMS_MAX as usize;
        }
        let record = match item {
            Ok(Some(item)) => record(&catalog, &envelope, at.item, item),
            Ok(None) => Record {
                item: at.item,
                stream: envelope.stream.clone(),
                content: Content::Refused(Message::new("pipeline-no-such-record").with("record", at)),
                polled: None,
            },
            Err(message) => Record {
                item: at.item,
                stream: envelope.stream.clone(),
                content: Content::Refused(message),
                polled: None,
            },
        };
        Ok(Work::Again { at, envelope, record: Box::new(record), after, more, despite_filter })
    }

    /// Texts were read when the command was given; what does not read now changes nothing.
    fn edit(
        &self,
        position: Position,
        commanded: &Commanded,
        object: ObjectRef,
        set: &[(CompactString, String)],
        release: &[CompactString],
    ) -> Result<Work, PipelineError> {
        let catalog = self.catalog_at(position)?;
        Ok(match catalog.edit(object, set, commanded.at) {
            Mapped::Change(change) => Work::Edit { object, change, release: release.to_vec() },
            Mapped::Refused(_) => Work::Command(commanded.clone()),
        })
    }

    /// `None`: not an envelope, or removed by retention, which never takes what entries behind the
    /// snapshots kept still ask for. So a rebuild finds here what was found at first.
    fn envelope_at(&self, position: Position) -> Result<Option<Arc<Received>>, PipelineError> {
        if position < self.journal.first() {
            return Ok(None);
        }
        let entries = self.journal.read(position, 1, usize::MAX)?;
        let entry = entries.first().filter(|entry| entry.position == position);
        Ok(entry.and_then(|stored| match Entry::decode(stored.kind, &stored.payload) {
            Ok(Entry::Received(received)) => Some(Arc::new(received)),
            Ok(_) | Err(_) => None,
        }))
    }

    fn slice(&mut self, position: Position, of: Position, from: u32, to: u32) -> Result<Work, PipelineError> {
        let catalog = self.catalog_at(position)?;
        let at_hand = self.import.take().filter(|(open, next, ..)| *open == of && *next == from);
        let (envelope, mut items) = match at_hand {
            Some((_, _, envelope, items)) => (envelope, items),
            None => {
                let Some(envelope) = self.envelope_at(of)? else {
                    return Ok(Work::Unreadable(Message::new("pipeline-no-envelope").with("position", of)));
                };
                match items(self.journal.as_ref(), &catalog, &envelope) {
                    Ok(mut items) => {
                        if from > 0 {
                            items.nth(from as usize - 1);
                        }
                        (envelope, items)
                    }
                    Err(message) => {
                        let stream = envelope.stream.clone();
                        let records =
                            vec![Record { item: from, stream, content: Content::Refused(message), polled: None }];
                        return Ok(Work::Import { of, from, envelope, records, last: true });
                    }
                }
            }
        };
        let wanted = to.saturating_sub(from) as usize;
        let taken: Vec<Decoded> = items.by_ref().take(wanted).collect();
        let last = taken.len() < wanted;
        let records: Vec<Record> = taken
            .into_par_iter()
            .with_min_len(16)
            .enumerate()
            .map(|(index, item)| record(&catalog, &envelope, from + index as u32, item))
            .collect();
        if !last {
            self.import = Some((of, to, envelope.clone(), items));
        }
        Ok(Work::Import { of, from, envelope, records, last })
    }
}

/// Decodes and maps a whole envelope, unless it is too large for one go.
fn envelope(journal: &dyn Journal, catalog: &Catalog, received: Received) -> Work {
    let envelope = Arc::new(received);
    let items = match items(journal, catalog, &envelope) {
        Ok(items) => items,
        Err(message) => {
            let records = vec![Record {
                item: 0,
                stream: envelope.stream.clone(),
                content: Content::Refused(message),
                polled: None,
            }];
            return Work::Envelope { envelope, records, more: false };
        }
    };
    let mut records = Vec::with_capacity(1);
    for item in items {
        let index = records.len() as u32;
        if index == INLINE_ITEMS_MAX {
            return Work::Envelope { envelope, records: Vec::new(), more: true };
        }
        records.push(record(catalog, &envelope, index, item));
    }
    Work::Envelope { envelope, records, more: false }
}

/// One record of an envelope, decoded and mapped again.
pub(super) fn one(journal: &dyn Journal, catalog: &Catalog, envelope: &Received, item: u32) -> Option<Record> {
    let mut items = items(journal, catalog, envelope).ok()?;
    Some(record(catalog, envelope, item, items.nth(item as usize)?))
}

/// The records of an envelope in the source's shape, streaming.
pub(super) fn items(journal: &dyn Journal, catalog: &Catalog, envelope: &Received) -> Result<Items, Message> {
    let connection = catalog
        .connection(&envelope.connection)
        .ok_or_else(|| Message::new("pipeline-no-connection").with("connection", &envelope.connection))?;
    let transport = connection.connector.source.as_ref().map(|source| source.transport);
    if envelope.is_all_erased() {
        return Ok(Box::new(std::iter::once(Decoded::Record(envelope.stream.clone(), Value::Null, Vec::new()))));
    }
    match transport {
        Some(Transport::Webhook) => {
            let bytes = body_bytes(journal, &envelope.body)?;
            let list = connection.setting("list").and_then(FieldValue::as_text).filter(|it| !it.is_empty());
            let decoded = match decode::submission(&envelope.content_type, &bytes) {
                Ok(decoded) => decoded,
                Err(error) => return Ok(Box::new(std::iter::once(Decoded::Broken(error.message)))),
            };
            match list {
                None => Ok(Box::new(std::iter::once(Decoded::Record(
                    envelope.stream.clone(),
                    decoded.value,
                    decoded.issues,
                )))),
                Some(list) => listed(envelope, list, decoded),
            }
        }
        Some(Transport::Exchange1c) => {
            let name = envelope.header("file").unwrap_or("");
            let body = journal.open_body(&envelope.body).map_err(|error| lost_body(&envelope.body, &error))?;
            Ok(Box::new(commerceml::open(name, body).map(|item| match item.content {
                commerceml::Content::Record(it) => Decoded::Record(it.stream, it.value, it.issues),
                commerceml::Content::Broken(it) => Decoded::Broken(it.message),
            })))
        }
        Some(Transport::Poll) => {
            let bytes = body_bytes(journal, &envelope.body)?;
            let rows = decode::json::decode(&bytes, None).map_err(|error| error.message)?.value;
            let Value::List(rows) = rows else { return Err(Message::new("poll-not-rows")) };
            let (stream, deleted) = (envelope.stream.clone(), envelope.header(DELETED_NOTE).is_some());
            Ok(Box::new(rows.into_iter().map(move |row| match (deleted, row.as_text()) {
                (true, Some(id)) => Decoded::Gone(id.into()),
                (true, None) => words::lost(&row),
                (false, _) => Decoded::Record(stream.clone(), row, Vec::new()),
            })))
        }
        Some(Transport::Folder) => {
            let bytes = body_bytes(journal, &envelope.body)?;
            rows(catalog, connection, envelope, &bytes)
        }
        Some(Transport::Asterisk) => {
            let bytes = body_bytes(journal, &envelope.body)?;
            Ok(Box::new(calls(envelope, &bytes).into_iter()))
        }
        None => Err(Message::new("pipeline-no-source").with("connection", &envelope.connection)),
    }
}

/// What an exchange tells, a record for each call that it tells of.
fn calls(envelope: &Received, bytes: &[u8]) -> Vec<Decoded> {
    let mut told: Vec<(CompactString, Decoded)> = Vec::new();
    let mut add = |fact: Fact| {
        let name = fact.linked.clone();
        let known = told.iter_mut().rev().find(|(it, _)| !name.is_empty() && *it == name);
        match known {
            Some((_, Decoded::Facts(facts))) => facts.push(fact),
            Some(_) | None => told.push((name, Decoded::Facts(vec![fact]))),
        }
    };
    if envelope.header(ami::NOTE_LINK) == Some(ami::LOST) {
        add(Fact::of_link(crate::assembly::call::FactKind::Lost));
        return told.into_iter().map(|(_, it)| it).collect();
    }
    if envelope.content_type == cdr::CONTENT_TYPE {
        let mut broken = Vec::new();
        cdr::rows(bytes, |row| match row {
            Ok(row) => add(Fact::of_row(row)),
            Err(message) => broken.push(Decoded::Broken(message)),
        });
        return told.into_iter().map(|(_, it)| it).chain(broken).collect();
    }
    let mut place = 0;
    ami::packets(bytes, |packet| {
        if let Some(fact) = call_events::fact(&packet, place) {
            add(fact);
        }
        place += 1;
    });
    told.into_iter().map(|(_, it)| it).collect()
}

/// The records that stand in a list of the body: `.` is the body itself. One object instead of a
/// list is a list of one.
fn listed(envelope: &Received, list: &str, decoded: decode::Decoded) -> Result<Items, Message> {
    let path = crate::value::Path::compile(list).map_err(|error| error.message)?;
    let found = path.first(&decoded.value).map(Value::items).unwrap_or_default().to_vec();
    if found.is_empty() {
        let message = Message::new("pipeline-no-list").with("path", list).with("connection", &envelope.connection);
        return Err(message);
    }
    let stream = envelope.stream.clone();
    let mut issues = decoded.issues;
    Ok(Box::new(found.into_iter().map(move |it| Decoded::Record(stream.clone(), it, std::mem::take(&mut issues)))))
}

/// The rows of a table. The table is looked at as a whole first: one whose columns were shifted is
/// never applied by half.
fn rows(catalog: &Catalog, connection: &Connection, envelope: &Received, bytes: &[u8]) -> Result<Items, Message> {
    let stream = envelope.stream.clone();
    let mut table = table::read(bytes, table_options(connection)).map_err(|error| error.message)?;
    if let Some(inbound) = connection.inbound(&stream) {
        columns::fit(&table, inbound, &catalog.context(envelope.received_at, &envelope.headers))?;
    }
    let rows = std::mem::take(&mut table.rows);
    let mut of_file = std::mem::take(&mut table.issues);
    Ok(Box::new(rows.into_iter().map(move |mut row| match table.record(&row) {
        Ok(value) => {
            // What was odd about the file stands with its first row.
            row.issues.append(&mut of_file);
            Decoded::Record(stream.clone(), value, row.issues)
        }
        Err(message) => Decoded::Broken(message),
    })))
}

/// How the tables of a connection are read, by its settings.
pub fn table_options(connection: &Connection) -> table::Options<'_> {
    let text = |name: &str| connection.setting(name).and_then(FieldValue::as_text).filter(|it| !it.is_empty());
    table::Options {
        format: match text("format") {
            Some("csv") => Format::Csv,
            Some("xlsx") => Format::Xlsx,
            Some(_) | None => Format::Auto,
        },
        delimiter: match text("delimiter") {
            Some("semicolon") => Some(b';'),
            Some("comma") => Some(b','),
            Some("tab") => Some(b'\t'),
            Some(_) | None => None,
        },
        charset: text("charset").filter(|it| *it != "auto"),
        sheet: text("sheet"),
        header_row: connection
            .setting("header_row")
            .and_then(FieldValue::as_integer)
            .and_then(|it| u32::try_from(it).ok())
            .filter(|it| *it > 0),
    }
}

fn record(catalog: &Catalog, envelope: &Received, item: u32, decoded: Decoded) -> Record {
    if envelope.is_erased(item) {
        return Record { item, stream: envelope.stream.clone(), content: Content::Erased, polled: None };
    }
    match decoded {
        Decoded::Record(stream, value, issues) => {
            let polled = polled(catalog, envelope, &value);
            if let Some(content) = words::of_row(catalog, envelope, &value) {
                return Record { item, stream, content, polled };
            }
            let content = match catalog.map_inbound(envelope, &stream, &value) {
                Mapped::Change(mut change) => {
                    change.issues.splice(0..0, issues);
                    change.refers = polled.as_ref().is_some_and(|polled| polled.refers);
                    Content::Change(change)
                }
                Mapped::Refused(message) => Content::Refused(message),
            };
            Record { item, stream, content, polled }
        }
        Decoded::Facts(facts) => {
            Record { item, stream: envelope.stream.clone(), content: Content::Facts(facts), polled: None }
        }
        Decoded::Gone(id) => Record { item, stream: envelope.stream.clone(), content: Content::Gone(id), polled: None },
        Decoded::Lost(it) => {
            Record { item, stream: envelope.stream.clone(), content: Content::LostWord(it), polled: None }
        }
        Decoded::Broken(message) => {
            Record { item, stream: envelope.stream.clone(), content: Content::Refused(message), polled: None }
        }
    }
}

/// Which foreign object a row of a poller is.
fn polled(catalog: &Catalog, envelope: &Received, row: &Value) -> Option<Polled> {
    let connection = catalog.connection(&envelope.connection)?;
    let poll = connection.connector.poll(&envelope.stream)?;
    let ours = poll.ours.as_ref().and_then(|path| path.first(row)).and_then(Value::as_text).and_then(our_id);
    Some(Polled {
        kind: poll.kind.clone(),
        refers: poll.owner.is_some(),
        id: poll.id_of(row)?,
        time: poll.time_of(row),
        fingerprint: poll.fingerprint_of(row),
        ours,
        held: held(connection, &poll.kind, row),
        row: row.clone(),
    })
}

/// Our id: the whole text, or a line `[uzel:id]` in it.
fn our_id(text: &str) -> Option<ObjectRef> {
    let marked = text.split_once("[uzel:").and_then(|(_, rest)| rest.split_once(']')).map(|(id, _)| id);
    marked.unwrap_or(text).parse().ok()
}

/// What a row holds of the fields that we write there.
fn held(connection: &Connection, kind: &str, row: &Value) -> Vec<(CompactString, String, bool)> {
    let Some(spec) = connection.connector.sink.as_ref().and_then(|sink| sink.object(kind)) else { return Vec::new() };
    let Some(mapping) = connection.outbound(&spec.mapping) else { return Vec::new() };
    let is_multi = |name: &str| spec.multi.iter().any(|it| it.name == name);
    let held = mapping.targets().filter(|name| !is_multi(name)).filter_map(|name| {
        let mut text = String::new();
        row.get(name)?.write_json(&mut text);
        Some((CompactString::new(name), text, mapping.is_kept(name)))
    });
    held.collect()
}

pub(super) fn body_bytes(journal: &dyn Journal, body: &Body) -> Result<Vec<u8>, Message> {
    match body {
        Body::Inline(bytes) => Ok(bytes.clone()),
        Body::File { len, .. } => {
            let reader = journal.open_body(body).map_err(|error| lost_body(body, &error))?;
            let mut bytes = Vec::new();
            reader.take(*len).read_to_end(&mut bytes).map_err(|error| lost_body(body, &error))?;
            Ok(bytes)
        }
    }
}

fn lost_body(body: &Body, error: &dyn std::error::Error) -> Message {
    let name = match body {
        Body::Inline(_) => "",
        Body::File { name, .. } => name,
    };
    Message::new("pipeline-no-body").with("name", name).with("detail", error)
}
