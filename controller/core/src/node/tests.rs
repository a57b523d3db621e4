//! Scenarios of whole nodes on a perfect network with a small Telegram: what the parts do together. Faults are the simulator's.

mod alerts;
mod authority;
mod bench;
mod copies;
mod disk;
mod edits;
mod forgeries;
mod holder_probe;
mod reboots;
mod resume;
mod views;
mod watch;
mod wires;

use alloc::vec;

use constella_shared::wire::rpc::Status;

use super::*;
use bench::Bench;

#[test]
fn three_nodes_see_each_other_and_one_of_them_polls() {
    // M1, L2
    let mut bench = Bench::of(3);
    bench.run_ms(15_000);
    for node in bench.nodes() {
        assert!(node.roster.members().all(|member| node.status_of(&member.id) == Status::Alive));
        assert_eq!(node.membership.digest(), bench.node(1).membership.digest());
    }
    assert_eq!(bench.pollers(), [1]);
    assert_eq!(bench.conflicts, 0);
}

#[test]
fn a_third_node_makes_three_voters() {
    // L1: k+1 with both lists, then k+2
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    for node in bench.nodes() {
        assert_eq!((node.roster.voters().mark.number, node.roster.voters().new.len()), (3, 3));
        assert!(node.roster.voters().old.is_empty());
    }
    assert_eq!(bench.node(1).held, Some(Strength::Strong));
}

#[test]
fn the_holder_stays_strong_while_one_voter_becomes_three() {
    // L1: the newcomers' grants are there before the record that needs them
    let mut bench = Bench::of(3);
    assert!(bench.run_until(10_000, |bench| bench.strong() == [1]));
    let mut marks = BTreeSet::new();
    for _ in 0..3_000 {
        bench.run_ms(10);
        assert_eq!((bench.strong(), bench.pollers()), (vec![1], vec![1]));
        marks.insert(bench.node(1).roster.voters().mark.number);
    }
    assert_eq!(marks.into_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn the_owner_is_answered() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    bench.owner_says("/nodes");
    bench.run_ms(3_000);
    assert_eq!(bench.unconfirmed(), 0);
    assert!(bench.answers_of(1) > 0);
    assert!(bench.nodes().iter().all(|node| !node.commands.any_open()), "the keeper was told");
}

#[test]
fn a_lease_is_held_against_the_clock_before_anything_is_done_under_it() {
    // L7: the first thing that a process hears after it was stopped may be Telegram's answer, and no tick came between.
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    assert!(bench.title_after(1, 10).is_some_and(|title| title.may_poll));
    assert_eq!(bench.title_after(1, 4_000), None);
}

#[test]
fn a_wall_clock_that_is_set_back_ends_every_grant_at_once() {
    // L7: set ahead, a grant runs out by the wall clock; set back, only the jump tells of a machine that may have slept.
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let term = bench.node(1).claim.term();
    assert_eq!(bench.pollers(), [1]);
    bench.walls.insert(1, -3_000);
    bench.input(1, Input::Tick);
    assert!(bench.pollers().is_empty(), "more than the margin of L2");
    assert!(bench.run_until(5_000, |bench| bench.pollers() == [1]), "and it gets a new lease");
    assert!(bench.node(1).claim.term() > term);
    bench.walls.insert(1, -3_150);
    bench.input(1, Input::Tick);
    assert_eq!(bench.pollers(), [1], "a clock that is merely put right");
}

#[test]
fn a_pause_that_a_clock_put_right_hides_for_the_most_part_ends_every_grant() {
    // L7: its boot clock stood still for 3.8 s, or for 5.3, while its wall clock, 5 s ahead, was set right: what shows of it is less than half a TTL.
    for seen_ms in [-1_200, 300] {
        let mut bench = Bench::of(3);
        bench.run_ms(20_000);
        assert_eq!(bench.pollers(), [1]);
        bench.walls.insert(1, seen_ms);
        bench.input(1, Input::Tick);
        assert!(bench.pollers().is_empty(), "{seen_ms}");
        assert!(bench.run_until(5_000, |bench| bench.pollers() == [1]), "{seen_ms}: and it gets a new lease");
    }
}

#[test]
fn a_leader_whose_clock_is_wrong_makes_way_for_those_whose_clocks_agree() {
    // L2: the voters refuse it for its clock (S1) while its heartbeats go on
    for off_ms in [3_600_000, -3_600_000] {
        let mut bench = Bench::of(3);
        bench.run_ms(20_000);
        bench.walls.insert(1, off_ms);
        assert!(bench.run_until(8_000, |bench| bench.pollers() == [2]), "{off_ms}: {:?} polls", bench.pollers());
        bench.run_ms(60_000);
        assert_eq!((bench.pollers(), bench.node(2).held), (Vec::from([2]), Some(Strength::Strong)));
        bench.walls.clear();
        assert!(bench.run_until(30_000, |bench| bench.pollers() == [1]), "{off_ms}: its clock is right again");
        assert_eq!(bench.conflicts, 0);
    }
}

#[test]
fn wrong_clocks_leave_the_bot_to_somebody() {
    // L2: nobody makes way where no majority could hold without it
    let served = |bench: &mut Bench, what: &str| {
        bench.owner_says("/nodes");
        assert!(bench.run_until(20_000, |bench| bench.unconfirmed() == 0), "{what}");
    };
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    bench.walls = [(1, 3_600_000), (3, -3_600_000)].into();
    bench.run_ms(20_000);
    served(&mut bench, "each clock is another");
    bench.walls = [(1, 3_600_000)].into();
    assert!(bench.run_until(20_000, |bench| bench.pollers() == [2]));
    bench.kill(2);
    bench.kill(3);
    bench.run_ms(20_000);
    served(&mut bench, "those with the right clocks are gone");
    let mut bench = Bench::of(2);
    bench.run_ms(20_000);
    bench.walls = [(1, 3_600_000)].into();
    bench.run_ms(20_000);
    served(&mut bench, "the only vote is its own");
}

#[test]
fn when_the_leader_dies_another_answers() {
    // L4, F6
    for nodes in [2, 3, 5] {
        let mut bench = Bench::of(nodes);
        bench.run_ms(30_000);
        bench.kill(1);
        let killed = bench.now;
        bench.owner_says("/nodes");
        let answered = bench.run_until(15_000, |bench| (2..=nodes).any(|n| bench.answers_of(n) > 0));
        assert!(answered, "{nodes} nodes: pollers {:?}", bench.pollers());
        assert!(bench.now - killed < 7_000, "{nodes} nodes: {} ms", bench.now - killed);
        assert_eq!(bench.conflicts, 0);
    }
}

#[test]
fn a_graceful_stop_hands_over_at_once() {
    // L5
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.input(1, Input::Stop);
    let stopped = bench.now;
    bench.owner_says("/nodes");
    assert!(bench.run_until(5_000, |bench| bench.answers_of(2) + bench.answers_of(3) > 0));
    assert!(bench.now - stopped < 1_000, "{} ms", bench.now - stopped);
    assert!(bench.run_until(1_000, |bench| bench.stopped.contains(&1)));
}

#[test]
fn a_graceful_stop_of_the_only_voter_hands_over_at_once() {
    // L5: who was told by the holder itself polls at once, also when weak, and whatever the listener of the stopped one still answers
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    bench.input(1, Input::Stop);
    let stopped = bench.now;
    bench.owner_says("/nodes");
    assert!(bench.run_until(5_000, |bench| bench.answers_of(2) > 0));
    assert!(bench.now - stopped < 1_000, "{} ms", bench.now - stopped);
    bench.run_ms(10_000);
    assert_eq!(bench.pollers(), [2], "and goes on");
}

#[test]
fn a_leader_without_telegram_hands_over() {
    // F1
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.no_telegram.insert(1);
    let lost = bench.now;
    assert!(bench.run_until(15_000, |bench| bench.pollers() == [2] || bench.pollers() == [3]));
    assert!(bench.now - lost < 9_000, "{} ms", bench.now - lost);
}

#[test]
fn a_better_leader_takes_over_when_it_has_been_steady() {
    // L6
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    bench.kill(1);
    bench.run_ms(20_000);
    assert_eq!(bench.pollers(), [2]);
    bench.restart(1);
    let back = bench.now;
    assert!(bench.run_until(60_000, |bench| bench.pollers() == [1]));
    assert!(bench.now - back >= 10_000, "{} ms", bench.now - back);
    assert_eq!(bench.conflicts, 0);
}
