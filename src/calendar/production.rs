//! A production calendar: which days of a year rest, which work instead, which are shortened.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};

use super::rules::{date_of, dates};
use crate::base::{Message, Problem};
use crate::field::{Lint, Table};

/// A production calendar, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Production {
    pub(super) file: String,
    years: BTreeMap<i16, Year>,
}

/// One year of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Year {
    /// Where its days are from.
    pub source: String,
    /// Whether the moved days of the year are not known yet.
    pub preliminary: bool,
    days: BTreeMap<Date, Day>,
}

/// A day as the production calendar sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    /// The weekday whose shifts work; `None`: nobody works.
    pub works_as: Option<Weekday>,
    /// Whether the last hour falls away.
    pub is_shortened: bool,
}

impl Day {
    /// A day about which nothing is said.
    pub(super) fn plain(date: Date) -> Day {
        Day { works_as: Some(date.weekday()), is_shortened: false }
    }
}

impl Production {
    /// Compiles the text of `file`.
    pub fn compile(file: &str, text: &str) -> Result<Production, Vec<Problem>> {
        let lint = Lint::new(file);
        let Some(root) = lint.parse(text) else { return Err(lint.problems()) };
        let table = lint.table(&root);
        let mut years = BTreeMap::new();
        for table in table.tables("year") {
            let line = table.line;
            table.required_integer("year");
            let number = table.integer_in("year", 2000, 2199).and_then(|it| i16::try_from(it).ok());
            let year = year(&table, number);
            table.close();
            let Some(number) = number else { continue };
            if years.insert(number, year).is_some() {
                lint.report(line, Message::new("calendar-year-twice").with("year", number));
            }
        }
        if years.is_empty() {
            table.report("year", Message::new("toml-missing").with("name", "year"));
        }
        table.close();
        lint.finish(Production { file: file.to_owned(), years })
    }

    /// A year of it.
    pub fn year(&self, year: i16) -> Option<&Year> {
        self.years.get(&year)
    }

    pub(super) fn day(&self, date: Date) -> Day {
        let held = self.years.get(&date.year()).and_then(|year| year.days.get(&date));
        held.copied().unwrap_or_else(|| Day::plain(date))
    }
}

fn year(table: &Table<'_>, number: Option<i16>) -> Year {
    let source = table.required_text("source").unwrap_or_default().to_owned();
    let preliminary = table.boolean("preliminary").unwrap_or(false);
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    let checked = |date: Date, line: u32| {
        if number.is_some_and(|year| year != date.year()) {
            let message = Message::new("calendar-other-year").with("date", date).with("year", date.year());
            table.lint().report(line, message);
        }
        date
    };
    let mut rest = |date: Date| {
        days.insert(date, Day { works_as: None, is_shortened: false });
    };
    for (date, line) in dates(table, "holidays").into_iter().chain(dates(table, "days_off")) {
        rest(checked(date, line));
    }
    let mut moved = Vec::new();
    for pair in table.tables("moved") {
        let line = pair.line;
        let work = pair.required_text("work").and_then(|text| date_of(&pair, line, text));
        let instead = pair.required_text("rest").and_then(|text| date_of(&pair, line, text));
        pair.close();
        if let (Some(work), Some(instead)) = (work, instead) {
            rest(checked(instead, line));
            moved.push((checked(work, line), instead.weekday()));
        }
    }
    for (work, weekday) in moved {
        days.insert(work, Day { works_as: Some(weekday), is_shortened: false });
    }
    for (date, line) in dates(table, "shortened") {
        let day = days.entry(checked(date, line)).or_insert_with(|| Day::plain(date));
        if day.works_as.is_none() {
            table.lint().report(line, Message::new("calendar-shortened-rest").with("date", date));
        }
        day.is_shortened = true;
    }
    Year { source, preliminary, days }
}
