//! L7 at a target: how long this machine stood still lately. Its CLOCK_BOOTTIME did not go on meanwhile, so a deadline by it would come late.

use alloc::vec::Vec;

use crate::clock::Now;

/// Times that the machine stood still, as far as the wall clock tells.
#[derive(Debug, Default)]
pub(super) struct Slept {
    /// When each was found, by CLOCK_BOOTTIME, and how long it was, milliseconds.
    times: Vec<(u64, u64)>,
}

impl Slept {
    /// The wall clock went so much further than the other one since the last step.
    pub(super) fn found(&mut self, now: Now, ms: u64) {
        self.times.retain(|(at, _)| now.since(*at) < LATELY_MS);
        self.times.push((now.boot_ms, ms));
    }

    /// Milliseconds in all that a deadline may be late by. Who reckoned it may have taken this clock for one that runs, so that it cannot be told
    /// whether it was reckoned before, and it counts as such.
    pub(super) fn lately_ms(&self, now: Now) -> u64 {
        self.times.iter().filter(|(at, _)| now.since(*at) < LATELY_MS).map(|(_, ms)| ms).sum()
    }
}

/// F6: no order lives longer.
const LATELY_MS: u64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_the_machine_stood_still_counts_for_a_minute() {
        // L7
        let at = |boot_ms| Now { boot_ms, unix_ms: boot_ms };
        let mut slept = Slept::default();
        slept.found(at(1_000), 80_000);
        slept.found(at(31_000), 5_000);
        assert_eq!(slept.lately_ms(at(31_000)), 85_000);
        assert_eq!(slept.lately_ms(at(61_000)), 5_000);
        assert_eq!(slept.lately_ms(at(91_000)), 0);
    }
}
