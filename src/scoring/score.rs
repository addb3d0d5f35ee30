//! The score itself.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::change::next_change;
use super::condition::{Flag, Quantity, Subject};
use super::facts::Facts;
use super::rules::{Band, Count, Exclude, Factor, Levels, PeakFrom, Rules, Word};
use crate::base::Timestamp;
use crate::model::score::{FactorPoints, Score};
use crate::model::{Class, LostReason};

/// Scores a deal.
pub fn score(rules: &Rules, facts: &Facts<'_>) -> Score {
    let days = Days::of(facts);
    let mut factors = Vec::with_capacity(rules.factors.len());
    let (mut raw_bp, mut fresh_bp) = (rules.base_bp, rules.base_bp);
    for factor in &rules.factors {
        let points = factor_points(factor, facts, &days);
        raw_bp += points.points_bp;
        fresh_bp += if factor.decays { 0 } else { points.points_bp };
        factors.push(points);
    }
    let price_minor = facts.price_minor.filter(|price| *price > 0);
    let worth = |p_bp: i32| price_minor.map(|price| value(price, p_bp));
    let clamped = |raw: i32| raw.clamp(rules.floor_bp, rules.cap_bp);
    let (p_bp, fresh_p_bp) = (clamped(raw_bp), clamped(fresh_bp));
    let standing = Standing {
        rules,
        facts,
        raw_bp,
        fresh_bp,
        p_bp,
        fresh_p_bp,
        price_minor,
        value_minor: worth(p_bp),
        fresh_value_minor: worth(fresh_p_bp),
    };
    let Verdict { class, in_forecast } = standing.verdict(&days);
    Score {
        as_of: facts.as_of,
        rules: rules.fingerprint,
        base_bp: rules.base_bp,
        factors,
        raw_bp,
        p_bp,
        floored: raw_bp <= rules.floor_bp,
        capped: raw_bp >= rules.cap_bp,
        price_minor,
        value_minor: standing.value_minor,
        fresh_value_minor: standing.fresh_value_minor,
        currency: price_minor.and(facts.currency).cloned(),
        class,
        in_forecast,
        next_change: next_change(&standing, &days),
    }
}

/// Class of a client by class and value (hundredths) of his open deals: the best; of equal ones the one of greater value decides
/// which deal it is (`C1` counts as `C`). `None` without open deals: segmentation decides then.
pub fn client_class(deals: impl IntoIterator<Item = (Class, Option<i64>)>) -> Option<Class> {
    let rank = |class: Class| match class {
        Class::A => 0,
        Class::B => 1,
        Class::C | Class::C1 => 2,
        Class::C2 => 3,
        Class::D => 4,
        Class::E => 5,
        Class::F => 6,
    };
    let best = deals.into_iter().min_by_key(|(class, value)| (rank(*class), std::cmp::Reverse(*value), *class));
    best.map(|(class, _)| class)
}

/// price x probability, rounded half up.
fn value(price_minor: i64, p_bp: i32) -> i64 {
    let product = i128::from(price_minor) * i128::from(p_bp) + 5_000;
    // Cannot saturate: the probability is at most one.
    i64::try_from(product / 10_000).unwrap_or(i64::MAX)
}

/// Calendar days that the score depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days<'a> {
    pub(super) zone: &'a TimeZone,
    pub(super) today: Date,
    pub(super) stage_since: Option<Date>,
    pub(super) replied: Option<Date>,
    pub(super) active: Option<Date>,
    pub(super) known: Option<Date>,
}

impl<'a> Days<'a> {
    fn of(facts: &Facts<'a>) -> Days<'a> {
        let zone = facts.zone;
        let date = |at: Timestamp| zone.to_datetime(at.to_jiff()).date();
        Days {
            zone,
            today: date(facts.as_of),
            stage_since: facts.stage_since.map(date),
            replied: facts.replied_at.map(date),
            active: facts.active_at.map(date),
            known: facts.client_known_since.map(date),
        }
    }

    /// Whole calendar days from `since` to today; a date in the future counts as today.
    pub(super) fn since(&self, since: Date) -> i64 {
        since.duration_until(self.today).as_hours().div_euclid(24).max(0)
    }

    /// Beginning of a count that a condition names.
    pub(super) fn beginning(&self, quantity: Quantity) -> Option<Date> {
        match quantity {
            Quantity::Days => self.stage_since,
            Quantity::Idle => self.active,
            Quantity::P | Quantity::Value | Quantity::FreshValue | Quantity::Price => None,
        }
    }

    /// The same facts on a later day.
    pub(super) fn on(&self, today: Date) -> Days<'a> {
        Days { today, ..*self }
    }
}

fn factor_points(factor: &Factor, facts: &Facts<'_>, days: &Days<'_>) -> FactorPoints {
    let found = match &factor.levels {
        Levels::Map(word, levels) => level_of(*word, facts).map(|level| {
            let points = levels.iter().find(|(name, _)| same_word(name, level)).map(|(_, points)| *points);
            (level, points)
        }),
        Levels::Bands { count, bands, per_status } => {
            let bands = bands_of(facts, bands, per_status);
            counted(*count, facts, days).map(|number| match band_of(bands, number) {
                Some(band) => (band.label.as_str(), Some(band.points_bp)),
                None => ("", Some(0)),
            })
        }
    };
    // Silence is not counted while a deal is put off by agreement: nothing is missing then.
    let paused = facts.deferred && matches!(factor.levels, Levels::Bands { count: Count::DaysSinceReply, .. });
    let (level, points) = found.unwrap_or(("", None));
    FactorPoints {
        factor: factor.id.clone(),
        level: level.into(),
        points_bp: points.unwrap_or(0),
        no_data: points.is_none() && !factor.neutral && !paused,
    }
}

/// The bands that apply: the status's own, or the common ones.
pub(super) fn bands_of<'r>(
    facts: &Facts<'_>,
    common: &'r [Band],
    per_status: &'r [(compact_str::CompactString, Vec<Band>)],
) -> &'r [Band] {
    let own = facts.status.and_then(|status| per_status.iter().find(|(name, _)| same_word(name, status)));
    own.map_or(common, |(_, bands)| bands.as_slice())
}

fn band_of(bands: &[Band], number: i64) -> Option<&Band> {
    bands.iter().rev().find(|band| band.from <= number)
}

fn level_of<'a>(word: Word, facts: &Facts<'a>) -> Option<&'a str> {
    let level = match word {
        Word::Status => facts.status,
        Word::Source => facts.source,
        Word::Segment => facts.segment,
        Word::ProductLine => facts.product_line,
        Word::NextStep => facts.next_step,
        Word::Decides => facts.decides.map(|decides| if decides { "yes" } else { "no" }),
    };
    level.map(str::trim).filter(|level| !level.is_empty())
}

fn counted(count: Count, facts: &Facts<'_>, days: &Days<'_>) -> Option<i64> {
    match count {
        Count::DaysInStatus => days.stage_since.map(|since| days.since(since)),
        Count::DaysSinceReply => days.replied.filter(|_| !facts.deferred).map(|since| days.since(since)),
        Count::CloseDateMoves => Some(i64::from(facts.close_date_moves)),
        Count::PriceToMedian => {
            let price = facts.price_minor.filter(|price| *price > 0)?;
            let median = facts.client_median_minor.filter(|median| *median > 0)?;
            i64::try_from(i128::from(price) * 100 / i128::from(median)).ok()
        }
    }
}

/// Names of stages and sources are typed by people: letter case does not count.
fn same_word(left: &str, right: &str) -> bool {
    left == right || left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
}

/// All that classes ask for, computed.
pub(super) struct Standing<'s, 'f> {
    pub(super) rules: &'s Rules,
    pub(super) facts: &'s Facts<'f>,
    raw_bp: i32,
    fresh_bp: i32,
    p_bp: i32,
    fresh_p_bp: i32,
    price_minor: Option<i64>,
    value_minor: Option<i64>,
    fresh_value_minor: Option<i64>,
}

/// What days may turn without any points changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    class: Class,
    in_forecast: bool,
}

impl Standing<'_, '_> {
    pub(super) fn verdict(&self, days: &Days<'_>) -> Verdict {
        let class = self.class(days);
        Verdict { class, in_forecast: self.in_forecast(class, days) }
    }

    fn class(&self, days: &Days<'_>) -> Class {
        let peak = match self.rules.peak {
            PeakFrom::History => self.facts.peak,
            PeakFrom::Fresh => self.fresh_class(days),
            PeakFrom::HistoryOrFresh => self.facts.peak.or_else(|| self.fresh_class(days)),
            PeakFrom::None => None,
        };
        let now = Now { standing: self, days, peak, fresh: false };
        let comparable = self.is_comparable();
        let applies = |rule: &&(Class, super::condition::Condition)| {
            // Without a price, or in a currency without thresholds, a deal is never A or B.
            (comparable || rule.0 > Class::B) && rule.1.holds(&now)
        };
        // The compiler refuses rules whose last one does not hold always.
        self.rules.classes.iter().find(applies).map_or(Class::C, |(class, _)| *class)
    }

    fn is_comparable(&self) -> bool {
        self.value_minor.is_some() && self.facts.currency.is_none_or(|it| *it == self.rules.currency)
    }

    /// A or B, if the deal would be that without what time took; else none.
    fn fresh_class(&self, days: &Days<'_>) -> Option<Class> {
        if !self.is_comparable() {
            return None;
        }
        let fresh = Now { standing: self, days, peak: None, fresh: true };
        let best = self.rules.classes.iter().filter(|(class, _)| *class <= Class::B);
        best.filter(|(_, condition)| condition.holds(&fresh)).map(|(class, _)| *class).min()
    }

    fn in_forecast(&self, class: Class, days: &Days<'_>) -> bool {
        let excluded = match &self.rules.exclude {
            Exclude::None => false,
            Exclude::RawAtOrBelowFloor => self.raw_bp <= self.rules.floor_bp,
            Exclude::AtFloor => self.p_bp <= self.rules.floor_bp,
            Exclude::BelowBase => self.p_bp < self.rules.base_bp,
            Exclude::Classes(classes) => classes.contains(&class),
            Exclude::StaleDays(stale) => days.stage_since.is_some_and(|since| days.since(since) >= *stale),
        };
        self.value_minor.is_some() && !excluded
    }
}

/// The standing on one day: what conditions are asked about.
struct Now<'n, 's, 'f> {
    standing: &'n Standing<'s, 'f>,
    days: &'n Days<'f>,
    peak: Option<Class>,
    /// Without the factors that decay.
    fresh: bool,
}

impl Subject for Now<'_, '_, '_> {
    fn flag(&self, flag: Flag) -> bool {
        let Standing { rules, facts, .. } = self.standing;
        let raw_bp = if self.fresh { self.standing.fresh_bp } else { self.standing.raw_bp };
        match flag {
            Flag::Floored => raw_bp <= rules.floor_bp,
            Flag::Capped => raw_bp >= rules.cap_bp,
            Flag::Deferred => facts.deferred,
            Flag::Junk => facts.junk || facts.lost == Some(LostReason::Junk),
            Flag::Refused => facts.lost == Some(LostReason::Refused),
            Flag::Unsubscribed => facts.unsubscribed,
            Flag::IsNew => {
                let is_first = facts.purchases == 0 && facts.deals_of_client_before == 0;
                is_first && self.days.known.is_some_and(|since| self.days.since(since) <= rules.new_days)
            }
        }
    }

    fn quantity(&self, quantity: Quantity) -> Option<i64> {
        let standing = self.standing;
        let comparable = |money: Option<i64>| money.filter(|_| standing.is_comparable());
        match quantity {
            Quantity::P => Some(i64::from(if self.fresh { standing.fresh_p_bp } else { standing.p_bp })),
            Quantity::Value if self.fresh => comparable(standing.fresh_value_minor),
            Quantity::Value => comparable(standing.value_minor),
            Quantity::FreshValue => comparable(standing.fresh_value_minor),
            Quantity::Price => comparable(standing.price_minor),
            Quantity::Days | Quantity::Idle => self.days.beginning(quantity).map(|since| self.days.since(since)),
        }
    }

    fn peak(&self) -> Option<Class> {
        self.peak
    }
}
