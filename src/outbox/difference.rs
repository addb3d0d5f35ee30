//! What of an object a sink does not hold yet.

use compact_str::CompactString;
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
        // As text: a JSON value compares with a `str` by its content, not by its JSON.
        let text = value.to_string();
        !create_only.contains(name) && held(name) != Some(text.as_str())
    };
    desired.iter().filter(differs).cloned().collect()
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
        check(deal(), Some(json!({"OPPORTUNITY": "5", "CLASS": "A"})), &["TITLE"], json!({"OPPORTUNITY": 5}));
        check(json!({"X": null}), Some(json!({"X": 1, "Y": 2})), &[], json!({"X": null}));
    }
}
