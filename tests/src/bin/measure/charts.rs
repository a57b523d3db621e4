//! Charts: how long a tap waits for its picture, how large pictures are, and what the leader's memory is meanwhile.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use constella_tests::botapi::view::{ChatView, MessageView};
use constella_tests::cluster::{Network, Plan};
use tokio::time::{Instant, sleep};

use super::Failure;
use super::figures::Times;

/// What is measured.
#[derive(Args)]
pub(crate) struct Charts {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    nodes: u16,
    /// How many taps
    #[arg(long, default_value_t = 40)]
    taps: usize,
    /// The folder with the static programs of the images; see `idle`. Needs root.
    #[arg(long)]
    image: Option<PathBuf>,
}

impl Charts {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut plan = Plan::of(&std::env::current_exe()?, usize::from(self.nodes));
        if let Some(image) = &self.image {
            plan.image = Some(image.clone());
            let off = |name: &str| (name.to_owned(), "false".to_owned());
            plan.settings.extend([off("ALLOW_REBOOT"), off("ALLOW_SPEEDTEST")]);
        }
        let network = Network::start(plan).await?;
        network.claim().await?;
        let leader = network.settled(PATIENCE).await?;
        let leader = network.nodes().iter().find(|node| node.name() == leader).ok_or("nobody leads")?;
        sleep(CALMING).await;
        let idle = leader.usage().0.pss;

        let owner = network.owner();
        owner.ask("/nodes", PATIENCE).await?;
        press(&network, leader.name(), |message| shows(message, "Charts")).await?;
        let mut shown = press(&network, "Charts", |message| message.photo.is_some()).await?.0;
        // All nodes on one picture for the second half of the taps.
        let (mut single, mut compared) = (Times::default(), Times::default());
        let (mut largest, mut most) = (0, 0);
        for tap in 0..self.taps {
            if tap == self.taps / 2 {
                shown = compare_all(&network, leader.name()).await?;
            }
            let before = shown.photo.as_ref().map(|photo| photo.file_id.clone());
            let label = LABELS.get(tap % LABELS.len()).copied().unwrap_or_default();
            let fresh =
                |message: &MessageView| message.photo.as_ref().is_some_and(|it| Some(&it.file_id) != before.as_ref());
            let (message, took) = press(&network, label, fresh).await?;
            shown = message;
            if tap < self.taps / 2 {
                single.add(took)
            } else {
                compared.add(took)
            }
            most = most.max(leader.usage().0.pss);
            let photo = shown.photo.as_ref().and_then(|photo| network.double().photo(&photo.file_id));
            largest = largest.max(photo.ok_or("a picture without bytes")?.len());
        }
        let load = std::fs::read_to_string("/proc/loadavg")?;
        println!("{} nodes, load {}", self.nodes, load.trim());
        println!("tap to picture of one node: {}", single.percentiles());
        println!("tap to picture of up to six nodes: {}", compared.percentiles());
        println!("largest picture {largest} bytes");
        println!("the leader's controller: {} KiB PSS before, {} KiB at most", idle / 1_024, most / 1_024);
        Ok(())
    }
}

/// Takes every other node in, as far as there is room.
async fn compare_all(network: &Network, first: &str) -> Result<MessageView, Failure> {
    press(network, "Compare", |message| shows(message, "To the chart")).await?;
    for node in network.nodes().iter().filter(|node| node.name() != first).take(5) {
        press(network, node.name(), |message| shows(message, &format!("• {}", node.name()))).await?;
    }
    Ok(press(network, "To the chart", |message| shows(message, "90 d")).await?.0)
}

/// Taps, and waits until the bot's last message is it; then for as long as the bot keeps between two edits.
async fn press(
    network: &Network,
    label: &str,
    is_it: impl Fn(&MessageView) -> bool,
) -> Result<(MessageView, Duration), Failure> {
    let begun = Instant::now();
    network.owner().press(label).await?;
    let last = |chat: &ChatView| chat.last_from_bot().filter(|message| is_it(message)).cloned();
    let message = network.owner().wait_for(label, PATIENCE, last).await?.value;
    let took = begun.elapsed();
    sleep(PAUSE).await;
    Ok((message, took))
}

fn shows(message: &MessageView, label: &str) -> bool {
    message.labels().iter().any(|shown| shown.contains(label))
}

/// What is tapped in turn: each makes another picture.
const LABELS: [&str; 8] = ["1 h", "Network", "6 h", "Load", "7 d", "RAM", "90 d", "CPU"];

/// For anything that has to happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Joining and claiming are over.
const CALMING: Duration = Duration::from_secs(15);

/// A person looks at a picture for longer.
const PAUSE: Duration = Duration::from_millis(1_500);
