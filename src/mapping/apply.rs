//! Applying an inbound mapping to a record.

use std::borrow::Cow;

use compact_str::CompactString;

use super::canonical::{Kind, Section};
use super::convert::{self, ContactKind, Conversion};
use super::dictionary::Otherwise;
use super::draft::{self, Draft};
use super::plan::{Condition, FieldPlan, Gather, Inbound, LinesPlan, Test};
use super::source::{Found, Reader, Source};
use super::{MapContext, Mapped};
use crate::base::Message;
use crate::model::{Change, Currency, FilterReason, Issue};
use crate::normalize;
use crate::value::Value;

impl Inbound {
    /// What the record says.
    pub fn apply(&self, record: &Value, context: &MapContext<'_>) -> Mapped {
        let reader = Reader::new(&self.names, record, context);
        let filter = self
            .filters
            .iter()
            .find(|filter| filter.when.iter().all(|when| holds(Some(when), &reader)))
            .map(|it| it.reason);
        match filter {
            // Nobody will read what such a record says; the journal has it.
            Some(FilterReason::Test | FilterReason::NotUsed) => {
                return Mapped::Change(Box::new(Change { filter, ..Change::default() }));
            }
            Some(FilterReason::Spam | FilterReason::Internal | FilterReason::Erased) | None => {}
        }
        let mut draft = Draft::new();
        draft.change.filter = filter;
        match self.fill(&reader, &mut draft) {
            Err(message) if filter.is_none() => return Mapped::Refused(message),
            Err(_) | Ok(()) => {}
        }
        let mut parts = self.parts;
        parts.deal &= self.is_told(Section::Deal, &reader);
        parts.document &= self.is_told(Section::Document, &reader);
        parts.interaction &= self.is_told(Section::Interaction, &reader);
        self.extra.collect(&reader, &mut draft);
        Mapped::Change(Box::new(draft.finish(parts)))
    }

    fn is_told(&self, section: Section, reader: &Reader<'_>) -> bool {
        self.conditions.iter().filter(|(of, _)| *of == section).all(|(_, when)| holds(Some(when), reader))
    }

    /// Where the section begins.
    fn base<'v>(&self, section: Section, reader: &Reader<'v>) -> &'v Value {
        static NOWHERE: Value = Value::Null;
        let Some((_, places)) = self.bases.iter().find(|(of, _)| *of == section) else { return reader.record };
        places.iter().find_map(|place| place.value(reader, reader.record)).unwrap_or(&NOWHERE)
    }

    fn fill(&self, reader: &Reader<'_>, draft: &mut Draft) -> Result<(), Message> {
        for plan in &self.fields {
            let is_meant = self.conditions.is_empty() || self.is_told(plan.spec.section, reader);
            let is_done = plan.unless.is_some_and(|field| draft.is_filled(field));
            if is_meant && !is_done && holds(plan.when.as_ref(), reader) {
                self.fill_field(plan, reader, draft)?;
            }
        }
        if let Some(lines) = &self.lines {
            fill_lines(lines, reader, draft);
            // Of a row that is read again and again an empty list is an answer.
            let is_empty_list =
                || matches!(lines.each.value(reader, reader.record), Some(Value::List(it)) if it.is_empty());
            if self.names_members && lines.to_deal && is_empty_list() {
                draft.set_no_lines();
            }
        }
        let is_anything = self.require_any.is_empty() || self.require_any.iter().any(|it| draft.is_filled(it.field));
        if is_anything {
            return Ok(());
        }
        let names: Vec<String> = self.require_any.iter().map(|spec| spec.full_name()).collect();
        let paths = self.fields.iter().filter(|plan| self.require_any.contains(&plan.spec));
        let paths: Vec<&str> = paths.flat_map(|plan| &plan.from).map(|source| source.text.as_str()).collect();
        Err(Message::new("mapping-require-any")
            .with("fields", names.join(", "))
            .with("paths", paths.join(", "))
            .with("file", &self.file))
    }

    fn fill_field(&self, plan: &FieldPlan, reader: &Reader<'_>, draft: &mut Draft) -> Result<(), Message> {
        let base = self.base(plan.spec.section, reader);
        let mut filling = Filling { plan, reader, base, draft, context: reader.context, count: 0, refusal: None };
        match &plan.gather {
            Gather::First => filling.first(),
            Gather::Each => filling.each(),
            Gather::Join(between) => filling.join(between),
            Gather::Typed { each, kind } => filling.typed(each, kind),
        }
        if self.names_members && filling.count > 0 {
            let members = plan.from.iter().map(|source| (plan.full.clone(), source.text.clone()));
            filling.draft.change.told_by.extend(members);
        }
        if filling.count == 0
            && let Some(default) = &plan.default
        {
            filling.take_text(default);
        }
        if let Some(word) = filling.refusal {
            return Err(Message::new("mapping-word-unknown")
                .with("field", &plan.full)
                .with("word", word)
                .with("file", &self.file));
        }
        if plan.required && filling.count == 0 {
            let is_unreadable = filling.draft.change.issues.iter().any(|issue| issue.field == plan.full);
            let paths: Vec<&str> = plan.from.iter().map(|source| source.text.as_str()).collect();
            let id = if is_unreadable { "mapping-required-unreadable" } else { "mapping-required-missing" };
            return Err(Message::new(id)
                .with("field", &plan.full)
                .with("paths", paths.join(", "))
                .with("file", &self.file));
        }
        Ok(())
    }
}

/// One field being filled.
struct Filling<'f, 'v> {
    plan: &'f FieldPlan,
    reader: &'f Reader<'v>,
    /// Where the section begins.
    base: &'v Value,
    draft: &'f mut Draft,
    context: &'f MapContext<'v>,
    /// Values set so far.
    count: usize,
    /// A word that the dictionary does not have and must have.
    refusal: Option<String>,
}

impl<'v> Filling<'_, 'v> {
    /// The first source that gives a value; one that is filled and unreadable leaves its issue.
    fn first(&mut self) {
        for source in &self.plan.from {
            if let Some(found) = source.read(self.reader, self.base)
                && self.take(&found)
            {
                return;
            }
        }
    }

    fn each(&mut self) {
        for source in &self.plan.from {
            let mut all = Vec::new();
            source.read_each(self.reader, self.base, |found| all.push(found));
            all.iter().for_each(|found| {
                self.take(found);
            });
        }
    }

    fn join(&mut self, between: &str) {
        let mut text = String::new();
        for source in &self.plan.from {
            let Some(found) = source.read(self.reader, self.base) else { continue };
            if !text.is_empty() {
                text.push_str(between);
            }
            text.push_str(&found.text);
            self.reader.used(found.value);
        }
        if !text.is_empty() {
            self.take_text(&text);
        }
    }

    fn typed(&mut self, each: &Source, kind: &Source) {
        for item in each.items(self.reader, self.base) {
            let kind = kind.read(self.reader, item);
            let value = self.plan.from.iter().find_map(|source| source.read(self.reader, item));
            let Some(value) = value else { continue };
            let kind = kind.as_ref().map_or("", |it| &it.text);
            let conversion = match convert::contact_kind(kind, &value.text) {
                ContactKind::Phone => Conversion::Phone,
                ContactKind::Email => Conversion::Email,
                // A fax or a site reaches nobody: it stays extra.
                ContactKind::Other => continue,
            };
            self.reader.used(Some(item));
            self.convert(conversion, &value.text);
        }
    }

    fn take(&mut self, found: &Found<'v>) -> bool {
        self.reader.used(found.value);
        self.take_text(&found.text)
    }

    /// Translates, converts and sets. Whether a value came of it.
    fn take_text(&mut self, text: &str) -> bool {
        let Some((dictionary, otherwise)) = &self.plan.dictionary else {
            return self.convert(self.plan.conversion, text);
        };
        match (dictionary.find(text), otherwise) {
            (Some(""), _) => false,
            (Some(translation), _) => self.convert(self.plan.conversion, translation),
            (None, Otherwise::Keep) => self.convert(self.plan.conversion, text),
            (None, Otherwise::Drop) => {
                let message = Message::new("mapping-word-dropped");
                self.draft.issue(&self.plan.full, Issue::new(&self.plan.full, message, text));
                false
            }
            (None, Otherwise::Quarantine) => {
                self.refusal = Some(text.to_owned());
                false
            }
        }
    }

    fn convert(&mut self, conversion: Conversion, text: &str) -> bool {
        let plan = self.plan;
        let currency = match plan.spec.kind {
            Kind::Money => self.currency(),
            _ => Cow::Borrowed(self.context.currency),
        };
        let converted = convert::convert(conversion, plan.spec.kind, text, self.context, &currency);
        for issue in converted.issues {
            self.draft.issue(&plan.full, issue);
        }
        let Some(value) = converted.value else { return false };
        self.draft.set(plan.spec.field, &plan.name, value);
        if let Some(dictionary) = &plan.lookup {
            self.draft.change.lookups.push((plan.full.clone(), dictionary.clone()));
        }
        self.count += 1;
        true
    }

    /// The currency that the record names, else the company's.
    fn currency(&mut self) -> Cow<'v, Currency> {
        let default = Cow::Borrowed(self.reader.context.currency);
        let Some(source) = &self.plan.currency else { return default };
        let Some(found) = source.read(self.reader, self.base) else { return default };
        self.reader.used(found.value);
        let read = normalize::currency(&found.text);
        for issue in read.issues {
            self.draft.issue(&self.plan.full, issue);
        }
        read.value.map_or(default, Cow::Owned)
    }
}

fn fill_lines(plan: &LinesPlan, reader: &Reader<'_>, draft: &mut Draft) {
    let context = reader.context;
    let mut lines = Vec::new();
    for item in plan.each.items(reader, reader.record) {
        reader.used(Some(item));
        let mut line = draft::empty_line();
        for field in &plan.fields {
            let found = field.from.iter().find_map(|source| source.read(reader, item));
            let text: Option<CompactString> =
                found.map(|it| CompactString::new(it.text)).or_else(|| field.default.clone());
            let Some(text) = text else { continue };
            let converted = convert::convert(field.conversion, field.spec.kind, &text, context, context.currency);
            for issue in converted.issues {
                draft.issue(&field.full, issue);
            }
            if let Some(value) = converted.value {
                draft::set_line(&mut line, field.spec.field, value);
            }
        }
        if line.sum.is_zero() {
            line.sum = line.price.checked_mul(line.quantity).unwrap_or_default().normalize();
        }
        lines.push(line);
    }
    draft.set_lines(lines, plan.to_deal, plan.to_document);
}

fn holds(condition: Option<&Condition>, reader: &Reader<'_>) -> bool {
    let Some(Condition { source, test }) = condition else { return true };
    // A value that a condition asks about is named by the mapping: it is no extra.
    reader.used(source.value(reader, reader.record));
    let found = source.read(reader, reader.record);
    let text = found.as_ref().map(|it| it.text.as_ref());
    let is_one_of = |words: &[CompactString]| {
        text.is_some_and(|text| words.iter().any(|word| word.to_lowercase() == text.to_lowercase()))
    };
    match test {
        Test::Filled => text.is_some(),
        Test::Missing => text.is_none(),
        Test::OneOf(words) => is_one_of(words),
        Test::NoneOf(words) => !is_one_of(words),
    }
}
