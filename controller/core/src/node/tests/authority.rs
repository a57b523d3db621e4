//! A member that does not hold the lease and acts as if it did gets nothing done.

use constella_shared::ids::{CommandId, LeaderKey, Seq, Term};
use constella_shared::wire::lease::{LeaseView, Strength};
use constella_shared::wire::rpc::{Request, RpcCode};

use super::bench::Bench;
use crate::io::{InboundId, Input, PeerRequest};
use crate::roster::fake::node;

fn reboot(bench: &Bench, id: u8) -> Request {
    Request::Reboot {
        command_id: CommandId([id; 32]),
        term: bench.node(1).durable.term(),
        expires_in_ms: 30_000,
        not_after_boot_ms: None,
        boot_id: None,
    }
}

/// A member says by heartbeat that it holds, strongly and in a higher term.
fn boast(bench: &mut Bench, at: u64, from: u64, term: Term) {
    let holder = LeaderKey { priority: 0, node: node(from) };
    let renewal = Seq(bench.now);
    let view = LeaseView { holder, term, strength: Strength::Strong, polling: true, renewal, left_ms: u64::MAX };
    let mut heartbeat = None;
    bench.inside(from, |node, now| heartbeat = Some(node.heartbeat(now, &crate::roster::fake::node(at), [].into())));
    let mut heartbeat = heartbeat.unwrap();
    heartbeat.lease = Some(view);
    let request = PeerRequest::Heartbeat(heartbeat);
    bench.input(at, Input::Peer { inbound: InboundId(0), from: node(from), request });
}

#[test]
fn a_member_that_does_not_hold_reboots_nobody() {
    // L2, F6: also not one that says by heartbeat that it holds
    for nodes in [2, 3, 5] {
        let mut bench = Bench::of(nodes);
        bench.run_ms(60_000);
        for target in 2..=nodes {
            let from = if target == 2 { 1 } else { 2 };
            if from == 1 {
                continue;
            }
            boast(&mut bench, target, from, Term(90));
            let order = reboot(&bench, u8::try_from(target).unwrap());
            bench.ask(target, from, order);
            bench.run_ms(5_000);
        }
        assert!(bench.rebooted.is_empty(), "{nodes} nodes");
        for target in 2..=nodes {
            let order = reboot(&bench, u8::try_from(target).unwrap());
            bench.ask(target, 1, order);
            bench.run_ms(2_000);
        }
        assert_eq!(bench.rebooted, (2..=nodes).collect::<alloc::vec::Vec<_>>(), "the holder's are carried out");
    }
}

#[test]
fn a_member_that_does_not_hold_reboots_nobody_whose_boot_is_not_known() {
    // L2, F6: an agent that tells no boot, and one that has not answered yet
    let mut bench = Bench::of(3);
    bench.figures.insert(3, Some(constella_shared::agent::Stats::default()));
    bench.run_ms(30_000);
    bench.kill(3);
    bench.restart(3);
    let before = bench.node(3).durable.term();
    for id in 1..20 {
        let (mut order, leap) = (reboot(&bench, id), u64::from(id) * 10);
        if let Request::Reboot { boot_id, term, .. } = &mut order {
            *boot_id = (id % 2 == 0).then(|| "boot".into());
            term.0 += leap;
        }
        bench.ask(3, 2, order);
        bench.run_ms(300);
    }
    assert!(bench.rebooted.is_empty());
    assert!(bench.node(3).durable.term().0 < before.0 + 10, "no term of an order that was refused was taken");
}

#[test]
fn an_order_waits_for_the_voters_where_the_target_does_not_vote() {
    // L2: of two nodes one votes; the other knows the holder by that one's word
    let mut bench = Bench::of(2);
    bench.run_ms(30_000);
    let order = reboot(&bench, 1);
    assert_eq!(bench.ask(2, 1, order), (None, false), "it asks first");
    bench.run_ms(50);
    assert_eq!(bench.rebooted, [2]);
    let order = reboot(&bench, 2);
    assert_eq!(bench.ask(2, 1, order), (None, true), "and knows it for a while");
}

#[test]
fn a_weak_holder_is_obeyed_where_no_voter_names_another() {
    // L2: the small side of a partition has its owner too
    let mut bench = Bench::of(4);
    bench.run_ms(30_000);
    bench.kill(1);
    bench.kill(2);
    assert!(bench.run_until(60_000, |bench| bench.node(3).held == Some(Strength::Weak)));
    bench.run_ms(5_000);
    let term = bench.node(3).claim.term();
    let order = |id, term| Request::Reboot {
        command_id: CommandId([id; 32]),
        term,
        expires_in_ms: 30_000,
        not_after_boot_ms: None,
        boot_id: None,
    };
    bench.ask(4, 3, order(1, term));
    bench.ask(3, 4, order(2, term));
    bench.run_ms(10_000);
    assert_eq!(bench.rebooted, [4]);
}

#[test]
fn orders_that_wait_are_bounded() {
    // S6
    let mut bench = Bench::of(4);
    bench.run_ms(30_000);
    let mut refused = 0;
    for id in 0..40 {
        let order = reboot(&bench, id);
        refused += usize::from(bench.ask(4, 2, order).0 == Some(RpcCode::TooMany));
    }
    assert_eq!(refused, 40 - constella_shared::limits::ORDERS_HELD_BACK);
    bench.run_ms(5_000);
    assert!(bench.rebooted.is_empty());
}

#[test]
fn nobody_drives_the_terms_by_saying_that_it_holds() {
    // S6, L3
    let mut bench = Bench::of(3);
    bench.run_ms(30_000);
    let before = bench.node(3).durable.term();
    for _ in 0..50 {
        let term = Term(bench.node(3).durable.term().0 + 900);
        boast(&mut bench, 3, 2, term);
        bench.ask(3, 2, Request::BotTakeover { holder: LeaderKey { priority: 0, node: node(2) }, term });
        bench.run_ms(200);
    }
    assert_eq!(bench.node(3).durable.term(), before);
    assert_eq!(bench.pollers(), [1]);
}

#[test]
fn nobody_keeps_the_lease_from_a_successor_by_saying_that_it_holds() {
    // L4, F4: the owner has a bot again although a member claims all the time to be the holder
    let mut bench = Bench::of(4);
    bench.run_ms(30_000);
    bench.kill(1);
    for _ in 0..300 {
        for at in [2, 3] {
            boast(&mut bench, at, 4, Term(90));
        }
        bench.run_ms(100);
    }
    assert!(bench.pollers().iter().any(|number| [2, 3].contains(number)), "{:?}", bench.pollers());
}
