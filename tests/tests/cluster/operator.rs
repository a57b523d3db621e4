//! The operator at the command line of a running node.

use constella_tests::botapi::server::{Fault, Target};
use constella_tests::cluster::{Cut, Node};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::{Bench, PATIENCE};

/// `doctor` finds nothing wrong with a node that is well, and names each thing that is made to fail, with what to do.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_is_wrong_and_what_to_do() {
    let bench = Bench::settled(3).await;
    let beta = bench.node("beta").unwrap();
    let well = until(beta, "2 of 2 members that were asked", true).await;
    for words in [
        "ok    controller: beta runs, version",
        "ok    lease: alpha holds the lease",
        "strong; voters: alpha, beta, gamma",
        "ok    agent: version",
        "ok    telegram: the Bot API answers from here",
        "ok    token: Telegram knows it, it is @",
        "ok    webhook: none is set",
        "2 of 2 other members are up",
        "ok    clock: ",
        "s, against this one; 30 s are allowed",
    ] {
        assert!(well.contains(words), "{words} is not in\n{well}");
    }
    let json: serde_json::Value = serde_json::from_str(&beta.cli(&["doctor", "--json"]).await.unwrap()).unwrap();
    assert!(json.as_array().unwrap().iter().all(|finding| finding["verdict"] != "fail"), "{json}");

    bench.double().fault(Target::Prefix("beta".to_owned()), Fault::Refuse);
    until(beta, "note  telegram: the Bot API cannot be reached from here", true).await;
    bench.double().heal_all();

    // Its own calls go out, but nobody gets in: only the others see that.
    for other in [0, 2] {
        bench.wires().cut(other, 1, Cut::Refuse);
    }
    let closed = until(beta, "cannot be reached from 2 of 2 members", false).await;
    assert!(closed.contains("FAIL  peers") && closed.contains("open the port"), "{closed}");
    bench.wires().heal();

    let agent = beta.pids().1.and_then(|pid| i32::try_from(pid).ok()).unwrap();
    kill(Pid::from_raw(agent), Signal::SIGKILL).unwrap();
    until(beta, "FAIL  agent: it does not answer", false).await;

    beta.kill().unwrap();
    until(beta, "FAIL  controller: no controller runs here", false).await;
}

/// Asks until it says so; whether it then found the node well.
async fn until(node: &Node, words: &str, well: bool) -> String {
    let by = Instant::now() + PATIENCE * 2;
    loop {
        let output = node.cli_output(&["doctor"], None).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if text.contains(words) && output.status.success() == well {
            return text;
        }
        assert!(Instant::now() < by, "{words} is not in\n{text}{}", String::from_utf8_lossy(&output.stderr));
        sleep(std::time::Duration::from_millis(500)).await;
    }
}
