//! `rules/calendar.toml`, compiled: every problem of the file at once, with line and near miss.

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::{Calendar, DAY_MINUTES, Hours, Production, Shift};
use crate::base::limits::CALENDAR_SHIFTS_MAX;
use crate::base::{Message, Problem};
use crate::field::reader::unknown_word;
use crate::field::{Lint, NodeKind, Table};

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
    ("пн", Weekday::Monday),
    ("вт", Weekday::Tuesday),
    ("ср", Weekday::Wednesday),
    ("чт", Weekday::Thursday),
    ("пт", Weekday::Friday),
    ("сб", Weekday::Saturday),
    ("вс", Weekday::Sunday),
];

impl Calendar {
    /// Compiles the text of `file`. `read` gives the text of the production calendar
    /// `rules/calendar-<name>.toml`. A zone that the file does not name is the company's.
    pub fn compile(
        file: &str,
        text: &str,
        zone: &TimeZone,
        read: &mut dyn FnMut(&str) -> Option<String>,
    ) -> Result<Calendar, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let mut found = Vec::new();
        let zone = own_zone(&table).unwrap_or_else(|| zone.clone());
        let production = production(&table, read, &mut found);
        let shortened_by_minutes = table.integer_in("shortened_by_minutes", 0, DAY_MINUTES).unwrap_or(60);
        let shifts = shifts(&table);
        let days_off = dates(&table, "days_off").into_iter().map(|(date, _)| date).collect();
        let own_hours = own_hours(&table, &days_off);
        table.close();
        found.extend(lint.problems());
        let calendar =
            Calendar { file: file.to_owned(), zone, shifts, days_off, own_hours, production, shortened_by_minutes };
        if found.is_empty() { Ok(calendar) } else { Err(found) }
    }
}

fn own_zone(table: &Table<'_>) -> Option<TimeZone> {
    let name = table.text("zone").filter(|name| !name.is_empty())?;
    let zone = TimeZone::get(name);
    if zone.is_err() {
        table.report("zone", Message::new("config-zone").with("zone", name));
    }
    zone.ok()
}

fn production(
    table: &Table<'_>,
    read: &mut dyn FnMut(&str) -> Option<String>,
    found: &mut Vec<Problem>,
) -> Option<Production> {
    let name = table.text("production").filter(|name| !name.is_empty())?;
    let file = format!("rules/calendar-{name}.toml");
    match read(&file) {
        Some(text) => Production::compile(&file, &text).map_err(|problems| found.extend(problems)).ok(),
        None => {
            table.report("production", Message::new("calendar-production").with("name", name).with("file", file));
            None
        }
    }
}

fn shifts(table: &Table<'_>) -> Vec<Shift> {
    let tables = table.tables("shift");
    if tables.is_empty() {
        table.report("shift", Message::new("calendar-no-shift"));
    }
    if tables.len() > CALENDAR_SHIFTS_MAX {
        table.report("shift", Message::new("calendar-many").with("max", CALENDAR_SHIFTS_MAX));
    }
    let mut shifts = Vec::new();
    for table in tables.into_iter().take(CALENDAR_SHIFTS_MAX) {
        let name = CompactString::new(table.required_text("name").unwrap_or_default());
        let weekdays = weekdays(&table);
        let hours = hours(&table);
        let on_holidays = table.boolean("on_holidays").unwrap_or(false);
        table.close();
        shifts.extend(hours.map(|hours| Shift { name, weekdays, hours, on_holidays }));
    }
    shifts
}

/// `["mon-fri", "sun"]`.
fn weekdays(table: &Table<'_>) -> Vec<Weekday> {
    let words = table.texts("days");
    if words.is_empty() {
        table.report("days", Message::new("toml-missing").with("name", "days"));
    }
    let mut days = Vec::new();
    for (word, line) in words {
        let (first, last) = word.split_once(['-', '–']).unwrap_or((word, word));
        let read = |word: &str| {
            let day = WEEKDAYS.iter().find(|(known, _)| *known == word.trim()).map(|(_, day)| *day);
            if day.is_none() {
                let known = WEEKDAYS.iter().map(|(known, _)| *known);
                table.lint().report(line, unknown_word("toml-choice", word.trim(), known).with("name", "days"));
            }
            day
        };
        let (Some(first), Some(last)) = (read(first), read(last)) else { continue };
        for day in first.cycle_forward().take(7) {
            if !days.contains(&day) {
                days.push(day);
            }
            if day == last {
                break;
            }
        }
    }
    days
}

fn hours(table: &Table<'_>) -> Option<Hours> {
    let read = |name: &str| {
        let text = table.required_text(name)?;
        let minutes = minutes_of(text);
        if minutes.is_none() {
            table.report(name, Message::new("calendar-time").with("text", text));
        }
        minutes
    };
    // Both are asked for before either is missed.
    let (from, to) = (read("from"), read("to"));
    let (from, to) = (from?, to?);
    if from == to || from == DAY_MINUTES {
        table.report("to", Message::new("calendar-empty-shift"));
        return None;
    }
    let to = if to < from { to + DAY_MINUTES } else { to };
    Some(Hours { from, to })
}

/// `09:30` -> 570; `24:00` is the end of the day.
fn minutes_of(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let is_number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_digit());
    if !is_number(hours) || minutes.len() != 2 || !is_number(minutes) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY_MINUTES).then_some(all)
}

fn own_hours(table: &Table<'_>, days_off: &BTreeSet<Date>) -> BTreeMap<Date, Vec<Hours>> {
    let mut own: BTreeMap<Date, Vec<Hours>> = BTreeMap::new();
    for day in table.tables("day") {
        let date = dates(&day, "date").first().copied();
        let hours = hours(&day);
        let line = day.line;
        if day.node("date").is_none() {
            day.report("date", Message::new("toml-missing").with("name", "date"));
        }
        day.close();
        let (Some((date, _)), Some(hours)) = (date, hours) else { continue };
        if days_off.contains(&date) {
            table.lint().report(line, Message::new("calendar-day-twice").with("date", date));
        }
        own.entry(date).or_default().push(hours);
    }
    own
}

/// One date or a list of them under `name`, written as text or as a date of TOML.
pub(super) fn dates(table: &Table<'_>, name: &str) -> Vec<(Date, u32)> {
    let Some(node) = table.node(name) else { return Vec::new() };
    let items = match &node.kind {
        NodeKind::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut found = Vec::new();
    for item in items {
        match &item.kind {
            NodeKind::Text(text) | NodeKind::Datetime(text) => {
                found.extend(date_of(table, item.line, text).map(|date| (date, item.line)));
            }
            NodeKind::Integer(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::List(_) | NodeKind::Table(_) => {
                table.lint().report(item.line, Message::new("calendar-date").with("text", name));
            }
        }
    }
    found
}

/// A date, or a problem on its line.
pub(super) fn date_of(table: &Table<'_>, line: u32, text: &str) -> Option<Date> {
    let date: Option<Date> = text.trim().parse().ok();
    if date.is_none() {
        table.lint().report(line, Message::new("calendar-date").with("text", text));
    }
    date
}
