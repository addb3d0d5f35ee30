//! The pages of `docs/reference/` are made from the code: help of the command line, settings of
//! connectors, fields of mappings, bounds. A page that says something else than the code fails
//! here; `UZEL_BLESS=1 cargo test --test it reference` writes the pages anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use uzel::base::{Locale, Slug};
use uzel::catalog::FileSet;
use uzel::cli::help_pages;
use uzel::connector::{Connector, Transport};
use uzel::field::{FieldKind, FieldSpec, FieldValue};
use uzel::mapping::canonical::{Kind, Section, of};

const LIMITS: &str = include_str!("../../src/base/limits.rs");

/// The page must say what the code says.
pub(crate) fn check(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name);
    if std::env::var_os("UZEL_BLESS").is_some_and(|it| it == "1") {
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("docs/reference can be made");
        fs::write(&path, made).expect("the page can be written");
        return;
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    if let Some(difference) = first_difference(&held, made) {
        panic!(
            "docs/reference/{name} is stale, {difference}\nWrite it anew: UZEL_BLESS=1 cargo test --test it reference"
        );
    }
}

/// `None`: the same text.
fn first_difference(held: &str, made: &str) -> Option<String> {
    if held == made {
        return None;
    }
    let same = held.lines().zip(made.lines()).take_while(|(left, right)| left == right).count();
    let line = |text: &str| text.lines().nth(same).unwrap_or("(the end)").to_owned();
    Some(format!("line {}:\n  page: {}\n  code: {}", same + 1, line(held), line(made)))
}

/// The words in the language of the page.
pub(crate) fn say<'t>(locale: Locale, ru: &'t str, en: &'t str) -> &'t str {
    match locale {
        Locale::Ru => ru,
        Locale::En => en,
    }
}

/// Text inside a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn cli_page(locale: Locale) -> String {
    let mut page = String::from(say(
        locale,
        "# Командная строка\n\nЭта страница собрана из справки самой программы. Коды завершения: 0 — сделано; 1 — не вышло; 2 — команда написана неверно; 3 — найдены ошибки (`lint`, `journal verify`, `rebuild --check`, `probe`, `init`, `demo --once`); 4 — такого нет.\n",
        "# Command line\n\nThis page is made from the program's own help. Exit codes: 0 done; 1 failed; 2 the command line does not read; 3 problems were found (`lint`, `journal verify`, `rebuild --check`, `probe`, `init`, `demo --once`); 4 there is no such thing.\n",
    ));
    for (command, help) in help_pages(locale) {
        let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        let _ = write!(page, "\n## {command}\n\n```text\n{}\n```\n", help.trim_end());
    }
    page
}

#[test]
fn pages_of_the_command_line() {
    check("cli.ru.md", &cli_page(Locale::Ru));
    check("cli.en.md", &cli_page(Locale::En));
}

#[test]
fn help_of_every_command_is_in_both_languages() {
    let (ru, en) = (help_pages(Locale::Ru), help_pages(Locale::En));
    let names = |pages: &[(String, String)]| pages.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&ru), names(&en));
    assert!(names(&ru).contains(&"uzel journal verify".to_owned()), "{:?}", names(&ru));
    for ((name, ru), (_, en)) in ru.iter().zip(&en) {
        assert_ne!(ru, en, "{name} speaks one language");
        assert!(ru.contains("Использование") && ru.contains("Показать справку") && en.contains("Usage"), "{name}");
        assert!(!ru.contains("Print help"), "{name}: {ru}");
    }
}

#[test]
fn the_json_interface() {
    let document = serde_json::to_string_pretty(uzel::control::openapi()).expect("it is JSON");
    check("openapi.json", &(document + "\n"));
}

fn kind_of_setting(kind: &FieldKind, locale: Locale) -> String {
    match kind {
        FieldKind::Text => say(locale, "текст", "text").to_owned(),
        FieldKind::Integer => say(locale, "целое", "whole number").to_owned(),
        FieldKind::Bool => "true / false".to_owned(),
        FieldKind::Url => say(locale, "адрес", "address").to_owned(),
        FieldKind::Choice(words) => words.join(" / "),
        FieldKind::Texts => say(locale, "список текстов", "list of texts").to_owned(),
    }
}

fn value(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => format!("\"{text}\""),
        FieldValue::Integer(number) => number.to_string(),
        FieldValue::Bool(flag) => flag.to_string(),
        FieldValue::Texts(texts) => format!("{texts:?}"),
    }
}

fn setting_row(setting: &FieldSpec, locale: Locale) -> String {
    let given = match (setting.secret, setting.required, &setting.default) {
        (true, _, _) => say(locale, "секрет: vault.json", "secret: vault.json").to_owned(),
        (false, _, Some(default)) => format!("{} `{}`", say(locale, "без неё", "default"), value(default)),
        (false, true, None) => say(locale, "обязательна", "required").to_owned(),
        (false, false, None) => say(locale, "необязательна", "optional").to_owned(),
    };
    let (kind, help) = (kind_of_setting(&setting.kind, locale), setting.help(locale));
    format!("| `{}` | {} | {given} | {} | `{}` |\n", setting.name, cell(&kind), cell(help), cell(&setting.example))
}

fn source_lines(connector: &Connector, locale: Locale) -> String {
    let Some(source) = &connector.source else { return String::new() };
    let how = match source.transport {
        Transport::Webhook => {
            say(locale, "приём по адресу `/in/ПОДКЛЮЧЕНИЕ/СЕКРЕТ`", "taken at `/in/CONNECTION/SECRET`")
        }
        Transport::Folder => say(locale, "таблицы из папки", "tables out of a folder"),
        Transport::Exchange1c => say(
            locale,
            "обмен с сайтом по адресу `/exchange/ПОДКЛЮЧЕНИЕ`",
            "exchange with a site at `/exchange/CONNECTION`",
        ),
        Transport::Poll => say(locale, "опрос по расписанию", "asked on a schedule"),
        Transport::Asterisk => say(
            locale,
            "события AMI по открытой связи, пропущенное — из журнала звонков (CDR)",
            "events of AMI over an open link, what was missed from the call records (CDR)",
        ),
    };
    let streams: Vec<String> = source.streams.iter().map(|stream| format!("`{}`", stream.name)).collect();
    let words = say(locale, "Источник", "Source");
    format!("\n{words}: {how}; {}: {}.\n", say(locale, "потоки", "streams"), streams.join(", "))
}

fn sink_lines(connector: &Connector, locale: Locale) -> String {
    let Some(sink) = &connector.sink else { return String::new() };
    let mut text = format!("\n{}:\n\n", say(locale, "Приёмник. Что и куда пишется", "Sink. What is written where"));
    for object in &sink.objects {
        let mapping = format!("mappings/{}/{}.out.toml", connector.slug, object.mapping);
        let _ = writeln!(text, "- `{}`: `{mapping}`", object.kind);
        for field in object.provision.iter().flat_map(|it| &it.fields) {
            let label = say(locale, &field.label.0, &field.label.1);
            let _ = writeln!(text, "  - {} `{}`: {label}", say(locale, "поле", "field"), field.name);
        }
    }
    text
}

fn connectors_page(locale: Locale) -> String {
    let mut page = String::from(say(
        locale,
        "# Коннекторы\n\nСобрано из `connectors/*/connector.toml`. Настройки пишутся в `uzel.toml`, в `[connection.ИМЯ]`; секреты — никогда: их место в `vault.json` (`uzel init` создаёт их сам) или в переменной `UZEL_SECRET_ПОДКЛЮЧЕНИЕ_НАСТРОЙКА`. У каждого подключения есть ещё `connector` и `mode` (`observe` или `live`).\n",
        "# Connectors\n\nMade from `connectors/*/connector.toml`. Settings stand in `uzel.toml`, in `[connection.NAME]`; secrets never do: they are in `vault.json` (`uzel init` makes them) or in the variable `UZEL_SECRET_CONNECTION_SETTING`. Each connection also has `connector` and `mode` (`observe` or `live`).\n",
    ));
    let files = FileSet::builtin();
    for slug in files.connectors() {
        let file = format!("connectors/{slug}/connector.toml");
        let text = files.get(&file).expect("a listed connector has its manifest");
        let name = Slug::new(slug).expect("folders of connectors are named by slugs");
        let connector = Connector::compile(name, &file, text).expect("built-in manifests compile");
        let title = say(locale, &connector.title.0, &connector.title.1);
        let _ = write!(page, "\n## {title} (`{slug}`)\n");
        page.push_str(&source_lines(&connector, locale));
        page.push_str(&sink_lines(&connector, locale));
        let _ = write!(
            page,
            "\n| {} |\n| --- | --- | --- | --- | --- |\n",
            say(
                locale,
                "настройка | вид | задавать | что это | пример",
                "setting | kind | given | what it is | example"
            )
        );
        connector.settings.iter().for_each(|setting| page.push_str(&setting_row(setting, locale)));
        let _ = write!(
            page,
            "\n{}: [setup.md](../../connectors/{slug}/setup.md)\n",
            say(locale, "Что сделать на той стороне", "What to do on the other side")
        );
    }
    page
}

#[test]
fn pages_of_connectors() {
    check("connectors.ru.md", &connectors_page(Locale::Ru));
    check("connectors.en.md", &connectors_page(Locale::En));
}

/// Type of a field, in both languages.
fn kind_of_field(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Text => ("строка", "one line"),
        Kind::Prose => ("текст", "text of several lines"),
        Kind::Name => ("имя или название", "name of a person or company"),
        Kind::Company => ("название компании", "name of a company"),
        Kind::NamePart => ("часть имени", "part of a name"),
        Kind::Phone => ("телефоны", "telephone numbers"),
        Kind::Email => ("адреса почты", "e-mail addresses"),
        Kind::Messenger => ("мессенджер", "messenger"),
        Kind::Visitor => ("посетитель", "visitor"),
        Kind::Contact => ("контакты с типом рядом", "contact points with their type beside"),
        Kind::Inn => ("ИНН", "INN"),
        Kind::Kpp => ("КПП", "KPP"),
        Kind::Ogrn => ("ОГРН", "OGRN"),
        Kind::Flag => ("да или нет", "yes or no"),
        Kind::Instant => ("время", "instant"),
        Kind::Money => ("деньги", "money"),
        Kind::Decimal => ("число", "number"),
        Kind::Foreign => ("идентификатор источника", "id in the source"),
        Kind::ClientKind
        | Kind::Standing
        | Kind::DealState
        | Kind::DocumentKind
        | Kind::InteractionKind
        | Kind::Direction => ("одно из слов", "one of the words"),
        Kind::Click => ("метка клика", "click id"),
    }
}

fn mapping_page() -> String {
    let mut page = String::from(
        "# Поля соответствий / Fields of mappings\n\n\
         Собрано из кода. Слева то, что можно заполнить в `mappings/КОННЕКТОР/ПОТОК.in.toml`; ниже то, что можно отправить в `mappings/КОННЕКТОР/ОБЪЕКТ.out.toml`.\n\n\
         Made from the code. First what `mappings/CONNECTOR/STREAM.in.toml` may fill; below what `mappings/CONNECTOR/OBJECT.out.toml` may send.\n",
    );
    for section in Section::ALL {
        let _ = write!(
            page,
            "\n## [{}]\n\n| поле / field | вид / kind | что это | what it is |\n| --- | --- | --- | --- |\n",
            section.name()
        );
        for spec in of(section) {
            let (ru, en) = kind_of_field(spec.kind);
            let tail = if spec.kind.is_named() { ".ИМЯ" } else { "" };
            let mut kind = if ru == en { ru.to_owned() } else { format!("{ru} / {en}") };
            if !spec.kind.words().is_empty() {
                let _ = write!(kind, ": {}", spec.kind.words().join(", "));
            }
            if spec.kind.is_many() {
                kind.push_str(" (each)");
            }
            let _ =
                writeln!(page, "| `{}{tail}` | {kind} | {} | {} |", spec.name, cell(spec.help.0), cell(spec.help.1));
        }
    }
    page.push_str("\n## out\n\n| имя / name | что это | what it is |\n| --- | --- | --- |\n");
    for (name, _, (ru, en)) in uzel::mapping::outbound::NAMES {
        let _ = writeln!(page, "| `{name}` | {} | {} |", cell(ru), cell(en));
    }
    page
}

#[test]
fn page_of_mappings() {
    check("mapping.md", &mapping_page());
}

/// `256 * 1024` and the like, in figures; what is not a product of numbers stays as written.
fn figures(expression: &str) -> String {
    if let Some((one, shift)) = expression.split_once("<<") {
        let parsed = (one.trim().parse::<u64>(), shift.trim().parse::<u32>());
        return match parsed {
            (Ok(one), Ok(shift)) => (one << shift).to_string(),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => expression.to_owned(),
        };
    }
    let factors = expression.split('*').map(|it| it.trim().replace('_', "").parse::<u64>());
    factors.product::<Result<u64, _>>().map_or_else(|_| expression.to_owned(), |product| product.to_string())
}

fn limits_page(source: &str) -> String {
    let mut page = String::from(
        "# Bounds\n\nMade from `src/base/limits.rs`: every queue, page, body, retry and loop has its bound there, with what happens at it.\n\n| bound | value | what it bounds, and what happens there |\n| --- | --- | --- |\n",
    );
    let mut about = String::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            about.push_str(text);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(':').expect("a constant has a type");
            let (_, value) = rest.split_once('=').expect("a constant has a value");
            let about = std::mem::take(&mut about);
            let value = figures(value.trim().trim_end_matches(';'));
            let _ = writeln!(page, "| `{name}` | {value} | {} |", cell(about.trim()));
        }
    }
    page
}

#[test]
fn page_of_bounds() {
    check("limits.md", &limits_page(LIMITS));
}

/// Every persisted form and the version in which this build writes it.
fn formats_page() -> String {
    let files = [
        ("journal, `journal/*.segment`", u64::from(uzel::journal::format::FORMAT_VERSION), "`src/journal/format.rs`"),
        ("payloads of entries", u64::from(uzel::entry::VERSION), "`src/entry`"),
        ("store, `store/`", u64::from(uzel::store::sled::FORMAT_VERSION), "`src/store/sled.rs`, `src/tables`"),
        (
            "snapshot, `snapshots/*.snapshot`",
            u64::from(uzel::store::snapshot::FORMAT_VERSION),
            "`src/store/snapshot.rs`",
        ),
        ("backup, its manifest", u64::from(uzel::app::backup::FORMAT_VERSION), "`src/app/backup.rs`"),
        ("secrets, `vault.json`", u64::from(uzel::vault::VERSION), "`src/vault`"),
    ];
    let mut page = String::from(
        "# Persisted forms\n\nMade from the code. Each form has a version; this build writes the newest and reads every older one, and refuses a newer one with a message that names both versions: nothing of a newer folder is touched. Bytes are laid down in the module named here; examples of every version are kept in `tests/frozen/`, with whole folders of earlier builds that are opened by `tests/it/upgrade.rs`.\n\n| what | version | where it is laid down |\n| --- | ---: | --- |\n",
    );
    for (what, version, place) in files {
        let _ = writeln!(page, "| {what} | {version} | {place} |");
    }
    page.push_str("\n## Rows of the store\n\nKey: the tag, then the parts of the key, big-endian. Row: the version byte, then the form of that version. A row in an older form stays so until it is changed.\n\n| tag | table | version |\n| --- | --- | ---: |\n");
    for table in uzel::tables::TABLES {
        let _ = writeln!(page, "| 0x{:02X} | {} | {} |", table.tag, table.name, table.version);
    }
    page
}

#[test]
fn page_of_persisted_forms() {
    check("formats.md", &formats_page());
}

#[test]
fn a_stale_page_is_told_by_its_first_line_that_differs() {
    let cases = [
        ("a\nb\n", "a\nb\n", None),
        ("a\nb\n", "a\nc\n", Some("line 2:\n  page: b\n  code: c")),
        ("a\n", "a\nc\n", Some("line 2:\n  page: (the end)\n  code: c")),
        ("", "a\n", Some("line 1:\n  page: (the end)\n  code: a")),
    ];
    for (held, made, expected) in cases {
        assert_eq!(first_difference(held, made).as_deref(), expected, "{held:?} against {made:?}");
    }
}

#[test]
fn bounds_are_read_with_their_words() {
    let source = "//! Bounds.\n\n/// A body, bytes.\n/// Above: 413.\npub const BODY_MAX: usize = 256 * 1024;\n/// Items.\npub const ITEMS_MAX: u32 = 1 << 20;\n/// A wait, ms.\npub const WAIT_MS: i64 = 10 * 60_000;\n";
    let rows: Vec<String> = limits_page(source).lines().skip(6).map(str::to_owned).collect();
    let expected = [
        "| `BODY_MAX` | 262144 | A body, bytes. Above: 413. |",
        "| `ITEMS_MAX` | 1048576 | Items. |",
        "| `WAIT_MS` | 600000 | A wait, ms. |",
    ];
    assert_eq!(rows, expected);
}
