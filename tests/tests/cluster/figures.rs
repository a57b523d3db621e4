//! N1, N2 through the real parts: a real agent's figures, a real controller's judgement, and what the owner reads of it.

use std::time::Duration;

use constella_tests::botapi::view::{ChatView, MessageView};
use constella_tests::cluster::{Node, Reboots};

use super::{Bench, PATIENCE, plan};

/// The preset (docs/presets.md) waits for two minutes of silence, and the node asks its agent four times in one.
const RULE: Duration = Duration::from_secs(240);

impl Bench {
    /// A node that does not hold.
    async fn follower(&self) -> &Node {
        let holder = self.holder().await;
        self.nodes().iter().find(|node| node.name() != holder).unwrap()
    }

    /// Waits until the bot tells of a node, in whichever message.
    async fn reads(&self, words: &str, within: Duration) -> MessageView {
        self.owner().sees(words, within, |message| message.text.contains(words)).await.unwrap().value
    }

    /// How many messages of the bot have these words.
    async fn times_read(&self, words: &str) -> usize {
        let ChatView { messages, .. } = self.owner().chat().await.unwrap();
        messages.iter().filter(|message| message.from_bot && message.text.contains(words)).count()
    }
}

/// N2: a boot that the owner ordered is no alert; one that nobody ordered is, once, however often the controller starts.
#[tokio::test(flavor = "multi_thread")]
async fn a_boot_that_nobody_ordered_is_told_once_and_an_ordered_one_is_not() {
    let mut plan = plan(2);
    plan.reboots = Reboots::Instant;
    let bench = Bench::settled_as(plan).await;
    let node = bench.follower().await;
    let judged = || node.log_lines("unexpected_reboot");
    bench.ask_for_reboot(node.name()).await;
    bench.press("Yes").await;
    bench.sees("its result", |message| message.text.contains(&format!("{} is back", node.name()))).await;
    assert_eq!((node.reboots().len(), judged()), (1, Vec::new()));
    // Soon after the ordered one, before the node asks its agent again by itself.
    node.kill().unwrap();
    node.boot().unwrap();
    node.start().unwrap();
    let words = format!("{}: it rebooted, and nobody ordered it here", node.name());
    bench.reads(&words, PATIENCE).await;
    // Another process under the same boot: its figures, which the card has, are judged too.
    node.kill().unwrap();
    node.start().unwrap();
    bench.holder().await;
    bench.open_card(node.name()).await;
    let lines = judged();
    assert!(lines.len() == 1 && lines.iter().all(|line| line.contains("raised")), "{lines:?}");
    assert_eq!(bench.times_read(&words).await, 1);
    bench.nothing_is_lost().await;
}

/// N1, N3: a node that gets no figures says so, and that it has them again, in one message with its recovery.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_dies_is_told_by_its_node_and_so_is_its_return() {
    let bench = Bench::settled(2).await;
    let node = bench.follower().await;
    node.kill_agent().unwrap();
    let told = bench.reads(&format!("{}: its agent does not answer. Since", node.name()), RULE).await;
    assert_eq!(node.log_lines("agent_unreachable").len(), 1);
    node.start_agent().unwrap();
    let over = bench.reads(&format!("{}: over. its agent does not answer, from", node.name()), RULE).await;
    assert_eq!(over.id, told.id, "the recovery edits the message");
    assert_eq!(bench.times_read("its agent does not answer. Since").await, 0);
    let lines = node.log_lines("agent_unreachable");
    assert!(lines.len() == 2 && lines.iter().all(|line| line.contains("judgement changed")), "{lines:?}");
    bench.nothing_is_lost().await;
}
