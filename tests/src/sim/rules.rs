//! The rules that hold after every step, whatever happened.

mod alerts;
mod service;

use std::collections::{BTreeMap, BTreeSet};

use constella_core::io::{BotState, Document, InboundId, Note, Output};
use constella_core::node::inspect::Inspection;
use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::wire::alert::Subject;
use constella_shared::wire::command::Stage;
use constella_shared::wire::incident::IncidentId;
use constella_shared::wire::lease::{LeaseAnswer, LeaseAsk, Strength};
use constella_shared::wire::records::OwnerRecord;

use super::clock::EPOCH_MS;
use super::host::Host;
use alerts::Alerts;
use service::Service;

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// When, milliseconds since the beginning.
    pub at_ms: u64,
    /// Which rule.
    pub rule: &'static str,
    /// How.
    pub what: String,
}

/// What the rules remember of each host.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// Until when (true time) a host is a strong holder.
    strong: Vec<Option<u64>>,
    /// Whether a host polled at its last step.
    polled: Vec<bool>,
    /// When a host last did not poll.
    silent: Vec<u64>,
    /// To whom a host's voter granted, and until when (true time); survives the process.
    grants: Vec<Option<(NodeId, u64)>>,
    executed: BTreeMap<(usize, CommandId), u64>,
    /// What ended at a node that knew of an order.
    ordered: BTreeSet<(NodeId, CommandId)>,
    service: Service,
    alerts: Alerts,
    /// Nodes that were said to be down.
    pub(super) downs: u64,
    /// The step at hand began a command.
    begun: bool,
    broken: Option<Broken>,
    /// Ticks of a host within the present second: a core that spins.
    ticks: Vec<(u64, u32)>,
    pub(super) most_ticks: u32,
}

impl Rules {
    pub(super) fn new(hosts: usize) -> Self {
        let mut rules = Self::default();
        rules.grow(hosts);
        rules
    }

    pub(super) fn grow(&mut self, hosts: usize) {
        self.strong.resize(hosts, None);
        self.polled.resize(hosts, false);
        self.silent.resize(hosts, 0);
        self.grants.resize(hosts, None);
        self.ticks.resize(hosts, (0, 0));
    }

    /// The first rule that was broken.
    pub(super) const fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    pub(super) fn fail(&mut self, at_ms: u64, rule: &'static str, what: String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { at_ms, rule, what });
        }
    }

    /// After a step of host `at`.
    pub(super) fn stepped(&mut self, t: u64, hosts: &[Host], at: usize, inspection: &Inspection) {
        let Some(host) = hosts.get(at) else { return };
        self.before_acting(t, host, at, inspection);
        if inspection.bot != BotState::Polling {
            self.is_silent(t, at);
        }
        if let Some((rule, what)) = self.service.stepped(t, host, at, inspection) {
            self.fail(t, rule, what);
        }
        self.holders(t, hosts, host, at, inspection);
        self.voters(t, host, at, inspection);
    }

    /// The process of a host is gone: it holds nothing. Its grants live on.
    pub(super) fn died(&mut self, t: u64, (at, node): (usize, NodeId)) {
        self.is_silent(t, at);
        self.alerts.died(node);
        if let Some(strong) = self.strong.get_mut(at) {
            *strong = None;
        }
        self.service.died(at);
    }

    fn is_silent(&mut self, t: u64, at: usize) {
        if let Some(silent) = self.silent.get_mut(at) {
            *silent = t;
        }
    }

    /// Whether a host has polled without a break since then.
    pub(super) fn has_polled_since(&self, t: u64, at: usize) -> bool {
        self.silent.get(at).is_some_and(|silent| *silent < t)
    }

    /// A holder gave its grant back at this host's voter, which may ignore it.
    pub(super) fn released(&mut self, at: usize, holder: NodeId) {
        if let Some(grant) = self.grants.get_mut(at).filter(|grant| grant.is_some_and(|(to, _)| to == holder)) {
            *grant = None;
        }
    }

    /// N1: a host heard another one.
    pub(super) fn heard(&mut self, t: u64, by: NodeId, of: NodeId) {
        self.alerts.heard(t, by, of);
    }

    /// N1: a host answered another one.
    pub(super) fn answered(&mut self, t: u64, by: NodeId, of: NodeId) {
        self.alerts.answered(t, by, of);
    }

    /// N3: whether a message of this incident that this host sends must have no sound.
    pub(super) fn must_be_silent(&self, host: &Host, incident: IncidentId) -> bool {
        self.alerts.must_be_silent(host, incident)
    }

    /// Whether a host has ever had, on its disk, a record of the subject that names this message.
    pub(super) fn has_known_message(&self, host: NodeId, message: i64, subject: &Subject) -> bool {
        self.alerts.has_known_message(host, message, subject)
    }

    /// A machine's boot clock stood still: what it had granted and had not run out by then is kept for longer, in true time.
    pub(super) fn stood_still(&mut self, at: usize, since: u64, t: u64) {
        if let Some(Some((_, until))) = self.grants.get_mut(at)
            && *until > since
        {
            *until += t.saturating_sub(since);
        }
    }

    /// L7: who polled as a strong holder, and is none any more, has not begun a command in the step that noticed it. Who only watched, because
    /// its lease had been weak, may finish what is owed just then (F6).
    fn before_acting(&mut self, t: u64, host: &Host, at: usize, inspection: &Inspection) {
        let lapsed = self.strong.get(at).copied().flatten().is_some_and(|until| until <= t);
        let strong = inspection.lease.as_ref().is_some_and(|view| view.strength == Strength::Strong);
        let polls = inspection.bot == BotState::Polling;
        let polled = self.polled.get_mut(at).is_some_and(|polled| std::mem::replace(polled, polls));
        if std::mem::take(&mut self.begun) && lapsed && polled && !strong {
            self.fail(t, "L7", format!("{} begins a command under a lease that has run out", host.name));
        }
    }

    /// L1: a voter grants nothing to an ask that is not newer than the last that it granted to the same holder.
    pub(super) fn asked(&mut self, inbound: InboundId, voter: (usize, u64), ask: &LeaseAsk) {
        self.service.asked(inbound, voter, ask);
    }

    /// The voter that answers, and the grant that its answer may be.
    pub(super) fn promised(&self, inbound: InboundId) -> Option<(usize, NodeId, Term)> {
        self.service.promised(inbound)
    }

    /// A voter answers.
    pub(super) fn voted(&mut self, t: u64, inbound: InboundId, answer: &LeaseAnswer) {
        if let Some(what) = self.service.voted(inbound, answer) {
            self.fail(t, "L1", what);
        }
    }

    /// F1: a 409 reached this host.
    pub(super) fn conflicted(&mut self, t: u64, boot_ms: u64, at: usize, name: &str) {
        if self.service.conflicted(boot_ms, at) {
            self.fail(t, "F1", format!("{name} goes on polling against another poller"));
        }
    }

    /// F1: whether a stranger was proven to this process, and it has not polled undisturbed for a minute since.
    pub(super) fn knows_a_stranger(&self, at: usize) -> bool {
        self.service.knows_a_stranger(at)
    }

    /// L2: two strong holders never exist.
    fn holders(&mut self, t: u64, hosts: &[Host], host: &Host, at: usize, inspection: &Inspection) {
        let lease = inspection.lease.as_ref().filter(|view| view.strength == Strength::Strong);
        let until = lease.map(|view| host.clock.true_at(host.clock.boot(t).saturating_add(view.left_ms)));
        if let Some(strong) = self.strong.get_mut(at) {
            *strong = until;
        }
        if until.is_none() {
            return;
        }
        for (other, until) in self.strong.iter().enumerate() {
            let Some(rival) = hosts.get(other).filter(|rival| other != at && rival.network == host.network) else {
                continue;
            };
            if until.is_some_and(|until| until > t) && rival.runs() {
                let what = format!("{} and {} are strong holders at one instant", host.name, rival.name);
                self.fail(t, "L2", what);
                return;
            }
        }
    }

    /// L1: a voter grants one holder at a time.
    fn voters(&mut self, t: u64, host: &Host, at: usize, inspection: &Inspection) {
        let Some(known) = self.grants.get_mut(at) else { return };
        let Some((holder, term, until)) = inspection.grant else {
            // Released or run out. After a restart it is not known to the voter itself, but counts until it runs out.
            if known.is_some_and(|(_, until)| until <= t)
                || host.process.as_ref().is_some_and(|p| p.granted_in_this_life)
            {
                *known = None;
            }
            return;
        };
        let last = host.disk.as_ref().and_then(|disk| disk.vote.granted);
        if last.is_none_or(|last| (last.holder.node, last.term) != (holder.node, term)) {
            // A step that was cut short before its write has sent no grant, nor has one whose write failed ([`Self::promised`]).
            if !host.torn_now && inspection.vote_is_stored {
                self.fail(t, "L1", format!("{} granted what is not on its disk", host.name));
            }
            return;
        }
        let until = host.clock.true_at(until);
        let before = known.replace((holder.node, until));
        if let Some((other, lives)) = before
            && other != holder.node
            && lives > t + SLACK_MS
        {
            let what = format!("{} granted anew {} ms before its grant to another ran out", host.name, lives - t);
            self.fail(t, "L1", what);
        }
    }

    /// L3 and F6: what is on disk never goes back.
    pub(super) fn persists(&mut self, t: u64, hosts: &[Host], at: usize, document: &Document) {
        let Some(host) = hosts.get(at) else { return };
        let (name, Some(disk)) = (&host.name, host.disk.as_ref()) else { return };
        let true_ms = EPOCH_MS.saturating_add(t);
        let is_behind = |each: &&Host| each.network == host.network && each.clock.now(t).unix_ms + SKEW_MS < true_ms;
        // Two wrong clocks are right for each other: what was written by a right one is ahead of all in sight.
        let true_ms = if hosts.iter().filter(is_behind).count() > 1 { host.clock.now(t).unix_ms } else { true_ms };
        let wrong = match document {
            Document::Vote(new) => {
                let old = &disk.vote;
                (new.term < old.term || new.generation < old.generation || new.seq_reserved < old.seq_reserved)
                    .then(|| format!("its term, generation or sequence number: {old:?} then {new:?}"))
            }
            Document::Network(new) => {
                match self.alerts.writes(t, hosts, host, new) {
                    Ok(downs) => self.downs += downs,
                    Err((rule, what)) => self.fail(t, rule, what),
                }
                let old = &disk.network;
                let voters = new.voters.mark < old.voters.mark;
                let records: BTreeMap<NodeId, &OwnerRecord> =
                    new.peers.iter().map(|peer| (peer.owner.node, &peer.owner)).collect();
                let unix_ms = (host.clock.now(t).unix_ms, true_ms);
                let host = host.id;
                let lost = old.peers.iter().find(|peer| {
                    records.get(&peer.owner.node).is_none_or(|now| went_back(host, unix_ms, &peer.owner, now))
                });
                (voters || lost.is_some()).then(|| format!("its voters ({voters}) or the record {lost:?}"))
            }
            Document::Commands(new) => {
                let old = &disk.commands;
                let ended = old.open.iter().filter(|open| open.stage != Stage::Taken && new.done.contains(&open.id));
                self.ordered.extend(ended.map(|open| (host.id, open.id)));
                let forgets = |old: &[CommandId], new: &[CommandId]| {
                    new.len() < constella_shared::limits::DONE_COMMANDS && old.iter().any(|id| !new.contains(id))
                };
                let forgotten = forgets(&old.executed, &new.executed) || forgets(&old.refused, &new.refused);
                forgotten.then(|| "a command that it executed or refused was forgotten".to_owned())
            }
            Document::Invites(_) => None,
        };
        if let Some(what) = wrong {
            self.fail(t, "L3", format!("{name} wrote back in time: {what}"));
        }
    }

    /// F6: what a node knew to be done before a step it does not begin again, but for an order of another holder, where it knew of none.
    pub(super) fn begins(&mut self, t: u64, host: Option<&Host>, outputs: &[Output]) {
        let Some(host) = host else { return };
        let mut begun = outputs.iter().filter_map(|output| match output {
            Output::Note(Note::Command { id, what: "begun" }) => Some(id),
            _ => None,
        });
        let orders = |document: &Document, id: &CommandId| match document {
            Document::Commands(new) => new.open.iter().any(|open| open.id == *id && open.stage != Stage::Taken),
            _ => false,
        };
        let known = |id: &&CommandId| {
            let done = host.disk.as_ref().is_some_and(|disk| disk.commands.done.contains(id));
            let taken_up =
                outputs.iter().any(|output| matches!(output, Output::Persist(document) if orders(document, id)));
            done && (!taken_up || self.ordered.contains(&(host.id, **id)))
        };
        self.begun = begun.clone().next().is_some();
        if let Some(id) = begun.find(known) {
            self.fail(t, "F6", format!("{} begins {id}, which it knows to be done", host.name));
        }
    }

    /// F6: a target executes an id at most once, and not later than 60 s after its confirmation was shown.
    pub(super) fn reboots(&mut self, t: u64, at: usize, name: &str, id: CommandId, shown: Option<u64>) {
        if let Some(before) = self.executed.insert((at, id), t) {
            self.fail(t, "F6", format!("{name} was told to reboot twice by one command, first at {before} ms"));
        }
        match shown {
            None => self.fail(t, "F6", format!("{name} reboots though nobody confirmed it")),
            Some(shown) if t > shown + LATE_MS => {
                self.fail(t, "F6", format!("{name} reboots {} ms after its confirmation was shown", t - shown));
            }
            Some(_) => {}
        }
    }

    /// A core whose deadline is always now burns a CPU.
    pub(super) fn ticked(&mut self, t: u64, at: usize, name: &str) {
        let Some((second, count)) = self.ticks.get_mut(at) else { return };
        if *second == t / 1_000 {
            *count += 1;
        } else {
            (*second, *count) = (t / 1_000, 1);
        }
        self.most_ticks = self.most_ticks.max(*count);
        if *count > SPINNING {
            self.fail(t, "deadline", format!("{name} wants more than {SPINNING} ticks in one second"));
        }
    }
}

/// Whether a record about a node became an older one. R1: what was written with a clock that was ahead is written anew, word for word or with
/// the owner's next edit, with an earlier stamp. At others than its writer, who has the owner's words to write anew, it gives way to a stamp
/// that is not ahead, if it was ahead of the true time too, or to its own writer's later word, whose clock was set back as this one's.
fn went_back(host: NodeId, (unix_ms, true_ms): (u64, u64), before: &OwnerRecord, after: &OwnerRecord) -> bool {
    let again = OwnerRecord { stamp: before.stamp, term: before.term, ..after.clone() } == *before;
    let ahead = |record: &OwnerRecord| record.stamp.unix_ms > unix_ms + SKEW_MS;
    let its_writers = after.stamp.node == before.stamp.node && after.term >= before.term;
    let was_ahead = before.stamp.unix_ms > true_ms + SKEW_MS;
    let anothers = before.stamp.node != host && (was_ahead || its_writers) && !ahead(after);
    let edits = before.stamp.node == host && its_writers && !ahead(after);
    let older = after.stamp < before.stamp && !after.removed;
    before.removed && !after.removed || older && !(ahead(before) && (again || anothers || edits))
}

/// CLOCK_SKEW.
const SKEW_MS: u64 = 30_000;

/// F6 says 60 s on clocks that may run 1 % apart from true time, each.
const LATE_MS: u64 = 60_000 + 1_200;

/// Whole milliseconds of two clocks.
const SLACK_MS: u64 = 2;

/// Gossip, lease, fence and dialogue together want some dozens.
const SPINNING: u32 = 400;
