//! N1 at a node: its agent's figures, its clock, its way to Telegram and its boots become transitions; restarts and records.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::agent::{Disk, Missing, Stats};
use constella_shared::ids::Generation;
use constella_shared::wire::alert::{Change, Kind};
use constella_shared::wire::records::NetValue;
use constella_shared::wire::rpc::Request;

use super::bench::Bench;
use crate::alerts::choice::Scope;
use crate::io::Trouble;
use crate::roster::fake::node;

const MINUTE: u64 = 60_000;

fn full(percent: u64) -> Stats {
    let disk = Disk { mount: "/".into(), total: 1_000, used: percent * 10, ..Disk::default() };
    Stats { boot_id: Some("boot".into()), uptime_s: Some(5), disks: vec![disk], ..Stats::default() }
}

/// What a node judged so far, as `kind change`.
fn judged(bench: &Bench, number: u64) -> Vec<String> {
    let of_node = bench.judged.iter().filter(|(judge, _)| *judge == number);
    let words = of_node.map(|(_, it)| {
        let change = match it.change {
            Change::Raised(_) => "raised",
            Change::Worse(_) => "worse",
            Change::Cleared => "cleared",
        };
        alloc::format!("{} {change}", it.subject.kind.name())
    });
    words.collect()
}

fn choose(bench: &mut Bench, scope: Scope, on: bool, threshold: Option<i64>) {
    bench.inside(1, |node, now| {
        let value = NetValue::AlertRule { on: Some(on), threshold };
        let term = node.claim.term();
        let records = node.roster.write_net_of(now, term, Some(scope.which(&Kind::DiskFull)), value);
        node.network_dirty = true;
        node.announce(now, &records);
    });
}

#[test]
fn a_calm_network_judges_nothing() {
    // N1, N2
    let mut bench = Bench::of(3);
    bench.run_ms(30 * MINUTE);
    assert_eq!(bench.judged, []);
}

#[test]
fn a_full_disk_is_raised_and_cleared_by_its_own_node() {
    // N1, N2
    let mut bench = Bench::of(2);
    bench.figures.insert(2, Some(full(91)));
    bench.run_ms(5 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised"]);
    bench.figures.insert(2, Some(full(98)));
    bench.run_ms(5 * MINUTE);
    bench.figures.insert(2, Some(full(50)));
    bench.run_ms(10 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised", "disk_full worse", "disk_full cleared"]);
    assert_eq!(judged(&bench, 1), Vec::<String>::new());
}

#[test]
fn a_restart_in_the_middle_of_an_alert_changes_nothing() {
    // N2, N3
    let mut bench = Bench::of(2);
    bench.figures.insert(2, Some(full(91)));
    bench.run_ms(5 * MINUTE);
    let stood = bench.node(2).watch.judge.standing();
    bench.kill(2);
    bench.run_ms(2_000);
    bench.restart(2);
    assert_eq!(bench.node(2).watch.judge.standing(), stood, "before any figure");
    bench.run_ms(10 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised"]);
    assert_eq!(bench.node(2).watch.judge.standing(), stood);
    // It was well when the controller came back: cleared once, after its time.
    bench.kill(2);
    bench.figures.insert(2, Some(full(20)));
    bench.restart(2);
    bench.run_ms(10 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised", "disk_full cleared"]);
    bench.kill(2);
    bench.restart(2);
    assert_eq!(bench.node(2).watch.judge.standing(), []);
}

#[test]
fn an_absent_figure_changes_nothing_and_an_agent_that_is_silent_is_told() {
    // N2
    let mut bench = Bench::of(2);
    bench.figures.insert(2, Some(full(91)));
    bench.run_ms(5 * MINUTE);
    let missing = vec![Missing { figure: "disks".into(), why: "/ does not answer".into() }];
    bench.figures.insert(2, Some(Stats { disks: Vec::new(), missing, ..full(91) }));
    bench.run_ms(20 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised"]);
    bench.figures.insert(2, None);
    bench.run_ms(20 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised", "agent_unreachable raised"]);
    bench.figures.insert(2, Some(full(91)));
    bench.run_ms(5 * MINUTE);
    assert_eq!(judged(&bench, 2).last().unwrap(), "agent_unreachable cleared");
    assert_eq!(bench.judged.len(), 3);
}

#[test]
fn the_owners_choice_holds_for_one_node_or_for_all() {
    // N2: and its record reaches the node that judges.
    let mut bench = Bench::of(3);
    bench.run_ms(MINUTE);
    choose(&mut bench, Scope::All, true, Some(600));
    choose(&mut bench, Scope::Node(node(3)), false, None);
    for number in 1..=3 {
        bench.figures.insert(number, Some(full(70)));
    }
    bench.run_ms(10 * MINUTE);
    let raised = vec![String::from("disk_full raised")];
    assert_eq!([1, 2, 3].map(|number| judged(&bench, number)), [raised.clone(), raised, Vec::new()]);
    choose(&mut bench, Scope::All, false, None);
    bench.run_ms(2 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised", "disk_full cleared"]);
}

#[test]
fn a_boot_that_was_ordered_is_none_and_another_is_told_with_its_time() {
    // N2
    let mut bench = Bench::of(2);
    bench.figures.insert(2, Some(full(10)));
    bench.run_ms(5 * MINUTE);
    let order = |bench: &Bench| Request::Reboot {
        command_id: constella_shared::ids::CommandId([7; 32]),
        term: bench.node(2).durable.term(),
        expires_in_ms: 30_000,
        not_after_boot_ms: None,
        boot_id: None,
    };
    let order = order(&bench);
    // The target asks the voters first who holds.
    bench.ask(2, 1, order);
    assert!(bench.run_until(5_000, |bench| bench.rebooted == [2]));
    bench.kill(2);
    bench.run_ms(MINUTE);
    bench.figures.insert(2, Some(Stats { boot_id: Some("second".into()), ..full(10) }));
    bench.restart(2);
    bench.run_ms(5 * MINUTE);
    assert_eq!(judged(&bench, 2), Vec::<String>::new(), "the order explains it");
    bench.kill(2);
    bench.run_ms(MINUTE);
    bench.figures.insert(2, Some(Stats { boot_id: Some("third".into()), ..full(10) }));
    let back = 1_700_000_000_000 + bench.now;
    bench.restart(2);
    bench.run_ms(5 * MINUTE);
    assert_eq!(judged(&bench, 2), ["unexpected_reboot raised"]);
    let at = bench.judged[0].1.at_unix_ms;
    assert!((back - 5_000..back).contains(&at), "5 s before the first figures: {at} {back}");
    bench.kill(2);
    bench.restart(2);
    bench.run_ms(5 * MINUTE);
    assert_eq!(bench.judged.len(), 1, "a restart of the controller tells it no second time");
}

#[test]
fn an_order_explains_the_first_boot_after_it_and_no_second_one_soon_after() {
    // N2: the holder sees the ordered boot before the node's own next question, and the machine boots again before it.
    let mut bench = Bench::of(2);
    bench.figures.insert(2, Some(full(10)));
    bench.run_ms(5 * MINUTE);
    bench.inside(2, |node, now| node.watch.reboot_ordered(now));
    bench.run_ms(1_000);
    bench.figures.insert(2, Some(Stats { boot_id: Some("second".into()), ..full(10) }));
    bench.ask(2, 1, Request::GetStats {});
    bench.run_ms(5);
    // The judgement of these figures is on disk by now.
    bench.kill(2);
    bench.figures.insert(2, Some(Stats { boot_id: Some("third".into()), ..full(10) }));
    bench.restart(2);
    bench.run_ms(5 * MINUTE);
    assert_eq!(judged(&bench, 2), ["unexpected_reboot raised"]);
}

#[test]
fn telegrams_absence_is_told_afterwards_by_the_node_that_missed_it() {
    // N2
    let mut bench = Bench::of(2);
    bench.run_ms(MINUTE);
    bench.no_telegram.insert(2);
    bench.run_ms(20 * MINUTE);
    assert_eq!(bench.judged, []);
    bench.no_telegram.remove(&2);
    bench.run_ms(3 * MINUTE);
    assert_eq!(judged(&bench, 2), ["telegram_unreachable raised"]);
    let Change::Raised(value) = bench.judged[0].1.change else { panic!("an event is raised") };
    assert!((1_170..1_230).contains(&value.amount), "{value:?}");
}

#[test]
fn a_wrong_clock_is_told_by_the_node_that_has_it() {
    // N2, L2
    let mut bench = Bench::of(3);
    bench.run_ms(MINUTE);
    bench.walls.insert(3, -12_000);
    bench.run_ms(10 * MINUTE);
    assert_eq!([1, 2, 3].map(|number| judged(&bench, number).len()), [0, 0, 1]);
    assert_eq!(judged(&bench, 3), ["clock_skew raised"]);
    bench.walls.remove(&3);
    bench.run_ms(10 * MINUTE);
    assert_eq!(judged(&bench, 3), ["clock_skew raised", "clock_skew cleared"]);
}

#[test]
fn two_processes_of_one_identity_are_told_by_those_that_hear_them() {
    // N2: a copy of node 2's folder runs somewhere else, and each ends the other: every eight seconds one starts, and the other speaks once more.
    let mut bench = Bench::of(3);
    bench.run_ms(MINUTE);
    let speaks = |bench: &mut Bench, generation: u64, up_ms: u64| {
        bench.inside(1, |one, now| {
            let generation = Generation(generation);
            let facts = constella_shared::wire::heartbeat::Facts { generation, up_ms, ..one.facts(now) };
            one.heard(now, node(2), facts, None);
        });
    };
    for round in 0..20 {
        bench.run_ms(5_000);
        speaks(&mut bench, 3 + round, 0);
        bench.run_ms(3_000);
        speaks(&mut bench, 2 + round, 11_000);
    }
    bench.run_ms(MINUTE);
    assert_eq!(judged(&bench, 1), ["two_boots raised"]);
    assert_eq!(bench.judged[0].1.subject.node, node(2));
}

#[test]
fn a_disk_that_is_full_is_judged_all_the_same_and_nothing_is_written_for_it() {
    // N2, S4
    let mut bench = Bench::of(2);
    bench.run_ms(MINUTE);
    bench.input(2, crate::io::Input::Room(Some(Trouble::Full)));
    bench.figures.insert(2, Some(full(99)));
    bench.run_ms(5 * MINUTE);
    assert_eq!(judged(&bench, 2), ["disk_full raised"]);
    assert_eq!(bench.disks[&2].commands.judge.standing, []);
    bench.input(2, crate::io::Input::Room(None));
    bench.run_ms(1_000);
    assert_eq!(bench.disks[&2].commands.judge.standing.len(), 1, "it is kept as soon as there is room");
}
