//! Two hosts are silently gone: whether the others are ever shown as anything but alive.

use std::time::Duration;

use clap::Args;
use constella_shared::wire::rpc::Status;
use constella_tests::cluster::{Cut, Network, Plan};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use super::Failure;

/// What is measured.
#[derive(Args)]
pub(crate) struct Shown {
    /// How many nodes
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(4..=10))]
    nodes: u16,
    /// How long to watch, seconds
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

impl Shown {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let nodes = usize::from(self.nodes);
        let network = Network::start(Plan::of(&std::env::current_exe()?, nodes)).await?;
        let gone = [nodes - 2, nodes - 1];
        for index in gone {
            network.at(index)?.signal(Signal::SIGSTOP)?;
            network.wires().isolate(index, nodes, Cut::Silent);
        }
        let end = Instant::now() + Duration::from_secs(self.seconds);
        let (mut looks, mut wrong, mut found) = (0_u32, 0_u32, None);
        let begun = Instant::now();
        while Instant::now() < end {
            let mut dead_seen = true;
            for watcher in network.nodes().iter().take(nodes - 2) {
                let peers = watcher.peers().await?;
                let is_gone =
                    |name: &str| gone.iter().any(|index| network.at(*index).is_ok_and(|node| node.name() == name));
                looks += 1;
                wrong += u32::from(peers.iter().any(|peer| !is_gone(&peer.name) && peer.status != Status::Alive));
                dead_seen &= peers.iter().all(|peer| !is_gone(&peer.name) || peer.status == Status::Down);
            }
            if dead_seen && found.is_none() {
                found = Some(begun.elapsed());
            }
            sleep(LOOK).await;
        }
        let found = found.map_or_else(|| "never".to_owned(), |time| format!("after {:.1} s", time.as_secs_f64()));
        println!(
            "{nodes} nodes, 2 silently gone for {} s: of {looks} looks {wrong} showed a live node as not alive; both seen down by all {found}",
            self.seconds
        );
        Ok(())
    }
}

/// Between two rounds of looks.
const LOOK: Duration = Duration::from_millis(200);
