//! A disk in memory whose power can be cut: for the model of the journal, and for the tests of
//! everything else that promises durability.
//!
//! It keeps what a program sees (the cache) apart from what a power cut leaves (the platter), and
//! is as unkind as POSIX allows:
//! - of the sectors written since the last sync of their file, any subset survives, and a sector
//!   may be torn inside;
//! - any of them may reach the platter before (as the kernel writes back when it likes), so that
//!   what was written over or cut off again may come back too;
//! - a changed length survives or not, apart from the sectors;
//! - of the names made, changed or removed since the last sync of their folder, any subset
//!   survives (a rename is one change);
//! - a sync that fails leaves its bytes readable but never to be written (as Linux does);
//! - a write without space leaves its first half behind.
//!
//! Chance comes from the seed that is given, so a failing case repeats.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Access, Disk, DiskFile};

const SECTOR_BYTES: usize = 512;

/// What goes wrong with an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full.
    NoSpace,
    /// The disk fails.
    Io,
    /// The power goes: this and all later operations fail until [`SimulatedDisk::crash`].
    PowerCut,
}

/// Whether syncs do what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syncs {
    /// They do.
    Honest,
    /// They report success and do nothing: for the test that tests would notice.
    Lying,
}

/// See the module.
#[derive(Clone)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

struct State {
    syncs: Syncs,
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names that no sync has made durable yet, oldest first.
    pending: Vec<NameChange>,
    fault: Option<(u64, Fault)>,
    powered: bool,
    /// Handles of before a crash are dead.
    boot: u64,
    free_bytes: u64,
    operations: u64,
}

#[derive(Default)]
struct Inode {
    cache: Vec<u8>,
    platter: Vec<u8>,
    /// Sectors in which the cache is newer.
    dirty: BTreeSet<usize>,
}

struct NameChange {
    folder: PathBuf,
    removed: Option<PathBuf>,
    added: Option<(PathBuf, usize)>,
}

impl SimulatedDisk {
    /// An empty disk with plenty of space.
    pub fn new(syncs: Syncs) -> SimulatedDisk {
        SimulatedDisk(Arc::new(Mutex::new(State {
            syncs,
            inodes: Vec::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            pending: Vec::new(),
            fault: None,
            powered: true,
            boot: 0,
            free_bytes: 1 << 40,
            operations: 0,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `after`-th changing operation from now (0: the next) meets the fault.
    pub fn inject(&self, after: u64, fault: Fault) {
        self.state().fault = Some((after, fault));
    }

    /// Takes an injected fault back.
    pub fn forgive(&self) {
        self.state().fault = None;
    }

    /// What `free_bytes` answers from now on.
    pub fn set_free_bytes(&self, bytes: u64) {
        self.state().free_bytes = bytes;
    }

    /// Changing operations so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Cuts the power and starts again: what was not synced survives, is lost or is torn as the
    /// seed decides. Open files are dead, faults forgotten.
    pub fn crash(&self, seed: u64) {
        let mut chance = Chance(seed);
        let mut state = self.state();
        state.inodes.iter_mut().for_each(|inode| inode.crash(&mut chance));
        for change in std::mem::take(&mut state.pending) {
            if chance.below(2) == 0 {
                change.apply(&mut state.durable_names);
            }
        }
        state.names = state.durable_names.clone();
        state.fault = None;
        state.powered = true;
        state.boot += 1;
    }

    /// Changes a file behind everybody's back, durably: for tests of damage.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let inode = state.names.get(path).copied();
        if let Some(inode) = inode.and_then(|it| state.inodes.get_mut(it)) {
            change(&mut inode.cache);
            inode.platter = inode.cache.clone();
            inode.dirty.clear();
        }
    }

    /// The bytes of a file as a program sees them.
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.names.get(path).map(|inode| state.inodes[*inode].cache.clone())
    }
}

/// SplitMix64: enough for dice.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((it ^ (it >> 31)) % bound as u64) as usize
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(path) = self.removed {
            names.remove(&path);
        }
        if let Some((path, inode)) = self.added {
            names.insert(path, inode);
        }
    }
}

impl Inode {
    fn touch(&mut self, from: usize, to: usize) {
        if from < to {
            self.dirty.extend(from / SECTOR_BYTES..=(to - 1) / SECTOR_BYTES);
        }
    }

    fn resize(&mut self, bytes: usize) {
        let (short, long) = (self.cache.len().min(bytes), self.cache.len().max(bytes));
        self.cache.resize(bytes, 0);
        self.touch(short, long);
    }

    /// Some of what is not synced reaches the platter all the same.
    fn write_back(&mut self, chance: &mut Chance) {
        let chosen: Vec<_> = self.dirty.iter().copied().filter(|_| chance.below(4) == 0).collect();
        for sector in chosen {
            let start = sector * SECTOR_BYTES;
            let end = (start + SECTOR_BYTES).min(self.cache.len()).min(self.platter.len());
            if start < end {
                self.platter[start..end].copy_from_slice(&self.cache[start..end]);
            }
        }
    }

    /// Only dirty sectors go: what a failed sync forgot stays lost.
    fn sync(&mut self) {
        self.platter.resize(self.cache.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let start = sector * SECTOR_BYTES;
            let end = (start + SECTOR_BYTES).min(self.cache.len());
            if start < end {
                self.platter[start..end].copy_from_slice(&self.cache[start..end]);
            }
        }
    }

    fn crash(&mut self, chance: &mut Chance) {
        let survivor_bytes = if chance.below(2) == 0 { self.cache.len() } else { self.platter.len() };
        self.platter.resize(self.platter.len().max(survivor_bytes), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let start = sector * SECTOR_BYTES;
            let end = (start + SECTOR_BYTES).min(self.cache.len()).min(self.platter.len());
            if start >= end {
                continue;
            }
            let (from, to) = match chance.below(4) {
                0 => (start, start),
                1 => (start, start + chance.below(end - start)),
                2 => (start + chance.below(end - start), end),
                _ => (start, end),
            };
            self.platter[from..to].copy_from_slice(&self.cache[from..to]);
        }
        self.platter.truncate(survivor_bytes);
        self.cache.clone_from(&self.platter);
    }
}

impl State {
    fn powered(&self) -> io::Result<()> {
        if self.powered { Ok(()) } else { Err(io::Error::other("the power is off")) }
    }

    /// Counts a changing operation and tells the fault that it meets.
    fn operation(&mut self) -> io::Result<Option<Fault>> {
        self.powered()?;
        self.operations += 1;
        match self.fault {
            Some((0, fault)) => {
                self.fault = None;
                self.powered = fault != Fault::PowerCut;
                Ok(Some(fault))
            }
            Some((after, fault)) => {
                self.fault = Some((after - 1, fault));
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// As [`State::operation`], for operations that do nothing when they fail.
    fn whole_operation(&mut self) -> io::Result<()> {
        self.operation()?.map_or(Ok(()), |fault| Err(error_of(fault)))
    }

    fn change_names(&mut self, folder: &Path, removed: Option<PathBuf>, added: Option<(PathBuf, usize)>) {
        NameChange { folder: folder.to_owned(), removed: removed.clone(), added: added.clone() }.apply(&mut self.names);
        self.pending.push(NameChange { folder: folder.to_owned(), removed, added });
    }

    fn inode_of(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn error_of(fault: Fault) -> io::Error {
    match fault {
        Fault::NoSpace => io::ErrorKind::StorageFull.into(),
        Fault::Io => io::Error::other("the disk fails"),
        Fault::PowerCut => io::Error::other("the power goes"),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

impl Disk for SimulatedDisk {
    fn create_folder(&self, _folder: &Path) -> io::Result<()> {
        // Folders are parts of paths here, and always durable.
        self.state().powered()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        state.powered()?;
        let inside = state.names.keys().filter(|path| parent(path) == folder);
        Ok(inside.filter_map(|path| path.file_name()?.to_str().map(str::to_owned)).collect())
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.state();
        state.powered()?;
        let inode = state.inode_of(path)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), inode, boot: state.boot, access }))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.whole_operation()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.inodes.push(Inode::default());
        let inode = state.inodes.len() - 1;
        state.change_names(parent(path), None, Some((path.to_owned(), inode)));
        Ok(Arc::new(SimulatedFile { disk: self.clone(), inode, boot: state.boot, access: Access::Write }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        let inode = state.inode_of(from)?;
        state.change_names(parent(to), Some(from.to_owned()), Some((to.to_owned(), inode)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        state.inode_of(path)?;
        state.change_names(parent(path), Some(path.to_owned()), None);
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.whole_operation()?;
        if state.syncs == Syncs::Lying {
            return Ok(());
        }
        let (durable, pending) = std::mem::take(&mut state.pending).into_iter().partition(|it| it.folder == folder);
        state.pending = pending;
        durable.into_iter().for_each(|change: NameChange| change.apply(&mut state.durable_names));
        Ok(())
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        let state = self.state();
        state.powered()?;
        Ok(state.free_bytes)
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    inode: usize,
    boot: u64,
    access: Access,
}

impl SimulatedFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        state.powered()?;
        if state.boot == self.boot { Ok(state) } else { Err(io::Error::other("opened before the power cut")) }
    }

    fn writable(&self) -> io::Result<()> {
        match self.access {
            Access::Write => Ok(()),
            Access::Read => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }
}

impl DiskFile for SimulatedFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.state()?.inodes[self.inode].cache.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state()?;
        let content = &state.inodes[self.inode].cache;
        let rest = content.get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.writable()?;
        let mut state = self.state()?;
        let fault = state.operation()?;
        // A failed write may have written anything; half of it is the nastiest.
        let written = match fault {
            Some(Fault::NoSpace | Fault::Io) => &bytes[..bytes.len() / 2],
            Some(Fault::PowerCut) | None => bytes,
        };
        let (start, end) = (offset as usize, offset as usize + written.len());
        let mut chance = Chance(state.operations);
        let inode = &mut state.inodes[self.inode];
        inode.write_back(&mut chance);
        if inode.cache.len() < end {
            inode.resize(end);
        }
        inode.cache[start..end].copy_from_slice(written);
        inode.touch(start, end);
        fault.map_or(Ok(()), |fault| Err(error_of(fault)))
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.writable()?;
        let mut state = self.state()?;
        state.whole_operation()?;
        let inode = &mut state.inodes[self.inode];
        if inode.cache.len() < bytes as usize {
            inode.resize(bytes as usize);
        }
        Ok(())
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.writable()?;
        let mut state = self.state()?;
        state.whole_operation()?;
        let mut chance = Chance(state.operations);
        let inode = &mut state.inodes[self.inode];
        inode.write_back(&mut chance);
        inode.resize(bytes as usize);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let fault = state.operation()?;
        let lying = state.syncs == Syncs::Lying;
        let inode = &mut state.inodes[self.inode];
        match fault {
            None if lying => {}
            None => inode.sync(),
            // The kernel forgets that these pages were never written.
            Some(Fault::Io | Fault::NoSpace) => inode.dirty.clear(),
            Some(Fault::PowerCut) => {}
        }
        fault.map_or(Ok(()), |fault| Err(error_of(fault)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(disk: &SimulatedDisk) -> Arc<dyn DiskFile> {
        let file = disk.create(Path::new("f/a")).expect("nothing is injected");
        file.write_at(&[1; 2000], 0).expect("nothing is injected");
        file
    }

    #[test]
    fn synced_bytes_and_names_survive() {
        for seed in 0..50 {
            let disk = SimulatedDisk::new(Syncs::Honest);
            written(&disk).sync().expect("nothing is injected");
            disk.sync_folder(Path::new("f")).expect("nothing is injected");
            disk.crash(seed);
            assert_eq!(disk.content(Path::new("f/a")), Some(vec![1; 2000]), "seed {seed}");
        }
    }

    #[test]
    fn unsynced_bytes_and_names_may_be_lost_kept_or_torn() {
        let outcomes: BTreeSet<_> = (0..200)
            .map(|seed| {
                let disk = SimulatedDisk::new(Syncs::Honest);
                written(&disk);
                disk.crash(seed);
                match disk.content(Path::new("f/a")) {
                    None => "no name",
                    Some(bytes) if bytes.is_empty() => "empty",
                    Some(bytes) if bytes == [1; 2000] => "whole",
                    Some(_) => "torn",
                }
            })
            .collect();
        assert_eq!(outcomes, BTreeSet::from(["empty", "no name", "torn", "whole"]));
    }

    #[test]
    fn failed_sync_loses_its_bytes_although_they_read() {
        let disk = SimulatedDisk::new(Syncs::Honest);
        let file = written(&disk);
        disk.sync_folder(Path::new("f")).expect("nothing is injected");
        disk.inject(0, Fault::Io);
        assert!(file.sync().is_err());
        assert!(file.sync().is_ok(), "the second sync knows nothing of it");
        assert_eq!(disk.content(Path::new("f/a")).map(|it| it.len()), Some(2000));
        disk.crash(3);
        let left = disk.content(Path::new("f/a")).unwrap_or_default();
        assert!(left.iter().all(|it| *it == 0), "nothing of it was written");
    }

    #[test]
    fn power_cut_stops_everything_until_the_crash() {
        let disk = SimulatedDisk::new(Syncs::Honest);
        disk.inject(1, Fault::PowerCut);
        let file = disk.create(Path::new("f/a")).expect("the operation before the cut");
        assert!(file.write_at(b"x", 0).is_err());
        assert!(file.bytes().is_err());
        disk.crash(1);
        assert!(file.bytes().is_err(), "a handle of before");
        assert!(disk.create(Path::new("f/b")).is_ok());
    }
}
