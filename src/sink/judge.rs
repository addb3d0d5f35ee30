//! What an answer means: a pure function of the manifest's rules and the answer.

use crate::base::limits::{RETRY_AFTER_MAX_MS, VALUE_DEPTH_MAX};
use crate::base::{Message, Timestamp};
use crate::connector::{After, ResponseRule, Scope, SinkSpec, Then};
use crate::net::Answer;
use crate::value::{Path, Value};

/// Wait after 429 without a word about how long, ms.
const RETRY_MS: i64 = 60_000;
/// Characters of a foreign error's text that are kept.
const REASON_CHARS_MAX: usize = 300;

/// An answer, or the part of a batch's answer about one command.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct View {
    /// Status; `None` for a command inside a batch.
    pub status: Option<u16>,
    /// Headers.
    pub headers: Vec<(compact_str::CompactString, String)>,
    /// Body; `None` when it is not JSON.
    pub body: Option<Value>,
}

impl View {
    pub(super) fn of(answer: Answer) -> View {
        let blank = answer.body.iter().all(u8::is_ascii_whitespace);
        let body = if blank { Some(Value::Null) } else { parse(&answer.body) };
        View { status: Some(answer.status), headers: answer.headers, body }
    }

    fn text(&self, path: Option<&Path>) -> Option<&str> {
        path?.first(self.body.as_ref()?)?.as_text()
    }
}

fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().map(|json: serde_json::Value| value(&json, 0))
}

/// JSON as a dynamic value; what is nested too deeply is null.
pub(super) fn value(json: &serde_json::Value, depth: usize) -> Value {
    if depth > VALUE_DEPTH_MAX {
        return Value::Null;
    }
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Bool(*flag),
        serde_json::Value::Number(number) => Value::Number(number.to_string().into()),
        serde_json::Value::String(text) => Value::Text(text.as_str().into()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(|it| value(it, depth + 1)).collect()),
        serde_json::Value::Object(members) => {
            Value::Map(members.iter().map(|(name, it)| (name.as_str().into(), value(it, depth + 1))).collect())
        }
    }
}

/// What follows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ruling {
    /// It worked; the body.
    Done(Value),
    /// It surely did not take effect.
    Retry { at: Timestamp, scope: Scope },
    /// It may have taken effect.
    Uncertain,
    /// The object is not there.
    Gone,
    /// The data are refused.
    RejectObject,
    /// There is no such method.
    RejectMethod,
    /// Settings or rights are refused.
    RejectConnection,
}

/// A ruling and, when it is not `Done`, its reason for people.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judged {
    pub ruling: Ruling,
    pub reason: Message,
}

/// Judges an answer of the host.
pub(crate) fn judge(spec: &SinkSpec, host: &str, view: &View, now: Timestamp) -> Judged {
    let code = view.text(spec.error_code.as_ref()).unwrap_or_default();
    let text = view.text(spec.error_text.as_ref()).unwrap_or_default();
    let errs = [&spec.error_code, &spec.error_text]
        .into_iter()
        .flatten()
        .any(|path| view.body.as_ref().and_then(|body| path.first(body)).is_some_and(|it| *it != Value::Null));
    let rule = spec.rules.iter().find(|rule| fits(rule, view, code, text));
    let ruling = match rule {
        Some(rule) => ruling_of(&rule.then, view, now),
        None => by_status(view, errs, now),
    };
    let reason = Message::new("sink-answer")
        .with("host", host)
        .with("status", view.status.map_or_else(|| "-".to_owned(), |status| status.to_string()))
        .with("code", if code.is_empty() { "-" } else { code })
        .with("text", text.chars().take(REASON_CHARS_MAX).collect::<String>());
    Judged { ruling, reason }
}

fn fits(rule: &ResponseRule, view: &View, code: &str, text: &str) -> bool {
    let status = match view.status {
        Some(status) => rule.status.is_empty() || rule.status.iter().any(|it| it.fits(status)),
        // A command inside a batch has no status: what it is called for must say enough.
        None => rule.status.is_empty() || !rule.code.is_empty() || rule.text.is_some(),
    };
    let code_fits = rule.code.is_empty() || rule.code.iter().any(|it| it == code);
    let text_fits = rule.text.as_ref().is_none_or(|part| text.to_lowercase().contains(part));
    let json_fits = rule.json.is_none_or(|wanted| wanted == view.body.is_some());
    status && code_fits && text_fits && json_fits
}

fn ruling_of(then: &Then, view: &View, now: Timestamp) -> Ruling {
    match then {
        Then::Done => Ruling::Done(view.body.clone().unwrap_or_default()),
        Then::Retry { after, scope } => Ruling::Retry { at: instant(after, view, now), scope: *scope },
        Then::Uncertain => Ruling::Uncertain,
        Then::Gone => Ruling::Gone,
        Then::RejectObject => Ruling::RejectObject,
        Then::RejectMethod => Ruling::RejectMethod,
        Then::RejectConnection => Ruling::RejectConnection,
    }
}

/// When no rule of the manifest fits.
fn by_status(view: &View, errs: bool, now: Timestamp) -> Ruling {
    match (view.status, &view.body) {
        (Some(200..=299) | None, Some(body)) if !errs => Ruling::Done(body.clone()),
        // Something before the system has answered in its place.
        (Some(200..=299), None) | (None, None) => Ruling::Uncertain,
        (Some(408 | 500..), _) => Ruling::Uncertain,
        (Some(429), _) => {
            let at = header_instant("retry-after", view, now).unwrap_or_else(|| now.plus_ms(RETRY_MS));
            Ruling::Retry { at, scope: Scope::Sink }
        }
        (Some(404 | 410), _) => Ruling::Gone,
        (Some(300..=399 | 401..=403 | 407), _) => Ruling::RejectConnection,
        (Some(_) | None, _) => Ruling::RejectObject,
    }
}

/// Clamped: a foreign clock must not close a sink for a year.
fn instant(after: &After, view: &View, now: Timestamp) -> Timestamp {
    let ms = |ms: &u32| now.plus_ms(i64::from(*ms));
    let at = match after {
        After::Schedule => now,
        After::Ms(wait) => ms(wait),
        After::Header(name, otherwise) => {
            header_instant(&name.to_ascii_lowercase(), view, now).unwrap_or_else(|| ms(otherwise))
        }
        After::Path(path, otherwise) => {
            let at = view.text(Some(path)).and_then(second_over).filter(|at| *at > now);
            at.unwrap_or_else(|| ms(otherwise))
        }
    };
    at.clamp(now, now.plus_ms(RETRY_AFTER_MAX_MS))
}

/// `Retry-After`: seconds, or a date of HTTP.
fn header_instant(name: &str, view: &View, now: Timestamp) -> Option<Timestamp> {
    let text = view.headers.iter().find(|(key, _)| key == name).map(|(_, text)| text.trim())?;
    let at = match text.parse::<u32>() {
        Ok(seconds) => now.plus_ms(i64::from(seconds) * 1_000),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Timestamp::from_jiff(date)
        }
    };
    Some(at.clamp(now, now.plus_ms(RETRY_AFTER_MAX_MS)))
}

/// Seconds since 1970, perhaps with a fraction, as an instant; rounded up to the next second.
pub(super) fn seconds(text: &str) -> Option<Timestamp> {
    let whole: i64 = text.split('.').next()?.parse().ok()?;
    let fraction = i64::from(text.contains('.'));
    whole.checked_add(fraction)?.checked_mul(1_000).map(Timestamp)
}

/// Seconds since 1970 as the instant at which that second is over: what is told in whole seconds may
/// be as late as its end, and a moment too early is a refusal.
pub(super) fn second_over(text: &str) -> Option<Timestamp> {
    let whole: i64 = text.split('.').next()?.parse().ok()?;
    whole.checked_add(1)?.checked_mul(1_000).map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Slug;
    use crate::connector::Connector;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn spec() -> SinkSpec {
        let text = include_str!("../../connectors/bitrix24/connector.toml");
        let connector = Connector::compile(Slug::literal("bitrix24"), "connector.toml", text).expect("it compiles");
        connector.sink.expect("it has a sink")
    }

    fn check(status: Option<u16>, header: Option<(&str, &str)>, body: &str, expected: &str) {
        let headers = header.into_iter().map(|(name, value)| (name.into(), value.to_owned())).collect();
        let view = View { status, headers, body: parse(body.as_bytes()) };
        let shown = match judge(&spec(), "crm.example", &view, NOW).ruling {
            Ruling::Done(_) => "done".to_owned(),
            Ruling::Retry { at, scope } => format!("retry {scope:?} {}", at.ms_since(NOW) / 1_000),
            Ruling::Uncertain => "uncertain".to_owned(),
            Ruling::Gone => "gone".to_owned(),
            Ruling::RejectObject => "object".to_owned(),
            Ruling::RejectMethod => "method".to_owned(),
            Ruling::RejectConnection => "connection".to_owned(),
        };
        assert_eq!(shown, expected, "{status:?} {body}");
    }

    #[test]
    fn answers_of_bitrix24_mean_what_its_documentation_says() {
        let error = |code: &str| format!(r#"{{"error":"{code}","error_description":"text"}}"#);
        let operating =
            r#"{"error":"OPERATION_TIME_LIMIT","error_description":"","time":{"operating_reset_at":1700000300}}"#;
        check(Some(200), None, r#"{"result":5}"#, "done");
        check(Some(503), None, &error("QUERY_LIMIT_EXCEEDED"), "retry Sink 1");
        check(Some(429), None, operating, "retry Method 301");
        check(None, None, operating, "retry Method 301");
        check(Some(429), None, &error("OPERATION_TIME_LIMIT"), "retry Method 600");
        check(Some(503), None, &error("OVERLOAD_LIMIT"), "retry Sink 3600");
        check(Some(401), None, &error("expired_token"), "connection");
        check(Some(403), None, &error("insufficient_scope"), "connection");
        check(Some(403), None, &error("ACCESS_DENIED"), "connection");
        check(Some(400), None, r#"{"error":"","error_description":"Access denied."}"#, "connection");
        check(None, None, r#"{"error":"","error_description":"Access denied."}"#, "connection");
        check(Some(404), None, &error("ERROR_METHOD_NOT_FOUND"), "method");
        check(None, None, &error("ERROR_METHOD_NOT_FOUND"), "method");
        check(Some(400), None, r#"{"error":"","error_description":"Not found"}"#, "gone");
        check(None, None, r#"{"error":"","error_description":"Элемент не найден"}"#, "gone");
        check(Some(400), None, r#"{"error":"","error_description":"Title is required"}"#, "object");
        check(None, None, r#"{"error":"ERROR_CORE","error_description":"x"}"#, "object");
        check(Some(500), None, &error("INTERNAL_SERVER_ERROR"), "uncertain");
        check(None, None, &error("INTERNAL_SERVER_ERROR"), "uncertain");
        check(Some(500), None, &error("PORTAL_DELETED"), "connection");
        check(Some(502), None, "<html>Bad gateway</html>", "uncertain");
        check(Some(200), None, "<html>Sign in</html>", "uncertain");
        check(Some(403), None, "<html>Blocked</html>", "retry Sink 900");
        check(Some(403), Some(("retry-after", "120")), "<html>Blocked</html>", "retry Sink 120");
        check(Some(429), Some(("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT")), "<html/>", "retry Sink 60");
        check(Some(429), Some(("retry-after", "99999999")), "<html/>", "retry Sink 21600");
        check(Some(429), Some(("retry-after", "soon")), r#"{"error":"X"}"#, "retry Sink 60");
        check(Some(302), None, r#"{}"#, "connection");
        check(Some(418), None, r#"{}"#, "object");
    }
}
