//! Fingerprints. CRC32C guards frames against torn writes; BLAKE3 names content; XXH3 tells whether
//! the same form came twice.

use serde::{Deserialize, Serialize};

/// CRC32C (Castagnoli) of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
}

/// The first 16 bytes of BLAKE3: names content within one store (idempotency keys, fingerprints
/// of states). Collisions by chance are out of reach; it is not a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// Of one run of bytes.
    pub fn of(bytes: &[u8]) -> Fingerprint {
        Fingerprint::cut(blake3::hash(bytes))
    }

    /// XXH3 (128 bits, its published form, so the same in every build): ten times as fast on a small
    /// body, and as safe from chance. Who wants two contents to have one fingerprint can make them,
    /// so it names only what one sender's own repetitions are told by.
    pub fn quick(bytes: &[u8]) -> Fingerprint {
        Fingerprint(twox_hash::XxHash3_128::oneshot(bytes).to_le_bytes())
    }

    /// Of several parts; each part's length is hashed too, so that moved borders differ.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Fingerprint {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Fingerprint::cut(hasher.finalize())
    }

    /// Of everything that `reader` gives, and how many bytes that was.
    pub fn of_reader(reader: &mut dyn std::io::Read) -> std::io::Result<(Fingerprint, u64)> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 64 * 1024];
        let mut len = 0;
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok((Fingerprint::cut(hasher.finalize()), len)),
                Ok(count) => {
                    hasher.update(&buffer[..count]);
                    len += count as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn cut(hash: blake3::Hash) -> Fingerprint {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Fingerprint(bytes)
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
