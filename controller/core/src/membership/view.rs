//! What this node knows of each member, with the digest and the counts kept up on each change (M2: no look at all members).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId};
use constella_shared::wire::rpc::Status;
use foca::{Member, State};
use sha2::{Digest as _, Sha256};

use super::identity::SwimId;

/// Every member of the roster but this node.
#[derive(Debug, Default)]
pub(super) struct View {
    members: BTreeMap<NodeId, Standing>,
    sum: u64,
    active: usize,
    /// Members of which no word has come.
    unheard: usize,
    /// Those among them that had no time for it either.
    awaited: usize,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Belongs, but nobody has said anything of it yet.
    Unheard {
        /// Since when it is known to belong, CLOCK_BOOTTIME.
        since_ms: u64,
        /// It had its time to be heard.
        given_up: bool,
    },
    /// As the gossip has it.
    Heard {
        /// In which life.
        id: SwimId,
        /// How it is.
        state: State,
    },
}

impl Standing {
    fn status(&self) -> Status {
        match self {
            Self::Unheard { given_up: false, .. } => Status::Suspect,
            Self::Unheard { given_up: true, .. } => Status::Down,
            Self::Heard { id, .. } if id.has_left() => Status::Left,
            Self::Heard { state: State::Alive, .. } => Status::Alive,
            Self::Heard { state: State::Suspect, .. } => Status::Suspect,
            Self::Heard { state: State::Down, .. } => Status::Down,
        }
    }

    const fn is_unheard(&self) -> bool {
        matches!(self, Self::Unheard { .. })
    }

    const fn is_awaited(&self) -> bool {
        matches!(self, Self::Unheard { given_up: false, .. })
    }

    fn is_active(&self) -> bool {
        matches!(self, Self::Heard { id, state: State::Alive | State::Suspect } if !id.has_left())
    }

    fn entry(&self) -> u64 {
        match self {
            Self::Unheard { .. } => 0,
            Self::Heard { id, .. } => entry(id, self.is_active()),
        }
    }
}

impl View {
    /// A member that was not known. Answers false where it was.
    pub(super) fn introduce(&mut self, node: NodeId, since_ms: u64) -> bool {
        let known = self.members.contains_key(&node);
        if !known {
            self.members.insert(node, Standing::Unheard { since_ms, given_up: false });
            self.unheard += 1;
            self.awaited += 1;
        }
        !known
    }

    pub(super) fn forget(&mut self, node: &NodeId) {
        if let Some(standing) = self.members.remove(node) {
            self.sum = self.sum.wrapping_sub(standing.entry());
            self.active -= usize::from(standing.is_active());
            self.unheard -= usize::from(standing.is_unheard());
            self.awaited -= usize::from(standing.is_awaited());
        }
    }

    pub(super) fn contains(&self, node: &NodeId) -> bool {
        self.members.contains_key(node)
    }

    pub(super) fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.members.keys()
    }

    pub(super) fn status(&self, node: &NodeId) -> Option<Status> {
        self.members.get(node).map(Standing::status)
    }

    pub(super) fn generation(&self, node: &NodeId) -> Option<Generation> {
        match self.members.get(node)? {
            Standing::Unheard { .. } => None,
            Standing::Heard { id, .. } => Some(id.generation()),
        }
    }

    /// Alive and suspect ones.
    pub(super) const fn active(&self) -> usize {
        self.active
    }

    /// Members of which no word has come yet, and that had no time for it either.
    pub(super) const fn awaited(&self) -> usize {
        self.awaited
    }

    /// Members of which no word has come.
    pub(super) const fn unheard(&self) -> usize {
        self.unheard
    }

    /// Members that are not active.
    pub(super) fn inactive(&self) -> usize {
        self.members.len().saturating_sub(self.active)
    }

    /// Sum over all members that were heard of.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    /// Whether this very life of a member is known to be alive, and not merely suspected: then its word changes nothing.
    pub(super) fn is_alive(&self, wanted: &SwimId) -> bool {
        let standing = self.members.get(&wanted.node());
        matches!(standing, Some(Standing::Heard { id, state: State::Alive }) if id == wanted)
    }

    /// Notes how the gossip has a member now; its new status where that changed, and whether anything did.
    pub(super) fn note(&mut self, member: &Member<SwimId>) -> (Option<Status>, bool) {
        let now = Standing::Heard { id: member.id().clone(), state: member.state() };
        self.replace(&member.id().node(), now)
    }

    /// Those that were known for longer than `grace_ms` without a word of them: they count as down from now on.
    pub(super) fn give_up(&mut self, now_ms: u64, grace_ms: u64) -> Vec<NodeId> {
        if self.awaited == 0 {
            return Vec::new();
        }
        let late = |standing: &Standing| matches!(standing, Standing::Unheard { since_ms, given_up: false } if now_ms.saturating_sub(*since_ms) >= grace_ms);
        let late: Vec<NodeId> = self.members.iter().filter(|(_, s)| late(s)).map(|(node, _)| *node).collect();
        for node in &late {
            self.replace(node, Standing::Unheard { since_ms: now_ms, given_up: true });
        }
        late
    }

    /// All but this node.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Members of which no word has come yet, and that had no time for it either.
    pub(super) fn awaiting(&self) -> impl Iterator<Item = NodeId> {
        self.members.iter().filter(|(_, standing)| standing.is_awaited()).map(|(node, _)| *node)
    }

    /// Members to be approached: all that are not active.
    pub(super) fn out_of_touch(&self) -> Vec<NodeId> {
        self.members.iter().filter(|(_, standing)| !standing.is_active()).map(|(node, _)| *node).collect()
    }

    /// In which life a member is known.
    pub(super) fn id(&self, node: &NodeId) -> Option<&SwimId> {
        match self.members.get(node)? {
            Standing::Unheard { .. } => None,
            Standing::Heard { id, .. } => Some(id),
        }
    }

    fn replace(&mut self, node: &NodeId, now: Standing) -> (Option<Status>, bool) {
        let Some(standing) = self.members.get_mut(node) else { return (None, false) };
        let (before, after) = (standing.status(), now.status());
        let (old, new) = (standing.entry(), now.entry());
        self.sum = self.sum.wrapping_sub(old).wrapping_add(new);
        self.active = self.active + usize::from(now.is_active()) - usize::from(standing.is_active());
        self.unheard = self.unheard + usize::from(now.is_unheard()) - usize::from(standing.is_unheard());
        self.awaited = self.awaited + usize::from(now.is_awaited()) - usize::from(standing.is_awaited());
        *standing = now;
        ((before != after).then_some(after), old != new)
    }
}

/// A member's share of the digest: its life, and whether it is active. Suspicion is left out: it comes and goes.
pub(super) fn entry(id: &SwimId, active: bool) -> u64 {
    let hash: [u8; 32] = Sha256::new().chain_update(id.bytes()).chain_update([u8::from(active)]).finalize().into();
    hash.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}
