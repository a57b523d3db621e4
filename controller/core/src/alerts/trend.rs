//! When a file system is full, at the rate of the last hours. A single jump, and noise, are no rate.
//!
//! The history is cut into blocks of half an hour, of which the median counts, so that a short peak changes nothing. The rate is the median of the slopes
//! between all pairs of blocks (Theil and Sen), and it counts only where most steps from block to block go up: a jump is one step.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use constella_shared::agent::Disk;

/// The history of one file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trend {
    /// Oldest first: CLOCK_BOOTTIME, and bytes in use.
    points: VecDeque<(u64, u64)>,
    /// The size to which the points belong.
    total: u64,
}

/// Where a file system is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// The history is too short.
    Unknown,
    /// It does not grow steadily.
    Steady,
    /// It is full in so many seconds.
    FullIn(i64),
}

impl Trend {
    /// Takes the present state in. A grown file system begins a new history, and so does one of which nothing was known for long.
    pub fn saw(&mut self, boot_ms: u64, disk: &Disk) {
        let last = self.points.back().map(|(at, _)| boot_ms.saturating_sub(*at));
        if last.is_some_and(|gap| gap < STEP_MS) && self.total == disk.total {
            return;
        }
        if self.total != disk.total || last.is_some_and(|gap| gap > BLOCK_MS) {
            self.points.clear();
            self.total = disk.total;
        }
        self.points.push_back((boot_ms, disk.used));
        while self.points.len() > BLOCKS * BLOCK {
            self.points.pop_front();
        }
    }

    /// Where it goes. The rest of the room is that which others than root can use.
    #[must_use]
    pub fn course(&self, disk: &Disk) -> Course {
        let blocks = self.blocks();
        let Some(((_, first), (_, last))) = blocks.first().zip(blocks.last()).filter(|_| blocks.len() >= LEAST_BLOCKS)
        else {
            return Course::Unknown;
        };
        let steps = blocks.len().saturating_sub(1);
        let up = blocks.iter().zip(blocks.iter().skip(1)).filter(|((_, one), (_, next))| next > one).count();
        let grown = last - first;
        if up.saturating_mul(4) < steps.saturating_mul(3) || grown < self.total as f64 * LEAST_GROWTH {
            return Course::Steady;
        }
        let slope = slope(&blocks);
        if slope <= 0.0 {
            return Course::Steady;
        }
        let room = disk.available.unwrap_or(disk.total.saturating_sub(disk.used));
        // A float becomes the nearest integer that there is.
        Course::FullIn((room as f64 / slope) as i64)
    }

    /// The middle of each block, oldest first: seconds, and the median of the bytes. Points that do not fill the oldest block are left out.
    fn blocks(&self) -> Vec<(f64, f64)> {
        let rest = self.points.len() % BLOCK;
        let points: Vec<(u64, u64)> = self.points.iter().skip(rest).copied().collect();
        let middle = |block: &[(u64, u64)]| {
            let seconds = median(block.iter().map(|(at, _)| *at as f64 / 1_000.0).collect());
            seconds.zip(median(block.iter().map(|(_, used)| *used as f64).collect()))
        };
        points.chunks(BLOCK).filter_map(middle).collect()
    }
}

/// Bytes a second: the median of the slopes between all pairs.
fn slope(blocks: &[(f64, f64)]) -> f64 {
    let pairs =
        blocks.iter().enumerate().flat_map(|(at, one)| blocks.iter().skip(at + 1).map(move |other| (one, other)));
    let slopes = pairs.filter(|(one, other)| other.0 > one.0).map(|(one, other)| (other.1 - one.1) / (other.0 - one.0));
    median(slopes.collect()).unwrap_or(0.0)
}

/// Of an even number the lower of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Points are kept so often.
const STEP_MS: u64 = 5 * 60_000;

/// Points of a block.
const BLOCK: usize = 6;

/// A block takes half an hour: a build, a backup or a rotation of logs takes less.
const BLOCK_MS: u64 = 30 * 60_000;

/// Blocks that are kept: six hours.
const BLOCKS: usize = 12;

/// Two hours are the least that is called a rate.
const LEAST_BLOCKS: usize = 4;

/// The part of the file system by which it has grown at least. A smaller growth fills it within a day only where it is nearly full, and that is an alert
/// of its own.
const LEAST_GROWTH: f64 = 0.005;

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    /// A disk of 100 GB whose use at each minute is as told, after so many minutes.
    fn after(minutes: u64, used: impl Fn(u64) -> u64) -> Course {
        let (mut trend, mut disk) = (Trend::default(), Disk { total: 100 * GB, ..Disk::default() });
        for minute in 0..minutes {
            disk.used = used(minute);
            trend.saw(minute * 60_000, &disk);
        }
        trend.course(&disk)
    }

    /// A number that jumps about, the same in every run.
    fn noise(minute: u64, most: u64) -> u64 {
        minute.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) % most
    }

    #[test]
    fn a_steady_growth_is_told_with_the_time_that_is_left() {
        // N2
        let Course::FullIn(seconds) = after(360, |minute| 40 * GB + minute * GB / 20) else { panic!("it grows") };
        let hours = seconds as f64 / 3_600.0;
        assert!((13.9..14.1).contains(&hours), "42 GB are left at 3 GB an hour: {hours} h");
        let noisy = after(360, |minute| 40 * GB + minute * GB / 20 + noise(minute, GB));
        assert!(matches!(noisy, Course::FullIn(seconds) if (12 * 3_600..16 * 3_600).contains(&seconds)), "{noisy:?}");
    }

    #[test]
    fn nothing_is_told_of_a_jump_of_noise_of_a_sawtooth_or_of_a_disk_that_shrinks() {
        // N2
        for at in (5..360).step_by(5) {
            assert_eq!(
                after(360, |minute| if minute < at { 40 * GB } else { 85 * GB }),
                Course::Steady,
                "jump at {at}"
            );
        }
        assert_eq!(after(360, |minute| 90 * GB + noise(minute, 3 * GB)), Course::Steady);
        assert_eq!(after(360, |minute| 80 * GB + minute % 60 * GB / 10), Course::Steady, "rotated every hour");
        assert_eq!(after(360, |minute| 90 * GB - minute * GB / 20), Course::Steady);
        assert_eq!(after(360, |_| 99 * GB), Course::Steady);
    }

    #[test]
    fn nothing_is_known_before_two_hours_and_after_a_gap_or_a_growth_of_the_disk() {
        // N2
        assert_eq!(after(114, |minute| 40 * GB + minute * GB / 20), Course::Unknown);
        assert!(matches!(after(121, |minute| 40 * GB + minute * GB / 20), Course::FullIn(_)));
        let (mut trend, mut disk) = (Trend::default(), Disk { total: 100 * GB, ..Disk::default() });
        for minute in (0..130).chain(170..240) {
            disk.used = 40 * GB + minute * GB / 20;
            trend.saw(minute * 60_000, &disk);
        }
        assert_eq!(trend.course(&disk), Course::Unknown, "40 minutes are missing");
        for minute in 240..370 {
            trend.saw(minute * 60_000, &disk);
        }
        disk.total = 200 * GB;
        trend.saw(371 * 60_000, &disk);
        assert_eq!(trend.course(&disk), Course::Unknown, "it was made larger");
    }
}
