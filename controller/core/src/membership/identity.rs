//! Who a member is to the gossip: a node in one of its lives.

use constella_shared::ids::{Generation, NodeId};
use serde::{Deserialize, Serialize};

/// A node since its last start, or since it was last taken for dead. Of two identities of one node the later one holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwimId {
    /// The node id's bytes: half the size of its text, and gossip repeats them.
    node: [u8; 32],
    /// Boot generation of its controller.
    generation: u64,
    /// Counts up when the node hears that others hold it for dead.
    life: u32,
    /// It went away by itself.
    left: bool,
}

impl SwimId {
    pub(super) const fn new(node: NodeId, generation: Generation) -> Self {
        Self { node: node.0, generation: generation.0, life: 0, left: false }
    }

    /// A node of which only the id is known. Every identity of it is later than this one; only announcements reach it.
    pub(super) const fn unheard(node: NodeId) -> Self {
        Self::new(node, Generation(0))
    }

    /// The same node as it goes away.
    pub(super) const fn leaving(&self) -> Self {
        Self { node: self.node, generation: self.generation, life: self.life.saturating_add(1), left: true }
    }

    pub(super) const fn node(&self) -> NodeId {
        NodeId(self.node)
    }

    pub(super) const fn generation(&self) -> Generation {
        Generation(self.generation)
    }

    pub(super) const fn has_left(&self) -> bool {
        self.left
    }

    /// For the digest over a view.
    pub(super) fn bytes(&self) -> [u8; 45] {
        let mut bytes = [0; 45];
        let parts = self.node.into_iter().chain(self.generation.to_be_bytes()).chain(self.life.to_be_bytes());
        bytes.iter_mut().zip(parts.chain([u8::from(self.left)])).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Where it stands among the identities of its node.
    pub(super) const fn age(&self) -> (u64, u32, bool) {
        (self.generation, self.life, self.left)
    }
}

impl foca::Identity for SwimId {
    type Addr = [u8; 32];

    fn renew(&self) -> Option<Self> {
        (!self.left).then(|| Self { life: self.life.saturating_add(1), ..self.clone() })
    }

    fn addr(&self) -> [u8; 32] {
        self.node
    }

    fn win_addr_conflict(&self, adversary: &Self) -> bool {
        self.age() > adversary.age()
    }
}
