//! The fields of one object, kept small: a portal of two hundred thousand objects is held in
//! memory, so names and short texts lie inline in one sorted list.

use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Values by classic name, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<V> {
    // Sorted by name, no name twice: `place` relies on it.
    rows: Vec<(CompactString, V)>,
}

impl<V> Default for Named<V> {
    fn default() -> Named<V> {
        Named { rows: Vec::new() }
    }
}

impl<V> Named<V> {
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.rows.binary_search_by(|(held, _)| held.as_str().cmp(name))
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.place(name).ok().map(|at| &self.rows[at].1)
    }

    /// Names and values in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        self.rows.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        self.place(name).ok().map(|at| &mut self.rows[at].1)
    }

    pub(super) fn insert(&mut self, name: &str, value: V) {
        match self.place(name) {
            Ok(at) => self.rows[at].1 = value,
            Err(at) => self.rows.insert(at, (name.into(), value)),
        }
    }

    pub(super) fn insert_if_absent(&mut self, name: &str, value: V) {
        if let Err(at) = self.place(name) {
            self.rows.insert(at, (name.into(), value));
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        if let Ok(at) = self.place(name) {
            self.rows.remove(at);
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.rows.retain(|(_, value)| keep(value));
    }

    /// Gives back room that growing left over.
    pub(super) fn shrink(&mut self) {
        self.rows.shrink_to_fit();
    }
}

impl<V: Default> Named<V> {
    pub(super) fn or_default(&mut self, name: &str) -> &mut V {
        let at = match self.place(name) {
            Ok(at) => at,
            Err(at) => {
                self.rows.insert(at, (name.into(), V::default()));
                at
            }
        };
        &mut self.rows[at].1
    }
}

impl<V: Serialize> Serialize for Named<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.rows.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Named<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named<V>, D::Error> {
        let read = std::collections::BTreeMap::<CompactString, V>::deserialize(deserializer)?;
        Ok(Named { rows: read.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_whatever_the_order_of_writing() {
        let mut cells: Named<String> = Named::default();
        for name in ["TITLE", "ASSIGNED_BY_ID", "STAGE_ID", "TITLE"] {
            cells.insert(name, name.to_lowercase());
        }
        cells.insert_if_absent("STAGE_ID", "other".to_owned());
        cells.remove("ASSIGNED_BY_ID");
        let names: Vec<&str> = cells.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["STAGE_ID", "TITLE"]);
        assert_eq!(cells.get("STAGE_ID").map(String::as_str), Some("stage_id"));
        let json = serde_json::to_string(&cells).expect("JSON");
        assert_eq!(serde_json::from_str::<Named<String>>(&json).expect("cells"), cells);
    }
}
