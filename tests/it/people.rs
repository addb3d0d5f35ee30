//! Employees and distribution as functions: who is meant, whom a lead goes to, and why.

use compact_str::CompactString;
use expect_test::{Expect, expect};
use jiff::civil::Date;
use proptest::prelude::*;
use uzel::base::{Locale, Slug, Timestamp};
use uzel::calendar::Calendar;
use uzel::catalog::FileSet;
use uzel::model::{ClientKind, Utm};
use uzel::people::{Assigned, Desk, Files, Lead, People, Presence, UntouchedTo};

const EMPLOYEES: &str = r#"
head = "smirnov"
duty = ["petrov"]
[[employee]]
key = "ivanova"
name = "Иванова Анна"
ids = { bitrix24 = "7", 1c = ["Иванова А.", "Анна"] }
extension = "101"
mobile = "8 916 000-00-01"
mailbox = "Ivanova@company.ru"
deputy = "sidorov"
groups = ["Москва"]
shifts = ["утро"]
[[employee]]
key = "petrov"
name = "Пётр Петров"
ids = { bitrix24 = "8" }
valid_to = 2026-12-04
groups = ["Москва", "Все"]
cap = 2
[[employee]]
key = "sidorov"
name = "Сидоров Олег"
ids = { bitrix24 = "9" }
absences = [{ from = "2026-11-23", to = "2026-11-29", why = "отпуск" }]
groups = ["Москва"]
[[employee]]
key = "smirnov"
name = "Смирнов Игорь"
ids = { bitrix24 = "1" }
"#;

const ORGANISATIONS: &str = r#"
[[organisation]]
key = "romashka"
name = "ООО «Ромашка»"
inn = "7707083893"
bases = ["1c"]
"#;

const DISTRIBUTION: &str = r#"
[region."Москва"]
phone = ["495", "+375"]
inn = ["77"]
[[rule]]
connection = "site"
region = "Москва"
to = "Москва"
[[rule]]
page = "/opt"
kind = "company"
to = "Москва"
[[rule]]
utm_source = ["yandex", "vk"]
to = "Все"
[[untouched]]
after_minutes = 15
to = "next"
[[untouched]]
after_minutes = 30
to = "head"
"#;

const SHIFTS: &str = r#"
production = "ru"
[[shift]]
name = "утро"
days = "mon-fri"
from = "09:00"
to = "15:00"
[[shift]]
name = "вечер"
days = "mon-fri"
from = "12:00"
to = "21:00"
"#;

fn calendar() -> Calendar {
    let zone = jiff::tz::TimeZone::get("Europe/Moscow").expect("bundled");
    let files = FileSet::builtin();
    let read = &mut |name: &str| files.get(name).map(str::to_owned);
    Calendar::compile("rules/calendar.toml", SHIFTS, &zone, read).expect("it compiles")
}

fn compile(employees: &str, organisations: &str, distribution: &str) -> Result<People, Vec<String>> {
    let calendar = calendar();
    let files = Files {
        employees: ("rules/employees.toml", employees),
        organisations: ("rules/organisations.toml", organisations),
        distribution: ("rules/distribution.toml", distribution),
        calendar: &calendar,
        connections: &["site", "1c", "bitrix24"],
        region: "RU",
    };
    People::compile(&files).map_err(|problems| problems.iter().map(|it| it.render(Locale::En)).collect())
}

fn people() -> People {
    compile(EMPLOYEES, ORGANISATIONS, DISTRIBUTION).expect("it compiles")
}

/// `2026-11-20 17:50` in Moscow.
fn at(text: &str) -> Timestamp {
    let civil: jiff::civil::DateTime = text.replace(' ', "T").parse().expect("a time in a test");
    let zoned = civil.in_tz("Europe/Moscow").expect("in range");
    Timestamp::from_jiff(zoned.timestamp())
}

fn desk(taken: &[(&'static str, u64)], open: &[(&'static str, u64)]) -> Desk {
    let slugs = |pairs: &[(&'static str, u64)]| pairs.iter().map(|(key, it)| (Slug::literal(key), *it)).collect();
    Desk { taken: slugs(taken), open: slugs(open), left: Vec::new() }
}

fn said(assigned: &Assigned) -> String {
    let why: Vec<String> = assigned.why.iter().map(|it| it.render(Locale::Ru)).collect();
    let employee = assigned.employee.as_deref().unwrap_or("nobody");
    format!("{employee}: {}", why.join("; "))
}

fn moscow(phones: &[CompactString]) -> Lead<'_> {
    Lead { connection: "site", phones, ..Lead::default() }
}

/// A lead of Moscow at this time, with this desk, of a client of `own`.
fn check(now: &str, own: Option<&str>, desk: &Desk, expected: Expect) {
    let phones = [CompactString::new("+74955550101")];
    let assigned = people().distribute(&moscow(&phones), own, desk, &calendar(), at(now));
    expected.assert_eq(&said(&assigned));
}

#[test]
fn turn_goes_to_whoever_has_waited_longest() {
    let now = "2026-11-20 14:00";
    check(
        now,
        None,
        &Desk::default(),
        expect!["ivanova: правило в строке 5: группа «Москва»; Иванова Анна: очередь в группе «Москва»"],
    );
    check(
        now,
        None,
        &desk(&[("ivanova", 5)], &[]),
        expect!["petrov: правило в строке 5: группа «Москва»; Пётр Петров: очередь в группе «Москва»"],
    );
    check(
        now,
        None,
        &desk(&[("ivanova", 5), ("petrov", 6)], &[]),
        expect!["sidorov: правило в строке 5: группа «Москва»; Сидоров Олег: очередь в группе «Москва»"],
    );
    check(
        now,
        None,
        &desk(&[("ivanova", 5), ("petrov", 6), ("sidorov", 7)], &[]),
        expect!["ivanova: правило в строке 5: группа «Москва»; Иванова Анна: очередь в группе «Москва»"],
    );
}

#[test]
fn absent_dismissed_full_and_off_shift_are_passed_over() {
    // Ivanova works till 15:00.
    check(
        "2026-11-20 16:00",
        None,
        &Desk::default(),
        expect!["petrov: правило в строке 5: группа «Москва»; Пётр Петров: очередь в группе «Москва»"],
    );
    check(
        "2026-11-20 14:00",
        None,
        &desk(&[("ivanova", 5)], &[("petrov", 2)]),
        expect![
            "sidorov: правило в строке 5: группа «Москва»; Пётр Петров пропускает очередь: открытых сделок 2, предел 2; Сидоров Олег: очередь в группе «Москва»"
        ],
    );
    check(
        "2026-11-23 14:00",
        None,
        &desk(&[("ivanova", 5), ("petrov", 6)], &[]),
        expect![
            "ivanova: правило в строке 5: группа «Москва»; Сидоров Олег отсутствует по 29.11.2026: отпуск; Иванова Анна: очередь в группе «Москва»"
        ],
    );
    // Petrov's last day was the 4th: in the middle of his turn.
    check(
        "2026-12-07 14:00",
        None,
        &desk(&[("ivanova", 5), ("petrov", 1), ("sidorov", 6)], &[]),
        expect![
            "ivanova: правило в строке 5: группа «Москва»; Пётр Петров больше не работает, последний день 04.12.2026; Иванова Анна: очередь в группе «Москва»"
        ],
    );
    // Nobody: it is all up to the head.
    check(
        "2026-11-23 16:00",
        None,
        &desk(&[], &[("petrov", 2), ("ivanova", 0)]),
        expect![
            "ivanova: правило в строке 5: группа «Москва»; Пётр Петров пропускает очередь: открытых сделок 2, предел 2; Сидоров Олег отсутствует по 29.11.2026: отпуск; никого из группы «Москва» нет на смене, лид ждёт до 24.11.2026 09:00; Иванова Анна: очередь в группе «Москва»"
        ],
    );
}

#[test]
fn at_night_it_goes_to_whoever_comes_first() {
    check(
        "2026-11-20 23:00",
        None,
        &Desk::default(),
        expect![
            "ivanova: правило в строке 5: группа «Москва»; никого из группы «Москва» нет на смене, лид ждёт до 23.11.2026 09:00; Иванова Анна: очередь в группе «Москва»"
        ],
    );
    // Sidorov is back only a week later: he does not come on Monday.
    check(
        "2026-11-21 12:00",
        None,
        &desk(&[("ivanova", 5), ("petrov", 4)], &[("petrov", 2)]),
        expect![
            "ivanova: правило в строке 5: группа «Москва»; Пётр Петров пропускает очередь: открытых сделок 2, предел 2; никого из группы «Москва» нет на смене, лид ждёт до 23.11.2026 09:00; Иванова Анна: очередь в группе «Москва»"
        ],
    );
}

#[test]
fn known_client_goes_to_his_own_or_whoever_stands_in() {
    check("2026-11-20 23:00", Some("ivanova"), &Desk::default(), expect!["ivanova: клиента ведёт Иванова Анна"]);
    check(
        "2026-11-24 12:00",
        Some("sidorov"),
        &Desk::default(),
        expect![
            "petrov: клиента ведёт Сидоров Олег; Сидоров Олег отсутствует по 29.11.2026: отпуск; дежурит Пётр Петров"
        ],
    );
    check(
        "2026-12-07 12:00",
        Some("petrov"),
        &Desk::default(),
        expect![
            "smirnov: клиента ведёт Пётр Петров; Пётр Петров больше не работает, последний день 04.12.2026; руководитель Смирнов Игорь"
        ],
    );
    check(
        "2026-11-20 12:00",
        Some("Кузнецова"),
        &Desk::default(),
        expect![
            "ivanova: клиента вёл «Кузнецова», такого сотрудника нет; правило в строке 5: группа «Москва»; Иванова Анна: очередь в группе «Москва»"
        ],
    );
}

#[test]
fn deputies_are_asked_in_turn_then_duty_then_head() {
    let away = EMPLOYEES.replace("extension = \"101\"", "absences = [{ from = \"2026-11-20\", to = \"2026-11-30\" }]");
    let people = compile(&away, ORGANISATIONS, DISTRIBUTION).expect("it compiles");
    let stands_in = |now: &str| said(&people.stand_in("ivanova", &calendar(), at(now)));
    expect!["sidorov: Иванова Анна отсутствует по 30.11.2026; замещает Сидоров Олег"]
        .assert_eq(&stands_in("2026-11-20 12:00"));
    expect!["petrov: Иванова Анна отсутствует по 30.11.2026; Сидоров Олег отсутствует по 29.11.2026: отпуск; дежурит Пётр Петров"].assert_eq(&stands_in("2026-11-24 12:00"));
    let gone = away.replace("valid_to = 2026-12-04", "valid_to = 2026-11-01");
    let people = compile(&gone, ORGANISATIONS, DISTRIBUTION).expect("it compiles");
    expect!["smirnov: Иванова Анна отсутствует по 30.11.2026; Сидоров Олег отсутствует по 29.11.2026: отпуск; руководитель Смирнов Игорь"].assert_eq(&said(&people.stand_in("ivanova", &calendar(), at("2026-11-24 12:00"))));
    let nobody = gone.replace("name = \"Смирнов Игорь\"", "name = \"Смирнов Игорь\"\nvalid_from = \"2027-01-11\"");
    let people = compile(&nobody, ORGANISATIONS, DISTRIBUTION).expect("it compiles");
    expect!["nobody: Иванова Анна отсутствует по 30.11.2026; Сидоров Олег отсутствует по 29.11.2026: отпуск; Смирнов Игорь работает только с 11.01.2027; отдать некому. Назначьте head в rules/employees.toml"].assert_eq(&said(&people.stand_in("ivanova", &calendar(), at("2026-11-24 12:00"))));
}

#[test]
fn untouched_lead_goes_on_to_the_next_and_then_to_the_head() {
    let people = people();
    let told = |(at, to): (Timestamp, UntouchedTo)| {
        let zoned = at.to_jiff().to_zoned(calendar().zone().clone());
        format!("{} {to:?}", zoned.strftime("%d.%m %H:%M"))
    };
    let steps: Vec<String> = people.untouched_at(&calendar(), at("2026-11-20 20:50")).into_iter().map(told).collect();
    assert_eq!(steps, ["23.11 09:05 Next", "23.11 09:20 Head"]);
    let now = at("2026-11-20 14:05");
    let desk = desk(&[("ivanova", 5)], &[]);
    let next = people.escalate(UntouchedTo::Next, "ivanova", Some("Москва"), &desk, &calendar(), now);
    expect![
        "petrov: работа с лидом вовремя не началась, его держит Иванова Анна; Пётр Петров: очередь в группе «Москва»"
    ]
    .assert_eq(&said(&next));
    let head = people.escalate(UntouchedTo::Head, "petrov", Some("Москва"), &desk, &calendar(), now);
    expect!["smirnov: работа с лидом вовремя не началась, его держит Пётр Петров; руководитель Смирнов Игорь"]
        .assert_eq(&said(&head));
}

#[test]
fn first_rule_whose_conditions_all_fit_decides() {
    let people = people();
    let utm = Utm { source: "Yandex".into(), ..Utm::default() };
    let phone = |text: &str| vec![CompactString::new(text)];
    let (moscow, minsk, piter) = (phone("+74951112233"), phone("+375291112233"), phone("+78121112233"));
    let rule = |lead: Lead<'_>| people.distribution.rule(&lead).map_or(0, |it| it.line);
    let site = Lead { connection: "site", ..Lead::default() };
    assert_eq!(rule(Lead { phones: &moscow, ..site }), 5);
    assert_eq!(rule(Lead { phones: &minsk, ..site }), 5);
    assert_eq!(rule(Lead { phones: &piter, ..site }), 0);
    // The INN counts for more than the telephone.
    assert_eq!(rule(Lead { phones: &moscow, inn: Some("7801234567"), ..site }), 0);
    assert_eq!(rule(Lead { inn: Some("7701234567"), ..site }), 5);
    assert_eq!(rule(Lead { inn: Some("7701234567"), connection: "1c", ..site }), 0);
    let page = Some("https://site.ru/opt/price");
    assert_eq!(rule(Lead { page, kind: Some(ClientKind::Company), ..site }), 9);
    assert_eq!(rule(Lead { page, kind: Some(ClientKind::Person), ..site }), 0);
    assert_eq!(rule(Lead { utm: Some(&utm), ..site }), 13);
    let assigned = people.distribute(&site, None, &Desk::default(), &calendar(), at("2026-11-20 12:00"));
    expect!["smirnov: ни одно правило не подошло; руководитель Смирнов Игорь"].assert_eq(&said(&assigned));
}

#[test]
fn whom_a_source_means_is_found_by_id_key_name_or_address() {
    let people = people();
    let day: Date = "2026-11-20".parse().expect("a date");
    let who = |connection: &str, text: &str| people.resolve(connection, text, day).map(|it| it.key.to_string());
    for (connection, text, key) in [
        ("bitrix24", "7", Some("ivanova")),
        ("1c", "анна", Some("ivanova")),
        ("1c", "7", None),
        ("site", "ivanova", Some("ivanova")),
        ("site", "петр  петров", Some("petrov")),
        ("site", "101", Some("ivanova")),
        ("site", "ivanova@company.ru", Some("ivanova")),
        ("site", "Кузнецова", None),
        ("site", " ", None),
    ] {
        assert_eq!(who(connection, text).as_deref(), key, "{connection} {text}");
    }
    assert_eq!(people.id_in("bitrix24", "petrov"), Some("8"));
    assert_eq!(people.id_in("1c", "petrov"), None);
    assert!(people.is_own_inn("7707083893"));
    assert_eq!(people.organisation_of("1c").map(|it| it.key.to_string()).as_deref(), Some("romashka"));
}

#[test]
fn one_who_followed_another_at_his_place_is_told_by_the_day() {
    let employees = r#"
head = "new"
[[employee]]
key = "old"
name = "Старый"
ids = { bitrix24 = "7" }
valid_to = "2026-10-31"
[[employee]]
key = "new"
name = "Новый"
ids = { bitrix24 = "7" }
valid_from = "2026-11-01"
"#;
    let people = compile(employees, "", "").expect("they do not overlap");
    let who = |day: &str| people.resolve("bitrix24", "7", day.parse().expect("a date")).map(|it| it.key.to_string());
    assert_eq!(who("2026-10-31").as_deref(), Some("old"));
    assert_eq!(who("2026-11-01").as_deref(), Some("new"));
    let presence = people.employee("old").expect("he is there").presence("2026-11-01".parse().expect("a date"));
    assert_eq!(presence, Presence::Dismissed("2026-10-31".parse().expect("a date")));
}

#[test]
fn all_problems_of_the_three_files_come_out_at_once() {
    let employees = r#"
head = "smirnof"
duti = []
[[employee]]
key = "Иванова"
name = "Иванова"
[[employee]]
key = "a"
name = "А"
ids = { bitrx24 = "7", 1c = "x" }
deputy = "b"
mobile = "12"
shifts = ["утр"]
valid_from = "2026-12-01"
valid_to = "2026-11-01"
absences = [{ from = "2026-11-05" }]
[[employee]]
key = "b"
name = "Б"
ids = { 1c = "X" }
deputy = "a"
groups = ["Москва"]
[[employee]]
key = "b"
name = "Б"
"#;
    let organisations = "[[organisation]]\nkey = \"r\"\nname = \"Р\"\ninn = \"123\"\nbases = [\"2c\"]\n";
    let distribution = r#"
off_shift = "nobody"
[region."Москва"]
phone = ["code"]
[[rule]]
region = "Москв"
to = "Мсоква"
[[rule]]
to = "Москва"
[[rule]]
connection = "sites"
to = "Москва"
[[untouched]]
after_minutes = 30
to = "head"
[[untouched]]
after_minutes = 15
to = "boss"
"#;
    let problems = compile(employees, organisations, distribution).expect_err("it is wrong");
    expect![[r#"
        rules/organisations.toml:4: "123" does not read as inn. Correct it or take it away.
        rules/organisations.toml:5: there is no connection "2c"; did you mean "1c"?
        rules/employees.toml:2: there is no employee "smirnof". There are: a, b, b.
        rules/employees.toml:3: "duti" is not known here; did you mean "duty"?
        rules/employees.toml:5: "Иванова" cannot be a key. Use a-z, 0-9, _ and -, at most 24 characters, for instance: ivanova
        rules/employees.toml:7: deputies go in a circle: a → b → a. Break it.
        rules/employees.toml:10: there is no connection "bitrx24"; did you mean "bitrix24"?
        rules/employees.toml:12: "12" does not read as mobile. Correct it or take it away.
        rules/employees.toml:13: there is no shift "утр"; did you mean "утро"?
        rules/employees.toml:15: the time ends on 2026-11-01, before it begins: 2026-12-01. Swap the dates.
        rules/employees.toml:16: "to" is missing. Add it to this table.
        rules/employees.toml:17: deputies go in a circle: b → a → b. Break it.
        rules/employees.toml:23: the key "b" is taken. Give everybody his own.
        rules/distribution.toml:2: "off_shift" cannot be "nobody". Choose one of: next_shift, duty.
        rules/distribution.toml:4: "code" does not fit phone: write digits, for instance 495 for a telephone or 77 for an INN.
        rules/distribution.toml:6: there is no region "Москв"; did you mean "Москва"?
        rules/distribution.toml:8: no lead gets as far as this rule: the one before takes everything. Put the rule without conditions last.
        rules/distribution.toml:10: no lead gets as far as this rule: the one before takes everything. Put the rule without conditions last.
        rules/distribution.toml:11: "connection" cannot be "sites"; did you mean "site"?
        rules/distribution.toml:17: the step after 15 minutes is out of order. Put the steps in order of time.
        rules/distribution.toml:18: "to" cannot be "boss". Choose one of: next, head."#]].assert_eq(&problems.join("\n"));
}

#[test]
fn lint_warns_of_who_has_left() {
    let warnings = |text: &str, now: &str| {
        let people = compile(text, ORGANISATIONS, DISTRIBUTION).expect("it compiles");
        let warnings = people.warnings(&calendar(), at(now));
        warnings.iter().map(|it| it.message.render(Locale::En)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(warnings(EMPLOYEES, "2026-11-20 12:00"), "");
    assert_eq!(warnings("", "2026-11-20 12:00"), "");
    let deputy = EMPLOYEES.replace("deputy = \"sidorov\"", "deputy = \"petrov\"").replace("head = \"smirnov\"", "");
    let unused = deputy.replace(
        "groups = [\"Москва\"]\n[[employee]]\nkey = \"smirnov\"",
        "groups = [\"Опт\"]\n[[employee]]\nkey = \"smirnov\"",
    );
    expect![[r#"
        Пётр Петров of duty left on 2026-12-04. Take him out of duty.
        the deputy of Иванова Анна, Пётр Петров, left on 2026-12-04. Name another deputy.
        there is no head: a lead that nobody can take stays without a responsible. Name one.
        nobody of the group "Все" is left: its leads go to the head. Add employees.
        no rule of distribution names the group "Опт": its employees get no new leads. Add [[rule]] with to = "Опт"."#]]
    .assert_eq(&warnings(&unused, "2026-12-07 12:00"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn turns_are_even_while_everybody_is_there(leads in 1_u64..60) {
        let employees: String = ["a", "b", "c", "d"]
            .map(|key| format!("[[employee]]\nkey = \"{key}\"\nname = \"{key}\"\ngroups = [\"Все\"]\n"))
            .concat();
        let people = compile(&format!("head = \"a\"\n{employees}"), "", "[[rule]]\nto = \"Все\"\n").expect("it compiles");
        let (calendar, now) = (calendar(), at("2026-11-20 12:00"));
        let mut desk = Desk::default();
        let mut counts = std::collections::BTreeMap::new();
        for lead in 1..=leads {
            let got = people.distribute(&Lead::default(), None, &desk, &calendar, now);
            let key = got.employee.expect("everybody is there");
            *counts.entry(key.to_string()).or_insert(0_u64) += 1;
            desk.taken.retain(|(held, _)| *held != key);
            desk.taken.push((key, lead));
        }
        let (most, least) = (counts.values().max().copied().unwrap_or(0), counts.values().min().copied().unwrap_or(0));
        let least = if counts.len() < 4 { 0 } else { least };
        prop_assert!(most - least <= 1, "{:?}", counts);
    }
}
