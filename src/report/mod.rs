//! What a head of sales reads: sums over scored deals, and how much of them hangs on few.
//!
//! Accumulators are added to deal by deal and merged with one another ([`Totals::merge`]), in any
//! order with the same result: per employee, per source, per day. Integers only.
//!
//! The headline is the forecast: values of the deals that count in it. Beside it stands the sum of
//! all values, so that nothing is hidden by leaving deals out. Deals without a price are counted,
//! never summed as zero; deals in another currency are summed apart, never converted.

use std::collections::BTreeMap;

use crate::model::score::Score;
use crate::model::{Class, Currency};

/// Count and value of some deals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many deals, with and without a price.
    pub count: u64,
    /// Sum of their values, hundredths.
    pub value_minor: i64,
}

impl Sum {
    /// Counts another sum in.
    pub fn add(&mut self, other: Sum) {
        self.count += other.count;
        self.value_minor = self.value_minor.saturating_add(other.value_minor);
    }
}

/// What the sums need to know of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Class.
    pub class: Class,
    /// Whether it counts in the forecast.
    pub in_forecast: bool,
    /// Price, hundredths.
    pub price_minor: Option<i64>,
    /// Value, hundredths.
    pub value_minor: Option<i64>,
}

impl Part {
    /// Of a score.
    pub fn of(score: &Score) -> Part {
        let Score { class, in_forecast, price_minor, value_minor, .. } = *score;
        Part { class, in_forecast, price_minor, value_minor }
    }
}

/// Sums over scored deals. The main currency is the company's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// The currency of the sums below.
    pub currency: Currency,
    /// Deals in that currency and deals without a price.
    pub deals: u64,
    /// Values of the deals that count in the forecast, hundredths: the headline.
    pub forecast_minor: i64,
    /// How many deals count in the forecast.
    pub forecast_deals: u64,
    /// Values of all deals, hundredths.
    pub all_minor: i64,
    /// Prices of all deals, hundredths.
    pub price_minor: i64,
    /// Deals without a price.
    pub without_price: u64,
    /// By class, in the order of `Class::ALL`.
    pub classes: [Sum; Class::ALL.len()],
    /// Deals in other currencies: count and value.
    pub other_currencies: BTreeMap<Currency, Sum>,
    /// How the values lie.
    pub portfolio: Portfolio,
}

impl Totals {
    /// Nothing yet.
    pub fn new(currency: &Currency) -> Totals {
        Totals {
            currency: currency.clone(),
            deals: 0,
            forecast_minor: 0,
            forecast_deals: 0,
            all_minor: 0,
            price_minor: 0,
            without_price: 0,
            classes: [Sum::default(); Class::ALL.len()],
            other_currencies: BTreeMap::new(),
            portfolio: Portfolio::default(),
        }
    }

    /// Of these scores.
    pub fn of<'a>(currency: &Currency, scores: impl IntoIterator<Item = &'a Score>) -> Totals {
        let mut totals = Totals::new(currency);
        scores.into_iter().for_each(|score| totals.add(score));
        totals
    }

    /// Counts one deal in.
    pub fn add(&mut self, score: &Score) {
        self.count(&Part::of(score), score.currency.as_ref());
    }

    /// Counts in what is known of one deal; `currency` is that of its price, if it has one.
    pub fn count(&mut self, part: &Part, currency: Option<&Currency>) {
        let value_minor = part.value_minor.unwrap_or(0);
        if let Some(other) = currency.filter(|it| **it != self.currency) {
            self.other_currencies.entry(other.clone()).or_default().add(Sum { count: 1, value_minor });
            return;
        }
        self.deals += 1;
        self.without_price += u64::from(part.value_minor.is_none());
        self.classes[part.class as usize].add(Sum { count: 1, value_minor });
        self.all_minor = self.all_minor.saturating_add(value_minor);
        self.price_minor = self.price_minor.saturating_add(part.price_minor.unwrap_or(0));
        if part.in_forecast {
            self.forecast_deals += 1;
            self.forecast_minor = self.forecast_minor.saturating_add(value_minor);
        }
        self.portfolio.add(value_minor);
    }

    /// Counts in what another accumulator of the same currency counted.
    pub fn merge(&mut self, other: &Totals) {
        debug_assert_eq!(self.currency, other.currency, "totals of two currencies are never merged");
        self.deals += other.deals;
        self.forecast_minor = self.forecast_minor.saturating_add(other.forecast_minor);
        self.forecast_deals += other.forecast_deals;
        self.all_minor = self.all_minor.saturating_add(other.all_minor);
        self.price_minor = self.price_minor.saturating_add(other.price_minor);
        self.without_price += other.without_price;
        for (class, theirs) in self.classes.iter_mut().zip(other.classes) {
            class.add(theirs);
        }
        for (currency, theirs) in &other.other_currencies {
            self.other_currencies.entry(currency.clone()).or_default().add(*theirs);
        }
        self.portfolio.merge(&other.portfolio);
    }

    /// Count and value of one class.
    pub fn class(&self, class: Class) -> Sum {
        self.classes[class as usize]
    }

    /// `C`, `C1` and `C2` together: what the article counts as C.
    pub fn all_c(&self) -> Sum {
        let mut sum = Sum::default();
        [Class::C, Class::C1, Class::C2].iter().for_each(|class| sum.add(self.class(*class)));
        sum
    }
}

/// How a sum is spread over its parts: whether a few deals (or clients) carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Portfolio {
    /// Parts greater than zero.
    pub parts: u64,
    /// Their sum, hundredths.
    pub sum_minor: u128,
    /// Sum of their squares.
    squares: u128,
    /// The greatest, hundredths.
    pub largest_minor: u128,
}

impl Portfolio {
    /// Counts a part in; parts of zero or less do not count.
    pub fn add(&mut self, value_minor: i64) {
        let Some(value) = u128::try_from(value_minor).ok().filter(|it| *it > 0) else { return };
        self.parts += 1;
        self.sum_minor += value;
        self.squares = self.squares.saturating_add(value * value);
        self.largest_minor = self.largest_minor.max(value);
    }

    /// Counts in what another accumulator counted.
    pub fn merge(&mut self, other: &Portfolio) {
        self.parts += other.parts;
        self.sum_minor += other.sum_minor;
        self.squares = self.squares.saturating_add(other.squares);
        self.largest_minor = self.largest_minor.max(other.largest_minor);
    }

    /// Herfindahl-Hirschman index, the sum of squared shares, x 10 000: 10 000 is one deal, below
    /// 100 diversified. `None` of nothing.
    pub fn hhi(&self) -> Option<u32> {
        let square = self.sum_minor.checked_mul(self.sum_minor).filter(|it| *it > 0)?;
        ratio(self.squares, square, 10_000)
    }

    /// Effective number of equal parts, 1 / HHI, x 10.
    pub fn effective_parts_x10(&self) -> Option<u32> {
        let square = self.sum_minor.checked_mul(self.sum_minor)?;
        if self.squares == 0 { None } else { ratio(square, self.squares, 10) }
    }

    /// Share of the largest part, percent.
    pub fn largest_percent(&self) -> Option<u32> {
        if self.sum_minor == 0 { None } else { ratio(self.largest_minor, self.sum_minor, 100) }
    }
}

/// `above * scale / below`, rounded half up; both sides are shifted down together when the product
/// would not fit, which costs far less than the digits shown.
fn ratio(mut above: u128, mut below: u128, scale: u128) -> Option<u32> {
    while above > u128::MAX / scale / 4 {
        above >>= 8;
        below >>= 8;
    }
    let below = below.max(1);
    u32::try_from((above * scale * 2 + below) / (below * 2)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn portfolio(values: &[i64]) -> Portfolio {
        let mut portfolio = Portfolio::default();
        values.iter().for_each(|it| portfolio.add(*it));
        portfolio
    }

    #[test]
    fn the_spread_of_the_worked_example() {
        // facts/scoring.md 1.2: HHI 0.556, N_eff 1.8, the largest 71 %.
        let it = portfolio(&[1_750_000, 250_000, 8_000_000, 27_500_000, 1_000_000]);
        assert_eq!((it.hhi(), it.effective_parts_x10(), it.largest_percent()), (Some(5_562), Some(18), Some(71)));
    }

    #[test]
    fn two_ways_to_earn_a_hundred_million() {
        // facts/scoring.md 1.5: five large clients carry half, or a hundred average ones do.
        let spread = |a: i64, b: i64| {
            let groups = [(5, a), (100, b), (400, 20_000_000), (500, 5_000_000)];
            let values: Vec<i64> =
                groups.iter().flat_map(|(count, sum)| vec![sum * 100 / count; *count as usize]).collect();
            portfolio(&values)
        };
        let (first, second) = (spread(50_000_000, 25_000_000), spread(25_000_000, 50_000_000));
        assert_eq!((first.hhi(), first.effective_parts_x10()), (Some(507), Some(197)));
        assert_eq!((second.hhi(), second.effective_parts_x10()), (Some(151), Some(662)));
    }

    #[test]
    fn nothing_and_the_largest_sums_do_not_break_it() {
        assert_eq!(portfolio(&[]).hhi(), None);
        assert_eq!(portfolio(&[0, -5]).largest_percent(), None);
        let huge = portfolio(&[i64::MAX, i64::MAX]);
        assert_eq!((huge.hhi(), huge.effective_parts_x10(), huge.largest_percent()), (Some(5_000), Some(20), Some(50)));
    }
}
