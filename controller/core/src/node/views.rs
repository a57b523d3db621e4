//! Views and edits: shown first, and confirmed by the next poll (F6).

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::{Stage, StoredCommand};
use constella_shared::wire::rpc::Request;

use super::Node;
use super::copies::Then;
use super::pending::Pending;
use crate::bot::desk::room::Kind;
use crate::clock::Now;
use crate::commands::batch::Batch;
use crate::io::{Note, Output, PeerRequest};

impl Node {
    /// Updates become commands: admitted, and shown before they are confirmed, or stored and copied before that where an order is among them.
    pub(super) fn take_commands(&mut self, now: Now, upto: i64, commands: Vec<StoredCommand>) {
        let known = commands.iter().any(|command| self.commands.knows(&command.id));
        let orders = commands.iter().any(|command| self.dialogue.kind(&command.content) == Kind::Order);
        if self.disk.trouble().is_some() {
            // What this disk has goes on; the rest is shown, or refused in words.
            let (held, fresh): (Vec<_>, Vec<_>) =
                commands.into_iter().partition(|command| self.commands.knows(&command.id));
            for command in held {
                self.commands.take(command);
            }
            self.show_first(now, upto, fresh);
        } else if known || orders {
            let taken: Vec<StoredCommand> =
                commands.into_iter().filter(|command| self.commands.take(command.clone())).collect();
            if taken.is_empty() {
                self.fence.skip(upto);
            } else {
                self.copy(taken, Then::Confirm(upto));
            }
        } else {
            self.show_first(now, upto, commands);
        }
    }

    fn show_first(&mut self, now: Now, upto: i64, commands: Vec<StoredCommand>) {
        let with_kind = |command: StoredCommand| {
            let kind = self.dialogue.kind(&command.content);
            (command, kind)
        };
        self.batch = Some(Batch::new(upto, now.boot_ms, commands.into_iter().map(with_kind).collect()));
        self.carry_out(now);
        self.confirm_what_is_shown();
    }

    /// The next view or edit to begin. A text that answers a question of the same batch may be an order: then the rest is delivered as one.
    pub(super) fn next_to_show(&mut self) -> Option<StoredCommand> {
        let next = self.batch.as_ref()?.next()?;
        if self.disk.trouble().is_none() && self.dialogue.kind(&next.content) == Kind::Order {
            self.store_unshown();
            return None;
        }
        self.batch.as_mut()?.start_next()
    }

    /// The owner was shown something of this command, if it is one that is not stored.
    pub(super) fn shown(&mut self, id: CommandId) {
        let Some(command) = self.batch.as_mut().and_then(|batch| batch.shown(id)) else { return };
        self.out.push(Output::Note(Note::Command { id, what: "done" }));
        self.commands.viewed(command.content.clone());
        self.tell_what_is_shown(command);
        self.confirm_what_is_shown();
    }

    /// The next poll confirms what was shown. What is stored and waits for that is confirmed by a call of its own.
    fn confirm_what_is_shown(&mut self) {
        let Some(batch) = self.batch.take_if(|batch| batch.is_shown()) else { return };
        if self.commands.waits_for(batch.upto()) {
            self.commands.confirming(batch.upto());
            self.fence.confirm(batch.upto());
        } else {
            self.fence.skip(batch.upto());
        }
    }

    /// The likeliest successor learns what the owner looks at: a list gives way to its own. It is not waited for, and nothing is stored.
    fn tell_what_is_shown(&mut self, command: StoredCommand) {
        let Some(to) = self.reachable().into_iter().min_by_key(|node| self.roster.leader_key(node)) else { return };
        let commands = alloc::vec![StoredCommand { stage: Stage::Done, ..command }];
        let request = Request::CommandStore { commands, term: self.claim.term(), adopt: false };
        self.call(to, self.settings.rpc_timeout_ms, PeerRequest::Rpc(request), Pending::Told { to });
    }

    /// When what was not shown is to be stored; None while the disk takes nothing, for then it waits until it is shown.
    pub(super) fn batch_deadline(&self) -> Option<u64> {
        self.batch.as_ref().filter(|_| self.disk.trouble().is_none()).and_then(Batch::deadline)
    }

    /// What could not be shown in time is stored and copied, so that it is not lost with this node and does not hold up the next update.
    pub(super) fn batch_due(&mut self, now: Now) {
        if self.batch_deadline().is_some_and(|at| at <= now.boot_ms) {
            self.store_unshown();
        }
    }

    fn store_unshown(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        let upto = batch.upto();
        let mut unshown = Vec::new();
        for (command, begun) in batch.into_unshown() {
            let stored =
                if begun { self.commands.take_begun(command.clone()) } else { self.commands.take(command.clone()) };
            unshown.extend(stored.then_some(command));
        }
        if unshown.is_empty() {
            self.fence.skip(upto);
        } else {
            self.copy(unshown, Then::Confirm(upto));
        }
    }
}
