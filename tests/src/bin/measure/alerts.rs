//! A node's death, until the owner's phone says so; and its return, until the message says so.

use std::time::Duration;

use clap::Args;
use constella_tests::botapi::model::Ms;
use constella_tests::botapi::view::MessageView;
use constella_tests::cluster::{Network, Plan};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Failure;
use super::clock::last_but;
use super::figures::Times;

/// What is measured. Each run has a network of its own: one that dies again and again comes and goes (N4).
#[derive(Args, Clone, Copy)]
pub(crate) struct Alerts {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    nodes: u16,
    /// How many times
    #[arg(long, default_value_t = 10)]
    runs: usize,
    /// How many networks run at once
    #[arg(long, default_value_t = 5)]
    at_once: usize,
    /// `DOWN_AFTER`, seconds
    #[arg(long, default_value_t = 30)]
    down_after: u64,
    /// The leader dies, and not one of the others
    #[arg(long)]
    leader: bool,
}

impl Alerts {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (mut down, mut up) = (Times::default(), Times::default());
        let mut left = self.runs;
        while left > 0 {
            let mut runs = JoinSet::new();
            for _ in 0..left.min(self.at_once.max(1)) {
                // The text of an error crosses the thread, the error does not.
                runs.spawn(async move { self.once().await.map_err(|error| error.to_string()) });
                left -= 1;
            }
            while let Some(run) = runs.join_next().await {
                let (told, recovered) = run??;
                eprintln!("down {:.2} s, up {:.2} s", told.as_secs_f64(), recovered.as_secs_f64());
                down.add(told);
                up.add(recovered);
            }
        }
        let who = if self.leader { "the leader" } else { "another node" };
        println!(
            "{} nodes, DOWN_AFTER={}, {who} killed: until the message: {}",
            self.nodes,
            self.down_after,
            down.sentence()
        );
        println!("started again, until the message says so: {}", up.sentence());
        Ok(())
    }

    /// From the kill to the message, and from the start to its edit, by the double's clock.
    async fn once(self) -> Result<(Duration, Duration), Failure> {
        let mut plan = Plan::of(&std::env::current_exe()?, usize::from(self.nodes));
        plan.settings.push(("DOWN_AFTER".to_owned(), self.down_after.to_string()));
        let network = Network::start(plan).await?;
        network.claim().await?;
        let leader = network.settled(SETTLING).await?;
        sleep(CALM).await;
        let dies = if self.leader { network.node(&leader)? } else { last_but(&network, &leader)? };
        let name = dies.name().to_owned();
        let killed = network.double().now();
        dies.kill()?;
        let told = self.reads(&network, &format!("{name} is down")).await?;
        let took = since(killed, told.sent);
        let started = network.double().now();
        network.node(&name)?.start()?;
        let over = self.reads(&network, &format!("{name} is up again. It was down")).await?;
        self.reads(&network, &format!("{name} is up again after")).await?;
        if over.id != told.id {
            return Err("the recovery is another message".into());
        }
        Ok((took, since(started, over.edited.unwrap_or(over.sent))))
    }

    async fn reads(self, network: &Network, words: &str) -> Result<MessageView, Failure> {
        let patience = Duration::from_secs(self.down_after) + SETTLING;
        Ok(network.owner().sees(words, patience, |message| message.text.contains(words)).await?.value)
    }
}

fn since(from: Ms, to: Ms) -> Duration {
    Duration::from_millis(to.0.saturating_sub(from.0))
}

/// For a network to settle, and for everything that has to happen beyond `DOWN_AFTER`.
const SETTLING: Duration = Duration::from_secs(60);
/// Before the kill: three nodes have just begun to vote.
const CALM: Duration = Duration::from_secs(8);
