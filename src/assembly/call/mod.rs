//! Telephone calls: what an exchange says of channels, and what its billing rows say, -> one call
//! as a person at the switchboard would tell it.
//!
//! The actors: [`ami::fact`] and [`Fact::of_row`] turn packets and rows into [`Fact`]s, the same for
//! every dialect; a [`Desk`] finds the call that a fact belongs to on a [`Shelf`] and tells it;
//! [`Call`] is what is known of one call so far; [`Told`] is the call in the words of people.
//!
//! Guaranteed:
//! - one call is one, whatever the number of channels: everything of one `Linkedid`, two of them
//!   when channels meet (an attended transfer, a pickup), and every billing row of these;
//! - facts may come twice, late and out of order, and the end is the same;
//! - what was seen of a call without a hole outweighs the billing rows, which count the talk from
//!   the moment when a queue or a menu answered the line; of what fell into a hole they are believed;
//! - a call with a hidden number is a call; calls between employees are calls of nobody outside.
//!
//! Not here: whose number it is, what follows from a missed call (`pipeline`).

pub mod ami;
mod desk;
mod fact;
mod lines;
mod state;
mod talk;
mod told;

pub use desk::{Desk, Link, Shelf, Slot};
pub use fact::{Fact, FactKind, Leg};
pub use lines::{Lines, Place};
pub use state::Call;
pub use told::{Status, Told};
