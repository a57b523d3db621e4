//! Figures of size: what a calm network costs, and how fast it learns.

use std::time::Instant;

use super::act::Act;
use super::setup::{Setup, name};
use super::world::{World, seconds};

/// One size of network.
#[derive(Debug, Clone)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// Requests of a node in a second.
    pub requests: f64,
    /// Bytes of JSON that a node sends in a second, answers included.
    pub bytes: f64,
    /// Steps of a core in a second.
    pub steps: f64,
    /// Microseconds of CPU of a core in a second, the simulator's own share included.
    pub cpu_us: f64,
    /// Seconds until every node knew that another is dead; None: not within two minutes.
    pub detection_s: Option<f64>,
    /// Bytes of `network_state.json`.
    pub roster_bytes: usize,
    /// Seconds from the first start until all saw all; None: not within two minutes.
    pub met_s: Option<f64>,
    /// Long polls by others than one holder, claims that came to nothing: conflicts seen.
    pub conflicts: u64,
}

/// Runs a calm network of this size.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "figures")]
pub fn measure(nodes: usize, seed: u64) -> Size {
    let mut world = World::new(&Setup::new(seed, nodes));
    let met = until(&mut world, 120_000, |world| world.all_see(nodes));
    world.run_until(world.now_ms() + 30_000);
    let (before, began) = (world.figures().clone(), Instant::now());
    let from = world.now_ms();
    world.run_until(from + CALM_MS);
    let cpu = began.elapsed().as_secs_f64();
    let after = world.figures().clone();
    let node_s = seconds(CALM_MS) * nodes as f64;
    let sample = |figures: &super::figures::Figures| {
        figures.encoded.values().fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1))
    };
    let (count, bytes) = (sample(&after).0 - sample(&before).0, sample(&after).1 - sample(&before).1);
    let messages = after.messages - before.messages;
    let each = bytes as f64 / (count.max(1) as f64);
    let dead = name(nodes - 1);
    world.plan(world.now_ms(), Act::Crash { node: dead, back_s: None, torn: false });
    let died = world.now_ms();
    let detected = until(&mut world, 120_000, |world| world.all_see(nodes - 1));
    Size {
        nodes,
        requests: messages as f64 / node_s,
        bytes: 2.0 * messages as f64 * each / node_s,
        steps: (after.steps - before.steps) as f64 / node_s,
        cpu_us: cpu * 1e6 / node_s,
        detection_s: detected.map(|at| seconds(at - died)),
        roster_bytes: world.roster_bytes(),
        met_s: met.map(seconds),
        conflicts: world.figures().all_conflicts(),
    }
}

fn until(world: &mut World, within: u64, holds: impl Fn(&World) -> bool) -> Option<u64> {
    let end = world.now_ms() + within;
    while world.now_ms() < end {
        world.run_until(world.now_ms() + 250);
        if holds(world) {
            return Some(world.now_ms());
        }
    }
    None
}

/// Long enough for every rhythm to show.
const CALM_MS: u64 = 60_000;
