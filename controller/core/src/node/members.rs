//! Heartbeats, gossip and the exchange of records.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::heartbeat::{Facts, Heartbeat};
use constella_shared::wire::records::Records;
use constella_shared::wire::rpc::{Request, RosterSync, Status};
use rand::RngExt as _;

use super::Node;
use super::pending::Pending;
use crate::clock::Now;
use crate::io::{CallId, Note, Output, PeerRequest, PinnedPeer, Trouble};
use crate::membership::Effect;
use crate::roster::Merged;
use crate::voters;

impl Node {
    /// Sends a request and remembers who waits for its answer. The limit is for a wire without length; a longer one gets more.
    pub(super) fn call(&mut self, to: NodeId, limit_ms: u64, request: PeerRequest, why: Pending) -> CallId {
        self.call_within(to, limit_ms.saturating_add(self.peers.allowance_ms(&to)), request, why)
    }

    /// The same with exactly this limit.
    pub(super) fn call_within(&mut self, to: NodeId, timeout_ms: u64, request: PeerRequest, why: Pending) -> CallId {
        let call = self.calls.next();
        self.pending.insert(call, why);
        self.out.push(Output::Call { call, to, timeout_ms, request });
        call
    }

    /// What this node says of itself now.
    pub(super) fn facts(&self, now: Now) -> Facts {
        Facts {
            generation: self.generation,
            boot_ms: now.boot_ms,
            unix_ms: now.unix_ms,
            up_ms: now.since(self.born),
            ready: self.is_ready(),
            reaches_voters: self.reaches_voters(now),
            stopping: self.retired,
            sees: u16::try_from(self.membership.alive()).unwrap_or(u16::MAX),
            glance: self.host.glance,
            disk: self.disk.trouble().map(Trouble::to_wire),
        }
    }

    /// A heartbeat for a node, with these gossip frames.
    pub(super) fn heartbeat(&self, now: Now, to: &NodeId, swim: Vec<String>) -> Heartbeat {
        Heartbeat {
            swim,
            roster: self.roster.digest_for(to),
            view: self.membership.digest(),
            lease: self.lease_view(now),
            facts: self.facts(now),
        }
    }

    /// Takes a heartbeat in and answers with the frames that gossip has for its sender.
    pub(super) fn heartbeat_came(
        &mut self,
        now: Now,
        from: NodeId,
        heartbeat: Heartbeat,
        rtt_ms: Option<u32>,
    ) -> Vec<String> {
        self.heard(now, from, heartbeat.facts.clone(), rtt_ms);
        self.resume.hear(heartbeat.lease.as_ref(), self.id);
        if let Some(view) = heartbeat.lease.as_ref().filter(|view| view.holder.node != self.id) {
            self.view_told(now, view);
        }
        if let Some(sync) = self.roster.sync_due(now, from, heartbeat.roster) {
            self.sync(from, sync);
        }
        let effects = self.membership.frames(now, from, &heartbeat.swim);
        let frames = self.member_effects(now, Some(from), effects);
        self.mend_the_view(now, from, &heartbeat);
        frames
    }

    /// Facts came from a node, by any way.
    pub(super) fn heard(&mut self, now: Now, from: NodeId, facts: Facts, rtt_ms: Option<u32>) {
        let before = self.peers.generation(&from);
        self.watch.twins.heard(now, from, &facts);
        self.peers.heard(now, from, facts, rtt_ms);
        let heard = self.peers.generation(&from).filter(|heard| Some(*heard) != before);
        // One row and not all of them: a thousand members are met one after another (M2).
        self.out.extend(heard.map(|generation| Output::Generation { node: from, generation }));
    }

    /// Performs what gossip wants; answers the frames for `requester`, which ride on its answer.
    pub(super) fn member_effects(&mut self, now: Now, requester: Option<NodeId>, effects: Vec<Effect>) -> Vec<String> {
        let mut reply = Vec::new();
        for effect in effects {
            match effect {
                Effect::Send { to, frame } if Some(to) == requester => reply.push(frame),
                Effect::Send { to, frame } => self.frames.entry(to).or_default().push(frame),
                Effect::Timer { after_ms, timer } => {
                    let number = self.calls.next().0;
                    self.member_timers.insert((now.boot_ms.saturating_add(after_ms), number), timer);
                }
                Effect::Status { node, status } => self.status_changed(now, node, status),
            }
        }
        reply
    }

    /// Gossip's timers that are due.
    pub(super) fn member_timers_due(&mut self, now: Now) {
        while let Some(entry) = self.member_timers.first_entry().filter(|entry| entry.key().0 <= now.boot_ms) {
            let timer = entry.remove();
            let effects = self.membership.timer(now, timer);
            self.member_effects(now, None, effects);
        }
    }

    /// Frames of this step that no answer takes along: one heartbeat for each node.
    pub(super) fn send_frames(&mut self, now: Now) {
        for (to, frames) in core::mem::take(&mut self.frames) {
            if self.roster.is_member(&to) && to != self.id {
                let heartbeat = self.heartbeat(now, &to, frames);
                let limit = self.settings.heartbeat_timeout_ms;
                self.call(to, limit, PeerRequest::Heartbeat(heartbeat), Pending::Heartbeat { to, sent: now });
            }
        }
    }

    /// Gossip learns who belongs.
    pub(super) fn introduce_members(&mut self, now: Now) {
        let members: Vec<NodeId> = self.roster.members().map(|member| member.id).collect();
        let effects = self.membership.known(now, members.into_iter());
        self.member_effects(now, None, effects);
    }

    /// TLS and dialling learn who belongs, and the bot's client its token.
    pub(super) fn publish_members(&mut self, _now: Now) {
        let generation = |peer: PinnedPeer| PinnedPeer { generation: self.peers.generation(&peer.node), ..peer };
        let pins = self.roster.pinned().into_iter().map(generation).collect();
        self.out.push(Output::Pins(pins));
        let token = self.roster.token();
        if token != self.token.as_ref()
            && let Some(token) = token.cloned()
        {
            self.token = Some(token.clone());
            self.out.push(Output::Token(token));
            self.probe.hurry(self.last);
        }
    }

    /// Books what a merge changed, and hands on what it brought.
    pub(super) fn merged(&mut self, now: Now, merged: Merged) {
        self.network_dirty |= merged.network_changed;
        self.invites_dirty |= merged.invites_changed;
        if merged.voters_changed {
            self.claim.hurry(now);
        }
        if merged.voters_changed || merged.pins_changed {
            self.look_at_the_voters();
        }
        if merged.pins_changed {
            self.introduce_members(now);
            let roster = &self.roster;
            self.peers.retain(|node| roster.is_member(node));
        }
        if merged.network_changed {
            self.publish_members(now);
        }
        self.learn_alerts(now, &merged.news.net);
        self.records_refused(now, &merged.refused);
        for token in merged.spent_twice {
            self.warn(alloc::format!("a cut let the invitation {} be used twice", token.short()));
        }
    }

    /// R1, R4: before a member's records are taken, which clocks are in sight, and what that member may change.
    pub(super) fn listen_to(&mut self, now: Now, from: NodeId) {
        self.hear_clocks(now);
        let word = self.word_of(now, from);
        self.roster.listen_to(now, word);
    }

    /// R1: before records are taken or written, which clocks are in sight.
    pub(super) fn hear_clocks(&mut self, now: Now) {
        self.roster.hear_clocks(self.peers.fastest_ahead_ms(now));
    }

    /// Sends a step of the exchange of records.
    pub(super) fn sync(&mut self, with: NodeId, sync: RosterSync) {
        let limit = self.settings.rpc_timeout_ms;
        self.call(with, limit, PeerRequest::Rpc(Request::RosterSync(sync)), Pending::Sync { with });
    }

    /// The answer to a step of the exchange.
    pub(super) fn synced(&mut self, now: Now, with: NodeId, answer: RosterSync) {
        self.listen_to(now, with);
        let (follow_up, merged) = self.roster.sync_finish(now, answer, self.keys.as_ref());
        self.merged(now, merged);
        if let Some(sync) = follow_up {
            self.sync(with, sync);
        }
    }

    /// Tells records to everybody, or in a large network to some, from whom the others learn them by heartbeat.
    pub(super) fn announce(&mut self, now: Now, records: &Records) {
        if *records == Records::default() {
            return;
        }
        self.network_dirty = true;
        self.invites_dirty |= !records.invites.is_empty();
        self.publish_members(now);
        for node in self.audience() {
            let request = PeerRequest::Announce(records.clone());
            self.call(node, self.settings.rpc_timeout_ms, request, Pending::Told { to: node });
        }
    }

    /// Records that somebody announced.
    pub(super) fn announced(&mut self, now: Now, from: NodeId, records: Records) {
        self.listen_to(now, from);
        let merged = self.roster.merge(now, records, self.keys.as_ref());
        self.merged(now, merged);
    }

    /// Whom this node tells news directly: everybody that it sees alive (who has just started sees nobody yet, and tells all), or in a
    /// large network a random handful.
    pub(super) fn audience(&mut self) -> Vec<NodeId> {
        let just_started = self.last.since(self.born) < self.settings.heartbeat_ms.saturating_mul(VIEW_PERIODS);
        let alive = |node: &NodeId| *node != self.id && (just_started || self.membership.status(node) != Status::Down);
        let mut nodes: Vec<NodeId> = self.roster.members().map(|member| member.id).filter(alive).collect();
        while nodes.len() > AUDIENCE {
            let at = self.rng.random_range(0..nodes.len());
            nodes.swap_remove(at);
        }
        nodes
    }

    /// M1: where the views differ although gossip had its time, all members are exchanged.
    fn mend_the_view(&mut self, now: Now, from: NodeId, heartbeat: &Heartbeat) {
        if self.membership.sync_due(now, heartbeat.view) {
            let request = Request::MembersSync { members: self.membership.export() };
            let limit = self.settings.rpc_timeout_ms;
            self.call(from, limit, PeerRequest::Rpc(request), Pending::Members { with: from });
        }
    }

    /// The state folder is an older copy of itself: nothing that this node says is heard, so it ends, and starts again as a later life.
    pub(super) fn outlive_a_restored_copy(&mut self) {
        if let Some(later) = self.membership.superseded().filter(|_| !self.retired) {
            self.retired = true;
            self.durable.outlive(later);
            self.warn(String::from(
                "this state folder is an older copy of itself; the node starts again as a later life",
            ));
            self.out.push(Output::Stopped);
        }
    }

    fn status_changed(&mut self, now: Now, node: NodeId, status: Status) {
        self.status_since.insert(node, (status, now.boot_ms));
        self.doubt(now, node, status);
        if voters::everyone(self.roster.voters()).contains(&node) {
            self.look_at_the_voters();
        }
        if status == Status::Down {
            self.peers.lost(now, node);
        }
        self.out.push(Output::Note(Note::Member { node, status }));
    }
}

/// News are told to at most so many directly; the others learn them from the digests within a few heartbeats.
const AUDIENCE: usize = 20;

/// A few periods after its start a node has heard of everybody.
const VIEW_PERIODS: u64 = 3;
