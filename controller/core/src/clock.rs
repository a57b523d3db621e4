//! Time as the core sees it: two readings that the shell takes together, right before each input.

/// Both clocks of this host at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Now {
    /// CLOCK_BOOTTIME in milliseconds: monotonic, goes on while the machine sleeps. Every timer and lease is measured on it.
    pub boot_ms: u64,
    /// Unix time in milliseconds: stamps, expiry dates, what people read. May jump.
    pub unix_ms: u64,
}

impl Now {
    /// Milliseconds from `earlier` to now on CLOCK_BOOTTIME; 0 when `earlier` lies ahead.
    #[must_use]
    pub const fn since(&self, earlier_boot_ms: u64) -> u64 {
        self.boot_ms.saturating_sub(earlier_boot_ms)
    }

    /// Milliseconds from `then` to now, by the clock that shows more: a machine that stood still, its boot clock with it, finds its wall clock
    /// set right when it goes on.
    #[must_use]
    pub const fn elapsed(&self, then: Self) -> u64 {
        let (boot, wall) = (self.since(then.boot_ms), self.unix_ms.saturating_sub(then.unix_ms));
        if boot > wall { boot } else { wall }
    }

    /// So many milliseconds later on both clocks.
    #[must_use]
    pub const fn after(&self, ms: u64) -> Self {
        Self { boot_ms: self.boot_ms.saturating_add(ms), unix_ms: self.unix_ms.saturating_add(ms) }
    }

    /// Milliseconds until the first of the two clocks shows `then`; 0 where one has passed it. A machine that stood still, its boot clock
    /// with it, finds its wall clock set right when it goes on.
    #[must_use]
    pub const fn left_until(&self, then: Self) -> u64 {
        let (boot, wall) = (then.boot_ms.saturating_sub(self.boot_ms), then.unix_ms.saturating_sub(self.unix_ms));
        if boot < wall { boot } else { wall }
    }
}
