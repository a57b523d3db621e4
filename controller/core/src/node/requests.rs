//! What other nodes ask, and what they answer.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;

use constella_shared::agent::{AgentErrorCode, RebootRequest, SpeedtestRequest};
use constella_shared::ids::{NodeId, Term};
use constella_shared::wire::heartbeat::Glance;
use constella_shared::wire::lease::{Granted, LeaseRelease, LeaseState, LeaseView};
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use super::Node;
use super::pending::{Asker, Pending, Want};
use crate::bot::desk::act::Answer;
use crate::clock::Now;
use crate::io::{
    AgentCall, AgentFailure, AgentReply, BotCall, CallError, CallId, InboundId, Output, PeerRequest, PeerResponse,
};
use crate::voters;

/// L6: what an heir gathers before it answers an offer.
#[derive(Debug)]
pub(super) struct Proof {
    inbound: InboundId,
    pub(super) deadline: u64,
    ready: Option<bool>,
    granting: BTreeSet<NodeId>,
    waiting: usize,
}

impl Node {
    /// A member's request.
    pub(super) fn peer_request(&mut self, now: Now, inbound: InboundId, from: NodeId, request: PeerRequest) {
        self.peers.asked(now, &from);
        match request {
            PeerRequest::Heartbeat(heartbeat) => {
                let frames = self.heartbeat_came(now, from, heartbeat, None);
                let answer = self.heartbeat(now, &from, frames);
                self.out.push(Output::Reply { inbound, result: Ok(PeerResponse::Heartbeat(answer)) });
            }
            PeerRequest::Announce(records) => {
                self.announced(now, from, records);
                self.out.push(Output::Reply { inbound, result: Ok(PeerResponse::Announced) });
            }
            PeerRequest::Rpc(Request::BotOffer { term }) => self.prove(now, inbound, from, term),
            PeerRequest::Rpc(Request::Join(forward)) => self.join_passed_on(now, inbound, from, &forward),
            PeerRequest::Rpc(request @ (Request::Reboot { .. } | Request::RunSpeedtest { .. })) => {
                self.ordered(now, inbound, from, request);
            }
            PeerRequest::Rpc(request) => self.rpc(now, Asker::Peer(inbound), from, request),
        }
    }

    /// A request that this node answers itself, for a member or for its own dialogue.
    pub(super) fn rpc(&mut self, now: Now, asker: Asker, from: NodeId, request: Request) {
        let result = match request {
            Request::GetPeers {} => Ok(Response::Peers { peers: self.peer_rows(now) }),
            Request::GetStats {} => return self.ask_agent_for(asker, AgentCall::Stats, Want::Stats),
            Request::GetTs { kind, hours, points } if (1..=MOST_HOURS).contains(&hours) => {
                return self.ask_agent_for(asker, AgentCall::Series { kind, hours }, Want::Series { points });
            }
            Request::GetTs { .. } => Err(refusal(RpcCode::BadRequest, "hours must be 1 to 2160")),
            Request::GetSpeedtest {} => return self.ask_agent_for(asker, AgentCall::GetSpeedtest, Want::Speedtest),
            Request::RunSpeedtest { command_id, term } => match self.check_term(term) {
                Ok(()) => {
                    let call = AgentCall::RunSpeedtest(SpeedtestRequest { command_id });
                    return self.ask_agent_for(asker, call, Want::Speedtest);
                }
                Err(error) => Err(error),
            },
            Request::Reboot { command_id, term, expires_in_ms, not_after_boot_ms, boot_id } => {
                let not_after = not_after_boot_ms.unwrap_or_else(|| now.boot_ms.saturating_add(expires_in_ms));
                match self.may_reboot(now, command_id, term, not_after, boot_id.as_deref()) {
                    Ok(true) => {
                        self.watch.reboot_ordered(now);
                        let request = RebootRequest { command_id, not_after_boottime_ms: not_after };
                        return self.ask_agent_for(asker, AgentCall::Reboot(request), Want::Reboot(command_id, term));
                    }
                    Ok(false) => Ok(self.asked_before(command_id)),
                    Err(error) => Err(error),
                }
            }
            Request::LeaseGet { .. }
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
            | Request::AlertsTell { .. } => self.between_members(now, from, request),
        };
        self.respond(asker, result);
    }

    /// What members ask of each other, and nobody by hand.
    fn between_members(&mut self, now: Now, from: NodeId, request: Request) -> Result<Response, RpcError> {
        match request {
            Request::LeaseGet { heir, holder } => {
                Ok(Response::Lease { state: self.lease_state(now, heir.map(|k| k.node), holder) })
            }
            Request::LeaseAcquire(ask) if ask.holder.node != from => {
                Err(refusal(RpcCode::BadRequest, "a lease is asked for oneself"))
            }
            Request::LeaseAcquire(ask) => {
                let answer = self.vote(now, &ask);
                Ok(Response::Vote { answer, facts: self.facts(now) })
            }
            Request::LeaseRelease(release) if release.holder != from => {
                Err(refusal(RpcCode::BadRequest, "a lease is released by its holder"))
            }
            Request::LeaseRelease(release) => {
                self.released(now, &release);
                Ok(Response::Done)
            }
            Request::BotTakeover { holder, term } => {
                self.takeover_told(now, from, holder, term);
                Ok(Response::Done)
            }
            Request::BotHandover { term } => self.our_turn(now, from, term).map(|()| Response::Done),
            Request::RosterSync(sync) => {
                self.listen_to(now, from);
                let (sync, merged) = self.roster.sync_answer(now, sync, self.keys.as_ref());
                self.merged(now, merged);
                Ok(Response::Sync { sync })
            }
            Request::MembersSync { members } => {
                let effects = self.membership.import(now, &members);
                self.member_effects(now, None, effects);
                Ok(Response::Members { members: self.membership.export() })
            }
            Request::CommandStore { commands, .. } if !self.has_room_for(&commands) => {
                Err(refusal(RpcCode::Busy, "as many commands are open here as a node keeps"))
            }
            Request::CommandStore { commands, term, adopt } => {
                self.keep_commands(now, from, commands, term, adopt).map(|()| Response::Done)
            }
            Request::CommandDone { ids, ordered } => {
                self.commands.done_elsewhere(&ids, &ordered);
                Ok(Response::Done)
            }
            Request::AlertsWitness { nodes } => Ok(Response::Witnessed { words: self.witness(now, from, &nodes) }),
            Request::AlertsTell { standing } => self.alerts_told(from, standing).map(|()| Response::Done),
            Request::GetPeers {}
            | Request::GetStats {}
            | Request::GetTs { .. }
            | Request::GetSpeedtest {}
            | Request::RunSpeedtest { .. }
            | Request::Reboot { .. }
            | Request::BotOffer { .. }
            | Request::Join(_) => Err(refusal(RpcCode::BadRequest, "only between members")),
        }
    }

    /// Answers whoever asked.
    pub(super) fn respond(&mut self, asker: Asker, result: Result<Response, RpcError>) {
        match asker {
            Asker::Peer(inbound) => {
                self.out.push(Output::Reply { inbound, result: result.map(PeerResponse::Rpc) });
            }
            Asker::Dialogue(ask) => self.answers.push_back((ask, Answer::Peer(result.map_err(CallError::Refused)))),
        }
    }

    /// Asks this host's agent.
    pub(super) fn ask_agent(&mut self, request: AgentCall, why: Pending) {
        let call = self.calls.next();
        self.pending.insert(call, why);
        self.out.push(Output::Agent { call, request });
    }

    /// The agent answered.
    pub(super) fn agent_answered(&mut self, now: Now, call: CallId, result: Result<AgentReply, AgentFailure>) {
        match self.pending.remove(&call) {
            Some(Pending::Glance) => {
                self.glanced(&result);
                self.judge_itself(now, &result);
            }
            Some(Pending::Agent { asker, want }) => {
                let response = self.agent_says(now, want, result);
                self.respond(asker, response);
            }
            Some(_) | None => {}
        }
    }

    /// A part of a proof came in.
    pub(super) fn proof_part(&mut self, part: ProofPart) {
        let Some(proof) = self.proof.as_mut() else { return };
        match part {
            ProofPart::Bot(reached) => proof.ready = Some(reached),
            ProofPart::Vote(voter, grants) => {
                proof.waiting = proof.waiting.saturating_sub(1);
                if grants {
                    proof.granting.insert(voter);
                }
            }
        }
    }

    /// Answers an offer as soon as everything is known, or its time is over.
    pub(super) fn proof_due(&mut self, now: Now) {
        let record = self.roster.voters();
        let Some(proof) = self.proof.as_ref() else { return };
        let majority = voters::majority(record, |voter| proof.granting.contains(voter));
        let known = proof.ready.is_some() && (majority || proof.waiting == 0);
        if known || proof.ready == Some(false) || now.boot_ms >= proof.deadline {
            let response = Response::Proof { ready: proof.ready == Some(true), majority };
            let inbound = proof.inbound;
            self.proof = None;
            self.respond(Asker::Peer(inbound), Ok(response));
        }
    }

    fn ask_agent_for(&mut self, asker: Asker, request: AgentCall, want: Want) {
        self.ask_agent(request, Pending::Agent { asker, want });
    }

    /// A holder's release is for its heir, whom it tells next: nobody else claims before that had its time. A worse rival's release is taken
    /// at once, before it asks again.
    fn released(&mut self, now: Now, release: &LeaseRelease) {
        let held = self.seen.live(now).is_some_and(|view| view.holder.node == release.holder);
        self.voter.release(release);
        self.seen.let_go(now, release.holder);
        let key = self.key();
        if held {
            // The holder hears of the release, tells the heir, and the heir asks: two round trips.
            let time_ms = HEIRS_TIME_MS.saturating_add(self.peers.allowance_ms(&release.holder));
            self.barred_until = self.barred_until.max(now.boot_ms.saturating_add(time_ms));
        } else if self.held.is_none() && self.roster.leader_key(&release.holder).is_some_and(|rival| key < rival) {
            self.claim.hurry(now);
        }
    }

    fn lease_state(&self, now: Now, heir: Option<NodeId>, holder: Option<NodeId>) -> LeaseState {
        let would_grant = heir.is_some_and(|heir| self.voter.would_grant(now, heir, holder.unwrap_or(heir)));
        LeaseState {
            view: self.lease_view(now),
            term: self.durable.term(),
            voters: self.roster.voters().clone(),
            would_grant,
            granted: Some(Granted { to: self.voter.granted(now).map(|(holder, ..)| holder.node) }),
        }
    }

    /// L3: a hint, never more: who holds strongly is known a heartbeat earlier.
    fn takeover_told(&mut self, now: Now, from: NodeId, holder: constella_shared::ids::LeaderKey, term: Term) {
        if holder.node == from && self.obeys(now, &from) {
            let strength = constella_shared::wire::lease::Strength::Strong;
            let left_ms = self.settings.lease_ttl_ms / 2;
            let renewal = constella_shared::ids::Seq(0);
            let view = LeaseView { holder, term, strength, polling: true, renewal, left_ms };
            self.seen.hear(now, &view, self.settings.lease_ttl_ms);
        }
    }

    fn glanced(&mut self, result: &Result<AgentReply, AgentFailure>) {
        self.host.glance = None;
        if let Ok(AgentReply::Stats(stats)) = result {
            self.host.booted(stats);
            let glance = |(cpu, mem)| Glance { cpu: whole(cpu), mem: whole(mem) };
            self.host.glance = stats.cpu_percent.zip(stats.mem_percent()).map(glance);
        }
    }

    fn agent_says(
        &mut self,
        now: Now,
        want: Want,
        result: Result<AgentReply, AgentFailure>,
    ) -> Result<Response, RpcError> {
        match (want, result) {
            (Want::Stats, Ok(AgentReply::Stats(stats))) => {
                self.host.booted(&stats);
                self.judge_the_boot(now, &stats);
                Ok(Response::Stats { stats: *stats, controller_version: self.settings.version.clone() })
            }
            (Want::Series { points }, Ok(AgentReply::Series(series))) => {
                // An agent of any version answers with all that it has: the wire carries what the asker can show.
                let series = match points {
                    Some(points) => series.thinned(points),
                    None => series,
                };
                Ok(Response::Series { series })
            }
            (Want::Speedtest, Ok(AgentReply::Speedtest(test))) => Ok(Response::Speedtest { test }),
            (Want::Reboot(..), Ok(AgentReply::Reboot(answer))) => {
                Ok(Response::Reboot { answer, boot_id: self.host.boot_id.clone() })
            }
            (_, Ok(_)) => Err(refusal(RpcCode::AgentFailed, "the agent answered something else")),
            (_, Err(AgentFailure::Unreachable(why))) => {
                let message = format!("the agent of this host does not answer ({why}); is its container running?");
                Err(RpcError { code: RpcCode::AgentUnreachable, message })
            }
            (_, Err(AgentFailure::Refused(error))) => {
                let code = match error.code {
                    AgentErrorCode::Disabled => RpcCode::Disabled,
                    AgentErrorCode::Busy | AgentErrorCode::TooSoon => RpcCode::Busy,
                    AgentErrorCode::TooLate => RpcCode::TooLate,
                    AgentErrorCode::BadRequest
                    | AgentErrorCode::UnknownPath
                    | AgentErrorCode::TooLarge
                    | AgentErrorCode::Failed => RpcCode::AgentFailed,
                };
                Err(RpcError { code, message: error.message })
            }
        }
    }

    /// L6: the heir looks at Telegram and asks the voters, then answers.
    fn prove(&mut self, now: Now, inbound: InboundId, from: NodeId, term: Term) {
        self.durable.raise(term.min(Term(self.durable.term().0.saturating_add(1))));
        let deadline = now.boot_ms.saturating_add(PROOF_MS).saturating_add(self.round_ms());
        if let Some(before) = self.proof.take() {
            self.respond(Asker::Peer(before.inbound), Ok(Response::Proof { ready: false, majority: false }));
        }
        let mut proof = Proof { inbound, deadline, ready: None, granting: BTreeSet::new(), waiting: 0 };
        let voters = voters::everyone(self.roster.voters());
        for voter in voters {
            if voter == self.id {
                if self.voter.would_grant(now, self.id, from) {
                    proof.granting.insert(voter);
                }
            } else if self.roster.is_member(&voter) {
                proof.waiting = proof.waiting.saturating_add(1);
                let request = Request::LeaseGet { heir: Some(self.key()), holder: Some(from) };
                self.call(voter, PROOF_MS, PeerRequest::Rpc(request), Pending::ProofVote { voter });
            }
        }
        self.proof = Some(proof);
        self.ask_bot(PROOF_MS, BotCall::GetMe, Pending::ProofBot);
    }
}

/// A part of a proof.
pub(super) enum ProofPart {
    /// Whether the Bot API answered just now.
    Bot(bool),
    /// Whether a voter would grant.
    Vote(NodeId, bool),
}

/// A refusal in words that do not depend on the case.
pub(super) fn refusal(code: RpcCode, message: &str) -> RpcError {
    RpcError { code, message: message.to_string() }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=100 before")]
fn whole(percent: f32) -> u8 {
    percent.clamp(0.0, 100.0) as u8
}

/// 90 days.
const MOST_HOURS: u32 = 2_160;

/// L6: the heir answers within 2 s, and before a stopping holder gives up.
const PROOF_MS: u64 = 1_500;

/// L5: an heir is told within the time of one call after the releases.
const HEIRS_TIME_MS: u64 = 600;
