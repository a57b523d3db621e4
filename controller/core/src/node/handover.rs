//! Hand-overs at work: to a better node, for the loss of the Bot API, and when the process stops.

use alloc::vec::Vec;

use constella_shared::ids::{LeaderKey, NodeId};
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::{Request, Response, Status};

use super::Node;
use super::pending::Pending;
use super::serve::API_LOSS_BAR_MS;
use crate::clock::Now;
use crate::election;
use crate::handover::{Handover, Proof, Reason, Step};
use crate::io::{CallError, CallId, Output, PeerRequest, PeerResponse};

impl Node {
    /// SIGTERM (L5).
    pub(super) fn stop(&mut self, now: Now) {
        if self.retired {
            return;
        }
        self.retired = true;
        match &mut self.handover {
            Some(handover) => handover.stop(),
            None if self.held.is_some() => {
                let heirs = self.heirs(now);
                self.handover = Some(Handover::new(now, Reason::Stop, heirs).over(self.farthest_ms()));
            }
            None => self.depart(now),
        }
    }

    /// Goes a hand-over's next step.
    pub(super) fn handover_due(&mut self, now: Now) {
        loop {
            let Some(handover) = self.handover.as_mut() else { return };
            if handover.draining() {
                let acts = self.fence.drain();
                let drained = !self.fence.busy() && self.copies.is_done();
                for act in acts {
                    if let crate::fence::FenceAct::Cancel(call) = act {
                        self.pending.remove(&call);
                        self.out.push(Output::CancelBot(call));
                    }
                }
                if drained && let Some(handover) = self.handover.as_mut() {
                    handover.drained(now);
                }
            }
            let Some(step) = self.handover.as_mut().map(|handover| handover.step(now)) else { return };
            match step {
                Step::Wait => return,
                Step::Drain => {}
                step => self.handover_step(now, step),
            }
        }
    }

    /// The heir answered an offer.
    pub(super) fn offer_answered(&mut self, now: Now, call: CallId, result: &Result<PeerResponse, CallError>) {
        let proof = match result {
            Ok(PeerResponse::Rpc(Response::Proof { ready: true, majority: true })) => Proof::Whole,
            Ok(PeerResponse::Rpc(Response::Proof { ready: true, majority: false })) => Proof::BotOnly,
            Ok(_) | Err(_) => Proof::Nothing,
        };
        if let Some(handover) = self.handover.as_mut() {
            handover.proven(now, call, proof);
        }
    }

    /// L6: a strong holder looks for a better node that has been steady for long enough.
    pub(super) fn look_for_a_better(&mut self, now: Now) {
        if self.held == Some(Strength::Weak) && self.disk.trouble().is_some() && self.another_is_ready(now) {
            // The other one claims within a TTL and half of one, and may find that its disk takes nothing either.
            let bar_ms = self.settings.lease_ttl_ms.saturating_mul(3) / 2;
            return self.leave_it_to_another(now, bar_ms);
        }
        let unready = !self.probe.ready() && self.probe.succeeded_at().is_none_or(|at| now.since(at) > UNREADY_MS);
        if self.held != Some(Strength::Strong) || self.handover.is_some() || now.boot_ms < self.at.steady {
            return;
        }
        if (unready || self.disk.trouble().is_some()) && self.another_is_ready(now) {
            return api_lost(self, now);
        }
        if self.roster.is_leaving(&self.id) {
            let heirs = self.heirs(now);
            self.handover = Some(Handover::new(now, Reason::Better, heirs).over(self.farthest_ms()));
            return;
        }
        let me = self.key();
        let better = |key: &LeaderKey| {
            let (status, since) = self.status_since.get(&key.node).copied().unwrap_or((Status::Down, 0));
            let peer = self.peers.get(&key.node);
            let wait = self.peers.steady_wait_ms(now, &key.node);
            *key < me && status == Status::Alive && peer.is_some_and(|peer| election::steady(now, peer, since, wait))
        };
        let mut keys: Vec<LeaderKey> =
            self.roster.members().map(|m| LeaderKey { priority: m.priority, node: m.id }).filter(better).collect();
        keys.sort_unstable();
        if !keys.is_empty() {
            let heirs = keys.into_iter().map(|key| key.node).collect();
            self.handover = Some(Handover::new(now, Reason::Better, heirs).over(self.farthest_ms()));
        }
    }

    /// Everybody who might take over, the readiest and best first.
    pub(super) fn heirs(&self, now: Now) -> Vec<NodeId> {
        let mut heirs: Vec<(bool, LeaderKey)> = self
            .reachable()
            .into_iter()
            .filter_map(|node| {
                // A node on its way out would only hand the lease on.
                let unready = self.roster.is_leaving(&node) || self.peers.ready(now, &node, HEIR_AGE_MS) == Some(false);
                Some((unready, self.roster.leader_key(&node)?))
            })
            .collect();
        heirs.sort_unstable();
        heirs.into_iter().map(|(_, key)| key.node).take(MOST_HEIRS).collect()
    }

    fn handover_step(&mut self, now: Now, step: Step) {
        let term = self.claim.term();
        match step {
            Step::Wait | Step::Drain => {}
            Step::Offer { heir, timeout_ms } => {
                let request = PeerRequest::Rpc(Request::BotOffer { term });
                let timeout_ms = timeout_ms.saturating_add(self.peers.allowance_ms(&heir));
                let call = self.call_within(heir, timeout_ms, request, Pending::Offer { heir });
                if let Some(handover) = self.handover.as_mut() {
                    handover.offered(now, call, timeout_ms);
                }
            }
            Step::Release => {
                let stopping = self.retired;
                let releases = self.let_go(stopping);
                // L5: who released does not claim for half a TTL.
                self.barred_until = now.boot_ms.saturating_add(self.settings.lease_ttl_ms / 2);
                let calls = self.send_releases(releases);
                if let Some(handover) = self.handover.as_mut() {
                    handover.releasing(calls.into_iter());
                }
                // The fence drops its calls and puts the open commands down before they are passed on.
                self.fence_due(now);
            }
            Step::Tell { heir } => {
                let commands = self.commands.pass_on(heir, term);
                if !commands.is_empty() {
                    self.pass(heir, commands, term);
                }
                let request = PeerRequest::Rpc(Request::BotHandover { term });
                self.call(heir, TELL_LIMIT_MS, request, Pending::Tell { heir });
            }
            Step::Finished(reason) => self.handover_over(now, reason),
            Step::Abandoned => {
                self.handover = None;
                self.at.steady = now.boot_ms.saturating_add(AGAIN_MS);
            }
        }
    }

    fn handover_over(&mut self, now: Now, reason: Reason) {
        self.handover = None;
        self.at.steady = now.boot_ms.saturating_add(AGAIN_MS);
        match reason {
            Reason::Stop => self.depart(now),
            Reason::ApiLoss => self.barred_until = now.boot_ms.saturating_add(API_LOSS_BAR_MS),
            Reason::Better => {}
        }
    }

    /// Says good-bye and ends.
    fn depart(&mut self, now: Now) {
        let effects = self.membership.leave(now);
        self.member_effects(now, None, effects);
        self.send_frames(now);
        self.out.push(Output::Stopped);
    }
}

/// F1: looks have failed for 3 s: hand over, while another node is ready.
pub(super) fn api_lost(node: &mut Node, now: Now) {
    if node.handover.is_none() && node.held.is_some() && node.another_is_ready(now) {
        let heirs = node.heirs(now);
        node.handover = Some(Handover::new(now, Reason::ApiLoss, heirs).over(node.farthest_ms()));
    }
}

/// The heir's answer is not waited for longer.
const TELL_LIMIT_MS: u64 = 500;

/// A word on readiness that is older says nothing; who is not known to be unready may prove itself.
const HEIR_AGE_MS: u64 = 30_000;

/// Offers are made one after another: a stopping process has a second.
const MOST_HEIRS: usize = 5;

/// After a hand-over that nobody took, the next try waits.
const AGAIN_MS: u64 = 3_000;

/// A holder that could never reach the Bot API, or not for so long, looks for somebody who can.
const UNREADY_MS: u64 = 5_000;
