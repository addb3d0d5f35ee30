//! The canonical model: what every source is translated into and every sink out of.
//!
//! Values here are already right: a [`Phone`] is a number that could be dialled, an [`Inn`] has a
//! good checksum. `normalize` makes them from text and says what it repaired ([`Issue`]).
//! Objects know where each of their fields came from ([`Sourced`]).

pub mod change;
mod client;
mod contact;
mod deal;
mod delivery;
mod document;
mod interaction;
mod issue;
mod money;
mod name;
mod outcome;
mod provenance;
mod requisite;
pub mod score;
mod task;

pub use change::Change;
pub use client::{Client, ClientKind, ClientState, Foreign, HeldContact, Standing};
pub use contact::{ContactPoint, Email, Phone};
pub use deal::{ClassChange, Deal, DealState, Line, LostReason, Utm};
pub use delivery::{Confirmed, Delivery, DeliveryState, Fault};
pub use document::{Document, DocumentKind};
pub use interaction::{Direction, Interaction, InteractionKind};
pub use issue::Issue;
pub use money::{Currency, Money};
pub use name::{CompanyName, Name, PersonName};
pub use outcome::{FilterReason, Outcome, OutcomeKind};
pub use provenance::{PERSON_RANK, Provenance, RELEASED_RANK, Sourced};
pub use requisite::{Inn, Kpp, Ogrn};
pub use score::{Class, Score};
pub use task::{Task, TaskEnd, TaskKind, TaskState};
