//! Two processes under one identity, as another node sees them: a copied state folder, or a restored backup beside the original.
//!
//! A process is told by its boot generation and the reading of its own CLOCK_BOOTTIME at its start, which never changes while it runs. One process of a
//! node ends before the next one starts (they lock the state folder), so a word that a process sent after a later process had started comes from a
//! second one. When a word was sent is told by the clock of its sender, so that a word that was on its way for long is no sign. A node that lost its
//! disk begins to count anew: an earlier generation that starts later says nothing.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId};
use constella_shared::wire::heartbeat::Facts;

use crate::clock::Now;

#[cfg(test)]
mod tests;

/// The processes of each member that spoke to this node lately.
#[derive(Debug, Clone, Default)]
pub struct Twins(BTreeMap<NodeId, Heard>);

#[derive(Debug, Clone, Default)]
struct Heard {
    /// The processes that spoke lately, the one that spoke last at the end.
    processes: VecDeque<Process>,
    /// When signs of a second process came, oldest first.
    signs: VecDeque<u64>,
}

/// One start of a member, by this node's CLOCK_BOOTTIME.
#[derive(Debug, Clone, Copy)]
struct Process {
    generation: Generation,
    /// Its own CLOCK_BOOTTIME when it started.
    born: u64,
    /// When it started, or a little later, as its first word told: a word takes time, and the clocks may be paused after it.
    start: u64,
    /// How far this node's clock is ahead of the process's, the time of the fastest word on its way included.
    ahead: i64,
    /// When it spoke last.
    spoke_at: u64,
}

impl Twins {
    /// A member's facts came.
    pub fn heard(&mut self, now: Now, node: NodeId, facts: &Facts) {
        self.0.entry(node).or_default().heard(now.boot_ms, facts);
    }

    /// Only members count.
    pub fn retain(&mut self, is_member: impl Fn(&NodeId) -> bool) {
        self.0.retain(|node, _| is_member(node));
    }

    /// Members of which two processes seem to run.
    #[must_use]
    pub fn suspects(&self, now: Now) -> Vec<NodeId> {
        let is_twin = |heard: &Heard| heard.signs.iter().filter(|at| now.since(**at) < SIGNS_MS).count() >= SIGNS;
        self.0.iter().filter(|(_, heard)| is_twin(heard)).map(|(node, _)| *node).collect()
    }
}

impl Heard {
    fn heard(&mut self, now: u64, facts: &Facts) {
        self.processes.retain(|process| now.saturating_sub(process.spoke_at) < SIGNS_MS);
        let born = facts.boot_ms.saturating_sub(facts.up_ms);
        let same = |process: &Process| (process.generation, process.born) == (facts.generation, born);
        let (start, ahead) = (now.saturating_sub(facts.up_ms), ahead(now, facts.boot_ms));
        let known = self.processes.iter().position(same).and_then(|at| self.processes.remove(at));
        let Some(known) = known else {
            // When its first word was sent is not known.
            return self.keep(Process { generation: facts.generation, born, start, ahead, spoke_at: now });
        };
        // Boot clocks run up to 1 % apart, each from true time.
        let drift = now.saturating_sub(known.spoke_at) / DRIFT;
        let ahead = ahead.min(known.ahead.saturating_add_unsigned(drift));
        let sent_at = i64::try_from(facts.boot_ms).ok().and_then(|boot_ms| boot_ms.checked_add(ahead));
        let sent_at = sent_at.and_then(|at| u64::try_from(at).ok()).unwrap_or(0);
        let is_later = |other: &Process| other.generation >= known.generation && other.start > known.start;
        let speaks_after = |other: &Process| sent_at > other.start.saturating_add(NEAR_MS).saturating_add(drift);
        let is_sign = self.processes.iter().any(|other| is_later(other) && speaks_after(other));
        self.keep(Process { ahead, spoke_at: now, ..known });
        if is_sign && self.signs.back().is_none_or(|at| now.saturating_sub(*at) >= APART_MS) {
            self.signs.push_back(now);
            if self.signs.len() > SIGNS {
                self.signs.pop_front();
            }
        }
    }

    fn keep(&mut self, process: Process) {
        self.processes.push_back(process);
        if self.processes.len() > PROCESSES {
            self.processes.pop_front();
        }
    }
}

fn ahead(now: u64, boot_ms: u64) -> i64 {
    let (now, boot_ms) = (i64::try_from(now).unwrap_or(i64::MAX), i64::try_from(boot_ms).unwrap_or(i64::MAX));
    now.saturating_sub(boot_ms)
}

/// Signs that are a proof: when a word was sent is known but nearly, and a machine that was paused reads it late.
const SIGNS: usize = 3;

/// Within so long: two processes of one identity end each other, and an engine starts them again after a minute at most.
const SIGNS_MS: u64 = 5 * 60_000;

/// Words that a wire held up arrive together, and are one sign.
const APART_MS: u64 = 5_000;

/// A word that was sent so soon after the start of a later process may have been sent before it: the fastest word over a slow wire takes a second.
const NEAR_MS: u64 = 2_000;

/// Two clocks that run 1 % apart from true time, each, differ by a fiftieth of the time between.
const DRIFT: u64 = 50;

/// So many starts of one member are told apart (S6).
const PROCESSES: usize = 8;
