//! Where a state folder is used: the proof that its earlier process is dead, and that nothing else ran on it since (L1).
//!
//! The lock file says where the last process ran: which boot of which kernel, which file, which boot generation. Whoever holds the lock and reads
//! its own place there was restarted in place: the earlier process held the same lock for its life. A copy of the folder has another file or
//! kernel, a restored one another generation; then nothing is proven, and the voter's quiet time stays.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};

use constella_shared::ids::Generation;

/// One folder on one boot of one kernel.
#[derive(Debug)]
pub(super) struct Place(String);

impl Place {
    /// Of a locked file; None where the kernel does not say.
    pub(super) fn of(lock: &File) -> Option<Self> {
        let boot_id = std::fs::read_to_string(BOOT_ID).ok()?;
        let meta = lock.metadata().ok()?;
        Some(Self(format!("{} {} {}", boot_id.trim(), meta.dev(), meta.ino())))
    }

    /// Whether the last process with this generation ran here.
    pub(super) fn was_left_by(&self, lock: &File, generation: Generation) -> bool {
        let expected = self.line(generation);
        let mut found = vec![0; expected.len()];
        let length = lock.metadata().map_or(0, |meta| meta.len());
        length == expected.len() as u64 && lock.read_exact_at(&mut found, 0).is_ok() && found == expected.as_bytes()
    }

    /// Writes that a process with this generation runs here. It need not outlive the kernel, so nothing waits for the disk; a failure costs the
    /// next start its proof and nothing else.
    pub(super) fn leave(&self, lock: &File, generation: Generation) {
        let line = self.line(generation);
        let _ = lock.set_len(0).and_then(|()| lock.write_all_at(line.as_bytes(), 0));
    }

    fn line(&self, generation: Generation) -> String {
        format!("{} {generation}\n", self.0)
    }
}

/// A random id that each boot of a kernel makes: random(4).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
