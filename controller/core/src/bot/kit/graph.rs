//! A series as a small graph of text columns.

use alloc::vec::Vec;

use constella_shared::agent::Series;

/// One channel of a series over the last hours, oldest column first.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Height of each column, 0 to 7; None where nothing was measured.
    pub columns: Vec<Option<u8>>,
    /// Mean over all points.
    pub average: f32,
    /// Largest value of any point.
    pub peak: f32,
}

/// How high the highest column may reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Up to this value.
    To(f32),
    /// Up to the highest column.
    Own,
}

impl Graph {
    /// Draws `channel` of the series between `now_unix_s` and `hours` before; None where it has no point there.
    #[must_use]
    pub fn of(series: &Series, channel: usize, hours: u32, now_unix_s: u64, scale: Scale) -> Option<Self> {
        let newest = series.points.last().map_or(0, |point| point.t);
        let end = now_unix_s.max(newest.saturating_add(1));
        let span = u64::from(hours.max(1)) * 3_600;
        let begin = end.saturating_sub(span);
        let mut sums = [(0.0f32, 0u32); COLUMNS];
        let (mut total, mut count, mut peak) = (0.0f32, 0u32, 0.0f32);
        for point in series.points.iter().filter(|point| point.t >= begin) {
            let Some(value) = point.v.get(channel).copied().flatten().filter(|value| value.1.is_finite()) else {
                continue;
            };
            let column = (point.t - begin) * COLUMNS as u64 / span;
            let Some(sum) = usize::try_from(column).ok().and_then(|at| sums.get_mut(at)) else { continue };
            sum.0 += value.1;
            sum.1 += 1;
            total += value.1;
            count += 1;
            peak = peak.max(value.2);
        }
        if count == 0 {
            return None;
        }
        let means: Vec<Option<f32>> = sums.iter().map(|(sum, n)| (*n > 0).then(|| sum / *n as f32)).collect();
        let top = match scale {
            Scale::To(top) => top,
            Scale::Own => means.iter().flatten().fold(0.0, |top: f32, mean| top.max(*mean)),
        };
        let columns = means.iter().map(|mean| mean.map(|mean| height(mean, top))).collect();
        Some(Self { columns, average: total / count as f32, peak })
    }
}

/// 0 to 7; a value that is not zero but small is the lowest column too.
fn height(value: f32, top: f32) -> u8 {
    if top <= 0.0 {
        return 0;
    }
    // In range by the clamp; a cast from float saturates.
    (value / top * 8.0).clamp(0.0, 7.0) as u8
}

/// Columns of a graph: with a label they fit a phone's line of 32.
pub const COLUMNS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};
    use constella_shared::agent::{MinAvgMax, Point, SeriesKind};

    fn series(points: Vec<(u64, f32)>) -> Series {
        let points = points.into_iter().map(|(t, v)| Point { t, v: vec![Some(MinAvgMax(v, v, v * 2.0))] }).collect();
        Series { kind: SeriesKind::Cpu, step_s: 60, channels: vec!["cpu".into()], points }
    }

    #[test]
    fn columns_stand_for_equal_times_and_gaps_stay_gaps() {
        // Six hours, 24 columns: a quarter of an hour each.
        let now = 100_000;
        let begin = now - 6 * 3_600;
        let graph = Graph::of(
            &series(vec![(begin, 0.0), (begin + 899, 100.0), (begin + 1_800, 100.0), (now - 1, 49.0)]),
            0,
            6,
            now,
            Scale::To(100.0),
        )
        .unwrap();
        assert_eq!(graph.columns.len(), COLUMNS);
        assert_eq!(graph.columns[0], Some(4));
        assert_eq!(graph.columns[1], None);
        assert_eq!(graph.columns[2], Some(7));
        assert_eq!(graph.columns[COLUMNS - 1], Some(3));
        assert!((graph.average - 62.25).abs() < 0.01);
        assert!((graph.peak - 200.0).abs() < 0.01);
    }

    #[test]
    fn nothing_measured_is_no_graph() {
        assert_eq!(Graph::of(&series(vec![]), 0, 6, 100_000, Scale::Own), None);
        assert_eq!(Graph::of(&series(vec![(5, 1.0)]), 0, 6, 100_000, Scale::Own), None);
        assert_eq!(Graph::of(&series(vec![(99_999, 1.0)]), 1, 6, 100_000, Scale::Own), None);
        assert_eq!(Graph::of(&series(vec![(99_999, f32::NAN)]), 0, 6, 100_000, Scale::Own), None);
    }

    #[test]
    fn own_scale_reaches_the_top_and_zeros_stay_low() {
        let graph = Graph::of(&series(vec![(90_000, 0.0), (99_999, 3.0)]), 0, 6, 100_000, Scale::Own).unwrap();
        assert_eq!(graph.columns.iter().flatten().copied().collect::<Vec<_>>(), [0, 7]);
        let flat = Graph::of(&series(vec![(99_999, 0.0)]), 0, 6, 100_000, Scale::Own).unwrap();
        assert_eq!(flat.columns[COLUMNS - 1], Some(0));
    }

    #[test]
    fn a_clock_that_is_ahead_loses_nothing() {
        assert!(Graph::of(&series(vec![(200_000, 1.0)]), 0, 6, 100_000, Scale::Own).is_some());
    }
}
