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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::AgentErrorCode;

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
