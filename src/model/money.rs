//! Exact money.

use std::fmt;

use compact_str::CompactString;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// ISO 4217 code in upper case (`RUB`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Currency(pub CompactString);

impl Currency {
    /// The Russian rouble.
    pub fn rub() -> Currency {
        Currency(CompactString::const_new("RUB"))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An exact amount of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in main units (roubles). Normalised: no trailing zeros after the point.
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount in main units.
    pub fn new(amount: Decimal, currency: Currency) -> Money {
        Money { amount: amount.normalize(), currency }
    }

    /// Roubles.
    pub fn rub(amount: impl Into<Decimal>) -> Money {
        Money::new(amount.into(), Currency::rub())
    }

    /// In hundredths (kopecks), rounded half up; `None` when it does not fit.
    pub fn minor(&self) -> Option<i64> {
        use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
        let hundredths = self.amount.checked_mul(Decimal::ONE_HUNDRED)?;
        i64::try_from(hundredths.round_dp_with_strategy(0, MidpointAwayFromZero).mantissa()).ok()
    }

    /// From hundredths (kopecks).
    pub fn from_minor(minor: i64, currency: Currency) -> Money {
        Money::new(Decimal::new(minor, 2), currency)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
