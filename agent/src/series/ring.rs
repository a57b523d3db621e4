//! A ring file of rows in a fixed space: the row of a moment has its place by its time, so there is no head to lose, a gap is an absent
//! row, and kill -9 costs nothing that was written.

use std::fs::{File, OpenOptions, rename};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};

use crate::row::{Field, seal, unseal};

/// A ring of `slots` rows, `step_ms` apart, of `width` figures each.
pub(super) struct Ring {
    file: File,
    pub(super) step_ms: u64,
    pub(super) slots: u64,
    width: usize,
}

/// Before the first row: "constella series", the version of this layout, step, slots and width, sealed.
const HEADER: u64 = 64;
const VERSION: u64 = 1;

impl Ring {
    /// Opens the ring, or makes it at its full size. A file that is not this ring is set aside as `<name>.damaged`.
    pub(super) fn open(path: &Path, step_ms: u64, slots: u64, width: usize) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let mut header = b"constella series".to_vec();
        for number in [VERSION, step_ms, slots, width as u64] {
            number.put(&mut header);
        }
        let header = seal(header);
        let ring = Self { file, step_ms, slots, width };
        let size = HEADER + slots * ring.row_bytes() as u64;
        let mut found = vec![0; header.len()];
        if ring.file.metadata()?.len() == size {
            ring.file.read_exact_at(&mut found, 0)?;
        } else if ring.file.metadata()?.len() == 0 {
            fallocate(&ring.file, FallocateFlags::empty(), 0, size)?;
            ring.file.write_all_at(&header, 0)?;
            return Ok(ring);
        }
        if found == header {
            return Ok(ring);
        }
        rename(path, path.with_extension("damaged"))?;
        Self::open(path, step_ms, slots, width)
    }

    /// Writes the row of the moment.
    pub(super) fn put(&self, at_ms: u64, figures: impl Iterator<Item = f32>) -> io::Result<()> {
        let mut row = Vec::with_capacity(self.row_bytes());
        at_ms.put(&mut row);
        row.extend(figures.flat_map(f32::to_le_bytes));
        self.file.write_all_at(&seal(row), self.place(at_ms))
    }

    /// Calls `each` with the time and figures of every row from `from_ms` to `to_ms`, oldest first. What is damaged is absent.
    pub(super) fn read(&self, from_ms: u64, to_ms: u64, mut each: impl FnMut(u64, &[f32])) -> io::Result<()> {
        let (first, last) = (from_ms / self.step_ms, to_ms / self.step_ms);
        let first = first.max((last + 1).saturating_sub(self.slots));
        let from_ms = from_ms.max(first * self.step_ms);
        let (mut figures, mut rows) = (Vec::with_capacity(self.width), Vec::new());
        let mut step = first;
        while step <= last {
            // As many rows at once as lie together, but no more memory than a page or two.
            let count = (last + 1 - step).min(self.slots - step % self.slots).min(64);
            rows.resize(count as usize * self.row_bytes(), 0);
            self.file.read_exact_at(&mut rows, self.place(step * self.step_ms))?;
            for row in rows.chunks_exact(self.row_bytes()) {
                let Some(mut row) = unseal(row) else { continue };
                let Some(at_ms) = u64::take(&mut row) else {
                    continue;
                };
                // Otherwise it is what an earlier lap, or a clock that was set back, left here.
                if (from_ms..=to_ms).contains(&at_ms) {
                    figures.clear();
                    figures.extend(row.as_chunks().0.iter().copied().map(f32::from_le_bytes));
                    each(at_ms, &figures);
                }
            }
            step += count;
        }
        Ok(())
    }

    /// Everything written so far is on disk when this returns.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn row_bytes(&self) -> usize {
        8 + 4 * self.width + 4
    }

    fn place(&self, at_ms: u64) -> u64 {
        HEADER + at_ms / self.step_ms % self.slots * self.row_bytes() as u64
    }
}
