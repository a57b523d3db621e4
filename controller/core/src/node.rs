//! The node: every part of the core in one place, fed by [`Input`]s, answering [`Output`]s.
//!
//! [`Node::handle`] routes an input to its part, then does everything that has become due ([`Node::settle`]), then puts what must be on disk
//! before everything else that this step wants done. The parts do not know each other; what one needs of another passes through here.

mod alerts;
mod assemble;
mod authority;
mod copies;
mod custody;
mod dialogue;
mod edit;
mod farewell;
mod handover;
mod hindrance;
mod holder_probe;
mod host;
pub mod inspect;
mod joins;
mod lease;
mod members;
mod notes;
mod operator;
mod orders;
mod pending;
mod refused;
mod requests;
mod resume;
mod serve;
mod slept;
mod target;
mod unwritten;
mod view;
mod views;
mod watch;
mod wires;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{Generation, LeaderKey, NodeId, Term};
use constella_shared::secret::Secret;
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::Status;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::bot::desk::act::{Act, Answer, AskId};
use crate::bot::desk::dialogue::{Dialogue, Settings as DialogueSettings};
use crate::bot::rooms;
use crate::calls::Calls;
use crate::clock::Now;
use crate::commands::Commands;
use crate::commands::batch::Batch;
use crate::config::{Boot, Settings};
use crate::disk::Disk;
use crate::fence::Fence;
use crate::handover::Handover;
use crate::io::{BotState, CallId, Input, Note, Output};
use crate::joins::Joins;
use crate::keys::Keys;
use crate::lease::claim::{Claim, margin_ms};
use crate::lease::durable::Durable;
use crate::lease::seen::Seen;
use crate::lease::voter::Voter;
use crate::membership::{MemberTimer, Membership};
use crate::peers::Peers;
use crate::probe::Probe;
use crate::roster::{OpenError, Roster};
use alerts::Alerts;
use assemble::Parts;
use copies::Copies;
use dialogue::default_language;
use farewell::Parting;
use hindrance::Hindrances;
use holder_probe::HolderProbe;
use host::Host;
use pending::Pending;
use resume::Resume;
use watch::Watch;

/// One node of the network, without its shell.
pub struct Node {
    id: NodeId,
    generation: Generation,
    born: u64,
    last: Now,
    settings: Settings,
    addr: String,
    keys: Box<dyn Keys + Send>,
    rng: StdRng,
    calls: Calls,
    pending: BTreeMap<CallId, Pending>,
    out: Vec<Output>,

    roster: Roster,
    network_dirty: bool,
    invites_dirty: bool,
    membership: Membership,
    member_timers: BTreeMap<(u64, u64), MemberTimer>,
    status_since: BTreeMap<NodeId, (Status, u64)>,
    frames: BTreeMap<NodeId, Vec<String>>,
    joins: Joins,
    peers: Peers,
    host: Host,
    watch: Watch,

    disk: Disk,
    durable: Durable,
    voter: Voter,
    resume: Resume,
    holder_probe: HolderProbe,
    claim: Claim,
    seen: Seen,
    held: Option<Strength>,
    /// M2: the claiming is the voters' business, as of the last change of a voter's status or of the roster.
    left_to_voters: bool,
    told: bool,
    barred_until: u64,
    handover: Option<Handover>,
    parting: Parting,
    hindrances: Hindrances,
    alerts: Alerts,
    proof: Option<requests::Proof>,
    authority: authority::Authority,
    refused: refused::Refusals,
    retired: bool,

    fence: Fence,
    probe: Probe,
    token: Option<Secret>,
    bot: Option<(i64, String)>,
    commands: Commands,
    /// F6: updates that are shown before they are confirmed.
    batch: Option<Batch>,
    copies: Copies,
    staging: bool,
    serving: serve::Serving,
    dialogue: Dialogue,
    acts: VecDeque<Act>,
    answers: VecDeque<(AskId, Answer)>,
    noted: (BotState, Option<(Term, Strength)>),

    at: Chores,
}

/// When each of the things that are done now and then is due, CLOCK_BOOTTIME milliseconds.
struct Chores {
    second: u64,
    glance: u64,
    pass_on: u64,
    steady: u64,
    minute: u64,
}

impl Chores {
    /// All at once: a node that has just started knows nothing.
    const fn due(now: Now) -> Self {
        let at = now.boot_ms;
        Self { second: at, glance: at, pass_on: at, steady: at, minute: at }
    }
}

impl Node {
    /// A node as its state files left it. Nothing goes out before [`Node::start`].
    ///
    /// # Errors
    /// Where the state files do not make a roster of this node; the process stops and says so (S4).
    pub fn new(boot: Boot, keys: Box<dyn Keys + Send>, now: Now) -> Result<Self, OpenError> {
        let Boot { node, pin, addr, settings, network, invites, vote, commands, seed, in_place } = boot;
        let mut rng = StdRng::from_seed(seed);
        let (roster, refused) = Roster::open(node, pin, network, invites, settings.clock_skew_ms, keys.as_ref())?;
        let voter = match vote.granted.filter(|_| in_place) {
            _ if roster.len() <= 1 => Voter::of_one(settings.lease_ttl_ms, now),
            Some(last) => Voter::resumed(settings.lease_ttl_ms, now, last),
            None => Voter::new(settings.lease_ttl_ms, now),
        };
        let resume = Resume::new(in_place, vote.granted.map(|last| last.holder.node), node);
        let membership = Membership::new(node, vote.generation, &settings, rng.random());
        let dialogue = rooms::dialogue(DialogueSettings { language: default_language(&settings), seed: rng.random() });
        let out = refused.iter().map(|refused| Output::Note(Note::left_out(refused))).collect();
        let disk = Disk::new(&vote, roster.voters().mark);
        let parts = Parts { addr, keys, rng, out, disk, roster, membership, voter, resume, dialogue, settings };
        Ok(Self::assemble(now, node, parts, vote, commands))
    }

    /// The first step: who belongs, who this node is, and the first heartbeats.
    pub fn start(&mut self, now: Now) -> Vec<Output> {
        let version = self.settings.version.clone();
        let addr = self.addr.clone();
        self.open_alerts(now);
        let mut records = self.roster.write_self(now, &addr, &version, PROTOCOL, self.keys.as_ref());
        let again = self.roster.restamp(now, self.keys.as_ref());
        records.owners.extend(again.owners);
        records.net.extend(again.net);
        records.invites.extend(again.invites);
        self.network_dirty = true;
        self.publish_members(now);
        let effects = self.membership.start(now);
        self.member_effects(now, None, effects);
        self.introduce_members(now);
        self.announce(now, &records);
        self.settle(now)
    }

    /// Takes one input in and answers everything that is to be done, in order.
    pub fn handle(&mut self, now: Now, input: Input) -> Vec<Output> {
        if let Input::RoundTrip { with, ms, dialled } = input {
            return self.round_trip(with, ms, dialled);
        }
        self.watch_the_clock(now);
        if let Input::Unwritten { document, why, rest } = input {
            let mut outputs = self.unwritten(now, document, why, rest);
            outputs.extend(self.settle(now));
            return outputs;
        }
        self.step_is_written();
        match input {
            Input::Tick | Input::RoundTrip { .. } => {}
            Input::Peer { inbound, from, request } => self.peer_request(now, inbound, from, request),
            Input::Answered { call, result } => self.answered(now, call, result),
            Input::Join { inbound, join } => self.join(now, inbound, &join),
            Input::DialedBack { call, result } => self.dialed_back(now, call, result),
            Input::Bot { call, result } => self.bot_answered(now, call, result),
            Input::Agent { call, result } => self.agent_answered(now, call, result),
            Input::Operator { inbound, request } => self.operator(now, inbound, request),
            Input::Unwritten { .. } => {}
            Input::Room(room) => self.looked_at_the_disk(now, room),
            Input::Stop => self.stop(now),
        }
        self.settle(now)
    }

    /// When [`Input::Tick`] is wanted next, CLOCK_BOOTTIME milliseconds.
    #[must_use]
    pub fn deadline(&self) -> u64 {
        let member = self.member_timers.keys().next().map(|(at, _)| *at);
        let handover = self.handover.as_ref().map(Handover::deadline);
        let dialogue = if self.serves() { self.dialogue.deadline() } else { None };
        let proof = self.proof.as_ref().map(|proof| proof.deadline);
        let regular = [self.at.second, self.at.glance, self.at.minute, self.holder_probe.deadline()];
        let claim = if self.claim.active() { self.claim.next_round() } else { self.claim_at() };
        let strong = self.strong_until();
        let farewell = self.parting.deadline().into_iter().chain(self.hindrances.deadline()).min();
        let disk = self.disk.deadline().into_iter().chain(self.authority.deadline()).min();
        let (batch, fence, probe) = (self.batch_deadline(), self.fence.deadline(), self.probe.deadline());
        [member, handover, dialogue, proof, claim, strong, farewell, disk, batch, fence, probe]
            .into_iter()
            .flatten()
            .chain(regular)
            .min()
            .unwrap_or(self.last.boot_ms)
    }

    /// L7: a jump between the two clocks is a machine that slept, or a wall clock that was set, or both, and the one may hide most of the
    /// other: no grant counts. What the margin of L2 bears is none.
    fn watch_the_clock(&mut self, now: Now) {
        let expected = self.last.after(now.since(self.last.boot_ms));
        if now.unix_ms.abs_diff(expected.unix_ms) > margin_ms(self.settings.lease_ttl_ms) {
            self.claim.doubt(now, &self.durable);
            self.host.slept.found(now, now.unix_ms.saturating_sub(expected.unix_ms));
        }
        self.last = now;
    }

    /// Does everything that is due, until nothing is.
    fn settle(&mut self, now: Now) -> Vec<Output> {
        self.member_timers_due(now);
        self.chores(now);
        self.probe_the_holder(now);
        self.lease_due(now);
        self.handover_due(now);
        self.probe_due(now);
        for _ in 0..MOST_ROUNDS {
            let before = self.out.len();
            self.fence_due(now);
            self.batch_due(now);
            self.copy_due(now);
            self.dialogue_due(now);
            self.farewell_due(now);
            self.hindrances_due(now);
            if self.out.len() == before && self.answers.is_empty() {
                break;
            }
        }
        self.proof_due(now);
        self.authority_due(now);
        self.send_frames(now);
        self.note_changes(now);
        self.keep_judgement();
        self.collect()
    }

    /// What is looked after every now and then.
    fn chores(&mut self, now: Now) {
        if now.boot_ms >= self.at.second {
            self.at.second = now.boot_ms.saturating_add(CHORES_MS);
            self.tend_voters(now);
            self.tend_leaving(now);
            self.look_for_a_better(now);
            self.pass_commands_on(now);
            self.tell_of_disks(now);
            self.watch_members(now);
            self.part(now);
            self.outlive_a_restored_copy();
        }
        if now.boot_ms >= self.at.glance {
            self.at.glance = now.boot_ms.saturating_add(GLANCE_MS);
            self.ask_agent(crate::io::AgentCall::Stats, Pending::Glance);
        }
        if now.boot_ms >= self.at.minute {
            self.at.minute = now.boot_ms.saturating_add(MINUTE_MS);
            self.look_at_the_voters();
            self.invites_dirty |= self.roster.expire(now);
            self.expire_alerts(now);
            self.hear_clocks(now);
            let again = self.roster.restamp(now, self.keys.as_ref());
            self.announce(now, &again);
            self.commands.doubt();
        }
    }

    fn key(&self) -> LeaderKey {
        self.roster.leader_key(&self.id).unwrap_or(LeaderKey { priority: u32::MAX, node: self.id })
    }

    fn warn(&mut self, what: String) {
        self.out.push(Output::Note(Note::Warning { what }));
    }

    /// Members that are alive by gossip and answered the last call, without this node.
    fn reachable(&self) -> BTreeSet<NodeId> {
        let answers = |node: &NodeId| {
            *node != self.id && self.membership.status(node) == Status::Alive && self.peers.failing(node).is_none()
        };
        self.roster.members().map(|member| member.id).filter(answers).collect()
    }
}

/// Voters, hand-overs and waiting commands are looked at so often.
const CHORES_MS: u64 = 1_000;

/// CPU and memory at a glance are refreshed so often: they ride on every heartbeat.
const GLANCE_MS: u64 = 15_000;
/// Expired invitations, stamps that were ahead.
const MINUTE_MS: u64 = 60_000;

/// A step ends: each round can only do what the one before made possible.
const MOST_ROUNDS: usize = 64;

#[cfg(test)]
mod tests;
