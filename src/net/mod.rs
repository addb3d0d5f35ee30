//! Outbound HTTP: what leaves this machine, and how much of it.
//!
//! A [`Client`] sends one [`Request`] and gives an [`Answer`] or a [`CallError`] that says the one
//! thing a sender must know: whether the request can have taken effect. It checks every address
//! it dials ([`Guard`]), follows no redirects, retries nothing, uses no proxy, bounds time and
//! size, and never lets an address with a secret in it reach a log or an error.
//! [`Quotas`] keeps the buckets of foreign hosts and their circuits ([`Breaker`]); several connections
//! to one host share one.
//!
//! [`Wire`] is the client as its users see it, so that tests can put a script in its place.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use compact_str::CompactString;

use crate::base::{Message, Secret};

mod breaker;
mod client;
mod guard;
mod quota;
mod reach;

pub use breaker::{Breaker, Breakers, FAILURES_MAX, Leave};
pub use client::{Client, host_of};
pub use guard::{Guard, Network};
pub use quota::{Limiter, Quotas, Take};
pub use reach::{Step, Unreached, reach};

/// A future in a box: async methods of traits that are used as objects.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Something that sends requests.
pub trait Wire: Send + Sync + 'static {
    /// Sends one request and reads its answer.
    fn call(&self, request: Request) -> Boxed<'_, Result<Answer, CallError>>;
}

/// Method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
}

/// A request. The address is a secret: it may hold one.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method of HTTP.
    pub method: Method,
    /// The whole address.
    pub address: Secret,
    /// Headers whose values may be secrets.
    pub headers: Vec<(CompactString, Secret)>,
    /// `Content-Type` of the body; empty without a body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers, names in lower case; those that are not text are left out.
    pub headers: Vec<(CompactString, String)>,
    /// Body, unpacked.
    pub body: Vec<u8>,
}

impl Answer {
    /// The header `name` (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Answer {
    /// Without the body: it may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer. Messages name the host and nothing more of the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// We do not send such a request at all: the address is wrong or not allowed.
    #[error("{0}")]
    Refused(Message),
    /// There was no connection: the request surely did not take effect.
    #[error("{0}")]
    Connect(Message),
    /// The request was sent, or may have been: it may have taken effect.
    #[error("{0}")]
    Sent(Message),
}

impl CallError {
    /// What to tell people.
    pub fn message(&self) -> &Message {
        match self {
            CallError::Refused(message) | CallError::Connect(message) | CallError::Sent(message) => message,
        }
    }
}
