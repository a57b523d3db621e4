//! Joins through this node: what [`crate::joins`] decides, done.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Pin};
use constella_shared::wire::join::JoinForward;
use constella_shared::wire::rpc::{Response, RpcCode};

use super::Node;
use super::pending::Pending;
use super::requests::refusal;
use crate::clock::Now;
use crate::io::{CallError, CallId, InboundId, JoinAttempt, Output, PeerResponse};
use crate::joins::{Spender, Step, admit};

impl Node {
    /// A stranger asks to be let in.
    pub(super) fn join(&mut self, now: Now, inbound: InboundId, join: &JoinAttempt) {
        let outputs = self.joins.attempt(now, &self.roster, inbound, join, &mut self.calls);
        self.out.extend(outputs);
    }

    /// The stranger's address was dialled.
    pub(super) fn dialed_back(&mut self, now: Now, call: CallId, met: Result<Pin, String>) {
        let spender = match (self.held, self.holder(now)) {
            (Some(_), _) => self.may_store().map_or_else(Spender::Unable, |()| Spender::Me(self.claim.term())),
            (None, Some(holder)) => Spender::Holder(holder.node),
            (None, None) => Spender::Nobody,
        };
        let Step { outputs, written } =
            self.joins.dialed_back(now, &mut self.roster, call, met, spender, &mut self.calls);
        self.let_in(now, &written);
        for output in &outputs {
            if let Output::Call { call, .. } = output {
                self.pending.insert(*call, Pending::JoinPassedOn);
            }
        }
        self.out.extend(outputs);
    }

    /// A seed passes a join on to this node, which holds the lease as far as the seed knows.
    pub(super) fn join_passed_on(&mut self, now: Now, inbound: InboundId, seed: NodeId, forward: &JoinForward) {
        let result = if self.held.is_some() {
            self.may_store().and_then(|()| admit(now, &mut self.roster, forward, self.claim.term(), seed))
        } else {
            Err(refusal(RpcCode::NotHolder, "the leading node has just changed; try again in a few seconds"))
        };
        let result = result.map(|(answer, written)| {
            self.let_in(now, &written);
            PeerResponse::Rpc(Response::Joined { answer })
        });
        self.out.push(Output::Reply { inbound, result });
    }

    /// The holder answered a join that this node passed on.
    pub(super) fn join_answered(&mut self, call: CallId, result: Result<PeerResponse, CallError>) {
        let output: Vec<Output> = self.joins.answered(call, result).into_iter().collect();
        self.out.extend(output);
    }

    /// Everybody learns at once whom the holder let in: the new node's first heartbeats must find open doors.
    fn let_in(&mut self, now: Now, written: &constella_shared::wire::records::Records) {
        if !written.owners.is_empty() {
            self.announce(now, written);
            self.introduce_members(now);
        }
    }
}
