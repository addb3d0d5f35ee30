//! Text of foreign systems and people -> values that are right, and what had to be done to them.
//!
//! Every function takes text and gives [`Normalized`]: a value or none, and issues that keep the
//! original. Blank text is no value and no issue: nothing was said. Text that was said and cannot
//! be used is no value and one issue. Nothing here panics on any text, and normalising the text of
//! a result again gives the same result (`tests/it/normalize.rs`).
//!
//! Deliberately not here: guessing. A wrong keyboard layout, a misspelt domain, a city code that
//! nobody wrote stay as they are or become an issue; a person sees them.

mod company;
mod email;
mod number;
mod person;
mod phone;
mod requisite;
mod script;
mod time;

pub use company::{any_name, company_name, looks_like_company};
pub use email::{email, emails};
pub use number::{boolean, currency, decimal, money};
pub use person::person_name;
pub use phone::{phone, phones};
pub use requisite::{inn, kpp, ogrn};
pub use script::line;
pub use time::{date, datetime};

use crate::base::Message;
use crate::model::Issue;

/// A value made from text, and what was odd about the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized<T> {
    /// The value; `None` when nothing was said or nothing usable.
    pub value: Option<T>,
    /// What was repaired or refused, with the original text.
    pub issues: Vec<Issue>,
}

impl<T> Normalized<T> {
    /// Nothing was said.
    pub fn nothing() -> Normalized<T> {
        Normalized { value: None, issues: Vec::new() }
    }

    /// A value that needed no repair.
    pub fn clean(value: T) -> Normalized<T> {
        Normalized { value: Some(value), issues: Vec::new() }
    }

    /// Something was said and cannot be used.
    pub(crate) fn refused(field: &str, message: Message, original: &str) -> Normalized<T> {
        Normalized { value: None, issues: vec![Issue::new(field, message, original)] }
    }

    /// The same with the issues told of `field` (a canonical field or a path) instead of the kind
    /// of value.
    #[must_use]
    pub fn in_field(mut self, field: &str) -> Normalized<T> {
        for issue in &mut self.issues {
            issue.field = field.into();
        }
        self
    }

    /// The same with the value turned into another; the issues stay.
    pub fn map<U>(self, turn: impl FnOnce(T) -> U) -> Normalized<U> {
        Normalized { value: self.value.map(turn), issues: self.issues }
    }

    fn with_issue(mut self, field: &str, id: &str, original: &str) -> Normalized<T> {
        self.issues.push(Issue::new(field, Message::new(id), original));
        self
    }
}
