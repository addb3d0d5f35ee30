//! Members of a map while it is read: repeated names fold into a list.

use std::collections::HashMap;

use compact_str::CompactString;

use crate::value::Value;

/// From so many members on names are found by a hash: a record of a hundred thousand different
/// names must not cost the square of that.
const SCAN_MAX: usize = 24;

/// A map under construction.
#[derive(Debug, Default)]
pub(super) struct Members {
    members: Vec<(CompactString, Value)>,
    /// Which members are lists made here (a list that came as one value is another thing).
    folded: Vec<usize>,
    index: HashMap<CompactString, usize>,
}

impl Members {
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Adds a member; a name that is there already becomes a list of both.
    pub(super) fn push(&mut self, name: CompactString, value: Value) {
        let Some(place) = self.find(&name) else {
            if self.members.len() >= SCAN_MAX {
                self.index.insert(name.clone(), self.members.len());
            }
            self.members.push((name, value));
            return;
        };
        let slot = &mut self.members[place].1;
        match slot {
            Value::List(items) if self.folded.contains(&place) => items.push(value),
            Value::List(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                let one = std::mem::take(slot);
                *slot = Value::List(vec![one, value]);
                self.folded.push(place);
            }
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let scanned = self.members.len().min(SCAN_MAX);
        let near = self.members[..scanned].iter().position(|(member, _)| member == name);
        near.or_else(|| self.index.get(name).copied())
    }

    pub(super) fn into_value(self) -> Value {
        Value::Map(self.members)
    }
}
