//! What a person writes in files and forms, as values.
//!
//! [`reader`] reads a TOML file and collects every problem with its line and near miss.
//! [`FieldSpec`] declares one setting: it parses, lints, documents and (later) renders it.

pub mod reader;
mod spec;

pub use reader::{Lint, Node, NodeKind, Table};
pub use spec::{FieldKind, FieldSpec, FieldValue, decimal_of};
