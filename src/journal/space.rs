//! Whether the disk has room for another entry.
//!
//! Two marks: below the upper one envelopes and bodies are refused (their senders come again), below
//! the lower one everything is. What lies between is kept for attempts, commands and the other
//! entries without which deliveries already begun could not be finished.
//!
//! The disk is asked at most once a second, or once per 16 MiB appended; bodies always ask.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::disk::Disk;
use super::{AppendError, message};
use crate::base::Clock;
use crate::entry::Kind;

const INTERVAL_MS: i64 = 1_000;
const INTERVAL_BYTES: u64 = 16 * 1024 * 1024;

pub(super) struct Space {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    intake_min: u64,
    command_min: u64,
    asked_at: AtomicI64,
    appended: AtomicU64,
    free: AtomicU64,
}

impl Space {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        clock: Arc<dyn Clock>,
        intake_min: u64,
        command_min: u64,
    ) -> Space {
        Space {
            disk,
            folder: folder.to_owned(),
            clock,
            intake_min,
            command_min,
            asked_at: AtomicI64::new(i64::MIN),
            appended: AtomicU64::new(0),
            free: AtomicU64::new(u64::MAX),
        }
    }

    /// Room for an entry of that kind.
    pub(super) fn admit(&self, kind: Kind, bytes: usize) -> Result<(), AppendError> {
        let bytes = bytes as u64;
        let appended = self.appended.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let since_ms = self.clock.now().0.wrapping_sub(self.asked_at.load(Ordering::Relaxed));
        // A clock that went back counts as time passed.
        if appended >= INTERVAL_BYTES || !(0..INTERVAL_MS).contains(&since_ms) {
            self.ask();
        }
        self.compare(match kind {
            Kind::Received => self.intake_min,
            Kind::Attempting | Kind::Attempted | Kind::Commanded | Kind::Configured | Kind::Ticked | Kind::Slice => {
                self.command_min
            }
        })
    }

    /// Room for a body, or for intake at all.
    pub(super) fn admit_intake(&self) -> Result<(), AppendError> {
        self.ask();
        self.compare(self.intake_min)
    }

    fn ask(&self) {
        self.asked_at.store(self.clock.now().0, Ordering::Relaxed);
        self.appended.store(0, Ordering::Relaxed);
        match self.disk.free_bytes(&self.folder) {
            Ok(free) => self.free.store(free, Ordering::Relaxed),
            // The last answer stands: a disk that cannot say how full it is may still be written.
            Err(error) => tracing::warn!(%error, "the free space of the journal's disk is unknown"),
        }
    }

    fn compare(&self, wanted: u64) -> Result<(), AppendError> {
        let free = self.free.load(Ordering::Relaxed);
        if free < wanted {
            return Err(AppendError::NoSpace(message::low_space(&self.folder, free, wanted)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::base::clock::ManualClock;
    use crate::journal::simulated::{SimulatedDisk, Syncs};

    #[test]
    fn intake_stops_first_and_comes_back_with_space() {
        let disk = SimulatedDisk::new(Syncs::Honest);
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let space = Space::new(Arc::new(disk.clone()), Path::new("j"), clock.clone(), 100, 10);
        for (free, intake, command) in [(100, true, true), (99, false, true), (9, false, false), (500, true, true)] {
            disk.set_free_bytes(free);
            clock.advance_ms(1_000);
            assert_eq!(space.admit(Kind::Received, 1).is_ok(), intake, "intake at {free}");
            assert_eq!(space.admit(Kind::Attempted, 1).is_ok(), command, "attempts at {free}");
            assert_eq!(space.admit_intake().is_ok(), intake, "bodies at {free}");
        }
    }

    #[test]
    fn disk_is_asked_by_time_and_by_bytes_only() {
        let disk = SimulatedDisk::new(Syncs::Honest);
        let clock = Arc::new(ManualClock::new(Timestamp(0)));
        let space = Space::new(Arc::new(disk.clone()), Path::new("j"), clock.clone(), 100, 10);
        assert!(space.admit(Kind::Received, 1).is_ok());
        disk.set_free_bytes(0);
        clock.advance_ms(999);
        assert!(space.admit(Kind::Received, 1).is_ok(), "the answer is still fresh");
        assert!(space.admit(Kind::Received, 16 * 1024 * 1024).is_err(), "much was appended since");
        disk.set_free_bytes(100);
        clock.set(Timestamp(-5));
        assert!(space.admit(Kind::Received, 1).is_ok(), "the clock went back");
    }
}
