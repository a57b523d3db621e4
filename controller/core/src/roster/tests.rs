//! The roster's rules: R1, R2, R3, and that rosters agree whatever the order.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use constella_shared::ids::{NodeId, Pin, Term, TokenHash};
use constella_shared::state::NetworkState;
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::join::JoinAnswer;
use constella_shared::wire::records::{NetValue, Records, SelfRecord, Spent, Stamp, VoterRecord, VotersMark};

use super::fake::{FakeKeys, alone, at, founding, keys, node, open, pin};
use super::*;

mod exchange;
mod growth;

fn admission(number: u64) -> Admission {
    Admission {
        node: node(number),
        name: format!("node-{number}"),
        priority: 100,
        pin: pin(number),
        admitted_by: node(1),
    }
}

/// A copy of `from` in the hands of another member.
fn copy(from: &Roster, number: u64) -> Roster {
    open(number, from.to_network_state())
}

/// Nodes 1 and 2, with the same records.
fn pair() -> (Roster, Roster) {
    let mut one = alone();
    one.admit(at(1), Term(1), admission(2)).unwrap();
    let mut two = copy(&one, 2);
    one.merge(at(2), two.write_self(at(2), "203.0.113.2:4747", "0.1.0", PROTOCOL, &keys(2)), &keys(1));
    assert_eq!(one.digest(), two.digest());
    (one, two)
}

/// An exchange that `asking` begins; how many round trips it took, and how many records went over.
fn exchange(now: crate::clock::Now, asking: &mut Roster, answering: &mut Roster) -> (u32, usize) {
    let (mut trips, mut carried, mut next) = (0, 0, Some(asking.sync_start()));
    while let Some(ask) = next {
        trips += 1;
        assert!(trips < 10, "an exchange does not end");
        carried += count(&ask.records);
        let (answer, _) = answering.sync_answer(now, ask, &keys(1));
        carried += count(&answer.records);
        (next, _) = asking.sync_finish(now, answer, &keys(1));
    }
    (trips, carried)
}

fn count(records: &Records) -> usize {
    let Records { selfs, owners, net, invites, voters } = records;
    selfs.len() + owners.len() + net.len() + invites.len() + usize::from(voters.is_some())
}

fn language(code: &str) -> NetValue {
    NetValue::Language { code: code.to_string() }
}

#[test]
fn a_founded_network_has_one_member_that_votes_for_itself() {
    let one = alone();
    let member = one.member(&node(1)).unwrap();
    assert_eq!((member.name, member.addr, member.protocol), ("alpha", Some("203.0.113.1:4747"), Some(PROTOCOL)));
    assert_eq!(one.voters().new, [node(1)]);
    assert_eq!(one.token().unwrap().expose(), "123:token");
    assert_eq!(one.owner().username, "owner");
    assert_eq!(open(1, one.to_network_state()).digest(), one.digest());
}

#[test]
fn a_token_that_is_not_shared_is_no_record() {
    let state = found(at(0), Founding { share_token: false, ..founding() }, &keys(1)).unwrap();
    let one = open(1, state);
    assert_eq!(one.token().unwrap().expose(), "123:token");
    assert!(one.records().net.iter().all(|record| !matches!(record.value, NetValue::Token { .. })));
}

#[test]
fn a_self_record_that_its_node_did_not_sign_is_refused() {
    // R1
    let (mut one, two) = pair();
    let before = one.digest();
    let record = SelfRecord {
        node: node(2),
        stamp: Stamp { unix_ms: at(500).unix_ms, count: 0, node: node(2) },
        addr: String::from("198.51.100.66:4747"),
        version: String::from("0.1.0"),
        protocol: PROTOCOL,
    };
    let by_another = keys(3).sign(serde_json::to_string(&record).unwrap());
    let mut changed = two.records().selfs[1].clone();
    changed.body = changed.body.replace("203.0.113.2", "198.51.100.66");
    let mut wrong_cert = keys(2).sign(serde_json::to_string(&record).unwrap());
    wrong_cert.cert = hex::encode(pin(1).0);
    // Its own signature under a stamp of another node's, which would outlive every later record of that node's clock.
    let stamped = SelfRecord { stamp: Stamp { node: node(3), ..record.stamp }, ..record };
    let stamped_by_another = keys(2).sign(serde_json::to_string(&stamped).unwrap());
    for forged in [by_another, changed, wrong_cert, stamped_by_another] {
        let merged = one.merge(at(600), Records { selfs: Vec::from([forged]), ..Records::default() }, &keys(1));
        assert_eq!(merged.refused.len(), 1);
        assert_eq!(merged.refused[0].why, Refusal::NotSigned);
        assert!(!merged.network_changed && !merged.pins_changed);
    }
    assert_eq!(one.member(&node(2)).unwrap().addr, Some("203.0.113.2:4747"));
    assert_eq!(one.digest(), before);
}

#[test]
fn a_self_record_of_an_unknown_node_waits_for_the_owners_record_without_harm() {
    // R1
    let mut one = alone();
    let mut two = copy(&one, 1);
    two.admit(at(1), Term(1), admission(2)).unwrap();
    let mut three = copy(&two, 2);
    let own = three.write_self(at(2), "203.0.113.2:4747", "0.1.0", PROTOCOL, &keys(2));
    let merged = one.merge(at(3), own.clone(), &keys(1));
    assert_eq!(merged.refused[0].why, Refusal::UnknownNode);
    exchange(at(4), &mut one, &mut three);
    assert_eq!(one.digest(), three.digest());
    assert_eq!(one.member(&node(2)).unwrap().addr, Some("203.0.113.2:4747"));
}

#[test]
fn a_stamp_too_far_ahead_is_refused_and_not_offered_again() {
    // R1
    let (mut one, mut two) = pair();
    let hour = 3_600_000;
    let early = two.write_net(at(hour), Term(1), language("en"));
    let merged = one.merge(at(10), early, &keys(1));
    assert_eq!(merged.refused[0].why, Refusal::TooEarly { ahead_ms: hour - 10 });
    assert_eq!(one.language(), None);
    // The one with the wrong clock begins: it learns that the other has seen the stamp and sends nothing.
    let ask = two.sync_start();
    let (answer, _) = one.sync_answer(at(20), ask, &keys(1));
    let (follow_up, _) = two.sync_finish(at(hour + 20), answer, &keys(2));
    assert_eq!(follow_up, None);
    // The other begins: it does not ask for what it would refuse.
    let (answer, _) = two.sync_answer(at(hour + 20), one.sync_start(), &keys(2));
    assert_eq!(one.sync_finish(at(20), answer, &keys(1)).0, None);
    // A third one, who hears of it in an exchange only, does not ask for it either.
    let mut three = copy(&one, 1);
    assert_eq!(exchange(at(20), &mut three, &mut two).1, 0);
    // When the clock has come there, it is taken.
    exchange(at(hour), &mut one, &mut two);
    assert_eq!(one.language(), Some("en"));
    assert_eq!(one.digest(), two.digest());
}

#[test]
fn a_pair_that_cannot_be_reconciled_is_not_tried_on_every_heartbeat() {
    // R1, R3
    let (mut one, mut two) = pair();
    two.write_net(at(3_600_000), Term(1), language("en"));
    let theirs = two.digest();
    assert!(one.sync_due(at(100), node(2), theirs).is_some());
    assert_eq!(one.sync_due(at(2_100), node(2), theirs), None);
    assert!(one.sync_due(at(16_000), node(2), theirs).is_some());
    one.write_net(at(16_100), Term(1), language("ru"));
    assert!(one.sync_due(at(16_200), node(2), theirs).is_some(), "one of the two changed");
    assert_eq!(one.sync_due(at(40_000), node(7), theirs), None, "no exchange with a stranger");
}

#[test]
fn what_was_written_with_a_clock_ahead_is_written_anew_when_the_clock_is_right() {
    // R1
    let hour = 3_600_000;
    let state = found(at(hour), founding(), &keys(1)).unwrap();
    let mut one = open(1, state);
    let again = one.restamp(at(0), &keys(1));
    assert_eq!(count(&again), 4);
    let newest = at(30_000).unix_ms;
    assert!(again.owners.iter().all(|record| record.stamp.unix_ms <= newest));
    assert_eq!(one.restamp(at(1), &keys(1)), Records::default());
    let written = one.write_net(at(2), Term(1), language("en"));
    assert!(written.net[0].stamp.unix_ms <= newest);
    assert_eq!(one.digest(), open(1, one.to_network_state()).digest());
}

#[test]
fn a_clock_that_fell_behind_still_writes_after_what_it_has_seen() {
    let (mut one, mut two) = pair();
    two.merge(at(600_000), one.write_net(at(600_000), Term(1), language("ru")), &keys(2));
    let late = two.write_net(at(1_000), Term(1), language("en"));
    one.merge(at(600_100), late, &keys(1));
    assert_eq!(one.language(), Some("en"));
}

#[test]
fn what_a_clock_that_was_set_back_writes_is_later_than_what_it_wrote_before() {
    // R1: while another clock in sight is right. The owner's edit would be undone by the older one as soon as the clock is right.
    let hour = 3_600_000;
    let (mut one, mut two) = pair();
    let before = one.edit(at(hour), Term(1), &node(1), Edit::Priority(98)).unwrap();
    two.merge(at(hour), before, &keys(2));
    one.hear_clocks(Some(hour));
    assert_eq!(one.restamp(at(1_000), &keys(1)), Records::default());
    let edit = one.edit(at(1_000), Term(1), &node(1), Edit::Priority(100)).unwrap();
    two.merge(at(hour + 1_000), edit, &keys(2));
    one.hear_clocks(Some(0));
    exchange(at(hour + 2_000), &mut one, &mut two);
    assert_eq!(one.member(&node(1)).map(|member| member.priority), Some(100));
    assert_eq!(two.member(&node(1)).map(|member| member.priority), Some(100));
}

#[test]
fn two_clocks_that_were_ahead_do_not_hold_each_others_stamps_up() {
    // R1: each took what the other wrote, and both are right again
    let hour = 3_600_000;
    let (mut one, mut two) = pair();
    two.merge(at(hour), one.write_net(at(hour), Term(1), language("ru")), &keys(2));
    let token = TokenHash([7; 32]);
    one.merge(at(hour + 1), two.write_invite(at(hour + 1), token, at(hour).unix_ms / 1_000), &keys(1));
    for (at_ms, clocks) in [(10, None), (20, Some(5))] {
        for (number, roster) in [(1, &mut one), (2, &mut two)] {
            roster.hear_clocks(clocks);
            roster.restamp(at(at_ms), &keys(number));
        }
    }
    exchange(at(30), &mut one, &mut two);
    exchange(at(40), &mut two, &mut one);
    assert_eq!(one.digest(), two.digest());
    let newest = at(30_000).unix_ms;
    assert!(one.records().net.iter().all(|record| record.stamp.unix_ms <= newest));
    assert!(two.records().invites.iter().all(|record| record.stamp.unix_ms <= newest));
}

#[test]
fn what_a_removed_node_wrote_with_a_clock_ahead_is_written_anew_by_who_has_it() {
    // R1 and R2: its writer will not
    let hour = 3_600_000;
    let (mut one, mut two) = pair();
    let token = TokenHash([7; 32]);
    one.merge(at(hour), two.write_invite(at(hour), token, at(hour).unix_ms / 1_000), &keys(1));
    one.edit(at(10), Term(1), &node(2), Edit::Remove).unwrap();
    let alone = one.restamp(at(20), &keys(1)).invites;
    assert_eq!(alone, [], "it may be its own clock that fell behind");
    one.hear_clocks(Some(0));
    let again = one.restamp(at(30), &keys(1)).invites;
    assert_eq!(again.iter().map(|record| (record.token, record.stamp.node)).collect::<Vec<_>>(), [(token, node(1))]);
    assert!(again.iter().all(|record| record.stamp.unix_ms <= at(30_000).unix_ms));
}

#[test]
fn removal_is_final_whatever_comes_later() {
    // R2
    let (mut one, mut two) = pair();
    let removed = one.edit(at(10), Term(1), &node(2), Edit::Remove).unwrap();
    let mut renamed = two.edit(at(500), Term(1), &node(2), Edit::Rename("again".to_string())).unwrap();
    let merged = one.merge(at(600), renamed.clone(), &keys(1));
    assert_eq!(merged.refused[0].why, Refusal::Removed);
    renamed.selfs.extend(two.write_self(at(550), "203.0.113.9:4747", "0.1.0", PROTOCOL, &keys(2)).selfs);
    assert_eq!(one.merge(at(600), renamed, &keys(1)).refused.len(), 2);
    assert!(!one.is_member(&node(2)) && one.is_removed(&node(2)));
    // The other way round: the tombstone wins over a later stamp, and both rosters agree.
    let merged = two.merge(at(700), removed, &keys(2));
    assert!(merged.pins_changed && merged.network_changed);
    assert!(!two.is_member(&node(2)));
    exchange(at(800), &mut one, &mut two);
    assert_eq!(one.digest(), two.digest());
    assert_eq!(one.admit(at(900), Term(2), admission(2)), Err(EditError::Removed));
    assert_eq!(one.edit(at(900), Term(2), &node(2), Edit::Priority(1)), Err(EditError::Removed));
    assert_eq!(one.pinned().len(), 1);
    assert_eq!(one.to_network_state().peers.len(), 2, "the tombstone stays");
}

#[test]
fn a_tombstone_and_a_later_record_meet_in_an_exchange_and_agree() {
    // R2, R3
    for asking_has_tombstone in [true, false] {
        let (mut one, mut two) = pair();
        one.edit(at(10), Term(1), &node(2), Edit::Remove).unwrap();
        two.edit(at(500), Term(1), &node(2), Edit::Priority(1)).unwrap();
        if asking_has_tombstone {
            exchange(at(600), &mut one, &mut two);
        } else {
            exchange(at(600), &mut two, &mut one);
        }
        assert!(two.is_removed(&node(2)));
        assert_eq!(one.digest(), two.digest());
    }
}

#[test]
fn a_node_keeps_its_certificate_for_life() {
    // R1
    let (mut one, mut two) = pair();
    let mut records = two.edit(at(10), Term(1), &node(1), Edit::Priority(5)).unwrap();
    records.owners[0].pin = pin(66);
    let merged = one.merge(at(20), records, &keys(1));
    assert_eq!(merged.refused[0].why, Refusal::OtherPin);
    assert_eq!(one.member(&node(1)).unwrap().pin, pin(1));
}

#[test]
fn unsound_records_are_refused_one_by_one() {
    let (mut one, mut two) = pair();
    let good = two.write_net(at(10), Term(1), language("en"));
    let mut owner = two.edit(at(11), Term(1), &node(2), Edit::Rename("beta".to_string())).unwrap();
    owner.owners[0].name = "<b>".to_string();
    let mut voters = VoterRecord { mark: VotersMark { number: 5, term: Term(1) }, old: Vec::new(), new: Vec::new() };
    let records = Records { net: good.net, owners: owner.owners, voters: Some(voters.clone()), ..Records::default() };
    let merged = one.merge(at(20), records, &keys(1));
    assert_eq!(merged.refused.len(), 2);
    assert_eq!(one.language(), Some("en"), "the sound one was taken");
    assert_eq!(one.member(&node(2)).unwrap().name, "node-2");
    voters.new = Vec::from([node(1), node(1)]);
    assert_eq!(one.set_voters(voters), None);
}

#[test]
fn names_are_unique_in_any_letter_case() {
    let (mut one, _) = pair();
    let taken = one.edit(at(10), Term(1), &node(2), Edit::Rename("ALPHA".to_string()));
    assert_eq!(taken, Err(EditError::NameTaken { free: "ALPHA-2".to_string() }));
    assert!(one.edit(at(10), Term(1), &node(1), Edit::Rename("Alpha".to_string())).is_ok());
}

#[test]
fn voters_are_ordered_by_their_mark_and_not_by_time() {
    let (mut one, mut two) = pair();
    let record = |number, term, new: &[u64]| VoterRecord {
        mark: VotersMark { number, term: Term(term) },
        old: Vec::new(),
        new: new.iter().map(|number| node(*number)).collect(),
    };
    assert!(one.set_voters(record(2, 7, &[1])).is_some());
    assert!(two.set_voters(record(2, 9, &[2])).is_some());
    assert!(one.set_voters(record(2, 6, &[1, 2])).is_none(), "an earlier term");
    exchange(at(50), &mut one, &mut two);
    assert_eq!(one.voters(), &record(2, 9, &[2]));
    assert_eq!(one.digest(), two.digest());
    let merged = one.merge(at(60), Records { voters: Some(record(3, 1, &[1])), ..Records::default() }, &keys(1));
    assert!(merged.voters_changed && !merged.pins_changed);
}

#[test]
fn voters_that_are_not_known_or_even_in_number_are_refused_until_they_are_known() {
    // L1: a record that is about nodes which never belonged here is a mistake, or comes before theirs
    let (mut one, mut two) = pair();
    let record = |number, old: &[u64], new: &[u64]| {
        let list = |numbers: &[u64]| numbers.iter().map(|number| node(*number)).collect();
        VoterRecord { mark: VotersMark { number, term: Term(9) }, old: list(old), new: list(new) }
    };
    let told = |voters| Records { voters: Some(voters), ..Records::default() };
    for (bad, why) in [
        (record(7, &[], &[1, 2]), Refusal::Unsound("its lists are not odd in number")),
        (record(7, &[1, 2], &[1]), Refusal::Unsound("its lists are not odd in number")),
        (record(7, &[], &[9]), Refusal::UnknownVoter),
        (record(7, &[1, 2, 9], &[1]), Refusal::UnknownVoter),
    ] {
        let merged = one.merge(at(20), told(bad.clone()), &keys(1));
        assert_eq!(merged.refused.iter().map(|refused| refused.why).collect::<Vec<_>>(), [why], "{bad:?}");
        assert_eq!(one.set_voters(bad), None);
        assert_eq!((one.voters().mark.number, merged.voters_changed), (1, false));
    }
    let admitted = two.admit(at(30), Term(2), admission(3)).unwrap();
    let joint = record(2, &[1], &[1, 2, 3]);
    assert!(two.set_voters(joint.clone()).is_some());
    assert_eq!(one.set_voters(joint.clone()), None, "it came before node 3");
    exchange(at(50), &mut one, &mut two);
    assert_eq!((one.voters(), one.digest()), (&joint, two.digest()), "and is taken with it");
    two.edit(at(60), Term(3), &node(3), Edit::Remove).unwrap();
    two.merge(at(61), admitted, &keys(2));
    assert!(two.set_voters(record(3, &[], &[1, 2, 3])).is_some(), "a removed voter is replaced by a later record");
}

#[test]
fn an_invitation_is_spent_once_and_twice_in_a_cut_is_told() {
    let (mut one, mut two) = pair();
    let token = TokenHash([3; 32]);
    two.merge(at(10), one.write_invite(at(10), token, at(900_000).unix_ms / 1_000), &keys(2));
    let spent = |number| Spent { node: node(number), pin: pin(number) };
    assert!(one.spend_invite(at(20), &token, spent(3)).is_some());
    assert!(one.spend_invite(at(21), &token, spent(3)).is_some(), "a lost answer");
    assert!(one.spend_invite(at(22), &token, spent(4)).is_none());
    let other = two.spend_invite(at(30), &token, spent(4)).unwrap();
    let merged = one.merge(at(40), other, &keys(1));
    assert_eq!(merged.spent_twice, [token]);
    assert!(merged.invites_changed && !merged.network_changed);
}

#[test]
fn invitations_are_forgotten_a_day_after_their_end_and_not_before() {
    let mut one = alone();
    let day = 86_400_000;
    let end = at(10_000).unix_ms / 1_000;
    one.write_invite(at(0), TokenHash([1; 32]), end);
    one.spend_invite(at(5), &TokenHash([1; 32]), Spent { node: node(3), pin: pin(3) }).unwrap();
    let open_still = one.records().invites[0].clone();
    assert_eq!(one.to_invites_state(at(day)).invites.len(), 1);
    assert!(!one.expire(at(day)));
    assert_eq!(one.to_invites_state(at(day + 20_000)).invites.len(), 0);
    assert!(one.expire(at(day + 20_000)));
    assert_eq!(one.digest(), alone().digest());
    let records = Records { invites: Vec::from([open_still]), ..Records::default() };
    assert_eq!(one.merge(at(day + 20_000), records, &keys(1)).refused[0].why, Refusal::LongExpired);
}

#[test]
fn news_are_told_once() {
    // R3
    let (mut one, mut two) = pair();
    let records = one.write_net(at(10), Term(1), language("en"));
    assert_eq!(two.merge(at(11), records.clone(), &keys(2)).news, records);
    assert_eq!(two.merge(at(12), records, &keys(2)), Merged::default());
}

#[test]
fn a_state_of_another_node_or_version_is_refused() {
    // S4
    let state = alone().to_network_state();
    let invites = alone().to_invites_state(at(0));
    let open = |id: NodeId, pin: Pin, state: NetworkState| {
        Roster::open(id, pin, state, invites.clone(), 30_000, &keys(1)).map(|_| ())
    };
    assert_eq!(open(node(2), pin(2), state.clone()), Err(OpenError::NotOurs));
    assert_eq!(open(node(1), pin(2), state.clone()), Err(OpenError::NotOurs));
    assert_eq!(open(node(1), pin(1), NetworkState { format: 2, ..state.clone() }), Err(OpenError::Format { found: 2 }));
    let nobody = NetworkState { voters: VoterRecord::default(), ..state.clone() };
    assert_eq!(open(node(1), pin(1), nobody), Err(OpenError::Voters));
    assert_eq!(open(node(1), pin(1), state), Ok(()));
}

#[test]
fn a_damaged_signature_in_the_state_costs_that_record_only() {
    // S4
    let (one, _) = pair();
    let mut state = one.to_network_state();
    state.peers[1].own.as_mut().unwrap().signature = String::from("00");
    let (opened, refused) =
        Roster::open(node(1), pin(1), state, one.to_invites_state(at(0)), 30_000, &keys(1)).unwrap();
    assert_eq!(refused.len(), 1);
    assert!(opened.is_member(&node(2)));
    assert_eq!(opened.member(&node(2)).unwrap().addr, None);
}

#[test]
fn a_joiner_starts_with_all_that_the_answer_brought() {
    let (one, two) = pair();
    let answer = JoinAnswer {
        network_id: one.network_id(),
        owner_username: one.owner().username.to_string(),
        network_secret: one.secret().clone(),
        secret_generation: one.secret_generation(),
        addr: "203.0.113.2:4747".to_string(),
        records: one.records(),
    };
    let (network, invites) = adopt(at(0), 30_000, node(2), pin(2), answer.clone(), None).unwrap();
    let (joined, refused) = Roster::open(node(2), pin(2), network, invites, 30_000, &keys(2)).unwrap();
    assert_eq!(refused, []);
    assert_eq!(joined.digest(), two.digest());
    assert_eq!(adopt(at(0), 30_000, node(3), pin(3), answer.clone(), None).map(|_| ()), Err(OpenError::NotOurs));
    // R1: what an hour ahead wrote, nobody else would take, and nothing later would replace.
    let mut early = answer;
    early.records.owners[0].stamp.unix_ms = at(0).unix_ms + 3_600_000;
    let ahead = adopt(at(0), 30_000, node(2), pin(2), early, None).map(|_| ());
    assert_eq!(ahead, Err(OpenError::Ahead { ahead_s: 3_600 }));
}

#[test]
fn the_fake_keys_refuse_what_real_ones_refuse() {
    let signed = keys(1).sign("body".to_string());
    assert_eq!(keys(2).signer(&signed), Some(pin(1)));
    assert_eq!(keys(2).signer(&SignedSelf { body: "other".to_string(), ..signed.clone() }), None);
    assert_eq!(keys(2).signer(&SignedSelf { cert: FakeKeys::cert(2), ..signed }), None);
}
