//! N1: this node watches itself. Its agent's figures, the clocks of others, and its own calls become readings; the judge says what changed.

use alloc::vec::Vec;

use constella_shared::agent::Stats;
use constella_shared::ids::NodeId;
use constella_shared::state::JudgeState;
use constella_shared::wire::alert::{Kind, Subject, Transition, Value};

use super::Node;
use crate::alerts::boots::Boots;
use crate::alerts::judge::Judge;
use crate::alerts::readings::{self, OF_STATS, Reading};
use crate::alerts::rule::Sight;
use crate::alerts::twins::Twins;
use crate::clock::Now;
use crate::io::{AgentFailure, AgentReply, BotError, BotReply, Note, Output};

/// What this node knows of itself, and what it made of it.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) judge: Judge,
    pub(super) boots: Boots,
    pub(super) twins: Twins,
    /// Whether the last call to Telegram was answered, and when that was known, CLOCK_BOOTTIME.
    telegram: Option<(bool, u64)>,
    /// Whether the disk has less than this.
    dirty: bool,
}

impl Watch {
    /// Goes on from what the disk had.
    pub(super) fn new(node: NodeId, state: JudgeState) -> Self {
        let JudgeState { standing, boots } = state;
        let judge = Judge::resumed(node, standing);
        Self { judge, boots: Boots::new(boots), twins: Twins::default(), telegram: None, dirty: false }
    }

    /// As it is kept.
    pub(super) fn state(&self) -> JudgeState {
        JudgeState { standing: self.judge.standing(), boots: self.boots.state().clone() }
    }

    /// Telegram answered a call, or did not. A call that was not made, or dropped, says nothing.
    pub(super) fn asked_telegram(&mut self, now: Now, result: &Result<BotReply, BotError>) {
        let answered = match result {
            Err(BotError::Unreachable(_) | BotError::Server) => false,
            Err(BotError::Cancelled | BotError::NoToken) => return,
            Ok(_)
            | Err(
                BotError::Conflict
                | BotError::WebhookSet
                | BotError::Unauthorized
                | BotError::RetryAfter { .. }
                | BotError::MessageGone
                | BotError::IsPicture
                | BotError::QueryTooOld
                | BotError::TopicGone
                | BotError::ChatGone
                | BotError::Refused(_),
            ) => true,
        };
        self.telegram = Some((answered, now.boot_ms));
    }

    /// The machine is about to be rebooted by order.
    pub(super) const fn reboot_ordered(&mut self, now: Now) {
        self.boots.ordered(now);
        self.dirty = true;
    }
}

impl Node {
    /// The agent answered the question that is asked every now and then, or did not.
    pub(super) fn judge_itself(&mut self, now: Now, result: &Result<AgentReply, AgentFailure>) {
        let (stats, unreachable) = match result {
            Ok(AgentReply::Stats(stats)) => (Some(stats.as_ref()), false),
            Ok(_) | Err(AgentFailure::Refused(_)) => (None, false),
            Err(AgentFailure::Unreachable(_)) => (None, true),
        };
        let readings = self.readings(now, stats, unreachable);
        let (me, roster) = (self.id, &self.roster);
        let rule = |kind: &Kind| roster.alert_choice(&me, kind).rule(kind);
        let changes = self.watch.judge.judge(now, readings, rule);
        self.watch.dirty |= !changes.is_empty();
        self.judged(changes);
        if let Some(stats) = stats {
            self.judge_the_boot(now, stats);
        }
    }

    /// N2: figures came, whoever asked for them. An order explains the boot that is seen first after it: a second boot within the time between two of
    /// this node's own questions would otherwise pass for the ordered one.
    pub(super) fn judge_the_boot(&mut self, now: Now, stats: &Stats) {
        let known = self.watch.boots.state().clone();
        let booted = self.watch.boots.saw(now, stats);
        self.watch.dirty |= known != *self.watch.boots.state();
        let is_judged = self.roster.alert_choice(&self.id, &Kind::UnexpectedReboot).on;
        if let Some(at) = booted.filter(|_| is_judged) {
            let subject = Subject::whole(self.id, Kind::UnexpectedReboot);
            let change = self.watch.judge.happened(subject, at, Value::none());
            self.judged(Vec::from([change]));
        }
    }

    /// What is to be kept is written with the commands. On a disk that takes nothing it waits: it is worth no failing write.
    pub(super) fn keep_judgement(&mut self) {
        if self.watch.dirty && self.disk.trouble().is_none() {
            self.watch.dirty = false;
            self.commands.touch();
        }
    }

    /// The log has every change.
    fn judged(&mut self, changes: Vec<Transition>) {
        self.out.extend(changes.into_iter().map(|change| Output::Note(Note::Judged(change))));
    }

    fn readings(&mut self, now: Now, stats: Option<&Stats>, unreachable: bool) -> Vec<Reading> {
        let me = self.id;
        let absent = || OF_STATS.into_iter().map(Reading::absent).collect();
        let mut readings: Vec<Reading> = stats.map_or_else(absent, |stats| readings::of_stats(me, stats));
        let filling = stats.map(|stats| self.watch.judge.filling(now, stats));
        readings.push(filling.unwrap_or_else(|| Reading::absent(Kind::DiskFillsUp)));
        readings.push(Reading::is_so(me, Kind::AgentUnreachable, Some(unreachable)));
        readings.push(readings::clock(me, &self.clocks_of_others(now)));
        let telegram = self.watch.telegram.filter(|(_, at)| now.since(*at) < HEARD_MS);
        readings.push(Reading::is_so(me, Kind::TelegramUnreachable, telegram.map(|(answered, _)| !answered)));
        let roster = &self.roster;
        self.watch.twins.retain(|node| roster.is_member(node));
        let suspects = self.watch.twins.suspects(now).into_iter();
        let seen = suspects.map(|node| (Subject::whole(node, Kind::TwoBoots), Sight::Level(1, Value::none())));
        readings.push(Reading { kind: Kind::TwoBoots, seen: seen.collect(), is_partial: false });
        readings
    }

    /// How far the clocks of others are ahead of this one, milliseconds: of those that were heard lately.
    fn clocks_of_others(&self, now: Now) -> Vec<(NodeId, i64)> {
        let lately = |node: &NodeId| self.peers.get(node).is_some_and(|peer| now.since(peer.heard_at) < HEARD_MS);
        let others = self.roster.members().map(|member| member.id).filter(|node| *node != self.id && lately(node));
        others.filter_map(|node| Some((node, self.peers.ahead_ms(now, &node)?))).collect()
    }
}

/// What was heard longer ago says nothing about now.
const HEARD_MS: u64 = 60_000;
