//! Membership's rules: M1, M2, M3, removal, and what comes from outside.

mod cluster;

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use base64::Engine as _;
use constella_shared::ids::Generation;
use constella_shared::wire::rpc::Status;

use super::*;
use crate::roster::fake::node;
use cluster::Cluster;

/// The heartbeat period at the defaults.
const PERIOD_MS: u64 = 2_000;

#[test]
fn everybody_sees_everybody_soon_after_the_start() {
    // M1
    for size in [2, 3, 10, 50] {
        let mut cluster = Cluster::new(size, 1);
        cluster.run_until(5 * PERIOD_MS, Cluster::agrees);
        assert!(cluster.agrees(), "{size} nodes");
        assert!((0..size).all(|at| cluster.node(at).alive() == size));
    }
}

/// A record that comes after the gossip that names its node: that gossip was dropped and does not come again.
#[test]
fn who_became_a_member_after_the_gossip_is_seen_within_a_period() {
    // M1
    for seed in 0..10 {
        let mut cluster = Cluster::new(10, seed);
        cluster.kill(9);
        for at in 0..9 {
            cluster.remove(at, 9);
        }
        cluster.run(10 * PERIOD_MS);
        cluster.restart(9);
        cluster.run(2 * PERIOD_MS);
        for at in 0..9 {
            cluster.learn(at, 9);
        }
        cluster.run(PERIOD_MS);
        assert!(cluster.all_see(9, Status::Alive), "seed {seed}");
        assert_eq!(cluster.node(9).alive(), 10, "seed {seed}");
    }
}

#[test]
fn a_death_is_known_to_all_within_a_few_periods() {
    // M1
    for size in [2, 3, 10, 50] {
        for seed in 0..5 {
            let mut cluster = Cluster::new(size, seed);
            cluster.run(20 * PERIOD_MS);
            cluster.kill(size - 1);
            // Up to one period until somebody probes it (in a network of two: its turn), one for the probe, three of suspicion, gossip.
            let took = cluster.run_until(10 * PERIOD_MS, |cluster| cluster.all_see(size - 1, Status::Down));
            assert!(cluster.all_see(size - 1, Status::Down), "{size} nodes, seed {seed}");
            assert!(took >= 3 * PERIOD_MS, "nobody is down before the suspicion ran out");
            assert_eq!(cluster.falsely_down(), [], "{size} nodes, seed {seed}");
            cluster.run_until(5 * PERIOD_MS, Cluster::agrees);
            assert!(cluster.agrees());
        }
    }
}

#[test]
fn two_silent_hosts_of_five_take_no_other_down() {
    // M3
    for seed in 0..20 {
        let mut cluster = Cluster::new(5, seed);
        cluster.run(10 * PERIOD_MS);
        cluster.kill(3);
        cluster.kill(4);
        cluster.run(60 * PERIOD_MS);
        assert_eq!(cluster.falsely_down(), [], "seed {seed}");
        assert!(cluster.all_see(3, Status::Down) && cluster.all_see(4, Status::Down));
        assert_eq!(cluster.node(0).alive(), 3);
    }
}

#[test]
fn a_healed_cut_comes_together_again() {
    // M1
    for (size, left_side) in [(2, 1), (3, 1), (5, 2), (10, 5), (50, 25)] {
        for seed in 0..3 {
            let mut cluster = Cluster::new(size, seed);
            cluster.run(10 * PERIOD_MS);
            cluster.cut(left_side);
            cluster.run(30 * PERIOD_MS);
            assert_eq!(cluster.node(0).alive(), left_side, "{size} nodes, seed {seed}");
            assert_eq!(cluster.node(size - 1).alive(), size - left_side);
            cluster.heal();
            cluster.forget_statuses();
            let took = cluster.run_until(20 * PERIOD_MS, Cluster::agrees);
            assert!(cluster.agrees(), "{size} nodes, seed {seed}");
            assert!((0..size).all(|at| cluster.node(at).alive() == size), "{size} nodes, seed {seed}, after {took} ms");
            assert_eq!(
                cluster.falsely_down(),
                [],
                "nobody goes down because the cut healed: {size} nodes, seed {seed}"
            );
        }
    }
}

#[test]
fn a_restart_with_a_higher_generation_is_alive_at_once() {
    // M1
    for size in [2, 5, 20] {
        let mut cluster = Cluster::new(size, 3);
        cluster.run(10 * PERIOD_MS);
        cluster.kill(0);
        cluster.run(500);
        cluster.forget_statuses();
        cluster.restart(0);
        let returned = |cluster: &Cluster| {
            (1..size).all(|at| cluster.node(at).generation(&node(1)) == Some(Generation(2))) && cluster.agrees()
        };
        cluster.run_until(2 * PERIOD_MS, returned);
        assert!(returned(&cluster), "{size} nodes");
        assert!(
            cluster.statuses.iter().all(|(by, _, _)| *by == 0),
            "a quick restart is no event for anybody else: {size}"
        );
    }
}

#[test]
fn one_that_was_down_for_long_is_alive_within_two_periods_of_its_return() {
    // M1
    let mut cluster = Cluster::new(10, 4);
    cluster.run(10 * PERIOD_MS);
    cluster.kill(7);
    cluster.run(300 * PERIOD_MS);
    cluster.restart(7);
    cluster.run_until(2 * PERIOD_MS, |cluster| cluster.all_see(7, Status::Alive));
    assert!(cluster.all_see(7, Status::Alive));
}

#[test]
fn who_says_goodbye_has_left_and_is_not_down() {
    for size in [2, 10, 50] {
        let mut cluster = Cluster::new(size, 5);
        cluster.run(10 * PERIOD_MS);
        cluster.leave(2 % size);
        cluster.run_until(4 * PERIOD_MS, |cluster| cluster.all_see(2 % size, Status::Left));
        cluster.kill(2 % size);
        cluster.run(20 * PERIOD_MS);
        assert!(cluster.all_see(2 % size, Status::Left), "{size} nodes");
        assert!(cluster.statuses.iter().all(|(_, _, status)| *status != Status::Down), "{size} nodes");
        cluster.restart(2 % size);
        cluster.run_until(2 * PERIOD_MS, |cluster| cluster.all_see(2 % size, Status::Alive));
        assert!(cluster.all_see(2 % size, Status::Alive), "{size} nodes");
    }
}

#[test]
fn lost_messages_take_nobody_down() {
    // M1
    let mut cluster = Cluster::new(10, 6);
    cluster.loss_percent = 10;
    cluster.run(300 * PERIOD_MS);
    assert_eq!(cluster.falsely_down(), []);
}

#[test]
fn one_broken_link_takes_nobody_down() {
    let mut cluster = Cluster::new(5, 7);
    cluster.broken = Some((0, 1));
    cluster.run(300 * PERIOD_MS);
    assert_eq!(cluster.falsely_down(), []);
    assert!((0..5).all(|at| cluster.node(at).alive() == 5));
}

#[test]
fn a_removed_node_stays_out_whatever_it_and_others_say() {
    // R2
    let mut cluster = Cluster::new(5, 8);
    cluster.run(10 * PERIOD_MS);
    for at in 0..3 {
        cluster.remove(at, 4);
    }
    cluster.forget_statuses();
    cluster.run(30 * PERIOD_MS);
    for at in 0..3 {
        assert_eq!(cluster.node(at).alive(), 4, "node {at} counts who belongs");
        assert_eq!(cluster.node(at).status(&node(5)), Status::Down);
    }
    assert_eq!(cluster.falsely_down(), []);
    assert_eq!(cluster.node(0).digest(), cluster.node(1).digest());
}

#[test]
fn a_view_that_missed_a_death_is_mended_and_one_that_is_wrong_is_refuted() {
    // M1
    let mut cluster = Cluster::new(10, 9);
    cluster.run(10 * PERIOD_MS);
    // Node 0 hears that node 5 is dead from somebody's export, and it is not: suspected, refuted, never down.
    let mut liar = Cluster::new(10, 10);
    liar.run(10 * PERIOD_MS);
    liar.kill(5);
    liar.run(20 * PERIOD_MS);
    let export = liar.node(1).export();
    cluster.import(0, &export);
    assert_eq!(cluster.node(0).status(&node(6)), Status::Suspect);
    cluster.run(20 * PERIOD_MS);
    assert_eq!(cluster.falsely_down(), []);
    assert!(cluster.agrees());
    // The same about one that is really dead: down after the suspicion, without a probe of its own.
    cluster.kill(5);
    cluster.import(0, &export);
    let took = cluster.run_until(4 * PERIOD_MS, |cluster| cluster.node(0).status(&node(6)) == Status::Down);
    assert_eq!(cluster.node(0).status(&node(6)), Status::Down);
    assert!(took <= 3 * PERIOD_MS + 100);
}

#[test]
fn frames_of_others_and_damaged_ones_change_nothing() {
    let mut one = Membership::new(node(1), Generation(1), &Settings::default(), [1; 32]);
    let mut two = Membership::new(node(2), Generation(1), &Settings::default(), [2; 32]);
    let now = Now { boot_ms: 1, unix_ms: 1 };
    let sends = |effects: Vec<Effect>| -> Vec<String> {
        effects
            .into_iter()
            .filter_map(|e| if let Effect::Send { frame, .. } = e { Some(frame) } else { None })
            .collect()
    };
    let announced = sends(two.known(now, [node(1), node(2), node(3)].into_iter()));
    one.known(now, [node(1), node(2), node(3)].into_iter());
    let before = one.digest();
    assert_eq!(one.frames(now, node(3), &announced), [], "it says it is of node 2");
    assert_eq!(one.frames(now, node(9), &announced), [], "node 9 does not belong");
    let first = announced[0].clone();
    for at in 0..first.len() {
        let mut damaged = first.clone().into_bytes();
        damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
        let damaged = String::from_utf8(damaged).unwrap();
        let cut = first[..at].to_string();
        one.frames(now, node(3), &[damaged, cut]);
    }
    let long = base64::engine::general_purpose::STANDARD.encode(vec![0; 100_000]);
    assert_eq!(one.frames(now, node(2), &[long, "&".to_string(), String::new()]), []);
    assert_eq!(one.import(now, &["AAAA".to_string(), "&".to_string()]), []);
    assert_eq!(one.digest(), before);
    one.frames(now, node(2), &announced);
    assert_eq!(one.status(&node(2)), Status::Alive);
}

#[test]
fn a_restored_copy_learns_that_a_later_start_of_it_is_known() {
    // S1
    let mut cluster = Cluster::new(3, 11);
    cluster.run(5 * PERIOD_MS);
    cluster.kill(0);
    cluster.restart(0);
    cluster.run(5 * PERIOD_MS);
    cluster.kill(0);
    cluster.restart_as(0, Generation(1));
    cluster.run(5 * PERIOD_MS);
    assert_eq!(cluster.node(0).superseded(), Some(Generation(2)));
    assert_eq!(cluster.node(1).superseded(), None);
}

#[test]
fn the_cost_per_node_does_not_grow_with_the_network() {
    // M2
    let cost = |size| {
        let mut cluster = Cluster::new(size, 12);
        cluster.run(20 * PERIOD_MS);
        cluster.reset_cost();
        cluster.run(30 * PERIOD_MS);
        cluster.cost_per_node()
    };
    let (few, many) = (cost(10), cost(100));
    assert!(many.0 <= few.0 * 1.2 && many.1 <= few.1 * 1.2, "frames and bytes: {few:?} at 10 nodes, {many:?} at 100");
}

#[test]
#[ignore = "a thousand nodes take some seconds"]
fn a_thousand_nodes_learn_a_death_at_the_cost_of_ten() {
    // M1, M2
    extern crate std;
    let mut ten = Cluster::new(10, 13);
    let mut thousand = Cluster::new(1_000, 13);
    for cluster in [&mut ten, &mut thousand] {
        cluster.run(30 * PERIOD_MS);
        cluster.reset_cost();
        cluster.run(30 * PERIOD_MS);
    }
    assert!(thousand.agrees());
    let (few, many) = (ten.cost_per_node(), thousand.cost_per_node());
    assert!(many.0 <= few.0 * 1.5 && many.1 <= few.1 * 1.5);
    thousand.kill(999);
    thousand.run_until(12 * PERIOD_MS, |cluster| cluster.all_see(999, Status::Down));
    assert!(thousand.all_see(999, Status::Down));
    assert_eq!(thousand.falsely_down().len(), 0);
}
