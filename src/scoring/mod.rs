//! Scoring: what a deal is worth, of which class it is, why, and until when.
//!
//! Pure and in integers: probabilities in basis points, money in hundredths, days as calendar days
//! of the company's zone. The same facts and rules give the same score on any machine
//! (`ARCHITECTURE.md`, invariant 12). Rules are data (`rules/scoring.toml`), compiled by
//! [`Rules::compile`]; facts are plain data gathered by the caller ([`Facts::of`]).
//!
//! - A level that is missing or has no points of its own gives 0 points and is told ("нет данных"),
//!   unless the whole factor is neutral (no points anywhere): then there is nothing to miss.
//! - A deal without a price has no value; it is never A or B. A price of zero or below is no price.
//! - Thresholds of classes are in one currency; there are no rates here, so a deal in another
//!   currency is never A or B either.
//! - Won and lost deals are not scored by the pipeline; [`Facts::lost`] serves statistics.

mod change;
mod condition;
mod explain;
mod facts;
mod rules;
mod score;

pub use explain::{Sent, explain, leading_reason, leading_words, money, percent, worth_writing};
pub use facts::Facts;
pub use rules::Rules;
pub use score::{client_class, score};

/// The rules compiled into the binary, as a file.
pub const BUILT_IN: &str = include_str!("../../rules/scoring.toml");

/// Name of the rules file, as people know it.
pub const FILE: &str = "rules/scoring.toml";
