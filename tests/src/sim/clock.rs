//! The two clocks of a host, as functions of true time (milliseconds since the run began).

use constella_core::clock::Now;

/// A host's clocks.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// True time at which the boot clock showed `boot_ms`.
    since: u64,
    boot_ms: u64,
    /// How much faster than true time the boot clock runs, in millionths.
    ppm: i64,
    /// How far the wall clock is off.
    wall_off_ms: i64,
}

impl Clock {
    pub(super) const fn new(since: u64, boot_ms: u64, ppm: i64) -> Self {
        Self { since, boot_ms, ppm, wall_off_ms: 0 }
    }

    pub(super) fn now(&self, t: u64) -> Now {
        Now { boot_ms: self.boot(t), unix_ms: EPOCH_MS.saturating_add(t).saturating_add_signed(self.wall_off_ms) }
    }

    pub(super) fn boot(&self, t: u64) -> u64 {
        self.boot_ms.saturating_add(scaled(t.saturating_sub(self.since), self.rate(), MILLION))
    }

    /// The first true instant at which the boot clock shows `boot_ms` or more.
    pub(super) fn true_at(&self, boot_ms: u64) -> u64 {
        let ahead = boot_ms.saturating_sub(self.boot_ms);
        let mut t = self.since.saturating_add(scaled(ahead, MILLION, self.rate()));
        while self.boot(t) < boot_ms {
            t += 1;
        }
        t
    }

    /// The machine was stopped from `from` to `to`, and its boot clock stood still meanwhile.
    pub(super) fn stood_still(&mut self, from: u64, to: u64) {
        self.boot_ms = self.boot(from);
        self.since = to;
    }

    /// The host boots: its boot clock begins anew.
    pub(super) const fn booted(&mut self, t: u64) {
        self.since = t;
        self.boot_ms = BOOT_MS;
    }

    pub(super) const fn set_wall(&mut self, off_ms: i64) {
        self.wall_off_ms = off_ms;
    }

    pub(super) const fn push_wall(&mut self, ms: i64) {
        self.wall_off_ms += ms;
    }

    fn rate(&self) -> u64 {
        MILLION.saturating_add_signed(self.ppm)
    }
}

fn scaled(ms: u64, by: u64, of: u64) -> u64 {
    u64::try_from(u128::from(ms) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX)
}

const MILLION: u64 = 1_000_000;

/// A host's services start some seconds after its kernel.
const BOOT_MS: u64 = 12_000;

/// Unix time at true time 0.
pub(super) const EPOCH_MS: u64 = 1_767_225_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instant_of_a_reading_is_its_first() {
        for ppm in [-10_000, -3, 0, 7, 10_000] {
            let clock = Clock::new(500, 80_000, ppm);
            for boot in [80_001, 84_000, 99_999_999] {
                let t = clock.true_at(boot);
                assert!(clock.boot(t) >= boot && clock.boot(t - 1) < boot, "{ppm} {boot}");
            }
        }
    }

    #[test]
    fn a_clock_that_stood_still_lost_just_that() {
        let mut clock = Clock::new(0, 1_000, 0);
        clock.stood_still(5_000, 25_000);
        assert_eq!(clock.boot(26_000), 7_000);
    }
}
