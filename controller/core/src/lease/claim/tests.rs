//! L2, L3 and L7 from the claimant's side.

use super::*;
use alloc::vec;
use constella_shared::ids::Generation;
use constella_shared::limits::TERM_LEAP;
use constella_shared::state::VoteState;

const TTL: u64 = 4_000;

fn n(id: u8) -> NodeId {
    NodeId([id; 32])
}

fn key(id: u8) -> LeaderKey {
    LeaderKey { priority: 100, node: n(id) }
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
        starts: vec![],
        granted: None,
        more: constella_shared::wire::more::More::none(),
    })
}

/// A claim of node 2 whose first round was sent at 1,000.
fn claimed() -> (Claim, Durable, AskSent) {
    let (mut claim, mut durable) = (Claim::new(TTL), durable());
    claim.begin(at(1_000), &durable);
    let asks = claim.round(at(1_000), key(2), Holds::default(), &mut durable, &record());
    assert_eq!(asks.len(), 3);
    let sent = AskSent { sent: at(1_000), term: claim.term() };
    (claim, durable, sent)
}

fn grant() -> LeaseAnswer {
    LeaseAnswer::Granted { mark: record().mark }
}

fn held(rival: u8, grants: u8) -> LeaseAnswer {
    let reason = LeaseRefusal::Held { rival: key(rival), grants, left_ms: 2_000 };
    LeaseAnswer::Refused { reason, term: Term(6), voters: None }
}

#[test]
fn a_majority_makes_strong_for_95_percent_of_the_ttl_from_before_the_ask() {
    // L2
    let (mut claim, mut durable, sent) = claimed();
    claim.answered(at(1_400), &mut durable, n(2), &sent, Some(&grant()));
    assert_eq!(claim.standing(at(1_400), key(2), &record()), Standing::Open, "two voters have not answered");
    claim.answered(at(1_500), &mut durable, n(3), &sent, Some(&grant()));
    assert_eq!(claim.standing(at(1_500), key(2), &record()), Standing::Strong { until: 4_800 });
    assert_eq!(claim.standing(at(4_799), key(2), &record()), Standing::Strong { until: 4_800 });
    assert!(!matches!(claim.standing(at(4_800), key(2), &record()), Standing::Strong { .. }));
}

#[test]
fn a_machine_that_stood_still_holds_no_longer_for_it() {
    // L7: its boot clock stood still for 1.9 s, less than half a TTL; its wall clock is right again
    let (mut claim, mut durable, sent) = claimed();
    for voter in [1, 2, 3] {
        claim.answered(at(1_500), &mut durable, n(voter), &sent, Some(&grant()));
    }
    let woken = |boot_ms: u64| Now { unix_ms: at(boot_ms).unix_ms + 1_900, ..at(boot_ms) };
    assert_eq!(claim.standing(woken(2_000), key(2), &record()), Standing::Strong { until: 2_900 });
    assert!(!matches!(claim.standing(woken(2_900), key(2), &record()), Standing::Strong { .. }));
    let set_back = Now { unix_ms: at(4_000).unix_ms - 1_900, ..at(4_000) };
    assert_eq!(
        claim.standing(set_back, key(2), &record()),
        Standing::Strong { until: 4_800 },
        "and none for a wall clock"
    );
}

#[test]
fn grants_from_all_that_answer_without_a_majority_are_weak() {
    // L2
    let (mut claim, mut durable, sent) = claimed();
    claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
    claim.answered(at(1_100), &mut durable, n(1), &sent, None);
    assert_eq!(claim.standing(at(1_100), key(2), &record()), Standing::Open);
    claim.answered(at(2_000), &mut durable, n(3), &sent, None);
    assert_eq!(claim.standing(at(2_000), key(2), &record()), Standing::Weak { reached: true });
}

#[test]
fn an_answer_of_a_newer_voter_makes_nobody_weak_or_strong() {
    // S7, L2: what cannot be understood is neither a grant nor silence
    let refused = LeaseAnswer::Refused { reason: LeaseRefusal::Unknown, term: Term(6), voters: None };
    for answer in [LeaseAnswer::Unknown, refused] {
        let (mut claim, mut durable, sent) = claimed();
        claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
        claim.answered(at(1_100), &mut durable, n(3), &sent, Some(&answer));
        claim.answered(at(1_100), &mut durable, n(1), &sent, None);
        assert_eq!(claim.standing(at(1_100), key(2), &record()), Standing::Open, "{answer:?}");
        assert!(claim.next_round().is_some_and(|at| at > 1_100), "nor is it asked again at once");
    }
}

#[test]
fn with_no_voter_reached_it_is_told_so() {
    // L2: then only the smallest alive LeaderKey is weak
    let (mut claim, mut durable, sent) = claimed();
    for voter in [1, 2, 3] {
        claim.answered(at(1_100), &mut durable, n(voter), &sent, None);
    }
    assert_eq!(claim.standing(at(1_100), key(2), &record()), Standing::Weak { reached: false });
}

#[test]
fn a_rival_with_more_grants_or_as_many_and_a_better_key_is_given_way() {
    // L2: a claimant for two of its rounds, a holder (a majority of grants) until its grant runs out
    let rival_claims = Standing::GiveWay { until: 1_700 };
    let rival_holds = Standing::GiveWay { until: 3_100 };
    for (rival, grants, expected) in
        [(3, 2, rival_holds), (1, 1, rival_claims), (3, 1, Standing::Open), (1, 0, Standing::Open)]
    {
        let (mut claim, mut durable, sent) = claimed();
        claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
        claim.answered(at(1_100), &mut durable, n(3), &sent, Some(&held(rival, grants)));
        assert_eq!(claim.standing(at(1_100), key(2), &record()), expected, "{rival} with {grants}");
    }
}

#[test]
fn what_voters_keep_for_a_holder_that_seems_dead_makes_nobody_strong_and_blocks_no_watcher() {
    // L2, F3
    let (mut claim, mut durable, sent) = claimed();
    for voter in [2, 3] {
        claim.answered(at(1_100), &mut durable, n(voter), &sent, Some(&held(1, 3)));
    }
    claim.answered(at(1_100), &mut durable, n(1), &sent, None);
    assert_eq!(claim.standing(at(1_100), key(2), &record()), Standing::GiveWay { until: 3_100 });
    claim.expect_nothing_of(Some(n(1)));
    assert_eq!(claim.standing(at(1_100), key(2), &record()), Standing::Weak { reached: false });
    claim.expect_nothing_of(None);
    assert_eq!(claim.standing(at(1_100), key(2), &record()), Standing::GiveWay { until: 3_100 }, "it is back");
}

#[test]
fn who_will_vote_is_asked_before_the_record_says_so_and_counts_from_then_on() {
    // L1
    let (mut claim, mut durable, sent) = claimed();
    let (one, three) = (VoterRecord { new: vec![n(2)], ..record() }, VoterRecord { old: vec![n(2)], ..record() });
    claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
    assert!(claim.is_strong_under(at(1_100), &one) && !claim.is_strong_under(at(1_100), &three));
    claim.canvass(at(1_100), &three);
    assert_eq!(claim.next_round(), Some(1_100), "at once");
    let asks = claim.round(at(1_100), key(2), Holds::default(), &mut durable, &one);
    assert_eq!(asks.iter().map(|(node, _)| *node).collect::<Vec<_>>(), [n(1), n(2), n(3)]);
    let again = AskSent { sent: at(1_100), term: claim.term() };
    claim.answered(at(1_200), &mut durable, n(3), &again, Some(&grant()));
    assert_eq!(claim.grants(at(1_200)), 1, "it is no voter yet");
    assert!(claim.is_strong_under(at(1_200), &three));
    let releases = claim.end(n(2), &mut durable, &one, false);
    assert_eq!(releases.len(), 3, "what was asked for is given back");
}

#[test]
fn the_end_of_a_claim_releases_everything_and_late_answers_do_not_count() {
    // L2
    let (mut claim, mut durable, sent) = claimed();
    claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
    let releases = claim.end(n(2), &mut durable, &record(), false);
    assert_eq!(releases.len(), 3);
    claim.begin(at(1_150), &durable);
    claim.answered(at(1_200), &mut durable, n(3), &sent, Some(&grant()));
    assert_eq!(claim.grants(at(1_200)), 0, "an answer to an ask from before the release does not count");
}

#[test]
fn a_refusal_brings_the_next_term() {
    // L3
    let (mut claim, mut durable, sent) = claimed();
    assert_eq!(sent.term, Term(6));
    let refused = LeaseAnswer::Refused { reason: LeaseRefusal::OldTerm, term: Term(20), voters: None };
    claim.answered(at(1_100), &mut durable, n(1), &sent, Some(&refused));
    assert_eq!((claim.term(), claim.next_round()), (Term(21), Some(1_100)));
}

#[test]
fn a_voter_that_refuses_whatever_it_is_asked_is_not_asked_without_end() {
    // L3, S6: whatever it says; the case that killed nodes had a term at its end, which no step comes above
    let refusals = [
        LeaseAnswer::Refused { reason: LeaseRefusal::OldTerm, term: Term(u64::MAX), voters: None },
        LeaseAnswer::Refused { reason: LeaseRefusal::TermLeap, term: Term(u64::MAX), voters: None },
        LeaseAnswer::Refused { reason: LeaseRefusal::OlderVoters, term: Term(6), voters: None },
        LeaseAnswer::Refused {
            reason: LeaseRefusal::Held { rival: key(1), grants: 3, left_ms: 0 },
            term: Term(6),
            voters: None,
        },
        LeaseAnswer::Refused { reason: LeaseRefusal::JustStarted { left_ms: 0 }, term: Term(6), voters: None },
        LeaseAnswer::Refused { reason: LeaseRefusal::OldSeq, term: Term(6), voters: None },
        LeaseAnswer::Unknown,
    ];
    for refusal in refusals {
        let (mut claim, mut durable) = (Claim::new(TTL), durable());
        claim.begin(at(1_000), &durable);
        let (mut now, mut rounds) = (1_000, 0);
        while now < 61_000 && rounds < 10_000 {
            now = claim.next_round().unwrap().max(now);
            claim.round(at(now), key(2), Holds::default(), &mut durable, &record());
            rounds += 1;
            let sent = AskSent { sent: at(now), term: claim.term() };
            for voter in 1..=3 {
                claim.answered(at(now), &mut durable, n(voter), &sent, Some(&refusal));
            }
            claim.hurry(at(now));
        }
        assert!(rounds <= 1_250, "{rounds} rounds within a minute: {refusal:?}");
    }
}

#[test]
fn a_claim_that_was_refused_asks_again_later_each_time_until_it_is_granted() {
    let (mut claim, mut durable, mut sent) = claimed();
    let refused = |term| LeaseAnswer::Refused { reason: LeaseRefusal::OldTerm, term, voters: None };
    let mut pauses = Vec::new();
    let mut now = 1_000;
    for round in 0..6 {
        claim.answered(at(now), &mut durable, n(1), &sent, Some(&refused(claim.term())));
        let next = claim.next_round().unwrap();
        pauses.push(next - now);
        now = next;
        if round == 4 {
            claim.answered(at(now), &mut durable, n(2), &AskSent { sent: at(now), term: claim.term() }, Some(&grant()));
        }
        claim.round(at(now), key(2), Holds::default(), &mut durable, &record());
        sent = AskSent { sent: at(now), term: claim.term() };
    }
    assert_eq!(pauses, [50, 100, 200, 400, 400, 50]);
}

#[test]
fn a_refusal_with_a_wild_term_raises_ours_by_a_leap_at_most() {
    // L3
    let (mut claim, mut durable, sent) = claimed();
    let refused = LeaseAnswer::Refused { reason: LeaseRefusal::OldTerm, term: Term(u64::MAX), voters: None };
    claim.answered(at(1_100), &mut durable, n(1), &sent, Some(&refused));
    assert_eq!(claim.term(), Term(5 + TERM_LEAP + 1));
}

#[test]
fn a_term_that_others_have_seen_is_outgrown_and_one_that_is_far_above_by_a_step() {
    // L3: voters that have not seen it would refuse the leap
    for far in [Term(u64::MAX), Term(6 + TERM_LEAP)] {
        let (mut claim, mut durable, _) = claimed();
        claim.outgrow(at(1_200), &mut durable, far);
        assert_eq!((claim.term(), durable.term()), (Term(7 + TERM_LEAP / 4), Term(6 + TERM_LEAP / 4)));
    }
    let (mut claim, mut durable, sent) = claimed();
    claim.answered(at(1_100), &mut durable, n(1), &sent, Some(&grant()));
    claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
    claim.outgrow(at(1_200), &mut durable, Term(6));
    assert_eq!(claim.term(), Term(6), "its own is not above its own");
    claim.outgrow(at(1_200), &mut durable, Term(40));
    assert_eq!((claim.term(), durable.term(), claim.next_round()), (Term(41), Term(40), Some(1_200)));
    assert_eq!(claim.grants(at(1_200)), 2, "a voter keeps to the holder, whatever its term");
    claim.answered(at(1_200), &mut durable, n(3), &sent, Some(&grant()));
    assert_eq!(claim.grants(at(1_200)), 2, "an ask of the term before says nothing any more");
}

#[test]
fn silence_does_not_undo_a_grant_that_holds() {
    // L2
    let (mut claim, mut durable, sent) = claimed();
    claim.answered(at(1_100), &mut durable, n(2), &sent, Some(&grant()));
    claim.answered(at(2_100), &mut durable, n(2), &sent, None);
    assert_eq!(claim.grants(at(2_100)), 1);
}

#[test]
fn a_clock_jump_makes_every_grant_doubtful() {
    // L7
    let (mut claim, mut durable, sent) = claimed();
    for voter in [1, 2, 3] {
        claim.answered(at(1_100), &mut durable, n(voter), &sent, Some(&grant()));
    }
    claim.doubt(at(1_200), &durable);
    assert_eq!(claim.standing(at(1_200), key(2), &record()), Standing::Open);
    assert_eq!(claim.next_round(), Some(1_200));
}

#[test]
fn claims_are_retried_eagerly_at_first_and_renewed_every_quarter_of_the_ttl() {
    // L2
    let (mut claim, mut durable, sent) = claimed();
    assert_eq!(claim.next_round(), Some(1_300));
    let _asks = claim.round(at(2_600), key(2), Holds::default(), &mut durable, &record());
    assert_eq!(claim.next_round(), Some(3_600), "the eager time is over");
    for voter in [1, 2, 3] {
        claim.answered(at(1_100), &mut durable, n(voter), &sent, Some(&grant()));
    }
    let _asks = claim.round(at(2_000), key(2), Holds::default(), &mut durable, &record());
    assert_eq!(claim.next_round(), Some(3_000));
}

#[test]
fn a_grant_that_runs_out_is_asked_for_at_once() {
    // L2: the budget of DESIGN 13 has no room for a whole pause after a dead holder's grants ran out
    let (mut claim, mut durable, sent) = claimed();
    let reason = LeaseRefusal::Held { rival: key(1), grants: 3, left_ms: 40 };
    let refusal = LeaseAnswer::Refused { reason, term: Term(5), voters: None };
    claim.answered(at(1_100), &mut durable, n(3), &sent, Some(&refusal));
    assert_eq!(claim.next_round(), Some(1_141));
}

#[test]
fn over_a_long_wire_a_claim_is_retried_no_sooner_than_a_round_takes() {
    // L2
    let (mut claim, mut durable, sent) = claimed();
    assert_eq!(claim.next_round(), Some(1_000 + RETRY_MS));
    claim.takes(700);
    claim.round(at(1_300), key(2), Holds::default(), &mut durable, &record());
    assert_eq!(claim.next_round(), Some(1_300 + 700));
    // A rival that is better has two such rounds.
    claim.answered(at(2_000), &mut durable, n(1), &sent, Some(&held(1, 1)));
    let standing = claim.standing(at(2_000), key(2), &record());
    assert_eq!(standing, Standing::GiveWay { until: 2_000 + 2 * 700 });
}
