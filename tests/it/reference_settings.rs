//! `docs/reference/settings.*` is made of the table `config::reference`, and the table is held
//! against the readers of the files: they are asked what they know, what holds without a setting, and
//! what they refuse.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use uzel::base::message::text;
use uzel::base::{Locale, Problem};
use uzel::config::reference::{CONNECTION, File, Given, Kind, SECTIONS, Section, Setting, Unit};
use uzel::config::{RelaySettings, Settings};

use super::reference::{cell, check, say};

fn file_name(file: File) -> &'static str {
    match file {
        File::Uzel => "uzel.toml",
        File::Relay => "relay.toml",
    }
}

fn kind_words(kind: &Kind, locale: Locale) -> String {
    match kind {
        Kind::Text => say(locale, "текст", "text").to_owned(),
        Kind::Texts => say(locale, "список текстов", "list of texts").to_owned(),
        Kind::Bool => "true / false".to_owned(),
        Kind::Moment => say(locale, "дата и время", "date and time").to_owned(),
        Kind::Choice(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(" / "),
        Kind::Number { low, high, unit } => {
            let unit = match unit {
                Unit::Pieces => String::new(),
                other => format!(", {}", text(other.id(), locale).expect("a unit has its word")),
            };
            format!("{low}…{high}{unit}")
        }
    }
}

fn given_words(setting: &Setting, locale: Locale) -> String {
    match setting.given {
        Given::Required => say(locale, "обязательна", "required").to_owned(),
        Given::Otherwise(value) => format!("`{value}`"),
        Given::Depends => say(locale, "зависит", "depends").to_owned(),
        Given::Optional => "—".to_owned(),
    }
}

fn page(locale: Locale) -> String {
    let mut page = String::from(say(
        locale,
        "# Настройки\n\nВсе настройки `uzel.toml` и `relay.toml`; наши тесты сверяют эту страницу с тем, что программа читает на самом деле. Настройку заменяет переменная среды из последнего столбца. Неизвестная настройка — ошибка, с подсказкой, на что она похожа; `uzel lint` покажет все ошибки сразу. Изменения действуют после перезапуска.\n",
        "# Settings\n\nEvery setting of `uzel.toml` and `relay.toml`; our tests hold this page against what the program really reads. The variable of the environment in the last column takes the place of the setting. An unknown setting is an error that names its near miss; `uzel lint` shows all errors at once. Changes take force after a restart.\n",
    ));
    for section in SECTIONS {
        let about = text(&section.text_id(), locale).expect("a section has its text");
        let title = match section.name {
            "" => say(locale, "Вне разделов", "Before the sections").to_owned(),
            name => format!("[{name}]"),
        };
        let file = match section.file {
            File::Uzel => String::new(),
            File::Relay => format!(" ({})", file_name(section.file)),
        };
        let columns = say(
            locale,
            "настройка | вид | без неё | что это | пример | переменная",
            "setting | kind | without it | what it is | example | variable",
        );
        let _ = write!(page, "\n## {title}{file}\n\n{about}\n\n| {columns} |\n| --- | --- | --- | --- | --- | --- |\n");
        for setting in section.settings {
            let about = text(&setting.text_id(section), locale).expect("a setting has its text");
            let variable = setting.variable_name(section).map_or("—".to_owned(), |name| format!("`{name}`"));
            let (kind, given) = (kind_words(&setting.kind, locale), given_words(setting, locale));
            let cells = [&kind, &given, &about].map(|it| cell(it));
            let [kind, given, about] = cells;
            let _ = writeln!(
                page,
                "| `{}` | {kind} | {given} | {about} | `{}` | {variable} |",
                setting.name,
                cell(setting.example)
            );
        }
    }
    page
}

#[test]
fn pages_of_settings() {
    check("settings.ru.md", &page(Locale::Ru));
    check("settings.en.md", &page(Locale::En));
}

/// What a file says, as text; what stands in it word for word is left out.
fn seen(file: File, text: &str, variables: &[(String, String)]) -> Result<String, Vec<Problem>> {
    let given = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match file {
        File::Relay => RelaySettings::compile("relay.toml", text, &given).map(|it| format!("{it:?}")),
        File::Uzel => Settings::compile("uzel.toml", text, &given).and_then(|mut settings| {
            let mut connections = String::new();
            for it in std::mem::take(&mut settings.connections) {
                it.read(&[])?;
                let said = (&it.connector, it.mode, it.switch_over, it.silence_h);
                let _ = write!(connections, "{said:?}");
            }
            Ok(format!("{settings:?}{connections}"))
        }),
    }
}

/// The section with what it requires and these lines, and what must stand beside it.
fn written(section: &Section, without: &str, lines: &str) -> String {
    let mut text = String::new();
    if !section.name.is_empty() {
        let _ = writeln!(text, "[{}]", section.name.replace("<name>", "site"));
    }
    for setting in section.settings.iter().filter(|it| it.given == Given::Required && it.name != without) {
        let _ = writeln!(text, "{} = {}", setting.name, setting.example);
    }
    text.push_str(lines);
    // A second address is for HTTPS only.
    if section.name == "listen" {
        text.push_str("\n[listen.tls]\ncertificate = \"a.pem\"\nkey = \"a.key\"\n");
    }
    text
}

fn every_setting(mut told: impl FnMut(&Section, &Setting)) {
    SECTIONS.iter().for_each(|section| section.settings.iter().for_each(|setting| told(section, setting)));
}

fn place(section: &Section, setting: &Setting) -> String {
    format!("{} [{}] {}", file_name(section.file), section.name, setting.name)
}

#[test]
fn the_readers_know_these_settings_and_no_others() {
    for section in SECTIONS {
        let problems = seen(section.file, &written(section, "", "qqzzxx = 1\n"), &[]).expect_err("nobody knows it");
        let ids: Vec<&str> = problems.iter().map(|it| it.message.id.as_str()).collect();
        assert_eq!(ids, ["toml-unknown-list"], "[{}] {problems:?}", section.name);
        let known = problems[0].message.args.iter().find(|(name, _)| name == "known").map(|(_, known)| known.clone());
        let known: BTreeSet<String> = known.unwrap_or_default().split(", ").map(str::to_owned).collect();
        // Sections within this one stand beside its settings.
        let begin = if section.name.is_empty() { String::new() } else { format!("{}.", section.name) };
        let same_file = SECTIONS.iter().filter(|it| it.file == section.file && it.name != section.name);
        let within = same_file.filter_map(|it| it.name.strip_prefix(&begin)).filter_map(|it| it.split('.').next());
        let within = within.filter(|it| !it.is_empty()).map(str::to_owned);
        let expected: BTreeSet<String> =
            section.settings.iter().map(|setting| setting.name.to_owned()).chain(within).collect();
        assert_eq!(known, expected, "{} [{}]", file_name(section.file), section.name);
    }
}

#[test]
fn a_mistyped_setting_is_refused_with_its_near_miss() {
    every_setting(|section, setting| {
        let mistyped = format!("{}{}", &setting.name[..1], setting.name);
        if setting.name.len() < 4 {
            return;
        }
        let text = written(section, "", &format!("{mistyped} = {}\n", setting.example));
        let problems = seen(section.file, &text, &[]).expect_err("it is mistyped");
        let near = problems.iter().find(|it| it.message.id == "toml-unknown").map(|it| it.render(Locale::En));
        let wanted = format!("did you mean \"{}\"?", setting.name);
        assert!(near.as_ref().is_some_and(|it| it.contains(&wanted)), "{}: {problems:?}", place(section, setting));
    });
}

#[test]
fn what_holds_without_a_setting_is_what_the_page_says() {
    every_setting(|section, setting| {
        let place = place(section, setting);
        let read = |lines: &str| seen(section.file, &written(section, setting.name, lines), &[]);
        let example = read(&format!("{} = {}\n", setting.name, setting.example));
        let example = example.unwrap_or_else(|problems| panic!("{place}: the example is refused: {problems:?}"));
        match setting.given {
            Given::Required => assert!(read("").is_err(), "{place} is not required"),
            Given::Otherwise(value) => {
                let bare = read("").unwrap_or_else(|problems| panic!("{place}: {problems:?}"));
                let explicit = read(&format!("{} = {value}\n", setting.name)).expect("it is a value of its kind");
                assert_eq!(bare, explicit, "{place}");
                assert_ne!(bare, example, "{place}: the example changes nothing");
            }
            Given::Optional => assert_ne!(read("").expect("it is optional"), example, "{place}"),
            Given::Depends => {
                let without = read("").expect("something holds without it");
                // `challenge` without a plain address is just its example.
                assert_eq!(without == example, setting.name == "challenge", "{place}");
            }
        }
    });
}

#[test]
fn kinds_and_bounds_are_what_the_readers_take() {
    every_setting(|section, setting| {
        let place = place(section, setting);
        let read = |value: &str| {
            let text = written(section, setting.name, &format!("{} = {value}\n", setting.name));
            seen(section.file, &text, &[])
        };
        match &setting.kind {
            Kind::Number { low, high, .. } => {
                for (number, is_taken) in [(*low, true), (*high, true), (low - 1, false), (high + 1, false)] {
                    assert_eq!(read(&number.to_string()).is_ok(), is_taken, "{place} = {number}");
                }
                assert!(read("\"many\"").is_err(), "{place}");
            }
            Kind::Choice(words) => {
                assert!(read("\"qqzzxx\"").is_err(), "{place}");
                let takes = |word: &str| match read(&format!("\"{word}\"")) {
                    Ok(_) => true,
                    // What it needs beside it is another matter.
                    Err(problems) => problems.iter().all(|it| it.message.id == "config-acme-plain"),
                };
                words.iter().for_each(|word| assert!(takes(word), "{place} = {word}"));
            }
            Kind::Bool => assert!(read("true").is_ok() && read("1").is_err(), "{place}"),
            Kind::Text => assert!(read("7").is_err() && read("[\"a\"]").is_err(), "{place}"),
            Kind::Texts => assert!(read("7").is_err() && read("[7]").is_err(), "{place}"),
            Kind::Moment => assert!(read("\"soon\"").is_err() && read("7").is_err(), "{place}"),
        }
    });
}

/// A value of TOML as it stands in a variable.
fn plain(value: &str) -> String {
    match toml::from_str::<toml::Table>(&format!("it = {value}")).expect("it is TOML").remove("it") {
        Some(toml::Value::String(text)) => text,
        Some(toml::Value::Array(items)) => {
            items.iter().map(|it| it.as_str().expect("a text")).collect::<Vec<_>>().join(",")
        }
        other => other.expect("a value").to_string(),
    }
}

#[test]
fn the_variable_takes_the_place_of_the_setting() {
    every_setting(|section, setting| {
        let place = place(section, setting);
        let named = setting.variable_name(section).map(|it| it.replace("<NAME>", "SITE"));
        let guessed =
            Setting { name: setting.name, kind: Kind::Text, given: setting.given, example: "", variable: true };
        let guessed = guessed.variable_name(section).expect("it has one").replace("<NAME>", "SITE");
        let variables = [(named.clone().unwrap_or(guessed), plain(setting.example))];
        let lines = format!("{} = {}\n", setting.name, setting.example);
        let in_file = seen(section.file, &written(section, setting.name, &lines), &[]).expect("an example is right");
        let by_variable = seen(section.file, &written(section, setting.name, ""), &variables);
        let is_same = by_variable.as_ref() == Ok(&in_file);
        let alike_without = setting.name == "challenge";
        assert_eq!(is_same || alike_without, named.is_some() || alike_without, "{place}: {by_variable:?}\n{in_file}");
    });
}

#[test]
fn every_text_belongs_to_a_setting() {
    let mut expected = BTreeSet::new();
    for section in SECTIONS {
        expected.insert(section.text_id());
        expected.extend(section.settings.iter().map(|setting| setting.text_id(section)));
    }
    let held = include_str!("../../locales/en/settings.ftl").lines();
    let held: BTreeSet<String> = held
        .filter_map(|line| line.split_once(" = "))
        .map(|(id, _)| id.to_owned())
        .filter(|id| !id.starts_with("setting-unit-"))
        .collect();
    assert_eq!(held, expected);
    assert!(SECTIONS.iter().any(|it| it.name == CONNECTION));
}
