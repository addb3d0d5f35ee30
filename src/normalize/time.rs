//! Dates and times of foreign systems: text -> a day or an instant.
//!
//! A time without an offset is local to the source's zone. Where the clocks jump, a time that does
//! not exist is taken as if they had not jumped yet (02:30 becomes 03:30), and a time that exists
//! twice is the first one: the same on every machine. The empty dates of 1C and MySQL
//! (`0001-01-01`, `0000-00-00`) say nothing: no value and no issue.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use super::Normalized;
use super::script::line;
use crate::base::{Message, Timestamp};
use crate::model::Issue;

/// Years that are believed; outside of them a date is a slip.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2199;
/// Characters of a date; longer text is not one.
const DATE_CHARS_MAX: usize = 64;

/// A day. A time after it is dropped.
pub fn date(text: &str) -> Normalized<Date> {
    read(text, "date").map(|read| read.date)
}

/// An instant; without a time it is the first moment of the day in `zone`.
pub fn datetime(text: &str, zone: &TimeZone) -> Normalized<Timestamp> {
    let clean = line(text);
    if let Some(at) = unix(&clean) {
        return Normalized::clean(at);
    }
    if clean.starts_with(|it: char| it.is_ascii_alphabetic())
        && let Ok(zoned) = jiff::fmt::rfc2822::parse(&clean)
        && YEARS.contains(&zoned.year())
    {
        return Normalized::clean(Timestamp::from_jiff(zoned.timestamp()));
    }
    let read = read(text, "datetime");
    let issues = read.issues;
    let instant = read.value.and_then(|read| read.instant(zone));
    Normalized { value: instant, issues }
}

struct Read {
    date: Date,
    time: Option<Time>,
    offset: Option<Offset>,
}

impl Read {
    fn instant(&self, zone: &TimeZone) -> Option<Timestamp> {
        let at = match (self.time, self.offset) {
            (Some(time), Some(offset)) => offset.to_timestamp(DateTime::from_parts(self.date, time)).ok()?,
            (Some(time), None) => {
                zone.to_ambiguous_zoned(DateTime::from_parts(self.date, time)).compatible().ok()?.timestamp()
            }
            (None, _) => self.date.to_zoned(zone.clone()).ok()?.timestamp(),
        };
        Some(Timestamp::from_jiff(at))
    }
}

/// Seconds (10 digits) or milliseconds (13) since 1970.
fn unix(text: &str) -> Option<Timestamp> {
    let all_digits = text.bytes().all(|it| it.is_ascii_digit());
    let factor = match text.len() {
        10 if all_digits => 1_000,
        13 if all_digits => 1,
        _ => return None,
    };
    let number: i64 = text.parse().ok()?;
    let at = Timestamp(number.checked_mul(factor)?);
    YEARS.contains(&Offset::UTC.to_datetime(at.to_jiff()).year()).then_some(at)
}

fn read(text: &str, field: &str) -> Normalized<Read> {
    let clean = line(text);
    if clean.is_empty() {
        return Normalized::nothing();
    }
    let refused = || Normalized::refused(field, Message::new("normalize-date"), text);
    if clean.chars().count() > DATE_CHARS_MAX {
        return refused();
    }
    let Some((day, rest)) = day(&clean) else { return refused() };
    let Some(day) = day else { return Normalized::nothing() };
    let Some((time, offset)) = time(rest) else { return refused() };
    if !YEARS.contains(&day.date.year()) {
        return refused();
    }
    let read = Read { date: day.date, time, offset };
    let issues = match day.guessed {
        false => Vec::new(),
        true => vec![Issue::new(field, Message::new("normalize-date-guessed").with("taken", read.date), text)],
    };
    Normalized { value: Some(read), issues }
}

struct Day {
    date: Date,
    /// Two digits of a year, or the month before the day.
    guessed: bool,
}

/// The day at the start of `text` and the rest. The inner `None` is the empty date.
fn day(text: &str) -> Option<(Option<Day>, &str)> {
    if let Some(found) = day_in_words(text) {
        return Some(found);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if matches!(digits, 8 | 14) {
        let (head, rest) = text.split_at(8);
        let numbers = [head.get(..4)?, head.get(4..6)?, head.get(6..8)?].map(|it| it.parse::<i16>().ok());
        let [Some(year), Some(month), Some(day)] = numbers else { return None };
        return Some((day_of(year, month, day, false)?, rest));
    }
    let end = text.find(|it: char| !it.is_ascii_digit() && !matches!(it, '.' | '-' | '/')).unwrap_or(text.len());
    let (head, rest) = text.split_at(end);
    let mut parts = head.trim_end_matches('.').split(['.', '-', '/']);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || [first, second, third].iter().any(|it| it.is_empty() || it.len() > 4) {
        return None;
    }
    let (a, b, c): (i16, i16, i16) = (first.parse().ok()?, second.parse().ok()?, third.parse().ok()?);
    let found = match (first.len(), third.len()) {
        (4, 1..=2) => day_of(a, b, c, false)?,
        (1..=2, 4) if b > 12 && head.contains('/') => day_of(c, a, b, true)?,
        (1..=2, 4) => day_of(c, b, a, false)?,
        (1..=2, 2) => day_of(if c >= 70 { 1900 + c } else { 2000 + c }, b, a, true)?,
        _ => return None,
    };
    Some((found, rest))
}

/// `22 ноября 2026 г.`
fn day_in_words(text: &str) -> Option<(Option<Day>, &str)> {
    const MONTHS: [&str; 12] = ["янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"];
    let (day, rest) = text.split_once(' ')?;
    let (month, rest) = rest.split_once(' ')?;
    let month = month.to_lowercase();
    let number = MONTHS.iter().position(|start| month.starts_with(start))? as i16 + 1;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (year, rest) = rest.split_at(digits);
    let rest = rest.trim_start().trim_start_matches("года").trim_start_matches("г.").trim_start_matches('г');
    Some((day_of(year.parse().ok()?, number, day.parse().ok()?, false)?, rest))
}

/// The inner `None` is an empty date, the outer one no date at all.
fn day_of(year: i16, month: i16, day: i16, guessed: bool) -> Option<Option<Day>> {
    let is_empty = (year <= 1 && month <= 1 && day <= 1) || (year == 1899 && month == 12 && day >= 30);
    if is_empty {
        return Some(None);
    }
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    Some(Some(Day { date, guessed }))
}

/// The time after a day, and the offset after the time; `None` when there is something else.
fn time(rest: &str) -> Option<(Option<Time>, Option<Offset>)> {
    let rest = rest.trim_start_matches(['T', 't', ' ', ',']).trim_end();
    let rest = rest.strip_prefix("в ").unwrap_or(rest);
    if rest.is_empty() {
        return Some((None, None));
    }
    let end = rest.find(|it: char| !it.is_ascii_digit() && !matches!(it, ':' | '.')).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at(end);
    let clock = if clock.len() == 6 && clock.bytes().all(|it| it.is_ascii_digit()) {
        format!("{}:{}:{}", &clock[..2], &clock[2..4], &clock[4..])
    } else {
        clock.to_owned()
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((&clock, ""));
    let mut parts = clock.split(':');
    let mut next = |default: Option<&'static str>| -> Option<i8> {
        let part = parts.next().or(default)?;
        (1..=2).contains(&part.len()).then(|| part.parse().ok()).flatten()
    };
    let (hour, minute, second) = (next(None)?, next(None)?, next(Some("0"))?);
    if parts.next().is_some() || !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    let nanosecond: i32 = padded.parse::<i32>().ok()? * 1_000_000;
    // A leap second is the one before it.
    let time = Time::new(hour, minute, second.min(59), nanosecond).ok()?;
    Some((Some(time), offset_of(offset.trim())?))
}

/// `Z`, `+03:00`, `+0300`, `+03`, with a bracketed zone after it ignored; the inner `None`: none.
fn offset_of(text: &str) -> Option<Option<Offset>> {
    let text = text.split(['[', '(']).next().unwrap_or("").trim();
    let text = text
        .strip_prefix("GMT")
        .or_else(|| text.strip_prefix("UTC"))
        .map_or(text, |it| if it.is_empty() { "Z" } else { it });
    match text {
        "" => return Some(None),
        "Z" | "z" => return Some(Some(Offset::UTC)),
        _ => (),
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' | '−' => -1,
        _ => return None,
    };
    let digits: String = text.chars().skip(1).filter(|it| *it != ':').collect();
    if !digits.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    let fits = hours <= 15 && minutes < 60;
    fits.then(|| Offset::from_seconds(sign * (hours * 3_600 + minutes * 60)).ok()).flatten().map(Some)
}
