//! Figures of real processes on this machine: how long a leader's end is felt, how fast nodes join, what an idle node costs.
//! `cargo run --release -p constella-tests --bin measure -- failover --nodes 3 --runs 10 --how kill`

mod alerts;
mod charts;
mod clock;
mod costs;
mod failover;
mod figures;
mod how;
mod idle;
mod joins;
mod rolling;
mod shown;
mod table;
mod trouble;
mod wires;

use std::process::ExitCode;

use clap::Parser;
use constella_tests::program::{self, Failure};

/// Figures of real processes on this machine.
#[derive(Parser)]
#[command(name = "measure")]
enum Options {
    /// The leader's end, until another node answers the owner
    Failover(failover::Failover),
    /// Trouble of other kinds, as the owner's longest wait
    Trouble(trouble::Trouble),
    /// The failure table, row by row
    Table(table::Table),
    /// Many nodes that join at once
    Joins(joins::Joins),
    /// What an idle node costs
    Idle(idle::Idle),
    /// An upgrade node by node from one build to another, and back
    Rolling(rolling::Rolling),
    /// Whether live nodes are shown as down while two hosts are silently gone
    Shown(shown::Shown),
    /// A node's death, until the owner's phone says so
    Alerts(alerts::Alerts),
    /// Charts: from the tap to the picture, its size, and what it costs the leader
    Charts(charts::Charts),
    /// Long wires: joined, followed, and left alone
    Wires(wires::Wires),
}

fn main() -> ExitCode {
    program::main(async |options| match options {
        Options::Failover(failover) => failover.run().await,
        Options::Trouble(trouble) => trouble.run().await,
        Options::Table(table) => table.run().await,
        Options::Joins(joins) => joins.run().await,
        Options::Idle(idle) => idle.run().await,
        Options::Rolling(rolling) => rolling.run().await,
        Options::Shown(shown) => shown.run().await,
        Options::Alerts(alerts) => alerts.run().await,
        Options::Charts(charts) => charts.run().await,
        Options::Wires(wires) => wires.run().await,
    })
}
