//! A ring file of rows in a fixed space. The row of a moment has its place by its time, so there is no head to lose, a gap is an absent
//! row, and kill -9 costs nothing that was written.

use std::fs::{File, OpenOptions, rename};
use std::{io, os::unix::fs::FileExt, path::Path};

use rustix::fs::{FallocateFlags, fallocate};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use super::CHANNELS;

/// What a channel came to in a period: how many figures, and their least, mean and greatest.
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Sum {
    pub(super) count: f32,
    pub(super) min: f32,
    pub(super) mean: f32,
    pub(super) max: f32,
}

impl Sum {
    /// Takes in another sum of the same channel.
    pub(super) fn add(&mut self, other: &Self) {
        if self.count == 0.0 {
            *self = *other;
        } else if other.count > 0.0 {
            self.count += other.count;
            self.mean += (other.mean - self.mean) * other.count / self.count;
            (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
        }
    }
}

/// One period of all channels.
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Row {
    /// Unix time of the period's start, milliseconds.
    pub(super) at_ms: u64,
    pub(super) sums: [Sum; CHANNELS],
    zeros: u32,
    /// CRC-32 of all before it.
    crc: u32,
}

const ROW: usize = size_of::<Row>();
/// Rows read at a time: some pages, whatever the range.
const BATCH: u64 = 64;
const HEADER: usize = 64;

pub(super) struct Ring {
    file: File,
    step_ms: u64,
    slots: u64,
}

impl Ring {
    /// Opens the ring, or makes it at its full size. A file that is not this ring is set aside as `<name>.damaged`.
    pub(super) fn open(path: &Path, step_ms: u64, slots: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let header = format!("{:<HEADER$}", format!("constella series 1: {slots} rows of {ROW} bytes, {step_ms} ms"));
        let (size, found, mut head) = (HEADER as u64 + slots * ROW as u64, file.metadata()?.len(), [0; HEADER]);
        if found == 0 {
            fallocate(&file, FallocateFlags::empty(), 0, size)?;
            file.write_all_at(header.as_bytes(), 0)?;
        } else if found != size || file.read_exact_at(&mut head, 0).is_err() || head != header.as_bytes() {
            rename(path, path.with_extension("damaged"))?;
            return Self::open(path, step_ms, slots);
        }
        Ok(Self { file, step_ms, slots })
    }

    /// The start of the period of a moment.
    pub(super) fn start(&self, at_ms: u64) -> u64 {
        at_ms - at_ms % self.step_ms
    }

    pub(super) fn put(&self, mut row: Row) -> io::Result<()> {
        row.crc = row.sum();
        self.file.write_all_at(row.as_bytes(), self.place(row.at_ms / self.step_ms))
    }

    /// Calls `each` with every whole row between two moments, oldest first. What is damaged is absent.
    pub(super) fn read(&self, from_ms: u64, to_ms: u64, mut each: impl FnMut(&Row)) -> io::Result<()> {
        let last = to_ms / self.step_ms;
        let mut step = (from_ms / self.step_ms).max((last + 1).saturating_sub(self.slots));
        let mut bytes = [0; BATCH as usize * ROW];
        while step <= last {
            // Up to the end of the file, where the ring closes.
            let count = (last + 1 - step).min(self.slots - step % self.slots).min(BATCH);
            let bytes = bytes.get_mut(..count as usize * ROW).unwrap_or_default();
            self.file.read_exact_at(bytes, self.place(step))?;
            for (row, expected) in bytes.chunks_exact(ROW).filter_map(|row| Row::read_from_bytes(row).ok()).zip(step..)
            {
                // Otherwise it is empty, torn, or left here by an earlier lap or a clock that was set back.
                if row.crc == row.sum() && row.at_ms / self.step_ms == expected {
                    each(&row);
                }
            }
            step += count;
        }
        Ok(())
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn place(&self, step: u64) -> u64 {
        HEADER as u64 + step % self.slots * ROW as u64
    }
}

impl Row {
    pub(super) fn new(at_ms: u64) -> Self {
        Self::new_zeroed().moved(at_ms)
    }

    pub(super) fn moved(self, at_ms: u64) -> Self {
        Self { at_ms, ..self }
    }

    fn sum(&self) -> u32 {
        self.as_bytes().split_last_chunk::<4>().map_or(0, |(body, _)| crc32fast::hash(body))
    }
}

#[cfg(test)]
mod tests;
