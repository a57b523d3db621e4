//! The lease at work: when this node claims, what its claim is worth, when it withdraws, and who votes.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{LeaderKey, NodeId, Term};
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, LeaseRefusal, LeaseRelease, LeaseView, Strength};
use constella_shared::wire::records::VoterRecord;
use constella_shared::wire::rpc::{Request, RpcCode, RpcError, Status};

use super::Node;
use super::pending::Pending;
use super::requests::refusal;
use crate::clock::Now;
use crate::election::{self, Candidate};
use crate::io::{BotState, PeerRequest};
use crate::lease::claim::{AskSent, Holds, Standing};
use crate::peers::STEADY_MS;
use crate::voters;

impl Node {
    /// Claims, renews, follows and withdraws, as far as it is time.
    pub(super) fn lease_due(&mut self, now: Now) {
        self.withdraw_for_a_better(now);
        self.withdraw_when_disowned(now);
        if !self.claim.active() && self.claim_at().is_some_and(|at| now.boot_ms >= at) {
            self.claim.begin(now, &self.durable);
            self.resume.claimed();
        }
        if self.claim.next_round().is_some_and(|at| now.boot_ms >= at) {
            self.ask_voters(now);
        }
        self.follow_the_claim(now);
    }

    /// L4: when this node claims, if nothing happens before; None while it holds, claims, or may not.
    pub(super) fn claim_at(&self) -> Option<u64> {
        if self.claim.active() || self.retired || self.left_to_voters || self.is_disowned() {
            return None;
        }
        let alone = self.roster.len() <= 1;
        let listened = if alone { self.born } else { self.born.saturating_add(self.settings.lease_ttl_ms) };
        // A voter knows its own grant to the holder, which is renewed every second; heartbeats tell of a renewal later.
        let granted = self.voter.last_grant().filter(|(holder, _)| *holder != self.id).map_or(0, |(_, until)| until);
        if self.may_resume(self.last) {
            return Some(granted.max(self.barred_until));
        }
        if self.may_claim_early(self.last) {
            return Some(listened.max(self.barred_until));
        }
        let free = self.seen.until().max(granted).max(listened).max(self.barred_until);
        // Whose turn it is then is looked up then, and not in every step of a calm network (M2).
        if self.last.boot_ms < free {
            return Some(free);
        }
        if self.has_the_wrong_clock(self.last) {
            return None;
        }
        Some(free.saturating_add(self.claim_delay(self.last)))
    }

    /// The lease as others are told of it: this node's own, or the one that it heard of. A strong one that has not run out yet goes before an own
    /// weak one, which stands beside it only where its holder seems dead: where that one is back, it shall hear of its own.
    pub(super) fn lease_view(&self, now: Now) -> Option<LeaseView> {
        let seen = self.seen.live(now);
        let before = seen.as_ref().is_some_and(|view| view.strength == Strength::Strong);
        match self.held {
            Some(Strength::Weak) if before => seen,
            Some(Strength::Strong | Strength::Weak) | None => self.my_lease(now).or(seen),
        }
    }

    /// This node's own lease.
    pub(super) fn my_lease(&self, now: Now) -> Option<LeaseView> {
        let strength = self.held?;
        let left_ms = match (strength, self.strong_until()) {
            (Strength::Strong, until) => until?.saturating_sub(now.boot_ms),
            (Strength::Weak, _) => self.settings.lease_ttl_ms,
        };
        let polling = self.fence.state() == BotState::Polling;
        let (term, renewal) = (self.claim.term(), self.claim.renewal());
        Some(LeaseView { holder: self.key(), term, strength, polling, renewal, left_ms })
    }

    /// L2: until when this node is a strong holder.
    pub(super) fn strong_until(&self) -> Option<u64> {
        self.held?;
        match self.claim.standing(self.last, self.key(), self.roster.voters()) {
            Standing::Strong { until } => Some(until),
            Standing::Weak { .. } | Standing::Open | Standing::GiveWay { .. } => None,
        }
    }

    /// Whoever holds as far as this node knows.
    pub(super) fn holder(&self, now: Now) -> Option<LeaderKey> {
        self.lease_view(now).map(|view| view.holder)
    }

    /// Answers an ask as a voter; a newer voter record that came with it is taken over first.
    pub(super) fn vote(&mut self, now: Now, ask: &LeaseAsk) -> LeaseAnswer {
        // A voter with a living grant learns of voters from whom it granted, and from nobody else.
        let other = self.voter.granted(now).is_some_and(|(holder, ..)| holder.node != ask.holder.node);
        if let Some(record) = ask.voters.clone().filter(|record| record.mark == ask.mark && !other) {
            self.take_voters(now, record);
        }
        if let Some(refused) = self.cannot_grant(ask) {
            return refused;
        }
        let record = self.roster.voters().clone();
        let answer = self.voter.ask(now, &mut self.durable, &record, ask);
        if let (LeaseAnswer::Granted { .. }, Some(strength)) = (&answer, ask.held)
            && ask.holder.node != self.id
        {
            // First-hand: the voters know of a renewal before any heartbeat tells, and tell it on.
            let left_ms = self.settings.lease_ttl_ms;
            let (term, polling, renewal) = (ask.term, ask.polling, ask.seq);
            let view = LeaseView { holder: ask.holder, term, strength, polling, renewal, left_ms };
            self.seen.hear(now, &view, left_ms);
        }
        answer
    }

    /// Takes a higher voter record over; a lower one changes nothing.
    pub(super) fn take_voters(&mut self, now: Now, record: VoterRecord) {
        if self.roster.set_voters(record).is_some() {
            self.network_dirty = true;
            self.look_at_the_voters();
            self.claim.hurry(now);
        }
    }

    /// A voter answered, or did not.
    pub(super) fn ask_answered(&mut self, now: Now, voter: NodeId, sent: &AskSent, answer: Option<&LeaseAnswer>) {
        if let Some(LeaseAnswer::Refused { reason: LeaseRefusal::OlderVoters, voters: Some(record), .. }) = answer {
            if self.held == Some(Strength::Strong) {
                self.outnumber(now, record.mark);
            } else {
                self.take_voters(now, record.clone());
            }
        }
        self.claim.answered(now, &mut self.durable, voter, sent, answer);
        self.follow_the_claim(now);
    }

    /// Gives the lease back; the caller says until when this node does not claim.
    pub(super) fn let_go(&mut self, stopping: bool) -> Vec<(NodeId, LeaseRelease)> {
        let record = self.roster.voters().clone();
        self.held = None;
        self.told = false;
        self.claim.end(self.id, &mut self.durable, &record, stopping)
    }

    /// Sends releases; this node's own voter is told directly.
    pub(super) fn send_releases(&mut self, releases: Vec<(NodeId, LeaseRelease)>) -> Vec<crate::io::CallId> {
        let mut calls = Vec::new();
        for (voter, release) in releases {
            if voter == self.id {
                self.voter.release(&release);
            } else {
                let request = PeerRequest::Rpc(Request::LeaseRelease(release));
                calls.push(self.call(voter, RELEASE_LIMIT_MS, request, Pending::Release { voter }));
            }
        }
        calls
    }

    /// The holder said itself that it let go, and named this node.
    ///
    /// # Errors
    /// From somebody whom this node does not see hold, and did not within the last TTL: nothing was changed.
    pub(super) fn our_turn(&mut self, now: Now, from: NodeId, term: Term) -> Result<(), RpcError> {
        let held_lately = now.boot_ms < self.seen.until().saturating_add(self.settings.lease_ttl_ms);
        if self.seen.holder() != Some(from) || !held_lately {
            return Err(refusal(RpcCode::NotHolder, "only the holder hands the bot over"));
        }
        self.seen.let_go(now, from);
        self.durable.raise_near(term);
        self.barred_until = now.boot_ms;
        // Its word may come after the grants that it made room for.
        self.told = self.held != Some(Strength::Strong);
        self.claim.begin(now, &self.durable);
        Ok(())
    }

    /// Once a second: a strong holder completes a change of voters, or begins one.
    pub(super) fn tend_voters(&mut self, now: Now) {
        // L1: a record that this node cannot store is not one that it writes.
        if self.held != Some(Strength::Strong) || self.disk.trouble().is_some() {
            return;
        }
        let record = self.roster.voters();
        let granted = |voter: &NodeId| self.claim.granted_under(now, voter, record.mark);
        let next = voters::next(record, self.claim.term(), &self.voter_candidates(now), granted);
        let Some(next) = next else { return };
        if !self.claim.is_strong_under(now, &next) {
            // The newcomers are asked first: their grants count from the moment the record is written, and the bot is not without a holder.
            return self.claim.canvass(now, &next);
        }
        if let Some(records) = self.roster.set_voters(next) {
            self.network_dirty = true;
            self.look_at_the_voters();
            self.claim.hurry(now);
            self.announce(now, &records);
        }
    }

    fn voter_candidates(&self, now: Now) -> Vec<voters::Candidate> {
        let mut members: Vec<LeaderKey> =
            self.roster.members().map(|m| LeaderKey { priority: m.priority, node: m.id }).collect();
        members.retain(|key| !self.roster.is_leaving(&key.node));
        members.sort_unstable();
        let candidate = |key: LeaderKey| {
            let node = key.node;
            let (status, since) = self.status_since.get(&node).copied().unwrap_or((Status::Down, self.born));
            let alive = node == self.id || (status == Status::Alive && self.peers.failing(&node).is_none());
            let long_down = !alive && status != Status::Alive && now.since(since) >= voters::REPLACE_AFTER_MS;
            voters::Candidate { node, alive, long_down }
        };
        members.into_iter().map(candidate).collect()
    }

    fn ask_voters(&mut self, now: Now) {
        let (key, record) = (self.key(), self.roster.voters().clone());
        let sent = AskSent { sent: now, term: self.claim.term() };
        let holds = Holds { held: self.held, polling: self.fence.state() == BotState::Polling };
        self.claim.takes(self.round_ms());
        // L1: a number that is not on disk is told to nobody else.
        let may_ask = self.disk.holds_seqs(self.durable.seq());
        for (voter, ask) in self.claim.round(now, key, holds, &mut self.durable, &record) {
            if voter == self.id {
                let answer = self.vote(now, &ask);
                self.claim.answered(now, &mut self.durable, voter, &sent, Some(&answer));
            } else if !may_ask || !self.roster.is_member(&voter) {
                self.claim.answered(now, &mut self.durable, voter, &sent, None);
            } else {
                let request = PeerRequest::Rpc(Request::LeaseAcquire(ask));
                // Over a long wire several rounds are on their way at once. A grant that comes after a TTL is over.
                let limit = (self.settings.lease_ttl_ms / 4).max(1).saturating_add(self.peers.allowance_ms(&voter));
                let limit = limit.min(self.settings.lease_ttl_ms);
                self.call_within(voter, limit, request, Pending::Ask { voter, sent, at: now });
            }
        }
    }

    /// L2: turns what the claim is worth into what this node holds.
    fn follow_the_claim(&mut self, now: Now) {
        if !self.claim.active() {
            return self.now_holds(now, None);
        }
        self.claim.expect_nothing_of(self.refusing_holder(now));
        let held = match self.claim.standing(now, self.key(), self.roster.voters()) {
            Standing::Strong { .. } => Some(Strength::Strong),
            Standing::Weak { .. } if self.has_the_wrong_clock(now) => {
                self.warn(String::from(
                    "the other nodes agree on another time and refuse this one's requests; set its clock (NTP)",
                ));
                let _the_voters_refuse_it = self.let_go(false);
                self.barred_until = now.boot_ms.saturating_add(WEAK_AGAIN_MS);
                None
            }
            // L5: the last holder itself named this node, so its own silence as a voter speaks against nothing.
            Standing::Weak { reached } if reached || self.told || self.is_smallest_alive() => Some(Strength::Weak),
            Standing::Weak { .. } => {
                let _nothing_was_granted = self.let_go(false);
                self.barred_until = now.boot_ms.saturating_add(WEAK_AGAIN_MS);
                None
            }
            Standing::GiveWay { until } => {
                let releases = self.let_go(false);
                self.send_releases(releases);
                self.barred_until = until;
                None
            }
            Standing::Open => None,
        };
        self.now_holds(now, held);
    }

    fn now_holds(&mut self, now: Now, held: Option<Strength>) {
        let before = core::mem::replace(&mut self.held, held);
        if held != before {
            self.fence.heard_after_ms = self.farthest_ms();
        }
        if held != Some(Strength::Strong) {
            self.refused.strong_since = None;
        }
        if held == Some(Strength::Strong) && before != Some(Strength::Strong) {
            self.refused.strong_since = Some(now.boot_ms);
            self.told = false;
            // The election is not over for everybody yet: a hand-over on top of it would open it anew.
            self.at.steady = now.boot_ms.saturating_add(STEADY_MS);
            self.durable.raise(self.claim.term());
            let request = Request::BotTakeover { holder: self.key(), term: self.claim.term() };
            for node in self.audience() {
                self.call(
                    node,
                    self.settings.rpc_timeout_ms,
                    PeerRequest::Rpc(request.clone()),
                    Pending::Told { to: node },
                );
            }
            self.keep_the_bots_name(now);
        }
        if held.is_none() && before.is_some() {
            self.told = false;
        }
    }

    /// L2: whoever hears of a strong holder withdraws; of two weak ones the one that polls stays, then the better LeaderKey.
    fn withdraw_for_a_better(&mut self, now: Now) {
        let Some(other) = self.seen.live(now).filter(|_| self.claim.active()) else { return };
        let better = match (self.held, other.strength) {
            (Some(Strength::Strong), _) => false,
            (_, Strength::Strong) => true,
            (held, Strength::Weak) => {
                let polls = held.is_some() && self.fence.state() == BotState::Polling;
                (other.polling, core::cmp::Reverse(other.holder)) > (polls, core::cmp::Reverse(self.key()))
            }
        };
        let seems_dead = self.refusing_holder(now) == Some(other.holder.node);
        if better && other.holder.node != self.id && !seems_dead {
            let releases = self.let_go(false);
            self.send_releases(releases);
            self.barred_until = now.boot_ms;
        }
    }

    /// L2: with no voter reachable only the smallest alive LeaderKey is weak. Who does not answer calls does not count as alive, nor, for a node that
    /// stores what it takes, one that cannot.
    pub(super) fn is_smallest_alive(&self) -> bool {
        let key = self.key();
        let serves = |node: &&NodeId| self.disk.trouble().is_some() || self.trouble_of(node).is_none();
        self.reachable().iter().filter(serves).filter_map(|node| self.roster.leader_key(node)).all(|other| key < other)
    }

    /// L2: whether a majority of the voters, alive and with clocks that agree, refuses this node's asks for its clock (S1): they can hold without
    /// it, and do not while it holds as weak before their eyes.
    fn has_the_wrong_clock(&self, now: Now) -> bool {
        let (record, allowed_ms) = (self.roster.voters(), self.settings.clock_skew_ms);
        let apart = |voter: &NodeId| {
            let ahead = self.peers.ahead_ms(now, voter).filter(|ms| ms.unsigned_abs() > allowed_ms)?;
            (self.membership.status(voter) == Status::Alive && self.peers.in_touch(voter)).then_some(ahead)
        };
        let agree = |first: i64| {
            let with_it = |ms: i64| ms >= first && ms.abs_diff(first) <= allowed_ms;
            voters::majority(record, |voter| apart(voter).is_some_and(with_it))
        };
        voters::everyone(record).iter().filter_map(apart).any(agree)
    }

    /// M2: in a large network news of a renewal take longer than a TTL to reach everybody, so there only voters claim, who know it
    /// first-hand; others when no voter is in sight.
    pub(super) fn look_at_the_voters(&mut self) {
        let VoterRecord { old, new, .. } = self.roster.voters();
        let mut voters = old.iter().chain(new);
        self.left_to_voters = self.roster.len() > ALL_CLAIM
            && !self.is_voter()
            && voters.any(|voter| self.membership.status(voter) == Status::Alive);
    }

    /// L4: who claims first.
    fn claim_delay(&self, now: Now) -> u64 {
        let lapsed = self.seen.holder();
        let others = self.reachable().into_iter().filter(|node| Some(*node) != lapsed);
        let candidates = others.filter_map(|node| {
            let facts = self.peers.get(&node).map(|peer| &peer.facts);
            if facts.is_some_and(|facts| facts.stopping) {
                return None;
            }
            let ready = facts.is_none_or(|facts| facts.ready);
            let reaches_voters = facts.is_none_or(|facts| facts.reaches_voters);
            Some(Candidate { key: self.roster.leader_key(&node)?, ready, reaches_voters })
        });
        let me = Candidate { key: self.key(), ready: self.is_ready(), reaches_voters: self.reaches_voters(now) };
        election::claim_delay_ms(me, candidates, self.round_ms())
    }

    /// L4: nothing speaks against a majority of the voters being in reach: no call to them failed since they were last heard.
    pub(super) fn reaches_voters(&self, _now: Now) -> bool {
        let reached = |voter: &NodeId| *voter == self.id || self.peers.in_touch(voter);
        voters::majority(self.roster.voters(), reached)
    }
}

/// A release is one short call; a grant that is not given back runs out by itself.
const RELEASE_LIMIT_MS: u64 = 500;

/// A node that may not be weak looks again after this time whether a voter came back.
const WEAK_AGAIN_MS: u64 = 1_000;

/// Up to so many nodes everybody claims, and probes the Bot API (DESIGN 5).
pub(super) const ALL_CLAIM: usize = 20;
