//! A compiled inbound mapping: what `inbound` makes of a file and `apply` follows.

use std::sync::Arc;

use compact_str::CompactString;

use super::canonical::{Field, Section, Spec};
use super::convert::Conversion;
use super::dictionary::{Dictionary, Otherwise};
use super::draft::Parts;
use super::extra::Extra;
use super::source::{Names, Source};
use crate::model::FilterReason;

/// A compiled inbound mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    pub(super) file: CompactString,
    pub(super) names: Names,
    pub(super) filters: Vec<Filter>,
    pub(super) parts: Parts,
    pub(super) conditions: Vec<(Section, Condition)>,
    /// Where sections begin that do not begin at the record: the first place that is there.
    pub(super) bases: Vec<(Section, Vec<Source>)>,
    pub(super) fields: Vec<FieldPlan>,
    pub(super) lines: Option<LinesPlan>,
    pub(super) require_any: Vec<&'static Spec>,
    /// Columns that a table must have.
    pub(super) columns: Vec<CompactString>,
    pub(super) extra: Extra,
    /// Whether a change says which member of the record filled a field.
    pub(super) names_members: bool,
}

/// Records to leave aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) reason: FilterReason,
    /// All of them hold.
    pub(super) when: Vec<Condition>,
}

/// A question to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) source: Source,
    pub(super) test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Filled,
    Missing,
    /// One of these, without regard to case.
    OneOf(Vec<CompactString>),
    /// None of these; missing counts as none.
    NoneOf(Vec<CompactString>),
}

/// How one canonical field is filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldPlan {
    pub(super) spec: &'static Spec,
    /// What stands after the point of a named field.
    pub(super) name: CompactString,
    /// For messages and issues.
    pub(super) full: CompactString,
    pub(super) from: Vec<Source>,
    pub(super) gather: Gather,
    pub(super) conversion: Conversion,
    pub(super) dictionary: Option<(Arc<Dictionary>, Otherwise)>,
    pub(super) default: Option<CompactString>,
    pub(super) currency: Option<Source>,
    pub(super) required: bool,
    /// Read only where this holds.
    pub(super) when: Option<Condition>,
    /// The dictionary of the source's own words through which the value goes when it is applied.
    pub(super) lookup: Option<CompactString>,
    /// Read only where this field is empty: itself for the second and later ways to fill it.
    pub(super) unless: Option<Field>,
}

/// How several sources make a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gather {
    /// The first filled one.
    First,
    /// Each value of each source.
    Each,
    /// All filled ones, with this between.
    Join(CompactString),
    /// Contacts: items, and where an item says its type.
    Typed { each: Source, kind: Source },
}

/// How lines are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinesPlan {
    pub(super) each: Source,
    pub(super) fields: Vec<FieldPlan>,
    pub(super) to_deal: bool,
    pub(super) to_document: bool,
}
