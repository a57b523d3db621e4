//! How long a reboot took: from its asking until the target's controller ran again, each by a clock that both ends share.

use constella_shared::agent::Stats;

use super::state::Reboot;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::world::World;

/// What is known of a reboot's duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Took {
    /// Milliseconds.
    Known(u64),
    /// The target's new controller has not been heard yet.
    NotYet,
    /// Nobody can tell.
    Unknown,
}

impl Took {
    /// The node that asked measures on its own CLOCK_BOOTTIME. A successor takes the time since the asking on the target's clock, and from it
    /// how long the target's controller has been running. Uptime stands in for that where nothing is heard: it counts from the kernel's start,
    /// and a container may show another machine's.
    pub(super) fn of(reboot: &Reboot, world: &World, stats: &Stats) -> Self {
        if reboot.asked.here {
            return Self::Known(reboot.asked.elapsed_ms(world.now));
        }
        let Some(row) = world.row(reboot.order.target) else { return Self::Unknown };
        let Some(elapsed_ms) = reboot.asked.elapsed_by_one_clock_ms(world.now, row) else {
            return if row.unix_ms.is_none() { Self::NotYet } else { Self::Unknown };
        };
        // Who ran before the asking is the controller of the boot before.
        let since = |up_ms: u64| elapsed_ms.checked_sub(up_ms).filter(|took_ms| *took_ms > 0);
        if let Some(took_ms) = row.up_ms.and_then(since) {
            return Self::Known(took_ms);
        }
        if reboot.waits < WAITS {
            return Self::NotYet;
        }
        let up_ms = stats.uptime_s.map(|uptime_s| uptime_s.saturating_mul(1_000));
        up_ms.and_then(since).map_or(Self::Unknown, Self::Known)
    }

    /// What the owner reads of a node that is back. No duration is said that is not known.
    pub(super) fn says(self, name: &str) -> Say {
        match self {
            Self::Known(took_ms) => Say::new(Key::RebootBack).text("name", name).span("took", took_ms),
            Self::NotYet | Self::Unknown => Say::new(Key::RebootBackSometime).text("name", name),
        }
    }
}

/// A node that is back is heard within this, or its duration is not known: once a second at the latest as a voter, and with its heartbeats else.
pub(super) const WAITS: u8 = 8;

/// Between two looks whether it was heard.
pub(super) const WAIT_MS: u64 = 500;
