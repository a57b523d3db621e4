//! Rules on how the owner is served: grants by sequence number (L1), conflicts of one poller (F1), polling after a lost majority (F2).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use constella_core::io::{BotState, InboundId};
use constella_core::node::inspect::Inspection;
use constella_shared::ids::{NodeId, Seq, Term};
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, Strength};

use super::super::host::Host;

/// What these rules remember.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// Asks on their way through a voter's core: voter and its life, holder, number.
    asks: BTreeMap<InboundId, ((usize, u64), NodeId, Seq, Term)>,
    /// The newest number that each life of a voter granted, by holder.
    granted: BTreeMap<((usize, u64), NodeId), Seq>,
    /// 409s of each host within the last minute, by its CLOCK_BOOTTIME.
    conflicts: BTreeMap<usize, VecDeque<u64>>,
    /// How each host held and what it did at the bot, a step ago.
    before: BTreeMap<usize, (Strength, BotState)>,
    /// To whom conflicts proved a stranger: who resumes after that polls by F3, in either strength.
    proven: BTreeSet<usize>,
    /// Since when each host polls without a break.
    polling: BTreeMap<usize, u64>,
}

impl Service {
    pub(super) fn died(&mut self, at: usize) {
        self.before.remove(&at);
        self.conflicts.remove(&at);
        self.proven.remove(&at);
        self.polling.remove(&at);
    }

    pub(super) fn asked(&mut self, inbound: InboundId, voter: (usize, u64), ask: &LeaseAsk) {
        self.asks.insert(inbound, (voter, ask.holder.node, ask.seq, ask.term));
    }

    /// The host of the voter that was asked, and what it grants if it grants.
    pub(super) fn promised(&self, inbound: InboundId) -> Option<(usize, NodeId, Term)> {
        self.asks.get(&inbound).map(|((host, _), holder, _, term)| (*host, *holder, *term))
    }

    /// What is wrong with this vote.
    pub(super) fn voted(&mut self, inbound: InboundId, answer: &LeaseAnswer) -> Option<String> {
        let (voter, holder, seq, _) = self.asks.remove(&inbound)?;
        if !matches!(answer, LeaseAnswer::Granted { .. }) {
            return None;
        }
        let before = self.granted.insert((voter, holder), seq);
        before.filter(|before| *before >= seq).map(|before| format!("a voter granted {seq:?} after {before:?}"))
    }

    /// At its own CLOCK_BOOTTIME. True where one process met more conflicts within a minute than the eighth, which proves a stranger, and what watching can cost after it.
    pub(super) fn conflicted(&mut self, boot_ms: u64, at: usize) -> bool {
        let row = self.conflicts.entry(at).or_default();
        row.push_back(boot_ms);
        row.retain(|before| boot_ms - before < MINUTE_MS);
        row.len() > MOST_CONFLICTS
    }

    /// F1: whether a stranger was proven to this process, and it has not polled undisturbed for a minute since.
    pub(super) fn knows_a_stranger(&self, at: usize) -> bool {
        self.proven.contains(&at)
    }

    /// F1: who holds with a majority stops polling only where conflicts proved a stranger. F2: who polled with a majority does not go on polling
    /// without one, unless it resumed after a stranger.
    pub(super) fn stepped(
        &mut self,
        t: u64,
        host: &Host,
        at: usize,
        seen: &Inspection,
    ) -> Option<(&'static str, String)> {
        let now = seen.lease.as_ref().map(|lease| (lease.strength, seen.bot));
        let before = match now {
            Some(now) => self.before.insert(at, now),
            None => self.before.remove(&at),
        };
        let kept =
            before == Some((Strength::Strong, BotState::Polling)) && now == Some((Strength::Weak, BotState::Polling));
        let gave_up = before == Some((Strength::Strong, BotState::Polling))
            && now == Some((Strength::Strong, BotState::Watching));
        let proven = self.proven.contains(&at) || self.conflicts.get(&at).is_some_and(|row| row.len() >= PROOF);
        // What was proven before this step counts in it: a process that stood still for the rest of the minute knows it still.
        let knew = self.proven.contains(&at);
        self.learns(host.clock.now(t).boot_ms, at, seen);
        // What could not be stored is put down, and comes again: a lease that has just become strong watches for the rest of its first moments.
        if gave_up && !proven && host.full.is_none() {
            return Some(("F1", format!("{} has a majority and stops polling, and no stranger was proven", host.name)));
        }
        if gave_up {
            self.proven.insert(at);
        }
        (kept && !knew).then(|| ("F2", format!("{} lost its majority and polls on", host.name)))
    }

    /// A minute of polling without a conflict, or a title that is gone, ends what was proven.
    fn learns(&mut self, boot_ms: u64, at: usize, seen: &Inspection) {
        match seen.bot {
            BotState::Polling => {
                let since = *self.polling.entry(at).or_insert(boot_ms);
                if boot_ms.saturating_sub(since) > MINUTE_MS + SLACK_MS {
                    self.proven.remove(&at);
                }
            }
            BotState::Watching => {
                self.polling.remove(&at);
            }
            BotState::Idle | BotState::Holding => {
                self.polling.remove(&at);
                self.proven.remove(&at);
            }
        }
    }
}

/// F1 counts over a minute, by its own CLOCK_BOOTTIME.
const MINUTE_MS: u64 = 60_000;

/// A clock may run 1 % apart from true time, and what a step finds over is acted on in the next.
const SLACK_MS: u64 = 5_000;

/// F1: the first count that can prove a stranger.
const PROOF: usize = 3;

/// Eight, and each of a watcher's, whose patience doubles from 1.5 s to a minute.
const MOST_CONFLICTS: usize = 14;
