//! R3: rosters of any content agree after one exchange, which carries only what is missing.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

#[test]
fn only_what_is_missing_is_exchanged_among_a_thousand_nodes() {
    // R3
    let mut one = alone();
    for number in 2..=1_000 {
        one.admit(at(number), Term(1), admission(number)).unwrap();
    }
    let mut two = copy(&one, 2);
    assert_eq!(one.digest(), two.digest());
    one.edit(at(2_000), Term(1), &node(500), Edit::Priority(1)).unwrap();
    one.admit(at(2_000), Term(1), admission(1_001)).unwrap();
    two.write_self(at(2_000), "203.0.113.2:4747", "0.1.0", PROTOCOL, &keys(2));
    let ask = one.sync_start();
    assert!(serde_json::to_string(&ask).unwrap().len() < 1_024);
    let (answer, _) = two.sync_answer(at(2_001), ask, &keys(2));
    assert!(serde_json::to_string(&answer).unwrap().len() < 60_000);
    assert_eq!(exchange(at(2_100), &mut one, &mut two), (2, 3));
    assert_eq!(one.digest(), two.digest());
}

#[test]
fn any_two_rosters_agree_after_one_exchange() {
    // R3
    for seed in 0..200_u64 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut founder = alone();
        for number in 2..=8 {
            founder.admit(at(number), Term(1), admission(number)).unwrap();
        }
        let (mut one, mut two) = (copy(&founder, 1), copy(&founder, 2));
        for step in 0..rng.random_range(0..60_u64) {
            let side = if rng.random_bool(0.5) { &mut one } else { &mut two };
            scribble(side, &mut rng, at(100 + step));
        }
        let now = at(1_000);
        let (trips, _) =
            if rng.random_bool(0.5) { exchange(now, &mut one, &mut two) } else { exchange(now, &mut two, &mut one) };
        assert!(trips <= 2, "seed {seed}");
        assert_eq!(one.digest(), two.digest(), "seed {seed}");
        let of = |roster: &Roster| NetworkState { own_token: None, ..roster.to_network_state() };
        assert_eq!(of(&one), of(&two), "seed {seed}");
        assert_eq!(one.to_invites_state(now), two.to_invites_state(now), "seed {seed}");
        assert_eq!(copy(&one, 1).to_network_state(), one.to_network_state(), "seed {seed}");
        assert!(of_digest_is_from_scratch(&one), "seed {seed}");
    }
}

/// One random write.
fn scribble(roster: &mut Roster, rng: &mut StdRng, now: crate::clock::Now) {
    let number = rng.random_range(1..=12_u64);
    // Refused edits (removed, unknown, taken) are part of the play: they change nothing.
    let _ = match rng.random_range(0..9_u32) {
        0 => roster.admit(now, Term(1), admission(number)),
        1 => roster.edit(now, Term(1), &node(number), Edit::Priority(rng.random_range(0..9))),
        2 => roster.edit(now, Term(1), &node(number), Edit::Rename(format!("name-{}", rng.random_range(0..9_u32)))),
        3 if number > 2 => roster.edit(now, Term(1), &node(number), Edit::Remove),
        4 => Ok(roster.write_net(now, Term(1), language("ru"))),
        5 => Ok(roster.write_net(now, Term(1), NetValue::Message { chat: 1, message: rng.random_range(0..99) })),
        6 => Ok(roster.write_invite(now, TokenHash([rng.random_range(0..5); 32]), now.unix_ms / 1_000 + 900)),
        7 => {
            let spent = Spent { node: node(number), pin: pin(number) };
            Ok(roster.spend_invite(now, &TokenHash([rng.random_range(0..5); 32]), spent).unwrap_or_default())
        }
        _ => {
            let me = if roster.node() == node(1) { 1 } else { 2 };
            let addr = format!("203.0.113.{}:4747", rng.random_range(1..200_u32));
            Ok(roster.write_self(now, &addr, "0.1.0", PROTOCOL, &keys(me)))
        }
    };
}

/// The digest that was kept up with each write is the one that a fresh look at all records gives.
fn of_digest_is_from_scratch(roster: &Roster) -> bool {
    let mut buckets = Buckets::default();
    let mut add = |key: RecordKey, rank| buckets.change(&key, None, Some(rank));
    roster.owners.values().for_each(|record| add(record.key(), record.rank()));
    roster.selfs.values().for_each(|own| add(own.record.key(), own.record.rank()));
    roster.net.values().for_each(|record| add(record.key(), record.rank()));
    roster.invites.values().for_each(|record| add(record.key(), record.rank()));
    add(RecordKey::Voters, roster.voters.rank());
    buckets.digest() == roster.digest()
}

#[test]
fn what_two_clocks_that_were_ahead_agreed_on_gives_way_when_they_are_right() {
    // R1: the writer writes it anew, and who took it from the writer must not hold the old stamp against that for an hour
    let hour = 3_600_000;
    let mut one = alone();
    for number in 2..=3 {
        one.admit(at(number), Term(1), admission(number)).unwrap();
    }
    let token = TokenHash([7; 32]);
    one.write_invite(at(4), token, at(hour).unix_ms / 1_000);
    let (mut two, mut three) = (copy(&one, 2), copy(&one, 3));
    for roster in [&mut two, &mut three] {
        roster.merge(at(5), one.records(), &keys(1));
    }
    let spent = one.spend_invite(at(hour), &token, Spent { node: node(3), pin: pin(3) }).unwrap();
    assert!(two.merge(at(hour), spent, &keys(2)).invites_changed);
    assert!(!two.merge(at(10), three.records(), &keys(2)).invites_changed, "what is used stays used");
    let early = one.write_net(at(hour), Term(1), language("de"));
    assert!(two.merge(at(hour), early.clone(), &keys(2)).network_changed);
    assert_eq!(three.merge(at(10), early, &keys(3)).refused.len(), 1);
    let again = one.restamp(at(20), &keys(1));
    assert!(three.merge(at(20), again, &keys(3)).network_changed);
    two.hear_clocks(Some(hour));
    exchange(at(30), &mut two, &mut three);
    assert_eq!(two.language(), Some("de"), "somebody's clock is there: its own fell behind");
    assert_ne!(two.digest(), one.digest());
    two.hear_clocks(Some(20));
    exchange(at(30), &mut two, &mut three);
    assert_eq!((two.digest(), three.digest()), (one.digest(), one.digest()));
    let newer = one.write_net(at(40), Term(1), language("en"));
    assert!(two.merge(at(40), newer, &keys(2)).network_changed, "and what comes later is heard");
}
