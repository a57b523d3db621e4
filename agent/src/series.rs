//! The series of this host (A7): samples of 24 h, minutes of 7 days, quarters of an hour of 90 days, each with min, mean and max, in
//! three files of fixed size. The row of a moment has its place by its time: there is no head to lose, and a gap is an absent row. A disk
//! that fails costs the history, never the agent.

use constella_figures::Sample;
use constella_shared::agent::{MinAvgMax, Point, Series as Answer, SeriesKind, SeriesQuery};
use constella_shared::limits::SERIES_POINTS;
use std::{fs::File, io, io::Read, os::unix::fs::FileExt, os::unix::fs::OpenOptionsExt, path::Path, path::PathBuf};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

const CHANNELS: usize = size_of::<Sample>() / size_of::<f32>();

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
const ROW: u64 = size_of::<Row>() as u64;

/// One period: a moment in it (Unix time, milliseconds); of each channel how many figures, their total, the least and the greatest (NaN,
/// which gives way to any other, of none). A row whose CRC-32 is another was half written by a crash or damaged by the disk, and is none.
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Row {
    at_ms: u64,
    sums: [[f32; 4]; CHANNELS],
    crc: u64,
}

impl Row {
    fn of(at_ms: u64, sample: &Sample) -> Self {
        let sums = sample.map(|it| if it.is_nan() { [0.0, 0.0, it, it] } else { [1.0, it, it, it] });
        Self { at_ms, sums, crc: 0 }
    }

    /// Takes in another row: more figures of the same period.
    fn add(&mut self, other: &Self) {
        for ([count, total, least, greatest], [more, sum, min, max]) in self.sums.iter_mut().zip(other.sums) {
            (*count, *total, *least, *greatest) = (*count + more, *total + sum, least.min(min), greatest.max(max));
        }
    }

    fn crc(&self) -> u64 {
        crc32fast::hash(self.sums.as_bytes()).into()
    }
}

struct Tier {
    path: PathBuf,
    step_ms: u64,
    slots: u64,
}

impl Tier {
    /// Opens the file, or makes it at its full size. One of another size is damaged, or of another sample period: it is set aside.
    fn open(&self) -> io::Result<File> {
        let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.path)?;
        let (length, whole) = (file.metadata()?.len(), self.slots * ROW);
        if length == 0 {
            let made = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, whole);
            // NFS and ext3 have none: there zeros meet a full disk, now and not later. No part of a file is left.
            let zeros = || io::copy(&mut io::repeat(0).take(whole), &mut &file).and_then(|_| file.sync_data());
            let made = if made == Err(rustix::io::Errno::OPNOTSUPP) { zeros() } else { made.map_err(Into::into) };
            made.or_else(|error| file.set_len(0).and(Err(error)))?;
        } else if length != whole {
            std::fs::rename(&self.path, self.path.with_extension("damaged"))?;
            return self.open();
        }
        Ok(file)
    }

    /// The row of a period, unless its place is empty, damaged, or has what an earlier lap or a wrong clock left there.
    fn get(&self, file: &File, step: u64) -> Option<Row> {
        let mut row = Row::new_zeroed();
        file.read_exact_at(row.as_mut_bytes(), step % self.slots * ROW).ok()?;
        Some(row).filter(|row| row.at_ms / self.step_ms == step && row.crc == row.crc())
    }

    fn keep(&self, samples: &[Row]) -> io::Result<()> {
        let file = self.open()?;
        for sample in samples {
            let (step, mut row) = (sample.at_ms / self.step_ms, *sample);
            // A period that this or an earlier run has begun is taken up again.
            self.get(&file, step).iter().for_each(|begun| row.add(begun));
            row.crc = row.crc();
            file.write_all_at(row.as_bytes(), step % self.slots * ROW)?;
        }
        file.sync_data()
    }

    /// The rows of the last periods. What cannot be read is a gap; the next sample that is kept says why.
    fn rows(&self, range_ms: u64, now_ms: u64) -> impl Iterator<Item = Row> {
        let (file, end) = (self.open().ok(), now_ms / self.step_ms + 1);
        let first = end.saturating_sub(self.slots.min(range_ms / self.step_ms + 1));
        (first..end).filter_map(move |step| self.get(file.as_ref()?, step))
    }
}

pub(crate) struct Series {
    tiers: [Tier; 3],
    /// Samples that are not on disk yet, and when the others were written.
    recent: Vec<Row>,
    kept_ms: u64,
}

impl Series {
    pub(crate) fn new(folder: &Path, sample_ms: u64) -> Self {
        let tier = |(name, step_ms, days)| Tier { path: folder.join(name), step_ms, slots: days * DAY_MS / step_ms };
        let tiers = [("samples", sample_ms, 1), ("minutes", MINUTE_MS, 7), ("quarters", 15 * MINUTE_MS, 90)];
        Self { tiers: tiers.map(tier), recent: Vec::new(), kept_ms: 0 }
    }

    /// Takes in one sample. All go to the disk together once a minute: a crash loses no more, and it is written that seldom.
    pub(crate) fn add(&mut self, now_ms: u64, sample: &Sample) -> io::Result<()> {
        self.recent.push(Row::of(now_ms, sample));
        if now_ms.abs_diff(self.kept_ms) < MINUTE_MS {
            return Ok(());
        }
        self.kept_ms = now_ms;
        let recent = std::mem::take(&mut self.recent);
        // Each file for itself: one that fails costs the others nothing.
        self.tiers.iter().map(|tier| tier.keep(&recent)).fold(Ok(()), Result::and)
    }

    /// At most [`SERIES_POINTS`] points of the last hours, from the coarsest file that is fine enough.
    pub(crate) fn read(&self, SeriesQuery { kind, hours }: SeriesQuery, now_ms: u64) -> Answer {
        let range_ms = u64::from(hours) * 60 * MINUTE_MS;
        let wanted_ms = range_ms.div_ceil(SERIES_POINTS as u64 - 1);
        let [samples, minutes, quarters] = &self.tiers;
        let tier = [quarters, minutes].into_iter().find(|tier| tier.step_ms <= wanted_ms).unwrap_or(samples);
        let step_ms = tier.step_ms * wanted_ms.div_ceil(tier.step_ms);
        let mut periods = std::collections::BTreeMap::new();
        for row in tier.rows(range_ms, now_ms).chain(self.recent.iter().copied()) {
            periods.entry(row.at_ms / step_ms).and_modify(|all: &mut Row| all.add(&row)).or_insert(row);
        }
        let before = SeriesKind::ALL.iter().take_while(|other| **other != kind);
        let (first, names) = (before.map(|kind| kind.channels().len()).sum(), kind.channels());
        let point = |(period, row): (u64, Row)| {
            let sums = row.sums.get(first..first + names.len())?.iter();
            let one =
                |[count, total, min, max]: &[f32; 4]| (*count > 0.0).then_some(MinAvgMax(*min, total / count, *max));
            let v: Vec<Option<MinAvgMax>> = sums.map(one).collect();
            // Where every channel is missing there is no point.
            v.iter().any(Option::is_some).then_some(Point { t: period * step_ms / 1000, v })
        };
        let (step_s, channels) = (step_ms.div_ceil(1000) as u32, names.iter().map(|&name| name.to_owned()).collect());
        Answer { kind, step_s, channels, points: periods.into_iter().filter_map(point).collect() }
    }
}

#[cfg(test)]
mod tests;
