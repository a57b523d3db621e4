//! The owner's edits of a node (R4), and what a node does that was removed.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::{RpcCode, RpcError};

use super::Node;
use super::requests::refusal;
use crate::clock::Now;
use crate::io::Progress;
use crate::joins::edit_refusal;
use crate::roster::{Edit, Revoke};
use crate::voters::{self, Shortage};

impl Node {
    /// Writes an edit and announces it. A removal is only begun: the node gives its vote and its lease away first.
    ///
    /// # Errors
    /// One sentence for the operator; nothing was written.
    pub(super) fn edit(&mut self, now: Now, node: &NodeId, edit: Edit) -> Result<Progress, RpcError> {
        if edit == Edit::Remove {
            return self.remove(now, node);
        }
        self.may_edit(now)?;
        self.may_store()?;
        self.write_edit(now, node, edit).map(|()| Progress::Done)
    }

    /// R2: out, for ever. The mark goes before the tombstone, so that a successor of this holder knows of the removal as well. A node that is out
    /// already, or on its way, is no error: who asks again learns how far it is.
    fn remove(&mut self, now: Now, node: &NodeId) -> Result<Progress, RpcError> {
        if self.roster.is_removed(node) || (*node == self.id && self.is_disowned()) {
            return Ok(Progress::Done);
        }
        if self.roster.is_leaving(node) {
            return Ok(Progress::Begun);
        }
        self.may_edit(now)?;
        self.may_store()?;
        if !self.roster.is_member(node) {
            return Err(edit_refusal(&crate::roster::EditError::UnknownNode));
        }
        if self.roster.len() == 1 {
            let message = "this is the only node of its network; stop it and delete its state folder instead";
            return Err(refusal(RpcCode::BadRequest, message));
        }
        self.hear_clocks(now);
        let records = self.roster.write_leaving(now, self.claim.term(), *node);
        self.announce(now, &records);
        Ok(Progress::Begun)
    }

    /// Once a second: a strong holder removes every node on its way out that neither votes nor holds any more.
    pub(super) fn tend_leaving(&mut self, now: Now) {
        if self.roster.leaving().next().is_none() || self.disk.trouble().is_some() || self.may_edit(now).is_err() {
            return;
        }
        let voters = voters::everyone(self.roster.voters());
        let spread = |marked_ms: u64| now.unix_ms.abs_diff(marked_ms) >= SPREAD_MS;
        let ready: Vec<NodeId> = self
            .roster
            .leaving()
            .filter(|(node, marked_ms)| *node != self.id && !voters.contains(node) && spread(*marked_ms))
            .map(|(node, _)| node)
            .collect();
        for node in ready {
            if let Err(error) = self.put_out(now, &node) {
                self.warn(error.message);
            }
        }
    }

    /// Writes the tombstone, and ends the open invitations of that node.
    fn put_out(&mut self, now: Now, node: &NodeId) -> Result<(), RpcError> {
        let name = self.shown_name(node);
        self.write_edit(now, node, Edit::Remove)?;
        let revoked = self.roster.revoke(now, &Revoke::WrittenBy(*node));
        self.announce(now, &revoked);
        self.warn(format!("{name} was removed by the owner"));
        Ok(())
    }

    fn write_edit(&mut self, now: Now, node: &NodeId, edit: Edit) -> Result<(), RpcError> {
        self.hear_clocks(now);
        let records = self.roster.edit(now, self.claim.term(), node, edit).map_err(|error| edit_refusal(&error))?;
        self.introduce_members(now);
        let roster = &self.roster;
        self.peers.retain(|node| roster.is_member(node));
        self.announce(now, &records);
        Ok(())
    }

    /// R2: half of the other voters, or more, take this node for a stranger: it was removed while it did not listen. It serves nobody.
    pub(super) fn is_disowned(&self) -> bool {
        let voters = voters::everyone(self.roster.voters());
        let others = voters.iter().filter(|voter| **voter != self.id);
        let (all, by) = others.fold((0_usize, 0_usize), |(all, by), voter| {
            (all.saturating_add(1), by.saturating_add(usize::from(self.peers.is_stranger_to(voter))))
        });
        by > 0 && by.saturating_mul(2) >= all
    }

    /// Gives back what it holds of a network that it does not belong to any more.
    pub(super) fn withdraw_when_disowned(&mut self, now: Now) {
        if self.claim.active() && self.is_disowned() {
            self.warn(String::from(
                "the other nodes say that this node was removed; it can come back with a new invitation",
            ));
            let releases = self.let_go(false);
            self.send_releases(releases);
            self.barred_until = now.boot_ms;
        }
    }

    /// R4: a strong holder, and nobody else.
    pub(super) fn may_edit(&self, now: Now) -> Result<(), RpcError> {
        let record = self.roster.voters();
        match self.held {
            Some(Strength::Strong) if self.strong_until().is_some_and(|until| until > now.boot_ms) => Ok(()),
            Some(_) => {
                let granted = |voter: &NodeId| self.claim.granted_under(now, voter, record.mark);
                let lacks = voters::shortage(record, granted).map(|shortage| self.in_words(&shortage));
                Err(refusal(RpcCode::NotHolder, lacks.as_deref().unwrap_or("the voters have not all answered yet")))
            }
            None => {
                let holder = self.holder(now).and_then(|key| self.roster.member(&key.node));
                let message = holder.map_or_else(
                    || "no node leads at this moment; try again in a few seconds".to_string(),
                    |member| format!("{} leads; ask there", member.name),
                );
                Err(RpcError { code: RpcCode::NotHolder, message })
            }
        }
    }

    /// Which voters a holder lacks, by name, for an operator.
    pub(super) fn in_words(&self, shortage: &Shortage) -> String {
        let Shortage { missing, total, needed } = shortage;
        let names: Vec<String> = missing.iter().map(|node| self.shown_name(node)).collect();
        format!("{} of {total} voters are missing ({}), {needed} are needed", names.len(), names.join(", "))
    }
}

/// A mark is with everybody in sight after so long, and a tombstone that follows it cannot be lost with the holder that wrote it.
const SPREAD_MS: u64 = 1_000;
