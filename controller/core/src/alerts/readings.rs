//! What a node knows of itself at one moment, as levels of the kinds that it judges. An absent figure is told as such, never as 0.

use alloc::vec::Vec;

use constella_shared::agent::{Disk, Stats};
use constella_shared::ids::NodeId;
use constella_shared::limits::ALERT_PARTS;
use constella_shared::wire::alert::{Kind, Subject, Unit, Value};

use super::rule::Sight;

/// What is known of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The kind.
    pub kind: Kind,
    /// The subjects that were seen.
    pub seen: Vec<(Subject, Sight)>,
    /// Whether the list lacks subjects for a reason, so that nothing is known of those that are not in it. Otherwise they are gone.
    pub is_partial: bool,
}

impl Reading {
    /// Of a kind of which the node has one; None where it is not known.
    #[must_use]
    pub fn whole(node: NodeId, kind: Kind, level: Option<(i64, Value)>) -> Self {
        let seen = level.map(|(level, value)| (Subject::whole(node, kind.clone()), Sight::Level(level, value)));
        Self { kind, is_partial: seen.is_none(), seen: seen.into_iter().collect() }
    }

    /// Of what is so or is not; None where it is not known.
    #[must_use]
    pub fn is_so(node: NodeId, kind: Kind, is_so: Option<bool>) -> Self {
        Self::whole(node, kind, is_so.map(|is_so| (i64::from(is_so), Value::none())))
    }

    /// Of a kind of which nothing is known.
    #[must_use]
    pub const fn absent(kind: Kind) -> Self {
        Self { kind, seen: Vec::new(), is_partial: true }
    }
}

/// The readings that the agent's figures give, without the trends of disks. Figures that are old say nothing about now.
#[must_use]
pub fn of_stats(node: NodeId, stats: &Stats) -> Vec<Reading> {
    if stats.age_s.is_some() {
        return OF_STATS.into_iter().map(Reading::absent).collect();
    }
    let percent = |kind: Kind, percent: Option<f32>| Reading::whole(node, kind, percent.and_then(tenths).map(share));
    Vec::from([
        disks(node, stats, Kind::DiskFull, |disk| disk.percent().and_then(tenths).map(share)),
        disks(node, stats, Kind::Inodes, |disk| disk.inodes_percent().and_then(tenths).map(share)),
        percent(Kind::Memory, stats.mem_percent()),
        percent(Kind::Cpu, stats.cpu_percent),
        swap(node, stats),
        temperatures(node, stats),
    ])
}

/// A reading for each file system that the figures list.
pub fn disks(node: NodeId, stats: &Stats, kind: Kind, mut level: impl FnMut(&Disk) -> Option<(i64, Value)>) -> Reading {
    let disks = stats.disks.iter().take(ALERT_PARTS);
    let seen = disks.map(|disk| {
        let sight = level(disk).map_or(Sight::Absent, |(level, value)| Sight::Level(level, value));
        (Subject::part(node, kind.clone(), &disk.mount), sight)
    });
    Reading { seen: seen.collect(), is_partial: stats.why("disks").is_some(), kind }
}

/// Thrashing moves memory both ways; what is only written to swap once was not needed.
fn swap(node: NodeId, stats: &Stats) -> Reading {
    let both = stats.swap_rates.map(|[read, written]| i64::try_from(read.min(written)).unwrap_or(i64::MAX));
    Reading::whole(node, Kind::Swap, both.map(|rate| (rate, Value::of(rate, Unit::BytesPerSecond))))
}

/// The level is the distance to the sensor's own critical mark; without a mark there is none.
fn temperatures(node: NodeId, stats: &Stats) -> Reading {
    let sensors = stats.temperatures.iter().take(ALERT_PARTS);
    let seen = sensors.map(|sensor| {
        let both = tenths(sensor.celsius).zip(sensor.critical.and_then(tenths));
        let level = both.map(|(is, mark)| {
            let value = Value { amount: is, unit: Unit::CelsiusTenths, mark: Some(mark) };
            Sight::Level(mark.saturating_sub(is), value)
        });
        (Subject::part(node, Kind::Temperature, &sensor.label), level.unwrap_or(Sight::Absent))
    });
    Reading { kind: Kind::Temperature, seen: seen.collect(), is_partial: stats.why("temperatures").is_some() }
}

const fn share(tenths: i64) -> (i64, Value) {
    (tenths, Value::of(tenths, Unit::PercentTenths))
}

/// None of what is no number. Rounded to the nearest, so that 89.96 % is 90.0 % as it is shown.
fn tenths(figure: f32) -> Option<i64> {
    let tenths = f64::from(figure) * 10.0;
    // A float becomes the nearest integer that there is.
    figure.is_finite().then_some((tenths + if tenths < 0.0 { -0.5 } else { 0.5 }) as i64)
}

/// How far this node's clock is ahead of the others', as seconds: the median of those that were heard. Two clocks cannot say which of them is wrong, so
/// of two nodes the one with the larger id is judged.
#[must_use]
pub fn clock(node: NodeId, others: &[(NodeId, i64)]) -> Reading {
    let mut ahead_of_me: Vec<i64> = others.iter().map(|(_, ms)| *ms).collect();
    ahead_of_me.sort_unstable();
    let judged = !matches!(others, [(other, _)] if *other > node);
    // Of an even number the one in the middle that is nearer to this node's clock: the more harmless of two.
    let upper = ahead_of_me.get(ahead_of_me.len() / 2);
    let lower = ahead_of_me.len().checked_sub(1).and_then(|last| ahead_of_me.get(last / 2));
    let median = upper.into_iter().chain(lower).copied().min_by_key(|ms| ms.abs());
    let level = median.map(|ms| {
        let seconds = if judged { ms.saturating_neg() / 1_000 } else { 0 };
        (seconds.abs(), Value::of(seconds, Unit::Seconds))
    });
    Reading::whole(node, Kind::ClockSkew, level)
}

/// The kinds that [`of_stats`] reads.
pub const OF_STATS: [Kind; 6] = [Kind::DiskFull, Kind::Inodes, Kind::Memory, Kind::Cpu, Kind::Swap, Kind::Temperature];

#[cfg(test)]
mod tests;
