//! Rules on how the owner is served: grants by sequence number (L1), conflicts of one poller (F1), polling after a lost majority (F2).

use std::collections::{BTreeMap, VecDeque};

use constella_core::io::{BotState, InboundId};
use constella_core::node::inspect::Inspection;
use constella_shared::ids::{NodeId, Seq};
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, Strength};

use super::super::host::Host;

/// What these rules remember.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// Asks on their way through a voter's core: voter and its life, holder, number.
    asks: BTreeMap<InboundId, ((usize, u64), NodeId, Seq)>,
    /// The newest number that each life of a voter granted, by holder.
    granted: BTreeMap<((usize, u64), NodeId), Seq>,
    /// 409s of each host within the last minute.
    conflicts: BTreeMap<usize, VecDeque<u64>>,
    /// How each host held and what it did at the bot, a step ago.
    before: BTreeMap<usize, (Strength, BotState)>,
    /// A 409 proved a stranger to somebody: who resumes after that polls by F3, in either strength.
    pub(super) strangers: bool,
}

impl Service {
    pub(super) fn died(&mut self, at: usize) {
        self.before.remove(&at);
        self.conflicts.remove(&at);
    }

    pub(super) fn asked(&mut self, inbound: InboundId, voter: (usize, u64), ask: &LeaseAsk) {
        self.asks.insert(inbound, (voter, ask.holder.node, ask.seq));
    }

    /// What is wrong with this vote.
    pub(super) fn voted(&mut self, inbound: InboundId, answer: &LeaseAnswer) -> Option<String> {
        let (voter, holder, seq) = self.asks.remove(&inbound)?;
        if !matches!(answer, LeaseAnswer::Granted { .. }) {
            return None;
        }
        let before = self.granted.insert((voter, holder), seq);
        before.filter(|before| *before >= seq).map(|before| format!("a voter granted {seq:?} after {before:?}"))
    }

    /// True where one process met more conflicts within a minute than the eighth, which proves a stranger, and what watching can cost after it.
    pub(super) fn conflicted(&mut self, t: u64, at: usize) -> bool {
        let row = self.conflicts.entry(at).or_default();
        row.push_back(t);
        row.retain(|before| t - before < MINUTE_MS);
        self.strangers |= row.len() >= PROOF;
        row.len() > MOST_CONFLICTS
    }

    /// F2: who polled with a majority does not go on polling without one.
    pub(super) fn stepped(&mut self, host: &Host, at: usize, seen: &Inspection) -> Option<(&'static str, String)> {
        let now = seen.lease.as_ref().map(|lease| (lease.strength, seen.bot));
        let before = match now {
            Some(now) => self.before.insert(at, now),
            None => self.before.remove(&at),
        };
        let kept =
            before == Some((Strength::Strong, BotState::Polling)) && now == Some((Strength::Weak, BotState::Polling));
        (kept && !self.strangers).then(|| ("F2", format!("{} lost its majority and polls on", host.name)))
    }
}

/// F1 counts over a minute.
const MINUTE_MS: u64 = 60_000;

/// F1: the first count that can prove a stranger.
const PROOF: usize = 3;

/// Eight, and each of a watcher's, whose patience doubles from 1.5 s to a minute.
const MOST_CONFLICTS: usize = 14;
