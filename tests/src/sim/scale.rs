//! Figures of size: what a calm network costs, and how fast it learns.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::act::Act;
use super::figures::Figures;
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
    /// Microseconds of CPU of a core in a second: its steps alone, without the simulator around them.
    pub cpu_us: f64,
    /// Seconds until every node knew that another is dead; None: not within two minutes.
    pub detection_s: Option<f64>,
    /// Seconds from the start of a new node's process until all saw it, and it saw all; None: not within two minutes.
    pub joined_s: Option<f64>,
    /// Bytes of `network_state.json`.
    pub roster_bytes: usize,
    /// Bytes of memory of one core: what the process grew by since no node ran, with the simulator's events.
    pub core_bytes: u64,
    /// Seconds from the first start until all saw all; None: not within two minutes.
    pub met_s: Option<f64>,
    /// Conflicts seen.
    pub conflicts: u64,
}

/// Runs a calm network of this size.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "figures")]
pub fn measure(nodes: usize, seed: u64) -> Size {
    let mut world = World::new(&Setup::new(seed, nodes));
    let empty = resident_bytes();
    let met = until(&mut world, LEARNT_MS, |world| world.all_see(nodes));
    world.run_until(world.now_ms() + SETTLED_MS);
    let core_bytes = resident_bytes().saturating_sub(empty) / nodes.max(1) as u64;
    let before = world.figures().clone();
    let core_ns: u64 = calm(&mut world).iter().sum();
    let after = world.figures().clone();
    let node_s = seconds(CALM_MS) * nodes as f64;
    let sample =
        |figures: &Figures| figures.encoded.values().fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
    let (count, bytes) = (sample(&after).0 - sample(&before).0, sample(&after).1 - sample(&before).1);
    let messages = after.messages - before.messages;
    let each = bytes as f64 / (count.max(1) as f64);
    let joined_s = joins(&mut world, nodes);
    let detection_s = dies(&mut world, &name(nodes - 1), nodes + usize::from(joined_s.is_some()));
    Size {
        nodes,
        requests: messages as f64 / node_s,
        bytes: 2.0 * messages as f64 * each / node_s,
        steps: (after.steps - before.steps) as f64 / node_s,
        cpu_us: core_ns as f64 / 1e3 / node_s,
        detection_s,
        joined_s,
        roster_bytes: world.roster_bytes(),
        core_bytes,
        met_s: met.map(seconds),
        conflicts: world.figures().all_conflicts(),
    }
}

/// The CPU time of single steps in a calm network of this size.
#[must_use]
pub fn steps(nodes: usize, seed: u64) -> Vec<Duration> {
    let mut world = World::new(&Setup::new(seed, nodes));
    until(&mut world, LEARNT_MS, |world| world.all_see(nodes));
    world.run_until(world.now_ms() + SETTLED_MS);
    calm(&mut world).into_iter().map(Duration::from_nanos).collect()
}

/// The minute that counts; a function of its own, so that a profiler can be told to look at nothing else. The CPU time of each step, nanoseconds.
#[inline(never)]
fn calm(world: &mut World) -> Vec<u64> {
    world.keep_time();
    world.run_until(world.now_ms() + CALM_MS);
    world.take_time()
}

fn joins(world: &mut World, nodes: usize) -> Option<f64> {
    let newcomer = "newcomer";
    world.plan(world.now_ms(), Act::Join { name: newcomer.to_owned(), seed: name(0) });
    let started = until(world, LEARNT_MS, |world| world.runs(newcomer))?;
    until(world, LEARNT_MS, |world| world.all_see(nodes + 1)).map(|at| seconds(at - started))
}

fn dies(world: &mut World, which: &str, nodes: usize) -> Option<f64> {
    world.run_until(world.now_ms() + CALM_MS);
    let died = world.now_ms();
    world.plan(died, Act::PowerOff { node: which.to_owned(), back_s: None });
    until(world, LEARNT_MS, |world| world.all_see(nodes - 1)).map(|at| seconds(at - died))
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

/// CPU time of this thread, nanoseconds; it does not count what other programs take from it.
pub(super) fn thread_ns() -> u64 {
    let spent = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    spent.map_or(0, |spent| u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX))
}

/// Memory of this process, as `/proc/self/status` says it.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

/// Long enough for every rhythm to show.
const CALM_MS: u64 = 60_000;

/// From the moment at which all have met until the calm is measured: what the start left behind is over.
const SETTLED_MS: u64 = 60_000;

/// Nothing takes longer to be known.
const LEARNT_MS: u64 = 120_000;
