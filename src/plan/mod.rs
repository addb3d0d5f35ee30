//! Plans: what would be written to a sink, where and why, before anything is.
//!
//! A delivery and a line of a plan are built by the same function ([`work`]) from the same reading
//! of an object ([`Subject`]), so that a plan says what will happen. A plan is named by a fingerprint
//! over its lines, and each line by one over the object's version, what is desired and what the sink
//! confirmed: an application compares them with those of now, and lets go exactly what still holds.
//!
//! Whether an object to be created is there already shows when it is told, and then it is linked;
//! or a look (`task::look`) has shown it before, and the plan says so.
//!
//! Not here: the decision (a command, `entry`), what follows from it (`pipeline`).

mod file;
mod line;
mod subject;
mod work;

pub use crate::mapping::Vocabulary;
pub use crate::sink::Work;
pub use file::{Plan, PlanError, Plans, Writing};
pub use line::{Action, FieldLine, Found, Group, Line, Need, Source, Tally};
pub use subject::Subject;
pub use work::{Ids, Telling, Told, vocabulary, work};
