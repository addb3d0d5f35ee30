//! A configuration as bytes: what is kept beside the journal, and what the hash is taken of.
//!
//! ```text
//! uzel configuration 1\n
//! then, for each part: its name, a space, its length in bytes, \n, its bytes, \n
//! ```
//!
//! The parts are the used files in the order of their names and, last, `settings`: the part of
//! `uzel.toml` that the pipeline depends on, written anew from what was read, so that neither the
//! environment nor the layout of the file changes the hash. Text, so that a person can read in an
//! editor what was in force.

use std::fmt::Write as _;

use super::{Connection, FileSet};
use crate::base::{Message, Problem};
use crate::config::Settings;
use crate::field::FieldValue;

const HEAD: &str = "uzel configuration ";
const VERSION: &str = "1";
const SETTINGS: &str = "settings";

/// The bytes of a configuration.
pub(super) fn write(used: &[(String, String)], settings: &Settings, connections: &[Connection]) -> Vec<u8> {
    let mut parts: Vec<(&str, &str)> = used.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    parts.sort_unstable();
    let settings = settings_text(settings, connections);
    parts.push((SETTINGS, &settings));
    let mut text = format!("{HEAD}{VERSION}\n");
    for (name, content) in parts {
        writeln!(text, "{name} {}\n{content}", content.len()).expect("writing to a String does not fail");
    }
    text.into_bytes()
}

/// Files and settings out of the bytes.
pub(super) fn read(bytes: &[u8]) -> Result<(FileSet, Settings), Vec<Problem>> {
    let damaged = |id: &str| vec![Problem::new("configuration", 0, Message::new(id))];
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("catalog-bundle-damaged"))?;
    let (head, mut rest) = text.split_once('\n').ok_or_else(|| damaged("catalog-bundle-damaged"))?;
    match head.strip_prefix(HEAD) {
        Some(VERSION) => {}
        Some(_) => return Err(damaged("catalog-bundle-newer")),
        None => return Err(damaged("catalog-bundle-damaged")),
    }
    let mut files = FileSet::empty();
    let mut settings = None;
    while !rest.is_empty() {
        let (name, content, tail) = part(rest).ok_or_else(|| damaged("catalog-bundle-damaged"))?;
        match name {
            SETTINGS => settings = Some(Settings::compile("settings", content, &|_| None)?),
            name => files.put(name, content.to_owned()),
        }
        rest = tail;
    }
    let settings = settings.ok_or_else(|| damaged("catalog-bundle-damaged"))?;
    Ok((files, settings))
}

fn part(text: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = text.split_once('\n')?;
    let (name, length) = head.rsplit_once(' ')?;
    let length: usize = length.parse().ok()?;
    let content = rest.get(..length)?;
    let tail = rest.get(length..)?.strip_prefix('\n')?;
    Some((name, content, tail))
}

fn settings_text(settings: &Settings, connections: &[Connection]) -> String {
    let company = &settings.company;
    let locale = match settings.locale {
        crate::base::Locale::Ru => "ru",
        crate::base::Locale::En => "en",
    };
    let mut text = format!("locale = {}\n\n[company]\n", quoted(locale));
    let mut line = |name: &str, value: String| {
        writeln!(text, "{name} = {value}").expect("writing to a String does not fail");
    };
    line("name", quoted(&company.name));
    line("zone", quoted(&company.zone_name));
    line("region", quoted(&company.region));
    line("currency", quoted(&company.currency.0));
    line("own_inns", list(&company.own_inns));
    for connection in connections {
        write!(text, "\n[connection.{}]\n", connection.name).expect("writing to a String does not fail");
        let mut line = |name: &str, value: String| {
            writeln!(text, "{name} = {value}").expect("writing to a String does not fail");
        };
        line("connector", quoted(&connection.connector.slug));
        line("mode", quoted(connection.mode.name()));
        if let Some(at) = connection.switch_over {
            line("switch_over", quoted(&at.to_string()));
        }
        for (name, value) in &connection.settings {
            line(name, value_text(value));
        }
    }
    text
}

fn value_text(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => quoted(text),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Bool(flag) => flag.to_string(),
        FieldValue::Texts(texts) => list(texts),
    }
}

fn list(texts: &[String]) -> String {
    let items: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", items.join(", "))
}

fn quoted(text: &str) -> String {
    crate::config::quoted(text)
}
