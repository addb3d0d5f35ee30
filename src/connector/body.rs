//! Bodies and paths of requests, with places to fill in.
//!
//! In a manifest a body is a TOML table; a text that begins with `$` is a [`Slot`]; `$$` begins a
//! text that begins with `$`. Everything else is sent as it stands.

use serde_json::{Map, Value as Json};

use crate::base::Message;
use crate::field::reader::unknown_word;
use crate::field::{Lint, Node, NodeKind};

/// A place in a request that is filled in when it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Slot {
    /// `$fields`: the fields of the object as an object.
    Fields,
    /// `$all`: every field as it should be, also those that the system holds already.
    All,
    /// `$field.NAME`: one field of the object.
    Field(String),
    /// `$id`: foreign id of the object.
    Id,
    /// `$ids`: foreign ids of several objects, a list.
    Ids,
    /// `$origin`: our id of the object.
    Origin,
    /// `$values`: what is looked for (telephone numbers, addresses), a list.
    Values,
    /// `$rows`: several objects, a list.
    Rows,
    /// `$start`: where the next page begins.
    Start,
    /// `$page`: the same as the number of a page, from 1.
    Page,
    /// `$time`: since when rows are asked for.
    Time,
    /// `$name`: name of a custom field, or of a message that something changed.
    Name,
    /// `$address`: where messages that something changed come to us.
    Address,
    /// `$bare_name`: the name without the prefix that the system adds by itself.
    BareName,
    /// `$type`: type of a custom field.
    Type,
    /// `$label_ru`: what people read beside a custom field.
    LabelRu,
    /// `$label_en`: the same in English.
    LabelEn,
}

impl Slot {
    /// The word after `$`, for messages; a `$field.NAME` is `field.NAME`.
    fn of(word: &str) -> Option<Slot> {
        Some(match word {
            "fields" => Slot::Fields,
            "all" => Slot::All,
            "id" => Slot::Id,
            "ids" => Slot::Ids,
            "origin" => Slot::Origin,
            "values" => Slot::Values,
            "rows" => Slot::Rows,
            "start" => Slot::Start,
            "page" => Slot::Page,
            "time" => Slot::Time,
            "name" => Slot::Name,
            "address" => Slot::Address,
            "bare_name" => Slot::BareName,
            "type" => Slot::Type,
            "label_ru" => Slot::LabelRu,
            "label_en" => Slot::LabelEn,
            other => Slot::Field(other.strip_prefix("field.").filter(|it| !it.is_empty())?.to_owned()),
        })
    }
}

/// A body with places to fill in.
#[derive(Debug, Clone, PartialEq)]
pub enum BodyTemplate {
    /// Sent as it stands.
    Const(Json),
    /// Filled in.
    Slot(Slot),
    /// A list.
    List(Vec<BodyTemplate>),
    /// An object; order of the manifest.
    Map(Vec<(String, BodyTemplate)>),
}

impl BodyTemplate {
    /// The body of a request without one.
    pub fn empty() -> BodyTemplate {
        BodyTemplate::Map(Vec::new())
    }

    /// The body with every place filled in.
    pub fn fill(&self, value: &dyn Fn(&Slot) -> Json) -> Json {
        match self {
            BodyTemplate::Const(json) => json.clone(),
            BodyTemplate::Slot(slot) => value(slot),
            BodyTemplate::List(items) => Json::Array(items.iter().map(|it| it.fill(value)).collect()),
            BodyTemplate::Map(members) => {
                // A field of the object that is not there is left out, not sent as empty.
                let filled = members.iter().filter_map(|(name, it)| match (it, it.fill(value)) {
                    (BodyTemplate::Slot(Slot::Field(_)), Json::Null) => None,
                    (_, filled) => Some((name.clone(), filled)),
                });
                Json::Object(filled.collect::<Map<String, Json>>())
            }
        }
    }

    /// Whether the body has this place.
    pub fn has(&self, wanted: &Slot) -> bool {
        match self {
            BodyTemplate::Const(_) => false,
            BodyTemplate::Slot(slot) => slot == wanted,
            BodyTemplate::List(items) => items.iter().any(|it| it.has(wanted)),
            BodyTemplate::Map(members) => members.iter().any(|(_, it)| it.has(wanted)),
        }
    }

    /// Reads the body of a request whose places may be `words`.
    pub(super) fn read(lint: &Lint, node: &Node, words: &[&str]) -> BodyTemplate {
        match &node.kind {
            NodeKind::Text(text) => match text.strip_prefix('$') {
                Some(rest) if rest.starts_with('$') => BodyTemplate::Const(Json::String(rest.to_owned())),
                Some(word) => match slot(word, words) {
                    Ok(slot) => BodyTemplate::Slot(slot),
                    Err(message) => {
                        lint.report(node.line, message);
                        BodyTemplate::empty()
                    }
                },
                None => BodyTemplate::Const(Json::String(text.clone())),
            },
            NodeKind::Integer(number) => BodyTemplate::Const(Json::from(*number)),
            NodeKind::Bool(flag) => BodyTemplate::Const(Json::Bool(*flag)),
            NodeKind::Float(text) | NodeKind::Datetime(text) => {
                let number = text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
                BodyTemplate::Const(number.map_or_else(|| Json::String(text.clone()), Json::Number))
            }
            NodeKind::List(items) => {
                BodyTemplate::List(items.iter().map(|it| BodyTemplate::read(lint, it, words)).collect())
            }
            NodeKind::Table(entries) => {
                let member = |(name, _, it): &(String, u32, Node)| (name.clone(), BodyTemplate::read(lint, it, words));
                BodyTemplate::Map(entries.iter().map(member).collect())
            }
        }
    }
}

fn slot(word: &str, words: &[&str]) -> Result<Slot, Message> {
    let allowed = words.contains(&word) || (word.starts_with("field.") && words.contains(&"field.NAME"));
    match Slot::of(word).filter(|_| allowed) {
        Some(slot) => Ok(slot),
        None => Err(unknown_word("connector-slot", word, words.iter().copied())),
    }
}

/// Path of a request below the address: text with places `{id}` and `{origin}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Slot(Slot),
}

impl PathTemplate {
    /// The path with every place filled in; what is filled in is escaped.
    pub fn fill(&self, value: &dyn Fn(&Slot) -> Json) -> String {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Slot(slot) => match value(slot) {
                    Json::String(text) => escape(&text, &mut path),
                    other => escape(&other.to_string(), &mut path),
                },
            }
        }
        path
    }

    /// The path as the manifest has it, without what is filled in: names the method for quotas.
    pub fn name(&self) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_str(),
                Part::Slot(_) => "{}",
            })
            .collect()
    }

    pub(super) fn read(text: &str, words: &[&str]) -> Result<PathTemplate, Message> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, tail)) = after.split_once('}') else {
                return Err(Message::new("connector-brace").with("text", text));
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Slot(slot(word, words)?));
            rest = tail;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(PathTemplate(parts))
    }
}

/// Adds `text` percent-encoded: everything but letters, digits and `-._~`.
fn escape(text: &str, into: &mut String) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => into.push(char::from(byte)),
            other => write!(into, "%{other:02X}").expect("writing to a String cannot fail"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_filled_in() {
        let lint = Lint::new("m.toml");
        let node = lint.parse("b = { id = \"$id\", price = \"$$5\", n = [1, \"$field.X\"] }").expect("it is TOML");
        let table = lint.table(&node);
        let body = BodyTemplate::read(&lint, table.node("b").expect("it is there"), &["id", "field.NAME"]);
        let filled = body.fill(&|slot| match slot {
            Slot::Id => json!("7"),
            Slot::Field(name) => json!(format!("<{name}>")),
            _ => Json::Null,
        });
        assert_eq!(filled, json!({"id": "7", "price": "$5", "n": [1, "<X>"]}));
        assert!(lint.problems().is_empty());
    }

    #[test]
    fn ids_in_a_path_are_escaped() {
        let path = PathTemplate::read("contacts/{id}/notes", &["id"]).expect("it is a path");
        assert_eq!(path.fill(&|_| json!("a/b?")), "contacts/a%2Fb%3F/notes");
        assert_eq!(path.name(), "contacts/{}/notes");
        assert!(PathTemplate::read("contacts/{idd}", &["id"]).is_err());
        assert!(PathTemplate::read("contacts/{id", &["id"]).is_err());
    }
}
