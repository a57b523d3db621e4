//! State that could not be written: what may leave without it, and what this node does and refuses until its disk takes it again.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::state::CommandsState;
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, LeaseRefusal};
use constella_shared::wire::rpc::{Request, Response, RpcCode, RpcError};

use super::Node;
use super::pending::{Asker, Pending};
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::why_disk;
use crate::clock::Now;
use crate::commands::batch::Batch;
use crate::io::{
    AgentCall, BotCall, CallError, CallId, Document, DocumentName, OperatorAnswer, Output, PeerRequest, PeerResponse,
    Trouble,
};

impl Node {
    /// What the last step wrote is on disk.
    pub(super) fn step_is_written(&mut self) {
        let stored = self.disk.step();
        if stored.contains(&DocumentName::Commands) {
            self.commands.written();
        }
    }

    /// What must be on disk goes before everything else of this step. What could not be written waits for its next try.
    pub(super) fn collect(&mut self) -> Vec<Output> {
        let mut documents = Vec::new();
        let may_write = |document| self.disk.may_write(self.last, document);
        if may_write(DocumentName::Vote) {
            documents.extend(self.durable.take_dirty().map(Document::Vote));
        }
        if may_write(DocumentName::Network) && core::mem::take(&mut self.network_dirty) {
            documents.push(Document::Network(self.roster.to_network_state()));
        }
        if may_write(DocumentName::Invites) && core::mem::take(&mut self.invites_dirty) {
            documents.push(Document::Invites(self.roster.to_invites_state(self.last)));
        }
        if may_write(DocumentName::Commands) {
            let with_judge = |commands| CommandsState { judge: self.watch.state(), ..commands };
            documents.extend(self.commands.take_dirty().map(with_judge).map(Document::Commands));
        }
        for document in &documents {
            self.disk.writes(document);
        }
        let mut all: Vec<Output> = documents.into_iter().map(Output::Persist).collect();
        all.append(&mut self.out);
        all
    }

    /// A document could not be written. Of the rest of its step, gives back what does not rest on it.
    pub(super) fn unwritten(
        &mut self,
        now: Now,
        document: DocumentName,
        why: Trouble,
        rest: Vec<Output>,
    ) -> Vec<Output> {
        let (term, voters) = (self.claim.term(), self.roster.voters().mark);
        let relied = self.claim.active() && self.is_voter() && self.disk.holds_grant(self.id, term, voters);
        if self.disk.failed(now, document, why) {
            self.warn(format!("this node cannot store its state ({document:?}): {}", why.words()));
        }
        match document {
            DocumentName::Vote => self.durable.unwritten(),
            DocumentName::Network => self.network_dirty = true,
            DocumentName::Invites => self.invites_dirty = true,
            DocumentName::Commands => self.commands.unwritten(),
        }
        let mut dropped = Vec::new();
        let mut rest: Vec<Output> =
            rest.into_iter().filter_map(|output| self.without(document, output, &mut dropped)).collect();
        for call in dropped {
            self.answered(now, call, Err(CallError::NotSent(String::from(why.words()))));
        }
        // L1: its own vote counts only when it is on disk; from then on what is not on disk is not granted at all.
        let lost = relied && !self.disk.holds_grant(self.id, term, voters);
        if lost {
            self.claim.doubt(now, &self.durable);
        }
        // F6: the record of an edit is on disk before the owner is shown it.
        let edit = document == DocumentName::Network && self.batch.as_ref().is_some_and(Batch::edits);
        if lost || edit {
            // L7: the title that the rest of the step rests on is gone.
            rest.retain(|output| !self.forget(output));
        }
        if lost || edit || document == DocumentName::Commands {
            self.begin_anew(now);
        }
        rest
    }

    /// The shell looked at the state folder.
    pub(super) fn looked_at_the_disk(&mut self, now: Now, room: Option<Trouble>) {
        self.disk.looked(now, room);
    }

    /// Why this node stores nothing that is new, for whoever asks it to.
    ///
    /// # Errors
    /// Its disk takes nothing; nothing was changed.
    pub(super) fn may_store(&self) -> Result<(), RpcError> {
        self.disk.trouble().map_or(Ok(()), |why| Err(cannot_store(why)))
    }

    /// L1: why this node does not grant: a crash would make it forget the grant.
    pub(super) fn cannot_grant(&self, ask: &LeaseAsk) -> Option<LeaseAnswer> {
        let holds = self.disk.holds_grant(ask.holder.node, ask.term, self.roster.voters().mark);
        (!holds).then(|| self.not_granted())
    }

    /// Tells the owner once of each node whose disk takes nothing, and again when it does.
    pub(super) fn tell_of_disks(&mut self, now: Now) {
        if !self.serves() || self.roster.message().is_none() {
            self.disk.told.clear();
            return;
        }
        let present: BTreeMap<NodeId, Trouble> =
            self.roster.members().filter_map(|member| Some((member.id, self.trouble_of(&member.id)?))).collect();
        let before = core::mem::replace(&mut self.disk.told, present.clone());
        let name = |node: &NodeId| self.roster.member(node).map(|member| String::from(member.name));
        let begun = present.iter().filter(|(node, why)| before.get(node) != Some(why)).filter_map(|(node, why)| {
            let why = Value::Say(why_disk(*why));
            Some(Say::new(Key::DiskTrouble).text("name", name(node)?).with("why", why))
        });
        let over = before.keys().filter(|node| !present.contains_key(node));
        let over = over.filter_map(|node| Some(Say::new(Key::DiskAgain).text("name", name(node)?)));
        let says: Vec<Say> = begun.chain(over).collect();
        for say in says {
            let world = self.world(now);
            let acts = self.dialogue.notice(&world, say);
            self.acts.extend(acts);
        }
    }

    /// Why a node stores nothing, as it says itself.
    pub(super) fn trouble_of(&self, node: &NodeId) -> Option<Trouble> {
        if *node == self.id {
            return self.disk.trouble();
        }
        self.peers.get(node).and_then(|peer| peer.facts.disk).map(Trouble::of_wire)
    }

    /// The output, where it may leave although the document is not on disk; refusals in the place of answers that promise what it holds.
    fn without(&mut self, document: DocumentName, output: Output, dropped: &mut Vec<CallId>) -> Option<Output> {
        match document {
            DocumentName::Vote => self.without_vote(output, dropped),
            DocumentName::Network => Some(self.without_roster(self.without_grant(output))),
            DocumentName::Invites => Some(self.without_roster(output)),
            DocumentName::Commands => self.without_commands(output),
        }
    }

    /// L1: neither a grant nor a sequence number that a crash would make this node forget.
    fn without_vote(&self, output: Output, dropped: &mut Vec<CallId>) -> Option<Output> {
        match output {
            Output::Call { call, request: PeerRequest::Rpc(Request::LeaseAcquire(_)), .. } => {
                dropped.push(call);
                None
            }
            other => Some(self.without_grant(other)),
        }
    }

    /// A grant becomes a refusal; the holder asks again within a second.
    fn without_grant(&self, output: Output) -> Output {
        match output {
            Output::Reply {
                inbound,
                result: Ok(PeerResponse::Rpc(Response::Vote { answer: LeaseAnswer::Granted { .. }, facts })),
            } => {
                let response = Response::Vote { answer: self.not_granted(), facts };
                Output::Reply { inbound, result: Ok(PeerResponse::Rpc(response)) }
            }
            other => other,
        }
    }

    /// What others wrote comes again with the next exchange; what was written here is promised to nobody.
    fn without_roster(&self, output: Output) -> Output {
        let error = || cannot_store(self.disk.trouble().unwrap_or(Trouble::Failing));
        match output {
            Output::JoinReply { inbound, result: Ok(_) } => Output::JoinReply { inbound, result: Err(error()) },
            Output::Reply { inbound, result: Ok(PeerResponse::Rpc(Response::Joined { .. })) } => {
                Output::Reply { inbound, result: Err(error()) }
            }
            Output::OperatorReply { inbound, result: Ok(OperatorAnswer::Edited(_) | OperatorAnswer::Link(_)) } => {
                let error = RpcError { message: format!("{}; {MAY_HOLD}", error().message), ..error() };
                Output::OperatorReply { inbound, result: Err(error) }
            }
            other => other,
        }
    }

    /// F6: nothing of a command that is not on disk. A reboot that another node asks for goes to the agent, which has room of its own for the
    /// ids that it executes.
    fn without_commands(&mut self, output: Output) -> Option<Output> {
        if self.forget(&output) {
            return None;
        }
        let error = || cannot_store(self.disk.trouble().unwrap_or(Trouble::Failing));
        Some(match output {
            // The answer to a copy; whoever sent anything else that is only done sends it again or does not need it.
            Output::Reply { inbound, result: Ok(PeerResponse::Rpc(Response::Done)) } => {
                Output::Reply { inbound, result: Err(error()) }
            }
            // A refusal for good must be remembered: where it is not, the same order is judged anew.
            Output::Reply { inbound, result: Err(refused) } if refused.code == RpcCode::TooLate => {
                Output::Reply { inbound, result: Err(error()) }
            }
            other => other,
        })
    }

    /// Whether it serves the owner under the title of this node; then nobody waits for its answer any more.
    fn forget(&mut self, output: &Output) -> bool {
        let forgotten = match output {
            Output::Bot { call, request, .. } => match self.pending.get(call) {
                Some(Pending::Fence) => matches!(request, BotCall::GetUpdates { .. }).then_some(*call),
                Some(Pending::DialogueBot { .. }) => Some(*call),
                _ => None,
            },
            Output::Agent { call, request: AgentCall::Reboot(_) | AgentCall::RunSpeedtest(_) } => {
                let own = |why: &&Pending| matches!(why, Pending::Agent { asker: Asker::Dialogue(_), .. });
                self.pending.get(call).filter(own).map(|_| *call)
            }
            Output::Call { call, request: PeerRequest::Rpc(request), .. } => is_of_commands(request).then_some(*call),
            _ => None,
        };
        if let Some(call) = forgotten {
            self.pending.remove(&call);
        }
        forgotten.is_some()
    }

    /// Everything in hand is put down as if the title had been lost for a moment: updates that were not stored come again from Telegram, and open
    /// commands go on from what is stored of them.
    fn begin_anew(&mut self, now: Now) {
        if self.serves() || self.fence.busy() {
            let mut acts = Vec::new();
            self.fence.leave(&mut acts);
            self.fence_acts(now, acts);
            self.follow_serving(now);
        }
    }

    fn not_granted(&self) -> LeaseAnswer {
        let reason = LeaseRefusal::JustStarted { left_ms: self.settings.lease_ttl_ms };
        LeaseAnswer::Refused { reason, term: self.durable.term(), voters: None }
    }
}

/// A copy of a command, or an order that is carried out for one.
const fn is_of_commands(request: &Request) -> bool {
    match request {
        Request::CommandStore { adopt, .. } => !*adopt,
        Request::Reboot { .. } | Request::RunSpeedtest { .. } => true,
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
        | Request::CommandDone { .. }
        | Request::AlertsWitness { .. }
        | Request::AlertsTell { .. } => false,
    }
}

/// What is refused while the disk takes nothing.
fn cannot_store(why: Trouble) -> RpcError {
    let message = format!("this node cannot store it: {}; make room or mend it, then ask again", why.words());
    RpcError { code: RpcCode::Busy, message }
}

/// Of an operator's edit that was made and could not be stored.
const MAY_HOLD: &str = "the others may have it, so look before you ask again";
