//! N2: whether the machine booted without an order of this network.

use constella_shared::agent::{Stats, is_same_boot};
use constella_shared::state::BootsState;

use crate::clock::Now;

/// The last boot that is known of, and the last order to reboot. Both outlast the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boots(BootsState);

impl Boots {
    /// Goes on from what the disk had.
    #[must_use]
    pub const fn new(state: BootsState) -> Self {
        Self(state)
    }

    /// As it is kept.
    #[must_use]
    pub const fn state(&self) -> &BootsState {
        &self.0
    }

    /// The machine was ordered to reboot.
    pub const fn ordered(&mut self, now: Now) {
        self.0.ordered_unix_ms = Some(now.unix_ms);
    }

    /// Takes figures in. The answer is when the machine booted, unix milliseconds, where it did since the last figures and no order explains it.
    /// Figures without a boot say nothing, and the first ones have nothing to be held against.
    pub fn saw(&mut self, now: Now, stats: &Stats) -> Option<u64> {
        let boot = stats.boot()?;
        let last = self.0.boot.replace(boot.clone())?;
        if is_same_boot(&last, &boot) {
            return None;
        }
        let up_ms = stats.uptime_s.unwrap_or(0).saturating_mul(1_000);
        let booted = now.unix_ms.saturating_sub(up_ms);
        let ordered = self.0.ordered_unix_ms.take();
        // The uptime need not be this machine's own: then it counts that the boot is seen soon after the order.
        let soon_after = |at: u64| {
            [booted, now.unix_ms]
                .iter()
                .any(|it| it.saturating_add(CLOCK_MS) >= at && *it < at.saturating_add(ORDER_MS))
        };
        let by_order = ordered.is_some_and(soon_after);
        (!by_order).then_some(booted)
    }
}

/// A host that was told to reboot has booted after so long: stopping its services takes some minutes at most, and so do the firmware's checks.
const ORDER_MS: u64 = 15 * 60_000;

/// The wall clock may be set right after a boot, and the uptime is told in whole seconds.
const CLOCK_MS: u64 = 60_000;

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    const HOUR: u64 = 3_600_000;

    fn at(unix_ms: u64) -> Now {
        Now { boot_ms: 5_000, unix_ms }
    }

    fn figures(boot: &str, uptime_s: u64) -> Stats {
        Stats { boot_id: Some(String::from(boot)), uptime_s: Some(uptime_s), ..Stats::default() }
    }

    #[test]
    fn a_boot_that_nobody_ordered_is_told_with_its_time() {
        // N2
        let mut boots = Boots::new(BootsState::default());
        assert_eq!(boots.saw(at(10 * HOUR), &figures("a", 500)), None, "the first boot that is seen is no change");
        assert_eq!(boots.saw(at(11 * HOUR), &figures("a", 4_100)), None);
        let mut later = Boots::new(boots.state().clone());
        assert_eq!(
            later.saw(at(12 * HOUR), &figures("b", 60)),
            Some(12 * HOUR - 60_000),
            "the controller started again"
        );
        assert_eq!(later.saw(at(12 * HOUR), &figures("b", 75)), None);
    }

    #[test]
    fn a_boot_after_an_order_is_expected_once() {
        // N2
        let mut boots = Boots::new(BootsState::default());
        boots.saw(at(10 * HOUR), &figures("a", 500));
        boots.ordered(at(11 * HOUR));
        let mut later = Boots::new(boots.state().clone());
        assert_eq!(later.saw(at(11 * HOUR + 90_000), &figures("b", 20)), None);
        assert_eq!(later.saw(at(11 * HOUR + 200_000), &figures("c", 20)), Some(11 * HOUR + 180_000), "the next is not");
        // The controller came back long after the boot; and the uptime is another machine's.
        for (after, up_s) in [(9 * HOUR, 9 * 3_600 - 60), (90_000, 999_999)] {
            let mut boots = Boots::new(BootsState { boot: Some("a".into()), ordered_unix_ms: Some(11 * HOUR) });
            assert_eq!(boots.saw(at(11 * HOUR + after), &figures("b", up_s)), None, "{up_s}");
        }
    }

    #[test]
    fn an_order_that_did_nothing_explains_no_later_boot() {
        // N2
        let mut boots = Boots::new(BootsState::default());
        boots.saw(at(10 * HOUR), &figures("a", 500));
        boots.ordered(at(11 * HOUR));
        boots.saw(at(11 * HOUR + 60_000), &figures("a", 900));
        assert_eq!(boots.saw(at(14 * HOUR), &figures("b", 0)), Some(14 * HOUR));
    }

    #[test]
    fn figures_without_a_boot_say_nothing() {
        // N2: an absent figure is no change.
        let mut boots = Boots::new(BootsState::default());
        boots.saw(at(10 * HOUR), &figures("a", 500));
        assert_eq!(boots.saw(at(11 * HOUR), &Stats { uptime_s: Some(0), ..Stats::default() }), None);
        assert_eq!(boots.saw(at(11 * HOUR), &figures("", 0)), None);
        assert_eq!(boots.saw(at(11 * HOUR), &figures("a", 4_100)), None);
    }
}
