//! Tables for the voter record.

use super::*;
use alloc::vec;

fn n(id: u8) -> NodeId {
    NodeId([id; 32])
}

fn record(old: &[u8], new: &[u8]) -> VoterRecord {
    let list = |ids: &[u8]| ids.iter().map(|id| n(*id)).collect();
    VoterRecord { mark: VotersMark { number: 7, term: Term(3) }, old: list(old), new: list(new) }
}

fn members(ids: &[u8]) -> Vec<Candidate> {
    ids.iter().map(|id| Candidate { node: n(*id), alive: true, long_down: false }).collect()
}

#[test]
fn voters_are_the_largest_odd_number_up_to_seven() {
    // L1: a tie cannot happen among an odd number
    for (nodes, voters) in [(1, 1), (2, 1), (3, 3), (4, 3), (5, 5), (6, 5), (7, 7), (8, 7), (1_000, 7)] {
        assert_eq!(size(nodes), voters, "{nodes}");
    }
}

#[test]
fn a_change_needs_a_majority_of_each_list() {
    // L2: strong under a joint record
    let joint = record(&[1], &[1, 2, 3]);
    let has = |ids: &[u8]| majority(&joint, |node| ids.iter().any(|id| n(*id) == *node));
    assert!(!has(&[2, 3]), "the old list's only voter is missing");
    assert!(!has(&[1]), "one of three of the new list");
    assert!(has(&[1, 2]));
    let until = |ids: &[u8]| majority_until(&joint, |node| ids.iter().any(|id| n(*id) == *node).then_some(9));
    assert_eq!((until(&[2, 3]), until(&[1]), until(&[1, 2])), (None, None, Some(9)));
}

#[test]
fn a_majority_lasts_as_long_as_its_weakest_needed_grant() {
    // L2
    let three = record(&[], &[1, 2, 3]);
    let until = |node: &NodeId| {
        if *node == n(1) {
            Some(50)
        } else if *node == n(2) {
            Some(90)
        } else {
            None
        }
    };
    assert_eq!(majority_until(&three, until), Some(50));
    assert_eq!(majority_until(&record(&[], &[]), until), None, "no voters, no majority");
}

#[test]
fn a_third_node_makes_three_voters_in_two_steps() {
    // L1, L2: k+1 carries both lists, k+2 follows only when a majority of each granted under k+1
    let alone = record(&[], &[1]);
    assert_eq!(next(&alone, Term(4), &members(&[1, 2]), |_| true), None, "two nodes keep one voter");
    let joint = next(&alone, Term(4), &members(&[1, 2, 3]), |_| true);
    assert_eq!(joint, Some(VoterRecord { mark: VotersMark { number: 8, term: Term(4) }, ..record(&[1], &[1, 2, 3]) }));
    let joint = joint.unwrap_or_default();
    assert_eq!(next(&joint, Term(4), &members(&[1, 2, 3]), |node| *node == n(1)), None, "not settled yet");
    let last = next(&joint, Term(4), &members(&[1, 2, 3]), |node| *node != n(3)).unwrap_or_default();
    assert_eq!((last.mark.number, last.old, last.new), (9, vec![], vec![n(1), n(2), n(3)]));
}

#[test]
fn a_voter_that_is_long_down_is_replaced_and_a_short_one_stays() {
    // L1
    let three = record(&[], &[1, 2, 3]);
    let mut nodes = members(&[1, 2, 3, 4]);
    if let Some(c) = nodes.get_mut(1) {
        c.alive = false;
    }
    assert_eq!(next(&three, Term(4), &nodes, |_| true), None);
    if let Some(c) = nodes.get_mut(1) {
        c.long_down = true;
    }
    let changed = next(&three, Term(4), &nodes, |_| true).unwrap_or_default();
    assert_eq!(changed.new, vec![n(1), n(3), n(4)]);
}

#[test]
fn silent_voters_without_a_substitute_stay() {
    // L1: the number of voters does not fall because nodes fell silent
    let three = record(&[], &[1, 2, 3]);
    let mut nodes = members(&[1, 2, 3]);
    for c in nodes.iter_mut().skip(1) {
        (c.alive, c.long_down) = (false, true);
    }
    assert_eq!(next(&three, Term(4), &nodes, |_| true), None);
}

#[test]
fn a_removed_voter_leaves_the_list() {
    // L1
    let three = record(&[], &[1, 2, 3]);
    let changed = next(&three, Term(4), &members(&[1, 3, 5]), |_| true).unwrap_or_default();
    assert_eq!(changed.new, vec![n(1), n(3), n(5)]);
    let shrunk = next(&three, Term(4), &members(&[1, 3]), |_| true).unwrap_or_default();
    assert_eq!(shrunk.new, vec![n(1)]);
}

#[test]
fn what_is_missing_is_counted_over_the_worse_list() {
    // R4: "2 of 3 voters are missing, 2 are needed"
    let lacks = |record: VoterRecord, up: &[u8]| {
        let shortage = shortage(&record, |node| up.iter().any(|id| n(*id) == *node))?;
        Some((shortage.missing.iter().map(|node| node.0[0]).collect::<Vec<_>>(), shortage.total, shortage.needed))
    };
    assert_eq!(lacks(record(&[], &[1, 2, 3]), &[1]), Some((vec![2, 3], 3, 2)), "one of three is up");
    assert_eq!(lacks(record(&[], &[1, 2, 3, 4, 5]), &[1, 4]), Some((vec![2, 3, 5], 5, 3)));
    assert_eq!(lacks(record(&[], &[1]), &[2]), Some((vec![1], 1, 1)), "the only voter");
    assert_eq!(lacks(record(&[1], &[1, 2, 3]), &[2, 3]), Some((vec![1], 1, 1)), "the old list lacks one");
    assert_eq!(lacks(record(&[1], &[1, 2, 3]), &[1]), Some((vec![2, 3], 3, 2)));
    assert_eq!(lacks(record(&[1], &[1, 2, 3]), &[1, 2]), None);
    assert_eq!(lacks(record(&[], &[1, 2, 3]), &[1, 2]), None, "one may be missing");
}
