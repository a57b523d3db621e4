//! Figures of single faults, over many seeds: how long the owner waits, and how often pollers met.

use super::act::{Act, Reach};
use super::dice::Dice;
use super::network::Wire;
use super::rules::Broken;
use super::setup::{Beat, Setup, name};
use super::world::World;

/// A fault of the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// Its process dies.
    Killed,
    /// Its process dies, and is started again on the same host half a second later.
    RestartedInPlace,
    /// Its host loses power.
    PowerCut,
    /// SIGTERM.
    Stopped,
    /// Telegram refuses it.
    Refused,
    /// Telegram is silent to it.
    Silent,
    /// It is cut off from all other nodes, not from Telegram.
    CutOff,
    /// It is cut off from all other nodes and from Telegram.
    Isolated,
    /// It stands still for 20 s.
    Frozen,
}

/// All blows.
pub const BLOWS: [Blow; 9] = [
    Blow::Killed,
    Blow::RestartedInPlace,
    Blow::PowerCut,
    Blow::Stopped,
    Blow::Refused,
    Blow::Silent,
    Blow::CutOff,
    Blow::Isolated,
    Blow::Frozen,
];

/// What one blow came to.
#[derive(Debug, Clone)]
pub struct Struck {
    /// Milliseconds until the owner was answered.
    pub answered_ms: Option<u64>,
    /// By another node.
    pub by_another: bool,
    /// 409s that reached a living node.
    pub conflicts: u64,
    /// A rule that was broken, now or after the healing.
    pub broken: Option<Broken>,
}

impl Blow {
    fn acts(self, leader: &str, nodes: usize) -> Vec<Act> {
        let node = leader.to_owned();
        let others = (0..nodes).map(name).filter(|name| name != leader).collect();
        let cut = Act::Cut { sides: vec![vec![node.clone()], others], for_s: None };
        let telegram = |is| Act::Telegram { node: Some(node.clone()), is, for_s: None };
        match self {
            Self::Killed => vec![Act::Crash { node, back_s: None, torn: false, lost: false }],
            Self::RestartedInPlace => vec![Act::RestartInPlace { node, after_s: 0.5 }],
            Self::PowerCut => vec![Act::PowerOff { node, back_s: None }],
            Self::Stopped => vec![Act::Stop { node, back_s: None }],
            Self::Refused => vec![telegram(Reach::Refused)],
            Self::Silent => vec![telegram(Reach::Silent)],
            Self::CutOff => vec![cut],
            Self::Isolated => vec![cut, telegram(Reach::Silent)],
            Self::Frozen => vec![Act::Freeze { node, for_s: 20.0 }],
        }
    }
}

/// Strikes the leader of a calm network, lets the owner ask right after, and heals everything in the end.
#[must_use]
pub fn strike(seed: u64, nodes: usize, blow: Blow, beat: Beat) -> Struck {
    strike_over(Wire::default(), seed, nodes, blow, beat)
}

/// The same where the ways between the nodes are so much longer.
#[must_use]
pub fn strike_over(wire: Wire, seed: u64, nodes: usize, blow: Blow, beat: Beat) -> Struck {
    let mut world = World::new(&Setup { beat, wire, ..Setup::new(seed, nodes) });
    let mut dice = Dice::new(seed);
    world.run_until(30_000 + dice.below(10_000));
    let leader = world.leader_name().unwrap_or_default();
    let at = world.now_ms();
    for act in blow.acts(&leader, nodes) {
        world.plan(at, act);
    }
    // A leader that stops gracefully answers what it has in hand: the owner asks when it has begun to stop.
    let after = if blow == Blow::Stopped { 100 + dice.below(400) } else { 1 };
    world.plan(at + after, Act::Say { text: "/nodes".to_owned() });
    world.run_until(at + 40_000);
    let answered = world.answer_to(0);
    let conflicts = world.figures().all_conflicts();
    let broken = world.broken().cloned().or_else(|| {
        world.heal();
        world.finish().err()
    });
    Struck {
        answered_ms: answered.as_ref().map(|(ms, _)| *ms),
        by_another: answered.is_some_and(|(_, by)| by != leader),
        conflicts,
        broken,
    }
}

/// What a time without any fault came to.
#[derive(Debug, Clone)]
pub struct Calm {
    /// Another node held the lease than the second before, after the first minute.
    pub failovers: u64,
    /// Times that a node that ran was down to another, counted each second.
    pub down: u64,
    /// Messages of alerts: in such a time each is a false one.
    pub alerts: u64,
    /// 409s.
    pub conflicts: u64,
    /// A rule that was broken.
    pub broken: Option<Broken>,
}

/// Leaves a network over such wires alone for some minutes, after a minute in which it finds itself.
#[must_use]
pub fn calm(seed: u64, nodes: usize, wire: Wire, minutes: u64) -> Calm {
    let mut world = World::new(&Setup { wire, ..Setup::new(seed, nodes) });
    world.run_until(60_000);
    let mut calm = Calm { failovers: 0, down: 0, alerts: 0, conflicts: 0, broken: None };
    let mut leader = world.leader_name();
    while world.now_ms() < (minutes + 1) * 60_000 && world.broken().is_none() {
        world.run_until(world.now_ms() + 1_000);
        let now = world.leader_name();
        calm.failovers += u64::from(now != leader);
        leader = now;
        calm.down += u64::from(!world.all_see(nodes));
    }
    calm.alerts = world.told()[0];
    calm.conflicts = world.figures().all_conflicts();
    calm.broken = world.broken().cloned();
    calm
}
