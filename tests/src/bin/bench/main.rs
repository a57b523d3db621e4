//! Benchmarks, one command each: `cargo run --release -p constella-tests --bin bench -- core`, `roster`, `heartbeat`, `stats`.
//! They print figures with the machine's load beside them and judge nothing: how fast a machine is, is no test.

#![forbid(unsafe_code)]

mod roster;
mod stats;
mod wire;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use constella_tests::program::{self, Failure};
use constella_tests::sim::steps;

/// Benchmarks.
#[derive(Parser)]
#[command(name = "bench")]
enum Options {
    /// One step of a core, in calm networks of 10 and of 1,000 nodes
    Core,
    /// Taking records into a roster of a thousand nodes, with their signatures
    Roster,
    /// A heartbeat there and back: TLS 1.3, both pins, HMAC
    Heartbeat,
    /// `GetStats` of a real node over the network, by 1 and by 32 callers
    Stats(stats::Stats),
}

fn main() -> ExitCode {
    program::main(async |options| match options {
        Options::Core => {
            for nodes in [10, 1_000] {
                print(&format!("a step of one core of {nodes}"), steps(nodes, 1));
            }
            Ok(())
        }
        Options::Roster => roster::run(),
        Options::Heartbeat => wire::run().await,
        Options::Stats(stats) => stats.run().await,
    })
}

/// How long something took, so often.
fn times(often: usize, mut what: impl FnMut()) -> Vec<Duration> {
    let once = |_| {
        let began = Instant::now();
        what();
        began.elapsed()
    };
    (0..often).map(once).collect()
}

/// One line of figures.
fn print(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |share: usize| {
        let index = (took.len() * share / 1_000).min(took.len().saturating_sub(1));
        took.get(index).copied().unwrap_or_default()
    };
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    println!(
        "{what}: median {:.1?}, p99 {:.1?}, worst {:.1?} of {}; load {load}",
        at(500),
        at(990),
        at(1_000),
        took.len()
    );
}
