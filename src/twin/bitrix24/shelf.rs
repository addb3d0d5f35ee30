//! The living objects, and the ways to find them without looking at all: by time of change, by
//! telephone or address, by the id of another system. Objects are shared between a portal and the
//! copy that a reset returns to.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::duplicate::key;
use super::fields::Kind;
use super::object::Object;

/// Objects of all kinds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Shelf {
    // The finders follow `objects` in `put` and `take`, which are the only ways to change it.
    objects: BTreeMap<Kind, BTreeMap<u64, Arc<Object>>>,
    by_change: BTreeMap<Kind, BTreeSet<(i64, u64)>>,
    by_contact: HashMap<(Kind, String), Vec<u64>>,
    by_origin: HashMap<(Kind, String), Vec<u64>>,
}

impl Shelf {
    pub(super) fn get(&self, kind: Kind, id: u64) -> Option<&Object> {
        self.objects.get(&kind)?.get(&id).map(Arc::as_ref)
    }

    pub(super) fn len(&self, kind: Kind) -> usize {
        self.objects.get(&kind).map_or(0, BTreeMap::len)
    }

    /// Those with an id above `after`, in the order of ids.
    pub(super) fn above(&self, kind: Kind, after: u64) -> impl Iterator<Item = &Object> {
        let after = after.saturating_add(1);
        self.objects.get(&kind).into_iter().flat_map(move |it| it.range(after..)).map(|(_, object)| object.as_ref())
    }

    /// Those changed at `from` (seconds) or later, in the order of (time, id).
    pub(super) fn changed_since(&self, kind: Kind, from: i64) -> impl Iterator<Item = &Object> {
        let ids = self.by_change.get(&kind).into_iter().flat_map(move |it| it.range((from, 0)..));
        ids.filter_map(move |(_, id)| self.get(kind, *id))
    }

    /// Ids of those that hold the telephone or address, written as [`key`] writes it.
    pub(super) fn with_contact(&self, kind: Kind, key: &str) -> &[u64] {
        self.by_contact.get(&(kind, key.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// Ids of those whose ORIGIN_ID is this in any case of letters.
    pub(super) fn with_origin(&self, kind: Kind, origin_id: &str) -> &[u64] {
        self.by_origin.get(&(kind, origin_id.to_lowercase())).map_or(&[], Vec::as_slice)
    }

    /// Puts the object in its place, over the one that was there.
    pub(super) fn put(&mut self, kind: Kind, object: Object) {
        self.take(kind, object.id);
        let id = object.id;
        self.by_change.entry(kind).or_default().insert((changed_at(&object), id));
        for key in contact_keys(&object) {
            self.by_contact.entry((kind, key)).or_default().push(id);
        }
        if let Some(origin) = origin_key(&object) {
            self.by_origin.entry((kind, origin)).or_default().push(id);
        }
        self.objects.entry(kind).or_default().insert(id, Arc::new(object));
    }

    /// Takes the object away.
    pub(super) fn take(&mut self, kind: Kind, id: u64) -> Option<Arc<Object>> {
        let object = self.objects.get_mut(&kind)?.remove(&id)?;
        if let Some(times) = self.by_change.get_mut(&kind) {
            times.remove(&(changed_at(&object), id));
        }
        for key in contact_keys(&object) {
            forget(&mut self.by_contact, (kind, key), id);
        }
        if let Some(origin) = origin_key(&object) {
            forget(&mut self.by_origin, (kind, origin), id);
        }
        Some(object)
    }
}

fn changed_at(object: &Object) -> i64 {
    object.instant("DATE_MODIFY").unwrap_or(0)
}

fn contact_keys(object: &Object) -> BTreeSet<String> {
    let of = |name: &'static str| object.multi(name).iter().map(move |it| key(name, &it.value));
    of("PHONE").chain(of("EMAIL")).filter(|it| !it.is_empty()).collect()
}

fn origin_key(object: &Object) -> Option<String> {
    Some(object.text("ORIGIN_ID").to_lowercase()).filter(|it| !it.is_empty())
}

fn forget(finder: &mut HashMap<(Kind, String), Vec<u64>>, key: (Kind, String), id: u64) {
    if let Some(ids) = finder.get_mut(&key) {
        ids.retain(|it| *it != id);
        if ids.is_empty() {
            finder.remove(&key);
        }
    }
}

impl Serialize for Shelf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.objects.iter().map(|(kind, objects)| {
            (*kind, objects.iter().map(|(id, object)| (*id, object.as_ref())).collect::<BTreeMap<u64, &Object>>())
        });
        serializer.collect_map(shown)
    }
}

impl<'de> Deserialize<'de> for Shelf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shelf, D::Error> {
        let read = BTreeMap::<Kind, BTreeMap<u64, Object>>::deserialize(deserializer)?;
        let mut shelf = Shelf::default();
        for (kind, objects) in read {
            for object in objects.into_values() {
                shelf.put(kind, object);
            }
        }
        Ok(shelf)
    }
}
