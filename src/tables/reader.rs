//! Typed reads of what is committed.

use std::fmt;
use std::sync::Arc;

use super::{Overlay, PairOf, Span, Table, TableError, decode_pair, decode_row, key_bytes};
use crate::base::limits::TABLE_PAGE_ROWS;
use crate::store::{Checkpoint, Store, StoreError};

/// The tables of one store: hands out readers, and the writer's overlay.
#[derive(Clone)]
pub struct Tables {
    store: Arc<dyn Store>,
}

impl Tables {
    /// Over `store`.
    pub fn new(store: Arc<dyn Store>) -> Tables {
        Tables { store }
    }

    /// Typed reads.
    pub fn reader(&self) -> Reader<'_> {
        Reader::new(&*self.store)
    }

    /// The single writer's view.
    pub fn overlay(&self) -> Overlay {
        Overlay::new(self.store.clone())
    }

    /// The store itself.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

/// Typed reads. Each call sees the store between two commits; two calls may see different ones.
#[derive(Clone, Copy)]
pub struct Reader<'s> {
    store: &'s dyn Store,
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl<'s> Reader<'s> {
    /// Over `store`.
    pub fn new(store: &'s dyn Store) -> Reader<'s> {
        Reader { store }
    }

    /// How far the journal is applied.
    pub fn checkpoint(&self) -> Result<Checkpoint, StoreError> {
        self.store.checkpoint()
    }

    /// The row under `key`.
    pub fn get<T: Table>(&self, key: &T::Key) -> Result<Option<T::Row>, TableError> {
        let key = key_bytes::<T>(key);
        let value = self.store.get(&key)?;
        value.map(|value| decode_row::<T>(&key, &value)).transpose()
    }

    /// The rows under `keys`, in their order.
    pub fn get_many<T: Table>(&self, keys: &[T::Key]) -> Result<Vec<Option<T::Row>>, TableError> {
        let keys: Vec<Vec<u8>> = keys.iter().map(key_bytes::<T>).collect();
        let values = self.store.get_many(&keys)?;
        let decode =
            |(key, value): (&Vec<u8>, Option<Vec<u8>>)| value.map(|value| decode_row::<T>(key, &value)).transpose();
        keys.iter().zip(values).map(decode).collect()
    }

    /// The rows of `span`, the last first when `reverse`; at most `rows_max`.
    pub fn range<T: Table>(
        &self,
        span: &Span<T>,
        reverse: bool,
        rows_max: usize,
    ) -> Result<Vec<PairOf<T>>, TableError> {
        let pairs = self.store.range(&span.from, &span.to, reverse, rows_max)?;
        pairs.iter().map(|(key, value)| decode_pair::<T>(key, value)).collect()
    }

    /// All rows of `span` in order, read page by page. Rows committed meanwhile may or may not be
    /// seen. After an error there is no more.
    pub fn rows<T: Table>(&self, span: Span<T>) -> Rows<'s, T> {
        Rows { reader: *self, rest: Some(span), page: Vec::new().into_iter() }
    }
}

/// See [`Reader::rows`].
pub struct Rows<'s, T: Table> {
    reader: Reader<'s>,
    /// What is not yet read; `None` when all is, or after an error.
    rest: Option<Span<T>>,
    page: std::vec::IntoIter<PairOf<T>>,
}

impl<T: Table> Rows<'_, T> {
    fn turn_page(&mut self) -> Result<(), TableError> {
        let Some(span) = self.rest.take() else { return Ok(()) };
        let page = self.reader.range(&span, false, TABLE_PAGE_ROWS)?;
        self.rest = match page.last() {
            Some((last, _)) if page.len() == TABLE_PAGE_ROWS => Some(span.after(last)),
            Some(_) | None => None,
        };
        self.page = page.into_iter();
        Ok(())
    }
}

impl<T: Table> Iterator for Rows<'_, T> {
    type Item = Result<PairOf<T>, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0
            && let Err(error) = self.turn_page()
        {
            return Some(Err(error));
        }
        self.page.next().map(Ok)
    }
}
