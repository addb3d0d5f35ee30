//! What people read, in Russian and English.
//!
//! A [`Message`] is an identifier of a Fluent text and its arguments; it is rendered where the
//! reader's language is known. It is persisted as it is (quarantine reasons, dead letters), so a
//! Russian and an English reader see the same row each in their own words.
//! The texts live in `locales/{en,ru}/*.ftl`; a test checks that both languages have the same
//! identifiers and that each identifier used in `src/` exists.

use std::fmt;
use std::sync::LazyLock;

use compact_str::CompactString;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Language of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Russian: the default.
    #[default]
    Ru,
    /// English.
    En,
}

impl Locale {
    /// From `UZEL_LANG`, `LC_ALL`, `LC_MESSAGES` or `LANG`-like text: anything that starts with
    /// `en` is English, `C`/`POSIX` too, the rest is Russian.
    pub fn from_tag(tag: &str) -> Locale {
        let tag = tag.trim().to_ascii_lowercase();
        if tag.starts_with("en") || tag == "c" || tag.starts_with("c.") || tag == "posix" {
            Locale::En
        } else {
            Locale::Ru
        }
    }
}

/// A text for people: identifier of the text, and its arguments in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Identifier in `locales/*/*.ftl`.
    pub id: CompactString,
    /// Named arguments. A value that reads as an integer is given to Fluent as a number, so that
    /// plural forms work.
    pub args: Vec<(CompactString, String)>,
}

impl Message {
    /// A message without arguments.
    pub fn new(id: &str) -> Message {
        Message { id: id.into(), args: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Message {
        self.args.push((name.into(), value.to_string()));
        self
    }

    /// The text in the reader's language; the identifier and arguments themselves when the text is
    /// missing (a bug that `tests/it/locales.rs` catches).
    pub fn render(&self, locale: Locale) -> String {
        let bundle = match locale {
            Locale::Ru => &*RU,
            Locale::En => &*EN,
        };
        let Some(pattern) = bundle.get_message(&self.id).and_then(|message| message.value()) else {
            return format!("{}{:?}", self.id, self.args);
        };
        let mut args = FluentArgs::new();
        for (name, value) in &self.args {
            let looks_like_number = value.len() <= 9 && value.parse::<i64>().is_ok_and(|it| it.to_string() == *value);
            match looks_like_number {
                true => args.set(name.to_string(), FluentValue::try_number(value)),
                false => args.set(name.to_string(), FluentValue::from(value.as_str())),
            }
        }
        let mut errors = Vec::new();
        bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned()
    }
}

impl fmt::Display for Message {
    /// In English: for logs and for `Display` of errors.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Locale::En))
    }
}

/// The text `id` without arguments, if there is one.
pub fn text(id: &str, locale: Locale) -> Option<String> {
    let bundle = match locale {
        Locale::Ru => &*RU,
        Locale::En => &*EN,
    };
    bundle.get_message(id)?.value()?;
    Some(Message::new(id).render(locale))
}

/// Something wrong in a file that a person wrote: names the place and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file, as the person knows it (`mappings/forms/lead.in.toml`).
    pub file: String,
    /// Line from 1; 0 when the whole file is meant.
    pub line: u32,
    /// What is wrong and the next step.
    pub message: Message,
}

impl Problem {
    /// A problem at `file:line`.
    pub fn new(file: impl Into<String>, line: u32, message: Message) -> Problem {
        Problem { file: file.into(), line, message }
    }

    /// `file:line: text`.
    pub fn render(&self, locale: Locale) -> String {
        match self.line {
            0 => format!("{}: {}", self.file, self.message.render(locale)),
            line => format!("{}:{}: {}", self.file, line, self.message.render(locale)),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Locale::En))
    }
}

/// The known name nearest to `word`, if it is near enough to be a slip of the fingers.
pub fn near_miss<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(word, name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// Every file of texts: (name, English, Russian). A new file of `locales/` is added here.
pub const FILES: &[(&str, &str, &str)] = &[
    ("base", include_str!("../../locales/en/base.ftl"), include_str!("../../locales/ru/base.ftl")),
    ("alarm", include_str!("../../locales/en/alarm.ftl"), include_str!("../../locales/ru/alarm.ftl")),
    ("app", include_str!("../../locales/en/app.ftl"), include_str!("../../locales/ru/app.ftl")),
    ("calendar", include_str!("../../locales/en/calendar.ftl"), include_str!("../../locales/ru/calendar.ftl")),
    ("catalog", include_str!("../../locales/en/catalog.ftl"), include_str!("../../locales/ru/catalog.ftl")),
    ("cli", include_str!("../../locales/en/cli.ftl"), include_str!("../../locales/ru/cli.ftl")),
    ("decode", include_str!("../../locales/en/decode.ftl"), include_str!("../../locales/ru/decode.ftl")),
    ("edge", include_str!("../../locales/en/edge.ftl"), include_str!("../../locales/ru/edge.ftl")),
    ("explain", include_str!("../../locales/en/explain.ftl"), include_str!("../../locales/ru/explain.ftl")),
    ("folder", include_str!("../../locales/en/folder.ftl"), include_str!("../../locales/ru/folder.ftl")),
    ("identity", include_str!("../../locales/en/identity.ftl"), include_str!("../../locales/ru/identity.ftl")),
    ("init", include_str!("../../locales/en/init.ftl"), include_str!("../../locales/ru/init.ftl")),
    ("journal", include_str!("../../locales/en/journal.ftl"), include_str!("../../locales/ru/journal.ftl")),
    ("keeping", include_str!("../../locales/en/keeping.ftl"), include_str!("../../locales/ru/keeping.ftl")),
    ("man", include_str!("../../locales/en/man.ftl"), include_str!("../../locales/ru/man.ftl")),
    ("normalize", include_str!("../../locales/en/normalize.ftl"), include_str!("../../locales/ru/normalize.ftl")),
    ("notify", include_str!("../../locales/en/notify.ftl"), include_str!("../../locales/ru/notify.ftl")),
    ("oauth", include_str!("../../locales/en/oauth.ftl"), include_str!("../../locales/ru/oauth.ftl")),
    ("page", include_str!("../../locales/en/page.ftl"), include_str!("../../locales/ru/page.ftl")),
    ("people", include_str!("../../locales/en/people.ftl"), include_str!("../../locales/ru/people.ftl")),
    ("plan", include_str!("../../locales/en/plan.ftl"), include_str!("../../locales/ru/plan.ftl")),
    ("poll", include_str!("../../locales/en/poll.ftl"), include_str!("../../locales/ru/poll.ftl")),
    ("probe", include_str!("../../locales/en/probe.ftl"), include_str!("../../locales/ru/probe.ftl")),
    ("relay", include_str!("../../locales/en/relay.ftl"), include_str!("../../locales/ru/relay.ftl")),
    ("scoring", include_str!("../../locales/en/scoring.ftl"), include_str!("../../locales/ru/scoring.ftl")),
    ("settings", include_str!("../../locales/en/settings.ftl"), include_str!("../../locales/ru/settings.ftl")),
    ("sink", include_str!("../../locales/en/sink.ftl"), include_str!("../../locales/ru/sink.ftl")),
    ("source", include_str!("../../locales/en/source.ftl"), include_str!("../../locales/ru/source.ftl")),
    ("store", include_str!("../../locales/en/store.ftl"), include_str!("../../locales/ru/store.ftl")),
    ("task", include_str!("../../locales/en/task.ftl"), include_str!("../../locales/ru/task.ftl")),
    ("twin", include_str!("../../locales/en/twin.ftl"), include_str!("../../locales/ru/twin.ftl")),
    ("whatif", include_str!("../../locales/en/whatif.ftl"), include_str!("../../locales/ru/whatif.ftl")),
];

static EN: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("en", |file| file.1));
static RU: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| bundle("ru", |file| file.2));

fn bundle(tag: &str, text: fn(&(&str, &'static str, &'static str)) -> &'static str) -> FluentBundle<FluentResource> {
    let language = tag.parse().expect("a literal language tag");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // Isolation marks confuse terminals, and grep.
    bundle.set_use_isolating(false);
    for file in FILES {
        let resource = FluentResource::try_new(text(file).to_owned()).unwrap_or_else(|(partial, _errors)| partial);
        bundle.add_resource_overriding(resource);
    }
    bundle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_miss_finds_slips_and_not_strangers() {
        assert_eq!(near_miss("subdomian", ["subdomain", "login"]), Some("subdomain"));
        assert_eq!(near_miss("phone", ["inn", "email"]), None);
    }

    #[test]
    fn message_speaks_both_languages() {
        let message = Message::new("id-bad-item-ref").with("text", "x.y");
        assert!(message.render(Locale::En).contains("x.y"));
        assert!(message.render(Locale::Ru).contains("x.y"));
        assert_ne!(message.render(Locale::En), message.render(Locale::Ru));
    }
}
