//! Letting nodes in (DESIGN 7): the seed's side, which checks and dials back, and the holder's, which spends the token.
//!
//! A refusal changes nothing: what is written is written by [`admit`], after every check.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Pin, Term};
use constella_shared::limits::{INVITE_TTL_S, JOINS_IN_HAND, OPEN_INVITES};
use constella_shared::link::{InviteLink, Seed, checked_addr, join_mac_holds, token_hash};
use constella_shared::secret::Secret;
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::join::{JoinAnswer, JoinForward, JoinRequest};
use constella_shared::wire::records::{InviteRecord, Records, Spent};
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use crate::calls::Calls;
use crate::clock::Now;
use crate::io::{CallError, CallId, InboundId, JoinAttempt, Output, PeerRequest, PeerResponse, Trouble};
use crate::roster::{Admission, EditError, Roster, name};

/// Joins on their way through this seed.
#[derive(Debug, Default)]
pub struct Joins {
    dialing: BTreeMap<CallId, Joiner>,
    passed_on: BTreeMap<CallId, InboundId>,
}

/// Somebody who waits for an answer.
#[derive(Debug)]
struct Joiner {
    inbound: InboundId,
    forward: JoinForward,
}

/// Who spends the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spender {
    /// This node: it holds the lease in this term.
    Me(Term),
    /// The holder.
    Holder(NodeId),
    /// Nobody holds at this moment.
    Nobody,
    /// This node holds, and its disk takes nothing: a token that is spent must stay spent.
    Unable(RpcError),
}

/// Why there is no invitation. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// It would hold for too short or too long.
    #[error("an invitation holds for a second to seven days")]
    Ttl,
    /// As many as may be are open.
    #[error("{OPEN_INVITES} invitations of this node are open; wait until one is used or expires, or revoke some")]
    TooMany,
    /// This node's own record is not there yet.
    #[error("this node's own address is not known yet; try again in a minute")]
    NoAddress,
    /// This node's disk takes nothing: a link would be unknown after its next start.
    #[error("this node cannot store it: {}", .0.words())]
    NotStored(Trouble),
}

/// What came of a dial-back.
#[derive(Debug, Default, PartialEq)]
pub struct Step {
    /// To be done, in order.
    pub outputs: Vec<Output>,
    /// Written here: to be announced.
    pub written: Records,
}

impl Joins {
    /// Nobody waits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `POST /join` came. Checked as far as this node can; then the joiner's address is dialled.
    pub fn attempt(
        &mut self,
        now: Now,
        roster: &Roster,
        inbound: InboundId,
        join: &JoinAttempt,
        calls: &mut Calls,
    ) -> Vec<Output> {
        let checked = if self.dialing.len() >= JOINS_IN_HAND {
            Err(refusal(RpcCode::TooMany, "many servers join right now; try again in a few seconds"))
        } else {
            check(now, roster, join)
        };
        match checked {
            Ok(forward) => {
                let call = calls.next();
                let addr = forward.addr.clone();
                self.dialing.insert(call, Joiner { inbound, forward });
                Vec::from([Output::DialBack { call, addr, timeout_ms: DIAL_MS }])
            }
            Err(error) => Vec::from([Output::JoinReply { inbound, result: Err(error) }]),
        }
    }

    /// The joiner's address was dialled: the same certificate must answer there.
    pub fn dialed_back(
        &mut self,
        now: Now,
        roster: &mut Roster,
        call: CallId,
        met: Result<Pin, String>,
        spender: Spender,
        calls: &mut Calls,
    ) -> Step {
        let Some(Joiner { inbound, forward }) = self.dialing.remove(&call) else { return Step::default() };
        if let Err(error) = same_node_answers(&forward, met) {
            return Step { outputs: Vec::from([Output::JoinReply { inbound, result: Err(error) }]), ..Step::default() };
        }
        match spender {
            Spender::Me(term) => {
                let me = roster.node();
                let (result, written) = split(admit(now, roster, &forward, term, me));
                Step { outputs: Vec::from([Output::JoinReply { inbound, result }]), written }
            }
            Spender::Holder(to) => {
                let call = calls.next();
                self.passed_on.insert(call, inbound);
                let request = PeerRequest::Rpc(Request::Join(forward));
                let output = Output::Call { call, to, timeout_ms: PASS_ON_MS, request };
                Step { outputs: Vec::from([output]), ..Step::default() }
            }
            Spender::Unable(error) => {
                Step { outputs: Vec::from([Output::JoinReply { inbound, result: Err(error) }]), ..Step::default() }
            }
            Spender::Nobody => {
                let error = refusal(RpcCode::NotHolder, "no node leads at this moment; try again in a few seconds");
                Step { outputs: Vec::from([Output::JoinReply { inbound, result: Err(error) }]), ..Step::default() }
            }
        }
    }

    /// The holder answered, or did not. None where the call was none of these.
    pub fn answered(&mut self, call: CallId, result: Result<PeerResponse, CallError>) -> Option<Output> {
        let inbound = self.passed_on.remove(&call)?;
        let result = match result {
            Ok(PeerResponse::Rpc(Response::Joined { answer })) => Ok(answer),
            Err(CallError::Refused(error)) => Err(error),
            Ok(_) | Err(CallError::NotSent(_) | CallError::PortClosed(_) | CallError::Lost(_)) => {
                Err(refusal(RpcCode::NotHolder, "the leading node does not answer; try again in a few seconds"))
            }
        };
        Some(Output::JoinReply { inbound, result })
    }
}

/// The holder's side: spends the token and lets the node in. The same token with the same certificate and node succeeds again: an answer
/// was lost.
///
/// # Errors
/// Every refusal by its own code; nothing was changed.
pub fn admit(
    now: Now,
    roster: &mut Roster,
    forward: &JoinForward,
    term: Term,
    seed: NodeId,
) -> Result<(JoinAnswer, Records), RpcError> {
    let JoinForward { token, pin, addr, request } = forward;
    let invite = roster.invite_of(token).ok_or_else(unknown_invite)?;
    let spent = Spent { node: request.node_id, pin: *pin };
    still_good(now, invite, &spent)?;
    check_request(roster, request)?;
    let admission = Admission {
        node: request.node_id,
        name: request.name.clone(),
        priority: request.priority,
        pin: *pin,
        admitted_by: seed,
    };
    let admitted = roster.admit(now, term, admission).map_err(|error| edit_refusal(&error))?;
    let used = roster.spend_invite(now, token, spent).unwrap_or_default();
    let written = Records { owners: admitted.owners, invites: used.invites, ..Records::default() };
    let answer = JoinAnswer {
        network_id: roster.network_id(),
        owner_username: roster.owner().username.to_string(),
        network_secret: roster.secret().clone(),
        secret_generation: roster.secret_generation(),
        addr: addr.clone(),
        records: roster.records(),
    };
    Ok((answer, written))
}

/// A new invitation: the record to announce, and the link for a person. `others` are nodes that answer: up to two of them are named too, so
/// that the link outlives this node.
///
/// # Errors
/// [`InviteError`]; nothing was written.
pub fn invite(
    now: Now,
    roster: &mut Roster,
    entropy: [u8; 32],
    ttl_s: u64,
    others: &[NodeId],
) -> Result<(Records, InviteLink), InviteError> {
    if !(1..=INVITE_TTL_S).contains(&ttl_s) {
        return Err(InviteError::Ttl);
    }
    if roster.own_open_invites(now.unix_ms / 1_000) >= OPEN_INVITES {
        return Err(InviteError::TooMany);
    }
    let seed = |node: &NodeId| {
        let member = roster.member(node)?;
        Some(Seed { addr: member.addr?.to_string(), pin: member.pin })
    };
    let me = roster.node();
    let own = seed(&me).ok_or(InviteError::NoAddress)?;
    let mut seeds = Vec::from([own]);
    seeds.extend(others.iter().filter(|node| **node != me).filter_map(seed).take(2));
    let token = Secret::new(hex::encode(entropy));
    let exp_ts = (now.unix_ms / 1_000).saturating_add(ttl_s);
    let network = roster.network_id();
    let records = roster.write_invite(now, token_hash(&token), exp_ts);
    Ok((records, InviteLink { seeds, network, token, ttl_s }))
}

fn check(now: Now, roster: &Roster, join: &JoinAttempt) -> Result<JoinForward, RpcError> {
    let invite = roster.invite(&join.invite).ok_or_else(unknown_invite)?;
    if !join_mac_holds(&invite.token, &join.pin, &join.body, &join.mac) {
        return Err(refusal(RpcCode::BadInvite, "the request is not signed with this invitation's token"));
    }
    let request: JoinRequest = serde_json::from_slice(&join.body)
        .map_err(|error| refusal(RpcCode::BadRequest, &format!("the request cannot be read: {error}")))?;
    if request.cert != join.cert {
        return Err(refusal(RpcCode::BadRequest, "the certificate in the request is not the connection's"));
    }
    still_good(now, invite, &Spent { node: request.node_id, pin: join.pin })?;
    check_request(roster, &request)?;
    let addr = address(&request, &join.source)?;
    Ok(JoinForward { token: invite.token, pin: join.pin, addr, request })
}

fn check_request(roster: &Roster, request: &JoinRequest) -> Result<(), RpcError> {
    if request.network_id != roster.network_id() {
        return Err(refusal(RpcCode::WrongNetwork, "this node belongs to another network; ask for a new link"));
    }
    if request.protocol == 0 || request.protocol.abs_diff(PROTOCOL) > 1 {
        let message =
            format!("protocol {} is not spoken here, {PROTOCOL} is; upgrade the older side", request.protocol);
        return Err(RpcError { code: RpcCode::Protocol, message });
    }
    name::check(&request.name).map_err(|error| refusal(RpcCode::BadRequest, &error.to_string()))?;
    match roster.named(&request.name) {
        Some(other) if other.id != request.node_id => Err(name_taken(roster, &request.name)),
        Some(_) | None => Ok(()),
    }
}

fn still_good(now: Now, invite: &InviteRecord, who: &Spent) -> Result<(), RpcError> {
    match &invite.spent {
        Some(before) if before != who => {
            Err(refusal(RpcCode::BadInvite, "the invitation was used by another server; ask for a new link"))
        }
        Some(_) => Ok(()),
        None if now.unix_ms / 1_000 > invite.exp_ts => {
            Err(refusal(RpcCode::BadInvite, "the invitation has expired; ask for a new link"))
        }
        None => Ok(()),
    }
}

/// What the joiner named, or where it came from.
fn address(request: &JoinRequest, source: &str) -> Result<String, RpcError> {
    let named = request.addr.clone().unwrap_or_else(|| {
        if source.contains(':') { format!("[{source}]:{}", request.port) } else { format!("{source}:{}", request.port) }
    });
    checked_addr(&named).map_err(|_| refusal(RpcCode::BadRequest, "the public address is no host:port"))
}

fn same_node_answers(forward: &JoinForward, met: Result<Pin, String>) -> Result<(), RpcError> {
    let addr = &forward.addr;
    match met {
        Ok(pin) if pin == forward.pin => Ok(()),
        Ok(_) => {
            let message = format!("another certificate than yours answers at {addr}; is --public-addr right?");
            Err(RpcError { code: RpcCode::Unreachable, message })
        }
        // The shell's words name port and host: "port 4747 of 203.0.113.7 is closed from here".
        Err(why) => {
            let message = format!("{why}; open the port to this address, or give --public-addr");
            Err(RpcError { code: RpcCode::Unreachable, message })
        }
    }
}

/// A refused write about a node, as the wire tells it.
pub(crate) fn edit_refusal(error: &EditError) -> RpcError {
    let code = match error {
        EditError::NameTaken { .. } => RpcCode::NameTaken,
        EditError::UnknownNode | EditError::Removed | EditError::Name(_) | EditError::Belongs => RpcCode::BadRequest,
    };
    RpcError { code, message: error.to_string() }
}

fn name_taken(roster: &Roster, wanted: &str) -> RpcError {
    let free = name::free(wanted, |name| roster.named(name).is_some());
    RpcError { code: RpcCode::NameTaken, message: format!("the name {wanted} is taken; {free} is free") }
}

fn unknown_invite() -> RpcError {
    refusal(RpcCode::BadInvite, "this invitation is not known here; ask for a new link")
}

fn refusal(code: RpcCode, message: &str) -> RpcError {
    RpcError { code, message: message.to_string() }
}

fn split(result: Result<(JoinAnswer, Records), RpcError>) -> (Result<JoinAnswer, RpcError>, Records) {
    match result {
        Ok((answer, written)) => (Ok(answer), written),
        Err(error) => (Err(error), Records::default()),
    }
}

/// A server that is a second away still answers a handshake in this time when one packet is lost.
const DIAL_MS: u64 = 8_000;

/// The holder only looks at its roster and its disk; a first contact with it takes three round trips.
const PASS_ON_MS: u64 = 6_000;

#[cfg(test)]
mod tests;
