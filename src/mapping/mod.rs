//! Mappings: what a record of a source says in our words, and what an object of ours is in the
//! words of a sink. Both are TOML files that an administrator can read and change.
//!
//! [`Inbound`] (`mappings/<connector>/<stream>.in.toml`) turns a decoded record into a
//! [`Change`](crate::model::Change); [`Outbound`] (`mappings/<connector>/<object>.out.toml`) turns
//! a client, deal or interaction into named values. [`cases`] runs the examples that stand beside
//! each mapping (`<stream>.cases.toml`).
//!
//! Everything that can be known before a record comes is known after `compile`: paths are
//! compiled, names interned, conversions checked against the type of the canonical field,
//! dictionaries sorted, constants converted once. Compiling reports every problem of a file at
//! once, with its line and near miss.
//!
//! Guaranteed: applying is a pure function of record, context and mapping; a value that does not
//! convert becomes an issue with the original kept, never an error; a record is refused (to
//! quarantine) only for what the mapping calls required.
//!
//! Not here: which mapping belongs to which connection (`catalog`), whom a change is about
//! (`identity`), when a sink is told (`outbox`).
//!
//! An inbound file:
//!
//! ```toml
//! require_any = ["client.phone", "client.email"]  # none of them filled: quarantine
//! columns = ["ФИО", "Телефон"]      # of a table: without one of them the whole file waits
//!
//! [[filter]]                       # left aside on purpose
//! reason = "test"                  # test | spam | not_used | internal
//! when = { path = "test", equals = "test" }
//!
//! [client]
//! name  = ["name", "имя"]          # paths, the first filled one wins
//! phone = { from = ["phone", "тел"], each = true }
//! foreign.counterparty = "Контрагент.Ид | before #"
//!
//! [deal]
//! stage = { from = "stage", map = "stages", otherwise = "keep" }
//! price = { from = "сумма", as = "money", currency = "валюта" }
//! source = { from = ["source", "note:referer | host"], default = "сайт" }
//!
//! [dictionary.stages]
//! "proposal" = "КП"
//! ```

pub mod canonical;
pub mod cases;
pub mod columns;
pub mod edit;
pub mod outbound;

mod apply;
mod convert;
mod dictionary;
mod draft;
mod extra;
mod inbound;
mod plan;
mod render;
mod source;
mod vocabulary;

use compact_str::CompactString;
use jiff::tz::TimeZone;

pub use inbound::Scope;
pub use outbound::{Desired, LeftOut, NOBODY, OutEmployee, OutObject, OutTask, Outbound, Readiness, Ref};
pub use plan::Inbound;
pub use vocabulary::{ForeignWord, MissingWord, UNREAD, Vocabulary};

use crate::base::{Message, Timestamp};
use crate::model::{Change, Currency};

/// Rank in the ownership table from which a source owns a field. A sink's field marked
/// `create_only = "unless_owned"` is updated only by values of such rank.
pub const OWNER_RANK: u8 = 200;
/// Rank of what our own rules decide: below every source.
pub const RULES_RANK: u8 = 0;

/// What a conversion must know besides the text.
#[derive(Debug, Clone, Copy)]
pub struct MapContext<'a> {
    /// Zone of times that name none.
    pub zone: &'a TimeZone,
    /// Region of telephone numbers that name no country (`RU`).
    pub region: &'a str,
    /// Currency of sums that name none.
    pub currency: &'a Currency,
    /// When the record was received.
    pub received_at: Timestamp,
    /// Notes of the envelope: `query`, `referer`, `origin`, file name, ...
    pub notes: &'a [(CompactString, String)],
}

impl<'a> MapContext<'a> {
    fn note(&self, name: &str) -> Option<&'a str> {
        self.notes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a record became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// It says this. A set [`Change::filter`] leaves it aside.
    Change(Box<Change>),
    /// What the mapping calls required is missing or unreadable: for quarantine.
    Refused(Message),
}
