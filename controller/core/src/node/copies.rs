//! Copies of commands at other nodes, and commands on their way to whoever serves (F6).

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::wire::command::StoredCommand;
use constella_shared::wire::rpc::{Request, RpcCode, RpcError};

use super::Node;
use super::pending::Pending;
use super::requests::refusal;
use crate::bot::desk::act::Act;
use crate::clock::Now;
use crate::io::{CallError, PeerRequest, PeerResponse};

/// Copies to be made, and those that were made.
#[derive(Debug, Default)]
pub(super) struct Copies {
    waiting: VecDeque<CopyJob>,
    under_way: Option<CopyJob>,
    /// F6: to whom copies of what is open were sent.
    sent: BTreeMap<CommandId, CopiedTo>,
}

impl Copies {
    /// Whether none waits, and none is on its way.
    pub(super) fn is_done(&self) -> bool {
        self.under_way.is_none() && self.waiting.is_empty()
    }

    /// Those that are not made yet are dropped.
    pub(super) fn put_down(&mut self) {
        self.waiting.clear();
        self.under_way = None;
    }
}

/// Commands on their way to another node, and what waits for it.
#[derive(Debug)]
struct CopyJob {
    commands: Vec<StoredCommand>,
    tried: Vec<NodeId>,
    then: Then,
    /// When the first of them was tried.
    since: Option<u64>,
}

/// To whom copies of one command were sent.
#[derive(Debug, Default)]
struct CopiedTo {
    /// All of them, whether they answered or not.
    sent: BTreeSet<NodeId>,
    /// Those who did not take the newest stage, or one shortly before it.
    missed: BTreeSet<NodeId>,
}

/// What a copy is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Telegram may know that everything below this offset is taken.
    Confirm(i64),
    /// The acts behind a stage may go on.
    Acts,
}

impl Node {
    /// Copies commands to another node, then goes on.
    pub(super) fn copy(&mut self, commands: Vec<StoredCommand>, then: Then) {
        self.copies.waiting.push_back(CopyJob { commands, tried: Vec::new(), then, since: None });
    }

    /// A stage of a command: copied to one node, and sent to all who may have an older copy. A successor that has the press alone, and not the
    /// order that was given by it, would tell the owner that nothing was done.
    pub(super) fn copy_stage(&mut self, command: StoredCommand, keepers: Vec<NodeId>) {
        let (id, commands) = (command.id, alloc::vec![command]);
        if let Some(copied_to) = self.copies.sent.get_mut(&id) {
            copied_to.missed.clear();
        }
        let job = CopyJob { commands: commands.clone(), tried: Vec::new(), then: Then::Acts, since: None };
        let next = self.keeper(&job).filter(|_| self.copies.is_done());
        for keeper in self.may_keep(id, keepers).into_iter().filter(|keeper| Some(*keeper) != next) {
            let request = Request::CommandStore { commands: commands.clone(), term: self.claim.term(), adopt: false };
            self.call(
                keeper,
                self.settings.rpc_timeout_ms,
                PeerRequest::Rpc(request),
                Pending::Staged { to: keeper, id },
            );
        }
        self.copies.waiting.push_back(job);
    }

    /// A node that may have an older copy took the stage, or not.
    pub(super) fn staged(&mut self, to: NodeId, id: CommandId, taken: bool) {
        if !taken && self.commands.get(&id).is_some() {
            self.copies.sent.entry(id).or_default().missed.insert(to);
        }
    }

    /// Open commands of which a node has a copy, or may have, that does not answer or did not take the newest stage: it may carry them out on
    /// another side of a cut.
    pub(super) fn strayed(&self) -> Vec<CommandId> {
        let reachable = self.reachable();
        let missed = |id: &CommandId| self.copies.sent.get(id).is_some_and(|copied_to| !copied_to.missed.is_empty());
        let strayed = self
            .commands
            .kept()
            .filter(|(id, keepers)| missed(id) || !self.may_keep(*id, keepers.clone()).is_subset(&reachable));
        strayed.map(|(id, _)| id).collect()
    }

    /// Commands with a stage that is about to be stored, or on its way to those who have a copy.
    pub(super) fn unsettled(&self) -> Vec<CommandId> {
        let coming = self.acts.iter().filter_map(|act| match act {
            Act::Stage { command, .. } => Some(*command),
            _ => None,
        });
        let jobs = self.copies.waiting.iter().chain(&self.copies.under_way).filter(|job| job.then == Then::Acts);
        let copied = jobs.flat_map(|job| job.commands.iter().map(|command| command.id));
        let told = self.pending.values().filter_map(|why| match why {
            Pending::Staged { id, .. } => Some(*id),
            _ => None,
        });
        let all: BTreeSet<CommandId> = coming.chain(copied).chain(told).collect();
        all.into_iter().collect()
    }

    /// Those who keep a copy, and those who were sent one and did not answer.
    pub(super) fn may_keep(&self, id: CommandId, keepers: Vec<NodeId>) -> BTreeSet<NodeId> {
        let sent = self.copies.sent.get(&id).into_iter().flat_map(|copied_to| copied_to.sent.iter().copied());
        sent.chain(keepers).filter(|keeper| self.roster.is_member(keeper)).collect()
    }

    /// The next copy, where none is on its way.
    pub(super) fn copy_due(&mut self, now: Now) {
        while self.copies.under_way.is_none() {
            let Some(mut job) = self.copies.waiting.pop_front() else { return };
            let keeper =
                self.keeper(&job).map(|keeper| (keeper, COPY_LIMIT_MS.saturating_add(self.peers.timeout_ms(&keeper))));
            match keeper {
                Some((keeper, limit)) if job.may_try(now, limit) => {
                    job.tried.push(keeper);
                    job.since.get_or_insert(now.boot_ms);
                    self.copies.sent.retain(|id, _| self.commands.get(id).is_some());
                    for command in &job.commands {
                        self.copies.sent.entry(command.id).or_default().sent.insert(keeper);
                    }
                    let term = self.claim.term();
                    let request = Request::CommandStore { commands: job.commands.clone(), term, adopt: false };
                    self.copies.under_way = Some(job);
                    self.call_within(keeper, limit, PeerRequest::Rpc(request), Pending::Copy { keeper });
                }
                // Nobody is in reach: this node's own disk has it.
                Some(_) | None => self.copied(now, job.then),
            }
        }
    }

    /// A copy was taken, or not: then another node is tried.
    pub(super) fn copy_answered(&mut self, now: Now, keeper: NodeId, taken: bool) {
        let Some(job) = self.copies.under_way.take() else { return };
        if taken {
            let ids: Vec<CommandId> = job.commands.iter().map(|command| command.id).collect();
            self.commands.kept_by(&ids, keeper);
            self.copied(now, job.then);
        } else {
            for command in job.commands.iter().filter(|_| job.then == Then::Acts) {
                self.staged(keeper, command.id, false);
            }
            self.copies.waiting.push_front(job);
        }
    }

    /// A copy, or a command that its former holder passes on, came from another node.
    ///
    /// # Errors
    /// Where the owner is to read that nothing was done, and it may have been done here.
    pub(super) fn keep_commands(
        &mut self,
        now: Now,
        from: NodeId,
        commands: Vec<StoredCommand>,
        term: Term,
        adopt: bool,
    ) -> Result<(), RpcError> {
        if !commands.iter().all(|command| command.is_bounded()) {
            return Err(refusal(
                RpcCode::BadRequest,
                "a command has more that is not known here than any version writes",
            ));
        }
        if !adopt {
            // Whoever sent it looks for another backup. One that passes a command on keeps it until it is done.
            self.may_store()?;
        }
        if !adopt && !commands.iter().all(|command| self.commands.may_take(command)) {
            let message = "this node has begun that command itself".into();
            return Err(RpcError { code: RpcCode::Busy, message });
        }
        let ids: Vec<CommandId> = commands.iter().map(|command| command.id).collect();
        let holder = (!adopt).then_some((from, term));
        for command in commands {
            if self.roster.is_member(&command.taken_by) || self.roster.is_removed(&command.taken_by) {
                self.commands.keep(command, from, holder);
            }
        }
        let done = self.commands.done_among(&ids);
        if adopt && !done.is_empty() {
            self.tell_done(from, done);
        }
        self.carry_out(now);
        Ok(())
    }

    /// A command is done: those who keep a copy are told.
    pub(super) fn tell_done(&mut self, keeper: NodeId, ids: Vec<CommandId>) {
        let limit = self.settings.rpc_timeout_ms;
        let ordered = self.commands.ordered_among(&ids);
        self.call(keeper, limit, PeerRequest::Rpc(Request::CommandDone { ids, ordered }), Pending::Told { to: keeper });
    }

    /// What is open here while another node serves is passed on to it (F6).
    pub(super) fn pass_commands_on(&mut self, now: Now) {
        if self.serves() || !self.commands.any_open() || now.boot_ms < self.at.pass_on {
            return;
        }
        let Some(view) = self.seen.live(now).filter(|view| view.polling && view.holder.node != self.id) else { return };
        let to = view.holder.node;
        let commands = self.commands.pass_on(to, view.term);
        if !commands.is_empty() {
            self.at.pass_on = now.boot_ms.saturating_add(PASS_ON_AGAIN_MS);
            self.pass(to, commands, view.term);
        }
    }

    /// Passes commands on to a holder, or to an heir.
    pub(super) fn pass(&mut self, to: NodeId, commands: Vec<StoredCommand>, term: Term) {
        let ids = commands.iter().map(|command| command.id).collect();
        let request = Request::CommandStore { commands, term, adopt: true };
        let limit = self.settings.rpc_timeout_ms;
        self.call(to, limit, PeerRequest::Rpc(request), Pending::PassedOn { to, ids });
    }

    /// The commands were passed on, or not.
    pub(super) fn passed_on(&mut self, ids: &[CommandId], result: &Result<PeerResponse, CallError>) {
        if result.is_err() {
            self.commands.not_passed(ids);
        }
    }

    fn copied(&mut self, now: Now, then: Then) {
        match then {
            Then::Confirm(upto) => {
                self.commands.confirming(upto);
                self.fence.confirm(upto);
            }
            Then::Acts => {
                self.staging = false;
                self.perform_acts(now);
            }
        }
    }

    /// A node that answers, and does not keep these already on their way: the best LeaderKey, for it is the likeliest successor.
    fn keeper(&self, job: &CopyJob) -> Option<NodeId> {
        let fresh = self.reachable().into_iter().filter(|node| !job.tried.contains(node));
        fresh.min_by_key(|node| self.roster.leader_key(node))
    }
}

impl CopyJob {
    /// Whether another node is tried, with so long a limit.
    fn may_try(&self, now: Now, limit_ms: u64) -> bool {
        let took = self.since.map_or(0, |since| now.since(since).saturating_add(limit_ms));
        self.tried.len() < MOST_KEEPERS && took <= COPIES_MS
    }
}

/// A copy is one short call, and all tries together end well before a lease does: a leader that was just cut off confirms and answers what
/// it has in hand while it still may, and leaves nothing half done to a side that cannot hear it. A long wire gets one round trip more, and none for
/// a packet that is lost.
const COPY_LIMIT_MS: u64 = 400;

/// Three tries over wires without length, and one over a long wire.
const COPIES_MS: u64 = 1_500;

/// F6: "a copy at one reachable node"; after so many that did not answer, the own disk must do.
const MOST_KEEPERS: usize = 3;

/// A holder that did not take what was passed on is asked again.
const PASS_ON_AGAIN_MS: u64 = 3_000;
