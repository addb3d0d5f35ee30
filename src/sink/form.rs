//! Bodies as PHP reads forms: `fields[PHONE][0][VALUE]=%2B7...`.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// The members of `body` in URL form; empty when there are none.
pub(super) fn encode(body: &Json) -> String {
    let mut out = String::new();
    if let Json::Object(members) = body {
        for (name, value) in members {
            pair(&escaped(name), value, &mut out);
        }
    }
    out
}

fn pair(name: &str, value: &Json, out: &mut String) {
    let text = match value {
        Json::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(key, value)| pair(&format!("{name}[{}]", escaped(key)), value, out));
            return;
        }
        Json::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, value)| pair(&format!("{name}[{index}]"), value, out));
            return;
        }
        // Empty lists and null empty the field, as an empty text does.
        Json::Object(_) | Json::Array(_) | Json::Null => String::new(),
        Json::Bool(flag) => if *flag { "1" } else { "0" }.to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => escaped(text),
    };
    let separator = if out.is_empty() { "" } else { "&" };
    write!(out, "{separator}{name}={text}").expect("writing to a String cannot fail");
}

/// Percent-encoded, everything but letters, digits and `-._~`.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => write!(out, "%{other:02X}").expect("writing to a String cannot fail"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_values_get_php_names() {
        for (body, expected) in [
            (json!({}), ""),
            (json!({"id": 7, "a": "x y&=+"}), "a=x%20y%26%3D%2B&id=7"),
            (
                json!({"fields": {"PHONE": [{"VALUE": "+7", "VALUE_TYPE": "WORK"}]}}),
                "fields[PHONE][0][VALUE]=%2B7&fields[PHONE][0][VALUE_TYPE]=WORK",
            ),
            (
                json!({"filter": {">=ID": 1, "@ID": ["1", "2"]}}),
                "filter[%3E%3DID]=1&filter[%40ID][0]=1&filter[%40ID][1]=2",
            ),
            (json!({"a": true, "b": false, "c": null, "d": [], "e": {}}), "a=1&b=0&c=&d=&e="),
            (json!({"f": 50000.5, "t": "Заявка"}), "f=50000.5&t=%D0%97%D0%B0%D1%8F%D0%B2%D0%BA%D0%B0"),
        ] {
            assert_eq!(encode(&body), expected);
        }
    }
}
