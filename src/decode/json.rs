//! JSON straight into a [`Value`].
//!
//! Integers keep their text, fractions their shortest exact form; a number too long for either is
//! told in an issue. Names that repeat fold into a list: a sender that repeats them means both.

use std::cell::RefCell;
use std::fmt;

use compact_str::{CompactString, ToCompactString};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::fold::Members;
use super::{DecodeError, Decoded, text};
use crate::base::Message;
use crate::base::limits::VALUE_DEPTH_MAX;
use crate::model::Issue;
use crate::value::Value;

/// Decodes a JSON body. `declared` is the charset of its `Content-Type`, if any.
pub fn decode(bytes: &[u8], declared: Option<&str>) -> Result<Decoded, DecodeError> {
    let read = text::decode(bytes, declared, "body");
    let issues = RefCell::new(read.issues);
    let mut reader = serde_json::Deserializer::from_str(&read.text);
    let seed = Seed { depth: 0, issues: &issues };
    let value = seed.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value)).map_err(|error| {
        let message = Message::new("decode-json").with("line", error.line()).with("column", error.column());
        DecodeError { message: message.with("detail", detail(&error)) }
    })?;
    Ok(Decoded { value, issues: issues.into_inner() })
}

/// serde_json's words without its place: the place is an argument of its own.
fn detail(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(words, _)| words.to_owned())
}

#[derive(Clone, Copy)]
struct Seed<'i> {
    depth: usize,
    issues: &'i RefCell<Vec<Issue>>,
}

impl Seed<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        // Bound: VALUE_DEPTH_MAX; the record is quarantined.
        match self.depth < VALUE_DEPTH_MAX {
            true => Ok(Seed { depth: self.depth + 1, ..self }),
            false => Err(E::custom(format_args!("nested deeper than {VALUE_DEPTH_MAX}"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, it: bool) -> Result<Value, E> {
        Ok(Value::Bool(it))
    }

    fn visit_i64<E>(self, it: i64) -> Result<Value, E> {
        Ok(Value::Number(it.to_compact_string()))
    }

    fn visit_u64<E>(self, it: u64) -> Result<Value, E> {
        Ok(Value::Number(it.to_compact_string()))
    }

    fn visit_f64<E>(self, it: f64) -> Result<Value, E> {
        // The shortest digits that mean this number, never with an exponent.
        let text = format!("{it}");
        let digits_may_be_lost = it.fract() == 0.0 && it.abs() >= 9_007_199_254_740_992.0;
        if digits_may_be_lost {
            self.issues.borrow_mut().push(Issue::new("body", Message::new("decode-number-long"), text.clone()));
        }
        Ok(Value::Number(text.into()))
    }

    fn visit_str<E>(self, it: &str) -> Result<Value, E> {
        Ok(Value::Text(it.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inside = self.deeper::<A::Error>()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inside)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inside = self.deeper::<A::Error>()?;
        let mut members = Members::default();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push(name, map.next_value_seed(inside)?);
        }
        Ok(members.into_value())
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = CompactString;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<CompactString, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = CompactString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, it: &str) -> Result<CompactString, E> {
        Ok(it.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let found = match decode(json.as_bytes(), None) {
            Ok(decoded) => format!("{:?}{}", decoded.value, if decoded.issues.is_empty() { "" } else { " issues" }),
            Err(error) => format!("{error}"),
        };
        assert!(found.contains(expected), "{json}: {found}");
    }

    #[test]
    fn values_keep_their_text_and_order() {
        check("{\"б\":1,\"а\":\"x\"}", "Map([(\"б\", Number(\"1\")), (\"а\", Text(\"x\"))])");
        check(
            "[1.50, -0.1, 12345678901234567890, 1e3]",
            "[Number(\"1.5\"), Number(\"-0.1\"), Number(\"12345678901234567890\"), Number(\"1000\")]",
        );
        check("[1e22]", "Number(\"10000000000000000000000\")]) issues");
        check("\u{feff}null", "Null");
        check(
            "{\"a\":true,\"a\":[1,2],\"a\":3}",
            "List([Bool(true), List([Number(\"1\"), Number(\"2\")]), Number(\"3\")])",
        );
        check("{\"a\":[1],\"a\":2,\"a\":3}", "List([List([Number(\"1\")]), Number(\"2\"), Number(\"3\")])");
    }

    #[test]
    fn errors_name_the_place() {
        check("{\"a\":1,}", "line 1, column 8");
        check("{\"a\":\n\"b\"", "line 2");
        check("{} x", "trailing characters");
        check("", "line 1, column 0");
        check(&"[".repeat(65), "nested deeper than 64");
        check(&"[".repeat(100_000), "nested deeper than 64");
    }

    #[test]
    fn many_names_cost_no_more_than_few() {
        let json: Vec<_> = (0..50_000).map(|number| format!("\"n{number}\":1,\"twice\":{number}")).collect();
        let decoded = decode(format!("{{{}}}", json.join(",")).as_bytes(), None).expect("it is JSON");
        assert_eq!(decoded.value.get("twice").map(|it| it.items().len()), Some(50_000));
        assert!(decoded.value.get("n49999").is_some());
    }
}
