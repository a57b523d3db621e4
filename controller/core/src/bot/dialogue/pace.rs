//! How fast the bot may speak: Telegram's limit of about one message a second and chat, its `retry_after`, and our own back-off.

use crate::clock::Now;

/// Lets a few edits through at once, and then one per [`GAP_MS`].
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the bucket is full again, CLOCK_BOOTTIME.
    full_at: u64,
    /// Nothing before this: Telegram said so.
    barred_until: u64,
}

/// Who wants to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// A progress bar.
    Progress,
    /// The owner waits for it.
    Owner,
}

impl Pace {
    /// When the next word may go out; not after now means at once.
    pub(super) fn free_at(&self, urgency: Urgency) -> u64 {
        let burst = match urgency {
            Urgency::Progress => 0,
            Urgency::Owner => BURST_MS,
        };
        self.full_at.saturating_sub(burst).max(self.barred_until)
    }

    /// A word goes out.
    pub(super) fn spend(&mut self, now: Now) {
        self.full_at = self.full_at.max(now.boot_ms) + GAP_MS;
    }

    /// 429: nothing for so long.
    pub(super) fn bar(&mut self, now: Now, ms: u64) {
        self.barred_until = self.barred_until.max(now.boot_ms.saturating_add(ms.min(BAR_MAX_MS)));
    }
}

/// The wait after the `failures`th failure in a row, from 1.
pub(super) fn back_off_ms(failures: u32) -> u64 {
    1_000u64.saturating_mul(1 << failures.saturating_sub(1).min(5)).min(30_000)
}

/// Between two edits of a chat in the long run: a third below Telegram's one a second.
const GAP_MS: u64 = 1_500;

/// The owner's presses may run ahead by three edits: a press is answered at once, a storm of presses is not. A new leader spends three before
/// the owner's first press: its own name, the command that it took over, and the answer to that.
const BURST_MS: u64 = 3 * GAP_MS;

/// A `retry_after` longer than this would be a mistake of ours that more waiting does not mend.
const BAR_MAX_MS: u64 = 15 * 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, unix_ms: 0 }
    }

    #[test]
    fn the_owner_may_run_ahead_and_progress_may_not() {
        let mut pace = Pace::default();
        let start = 100_000;
        for _ in 0..4 {
            assert!(pace.free_at(Urgency::Owner) <= start);
            pace.spend(at(start));
        }
        assert_eq!(pace.free_at(Urgency::Owner), start + GAP_MS);
        assert_eq!(pace.free_at(Urgency::Progress), start + 4 * GAP_MS);
    }

    #[test]
    fn retry_after_bars_everybody() {
        let mut pace = Pace::default();
        pace.bar(at(1_000), 7_000);
        assert_eq!(pace.free_at(Urgency::Owner), 8_000);
        pace.bar(at(1_000), 1_000);
        assert_eq!(pace.free_at(Urgency::Owner), 8_000);
    }

    #[test]
    fn back_off_grows_to_half_a_minute() {
        assert_eq!([1, 2, 5, 6, 60].map(back_off_ms), [1_000, 2_000, 16_000, 30_000, 30_000]);
    }
}
