//! Many memberships in virtual time: messages take 5 to 50 ms, may be lost, and pass no cut. What the node's glue does is done here:
//! digests ride on each message, and views are exchanged where [`Membership::sync_due`] says so.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId};
use constella_shared::wire::heartbeat::Digest;
use constella_shared::wire::rpc::Status;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::{Effect, MemberTimer, Membership};
use crate::clock::Now;
use crate::config::Settings;
use crate::roster::fake::node;

enum Event {
    Timer { at: usize, life: u32, timer: MemberTimer },
    Frames { from: usize, to: usize, frames: Vec<String>, digest: Digest },
    SyncAsk { from: usize, to: usize, members: Vec<String> },
    SyncAnswer { to: usize, members: Vec<String> },
}

struct Running {
    membership: Membership,
    up: bool,
    life: u32,
    generation: Generation,
    removed: BTreeSet<NodeId>,
}

pub(super) struct Cluster {
    nodes: Vec<Running>,
    queue: BTreeMap<(u64, u64), Event>,
    events: u64,
    now_ms: u64,
    rng: StdRng,
    left_side: usize,
    pub(super) loss_percent: u32,
    pub(super) broken: Option<(usize, usize)>,
    /// Who told what of whom, by index, since it was last forgotten.
    pub(super) statuses: Vec<(usize, usize, Status)>,
    /// Since when somebody is really gone.
    gone: BTreeSet<usize>,
    cost: (u64, u64, u64),
}

impl Cluster {
    pub(super) fn new(size: usize, seed: u64) -> Self {
        let mut cluster = Self {
            nodes: Vec::new(),
            queue: BTreeMap::new(),
            events: 0,
            now_ms: 0,
            rng: StdRng::seed_from_u64(seed),
            left_side: 0,
            loss_percent: 0,
            broken: None,
            statuses: Vec::new(),
            gone: BTreeSet::new(),
            cost: (0, 0, 0),
        };
        for at in 0..size {
            let membership = cluster.membership(at, Generation(1));
            let removed = BTreeSet::new();
            cluster.nodes.push(Running { membership, up: true, life: 0, generation: Generation(1), removed });
        }
        for at in 0..size {
            cluster.start(at);
        }
        cluster
    }

    fn membership(&mut self, at: usize, generation: Generation) -> Membership {
        Membership::new(node(at as u64 + 1), generation, &Settings::default(), self.rng.random())
    }

    fn start(&mut self, at: usize) {
        let now = self.now(at);
        let started = self.nodes[at].membership.start(now);
        self.perform(at, started);
        self.introduce(at);
    }

    fn introduce(&mut self, at: usize) {
        let now = self.now(at);
        let running = &mut self.nodes[at];
        let removed = running.removed.clone();
        let size = self.nodes.len() as u64;
        let members = (1..=size).map(node).filter(|node| !removed.contains(node));
        let effects = self.nodes[at].membership.known(now, members);
        self.perform(at, effects);
    }

    /// Every node has another CLOCK_BOOTTIME, and none looks at the wall clock.
    fn now(&self, at: usize) -> Now {
        Now { boot_ms: self.now_ms + at as u64 * 1_000_003, unix_ms: (at as u64) << 40 }
    }

    pub(super) fn node(&self, at: usize) -> &Membership {
        &self.nodes[at].membership
    }

    pub(super) fn kill(&mut self, at: usize) {
        self.nodes[at].up = false;
        self.nodes[at].life += 1;
        self.gone.insert(at);
    }

    pub(super) fn restart(&mut self, at: usize) {
        let generation = self.nodes[at].generation.next();
        self.restart_as(at, generation);
    }

    pub(super) fn restart_as(&mut self, at: usize, generation: Generation) {
        let membership = self.membership(at, generation);
        let running = &mut self.nodes[at];
        (running.membership, running.up, running.generation) = (membership, true, generation);
        self.gone.remove(&at);
        self.start(at);
    }

    pub(super) fn leave(&mut self, at: usize) {
        self.gone.insert(at);
        let now = self.now(at);
        let effects = self.nodes[at].membership.leave(now);
        self.perform(at, effects);
    }

    pub(super) fn remove(&mut self, at: usize, removed: usize) {
        self.nodes[at].removed.insert(node(removed as u64 + 1));
        self.introduce(at);
    }

    pub(super) fn learn(&mut self, at: usize, member: usize) {
        self.nodes[at].removed.remove(&node(member as u64 + 1));
        self.introduce(at);
    }

    pub(super) fn import(&mut self, at: usize, members: &[String]) {
        let now = self.now(at);
        let effects = self.nodes[at].membership.import(now, members);
        self.perform(at, effects);
    }

    pub(super) fn cut(&mut self, left_side: usize) {
        self.left_side = left_side;
    }

    pub(super) fn heal(&mut self) {
        self.left_side = 0;
    }

    pub(super) fn forget_statuses(&mut self) {
        self.statuses.clear();
    }

    pub(super) fn reset_cost(&mut self) {
        self.cost = (self.now_ms, 0, 0);
    }

    /// Frames and bytes that a node sent per second.
    pub(super) fn cost_per_node(&self) -> (f64, f64) {
        let per = |count: u64| count as f64 * 1_000.0 / (self.now_ms - self.cost.0) as f64 / self.nodes.len() as f64;
        (per(self.cost.1), per(self.cost.2))
    }

    /// Told down although it was up and on the same side.
    pub(super) fn falsely_down(&self) -> Vec<(usize, usize)> {
        let false_one = |(by, of, status): &&(usize, usize, Status)| {
            *status == Status::Down
                && !self.gone.contains(of)
                && !self.nodes[*by].removed.contains(&node(*of as u64 + 1))
        };
        self.statuses.iter().filter(false_one).map(|(by, of, _)| (*by, *of)).collect()
    }

    pub(super) fn all_see(&self, of: usize, status: Status) -> bool {
        let seen = |(at, running): (usize, &Running)| {
            at == of || !running.up || running.membership.status(&node(of as u64 + 1)) == status
        };
        self.nodes.iter().enumerate().all(seen)
    }

    /// Whether the views of all that are up have one digest.
    pub(super) fn agrees(&self) -> bool {
        let mut digests = self.nodes.iter().filter(|running| running.up).map(|running| running.membership.digest());
        let first = digests.next();
        digests.all(|digest| Some(digest) == first)
    }

    pub(super) fn run(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    /// Until it holds, at most so long; how long it took.
    pub(super) fn run_until(&mut self, ms: u64, holds: impl Fn(&Self) -> bool) -> u64 {
        let (from, end) = (self.now_ms, self.now_ms + ms);
        let mut checked = from;
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at_ms, _), event) = entry.remove_entry();
            self.now_ms = at_ms;
            // Looked at every 50 ms: the check visits all nodes.
            if at_ms >= checked + 50 {
                checked = at_ms;
                if holds(self) {
                    return at_ms - from;
                }
            }
            self.handle(event);
        }
        self.now_ms = end;
        ms
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Timer { at, life, timer } => {
                if self.nodes[at].up && self.nodes[at].life == life {
                    let now = self.now(at);
                    let effects = self.nodes[at].membership.timer(now, timer);
                    self.perform(at, effects);
                }
            }
            Event::Frames { from, to, frames, digest } => {
                let now = self.now(to);
                let effects = self.nodes[to].membership.frames(now, node(from as u64 + 1), &frames);
                self.perform(to, effects);
                let knows = !self.nodes[to].removed.contains(&node(from as u64 + 1));
                if knows && self.nodes[to].membership.sync_due(now, digest) {
                    let members = self.nodes[to].membership.export();
                    self.post(to, from, Event::SyncAsk { from: to, to: from, members });
                }
            }
            Event::SyncAsk { from, to, members } => {
                self.import(to, &members);
                let members = self.nodes[to].membership.export();
                self.post(to, from, Event::SyncAnswer { to: from, members });
            }
            Event::SyncAnswer { to, members } => self.import(to, &members),
        }
    }

    fn perform(&mut self, at: usize, effects: Vec<Effect>) {
        let mut batches: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
        for effect in effects {
            match effect {
                Effect::Send { to, frame } => batches.entry(to).or_default().push(frame),
                Effect::Timer { after_ms, timer } => {
                    let life = self.nodes[at].life;
                    self.queue_at(self.now_ms + after_ms, Event::Timer { at, life, timer });
                }
                Effect::Status { node, status } => self.statuses.push((at, index(&node), status)),
            }
        }
        let digest = self.nodes[at].membership.digest();
        for (to, frames) in batches {
            let to = index(&to);
            self.cost.1 += frames.len() as u64;
            self.cost.2 += frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
            self.post(at, to, Event::Frames { from: at, to, frames, digest });
        }
    }

    /// On its way, unless it is lost.
    fn post(&mut self, from: usize, to: usize, event: Event) {
        let sides_differ = self.left_side > 0 && (from < self.left_side) != (to < self.left_side);
        let broken = self.broken.is_some_and(|(one, other)| (from, to) == (one, other) || (from, to) == (other, one));
        let lost = self.rng.random_range(0..100) < self.loss_percent;
        if self.nodes[to].up && self.nodes[from].up && !sides_differ && !broken && !lost {
            let delay = self.rng.random_range(5..50);
            self.queue_at(self.now_ms + delay, event);
        }
    }

    fn queue_at(&mut self, at_ms: u64, event: Event) {
        self.events += 1;
        self.queue.insert((at_ms, self.events), event);
    }
}

/// The place of a node of [`node`] in the cluster.
fn index(node: &NodeId) -> usize {
    let number = node.0.iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
    usize::try_from(number).unwrap() - 1
}
