//! N1: each node judges its own figures. It tells the holder all that stands, when that changed or another one holds, until it was heard.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId, Term};
use constella_shared::limits::ALERT_STANDING;
use constella_shared::wire::alert::{Kind, Standing, Subject};
use constella_shared::wire::rpc::{Request, RpcCode, RpcError};

use super::super::Node;
use super::super::pending::Pending;
use super::super::requests::refusal;
use super::witness::SECOND;
use crate::alerts::board::Finding;
use crate::clock::Now;
use crate::io::{CallError, PeerRequest, PeerResponse};

/// The holder that was told what stands here, and, as a holder, what others told.
#[derive(Debug, Default)]
pub(super) struct Standings {
    /// The holder that heard it last, and what it heard.
    heard: Option<(Holder, Vec<Standing>)>,
    /// It is on its way.
    flying: bool,
    not_before: u64,
    /// The standing alerts that each node told this holder.
    told: BTreeMap<NodeId, Vec<Standing>>,
}

/// A holder, in one start of its process and one term: what another one heard is not known to it.
type Holder = (NodeId, Option<Generation>, Term);

impl Standings {
    /// Somebody else holds: what others told is told there.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }
}

impl Node {
    /// All that stands at this node by its own judgement.
    fn own_standing(&self) -> Vec<Standing> {
        let mut standing = self.watch.judge.standing();
        standing.truncate(ALERT_STANDING);
        standing
    }

    /// Tells the holder, where it does not know.
    pub(super) fn tell_standing(&mut self, now: Now) {
        let Some(view) = self.lease_view(now) else { return };
        let holder = view.holder.node;
        let own = self.own_standing();
        if holder == self.id {
            self.alerts.standings.told.insert(self.id, own);
            return;
        }
        let to = (holder, self.peers.generation(&holder), view.term);
        let knows = match &self.alerts.standings.heard {
            Some((heard, what)) => *heard == to && *what == own,
            // Where nothing stands and nothing was told, there is nothing to take back.
            None => false,
        };
        let told = self.alerts.standings.heard.as_ref().is_some_and(|(heard, what)| *heard == to && !what.is_empty());
        let nothing = own.is_empty() && !told && !self.is_told_of_itself();
        let protocol = self.roster.member(&holder).and_then(|member| member.protocol);
        let waits = self.alerts.standings.flying || now.boot_ms < self.alerts.standings.not_before;
        if knows || nothing || waits || protocol < Some(SECOND) {
            return;
        }
        self.alerts.standings.flying = true;
        let request = PeerRequest::Rpc(Request::AlertsTell { standing: own.clone() });
        let pending = Pending::Standing { to: holder, heard: to, what: own };
        self.call(holder, self.settings.rpc_timeout_ms, request, pending);
    }

    /// The holder heard it, or did not.
    pub(in super::super) fn standing_told(
        &mut self,
        now: Now,
        heard: (NodeId, Option<Generation>, Term),
        what: Vec<Standing>,
        result: &Result<PeerResponse, CallError>,
    ) {
        self.alerts.standings.flying = false;
        match result {
            Ok(_) => self.alerts.standings.heard = Some((heard, what)),
            Err(_) => self.alerts.standings.not_before = now.boot_ms.saturating_add(AGAIN_MS),
        }
    }

    /// A node tells what stands at it.
    ///
    /// # Errors
    /// This node does not tell alerts, or it is more than any node has: nothing was changed.
    pub(in super::super) fn alerts_told(&mut self, from: NodeId, standing: Vec<Standing>) -> Result<(), RpcError> {
        if self.held.is_none() {
            return Err(refusal(RpcCode::NotHolder, "this node does not tell alerts; ask the holder"));
        }
        if standing.len() > ALERT_STANDING {
            return Err(refusal(RpcCode::TooLarge, "no node has so many alerts"));
        }
        self.alerts.standings.told.insert(from, standing);
        Ok(())
    }

    /// What others told, held against what the owner was told.
    pub(super) fn conclude_standing(&mut self, now: Now) {
        let roster = &self.roster;
        self.alerts.standings.told.retain(|node, _| roster.is_member(node));
        let told = &self.alerts.standings.told;
        // S6: a node speaks for itself.
        let me = self.id;
        let is_its_own =
            |from: &NodeId, subject: &Subject| is_judged_by_nodes(&subject.kind) && speaks(me, *from, subject);
        let mut stands: BTreeMap<Subject, Finding> = BTreeMap::new();
        for (from, standing) in told {
            for one in standing.iter().filter(|one| is_its_own(from, &one.subject)) {
                let Standing { subject, since_unix_ms, value } = one.clone();
                let finding = Finding { subject: subject.clone(), since_unix_ms, value, by: *from, witnesses: None };
                stands.entry(subject).or_insert(finding);
            }
        }
        let board = &self.alerts.board;
        let known: BTreeSet<Subject> =
            board.live().chain(board.standing()).filter(|subject| is_judged_by_nodes(&subject.kind)).cloned().collect();
        let over = |subject: &&Subject| {
            let tells = told.keys().any(|from| speaks(me, *from, subject)) || !roster.is_member(&subject.node);
            !stands.contains_key(*subject) && tells
        };
        let over: Vec<Subject> = known.iter().filter(over).cloned().collect();
        over.iter().for_each(|subject| self.alerts.board.is_well(now, subject));
        stands.into_values().for_each(|finding| self.alerts.board.stands(now, finding));
    }

    /// Whether the owner still reads something of this node that it judges itself.
    fn is_told_of_itself(&self) -> bool {
        let mine = |subject: &Subject| is_judged_by_nodes(&subject.kind) && subject.node == self.id;
        self.alerts.board.live().any(mine)
    }
}

/// S6: whose word counts. A node speaks for itself. That two processes run under one identity is seen by others: the holder believes what it sees itself, and
/// the others about itself.
fn speaks(holder: NodeId, from: NodeId, subject: &Subject) -> bool {
    if subject.kind == Kind::TwoBoots {
        subject.node != from && (from == holder || subject.node == holder)
    } else {
        subject.node == from
    }
}

/// Whether each node judges it, and tells the holder. The holder alone judges the other kinds.
pub(super) const fn is_judged_by_nodes(kind: &Kind) -> bool {
    match kind {
        Kind::NodeDown
        | Kind::VotersMissing
        | Kind::OtherProgram
        | Kind::Joined
        | Kind::Removed
        | Kind::AddressChanged
        | Kind::NewVersion => false,
        Kind::DiskFull
        | Kind::DiskFillsUp
        | Kind::Memory
        | Kind::Cpu
        | Kind::Swap
        | Kind::Temperature
        | Kind::Inodes
        | Kind::ClockSkew
        | Kind::AgentUnreachable
        | Kind::UnexpectedReboot
        | Kind::TelegramUnreachable
        | Kind::TwoBoots
        | Kind::Other(_) => true,
    }
}

/// A holder that did not hear it is told again after this time.
const AGAIN_MS: u64 = 3_000;
