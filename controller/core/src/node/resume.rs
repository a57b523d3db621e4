//! Restart in place (L1, L4): a node whose earlier process held the lease takes it up again, before anybody else claims it.

use constella_shared::ids::NodeId;
use constella_shared::wire::lease::LeaseView;

use super::Node;
use crate::clock::Now;

/// What this node knows of the lease of its own earlier process.
#[derive(Debug, Default)]
pub(super) struct Resume {
    /// The earlier process ran on this folder and this kernel, and is dead.
    in_place: bool,
    /// The newest grant of this node's voter is its own.
    granted_itself: bool,
    /// A member was heard since the start.
    met: bool,
    /// A member still advertises the lease of the earlier process.
    advertised: bool,
    /// This process has claimed: from then on it waits like everybody else.
    claimed: bool,
}

impl Resume {
    /// Of a process that has just started.
    pub(super) fn new(in_place: bool, granted: Option<NodeId>, me: NodeId) -> Self {
        Self { in_place, granted_itself: granted == Some(me), ..Self::default() }
    }

    /// A member's heartbeat came, with the lease that it advertises.
    pub(super) fn hear(&mut self, lease: Option<&LeaseView>, me: NodeId) {
        self.met = true;
        self.advertised |= lease.is_some_and(|view| view.holder.node == me);
    }

    /// The first claim of this process began.
    pub(super) fn claimed(&mut self) {
        self.claimed = true;
    }
}

impl Node {
    /// L4: whether this node takes up the lease of its earlier process. Safety does not rest on it: voters decide (L1). A process that dies
    /// again and again leaves the lease to others: what kills it may be what the owner asked for.
    pub(super) fn may_resume(&self, now: Now) -> bool {
        let Resume { in_place, granted_itself, met, advertised, claimed } = self.resume;
        let held_it = met && (advertised || granted_itself);
        in_place
            && held_it
            && !claimed
            && now.since(self.born) < self.settings.lease_ttl_ms
            && self.seen.live(now).is_none()
            && self.durable.starts(now.unix_ms / 1_000, LATELY_S) <= MOST_STARTS
    }
}

/// Starts are counted over a minute ...
const LATELY_S: u64 = 60;

/// ... and one that starts more often than so leaves the lease to another.
const MOST_STARTS: usize = 5;
