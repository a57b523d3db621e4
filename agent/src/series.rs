//! The series of this host (A7): samples of 24 h, minutes of 7 days, quarters of an hour of 90 days, each with min, mean and max, in
//! three files of fixed size. The row of a moment has its place by its time: there is no head to lose, and a gap is an absent row. A disk
//! that fails costs the history, never the agent.

use std::path::{Path, PathBuf};
use std::{collections::BTreeMap, fs::rename, io};

use constella_shared::agent::{MinAvgMax, Point, Series as Answer, SeriesKind};
use constella_shared::limits::SERIES_POINTS;
use rustix::fs::FallocateFlags;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::rows::Rows;

/// Figures of one sample, in the order of [`SeriesKind::ALL`] and its channels; absent ones are NaN.
pub(crate) type Sample = [f32; CHANNELS];
const CHANNELS: usize = 13;

/// Hours that the longest series holds.
pub(crate) const HOURS: u32 = 90 * 24;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// One period: a moment in it (Unix time, milliseconds), and of each channel how many figures, their total, the least and the greatest.
/// Of no figures, least and greatest are NaN, which gives way to any other.
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Row {
    at_ms: u64,
    sums: [[f32; 4]; CHANNELS],
}

impl Row {
    fn of(at_ms: u64, sample: &Sample) -> Self {
        let sum =
            |figure: f32| if figure.is_nan() { [0.0, 0.0, figure, figure] } else { [1.0, figure, figure, figure] };
        Self { at_ms, sums: sample.map(sum) }
    }

    /// Takes in another row: more figures of the same period.
    fn add(&mut self, other: &Self) {
        for ([count, total, least, greatest], [more, sum, min, max]) in self.sums.iter_mut().zip(other.sums) {
            (*count, *total, *least, *greatest) = (*count + more, *total + sum, least.min(min), greatest.max(max));
        }
    }
}

/// One of the files.
struct Tier {
    path: PathBuf,
    step_ms: u64,
    slots: u64,
}

impl Tier {
    /// Opens the file, or makes it at its full size. One of another size is damaged, or of another sample period: it is set aside.
    fn open(&self) -> io::Result<Rows<Row>> {
        let rows = Rows::open(&self.path)?;
        let count = rows.count()?;
        if count == 0 {
            rows.reserve(FallocateFlags::empty(), self.slots)?;
        } else if count != self.slots {
            rename(&self.path, self.path.with_extension("damaged"))?;
            return self.open();
        }
        Ok(rows)
    }

    /// The row of a period, unless its place is empty, damaged, or has what an earlier lap or a wrong clock left there.
    fn get(&self, rows: &Rows<Row>, step: u64) -> io::Result<Option<Row>> {
        Ok(rows.get(step % self.slots)?.filter(|row| row.at_ms / self.step_ms == step))
    }

    fn keep(&self, samples: &[Row]) -> io::Result<()> {
        let rows = self.open()?;
        for sample in samples {
            let step = sample.at_ms / self.step_ms;
            // A period that this or an earlier run has begun is taken up again.
            let mut row = *sample;
            self.get(&rows, step)?.iter().for_each(|begun| row.add(begun));
            rows.put(step % self.slots, &row)?;
        }
        rows.sync()
    }

    /// Calls `each` with every row of the last periods.
    fn read(&self, range_ms: u64, now_ms: u64, mut each: impl FnMut(Row)) -> io::Result<()> {
        let (rows, end) = (self.open()?, now_ms / self.step_ms + 1);
        for step in end.saturating_sub(self.slots.min(range_ms / self.step_ms + 1))..end {
            self.get(&rows, step)?.into_iter().for_each(&mut each);
        }
        Ok(())
    }
}

/// All series of the host.
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
    pub(crate) fn read(&self, kind: SeriesKind, hours: u32, now_ms: u64) -> Answer {
        let [samples, minutes, quarters] = &self.tiers;
        let range_ms = u64::from(hours) * 60 * MINUTE_MS;
        let wanted_ms = range_ms.div_ceil(SERIES_POINTS as u64 - 1);
        let fine = [quarters, minutes].into_iter().find(|tier| tier.step_ms <= wanted_ms);
        let tier = fine.unwrap_or(if range_ms <= DAY_MS { samples } else { minutes });
        let step_ms = tier.step_ms * wanted_ms.div_ceil(tier.step_ms);
        let mut periods = BTreeMap::new();
        let mut each = |row: Row| {
            periods.entry(row.at_ms / step_ms).and_modify(|all: &mut Row| all.add(&row)).or_insert(row);
        };
        if let Err(error) = tier.read(range_ms, now_ms, &mut each) {
            eprintln!("constella-agent: the series cannot be read: {error}");
        }
        self.recent.iter().copied().for_each(each);
        let before = SeriesKind::ALL.iter().take_while(|other| **other != kind);
        let (first, names) = (before.map(|kind| kind.channels().len()).sum(), kind.channels());
        let point = |(period, row): (u64, Row)| {
            let sums = row.sums.get(first..first + names.len())?;
            // A channel that is missing makes the point a gap: JSON has no NaN.
            let whole = sums.iter().all(|[count, ..]| *count > 0.0);
            let v = sums
                .iter()
                .map(|[count, total, least, greatest]| MinAvgMax(*least, total / count, *greatest))
                .collect();
            whole.then_some(Point { t: period * step_ms / 1000, v })
        };
        let (step_s, channels) = (step_ms.div_ceil(1000) as u32, names.iter().map(|&name| name.to_owned()).collect());
        Answer { kind, step_s, channels, points: periods.into_iter().filter_map(point).collect() }
    }
}

#[cfg(test)]
mod tests;
