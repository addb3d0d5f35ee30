//! Sources: bytes from outside, verified and wrapped in envelopes.
//!
//! [`form`] takes webhooks and site forms; [`exchange`] is the server half of the 1C exchange.
//! Sockets are not touched here: that is `http`.

pub mod exchange;
pub mod form;
