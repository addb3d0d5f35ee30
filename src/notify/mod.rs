//! Ways by which people are told what is wrong: e-mail and a web address. What is told, and when,
//! is decided elsewhere (`alarm`, `task::notify`); here it is put into words and handed over.
//!
//! Guaranteed: no personal data and nothing that a foreign system said stands in a letter; secrets
//! reach neither logs nor reasons; a handover ends within a bounded time.

mod letter;
mod mail;
mod webhook;

pub use letter::{Letter, letter, trial};
pub use mail::Mail;
pub use webhook::Webhook;

use crate::base::Message;
use crate::net::Boxed;

/// A way to people.
pub trait Channel: Send + Sync + 'static {
    /// Its name in settings, status and metrics (`email`, `webhook`).
    fn name(&self) -> &'static str;

    /// Hands the letter over. `Err`: it did not arrive for certain; the same letter comes again
    /// under the same id.
    fn send<'a>(&'a self, letter: &'a Letter) -> Boxed<'a, Result<(), Message>>;
}
