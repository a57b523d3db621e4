//! S7: two builds on one network. Each node in turn stops, is upgraded and starts again, while the owner writes and reboots a host; a node of the newer
//! build joins in the middle; then everything goes back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;
use constella_tests::cluster::{Network, Node, Plan};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use super::Failure;
use super::costs::Costs;
use super::failover::{confirmation, unconfirmed};
use super::figures::Times;

/// What is measured.
#[derive(Args)]
pub(crate) struct Rolling {
    /// The controller that the network is founded with, and goes back to
    #[arg(long)]
    old: PathBuf,
    /// The controller that each node is upgraded to
    #[arg(long)]
    new: PathBuf,
    /// How many nodes, besides the one that joins in the middle
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=9))]
    nodes: u16,
}

impl Rolling {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let nodes = usize::from(self.nodes);
        let network = Network::prepare(Plan::of(&std::env::current_exe()?, nodes + 1)).await?;
        network.nodes().iter().for_each(|node| node.runs(&self.old));
        network.found().await?;
        for index in 1..nodes {
            network.join(index).await?;
        }
        network.settled(SETTLING).await?;
        network.claim().await?;
        let over = AtomicBool::new(false);
        let rolled = async {
            let rolled = self.there_and_back(&network).await;
            over.store(true, Ordering::Relaxed);
            rolled
        };
        let (rolled, pressed) = tokio::join!(rolled, presses(&network, &over));
        let (times, mut costs) = pressed?;
        rolled?;
        costs.count(&network);
        costs.unanswered = unconfirmed(&network).await;
        network.same_records(SETTLING).await?;
        println!("{nodes} nodes and one that joined, up and down again: an answer came after {}", times.sentence());
        println!("{}", costs.sentence());
        unread(&network)
    }

    /// The last node first on the way up, so that the leader speaks to newer ones; the leader first on the way back.
    async fn there_and_back(&self, network: &Network) -> Result<(), Failure> {
        let nodes = usize::from(self.nodes);
        for index in (0..nodes).rev() {
            self.changed(network, index, &self.new).await?;
            if index == nodes - 1 {
                let joiner = network.at(nodes)?;
                joiner.runs(&self.new);
                network.join(nodes).await?;
                network.settled(SETTLING).await?;
                network.same_records(SETTLING).await?;
                eprintln!("{} joined with the newer build", joiner.name());
            }
        }
        network.same_records(SETTLING).await?;
        for index in 0..=nodes {
            self.changed(network, index, &self.old).await?;
        }
        Ok(())
    }

    async fn changed(&self, network: &Network, index: usize, build: &Path) -> Result<(), Failure> {
        let node = network.at(index)?;
        stopped(node).await?;
        node.runs(build);
        node.start()?;
        let leader = network.settled(SETTLING).await?;
        eprintln!(
            "{} runs {}; {leader} leads",
            node.name(),
            if build == self.new { "the newer build" } else { "the older build" }
        );
        Ok(())
    }
}

/// SIGTERM, as an engine stops a container.
async fn stopped(node: &Node) -> Result<(), Failure> {
    node.signal(Signal::SIGTERM)?;
    let by = Instant::now() + STOPPING;
    while node.is_running() {
        if Instant::now() >= by {
            return Err(format!("{} does not stop", node.name()).into());
        }
        sleep(LOOK).await;
    }
    Ok(())
}

/// The owner writes all the time, and has a host rebooted now and then; each answer's time, and what became of each reboot.
async fn presses(network: &Network, over: &AtomicBool) -> Result<(Times, Costs), Failure> {
    let (mut times, mut costs) = (Times::default(), Costs::default());
    let mut round = 0_u32;
    while !over.load(Ordering::Relaxed) {
        let written = Instant::now();
        network.owner().ask("/nodes", SETTLING).await?;
        times.add(written.elapsed());
        round += 1;
        if round.is_multiple_of(REBOOT_EVERY) {
            reboot(network, &mut costs).await?;
        }
        sleep(READING).await;
    }
    Ok((times, costs))
}

/// One confirmed reboot, followed to its end. A confirmation that a change of leader took away is asked for again by the owner, and is no order.
async fn reboot(network: &Network, costs: &mut Costs) -> Result<(), Failure> {
    let since = network.double().now();
    let leader = network.view().await.holder().map(ToOwned::to_owned);
    let Some(leader) = leader else { return Ok(()) };
    let Ok(Ok(target)) = tokio::time::timeout(ASKING, confirmation(network, &leader)).await else { return Ok(()) };
    let before = network.node(&target)?.reboots().len();
    if network.owner().press("Yes").await.is_err() {
        // The next leader's screen is there already, without that button.
        return Ok(());
    }
    let fate = network.fate(&target, before, since, SETTLING).await;
    sleep(REST).await;
    let recorded = network.node(&target)?.reboots().len() - before;
    let read = network.read_of(&target, since).await?;
    costs.end(recorded, &read, fate.err());
    Ok(())
}

/// Requests between members that the other side could not read, by the words of the newer build, which is one of the two sides of each mixed pair.
fn unread(network: &Network) -> Result<(), Failure> {
    let lines = |words: &str| network.nodes().iter().flat_map(|node| node.log_lines(words)).collect::<Vec<_>>();
    let (theirs, ours) = (lines("unreadable request of a member"), lines("a member cannot read a request"));
    println!(
        "requests that the newer build could not read: {}; that the older could not read: {}",
        theirs.len(),
        ours.len()
    );
    match theirs.iter().chain(&ours).next() {
        Some(line) => Err(line.clone().into()),
        None => Ok(()),
    }
}

/// For a network to settle, on a machine that has other things to do.
const SETTLING: Duration = Duration::from_secs(180);
/// A node that is told to stop has long done so by then.
const STOPPING: Duration = Duration::from_secs(60);
/// For a confirmation to be shown; a leader that is being upgraded may take it away.
const ASKING: Duration = Duration::from_secs(20);
/// A reboot after so many lists.
const REBOOT_EVERY: u32 = 4;
/// An owner who looks at what is shown.
const READING: Duration = Duration::from_millis(700);
/// What was told as not known may be done all the same, as soon as its node answers.
const REST: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(20);
