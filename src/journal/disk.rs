//! The disk as the journal uses it: few operations, each with the durability that it promises.
//!
//! Everything that the journal does to files goes through [`Disk`], so that
//! [`super::simulated::SimulatedDisk`] can take the power away after any of them. [`RealDisk`] is
//! the machine's file system. What is promised: bytes are durable after [`DiskFile::sync`], names
//! after [`Disk::sync_folder`], and nothing before.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

/// A file system.
pub trait Disk: Send + Sync + 'static {
    /// Makes the folder and those above it; nothing happens when it is there already.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Names of the files in the folder, in no order; folders are left out.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;

    /// Opens a file that is there.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>>;

    /// Makes a file that is not there, for reading and writing.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name; a file of that name is replaced.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in the folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Bytes that a user may still write to the file system of the folder.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
}

/// An open file.
pub trait DiskFile: Send + Sync + 'static {
    /// Its length, bytes.
    fn bytes(&self) -> io::Result<u64>;

    /// Fills the buffer from `offset` on; returns fewer bytes only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes the file at least `bytes` long, with zeros, and reserves the space.
    fn allocate(&self, bytes: u64) -> io::Result<()>;

    /// Cuts the file to `bytes`.
    fn truncate(&self, bytes: u64) -> io::Result<()>;

    /// Makes content and length durable.
    fn sync(&self) -> io::Result<()>;
}

/// Whether the error says that the disk is full (or the quota used up).
pub fn is_no_space(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The machine's file system. Files and folders are made for their owner only: bodies and payloads
/// are personal data.
#[derive(Debug, Default, Clone, Copy)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for item in std::fs::read_dir(folder)? {
            let item = item?;
            // A name that is not UTF-8 is not one of ours.
            if let (true, Ok(name)) = (item.file_type()?.is_file(), item.file_name().into_string()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn DiskFile>> {
        let write = match access {
            Access::Read => false,
            Access::Write => true,
        };
        Ok(Arc::new(RealFile(OpenOptions::new().read(true).write(write).open(path)?)))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let it = rustix::fs::statvfs(folder)?;
        Ok(it.f_bavail.saturating_mul(it.f_frsize))
    }
}

struct RealFile(File);

impl DiskFile for RealFile {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use std::os::unix::fs::FileExt as _;
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::os::unix::fs::FileExt as _;
        self.0.write_all_at(bytes, offset)
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, rustix::fs::FallocateFlags::empty(), 0, bytes) {
            Ok(()) => Ok(()),
            // Not every file system reserves (NFS, some FUSE): zeros that are written are.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => write_zeros(self, self.bytes()?, bytes),
            Err(error) => Err(error.into()),
        }
    }

    fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // fdatasync: the length goes with it where reading needs it.
        self.0.sync_data()
    }
}

fn write_zeros(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    let zeros = [0; 64 * 1024];
    let mut offset = from;
    while offset < to {
        let count = (to - offset).min(zeros.len() as u64);
        file.write_at(&zeros[..count as usize], offset)?;
        offset += count;
    }
    Ok(())
}

/// Reads a file from its beginning to its end.
pub(super) struct FileReader {
    file: Arc<dyn DiskFile>,
    offset: u64,
}

impl FileReader {
    pub(super) fn new(file: Arc<dyn DiskFile>) -> FileReader {
        FileReader { file, offset: 0 }
    }
}

impl io::Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        self.offset += count as u64;
        Ok(count)
    }
}

impl io::Seek for FileReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let target = match to {
            io::SeekFrom::Start(offset) => Some(offset),
            io::SeekFrom::End(distance) => self.file.bytes()?.checked_add_signed(distance),
            io::SeekFrom::Current(distance) => self.offset.checked_add_signed(distance),
        };
        self.offset = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_disk_does_what_it_says() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        let disk = RealDisk;
        let file = disk.create(&one)?;
        assert!(disk.create(&one).is_err(), "create never opens what is there");
        file.allocate(100)?;
        file.write_at(b"abc", 98)?;
        file.sync()?;
        let mut buffer = [7; 8];
        assert_eq!(file.read_at(&mut buffer, 96)?, 5);
        assert_eq!(&buffer[..5], b"\0\0abc");
        file.truncate(99)?;
        assert_eq!(file.bytes()?, 99);
        disk.rename(&one, &two)?;
        disk.sync_folder(folder.path())?;
        disk.create_folder(&folder.path().join("a/b"))?;
        assert_eq!(disk.list(folder.path())?, ["two"]);
        assert!(disk.open(&two, Access::Read)?.write_at(b"x", 0).is_err());
        assert!(disk.free_bytes(folder.path())? > 0);
        disk.remove(&two)?;
        assert!(disk.list(folder.path())?.is_empty());
        write_zeros(&*disk.create(&one)?, 3, 70_000)?;
        assert_eq!(disk.open(&one, Access::Read)?.bytes()?, 70_000);
        Ok(())
    }
}
