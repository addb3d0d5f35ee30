//! Numbers and times as people read them.

use crate::base::{Locale, Message};

/// `12 345` with spaces at which no line is broken; in English with commas.
pub(super) fn number(number: u64, locale: Locale) -> String {
    let minor = i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(100);
    crate::query::priority::grouped(minor, locale)
}

/// A text with a number in its plural form: `{ $count }` decides, `{ $shown }` is shown.
pub(super) fn counted(id: &str, count: u64, locale: Locale) -> String {
    // Fluent takes up to nine digits for a number; the form of a greater one is that of its end.
    let form = if count > 999_999_999 { count % 1_000_000 } else { count };
    Message::new(id).with("count", form).with("shown", number(count, locale)).render(locale)
}

/// `22 ноября 2026, 09:40` of `2026-11-22 09:40:00`.
pub(super) fn moment(local: &str, locale: Locale) -> String {
    let Some((date, time)) = parts(local) else { return local.to_owned() };
    let (year, month, day) = date;
    Message::new("page-moment")
        .with("day", day)
        .with("month", month)
        .with("year", year)
        .with("time", time)
        .render(locale)
}

/// The same, short: only the time when it is today.
pub(super) fn short(local: &str, today: &str, locale: Locale) -> String {
    let (Some((date, time)), Some((now, _))) = (parts(local), parts(today)) else { return local.to_owned() };
    if date == now {
        return Message::new("page-today").with("time", time).render(locale);
    }
    let id = if date.0 == now.0 { "page-day" } else { "page-moment" };
    let (year, month, day) = date;
    Message::new(id).with("day", day).with("month", month).with("year", year).with("time", time).render(locale)
}

type Date<'a> = (&'a str, u32, u32);

fn parts(local: &str) -> Option<(Date<'_>, &str)> {
    let (date, time) = local.split_once(' ')?;
    let mut date = date.splitn(3, '-');
    let date = (date.next()?, date.next()?.parse().ok()?, date.next()?.parse().ok()?);
    Some((date, time.get(..5)?))
}

/// How late something is: `просрочена на 2 ч`, `просрочена на 3 дня`.
pub(super) fn late(minutes: u64, locale: Locale) -> String {
    match minutes {
        0..60 => counted("page-late-minutes", minutes.max(1), locale),
        60..1440 => counted("page-late-hours", minutes / 60, locale),
        _ => counted("page-late-days", minutes / 1440, locale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let today = "2026-11-22 10:00:00";
        let cases = [
            ("2026-11-22 09:40:00", "22 ноября 2026, 09:40", "сегодня, 09:40"),
            ("2026-03-08 00:05:00", "8 марта 2026, 00:05", "8 марта, 00:05"),
            ("2025-12-31 23:59:59", "31 декабря 2025, 23:59", "31 декабря 2025, 23:59"),
            ("что-то", "что-то", "что-то"),
        ];
        for (local, long, brief) in cases {
            assert_eq!((moment(local, Locale::Ru).as_str(), short(local, today, Locale::Ru).as_str()), (long, brief));
        }
        assert_eq!(moment("2026-11-22 09:40:00", Locale::En), "22 November 2026, 09:40");
    }

    #[test]
    fn numbers_have_their_plural_form() {
        let deals = |count| counted("page-deals", count, Locale::Ru).replace('\u{a0}', " ");
        assert_eq!(deals(1), "1 сделка");
        assert_eq!(deals(3), "3 сделки");
        assert_eq!(deals(11), "11 сделок");
        assert_eq!(deals(1_000_021), "1 000 021 сделка");
        assert_eq!(deals(7_000_000_002), "7 000 000 002 сделки");
        assert_eq!(late(0, Locale::Ru).replace('\u{a0}', " "), "просрочена на 1 мин");
        assert_eq!(late(135, Locale::Ru).replace('\u{a0}', " "), "просрочена на 2 ч");
        assert_eq!(late(4_400, Locale::Ru).replace('\u{a0}', " "), "просрочена на 3 дня");
    }
}
