//! Long wires: whether a network comes together over them, how soon a killed leader is followed, and what changes by itself.

use std::time::Duration;

use clap::Args;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::Status;
use constella_tests::cluster::{Link, Network, Plan, Pulse};
use tokio::time::{Instant, sleep};

use super::Failure;
use super::failover::until_answered;
use super::figures::Times;

/// What is measured.
#[derive(Args)]
pub(crate) struct Wires {
    /// How many nodes
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..=10))]
    nodes: u16,
    /// Round trips between each two of them, milliseconds, with commas between
    #[arg(long, default_value = "0,100,300,600,1000", value_delimiter = ',')]
    round_trip_ms: Vec<u64>,
    /// Lost packets in a hundred, with commas between
    #[arg(long, default_value = "0,1,5", value_delimiter = ',')]
    loss: Vec<u64>,
    /// How often the leader is killed in each cell
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How long each network is left alone before, seconds
    #[arg(long, default_value_t = 60)]
    calm_s: u64,
}

/// What a network did that was left alone.
#[derive(Default)]
struct Alone {
    /// Another node held the lease than before.
    changes: u32,
    /// Rows that showed a live node as down, and as suspect, of so many.
    down: u32,
    suspect: u32,
    rows: u32,
}

impl Wires {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        println!(
            "| round trip, ms | lost, % | all joined after, s | killed to answered, s: median | worst | changes of leader | rows down, suspect | 409s | itself late by, s |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        for round_trip_ms in &self.round_trip_ms {
            for loss in &self.loss {
                match self.cell(Link::far(*round_trip_ms, *loss)).await {
                    Ok(row) => println!("| {round_trip_ms} | {loss} | {row} |"),
                    Err(why) => println!("| {round_trip_ms} | {loss} | no: {why} | | | | | | |"),
                }
            }
        }
        Ok(())
    }

    async fn cell(&self, link: Link) -> Result<String, Failure> {
        let plan = Plan { link, ..Plan::of(&std::env::current_exe()?, usize::from(self.nodes)) };
        let pulse = Pulse::start();
        let begun = Instant::now();
        let network = Network::start(plan).await?;
        let joined = begun.elapsed();
        network.claim().await?;
        let alone = self.alone(&network).await?;
        let mut times = Times::default();
        for _ in 0..self.runs {
            times.add(killed(&network).await?);
        }
        Ok(format!(
            "{:.1} | {} | {} in {} s | {}, {} of {} | {} | {:.2}",
            joined.as_secs_f64(),
            times.cells(),
            alone.changes,
            self.calm_s,
            alone.down,
            alone.suspect,
            alone.rows,
            network.double().stats().conflicts_heard(),
            pulse.worst().as_secs_f64()
        ))
    }

    /// Looks at every node once a second.
    async fn alone(&self, network: &Network) -> Result<Alone, Failure> {
        let (mut alone, mut holder) = (Alone::default(), network.settled(SETTLING).await?);
        let end = Instant::now() + Duration::from_secs(self.calm_s);
        while Instant::now() < end {
            for node in network.nodes() {
                for row in node.peers().await? {
                    alone.rows += 1;
                    alone.down += u32::from(row.status == Status::Down);
                    alone.suspect += u32::from(row.status == Status::Suspect);
                }
                // Its own word: what the others heard of may be another's lease for a moment.
                let status = node.status().await?;
                let holds = status.lease.is_some_and(|lease| {
                    lease.strength == Strength::Strong && lease.holder.node == status.node_id && lease.left_ms > 0
                });
                if holds && status.name != holder {
                    alone.changes += 1;
                    holder = status.name;
                }
            }
            sleep(LOOK).await;
        }
        Ok(alone)
    }
}

/// One kill, from a settled network to a settled network.
async fn killed(network: &Network) -> Result<Duration, Failure> {
    let first = network.settled(SETTLING).await?;
    let fault = network.double().now();
    network.node(&first)?.kill()?;
    let took = until_answered(network, Some(&first), fault).await?;
    network.node(&first)?.start()?;
    network.settled(SETTLING).await?;
    // Telegram's allowance for a chat is full again.
    sleep(REST).await;
    Ok(took)
}

/// For a network to settle: a killed leader that comes back waits longer each time before it leads again (L6).
const SETTLING: Duration = Duration::from_secs(180);
/// After each run.
const REST: Duration = Duration::from_secs(12);
/// Between two rounds of looks.
const LOOK: Duration = Duration::from_secs(1);
