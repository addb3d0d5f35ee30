//! The dynamic value of a decoded record: what JSON, forms and XML have in common.
//!
//! Numbers keep their text, so that money never passes through binary floating point.

pub mod path;

use compact_str::CompactString;

pub use path::{Path, PathError};

/// A decoded value. Maps keep the order of the source; keys may repeat only in the source, never
/// here (a decoder folds repeated keys into a list).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    /// Present and empty (`null`, `xsi:nil`).
    #[default]
    Null,
    /// `true` or `false` of a typed format; XML and forms have text.
    Bool(bool),
    /// A number of a typed format, as it was written (or its shortest exact form).
    Number(CompactString),
    /// Text. An empty XML element is an empty text.
    Text(CompactString),
    /// Several values in order.
    List(Vec<Value>),
    /// Named values in order. XML attributes are `@name`; the text beside attributes or children
    /// is `#text`.
    Map(Vec<(CompactString, Value)>),
}

impl Value {
    /// Text of a scalar; `None` for null, lists and maps.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) | Value::Number(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Map(_) => self.get("#text").and_then(Value::as_text),
            Value::Null | Value::List(_) => None,
        }
    }

    /// The member `name` of a map.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// A list's items; a single value counts as a list of one, null as an empty list.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            Value::Null => &[],
            single => std::slice::from_ref(single),
        }
    }

    /// Appends the value as JSON, numbers as they were written.
    pub fn write_json(&self, out: &mut String) {
        let text = |text: &str, out: &mut String| {
            out.push_str(&serde_json::to_string(text).expect("a text is JSON"));
        };
        match self {
            Value::Null => out.push_str("null"),
            Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Value::Number(number) => out.push_str(number),
            Value::Text(it) => text(it, out),
            Value::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write_json(out);
                }
                out.push(']');
            }
            Value::Map(members) => {
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    text(name, out);
                    out.push(':');
                    value.write_json(out);
                }
                out.push('}');
            }
        }
    }

    /// Whether there is nothing to read: null, blank text, or a list or map of such.
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.trim().is_empty(),
            Value::List(items) => items.iter().all(Value::is_blank),
            Value::Map(members) => members.iter().all(|(_, value)| value.is_blank()),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }
}
