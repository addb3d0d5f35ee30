//! The working time of the company: shifts, holidays, moved days, shortened days.
//!
//! A [`Calendar`] is compiled from `rules/calendar.toml` and the production calendar that it names
//! (`rules/calendar-ru.toml`). It answers four questions of an instant: is it working time
//! ([`Calendar::is_working`]), when does work begin next ([`Calendar::next_opening`]), what is so
//! many working minutes later ([`Calendar::plus_working_minutes`]) and how many there are between
//! two instants ([`Calendar::working_minutes_between`]). [`Calendar::of`] answers the same for some
//! shifts only: an employee's own.
//!
//! What counts, the first that fits: a day off of the company's own; hours of the company's own for
//! that day; the production calendar; the shifts of the weekday. A shift belongs to the day on which
//! it begins, also when it goes over midnight. On a shortened day the last hour of whoever is asked
//! about falls away.
//!
//! Pure: the zone database is bundled, "now" is an argument. A working minute is a real one: where
//! the clocks jump within a shift, that shift is an hour shorter or longer.

mod production;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use compact_str::CompactString;
use jiff::Span;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;

pub use production::{Production, Year};

use crate::base::limits::CALENDAR_DAYS_MAX;
use crate::base::{Message, Problem, Timestamp};

const MINUTE_MS: i64 = 60_000;
/// Minutes of a day by the clock on the wall.
const DAY_MINUTES: i64 = 24 * 60;

/// Working time, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    file: String,
    zone: TimeZone,
    shifts: Vec<Shift>,
    days_off: BTreeSet<Date>,
    /// Days with hours of their own: for everybody, whatever the shifts.
    own_hours: BTreeMap<Date, Vec<Hours>>,
    production: Option<Production>,
    shortened_by_minutes: i64,
}

/// A shift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// Its name, as employees refer to it; several may share one (before and after lunch).
    pub name: CompactString,
    /// Weekdays on which it begins.
    pub weekdays: Vec<Weekday>,
    /// When.
    pub hours: Hours,
    /// Whether it works on holidays and moved days too, and is never shortened.
    pub on_holidays: bool,
}

/// From when to when, minutes of the clock on the wall after the midnight of the first day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Beginning, 0..1440.
    pub from: i64,
    /// End; over 1440 when it is on the next day.
    pub to: i64,
}

/// Working time of some shifts.
#[derive(Debug, Clone, Copy)]
pub struct Working<'c> {
    calendar: &'c Calendar,
    /// Names of shifts; empty: all.
    shifts: &'c [CompactString],
}

/// A stretch of working time: from an instant until just before another.
type Stretch = (Timestamp, Timestamp);

impl Calendar {
    /// Whether anybody works then.
    pub fn is_working(&self, at: Timestamp) -> bool {
        self.of(&[]).is_working(at)
    }

    /// The first working instant that is not before `at`.
    pub fn next_opening(&self, at: Timestamp) -> Timestamp {
        self.of(&[]).next_opening(at)
    }

    /// The instant at which `minutes` of working time have passed since `from`; off hours nothing
    /// passes, so 15 minutes from midnight are the opening and 15.
    pub fn plus_working_minutes(&self, from: Timestamp, minutes: u32) -> Timestamp {
        self.of(&[]).plus_working_minutes(from, minutes)
    }

    /// Whole working minutes from `a` to `b`; 0 when `b` is not later.
    pub fn working_minutes_between(&self, a: Timestamp, b: Timestamp) -> i64 {
        self.of(&[]).working_minutes_between(a, b)
    }

    /// The working time of the shifts of these names; of none: of all.
    pub fn of<'c>(&'c self, shifts: &'c [CompactString]) -> Working<'c> {
        Working { calendar: self, shifts }
    }

    /// Names of the shifts, each once, in the order of the file.
    pub fn shift_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for shift in &self.shifts {
            if !names.contains(&shift.name.as_str()) {
                names.push(&shift.name);
            }
        }
        names
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The day of an instant.
    pub fn date(&self, at: Timestamp) -> Date {
        at.to_jiff().to_zoned(self.zone.clone()).date()
    }

    /// What the time of day differs from UTC by at an instant, s.
    pub fn offset_s(&self, at: Timestamp) -> i32 {
        self.zone.to_offset(at.to_jiff()).seconds()
    }

    /// The first instant of a day.
    pub fn midnight(&self, date: Date) -> Timestamp {
        self.instant(date, 0)
    }

    /// What the production calendar lacks around `now`: this year, and in December the next one.
    /// Such years count plain weekdays.
    pub fn warnings(&self, now: Timestamp) -> Vec<Problem> {
        let Some(production) = &self.production else { return Vec::new() };
        let today = self.date(now);
        let mut years = vec![today.year()];
        if today.month() == 12 {
            years.push(today.year() + 1);
        }
        let problem = |year: i16| {
            let message = match production.year(year) {
                None => Message::new("calendar-year-missing"),
                Some(held) if held.preliminary => Message::new("calendar-year-preliminary"),
                Some(_) => return None,
            };
            Some(Problem::new(&production.file, 0, message.with("year", year).with("file", &self.file)))
        };
        years.into_iter().filter_map(problem).collect()
    }

    /// The stretches that begin on a day, in the order of their beginnings; they may overlap.
    fn stretches(&self, date: Date, shifts: &[CompactString]) -> Vec<Stretch> {
        let mut hours: Vec<Hours> = match self.own_hours.get(&date) {
            _ if self.days_off.contains(&date) => Vec::new(),
            Some(own) => own.clone(),
            None => self.by_weekday(date, shifts),
        };
        hours.sort_by_key(|it| (it.from, it.to));
        let instants = hours.iter().map(|it| (self.instant(date, it.from), self.instant(date, it.to)));
        instants.filter(|(from, to)| from < to).collect()
    }

    fn by_weekday(&self, date: Date, shifts: &[CompactString]) -> Vec<Hours> {
        let day = self.production.as_ref().map_or_else(|| production::Day::plain(date), |it| it.day(date));
        let asked = |shift: &&Shift| shifts.is_empty() || shifts.contains(&shift.name);
        let mut always = Vec::new();
        let mut usual = Vec::new();
        for shift in self.shifts.iter().filter(asked) {
            if shift.on_holidays && shift.weekdays.contains(&date.weekday()) {
                always.push(shift.hours);
            } else if !shift.on_holidays && day.works_as.is_some_and(|weekday| shift.weekdays.contains(&weekday)) {
                usual.push(shift.hours);
            }
        }
        if day.is_shortened {
            let last = usual.iter().map(|it| it.to).max().unwrap_or(0) - self.shortened_by_minutes;
            usual.iter_mut().for_each(|it| it.to = it.to.min(last));
            usual.retain(|it| it.from < it.to);
        }
        usual.extend(always);
        usual
    }

    /// The instant `minutes` of the wall clock after the midnight of a day. A time that the clocks
    /// jump over is taken as if they had not jumped yet; one that comes twice is the first.
    fn instant(&self, date: Date, minutes: i64) -> Timestamp {
        let days = minutes.div_euclid(DAY_MINUTES);
        let minutes = minutes.rem_euclid(DAY_MINUTES);
        let date = date.saturating_add(Span::new().days(days));
        let time = Time::midnight().saturating_add(Span::new().minutes(minutes));
        let zoned = self.zone.to_ambiguous_zoned(DateTime::from_parts(date, time)).compatible();
        // Only the last hours of the year 9999 have no instant.
        zoned.map_or(Timestamp::from_jiff(jiff::Timestamp::MAX), |it| Timestamp::from_jiff(it.timestamp()))
    }
}

impl<'c> Working<'c> {
    /// Whether any of these shifts works then.
    pub fn is_working(self, at: Timestamp) -> bool {
        let today = self.calendar.date(at);
        let yesterday = today.saturating_sub(Span::new().days(1));
        let covers = |date| self.calendar.stretches(date, self.shifts).iter().any(|(from, to)| *from <= at && at < *to);
        covers(yesterday) || covers(today)
    }

    /// The first working instant that is not before `at`; `at` itself when there is none within
    /// the bound.
    pub fn next_opening(self, at: Timestamp) -> Timestamp {
        self.from(at).next().map_or(at, |(from, _)| from)
    }

    /// The instant at which so much working time has passed since `from`.
    pub fn plus_working_minutes(self, from: Timestamp, minutes: u32) -> Timestamp {
        let mut left = i64::from(minutes) * MINUTE_MS;
        let mut reached = from;
        for (begin, end) in self.from(from) {
            let length = end.ms_since(begin);
            if left <= length {
                return begin.plus_ms(left);
            }
            left -= length;
            reached = end;
        }
        // Bound: whoever does not work for so long is not waited for.
        reached.plus_ms(left)
    }

    /// Whole working minutes from `a` to `b`.
    pub fn working_minutes_between(self, a: Timestamp, b: Timestamp) -> i64 {
        let within = self.from(a).take_while(|(from, _)| *from < b);
        let ms: i64 = within.map(|(from, to)| to.min(b).ms_since(from)).sum();
        ms / MINUTE_MS
    }

    /// Working time from `at` on: stretches in order, none overlapping the one before.
    fn from(self, at: Timestamp) -> impl Iterator<Item = Stretch> + use<'c> {
        let first = self.calendar.date(at).saturating_sub(Span::new().days(1));
        let mut reached = at;
        // Bound: later days are not looked at.
        (0..=CALENDAR_DAYS_MAX)
            .map(move |days| first.saturating_add(Span::new().days(days)))
            .flat_map(move |date| self.calendar.stretches(date, self.shifts))
            .filter_map(move |(from, to)| {
                let from = from.max(reached);
                reached = reached.max(to);
                (from < to).then_some((from, to))
            })
    }
}
