//! Connectors: one external system each, described by a manifest
//! `connectors/<slug>/connector.toml`.

use crate::base::Slug;
use crate::field::FieldSpec;

mod source;

pub use source::{Honeypot, SourceSpec, StreamSpec, TestRequest, Transport};

/// A compiled manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connector {
    /// Its name: the folder's.
    pub slug: Slug,
    /// What people call the system; Russian and English.
    pub title: (String, String),
    /// What an administrator has to set.
    pub settings: Vec<FieldSpec>,
    /// The inbound half.
    pub source: Option<SourceSpec>,
}
