//! A member that sends what no version sends, and files that hold what no network counts to: nobody ends by it.

use std::fs;
use std::path::Path;

use constella_shared::limits::COUNT_MOST;
use constella_tests::cluster::Node;
use serde_json::Value;

use super::{Bench, PATIENCE};

fn vote(node: &Node) -> std::path::PathBuf {
    node.state_folder().join("vote.json")
}

fn count(path: &Path, of: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str::<Value>(&text).unwrap().get(of).and_then(Value::as_u64).unwrap()
}

/// S6, L3: `Bot.Handover` with the largest term, from a member that does not hold, and from the holder itself. It ended its receiver for good: the claim
/// asked and was refused without a pause until no file could be opened, and again after each start.
#[tokio::test(flavor = "multi_thread")]
async fn a_handover_with_the_largest_term_ends_nobody() {
    let bench = Bench::settled(3).await;
    let holder = bench.holder().await;
    let others: Vec<_> = bench.nodes().iter().filter(|node| node.name() != holder).collect();
    let (holder, sender, receiver) = (bench.node(&holder).unwrap(), others[0], others[1]);
    let params = format!(r#"{{"term":{}}}"#, u64::MAX);
    let addr = receiver.public().to_string();
    let refused = sender.cli(&["rpc", "--addr", &addr, "Bot.Handover", &params]).await.unwrap_err().to_string();
    assert!(refused.contains("only the holder"), "{refused}");
    for _ in 0..5 {
        holder.cli(&["rpc", "--addr", &addr, "Bot.Handover", &params]).await.unwrap();
    }
    bench.holder().await;
    assert!(bench.ask("/nodes").await.text.contains(receiver.name()));
    assert!(receiver.is_running() && receiver.exit_code().is_none());
    let open = fs::read_dir(format!("/proc/{}/fd", receiver.pids().0.unwrap())).unwrap().count();
    assert!(open < 200, "{open} files are open");
    for node in bench.nodes() {
        assert!(count(&vote(node), "term") < COUNT_MOST, "{}", node.name());
    }
    receiver.kill().unwrap();
    receiver.start().unwrap();
    bench.holder().await;
    bench.nothing_is_lost().await;
}

/// S6: what an earlier version took from such a message, or a damaged disk left, is set back at the start, with a line in the log.
#[tokio::test(flavor = "multi_thread")]
async fn counts_at_their_end_on_disk_are_set_back_at_the_start() {
    let bench = Bench::settled(2).await;
    let alpha = bench.node("alpha").unwrap();
    alpha.kill().unwrap();
    let path = vote(alpha);
    let mut state: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    for field in ["term", "seq_reserved"] {
        state[field] = u64::MAX.into();
    }
    fs::write(&path, state.to_string()).unwrap();
    alpha.start().unwrap();
    bench.network.settled(PATIENCE).await.unwrap();
    assert!(bench.ask("/nodes").await.text.contains("alpha"));
    assert!(count(&path, "term") < COUNT_MOST);
    assert_eq!(alpha.log_lines("a stored count was damaged and is set back").len(), 2);
}
