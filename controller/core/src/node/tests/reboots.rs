//! F6 on the way to the target and there: an id is executed once, in the boot that was meant, and not late; who asks again is told for certain.

use constella_shared::ids::{CommandId, Term};
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::{Request, RpcCode};

use super::bench::Bench;
use crate::bot::desk::act::{Act, AskId};
use crate::node::pending::Pending;
use crate::roster::fake::node;

/// What the bench's agents tell.
const BOOT: Option<&str> = Some("boot");

fn reboot(bench: &Bench, id: u8, not_after_boot_ms: u64, boot_id: Option<&str>) -> Request {
    let term = bench.node(1).claim.term();
    let boot_id = boot_id.map(Into::into);
    let command_id = CommandId([id; 32]);
    Request::Reboot { command_id, term, expires_in_ms: 0, not_after_boot_ms: Some(not_after_boot_ms), boot_id }
}

fn old_term(request: Request) -> Request {
    match request {
        Request::Reboot { command_id, expires_in_ms, not_after_boot_ms, boot_id, .. } => {
            Request::Reboot { command_id, term: Term(0), expires_in_ms, not_after_boot_ms, boot_id }
        }
        other => other,
    }
}

#[test]
fn an_id_is_executed_once_and_whoever_asks_again_learns_it_at_any_time() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let until = bench.now + 30_000;
    let ask = reboot(&bench, 1, until, BOOT);
    assert_eq!(bench.ask(3, 1, old_term(ask.clone())), (Some(RpcCode::OldTerm), false));
    assert_eq!(bench.ask(3, 1, ask.clone()), (None, true));
    assert_eq!(bench.ask(3, 1, ask.clone()), (None, false));
    assert_eq!(bench.ask(3, 1, old_term(ask.clone())), (None, false), "in whatever term");
    assert_eq!(bench.ask(3, 2, reboot(&bench, 1, until, Some("another boot"))), (None, false), "it was executed");
    bench.run_ms(60_000);
    assert_eq!(bench.ask(3, 2, reboot(&bench, 1, until, BOOT)), (None, false), "late, and known");
    bench.kill(3);
    bench.restart(3);
    assert_eq!(bench.ask(3, 2, reboot(&bench, 1, until, BOOT)), (None, false), "from its disk");
}

#[test]
fn what_was_never_executed_is_refused_late_and_in_another_boot_and_stays_so() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let until = bench.now + 30_000;
    assert_eq!(bench.ask(3, 1, reboot(&bench, 1, bench.now + 61_000, BOOT)), (Some(RpcCode::BadRequest), false));
    assert_eq!(bench.ask(3, 1, reboot(&bench, 2, until, Some("another boot"))), (Some(RpcCode::TooLate), false));
    assert_eq!(bench.ask(3, 1, reboot(&bench, 2, until, BOOT)), (Some(RpcCode::TooLate), false), "for good");
    bench.run_ms(30_001);
    assert_eq!(bench.ask(3, 1, reboot(&bench, 1, until, BOOT)), (Some(RpcCode::TooLate), false));
}

#[test]
fn a_node_that_does_not_know_its_boot_yet_says_so() {
    // F6
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    bench.kill(3);
    bench.restart(3);
    let until = bench.now + 30_000;
    assert_eq!(bench.ask(3, 1, reboot(&bench, 1, until, BOOT)), (Some(RpcCode::Starting), false));
    bench.run_ms(1_000);
    assert_eq!(bench.ask(3, 1, reboot(&bench, 1, until, BOOT)), (None, true), "a refusal executes nothing");
}

#[test]
fn a_holder_goes_on_above_a_term_that_only_the_target_has_seen() {
    // F6, L3: on the other side of a cut a weak holder counted further, and is no voter whose refusal would tell.
    for target in [1, 2] {
        let mut bench = Bench::of(2);
        bench.run_ms(20_000);
        bench.inside(target, |node, _| node.durable.raise(Term(40)));
        let request = reboot(&bench, 1, bench.now + 30_000, BOOT);
        let timeout = core::time::Duration::from_secs(8);
        bench.act(1, Act::Ask { ask: AskId(9_000), to: node(target), request, timeout });
        assert!(bench.run_until(1_000, |bench| bench.rebooted == [target]), "node {target}: {:?}", bench.rebooted);
        assert!(bench.node(1).claim.term() > Term(40));
        let lost = bench.run_until(20_000, |bench| bench.node(1).held != Some(Strength::Strong));
        assert!(!lost, "no grant is lost by it");
        assert_eq!(bench.pollers(), [1]);
    }
}

#[test]
fn an_order_is_not_given_anew_without_a_title() {
    // L7: the target's term is on its way when the leader's grants end by a jump of its clock.
    for (jumps, expected) in [(false, alloc::vec![2]), (true, alloc::vec![])] {
        let mut bench = Bench::of(2);
        bench.run_ms(20_000);
        let term = bench.node(1).claim.term();
        bench.ask(2, 1, Request::RunSpeedtest { command_id: CommandId([7; 32]), term });
        bench.run_ms(100);
        bench.inside(2, |node, now| {
            assert!(node.obeys(now, &crate::roster::fake::node(1)), "the order need not wait for the voters");
            node.durable.raise(Term(40));
        });
        let request = reboot(&bench, 1, bench.now + 30_000, BOOT);
        let timeout = core::time::Duration::from_secs(8);
        bench.act(1, Act::Ask { ask: AskId(9_000), to: node(2), request, timeout });
        let asks = |bench: &Bench| bench.node(1).pending.values().any(|why| matches!(why, Pending::TermAt(_)));
        assert!(bench.run_until(1_000, asks));
        if jumps {
            bench.walls.insert(1, -3_000);
        }
        bench.run_ms(1_000);
        assert_eq!(bench.rebooted, expected);
    }
}

#[test]
fn a_voter_that_has_seen_a_higher_term_does_not_cost_the_holder_its_title() {
    // L3: "a refusal carries the voter's term, the next ask uses it"; the grants of the others stay what they are.
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    bench.inside(2, |node, _| node.durable.raise(Term(40)));
    bench.kill(2);
    bench.restart(2);
    bench.inside(2, |node, _| node.durable.raise(Term(40)));
    let lost = bench.run_until(20_000, |bench| bench.node(1).held != Some(Strength::Strong));
    assert!(!lost, "no grant is lost by it");
    assert!(bench.node(1).claim.term() > Term(40));
}

#[test]
fn a_target_that_stood_still_counts_that_time_by_the_wall_clock() {
    // F6, L7: CLOCK_BOOTTIME stands still with a virtual machine, and its wall clock is set right when it goes on
    for (slept_ms, expected) in [(20_000, None), (45_000, Some(RpcCode::TooLate))] {
        let mut bench = Bench::of(3);
        bench.run_ms(20_000);
        let ask = reboot(&bench, 1, bench.now + 30_000, BOOT);
        bench.walls.insert(3, slept_ms);
        bench.input(3, crate::io::Input::Tick);
        assert_eq!(bench.ask(3, 1, ask).0, expected, "{slept_ms}");
    }
}

#[test]
fn what_a_target_refused_as_late_it_never_carries_out() {
    // F6: "nothing was done" stays true. That it stood still counts for a minute and is forgotten by a restart, so a later look would find time left.
    for restarts in [false, true] {
        let mut bench = Bench::of(3);
        bench.run_ms(20_000);
        bench.walls.insert(3, 70_000);
        bench.input(3, crate::io::Input::Tick);
        bench.run_ms(30_000);
        let ask = reboot(&bench, 1, bench.now + 55_000, BOOT);
        bench.ask(3, 1, ask.clone());
        // Its clock keeps it from the voters, whose word it waits for.
        bench.run_ms(2_000);
        assert!(bench.node(3).commands.is_refused(&CommandId([1; 32])));
        if restarts {
            bench.kill(3);
            bench.restart(3);
        }
        bench.run_ms(38_000);
        assert_eq!(bench.ask(3, 1, ask), (Some(RpcCode::TooLate), false), "restarts: {restarts}");
    }
}

#[test]
fn a_node_that_is_thousands_of_terms_behind_obeys_the_holder() {
    // L3, F6: one that just joined, or was away for a month
    let mut bench = Bench::of(3);
    bench.run_ms(1_000);
    for number in [1, 2] {
        bench.inside(number, |node, _| node.durable.raise(Term(50_000)));
        bench.run_ms(100);
        bench.kill(number);
        bench.restart(number);
    }
    assert!(bench.run_until(20_000, |bench| bench.node(1).held == Some(Strength::Strong)));
    assert!(bench.node(1).claim.term() > Term(50_000));
    bench.run_ms(60_000);
    let request = reboot(&bench, 1, bench.now + 30_000, BOOT);
    let timeout = core::time::Duration::from_secs(8);
    bench.act(1, Act::Ask { ask: AskId(9_000), to: node(3), request, timeout });
    assert!(bench.run_until(8_000, |bench| bench.rebooted == [3]), "{}", bench.node(3).durable.term());
}

#[test]
fn who_hears_of_no_holder_comes_up_by_a_leap_an_order() {
    // L3
    let mut bench = Bench::of(3);
    bench.run_ms(20_000);
    let ask = |bench: &mut Bench| match reboot(bench, 1, bench.now + 30_000, BOOT) {
        Request::Reboot { command_id, expires_in_ms, not_after_boot_ms, boot_id, .. } => {
            let term = Term(2_500);
            bench.ask(3, 1, Request::Reboot { command_id, term, expires_in_ms, not_after_boot_ms, boot_id })
        }
        _ => (None, false),
    };
    assert_eq!(ask(&mut bench), (Some(RpcCode::OldTerm), false));
    assert_eq!(ask(&mut bench), (Some(RpcCode::OldTerm), false));
    assert_eq!(ask(&mut bench), (None, true));
}

#[test]
fn a_glance_rests_on_no_figure_that_is_absent() {
    let mut bench = Bench::of(1);
    bench.run_ms(20_000);
    // The bench's agent tells its boot, and nothing else.
    assert_eq!(bench.node(1).host.glance, None);
    assert_eq!(bench.node(1).host.boot_id.as_deref(), BOOT);
}
