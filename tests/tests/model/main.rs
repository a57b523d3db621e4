//! The lease and the commands explored in full within stated bounds (DESIGN 14.3).
//!
//! Each exploration says its bounds, and that it visited at least as many states as it did when it was written: one that finds nothing
//! because it looks at nothing fails. Each rule is switched off once, and then a counterexample must be found.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod commands;
mod lease;

use commands::Queue;
use lease::{Bounds, Lease, Rule};
use stateright::{Checker, Model};
use std::fmt::Debug;
use std::hash::Hash;

/// Explores everything; the properties hold, and there were so many states.
fn holds<M>(model: M, at_least: usize)
where
    M: Model + Debug + Send + Sync + 'static,
    M::State: Clone + PartialEq + Debug + Hash + Send + Sync,
    M::Action: Clone + PartialEq + Debug + Send + Sync,
{
    let shown = format!("{model:?}");
    let checker = model.checker().threads(THREADS).spawn_dfs().join();
    println!("{} states: {shown}", checker.unique_state_count());
    checker.assert_properties();
    assert!(checker.unique_state_count() >= at_least, "{} states of {at_least}", checker.unique_state_count());
}

/// Without the rule something breaks.
fn breaks(model: Lease, without: Rule, what: &str) {
    let checker = Lease { without: Some(without), ..model }.checker().threads(THREADS).spawn_dfs().join();
    let path = checker.discovery("no rule is broken").unwrap_or_else(|| panic!("{without:?} is not missed"));
    assert!(lease::broken(path.last_state()).starts_with(what), "{}", lease::broken(path.last_state()));
}

/// One of two votes; both claim.
fn two(most: Bounds) -> Lease {
    Lease { nodes: 2, claimants: 2, voters: vec![0], members: vec![0, 1], most, without: None }
}

/// All of three vote; two claim.
fn three(most: Bounds) -> Lease {
    Lease { nodes: 3, claimants: 2, voters: vec![0, 1, 2], members: vec![0, 1, 2], most, without: None }
}

/// The only voter, node 0, is about to be removed: the vote passes to node 1 by a joint record.
fn passing(nodes: u8, most: Bounds) -> Lease {
    let members = (1..nodes).collect();
    Lease { nodes, claimants: 2, voters: vec![0], members, most, without: None }
}

/// The only voter becomes one of three by a joint record.
fn growing(most: Bounds) -> Lease {
    Lease { nodes: 3, claimants: 2, voters: vec![0], members: vec![0, 1, 2], most, without: None }
}

const RESTART: Bounds = Bounds { rounds: 2, ticks: 2, restarts: 1, ..NOTHING };
const DRIFT: Bounds = Bounds { rounds: 2, ticks: 2, fast: 1, ..NOTHING };
const SLEEP: Bounds = Bounds { rounds: 2, ticks: 3, asleep: 2, ..NOTHING };
const RELEASE: Bounds = Bounds { rounds: 2, ticks: 1, releases: 1, ..NOTHING };
const CHANGE: Bounds = Bounds { rounds: 4, ticks: 2, changes: 2, ..NOTHING };

#[test]
fn two_nodes_keep_the_rules_of_the_lease() {
    // L1, L2, L3, L7
    holds(two(Bounds { rounds: 3, ticks: 4, restarts: 1, fast: 1, ..NOTHING }), 697_000);
    holds(two(Bounds { rounds: 3, ticks: 3, asleep: 2, releases: 1, ..NOTHING }), 477_000);
    holds(two(Bounds { rounds: 3, ticks: 2, restarts: 1, twice: 1, timeouts: 1, ..NOTHING }), 327_000);
}

#[test]
fn three_nodes_keep_the_rules_of_the_lease() {
    // L1, L2, L3, L7
    holds(three(Bounds { fast: 1, ..RESTART }), 872_000);
    holds(three(SLEEP), 712_000);
    holds(three(RELEASE), 102_000);
    holds(three(Bounds { rounds: 2, ticks: 2, twice: 1, ..NOTHING }), 201_000);
    holds(three(Bounds { rounds: 2, ticks: 2, timeouts: 2, ..NOTHING }), 87_000);
}

#[test]
fn a_change_of_the_voters_keeps_the_rules_of_the_lease() {
    // L1, L2
    holds(passing(2, Bounds { restarts: 1, ..CHANGE }), 563_000);
    holds(passing(3, CHANGE), 92_000);
    holds(growing(Bounds { rounds: 3, ..CHANGE }), 44_000);
}

#[test]
fn no_rule_of_the_lease_can_be_left_out() {
    breaks(three(RESTART), Rule::QuietPeriod, "L1");
    breaks(three(RESTART), Rule::TermOnDisk, "L3");
    breaks(two(Bounds { rounds: 4, ..RESTART }), Rule::HolderOnDisk, "L1");
    breaks(three(RELEASE), Rule::SequenceNumbers, "L1");
    breaks(two(Bounds { rounds: 3, releases: 1, ..RESTART }), Rule::Generation, "L1");
    breaks(three(DRIFT), Rule::Share, "L2");
    breaks(three(DRIFT), Rule::FromBefore, "L2");
    breaks(three(SLEEP), Rule::BothClocks, "L2");
    breaks(passing(3, CHANGE), Rule::JointMajority, "L2");
    breaks(passing(3, CHANGE), Rule::UnderTheRecord, "L2");
}

const OWNER: commands::Bounds = commands::Bounds { updates: 1, titles: 3, restarts: 1, twice: 1, lost: 1 };

fn queue(nodes: u8, most: commands::Bounds) -> Queue {
    Queue { nodes, most, views: 0, without: None }
}

#[test]
fn a_view_is_shown_before_telegram_forgets_it() {
    // F6
    let two = || queue(2, commands::Bounds { updates: 2, titles: 2, restarts: 1, ..NO_FAULT });
    holds(Queue { views: 1, ..queue(2, OWNER) }, 16_000);
    holds(Queue { views: 1, ..two() }, 276_000);
    holds(Queue { views: 2, ..two() }, 202_000);
    holds(Queue { views: 1, ..queue(3, commands::Bounds { titles: 2, ..OWNER }) }, 96_000);
}

#[test]
fn no_command_is_lost_or_executed_twice() {
    // F5, F6
    holds(queue(2, OWNER), 201_000);
    holds(queue(2, commands::Bounds { updates: 2, titles: 2, restarts: 1, ..NO_FAULT }), 900_000);
    holds(queue(3, commands::Bounds { titles: 2, twice: 0, ..OWNER }), 279_000);
}

#[test]
fn no_rule_of_the_commands_can_be_left_out() {
    let missed = |rule: commands::Rule, property: &'static str| {
        let checker = Queue { without: Some(rule), ..queue(2, OWNER) }.checker().threads(THREADS).spawn_dfs().join();
        assert!(checker.discovery(property).is_some(), "{rule:?} is not missed");
    };
    missed(commands::Rule::ContentOnDisk, "every command can end well");
    missed(commands::Rule::TakenFirst, "every command can end well");
    missed(commands::Rule::PassedOn, "every command can end well");
    missed(commands::Rule::SameIds, "none is executed twice");
    missed(commands::Rule::ExecutedOnDisk, "none is executed twice");
    let blind = Queue { views: 1, without: Some(commands::Rule::ShownFirst), ..queue(2, OWNER) };
    let checker = blind.checker().threads(THREADS).spawn_dfs().join();
    assert!(checker.discovery("every command can end well").is_some(), "nobody misses a view that was not shown");
}

/// Larger bounds, some minutes and gigabytes: `cargo test --locked -p constella-tests --test model -- --ignored`.
#[test]
#[ignore = "some minutes"]
fn larger_bounds_keep_the_rules_of_the_lease() {
    holds(three(Bounds { rounds: 2, ticks: 3, restarts: 1, fast: 1, ..NOTHING }), 4_000_000);
    holds(passing(3, Bounds { restarts: 1, ..CHANGE }), 1_000_000);
    holds(two(Bounds { rounds: 4, ticks: 4, restarts: 1, asleep: 2, releases: 1, ..NOTHING }), 2_000_000);
}

const NOTHING: Bounds =
    Bounds { ticks: 0, rounds: 0, restarts: 0, fast: 0, asleep: 0, twice: 0, timeouts: 0, releases: 0, changes: 0 };

const NO_FAULT: commands::Bounds = commands::Bounds { updates: 0, titles: 0, restarts: 0, twice: 0, lost: 0 };

/// As CI has.
const THREADS: usize = 2;
