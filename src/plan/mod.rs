//! Plans: what would be written to a sink, where and why, before anything is.
//!
//! A delivery and a line of a plan are built by the same function ([`work`]) from the same reading
//! of an object ([`Subject`]), so that a plan says what will happen.

mod subject;
mod work;

pub use subject::Subject;
pub use work::{Ids, Told, work};
