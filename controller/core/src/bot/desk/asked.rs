//! When a target was asked for something: by its own clock, and by this node's.

use constella_shared::ids::NodeId;

use crate::bot::kit::world::{NodeRow, World};
use crate::clock::Now;

/// When a target was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// Unix milliseconds, by the target's own clock as far as the asking node knew it, else by the asking node's.
    pub(crate) unix_ms: u64,
    /// By this node's own CLOCK_BOOTTIME: when it asked, or took up what another had asked.
    pub(crate) boot_ms: u64,
    /// Whether this node asked, in this boot generation.
    pub(crate) here: bool,
    /// What had passed since the asking when this node took it up; None where the target's clock did not tell.
    before_ms: Option<u64>,
    /// The same by this node's wall clock.
    roughly_before_ms: u64,
}

impl Asked {
    /// Now, by this node.
    pub(crate) fn now(world: &World, target: NodeId) -> Self {
        let unix_ms = clock_of(world, target).unwrap_or(world.now.unix_ms);
        Self { unix_ms, boot_ms: world.now.boot_ms, here: true, before_ms: Some(0), roughly_before_ms: 0 }
    }

    /// By an earlier leader, or an earlier boot generation of this one, at this time of the target's clock.
    pub(crate) fn before(world: &World, target: NodeId, unix_ms: u64) -> Self {
        let before_ms = clock_of(world, target).and_then(|theirs| passed_ms(unix_ms, theirs));
        let roughly_before_ms = world.now.unix_ms.saturating_sub(unix_ms);
        Self { unix_ms, boot_ms: world.now.boot_ms, here: false, before_ms, roughly_before_ms }
    }

    /// Milliseconds since; never less than this node has watched, for the clock that told when it was asked may have been ahead.
    pub(crate) fn elapsed_ms(&self, now: Now) -> u64 {
        self.before_ms.unwrap_or(self.roughly_before_ms).saturating_add(now.since(self.boot_ms))
    }

    /// Milliseconds since, as far as one clock tells: the target's own, and from this node's taking it up on its CLOCK_BOOTTIME. A target that
    /// was never heard of before it came back shows the time on its clock then.
    pub(crate) fn elapsed_by_one_clock_ms(&self, now: Now, row: &NodeRow) -> Option<u64> {
        match self.before_ms {
            Some(before_ms) => Some(before_ms.saturating_add(now.since(self.boot_ms))),
            None => row.unix_ms.and_then(|theirs| passed_ms(self.unix_ms, theirs)),
        }
    }
}

/// From one reading of the target's clock to a later one, milliseconds; None where it was set back, or the first was not of that clock. Each may
/// lag behind the clock by a round trip.
const fn passed_ms(from: u64, to: u64) -> Option<u64> {
    if from > to.saturating_add(LAG_MS) { None } else { Some(to.saturating_sub(from)) }
}

fn clock_of(world: &World, target: NodeId) -> Option<u64> {
    world.nodes.iter().find(|row| row.node == target).and_then(|row| row.unix_ms)
}

/// A round trip over a poor wire, and a try that was lost.
const LAG_MS: u64 = 3_000;
