//! Sources: how bytes come in and become envelopes in the journal.

pub mod exchange;
