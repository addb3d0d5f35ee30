//! The walk over one XML file: around records tag by tag, over a record to its end tag.

use std::borrow::Cow;
use std::io::{self, Read};
use std::sync::Arc;

use compact_str::CompactString;
use quick_xml::events::BytesStart;

use crate::base::limits::{DAMAGED_PLACES_MAX, RECORD_BYTES_MAX, TAG_BYTES_MAX, VALUE_DEPTH_MAX};
use crate::base::{Message, Slug};
use crate::decode::{text, xml};
use crate::model::Issue;
use crate::value::Value;

use super::feed::Feed;
use super::tag::{self, Inside, Markup};
use super::{Content, Extent, Item, ROOT, Record, unreadable};

/// The records of one XML file; `file` names it in messages.
pub fn records<R: Read>(file: Arc<str>, reader: R) -> Records<R> {
    Records {
        file,
        feed: Feed::new(reader, ROOT),
        open: Vec::new(),
        around: Vec::new(),
        stage: Stage::Before,
        damaged: 0,
        pending: None,
    }
}

/// See [`records`].
pub struct Records<R> {
    file: Arc<str>,
    feed: Feed<R>,
    /// Elements around the place that is read.
    open: Vec<Open>,
    /// Their attributes, the inner ones over the outer ones: what each record is told.
    around: Vec<(CompactString, Value)>,
    stage: Stage,
    damaged: usize,
    /// An item that comes after the one that is given out.
    pending: Option<Item>,
}

struct Open {
    name: CompactString,
    attributes: Vec<(CompactString, Value)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The root has not come.
    Before,
    Inside,
    /// The root's end tag has come.
    After,
    Over,
}

/// Elements that are records.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Document,
    Counterparty,
    Product,
    Offer,
}

impl Kind {
    fn of(name: &str, parent: &str) -> Option<Kind> {
        match name {
            "Документ" => Some(Kind::Document),
            "Товар" => Some(Kind::Product),
            "Предложение" => Some(Kind::Offer),
            "Контрагент" if matches!(parent, "Контрагенты" | "Контейнер" | ROOT) => {
                Some(Kind::Counterparty)
            }
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Document => "Документ",
            Kind::Counterparty => "Контрагент",
            Kind::Product => "Товар",
            Kind::Offer => "Предложение",
        }
    }

    /// Whether an element of the same name may stand inside: a counterparty has representatives,
    /// which are counterparties. Elsewhere it means that the first one was never closed.
    fn nests(self) -> bool {
        self == Kind::Counterparty
    }

    /// Whose end tag cannot stand inside the record.
    fn around(self) -> &'static [&'static str] {
        match self {
            Kind::Document => &[ROOT, "Контейнер"],
            Kind::Counterparty => &[ROOT, "Контейнер", "Контрагенты"],
            Kind::Product => &[ROOT, "Каталог"],
            Kind::Offer => &[ROOT, "ПакетПредложений", "ИзмененияПакетаПредложений", "Предложения"],
        }
    }

    fn stream(self, value: &Value) -> Slug {
        let operation = || value.get("ХозОперация").and_then(Value::as_text).unwrap_or_default().trim().to_lowercase();
        Slug::literal(match self {
            Kind::Document if operation() == "заказ товара" => "order",
            Kind::Document => "document",
            Kind::Counterparty => "counterparty",
            Kind::Product => "product",
            Kind::Offer => "offer",
        })
    }
}

/// How far a record reaches.
enum Reach {
    /// To its end tag: so many bytes.
    Whole(usize),
    /// To its end tag, and it was too large to keep.
    Large,
    /// Another record or the end of something around it came first, so many bytes on.
    Unclosed(usize),
    /// The file ends inside.
    Cut,
}

impl<R: Read> Iterator for Records<R> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.pending.take() {
                return Some(item);
            }
            if self.stage == Stage::Over {
                return None;
            }
            match self.step() {
                Ok(Some(item)) => return Some(item),
                Ok(None) => {}
                Err(error) => {
                    let extent = self.extent_of_rest();
                    let message = unreadable(&self.file, self.feed.line(), &error);
                    return Some(self.stop(extent, message));
                }
            }
        }
    }
}

impl<R: Read> Records<R> {
    /// The reader, wherever it stands.
    pub fn into_reader(self) -> R {
        self.feed.into_reader()
    }

    /// One tag, or one record.
    fn step(&mut self) -> io::Result<Option<Item>> {
        let Some(text_len) = memchr::memchr(b'<', self.feed.rest()) else { return self.text_only() };
        if let Some(item) = self.text(text_len) {
            return Ok(Some(item));
        }
        match tag::read(self.feed.rest()) {
            Markup::Cut => self.cut_tag(),
            Markup::Aside(len) | Markup::Doctype { len, declares: false } => {
                self.feed.consume(len);
                Ok(None)
            }
            Markup::Doctype { declares: true, .. } => {
                let message = self.message("decode-commerceml-dtd");
                let extent = self.extent_of_rest();
                Ok(Some(self.stop(extent, message)))
            }
            Markup::Damaged(len) => Ok(Some(self.damage(len, "decode-commerceml-tag"))),
            Markup::End { name, len } => {
                let name = CompactString::from(name);
                Ok(self.end(&name, len))
            }
            Markup::Start { name, inside, is_empty, len } => {
                let parent = self.open.last().map_or("", |open| open.name.as_str());
                if let Some(kind) = Kind::of(name, parent).filter(|_| self.stage == Stage::Inside) {
                    return self.record(kind, len, is_empty).map(Some);
                }
                let open = Open { name: name.into(), attributes: attributes(inside) };
                Ok(self.start(open, is_empty, len))
            }
        }
    }

    /// Text up to a tag. Between records it is of no interest, outside the root it is an error.
    fn text(&mut self, len: usize) -> Option<Item> {
        let blanks = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
        let blank_len = self.feed.rest()[..len].iter().take_while(blanks).count();
        let is_blank = blank_len == len;
        if matches!(self.stage, Stage::Before | Stage::After) && !is_blank {
            // The message names the line of what is there, however the bytes came.
            self.feed.consume(blank_len);
        }
        match self.stage {
            Stage::Before if !is_blank => {
                let message = self.message("decode-commerceml-text");
                Some(self.stop(Extent::File, message))
            }
            Stage::After if !is_blank => {
                let message = self.message("decode-commerceml-after");
                Some(self.stop(Extent::Rest, message))
            }
            Stage::Before | Stage::Inside | Stage::After | Stage::Over => {
                self.feed.consume(len);
                None
            }
        }
    }

    /// No tag in sight.
    fn text_only(&mut self) -> io::Result<Option<Item>> {
        let len = self.feed.rest().len();
        if let Some(item) = self.text(len) {
            return Ok(Some(item));
        }
        match self.feed.more()? {
            true => Ok(None),
            // The last bytes of another character set may come out only at the end.
            false if !self.feed.rest().is_empty() => Ok(None),
            false => Ok(self.end_of_file()),
        }
    }

    fn end_of_file(&mut self) -> Option<Item> {
        match self.stage {
            Stage::Before => {
                let message = self.message("decode-commerceml-empty");
                Some(self.stop(Extent::File, message))
            }
            Stage::Inside => {
                let message = self.message("decode-commerceml-cut");
                Some(self.stop(Extent::Rest, message))
            }
            Stage::After | Stage::Over => {
                self.stage = Stage::Over;
                None
            }
        }
    }

    fn cut_tag(&mut self) -> io::Result<Option<Item>> {
        // Bound: TAG_BYTES_MAX; the rest of the file is one broken item.
        if self.feed.rest().len() <= TAG_BYTES_MAX && self.feed.more()? {
            return Ok(None);
        }
        if self.feed.rest().len() <= TAG_BYTES_MAX && self.stage == Stage::Inside {
            return Ok(self.end_of_file());
        }
        let (extent, message) = (self.extent_of_rest(), self.message("decode-commerceml-tag"));
        Ok(Some(self.stop(extent, message)))
    }

    fn start(&mut self, open: Open, is_empty: bool, len: usize) -> Option<Item> {
        match self.stage {
            Stage::Before if open.name != ROOT => {
                let id = match open.name.to_ascii_lowercase().as_str() {
                    "html" | "head" | "body" => "decode-commerceml-html",
                    _ => "decode-commerceml-root",
                };
                let message = self.message(id).with("name", &open.name);
                return Some(self.stop(Extent::File, message));
            }
            Stage::After => {
                let message = self.message("decode-commerceml-after");
                return Some(self.stop(Extent::Rest, message));
            }
            Stage::Before | Stage::Inside | Stage::Over => {}
        }
        // Bound: VALUE_DEPTH_MAX; the rest of the file is one broken item.
        if self.open.len() == VALUE_DEPTH_MAX {
            let message = self.message("decode-commerceml-depth").with("max", VALUE_DEPTH_MAX);
            return Some(self.stop(Extent::Rest, message));
        }
        self.feed.consume(len);
        self.stage = match (self.stage, is_empty) {
            (Stage::Before, true) => Stage::After,
            (Stage::Before, false) => Stage::Inside,
            (stage @ (Stage::Inside | Stage::After | Stage::Over), _) => stage,
        };
        if !is_empty {
            self.open.push(open);
            self.tell_around();
        }
        None
    }

    fn end(&mut self, name: &str, len: usize) -> Option<Item> {
        let Some(place) = self.open.iter().rposition(|open| open.name == name) else {
            return Some(self.damage(len, "decode-commerceml-end"));
        };
        let is_last = place + 1 == self.open.len();
        let item = match is_last {
            true => {
                self.feed.consume(len);
                None
            }
            false => Some(self.damage(len, "decode-commerceml-end")),
        };
        self.open.truncate(place);
        self.tell_around();
        if self.open.is_empty() && self.stage == Stage::Inside {
            self.stage = Stage::After;
        }
        item
    }

    /// What the elements around say, for the records inside.
    fn tell_around(&mut self) {
        self.around.clear();
        for (name, value) in self.open.iter().flat_map(|open| &open.attributes) {
            match self.around.iter_mut().find(|(known, _)| known == name) {
                Some((_, slot)) => *slot = value.clone(),
                None => self.around.push((name.clone(), value.clone())),
            }
        }
    }

    fn record(&mut self, kind: Kind, head_len: usize, is_empty: bool) -> io::Result<Item> {
        let line = self.feed.line();
        let reach = match is_empty {
            true => Reach::Whole(head_len),
            false => self.reach(kind, head_len)?,
        };
        let broken = |id: &str| {
            let message = Message::new(id).with("file", &self.file).with("line", line).with("name", kind.name());
            Item::broken(&self.file, line, Extent::Record, message)
        };
        Ok(match reach {
            Reach::Whole(len) => {
                let malformed = self.feed.take_malformed();
                let item = self.read(kind, line, &self.feed.rest()[..len], malformed);
                self.feed.consume(len);
                item
            }
            Reach::Large => broken("decode-record-large"),
            Reach::Unclosed(len) => {
                let item = broken("decode-record-unclosed");
                self.feed.consume(len);
                item
            }
            Reach::Cut => {
                let item = broken("decode-record-cut");
                self.stage = Stage::Over;
                item
            }
        })
    }

    /// Looks for the end of a record whose start tag is the first `head_len` bytes. What is too
    /// large is consumed on the way.
    fn reach(&mut self, kind: Kind, head_len: usize) -> io::Result<Reach> {
        let mut at = head_len;
        let mut depth = 1usize;
        let mut is_large = false;
        loop {
            // Bound: RECORD_BYTES_MAX; the record is one broken item.
            is_large |= at > RECORD_BYTES_MAX;
            if is_large {
                self.feed.consume(at);
                at = 0;
            }
            let rest = self.feed.rest();
            let Some(found) = memchr::memchr(b'<', &rest[at..]) else {
                at = rest.len();
                if !self.feed.more()? && self.feed.rest().len() == at {
                    return Ok(Reach::Cut);
                }
                continue;
            };
            at += found;
            match tag::inside(&rest[at..], kind.name(), kind.around()) {
                Inside::Cut if rest.len() - at > RECORD_BYTES_MAX => at += 1,
                Inside::Cut => {
                    let len = rest.len();
                    if !self.feed.more()? && self.feed.rest().len() == len {
                        return Ok(Reach::Cut);
                    }
                }
                Inside::Skip(len) => at += len,
                Inside::Nested { len, is_empty } if kind.nests() => {
                    at += len;
                    depth += usize::from(!is_empty);
                }
                Inside::Nested { .. } | Inside::Around => {
                    return Ok(self.unclosed(at, is_large));
                }
                Inside::End(len) => {
                    at += len;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(self.closed(at, is_large));
                    }
                }
            }
        }
    }

    fn closed(&mut self, at: usize, is_large: bool) -> Reach {
        match is_large || at > RECORD_BYTES_MAX {
            true => {
                self.feed.consume(at);
                Reach::Large
            }
            false => Reach::Whole(at),
        }
    }

    fn unclosed(&mut self, at: usize, is_large: bool) -> Reach {
        match is_large {
            true => {
                self.feed.consume(at);
                Reach::Large
            }
            false => Reach::Unclosed(at),
        }
    }

    fn read(&self, kind: Kind, line: u64, bytes: &[u8], malformed: bool) -> Item {
        let mut issues = Vec::new();
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let read = text::decode(bytes, Some("utf-8"), kind.name());
                issues.extend(read.issues);
                read.text
            }
        };
        let (_, value) = match xml::element(&text) {
            Ok(element) => element,
            Err(fault) => {
                let message = Message::new("decode-record-xml")
                    .with("file", &self.file)
                    .with("line", line + fault.line - 1)
                    .with("column", fault.column)
                    .with("name", kind.name())
                    .with("detail", fault.message);
                return Item::broken(&self.file, line, Extent::Record, message);
            }
        };
        if issues.is_empty() && (malformed || text.contains('\u{fffd}')) {
            let message = Message::new("decode-record-replaced").with("name", kind.name()).with("line", line);
            issues.push(Issue::new(kind.name(), message, replaced(&text)));
        }
        let stream = kind.stream(&value);
        let record = Record { stream, value: self.told(value), issues };
        Item { file: Arc::clone(&self.file), line, content: Content::Record(record) }
    }

    /// The record with what the elements around it say.
    fn told(&self, value: Value) -> Value {
        let own = match value {
            Value::Map(members) => members,
            Value::Text(text) if text.is_empty() => Vec::new(),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) => {
                vec![(CompactString::const_new("#text"), other)]
            }
        };
        let is_own = |name: &str| own.iter().any(|(member, _)| member == name);
        let mut members = Vec::with_capacity(self.around.len() + own.len());
        members.extend(self.around.iter().filter(|(name, _)| !is_own(name)).cloned());
        members.extend(own);
        Value::Map(members)
    }

    fn damage(&mut self, len: usize, id: &str) -> Item {
        let (line, message) = (self.feed.line(), self.message(id));
        self.feed.consume(len);
        self.damaged += 1;
        if self.stage == Stage::Before {
            return self.stop(Extent::File, message);
        }
        // Bound: DAMAGED_PLACES_MAX; the rest of the file is one broken item.
        match self.damaged > DAMAGED_PLACES_MAX {
            true => {
                let message = self.message("decode-commerceml-damaged").with("max", DAMAGED_PLACES_MAX);
                self.stop(Extent::Rest, message)
            }
            false => Item::broken(&self.file, line, Extent::Record, message),
        }
    }

    fn stop(&mut self, extent: Extent, message: Message) -> Item {
        self.stage = Stage::Over;
        Item::broken(&self.file, self.feed.line(), extent, message)
    }

    fn extent_of_rest(&self) -> Extent {
        match self.stage {
            Stage::Before => Extent::File,
            Stage::Inside | Stage::After | Stage::Over => Extent::Rest,
        }
    }

    fn message(&self, id: &str) -> Message {
        Message::new(id).with("file", &self.file).with("line", self.feed.line())
    }
}

/// The words around the first U+FFFD.
fn replaced(text: &str) -> &str {
    let at = text.find('\u{fffd}').unwrap_or(0);
    let start = text[..at].rfind('\n').map_or(0, |it| it + 1);
    let end = text[at..].find('\n').map_or(text.len(), |it| at + it);
    text[start..end].trim()
}

/// Attributes of a tag around records; a mangled one is left out.
fn attributes(inside: &str) -> Vec<(CompactString, Value)> {
    let name_len = inside.find(char::is_whitespace).unwrap_or(inside.len());
    let tag = BytesStart::from_content(inside, name_len);
    let mut found = Vec::new();
    // A fault leaves what came before it.
    let _fault = xml::attributes(&tag, |name, value| found.push((name, Value::Text(value))));
    found
}
