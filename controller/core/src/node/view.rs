//! The network as this node sees it: rows for `GetPeers`, and the world for the dialogue; and whom an answer is for.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::{PeerRow, Response, RpcCode, Status};

use super::Node;
use super::pending::Pending;
use super::requests::ProofPart;
use super::serve::Serving;
use crate::bot::kit::world::{NodeRow, Owner, Voter, World};
use crate::clock::Now;
use crate::io::{CallError, CallId, PeerResponse};
use crate::lease::claim::AskSent;
use crate::voters;

impl Node {
    /// A member's status, this node's own included.
    pub(super) fn status_of(&self, node: &NodeId) -> Status {
        if *node == self.id { Status::Alive } else { self.membership.status(node) }
    }

    /// The same for a person. A node whose port refuses connections has no process that answers, seconds before gossip finds that out.
    fn shown_status(&self, node: &NodeId) -> Status {
        match self.status_of(node) {
            Status::Alive if self.peers.refuses(node) => Status::Suspect,
            status => status,
        }
    }

    /// R4: whether a voter is there: it granted, or it answers and keeps to a holder that died a moment ago.
    pub(super) fn voter_is_there(&self, now: Now, voter: &NodeId) -> bool {
        let answers = || self.status_of(voter) == Status::Alive && self.peers.failing(voter).is_none();
        self.claim.granted_under(now, voter, self.roster.voters().mark) || answers()
    }

    /// `GetPeers`.
    pub(super) fn peer_rows(&self, now: Now) -> Vec<PeerRow> {
        let leader = self.holder(now).map(|key| key.node);
        let row = |member: crate::roster::Member<'_>| {
            let peer = self.peers.get(&member.id);
            let own = member.id == self.id;
            let heard = if own { now.unix_ms } else { peer.map_or(0, |peer| peer.heard_unix_ms) };
            PeerRow {
                name: member.name.to_string(),
                node_id: member.id,
                addr: member.addr.unwrap_or_default().to_string(),
                status: self.shown_status(&member.id),
                last_seen: heard / 1_000,
                priority: member.priority,
                leader: Some(member.id) == leader,
                version: member.version.unwrap_or_default().to_string(),
                rtt_ms: peer.and_then(|peer| peer.rtt_ms),
                reached: peer.map_or(0, |peer| peer.reached_unix_ms / 1_000),
                skew_ms: self.peers.skew_ms(&member.id),
            }
        };
        let mut rows: Vec<PeerRow> = self.roster.members().map(row).collect();
        rows.sort_by_key(|row| (row.priority, row.node_id));
        rows
    }

    /// What the dialogue may look at.
    pub(super) fn world(&self, now: Now) -> World {
        let rows = self.peer_rows(now).into_iter().map(|row| {
            let peer = self.peers.get(&row.node_id);
            let own = row.node_id == self.id;
            NodeRow {
                node: row.node_id,
                name: row.name,
                priority: row.priority,
                status: row.status,
                // It serves the owner, also while its voters keep to a holder that died a moment ago.
                leader: if self.held.is_some() { own } else { row.leader },
                version: row.version,
                rtt_ms: row.rtt_ms,
                boot_ms: if own { Some(now.boot_ms) } else { self.peers.on_their_clock(&row.node_id, now.boot_ms) },
                unix_ms: if own { Some(now.unix_ms) } else { self.peers.wall_clock_ms(now, &row.node_id) },
                up_ms: if own { Some(now.since(self.born)) } else { self.peers.up_ms(now, &row.node_id) },
                last_seen_unix_ms: if own { now.unix_ms } else { peer.map_or(0, |peer| peer.heard_unix_ms) },
                disk: self.trouble_of(&row.node_id),
                reaches_bot: if own { Some(self.probe.ready()) } else { peer.map(|peer| peer.facts.ready) },
                glance: if own { self.host.glance } else { peer.and_then(|peer| peer.facts.glance) },
            }
        });
        let owner = self.roster.owner();
        let record = self.roster.voters();
        let is_there = |voter: &NodeId| self.voter_is_there(now, voter);
        let voter = |node| Voter { node, there: is_there(&node) };
        let until = self.strong_until().filter(|_| self.held == Some(Strength::Strong));
        World {
            now,
            me: self.id,
            term: self.claim.term(),
            strong: self.held == Some(Strength::Strong),
            polls: self.serving == Serving::Everything,
            strayed: self.strayed(),
            unsettled: self.unsettled(),
            lease_left_ms: until.map(|until| until.saturating_sub(now.boot_ms)),
            voters: voters::everyone(record).into_iter().map(voter).collect(),
            shortage: voters::shortage(record, is_there),
            has_heir: self.another_is_ready(now),
            nodes: rows.collect(),
            owner: Owner { username: owner.username.to_string(), telegram_id: owner.telegram_id, claim: owner.claim },
            language: self.roster.language().map(String::from),
            message: self.roster.message().map(|message| (message.chat, message.message)),
            bot_username: self.roster.bot().map(|bot| bot.username.to_string()),
            invites: self.roster.invites().collect(),
            choices: self.roster.alert_choices().collect(),
            quiet: self.roster.quiet_choice(),
            alerts: self.alerts.board.incidents().into_values().collect(),
        }
    }

    /// Takes an answer to a call to whoever waits for it.
    pub(super) fn answered(&mut self, now: Now, call: CallId, result: Result<PeerResponse, CallError>) {
        let Some(why) = self.pending.remove(&call) else { return };
        self.book_contact(now, &why, &result);
        match why {
            Pending::Heartbeat { to, sent } => self.heartbeat_answered(now, to, sent, result),
            Pending::Ask { voter, sent, at } => self.voter_answered(now, voter, &sent, at, result),
            Pending::Release { .. } => {
                if let Some(handover) = self.handover.as_mut() {
                    handover.released(now, call);
                }
            }
            Pending::Offer { .. } => self.offer_answered(now, call, &result),
            Pending::Tell { .. } => {
                if let Some(handover) = self.handover.as_mut() {
                    handover.told(now);
                }
            }
            Pending::ProofVote { voter } => {
                let grants = matches!(&result, Ok(PeerResponse::Rpc(Response::Lease { state })) if state.would_grant);
                self.proof_part(ProofPart::Vote(voter, grants));
            }
            Pending::GrantOf { voter } => self.grant_told(voter, &result),
            Pending::HolderProbe { to } => self.holder_probe.answered(now, result.is_ok().then_some(to)),
            Pending::Sync { with } => {
                if let Ok(PeerResponse::Rpc(Response::Sync { sync })) = result {
                    self.synced(now, with, sync);
                }
            }
            Pending::Witness { witness, asked_at, nodes } => {
                self.witnessed(now, (witness, asked_at), &nodes, &result);
            }
            Pending::Standing { heard, what, .. } => self.standing_told(now, heard, what, &result),
            Pending::Members { .. } => {
                if let Ok(PeerResponse::Rpc(Response::Members { members })) = result {
                    let effects = self.membership.import(now, &members);
                    self.member_effects(now, None, effects);
                }
            }
            Pending::JoinPassedOn => self.join_answered(call, result),
            Pending::Copy { keeper } => self.copy_answered(now, keeper, result.is_ok()),
            Pending::Staged { to, id } => self.staged(to, id, result.is_ok()),
            Pending::PassedOn { ids, .. } => self.passed_on(&ids, &result),
            Pending::DialogueNode { ask, .. } => self.dialogue_answered(ask, result),
            Pending::Order(order) => self.order_answered(now, order, result),
            Pending::TermAt(order) => self.term_told(now, order, result),
            Pending::Told { .. }
            | Pending::ProofBot
            | Pending::Probe
            | Pending::Fence
            | Pending::DialogueBot { .. }
            | Pending::Farewell
            | Pending::Hindrance { .. }
            | Pending::Alert { .. }
            | Pending::Agent { .. }
            | Pending::Glance => {}
        }
    }

    fn heartbeat_answered(&mut self, now: Now, to: NodeId, sent: Now, result: Result<PeerResponse, CallError>) {
        if let Ok(PeerResponse::Heartbeat(heartbeat)) = result {
            let rtt = u32::try_from(now.since(sent.boot_ms)).ok();
            // Frames that gossip has for the answering side go with the next heartbeat to it.
            let frames = self.heartbeat_came(now, to, heartbeat, rtt);
            if !frames.is_empty() {
                self.frames.entry(to).or_default().extend(frames);
            }
        }
    }

    fn voter_answered(
        &mut self,
        now: Now,
        voter: NodeId,
        sent: &AskSent,
        at: Now,
        result: Result<PeerResponse, CallError>,
    ) {
        if let Ok(PeerResponse::Rpc(Response::Vote { answer, facts })) = result {
            self.heard(now, voter, facts, u32::try_from(now.since(at.boot_ms)).ok());
            self.ask_answered(now, voter, sent, Some(&answer));
        } else {
            self.ask_answered(now, voter, sent, None);
        }
    }

    /// Every call tells whether its target answers.
    fn book_contact(&mut self, now: Now, why: &Pending, result: &Result<PeerResponse, CallError>) {
        let to = match why {
            Pending::Heartbeat { to, .. }
            | Pending::Told { to }
            | Pending::HolderProbe { to }
            | Pending::Witness { witness: to, .. }
            | Pending::Standing { to, .. }
            | Pending::Staged { to, .. }
            | Pending::PassedOn { to, .. }
            | Pending::DialogueNode { to, .. } => *to,
            Pending::Order(order) | Pending::TermAt(order) => order.to,
            Pending::Ask { voter, .. }
            | Pending::Release { voter }
            | Pending::ProofVote { voter }
            | Pending::GrantOf { voter } => *voter,
            Pending::Offer { heir } | Pending::Tell { heir } => *heir,
            Pending::Sync { with } | Pending::Members { with } => *with,
            Pending::Copy { keeper } => *keeper,
            Pending::JoinPassedOn
            | Pending::ProofBot
            | Pending::Probe
            | Pending::Fence
            | Pending::DialogueBot { .. }
            | Pending::Farewell
            | Pending::Hindrance { .. }
            | Pending::Alert { .. }
            | Pending::Agent { .. }
            | Pending::Glance => return,
        };
        match result {
            Err(CallError::Refused(error)) if error.code == RpcCode::NotAMember => self.peers.disowned(now, to),
            // Its listener outlives its core by a moment: nothing is to be had from it any more.
            Err(CallError::Refused(error)) if error.code == RpcCode::Stopping => self.peers.failed(now, &to),
            Ok(_) | Err(CallError::Refused(_)) => self.peers.answered(now, &to),
            Err(CallError::PortClosed(_)) => self.peers.port_closed(now, &to),
            Err(CallError::NotSent(_) | CallError::Lost(_)) => self.peers.failed(now, &to),
        }
    }
}
