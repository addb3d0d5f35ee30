//! What records say, as texts: for whoever looks a person up in the journal.

use serde_json::Value as Json;

use super::calls;
use super::prepare::{Decoded, body_bytes, items};
use crate::catalog::Catalog;
use crate::entry::Received;
use crate::journal::Journal;
use crate::value::Value;

/// Every text of every record of an envelope; none for a record that does not decode.
pub(super) fn texts(
    journal: &dyn Journal,
    catalog: &Catalog,
    envelope: &Received,
    visit: &mut dyn FnMut(u32, Vec<String>),
) {
    match items(journal, catalog, envelope) {
        Ok(items) => {
            for (index, item) in items.enumerate() {
                let mut leaves = Vec::new();
                match &item {
                    Decoded::Record(_, value, _) => add_leaves(value, &mut leaves),
                    Decoded::Facts(facts) => leaves = calls::texts_of(facts),
                    Decoded::Gone(_) | Decoded::Lost(_) | Decoded::Broken(_) => {}
                }
                visit(index as u32, leaves);
            }
        }
        Err(_) => visit(0, Vec::new()),
    }
}

/// What records of an envelope say, as JSON; `None` for one that does not decode.
pub(super) fn values(journal: &dyn Journal, catalog: &Catalog, envelope: &Received) -> Vec<(u32, Option<Json>)> {
    let Ok(items) = items(journal, catalog, envelope) else { return vec![(0, None)] };
    let said = |item: Decoded| match item {
        Decoded::Record(_, value, _) => {
            let mut text = String::new();
            value.write_json(&mut text);
            serde_json::from_str(&text).ok()
        }
        Decoded::Facts(facts) => Some(Json::Array(calls::texts_of(&facts).into_iter().map(Json::String).collect())),
        Decoded::Gone(id) => Some(Json::String(id.to_string())),
        Decoded::Lost(_) | Decoded::Broken(_) => None,
    };
    items.enumerate().map(|(index, item)| (index as u32, said(item))).collect()
}

fn add_leaves(value: &Value, leaves: &mut Vec<String>) {
    match value {
        Value::Text(text) | Value::Number(text) => leaves.push(text.to_string()),
        Value::List(items) => items.iter().for_each(|item| add_leaves(item, leaves)),
        Value::Map(members) => members.iter().for_each(|(_, value)| add_leaves(value, leaves)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// The bytes of a body that does not decode, read as text in the character sets that sources have.
pub(super) fn unread_text(journal: &dyn Journal, envelope: &Received) -> Vec<String> {
    let Ok(bytes) = body_bytes(journal, &envelope.body) else { return Vec::new() };
    let plain = String::from_utf8_lossy(&bytes).into_owned();
    let windows = encoding_rs::WINDOWS_1251.decode_without_bom_handling(&bytes).0.into_owned();
    let form = plain.replace('+', " ");
    let unquoted = percent_decoded(&form);
    vec![plain, windows, unquoted]
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let hex = bytes.get(index + 1..index + 3).and_then(|it| std::str::from_utf8(it).ok());
        match hex.filter(|_| bytes[index] == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                index += 3;
            }
            None => {
                decoded.push(bytes[index]);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
