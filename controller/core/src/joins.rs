//! Joining (DESIGN 7): what a seed and the holder do with a stranger that comes with an invitation.
//!
//! Seed: find the invitation, check the MAC before the body is read, check what the body says, dial back, and hand on to the holder.
//! Holder: check again, spend the invitation, admit, answer everything that a member knows. Nothing is changed by a refusal.

mod check;
mod invite;
mod refuse;

#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Pin, Term};
use constella_shared::limits::JOINS_IN_HAND;
use constella_shared::wire::join::{JoinAnswer, JoinForward, JoinRequest};
use constella_shared::wire::records::{Records, Spent};
use constella_shared::wire::rpc::RpcError;

use crate::calls::Calls;
use crate::clock::Now;
use crate::io::{CallError, CallId, InboundId, JoinAttempt};
use crate::roster::{Admission, Roster};

pub use invite::{InviteError, invite};

/// The joins that this node has in hand as a seed.
#[derive(Debug, Default)]
pub struct Joins {
    pending: BTreeMap<CallId, Pending>,
}

/// Who holds the lease, as this node knows it right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// This node, in this term: strong or weak (a weak one admits non-voters).
    Me(Term),
    /// Another member.
    Other(NodeId),
    /// Nobody that is known.
    Nobody,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// [`crate::io::Output::DialBack`].
    DialBack {
        /// Names the answer: [`Joins::dialed`].
        call: CallId,
        /// `host:port`.
        addr: String,
    },
    /// `Request::Join` to the holder.
    Forward {
        /// Names the answer: [`Joins::answered`].
        call: CallId,
        /// The holder.
        to: NodeId,
        /// The checked join.
        forward: JoinForward,
    },
    /// The roster changed: to be on disk before the answer, then announced.
    Admitted {
        /// Who came in; None where it belonged already.
        node: Option<NodeId>,
        /// What is new.
        records: Records,
    },
    /// [`crate::io::Output::JoinReply`].
    Reply {
        /// Whom.
        inbound: InboundId,
        /// What.
        result: Result<JoinAnswer, RpcError>,
    },
}

/// A join that waits for a dial-back or for the holder.
#[derive(Debug)]
struct Pending {
    inbound: InboundId,
    forward: JoinForward,
}

impl Joins {
    /// None in hand.
    #[must_use]
    pub const fn new() -> Self {
        Self { pending: BTreeMap::new() }
    }

    /// A stranger's `POST /join`.
    pub fn attempt(
        &mut self,
        now: Now,
        roster: &mut Roster,
        holder: Holder,
        inbound: InboundId,
        join: &JoinAttempt,
        calls: &mut Calls,
    ) -> Vec<Effect> {
        if self.pending.len() >= JOINS_IN_HAND {
            return reply(inbound, Err(refuse::too_many()));
        }
        match check::attempt(now, roster, join) {
            Err(refusal) => reply(inbound, Err(refusal)),
            // A lost answer: its certificate was met when it came in.
            Ok(forward) if roster.is_member(&forward.request.node_id) => {
                self.hand_on(now, roster, holder, inbound, forward, calls)
            }
            Ok(forward) => {
                let call = calls.next();
                let addr = forward.addr.clone();
                self.pending.insert(call, Pending { inbound, forward });
                Vec::from([Effect::DialBack { call, addr }])
            }
        }
    }

    /// The dial-back's answer. Nothing where the call is not one of these.
    pub fn dialed(
        &mut self,
        now: Now,
        roster: &mut Roster,
        holder: Holder,
        call: CallId,
        result: Result<Pin, String>,
        calls: &mut Calls,
    ) -> Vec<Effect> {
        let Some(Pending { inbound, forward }) = self.pending.remove(&call) else { return Vec::new() };
        match result {
            Ok(pin) if pin == forward.pin => self.hand_on(now, roster, holder, inbound, forward, calls),
            Ok(_) => reply(inbound, Err(refuse::another_answers(&forward.addr))),
            Err(why) => reply(inbound, Err(refuse::unreachable(&forward.addr, &why))),
        }
    }

    /// The holder's answer to [`Effect::Forward`]. The new records come to this node as to all others, by the holder's announcement.
    pub fn answered(&mut self, call: CallId, result: Result<JoinAnswer, CallError>) -> Vec<Effect> {
        let Some(Pending { inbound, .. }) = self.pending.remove(&call) else { return Vec::new() };
        let result = result.map_err(|error| match error {
            CallError::Refused(refusal) => refusal,
            CallError::NotSent(_) => refuse::no_holder(),
            CallError::Lost(_) => refuse::outcome_unknown(),
        });
        reply(inbound, result)
    }

    /// Whether a call's answer is awaited here.
    #[must_use]
    pub fn awaits(&self, call: CallId) -> bool {
        self.pending.contains_key(&call)
    }

    fn hand_on(
        &mut self,
        now: Now,
        roster: &mut Roster,
        holder: Holder,
        inbound: InboundId,
        forward: JoinForward,
        calls: &mut Calls,
    ) -> Vec<Effect> {
        match holder {
            Holder::Nobody => reply(inbound, Err(refuse::no_holder())),
            Holder::Other(to) => {
                let call = calls.next();
                self.pending.insert(call, Pending { inbound, forward: forward.clone() });
                Vec::from([Effect::Forward { call, to, forward }])
            }
            Holder::Me(term) => match spend(now, roster, term, roster.node(), &forward) {
                Err(refusal) => reply(inbound, Err(refusal)),
                Ok(admitted) => Vec::from([admitted.effect, Effect::Reply { inbound, result: Ok(admitted.answer) }]),
            },
        }
    }
}

/// The holder's side of a forwarded join: what is to be done before the answer goes back to the seed.
pub fn forwarded(
    now: Now,
    roster: &mut Roster,
    holder: Holder,
    from: NodeId,
    forward: &JoinForward,
) -> (Vec<Effect>, Result<JoinAnswer, RpcError>) {
    let Holder::Me(term) = holder else { return (Vec::new(), Err(refuse::not_holder())) };
    match check::forward(now, roster, forward).and_then(|()| spend(now, roster, term, from, forward)) {
        Err(refusal) => (Vec::new(), Err(refusal)),
        Ok(admitted) => (Vec::from([admitted.effect]), Ok(admitted.answer)),
    }
}

struct Admitted {
    effect: Effect,
    answer: JoinAnswer,
}

/// Spends the invitation and admits. The checks come first, so that a refusal has changed nothing.
fn spend(
    now: Now,
    roster: &mut Roster,
    term: Term,
    admitted_by: NodeId,
    forward: &JoinForward,
) -> Result<Admitted, RpcError> {
    let JoinForward { token, pin, addr, request } = forward;
    let spent = Spent { node: request.node_id, pin: *pin };
    check::invitation(now, roster, token, &spent)?;
    let belonged = roster.is_member(&request.node_id);
    let mut records = roster.admit(now, term, admission(request, *pin, admitted_by)).map_err(refuse::edit)?;
    // Known and open, or spent by this very node: both were checked above.
    records.invites = roster.spend_invite(now, token, spent).unwrap_or_default().invites;
    let effect = Effect::Admitted { node: (!belonged).then_some(request.node_id), records };
    Ok(Admitted { effect, answer: answer(roster, addr) })
}

fn admission(request: &JoinRequest, pin: Pin, admitted_by: NodeId) -> Admission {
    let (node, name, priority) = (request.node_id, request.name.clone(), request.priority);
    Admission { node, name, priority, pin, admitted_by }
}

fn answer(roster: &Roster, addr: &str) -> JoinAnswer {
    JoinAnswer {
        network_id: roster.network_id(),
        owner_username: String::from(roster.owner().username),
        network_secret: roster.secret().clone(),
        secret_generation: roster.secret_generation(),
        addr: String::from(addr),
        records: roster.records(),
    }
}

fn reply(inbound: InboundId, result: Result<JoinAnswer, RpcError>) -> Vec<Effect> {
    Vec::from([Effect::Reply { inbound, result }])
}
