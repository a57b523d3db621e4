//! Two processes under one identity, as another node sees them: a copied state folder, or a restored backup beside the original.
//!
//! One process speaks under one boot generation, its start stays where it is, and after a restart only the later generation speaks. A word of an earlier
//! one may still be on its way; several of them, each after another later one, come from a process that runs.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use constella_shared::ids::{Generation, NodeId};

use crate::clock::Now;

/// What was heard of each member's process.
#[derive(Debug, Clone, Default)]
pub struct Twins(BTreeMap<NodeId, Heard>);

#[derive(Debug, Clone)]
struct Heard {
    newest: Generation,
    /// When processes of the newest generation started, by this node's CLOCK_BOOTTIME; the one that spoke last is first.
    starts: [Option<u64>; 2],
    /// Under which newest generation an earlier one spoke last.
    stale_under: Option<Generation>,
    /// When signs of a second process came, oldest first.
    signs: VecDeque<u64>,
}

impl Twins {
    /// A member's facts came: its boot generation, and for how long its process has been running.
    pub fn heard(&mut self, now: Now, node: NodeId, generation: Generation, up_ms: u64) {
        let fresh = || Heard { newest: generation, starts: [None; 2], stale_under: None, signs: VecDeque::new() };
        let heard = self.0.entry(node).or_insert_with(fresh);
        if generation > heard.newest {
            (heard.newest, heard.starts) = (generation, [None; 2]);
        }
        let is_sign = if generation < heard.newest {
            // Several words that are on their way at one restart are one sign.
            heard.stale_under.replace(heard.newest) != Some(heard.newest)
        } else {
            heard.is_back(now.boot_ms.saturating_sub(up_ms))
        };
        if is_sign {
            heard.signs.push_back(now.boot_ms);
            if heard.signs.len() > SIGNS {
                heard.signs.pop_front();
            }
        }
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
    /// Whether the process that spoke before the last one speaks again. A machine that was suspended moves its start once, and not back.
    fn is_back(&mut self, start: u64) -> bool {
        let [last, before] = self.starts;
        let near = |other: Option<u64>| other.is_some_and(|other| other.abs_diff(start) < SAME_START_MS);
        if last.is_none() || near(last) {
            self.starts = [Some(start), before];
            return false;
        }
        self.starts = [Some(start), last];
        near(before)
    }
}

/// Signs that are a proof: a single one may have been on its way over a slow wire.
const SIGNS: usize = 3;

/// Within so long: two processes of one identity end each other, and an engine starts them again after a minute at most.
const SIGNS_MS: u64 = 5 * 60_000;

/// Starts that differ by less are one: facts take a second over a slow wire, and a process takes longer to start again.
const SAME_START_MS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: NodeId = NodeId([9; 32]);

    /// Facts as second, generation, seconds of uptime; whether the node is suspected at the end.
    fn suspected(facts: impl IntoIterator<Item = (u64, u64, u64)>) -> bool {
        let (mut twins, mut last) = (Twins::default(), 0);
        for (second, generation, up_s) in facts {
            last = 1_000 * (100_000 + second);
            twins.heard(Now { boot_ms: last, unix_ms: 0 }, NODE, Generation(generation), up_s * 1_000);
        }
        twins.suspects(Now { boot_ms: last, unix_ms: 0 }) == [NODE]
    }

    #[test]
    fn one_process_and_its_restarts_are_no_twins() {
        // N2
        assert!(!suspected((0..900).map(|second| (second, 5, second))));
        assert!(!suspected((0..900).map(|second| (second, 5 + second / 10, second % 10))), "it restarts all the time");
        let late =
            (0..900).map(|second| if second == 300 { (300, 4, 250) } else { (second, 5 + second / 300, second % 300) });
        assert!(!suspected(late), "a word of the process before was on its way");
        let suspended = (0..900).map(|second| (second, 5, second - 60 * (second / 200)));
        assert!(!suspected(suspended), "its boot clock stood still four times");
    }

    #[test]
    fn two_processes_that_end_each_other_are_told() {
        // N2: each takes a higher generation when the other has superseded it, and says a word before that.
        let fight = (0..12).flat_map(|round| [(10 * round, 5 + round, 1), (10 * round + 2, 4 + round, 9)]);
        assert!(suspected(fight));
    }

    #[test]
    fn two_processes_of_one_generation_are_told() {
        // N2: both were started from one copy.
        let both = (0..60).flat_map(|second| [(second, 5, second + 30), (second, 5, second)]);
        assert!(suspected(both));
    }

    #[test]
    fn signs_of_long_ago_do_not_count() {
        // N2
        let fight = (0..12).flat_map(|round| [(10 * round, 5 + round, 1), (10 * round + 2, 4 + round, 9)]);
        assert!(!suspected(fight.chain((0..400).map(|second| (200 + second, 16, 90 + second)))));
    }
}
