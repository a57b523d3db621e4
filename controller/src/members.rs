//! The members as TLS and the signature must know them: a picture that the runner replaces and everybody else reads.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use constella_core::io::PinnedPeer;
use constella_shared::ids::{Generation, NetworkId, NodeId, Pin};
use constella_shared::secret::Secret;
use constella_shared::state::NetworkState;
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::speaks::Speaks;

/// A handle on the picture; clones show the same one.
#[derive(Debug, Clone)]
pub struct Members(Arc<RwLock<Picture>>);

#[derive(Debug)]
struct Picture {
    me: Me,
    network: Option<Network>,
    by_pin: HashMap<Pin, NodeId>,
    by_node: HashMap<NodeId, Row>,
    /// The members were told at least once.
    told: bool,
}

/// This node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Me {
    /// Its id.
    pub node: NodeId,
    /// Its certificate.
    pub pin: Pin,
    /// Its boot generation; 0 while it joins.
    pub generation: Generation,
}

/// What this node knows of its network's secret.
#[derive(Debug, Clone)]
pub struct Network {
    /// The network.
    pub id: NetworkId,
    /// The owner's name for this node.
    pub name: String,
    /// The secret of S1.
    pub secret: Secret,
    /// Its generation.
    pub secret_generation: u32,
}

/// Another member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its certificate.
    pub pin: Pin,
    /// Where it is reached; absent until its own words are known.
    pub addr: Option<String>,
    /// The boot generation to address it by: the last that was heard or learned from a refusal.
    pub generation: Generation,
    heard: Option<Generation>,
    /// What it understands, as it announced itself last.
    pub speaks: Speaks,
}

impl Members {
    /// A node without a network.
    #[must_use]
    pub fn new(node: NodeId, pin: Pin) -> Self {
        let me = Me { node, pin, generation: Generation(0) };
        let (by_pin, by_node) = (HashMap::new(), HashMap::new());
        Self(Arc::new(RwLock::new(Picture { me, network: None, by_pin, by_node, told: false })))
    }

    /// This process's boot generation, once it is on disk.
    pub fn set_generation(&self, generation: Generation) {
        self.write().me.generation = generation;
    }

    /// Secret and own name, as they are on disk now.
    pub fn set_network(&self, state: &NetworkState) {
        let mut picture = self.write();
        let me = picture.me.node;
        let own = state.peers.iter().find(|peer| peer.owner.node == me);
        picture.network = Some(Network {
            id: state.network_id,
            name: own.map(|peer| peer.owner.name.clone()).unwrap_or_default(),
            secret: state.network_secret.clone(),
            secret_generation: state.secret_generation,
        });
    }

    /// From now on these are the members and nobody else. A generation that was learned from a refusal stays until a newer word is heard.
    pub fn set_pins(&self, peers: Vec<PinnedPeer>) {
        let mut picture = self.write();
        picture.told = true;
        let mut before = std::mem::take(&mut picture.by_node);
        picture.by_pin = peers.iter().map(|peer| (peer.pin, peer.node)).collect();
        picture.by_node = peers.into_iter().map(|peer| (peer.node, row(before.remove(&peer.node), peer))).collect();
    }

    /// A member said its generation. A stranger's is nobody's.
    pub fn hear_generation(&self, node: NodeId, generation: Generation) {
        if let Some(row) = self.write().by_node.get_mut(&node)
            && row.heard != Some(generation)
        {
            (row.generation, row.heard) = (generation, Some(generation));
        }
    }

    /// A peer's refusal told today's generation.
    pub fn learn_generation(&self, node: NodeId, generation: Generation) {
        if let Some(row) = self.write().by_node.get_mut(&node) {
            row.generation = generation;
        }
    }

    /// A member announced its protocol, or none. Each of its requests and answers does, a refusal for an earlier start included: whoever speaks to a
    /// later start knows before what that one understands.
    pub fn hear_protocol(&self, node: NodeId, protocol: Option<u32>) {
        let speaks = Speaks::of(protocol);
        // Most of the time it is known already, and readers need not wait.
        if self.read().by_node.get(&node).is_some_and(|row| row.speaks != speaks)
            && let Some(row) = self.write().by_node.get_mut(&node)
        {
            row.speaks = speaks;
        }
    }

    /// What a node understands; of a stranger nothing is known.
    #[must_use]
    pub fn speaks(&self, node: &NodeId) -> Speaks {
        self.row(node).map_or(Speaks::of(None), |row| row.speaks)
    }

    /// This node.
    #[must_use]
    pub fn me(&self) -> Me {
        self.read().me
    }

    /// The network; None while this node joins.
    #[must_use]
    pub fn network(&self) -> Option<Network> {
        self.read().network.clone()
    }

    /// Whether the members are known: before that, in the first moments of a process, nobody can be told from a stranger.
    #[must_use]
    pub fn are_known(&self) -> bool {
        self.read().told
    }

    /// Whose certificate this is; this node's own counts.
    #[must_use]
    pub fn node_of(&self, pin: &Pin) -> Option<NodeId> {
        let picture = self.read();
        let own = (picture.me.pin == *pin && picture.network.is_some()).then_some(picture.me.node);
        own.or_else(|| picture.by_pin.get(pin).copied())
    }

    /// A member, this node included.
    #[must_use]
    pub fn row(&self, node: &NodeId) -> Option<Row> {
        let picture = self.read();
        let row = picture.by_node.get(node).cloned();
        if picture.me.node != *node {
            return row;
        }
        let generation = picture.me.generation;
        Some(Row {
            pin: picture.me.pin,
            addr: row.and_then(|row| row.addr),
            generation,
            heard: None,
            speaks: Speaks::of(Some(PROTOCOL)),
        })
    }

    fn read(&self) -> RwLockReadGuard<'_, Picture> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Picture> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn row(before: Option<Row>, peer: PinnedPeer) -> Row {
    let speaks = before.as_ref().map_or(Speaks::of(None), |before| before.speaks);
    let known = before.filter(|before| before.heard == peer.generation).map(|before| before.generation);
    let generation = known.or(peer.generation).unwrap_or_default();
    Row { pin: peer.pin, addr: peer.addr, generation, heard: peer.generation, speaks }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn peer(n: u8, generation: Option<u64>) -> PinnedPeer {
        PinnedPeer { node: NodeId([n; 32]), pin: Pin([n; 32]), addr: None, generation: generation.map(Generation) }
    }

    #[test]
    fn whoever_is_not_in_the_newest_list_is_a_stranger() {
        let members = Members::new(NodeId([1; 32]), Pin([1; 32]));
        members.set_pins(vec![peer(2, None), peer(3, None)]);
        members.set_pins(vec![peer(3, None)]);
        assert_eq!(members.node_of(&Pin([2; 32])), None);
        assert_eq!(members.row(&NodeId([2; 32])), None);
        assert_eq!(members.node_of(&Pin([3; 32])), Some(NodeId([3; 32])));
    }

    #[test]
    fn a_learned_generation_stays_until_a_newer_word_is_heard() {
        let members = Members::new(NodeId([1; 32]), Pin([1; 32]));
        let generation = || members.row(&NodeId([2; 32])).unwrap().generation;
        members.set_pins(vec![peer(2, Some(4))]);
        members.learn_generation(NodeId([2; 32]), Generation(6));
        members.set_pins(vec![peer(2, Some(4))]);
        assert_eq!(generation(), Generation(6));
        members.set_pins(vec![peer(2, Some(7))]);
        assert_eq!(generation(), Generation(7));
        members.hear_generation(NodeId([2; 32]), Generation(8));
        members.hear_generation(NodeId([3; 32]), Generation(8));
        assert_eq!(generation(), Generation(8));
        assert_eq!(members.row(&NodeId([3; 32])), None, "whoever speaks, only the newest list makes a member");
    }

    #[test]
    fn what_a_member_understands_is_what_it_announced_last() {
        // S7: an upgrade and a downgrade alike
        let members = Members::new(NodeId([1; 32]), Pin([1; 32]));
        let beta = NodeId([2; 32]);
        members.set_pins(vec![peer(2, None)]);
        assert_eq!(members.speaks(&beta), Speaks::First, "before it announced anything");
        members.hear_protocol(beta, Some(2));
        members.set_pins(vec![peer(2, Some(4))]);
        assert_eq!(members.speaks(&beta), Speaks::Second);
        members.hear_protocol(beta, None);
        assert_eq!(members.speaks(&beta), Speaks::First);
        members.hear_protocol(NodeId([3; 32]), Some(2));
        assert_eq!(members.speaks(&NodeId([3; 32])), Speaks::First, "nobody's word makes a member");
    }

    #[test]
    fn a_node_without_a_network_knows_nobody_not_even_itself() {
        let members = Members::new(NodeId([1; 32]), Pin([1; 32]));
        assert_eq!(members.node_of(&Pin([1; 32])), None);
    }
}
