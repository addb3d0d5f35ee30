//! Parameters of a call: JSON in the order it was written (the commands of a batch run in that
//! order), urlencoded text with PHP's nested keys, or multipart.
//!
//! PHP knows one kind of array. So a map whose keys are 0, 1, 2, ... becomes a list, and a reader
//! asks [`children`] where either may come.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::base::limits;
use crate::twin::percent_decode;
use crate::value::Value;

/// Reads a request's parameters: those of the query, over them those of the body.
pub(super) async fn read(query: Option<&str>, content_type: &str, body: &[u8]) -> Value {
    let mut params = query.map(urlencoded).unwrap_or_else(empty);
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let from_body = match media_type.as_str() {
        "multipart/form-data" => multipart(content_type, body).await,
        "application/x-www-form-urlencoded" => urlencoded(&String::from_utf8_lossy(body)),
        // PHP reads JSON whatever the sender calls it, when it looks like JSON.
        _ if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{') => json(body).unwrap_or_else(empty),
        _ => urlencoded(&String::from_utf8_lossy(body)),
    };
    overlay(&mut params, from_body);
    params
}

fn empty() -> Value {
    Value::Map(Vec::new())
}

fn overlay(params: &mut Value, over: Value) {
    if let (Value::Map(base), Value::Map(over)) = (params, over) {
        for (key, value) in over {
            match base.iter_mut().find(|(name, _)| *name == key) {
                Some((_, slot)) => *slot = value,
                None => base.push((key, value)),
            }
        }
    }
}

/// A JSON body; `None` when it is not JSON or nests too deep.
pub(super) fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice::<Ordered>(body).ok().map(|it| it.0)
}

/// A `serde_json` value as parameters (calls from within the process).
pub(super) fn from_json(json: &serde_json::Value) -> Value {
    self::json(json.to_string().as_bytes()).unwrap_or_else(empty)
}

/// Any `serde_json` value as a parameter.
pub(super) fn from_json_any(json: &serde_json::Value) -> Value {
    self::json(json.to_string().as_bytes()).unwrap_or_default()
}

/// Text with PHP's nested keys: `fields[PHONE][0][VALUE]=1`, `filter[@ID][]=7`.
pub(super) fn urlencoded(text: &str) -> Value {
    let mut root = empty();
    for pair in text.split('&').filter(|it| !it.is_empty()).take(limits::FORM_FIELDS_MAX) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        insert(&mut root, &percent_decode(key), Value::Text(percent_decode(value).into()));
    }
    fold_lists(root)
}

async fn multipart(content_type: &str, body: &[u8]) -> Value {
    let mut root = empty();
    let Ok(boundary) = multer::parse_boundary(content_type) else {
        return root;
    };
    let bytes = bytes::Bytes::copy_from_slice(body);
    let whole = http_body_util::Full::new(bytes);
    let stream = http_body_util::BodyDataStream::new(whole);
    let mut parts = multer::Multipart::new(stream, boundary);
    // Bound: as many parts as a form may have fields; the rest is left unread.
    for _ in 0..limits::FORM_FIELDS_MAX {
        let Ok(Some(part)) = parts.next_field().await else {
            break;
        };
        let name = part.name().unwrap_or_default().to_owned();
        let Ok(text) = part.text().await else {
            break;
        };
        insert(&mut root, &name, Value::Text(text.into()));
    }
    fold_lists(root)
}

/// Puts `value` where PHP would: `a[b][]` is the next free number under `a[b]`.
fn insert(root: &mut Value, key: &str, value: Value) {
    let (head, rest) = key.split_once('[').unwrap_or((key, ""));
    let mut steps = vec![head];
    if !rest.is_empty() {
        steps.extend(rest.split('[').map(|step| step.strip_suffix(']').unwrap_or(step)));
    }
    if steps.len() > limits::VALUE_DEPTH_MAX {
        return;
    }
    let mut at = root;
    for step in steps {
        if !matches!(at, Value::Map(_)) {
            *at = empty();
        }
        let Value::Map(members) = at else {
            return;
        };
        let name = match step {
            "" => next_number(members).to_string(),
            named => named.to_owned(),
        };
        let index = match members.iter().position(|(key, _)| *key == name) {
            Some(index) => index,
            None => {
                members.push((name.into(), Value::Null));
                members.len() - 1
            }
        };
        at = &mut members[index].1;
    }
    *at = value;
}

fn next_number(members: &[(compact_str::CompactString, Value)]) -> u64 {
    members.iter().filter_map(|(key, _)| key.parse::<u64>().ok()).max().map_or(0, |it| it.saturating_add(1))
}

fn fold_lists(value: Value) -> Value {
    match value {
        Value::Map(members) => {
            let numbered = !members.is_empty()
                && members.iter().enumerate().all(|(index, (key, _))| key.as_str() == index.to_string());
            let members = members.into_iter().map(|(key, value)| (key, fold_lists(value)));
            match numbered {
                true => Value::List(members.map(|(_, value)| value).collect()),
                false => Value::Map(members.collect()),
            }
        }
        Value::List(items) => Value::List(items.into_iter().map(fold_lists).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_)) => scalar,
    }
}

/// The items of a list, or the values of a map: PHP does not tell them apart.
pub(super) fn children(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().collect(),
        Value::Map(members) => members.iter().map(|(_, value)| value).collect(),
        Value::Null => Vec::new(),
        scalar @ (Value::Bool(_) | Value::Number(_) | Value::Text(_)) => vec![scalar],
    }
}

/// The members of a map, or of a list with its indexes as names. `None` for scalars.
pub(super) fn members(value: &Value) -> Option<Vec<(String, &Value)>> {
    match value {
        Value::Map(members) => Some(members.iter().map(|(key, value)| (key.to_string(), value)).collect()),
        Value::List(items) => Some(items.iter().enumerate().map(|(at, it)| (at.to_string(), it)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
    }
}

/// The parameter `name`, in any case of letters (Bitrix24 lowers the names of parameters).
pub(super) fn param<'a>(params: &'a Value, name: &str) -> Option<&'a Value> {
    match params {
        Value::Map(members) => members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => None,
    }
}

/// The parameter as text.
pub(super) fn text<'a>(params: &'a Value, name: &str) -> Option<&'a str> {
    param(params, name).and_then(Value::as_text)
}

/// The parameter as a whole number; `None` when absent or not one.
pub(super) fn integer(params: &Value, name: &str) -> Option<i64> {
    text(params, name)?.trim().parse().ok()
}

/// Whether the text means yes: `Y`, `1`, `true`.
pub(super) fn is_yes(text: &str) -> bool {
    matches!(text.trim(), "Y" | "y" | "1" | "true")
}

struct Ordered(Value);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Ordered, D::Error> {
        deserializer.deserialize_any(OrderedVisitor).map(Ordered)
    }
}

struct OrderedVisitor;

impl<'de> Visitor<'de> for OrderedVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string().into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string().into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value.to_string().into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.into()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Ordered(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members: Vec<(compact_str::CompactString, Value)> = Vec::new();
        while let Some((key, Ordered(value))) = map.next_entry::<String, Ordered>()? {
            match members.iter_mut().find(|(name, _)| *name == key) {
                // PHP: the last of two equal keys wins, in the place of the first.
                Some((_, slot)) => *slot = value,
                None => members.push((key.into(), value)),
            }
        }
        Ok(Value::Map(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn php_keys_nest() {
        let check = |text: &str, expected: &str| {
            let expected = json(expected.as_bytes()).expect("JSON of the table");
            assert_eq!(urlencoded(text), expected, "{text}");
        };
        check("id=7", r#"{"id":"7"}"#);
        check("fields[TITLE]=A%26B+C", r#"{"fields":{"TITLE":"A&B C"}}"#);
        check("fields%5BPHONE%5D%5B0%5D%5BVALUE%5D=1", r#"{"fields":{"PHONE":[{"VALUE":"1"}]}}"#);
        check("filter[@ID][]=1&filter[@ID][]=2", r#"{"filter":{"@ID":["1","2"]}}"#);
        check("a[5]=x", r#"{"a":{"5":"x"}}"#);
        check("a=1&a[b]=2", r#"{"a":{"b":"2"}}"#);
        check("flag", r#"{"flag":""}"#);
        check("bad=%zz%4", r#"{"bad":"%zz%4"}"#);
    }

    #[test]
    fn json_keeps_the_order_of_commands() {
        let params = json(br#"{"cmd":{"c10":"a","c2":"b"},"n":1.50,"x":null}"#).expect("JSON");
        let names: Vec<String> =
            members(param(&params, "cmd").expect("cmd")).expect("a map").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["c10", "c2"]);
        assert_eq!(text(&params, "N"), Some("1.5"));
    }
}
