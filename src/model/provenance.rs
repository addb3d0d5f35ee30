//! Where a field came from, and which of two values wins.

use serde::{Deserialize, Serialize};

use crate::base::{Position, Slug, Timestamp};

/// Rank of what a person set by hand: above every owner of the ownership table, so it stays until
/// he sets another value or releases the field.
pub const PERSON_RANK: u8 = 250;

/// Rank of what a person set and then released: the next word of any source counts.
pub const RELEASED_RANK: u8 = 0;

/// Origin of a field's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the connection that said so (`site`, `1c`), `person` for what was set by hand, or
    /// `uzel` for what we derived.
    pub source: Slug,
    /// The journal entry that said so.
    pub position: Position,
    /// When the source observed it: its own time of change, else the time of receipt.
    pub observed_at: Timestamp,
    /// Rank of the source for this field in the ownership table; the higher owns it.
    pub rank: u8,
}

impl Provenance {
    /// Set by hand, by the command at `position`.
    pub fn person(position: Position, at: Timestamp) -> Provenance {
        Provenance { source: Slug::literal("person"), position, observed_at: at, rank: PERSON_RANK }
    }

    /// Order of precedence: the ownership table, then (observed_at, position), so that a late
    /// retry never overwrites newer data.
    pub fn precedence(&self) -> (u8, Timestamp, Position) {
        (self.rank, self.observed_at, self.position)
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Its origin.
    pub provenance: Provenance,
}

impl<T> Sourced<T> {
    /// `value`, said by `provenance`.
    pub fn new(value: T, provenance: &Provenance) -> Sourced<T> {
        Sourced { value, provenance: provenance.clone() }
    }
}

impl<T: PartialEq> Sourced<T> {
    /// Puts `offered` into `slot` if it wins there. Returns whether the *value* changed.
    /// An equal value only renews the provenance.
    pub fn offer(slot: &mut Option<Sourced<T>>, offered: Sourced<T>) -> bool {
        match slot {
            Some(held) if held.value == offered.value => {
                // A stronger or newer witness of the same value is kept, so that an older
                // different value arriving late cannot win against the older provenance.
                if offered.provenance.precedence() > held.provenance.precedence() {
                    held.provenance = offered.provenance;
                }
                false
            }
            Some(held) if held.provenance.precedence() >= offered.provenance.precedence() => false,
            Some(_) | None => {
                *slot = Some(offered);
                true
            }
        }
    }
}
