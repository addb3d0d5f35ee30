//! The batch of Bitrix24: up to 50 commands in one request.
//!
//! Request: `{halt: 0, cmd: {name: "method?params"}}`. Answer, always with status 200:
//! `{result: {result: {name: ...}, result_error: {name: {error, error_description}},
//! result_next: {name: n}, result_time: {name: {...}}}}`, where an empty map comes as `[]`.
//! <https://apidocs.bitrix24.ru/settings/how-to-call-rest-api/batch.html>

use serde_json::{Map, Value as Json, json};

use super::fields::Fields;
use super::form;
use super::judge::View;
use crate::connector::MultiField;
use crate::value::{Path, Value};

/// The method that takes batches.
pub(super) const METHOD: &str = "batch";

/// The body of a batch: commands are methods and their bodies.
pub(super) fn pack<'a>(commands: impl Iterator<Item = (&'a str, &'a Json)>) -> Json {
    let command = |(index, (method, body)): (usize, (&str, &Json))| {
        (name(index), Json::String(format!("{method}?{}", form::encode(body))))
    };
    json!({"halt": 0, "cmd": commands.enumerate().map(command).collect::<Map<String, Json>>()})
}

/// Stands for a value in a row of the answer to the command before number `index`: the commands of
/// a batch run one after another, and a later one may use what an earlier one found.
pub(super) fn row_before(index: usize, rows: &Path, place: u32, member: &Path) -> String {
    let rows = rows.to_string();
    let steps = rows.strip_prefix("result").unwrap_or(&rows).split('.').filter(|step| !step.is_empty());
    let inner: String = steps.map(|step| format!("[{step}]")).collect();
    format!("$result[{}]{inner}[{place}][{member}]", name(index.saturating_sub(1)))
}

/// The answer to each of `count` commands, in the shape of an answer to a request of its own.
/// `None`: the answer says nothing of that command.
pub(super) fn unpack(body: &Value, count: usize) -> Vec<Option<View>> {
    let part = |kind: &str, name: &str| body.get("result").and_then(|it| it.get(kind)).and_then(|it| it.get(name));
    let one = |index: usize| {
        let name = name(index);
        let mut members = Vec::new();
        match (part("result_error", &name), part("result", &name)) {
            (Some(Value::Map(error)), _) => members.extend(error.iter().cloned()),
            (Some(other), _) if *other != Value::Null => members.push(("error".into(), other.clone())),
            (_, Some(result)) => members.push(("result".into(), result.clone())),
            (_, None) => return None,
        }
        for (kind, member) in [("result_time", "time"), ("result_next", "next"), ("result_total", "total")] {
            members.extend(part(kind, &name).map(|it| (member.into(), it.clone())));
        }
        Some(View { status: None, headers: Vec::new(), body: Some(Value::Map(members)) })
    };
    (0..count).map(one).collect()
}

/// The fields of an object as `crm.item.*` wants them: camel case, but for fields of our own
/// (`useOriginalUfNames`); what has several values goes into `fm`.
/// <https://apidocs.bitrix24.ru/api-reference/crm/universal/object-fields.html>
pub(super) fn item_row(fields: &Fields, multi: &[MultiField], renamed: &dyn Fn(&str) -> Option<String>) -> Json {
    let mut row = Map::new();
    let mut several = Vec::new();
    for (name, value) in fields {
        match (multi.iter().find(|it| *it.name == **name), value) {
            (_, Json::Null) => {}
            (Some(multi), Json::Array(values)) => {
                several.extend(values.iter().filter_map(|it| {
                    let value = it.get(&multi.value)?;
                    let kind = it.get("VALUE_TYPE").cloned().unwrap_or_else(|| json!("WORK"));
                    Some(json!({"typeId": name.as_str(), "valueType": kind, "value": value}))
                }));
            }
            (_, value) if name.starts_with("UF_") => drop(row.insert(name.to_string(), value.clone())),
            (_, value) => drop(row.insert(renamed(name).unwrap_or_else(|| camel(name)), value.clone())),
        }
    }
    if !several.is_empty() {
        row.insert("fm".to_owned(), Json::Array(several));
    }
    Json::Object(row)
}

/// `ASSIGNED_BY_ID` is `assignedById`.
fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty()).map(str::to_ascii_lowercase);
    let mut camel = words.next().unwrap_or_default();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

/// Names are letters first: PHP would turn numbers into a list. They sort as their numbers do: the
/// commands run in the order in which they are written, a later one may need an earlier one, and
/// JSON objects are written sorted.
fn name(index: usize) -> String {
    match index {
        0..=9 => format!("c{index}"),
        _ => format!("d{index}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::judge::value;

    #[test]
    fn commands_are_packed_in_url_form() {
        let body = json!({"id": 7, "fields": {"TITLE": "A&B"}});
        let empty = json!({});
        let packed = pack([("crm.deal.update", &body), ("profile", &empty)].into_iter());
        assert_eq!(
            packed,
            json!({"halt": 0, "cmd": {
                "c0": "crm.deal.update?fields[TITLE]=A%26B&id=7",
                "c1": "profile?",
            }})
        );
    }

    #[test]
    fn an_object_is_named_as_items_are() {
        let multi = MultiField {
            name: "PHONE".into(),
            value: "VALUE".into(),
            id: "ID".into(),
            compare: crate::connector::Compare::Digits,
        };
        let fields: Fields = vec![
            ("ASSIGNED_BY_ID".into(), json!(5)),
            ("TITLE".into(), json!("Заявка")),
            ("UF_CRM_UZEL_CLASS".into(), json!("A")),
            ("COMPANY_TYPE".into(), json!("CUSTOMER")),
            ("COMMENTS".into(), Json::Null),
            ("PHONE".into(), json!([{"VALUE": "+79160001122", "VALUE_TYPE": "MOBILE"}, {"VALUE_TYPE": "WORK"}])),
        ];
        let renamed = |name: &str| (name == "COMPANY_TYPE").then(|| "typeId".to_owned());
        let expected = json!({
            "assignedById": 5, "title": "Заявка", "UF_CRM_UZEL_CLASS": "A", "typeId": "CUSTOMER",
            "fm": [{"typeId": "PHONE", "valueType": "MOBILE", "value": "+79160001122"}],
        });
        assert_eq!(item_row(&fields, &[multi], &renamed), expected);
        assert_eq!((camel("_"), camel("UTM_SOURCE"), camel("A__B")), ("".into(), "utmSource".into(), "aB".into()));
    }

    #[test]
    fn commands_run_in_the_order_of_their_numbers() {
        let names: Vec<String> = (0..50).map(name).collect();
        let mut sorted = names.clone();
        sorted.sort();
        assert_eq!(names, sorted);
        assert_eq!(
            row_before(10, &Path::literal("result.items"), 49, &Path::literal("id")),
            "$result[c9][items][49][id]"
        );
    }

    #[test]
    fn each_command_gets_its_part_and_empty_maps_may_be_lists() {
        let answer = json!({"result": {
            "result": {"c0": 5, "c2": []},
            "result_error": {"c1": {"error": "", "error_description": "Not found"}},
            "result_total": [], "result_next": {"c2": 50},
            "result_time": {"c0": {"operating": 0.1}},
        }});
        let sorted = |view: View| match view.body {
            Some(Value::Map(mut members)) => {
                members.sort_by(|left, right| left.0.cmp(&right.0));
                Value::Map(members)
            }
            other => panic!("a command's part is a map: {other:?}"),
        };
        let bodies: Vec<Option<Value>> = unpack(&value(&answer, 0), 4).into_iter().map(|it| it.map(sorted)).collect();
        let expected = [
            Some(json!({"result": 5, "time": {"operating": 0.1}})),
            Some(json!({"error": "", "error_description": "Not found"})),
            Some(json!({"result": [], "next": 50})),
            None,
        ];
        assert_eq!(bodies, expected.map(|it| it.map(|it| value(&it, 0))));
        assert_eq!(unpack(&value(&json!({"result": {"result": [], "result_error": []}}), 0), 1), [None]);
        assert_eq!(unpack(&value(&json!({"result": []}), 0), 1), [None]);
    }
}
