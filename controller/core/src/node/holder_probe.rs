//! Whether the holder's process still runs (L4, F3): whoever would follow it asks, where it was not heard for a while. A port that refuses is no
//! proof that the process is dead, so the voters' grants stay what they are. It lets the next node watch before the lease has run out.

use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::Request;

use super::Node;
use super::pending::Pending;
use crate::clock::Now;
use crate::io::PeerRequest;

/// When the next question is due, and what came of the last one.
#[derive(Debug)]
pub(super) struct HolderProbe {
    at: u64,
    asking: bool,
    answered: Option<(NodeId, u64)>,
}

impl HolderProbe {
    /// Of a node that has just started.
    pub(super) const fn new(now: Now) -> Self {
        Self { at: now.boot_ms, asking: false, answered: None }
    }

    /// When to look again.
    pub(super) const fn deadline(&self) -> u64 {
        self.at
    }

    /// An answer came, or none.
    pub(super) fn answered(&mut self, now: Now, by: Option<NodeId>) {
        self.asking = false;
        self.at = if by.is_some() { now.boot_ms } else { now.boot_ms.saturating_add(NEXT_MS) };
        self.answered = by.map(|node| (node, now.boot_ms)).or(self.answered);
    }
}

impl Node {
    /// The holder that this node last knew of, where its port refuses connections and nothing was heard of it since.
    pub(super) fn refusing_holder(&self, now: Now) -> Option<NodeId> {
        let holder = self.seen.holder().filter(|holder| *holder != self.id)?;
        let lately = now.boot_ms < self.seen.until().saturating_add(self.settings.lease_ttl_ms);
        (lately && self.peers.refuses(&holder)).then_some(holder)
    }

    /// L4: the best of those that are left claims before the lease of a holder whose port refuses has run out. It cannot be strong before that, but
    /// it can watch (F3).
    pub(super) fn may_claim_early(&self, now: Now) -> bool {
        self.refusing_holder(now).is_some() && self.probe.ready() && self.is_smallest_alive()
    }

    /// Asks the holder for a sign of life where there was none for a while; and where it gives none, the better ones that would follow it: they may
    /// be dead too.
    pub(super) fn probe_the_holder(&mut self, now: Now) {
        if now.boot_ms < self.holder_probe.at {
            return;
        }
        self.holder_probe.at = now.boot_ms.saturating_add(IDLE_MS);
        let follows = self.held.is_none() && !self.retired && !self.left_to_voters && !self.is_disowned();
        let Some(holder) = self.seen.live(now).map(|view| view.holder.node).filter(|_| follows) else { return };
        let key = self.key();
        let others = self.reachable().into_iter().filter(|node| *node != holder);
        let mut better: Vec<_> = others.filter_map(|node| self.roster.leader_key(&node)).filter(|k| *k < key).collect();
        better.sort_unstable();
        let rank = u64::try_from(better.len()).unwrap_or(u64::MAX);
        let (target, every_ms) = match (self.peers.failing(&holder).is_some(), better.first()) {
            (true, Some(next)) => (next.node, EVERY_MS),
            (true, None) if self.peers.refuses(&holder) => return,
            (true | false, _) => (holder, EVERY_MS.saturating_add(rank.saturating_mul(LATER_MS))),
        };
        let due = self.sign_of_life(target).saturating_add(every_ms);
        if now.boot_ms < due || self.holder_probe.asking {
            self.holder_probe.at = due.max(now.boot_ms.saturating_add(NEXT_MS));
            return;
        }
        self.holder_probe.asking = true;
        self.holder_probe.at = now.boot_ms.saturating_add(every_ms);
        let request = PeerRequest::Rpc(Request::LeaseGet { heir: None, holder: None });
        self.call(target, self.settings.heartbeat_timeout_ms, request, Pending::HolderProbe { to: target });
    }

    /// When the node was heard last: its facts, its ask as a holder, or its answer to a probe.
    fn sign_of_life(&self, node: NodeId) -> u64 {
        let heard = self.peers.get(&node).map_or(0, |peer| peer.heard_at);
        let asked = self.voter.last_grant().filter(|(holder, _)| *holder == node);
        let asked = asked.map_or(0, |(_, until)| until.saturating_sub(self.settings.lease_ttl_ms));
        let answered = self.holder_probe.answered.filter(|(by, _)| *by == node).map_or(0, |(_, at)| at);
        heard.max(asked).max(answered)
    }
}

/// The next node asks when the holder was silent for so long: with the watching that follows, a dead holder's owner is answered within 2 s.
const EVERY_MS: u64 = 500;

/// Each further one waits so much longer: voters hear the holder once a second and so ask only where it is silent.
const LATER_MS: u64 = 700;

/// Who did not answer is asked again after this time.
const NEXT_MS: u64 = 250;

/// Where there is nobody to ask.
const IDLE_MS: u64 = 1_000;
