//! Assembly: many records that are one thing for people become one.
//!
//! [`call`]: the channels, dialings and bridges of a telephone exchange are one call.
//!
//! Pure: state given and returned; no clock, no chance, no storage of its own.

pub mod call;
