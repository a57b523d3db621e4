//! The voters as a numbered record: who they are, what a majority is, and when a strong holder replaces one (DESIGN 5).

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Term};
use constella_shared::limits::VOTERS;
use constella_shared::wire::records::{VoterRecord, VotersMark};

/// A member, as the choice of voters looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub node: NodeId,
    /// Alive now: only such a node becomes a voter.
    pub alive: bool,
    /// Down for [`REPLACE_AFTER_MS`] or longer: such a voter is replaced.
    pub long_down: bool,
}

/// The largest odd number of nodes, at most seven.
#[must_use]
pub fn size(members: usize) -> usize {
    let most = members.min(VOTERS);
    if most.is_multiple_of(2) { most.saturating_sub(1) } else { most }
}

/// Every voter of the record once, those of both lists included.
#[must_use]
pub fn everyone(record: &VoterRecord) -> BTreeSet<NodeId> {
    record.old.iter().chain(&record.new).copied().collect()
}

/// The instant until which a majority of each list holds; None where there is no majority of one.
///
/// `until` tells for each voter until when its grant holds.
#[must_use]
pub fn majority_until(record: &VoterRecord, until: impl Fn(&NodeId) -> Option<u64>) -> Option<u64> {
    let new = list_until(&record.new, &until)?;
    if record.old.is_empty() { Some(new) } else { Some(new.min(list_until(&record.old, &until)?)) }
}

/// Whether a majority of each list has the property.
#[must_use]
pub fn majority(record: &VoterRecord, has: impl Fn(&NodeId) -> bool) -> bool {
    let most = |list: &[NodeId]| {
        let needed = list.len() / 2 + 1;
        list.iter().filter(|node| has(node)).take(needed).count() == needed
    };
    most(&record.new) && (record.old.is_empty() || most(&record.old))
}

/// What keeps a holder from a majority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The voters that are missing.
    pub missing: Vec<NodeId>,
    /// Voters in all.
    pub total: usize,
    /// Voters that are needed.
    pub needed: usize,
}

/// What a majority of each list lacks, by the list that lacks more; None where nothing is lacking.
#[must_use]
pub fn shortage(record: &VoterRecord, has: impl Fn(&NodeId) -> bool) -> Option<Shortage> {
    let of_list = |list: &[NodeId]| {
        let missing: Vec<NodeId> = list.iter().filter(|node| !has(node)).copied().collect();
        let (total, needed) = (list.len(), list.len() / 2 + 1);
        let lacks = needed.saturating_sub(total.saturating_sub(missing.len()));
        (lacks, Shortage { missing, total, needed })
    };
    let lists = [record.old.as_slice(), record.new.as_slice()].into_iter().filter(|list| !list.is_empty());
    let worse = lists.map(of_list).max_by_key(|(lacks, _)| *lacks);
    worse.filter(|(lacks, _)| *lacks > 0).map(|(_, shortage)| shortage)
}

/// The record that a strong holder writes next, or None where nothing is to be changed.
///
/// `granted` tells whether a voter granted under exactly this record: only then a change that has begun is completed.
/// `members` is in the order of preference, the holder's own choice.
#[must_use]
pub fn next(
    record: &VoterRecord,
    term: Term,
    members: &[Candidate],
    granted: impl Fn(&NodeId) -> bool,
) -> Option<VoterRecord> {
    let mark = VotersMark { number: record.mark.number.saturating_add(1), term };
    if !record.old.is_empty() {
        let settled = majority(record, granted);
        return settled.then(|| VoterRecord { mark, old: Vec::new(), new: record.new.clone() });
    }
    let new = choose(&record.new, members);
    (new != record.new).then(|| VoterRecord { mark, old: record.new.clone(), new })
}

/// Keeps every voter that belongs and is not long down, then fills up with live members in their order.
fn choose(today: &[NodeId], members: &[Candidate]) -> Vec<NodeId> {
    let wanted = size(members.len());
    let stays = |node: &&NodeId| members.iter().any(|c| c.node == **node && !c.long_down);
    let mut chosen: Vec<NodeId> = today.iter().filter(stays).copied().take(wanted).collect();
    let fresh = members.iter().filter(|c| c.alive).map(|c| c.node).filter(|node| !today.contains(node));
    let lack = wanted.saturating_sub(chosen.len());
    chosen.extend(fresh.take(lack));
    // Too few live ones: the silent voters stay, so that the number does not fall and a majority keeps its meaning.
    let silent = today.iter().filter(|node| members.iter().any(|c| c.node == **node));
    let absent: Vec<NodeId> = silent.filter(|node| !chosen.contains(node)).copied().collect();
    let lack = wanted.saturating_sub(chosen.len());
    chosen.extend(absent.into_iter().take(lack));
    odd(chosen)
}

fn odd(mut list: Vec<NodeId>) -> Vec<NodeId> {
    if list.len().is_multiple_of(2) {
        list.pop();
    }
    list
}

fn list_until(list: &[NodeId], until: &impl Fn(&NodeId) -> Option<u64>) -> Option<u64> {
    let mut untils: Vec<u64> = list.iter().filter_map(until).collect();
    untils.sort_unstable_by(|a, b| b.cmp(a));
    if list.is_empty() { None } else { untils.get(list.len() / 2).copied() }
}

/// A voter that has been down for so long is replaced.
pub const REPLACE_AFTER_MS: u64 = 10 * 60 * 1_000;

#[cfg(test)]
mod tests;
