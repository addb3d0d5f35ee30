//! When a score will change by time alone.
//!
//! Time enters a score only through counts of calendar days, so it can change only at a midnight of
//! the company's zone. The nearest midnight at which a count enters another band always changes a
//! factor; the days at which only a class or the forecast may turn are tried one by one. Between
//! now and the answer nothing changes; after it, score again.

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::condition::Quantity;
use super::rules::{Band, Count, Exclude, Levels};
use super::score::{Days, Standing, bands_of};
use crate::base::Timestamp;

/// The first instant at which a factor's level, the class or the place in the forecast changes.
pub(super) fn next_change(standing: &Standing<'_, '_>, days: &Days<'_>) -> Option<Timestamp> {
    let band = next_band(standing, days);
    let before_band = |day: &Date| band.is_none_or(|band| *day < band);
    let mut turns: Vec<Date> = turning_days(standing, days).filter(before_band).collect();
    turns.sort_unstable();
    turns.dedup();
    let now = if turns.is_empty() { None } else { Some(standing.verdict(days)) };
    let turn = turns.into_iter().find(|day| Some(standing.verdict(&days.on(*day))) != now);
    turn.or(band).and_then(|day| midnight(day, days.zone))
}

/// The first day at which a count enters another band.
fn next_band(standing: &Standing<'_, '_>, days: &Days<'_>) -> Option<Date> {
    let next = |levels: &Levels| match levels {
        Levels::Map(..) => None,
        Levels::Bands { count, bands, per_status } => {
            let since = match count {
                Count::DaysInStatus => days.stage_since,
                Count::DaysSinceReply => days.replied.filter(|_| !standing.facts.deferred),
                Count::PriceToMedian | Count::CloseDateMoves => None,
            }?;
            let count = days.since(since);
            let enters = |band: &&Band| band.from > count;
            let from = bands_of(standing.facts, bands, per_status).iter().find(enters)?.from;
            later(since, from)
        }
    };
    standing.rules.factors.iter().filter_map(|factor| next(&factor.levels)).min()
}

/// Days after today at which the class or the forecast may turn.
fn turning_days<'a>(standing: &'a Standing<'_, '_>, days: &'a Days<'_>) -> impl Iterator<Item = Date> + use<'a> {
    let rules = standing.rules;
    let classes = rules.turning_days.iter().filter_map(|(quantity, day)| later(days.beginning(*quantity)?, *day));
    let is_first = standing.facts.purchases == 0 && standing.facts.deals_of_client_before == 0;
    let newness = days.known.filter(|_| is_first).and_then(|known| later(known, rules.new_days + 1));
    let stale = match rules.exclude {
        Exclude::StaleDays(stale) => days.beginning(Quantity::Days).and_then(|since| later(since, stale)),
        Exclude::None | Exclude::RawAtOrBelowFloor | Exclude::AtFloor | Exclude::BelowBase | Exclude::Classes(_) => {
            None
        }
    };
    classes.chain(newness).chain(stale).filter(|day| *day > days.today)
}

/// `None` beyond the end of the calendar: then it never comes.
fn later(date: Date, days: i64) -> Option<Date> {
    date.checked_add(SignedDuration::from_hours(days.checked_mul(24)?)).ok()
}

/// The first instant of a day in `zone`.
fn midnight(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok().map(Timestamp::from_jiff)
}
