//! A snapshot: every row of a store at one checkpoint, in one portable file.
//!
//! It is written from its beginning to its end, read by key or in order, and never changed. All
//! numbers are little-endian. **Header**, 128 bytes at offset 0:
//!
//! ```text
//!   0   8  magic "uzel-snp"
//!   8   4  format version, 1; read before anything else is checked, so that a newer one is refused
//!  12   4  how blocks are packed: 1 = deflate (RFC 1951)
//!  16   8  checkpoint: position of the first entry that is not applied
//!  24   4  checkpoint: item
//!  28   4  zero
//!  32  16  fingerprint of the configuration in force (zeros: none yet)
//!  48   8  when it was made, ms since 1970
//!  56  32  version of the program that made it, UTF-8, padded with zeros
//!  88  36  zeros
//! 124   4  CRC32C of bytes 0..124
//! ```
//!
//! **Blocks** follow without holes. A block is 4 bytes packed length P, 4 bytes unpacked length,
//! 4 bytes CRC32C of the packed bytes, then P bytes. Unpacked, it is rows one after the other: 4
//! bytes key length, 4 bytes value length, key, value. Keys ascend through the whole file; keys
//! that belong to the store itself are not in it.
//!
//! **Index**, behind the last block: for each block 8 bytes offset, 4 bytes key length, the first
//! key of the block.
//!
//! **Footer**, the last 64 bytes:
//!
//! ```text
//!   0   8  rows
//!   8   8  blocks
//!  16   8  offset of the index
//!  24   8  length of the index
//!  32  16  hash over every row (`RowsHasher`): equals that of the store
//!  48   4  CRC32C of the index
//!  52   8  magic "uzel-snd"
//!  60   4  CRC32C of bytes 0..60
//! ```
//!
//! A file is written under another name, synced, read back whole, and only then named (that is
//! the work of `pipeline::snapshot`). Damage names the file and the offset.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::checksum::{Fingerprint, crc32c};
use crate::base::limits::{SNAPSHOT_BLOCK_BYTES, SNAPSHOT_BLOCKS_CACHED};
use crate::base::{ItemRef, Message, Position, Timestamp};

use super::hash::RowsHasher;
use super::{Checkpoint, Pair, StoreError};

/// Version that this build writes, and the newest that it reads.
pub const FORMAT_VERSION: u32 = 1;
const MAGIC: [u8; 8] = *b"uzel-snp";
const END: [u8; 8] = *b"uzel-snd";
const DEFLATE: u32 = 1;
const HEADER_BYTES: usize = 128;
const FOOTER_BYTES: usize = 64;
const BLOCK_HEADER_BYTES: usize = 12;
/// An unpacked block holds at least one row, and rows may be large; nothing larger is believed.
const BLOCK_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// What stands at the head of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Everything before is applied.
    pub checkpoint: Checkpoint,
    /// The configuration in force there.
    pub configuration: Option<Fingerprint>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Version of the program that made it.
    pub build: String,
}

/// What stands at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Rows.
    pub rows: u64,
    /// Hash over every row.
    pub hash: Fingerprint,
    /// Length of the file.
    pub bytes: u64,
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("a slice of four bytes"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().expect("a slice of eight bytes"))
}

fn fingerprint_at(bytes: &[u8], offset: usize) -> Fingerprint {
    Fingerprint(bytes[offset..offset + 16].try_into().expect("a slice of sixteen bytes"))
}

impl About {
    fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&DEFLATE.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.checkpoint.position.0.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.checkpoint.item.to_le_bytes());
        bytes[32..48].copy_from_slice(&self.configuration.unwrap_or_default().0);
        bytes[48..56].copy_from_slice(&self.made_at.0.to_le_bytes());
        let build = self.build.as_bytes();
        let build = &build[..build.len().min(32)];
        bytes[56..56 + build.len()].copy_from_slice(build);
        let crc = crc32c(&bytes[..124]);
        bytes[124..128].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn decode(path: &Path, bytes: &[u8]) -> Result<About, StoreError> {
        if bytes.len() < 12 || bytes[0..8] != MAGIC {
            return Err(damaged(path, 0));
        }
        let version = u32_at(bytes, 8);
        if version > FORMAT_VERSION {
            let message = Message::new("snapshot-newer").with("file", path.display());
            return Err(StoreError::Newer(message.with("version", version).with("known", FORMAT_VERSION)));
        }
        let whole = bytes.len() == HEADER_BYTES && crc32c(&bytes[..124]) == u32_at(bytes, 124);
        if !whole || version != FORMAT_VERSION || u32_at(bytes, 12) != DEFLATE {
            return Err(damaged(path, 0));
        }
        let configuration = fingerprint_at(bytes, 32);
        let build = String::from_utf8_lossy(&bytes[56..88]);
        Ok(About {
            checkpoint: ItemRef::new(Position(u64_at(bytes, 16)), u32_at(bytes, 24)),
            configuration: (configuration != Fingerprint::default()).then_some(configuration),
            made_at: Timestamp(u64_at(bytes, 48).cast_signed()),
            build: build.trim_end_matches('\0').to_owned(),
        })
    }
}

fn damaged(path: &Path, offset: u64) -> StoreError {
    StoreError::Damaged(Message::new("snapshot-damaged").with("file", path.display()).with("offset", offset))
}

pub(super) fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Failed(Message::new("snapshot-failed").with("file", path.display()).with("detail", error))
}

/// Writes a snapshot, row after row.
pub struct SnapshotWriter {
    path: PathBuf,
    file: BufWriter<File>,
    offset: u64,
    block: Vec<u8>,
    /// First key of the block at hand.
    first: Vec<u8>,
    last: Vec<u8>,
    index: Vec<u8>,
    rows: u64,
    blocks: u64,
    hasher: RowsHasher,
}

impl SnapshotWriter {
    /// Begins the file `path`, for its owner alone: rows are personal data. A file of that name is
    /// replaced.
    pub fn create(path: &Path, about: &About) -> Result<SnapshotWriter, StoreError> {
        let made = || -> io::Result<BufWriter<File>> {
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            let mut file = BufWriter::with_capacity(256 * 1024, file);
            file.write_all(&about.encode())?;
            Ok(file)
        };
        let file = made().map_err(|error| failed(path, &error))?;
        Ok(SnapshotWriter {
            path: path.to_owned(),
            file,
            offset: HEADER_BYTES as u64,
            block: Vec::with_capacity(SNAPSHOT_BLOCK_BYTES * 2),
            first: Vec::new(),
            last: Vec::new(),
            index: Vec::new(),
            rows: 0,
            blocks: 0,
            hasher: RowsHasher::default(),
        })
    }

    /// Adds a row; its key is greater than that of the row before.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        debug_assert!(self.rows == 0 || self.last.as_slice() < key, "rows come in the order of keys");
        if self.block.is_empty() {
            self.first = key.to_vec();
        }
        self.last.clear();
        self.last.extend_from_slice(key);
        for part in [key, value] {
            self.block.extend_from_slice(&(part.len() as u32).to_le_bytes());
        }
        self.block.extend_from_slice(key);
        self.block.extend_from_slice(value);
        self.hasher.add(key, value);
        self.rows += 1;
        if self.block.len() >= SNAPSHOT_BLOCK_BYTES { self.end_block() } else { Ok(()) }
    }

    fn end_block(&mut self) -> Result<(), StoreError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = pack(&self.block).map_err(|error| failed(&self.path, &error))?;
        let mut header = [0; BLOCK_HEADER_BYTES];
        header[0..4].copy_from_slice(&(packed.len() as u32).to_le_bytes());
        header[4..8].copy_from_slice(&(self.block.len() as u32).to_le_bytes());
        header[8..12].copy_from_slice(&crc32c(&packed).to_le_bytes());
        let written = self.file.write_all(&header).and_then(|()| self.file.write_all(&packed));
        written.map_err(|error| failed(&self.path, &error))?;
        let bytes = (BLOCK_HEADER_BYTES + packed.len()) as u64;
        self.index.extend_from_slice(&self.offset.to_le_bytes());
        self.index.extend_from_slice(&(self.first.len() as u32).to_le_bytes());
        self.index.extend_from_slice(&self.first);
        self.offset += bytes;
        self.blocks += 1;
        self.block.clear();
        Ok(())
    }

    /// Ends the file; durable when this returns.
    pub fn finish(mut self) -> Result<Totals, StoreError> {
        self.end_block()?;
        let hash = self.hasher.finish();
        let mut footer = [0; FOOTER_BYTES];
        footer[0..8].copy_from_slice(&self.rows.to_le_bytes());
        footer[8..16].copy_from_slice(&self.blocks.to_le_bytes());
        footer[16..24].copy_from_slice(&self.offset.to_le_bytes());
        footer[24..32].copy_from_slice(&(self.index.len() as u64).to_le_bytes());
        footer[32..48].copy_from_slice(&hash.0);
        footer[48..52].copy_from_slice(&crc32c(&self.index).to_le_bytes());
        footer[52..60].copy_from_slice(&END);
        let crc = crc32c(&footer[..60]);
        footer[60..64].copy_from_slice(&crc.to_le_bytes());
        let path = self.path;
        let mut file = self.file;
        let ended = file
            .write_all(&self.index)
            .and_then(|()| file.write_all(&footer))
            .and_then(|()| file.flush())
            .and_then(|()| file.get_ref().sync_all());
        ended.map_err(|error| failed(&path, &error))?;
        let bytes = self.offset + self.index.len() as u64 + FOOTER_BYTES as u64;
        Ok(Totals { rows: self.rows, hash, bytes })
    }
}

fn pack(block: &[u8]) -> io::Result<Vec<u8>> {
    let packed = Vec::with_capacity(block.len() / 2);
    let mut packer = flate2::write::DeflateEncoder::new(packed, flate2::Compression::fast());
    packer.write_all(block)?;
    packer.finish()
}

/// A block, unpacked: its bytes, and where each row's key and value are.
#[derive(Debug)]
pub(super) struct Block {
    bytes: Vec<u8>,
    rows: Vec<(u32, u32, u32)>,
}

impl Block {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn key(&self, row: usize) -> &[u8] {
        let (start, key, _) = self.rows[row];
        &self.bytes[start as usize..(start + key) as usize]
    }

    pub(super) fn value(&self, row: usize) -> &[u8] {
        let (start, key, value) = self.rows[row];
        &self.bytes[(start + key) as usize..(start + key + value) as usize]
    }

    /// The first row whose key is not less than `key`.
    pub(super) fn place(&self, key: &[u8]) -> usize {
        let mut low = 0;
        let mut high = self.len();
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle) < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// A snapshot open for reading. Each block is checked when it is read.
pub struct SnapshotFile {
    path: PathBuf,
    file: File,
    about: About,
    totals: Totals,
    /// (first key, offset) of each block.
    index: Vec<(Vec<u8>, u64)>,
    cached: Mutex<VecDeque<(usize, Arc<Block>)>>,
}

impl std::fmt::Debug for SnapshotFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SnapshotFile").field("path", &self.path).field("about", &self.about).finish_non_exhaustive()
    }
}

impl SnapshotFile {
    /// Opens `path`: header, footer and index are read and checked, blocks are not.
    pub fn open(path: &Path) -> Result<SnapshotFile, StoreError> {
        let io = |error: io::Error| failed(path, &error);
        let file = File::open(path).map_err(io)?;
        let bytes = file.metadata().map_err(io)?.len();
        let mut header = vec![0; HEADER_BYTES.min(bytes as usize)];
        file.read_exact_at(&mut header, 0).map_err(io)?;
        let about = About::decode(path, &header)?;
        let end = bytes.saturating_sub(FOOTER_BYTES as u64);
        let mut footer = [0; FOOTER_BYTES];
        file.read_exact_at(&mut footer, end).map_err(|_| damaged(path, end))?;
        if footer[52..60] != END || crc32c(&footer[..60]) != u32_at(&footer, 60) {
            return Err(damaged(path, end));
        }
        let (index_at, index_bytes) = (u64_at(&footer, 16), u64_at(&footer, 24));
        if index_at.checked_add(index_bytes) != Some(end) {
            return Err(damaged(path, end));
        }
        let mut packed = vec![0; index_bytes as usize];
        file.read_exact_at(&mut packed, index_at).map_err(io)?;
        if crc32c(&packed) != u32_at(&footer, 48) {
            return Err(damaged(path, index_at));
        }
        let index = read_index(&packed).filter(|it| it.len() as u64 == u64_at(&footer, 8));
        let index = index.ok_or_else(|| damaged(path, index_at))?;
        let totals = Totals { rows: u64_at(&footer, 0), hash: fingerprint_at(&footer, 32), bytes };
        Ok(SnapshotFile { path: path.to_owned(), file, about, totals, index, cached: Mutex::default() })
    }

    /// What stands at its head.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// What stands at its end.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads every row in order; ends with `Damaged` when anything is not as the footer says.
    pub fn read_all(&self, visit: Visit<'_>) -> Result<(), StoreError> {
        let mut hasher = RowsHasher::default();
        let mut rows = 0;
        let mut last: Vec<u8> = Vec::new();
        for number in 0..self.index.len() {
            let block = self.read_block(number)?;
            for row in 0..block.len() {
                let (key, value) = (block.key(row), block.value(row));
                if key <= last.as_slice() {
                    return Err(damaged(&self.path, self.index[number].1));
                }
                hasher.add(key, value);
                visit(key, value)?;
                last.clear();
                last.extend_from_slice(key);
            }
            rows += block.len() as u64;
        }
        if rows != self.totals.rows || hasher.finish() != self.totals.hash {
            return Err(damaged(&self.path, self.totals.bytes - FOOTER_BYTES as u64));
        }
        Ok(())
    }

    /// Whether every byte is as it was written.
    pub fn verify(&self) -> Result<(), StoreError> {
        self.read_all(&mut |_, _| Ok(()))
    }

    /// The value under `key`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(number) = self.block_of(key) else { return Ok(None) };
        let block = self.block(number)?;
        let row = block.place(key);
        let found = row < block.len() && block.key(row) == key;
        Ok(found.then(|| block.value(row).to_vec()))
    }

    /// Rows with `from <= key < to`, the last first when `reverse`.
    pub(super) fn rows<'f>(&'f self, from: &[u8], to: &'f [u8], reverse: bool) -> SnapshotRows<'f> {
        let edge = if reverse { to } else { from };
        SnapshotRows { file: self, from: from.to_vec(), to, reverse, at: None, edge: edge.to_vec(), done: false }
    }

    /// The block that would hold `key`.
    fn block_of(&self, key: &[u8]) -> Option<usize> {
        self.index.partition_point(|(first, _)| first.as_slice() <= key).checked_sub(1)
    }

    fn block(&self, number: usize) -> Result<Arc<Block>, StoreError> {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = cached.iter().position(|(it, _)| *it == number) {
            let held = cached.remove(place).expect("just found");
            let block = held.1.clone();
            cached.push_back(held);
            return Ok(block);
        }
        let block = Arc::new(self.read_block(number)?);
        if cached.len() >= SNAPSHOT_BLOCKS_CACHED {
            cached.pop_front();
        }
        cached.push_back((number, block.clone()));
        Ok(block)
    }

    fn read_block(&self, number: usize) -> Result<Block, StoreError> {
        let offset = self.index[number].1;
        let wrong = || damaged(&self.path, offset);
        let mut header = [0; BLOCK_HEADER_BYTES];
        self.file.read_exact_at(&mut header, offset).map_err(|_| wrong())?;
        let (packed_len, len) = (u32_at(&header, 0), u32_at(&header, 4));
        if u64::from(packed_len) > self.totals.bytes || len > BLOCK_BYTES_MAX {
            return Err(wrong());
        }
        let mut packed = vec![0; packed_len as usize];
        self.file.read_exact_at(&mut packed, offset + BLOCK_HEADER_BYTES as u64).map_err(|_| wrong())?;
        if crc32c(&packed) != u32_at(&header, 8) {
            return Err(wrong());
        }
        let mut bytes = Vec::with_capacity(len as usize);
        let mut unpacker = flate2::read::DeflateDecoder::new(packed.as_slice()).take(u64::from(len) + 1);
        unpacker.read_to_end(&mut bytes).map_err(|_| wrong())?;
        let mut rows = Vec::new();
        let mut at = 0usize;
        while at < bytes.len() {
            if at + 8 > bytes.len() {
                return Err(wrong());
            }
            let (key, value) = (u32_at(&bytes, at), u32_at(&bytes, at + 4));
            let end = at as u64 + 8 + u64::from(key) + u64::from(value);
            if end > bytes.len() as u64 {
                return Err(wrong());
            }
            rows.push((at as u32 + 8, key, value));
            at = end as usize;
        }
        if bytes.len() != len as usize || rows.is_empty() {
            return Err(wrong());
        }
        Ok(Block { bytes, rows })
    }
}

fn read_index(bytes: &[u8]) -> Option<Vec<(Vec<u8>, u64)>> {
    let mut index = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at_checked(12)?;
        let (key, tail) = tail.split_at_checked(u32_at(head, 8) as usize)?;
        index.push((key.to_vec(), u64_at(head, 0)));
        rest = tail;
    }
    Some(index)
}

/// What is done with each row.
pub type Visit<'v> = &'v mut dyn FnMut(&[u8], &[u8]) -> Result<(), StoreError>;

/// Rows of a snapshot in order; see [`SnapshotFile::rows`].
pub(super) struct SnapshotRows<'f> {
    file: &'f SnapshotFile,
    from: Vec<u8>,
    to: &'f [u8],
    reverse: bool,
    /// The block at hand, its number, and the next row (backwards: one past it).
    at: Option<(usize, Arc<Block>, usize)>,
    edge: Vec<u8>,
    done: bool,
}

impl SnapshotRows<'_> {
    pub(super) fn next(&mut self) -> Result<Option<Pair>, StoreError> {
        loop {
            if self.done || self.file.index.is_empty() {
                return Ok(None);
            }
            let Some((number, block, row)) = &mut self.at else {
                // The edge itself belongs to the block that would hold it, or to the first one.
                let number = self.file.block_of(&self.edge).unwrap_or(0);
                let block = self.file.block(number)?;
                let row = block.place(&self.edge);
                self.at = Some((number, block, row));
                continue;
            };
            let taken = match self.reverse {
                false if *row < block.len() => {
                    *row += 1;
                    *row - 1
                }
                true if *row > 0 => {
                    *row -= 1;
                    *row
                }
                _ => {
                    let next = if self.reverse { number.checked_sub(1) } else { Some(*number + 1) };
                    let next = next.filter(|next| *next < self.file.index.len());
                    match next {
                        None => self.done = true,
                        Some(next) => {
                            let block = self.file.block(next)?;
                            let row = if self.reverse { block.len() } else { 0 };
                            self.at = Some((next, block, row));
                        }
                    }
                    continue;
                }
            };
            let key = block.key(taken);
            if key < self.from.as_slice() || key >= self.to {
                self.done = true;
                return Ok(None);
            }
            return Ok(Some((key.to_vec(), block.value(taken).to_vec())));
        }
    }
}
