//! M1: what gossip missed. Views whose digests still differ after a while are laid side by side.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::heartbeat::Digest;
use foca::{Member, State};

use super::identity::SwimId;
use super::runtime::{Collected, note};
use super::{Effect, MemberTimer, Membership, frame};
use crate::clock::Now;

impl Membership {
    /// Whether to exchange views (`Members.Sync`) with a member whose heartbeat carried `theirs`: it differs, and gossip had its time.
    pub fn sync_due(&mut self, now: Now, theirs: Digest) -> bool {
        let since_sync = self.synced_ms.map_or(u64::MAX, |at| now.since(at));
        let wait = if self.view.awaited() > 0 { 1 } else { SETTLED };
        let settled = now.since(self.changed_ms) >= SETTLED * self.period_ms
            || since_sync >= OVERDUE * self.period_ms
            || self.view.awaited() > 0;
        let due = theirs != self.digest() && settled && since_sync >= wait * self.period_ms && !self.left;
        if due {
            self.synced_ms = Some(now.boot_ms);
        }
        due
    }

    /// Every member that was heard of, as this node has it, itself first.
    #[must_use]
    pub fn export(&self) -> Vec<String> {
        let own = Member::alive(self.foca.identity().clone());
        let others =
            self.foca.iter_membership_state().filter(|member| self.view.contains(&member.id().node())).cloned();
        let members: Vec<Member<SwimId>> = core::iter::once(own).filter(|_| !self.left).chain(others).collect();
        frame::encode_members(&members)
    }

    /// Lays another's view beside this one. A later life is taken as it is. Where only the other holds somebody for dead, that one is
    /// suspected here and can refute it; where only this node does, it approaches the one in question.
    pub fn import(&mut self, now: Now, members: &[String]) -> Vec<Effect> {
        let mut out = Collected::default();
        let held: BTreeMap<NodeId, Member<SwimId>> =
            self.foca.iter_membership_state().map(|member| (member.id().node(), member.clone())).collect();
        for theirs in members.iter().filter_map(|text| frame::decode_members(text)).flatten() {
            self.compare(theirs, &held, &mut out);
        }
        self.disputed.sort_unstable();
        self.disputed.dedup();
        self.finish(now, out)
    }

    fn compare(&mut self, theirs: Member<SwimId>, held: &BTreeMap<NodeId, Member<SwimId>>, out: &mut Collected) {
        let (id, me) = (theirs.id().clone(), self.foca.identity().clone());
        let node = id.node();
        if node == me.node() {
            if id == me && theirs.state() != State::Alive {
                note(self.foca.apply_many(core::iter::once(theirs), false, &mut *out));
            } else if id.generation() > me.generation() {
                self.superseded = self.superseded.max(Some(id.generation()));
            }
            return;
        }
        if !self.view.contains(&node) {
            return;
        }
        let is_down = theirs.state() == State::Down;
        let Some(mine) = held.get(&node).filter(|mine| mine.id().age() >= id.age()) else {
            return self.take(&theirs, out);
        };
        match (mine.state() == State::Down, is_down) {
            _ if *mine.id() != id => {}
            (false, false) if theirs.incarnation() > mine.incarnation() => self.take(&theirs, out),
            (false, true) => {
                let incarnation = mine.incarnation();
                let suspect = Member::new(id.clone(), incarnation, State::Suspect);
                out.touched.push(node);
                note(self.foca.apply_many(core::iter::once(suspect), true, &mut *out));
                out.timers.push((self.suspicion_ms, MemberTimer::Doubt { id, incarnation }));
            }
            (true, false) => self.disputed.push(node),
            (true, true) | (false, false) => {}
        }
    }

    /// Takes another's word, but no suspicion: that is its finder's to follow up, and here it would have no end.
    fn take(&mut self, theirs: &Member<SwimId>, out: &mut Collected) {
        let state = if theirs.state() == State::Down { State::Down } else { State::Alive };
        let taken = Member::new(theirs.id().clone(), theirs.incarnation(), state);
        out.touched.push(theirs.id().node());
        note(self.foca.apply_many(core::iter::once(taken), false, &mut *out));
    }

    /// A suspicion of [`Membership::import`] ran out: who has not refuted it is down.
    pub(super) fn doubt(&mut self, id: SwimId, incarnation: u16, out: &mut Collected) {
        let stands = |member: &Member<SwimId>| {
            *member.id() == id && member.state() == State::Suspect && member.incarnation() == incarnation
        };
        if self.foca.iter_membership_state().any(stands) {
            out.touched.push(id.node());
            let down = Member::new(id, incarnation, State::Down);
            note(self.foca.apply_many(core::iter::once(down), true, &mut *out));
        }
    }
}

/// Periods without a change here before a difference counts as missed by the gossip.
const SETTLED: u64 = 2;

/// Periods after which a difference is looked into although something always changes.
const OVERDUE: u64 = 15;
