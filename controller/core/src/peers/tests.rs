//! What is concluded from what a node heard of another.

use super::*;

fn n(id: u8) -> NodeId {
    NodeId([id; 32])
}

fn at(boot_ms: u64) -> Now {
    Now { boot_ms, unix_ms: boot_ms }
}

fn facts(generation: u64, ready: bool) -> Facts {
    Facts {
        generation: Generation(generation),
        boot_ms: 500_000,
        unix_ms: 0,
        up_ms: 0,
        ready,
        reaches_voters: true,
        stopping: false,
        sees: 2,
        glance: None,
        disk: None,
    }
}

#[test]
fn facts_of_an_earlier_life_are_not_heeded() {
    // L6
    let mut peers = Peers::default();
    peers.heard(at(0), n(1), facts(2, true), None);
    peers.heard(at(1), n(1), facts(1, false), None);
    assert_eq!(peers.ready(at(1), &n(1), 10), Some(true));
    assert_eq!(peers.ready(at(12), &n(1), 10), None, "too old");
}

#[test]
fn a_port_that_refuses_while_its_node_is_heard_says_nothing_until_the_node_starts_again() {
    // F3: a firewall that answers with a reset
    let mut peers = Peers::default();
    peers.heard(at(0), n(1), facts(1, true), Some(1));
    peers.port_closed(at(1), &n(1));
    assert!(peers.refuses(&n(1)) && peers.failing(&n(1)).is_some());
    peers.asked(at(1), &n(1));
    peers.port_closed(at(2), &n(1));
    assert!(!peers.refuses(&n(1)));
    peers.heard(at(3), n(1), facts(2, true), None);
    peers.port_closed(at(4), &n(1));
    assert!(peers.refuses(&n(1)), "a later boot of it");
    peers.heard(at(5), n(1), facts(3, true), None);
    assert!(!peers.refuses(&n(1)), "it has started again");
}

#[test]
fn who_answered_was_reached_and_a_wrong_clock_is_seen() {
    let mut peers = Peers::default();
    peers.heard(at(5_000), n(1), facts(1, true), None);
    assert_eq!(peers.get(&n(1)).map(|peer| peer.reached_unix_ms), Some(0), "it called, nobody called it");
    peers.heard(at(6_000), n(1), Facts { unix_ms: 3_000, ..facts(1, true) }, Some(40));
    peers.heard(at(7_000), n(1), Facts { unix_ms: 4_000, ..facts(1, true) }, None);
    assert_eq!(peers.get(&n(1)).map(|peer| peer.reached_unix_ms), Some(6_000));
    assert_eq!(peers.skew_ms(&n(1)), Some(-3_000));
}

#[test]
fn the_wait_doubles_with_each_loss_after_the_first_within_ten_minutes() {
    // L6
    let mut peers = Peers::default();
    peers.heard(at(0), n(1), facts(1, true), None);
    let mut waits = Vec::new();
    for life in 0..4_u64 {
        waits.push(peers.steady_wait_ms(at(life * 15_000), &n(1)));
        peers.heard(at(life * 15_000 + 1), n(1), facts(life + 2, false), None);
        peers.heard(at(life * 15_000 + 2), n(1), facts(life + 2, true), None);
        peers.lost(at(life * 15_000 + 3), n(1));
    }
    assert_eq!(waits, [10_000, 10_000, 20_000, 40_000]);
    assert_eq!(peers.steady_wait_ms(at(FORGIVEN_MS + 50_000), &n(1)), 10_000);
}

#[test]
fn a_deadline_is_told_on_the_other_nodes_clock_and_never_late() {
    // F6
    let mut peers = Peers::default();
    peers.heard(at(1_000), n(1), facts(1, true), Some(40));
    assert_eq!(peers.on_their_clock(&n(1), 61_000), Some(560_000));
    assert_eq!(peers.on_their_clock(&n(1), 999), None, "before anything was heard");
    assert_eq!(peers.on_their_clock(&n(2), 61_000), None);
}

#[test]
fn a_refusal_is_a_sign_of_life_also_of_a_node_whose_facts_never_came() {
    // N1: a newcomer is a stranger to a node on the other side of a partition, and still hears it
    let mut peers = Peers::default();
    peers.disowned(at(1_000), n(1));
    assert_eq!(peers.sign_at(&n(1)), Some(1_000));
    peers.asked(at(2_000), &n(2));
    peers.answered(at(3_000), &n(1));
    assert_eq!((peers.sign_at(&n(1)), peers.sign_at(&n(2))), (Some(3_000), Some(2_000)));
    peers.retain(|node| *node == n(1));
    assert_eq!((peers.sign_at(&n(1)), peers.sign_at(&n(2))), (Some(3_000), None));
}
