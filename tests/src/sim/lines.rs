//! Connections between hosts, as the shell's pool keeps them: who has one to spare sends at once, and anyone else dials first, which takes two
//! round trips (TCP and TLS).

use std::collections::{BTreeMap, VecDeque};

/// Connections of each host to each other one.
#[derive(Debug, Default)]
pub(super) struct Lines {
    idle: BTreeMap<(usize, usize), Vec<Line>>,
    /// Calls without a connection, in their order.
    waiting: BTreeMap<(usize, usize), VecDeque<u64>>,
}

/// One connection, good between two lives of the hosts' processes.
#[derive(Debug, Clone, Copy)]
struct Line {
    lives: (u64, u64),
    since: u64,
}

impl Lines {
    /// Takes the youngest that is open; None where there is none, else how many are left.
    pub(super) fn take(&mut self, t: u64, way: (usize, usize), lives: (u64, u64)) -> Option<usize> {
        let idle = self.idle.get_mut(&way)?;
        idle.retain(|line| line.lives == lives && t.saturating_sub(line.since) < IDLE_MS);
        let left = idle.len().checked_sub(1);
        idle.pop();
        if idle.is_empty() {
            self.idle.remove(&way);
        }
        left
    }

    /// A call gets the next connection that is made or free.
    pub(super) fn wait(&mut self, way: (usize, usize), flight: u64) {
        self.waiting.entry(way).or_default().push_back(flight);
    }

    /// Who has waited longest.
    pub(super) fn waiting(&mut self, way: (usize, usize)) -> Option<u64> {
        let waiting = self.waiting.get_mut(&way)?;
        let first = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&way);
        }
        first
    }

    /// A connection is free.
    pub(super) fn keep(&mut self, t: u64, way: (usize, usize), lives: (u64, u64)) {
        let idle = self.idle.entry(way).or_default();
        if idle.len() < POOL {
            idle.push(Line { lives, since: t });
        }
    }

    /// The process of a host is gone, and its connections with it.
    pub(super) fn gone(&mut self, host: usize) {
        self.idle.retain(|(from, _), _| *from != host);
        self.waiting.retain(|(from, _), _| *from != host);
    }
}

/// As `PEER_POOL` and `PEER_POOL_IDLE_MS`.
const POOL: usize = constella_shared::limits::PEER_POOL;
const IDLE_MS: u64 = constella_shared::limits::PEER_POOL_IDLE_MS;
