//! `rules/employees.toml` and `rules/organisations.toml`, compiled: every problem at once.

use compact_str::CompactString;
use jiff::civil::Date;

use super::distribution::{Known, cap_of};
use super::{Absence, Distribution, Employee, Organisation, People, folded};
use crate::base::limits::{EMPLOYEES_MAX, ORGANISATIONS_MAX};
use crate::base::{Message, Problem, Slug};
use crate::calendar::Calendar;
use crate::field::reader::unknown_word;
use crate::field::{Lint, NodeKind, Table};
use crate::model::{Email, Phone};
use crate::normalize;

/// What people are compiled from, and what surrounds it.
#[derive(Debug, Clone, Copy)]
pub struct Files<'f> {
    /// Name and text of the employees' file.
    pub employees: (&'f str, &'f str),
    /// Name and text of the organisations' file.
    pub organisations: (&'f str, &'f str),
    /// Name and text of the distribution's file.
    pub distribution: (&'f str, &'f str),
    /// Working time, for the names of shifts.
    pub calendar: &'f Calendar,
    /// Connections that there are.
    pub connections: &'f [&'f str],
    /// Region of telephone numbers without a country.
    pub region: &'f str,
}

impl People {
    /// Compiles the three files.
    pub fn compile(files: &Files<'_>) -> Result<People, Vec<Problem>> {
        let mut found = Vec::new();
        let (file, text) = files.organisations;
        let organisations = organisations(file, text, files).unwrap_or_else(|problems| {
            found.extend(problems);
            Vec::new()
        });
        let (file, text) = files.employees;
        let mut people = employees(file, text, files).unwrap_or_else(|problems| {
            found.extend(problems);
            People::default()
        });
        people.organisations = organisations;
        let known = Known {
            connections: files.connections,
            employees: &people.employees,
            organisations: &people.organisations,
        };
        let (file, text) = files.distribution;
        match Distribution::compile(file, text, &known) {
            Ok(distribution) => people.distribution = distribution,
            Err(problems) => found.extend(problems),
        }
        if found.is_empty() { Ok(people) } else { Err(found) }
    }
}

fn organisations(file: &str, text: &str, files: &Files<'_>) -> Result<Vec<Organisation>, Vec<Problem>> {
    let lint = Lint::new(file);
    let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
    let table = lint.table(&root);
    let tables = table.tables("organisation");
    if tables.len() > ORGANISATIONS_MAX {
        let message = Message::new("people-many").with("name", "organisation").with("max", ORGANISATIONS_MAX);
        table.report("organisation", message);
    }
    let mut found: Vec<Organisation> = Vec::new();
    for table in tables.into_iter().take(ORGANISATIONS_MAX) {
        let key = key(&table);
        let name = CompactString::new(table.required_text("name").unwrap_or_default());
        let inn = checked(&table, "inn", |text| normalize::inn(text).value.map(|it| it.0));
        let ogrn = checked(&table, "ogrn", |text| normalize::ogrn(text).value.map(|it| it.0));
        let bases = connections_of(&table, table.texts("bases"), files);
        table.lint();
        let line = table.line;
        table.close();
        let Some(key) = key else { continue };
        if found.iter().any(|it| it.key == key) {
            lint.report(line, Message::new("people-key-twice").with("key", &key));
        }
        found.push(Organisation { key, name, inn, ogrn, bases });
    }
    table.close();
    lint.finish(found)
}

fn connections_of(table: &Table<'_>, texts: Vec<(&str, u32)>, files: &Files<'_>) -> Vec<Slug> {
    let mut found = Vec::new();
    for (text, line) in texts {
        match Slug::new(text).filter(|_| files.connections.contains(&text)) {
            Some(slug) => found.push(slug),
            None => {
                let known = files.connections.iter().copied();
                table.lint().report(line, unknown_word("people-connection", text, known));
            }
        }
    }
    found
}

/// An employee with the line he stands on.
type Lined = (u32, Employee);

fn employees(file: &str, text: &str, files: &Files<'_>) -> Result<People, Vec<Problem>> {
    let lint = Lint::new(file);
    let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
    let table = lint.table(&root);
    let tables = table.tables("employee");
    if tables.len() > EMPLOYEES_MAX {
        table.report("employee", Message::new("people-many").with("name", "employee").with("max", EMPLOYEES_MAX));
    }
    let mut lined: Vec<Lined> = Vec::new();
    for table in tables.into_iter().take(EMPLOYEES_MAX) {
        let line = table.line;
        let employee = employee(&table, files);
        table.close();
        let Some(employee) = employee else { continue };
        if lined.iter().any(|(_, it)| it.key == employee.key) {
            lint.report(line, Message::new("people-key-twice").with("key", &employee.key));
        }
        lined.push((line, employee));
    }
    let known: Vec<&str> = lined.iter().map(|(_, it)| &*it.key).collect();
    let named = |table: &Table<'_>, name: &str| -> Vec<Slug> {
        let read = |(text, line)| {
            let key = Slug::new(text).filter(|_| known.contains(&text));
            if key.is_none() {
                lint.report(line, unknown_word("people-employee", text, known.iter().copied()));
            }
            key
        };
        table.texts(name).into_iter().filter_map(read).collect()
    };
    let head = named(&table, "head").into_iter().next();
    let duty = named(&table, "duty");
    for (line, employee) in &lined {
        for key in employee.deputy.iter().chain(&employee.head) {
            if !known.contains(&&**key) {
                lint.report(*line, unknown_word("people-employee", key, known.iter().copied()));
            }
        }
    }
    circles(&lint, &lined);
    shared(&lint, &lined);
    table.close();
    let employees = lined.into_iter().map(|(_, it)| it).collect();
    lint.finish(People { file: file.to_owned(), employees, head, duty, ..People::default() })
}

fn key(table: &Table<'_>) -> Option<Slug> {
    let text = table.required_text("key")?;
    let key = Slug::new(text);
    if key.is_none() {
        table.report("key", Message::new("people-key").with("key", text));
    }
    key
}

fn checked<T>(table: &Table<'_>, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = table.text(name).filter(|text| !text.trim().is_empty())?;
    let value = read(text);
    if value.is_none() {
        table.report(name, Message::new("people-unreadable").with("name", name).with("text", text));
    }
    value
}

fn employee(table: &Table<'_>, files: &Files<'_>) -> Option<Employee> {
    let key = key(table);
    let name = CompactString::new(table.required_text("name").unwrap_or_default().trim());
    let other = |name: &str| {
        let text = table.text(name).filter(|text| !text.is_empty())?;
        let key = Slug::new(text);
        if key.is_none() {
            table.report(name, Message::new("people-key").with("key", text));
        }
        key
    };
    let (deputy, head) = (other("deputy"), other("head"));
    let valid_from = date(table, "valid_from");
    let valid_to = date(table, "valid_to");
    if let (Some(from), Some(to)) = (valid_from, valid_to)
        && from > to
    {
        table.report("valid_to", Message::new("people-dates").with("from", from).with("to", to));
    }
    let mobile: Option<Phone> = checked(table, "mobile", |text| normalize::phone(text, files.region).value);
    let mailbox: Option<Email> = checked(table, "mailbox", |text| normalize::email(text).value);
    let texts = |name: &str| -> Vec<CompactString> {
        table.texts(name).into_iter().map(|(text, _)| CompactString::new(text.trim())).collect()
    };
    let employee = Employee {
        key: key.clone().unwrap_or_else(|| Slug::literal("unknown")),
        name,
        ids: ids(table, files),
        extension: table.text("extension").filter(|it| !it.is_empty()).map(CompactString::new),
        mobile,
        mailbox,
        valid_from,
        valid_to,
        absences: absences(table),
        deputy,
        head,
        groups: texts("groups"),
        shifts: shifts(table, files),
        cap: cap_of(table),
    };
    key.map(|_| employee)
}

/// `ids = { bitrix24 = "7", 1c = ["Иванова А.", "Иванова Анна"] }`.
fn ids(table: &Table<'_>, files: &Files<'_>) -> Vec<(Slug, Vec<CompactString>)> {
    let Some(ids) = table.table("ids") else { return Vec::new() };
    let mut found = Vec::new();
    for (name, line, _) in ids.entries() {
        let there = ids.texts(name).into_iter().map(|(text, _)| CompactString::new(text.trim())).collect();
        let connection = connections_of(table, vec![(name, line)], files).pop();
        found.extend(connection.map(|connection| (connection, there)));
    }
    found
}

fn shifts(table: &Table<'_>, files: &Files<'_>) -> Vec<CompactString> {
    let known = files.calendar.shift_names();
    let mut shifts = Vec::new();
    for (text, line) in table.texts("shifts") {
        if known.contains(&text) {
            shifts.push(CompactString::new(text));
        } else {
            table.lint().report(line, unknown_word("people-shift", text, known.iter().copied()));
        }
    }
    shifts
}

fn absences(table: &Table<'_>) -> Vec<Absence> {
    let mut found = Vec::new();
    for away in table.tables("absences") {
        let line = away.line;
        let dates = (date(&away, "from"), date(&away, "to"));
        let why = CompactString::new(away.text("why").unwrap_or_default());
        for name in ["from", "to"] {
            if away.node(name).is_none() {
                away.report(name, Message::new("toml-missing").with("name", name));
            }
        }
        away.close();
        let (Some(from), Some(to)) = dates else { continue };
        if from > to {
            table.lint().report(line, Message::new("people-dates").with("from", from).with("to", to));
        }
        found.push(Absence { from, to, why });
    }
    found
}

/// A date as text or as a date of TOML.
fn date(table: &Table<'_>, name: &str) -> Option<Date> {
    let node = table.node(name)?;
    let text = match &node.kind {
        NodeKind::Text(text) | NodeKind::Datetime(text) => text.as_str(),
        NodeKind::Integer(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::List(_) | NodeKind::Table(_) => name,
    };
    let date: Option<Date> = text.trim().parse().ok();
    if date.is_none() {
        table.lint().report(node.line, Message::new("calendar-date").with("text", text));
    }
    date
}

/// A deputy whose deputy is, in the end, the one he stands in for.
fn circles(lint: &Lint, lined: &[Lined]) {
    for (line, employee) in lined {
        let mut path = vec![employee.key.clone()];
        let mut next = employee.deputy.clone();
        while let Some(key) = next {
            if key == employee.key {
                path.push(key);
                let path: Vec<String> = path.iter().map(Slug::to_string).collect();
                lint.report(*line, Message::new("people-circle").with("path", path.join(" → ")));
                break;
            }
            if path.contains(&key) {
                break;
            }
            next = lined.iter().find(|(_, it)| it.key == key).and_then(|(_, it)| it.deputy.clone());
            path.push(key);
        }
    }
}

/// The same id, extension or mailbox of two who work at the same time: it would mean neither.
fn shared(lint: &Lint, lined: &[Lined]) {
    for (index, (line, employee)) in lined.iter().enumerate() {
        for (_, other) in &lined[..index] {
            let begins = employee.valid_from.max(other.valid_from);
            let ends = [employee.valid_to, other.valid_to].into_iter().flatten().min();
            let overlap = !matches!((begins, ends), (Some(begins), Some(ends)) if ends < begins);
            if !overlap {
                continue;
            }
            for what in shared_of(employee, other) {
                let message = Message::new("people-shared").with("what", what).with("other", &other.name);
                lint.report(*line, message);
            }
        }
    }
}

fn shared_of(one: &Employee, other: &Employee) -> Vec<String> {
    let mut shared = Vec::new();
    for (connection, ids) in &one.ids {
        let theirs = other.ids.iter().filter(|(name, _)| name == connection).flat_map(|(_, ids)| ids);
        for id in theirs {
            if ids.iter().any(|own| folded(own) == folded(id)) {
                shared.push(format!("{connection} = \"{id}\""));
            }
        }
    }
    let same = |a: &Option<CompactString>, b: &Option<CompactString>| a.is_some() && a == b;
    if same(&one.extension, &other.extension) {
        shared.push(format!("extension = \"{}\"", one.extension.as_deref().unwrap_or_default()));
    }
    if let (Some(own), Some(theirs)) = (&one.mailbox, &other.mailbox)
        && own.key == theirs.key
    {
        shared.push(format!("mailbox = \"{}\"", own.address));
    }
    shared
}
