//! What a run counts.

use std::collections::{BTreeMap, BTreeSet};

use super::act::Act;

/// Sums of one run, or of many.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Steps of all cores.
    pub steps: u64,
    /// Requests between nodes.
    pub messages: u64,
    /// Files written.
    pub writes: u64,
    /// Milliseconds until each view was first on the owner's screen.
    pub views: Vec<u64>,
    /// Calls to the Bot API.
    pub bot_calls: u64,
    /// Long polls among them.
    pub polls: u64,
    /// Who polled, by name.
    pub pollers: BTreeSet<String>,
    /// Processes that died.
    pub crashes: u64,
    /// Reboots that an agent was asked for.
    pub reboots: u64,
    /// What was done to the network, by its word.
    pub acts: BTreeMap<&'static str, u64>,
    /// The faults by time, for telling which one a conflict followed.
    pub faults: Vec<(u64, &'static str)>,
    /// 409s that reached a living node, each with the last fault before it.
    pub conflicts: BTreeMap<&'static str, u64>,
    /// What the owner was told of alerts: messages with raises, sounds, notes on ends, messages that told a second time, nodes said to be down.
    pub told: [u64; 5],
    /// Messages that went through JSON, and their bytes, by kind.
    pub encoded: BTreeMap<&'static str, (u64, u64)>,
}

impl Figures {
    pub(super) fn acted(&mut self, t: u64, act: &Act) {
        *self.acts.entry(act.word()).or_default() += 1;
        if !act.is_owner() {
            self.faults.push((t, act.word()));
        }
    }

    pub(super) fn encoded(&mut self, kind: &'static str, bytes: usize) {
        let (count, sum) = self.encoded.entry(kind).or_default();
        *count += 1;
        *sum += bytes as u64;
    }

    pub(super) fn conflict(&mut self) {
        let cause = self.faults.last().map_or("nothing", |(_, word)| *word);
        *self.conflicts.entry(cause).or_default() += 1;
    }

    /// 409s in all.
    #[must_use]
    pub fn all_conflicts(&self) -> u64 {
        self.conflicts.values().sum()
    }

    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.messages += other.messages;
        self.writes += other.writes;
        self.views.extend(&other.views);
        self.bot_calls += other.bot_calls;
        self.polls += other.polls;
        self.pollers.extend(other.pollers.iter().cloned());
        self.crashes += other.crashes;
        self.reboots += other.reboots;
        for (sum, count) in self.told.iter_mut().zip(other.told) {
            *sum += count;
        }
        for (word, count) in &other.acts {
            *self.acts.entry(word).or_default() += count;
        }
        for (cause, count) in &other.conflicts {
            *self.conflicts.entry(cause).or_default() += count;
        }
        for (kind, (count, bytes)) in &other.encoded {
            let sum = self.encoded.entry(kind).or_default();
            *sum = (sum.0 + count, sum.1 + bytes);
        }
    }
}
