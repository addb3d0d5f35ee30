//! Times as the portal writes and reads them: ISO 8601 in the portal's own offset, whole seconds.

use jiff::civil;
use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// The portal's offset from UTC. Portals have a zone; a fixed offset keeps answers predictable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone {
    /// Seconds east of UTC.
    pub offset_s: i32,
}

/// Moscow.
pub const MOSCOW: Zone = Zone { offset_s: 3 * 3600 };

impl Zone {
    fn offset(self) -> jiff::tz::Offset {
        jiff::tz::Offset::from_seconds(self.offset_s).unwrap_or(jiff::tz::Offset::UTC)
    }

    /// Seconds since the epoch as `2026-11-21T10:00:00+03:00`.
    pub(super) fn iso(self, seconds: i64) -> String {
        let local = self.offset().to_datetime(Timestamp(seconds.saturating_mul(1000)).to_jiff());
        let minutes = self.offset_s.abs() / 60;
        let sign = if self.offset_s < 0 { '-' } else { '+' };
        format!("{}{sign}{:02}:{:02}", local.strftime("%Y-%m-%dT%H:%M:%S"), minutes / 60, minutes % 60)
    }

    /// The day (`YYYY-MM-DD`) of an instant.
    pub(super) fn day(self, seconds: i64) -> String {
        self.offset().to_datetime(Timestamp(seconds.saturating_mul(1000)).to_jiff()).date().to_string()
    }

    /// A stored day as the classic methods show it: midnight of UTC, written in the portal's zone
    /// (`2024-08-30` is `2024-08-30T03:00:00+03:00`; seen in the documentation of crm.deal.get).
    pub(super) fn day_iso(self, day: &str) -> String {
        day.parse::<civil::Date>()
            .ok()
            .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map_or_else(|| day.to_owned(), |midnight| self.iso(midnight.timestamp().as_second()))
    }

    /// Reads what callers send: with an offset, without one (portal time), a bare day, or the
    /// Russian order of day, month and year. Seconds since the epoch.
    pub(super) fn read_instant(self, text: &str) -> Option<i64> {
        let text = text.trim();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(instant.as_second());
        }
        let local = text
            .parse::<civil::DateTime>()
            .ok()
            .or_else(|| civil::DateTime::strptime("%d.%m.%Y %H:%M:%S", text).ok())
            .or_else(|| civil::DateTime::strptime("%d.%m.%Y %H:%M", text).ok())
            .or_else(|| civil::Date::strptime("%d.%m.%Y", text).ok().map(|day| day.at(0, 0, 0, 0)))?;
        self.offset().to_timestamp(local).ok().map(|it| it.as_second())
    }

    /// Reads a day; of an instant, the day in the portal's zone.
    pub(super) fn read_day(self, text: &str) -> Option<String> {
        let text = text.trim();
        if let Ok(day) = text.parse::<civil::Date>()
            && text.len() == 10
        {
            return Some(day.to_string());
        }
        self.read_instant(text).map(|seconds| self.day(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_form_that_callers_use() {
        let check = |text: &str, expected: Option<&str>| {
            let read = MOSCOW.read_instant(text).map(|seconds| MOSCOW.iso(seconds));
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        check("2024-08-30T14:29:00+02:00", Some("2024-08-30T15:29:00+03:00"));
        check("2024-08-30T11:29:00Z", Some("2024-08-30T14:29:00+03:00"));
        check("2024-08-30T14:29:00", Some("2024-08-30T14:29:00+03:00"));
        check("2024-08-30 14:29:00", Some("2024-08-30T14:29:00+03:00"));
        check("2024-08-30", Some("2024-08-30T00:00:00+03:00"));
        check("30.08.2024 14:29:00", Some("2024-08-30T14:29:00+03:00"));
        check("30.08.2024", Some("2024-08-30T00:00:00+03:00"));
        check("tomorrow", None);
    }

    #[test]
    fn a_day_is_shown_as_midnight_utc_in_portal_time() {
        assert_eq!(MOSCOW.day_iso("2024-08-30"), "2024-08-30T03:00:00+03:00");
        assert_eq!(MOSCOW.read_day("11.11.2001").as_deref(), Some("2001-11-11"));
        assert_eq!(MOSCOW.read_day("2024-08-30T23:30:00Z").as_deref(), Some("2024-08-31"));
        assert_eq!(MOSCOW.read_day("2024-08-30T03:00:00+03:00").as_deref(), Some("2024-08-30"));
    }
}
