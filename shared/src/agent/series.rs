//! `GET /v1/series` of the agent: which there are, how one is asked for, and its points.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::AgentError;
use crate::limits::SERIES_HOURS;

/// Which series to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeriesKind {
    /// Percent of the whole CPU; one channel.
    Cpu,
    /// Bytes a second; channels: received, sent.
    Net,
    /// Percent of memory; channels: memory, swap.
    Mem,
    /// Percent of the fullest disk, then read and written bytes a second; three channels.
    Disk,
    /// Load average over one minute; one channel.
    Load,
    /// Hottest sensor in degrees Celsius; one channel.
    Temp,
    /// Finished speedtests; channels: download bit/s, upload bit/s, latency ms.
    Speedtest,
}

impl SeriesKind {
    /// Every kind, in the order in which the agent keeps their channels.
    pub const ALL: [Self; 7] = [Self::Cpu, Self::Net, Self::Mem, Self::Disk, Self::Load, Self::Temp, Self::Speedtest];

    /// Its name in a query and in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Net => "net",
            Self::Mem => "mem",
            Self::Disk => "disk",
            Self::Load => "load",
            Self::Temp => "temp",
            Self::Speedtest => "speedtest",
        }
    }

    /// The names of the kind's channels, as in [`Series::channels`].
    #[must_use]
    pub const fn channels(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &["cpu"],
            Self::Net => &["received", "sent"],
            Self::Mem => &["memory", "swap"],
            Self::Disk => &["fullest", "read", "written"],
            Self::Load => &["load1"],
            Self::Temp => &["hottest"],
            Self::Speedtest => &["download", "upload", "latency"],
        }
    }
}

/// The query of `GET /v1/series`, as `kind=cpu&hours=6`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Which series.
    pub kind: SeriesKind,
    /// How many of the last hours, 1 to [`SERIES_HOURS`].
    pub hours: u32,
}

impl SeriesQuery {
    /// Reads the query, its two parts in any order; other parts are not heeded.
    ///
    /// # Errors
    /// A [`crate::agent::AgentErrorCode::BadRequest`] that says what the query is.
    pub fn parse(query: &str) -> Result<Self, AgentError> {
        let value = |name| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let kind = SeriesKind::ALL.into_iter().find(|kind| value("kind") == Some(kind.name()));
        let hours =
            value("hours").and_then(|hours| hours.parse().ok()).filter(|hours| (1..=SERIES_HOURS).contains(hours));
        let says = "the query is kind=cpu, net, mem, disk, load, temp or speedtest, and hours=1 to 2160";
        kind.zip(hours).map(|(kind, hours)| Self { kind, hours }).ok_or_else(|| AgentError::bad_request(says))
    }
}

impl fmt::Display for SeriesQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kind={}&hours={}", self.kind.name(), self.hours)
    }
}

/// `GET /v1/series`: at most 600 points, oldest first; gaps are absent points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What was asked.
    pub kind: SeriesKind,
    /// Seconds that one point stands for.
    pub step_s: u32,
    /// The channels' names, in the order of each point's values.
    pub channels: Vec<String>,
    /// The points.
    pub points: Vec<Point>,
}

impl Series {
    /// The series in at most so many points, each the least, the mean and the greatest of those that it takes the place of.
    #[must_use]
    pub fn thinned(self, most: u32) -> Self {
        let most = most.max(1) as usize;
        if self.points.len() <= most {
            return self;
        }
        let steps = |step: u64| {
            let next = |(count, last), point: &Point| {
                let at = Some(point.t / step);
                if last == at { (count, last) } else { (count + 1, at) }
            };
            self.points.iter().fold((0_usize, None), next).0
        };
        // A whole number of the agent's own steps, so that each takes the place of as many as the next. The points of a steady series fill them with the
        // first try; those of a clock that leapt do not.
        let own = u64::from(self.step_s.max(1));
        let mut times = self.points.len().div_ceil(most.saturating_sub(1).max(1)) as u64;
        while steps(own.saturating_mul(times)) > most && times < u64::MAX {
            times = times.saturating_add(times.div_ceil(8));
        }
        let step = own.saturating_mul(times);
        let channels = self.channels.len();
        let mut points: Vec<Point> = Vec::with_capacity(most);
        let mut counts: Vec<u32> = Vec::new();
        for point in self.points {
            let t = point.t / step * step;
            if points.last().is_none_or(|last| last.t != t) {
                points.push(Point { t, v: core::iter::repeat_n(None, channels).collect() });
                counts = core::iter::repeat_n(0, channels).collect();
            }
            let Some(last) = points.last_mut() else { continue };
            for ((all, count), one) in last.v.iter_mut().zip(&mut counts).zip(point.v) {
                let Some(one) = one else { continue };
                *count += 1;
                *all = Some(all.map_or(one, |all| all.with(one, *count)));
            }
        }
        Self { step_s: u32::try_from(step).unwrap_or(u32::MAX), points, ..self }
    }

    /// The series as a reader of protocol 1 understands it: a point that lacks a channel is a gap.
    #[must_use]
    pub fn for_protocol_1(mut self) -> Self {
        self.points.retain(|point| point.v.iter().all(Option::is_some));
        self
    }
}

/// One point of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Unix time of the point's start, seconds.
    pub t: u64,
    /// One triple for each channel; null where that channel has no figure.
    pub v: Vec<Option<MinAvgMax>>,
}

/// Smallest, mean and largest value within a point, as a JSON array of three.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MinAvgMax(pub f32, pub f32, pub f32);

impl MinAvgMax {
    /// Together with another one, which is the `count`th of those whose mean this is.
    #[expect(clippy::cast_precision_loss, reason = "a count of points, far below 2^24")]
    fn with(self, other: Self, count: u32) -> Self {
        Self(self.0.min(other.0), self.1 + (other.1 - self.1) / count as f32, self.2.max(other.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::AgentErrorCode;
    use alloc::vec;

    fn series(points: impl IntoIterator<Item = (u64, Option<f32>)>) -> Series {
        let point = |(t, v): (u64, Option<f32>)| Point { t, v: vec![v.map(|v| MinAvgMax(v - 1.0, v, v + 1.0)), None] };
        let channels = vec!["received".into(), "sent".into()];
        Series { kind: SeriesKind::Net, step_s: 10, channels, points: points.into_iter().map(point).collect() }
    }

    #[test]
    fn thinning_keeps_extremes_and_means_and_leaves_gaps_open() {
        // C3: fewer points tell the same
        let all = series((0..36).filter(|at| !(12..24).contains(at)).map(|at| (1_200 + at * 10, Some(at as f32))));
        let thin = all.clone().thinned(6);
        assert_eq!((thin.step_s, thin.channels.len()), (60, 2));
        // The first step has six points of 0 to 5; nothing was measured from 1,320 to 1,439.
        assert_eq!(thin.points[0], Point { t: 1_200, v: vec![Some(MinAvgMax(-1.0, 2.5, 6.0)), None] });
        let times: Vec<u64> = thin.points.iter().map(|point| point.t).collect();
        assert_eq!(times, [1_200, 1_260, 1_440, 1_500]);
        assert_eq!(all.clone().thinned(24), all, "what is few enough is as it was");
        assert_eq!(all.clone().thinned(0).points.len(), 1);
    }

    #[test]
    fn thinning_never_has_more_points_than_were_asked_for() {
        // C3: whatever the phase of the first point
        for first in 0..50_u64 {
            for most in [1_u32, 2, 7, 24, 99] {
                let thin = series((0..540).map(|at| (first * 10 + at * 10, Some(1.0)))).thinned(most);
                assert!(thin.points.len() <= most as usize, "{first} {most} {}", thin.points.len());
                assert!(thin.points.len() * 2 >= most as usize, "{first} {most} {}", thin.points.len());
            }
        }
        let leapt = series([(0, Some(1.0)), (5, None), (1 << 60, Some(3.0)), (1 << 61, Some(2.0))]).thinned(2);
        assert_eq!(leapt.points.len(), 2);
        assert_eq!(series([]).thinned(3).points, []);
    }

    #[test]
    fn a_query_reads_what_it_writes_and_nothing_beyond_its_limits() {
        for kind in SeriesKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
            for hours in [1, SERIES_HOURS] {
                let query = SeriesQuery { kind, hours };
                assert_eq!(SeriesQuery::parse(&alloc::format!("{query}")), Ok(query));
            }
        }
        assert_eq!(SeriesQuery::parse("hours=6&x=1&kind=cpu"), Ok(SeriesQuery { kind: SeriesKind::Cpu, hours: 6 }));
        for query in
            ["", "kind=cpu", "kind=cpu&hours=0", "kind=cpu&hours=2161", "kind=gpu&hours=1", "kind=cpu&hours=-1"]
        {
            assert_eq!(SeriesQuery::parse(query).unwrap_err().code, AgentErrorCode::BadRequest, "{query}");
        }
        assert!(SeriesQuery::parse("kind=cpu&hours=4294967297").is_err(), "one that wraps to 1");
    }
}
