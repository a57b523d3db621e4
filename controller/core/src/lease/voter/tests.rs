//! L1 and L3, refusals first.

use super::*;
use alloc::vec;
use alloc::vec::Vec;
use constella_shared::ids::Generation;
use constella_shared::state::VoteState;
use constella_shared::wire::records::VotersMark;

const TTL: u64 = 4_000;

fn n(id: u8) -> NodeId {
    NodeId([id; 32])
}

fn at(boot_ms: u64) -> Now {
    Now { boot_ms, unix_ms: 1_700_000_000_000 + boot_ms }
}

fn record() -> VoterRecord {
    VoterRecord { mark: VotersMark { number: 2, term: Term(1) }, old: vec![], new: vec![n(1), n(2), n(3)] }
}

fn durable() -> Durable {
    Durable::new(VoteState {
        format: 1,
        generation: Generation(1),
        term: Term(5),
        seq_reserved: Seq(0),
        starts: Vec::new(),
        granted: None,
        more: constella_shared::wire::more::More::none(),
    })
}

fn ask(holder: u8, term: u64, seq: u64) -> LeaseAsk {
    let holder = LeaderKey { priority: 100, node: n(holder) };
    LeaseAsk {
        holder,
        term: Term(term),
        seq: Seq(seq),
        mark: record().mark,
        voters: None,
        grants: 0,
        held: None,
        polling: false,
    }
}

fn voter() -> Voter {
    Voter::new(TTL, at(0))
}

fn granted(answer: &LeaseAnswer) -> bool {
    matches!(answer, LeaseAnswer::Granted { .. })
}

fn refusal(answer: LeaseAnswer) -> Option<LeaseRefusal> {
    match answer {
        LeaseAnswer::Refused { reason, .. } => Some(reason),
        LeaseAnswer::Granted { .. } | LeaseAnswer::Unknown => None,
    }
}

#[test]
fn nobody_is_granted_within_one_ttl_of_the_voters_start() {
    // L1
    let (mut voter, mut durable) = (voter(), durable());
    let early = voter.ask(at(TTL - 1), &mut durable, &record(), &ask(1, 6, 1));
    assert_eq!(refusal(early), Some(LeaseRefusal::JustStarted { left_ms: 1 }));
    assert!(granted(&voter.ask(at(TTL), &mut durable, &record(), &ask(1, 6, 2))));
}

#[test]
fn a_network_of_one_does_not_wait_for_itself_and_the_only_voter_of_two_does() {
    // L1: of two nodes one votes, and in its earlier life it may have granted the other
    let (mut durable, only) = (durable(), VoterRecord { new: vec![n(3)], ..record() });
    let mut alone = Voter::of_one(TTL, at(0));
    assert!(granted(&alone.ask(at(1), &mut durable, &only, &ask(3, 6, 1))));
    let mut of_two = voter();
    let early = of_two.ask(at(1), &mut durable, &only, &ask(3, 7, 2));
    assert_eq!(refusal(early), Some(LeaseRefusal::JustStarted { left_ms: TTL - 1 }));
}

#[test]
fn a_voter_that_was_restarted_in_place_grants_the_last_holder_at_once_and_nobody_else() {
    // L1
    let (mut first, mut durable) = (voter(), durable());
    assert!(granted(&first.ask(at(5_000), &mut durable, &record(), &ask(1, 6, 1))));
    let last = durable.take_dirty().and_then(|state| state.granted).unwrap();
    let mut again = Voter::resumed(TTL, at(6_000), last);
    let other = again.ask(at(6_001), &mut durable, &record(), &ask(2, 7, 1));
    assert_eq!(refusal(other), Some(LeaseRefusal::JustStarted { left_ms: TTL - 1 }));
    assert!(again.would_grant(at(6_001), n(1), n(1)) && !again.would_grant(at(6_001), n(2), n(9)));
    let renewal = again.ask(at(6_001), &mut durable, &record(), &ask(1, 6, 2));
    assert_eq!(refusal(renewal), Some(LeaseRefusal::OldTerm), "it goes on in a higher term");
    assert!(granted(&again.ask(at(6_002), &mut durable, &record(), &ask(1, 7, 3))));
    assert!(granted(&again.ask(at(6_002 + TTL), &mut durable, &record(), &ask(2, 8, 2))));
}

#[test]
fn a_last_holder_that_lets_go_ends_the_quiet_time_of_a_voter_restarted_in_place() {
    // L1, L5
    let mut durable = durable();
    let holder = LeaderKey { priority: 100, node: n(1) };
    let mut again = Voter::resumed(TTL, at(6_000), LastGrant { holder, term: Term(6) });
    again.release(&LeaseRelease { holder: n(2), term: Term(9), seq: Seq(1), stopping: false });
    assert!(!granted(&again.ask(at(6_001), &mut durable, &record(), &ask(2, 7, 2))), "another's release ends nothing");
    again.release(&LeaseRelease { holder: n(1), term: Term(6), seq: Seq(1), stopping: true });
    assert!(granted(&again.ask(at(6_002), &mut durable, &record(), &ask(2, 7, 3))));
}

#[test]
fn a_second_holder_is_refused_until_the_first_grant_runs_out() {
    // L1
    let (mut voter, mut durable) = (voter(), durable());
    assert!(granted(&voter.ask(at(5_000), &mut durable, &record(), &LeaseAsk { grants: 2, ..ask(1, 6, 1) })));
    let rival = LeaderKey { priority: 100, node: n(1) };
    let refused = voter.ask(at(8_999), &mut durable, &record(), &ask(2, 7, 1));
    assert_eq!(refusal(refused), Some(LeaseRefusal::Held { rival, grants: 2, left_ms: 1 }));
    assert!(granted(&voter.ask(at(9_000), &mut durable, &record(), &ask(2, 7, 2))));
}

#[test]
fn the_term_and_the_holder_are_stored_with_the_grant() {
    // L1: on disk before it grants
    let (mut voter, mut durable) = (voter(), durable());
    assert!(granted(&voter.ask(at(5_000), &mut durable, &record(), &ask(1, 6, 1))));
    let stored = durable.take_dirty().unwrap();
    assert_eq!(
        (stored.term, stored.granted.map(|last| (last.holder.node, last.term))),
        (Term(6), Some((n(1), Term(6))))
    );
    assert!(granted(&voter.ask(at(6_000), &mut durable, &record(), &ask(1, 6, 2))));
    assert!(durable.take_dirty().is_none(), "a renewal writes nothing");
}

#[test]
fn a_term_that_was_granted_is_not_granted_again_to_another_or_after_a_restart() {
    // L3
    let (mut voter, mut durable) = (voter(), durable());
    assert!(granted(&voter.ask(at(5_000), &mut durable, &record(), &ask(1, 6, 1))));
    let other = voter.ask(at(20_000), &mut durable, &record(), &ask(2, 6, 1));
    assert_eq!(refusal(other), Some(LeaseRefusal::OldTerm));
    let mut restarted = Voter::new(TTL, at(20_000));
    let same = restarted.ask(at(25_000), &mut durable, &record(), &ask(1, 6, 9));
    assert_eq!(refusal(same), Some(LeaseRefusal::OldTerm));
}

#[test]
fn a_lapsed_grant_goes_on_when_nobody_else_was_granted() {
    // L1
    let (mut voter, mut durable) = (voter(), durable());
    assert!(granted(&voter.ask(at(5_000), &mut durable, &record(), &ask(1, 6, 1))));
    assert!(granted(&voter.ask(at(60_000), &mut durable, &record(), &ask(1, 6, 2))));
}

#[test]
fn an_old_sequence_number_is_not_heeded() {
    // L1
    let (mut voter, mut durable) = (voter(), durable());
    assert!(granted(&voter.ask(at(5_000), &mut durable, &record(), &ask(1, 6, 7))));
    for seq in [6, 7] {
        let answer = voter.ask(at(5_001), &mut durable, &record(), &ask(1, 6, seq));
        assert_eq!(refusal(answer), Some(LeaseRefusal::OldSeq), "{seq}");
    }
    voter.release(&LeaseRelease { holder: n(1), term: Term(6), seq: Seq(7), stopping: false });
    let other = voter.ask(at(5_002), &mut durable, &record(), &ask(2, 7, 1));
    assert!(matches!(refusal(other), Some(LeaseRefusal::Held { .. })), "a late release frees nothing");
}

#[test]
fn a_release_frees_the_grant_at_once() {
    // L1, L5
    let (mut voter, mut durable) = (voter(), durable());
    assert!(granted(&voter.ask(at(5_000), &mut durable, &record(), &ask(1, 6, 1))));
    voter.release(&LeaseRelease { holder: n(2), term: Term(9), seq: Seq(1), stopping: false });
    assert!(!voter.would_grant(at(5_001), n(2), n(9)), "another's release frees nothing");
    assert!(voter.would_grant(at(5_001), n(2), n(1)), "but it would be free if the holder released");
    voter.release(&LeaseRelease { holder: n(1), term: Term(6), seq: Seq(2), stopping: false });
    assert!(granted(&voter.ask(at(5_001), &mut durable, &record(), &ask(2, 7, 2))));
}

#[test]
fn an_ask_under_an_older_voter_record_is_answered_with_the_newer() {
    // L1
    let (mut voter, mut durable) = (voter(), durable());
    let old = LeaseAsk { mark: VotersMark { number: 1, term: Term(1) }, ..ask(1, 6, 1) };
    let answer = voter.ask(at(5_000), &mut durable, &record(), &old);
    let expected = LeaseAnswer::Refused { reason: LeaseRefusal::OlderVoters, term: Term(5), voters: Some(record()) };
    assert_eq!(answer, expected);
}

#[test]
fn a_term_far_above_is_refused() {
    // L3
    for (above, expected) in [(TERM_LEAP, None), (TERM_LEAP + 1, Some(LeaseRefusal::TermLeap))] {
        let (mut voter, mut durable) = (voter(), durable());
        let answer = voter.ask(at(5_000), &mut durable, &record(), &ask(1, 5 + above, 1));
        assert_eq!(refusal(answer), expected);
    }
}

#[test]
fn a_voter_that_is_thousands_of_terms_behind_comes_up_by_a_leap_an_ask() {
    // L3: one that just joined, or was away for a month, is no voter less for good
    let (mut voter, mut durable) = (voter(), durable());
    let mut answers = (1..=4).map(|seq| voter.ask(at(5_000), &mut durable, &record(), &ask(1, 5 + 3 * TERM_LEAP, seq)));
    assert_eq!(answers.next().and_then(refusal), Some(LeaseRefusal::TermLeap));
    assert_eq!(answers.next().and_then(refusal), Some(LeaseRefusal::TermLeap));
    assert!(answers.next().is_some_and(|answer| granted(&answer)));
}
