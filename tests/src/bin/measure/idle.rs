//! What an idle node costs: memory, processor time, bytes written, and how long it takes to serve after its start.

use std::time::Duration;

use clap::Args;
use constella_tests::cluster::{Network, Node, Plan, Usage};
use tokio::time::{Instant, sleep};

use super::Failure;
use super::figures::Times;

/// What is measured.
#[derive(Args)]
pub(crate) struct Idle {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=10))]
    nodes: u16,
    /// For how long, seconds
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// How many cold starts
    #[arg(long, default_value_t = 5)]
    starts: usize,
}

impl Idle {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let network = Network::start(Plan::of(&std::env::current_exe()?, usize::from(self.nodes))).await?;
        network.claim().await?;
        let leader = network.settled(PATIENCE).await?;
        sleep(CALMING).await;
        let before: Vec<_> = network.nodes().iter().map(|node| node.usage()).collect();
        sleep(Duration::from_secs(self.seconds)).await;
        println!("{} nodes, idle for {} s:", self.nodes, self.seconds);
        for (node, before) in network.nodes().iter().zip(before) {
            let (controller, agent) = node.usage();
            let role = if node.name() == leader { " (leads)" } else { "" };
            println!(
                "{}{role}: controller {}; agent {}; state {} bytes",
                node.name(),
                self.sentence(before.0, controller),
                self.sentence(before.1, agent),
                node.stored()
            );
        }
        let mut times = Times::default();
        let follower = network.nodes().iter().find(|node| node.name() != leader).ok_or("there is no follower")?;
        for _ in 0..self.starts {
            times.add(cold_start(follower).await?);
        }
        println!("cold start of a controller until it answers /health over TLS: {}", times.sentence());
        Ok(())
    }

    fn sentence(&self, before: Usage, after: Usage) -> String {
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        let written = after.written.saturating_sub(before.written);
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let (pss, seconds) = (after.pss as f64 / 1_048_576.0, self.seconds.max(1) as f64);
        let per_hour = written.saturating_mul(3_600) / self.seconds.max(1);
        format!("{pss:.2} MiB PSS, {:.3} % of a core, {per_hour} bytes written per hour", cpu / seconds * 100.0)
    }
}

async fn cold_start(node: &Node) -> Result<Duration, Failure> {
    let client = reqwest::Client::builder().danger_accept_invalid_certs(true).no_proxy().build()?;
    let url = format!("https://{}/health", node.public());
    node.kill()?;
    let begun = Instant::now();
    node.start()?;
    while begun.elapsed() < PATIENCE {
        if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(begun.elapsed());
        }
        sleep(LOOK).await;
    }
    Err(format!("{} did not serve within {PATIENCE:?}", node.name()).into())
}

/// For anything that has to happen before the figures.
const PATIENCE: Duration = Duration::from_secs(120);
/// Joining and claiming are over.
const CALMING: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(2);
