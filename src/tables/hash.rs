//! One fingerprint over every row: what the replay law compares.

use super::TableError;
use crate::base::checksum::Fingerprint;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::store::{RESERVED, RowsHasher, Store};

/// Hashes every key and value in the order of keys, without the store's own keys (a rebuild has
/// another epoch). `progress` is told the number of rows so far, page by page. A row that an earlier
/// build wrote counts as this build would write it: after an upgrade a store is the same as its
/// rebuild, though what was not touched since still is in the old form.
///
/// Nothing may be committed meanwhile: pages are read one by one.
pub fn rows_hash(store: &dyn Store, mut progress: impl FnMut(u64)) -> Result<Fingerprint, TableError> {
    let mut hasher = RowsHasher::default();
    let mut from = vec![RESERVED + 1];
    let mut rows = 0;
    loop {
        let page = store.range(&from, &[0xFF], false, PAGE_ROWS_MAX)?;
        for (key, value) in &page {
            match super::renewed(key, value) {
                None => hasher.add(key, value),
                Some(renewed) => hasher.add(key, &renewed),
            }
        }
        rows += page.len() as u64;
        progress(rows);
        match page.into_iter().next_back() {
            Some((last, _)) => from = super::next_bytes(last),
            None => break,
        }
    }
    Ok(hasher.finish())
}
