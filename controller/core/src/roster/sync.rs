//! R3: where digests differ, the two sides exchange only what is missing.
//!
//! 1. The asking side sends the digests of its buckets.
//! 2. The answering side sends its own, and the ranks of all its records in the buckets that differ.
//! 3. The asking side sends what the other lacks and asks for what it lacks itself; where there is neither, the exchange ends here.
//! 4. The answering side sends what was asked for.
//!
//! Two round trips at most, whatever differs. A pair of rosters that cannot be reconciled (R1: a wrong clock) is not tried again
//! before [`AGAIN_MS`], unless one of the two changed.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::wire::heartbeat::Digest;
use constella_shared::wire::records::{RecordKey, Records, Stamp};
use constella_shared::wire::rpc::RosterSync;

use super::buckets::{BUCKETS, is_in};
use super::merge::Limits;
use super::rank::{Rank, Ranked};
use super::{Merged, Roster};
use crate::clock::Now;
use crate::keys::Keys;

/// An exchange that was begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    mine: Digest,
    theirs: Digest,
    at_boot_ms: u64,
}

impl Roster {
    /// Begins an exchange with a member whose heartbeat carried `theirs`, unless there is nothing to exchange or it was just tried.
    pub fn sync_due(&mut self, now: Now, peer: NodeId, theirs: Digest) -> Option<RosterSync> {
        let mine = self.digest_for(&peer);
        if mine == theirs {
            self.begun.remove(&peer);
            return None;
        }
        let just_tried = self.begun.get(&peer).is_some_and(|begun| {
            begun.mine == mine && begun.theirs == theirs && now.since(begun.at_boot_ms) < AGAIN_MS
        });
        if just_tried || !self.is_member(&peer) {
            return None;
        }
        self.begun.insert(peer, Begun { mine, theirs, at_boot_ms: now.boot_ms });
        Some(self.sync_start())
    }

    /// Step 1.
    #[must_use]
    pub fn sync_start(&self) -> RosterSync {
        RosterSync { buckets: self.buckets.each().collect(), ..RosterSync::default() }
    }

    /// Steps 2 and 4: the answer to what came, and what it changed here.
    pub fn sync_answer(&mut self, now: Now, sync: RosterSync, keys: &dyn Keys) -> (RosterSync, Merged) {
        let merged = self.merge(now, sync.records, keys);
        let mut answer = RosterSync { records: self.records_of(&sync.want), ..RosterSync::default() };
        if !sync.buckets.is_empty() {
            let differing = self.buckets.differing(&sync.buckets);
            answer.buckets = self.buckets.each().collect();
            answer.have = self.ranks_in(now, &differing);
        }
        (answer, merged)
    }

    /// Step 3, from the answer to step 1; and the end, from the answer to step 3. What is to be sent, if anything, and what changed here.
    pub fn sync_finish(&mut self, now: Now, answer: RosterSync, keys: &dyn Keys) -> (Option<RosterSync>, Merged) {
        let merged = self.merge(now, answer.records, keys);
        if answer.buckets.is_empty() {
            return (None, merged);
        }
        let differing = self.buckets.differing(&answer.buckets);
        let wanted = answer.have.iter().filter(|(key, stamp)| self.wants(now, key, &Rank(*stamp)));
        let want: BTreeSet<RecordKey> = wanted.map(|(key, _)| key.clone()).collect();
        let theirs = highest(answer.have);
        let mine = highest(self.ranks_in(now, &differing));
        let lacks = mine.iter().filter(|(key, rank)| theirs.get(key).is_none_or(|theirs| theirs < rank));
        let lacking: Vec<RecordKey> = lacks.map(|(key, _)| key.clone()).collect();
        let records = self.records_of(&lacking);
        let follow_up = RosterSync { records, want: want.into_iter().collect(), ..RosterSync::default() };
        ((follow_up != RosterSync::default()).then_some(follow_up), merged)
    }

    /// Not what is held, not what would be refused.
    fn wants(&self, now: Now, key: &RecordKey, rank: &Rank) -> bool {
        let limits = Limits::at(now, self.skew_ms);
        let is_new = self.holds_good(limits, key).is_none_or(|held| *rank > held);
        let removed = matches!(key, RecordKey::Self_(node) if self.owners.get(node).is_some_and(|owner| owner.removed));
        is_new && !removed && limits.allow(key, rank)
    }

    /// What is held in these buckets, and beside it what was refused as early and still would be (R1: not to be offered again).
    fn ranks_in(&mut self, now: Now, buckets: &[bool; BUCKETS]) -> Vec<(RecordKey, Stamp)> {
        let limits = Limits::at(now, self.skew_ms);
        self.early.retain(|key, rank| !limits.allow(key, rank));
        let pair = |record: &dyn RankedPair| record.pair();
        let owners = self.owners.values().map(|record| pair(record));
        owners
            .chain(self.selfs.values().map(|own| pair(&own.record)))
            .chain(self.net.values().map(|record| pair(record)))
            .chain(self.invites.values().map(|record| pair(record)))
            .chain([pair(&self.voters)])
            .chain(self.early.iter().map(|(key, rank)| (key.clone(), *rank)))
            .filter(|(key, _)| is_in(key, buckets))
            .map(|(key, rank)| (key, rank.0))
            .collect()
    }

    fn records_of(&self, keys: &[RecordKey]) -> Records {
        let mut records = Records::default();
        for key in keys {
            match key {
                RecordKey::Self_(node) => records.selfs.extend(self.selfs.get(node).map(|own| own.signed.clone())),
                RecordKey::Owner(node) => records.owners.extend(self.owners.get(node).cloned()),
                RecordKey::Net(kind) => records.net.extend(self.net.get(kind.as_str()).cloned()),
                RecordKey::Invite(token) => records.invites.extend(self.invites.get(token).cloned()),
                RecordKey::Voters => records.voters = Some(self.voters.clone()),
            }
        }
        records
    }
}

trait RankedPair {
    fn pair(&self) -> (RecordKey, Rank);
}

impl<T: Ranked> RankedPair for T {
    fn pair(&self) -> (RecordKey, Rank) {
        (self.key(), self.rank())
    }
}

fn highest(have: Vec<(RecordKey, Stamp)>) -> BTreeMap<RecordKey, Rank> {
    let mut ranks = BTreeMap::new();
    for (key, stamp) in have {
        let rank = ranks.entry(key).or_insert(Rank(stamp));
        *rank = (*rank).max(Rank(stamp));
    }
    ranks
}

/// Long against two round trips, so that heartbeats do not begin what is under way; short enough that a lost exchange hardly matters.
const AGAIN_MS: u64 = 15_000;
