//! Leaders that die, stop, freeze, and lose Telegram: the next one answers, nothing is lost, nothing is done twice.

use constella_tests::botapi::server::{Fault, Target};
use constella_tests::cluster::{Fate, View};
use nix::sys::signal::Signal;

use super::{Bench, PATIENCE, line_of};

/// L4, F4: the leader is killed; the next answers with the same message.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_leader_is_followed_by_one_that_edits_the_same_message() {
    let bench = Bench::settled(3).await;
    let (first, message) = (bench.holder().await, bench.message().await);
    bench.node(&first).unwrap().kill().unwrap();
    bench.press("Refresh").await;
    let next = bench.holder().await;
    assert_ne!(next, first);
    bench.sees("the new leader", |list| list.id == message && line_of(list, &next).contains("“Host”")).await;
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
    // It comes back and is a member like before.
    bench.node(&first).unwrap().start().unwrap();
    bench.holder().await;
}

/// L1, L4: the leader's process is killed and started again: it takes its lease up again, before anybody else serves.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_restarted_in_place_serves_on() {
    for nodes in [2, 3] {
        let bench = Bench::settled(nodes).await;
        let first = bench.holder().await;
        let node = bench.node(&first).unwrap();
        node.signal(Signal::SIGKILL).unwrap();
        bench.network.sees("its end", PATIENCE, |_| (!node.is_running()).then_some(())).await.unwrap();
        node.start_controller().unwrap();
        bench.ask("/nodes").await;
        assert_eq!(bench.holder().await, first, "{nodes} nodes");
        bench.nothing_is_lost().await;
        assert_eq!(bench.double().stats().conflicts_heard(), 0, "{nodes} nodes");
    }
}

/// DESIGN 5: two nodes are as safe as three. The only voter dies; the other watches, peeks, and serves.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_the_survivor_serves_the_owner() {
    let bench = Bench::settled(2).await;
    let first = bench.holder().await;
    bench.node(&first).unwrap().kill().unwrap();
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
    bench.node(&first).unwrap().start().unwrap();
    bench.holder().await;
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
}

/// L5, F5: a graceful stop hands over; the process ends with status 0 and nobody is evicted.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_told_to_stop_hands_over_and_exits_with_success() {
    let bench = Bench::settled(3).await;
    let first = bench.holder().await;
    let node = bench.node(&first).unwrap();
    node.signal(Signal::SIGTERM).unwrap();
    bench.press("Refresh").await;
    bench.network.sees("its end", PATIENCE, |_| (!node.is_running()).then_some(())).await.unwrap();
    assert_eq!(node.exit_code(), Some(0));
    assert_ne!(bench.holder().await, first);
    bench.nothing_is_lost().await;
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
}

/// L7: a leader that slept acts on nothing when it wakes: its lease is over by the clock.
#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_leader_that_wakes_does_nothing_of_its_own() {
    let bench = Bench::settled(3).await;
    let first = bench.holder().await;
    let target = bench.nodes().iter().map(|node| node.name().to_owned()).find(|name| *name != first).unwrap();
    bench.ask_for_reboot(&target).await;
    let node = bench.node(&first).unwrap();
    node.signal(Signal::SIGSTOP).unwrap();
    // The confirmation was shown by the leader that froze; the next one does not know it and asks again.
    bench.owner().press("Yes").await.unwrap();
    bench.ask("/nodes").await;
    assert_eq!(bench.reboots(), 0);
    node.signal(Signal::SIGCONT).unwrap();
    bench.holder().await;
    bench.nothing_is_lost().await;
    assert_eq!(bench.reboots(), 0, "a command that was confirmed by nobody that lived is not done late");
    bench.ask("/nodes").await;
}

/// F1: the leader alone loses the Bot API; another takes over although the leader lives.
async fn loses_the_bot_api(fault: Fault, methods: &[&str]) {
    let bench = Bench::settled(3).await;
    let first = bench.holder().await;
    let target = Target::Prefix(first.clone());
    if methods.is_empty() {
        bench.double().fault(target, fault);
    } else {
        bench.double().fault_only(target, fault, methods);
    }
    let answer = bench.ask("/nodes").await;
    assert!(line_of(&answer, "alpha").contains("🟢"), "its members are all alive:\n{}", answer.screen());
    let next = bench
        .network
        .sees("another poller", PATIENCE, |view| view.poller.clone().filter(|poller| *poller != first))
        .await
        .unwrap();
    assert_ne!(next, first);
    bench.double().heal_all();
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
}

/// F1.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_refused_by_the_bot_api_hands_over() {
    loses_the_bot_api(Fault::Refuse, &[]).await;
}

/// F1: its polls alone fail, and every look is answered: it would be silent for as long as that lasts.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_polls_alone_fail_hands_over() {
    loses_the_bot_api(Fault::Status(502), &["getUpdates"]).await;
}

/// F1.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whose_packets_to_the_bot_api_vanish_hands_over() {
    loses_the_bot_api(Fault::Silent, &[]).await;
}

/// F6: the leader polls, reads the confirmed reboot, and its confirmation to Telegram is lost: the next leader is given the same update.
#[tokio::test(flavor = "multi_thread")]
async fn one_update_that_two_leaders_get_reboots_once() {
    let bench = Bench::settled(3).await;
    let first = bench.holder().await;
    let target = bench.nodes().iter().map(|node| node.name().to_owned()).rfind(|name| *name != first).unwrap();
    bench.ask_for_reboot(&target).await;
    let parked = |_: &View| (bench.double().summary().poller.as_ref() == Some(&first)).then_some(());
    bench.network.sees("its parked poll", PATIENCE, parked).await.unwrap();
    // What the leader is given by its parked poll still arrives; every getUpdates after that, and with it the confirmation, does not.
    bench.double().fault_only(Target::Prefix(first.clone()), Fault::Status(502), &["getUpdates"]);
    let since = bench.double().now();
    bench.owner().press("Yes").await.unwrap();
    let given_twice = |_: &View| {
        let ledger = bench.double().stats().ledger;
        ledger.updates.iter().any(|update| update.deliveries.len() > 1).then_some(())
    };
    // The leader holds on as long as it can; its death is what lets another one be given the update.
    let delivered = |_: &View| {
        let ledger = bench.double().stats().ledger;
        ledger.updates.last().is_some_and(|update| !update.deliveries.is_empty()).then_some(())
    };
    bench.network.sees("the delivery", PATIENCE, delivered).await.unwrap();
    bench.node(&first).unwrap().kill().unwrap();
    bench.double().heal_all();
    bench.network.sees("the same update given twice", PATIENCE, given_twice).await.unwrap();
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
    let fate = bench.fate(&target, 0, since, PATIENCE).await.unwrap();
    assert!(matches!(fate, Fate::Recorded(1) | Fate::Told), "{fate:?}");
}

/// F6: a command whose leader dies right after it was read is done by the next one, or the owner reads what is known.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_a_leader_that_dies_at_once_is_done_or_told() {
    let bench = Bench::settled(3).await;
    let first = bench.holder().await;
    let target = bench.nodes().iter().map(|node| node.name().to_owned()).rfind(|name| *name != first).unwrap();
    bench.ask_for_reboot(&target).await;
    let since = bench.double().now();
    bench.owner().press("Yes").await.unwrap();
    let confirmed = |_: &View| (bench.double().summary().pending == 0).then_some(());
    bench.network.sees("the confirmation to Telegram", PATIENCE, confirmed).await.unwrap();
    bench.node(&first).unwrap().kill().unwrap();
    let fate = bench.fate(&target, 0, since, PATIENCE).await.unwrap();
    assert!(matches!(fate, Fate::Recorded(1) | Fate::Told), "{fate:?}");
    bench.nothing_is_lost().await;
}
