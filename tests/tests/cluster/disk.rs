//! A disk that takes nothing (cases/20-full-disk): state folders on file systems of 300 kB, in a mount namespace of the network's own.

use std::time::Duration;

use constella_tests::cluster::Node;
use tokio::time::{Instant, sleep};

use super::{Bench, PATIENCE, plan};

/// The size of the case.
const KILOBYTES: u32 = 300;

/// So many nodes with small disks that serve an owner; None for a user who cannot mount.
async fn settled(nodes: usize) -> Option<Bench> {
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    let mut plan = plan(nodes);
    plan.small_disks = Some(KILOBYTES);
    let bench = Bench::of(plan).await;
    bench.found().await.unwrap();
    for index in 1..nodes {
        bench.join(index).await.unwrap();
    }
    bench.network.settled(PATIENCE).await.unwrap();
    bench.claim().await.unwrap();
    Some(bench)
}

/// Waits until it holds.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let by = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < by, "{what}");
        sleep(Duration::from_millis(200)).await;
    }
}

async fn is_in_trouble(node: &Node) -> bool {
    node.status().await.unwrap().disk.is_some()
}

/// F6, S4: views work, everything else is refused with words and not done later; with room everything goes on in the same process.
#[tokio::test(flavor = "multi_thread")]
async fn a_single_node_with_a_full_disk_serves_views_and_refuses_the_rest_with_words() {
    let Some(bench) = settled(1).await else { return };
    let alpha = bench.node("alpha").unwrap();
    let process = alpha.pids().0;
    alpha.fill_the_disk().await.unwrap();
    until("it says that its disk is full", || is_in_trouble(alpha)).await;
    bench.sees("the reason", |message| message.text.contains("alpha: the disk is full")).await;
    let card = bench.open_card("alpha").await;
    assert!(card.text.contains("the disk is full") && card.text.contains("RAM"), "{}", card.screen());
    for button in ["Speedtest", "Reboot"] {
        bench.open_card("alpha").await;
        bench.press(button).await;
        bench
            .sees("a refusal", |message| message.text.contains("Nothing was done: alpha leads, and the disk is full"))
            .await;
    }
    bench.ask("/invite 15m").await;
    bench.sees("a refusal", |message| message.text.contains("Nothing was done")).await;
    let refused = alpha.cli(&["invite", "--ttl", "15m"]).await.unwrap_err().to_string();
    assert!(refused.contains("its disk is full"), "{refused}");
    let doctor = alpha.cli_output(&["doctor"], None).await.unwrap();
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("FAIL  controller: alpha runs, but its disk is full"), "{doctor}");
    assert!(alpha.cli(&["status"]).await.unwrap().contains("disk     its disk is full"));
    bench.nothing_is_lost().await;

    alpha.empty_the_disk().await.unwrap();
    bench.sees("that it is over", |message| message.text.contains("alpha: the disk takes data again")).await;
    assert_eq!(bench.reboots(), 0);
    bench.ask("/invite 15m").await;
    bench.sees("an invitation", |message| message.text.contains("join://")).await;
    let stored = alpha.shell("cat state/invites.json").await.unwrap();
    assert_eq!(stored.matches("exp_ts").count(), 1, "what was refused is not there, what came later is: {stored}");
    assert_eq!(alpha.pids().0, process, "without a restart");
}

/// S1, S4: the boot generation is raised and stored on a disk without a free byte, no file is lost, and neither a disk without inodes nor one on
/// which every write fails ends the process.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_starts_on_a_full_disk_and_runs_on_one_that_fails() {
    let Some(bench) = settled(1).await else { return };
    let alpha = bench.node("alpha").unwrap();
    let generation = || async {
        let vote = alpha.shell("cat state/vote.json").await.unwrap();
        serde_json::from_str::<serde_json::Value>(&vote).unwrap()["generation"].as_u64().unwrap()
    };
    let before = generation().await;
    alpha.fill_the_disk().await.unwrap();
    for start in 1..=3 {
        alpha.kill().unwrap();
        alpha.start().unwrap();
        until("it starts", || async { alpha.status().await.is_ok() }).await;
        assert_eq!(generation().await, before + start);
        assert!(bench.ask("/nodes").await.text.contains("alpha"));
    }
    alpha.empty_the_disk().await.unwrap();
    until("there is room", || async { !is_in_trouble(alpha).await }).await;

    let process = alpha.pids().0;
    // No inode is left.
    alpha.shell("n=0; while touch state/inode.$n; do n=$((n + 1)); done; true").await.unwrap();
    until("it says that its disk is full", || is_in_trouble(alpha)).await;
    assert!(bench.open_card("alpha").await.text.contains("RAM"));
    alpha.shell("rm state/inode.*").await.unwrap();
    until("there is room", || async { !is_in_trouble(alpha).await }).await;

    // Every write fails: a folder has the place of each temporary file.
    alpha.shell("for file in state/*.json.new; do rm $file; mkdir $file; done").await.unwrap();
    assert!(bench.open_card("alpha").await.text.contains("RAM"));
    until("it says that its disk fails", || is_in_trouble(alpha)).await;
    bench.ask("/invite 15m").await;
    bench.sees("a refusal", |message| message.text.contains("Nothing was done: alpha leads, and the disk fails")).await;
    alpha.shell("rmdir state/*.json.new").await.unwrap();
    until("it can write", || async { !is_in_trouble(alpha).await }).await;
    bench.ask("/invite 15m").await;
    bench.sees("an invitation", |message| message.text.contains("join://")).await;
    assert_eq!(alpha.pids().0, process, "without a restart");
    for file in ["vote", "network_state", "invites", "commands"] {
        let text = alpha.shell(&format!("cat state/{file}.json")).await.unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{file}: {text}");
    }
}

/// The case itself: two nodes, the second one's disk is full, and the owner invites somebody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_full_disk_stays_in_sight_and_can_be_rebooted() {
    let Some(bench) = settled(2).await else { return };
    let beta = bench.node("beta").unwrap();
    let process = beta.pids().0;
    beta.fill_the_disk().await.unwrap();
    bench.sees("the reason", |message| message.text.contains("beta: the disk is full")).await;
    bench.ask("/invite 15m").await;
    bench.sees("an invitation", |message| message.text.contains("join://")).await;
    let card = bench.open_card("beta").await;
    assert!(card.text.contains("the disk is full") && card.text.contains("🟢"), "{}", card.screen());
    let confirmation = bench.ask_for_reboot("beta").await;
    let button = confirmation.keyboard.as_ref().unwrap().buttons().next().unwrap().text.clone();
    bench.press(&button).await;
    bench.sees("its return", |message| message.text.contains("beta is back after")).await;
    assert_eq!(beta.reboots().len(), 1);
    beta.empty_the_disk().await.unwrap();
    bench.sees("that it is over", |message| message.text.contains("beta: the disk takes data again")).await;
    until("it has the invitation", || async { beta.shell("cat state/invites.json").await.unwrap().contains("exp_ts") })
        .await;
    assert_eq!(beta.pids().0, process, "without a restart");
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
}
