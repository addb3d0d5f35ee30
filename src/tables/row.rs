//! Persisted rows: one version byte, then the postcard form of that version.
//!
//! Old versions are read for ever, the newest alone is written. To change a row: keep a copy of
//! the old struct, raise `VERSION`, and turn the old into the new in `decode`; the frozen examples
//! in `tests/frozen/tables/` say when that was forgotten.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why a row does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFault {
    /// Its bytes do not fit its version.
    Damaged,
    /// A newer build wrote it.
    Newer(u8),
}

/// A row as it is persisted.
pub trait Persisted: Clone + Send + 'static {
    /// The version that is written.
    const VERSION: u8;

    /// Appends the form of [`Persisted::VERSION`], without the version byte.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads the form of `version`, which is at most [`Persisted::VERSION`].
    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RowFault>;
}

/// Appends the version byte and the row.
pub(super) fn write<R: Persisted>(row: &R, out: &mut Vec<u8>) {
    out.push(R::VERSION);
    row.encode(out);
}

/// Reads what [`write`] wrote, of this version or an older one.
pub(super) fn read<R: Persisted>(bytes: &[u8]) -> Result<R, RowFault> {
    match bytes.split_first() {
        Some((&version, _)) if version > R::VERSION => Err(RowFault::Newer(version)),
        Some((&version, rest)) => R::decode(version, rest),
        None => Err(RowFault::Damaged),
    }
}

/// Appends the postcard form.
pub(super) fn to_postcard<T: Serialize>(value: &T, out: &mut Vec<u8>) {
    postcard::serialize_with_flavor(value, Appending(out)).expect("rows have no form that postcard refuses");
}

/// Reads the postcard form, all of it.
pub(super) fn from_postcard<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RowFault> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok((_, [_, ..])) | Err(_) => Err(RowFault::Damaged),
    }
}

/// Appends runs of bytes at once; postcard's own extending form goes byte by byte.
struct Appending<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Appending<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Rows that have had one version so far: their postcard form.
macro_rules! first_version {
    ($($row:ty),* $(,)?) => {$(
        impl $crate::tables::row::Persisted for $row {
            const VERSION: u8 = 1;

            fn encode(&self, out: &mut Vec<u8>) {
                $crate::tables::row::to_postcard(self, out);
            }

            fn decode(version: u8, bytes: &[u8]) -> Result<Self, $crate::tables::row::RowFault> {
                match version {
                    1 => $crate::tables::row::from_postcard(bytes),
                    _ => Err($crate::tables::row::RowFault::Damaged),
                }
            }
        }
    )*};
}

pub(super) use first_version;
