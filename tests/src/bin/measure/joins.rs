//! Many nodes that join at once, each with a link of its own: who gets in, and when everybody sees everybody.

use std::time::Duration;

use clap::Args;
use constella_tests::cluster::{Network, Plan};
use tokio::time::Instant;

use super::Failure;

/// What is measured.
#[derive(Args)]
pub(crate) struct Joins {
    /// How many nodes join a network of one
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=60))]
    nodes: u16,
}

impl Joins {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let joiners = usize::from(self.nodes);
        let network = Network::prepare(Plan::of(&std::env::current_exe()?, joiners + 1)).await?;
        network.found().await?;
        let begun = Instant::now();
        network.join_at_once(1..joiners + 1).await?;
        let let_in = begun.elapsed();
        let everybody = |view: &constella_tests::cluster::View| {
            let all = view.nodes.len() == joiners + 1;
            (all && view.nodes.iter().all(|node| node.alive == joiners + 1)).then_some(())
        };
        let started = Instant::now();
        let seen = network.sees("everybody by everybody", PATIENCE, everybody).await;
        println!(
            "{joiners} nodes joined at once: all let in and started after {:.2} s; all seen alive by all {}",
            let_in.as_secs_f64(),
            match &seen {
                Ok(()) => format!("{:.2} s after the last was started", started.elapsed().as_secs_f64()),
                Err(error) => format!("never: {error}"),
            }
        );
        seen?;
        let settling = Instant::now();
        network.settled(PATIENCE).await?;
        println!("settled, with all voters, {:.2} s later", settling.elapsed().as_secs_f64());
        Ok(())
    }
}

/// Far beyond what is hoped for.
const PATIENCE: Duration = Duration::from_secs(120);
