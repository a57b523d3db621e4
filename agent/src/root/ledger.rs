//! The memory of commands on disk: which ids were taken, so that none is performed twice, whoever asks and however often the agent starts.
//!
//! A file of fixed size, written in place and synced before the act, so that a full disk prevents no reboot. The oldest of
//! [`ROWS`] rows, two for each command, is overwritten first: at the default interval that is eight hours of ceaseless reboots.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};

use super::frame::Record;

/// Commands that are remembered.
const ROWS: u64 = 1024;
/// Room for one record.
const ROW: u64 = 640;

pub(crate) struct Ledger {
    file: File,
    /// The newest record's.
    seq: u64,
}

impl Ledger {
    /// Opens the ledger in the folder, or makes an empty one.
    ///
    /// # Errors
    /// A file of another size is not replaced: what it remembers might be needed.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("commands");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.metadata()?.len() {
            0 => fallocate(&file, FallocateFlags::empty(), 0, ROWS * ROW)?,
            length if length == ROWS * ROW => {}
            _ => {
                return Err(io::Error::other(
                    "the file `commands` is damaged; move it away to begin with an empty memory",
                ));
            }
        }
        file.sync_all()?;
        let mut ledger = Self { file, seq: 0 };
        ledger.seq = ledger.newest(|_| true)?.map_or(0, |record| record.seq);
        Ok(ledger)
    }

    /// The command of that id as it was last written, if it was ever taken.
    pub(crate) fn find(&self, id: &[u8; 32]) -> io::Result<Option<Record>> {
        self.newest(|record| record.id == *id)
    }

    /// The newest of the records that fit.
    pub(crate) fn newest(&self, fits: impl Fn(&Record) -> bool) -> io::Result<Option<Record>> {
        let (mut newest, mut bytes): (Option<Record>, _) = (None, [0; Record::BYTES]);
        for row in 0..ROWS {
            self.file.read_exact_at(&mut bytes, row * ROW)?;
            // Empty rows, and one that a power cut tore before its act began.
            let Some(record) = Record::decode(&bytes) else {
                continue;
            };
            if fits(&record) && newest.as_ref().is_none_or(|newest| newest.seq < record.seq) {
                newest = Some(record);
            }
        }
        Ok(newest)
    }

    /// Writes the record to the next row, never over its own last one; it is on disk when this returns.
    pub(crate) fn put(&mut self, record: &mut Record) -> io::Result<()> {
        self.seq += 1;
        record.seq = self.seq;
        self.file.write_all_at(&record.encode(), record.seq % ROWS * ROW)?;
        self.file.sync_data()
    }
}
