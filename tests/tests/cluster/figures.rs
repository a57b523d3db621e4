//! N1 through the real parts: a real agent's figures, a real controller's judgement, in its log.

use constella_tests::cluster::{Reboots, View};

use super::{Bench, PATIENCE, plan};

/// N2: a boot that the owner ordered is no alert; one that nobody ordered is, once, however often the controller starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_boot_that_nobody_ordered_is_judged_and_an_ordered_one_is_not() {
    let mut plan = plan(2);
    plan.reboots = Reboots::Instant;
    let bench = Bench::settled_as(plan).await;
    let beta = bench.node("beta").unwrap();
    let lines = || beta.log_lines("unexpected_reboot");
    let booted = |_: &View| (!beta.reboots().is_empty()).then_some(());
    bench.ask_for_reboot("beta").await;
    bench.press("Yes").await;
    bench.network.sees("the ordered reboot", PATIENCE, booted).await.unwrap();
    bench.sees("its result", |message| message.text.contains("beta is back")).await;
    // Later figures than those of the ordered boot.
    for start in 1..=2 {
        beta.kill().unwrap();
        if start == 1 {
            beta.boot().unwrap();
        }
        beta.start().unwrap();
        bench.network.sees("the judgement", PATIENCE, |_| (!lines().is_empty()).then_some(())).await.unwrap();
        bench.holder().await;
    }
    bench.open_card("beta").await;
    assert_eq!(lines().len(), 1, "{:?}", lines());
    assert!(lines().iter().all(|line| line.contains("judgement changed") && line.contains("raised")));
}
