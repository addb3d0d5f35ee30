//! Rights in foreign systems by a pair of tokens (OAuth): getting them, keeping them, renewing them.
//!
//! A person agrees once in the foreign system ([`Tokens::begin`]); the code that comes back is
//! exchanged ([`Tokens::finish`]) for an access token, which requests carry, and a refresh token,
//! which gives the next pair. [`Authorized`] is a [`Wire`](crate::net::Wire) in front of another: it
//! puts the token into each request; on a refusal "the token ran out" it renews once and repeats
//! once. So senders know nothing of tokens.
//!
//! Guaranteed: a pair is in the vault before it is used, with the pair before it kept; there is one
//! renewal at a time per connection, and those who waited take its result; a renewal whose answer
//! was lost is tried again with the same token; when no token is good any more there is a named
//! state ([`Standing`]) that says what a person must do, and nothing is sent until then.
//! Not guaranteed, because nobody can: a server that kills the former refresh token at once and
//! whose answer never arrives has locked us out; a person connects again.
//! [`signature`] proves where messages come from, both ways. [`PageLinks`] lets people look at the
//! page; [`Attempts`] is patience with whoever guesses.
//! Not here: secrets that stand in addresses.

mod attempts;
mod page_links;
mod pair;
pub mod signature;
mod tokens;
mod wire;

pub use attempts::Attempts;
pub use page_links::{PageLink, PageLinkError, PageLinks};
pub use pair::Pair;
pub use tokens::{Refused, Standing, Tokens, TokensParts};
pub use wire::Authorized;
