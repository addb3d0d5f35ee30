//! Words that every layer shares: time, ids, messages, secrets, limits, checksums, names of metrics.
//!
//! Nothing here does I/O and nothing here imports another module of the crate.

pub mod checksum;
pub mod clock;
pub mod id;
pub mod limits;
pub mod message;
pub mod secret;
pub mod slug;
pub mod telemetry;

pub use clock::{Clock, Timestamp};
pub use id::{ClientId, DealId, DocumentId, InteractionId, ItemRef, Position, TaskId};
pub use message::{Locale, Message, Problem};
pub use secret::Secret;
pub use slug::Slug;
