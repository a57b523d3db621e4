//! Time as the core sees it: two readings that the shell takes together, right before each input.

/// Both clocks of this host at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}
