//! The series of this host (A7): samples of 24 h, minutes of 7 days, quarters of an hour of 90 days, each with min, mean and max, in
//! three ring files of fixed size. A disk that fails costs the history, never the agent.

mod ring;

use std::io;
use std::path::{Path, PathBuf};

use constella_shared::agent::{MinAvgMax, Point, Series as Answer, SeriesKind};
use constella_shared::limits::SERIES_POINTS;

use ring::{Ring, Row, Sum};

/// Figures of one sample, in the order of [`SeriesKind::ALL`] and its channels; absent ones are NaN.
pub(crate) type Sample = [f32; CHANNELS];
const CHANNELS: usize = 13;

/// Hours that the longest series holds.
pub(crate) const HOURS: u32 = 90 * 24;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// One of the files, the periods that are not in it yet, and the one under way. They are written together once a minute: that many
/// bytes a day less, and a crash loses no more.
struct Tier {
    path: PathBuf,
    step_ms: u64,
    days: u64,
    ring: Option<Ring>,
    pending: Vec<Row>,
    row: Row,
}

impl Tier {
    fn add(&mut self, now_ms: u64, sample: &Row, sync: bool) -> io::Result<()> {
        let ring = match &mut self.ring {
            Some(ring) => ring,
            closed => closed.insert(Ring::open(&self.path, self.step_ms, self.days * DAY_MS / self.step_ms)?),
        };
        let start_ms = ring.start(now_ms);
        if self.row.at_ms != start_ms {
            self.pending.extend((self.row.at_ms > 0).then_some(self.row));
            // A period that this or an earlier run has begun is taken up again.
            self.row = Row::new(start_ms);
            ring.read(start_ms, start_ms, |row| self.row = *row)?;
        }
        self.row.sums.iter_mut().zip(&sample.sums).for_each(|(sum, figure)| sum.add(figure));
        if sync {
            self.pending.drain(..).chain([self.row]).try_for_each(|row| ring.put(row))?;
            ring.sync()?;
        }
        Ok(())
    }
}

/// All series of the host.
pub(crate) struct Series {
    tiers: [Tier; 3],
    synced_ms: u64,
    warnings: bool,
}

impl Series {
    /// Opens nothing yet: the first sample does.
    pub(crate) fn new(folder: &Path, sample_ms: u64, warnings: bool) -> Self {
        let tier = |name, step_ms, days| Tier {
            path: folder.join(name),
            step_ms,
            days,
            ring: None,
            pending: Vec::new(),
            row: Row::new(0),
        };
        let tiers =
            [tier("samples", sample_ms, 1), tier("minutes", MINUTE_MS, 7), tier("quarters", 15 * MINUTE_MS, 90)];
        Self { tiers, synced_ms: 0, warnings }
    }

    /// Takes in one sample. Once a minute all goes to the disk.
    pub(crate) fn add(&mut self, now_ms: u64, sample: &Sample) {
        let mut row = Row::new(now_ms);
        for (sum, figure) in row.sums.iter_mut().zip(sample).filter(|(_, figure)| !figure.is_nan()) {
            *sum = Sum { count: 1.0, min: *figure, mean: *figure, max: *figure };
        }
        let sync = now_ms.abs_diff(self.synced_ms) >= MINUTE_MS;
        if sync {
            self.synced_ms = now_ms;
        }
        for tier in &mut self.tiers {
            if let Err(error) = tier.add(now_ms, &row, sync)
                && sync
                && self.warnings
            {
                eprintln!("constella-agent: the series suffers from the disk: {error}");
            }
        }
    }

    /// At most [`SERIES_POINTS`] points of the last hours, from the coarsest file that is fine enough.
    pub(crate) fn read(&self, kind: SeriesKind, hours: u32, now_ms: u64) -> Answer {
        let range_ms = u64::from(hours) * 60 * MINUTE_MS;
        let wanted_ms = range_ms.div_ceil(SERIES_POINTS as u64 - 1);
        let [samples, minutes, quarters] = &self.tiers;
        let fine = [quarters, minutes].into_iter().find(|tier| tier.step_ms <= wanted_ms);
        let tier = fine.unwrap_or(if range_ms <= DAY_MS { samples } else { minutes });
        let step_ms = tier.step_ms * wanted_ms.div_ceil(tier.step_ms);
        let before = SeriesKind::ALL.iter().take_while(|other| **other != kind);
        let (first, names) = (before.map(|kind| kind.channels().len()).sum(), kind.channels());
        let mut periods: Vec<Row> = Vec::new();
        let mut each = |row: &Row| {
            let at_ms = row.at_ms - row.at_ms % step_ms;
            match periods.last_mut().filter(|period| period.at_ms == at_ms) {
                Some(period) => period.sums.iter_mut().zip(&row.sums).for_each(|(sum, more)| sum.add(more)),
                None => periods.push(row.moved(at_ms)),
            }
        };
        let kept_ms = tier.pending.first().unwrap_or(&tier.row).at_ms.saturating_sub(1);
        let ring = tier.ring.as_ref();
        if let Some(Err(error)) = ring.map(|ring| ring.read(now_ms.saturating_sub(range_ms), kept_ms, &mut each)) {
            eprintln!("constella-agent: the series cannot be read: {error}");
        }
        tier.pending.iter().chain([&tier.row]).for_each(each);
        let points = periods.iter().filter_map(|row| {
            let sums = row.sums.get(first..first + names.len())?;
            // A channel that is missing makes the point a gap: JSON has no NaN.
            let whole = sums.iter().all(|sum| sum.count > 0.0);
            whole.then(|| Point {
                t: row.at_ms / 1000,
                v: sums.iter().map(|s| MinAvgMax(s.min, s.mean, s.max)).collect(),
            })
        });
        let channels = names.iter().map(|name| (*name).to_owned()).collect();
        Answer { kind, step_s: step_ms.div_ceil(1000) as u32, channels, points: points.collect() }
    }
}

#[cfg(test)]
mod tests;
