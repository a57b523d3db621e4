//! The series of this host (A7): samples of 24 h, minutes of 7 days and quarters of an hour of 90 days, each with min, avg and max, in
//! three ring files of fixed size. A disk that fails costs the history, never the agent.

mod ring;

use std::io;
use std::path::{Path, PathBuf};

use constella_shared::agent::{MinAvgMax, Point, Series as Answer, SeriesKind};
use constella_shared::limits::SERIES_POINTS;

use crate::log::{Level, say};
use ring::Ring;

/// Figures of one sample; absent ones are NaN.
pub(crate) type Sample = [f32; CHANNELS];
const CHANNELS: usize = 13;

/// The channels of a kind: the first one's place in a [`Sample`], and their names.
pub(crate) fn channels(kind: SeriesKind) -> (usize, &'static [&'static str]) {
    match kind {
        SeriesKind::Cpu => (0, &["cpu"]),
        SeriesKind::Net => (1, &["received", "sent"]),
        SeriesKind::Mem => (3, &["memory", "swap"]),
        SeriesKind::Disk => (5, &["fullest", "read", "written"]),
        SeriesKind::Load => (8, &["load1"]),
        SeriesKind::Temp => (9, &["hottest"]),
        SeriesKind::Speedtest => (10, &["download", "upload", "latency"]),
    }
}

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// What a period comes to so far, for each channel: count, min, sum, max.
#[derive(Debug, Clone, PartialEq)]
struct Sums(Vec<(u32, f32, f64, f32)>);

impl Sums {
    fn new(width: usize) -> Self {
        Self(vec![(0, f32::INFINITY, 0.0, f32::NEG_INFINITY); width])
    }

    /// Adds figures; NaN is absent.
    fn add(&mut self, figures: impl Iterator<Item = MinAvgMax>) {
        for ((count, min, sum, max), MinAvgMax(low, mean, high)) in
            self.0.iter_mut().zip(figures).filter(|(_, f)| !f.1.is_nan())
        {
            *count += 1;
            *min = min.min(low);
            *sum += f64::from(mean);
            *max = max.max(high);
        }
    }

    fn figures(&self) -> impl Iterator<Item = f32> {
        self.results().flat_map(|MinAvgMax(min, avg, max)| [min, avg, max])
    }

    fn results(&self) -> impl Iterator<Item = MinAvgMax> {
        self.0.iter().map(|(count, min, sum, max)| match count {
            0 => MinAvgMax(f32::NAN, f32::NAN, f32::NAN),
            _ => MinAvgMax(*min, (sum / f64::from(*count)) as f32, *max),
        })
    }
}

/// One of the files, and the period that it is in.
struct Tier {
    name: &'static str,
    step_ms: u64,
    slots: u64,
    /// The first tier has samples as they are, the others min, avg and max.
    plain: bool,
    ring: Option<Ring>,
    period_ms: u64,
    sums: Sums,
}

impl Tier {
    fn new(name: &'static str, step_ms: u64, days: u64) -> Self {
        let (plain, slots) = (name == "samples", days * DAY_MS / step_ms);
        Self { name, step_ms, slots, plain, ring: None, period_ms: 0, sums: Sums::new(CHANNELS) }
    }

    fn add(&mut self, now_ms: u64, sample: &Sample, sync: bool) -> io::Result<()> {
        let Some(ring) = &self.ring else {
            return Ok(());
        };
        let period_ms = now_ms - now_ms % self.step_ms;
        if self.plain {
            ring.put(now_ms, sample.iter().copied())?;
        } else {
            if period_ms != self.period_ms {
                ring.put(self.period_ms, self.sums.figures())?;
                (self.period_ms, self.sums) = (period_ms, Sums::new(CHANNELS));
            }
            self.sums.add(triples(sample));
            if sync {
                ring.put(period_ms, self.sums.figures())?;
            }
        }
        if sync { ring.sync() } else { Ok(()) }
    }
}

/// All series of the host.
pub(crate) struct Series {
    folder: PathBuf,
    tiers: [Tier; 3],
    synced_ms: u64,
}

impl Series {
    /// Opens the files in the folder. Periods that were under way are taken up again from the samples.
    pub(crate) fn open(folder: &Path, sample_ms: u64, now_ms: u64) -> Self {
        let tiers = [
            Tier::new("samples", sample_ms, 1),
            Tier::new("minutes", MINUTE_MS, 7),
            Tier::new("quarters", 15 * MINUTE_MS, 90),
        ];
        let mut series = Self { folder: folder.to_owned(), tiers, synced_ms: now_ms };
        series.reopen();
        let [samples, others @ ..] = &mut series.tiers;
        for (tier, ring) in others.iter_mut().zip(std::iter::repeat(&samples.ring)) {
            tier.period_ms = now_ms - now_ms % tier.step_ms;
            let sums = &mut tier.sums;
            warn(ring.as_ref().map_or(Ok(()), |ring| ring.read(tier.period_ms, now_ms, |_, f| sums.add(triples(f)))));
        }
        series
    }

    fn reopen(&mut self) {
        for tier in self.tiers.iter_mut().filter(|tier| tier.ring.is_none()) {
            let width = if tier.plain { CHANNELS } else { 3 * CHANNELS };
            match Ring::open(&self.folder.join(tier.name), tier.step_ms, tier.slots, width) {
                Ok(ring) => tier.ring = Some(ring),
                Err(error) => warn(Err(error)),
            }
        }
    }

    /// Stores one sample. Once a minute the periods under way are written too, and all of it goes to the disk.
    pub(crate) fn add(&mut self, now_ms: u64, sample: &Sample) {
        let sync = now_ms.abs_diff(self.synced_ms) >= MINUTE_MS;
        if sync {
            self.reopen();
            self.synced_ms = now_ms;
        }
        for tier in &mut self.tiers {
            let result = tier.add(now_ms, sample, sync);
            if sync {
                warn(result);
            }
        }
    }

    /// At most [`SERIES_POINTS`] points of the last hours, from the coarsest file that is fine enough.
    pub(crate) fn read(&self, kind: SeriesKind, hours: u32, now_ms: u64) -> Answer {
        let range_ms = u64::from(hours) * 60 * MINUTE_MS;
        let wanted_ms = range_ms.div_ceil(SERIES_POINTS as u64 - 1);
        let [samples, minutes, quarters] = &self.tiers;
        let tier = [quarters, minutes].into_iter().find(|tier| tier.step_ms <= wanted_ms).unwrap_or(match range_ms {
            ..=DAY_MS => samples,
            _ => minutes,
        });
        let step_ms = tier.step_ms * wanted_ms.div_ceil(tier.step_ms);
        let (first, names) = channels(kind);
        let mut points = Vec::new();
        let mut period = (0, Sums::new(names.len()));
        let mut close = |(at_ms, sums): &(u64, Sums)| {
            // A channel that is missing makes the point a gap: JSON has no NaN.
            if sums.0.iter().all(|(count, ..)| *count > 0) {
                points.push(Point { t: at_ms / 1000, v: sums.results().collect() });
            }
        };
        let each = |at_ms: u64, figures: &[f32]| {
            if period.0 != at_ms - at_ms % step_ms {
                close(&period);
                period = (at_ms - at_ms % step_ms, Sums::new(names.len()));
            }
            period.1.add(triples(figures).skip(first));
        };
        warn(tier.ring.as_ref().map_or(Ok(()), |ring| ring.read(now_ms.saturating_sub(range_ms), now_ms, each)));
        close(&period);
        let channels = names.iter().map(|name| (*name).to_owned()).collect();
        Answer { kind, step_s: step_ms.div_ceil(1000) as u32, channels, points }
    }
}

/// The figures of a row: one for each channel in a sample, three elsewhere.
fn triples(figures: &[f32]) -> impl Iterator<Item = MinAvgMax> {
    let each = figures.len() / CHANNELS;
    figures.chunks(each.max(1)).map(|f| match f {
        [min, avg, max] => MinAvgMax(*min, *avg, *max),
        other => other.first().map_or(MinAvgMax(f32::NAN, f32::NAN, f32::NAN), |f| MinAvgMax(*f, *f, *f)),
    })
}

fn warn(result: io::Result<()>) {
    if let Err(error) = result {
        say(Level::Warn, "the series suffers from the disk", error);
    }
}
