//! The host's two clocks, read together: CLOCK_BOOTTIME and the wall.

use constella_core::clock::Now;
use nix::time::{ClockId, clock_gettime};

/// Reads both clocks. CLOCK_BOOTTIME goes on while the machine sleeps, so a lease runs out in a sleeping holder too (clock_gettime(2)).
#[must_use]
pub fn now() -> Now {
    Now { boot_ms: millis(ClockId::CLOCK_BOOTTIME), unix_ms: millis(ClockId::CLOCK_REALTIME) }
}

/// Zero where the kernel has no such clock (Linux before 2.6.39) or the wall is before 1970: everything then counts as expired.
fn millis(clock: ClockId) -> u64 {
    let Ok(time) = clock_gettime(clock) else { return 0 };
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec()).unwrap_or(0) / 1_000_000;
    seconds.saturating_mul(1_000).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_run_and_the_wall_is_after_this_was_written() {
        let first = now();
        assert!(first.boot_ms > 0 && first.unix_ms > 1_750_000_000_000);
        assert!(now().boot_ms >= first.boot_ms);
    }
}
