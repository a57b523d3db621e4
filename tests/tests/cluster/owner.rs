//! What the owner of three nodes sees.

use std::time::Duration;

use constella_tests::botapi::model::User;
use constella_tests::botapi::owner::Owner;
use constella_tests::cluster::Reboots;

use super::{Bench, PATIENCE, has_button, line_of, plan};

/// DESIGN 9: list, card, speedtest, and the way back, in one message.
#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sees_three_nodes_their_figures_and_a_speedtest() {
    let bench = Bench::settled(3).await;
    let list = bench.ask("/nodes").await;
    for name in ["alpha", "beta", "gamma"] {
        assert!(line_of(&list, name).contains("🟢"), "{}", list.screen());
    }
    assert!(line_of(&list, "alpha").contains("Хост"), "{}", list.screen());
    let message = bench.message().await;
    bench.press("beta").await;
    let card = bench.sees("figures", |card| card.text.contains("RAM") && card.text.contains("Load")).await;
    for figure in ["CPU", "Disk", "Uptime", "Load", "Network"] {
        assert!(card.text.contains(figure), "{figure} is missing:\n{}", card.screen());
    }
    bench.press("Speedtest").await;
    bench.sees("a result", |card| card.text.contains("speedtest finished") && card.text.contains("bit/s")).await;
    bench.press("List").await;
    bench.sees("the list", |message| has_button(message, "gamma")).await;
    assert_eq!(bench.message().await, message, "one message, edited in place");
    bench.nothing_is_lost().await;
    assert_eq!(bench.double().stats().conflicts_heard(), 0);
}

/// DESIGN 9, A4: one confirmation reboots once, and is followed until the boot id has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_reboot_is_done_once_and_followed() {
    let mut plan = plan(2);
    plan.reboots = Reboots::Away(Duration::from_secs(2));
    let bench = Bench::of(plan).await;
    bench.found().await.unwrap();
    bench.join(1).await.unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
    bench.claim().await.unwrap();
    let confirmation = bench.ask_for_reboot("beta").await;
    let button = confirmation.keyboard.as_ref().unwrap().buttons().next().unwrap().text.clone();
    assert_eq!(bench.reboots(), 0, "nothing happens before the confirmation");
    bench.press(&button).await;
    bench.sees("its return", |message| message.text.contains("beta is back after")).await;
    assert_eq!(bench.node("beta").unwrap().reboots().len(), 1);
    assert_eq!(bench.reboots(), 1, "no other host was touched");
    // The one-time button is over: the same press again asks anew and does nothing.
    bench.ask_for_reboot("beta").await;
    bench.press("Cancel").await;
    assert_eq!(bench.reboots(), 1);
}

/// DESIGN 9: name and code must both fit; others read one refusal and see nothing.
#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_with_the_code_is_obeyed() {
    let bench = Bench::of(plan(1)).await;
    bench.found().await.unwrap();
    let code = bench.code().unwrap();
    let stranger = Owner::new(bench.double().control_addr(), User::new(66, "mallory", "en"));
    let refusal = stranger.ask(&format!("/start {code}"), PATIENCE).await.unwrap().value;
    assert!(!refusal.text.contains("alpha"), "{}", refusal.screen());
    let namesake = Owner::new(bench.double().control_addr(), User::new(67, "anna", "en"));
    let refusal = namesake.ask("/start 00000000000000000000000000000000", PATIENCE).await.unwrap().value;
    assert!(!refusal.text.contains("alpha"), "{}", refusal.screen());
    assert!(bench.claim().await.unwrap().text.contains("alpha"));
    // The id is pinned: the name alone commands nothing any more, even with the code.
    namesake.write(&format!("/start {code}")).await.unwrap();
    bench.ask("/nodes").await;
    bench.nothing_is_lost().await;
    let seen = namesake.chat().await.unwrap();
    assert!(seen.messages.iter().all(|message| !message.text.contains("alpha")));
}
