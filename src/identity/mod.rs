//! Who is who: which client a record is about, and how two clients become one and two again.
//!
//! Pure and deterministic: the pipeline looks up the candidates under the record's [`keys`], and
//! [`decide`] judges them. A match is exact (ids, INN, telephones, addresses); what only looks
//! alike is left to people. Vetoes are stronger than matches (`ARCHITECTURE.md`, invariant 11):
//!
//! - different INNs; the same INN with another KPP is another unit of the same legal entity;
//! - a company and a person, even with one telephone: the person works there, he is not it;
//! - two objects of one kind in one source (two counterparties of one 1C base);
//! - a person's mark "not the same".
//!
//! The source's own id decides alone: a counterparty whose INN was corrected stays that client.
//! Shared identifiers (switchboard, `info@`, fillers) tie nobody to anybody. Every decision says
//! why, with contacts masked. Of clients that are merged the oldest id stays.

mod absorb;
mod decide;
mod key;
mod merge;
mod rules;

pub use absorb::{Absorbed, FieldGroup, absorb, kind_of, says_more};
pub use decide::{Candidate, Decision, apart, decide, explain};
pub use key::{Key, Keys, Strength, keys};
pub use merge::{merge, split};
pub use rules::Rules;

/// The rules compiled into the binary, as a file.
pub const BUILT_IN: &str = include_str!("../../rules/identity.toml");

/// Name of the rules file, as people know it.
pub const FILE: &str = "rules/identity.toml";
