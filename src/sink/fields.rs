//! What of an object has to be written, given what the sink was told and what it holds.

use compact_str::CompactString;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::connector::{Compare, MultiField, ObjectSpec};
use crate::model::Confirmed;
use crate::value::Value;

/// Fields and their values.
pub(super) type Fields = Vec<(CompactString, Json)>;

/// Removes from `fields` what the sink holds already, and turns fields with several values into
/// what has to be added or changed. `record` is the object as the sink gave it just now.
pub(super) fn against_record(
    spec: &ObjectSpec,
    fields: Fields,
    confirmed: Option<&Confirmed>,
    record: &Value,
) -> Fields {
    let mut left = Fields::new();
    for (name, desired) in fields {
        let held = record.get(&name);
        match spec.multi.iter().find(|it| *it.name == *name) {
            Some(multi) => {
                let ours = ours(&name, confirmed);
                let items = additions(multi, &desired, &ours, held.unwrap_or(&Value::Null));
                if !items.is_empty() {
                    left.push((name, Json::Array(items)));
                }
            }
            None if held.is_some_and(|it| same(&desired, it)) => {}
            None => left.push((name, desired)),
        }
    }
    left
}

/// What we wrote there last.
fn ours(name: &str, confirmed: Option<&Confirmed>) -> Json {
    let sent = confirmed.and_then(|it| it.sent.iter().find(|(key, _)| key == name));
    sent.and_then(|(_, text)| serde_json::from_str(text).ok()).unwrap_or(Json::Null)
}

/// Items to send: a value that is not held is added, or takes the place (by id) of a value that
/// we wrote and no longer want. What others wrote stays.
fn additions(multi: &MultiField, desired: &Json, ours: &Json, held: &Value) -> Vec<Json> {
    let key = |text: &str| key(multi.compare, text);
    let wanted = |json: &Json| -> Vec<String> {
        let items = json.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|it| Some(key(it.get(&multi.value)?.as_str()?))).collect()
    };
    let (desired_keys, our_keys) = (wanted(desired), wanted(ours));
    let held: Vec<(String, &str)> = held
        .items()
        .iter()
        .filter_map(|it| Some((key(it.get(&multi.value)?.as_text()?), it.get(&multi.id)?.as_text()?)))
        .collect();
    let is_held = |wanted: &str| held.iter().any(|(key, _)| key == wanted);
    let mut outdated = held.iter().filter(|(key, _)| our_keys.contains(key) && !desired_keys.contains(key));
    let mut added: Vec<String> = Vec::new();
    let mut items = Vec::new();
    for item in desired.as_array().map(Vec::as_slice).unwrap_or_default() {
        let Some(value) = item.get(&multi.value).and_then(Json::as_str).map(key) else { continue };
        if is_held(&value) || added.contains(&value) {
            continue;
        }
        let mut item = item.clone();
        if let (Some((_, id)), Some(members)) = (outdated.next(), item.as_object_mut()) {
            members.insert(multi.id.clone(), json!(id));
        }
        added.push(value);
        items.push(item);
    }
    items
}

/// What two spellings of one value have in common.
fn key(compare: Compare, text: &str) -> String {
    match compare {
        Compare::Text => text.trim().to_lowercase(),
        Compare::Digits => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            match digits.strip_prefix('8') {
                Some(rest) if rest.len() == 10 => format!("7{rest}"),
                Some(_) | None => digits,
            }
        }
    }
}

/// Whether the sink holds this value already, however it writes it: `50000` is `"50000.00"`,
/// nothing is an empty text.
fn same(desired: &Json, held: &Value) -> bool {
    let text = match desired {
        Json::Null => return held.is_blank(),
        Json::Bool(flag) => {
            let words: &[&str] = if *flag { &["true", "1", "Y"] } else { &["false", "0", "N"] };
            return held.as_text().is_some_and(|it| words.contains(&it));
        }
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        // Lists and objects are compared as they stand.
        Json::Array(_) | Json::Object(_) => return super::judge::value(desired, 0) == *held,
    };
    let Some(held_text) = held.as_text() else { return text.is_empty() && held.is_blank() };
    let decimals = (text.parse::<Decimal>(), held_text.parse::<Decimal>());
    text == held_text || matches!(decimals, (Ok(left), Ok(right)) if left == right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::judge::value;

    #[test]
    fn a_value_is_the_same_however_the_sink_writes_it() {
        for (desired, held, expected) in [
            (json!(50000), json!("50000.00"), true),
            (json!(50000.5), json!("50000.50"), true),
            (json!("A"), json!("A"), true),
            (json!("A"), json!("B"), false),
            (json!(7), json!("7"), true),
            (json!(7), json!("8"), false),
            (json!(null), json!(""), true),
            (json!(null), json!("x"), false),
            (json!(""), json!(null), true),
            (json!(true), json!("Y"), true),
            (json!(true), json!("0"), false),
            (json!(["1", "2"]), json!(["1", "2"]), true),
        ] {
            assert_eq!(same(&desired, &value(&held, 0)), expected, "{desired} {held}");
        }
    }

    fn check(compare: Compare, desired: &[&str], ours: &[&str], held: &[(&str, &str)], expected: Json) {
        let multi = MultiField { name: "PHONE".into(), value: "VALUE".into(), id: "ID".into(), compare };
        let list = |values: &[&str]| Json::Array(values.iter().map(|it| json!({"VALUE": it})).collect());
        let held: Vec<Json> = held.iter().map(|(id, it)| json!({"ID": id, "VALUE": it})).collect();
        let items = additions(&multi, &list(desired), &list(ours), &value(&Json::Array(held), 0));
        assert_eq!(Json::Array(items), expected);
    }

    #[test]
    fn values_are_added_once_ours_are_changed_in_place_and_foreign_ones_stay() {
        let digits = Compare::Digits;
        check(digits, &["+79123456789"], &[], &[], json!([{"VALUE": "+79123456789"}]));
        check(digits, &["+79123456789"], &[], &[("5", "8 (912) 345-67-89")], json!([]));
        check(digits, &["+79123456789"], &[], &[("5", "+74951112233")], json!([{"VALUE": "+79123456789"}]));
        let ours = &["+74951112233"];
        check(digits, &["+79123456789"], ours, &[("5", "84951112233")], json!([{"VALUE": "+79123456789", "ID": "5"}]));
        check(digits, &["+79123456789", "+79123456789"], &[], &[], json!([{"VALUE": "+79123456789"}]));
        check(digits, &[], ours, &[("5", "84951112233")], json!([]));
        check(Compare::Text, &["Ivan@example.ru"], &[], &[("5", "ivan@example.ru ")], json!([]));
    }
}
