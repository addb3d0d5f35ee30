//! `[[setting]]`: what an administrator has to set.

use crate::base::Message;
use crate::field::{FieldKind, FieldSpec, Table};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Bool,
    Url,
    Choice,
    Texts,
}

const KINDS: &[(&str, Kind)] = &[
    ("text", Kind::Text),
    ("integer", Kind::Integer),
    ("bool", Kind::Bool),
    ("url", Kind::Url),
    ("choice", Kind::Choice),
    ("texts", Kind::Texts),
];

/// Reads every `[[setting]]` of the manifest.
pub(super) fn read_all(manifest: &Table<'_>) -> Vec<FieldSpec> {
    let mut settings: Vec<FieldSpec> = Vec::new();
    for table in manifest.tables("setting") {
        let line = table.line;
        let Some(setting) = read(table) else { continue };
        if settings.iter().any(|it| it.name == setting.name) {
            manifest.lint().report(line, Message::new("connector-twice").with("what", &setting.name));
        }
        settings.push(setting);
    }
    settings
}

fn read(table: Table<'_>) -> Option<FieldSpec> {
    let name = table.required_text("name");
    require_kind(&table);
    let kind = table.choice("kind", KINDS);
    let choices: Vec<String> = table.texts("choices").into_iter().map(|(text, _)| text.to_owned()).collect();
    if choices.is_empty() && matches!(kind, Some(Kind::Choice)) {
        table.report("kind", Message::new("toml-missing").with("name", "choices"));
    }
    let required = table.boolean("required").unwrap_or(false);
    let secret = table.boolean("secret").unwrap_or(false);
    let help_ru = table.required_text("help_ru");
    let help_en = table.required_text("help_en");
    let example = table.required_text("example");
    let default = table.node("default");
    let kind = kind.map(|kind| match kind {
        Kind::Text => FieldKind::Text,
        Kind::Integer => FieldKind::Integer,
        Kind::Bool => FieldKind::Bool,
        Kind::Url => FieldKind::Url,
        Kind::Choice => FieldKind::Choice(choices),
        Kind::Texts => FieldKind::Texts,
    });
    let mut setting = FieldSpec {
        name: name.unwrap_or_default().to_owned(),
        kind: kind.clone().unwrap_or(FieldKind::Text),
        required,
        secret,
        default: None,
        help: (help_ru.unwrap_or_default().to_owned(), help_en.unwrap_or_default().to_owned()),
        example: example.unwrap_or_default().to_owned(),
    };
    if let Some(node) = default {
        setting.default = setting.value_of(node);
        if setting.default.is_none() {
            let message = Message::new("field-wrong").with("name", "default").with("example", &setting.example);
            table.report("default", message);
        }
    }
    table.close();
    (name.is_some() && kind.is_some()).then_some(setting)
}

fn require_kind(table: &Table<'_>) {
    if table.node("kind").is_none() {
        table.report("kind", Message::new("toml-missing").with("name", "kind"));
    }
}
