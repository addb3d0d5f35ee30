//! Packed rows: short sorted lists in one row, because the number of keys written is what costs.

/// Puts `item` in its place; `false` when it is there already.
pub fn insert<T: Ord>(list: &mut Vec<T>, item: T) -> bool {
    // What is packed mostly grows at its end.
    if list.last().is_none_or(|last| *last < item) {
        list.push(item);
        return true;
    }
    match list.binary_search(&item) {
        Ok(_) => false,
        Err(place) => {
            list.insert(place, item);
            true
        }
    }
}

/// Takes `item` out; `false` when it is not there.
pub fn remove<T: Ord>(list: &mut Vec<T>, item: &T) -> bool {
    let place = list.binary_search(item);
    place.is_ok_and(|place| {
        list.remove(place);
        true
    })
}

/// Puts `item` in its place by `key`, instead of one with the same key; returns that one.
pub fn replace<T, K: Ord>(list: &mut Vec<T>, item: T, key: impl Fn(&T) -> K) -> Option<T> {
    let place = list.binary_search_by(|held| key(held).cmp(&key(&item)));
    match place {
        Ok(place) => Some(std::mem::replace(&mut list[place], item)),
        Err(place) => {
            list.insert(place, item);
            None
        }
    }
}

/// The item with this key.
pub fn find<'a, T, K: Ord>(list: &'a [T], wanted: &K, key: impl Fn(&T) -> K) -> Option<&'a T> {
    list.binary_search_by(|held| key(held).cmp(wanted)).ok().map(|place| &list[place])
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn packed_list_is_a_sorted_set(steps in proptest::collection::vec((any::<bool>(), 0u8..12), 0..60)) {
            let (mut list, mut set) = (Vec::new(), BTreeSet::new());
            for (puts, item) in steps {
                match puts {
                    true => prop_assert_eq!(insert(&mut list, item), set.insert(item)),
                    false => prop_assert_eq!(remove(&mut list, &item), set.remove(&item)),
                }
                prop_assert!(list.iter().eq(&set));
            }
        }

        #[test]
        fn packed_list_is_a_sorted_map(steps in proptest::collection::vec((0u8..12, any::<u8>()), 0..60)) {
            let (mut list, mut map) = (Vec::new(), BTreeMap::new());
            for (key, value) in steps {
                let before = replace(&mut list, (key, value), |it| it.0);
                prop_assert_eq!(before.map(|it| it.1), map.insert(key, value));
                prop_assert_eq!(find(&list, &key, |it| it.0), Some(&(key, value)));
                prop_assert!(list.iter().map(|it| (&it.0, &it.1)).eq(&map));
            }
        }
    }
}
