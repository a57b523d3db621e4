//! A chart as data: which metric, of which nodes, over which time, and how it is to look. The shell draws it as a picture where the bot runs.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::agent::{Series, SeriesKind};

use super::language::Language;

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Percent of the whole CPU.
    Cpu,
    /// Percent of memory.
    Memory,
    /// Percent of swap.
    Swap,
    /// Load average over one minute.
    Load,
    /// Bytes a second, received and sent.
    Network,
    /// Percent of the fullest disk.
    DiskUse,
    /// Bytes a second, read and written.
    DiskIo,
    /// Hottest sensor, degrees Celsius.
    Temperature,
    /// Speedtests: bits a second, download and upload.
    Speed,
    /// Speedtests: round trip, milliseconds.
    Latency,
}

/// The unit of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 0 to 100.
    Percent,
    /// A plain number.
    Number,
    /// Bytes a second.
    BytesPerS,
    /// Bits a second.
    BitsPerS,
    /// Degrees Celsius.
    Celsius,
    /// Milliseconds.
    Milliseconds,
}

impl Metric {
    /// Every metric, in the order of their buttons.
    pub const ALL: [Self; 10] = [
        Self::Cpu,
        Self::Memory,
        Self::Swap,
        Self::Load,
        Self::Network,
        Self::DiskUse,
        Self::DiskIo,
        Self::Temperature,
        Self::Speed,
        Self::Latency,
    ];

    /// Its name on a command line and in the data of a button.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "mem",
            Self::Swap => "swap",
            Self::Load => "load",
            Self::Network => "net",
            Self::DiskUse => "disk",
            Self::DiskIo => "io",
            Self::Temperature => "temp",
            Self::Speed => "speed",
            Self::Latency => "latency",
        }
    }

    /// The metric of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// The series that has its values.
    #[must_use]
    pub const fn kind(self) -> SeriesKind {
        match self {
            Self::Cpu => SeriesKind::Cpu,
            Self::Memory | Self::Swap => SeriesKind::Mem,
            Self::Load => SeriesKind::Load,
            Self::Network => SeriesKind::Net,
            Self::DiskUse | Self::DiskIo => SeriesKind::Disk,
            Self::Temperature => SeriesKind::Temp,
            Self::Speed | Self::Latency => SeriesKind::Speedtest,
        }
    }

    /// Its channels within that series, by their names there.
    #[must_use]
    pub const fn channels(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &["cpu"],
            Self::Memory => &["memory"],
            Self::Swap => &["swap"],
            Self::Load => &["load1"],
            Self::Network => &["received", "sent"],
            Self::DiskUse => &["fullest"],
            Self::DiskIo => &["read", "written"],
            Self::Temperature => &["hottest"],
            Self::Speed => &["download", "upload"],
            Self::Latency => &["latency"],
        }
    }

    /// The unit of its values.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Cpu | Self::Memory | Self::Swap | Self::DiskUse => Unit::Percent,
            Self::Load => Unit::Number,
            Self::Network | Self::DiskIo => Unit::BytesPerS,
            Self::Temperature => Unit::Celsius,
            Self::Speed => Unit::BitsPerS,
            Self::Latency => Unit::Milliseconds,
        }
    }

    /// Whether its values are single events, hours apart, and not samples of a period: then nothing between two of them is a gap.
    #[must_use]
    pub const fn is_sparse(self) -> bool {
        match self {
            Self::Speed | Self::Latency => true,
            Self::Cpu
            | Self::Memory
            | Self::Swap
            | Self::Load
            | Self::Network
            | Self::DiskUse
            | Self::DiskIo
            | Self::Temperature => false,
        }
    }
}

/// How far back a chart reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Range {
    /// One hour.
    Hour,
    /// Six hours.
    SixHours,
    /// A day.
    Day,
    /// Seven days.
    Week,
    /// Ninety days: all that an agent keeps.
    Quarter,
}

impl Range {
    /// Every range, the shortest first.
    pub const ALL: [Self; 5] = [Self::Hour, Self::SixHours, Self::Day, Self::Week, Self::Quarter];

    /// Its length in hours.
    #[must_use]
    pub const fn hours(self) -> u32 {
        match self {
            Self::Hour => 1,
            Self::SixHours => 6,
            Self::Day => 24,
            Self::Week => 7 * 24,
            Self::Quarter => 90 * 24,
        }
    }

    /// The range of so many hours.
    #[must_use]
    pub fn of_hours(hours: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.hours() == hours)
    }
}

/// The colours of a chart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Light lines on a dark ground.
    #[default]
    Dark,
    /// Dark lines on a light ground.
    Light,
}

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// In which language its words are.
    pub language: Language,
    /// What it shows.
    pub metric: Metric,
    /// How many hours it reaches back.
    pub hours: u32,
    /// Unix seconds of its right edge.
    pub end_unix_s: u64,
    /// IANA name of the zone that its times are told in. One that the shell does not know is drawn as UTC, and says so.
    pub zone: String,
    /// Its colours.
    pub theme: Theme,
    /// Its nodes: one, or up to [`NODES`] to be compared.
    pub nodes: Vec<Charted>,
}

/// A node on a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Charted {
    /// Its name, with its short id where another's looks alike.
    pub name: String,
    /// What it answered; None where it did not.
    pub series: Option<Series>,
}

/// Nodes on one chart: more lines are not told apart on a phone.
pub const NODES: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_channels_in_its_series_and_a_name_of_its_own() {
        // C1: every channel that an agent keeps is shown by some metric
        for metric in Metric::ALL {
            assert_eq!(Metric::of_name(metric.name()), Some(metric));
            for channel in metric.channels() {
                assert!(metric.kind().channels().contains(channel), "{metric:?} {channel}");
            }
        }
        let shown: Vec<_> =
            Metric::ALL.into_iter().flat_map(|it| it.channels().iter().map(move |c| (it.kind(), c))).collect();
        for kind in SeriesKind::ALL {
            for channel in kind.channels() {
                assert!(shown.contains(&(kind, channel)), "nothing shows {kind:?} {channel}");
            }
        }
    }

    #[test]
    fn ranges_are_named_by_their_hours_and_end_with_all_that_is_kept() {
        for range in Range::ALL {
            assert_eq!(Range::of_hours(range.hours()), Some(range));
        }
        assert_eq!(Range::Quarter.hours(), constella_shared::limits::SERIES_HOURS);
        assert_eq!(Range::of_hours(2), None);
    }
}
