//! Whom a claim asks beside its voters, and whose grants it need not wait for.

use alloc::collections::BTreeSet;

use constella_shared::ids::NodeId;
use constella_shared::wire::records::VoterRecord;

use super::Claim;
use crate::clock::Now;
use crate::voters;

impl Claim {
    /// Whether the grants of now make a majority of each list of that record.
    #[must_use]
    pub fn is_strong_under(&self, now: Now, record: &VoterRecord) -> bool {
        self.active && voters::majority(record, |voter| self.granted_until(now, voter).is_some())
    }

    /// L1: asks the voters of the next record too, from now on until it is the record. A grant is a promise whatever the record, and counts for
    /// nothing before the granting node is a voter.
    pub fn canvass(&mut self, now: Now, next: &VoterRecord) {
        let before = core::mem::replace(&mut self.canvassed, voters::everyone(next));
        if before.is_empty() {
            self.hurry(now);
        }
    }

    /// A holder that seems dead, or None.
    pub fn expect_nothing_of(&mut self, holder: Option<NodeId>) {
        self.gone = holder;
    }

    /// The voters, and those that will vote.
    pub(super) fn asked(&self, record: &VoterRecord) -> BTreeSet<NodeId> {
        voters::everyone(record).union(&self.canvassed).copied().collect()
    }
}
