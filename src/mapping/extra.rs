//! What no mapping names: kept beside the object, within bounds, so that nothing is lost when a
//! form grows a field.

use compact_str::CompactString;

use super::draft::{Draft, cut};
use super::source::{Reader, text_of};
use crate::base::{Message, limits};
use crate::model::Issue;
use crate::value::{Path, Value};

/// A list of (name, value) items: kept by name, not by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pairs {
    pub(super) each: Path,
    pub(super) name: Path,
    pub(super) value: Path,
}

/// What is kept and what is not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Extra {
    /// Never kept: tokens of captchas, signatures, noise. Plain names among them are known to the
    /// reader already.
    pub(super) ignore: Vec<Path>,
    pub(super) pairs: Vec<Pairs>,
}

impl Extra {
    /// Keeps every filled scalar that was not read.
    pub(super) fn collect(&self, reader: &Reader<'_>, draft: &mut Draft) {
        let record = reader.record;
        for path in &self.ignore {
            reader.all(path, record).into_iter().for_each(|value| reader.used(Some(value)));
        }
        let mut kept = Kept { draft, refused: 0 };
        let used = reader.used_so_far();
        for pairs in &self.pairs {
            for item in pairs.each.all(record).into_iter().flat_map(Value::items) {
                let (Some(name), Some(value)) = (pairs.name.first(item), pairs.value.first(item)) else { continue };
                if used.binary_search(&std::ptr::from_ref(value)).is_err()
                    && let (Some(name), Some(text)) = (text_of(name), text_of(value))
                {
                    kept.keep(name.trim(), &text);
                }
                reader.used(Some(item));
            }
        }
        let used = reader.used_so_far();
        let mut path = String::new();
        walk(record, &used, &mut path, &mut kept);
        kept.report();
    }
}

struct Kept<'d> {
    draft: &'d mut Draft,
    refused: usize,
}

impl Kept<'_> {
    fn keep(&mut self, name: &str, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        // Bound: the first fields are kept; the journal has them all.
        if self.draft.change.extra.len() >= limits::EXTRA_FIELDS_MAX {
            self.refused += 1;
            return;
        }
        let name = cut(name, limits::EXTRA_VALUE_BYTES_MAX);
        let text = cut(text, limits::EXTRA_VALUE_BYTES_MAX);
        self.draft.change.extra.push((CompactString::new(name), CompactString::new(text)));
    }

    fn report(self) {
        if self.refused > 0 {
            let message =
                Message::new("mapping-extra-full").with("kept", limits::EXTRA_FIELDS_MAX).with("refused", self.refused);
            self.draft.issue("extra", Issue::new("extra", message, ""));
        }
    }
}

// Bound: decoders refuse values deeper than `limits::VALUE_DEPTH_MAX`.
fn walk(value: &Value, used: &[*const Value], path: &mut String, kept: &mut Kept<'_>) {
    use std::fmt::Write as _;
    if used.binary_search(&std::ptr::from_ref(value)).is_ok() {
        return;
    }
    let len = path.len();
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => {
            let name = if path.is_empty() { "." } else { path.as_str() };
            kept.keep(name, value.as_text().unwrap_or_default());
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                write!(path, "[{index}]").expect("writing to a String does not fail");
                walk(item, used, path, kept);
                path.truncate(len);
            }
        }
        Value::Map(members) => {
            for (name, member) in members {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                walk(member, used, path, kept);
                path.truncate(len);
            }
        }
    }
}
