//! What a probe found, before there is a folder: asked of a CRM that nobody has settings for yet,
//! and written down for the people who will read `uzel.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Folder;
use super::error::Problems;
use super::links;
use crate::base::clock::SystemClock;
use crate::base::{Locale, Message, Secret, Slug};
use crate::catalog::Catalog;
use crate::config::{NewConnection, Settings, quoted};
use crate::net::Quotas;
use crate::probe::{Foreign, ProbeView, Standing, WordView};
use crate::sink::Settings as SinkSettings;

/// Letters of a key of an employee.
const KEY_CHARS_MAX: usize = 24;

/// Probes a connection that stands in no file yet. `secrets` are by setting.
pub async fn look(
    folder: &Folder,
    connection: &NewConnection,
    secrets: Vec<(String, Secret)>,
    locale: Locale,
) -> anyhow::Result<Option<ProbeView>> {
    let settings = Settings::compile("uzel.toml", &connection.section(), &|_| None).map_err(Problems)?;
    let catalog = Catalog::compile(&folder.files()?, &settings).map_err(Problems)?;
    let Some(connection) = catalog.connection(&connection.name) else { return Ok(None) };
    let mut view = ProbeView::begin(connection, locale);
    let foreign = Foreign {
        connection,
        settings: SinkSettings { values: connection.settings.clone(), secrets },
        wire: links::plain_wire(connection)?,
        guard: links::guard(connection)?,
        rights: None,
        quotas: Arc::new(Quotas::new()),
        clock: Arc::new(SystemClock),
        people: &catalog.people,
        locale,
    };
    foreign.probe(&mut view).await;
    Ok(Some(view))
}

/// What was found, as lines of comments.
pub(super) fn comments(found: &ProbeView, locale: Locale) -> Vec<String> {
    let mut lines = vec![comment(&Message::new("init-found").render(locale))];
    let told = |check: &str| ["reach", "let-in", "quota", "employees", "pipeline", "stage", "user"].contains(&check);
    for check in found.checks.iter().filter(|it| it.standing == Standing::Fail || !told(&it.check)) {
        lines.push(comment(&format!("{}: {}", check.title, check.text)));
    }
    for dictionary in ["pipeline", "stage", "user"] {
        let mut words = found.dictionary(dictionary).filter(|it| it.active).peekable();
        if words.peek().is_some() {
            lines.push(comment(&Message::new(&format!("init-found-{dictionary}")).render(locale)));
            lines.extend(words.map(|word| comment(&format!("  {} = {}", word.id, word.name))));
        }
    }
    lines
}

fn comment(text: &str) -> String {
    format!("# {}", one_line(text))
}

/// A foreign name may hold what would end a line, and the comment with it.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// A file of employees from the users of the CRM that are in use.
pub(super) fn employees(found: &ProbeView, locale: Locale) -> String {
    let mut text = format!("# {}\n", one_line(&Message::new("init-employees").render(locale)));
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for user in found.dictionary("user").filter(|it| it.active && !it.name.trim().is_empty()) {
        let key = key(user);
        let times = taken.entry(key.clone()).or_default();
        *times += 1;
        let key = if *times == 1 { key } else { format!("user-{}", latin(&user.id)) };
        text.push_str(&format!("\n[[employee]]\nkey = {}\nname = {}\n", quoted(&key), quoted(&one_line(&user.name))));
        text.push_str(&format!("ids = {{ {} = {} }}\n", found.connection, quoted(&user.id)));
        if !user.phone.is_empty() {
            text.push_str(&format!("extension = {}\n", quoted(&user.phone)));
        }
        if crate::normalize::email(&user.email).value.is_some() {
            text.push_str(&format!("mailbox = {}\n", quoted(&user.email)));
        }
    }
    text
}

/// A key that people can read: the family name in Latin letters, else the id.
fn key(user: &WordView) -> String {
    let family = user.name.split_whitespace().last().unwrap_or_default();
    let key: String = latin(family).chars().take(KEY_CHARS_MAX).collect();
    let begins_well = key.starts_with(|it: char| it.is_ascii_lowercase());
    match Slug::new(&key) {
        Some(_) if begins_well => key,
        Some(_) | None => format!("user-{}", latin(&user.id)),
    }
}

fn latin(text: &str) -> String {
    text.to_lowercase().chars().map(latin_letter).collect()
}

fn latin_letter(letter: char) -> String {
    const LETTERS: [(char, &str); 33] = [
        ('а', "a"),
        ('б', "b"),
        ('в', "v"),
        ('г', "g"),
        ('д', "d"),
        ('е', "e"),
        ('ё', "e"),
        ('ж', "zh"),
        ('з', "z"),
        ('и', "i"),
        ('й', "y"),
        ('к', "k"),
        ('л', "l"),
        ('м', "m"),
        ('н', "n"),
        ('о', "o"),
        ('п', "p"),
        ('р', "r"),
        ('с', "s"),
        ('т', "t"),
        ('у', "u"),
        ('ф', "f"),
        ('х', "h"),
        ('ц', "ts"),
        ('ч', "ch"),
        ('ш', "sh"),
        ('щ', "sch"),
        ('ъ', ""),
        ('ы', "y"),
        ('ь', ""),
        ('э', "e"),
        ('ю', "yu"),
        ('я', "ya"),
    ];
    match LETTERS.iter().find(|(held, _)| *held == letter) {
        Some((_, latin)) => (*latin).to_owned(),
        None if letter.is_ascii_alphanumeric() => letter.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str, name: &str, active: bool) -> WordView {
        WordView {
            dictionary: "user".to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            within: String::new(),
            active,
            email: format!("user{id}@portal.example"),
            phone: String::new(),
        }
    }

    fn found(words: Vec<WordView>) -> ProbeView {
        ProbeView {
            connection: "bitrix24".to_owned(),
            connector: "bitrix24".to_owned(),
            title: "Битрикс24".to_owned(),
            standing: Standing::Fine,
            checks: Vec::new(),
            words,
        }
    }

    #[test]
    fn users_become_employees_whatever_they_are_called() {
        let users = [
            ("1", "Анна Щербакова", true),
            ("2", "Пётр Щербакова", true),
            ("3", "Уволенный", false),
            ("4", "李 小龍", true),
            ("5", "Roy \"X\" O'Neil\n[x]", true),
            ("6", "  ", true),
        ];
        let users = users.into_iter().map(|(id, name, active)| user(id, name, active)).collect();
        let text = employees(&found(users), Locale::Ru);
        let read: toml::Table = text.parse().expect("it is TOML");
        let of = |name: &str| -> Vec<&str> {
            read["employee"].as_array().expect("a list").iter().filter_map(|it| it[name].as_str()).collect()
        };
        assert_eq!(of("key"), ["scherbakova", "user-2", "user-4", "x"]);
        assert_eq!(of("mailbox").len(), 4);
    }

    #[test]
    fn a_foreign_name_does_not_end_a_comment() {
        let mut pipeline = user("1", "Общая\n[company]\nzone = \"UTC\"", true);
        pipeline.dictionary = "pipeline".to_owned();
        let lines = comments(&found(vec![pipeline]), Locale::Ru);
        assert!(lines.iter().all(|line| line.starts_with('#') && !line.contains('\n')), "{lines:?}");
    }
}
