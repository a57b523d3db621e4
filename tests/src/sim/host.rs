//! One server: its clocks, its disk, its controller's process, its agent.

use std::collections::{BTreeMap, BTreeSet};

use constella_core::clock::Now;
use constella_core::config::Boot;
use constella_core::io::{AgentCall, AgentFailure, AgentReply, Document, DocumentName, PinnedPeer};
use constella_core::node::Node;
use constella_shared::agent::{
    AgentError, AgentErrorCode, RebootAnswer, RebootOutcome, Series, SpeedtestFigures, SpeedtestPhase, SpeedtestState,
    Stats,
};
use constella_shared::ids::{CommandId, NodeId};
use constella_shared::state::{CommandsState, InvitesState, NetworkState, VoteState};

use super::act::Reach;
use super::clock::Clock;
use super::dice::Dice;
use super::event::Event;
use super::keys::SimKeys;
use super::setup::Beat;

/// One server.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) id: NodeId,
    pub(super) keys: SimKeys,
    pub(super) addr: String,
    pub(super) priority: u32,
    /// Which network it belongs to.
    pub(super) network: usize,
    pub(super) clock: Clock,
    pub(super) beat: Beat,
    pub(super) disk: Option<Disk>,
    /// Powered, and its kernel answers.
    pub(super) up: bool,
    pub(super) process: Option<Process>,
    /// Counts the lives of the process: what was meant for an earlier one is for nobody.
    pub(super) life: u64,
    /// The process runs without a pause since then.
    pub(super) awake_since: u64,
    /// Stands still since then.
    pub(super) frozen: Option<Frozen>,
    /// The next step that writes to disk is cut short.
    pub(super) torn: bool,
    /// And nothing of it is on the disk.
    pub(super) torn_lost: bool,
    /// And so long after that it starts again.
    pub(super) torn_back_ms: Option<u64>,
    /// The step at hand is that one.
    pub(super) torn_now: bool,
    /// Somebody wants it to stay away.
    pub(super) keep_down: bool,
    /// From when on it is started again, where it was told to stop: a process that stands still stops later than that.
    pub(super) back_at: u64,
    pub(super) reach: Reach,
    pub(super) agent: Agent,
    /// In which boot of the host the process ran last.
    pub(super) ran_in: Option<u64>,
    /// Its disk takes nothing new.
    pub(super) full: Option<Full>,
    /// Every write failed once: ids that it executed may be forgotten, and then its agent alone knows them.
    pub(super) was_hard: bool,
    /// Its disk took nothing at some time.
    pub(super) was_full: bool,
}

/// A disk that takes nothing new.
#[derive(Debug, Clone, Copy)]
pub(super) struct Full {
    /// Which fault it is of.
    pub(super) number: u64,
    /// Every write fails.
    pub(super) hard: bool,
}

/// State files.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    pub(super) network: NetworkState,
    pub(super) invites: InvitesState,
    pub(super) vote: VoteState,
    pub(super) commands: CommandsState,
}

/// A running controller.
pub(super) struct Process {
    pub(super) node: Node,
    /// The true time of its next tick.
    pub(super) armed: Option<u64>,
    pub(super) pins: BTreeMap<NodeId, Option<String>>,
    pub(super) has_token: bool,
    /// Its voter granted to somebody: from then on it knows of every grant that holds.
    pub(super) granted_in_this_life: bool,
    /// The true time of its last step, and what its clocks showed then.
    pub(super) last: (u64, Now),
}

/// A process, or a machine, that stands still.
pub(super) struct Frozen {
    pub(super) since: u64,
    pub(super) number: u64,
    /// The boot clock stands still too.
    pub(super) stopped: bool,
    /// What happened meanwhile, for later.
    pub(super) waiting: Vec<Event>,
}

/// The agent of a host.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) boots: u64,
    taken: BTreeSet<CommandId>,
    test: SpeedtestState,
    test_until: u64,
    pub(super) gone: bool,
}

impl Host {
    /// What buttons call it.
    pub(super) fn tag(&self) -> String {
        self.id.to_string().chars().take(16).collect()
    }

    /// What the clocks show to a step. A wall clock that is off by just as much as its machine stood still hides the pause from every clock that
    /// the machine has (docs/decisions/0063-both-clocks-end-a-grant.md): it is then off by another second, for no rule can hold.
    pub(super) fn read_clocks(&mut self, t: u64) -> Now {
        let now = self.clock.now(t);
        let Some(process) = self.process.as_mut() else { return now };
        let (since, then) = process.last;
        let ran = now.boot_ms.saturating_sub(then.boot_ms);
        // Drift is less than a hundredth of the time.
        let stood_still = t.saturating_sub(since).saturating_sub(ran) > SHOWN_MS + ran / 100;
        if stood_still && now.unix_ms.abs_diff(then.after(ran).unix_ms) <= SHOWN_MS {
            self.clock.push_wall(1_000);
        }
        process.last = (t, self.clock.now(t));
        process.last.1
    }

    /// The process starts from the disk, as the shell would (S1: a new generation, on disk before it speaks).
    ///
    /// # Errors
    /// The core refuses its own state files.
    pub(super) fn start(&mut self, t: u64, dice: &mut Dice) -> Result<Vec<constella_core::io::Output>, String> {
        let now = self.clock.now(t);
        self.awake_since = t;
        let Some(disk) = self.disk.as_mut() else { return Ok(Vec::new()) };
        let unix_s = now.unix_ms / 1_000;
        disk.vote.generation = disk.vote.generation.next();
        disk.vote.starts.retain(|start| unix_s.saturating_sub(*start) < 600 && *start <= unix_s);
        disk.vote.starts.insert(0, unix_s);
        disk.vote.starts.truncate(32);
        let boot = Boot {
            node: self.id,
            pin: self.keys.pin(),
            addr: self.addr.clone(),
            settings: self.beat.settings(),
            network: disk.network.clone(),
            invites: disk.invites.clone(),
            vote: disk.vote.clone(),
            commands: disk.commands.clone(),
            in_place: self.ran_in == Some(self.agent.boots),
            seed: dice.bytes(),
        };
        self.ran_in = Some(self.agent.boots);
        let node = Node::new(boot, Box::new(self.keys.clone()), now).map_err(|error| error.to_string())?;
        let process = self.process.insert(Process {
            node,
            armed: None,
            pins: BTreeMap::new(),
            has_token: false,
            granted_in_this_life: false,
            last: (t, now),
        });
        Ok(process.node.start(now))
    }

    /// The process is gone.
    pub(super) fn die(&mut self) {
        self.process = None;
        self.life += 1;
        self.torn = false;
        self.frozen = None;
    }

    /// Whether this document cannot be written now.
    pub(super) fn refuses(&self, document: DocumentName, dice: &mut Dice) -> bool {
        match self.full {
            None => false,
            Some(Full { hard: true, .. }) => true,
            // Written over in its place.
            Some(Full { hard: false, .. }) => document != DocumentName::Vote && dice.one_in(2),
        }
    }

    /// Whether it runs and does not stand still.
    pub(super) const fn runs(&self) -> bool {
        self.process.is_some() && self.frozen.is_none()
    }
}

impl Process {
    pub(super) fn set_pins(&mut self, pins: Vec<PinnedPeer>) {
        self.pins = pins.into_iter().map(|peer| (peer.node, peer.addr)).collect();
    }
}

impl Disk {
    pub(super) fn write(&mut self, document: Document) {
        match document {
            Document::Network(state) => self.network = state,
            Document::Invites(state) => self.invites = state,
            Document::Vote(state) => self.vote = state,
            Document::Commands(state) => self.commands = state,
        }
    }
}

impl Agent {
    pub(super) const fn new() -> Self {
        Self { boots: 1, taken: BTreeSet::new(), test: SpeedtestState::Idle, test_until: 0, gone: false }
    }

    /// Its answer, and whether the host goes down for it.
    pub(super) fn call(&mut self, clock: &Clock, t: u64, call: &AgentCall) -> (Result<AgentReply, AgentFailure>, bool) {
        if self.gone {
            return (Err(AgentFailure::Unreachable("connection refused".to_owned())), false);
        }
        let now = clock.now(t);
        let unix_s = now.unix_ms / 1_000;
        let reply = match call {
            AgentCall::Stats => AgentReply::Stats(Box::new(self.stats(now.boot_ms, unix_s))),
            AgentCall::Series { kind, .. } => AgentReply::Series(Series {
                kind: *kind,
                step_s: 60,
                channels: vec!["value".to_owned()],
                points: Vec::new(),
            }),
            AgentCall::RunSpeedtest(request) => {
                if self.test_until <= t {
                    self.test_until = t + TEST_MS;
                    self.test = SpeedtestState::Running {
                        command_id: request.command_id,
                        phase: SpeedtestPhase::Download,
                        percent: 10,
                        so_far: SpeedtestFigures::default(),
                    };
                }
                AgentReply::Speedtest(self.test.clone())
            }
            AgentCall::GetSpeedtest => {
                if let SpeedtestState::Running { command_id, .. } = self.test
                    && self.test_until <= t
                {
                    let figures = SpeedtestFigures::default();
                    self.test = SpeedtestState::Done { command_id, at_unix_s: unix_s, figures };
                }
                AgentReply::Speedtest(self.test.clone())
            }
            AgentCall::Reboot(request) => {
                if now.boot_ms > request.not_after_boottime_ms {
                    let error = AgentError { code: AgentErrorCode::TooLate, message: "too late".to_owned() };
                    return (Err(AgentFailure::Refused(error)), false);
                }
                let fresh = self.taken.insert(request.command_id);
                let answer = RebootAnswer { command_id: request.command_id, outcome: RebootOutcome::Started };
                return (Ok(AgentReply::Reboot(answer)), fresh);
            }
        };
        (Ok(reply), false)
    }

    /// Whether it was told to do this before.
    pub(super) fn has_taken(&self, id: CommandId) -> bool {
        self.taken.contains(&id)
    }

    /// How many it did.
    pub(super) fn reboots(&self) -> usize {
        self.taken.len()
    }

    fn stats(&self, boot_ms: u64, unix_s: u64) -> Stats {
        Stats {
            at_unix_s: unix_s,
            hostname: "host".to_owned(),
            boot_id: Some(format!("boot-{}", self.boots)),
            uptime_s: Some(boot_ms / 1_000),
            cpu_percent: Some(3.0),
            mem_total: Some(4 << 30),
            mem_used: Some(1 << 30),
            ..Stats::default()
        }
    }
}

/// A speedtest takes so long.
const TEST_MS: u64 = 20_000;

/// What shows of a pause is more than the margin of L2 at the usual TTL.
const SHOWN_MS: u64 = 200;
