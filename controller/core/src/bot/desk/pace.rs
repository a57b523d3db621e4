//! How fast the bot may speak: Telegram's limit of about one message a second and chat, its `retry_after`, and our own back-off.

use crate::clock::Now;

/// Lets a few edits through at once, and then one per [`GAP_MS`].
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When the bucket is full again, CLOCK_BOOTTIME.
    full_at: u64,
    /// Nothing before this: Telegram said so.
    barred_until: u64,
    /// Calls in a row that failed, and when the next may go out.
    failures: u32,
    again_at: u64,
    /// Since when Telegram has taken nothing.
    refusing_since: Option<Now>,
}

/// Who wants to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A progress bar.
    Progress,
    /// The owner waits for it.
    Owner,
}

impl Pace {
    /// When the next word may go out; not after now means at once.
    pub(crate) fn free_at(&self, urgency: Urgency) -> u64 {
        let burst = match urgency {
            Urgency::Progress => 0,
            Urgency::Owner => BURST_MS,
        };
        self.full_at.saturating_sub(burst).max(self.barred_until).max(self.again_at)
    }

    /// A word goes out.
    pub(crate) fn spend(&mut self, now: Now) {
        self.full_at = self.full_at.max(now.boot_ms) + GAP_MS;
    }

    /// 429: nothing for so long.
    pub(crate) fn bar(&mut self, now: Now, ms: u64) {
        self.refusing_since.get_or_insert(now);
        self.barred_until = self.barred_until.max(now.boot_ms.saturating_add(ms.min(BAR_MAX_MS)));
    }

    /// How long Telegram still wants to be left alone (429).
    pub(crate) const fn barred_ms(&self, now: Now) -> u64 {
        self.barred_until.saturating_sub(now.boot_ms)
    }

    /// No answer, or one that may be another a moment later.
    pub(crate) fn failed(&mut self, now: Now) {
        self.refusing_since.get_or_insert(now);
        self.failures = self.failures.saturating_add(1);
        self.again_at = now.boot_ms.saturating_add(back_off_ms(self.failures));
    }

    /// Telegram took something, or refused it for good.
    pub(crate) const fn answered(&mut self) {
        (self.failures, self.again_at, self.refusing_since) = (0, 0, None);
    }

    /// Since when Telegram has taken nothing.
    pub(crate) const fn refusing_since(&self) -> Option<Now> {
        self.refusing_since
    }

    /// How long the next call may take. While calls fail, one that is silent must not hold up the one that would be answered; every fourth may
    /// take its time, for on a slow way none would ever come through otherwise.
    pub(crate) const fn limit_ms(&self) -> u64 {
        if self.failures.is_multiple_of(4) { LIMIT_MS } else { RETRY_LIMIT_MS }
    }
}

/// The wait after the `failures`th failure in a row, from 1. Together with [`RETRY_LIMIT_MS`] it keeps an answer within 5 s of Telegram's return.
const fn back_off_ms(failures: u32) -> u64 {
    if failures <= 1 { 1_000 } else { 1_500 }
}

/// Between two edits of a chat in the long run: a third below Telegram's one a second.
const GAP_MS: u64 = 1_500;

/// The owner's presses may run ahead by three edits: a press is answered at once, a storm of presses is not. A new leader spends three before
/// the owner's first press: its own name, the command that it took over, and the answer to that.
const BURST_MS: u64 = 3 * GAP_MS;

/// A `retry_after` is obeyed; one longer than this is a mistake, and Telegram keeps what the owner writes no longer.
const BAR_MAX_MS: u64 = 24 * 3_600_000;

/// A call that shows the owner something; the long poll has its own limit.
const LIMIT_MS: u64 = 10_000;

/// The same after one that failed.
const RETRY_LIMIT_MS: u64 = 3_000;

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
    fn a_failing_call_and_the_wait_after_it_end_within_five_seconds() {
        let mut pace = Pace::default();
        assert_eq!(pace.limit_ms(), LIMIT_MS);
        for (count, now) in (1..40).zip((1_u64..).map(|count| count * 10_000)) {
            pace.failed(at(now));
            let wait = pace.free_at(Urgency::Owner) - now;
            assert!(wait <= 1_500 && (wait + pace.limit_ms() <= 5_000 || count % 4 == 0), "{count}: {wait}");
        }
        assert_eq!(pace.refusing_since(), Some(at(10_000)), "the first failure of the row");
        pace.answered();
        assert_eq!((pace.limit_ms(), pace.free_at(Urgency::Owner), pace.refusing_since()), (LIMIT_MS, 0, None));
    }
}
