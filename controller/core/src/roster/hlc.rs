//! The hybrid logical clock: wall time, never behind what was seen, so that "later" means later for the whole network.

use constella_shared::ids::NodeId;
use constella_shared::wire::records::Stamp;

use crate::clock::Now;

/// The newest reading seen or given.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hlc {
    unix_ms: u64,
    count: u32,
}

impl Hlc {
    /// Moves up to a stamp that somebody else gave, or that was read from disk.
    pub(super) fn see(&mut self, stamp: &Stamp) {
        if (stamp.unix_ms, stamp.count) > (self.unix_ms, self.count) {
            (self.unix_ms, self.count) = (stamp.unix_ms, stamp.count);
        }
    }

    /// A stamp above all seen and given.
    pub(super) const fn next(&mut self, now: Now, node: NodeId) -> Stamp {
        if now.unix_ms > self.unix_ms {
            (self.unix_ms, self.count) = (now.unix_ms, 0);
        } else if self.count == u32::MAX {
            (self.unix_ms, self.count) = (self.unix_ms.saturating_add(1), 0);
        } else {
            self.count += 1;
        }
        Stamp { unix_ms: self.unix_ms, count: self.count, node }
    }
}
