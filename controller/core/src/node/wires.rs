//! Time limits on the way between nodes: each is that of a wire without length, and what the measured round trip asks for beyond it.

use alloc::vec::Vec;

use constella_shared::ids::NodeId;

use super::Node;
use crate::io::Output;

impl Node {
    /// The shell measured the way to a member. It does so with nearly every answer, and nothing is due for it.
    pub(super) fn round_trip(&mut self, with: NodeId, ms: u64, dialled: bool) -> Vec<Output> {
        if self.roster.is_member(&with) {
            self.peers.round_trip(with, ms, dialled);
            self.membership.away(with, self.peers.timeout_ms(&with));
        }
        Vec::new()
    }

    /// How long a round of asks takes until a majority of the voters has answered, milliseconds: one voter that is far away, or slow, does not count
    /// where the others are near.
    pub(super) fn round_ms(&self) -> u64 {
        let voters = &self.roster.voters().new;
        let away = |voter: &NodeId| if *voter == self.id { 0 } else { self.peers.timeout_ms(voter) };
        let mut away: Vec<u64> = voters.iter().map(away).collect();
        away.sort_unstable();
        away.get(voters.len() / 2).copied().unwrap_or(0)
    }

    /// How long news take to everybody that answers, milliseconds. It looks at all members, so it is for changes and not for every step (M2).
    pub(super) fn farthest_ms(&self) -> u64 {
        self.reachable().iter().map(|node| self.peers.timeout_ms(node)).max().unwrap_or(0)
    }
}
