//! Where a value comes from: `path | step | step`.
//!
//! The first part is a [`Path`] into the record or `note:NAME`, a note of the envelope (`query`,
//! `referer`). In a section that begins `at` some place of the record, paths start there, and a
//! path after `/` starts at the record. Each step takes the text it is given apart:
//!
//! ```text
//! before T    up to the first T; all of it where T is not found
//! after T     past the first T; all of it where T is not found
//! query N     parameter N of an address or query string
//! cookie N    cookie N of a `Cookie` line
//! pair N      value N of `N=value|||N=value` (the TILDAUTM cookie)
//! host        host of an address, without `www.`
//! ```
//!
//! Records of forms are flat and mappings name many aliases, so plain names are not looked up one
//! by one: they are interned at compile time, and [`Reader`] sorts the record's members into slots
//! in one pass.

use std::borrow::Cow;
use std::cell::RefCell;

use compact_str::CompactString;
use smallvec::SmallVec;

use super::MapContext;
use crate::base::Message;
use crate::value::{Path, Value};

/// Names of members at the top of the record that a mapping reads. Sorted by their hash: a member
/// is found by comparing numbers, and its name is compared once. Their place in the list is their
/// slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    folded: bool,
    names: Vec<Interned>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Interned {
    hash: u64,
    name: CompactString,
    /// Whether members of that name are never kept.
    ignored: bool,
}

impl Names {
    pub(super) fn new(folded: bool) -> Names {
        Names { folded, names: Vec::new() }
    }

    pub(super) fn is_folded(&self) -> bool {
        self.folded
    }

    /// Notes that the name is read. Slots are known after [`Names::seal`].
    fn intern(&mut self, name: &str) -> CompactString {
        self.add(name, false)
    }

    /// Notes that members at this path are never kept; `false` when it is no plain name.
    pub(super) fn ignore(&mut self, path: &str) -> bool {
        let name = plain_name(path);
        name.map(|name| self.add(name, true)).is_some()
    }

    fn add(&mut self, name: &str, ignored: bool) -> CompactString {
        let name: CompactString = match self.folded {
            true => crate::value::path::folded(name).collect(),
            false => name.into(),
        };
        self.names.push(Interned { hash: hash_of(name.as_bytes()), name: name.clone(), ignored });
        name
    }

    pub(super) fn seal(&mut self) {
        // An ignored name goes first of its equals, and so stays when the others go.
        self.names.sort_by(|a, b| (a.hash, &a.name, !a.ignored).cmp(&(b.hash, &b.name, !b.ignored)));
        self.names.dedup_by(|a, b| a.name == b.name);
    }

    fn slot(&self, folded: &[u8]) -> Option<usize> {
        let hash = hash_of(folded);
        let from = self.names.partition_point(|it| it.hash < hash);
        let equals = self.names[from..].iter().take_while(|it| it.hash == hash);
        equals.enumerate().find(|(_, it)| it.name.as_bytes() == folded).map(|(at, _)| from + at)
    }

    /// The slot of a column of a table, if a field is read from it.
    pub(super) fn slot_of_column(&self, name: &str) -> Option<usize> {
        self.slot_of_member(name)
    }

    fn slot_of_member(&self, name: &str) -> Option<usize> {
        if !self.folded {
            return self.slot(name.as_bytes());
        }
        let mut buffer = SmallVec::<[u8; 64]>::new();
        if name.is_ascii() {
            let counts = |byte: &u8| !matches!(byte, b'_' | b'-') && !byte.is_ascii_whitespace() && *byte != 0x0B;
            buffer.extend(name.bytes().filter(counts).map(|byte| byte.to_ascii_lowercase()));
        } else {
            for letter in crate::value::path::folded(name) {
                let mut bytes = [0; 4];
                buffer.extend_from_slice(letter.encode_utf8(&mut bytes).as_bytes());
            }
        }
        self.slot(&buffer)
    }
}

/// FNV-1a: good enough to tell two hundred names apart, and no faster to be had for short ones.
fn hash_of(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A compiled source of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// As written, for messages.
    pub(super) text: CompactString,
    root: Root,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Root {
    /// A member at the top of the record; sealed into `Slot`.
    Name(CompactString),
    Slot(usize),
    /// From where the section begins.
    Path(Path),
    /// From the record, whatever the section.
    Absolute(Path),
    Note(CompactString),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Before(CompactString),
    After(CompactString),
    Query(CompactString),
    Cookie(CompactString),
    Pair(CompactString),
    Host,
}

const STEPS: [&str; 6] = ["before", "after", "query", "cookie", "pair", "host"];

impl Source {
    /// Compiles. With `names` plain names are interned; without (items of a list) every root is
    /// a path of its own.
    pub(super) fn compile(text: &str, names: Option<&mut Names>) -> Result<Source, Message> {
        let mut parts = text.split(" | ");
        let root = parts.next().unwrap_or("").trim();
        let steps = parts.map(|part| Step::compile(part.trim())).collect::<Result<_, _>>()?;
        let root = if let Some(note) = root.strip_prefix("note:").filter(|note| !note.is_empty()) {
            Root::Note(note.into())
        } else if let Some(path) = root.strip_prefix('/') {
            Root::Absolute(Path::compile(path).map_err(|error| error.message)?)
        } else {
            let path = Path::compile(root).map_err(|error| error.message)?;
            match (names, plain_name(root)) {
                (Some(names), Some(name)) => Root::Name(names.intern(name)),
                _ => Root::Path(path),
            }
        };
        Ok(Source { text: text.into(), root, steps })
    }

    /// Turns names into slots, once every name is known.
    pub(super) fn seal(&mut self, names: &Names) {
        if let Root::Name(name) = &self.root
            && let Some(slot) = names.slot(name.as_bytes())
        {
            self.root = Root::Slot(slot);
        }
    }

    /// Whether it reads the member of that slot.
    pub(super) fn is_slot(&self, slot: usize) -> bool {
        self.root == Root::Slot(slot)
    }

    /// The filled text at the source, and the value it stands in, if it stands in the record.
    pub(super) fn read<'v>(&self, reader: &Reader<'v>, scope: &'v Value) -> Option<Found<'v>> {
        let (text, value) = match &self.root {
            Root::Note(name) => (Cow::Borrowed(reader.context.note(name)?), None),
            Root::Name(_) | Root::Slot(_) | Root::Path(_) | Root::Absolute(_) => {
                let value = self.value(reader, scope)?;
                (text_of(value)?, Some(value))
            }
        };
        let text = self.steps.iter().try_fold(text, |text, step| step.take(text))?;
        let text = trimmed(text);
        (!text.is_empty()).then_some(Found { text, value })
    }

    /// The value at the source, filled or not; `None` for notes.
    pub(super) fn value<'v>(&self, reader: &Reader<'v>, scope: &'v Value) -> Option<&'v Value> {
        match &self.root {
            Root::Slot(slot) => reader.slots.get(*slot).copied().flatten(),
            Root::Path(path) => reader.first(path, scope),
            Root::Absolute(path) => reader.first(path, reader.record),
            Root::Name(_) | Root::Note(_) => None,
        }
    }

    /// Each filled text at the source.
    pub(super) fn read_each<'v>(&self, reader: &Reader<'v>, scope: &'v Value, mut take: impl FnMut(Found<'v>)) {
        let mut offer = |value: &'v Value| {
            for item in value.items() {
                let Some(text) = text_of(item) else { continue };
                let text = self.steps.iter().try_fold(text, |text, step| step.take(text)).map(trimmed);
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    take(Found { text, value: Some(item) });
                }
            }
        };
        match &self.root {
            Root::Path(path) => reader.all(path, scope).into_iter().for_each(offer),
            Root::Absolute(path) => reader.all(path, reader.record).into_iter().for_each(offer),
            Root::Slot(_) => {
                if let Some(value) = self.value(reader, scope) {
                    offer(value);
                }
            }
            Root::Name(_) | Root::Note(_) => {
                if let Some(found) = self.read(reader, scope) {
                    take(found);
                }
            }
        }
    }

    /// Every value at the source: the items that a section is read from.
    pub(super) fn items<'v>(&self, reader: &Reader<'v>, scope: &'v Value) -> Vec<&'v Value> {
        match &self.root {
            Root::Path(path) => reader.all(path, scope).into_iter().flat_map(Value::items).collect(),
            Root::Absolute(path) => reader.all(path, reader.record).into_iter().flat_map(Value::items).collect(),
            Root::Slot(_) => self.value(reader, scope).into_iter().flat_map(Value::items).collect(),
            Root::Name(_) | Root::Note(_) => Vec::new(),
        }
    }
}

/// `name` or `"any name"`: a member at the top of the record.
fn plain_name(path: &str) -> Option<&str> {
    let quoted = path.strip_prefix('"').and_then(|it| it.strip_suffix('"')).filter(|it| !it.contains(['"', '\\']));
    let bare = (!path.contains(['.', '[', ']', '=', '"']) && !path.is_empty()).then_some(path);
    quoted.or(bare)
}

/// A text and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found<'v> {
    pub(super) text: Cow<'v, str>,
    pub(super) value: Option<&'v Value>,
}

/// A record sorted into slots, and which of its values have been read.
pub(super) struct Reader<'v> {
    pub(super) record: &'v Value,
    pub(super) context: &'v MapContext<'v>,
    names: &'v Names,
    slots: SmallVec<[Option<&'v Value>; 48]>,
    used: RefCell<SmallVec<[*const Value; 48]>>,
}

impl<'v> Reader<'v> {
    pub(super) fn new(names: &'v Names, record: &'v Value, context: &'v MapContext<'v>) -> Reader<'v> {
        let mut slots: SmallVec<[Option<&'v Value>; 48]> = SmallVec::from_elem(None, names.names.len());
        let mut used = SmallVec::new();
        if let Value::Map(members) = record {
            for (name, value) in members {
                let Some(slot) = names.slot_of_member(name) else { continue };
                if names.names[slot].ignored {
                    used.push(std::ptr::from_ref(value));
                }
                // Names that fold together: the first filled one is read, the others stay extra.
                if slots[slot].is_none_or(Value::is_blank) {
                    slots[slot] = Some(value);
                }
            }
        }
        Reader { record, context, names, slots, used: RefCell::new(used) }
    }

    fn first(&self, path: &Path, scope: &'v Value) -> Option<&'v Value> {
        match self.names.is_folded() {
            true => path.first_folded(scope),
            false => path.first(scope),
        }
    }

    pub(super) fn all(&self, path: &Path, scope: &'v Value) -> Vec<&'v Value> {
        match self.names.is_folded() {
            true => path.all_folded(scope),
            false => path.all(scope),
        }
    }

    /// Notes that the value went into a field, so that it is not kept as extra.
    pub(super) fn used(&self, value: Option<&Value>) {
        if let Some(value) = value {
            self.used.borrow_mut().push(std::ptr::from_ref(value));
        }
    }

    /// Every used value, sorted by address: only whether one is among them matters.
    pub(super) fn used_so_far(&self) -> SmallVec<[*const Value; 48]> {
        let mut used = self.used.borrow().clone();
        used.sort_unstable();
        used
    }
}

/// Text of a scalar; a list of scalars is joined with commas (ticked boxes of a form).
pub(super) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::List(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_text).filter(|it| !it.trim().is_empty()).collect();
            match texts.as_slice() {
                [] => None,
                [one] => Some(Cow::Borrowed(one)),
                several => Some(Cow::Owned(several.join(", "))),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
            value.as_text().map(Cow::Borrowed)
        }
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) if text.trim().len() == text.len() => Cow::Owned(text),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

impl Step {
    fn compile(text: &str) -> Result<Step, Message> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let argument = rest.trim();
        let with = |step: fn(CompactString) -> Step| match argument.is_empty() {
            false => Ok(step(argument.into())),
            true => Err(Message::new("mapping-step-argument").with("step", word)),
        };
        match word {
            "before" => with(Step::Before),
            "after" => with(Step::After),
            "query" => with(Step::Query),
            "cookie" => with(Step::Cookie),
            "pair" => with(Step::Pair),
            "host" => Ok(Step::Host),
            _ => Err(crate::field::reader::unknown_word("mapping-step", word, STEPS)),
        }
    }

    fn take<'t>(&self, text: Cow<'t, str>) -> Option<Cow<'t, str>> {
        match self {
            Step::Before(mark) => Some(cut(text, |it| it.split_once(mark.as_str()).map_or(it, |(head, _)| head))),
            Step::After(mark) => Some(cut(text, |it| it.split_once(mark.as_str()).map_or(it, |(_, tail)| tail))),
            Step::Query(name) => query(&text, name).map(Cow::Owned),
            Step::Cookie(name) => cookie(&text, name).map(Cow::Owned),
            Step::Pair(name) => pair(&text, name).map(Cow::Owned),
            Step::Host => host(&text).map(|host| Cow::Owned(host.to_ascii_lowercase())),
        }
    }
}

fn cut<'t>(text: Cow<'t, str>, part: impl for<'s> Fn(&'s str) -> &'s str) -> Cow<'t, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(part(text)),
        Cow::Owned(text) => Cow::Owned(part(&text).to_owned()),
    }
}

fn query(text: &str, name: &str) -> Option<String> {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    value_of(query.split('&'), name)
}

fn cookie(text: &str, name: &str) -> Option<String> {
    value_of(text.split(';').map(str::trim_start), name)
}

fn pair(text: &str, name: &str) -> Option<String> {
    value_of(text.split("|||"), name)
}

fn value_of<'t>(mut parts: impl Iterator<Item = &'t str>, name: &str) -> Option<String> {
    parts.find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| percent_decoded(value))
    })
}

/// `+` and `%41` undone; what is not UTF-8 afterwards is replaced, what is no code is left.
fn percent_decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|it| std::str::from_utf8(it).ok());
        match (bytes[at], code.and_then(|it| u8::from_str_radix(it, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (b'+', _) => {
                decoded.push(b' ');
                at += 1;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn host(text: &str) -> Option<&str> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split(':').next()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    host.contains('.').then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(steps: &str, text: &str, expected: Option<&str>) {
        let source = Source::compile(&format!("it | {steps}"), None).expect(steps);
        let taken = source.steps.iter().try_fold(Cow::Borrowed(text), |text, step| step.take(text));
        assert_eq!(taken.as_deref(), expected, "{steps} of {text:?}");
    }

    #[test]
    fn steps_take_a_text_apart() {
        check("before #", "1#admin#Пётр", Some("1"));
        check("before #", "8d1f-22", Some("8d1f-22"));
        check("after ]", "[N] Принят", Some(" Принят"));
        check("query utm_source", "https://site.ru/?a=1&utm_source=ya%20ru+x#top", Some("ya ru x"));
        check("query utm_source", "utm_source=%D1%8F", Some("я"));
        check("query utm_source", "https://site.ru/", None);
        check("query a", "a=%zz%4", Some("%zz%4"));
        check("cookie _ym_uid", "_ga=GA1.2; _ym_uid=165; x=", Some("165"));
        check("cookie T | pair utm_medium", "T=utm_source%3Dya%7C%7C%7Cutm_medium%3Dcpc; a=b", Some("cpc"));
        check("host", "https://www.Site.ru:8080/page?x", Some("site.ru"));
        check("host", "null", None);
    }

    #[test]
    fn a_wrong_step_names_the_near_miss() {
        let error = Source::compile("a | befor #", None).expect_err("no such step");
        assert!(error.to_string().contains("before"), "{error}");
        let error = Source::compile("a | before", None).expect_err("no argument");
        assert!(error.to_string().contains("before"), "{error}");
    }
}
