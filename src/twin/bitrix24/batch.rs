//! `batch`: up to fifty commands in one request, each with its own fate.
//!
//! Source: facts/crm/bitrix24.md section 4; b24restdocs (5988ed1), batch.md.

use serde_json::{Map, Value as Json, json};

use super::params::{self, members, param, text};
use super::portal::{Answer, Refusal};
use crate::twin::percent_decode;
use crate::value::Value;

/// Commands of one batch; the ones above fail with ERROR_BATCH_LENGTH_EXCEEDED.
pub const COMMANDS_MAX: usize = 50;

/// Runs the commands through `run`, which does one call and tells its answer and its `time`.
/// The answer is a success even when every command failed.
pub(super) fn run_batch(
    params: &Value,
    mut run: impl FnMut(&str, &Value) -> (Result<Answer, Refusal>, Json),
) -> Answer {
    let commands = param(params, "cmd").and_then(members).unwrap_or_default();
    let halt = text(params, "halt").is_some_and(params::is_yes);
    let mut done = Done::default();
    for (index, (name, command)) in commands.into_iter().enumerate() {
        let (outcome, time) = match parse(command, &done) {
            _ if index >= COMMANDS_MAX => {
                (Err(Refusal::new(400, "ERROR_BATCH_LENGTH_EXCEEDED", "Max batch length exceeded!")), None)
            }
            Some((method, _)) if method.eq_ignore_ascii_case("batch") => (
                Err(Refusal::new(405, "ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage")),
                None,
            ),
            Some((method, params)) => {
                let (outcome, time) = run(&method, &params);
                (outcome, Some(time))
            }
            None => (Err(Refusal::new(404, "ERROR_METHOD_NOT_FOUND", "Method not found!")), None),
        };
        let failed = outcome.is_err();
        done.take(name, outcome, time);
        if failed && halt {
            break;
        }
    }
    Answer::of(done.show())
}

#[derive(Default)]
struct Done {
    results: Vec<(String, Json)>,
    errors: Vec<(String, Json)>,
    totals: Vec<(String, Json)>,
    nexts: Vec<(String, Json)>,
    times: Vec<(String, Json)>,
}

impl Done {
    fn take(&mut self, name: String, outcome: Result<Answer, Refusal>, time: Option<Json>) {
        match outcome {
            Ok(answer) => {
                self.totals.extend(answer.total.map(|it| (name.clone(), json!(it))));
                self.nexts.extend(answer.next.map(|it| (name.clone(), json!(it))));
                self.times.extend(time.map(|it| (name.clone(), it)));
                self.results.push((name, answer.result));
            }
            Err(refusal) => {
                self.errors.push((name, json!({"error": refusal.code, "error_description": refusal.description})))
            }
        }
    }

    fn show(self) -> Json {
        json!({
            "result": php_array(self.results),
            "result_error": php_array(self.errors),
            "result_total": php_array(self.totals),
            "result_next": php_array(self.nexts),
            "result_time": php_array(self.times),
        })
    }
}

/// As PHP writes an array: empty is `[]`, keys 0, 1, 2, ... are a list, all else an object.
pub(super) fn php_array(entries: Vec<(String, Json)>) -> Json {
    let is_list = entries.iter().enumerate().all(|(index, (key, _))| *key == index.to_string());
    match is_list {
        true => Json::Array(entries.into_iter().map(|(_, value)| value).collect()),
        false => Json::Object(entries.into_iter().collect::<Map<_, _>>()),
    }
}

/// `method?urlencoded`, or an object with `method` and `params` (what the SDKs send).
fn parse(command: &Value, done: &Done) -> Option<(String, Value)> {
    let (method, mut params) = match command.as_text() {
        Some(line) => {
            let (method, query) = line.split_once('?').unwrap_or((line, ""));
            (percent_decode(method), params::urlencoded(query))
        }
        None => {
            let method = text(command, "method")?.to_owned();
            (method, param(command, "params").cloned().unwrap_or(Value::Map(Vec::new())))
        }
    };
    substitute(&mut params, done);
    Some((method.trim().trim_start_matches('/').to_owned(), params))
}

/// Puts earlier results in the place of `$result[name][field]`.
fn substitute(value: &mut Value, done: &Done) {
    match value {
        Value::Text(text) if text.contains("$result[") => *value = substituted(text, done),
        Value::Text(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::List(items) => items.iter_mut().for_each(|it| substitute(it, done)),
        Value::Map(members) => members.iter_mut().for_each(|(_, it)| substitute(it, done)),
    }
}

fn substituted(text: &str, done: &Done) -> Value {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("$result[") {
        let (path, length) = reference(&rest[at + "$result".len()..]);
        let whole = at == 0 && out.is_empty() && "$result".len() + length == rest.len();
        let found = lookup(&path, done);
        if whole {
            return found.map_or(Value::Text("".into()), params::from_json_any);
        }
        out.push_str(&rest[..at]);
        // Inside of a longer text only a scalar makes sense; what is not there is empty.
        match found {
            Some(Json::String(text)) => out.push_str(text),
            Some(scalar @ (Json::Number(_) | Json::Bool(_))) => out.push_str(&scalar.to_string()),
            Some(Json::Null | Json::Array(_) | Json::Object(_)) | None => {}
        }
        rest = &rest[at + "$result".len() + length..];
    }
    out.push_str(rest);
    Value::Text(out.into())
}

/// Reads `[a][b]...`; answers the steps and how many bytes they take.
fn reference(text: &str) -> (Vec<&str>, usize) {
    let mut steps = Vec::new();
    let mut length = 0;
    while let Some(inner) = text[length..].strip_prefix('[') {
        let Some(end) = inner.find(']') else {
            break;
        };
        steps.push(&inner[..end]);
        length += end + 2;
    }
    // An open bracket without its end: step over the sign, so that the search goes on.
    (steps, length.max(1))
}

fn lookup<'a>(path: &[&str], done: &'a Done) -> Option<&'a Json> {
    let (name, steps) = path.split_first()?;
    let mut at = done.results.iter().find(|(key, _)| key == name).map(|(_, value)| value)?;
    for step in steps {
        at = match at {
            Json::Object(members) => members.get(*step)?,
            Json::Array(items) => items.get(step.parse::<usize>().ok()?)?,
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => return None,
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done() -> Done {
        let results = vec![("add".to_owned(), json!(46)), ("list".to_owned(), json!([{"ID": "7", "NAME": "A"}]))];
        Done { results, ..Done::default() }
    }

    #[test]
    fn references_to_earlier_results_are_filled_in() {
        let check = |text: &str, expected: Value| assert_eq!(substituted(text, &done()), expected, "{text}");
        check("$result[add]", Value::Number("46".into()));
        check("$result[list][0][ID]", Value::Text("7".into()));
        check("id $result[add] of $result[list][0][NAME].", Value::Text("id 46 of A.".into()));
        check("$result[none]", Value::Text("".into()));
        check("x$result[", Value::Text("x".into()));
    }

    #[test]
    fn maps_are_written_as_php_writes_arrays() {
        let entry = |key: &str| (key.to_owned(), json!(1));
        assert_eq!(php_array(vec![]), json!([]));
        assert_eq!(php_array(vec![entry("0"), entry("1")]), json!([1, 1]));
        assert_eq!(php_array(vec![entry("1")]), json!({"1": 1}));
        assert_eq!(php_array(vec![entry("a")]), json!({"a": 1}));
    }
}
