//! Both languages say the same things, and the code asks only for texts that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Identifiers of a file of texts, each with the names of its arguments.
fn texts(text: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    for line in text.lines() {
        let identifier = line.split(" =").next().unwrap_or("");
        let begins = !identifier.is_empty()
            && line.contains(" =")
            && identifier.chars().all(|it| it.is_ascii_alphanumeric() || it == '-');
        if begins {
            found.push((identifier.to_owned(), BTreeSet::new()));
        }
        if let Some((_, arguments)) = found.last_mut() {
            for rest in line.split('$').skip(1) {
                arguments.insert(rest.chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '_').collect());
            }
        }
    }
    found.into_iter().collect()
}

fn all(locale: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let folder = Path::new(ROOT).join("locales").join(locale);
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder of texts") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a file of texts");
        for one in texts(&text) {
            assert!(found.insert(one.clone()), "{locale}: the text {} is there twice", one.0);
        }
    }
    found
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the sources") {
        let path = entry.expect("an entry of the sources").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|it| it == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn russian_and_english_have_the_same_texts_and_arguments() {
    let (ru, en) = (all("ru"), all("en"));
    let only_ru: Vec<_> = ru.difference(&en).map(|(name, arguments)| format!("{name} {arguments:?}")).collect();
    let only_en: Vec<_> = en.difference(&ru).map(|(name, arguments)| format!("{name} {arguments:?}")).collect();
    assert!(only_ru.is_empty() && only_en.is_empty(), "only in ru: {only_ru:#?}\nonly in en: {only_en:#?}");
}

#[test]
fn every_text_that_the_code_asks_for_exists() {
    let known: BTreeSet<String> = all("en").into_iter().map(|(name, _)| name).collect();
    let mut files = Vec::new();
    rust_files(&Path::new(ROOT).join("src"), &mut files);
    let mut missing = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).to_owned();
        for marker in ["Message::new(\"", "unknown_word(\"", "Check::new(\""] {
            for rest in production.split(marker).skip(1) {
                let name = rest.split('"').next().unwrap_or("");
                if !known.contains(name) {
                    missing.insert(format!("{}: {name}", file.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "texts without a line in locales/: {missing:#?}");
}

#[test]
fn every_text_renders_in_both_languages() {
    use uzel::base::{Locale, Message};
    for (name, arguments) in all("en") {
        let message = arguments.iter().fold(Message::new(&name), |message, argument| message.with(argument, "7"));
        for locale in [Locale::Ru, Locale::En] {
            let text = message.render(locale);
            assert!(!text.contains("{ $") && !text.starts_with(&format!("{name}[")), "{name}: {text}");
        }
    }
}
