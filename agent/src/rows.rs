//! A file of rows of one size. A row's bytes in memory are its bytes on disk, with their CRC-32 behind them: what a crash left half
//! written, or the disk has damaged, is no row, and costs no other.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::{io, marker::PhantomData, path::Path};

use rustix::fs::{FallocateFlags, fallocate};
use zerocopy::{Immutable, IntoBytes, TryFromBytes};

pub(crate) struct Rows<T>(File, PhantomData<T>);

impl<T: TryFromBytes + IntoBytes + Immutable> Rows<T> {
    pub(crate) const SIZE: u64 = size_of::<T>() as u64 + 4;

    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        Ok(Self(file, PhantomData))
    }

    /// Takes the space of so many rows, so that a disk that fills up later prevents no writing of them.
    pub(crate) fn reserve(&self, flags: FallocateFlags, rows: u64) -> io::Result<()> {
        fallocate(&self.0, flags, 0, rows * Self::SIZE)?;
        self.0.sync_all()
    }

    /// Rows up to the end of the file, the torn ones too.
    pub(crate) fn count(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len().div_ceil(Self::SIZE))
    }

    pub(crate) fn get(&self, at: u64) -> io::Result<Option<T>> {
        let mut bytes = vec![0; Self::SIZE as usize];
        // Behind the end of the file stay zeros, which are no row: their CRC is another.
        self.0.read_at(&mut bytes, at * Self::SIZE)?;
        let whole = bytes.split_last_chunk().filter(|(row, crc)| crc32fast::hash(row).to_le_bytes() == **crc);
        Ok(whole.and_then(|(row, _)| T::try_read_from_bytes(row).ok()))
    }

    pub(crate) fn put(&self, at: u64, row: &T) -> io::Result<()> {
        let crc = crc32fast::hash(row.as_bytes()).to_le_bytes();
        self.0.write_all_at(&[row.as_bytes(), &crc].concat(), at * Self::SIZE)
    }

    /// What was put is on disk when this returns.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}
