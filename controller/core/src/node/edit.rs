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
use crate::joins::edit_refusal;
use crate::roster::Edit;
use crate::voters::{self, Shortage};

impl Node {
    /// Writes an edit and announces it.
    ///
    /// # Errors
    /// One sentence for the operator; nothing was written. `Busy` where the same request may succeed in a few seconds.
    pub(super) fn edit(&mut self, now: Now, node: &NodeId, edit: Edit) -> Result<(), RpcError> {
        self.may_edit(now)?;
        self.may_store()?;
        if edit == Edit::Remove {
            self.may_remove(now, node)?;
        }
        self.hear_clocks(now);
        let records = self.roster.edit(now, self.claim.term(), node, edit).map_err(|error| edit_refusal(&error))?;
        self.introduce_members(now);
        let roster = &self.roster;
        self.peers.retain(|node| roster.is_member(node));
        self.announce(now, &records);
        Ok(())
    }

    /// Whether the owner removes this node once it votes no more.
    pub(super) fn is_leaving(&self, now: Now, node: &NodeId) -> bool {
        self.leaving.is_some_and(|(leaving, until)| leaving == *node && now.boot_ms < until)
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
    fn may_edit(&self, now: Now) -> Result<(), RpcError> {
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

    /// A voter first gives its place to another: without it the rest might have no majority, and could not even replace it.
    fn may_remove(&mut self, now: Now, node: &NodeId) -> Result<(), RpcError> {
        if *node == self.id {
            return Err(refusal(
                RpcCode::BadRequest,
                "this node leads; stop it first, then remove it where another leads",
            ));
        }
        if self.roster.is_member(node) && voters::everyone(self.roster.voters()).contains(node) {
            self.leaving = Some((*node, now.boot_ms.saturating_add(LEAVING_MS)));
            return Err(refusal(
                RpcCode::Busy,
                "it votes, and its place is being given to another; ask again in a few seconds",
            ));
        }
        Ok(())
    }
}

/// An operator who asked for a removal and does not come back changed their mind.
const LEAVING_MS: u64 = 60_000;
