//! The difference of two replays of one journal: what would be otherwise under another
//! configuration, per client, deal, document, interaction and record.
//!
//! Both stores are walked side by side in the order of keys, so that memory does not grow with
//! them. Versions and positions of scoring are no difference: they tell when, not what.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::objects::{shown, word};
use super::views::{FieldView, TotalsView};
use super::{Query, QueryError, main_units, outcome_text, percent, text};
use crate::base::{ClientId, Locale, Position, Slug};
use crate::entry::ObjectRef;
use crate::model::{Class, Client, ClientState, Deal, Document, Interaction, Outcome};
use crate::report::Totals;
use crate::tables::rows::{ClientRow, DealRow, SinkState, sink_state};
use crate::tables::{Clients, Deals, Documents, Interactions, Outcomes, PairOf, Rows, Span, Table, key_bytes};

/// What is to be shown of a difference.
#[derive(Debug, Clone)]
pub struct DifferenceAsked {
    /// Only of this client, its deals, documents and interactions.
    pub client: Option<ClientId>,
    /// Only what came or changed from this position on.
    pub since: Position,
    /// Lines at the most; all differences are counted.
    pub lines_max: usize,
    /// The reader's language.
    pub locale: Locale,
}

/// The difference of two replays: `now` under the configuration in force, `other` under another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferenceView {
    /// How many differences of each kind, those of none left out.
    pub counts: Vec<(String, u64)>,
    /// Open deals by class in both.
    pub classes: Vec<ClassCountView>,
    /// The total lines now.
    pub totals_now: Vec<TotalsView>,
    /// The total lines under the other configuration.
    pub totals_other: Vec<TotalsView>,
    /// The differences, in the order of ids.
    pub lines: Vec<DifferenceLine>,
    /// Differences counted and not among the lines.
    pub more: u64,
    /// What the sinks would have to be told: of objects that are new or differ.
    pub pushes: Vec<PushCountView>,
    /// The first position that was replayed, when older entries were removed: what came before is
    /// taken as a snapshot has it.
    pub begun: Option<u64>,
}

impl DifferenceView {
    /// Whether both replays say the same.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

/// Open deals of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassCountView {
    /// The class.
    pub class: String,
    /// How many now.
    pub now: u64,
    /// How many under the other configuration.
    pub other: u64,
}

/// Objects of one sink.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PushCountView {
    /// The sink.
    pub sink: String,
    /// Objects that it does not know and would be told of.
    pub create: u64,
    /// Objects that it knows and that would differ; what of it the sink is told, its mapping says.
    pub update: u64,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DifferenceLine {
    /// The object or record.
    pub object: String,
    /// What it is, for people.
    pub title: String,
    /// `new`, `gone`, `merged`, `split`, `field`, `class`, `worth`, `outcome`.
    pub change: String,
    /// The field, when it is one.
    pub field: String,
    /// What stands there now.
    pub now: String,
    /// Connection and position that say so.
    pub now_from: String,
    /// What would stand there.
    pub other: String,
    /// Connection and position that would say so.
    pub other_from: String,
}

/// Compares two replays of one journal.
pub fn difference(now: &Query, other: &Query, asked: &DifferenceAsked) -> Result<DifferenceView, QueryError> {
    let mut found = Found { asked, counts: BTreeMap::new(), pushes: BTreeMap::new(), lines: Vec::new(), all: 0 };
    joined::<Clients>(now, other, |_, left, right| {
        clients(&mut found, (now, left.as_ref()), (other, right.as_ref()));
        Ok(())
    })?;
    let currency = &now.catalog.company.currency;
    let (mut totals_now, mut totals_other) = (Totals::new(currency), Totals::new(currency));
    joined::<Deals>(now, other, |_, left, right| {
        for (row, totals) in [(&left, &mut totals_now), (&right, &mut totals_other)] {
            if let Some(score) = row.as_ref().and_then(|row| row.deal.score.as_ref()) {
                totals.add(score);
            }
        }
        deals(&mut found, (now, left.as_ref()), (other, right.as_ref()));
        Ok(())
    })?;
    joined::<Documents>(now, other, |_, left, right| {
        documents(&mut found, (now, left.as_ref()), (other, right.as_ref()));
        Ok(())
    })?;
    joined::<Interactions>(now, other, |_, left, right| {
        let (left, right) = (left.map(|row| row.interaction), right.map(|row| row.interaction));
        interactions(&mut found, (now, left.as_ref()), (other, right.as_ref()));
        Ok(())
    })?;
    if asked.client.is_none() {
        joined::<Outcomes>(now, other, |_, left, right| {
            outcomes(&mut found, &left.unwrap_or_default(), &right.unwrap_or_default());
            Ok(())
        })?;
    }
    let Found { counts, pushes, lines, all, .. } = found;
    let pushes =
        pushes.into_iter().map(|(sink, (create, update))| PushCountView { sink: sink.to_string(), create, update });
    let classes = Class::ALL.into_iter().map(|class| ClassCountView {
        class: class.name().to_owned(),
        now: totals_now.class(class).count,
        other: totals_other.class(class).count,
    });
    Ok(DifferenceView {
        counts: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        classes: classes.collect(),
        totals_now: text::totals(&totals_now),
        totals_other: text::totals(&totals_other),
        more: all - lines.len() as u64,
        lines,
        pushes: pushes.collect(),
        begun: None,
    })
}

/// Walks one table of both stores; each key once, with what either has under it.
fn joined<T: Table>(
    now: &Query,
    other: &Query,
    mut each: impl FnMut(&T::Key, Option<T::Row>, Option<T::Row>) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let mut left: Rows<'_, T> = now.reader().rows(Span::all());
    let mut right: Rows<'_, T> = other.reader().rows(Span::all());
    let mut pair = (left.next().transpose()?, right.next().transpose()?);
    loop {
        let order = match &pair {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => key_bytes::<T>(left).cmp(&key_bytes::<T>(right)),
        };
        let mut taken: (Option<PairOf<T>>, Option<PairOf<T>>) = (None, None);
        if order != Ordering::Greater {
            taken.0 = std::mem::replace(&mut pair.0, left.next().transpose()?);
        }
        if order != Ordering::Less {
            taken.1 = std::mem::replace(&mut pair.1, right.next().transpose()?);
        }
        match taken {
            (Some((key, left)), Some((_, right))) => each(&key, Some(left), Some(right))?,
            (Some((key, left)), None) => each(&key, Some(left), None)?,
            (None, Some((key, right))) => each(&key, None, Some(right))?,
            (None, None) => return Ok(()),
        }
    }
}

/// One of the two replays, with its row.
type Side<'a, T> = (&'a Query, Option<&'a T>);

/// What was found so far.
struct Found<'a> {
    asked: &'a DifferenceAsked,
    counts: BTreeMap<&'static str, u64>,
    /// Sink -> objects to create, objects to update.
    pushes: BTreeMap<Slug, (u64, u64)>,
    lines: Vec<DifferenceLine>,
    all: u64,
}

impl Found<'_> {
    fn count(&mut self, name: &'static str) {
        *self.counts.entry(name).or_default() += 1;
    }

    /// The sinks of the other side would be told of the object.
    fn pushed(&mut self, other: &Query, object: ObjectRef, sinks: &[SinkState]) {
        for connection in other.catalog.sinks_for(object) {
            let knows = sink_state(sinks, &connection.name).is_some_and(|state| state.confirmed.is_some());
            let (create, update) = self.pushes.entry(connection.name.clone()).or_default();
            *(if knows { update } else { create }) += 1;
        }
    }

    /// Bound: above the asked number lines are only counted.
    fn line(&mut self, line: impl FnOnce() -> DifferenceLine) {
        self.all += 1;
        if self.lines.len() < self.asked.lines_max {
            self.lines.push(line());
        }
    }

    fn is_asked(&self, clients: [Option<ClientId>; 2], versions: [Option<Position>; 2]) -> bool {
        let of_client = self.asked.client.is_none_or(|wanted| clients.contains(&Some(wanted)));
        of_client && versions.into_iter().flatten().any(|version| version >= self.asked.since)
    }

    /// Compares fields; `true` when any differs.
    fn fields(&mut self, object: &str, title: &str, now: Vec<FieldView>, other: Vec<FieldView>) -> bool {
        let pairs = unequal(now, other);
        for (name, now, other) in &pairs {
            self.line(|| DifferenceLine {
                object: object.to_owned(),
                title: title.to_owned(),
                change: "field".to_owned(),
                field: name.clone(),
                now: said(now.as_ref()),
                now_from: from(now.as_ref()),
                other: said(other.as_ref()),
                other_from: from(other.as_ref()),
            });
        }
        !pairs.is_empty()
    }

    fn plain(&mut self, object: &str, title: &str, change: &str, now: String, other: String) {
        self.line(|| DifferenceLine {
            object: object.to_owned(),
            title: title.to_owned(),
            change: change.to_owned(),
            field: String::new(),
            now,
            now_from: String::new(),
            other,
            other_from: String::new(),
        });
    }
}

fn said(field: Option<&FieldView>) -> String {
    field.map(|field| field.value.clone()).unwrap_or_default()
}

fn from(field: Option<&FieldView>) -> String {
    let sourced = field.filter(|field| !field.source.is_empty());
    sourced.map(|field| format!("{} {}", field.source, field.position)).unwrap_or_default()
}

/// Fields of two rows that differ in value or in who says it, paired by name. Of a field with
/// several values (contacts) the equal ones are paired first.
fn unequal(now: Vec<FieldView>, other: Vec<FieldView>) -> Vec<(String, Option<FieldView>, Option<FieldView>)> {
    let mut names: Vec<String> = Vec::new();
    for field in now.iter().chain(&other) {
        if !names.contains(&field.name) {
            names.push(field.name.clone());
        }
    }
    let mut pairs = Vec::new();
    for name in names {
        let of = |fields: &[FieldView]| -> Vec<FieldView> {
            fields.iter().filter(|field| field.name == name && !field.value.is_empty()).cloned().collect()
        };
        let (mut left, mut right) = (of(&now), of(&other));
        left.retain(|field| {
            let Some(index) = right.iter().position(|it| it.value == field.value) else { return true };
            let twin = right.remove(index);
            if twin.source != field.source {
                pairs.push((name.clone(), Some(field.clone()), Some(twin)));
            }
            false
        });
        let rows = left.len().max(right.len());
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        for _ in 0..rows {
            pairs.push((name.clone(), left.next(), right.next()));
        }
    }
    pairs
}

fn plain(name: &str, value: impl Into<String>) -> FieldView {
    FieldView {
        name: name.to_owned(),
        value: value.into(),
        source: String::new(),
        position: 0,
        observed_at: String::new(),
    }
}

fn id(of: Option<impl ToString>) -> String {
    of.map(|id| id.to_string()).unwrap_or_default()
}

fn clients(found: &mut Found<'_>, now: Side<'_, ClientRow>, other: Side<'_, ClientRow>) {
    let client = |side: Side<'_, ClientRow>| side.1.map(|row| row.client.id);
    let version = |side: Side<'_, ClientRow>| side.1.map(|row| row.client.version);
    if !found.is_asked([client(now), client(other)], [version(now), version(other)]) {
        return;
    }
    let Some(any) = now.1.or(other.1) else { return };
    let (object, title) = (any.client.id.to_string(), any.client.shown_name());
    let into = |row: &ClientRow| match row.client.state {
        ClientState::Active => None,
        ClientState::MergedInto(winner, _) => Some(winner),
    };
    match (now.1, other.1) {
        (None, None) => {}
        (Some(_), None) => {
            found.count("clients-gone");
            found.plain(&object, &title, "gone", title.clone(), String::new());
        }
        (None, Some(row)) => {
            found.count("clients-new");
            found.plain(&object, &title, "new", String::new(), id(into(row)));
            if into(row).is_none() {
                found.pushed(other.0, ObjectRef::Client(row.client.id), &row.sinks);
            }
        }
        (Some(left), Some(right)) => match (into(left), into(right)) {
            (None, Some(winner)) => {
                found.count("clients-merged");
                found.plain(&object, &title, "merged", String::new(), winner.to_string());
            }
            (Some(winner), None) => {
                found.count("clients-split");
                found.plain(&object, &title, "split", winner.to_string(), String::new());
                found.pushed(other.0, ObjectRef::Client(right.client.id), &right.sinks);
            }
            (one, another) => {
                let mut fields = (client_fields(now.0, left), client_fields(other.0, right));
                fields.0.push(plain("merged-into", id(one)));
                fields.1.push(plain("merged-into", id(another)));
                if found.fields(&object, &title, fields.0, fields.1) {
                    found.count("clients-changed");
                    if another.is_none() {
                        found.pushed(other.0, ObjectRef::Client(right.client.id), &right.sinks);
                    }
                }
            }
        },
    }
}

fn client_fields(side: &Query, row: &ClientRow) -> Vec<FieldView> {
    let client: &Client = &row.client;
    let mut fields = side.client_fields(client);
    fields.push(plain("kind", word(&client.kind)));
    fields.push(plain("standing", word(&client.standing)));
    fields.push(plain("known-since", side.local(client.known_since)));
    fields.push(plain("class", row.class.map(Class::name).unwrap_or_default()));
    fields
}

fn deals(found: &mut Found<'_>, now: Side<'_, DealRow>, other: Side<'_, DealRow>) {
    let client = |side: Side<'_, DealRow>| side.1.and_then(|row| row.deal.client);
    let version = |side: Side<'_, DealRow>| side.1.map(|row| row.deal.version);
    if !found.is_asked([client(now), client(other)], [version(now), version(other)]) {
        return;
    }
    let Some(any) = now.1.or(other.1) else { return };
    let (object, title) = (any.deal.id.to_string(), shown(&any.deal.title));
    match (now.1, other.1) {
        (None, None) => {}
        (Some(row), None) => {
            found.count("deals-gone");
            found.plain(&object, &title, "gone", scored(&row.deal), String::new());
        }
        (None, Some(row)) => {
            found.count("deals-new");
            found.plain(&object, &title, "new", String::new(), scored(&row.deal));
            found.pushed(other.0, ObjectRef::Deal(row.deal.id), &row.sinks);
        }
        (Some(left), Some(right)) => {
            let class = |row: &DealRow| row.deal.score.as_ref().map(|score| score.class);
            let (before, after) = (scored(&left.deal), scored(&right.deal));
            let rescored = before != after;
            if class(left) != class(right) {
                found.count("deals-class");
                found.plain(&object, &title, "class", before, after);
            } else if rescored {
                found.count("deals-worth");
                found.plain(&object, &title, "worth", before, after);
            }
            let fields = (deal_fields(now.0, &left.deal), deal_fields(other.0, &right.deal));
            let changed = found.fields(&object, &title, fields.0, fields.1);
            if changed {
                found.count("deals-changed");
            }
            if changed || rescored {
                found.pushed(other.0, ObjectRef::Deal(right.deal.id), &right.sinks);
            }
        }
    }
}

/// Class, probability and value of a deal: `A, 35 %, 17500`.
fn scored(deal: &Deal) -> String {
    let Some(score) = &deal.score else { return super::objects::state_name(deal).to_owned() };
    let value = score.value_minor.map(main_units).unwrap_or_else(|| "—".to_owned());
    format!("{}, {} %, {value}", score.class.name(), percent(score.p_bp))
}

fn deal_fields(side: &Query, deal: &Deal) -> Vec<FieldView> {
    let mut fields = side.deal_fields(deal);
    fields.push(plain("client", id(deal.client)));
    fields.push(plain("state", super::objects::state_name(deal)));
    fields.push(plain("hidden", if deal.hidden { "yes" } else { "" }));
    let lines: Vec<String> = deal.lines.iter().map(|line| format!("{} × {}", line.name, line.quantity)).collect();
    fields.push(plain("lines", lines.join("; ")));
    let utm = &deal.utm_first;
    let marks = [&utm.source, &utm.medium, &utm.campaign, &utm.content, &utm.term].map(|it| it.as_str());
    fields.push(plain("utm", marks.join("/").trim_matches('/')));
    fields
}

fn documents(found: &mut Found<'_>, now: Side<'_, Document>, other: Side<'_, Document>) {
    let client = |side: Side<'_, Document>| side.1.and_then(|it| it.client);
    let version = |side: Side<'_, Document>| side.1.map(|it| it.version);
    if !found.is_asked([client(now), client(other)], [version(now), version(other)]) {
        return;
    }
    let Some(any) = now.1.or(other.1) else { return };
    let (object, title) = (any.id.to_string(), format!("{} {}", word(&any.kind), shown(&any.number)));
    match (now.1, other.1) {
        (None, None) => {}
        (Some(_), None) => {
            found.count("documents-gone");
            found.plain(&object, &title, "gone", title.clone(), String::new());
        }
        (None, Some(_)) => {
            found.count("documents-new");
            found.plain(&object, &title, "new", String::new(), title.clone());
        }
        (Some(left), Some(right)) => {
            let fields = (document_fields(now.0, left), document_fields(other.0, right));
            if found.fields(&object, &title, fields.0, fields.1) {
                found.count("documents-changed");
            }
        }
    }
}

fn document_fields(side: &Query, document: &Document) -> Vec<FieldView> {
    let mut fields = Vec::new();
    fields.extend(side.field("number", &document.number));
    fields.extend(side.field("number_1c", &document.number_1c));
    fields.extend(side.field("date", &document.date));
    fields.extend(side.field("sum", &document.sum));
    fields.extend(side.field("posted", &document.posted));
    fields.extend(side.field("deletion_mark", &document.deletion_mark));
    fields.extend(side.field("cancelled", &document.cancelled));
    fields.extend(side.field("paid", &document.paid));
    fields.extend(side.field("shipped", &document.shipped));
    fields.extend(side.field("status", &document.status));
    fields.extend(side.field("comment", &document.comment));
    for (name, value) in &document.extra {
        fields.extend(side.field(name, &Some(value.clone())));
    }
    fields.push(plain("client", id(document.client)));
    fields.push(plain("deal", id(document.deal)));
    fields
}

fn interactions(found: &mut Found<'_>, now: Side<'_, Interaction>, other: Side<'_, Interaction>) {
    let client = |side: Side<'_, Interaction>| side.1.and_then(|it| it.client);
    let version = |side: Side<'_, Interaction>| side.1.map(|it| it.record.position);
    if !found.is_asked([client(now), client(other)], [version(now), version(other)]) {
        return;
    }
    let Some(any) = now.1.or(other.1) else { return };
    let (object, title) = (any.id.to_string(), any.subject.to_string());
    match (now.1, other.1) {
        (None, None) => {}
        (Some(_), None) => {
            found.count("interactions-gone");
            found.plain(&object, &title, "gone", title.clone(), String::new());
        }
        (None, Some(_)) => {
            found.count("interactions-new");
            found.plain(&object, &title, "new", String::new(), title.clone());
        }
        (Some(left), Some(right)) => {
            let fields = (interaction_fields(now.0, left), interaction_fields(other.0, right));
            if found.fields(&object, &title, fields.0, fields.1) {
                found.count("interactions-changed");
            }
        }
    }
}

fn interaction_fields(side: &Query, it: &Interaction) -> Vec<FieldView> {
    vec![
        plain("client", id(it.client)),
        plain("deal", id(it.deal)),
        plain("kind", word(&it.kind)),
        plain("at", side.local(it.at)),
        plain("subject", it.subject.as_str()),
        plain("text", it.text.as_str()),
        plain("page", it.page.as_str()),
    ]
}

fn outcomes(
    found: &mut Found<'_>,
    now: &[crate::tables::rows::OutcomeItem],
    other: &[crate::tables::rows::OutcomeItem],
) {
    let mut records: BTreeMap<_, (&str, Option<&Outcome>, Option<&Outcome>)> = BTreeMap::new();
    for (record, connection, outcome) in now {
        records.entry(*record).or_insert((connection, None, None)).1 = Some(outcome);
    }
    for (record, connection, outcome) in other {
        records.entry(*record).or_insert((connection, None, None)).2 = Some(outcome);
    }
    for (record, (connection, now, other)) in records {
        if record.position < found.asked.since || same_fate(now, other) {
            continue;
        }
        found.count("records");
        let locale = found.asked.locale;
        let said = |outcome: Option<&Outcome>| outcome.map(|it| outcome_text(it, locale)).unwrap_or_default();
        found.line(|| DifferenceLine {
            object: record.to_string(),
            title: connection.to_owned(),
            change: "outcome".to_owned(),
            field: String::new(),
            now: said(now),
            now_from: String::new(),
            other: said(other),
            other_from: String::new(),
        });
    }
}

/// Where a record ended is told by the objects; here only whether it ended otherwise.
fn same_fate(now: Option<&Outcome>, other: Option<&Outcome>) -> bool {
    match (now, other) {
        (Some(Outcome::Quarantined(now)), Some(Outcome::Quarantined(other))) => now == other,
        (Some(now), Some(other)) => now.kind() == other.kind(),
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
    }
}
