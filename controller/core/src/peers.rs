//! What this node has heard directly from each other node: facts with their age, readiness, restarts.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId};
use constella_shared::wire::heartbeat::Facts;

use crate::clock::Now;
use crate::round_trip::RoundTrip;

#[cfg(test)]
mod tests;

/// Direct knowledge of the other nodes. Never gossiped, never stored.
#[derive(Debug, Default)]
pub struct Peers {
    peers: BTreeMap<NodeId, Peer>,
    /// CLOCK_BOOTTIME of each node's last sign of life: facts, an answer, a refusal, or a request of its own. A node can refuse what it is asked before
    /// its facts were heard.
    signs: BTreeMap<NodeId, u64>,
    /// Those whose last answer was that this node is no member.
    strangers_to: BTreeSet<NodeId>,
    round_trips: BTreeMap<NodeId, RoundTrip>,
}

/// Direct knowledge of one node.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its newest facts.
    pub facts: Facts,
    /// CLOCK_BOOTTIME when they arrived.
    pub heard_at: u64,
    /// Unix milliseconds when they arrived.
    pub heard_unix_ms: u64,
    /// Round trip of the last call, milliseconds; with the time for a new connection in it where no request on an open one was measured yet.
    pub rtt_ms: Option<u32>,
    /// Unix milliseconds when it last answered a call; 0 for never.
    pub reached_unix_ms: u64,
    /// Since when it has been ready without a break; None while it is not.
    pub ready_since: Option<u64>,
    /// When a call to it last failed.
    failed_at: Option<u64>,
    /// When the first of the calls failed that had no answer since the node was last heard.
    failing_since: Option<u64>,
    /// Its port refused, and nothing was heard of it since.
    port: Port,
    /// When it was lost lately: restarts, and times that it was not ready or not alive. Newest last.
    losses: Vec<u64>,
}

/// What a node's port says about its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    /// It takes connections, as far as is known.
    Open,
    /// It refuses them, and nothing was heard of the node since.
    Closed,
    /// It refused them while the node lived: from here it says nothing, until a call is answered or the node has started again.
    Unreliable,
}

impl Port {
    /// The node was heard; `anew` where a call to it was answered, or it has started again.
    const fn heard(self, anew: bool) -> Self {
        match self {
            Self::Open => Self::Open,
            Self::Closed | Self::Unreliable if anew => Self::Open,
            Self::Closed | Self::Unreliable => Self::Unreliable,
        }
    }
}

impl Peers {
    /// Takes facts in; `rtt_ms` where they answered a call of ours.
    pub fn heard(&mut self, now: Now, node: NodeId, facts: Facts, rtt_ms: Option<u32>) {
        let before = self.peers.get(&node);
        let restarted = before.is_some_and(|peer| peer.facts.generation != facts.generation);
        if before.is_some_and(|peer| peer.facts.generation > facts.generation) {
            return;
        }
        let was_ready = before.and_then(|peer| peer.ready_since).filter(|_| !restarted);
        let lost_bot = was_ready.is_some() && !facts.ready;
        let ready_since = if facts.ready { was_ready.or(Some(now.boot_ms)) } else { None };
        let losses = before.map(|peer| peer.losses.clone()).unwrap_or_default();
        let answered = rtt_ms.is_some();
        let reached_unix_ms = match rtt_ms {
            Some(_) => now.unix_ms,
            None => before.map_or(0, |peer| peer.reached_unix_ms),
        };
        let measured = self.round_trips.get(&node).and_then(RoundTrip::last_ms).and_then(|ms| u32::try_from(ms).ok());
        let rtt_ms = measured.or(rtt_ms).or_else(|| before.and_then(|peer| peer.rtt_ms));
        let peer = Peer {
            facts,
            heard_at: now.boot_ms,
            heard_unix_ms: now.unix_ms,
            rtt_ms,
            reached_unix_ms,
            ready_since,
            failed_at: None,
            failing_since: None,
            port: before.map_or(Port::Open, |peer| peer.port).heard(restarted || answered),
            losses,
        };
        self.peers.insert(node, peer);
        self.signs.insert(node, now.boot_ms);
        if restarted || lost_bot {
            self.lost(now, node);
        }
    }

    /// The way to the node was measured, there and back.
    pub fn round_trip(&mut self, node: NodeId, ms: u64, dialled: bool) {
        self.round_trips.entry(node).or_default().measured(ms, dialled);
    }

    /// In which time nearly every request to the node is answered, milliseconds; 0 while nothing was measured.
    #[must_use]
    pub fn timeout_ms(&self, node: &NodeId) -> u64 {
        self.round_trips.get(node).map_or(0, RoundTrip::timeout_ms)
    }

    /// What a call to the node may take longer than over a wire without length, milliseconds.
    #[must_use]
    pub fn allowance_ms(&self, node: &NodeId) -> u64 {
        self.round_trips.get(node).map_or(0, RoundTrip::allowance_ms)
    }

    /// The node was lost: it restarted, stopped being ready, or went down. Several signs of one loss count once.
    pub fn lost(&mut self, now: Now, node: NodeId) {
        if let Some(peer) = self.peers.get_mut(&node) {
            peer.losses.retain(|at| now.since(*at) < FORGIVEN_MS);
            if peer.losses.last().is_none_or(|at| now.since(*at) > ONE_LOSS_MS) {
                peer.losses.push(now.boot_ms);
            }
        }
    }

    /// A call to the node had no answer.
    pub fn failed(&mut self, now: Now, node: &NodeId) {
        if let Some(peer) = self.peers.get_mut(node) {
            peer.failed_at = Some(now.boot_ms);
            peer.failing_since.get_or_insert(now.boot_ms);
        }
    }

    /// No process has the node's port.
    pub fn port_closed(&mut self, now: Now, node: &NodeId) {
        self.failed(now, node);
        if let Some(peer) = self.peers.get_mut(node)
            && peer.port == Port::Open
        {
            peer.port = Port::Closed;
        }
    }

    /// The node asked something: it lives, whatever its port says.
    pub fn asked(&mut self, now: Now, node: &NodeId) {
        self.signs.insert(*node, now.boot_ms);
        if let Some(peer) = self.peers.get_mut(node) {
            peer.port = peer.port.heard(false);
        }
    }

    /// Whether the node's port refuses connections, and nothing was heard of it since.
    #[must_use]
    pub fn refuses(&self, node: &NodeId) -> bool {
        self.peers.get(node).is_some_and(|peer| peer.port == Port::Closed)
    }

    /// A call to the node was answered.
    pub fn answered(&mut self, now: Now, node: &NodeId) {
        self.strangers_to.remove(node);
        self.signs.insert(*node, now.boot_ms);
        if let Some(peer) = self.peers.get_mut(node) {
            peer.port = Port::Open;
            (peer.failed_at, peer.failing_since) = (None, None);
        }
    }

    /// The node answered that this node is no member.
    pub fn disowned(&mut self, now: Now, by: NodeId) {
        self.answered(now, &by);
        self.strangers_to.insert(by);
    }

    /// Whether the node's last answer was that this node is no member.
    #[must_use]
    pub fn is_stranger_to(&self, node: &NodeId) -> bool {
        self.strangers_to.contains(node)
    }

    /// Whether a call to the node failed and nothing was heard of it since; when.
    #[must_use]
    pub fn failing(&self, node: &NodeId) -> Option<u64> {
        self.peers.get(node).and_then(|peer| peer.failed_at)
    }

    /// When the first call failed of those that had no answer since the node was last heard; None where the last one was answered.
    #[must_use]
    pub fn failing_since(&self, node: &NodeId) -> Option<u64> {
        self.peers.get(node).and_then(|peer| peer.failing_since)
    }

    /// CLOCK_BOOTTIME of the last sign that this node itself had of it.
    #[must_use]
    pub fn sign_at(&self, node: &NodeId) -> Option<u64> {
        self.signs.get(node).copied()
    }

    /// Whether the node was heard, and no call to it failed since.
    #[must_use]
    pub fn in_touch(&self, node: &NodeId) -> bool {
        self.peers.get(node).is_some_and(|peer| peer.failed_at.is_none())
    }

    /// What is known of one node.
    #[must_use]
    pub fn get(&self, node: &NodeId) -> Option<&Peer> {
        self.peers.get(node)
    }

    /// How far the node's wall clock is ahead of this one's, milliseconds, as of its newest facts; their time on the way counts into it.
    #[must_use]
    pub fn skew_ms(&self, node: &NodeId) -> Option<i64> {
        let peer = self.peers.get(node)?;
        let (theirs, ours) = (i64::try_from(peer.facts.unix_ms).ok()?, i64::try_from(peer.heard_unix_ms).ok()?);
        theirs.checked_sub(ours)
    }

    /// The same as by both clocks now: a jump of this one's counts at once, one of the node's with its next facts.
    #[must_use]
    pub fn ahead_ms(&self, now: Now, node: &NodeId) -> Option<i64> {
        let peer = self.peers.get(node)?;
        let theirs = peer.facts.unix_ms.saturating_add(now.since(peer.heard_at));
        i64::try_from(theirs).ok()?.checked_sub(i64::try_from(now.unix_ms).ok()?)
    }

    /// The node's wall clock at this moment, by its newest facts: a round trip behind at most, where it did not jump since.
    #[must_use]
    pub fn wall_clock_ms(&self, now: Now, node: &NodeId) -> Option<u64> {
        let peer = self.peers.get(node)?;
        Some(peer.facts.unix_ms.saturating_add(now.since(peer.heard_at)))
    }

    /// For how long the controller has been running that was last heard of on this node.
    #[must_use]
    pub fn up_ms(&self, now: Now, node: &NodeId) -> Option<u64> {
        let peer = self.peers.get(node)?;
        Some(peer.facts.up_ms.saturating_add(now.since(peer.heard_at)))
    }

    /// How far the fastest clock that was heard is ahead of this node's by now, milliseconds; None where none was heard.
    #[must_use]
    pub fn fastest_ahead_ms(&self, now: Now) -> Option<u64> {
        let reads = |peer: &Peer| peer.facts.unix_ms.saturating_add(now.since(peer.heard_at));
        self.peers.values().map(reads).max().map(|fastest| fastest.saturating_sub(now.unix_ms))
    }

    /// Forgets everybody who does not belong any more.
    pub fn retain(&mut self, belongs: impl Fn(&NodeId) -> bool) {
        self.peers.retain(|node, _| belongs(node));
        self.signs.retain(|node, _| belongs(node));
        self.round_trips.retain(|node, _| belongs(node));
    }

    /// The node's boot generation, where it was heard.
    #[must_use]
    pub fn generation(&self, node: &NodeId) -> Option<Generation> {
        self.peers.get(node).map(|peer| peer.facts.generation)
    }

    /// Ready as of facts that are at most `age_ms` old; None where nothing so new is known.
    #[must_use]
    pub fn ready(&self, now: Now, node: &NodeId, age_ms: u64) -> Option<bool> {
        self.peers.get(node).filter(|peer| now.since(peer.heard_at) <= age_ms).map(|peer| peer.facts.ready)
    }

    /// An instant of this node's CLOCK_BOOTTIME as a reading of that node's: never later than it, at most a round trip earlier.
    #[must_use]
    pub fn on_their_clock(&self, node: &NodeId, boot_ms: u64) -> Option<u64> {
        let peer = self.peers.get(node)?;
        let ahead = boot_ms.checked_sub(peer.heard_at)?;
        Some(peer.facts.boot_ms.saturating_add(ahead))
    }

    /// L6: how long the node must have been steady, doubled with each loss but the first within ten minutes.
    #[must_use]
    pub fn steady_wait_ms(&self, now: Now, node: &NodeId) -> u64 {
        let losses = self
            .peers
            .get(node)
            .map_or(0, |peer| peer.losses.iter().filter(|at| now.since(**at) < FORGIVEN_MS).count());
        let doublings = u32::try_from(losses.saturating_sub(1)).unwrap_or(u32::MAX).min(MOST_DOUBLINGS);
        STEADY_MS.saturating_mul(1 << doublings)
    }
}

/// L6: steady for ten seconds.
pub const STEADY_MS: u64 = 10_000;

/// L6: within ten minutes.
const FORGIVEN_MS: u64 = 10 * 60 * 1_000;

/// A restart shows as a new generation, as not ready, and as down, within this time.
const ONE_LOSS_MS: u64 = 8_000;

/// 10 s doubled six times is over ten minutes, when the first loss is forgiven anyway.
const MOST_DOUBLINGS: u32 = 6;
