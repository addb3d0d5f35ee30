//! What of an object a sink does not hold yet.

use compact_str::CompactString;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use crate::model::Confirmed;

/// The fields to send: all of them when the sink confirmed nothing, else those that differ from
/// what it confirmed and are not written at creation only. Order is kept.
pub fn difference(
    desired: &[(CompactString, Json)],
    confirmed: Option<&Confirmed>,
    create_only: &[CompactString],
) -> Vec<(CompactString, Json)> {
    let Some(confirmed) = confirmed else { return desired.to_vec() };
    let held = |name: &str| confirmed.sent.iter().find(|(key, _)| key == name).map(|(_, text)| text.as_str());
    let differs = |(name, value): &&(CompactString, Json)| {
        !create_only.contains(name) && !held(name).is_some_and(|text| is_same(text, &value.to_string()))
    };
    desired.iter().filter(differs).cloned().collect()
}

/// Whether two values (JSON texts) are one, however a sink writes it: `50000` is `"50000.00"`,
/// `true` is `"Y"`, nothing is an empty text. What a sink was sent and what it gives back differ so.
pub fn is_same(left: &str, right: &str) -> bool {
    if left == right {
        return true;
    }
    let (Ok(left), Ok(right)) = (serde_json::from_str::<Json>(left), serde_json::from_str::<Json>(right)) else {
        return false;
    };
    match (plain(&left), plain(&right)) {
        (Some(left), Some(right)) => {
            let decimals = (left.parse::<Decimal>(), right.parse::<Decimal>());
            left == right || matches!(decimals, (Ok(left), Ok(right)) if left == right) || are_flags(&left, &right)
        }
        (None, None) => left == right,
        (Some(text), None) | (None, Some(text)) => text.is_empty() && (is_empty(&left) || is_empty(&right)),
    }
}

/// A scalar as text; nothing is an empty text.
fn plain(json: &Json) -> Option<String> {
    match json {
        Json::Null => Some(String::new()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => Some(text.replace("\r\n", "\n").trim().to_owned()),
        Json::Array(_) | Json::Object(_) => None,
    }
}

fn are_flags(left: &str, right: &str) -> bool {
    let flag = |text: &str| match text {
        "true" | "Y" => Some(true),
        "false" | "N" => Some(false),
        _ => None,
    };
    let as_number = |text: &str| match text {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    match (flag(left), flag(right)) {
        (Some(left), Some(right)) => left == right,
        (Some(flag), None) => as_number(right) == Some(flag),
        (None, Some(flag)) => as_number(left) == Some(flag),
        (None, None) => false,
    }
}

fn is_empty(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.is_empty(),
        Json::Object(members) => members.is_empty(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::{Position, Timestamp};

    fn check(desired: Json, held: Option<Json>, create_only: &[&str], expected: Json) {
        let pairs = |json: &Json| -> Vec<(CompactString, Json)> {
            let members = json.as_object().expect("an object");
            members.iter().map(|(name, value)| (name.into(), value.clone())).collect()
        };
        let confirmed = held.map(|held| Confirmed {
            foreign_kind: "deal".into(),
            foreign_id: "7".into(),
            version: Position(1),
            at: Timestamp::ZERO,
            sent: pairs(&held).into_iter().map(|(name, value)| (name, value.to_string())).collect(),
        });
        let create_only: Vec<CompactString> = create_only.iter().map(|it| CompactString::from(*it)).collect();
        assert_eq!(difference(&pairs(&desired), confirmed.as_ref(), &create_only), pairs(&expected));
    }

    #[test]
    fn only_what_the_sink_does_not_hold_is_sent() {
        let deal = || json!({"TITLE": "Заявка", "OPPORTUNITY": 5, "CLASS": "A"});
        check(deal(), None, &["TITLE"], deal());
        check(deal(), Some(deal()), &["TITLE"], json!({}));
        check(deal(), Some(json!({"TITLE": "x", "OPPORTUNITY": 5, "CLASS": "B"})), &["TITLE"], json!({"CLASS": "A"}));
        check(deal(), Some(json!({})), &["TITLE"], json!({"OPPORTUNITY": 5, "CLASS": "A"}));
        // The sink writes numbers its own way.
        check(deal(), Some(json!({"OPPORTUNITY": "5.00", "CLASS": "A"})), &["TITLE"], json!({}));
        check(
            json!({"X": true, "Y": "a\nb", "Z": ""}),
            Some(json!({"X": "Y", "Y": "a\r\nb", "Z": null})),
            &[],
            json!({}),
        );
        check(json!({"X": true, "Y": 1}), Some(json!({"X": "0", "Y": "N"})), &[], json!({"X": true, "Y": 1}));
        check(json!({"X": null}), Some(json!({"X": 1, "Y": 2})), &[], json!({"X": null}));
    }
}
