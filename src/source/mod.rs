//! Sources: bytes from outside, verified and wrapped in envelopes.
//!
//! [`form`] takes webhooks and site forms. A source decides and answers; it does not touch
//! sockets (that is `http`) and does not wait for the journal.

pub mod form;
//! Sources: how bytes come in and become envelopes in the journal.

pub mod exchange;
