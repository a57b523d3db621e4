//! When a target was asked for something, by two clocks.

use crate::clock::Now;

/// When a target was asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) unix_ms: u64,
    /// By this node's own CLOCK_BOOTTIME: when it asked, or took up what another had asked.
    pub(super) boot_ms: u64,
    /// Whether this node asked.
    pub(super) here: bool,
}

impl Asked {
    /// Now, by this node.
    pub(super) const fn now(now: Now) -> Self {
        Self { unix_ms: now.unix_ms, boot_ms: now.boot_ms, here: true }
    }

    /// By an earlier leader, or an earlier life of this one.
    pub(super) const fn before(unix_ms: u64, now: Now) -> Self {
        Self { unix_ms, boot_ms: now.boot_ms, here: false }
    }

    /// Milliseconds since. By two wall clocks where another node asked, but never less than this node has watched: the other clock may have
    /// been ahead.
    pub(super) fn elapsed_ms(self, now: Now) -> u64 {
        let by_wall = if self.here { 0 } else { now.unix_ms.saturating_sub(self.unix_ms) };
        by_wall.max(now.since(self.boot_ms))
    }
}
