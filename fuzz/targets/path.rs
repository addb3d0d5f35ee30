//! `value::Path`: what compiles prints and compiles again to the same, and leads somewhere or not.
#![no_main]

use uzel::value::{Path, Value};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    match Path::compile(&text) {
        Err(error) => {
            uzel_fuzz::check_message(&error.message);
            assert!(error.column as usize <= text.chars().count() + 1);
        }
        Ok(path) => {
            assert_eq!(Path::compile(&path.to_string()).as_ref(), Ok(&path));
            let leaf = Value::Map(vec![("a".into(), Value::Text("1".into()))]);
            let value =
                Value::Map(vec![("a".into(), Value::List(vec![leaf.clone(), leaf])), ("b".into(), Value::Null)]);
            let all = path.all(&value);
            if let Some(first) = path.first(&value) {
                assert_eq!(Some(&first), all.first());
            }
            path.all_folded(&value);
            path.first_folded(&value);
        }
    }
});
