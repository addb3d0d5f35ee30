//! Outbound mappings: an object of ours -> named values of a sink.
//!
//! ```toml
//! object = "deal"                      # client | deal | interaction | task
//! when = { client_kind = "person" }    # not meant for others
//! needs = ["ref.client"]               # told only after the client is
//!
//! [fields]                             # in the order in which they are sent
//! TITLE = { from = ["deal.title", "client.name.shown"], create_only = true }
//! OPPORTUNITY = { from = "deal.price.amount", as = "money", create_only = "unless_owned" }
//! STAGE_ID = { from = "deal.stage", words = "stage", within = "CATEGORY_ID", map = "stages", otherwise = "drop" }
//! PHONE = { from = "client.contacts.phone", as = "multifield", type = "WORK" }
//! ORIGINATOR_ID = { const = "uzel" }
//! COMMENT = { text = "{interaction.text}\n{interaction.page}" }
//! CONTACT_ID = [                       # the first whose `when` holds and that is filled
//!     { from = "ref.client", when = { client_kind = "person" } },
//! ]
//! ```
//!
//! `words` asks the dictionary that was read from the sink for the id of that name, among the words
//! within what the field `within`, filled before, says; `map` helps while nothing was read and where
//! its translation is an id that is there. A word that is neither is left out, and said
//! ([`Desired::left_out`]).
//!
//! A value that is not there is left out: nothing is ever emptied in a sink because we do not
//! know it. A line of a `text` whose names are all empty is left out too. `create_only` fields are
//! written when the foreign object is made and never again, so that what a person changed there
//! stays; `"unless_owned"` lets a source that owns the field by the ownership table change it,
//! `"unless_rules"` lets our rules change what they themselves decided.

mod compile;
mod value;

use std::sync::Arc;

use compact_str::CompactString;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::dictionary::{Dictionary, Otherwise};
use super::vocabulary::{MissingWord, Vocabulary};
use super::{OWNER_RANK, RULES_RANK};
use crate::base::Message;
use crate::field::reader::unknown_word;
use crate::model::{Client, ClientKind, Deal, Interaction, InteractionKind, Task};

use value::Taken;
pub(super) use value::interaction_name;
pub use value::{NAMES, Name};

/// One of our objects whose foreign id a sink's object refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ref {
    /// The client, as the sink knows it.
    Client,
    /// The deal, as the sink knows it.
    Deal,
}

/// What a sink is told of, with what surrounds it.
#[derive(Clone, Copy)]
pub struct OutObject<'a> {
    /// The client.
    pub client: Option<&'a Client>,
    /// The deal; for a client the one whose score stands for it.
    pub deal: Option<&'a Deal>,
    /// The interaction.
    pub interaction: Option<&'a Interaction>,
    /// The task.
    pub task: Option<OutTask<'a>>,
    /// Why the deal has its score, for people.
    pub explanation: &'a str,
    /// Zone of dates.
    pub zone: &'a TimeZone,
    /// Id in the sink, when it is known there.
    pub foreign: &'a dyn Fn(Ref) -> Option<String>,
    /// What it refers to and is told without, since it is gone there and only a person brings it back.
    pub without: &'a [Ref],
    /// The employee of a key; the catalog fills it in for the sink that is asked for.
    pub employee: &'a dyn Fn(&str) -> Option<OutEmployee>,
    /// What the sink calls its stages and sources.
    pub vocabulary: &'a Vocabulary,
}

/// A task with its texts in the language of those who do it.
#[derive(Clone, Copy)]
pub struct OutTask<'a> {
    /// The task.
    pub task: &'a Task,
    /// What is to be done.
    pub title: &'a str,
    /// How it ended; empty while it is open.
    pub result: &'a str,
}

/// An employee as a sink is told of him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutEmployee {
    /// His name.
    pub name: String,
    /// His id in the sink.
    pub id: Option<String>,
}

/// No employees are known.
pub const NOBODY: &dyn Fn(&str) -> Option<OutEmployee> = &|_| None;

/// A compiled outbound mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    file: CompactString,
    object: ObjectKind,
    when: Condition,
    needs: Vec<Ref>,
    fields: Vec<FieldPlan>,
}

/// Object that a mapping tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// A client.
    Client,
    /// A deal.
    Deal,
    /// An interaction.
    Interaction,
    /// A task.
    Task,
}

/// What the sink should hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Desired {
    /// Name in the sink, value; in the order of the mapping.
    pub fields: Vec<(CompactString, Json)>,
    /// Those of the fields that are written only when the foreign object is made.
    pub create_only: Vec<CompactString>,
    /// Fields that are left out because the sink does not have their word.
    pub left_out: Vec<LeftOut>,
}

/// A field whose word the sink does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Whether it is written only when the foreign object is made.
    pub create_only: bool,
    /// Its name there.
    pub field: CompactString,
    /// The word.
    pub missing: MissingWord,
    /// Which, and what may be meant.
    pub reason: Message,
}

/// Whether an object can be told now.
#[derive(Debug, Clone, PartialEq)]
pub enum Readiness {
    /// Now.
    Ready(Desired),
    /// After these, which the sink does not know yet.
    Waits(Vec<Ref>),
    /// By another mapping, or not at all.
    NotMeant,
}

/// A field of the sink that a mapping writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<'a> {
    /// Its name there.
    pub to: &'a str,
    /// Canonical names that its value may come from.
    pub from: Vec<&'static str>,
    /// How long it is written.
    pub keep: Keep,
}

/// How long a field of a sink is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// Always: it is kept up to date.
    Kept,
    /// When the object is made; later only when its value comes from a system that owns the field.
    UnlessOwned,
    /// When the object is made; later only when rules of ours decided the value.
    UnlessRules,
    /// When the object is made, and never after.
    Created,
}

impl Keep {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Keep::Kept => "kept",
            Keep::UnlessOwned => "unless_owned",
            Keep::UnlessRules => "unless_rules",
            Keep::Created => "created",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FieldPlan {
    to: CompactString,
    choices: Vec<Choice>,
}

/// One way to fill a field.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Choice {
    when: Condition,
    source: Source,
    format: Format,
    dictionary: Option<(Arc<Dictionary>, Otherwise)>,
    wording: Option<Wording>,
    default: Option<CompactString>,
    create_only: CreateOnly,
    /// Characters at the most; longer texts are cut.
    chars_max: Option<usize>,
}

/// The sink's dictionary that a word is looked for in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wording {
    dictionary: CompactString,
    /// The field, filled before, that says within what.
    within: Option<CompactString>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// The first filled one.
    From(Vec<Name>),
    Const(Json),
    Text(Template),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CreateOnly {
    No,
    Yes,
    UnlessOwned,
    UnlessRules,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    /// Text; several values joined by a comma.
    Text,
    /// A JSON number.
    Number,
    /// Text with two digits after the point.
    Money,
    /// A JSON list of texts.
    List,
    /// `[{"VALUE": ..., "VALUE_TYPE": ...}]`.
    Multifield(CompactString),
    /// RFC 3339, UTC.
    DateTime,
    /// `YYYY-MM-DD` in the company's zone.
    Date,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Condition {
    client_kind: Option<ClientKind>,
    interaction_kind: Option<InteractionKind>,
    has: Vec<Name>,
    lacks: Vec<Name>,
}

/// Lines of fixed text and names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Template(Vec<Vec<Piece>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Fixed(CompactString),
    Name(Name),
}

impl Template {
    fn names(&self) -> Vec<Name> {
        let names = self.0.iter().flatten().filter_map(|piece| match piece {
            Piece::Name(name) => Some(*name),
            Piece::Fixed(_) => None,
        });
        names.collect()
    }
}

impl ObjectKind {
    /// Its name, as mappings have it.
    pub fn name(self) -> &'static str {
        match self {
            ObjectKind::Client => "client",
            ObjectKind::Deal => "deal",
            ObjectKind::Interaction => "interaction",
            ObjectKind::Task => "task",
        }
    }
}

impl Outbound {
    /// The file it was compiled from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The object it tells of.
    pub fn object(&self) -> ObjectKind {
        self.object
    }

    /// Names of the sink's fields that it writes.
    pub fn targets(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|plan| plan.to.as_str())
    }

    /// What it writes: each field of the sink, where its value may come from, and how long it is
    /// written.
    pub fn written(&self) -> impl Iterator<Item = Written<'_>> {
        self.fields.iter().map(|plan| {
            let from = plan.choices.iter().flat_map(|choice| match &choice.source {
                Source::From(names) => names.clone(),
                Source::Const(_) => Vec::new(),
                Source::Text(template) => template.names(),
            });
            // What is kept by one of its ways is kept.
            let keep = plan.choices.iter().map(|choice| match choice.create_only {
                CreateOnly::No => Keep::Kept,
                CreateOnly::UnlessOwned => Keep::UnlessOwned,
                CreateOnly::UnlessRules => Keep::UnlessRules,
                CreateOnly::Yes => Keep::Created,
            });
            Written {
                to: &plan.to,
                from: from.filter_map(value::name_text).collect(),
                keep: keep.min().unwrap_or(Keep::Created),
            }
        })
    }

    /// Dictionaries of the sink that it asks.
    pub fn dictionaries(&self) -> impl Iterator<Item = &CompactString> {
        let wordings = self.fields.iter().flat_map(|plan| &plan.choices).filter_map(|it| it.wording.as_ref());
        wordings.map(|it| &it.dictionary)
    }

    /// Whether the field is kept up to date, not only written when the foreign object is made.
    pub fn is_kept(&self, target: &str) -> bool {
        let is_kept = |plan: &FieldPlan| plan.choices.iter().any(|it| it.create_only != CreateOnly::Yes);
        self.fields.iter().any(|plan| plan.to == target && is_kept(plan))
    }

    /// What the sink should hold of the object.
    pub fn apply(&self, object: &OutObject<'_>) -> Readiness {
        if !self.when.holds(object) {
            return Readiness::NotMeant;
        }
        let waits: Vec<Ref> = self.needs.iter().copied().filter(|need| object.lacks_foreign(*need)).collect();
        if !waits.is_empty() {
            return Readiness::Waits(waits);
        }
        let mut desired = Desired::default();
        for plan in &self.fields {
            let mut left_out = None;
            let mut filled = None;
            for choice in plan.choices.iter().filter(|choice| choice.when.holds(object)) {
                match choice.fill(object, &desired) {
                    Ok(Some(value)) => {
                        filled = Some((choice, value));
                        break;
                    }
                    Ok(None) => {}
                    Err((missing, reason)) => {
                        let create_only = choice.is_create_only(object);
                        let (field, reason) = (plan.to.clone(), reason.with("field", &plan.to));
                        left_out.get_or_insert(LeftOut { create_only, field, missing, reason });
                    }
                }
            }
            let Some((choice, value)) = filled else {
                desired.left_out.extend(left_out);
                continue;
            };
            if choice.is_create_only(object) {
                desired.create_only.push(plan.to.clone());
            }
            desired.fields.push((plan.to.clone(), value));
        }
        Readiness::Ready(desired)
    }
}

impl OutObject<'_> {
    /// Whether the object is there and the sink does not know it.
    fn lacks_foreign(&self, need: Ref) -> bool {
        let is_there = match need {
            Ref::Client => self.client.is_some(),
            Ref::Deal => self.deal.is_some(),
        };
        is_there && !self.without.contains(&need) && (self.foreign)(need).is_none()
    }
}

impl Choice {
    /// The value; the word and why it is left out when the sink does not have it.
    fn fill(&self, object: &OutObject<'_>, before: &Desired) -> Result<Option<Json>, (MissingWord, Message)> {
        let value = match &self.source {
            Source::Const(json) => return Ok(Some(json.clone())),
            Source::Text(template) => template.fill(object).map(Taken::Text),
            Source::From(names) => names.iter().find_map(|name| name.take(object)),
        };
        let default = || self.default.as_ref().map(|text| Json::from(text.as_str()));
        let value = match (value, &self.wording, &self.dictionary) {
            (Some(Taken::Text(word)), Some(wording), _) => match self.say(&word, wording, object, before) {
                Err(reason) => return default().map(Some).ok_or(reason),
                Ok(said) => said.map(Taken::Text),
            },
            (Some(Taken::Text(word)), None, Some((dictionary, otherwise))) => translate(word, dictionary, *otherwise),
            (value, ..) => value,
        };
        Ok(match value {
            Some(value) => self.format(value, object),
            None => default(),
        })
    }

    /// The sink's id of a word.
    fn say(
        &self,
        word: &str,
        wording: &Wording,
        object: &OutObject<'_>,
        before: &Desired,
    ) -> Result<Option<String>, (MissingWord, Message)> {
        let (vocabulary, dictionary) = (object.vocabulary, wording.dictionary.as_str());
        let filled = |field: &CompactString| {
            let value = before.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value);
            value.and_then(Json::as_str).unwrap_or_default()
        };
        let within = wording.within.as_ref().map(filled);
        let fixed = self.dictionary.as_ref().and_then(|(table, _)| table.find(word));
        let is_read = vocabulary.names(dictionary, within).next().is_some();
        match (vocabulary.find(dictionary, word, within), fixed) {
            (Some(id), _) => Ok(Some(id.to_owned())),
            (None, Some("")) => Ok(None),
            (None, Some(id)) if is_read && vocabulary.find_id(dictionary, id, within).is_some() => {
                Ok(Some(id.to_owned()))
            }
            (None, _) if is_read => {
                let reason = unknown_word("sink-word", word, vocabulary.names(dictionary, within));
                let within = within.map(CompactString::from);
                Err((MissingWord { dictionary: dictionary.into(), word: word.into(), within }, reason))
            }
            // The table is of what counts in general, not in one pipeline.
            (None, fixed) => Ok(fixed.filter(|_| within.is_none_or(str::is_empty)).map(str::to_owned)),
        }
    }

    fn format(&self, value: Taken, object: &OutObject<'_>) -> Option<Json> {
        match &self.format {
            Format::Text => {
                let text = value.text();
                let text = match self.chars_max.and_then(|max| text.char_indices().nth(max)) {
                    Some((end, _)) => text[..end].to_owned(),
                    None => text,
                };
                Some(Json::from(text))
            }
            Format::Number => value.number(),
            Format::Money => value.decimal().map(|amount| Json::from(value::two_digits(amount))),
            Format::List => Some(value.list().into_iter().map(Json::from).collect()),
            Format::Multifield(kind) => {
                let item = |text| serde_json::json!({ "VALUE": text, "VALUE_TYPE": kind.as_str() });
                Some(value.list().into_iter().map(item).collect())
            }
            Format::DateTime => value.instant().map(|at| Json::from(at.to_string())),
            Format::Date => {
                let at = value.instant()?.to_jiff().to_zoned(object.zone.clone());
                Some(Json::from(at.date().to_string()))
            }
        }
    }

    fn is_create_only(&self, object: &OutObject<'_>) -> bool {
        match self.create_only {
            CreateOnly::No => false,
            CreateOnly::Yes => true,
            CreateOnly::UnlessOwned => {
                let Source::From(names) = &self.source else { return true };
                let rank = names.iter().find(|name| name.take(object).is_some()).and_then(|name| name.rank(object));
                rank.is_none_or(|rank| rank < OWNER_RANK)
            }
            CreateOnly::UnlessRules => {
                let Source::From(names) = &self.source else { return true };
                let rank = names.iter().find(|name| name.take(object).is_some()).and_then(|name| name.rank(object));
                rank != Some(RULES_RANK)
            }
        }
    }
}

fn translate(word: String, dictionary: &Dictionary, otherwise: Otherwise) -> Option<Taken> {
    match dictionary.find(&word) {
        Some("") => None,
        Some(translation) => Some(Taken::Text(translation.to_owned())),
        None => match otherwise {
            Otherwise::Keep => Some(Taken::Text(word)),
            // Compile refuses `quarantine` here: a delivery is never refused for a word.
            Otherwise::Drop | Otherwise::Quarantine => None,
        },
    }
}

impl Condition {
    fn holds(&self, object: &OutObject<'_>) -> bool {
        let kind = object.client.map(|client| client.kind);
        let interaction = object.interaction.map(|it| it.kind);
        self.client_kind.is_none_or(|wanted| kind == Some(wanted))
            && self.interaction_kind.is_none_or(|wanted| interaction == Some(wanted))
            && self.has.iter().all(|name| name.take(object).is_some())
            && self.lacks.iter().all(|name| name.take(object).is_none())
    }
}

impl Template {
    fn fill(&self, object: &OutObject<'_>) -> Option<String> {
        let lines: Vec<String> = self.0.iter().filter_map(|line| fill_line(line, object)).collect();
        let text = lines.join("\n");
        (!text.trim().is_empty()).then_some(text)
    }
}

fn fill_line(line: &[Piece], object: &OutObject<'_>) -> Option<String> {
    let mut text = String::new();
    let (mut names, mut filled) = (0, 0);
    for piece in line {
        match piece {
            Piece::Fixed(fixed) => text.push_str(fixed),
            Piece::Name(name) => {
                names += 1;
                if let Some(value) = name.take(object) {
                    filled += 1;
                    text.push_str(&value.text());
                }
            }
        }
    }
    (names == 0 || filled > 0).then_some(text)
}
