//! Mappings as data: what compile reports, what apply makes of records, what goes to a sink.

use compact_str::CompactString;
use jiff::tz::TimeZone;
use uzel::base::{Problem, Timestamp};
use uzel::decode;
use uzel::mapping::{Inbound, MapContext, Mapped, Scope};
use uzel::model::Currency;

/// 2026-03-02, 12:00 in Moscow.
const NOON: Timestamp = Timestamp(1_772_442_000_000);

fn compile(text: &str, fold_names: bool) -> Result<Inbound, Vec<Problem>> {
    Inbound::compile("mappings/x/y.in.toml", text, Scope { fold_names, ..Scope::PLAIN })
}

fn apply(inbound: &Inbound, json: &str, notes: &[(&str, &str)]) -> Mapped {
    let record = decode::submission("application/json", json.as_bytes()).expect("the test's JSON is right").value;
    let zone = TimeZone::get("Europe/Moscow").expect("a bundled zone");
    let currency = Currency::rub();
    let notes: Vec<(CompactString, String)> =
        notes.iter().map(|(name, value)| ((*name).into(), (*value).to_owned())).collect();
    let context = MapContext { zone: &zone, region: "RU", currency: &currency, received_at: NOON, notes: &notes };
    inbound.apply(&record, &context)
}

/// What a mapping makes of a JSON record, line by line.
fn check(mapping: &str, json: &str, expected: &[&str]) {
    let inbound = compile(mapping, false).unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert_eq!(apply(&inbound, json, &[]).lines(), expected, "{json}");
}

/// Lines and a telling part of each problem, in order.
fn check_problems(mapping: &str, expected: &[(u32, &str)]) {
    let problems = compile(mapping, false).expect_err("the mapping is wrong");
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), expected.len(), "{shown:#?}");
    for ((line, part), problem) in expected.iter().zip(&problems) {
        assert_eq!(problem.line, *line, "{problem}");
        assert!(problem.to_string().contains(part), "{problem} says nothing of {part}");
    }
}

#[test]
fn every_problem_of_a_file_is_reported_at_once_with_its_line_and_near_miss() {
    check_problems(
        r#"require_any = ["client.fone"]
[client]
nmae = "name"
phone = { from = "a[", each = true }
inn = { from = "inn", as = "phone" }
email = { from = "e", each = true, join = " " }
foreign = "id"
decides = { from = "d", map = { "да" = "true" } }
[deal]
state = { from = "s", map = { "x" = "wonn" }, otherwise = "drop" }
stage = { from = "s", map = "stages", otherwise = "keep" }
title = { from = "t", each = true }
price = { from = "p", const = "5" }
source = { from = "s | hots" }
stage_since = { from = "d", as = "days_agoo" }
utm.sorce = "x"
[interaction]
text = "t"
[[filter]]
reason = "tset"
when = { path = "x" }
"#,
        &[
            (1, "client.phone"),
            (3, "name"),
            (4, "["),
            (5, "Fitting: inn"),
            (6, "join"),
            (7, "client.foreign.order"),
            (8, "otherwise"),
            (10, "won"),
            (11, "stages"),
            (12, "each"),
            (13, "const"),
            (14, "host"),
            (15, "days_ago"),
            (16, "utm.source"),
            (17, "interaction"),
            (20, "test"),
            (21, "filled"),
        ],
    );
}

#[test]
fn a_default_that_does_not_read_is_found_before_the_first_record() {
    check_problems("[client]\nstanding = { const = \"frend\" }\n", &[(2, "supplier")]);
    check_problems("[deal]\nclose_date = { from = \"d\", default = \"soon\" }\n", &[(2, "soon")]);
}

#[test]
fn what_lines_do_not_do_is_refused_and_not_ignored() {
    let lines =
        |field: &str| format!("[deal]\ntitle = \"t\"\n[lines]\neach = \"l[*]\"\nname = {{ from = \"n\", {field} }}\n");
    for (field, word) in [
        (r#"map = { "a" = "b" }, otherwise = "keep""#, "map"),
        (r#"join = ", ""#, "join"),
        ("required = true", "required"),
        (r#"when = { path = "x", filled = true }"#, "when"),
        (r#"unless = "deal.title""#, "unless"),
    ] {
        let problems = compile(&lines(field), false).expect_err("it is refused");
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let is_named = |text: &String| text.contains(&format!("lines.name: \"{word}\" does nothing in lines"));
        assert!(shown.iter().any(is_named) && problems.iter().all(|it| it.line == 5), "{shown:#?}");
    }
    compile(&lines(r#"default = "?""#), false).expect("lines have defaults");
}

#[test]
fn the_first_filled_source_wins_and_the_others_stay_extra() {
    let mapping = "[deal]\ntitle = [\"a\", \"b\"]\nsource = { from = \"c\", default = \"сайт\" }\n";
    check(mapping, r#"{"a": " ", "b": "второе"}"#, &["deal = told", "deal.title = второе", "deal.source = сайт"]);
    check(
        mapping,
        r#"{"a": "первое", "b": "второе", "c": "x"}"#,
        &["deal = told", "deal.title = первое", "deal.source = x", "extra.b = второе"],
    );
}

#[test]
fn a_source_that_is_filled_and_unreadable_gives_way_to_the_next() {
    check(
        "[client]\ninn = [\"a\", \"b\"]\n",
        r#"{"a": "12", "b": "7707083893"}"#,
        &["client.kind = company", "client.inn = 7707083893", "issue = client.inn normalize-inn-length"],
    );
}

#[test]
fn several_sources_are_taken_each_or_joined() {
    check(
        "[client]\nphone = { from = [\"a\", \"b\"], each = true }\n",
        r#"{"a": ["+79123456701", "89123456702"], "b": "+7 912 345-67-01"}"#,
        &["client.phone = +79123456701", "client.phone = +79123456702"],
    );
    check(
        "[document]\nkind = { const = \"invoice\" }\ndate = { from = [\"d\", \"t\"], join = \" \" }\n",
        r#"{"d": "2026-02-27", "t": "15:40:40"}"#,
        &["document.kind = invoice", "document.date = 2026-02-27T12:40:40Z"],
    );
}

#[test]
fn a_word_unknown_to_the_dictionary_is_kept_dropped_or_refused() {
    let stage = |otherwise: &str| {
        format!(
            "[deal]\nstage = {{ from = \"s\", map = {{ \"Meeting\" = \"Встреча\", \"-\" = \"\" }}, otherwise = \"{otherwise}\" }}\n"
        )
    };
    check(&stage("drop"), r#"{"s": " meeting "}"#, &["deal = told", "deal.stage = Встреча"]);
    check(&stage("drop"), r#"{"s": "-"}"#, &["deal = told"]);
    check(&stage("keep"), r#"{"s": "Иное"}"#, &["deal = told", "deal.stage = Иное"]);
    check(&stage("drop"), r#"{"s": "Иное"}"#, &["deal = told", "issue = deal.stage mapping-word-dropped"]);
    check(&stage("quarantine"), r#"{"s": "Иное"}"#, &["refused = mapping-word-unknown deal.stage"]);
}

#[test]
fn what_is_required_and_missing_or_unreadable_refuses_the_record_and_says_where_it_looked() {
    let mapping = "[document]\nkind = { const = \"order\" }\nnumber = { from = [\"n\", \"nn\"], required = true }\ndate = { from = \"d\", required = true }\n";
    check(mapping, "{}", &["refused = mapping-required-missing document.number"]);
    check(mapping, r#"{"n": "1", "d": "когда-то"}"#, &["refused = mapping-required-unreadable document.date"]);
    let inbound = compile(mapping, false).expect("it is right");
    let Mapped::Refused(message) = apply(&inbound, "{}", &[]) else { panic!("it must be refused") };
    let text = message.to_string();
    assert!(text.contains("n, nn") && text.contains("mappings/x/y.in.toml"), "{text}");
}

#[test]
fn filters_leave_records_aside_before_anything_is_required() {
    let mapping = r#"require_any = ["client.phone"]
[[filter]]
reason = "not_used"
when = { path = "kind", equals = ["catalog", "offer"] }
[[filter]]
reason = "internal"
when = { path = "kind", equals = "own" }
[[filter]]
reason = "test"
when = { path = "id", filled = false }
[client]
phone = "phone"
"#;
    check(mapping, r#"{"kind": "Offer", "id": 1, "phone": "+79123456701"}"#, &["filter = not_used"]);
    check(mapping, r#"{"kind": "lead"}"#, &["filter = test"]);
    check(
        mapping,
        r#"{"kind": "own", "id": 1, "phone": "+79123456701"}"#,
        &["filter = internal", "client.phone = +79123456701", "extra.id = 1"],
    );
    check(mapping, r#"{"kind": "lead", "id": 1}"#, &["refused = mapping-require-any client.phone"]);
}

#[test]
fn a_section_may_begin_somewhere_in_the_record_and_hold_only_sometimes() {
    let mapping = r#"[client]
at = ["parties[role=buyer]", "parties[0]"]
company = "title"
address = "/delivery.city"
[deal]
when = { path = "type", differs = "invoice" }
title = "type"
"#;
    let buyer = r#"{"type": "order", "delivery": {"city": "Казань"}, "parties": [{"role": "seller", "title": "ООО Мы"}, {"role": "buyer", "title": "ООО Они"}]}"#;
    let lines = [
        "client.kind = company",
        "client.company = ООО «Они»",
        "client.address = Казань",
        "deal = told",
        "deal.title = order",
    ];
    let extra = ["extra.parties[0].role = seller", "extra.parties[0].title = ООО Мы", "extra.parties[1].role = buyer"];
    check(mapping, buyer, &[&lines[..], &extra[..]].concat());
    check(mapping, r#"{"type": "invoice"}"#, &[]);
}

#[test]
fn one_field_may_be_filled_in_several_ways() {
    let mapping = "[deal]\nstage_since = [{ from = \"since\" }, { from = \"days\", as = \"days_ago\" }]\n";
    check(
        mapping,
        r#"{"since": "2026-02-01", "days": "5"}"#,
        &["deal = told", "deal.stage_since = 2026-01-31T21:00:00Z", "extra.days = 5"],
    );
    check(mapping, r#"{"days": "5 дней"}"#, &["deal = told", "deal.stage_since = 2026-02-25T09:00:00Z"]);
}

#[test]
fn money_takes_the_currency_that_stands_beside_it_else_the_companys() {
    let mapping = "[deal]\nprice = { from = \"sum\", currency = \"cur\" }\n";
    check(mapping, r#"{"sum": "1 234,50", "cur": "643"}"#, &["deal = told", "deal.price = 1234.5 RUB"]);
    check(mapping, r#"{"sum": 100, "cur": "USD"}"#, &["deal = told", "deal.price = 100 USD"]);
    check(mapping, r#"{"sum": "100"}"#, &["deal = told", "deal.price = 100 RUB"]);
}

#[test]
fn names_fold_and_notes_speak_when_the_record_does_not() {
    let mapping = r#"[client]
name = "your name"
[deal]
source = ["source", "note:Referer | host"]
[deal.utm]
source = ["utm_source", "note:query | query utm_source"]
"#
    .replace("your name", "your_name");
    let inbound = compile(&mapping, true).expect("it is right");
    let notes = [("referer", "https://www.site.ru/a?b"), ("query", "utm_source=ya")];
    let lines = apply(&inbound, r#"{"Your-Name": "Мария Соколова", "your name": ""}"#, &notes).lines();
    let expected = [
        "client.kind = person",
        "client.surname = Соколова",
        "client.given = Мария",
        "deal = told",
        "deal.source = site.ru",
        "deal.utm.source = ya",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn the_person_who_writes_for_a_company_is_kept_beside_it() {
    check(
        "[client]\nname = \"n\"\ncompany = \"c\"\n",
        r#"{"n": "Мария Соколова", "c": "ООО Лепесток"}"#,
        &["client.kind = company", "client.company = ООО «Лепесток»", "extra.contact_person = Соколова Мария"],
    );
}

#[test]
fn what_nobody_names_is_kept_within_bounds_and_dropped_paths_are_not() {
    use uzel::base::limits::{EXTRA_FIELDS_MAX, EXTRA_VALUE_BYTES_MAX};
    let drop = [uzel::value::Path::literal("token"), uzel::value::Path::literal("a.secret")];
    let scope = Scope { drop: &drop, ..Scope::PLAIN };
    let inbound = Inbound::compile("x", "[deal]\ntitle = \"t\"\n", scope).expect("it is right");
    let json = r#"{"token": "T", "a": {"secret": "S", "b": [1, {"c": true}], "n": null}}"#;
    assert_eq!(apply(&inbound, json, &[]).lines(), ["deal = told", "extra.a.b[0] = 1", "extra.a.b[1].c = true"]);

    let many: Vec<String> = (0..EXTRA_FIELDS_MAX + 7).map(|index| format!(r#""f{index}": "v""#)).collect();
    let Mapped::Change(change) = apply(&inbound, &format!("{{{}}}", many.join(",")), &[]) else {
        panic!("not refused")
    };
    assert_eq!(change.extra.len(), EXTRA_FIELDS_MAX);
    assert_eq!(change.issues.len(), 1, "{:?}", change.issues);

    let long = "ё".repeat(EXTRA_VALUE_BYTES_MAX);
    let Mapped::Change(change) = apply(&inbound, &format!(r#"{{"x": "{long}"}}"#), &[]) else { panic!("not refused") };
    assert_eq!(change.extra[0].1.len(), EXTRA_VALUE_BYTES_MAX);
}

#[test]
fn what_a_record_holds_never_panics_a_mapping() {
    let built_in = uzel::catalog::FileSet::builtin();
    let records = [
        "null",
        "[]",
        "5",
        r#""text""#,
        r#"{"phone": {"a": [null, {}]}, "name": [[["x"]]], "price": {}, "email": true}"#,
        r#"{"Контрагенты": "x", "Товары": {"Товар": [1, {"Ид": {}}]}, "Номер": ["1", "2"], "ЗначенияРеквизитов": []}"#,
        r#"{"COOKIES": ["a", "b"], "payment": {"products": {"name": 5}}, "tranid": null}"#,
    ];
    for name in built_in.names().filter(|name| name.ends_with(".in.toml")) {
        let inbound = Inbound::compile(name, built_in.get(name).expect("listed"), Scope::PLAIN).expect("built in");
        for record in records {
            let lines = apply(&inbound, record, &[]).lines();
            assert!(!lines.is_empty(), "{name} said nothing of {record}");
        }
    }
}
