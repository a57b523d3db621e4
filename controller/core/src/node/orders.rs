//! Orders on their way to a node. Each carries the holder's term, and a node that has seen a higher one refuses it (F6).
//!
//! A holder's term falls behind without its fault: who held weakly on another side of a cut may have counted further, and where it is no voter,
//! no vote tells the holder. A title is not judged by its term (L2, L3), so whoever has one goes on above what the node has seen, and asks anew.

use constella_shared::ids::{NodeId, Term};
use constella_shared::wire::rpc::{Request, Response, RpcCode};

use super::Node;
use super::pending::Pending;
use crate::bot::desk::act::{Answer, AskId};
use crate::clock::Now;
use crate::io::{CallError, PeerRequest, PeerResponse};

/// An order that waits for its answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    ask: AskId,
    pub(super) to: NodeId,
    request: Request,
    /// By this node's CLOCK_BOOTTIME.
    until: u64,
}

impl Node {
    /// The request in the term in which this node holds now, which is above every one that it has seen. Requests that carry none stay as they are.
    pub(super) fn in_present_term(&mut self, now: Now, mut request: Request) -> Request {
        if let Some(term) = term_of(&mut request) {
            let seen = self.durable.term();
            self.claim.outgrow(now, &mut self.durable, seen);
            *term = self.claim.term();
        }
        request
    }

    /// Asks a node for the dialogue; an order is kept, for it may have to be asked anew.
    pub(super) fn ask_node(&mut self, now: Now, ask: AskId, to: NodeId, request: Request, limit_ms: u64) {
        let mut request = self.in_present_term(now, request);
        let why = match term_of(&mut request) {
            Some(_) => {
                let until = now.boot_ms.saturating_add(limit_ms);
                Pending::Order(Order { ask, to, request: request.clone(), until })
            }
            None => Pending::DialogueNode { ask, to, sent: now },
        };
        self.call(to, limit_ms, PeerRequest::Rpc(request), why);
    }

    /// The answer to an order. Where the node has seen a higher term, it is asked which.
    pub(super) fn order_answered(&mut self, now: Now, order: Order, result: Result<PeerResponse, CallError>) {
        let is_behind = matches!(&result, Err(CallError::Refused(refusal)) if refusal.code == RpcCode::OldTerm);
        let left_ms = order.until.saturating_sub(now.boot_ms);
        if is_behind && left_ms > 0 && self.title(now).is_some_and(|title| title.may_poll) {
            let request = Request::LeaseGet { heir: None, holder: None };
            self.call(order.to, left_ms, PeerRequest::Rpc(request), Pending::TermAt(order));
        } else {
            self.dialogue_answered(order.ask, result);
        }
    }

    /// The highest term that a node has seen, which refused an order: it is asked once more, in a higher one.
    pub(super) fn term_told(&mut self, now: Now, order: Order, result: Result<PeerResponse, CallError>) {
        let Order { ask, to, request, until } = order;
        let state = match result {
            Ok(PeerResponse::Rpc(Response::Lease { state })) => state,
            other => return self.dialogue_answered(ask, other.and(Err(CallError::NotSent(NO_TERM.into())))),
        };
        // L7: the answer may have waited for a machine that stood still.
        if !self.title(now).is_some_and(|title| title.may_poll) {
            return self.dialogue_answered(ask, Err(CallError::NotSent(NO_TITLE.into())));
        }
        self.claim.outgrow(now, &mut self.durable, state.term);
        let request = self.in_present_term(now, request);
        let left_ms = until.saturating_sub(now.boot_ms).max(1);
        self.call(to, left_ms, PeerRequest::Rpc(request), Pending::DialogueNode { ask, to, sent: now });
    }

    /// Gives the dialogue what a node answered.
    pub(super) fn dialogue_answered(&mut self, ask: AskId, result: Result<PeerResponse, CallError>) {
        let answer = result.and_then(|response| match response {
            PeerResponse::Rpc(response) => Ok(response),
            PeerResponse::Heartbeat(_) | PeerResponse::Announced => {
                Err(CallError::Lost(alloc::string::String::from("the answer does not fit the question")))
            }
        });
        self.answers.push_back((ask, Answer::Peer(answer)));
    }
}

/// The term in a request that is refused by an older one.
fn term_of(request: &mut Request) -> Option<&mut Term> {
    match request {
        Request::Reboot { term, .. } | Request::RunSpeedtest { term, .. } => Some(term),
        Request::GetPeers {}
        | Request::GetStats {}
        | Request::GetTs { .. }
        | Request::GetSpeedtest {}
        | Request::LeaseGet { .. }
        | Request::LeaseAcquire(_)
        | Request::LeaseRelease(_)
        | Request::BotTakeover { .. }
        | Request::BotOffer { .. }
        | Request::BotHandover { .. }
        | Request::Join(_)
        | Request::RosterSync(_)
        | Request::MembersSync { .. }
        | Request::CommandStore { .. }
        | Request::CommandDone { .. }
        | Request::AlertsWitness { .. }
        | Request::AlertsTell { .. } => None,
    }
}

/// The order itself was refused, so nothing was done; why it was not asked anew.
const NO_TERM: &str = "it has seen a higher term, and did not tell which";

/// The same, where the title went meanwhile.
const NO_TITLE: &str = "the lease ran out before it could be asked anew";
