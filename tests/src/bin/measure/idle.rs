//! What an idle node costs: memory, processor time, bytes written, and how long it takes to serve after its start.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use constella_tests::botapi::view::MessageView;
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
    /// How often the owner looks meanwhile: a list and a card each time
    #[arg(long, default_value_t = 0)]
    looks: u64,
    /// The folder with the static programs of the images: each node gets copies, so that it shares no page with another, and a host of
    /// namespaces of its own. Needs root.
    #[arg(long)]
    image: Option<PathBuf>,
}

impl Idle {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let network = Network::start(self.plan()?).await?;
        network.claim().await?;
        let leader = network.settled(PATIENCE).await?;
        sleep(CALMING).await;
        let before: Vec<_> = network.nodes().iter().map(|node| node.usage()).collect();
        self.spend(&network).await?;
        println!("{} nodes, idle for {} s, {} looks of the owner:", self.nodes, self.seconds, self.looks);
        let after: Vec<_> = network.nodes().iter().map(|node| node.usage()).collect();
        for (node, (before, after)) in network.nodes().iter().zip(before.into_iter().zip(&after)) {
            let role = if node.name() == leader { " (leads)" } else { "" };
            println!(
                "{}{role}: controller {}; agent {}; state {} bytes",
                node.name(),
                self.sentence(before.0, after.0),
                self.sentence(before.1, after.1),
                node.stored()
            );
        }
        println!("{}", memory(&after));
        let mut times = Times::default();
        let follower = network.nodes().iter().find(|node| node.name() != leader).ok_or("there is no follower")?;
        for _ in 0..self.starts {
            times.add(cold_start(follower).await?);
        }
        println!("cold start of a controller until it answers /health over TLS: {}", times.sentence());
        Ok(())
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let mut plan = Plan::of(&std::env::current_exe()?, usize::from(self.nodes));
        if let Some(image) = &self.image {
            plan.image = Some(image.clone());
            // A real agent would do it to the real machine, as far as its namespaces let it.
            let off = |name: &str| (name.to_owned(), "false".to_owned());
            plan.settings.extend([off("ALLOW_REBOOT"), off("ALLOW_SPEEDTEST")]);
        }
        Ok(plan)
    }

    /// The time, with the owner's looks spread over it and a line on the memory every minute.
    async fn spend(&self, network: &Network) -> Result<(), Failure> {
        let begun = Instant::now();
        let (mut looks, mut lines) = (0, 0);
        while begun.elapsed() < Duration::from_secs(self.seconds) {
            let passed = begun.elapsed().as_secs();
            if looks < (passed + 1) * self.looks / self.seconds.max(1) {
                // A look that fails is said; the figures are of the hour all the same.
                if let Err(error) = look(network, looks).await {
                    println!("look {looks} failed: {error}");
                }
                looks += 1;
            }
            if passed / MINUTE > lines {
                lines = passed / MINUTE;
                let usage: Vec<_> = network.nodes().iter().map(|node| node.usage()).collect();
                let load = std::fs::read_to_string("/proc/loadavg")?;
                println!("{lines} min: {}; looks {looks}; load {}", memory(&usage), load.trim());
            }
            sleep(STEP).await;
        }
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

/// The owner asks for the list, and opens a card from its first page.
async fn look(network: &Network, number: u64) -> Result<(), Failure> {
    let owner = network.owner();
    owner.ask("/nodes", PATIENCE).await?;
    let list = owner.sees("a list", PATIENCE, |message| shows(message, "❓")).await?.value;
    let listed: Vec<_> = network.nodes().iter().map(|node| node.name()).filter(|name| shows(&list, name)).collect();
    let node = listed.get(usize::try_from(number)? % listed.len().max(1)).ok_or("the list is empty")?;
    owner.press(node).await?;
    owner.sees("a card", PATIENCE, |message| shows(message, "Reboot")).await?;
    Ok(())
}

fn shows(message: &MessageView, label: &str) -> bool {
    message.labels().iter().any(|shown| shown.contains(label))
}

/// What the programs of each kind have in memory.
fn memory(usage: &[(Usage, Usage)]) -> String {
    let kind = |pss: fn(&(Usage, Usage)) -> u64| {
        let mut sorted: Vec<_> = usage.iter().map(pss).collect();
        sorted.sort_unstable();
        let kib = |at: usize| sorted.get(at).copied().unwrap_or_default() / 1_024;
        format!("median {}, worst {} KiB PSS", kib(sorted.len() / 2), kib(sorted.len().saturating_sub(1)))
    };
    format!("controllers {}; agents {}", kind(|node| node.0.pss), kind(|node| node.1.pss))
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
/// Between two lines, seconds.
const MINUTE: u64 = 60;
/// Between two thoughts of whether something is due.
const STEP: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(2);
