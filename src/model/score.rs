//! A score and why. Integers only: basis points and hundredths, exact on any machine.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::Currency;
use crate::base::Timestamp;
use crate::base::checksum::Fingerprint;

/// Class of a deal, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// The head of sales leads it himself.
    A,
    /// Under control.
    B,
    /// Ordinary.
    C,
    /// New: first deal of a client known for a few days.
    C1,
    /// Slid from A or B.
    C2,
    /// Below the base probability.
    D,
    /// At the floor, or deferred.
    E,
    /// Junk, unsubscribed, refused.
    F,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 8] = [Class::A, Class::B, Class::C, Class::C1, Class::C2, Class::D, Class::E, Class::F];

    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Class::A => "A",
            Class::B => "B",
            Class::C => "C",
            Class::C1 => "C1",
            Class::C2 => "C2",
            Class::D => "D",
            Class::E => "E",
            Class::F => "F",
        }
    }

    /// Reads what [`Class::name`] writes.
    pub fn parse(text: &str) -> Option<Class> {
        Class::ALL.into_iter().find(|class| class.name() == text)
    }
}

/// One factor's part in a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorPoints {
    /// Id of the factor in the rules (`status`).
    pub factor: CompactString,
    /// The level it found, for people (`Встреча`, `60 д`); empty when there is no data.
    pub level: CompactString,
    /// Points, basis points (3000 = +30 %).
    pub points_bp: i32,
    /// Whether the level was missing or has no points of its own ("нет данных").
    pub no_data: bool,
}

/// Score of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Journal time it was computed for.
    pub as_of: Timestamp,
    /// Fingerprint of the rules.
    pub rules: Fingerprint,
    /// Base probability, basis points.
    pub base_bp: i32,
    /// Every factor in the order of the rules; their points and `base_bp` sum to `raw_bp`.
    pub factors: Vec<FactorPoints>,
    /// Before floor and cap, basis points.
    pub raw_bp: i32,
    /// Probability, basis points, between floor and cap.
    pub p_bp: i32,
    /// Whether the floor holds it (`raw_bp` at or below the floor).
    pub floored: bool,
    /// Whether the cap holds it.
    pub capped: bool,
    /// Price, hundredths; `None` when the deal has no price ("без суммы").
    pub price_minor: Option<i64>,
    /// price x probability, hundredths; `None` when the deal has no price.
    pub value_minor: Option<i64>,
    /// Value without the factors that decay, hundredths.
    pub fresh_value_minor: Option<i64>,
    /// Currency of price and value.
    pub currency: Option<Currency>,
    /// Class.
    pub class: Class,
    /// Whether it counts in the headline forecast.
    pub in_forecast: bool,
    /// When it will change by time alone, if ever.
    pub next_change: Option<Timestamp>,
}
