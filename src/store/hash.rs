//! One fingerprint over rows: what the replay law compares, and what a snapshot ends with.

use crate::base::checksum::Fingerprint;

/// Hashes rows as they pass, in the order of keys.
#[derive(Debug, Clone, Default)]
pub struct RowsHasher(blake3::Hasher);

impl RowsHasher {
    /// Takes in one row. Lengths too, so that moved borders differ.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        for part in [key, value] {
            self.0.update(&(part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    /// The fingerprint of everything taken in.
    pub fn finish(&self) -> Fingerprint {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        Fingerprint(bytes)
    }
}
