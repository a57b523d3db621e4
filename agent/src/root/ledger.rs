//! The memory of reboots on disk: an id that was taken once is never performed again, whoever asks and however often the agent starts.
//! Rows are only appended, so that a torn write spoils none before it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::{io, path::Path};

use rustix::fs::{FallocateFlags, fallocate};
use zerocopy::{IntoBytes, TryFromBytes};

use super::frame::Record;

const ROW: u64 = size_of::<Record>() as u64;

pub(super) struct Ledger(File);

impl Ledger {
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(folder.join("commands"))?;
        // Room for a hundred rows, so that a full disk prevents no reboot. Where there is none, it is refused when the time comes.
        let _ = fallocate(&file, FallocateFlags::KEEP_SIZE, file.metadata()?.len(), 100 * ROW);
        file.sync_all()?;
        Ok(Self(file))
    }

    /// The newest record that fits. Rows that are torn are passed over: nothing was begun for them.
    pub(super) fn newest(&self, fits: impl Fn(&Record) -> bool) -> io::Result<Option<Record>> {
        let (mut newest, mut row) = (None, [0; size_of::<Record>()]);
        for at in 0..self.0.metadata()?.len() / ROW {
            self.0.read_exact_at(&mut row, at * ROW)?;
            let record = Record::try_read_from_bytes(&row).ok();
            newest = record.filter(|record| record.crc == record.sum() && fits(record)).or(newest);
        }
        Ok(newest)
    }

    /// Appends a record; it is on disk when this returns.
    pub(super) fn put(&self, mut record: Record) -> io::Result<()> {
        record.crc = record.sum();
        self.0.write_all_at(record.as_bytes(), self.0.metadata()?.len().div_ceil(ROW) * ROW)?;
        self.0.sync_data()
    }
}
