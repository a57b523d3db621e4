//! Who is alive: SWIM, by the foca crate. This file gives it its members, its frames and its timers, and tells what changed.
//!
//! Beyond foca: only members of the roster count, whatever a frame names; members that nobody has heard of, and dead ones, are approached
//! now and then, so that healed cuts meet again; and views that still differ after the gossip are compared ([`Membership::export`]).

mod frame;
mod identity;
mod runtime;
mod sync;
mod timing;
mod view;

#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use constella_shared::ids::{Generation, NodeId};
use constella_shared::limits::GOSSIP_FRAMES;
use constella_shared::wire::heartbeat::Digest;
use constella_shared::wire::rpc::Status;
use foca::{Foca, Message, NoCustomBroadcast, PostcardCodec, State, Timer};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::clock::Now;
use crate::config::Settings;
use identity::SwimId;
use runtime::{Collected, config, note};
use view::View;

/// Membership as this node sees it.
pub struct Membership {
    foca: Foca<SwimId, PostcardCodec, StdRng, NoCustomBroadcast>,
    rng: StdRng,
    period_ms: u64,
    suspicion_ms: u64,
    view: View,
    /// Somebody sees these alive, this node does not: to be approached first.
    disputed: Vec<NodeId>,
    superseded: Option<Generation>,
    left: bool,
    changed_ms: u64,
    synced_ms: Option<u64>,
    /// In which time members answer that are not near, milliseconds.
    away: BTreeMap<NodeId, u64>,
}

/// What membership wants done, or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A frame for a member's `Heartbeat.swim`.
    Send {
        /// To whom.
        to: NodeId,
        /// The frame.
        frame: String,
    },
    /// Call [`Membership::timer`] with this. Timers that are due together are handed in by deadline, then in the order they were asked for.
    Timer {
        /// In so many milliseconds of CLOCK_BOOTTIME.
        after_ms: u64,
        /// With this.
        timer: MemberTimer,
    },
    /// A member's status changed.
    Status {
        /// Whose.
        node: NodeId,
        /// Now.
        status: Status,
    },
}

/// A timer of membership's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberTimer {
    /// The gossip's.
    Swim(Timer<SwimId>),
    /// Approach members that are out of touch.
    Approach,
    /// A suspicion that came with another's view, and not by this node's own probe, runs out.
    Doubt {
        /// Against whom.
        id: SwimId,
        /// As of which refutation.
        incarnation: u16,
    },
}

impl fmt::Debug for Membership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("identity", self.foca.identity())
            .field("view", &self.view)
            .finish_non_exhaustive()
    }
}

impl Membership {
    /// This node in this start of its process, alone until [`Membership::known`].
    #[must_use]
    pub fn new(me: NodeId, generation: Generation, settings: &Settings, seed: [u8; 32]) -> Self {
        let own_seed = seed.map(|byte| byte ^ 0x5a);
        let suspicion_ms = settings.heartbeat_ms.saturating_mul(u64::from(settings.down_after_misses)).max(1);
        Self {
            foca: Foca::new(
                SwimId::new(me, generation),
                config(settings, suspicion_ms),
                StdRng::from_seed(seed),
                PostcardCodec,
            ),
            rng: StdRng::from_seed(own_seed),
            period_ms: settings.heartbeat_ms.max(2),
            suspicion_ms,
            view: View::default(),
            disputed: Vec::new(),
            superseded: None,
            left: false,
            changed_ms: 0,
            synced_ms: None,
            away: BTreeMap::new(),
        }
    }

    /// Once, before everything else.
    pub fn start(&mut self, now: Now) -> Vec<Effect> {
        self.changed_ms = now.boot_ms;
        Vec::from([Effect::Timer { after_ms: self.period_ms, timer: MemberTimer::Approach }])
    }

    /// Who belongs, this node included or not: at the start, and whenever the roster's members changed. New ones are approached, ones
    /// that are no longer named are forgotten.
    pub fn known(&mut self, now: Now, members: impl Iterator<Item = NodeId>) -> Vec<Effect> {
        let me = self.me();
        let members: alloc::collections::BTreeSet<NodeId> = members.filter(|node| *node != me).collect();
        let gone: Vec<NodeId> = self.view.nodes().filter(|node| !members.contains(*node)).copied().collect();
        let mut out = Collected::default();
        for node in gone {
            self.forget(&node, &mut out);
        }
        let mut new = Vec::new();
        for node in members {
            if self.view.introduce(node, now.boot_ms) {
                new.push(node);
            }
        }
        if self.view.len() <= SMALL {
            self.announce_to(new, &mut out);
        } else if !new.is_empty() && self.view.active() == 0 {
            self.approach_some(&mut out);
        }
        self.finish(now, out)
    }

    /// Frames that came from a member, in a request or in an answer.
    pub fn frames(&mut self, now: Now, from: NodeId, frames: &[String]) -> Vec<Effect> {
        if !self.view.contains(&from) {
            return Vec::new();
        }
        let mut out = Collected::default();
        for text in frames.iter().take(GOSSIP_FRAMES) {
            let me = self.foca.identity().clone();
            let Some(admitted) = frame::admit(text, from, &me, |node| self.view.contains(node)) else { continue };
            let named = admitted.named.iter().chain([&admitted.header.dst]);
            let own = named.filter(|id| id.node() == me.node()).map(SwimId::generation).max();
            self.superseded = self.superseded.max(own.filter(|heard| *heard > me.generation()));
            out.touched.extend(admitted.named.iter().map(SwimId::node));
            if !self.view.is_alive(&admitted.header.src) {
                out.touched.push(from);
            }
            if admitted.header.dst != me && admitted.header.message != Message::Announce && !self.left {
                // It speaks to an earlier life of this node: the answer shows the present one.
                note(self.foca.announce(admitted.header.src.clone(), &mut out));
            }
            let src = &admitted.header.src;
            if self.is_new() {
                // foca would pass on to others that this one is there; a thousand such pieces of gossip are a storm.
                let alive = foca::Member::new(src.clone(), admitted.header.src_incarnation, State::Alive);
                note(self.foca.apply_many(core::iter::once(alive), false, &mut out));
            }
            note(self.foca.handle_data(&admitted.data, &mut out));
            let mut fed = admitted.fed;
            fed.retain(|member| self.view.id(&member.id().node()).is_none_or(|held| member.id().age() > held.age()));
            if !fed.is_empty() && self.foca.iter_members().any(|member| member.id() == src) {
                note(self.foca.apply_many(fed.into_iter(), false, &mut out));
            }
        }
        self.finish(now, out)
    }

    /// A timer that [`Effect::Timer`] asked for.
    pub fn timer(&mut self, now: Now, timer: MemberTimer) -> Vec<Effect> {
        let mut out = Collected::default();
        match timer {
            MemberTimer::Approach if self.left => {}
            MemberTimer::Approach => {
                let grace_ms = self.suspicion_ms.saturating_add(2 * self.period_ms);
                // Where a whole network starts at once, word of all members takes longer: as long as the view still grows, it may come.
                let grows = now.since(self.changed_ms) < 2 * self.period_ms;
                out.given_up = self.view.give_up(now.boot_ms, if grows { 3 * grace_ms } else { grace_ms });
                self.approach_some(&mut out);
                out.timers.push((self.period_ms, MemberTimer::Approach));
            }
            MemberTimer::Doubt { id, incarnation } => self.doubt(id, incarnation, &mut out),
            MemberTimer::Swim(timer) => {
                match &timer {
                    Timer::ChangeSuspectToDown { member_id: id, .. } | Timer::RemoveDown(id) => {
                        out.touched.push(id.node());
                    }
                    Timer::ProbeRandomMember(_)
                    | Timer::SendIndirectProbe { .. }
                    | Timer::PeriodicAnnounce(_)
                    | Timer::PeriodicAnnounceDown(_)
                    | Timer::PeriodicGossip(_) => {}
                }
                note(self.foca.handle_timer(timer, &mut out));
            }
        }
        self.finish(now, out)
    }

    /// Goes away: tells some members, who tell the others. This node answers no probe from now on.
    pub fn leave(&mut self, now: Now) -> Vec<Effect> {
        let mut out = Collected::default();
        if !self.left {
            self.left = true;
            let leaving = self.foca.identity().leaving();
            note(self.foca.change_identity(leaving, &mut out));
            note(self.foca.leave_cluster(&mut out));
        }
        self.finish(now, out)
    }

    /// A member's status. This node is alive to itself; who does not belong is down.
    #[must_use]
    pub fn status(&self, node: &NodeId) -> Status {
        if *node == self.me() { Status::Alive } else { self.view.status(node).unwrap_or(Status::Down) }
    }

    /// M3: how many this node sees alive or merely suspected, itself included.
    #[must_use]
    pub const fn alive(&self) -> usize {
        self.view.active().saturating_add(1)
    }

    /// A member's boot generation, where it was heard.
    #[must_use]
    pub fn generation(&self, node: &NodeId) -> Option<Generation> {
        self.view.generation(node)
    }

    /// M1: digest over the view. Nodes that know the same lives of the same members to be alive or not have the same digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.view.sum().wrapping_add(view::entry(self.foca.identity(), !self.left)))
    }

    /// Somebody knows a later start of this node: its state is a restored copy. It must take a generation above this one and start anew.
    #[must_use]
    pub const fn superseded(&self) -> Option<Generation> {
        self.superseded
    }

    fn me(&self) -> NodeId {
        self.foca.identity().node()
    }

    fn forget(&mut self, node: &NodeId, out: &mut Collected) {
        let held = self.foca.iter_membership_state().find(|member| member.id().node() == *node).cloned();
        if let Some(member) = held {
            let id = member.id().clone();
            let down = foca::Member::new(id.clone(), member.incarnation(), State::Down);
            note(self.foca.apply_many(core::iter::once(down), false, &mut *out));
            note(self.foca.handle_timer(Timer::RemoveDown(id), &mut *out));
        }
        self.view.forget(node);
        self.away.remove(node);
        self.disputed.retain(|disputed| disputed != node);
    }

    /// Has not heard of so many members that it must be new itself: that they are there is no news to anybody else.
    const fn is_new(&self) -> bool {
        self.view.unheard() > NEWCOMER
    }

    /// Announces this node to members out of touch: to some when it is alone or new, else so seldom that together the others approach each one
    /// about [`FAN`] times a period (M2).
    fn approach_some(&mut self, out: &mut Collected) {
        let (active, inactive) = (self.view.active(), self.view.inactive());
        let new = active == 0 || self.is_new();
        let mut targets = core::mem::take(&mut self.disputed);
        let chance = PER_MILLION.min(PER_MILLION * FAN * inactive / active.max(1));
        if inactive > 0 && (new || self.rng.random_range(0..PER_MILLION) < chance) {
            let mut candidates = self.view.out_of_touch();
            for _ in 0..if new { FAN } else { 1 } {
                if !candidates.is_empty() {
                    targets.push(candidates.swap_remove(self.rng.random_range(0..candidates.len())));
                }
            }
        }
        self.disputed = targets.split_off(targets.len().min(FAN));
        if self.view.len() <= SMALL && self.view.awaited() > 0 {
            targets.extend(self.view.awaiting());
            targets.sort_unstable();
            targets.dedup();
        }
        self.announce_to(targets, out);
    }

    fn announce_to(&mut self, targets: Vec<NodeId>, out: &mut Collected) {
        for node in targets {
            let id = self.view.id(&node).cloned().unwrap_or_else(|| SwimId::unheard(node));
            note(self.foca.announce(id, &mut *out));
        }
    }

    /// Brings the view up to what foca knows now, and turns what it asked for into effects.
    fn finish(&mut self, now: Now, mut out: Collected) -> Vec<Effect> {
        if self.foca.num_members() > 0 && !self.left {
            // After a renewal foca is idle until somebody writes to it; this wakes it at once.
            note(self.foca.apply_many(core::iter::empty(), false, &mut out));
        }
        let mut effects = Vec::new();
        for node in &out.given_up {
            effects.push(Effect::Status { node: *node, status: Status::Down });
        }
        if out.renewed {
            self.changed_ms = now.boot_ms;
        }
        out.touched.sort_unstable();
        out.touched.dedup();
        // foca finds a member by looking at all of them: only where something may have changed (M2).
        if !out.touched.is_empty() {
            for member in self.foca.iter_membership_state() {
                let node = member.id().node();
                if out.touched.binary_search(&node).is_err() {
                    continue;
                }
                let (status, changed) = self.view.note(member);
                effects.extend(status.map(|status| Effect::Status { node, status }));
                if changed {
                    self.changed_ms = now.boot_ms;
                }
            }
        }
        self.follow_wires(&mut out.timers);
        for (after_ms, timer) in out.timers {
            effects.push(Effect::Timer { after_ms, timer });
        }
        let belongs = |(to, _): &(NodeId, String)| self.view.contains(to);
        effects.extend(out.sends.into_iter().filter(belongs).map(|(to, frame)| Effect::Send { to, frame }));
        effects
    }
}

/// Members told, probed indirectly, or approached at once: one broken link must not matter.
const FAN: usize = 3;

/// In a network of so many each node announces itself to every new member, again in each period until it was heard: gossip that names a
/// member before its record came was dropped, and does not come again. Beyond, that would be a storm (M2).
const SMALL: usize = 20;

/// Who waits for word of more members than this is new itself: so many hardly join at once.
const NEWCOMER: usize = 16;

/// Chances are counted in millionths: one dead among a thousand is approached by three of them.
const PER_MILLION: usize = 1_000_000;
