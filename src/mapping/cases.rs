//! Cases: examples beside a mapping that `uzel lint` and `cargo test` run.
//!
//! ```toml
//! [[case]]
//! name = "имя и телефон"
//! kind = "plain"                       # plain | empty | dirty | duplicate
//! json = '{"name": "Иван Петров", "phone": "8 900 000-00-01"}'
//! # or: form = 'name=...&phone=...'    # or: xml = '<Документ>...</Документ>'
//! notes = { query = "utm_source=ya" }  # notes of the envelope
//! received_at = "2026-03-02T09:00:00Z"
//! expect = '''
//! client.kind = person
//! client.phone = +79000000001
//! '''
//!
//! [[case]]
//! name = "то же, другим почерком"
//! kind = "duplicate"
//! same_as = "имя и телефон"            # must be about the same client, deal and document
//! form = 'Name=Иван+Петров&Phone=%2B7(900)0000001'
//! ```
//!
//! A mapping without one of the four kinds is reported: a mapping that was never shown a dirty
//! record is not done. What a case expects is everything, line by line (see `render`), so that a
//! change of a mapping shows all it changes.

use compact_str::CompactString;
use jiff::tz::TimeZone;

use super::{Inbound, MapContext, Mapped};
use crate::base::{Message, Problem, Timestamp};
use crate::decode;
use crate::field::{Lint, Table};
use crate::model::Currency;
use crate::value::Value;

/// Kinds of cases that every mapping must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseKind {
    Plain,
    Empty,
    Dirty,
    Duplicate,
}

const KINDS: &[(&str, CaseKind)] = &[
    ("plain", CaseKind::Plain),
    ("empty", CaseKind::Empty),
    ("dirty", CaseKind::Dirty),
    ("duplicate", CaseKind::Duplicate),
];

/// What cases are run with, where they do not say otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// Zone of the company.
    pub zone: &'a TimeZone,
    /// Its region.
    pub region: &'a str,
    /// Its currency.
    pub currency: &'a Currency,
}

/// Receipt of a case that names none: a Monday noon in Moscow.
const RECEIVED_AT: Timestamp = Timestamp(1_772_442_000_000);

struct Case {
    name: String,
    line: u32,
    kind: Option<CaseKind>,
    input: Value,
    notes: Vec<(CompactString, String)>,
    received_at: Timestamp,
    expect: Option<Vec<String>>,
    same_as: Option<String>,
}

/// Runs the cases of `file` against the mapping. Returns how many ran.
pub fn run(inbound: &Inbound, file: &str, text: &str, around: Surroundings<'_>) -> Result<usize, Vec<Problem>> {
    let lint = Lint::new(file);
    let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
    let table = lint.table(&root);
    let cases: Vec<Case> = table.tables("case").into_iter().filter_map(|it| read(it)).collect();
    table.close();
    for (word, kind) in KINDS {
        if !cases.iter().any(|case| case.kind == Some(*kind)) {
            lint.report(0, Message::new("case-kind-missing").with("kind", word).with("mapping", inbound.file()));
        }
    }
    let results: Vec<Mapped> = cases.iter().map(|case| apply(inbound, case, around)).collect();
    for (case, result) in cases.iter().zip(&results) {
        check_lines(&lint, case, result);
        let Some(same_as) = &case.same_as else { continue };
        match cases.iter().position(|other| other.name == *same_as) {
            Some(other) => check_same(&lint, case, result, &results[other]),
            None => {
                let known = cases.iter().map(|case| case.name.as_str());
                lint.report(case.line, crate::field::reader::unknown_word("case-same-as", same_as, known));
            }
        }
    }
    lint.finish(cases.len())
}

fn apply(inbound: &Inbound, case: &Case, around: Surroundings<'_>) -> Mapped {
    let context = MapContext {
        zone: around.zone,
        region: around.region,
        currency: around.currency,
        received_at: case.received_at,
        notes: &case.notes,
    };
    inbound.apply(&case.input, &context)
}

fn check_lines(lint: &Lint, case: &Case, result: &Mapped) {
    let Some(expected) = &case.expect else { return };
    let got = result.lines();
    let missing = without(expected, &got);
    let unexpected = without(&got, expected);
    if missing.is_empty() && unexpected.is_empty() {
        return;
    }
    let shown =
        |lines: Vec<&str>, mark: &str| -> String { lines.iter().map(|line| format!("\n  {mark} {line}")).collect() };
    let difference = shown(missing, "-") + &shown(unexpected, "+");
    lint.report(case.line, Message::new("case-differs").with("case", &case.name).with("difference", difference));
}

/// The lines of `these` that are not in `those`; a line that stands twice must stand there twice.
fn without<'l>(these: &'l [String], those: &[String]) -> Vec<&'l str> {
    let mut rest: Vec<&String> = those.iter().collect();
    let mut left = Vec::new();
    for line in these {
        match rest.iter().position(|other| *other == line) {
            Some(at) => drop(rest.swap_remove(at)),
            None => left.push(line.as_str()),
        }
    }
    left
}

fn check_same(lint: &Lint, case: &Case, result: &Mapped, other: &Mapped) {
    let (own, others) = (result.identity_lines(), other.identity_lines());
    if own != others {
        let message = Message::new("case-not-same")
            .with("case", &case.name)
            .with("own", own.join("; "))
            .with("other", others.join("; "));
        lint.report(case.line, message);
    }
}

fn read(table: Table<'_>) -> Option<Case> {
    let lint = table.lint();
    let line = table.line;
    let name = table.required_text("name").unwrap_or_default().to_owned();
    table.required_text("kind");
    let kind = table.choice("kind", KINDS);
    let input = input(&table);
    let received_at = match table.text("received_at") {
        None => RECEIVED_AT,
        Some(text) => match text.parse::<jiff::Timestamp>() {
            Ok(at) => Timestamp::from_jiff(at),
            Err(_) => {
                table.report("received_at", Message::new("case-received-at").with("text", text));
                RECEIVED_AT
            }
        },
    };
    let mut notes = Vec::new();
    if let Some(inner) = table.table("notes") {
        let names: Vec<String> = inner.entries().map(|(name, ..)| name.to_owned()).collect();
        for name in names {
            notes.extend(inner.text(&name).map(|text| (CompactString::new(&name), text.to_owned())));
        }
    }
    let expect = table
        .text("expect")
        .map(|text| text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>());
    let same_as = table.text("same_as").map(str::to_owned);
    if expect.is_none() && same_as.is_none() {
        lint.report(line, Message::new("case-expects-nothing").with("case", &name));
    }
    if kind == Some(CaseKind::Duplicate) && same_as.is_none() {
        lint.report(line, Message::new("case-duplicate-of").with("case", &name));
    }
    table.close();
    Some(Case { name, line, kind, input: input?, notes, received_at, expect, same_as })
}

fn input(table: &Table<'_>) -> Option<Value> {
    let given: Vec<(&str, &str)> =
        ["json", "form", "xml"].into_iter().filter_map(|kind| Some((kind, table.text(kind)?))).collect();
    let [(kind, text)] = given.as_slice() else {
        table.report("json", Message::new("case-input"));
        return None;
    };
    let decoded = match *kind {
        "json" => decode::submission("application/json", text.trim().as_bytes()).map(|it| it.value),
        "form" => decode::submission("application/x-www-form-urlencoded", text.trim().as_bytes()).map(|it| it.value),
        _ => decode::xml::decode(text.trim().as_bytes(), None).map(|it| inside(it.value)),
    };
    decoded.map_err(|error| table.report(kind, error.message)).ok()
}

/// The content of the root element: what `decode::commerceml` gives for a record.
fn inside(value: Value) -> Value {
    match value {
        Value::Map(mut members) if members.len() == 1 => members.remove(0).1,
        other => other,
    }
}
