//! One setting, declared as a value.

use rust_decimal::Decimal;

use super::reader::{Node, NodeKind, Table};
use crate::base::{Locale, Message};

/// Type of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Bool,
    /// An address of a server (`https://...`).
    Url,
    /// One of these words.
    Choice(Vec<String>),
    /// Several texts.
    Texts,
}

/// One setting of a connector: where it is asked for, what it must look like, what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name in `uzel.toml`.
    pub name: String,
    /// Its type.
    pub kind: FieldKind,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it is kept in the vault and never shown.
    pub secret: bool,
    /// Value when it is not given.
    pub default: Option<FieldValue>,
    /// For an office manager: where to find it and what it looks like; Russian and English.
    pub help: (String, String),
    /// What a value looks like.
    pub example: String,
}

/// Value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    /// Of `Text`, `Url` and `Choice`.
    Text(String),
    /// Of `Integer`.
    Integer(i64),
    /// Of `Bool`.
    Bool(bool),
    /// Of `Texts`.
    Texts(Vec<String>),
}

impl FieldSpec {
    /// The help in the reader's language.
    pub fn help(&self, locale: Locale) -> &str {
        match locale {
            Locale::Ru => &self.help.0,
            Locale::En => &self.help.1,
        }
    }

    /// Reads the setting out of its table in `uzel.toml`; problems are reported there.
    /// A secret is not read here: the vault has it, or `secret_env` names a variable.
    pub fn read(&self, table: &Table<'_>) -> Option<FieldValue> {
        let Some(node) = table.node(&self.name) else {
            if self.required && self.default.is_none() {
                let message = Message::new("field-missing").with("name", &self.name).with("example", &self.example);
                table.lint().report(table.line, message);
            }
            return self.default.clone();
        };
        let value = self.value_of(node);
        if value.is_none() {
            let message = Message::new("field-wrong").with("name", &self.name).with("example", &self.example);
            table.lint().report(node.line, message);
        }
        value
    }

    /// The node as a value of this setting; `None` when it does not fit.
    pub fn value_of(&self, node: &Node) -> Option<FieldValue> {
        match (&self.kind, &node.kind) {
            (FieldKind::Text, NodeKind::Text(text)) => Some(FieldValue::Text(text.clone())),
            (FieldKind::Url, NodeKind::Text(text)) if is_url(text) => Some(FieldValue::Text(text.clone())),
            (FieldKind::Choice(words), NodeKind::Text(text)) if words.contains(text) => {
                Some(FieldValue::Text(text.clone()))
            }
            (FieldKind::Integer, NodeKind::Integer(number)) => Some(FieldValue::Integer(*number)),
            (FieldKind::Bool, NodeKind::Bool(flag)) => Some(FieldValue::Bool(*flag)),
            (FieldKind::Texts, NodeKind::List(items)) => {
                let text = |item: &Node| match &item.kind {
                    NodeKind::Text(text) => Some(text.clone()),
                    _ => None,
                };
                items.iter().map(text).collect::<Option<Vec<_>>>().map(FieldValue::Texts)
            }
            _ => None,
        }
    }
}

impl FieldValue {
    /// Text of a text; `None` otherwise.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            FieldValue::Text(text) => Some(text),
            FieldValue::Integer(_) | FieldValue::Bool(_) | FieldValue::Texts(_) => None,
        }
    }

    /// The number of an integer; `None` otherwise.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            FieldValue::Integer(number) => Some(*number),
            FieldValue::Text(_) | FieldValue::Bool(_) | FieldValue::Texts(_) => None,
        }
    }

    /// The texts of a list; empty otherwise.
    pub fn as_texts(&self) -> &[String] {
        match self {
            FieldValue::Texts(texts) => texts,
            FieldValue::Text(_) | FieldValue::Integer(_) | FieldValue::Bool(_) => &[],
        }
    }
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !text.contains(char::is_whitespace))
}

/// Exact decimal of a number node, written with or without a point, or as text.
pub fn decimal_of(node: &Node) -> Option<Decimal> {
    match &node.kind {
        NodeKind::Integer(number) => Some(Decimal::from(*number)),
        NodeKind::Float(text) | NodeKind::Text(text) => text.replace('_', "").parse().ok(),
        NodeKind::Bool(_) | NodeKind::Datetime(_) | NodeKind::List(_) | NodeKind::Table(_) => None,
    }
}
