//! Failed writes: what is relied on until they succeed, and when they are tried again.

use super::*;
use alloc::vec::Vec;
use constella_shared::ids::{Generation, LeaderKey};
use constella_shared::state::LastGrant;
use constella_shared::wire::more::More;

const HOLDER: NodeId = NodeId([1; 32]);

fn vote(term: u64, seq: u64) -> VoteState {
    VoteState {
        format: 1,
        generation: Generation(1),
        term: Term(term),
        seq_reserved: Seq(seq),
        starts: Vec::new(),
        granted: Some(LastGrant { holder: LeaderKey { priority: 100, node: HOLDER }, term: Term(term) }),
        more: More::none(),
    }
}

const fn at(boot_ms: u64) -> Now {
    Now { boot_ms, unix_ms: boot_ms }
}

#[test]
fn what_a_failed_write_would_have_stored_is_not_relied_on() {
    // L1
    let mark = VotersMark::default();
    let mut disk = Disk::new(&vote(5, 100), mark);
    disk.writes(&Document::Vote(vote(9, 10_000)));
    assert!(disk.failed(at(0), DocumentName::Vote, Trouble::Full));
    assert!(disk.holds_grant(HOLDER, Term(5), mark) && !disk.holds_grant(HOLDER, Term(9), mark));
    assert!(disk.holds_seqs(Seq(50)) && !disk.holds_seqs(Seq(90)));
    disk.writes(&Document::Vote(vote(9, 10_000)));
    assert!(!disk.holds_grant(HOLDER, Term(9), mark), "the next try is not known to be on disk yet");
    disk.step();
    assert!(disk.holds_grant(HOLDER, Term(9), mark) && disk.holds_seqs(Seq(90)));
    assert_eq!((disk.trouble(), disk.deadline()), (None, None));
}

#[test]
fn each_document_is_tried_again_by_itself() {
    let mut disk = Disk::new(&vote(5, 100), VotersMark::default());
    disk.failed(at(0), DocumentName::Network, Trouble::ReadOnly);
    assert!(!disk.may_write(at(RETRY_MS - 1), DocumentName::Network));
    assert!(disk.may_write(at(RETRY_MS - 1), DocumentName::Vote));
    assert!(disk.may_write(at(RETRY_MS), DocumentName::Network));
    assert_eq!(disk.trouble(), Some(Trouble::ReadOnly));
    disk.looked(at(10), None);
    assert!(disk.may_write(at(10), DocumentName::Network), "there is room again");
}
