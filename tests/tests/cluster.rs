//! Real processes on loopback against the Bot API double: the seams that no simulation has. Conditions with generous deadlines, no times.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cluster/alerts.rs"]
mod alerts;
#[path = "cluster/charts.rs"]
mod charts;
#[path = "cluster/death.rs"]
mod death;
#[path = "cluster/disk.rs"]
mod disk;
#[path = "cluster/door.rs"]
mod door;
#[path = "cluster/figures.rs"]
mod figures;
#[path = "cluster/hostile.rs"]
mod hostile;
#[path = "cluster/invite.rs"]
mod invite;
#[path = "cluster/listen.rs"]
mod listen;
#[path = "cluster/members.rs"]
mod members;
#[path = "cluster/operator.rs"]
mod operator;
#[path = "cluster/owner.rs"]
mod owner;
#[path = "cluster/screens.rs"]
mod screens;
#[path = "cluster/telegram.rs"]
mod telegram;
#[path = "cluster/wires.rs"]
mod wires;

use std::path::Path;
use std::time::Duration;

use constella_shared::wire::records::{NetRecord, NetValue};
use constella_tests::botapi::model::{MessageId, Toast};
use constella_tests::botapi::view::{ChatView, MessageView};
use constella_tests::cluster::{Network, Node, Plan};
use tokio::sync::{Semaphore, SemaphorePermit};

/// For anything that has to happen, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// Networks that run at once: more would only take time from each other.
static TURNS: Semaphore = Semaphore::const_new(2);

/// A network with a place on this machine.
struct Bench {
    network: Network,
    _turn: SemaphorePermit<'static>,
}

impl std::ops::Deref for Bench {
    type Target = Network;

    fn deref(&self) -> &Network {
        &self.network
    }
}

impl Bench {
    async fn of(plan: Plan) -> Self {
        let turn = TURNS.acquire().await.unwrap();
        Self { network: Network::prepare(plan).await.unwrap(), _turn: turn }
    }

    /// So many nodes that serve an owner.
    async fn settled(nodes: usize) -> Self {
        Self::settled_as(plan(nodes)).await
    }

    /// The same network with all that belongs to the plan.
    async fn settled_as(plan: Plan) -> Self {
        let nodes = plan.names.len();
        let bench = Self::of(plan).await;
        bench.found().await.unwrap();
        for index in 1..nodes {
            bench.join(index).await.unwrap();
        }
        bench.network.settled(PATIENCE).await.unwrap();
        bench.claim().await.unwrap();
        bench.message_is_known().await;
        bench
    }

    /// Waits until every node has stored which message is the bot's one: who dies before that leaves a successor that sends its own (F4).
    async fn message_is_known(&self) {
        self.message_is_known_to(self.nodes().len()).await;
    }

    /// The same of the first so many nodes.
    async fn message_is_known_to(&self, nodes: usize) {
        let by = tokio::time::Instant::now() + PATIENCE;
        let knows = |node: &Node| {
            let of_message = |record: &NetRecord| matches!(record.value, NetValue::Message { .. });
            node.stored_records().is_ok_and(|state| state.records.iter().any(of_message))
        };
        while !self.nodes().iter().take(nodes).all(|node| knows(node)) {
            assert!(tokio::time::Instant::now() < by, "somebody does not know the message");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn holder(&self) -> String {
        self.network.settled(PATIENCE).await.unwrap()
    }

    async fn ask(&self, text: &str) -> MessageView {
        self.owner().ask(text, PATIENCE).await.unwrap().value
    }

    /// Waits for the bot's last message to be it: what scrolled away is not what the owner looks at.
    async fn sees(&self, what: &str, is_it: impl Fn(&MessageView) -> bool) -> MessageView {
        let last = |chat: &ChatView| chat.last_from_bot().filter(|message| is_it(message)).cloned();
        self.owner().wait_for(what, PATIENCE, last).await.unwrap().value
    }

    /// Presses a button and waits until the bot has heard it.
    async fn press(&self, label: &str) -> Toast {
        let tap = self.owner().press(label).await.unwrap();
        self.owner().answered(&tap, PATIENCE).await.unwrap().value
    }

    /// Opens a node's card from wherever the message is.
    async fn open_card(&self, name: &str) -> MessageView {
        self.ask("/nodes").await;
        self.sees("the list", |message| has_button(message, name)).await;
        self.press(name).await;
        self.sees("the card", |message| has_button(message, "Speedtest") && message.text.contains("CPU")).await
    }

    /// Goes up to the confirmation of a reboot, which is not pressed yet.
    async fn ask_for_reboot(&self, name: &str) -> MessageView {
        self.open_card(name).await;
        self.press("Reboot").await;
        self.sees("the confirmation", |message| has_button(message, "Yes")).await
    }

    async fn message(&self) -> MessageId {
        self.owner().chat().await.unwrap().last_from_bot().unwrap().id
    }

    fn reboots(&self) -> usize {
        self.nodes().iter().map(|node| node.reboots().len()).sum()
    }

    /// Nothing that the owner sent was destroyed, and everything is confirmed in the end.
    async fn nothing_is_lost(&self) {
        let by = tokio::time::Instant::now() + PATIENCE;
        loop {
            let summary = self.double().summary();
            assert_eq!(summary.destroyed, 0);
            if summary.pending == 0 {
                return;
            }
            assert!(tokio::time::Instant::now() < by, "still pending: {summary:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn plan(nodes: usize) -> Plan {
    Plan::of(Path::new(env!("CARGO_BIN_EXE_host")), nodes)
}

fn has_button(message: &MessageView, label: &str) -> bool {
    message.labels().iter().any(|shown| shown.contains(label))
}

fn line_of(message: &MessageView, name: &str) -> String {
    message.text.lines().find(|line| line.contains(name)).unwrap_or_default().to_owned()
}
