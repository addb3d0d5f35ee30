//! Sources: bytes from outside, verified and wrapped in envelopes in the journal.
//!
//! [`form`] takes webhooks and site forms: it decides and answers, and does not touch sockets (that
//! is `http`) nor wait for the journal. [`exchange`] is the server half of the 1C exchange,
//! [`folder`] takes tables out of a watched folder. [`hint`] takes messages that something changed,
//! which are never believed, and [`binding`] asks for them. [`poll`] asks a REST system for what changed.
//! [`asterisk`] holds a link to a telephone exchange open: the one that touches a socket here.

pub mod asterisk;
pub mod binding;
pub mod exchange;
pub mod folder;
pub mod form;
pub mod hint;
pub mod poll;
