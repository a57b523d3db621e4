//! A node carries out the orders of the one that the voters granted the lease, by their own words.
//!
//! A heartbeat says who holds, and any member can send one. So a target does not go by it: its own grant, where it votes, or else the answers of a
//! majority of the voters to `Lease.Get` prove a holder. An order waits for them, some round trips at most. Where the voters are out of reach, as on
//! the small side of a partition, the holder that this node sees is obeyed unless a voter names another.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Term};
use constella_shared::limits::{ORDERS_HELD_BACK, TERM_LEAP};
use constella_shared::wire::lease::{LeaseView, Strength};
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use super::Node;
use super::lease::ALL_CLAIM;
use super::pending::{Asker, Pending};
use super::requests::refusal;
use crate::clock::Now;
use crate::io::{CallError, InboundId, Output, PeerRequest, PeerResponse};
use crate::voters;

/// The proven holder, and the orders that wait for a proof.
#[derive(Debug, Default)]
pub(super) struct Authority {
    /// Until when by this node's CLOCK_BOOTTIME it counts.
    proven: Option<(NodeId, u64)>,
    inquiry: Option<Inquiry>,
    waiting: Vec<Waiting>,
    /// When the last inquiry began.
    asked_at: Option<u64>,
    /// A lease that contradicts what is known, and when it was told: it counts when the voters confirm it.
    claimed: Option<(LeaseView, u64)>,
    /// A member that was said to hold while the voters named another, and until when it is not believed.
    doubted: Option<(NodeId, u64)>,
}

/// A question to all voters, and their answers so far.
#[derive(Debug)]
struct Inquiry {
    /// The node that each granted, and the highest term that it has seen. A voter that has not answered is not in it.
    said: BTreeMap<NodeId, (Option<NodeId>, Term)>,
    open: usize,
    deadline: u64,
}

/// An order that waits.
#[derive(Debug)]
struct Waiting {
    inbound: InboundId,
    from: NodeId,
    request: Request,
}

impl Authority {
    fn is_doubted(&self, now: Now, node: &NodeId) -> bool {
        self.doubted.is_some_and(|(doubted, until)| doubted == *node && now.boot_ms < until)
    }

    /// When an inquiry ends, whoever has answered by then.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.inquiry.as_ref().map(|inquiry| inquiry.deadline)
    }
}

impl Node {
    /// The voters name one, and this node sees another: that one is not believed for a while, and keeps nobody from claiming.
    fn doubt_whom_i_see(&mut self, now: Now, holder: NodeId) {
        let Some(seen) = self.seen.live(now).filter(|view| view.strength == Strength::Strong) else { return };
        if seen.holder.node != holder && seen.holder.node != self.id {
            self.seen.let_go(now, seen.holder.node);
            self.authority.doubted = Some((seen.holder.node, now.boot_ms.saturating_add(DOUBTED_MS)));
        }
    }

    /// The voters named the holder that a heartbeat told of against what was known.
    fn believe_the_claimed(&mut self, now: Now, holder: NodeId) {
        if let Some((view, at)) = self.authority.claimed.take().filter(|(view, _)| view.holder.node == holder) {
            let left_ms = view.left_ms.saturating_sub(now.since(at));
            self.seen.hear(now, &LeaseView { left_ms, ..view }, self.settings.lease_ttl_ms);
        }
    }

    /// Whether this node knows by a voter's own word that the other one holds: by its own grant, or by a proof that is not older than a TTL.
    pub(super) fn obeys(&self, now: Now, other: &NodeId) -> bool {
        let granted = self.voter.granted(now).filter(|_| self.is_voter());
        granted.is_some_and(|(holder, ..)| holder.node == *other)
            || self.authority.proven.is_some_and(|(holder, until)| holder == *other && now.boot_ms < until)
    }

    /// An order of another node: carried out where it is known to hold, and otherwise when the voters have said so.
    pub(super) fn ordered(&mut self, now: Now, inbound: InboundId, from: NodeId, request: Request) {
        if self.obeys(now, &from) || self.is_known_order(&request) {
            return self.rpc(now, Asker::Peer(inbound), from, request);
        }
        if let Err(error) = self.may_wait(&request) {
            return self.out.push(Output::Reply { inbound, result: Err(error) });
        }
        self.authority.waiting.push(Waiting { inbound, from, request });
        self.inquire(now);
    }

    /// Whether an order is worth the voters' word. One for a certain boot cannot be done, whoever asks, before this node knows its own.
    fn may_wait(&self, request: &Request) -> Result<(), RpcError> {
        if matches!(request, Request::Reboot { boot_id: Some(_), .. }) && self.host.boot_id.is_none() {
            return Err(refusal(RpcCode::Starting, "this node has just started; ask again"));
        }
        if self.authority.waiting.len() >= ORDERS_HELD_BACK {
            return Err(refusal(RpcCode::TooMany, "many orders wait here for the voters' word; try again"));
        }
        Ok(())
    }

    /// Asks the voters whom they granted, unless they are being asked.
    pub(super) fn inquire(&mut self, now: Now) {
        if self.authority.inquiry.is_some() {
            return;
        }
        let limit = PROOF_MS.saturating_add(self.round_ms());
        let mut inquiry = Inquiry { said: BTreeMap::new(), open: 0, deadline: now.boot_ms.saturating_add(limit) };
        for voter in voters::everyone(self.roster.voters()) {
            if voter == self.id {
                let granted = self.voter.granted(now).map(|(holder, ..)| holder.node);
                inquiry.said.insert(voter, (granted, self.durable.term()));
            } else if self.roster.is_member(&voter) {
                inquiry.open = inquiry.open.saturating_add(1);
                let request = PeerRequest::Rpc(Request::LeaseGet { heir: None, holder: None });
                self.call(voter, PROOF_MS, request, Pending::GrantOf { voter });
            }
        }
        self.authority.inquiry = Some(inquiry);
        self.authority.asked_at = Some(now.boot_ms);
    }

    /// As [`Self::inquire`], for what nobody waits for: not more than once in a while, whatever others claim.
    pub(super) fn inquire_seldom(&mut self, now: Now) {
        if self.authority.asked_at.is_none_or(|at| now.since(at) >= SELDOM_MS) {
            self.inquire(now);
        }
    }

    /// A voter said whom it granted, or did not answer. An older build does not tell; then the strong holder that it sees must do.
    pub(super) fn grant_told(&mut self, voter: NodeId, result: &Result<PeerResponse, CallError>) {
        let Some(inquiry) = self.authority.inquiry.as_mut() else { return };
        inquiry.open = inquiry.open.saturating_sub(1);
        if let Ok(PeerResponse::Rpc(Response::Lease { state })) = result {
            let sees = || state.view.as_ref().filter(|view| view.strength == Strength::Strong);
            let granted = state.granted.map_or_else(|| sees().map(|view| view.holder.node), |granted| granted.to);
            inquiry.said.insert(voter, (granted, state.term));
        }
    }

    /// Ends an inquiry that has its answer, or whose time is over, and does what waited for it.
    pub(super) fn authority_due(&mut self, now: Now) {
        let Some(inquiry) = &self.authority.inquiry else { return };
        let holder = self.named(inquiry);
        if holder.is_none() && inquiry.open > 0 && now.boot_ms < inquiry.deadline {
            return;
        }
        let Some(inquiry) = self.authority.inquiry.take() else { return };
        if let Some((holder, term)) = holder {
            let until = now.boot_ms.saturating_add(self.settings.lease_ttl_ms);
            self.authority.proven = Some((holder, until));
            // L3: a majority of the voters has seen it, so it is no number of one member's making.
            self.durable.raise(term);
            self.doubt_whom_i_see(now, holder);
            self.believe_the_claimed(now, holder);
        }
        for Waiting { inbound, from, request } in core::mem::take(&mut self.authority.waiting) {
            if holder.map_or_else(|| self.trusts(now, &from, &inquiry), |(holder, _)| holder == from) {
                self.rpc(now, Asker::Peer(inbound), from, request);
            } else {
                self.refuse_order(inbound, &from);
            }
        }
    }

    /// A heartbeat tells of somebody else's lease. A strong one that contradicts what this node knows counts when the voters have confirmed it: a
    /// single member could otherwise hide the holder from everybody, and keep its successors waiting.
    pub(super) fn view_told(&mut self, now: Now, view: &LeaseView) {
        let holder = view.holder.node;
        if view.strength == Strength::Strong && self.must_be_proven() && !self.obeys(now, &holder) {
            let contradicts = |known: LeaseView| known.strength == Strength::Strong && known.holder.node != holder;
            if self.authority.is_doubted(now, &holder) || self.seen.live(now).is_some_and(contradicts) {
                self.authority.claimed = Some((view.clone(), now.boot_ms));
                return self.inquire_seldom(now);
            }
            if self.seen.holder() != Some(holder) {
                self.inquire_seldom(now);
            }
        }
        self.seen.hear(now, view, self.settings.lease_ttl_ms);
        if view.strength == Strength::Strong && self.obeys(now, &holder) {
            // L3: who just joined, or was away for thousands of terms, comes up by a leap a heartbeat, and then grants and obeys.
            self.durable.raise_near(view.term);
        } else if view.term.0 > self.durable.term().0.saturating_add(TERM_LEAP) {
            self.inquire_seldom(now);
        }
    }

    /// M2: in a large network only voters claim, so nobody else needs to know for certain who holds before an order comes.
    fn must_be_proven(&self) -> bool {
        self.is_voter() || self.roster.len() <= ALL_CLAIM
    }

    /// The node that a majority of the voters granted, and a term that each of these has seen.
    fn named(&self, inquiry: &Inquiry) -> Option<(NodeId, Term)> {
        let record = self.roster.voters();
        let granted = |node: NodeId| inquiry.said.values().filter(move |(to, _)| *to == Some(node));
        let has_majority = |node: &NodeId| {
            voters::majority(record, |voter| inquiry.said.get(voter).is_some_and(|(to, _)| to.as_ref() == Some(node)))
        };
        let holder = inquiry.said.values().filter_map(|(to, _)| *to).find(has_majority)?;
        Some((holder, granted(holder).map(|(_, term)| *term).min()?))
    }

    /// No majority can be asked: the holder that this node sees is obeyed (L2: it is weak), unless a voter that answers granted another.
    fn trusts(&self, now: Now, from: &NodeId, inquiry: &Inquiry) -> bool {
        let lately = now.boot_ms < self.seen.until().saturating_add(self.settings.lease_ttl_ms);
        let names_another = inquiry.said.values().any(|(to, _)| to.is_some_and(|to| to != *from));
        self.seen.holder() == Some(*from) && lately && !names_another
    }

    fn refuse_order(&mut self, inbound: InboundId, from: &NodeId) {
        let name = self.shown_name(from);
        self.refused.count("orders");
        self.warn(alloc::format!("an order of {name} was refused: it does not hold the lease, by the voters' word"));
        let error = refusal(RpcCode::NotHolder, "this node takes orders from the holder, and the voters name another");
        self.out.push(Output::Reply { inbound, result: Err(error) });
    }

    /// Such an order only tells again that it was done or refused before.
    fn is_known_order(&self, request: &Request) -> bool {
        match request {
            Request::Reboot { command_id, .. } => {
                self.commands.is_executed(command_id) || self.commands.is_refused(command_id)
            }
            _ => false,
        }
    }
}

/// The voters' time for their word, over wires without length.
const PROOF_MS: u64 = 1_000;

/// A member that said that it held is believed again after this time, or as soon as the voters name it.
const DOUBTED_MS: u64 = 60_000;

/// Between two inquiries that no order waits for.
const SELDOM_MS: u64 = 2_000;
