//! What the targets share: bytes to decode, and what must hold of whatever comes out.

use uzel::base::limits::VALUE_DEPTH_MAX;
use uzel::base::{Locale, Message};
use uzel::decode::{DecodeError, Decoded};
use uzel::value::Value;

/// A decoded record is no deeper than allowed, its issues can be shown; an error has its text.
pub fn check(decoded: Result<Decoded, DecodeError>) {
    match decoded {
        Ok(decoded) => {
            // A document is one level around its root.
            check_depth(&decoded.value, VALUE_DEPTH_MAX + 1);
            decoded.issues.iter().for_each(|issue| check_message(&issue.message));
        }
        Err(error) => check_message(&error.message),
    }
}

/// A value is no deeper than so many levels, and no name repeats.
pub fn check_depth(value: &Value, left: usize) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
        Value::List(items) => {
            assert!(left > 0, "deeper than allowed");
            // A list of repeated elements is a level of ours, not of the source.
            items.iter().for_each(|item| check_depth(item, left));
        }
        Value::Map(members) => {
            assert!(left > 0, "deeper than allowed");
            members.iter().for_each(|(_, member)| check_depth(member, left - 1));
            if members.len() < 100 {
                let mut names: Vec<_> = members.iter().map(|(name, _)| name).collect();
                names.sort_unstable();
                assert!(names.windows(2).all(|it| it[0] != it[1]), "a name repeats");
            }
        }
    }
}

/// A message has a text in both languages.
pub fn check_message(message: &Message) {
    for locale in [Locale::En, Locale::Ru] {
        let text = message.render(locale);
        assert!(!text.starts_with(message.id.as_str()), "no text for {}", message.id);
    }
}
