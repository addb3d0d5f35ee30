//! Paths into a [`Value`](super::Value).

/// A compiled path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path;

/// Why a path does not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError;
