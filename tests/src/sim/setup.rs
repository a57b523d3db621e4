//! A network at its beginning: founded by its first node, every other one admitted already.

use constella_core::clock::Now;
use constella_core::config::Settings;
use constella_core::keys::Keys;
use constella_core::roster::{Founding, found};
use constella_shared::ids::{Generation, NetworkId, NodeId, Seq, Term};
use constella_shared::secret::Secret;
use constella_shared::state::{CommandsState, InvitesState, NetworkState, Peer, STATE_FORMAT, VoteState};
use constella_shared::wire::PROTOCOL;
use constella_shared::wire::records::{NetRecord, NetValue, OwnerRecord, SelfRecord, Stamp, VoterRecord, VotersMark};

use super::act::Reach;
use super::clock::{Clock, EPOCH_MS};
use super::dice::Dice;
use super::host::{Agent, Disk, Host};
use super::keys::SimKeys;
use super::network::Wire;
use super::telegram::{BOT, OWNER};

/// The settings that say how soon a failure is felt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// `HEARTBEAT_INTERVAL`.
    pub heartbeat_ms: u64,
    /// `BOT_LEASE_TTL`.
    pub lease_ttl_ms: u64,
}

impl Default for Beat {
    fn default() -> Self {
        let Settings { heartbeat_ms, lease_ttl_ms, .. } = Settings::default();
        Self { heartbeat_ms, lease_ttl_ms }
    }
}

impl Beat {
    /// The settings of a node.
    pub(super) fn settings(self) -> Settings {
        let Self { heartbeat_ms, lease_ttl_ms } = self;
        let usual = Settings::default();
        let heartbeat_timeout_ms = usual.heartbeat_timeout_ms.min(heartbeat_ms / 2);
        let (language, version) = ("en".to_owned(), "0.1.0".to_owned());
        Settings { heartbeat_ms, lease_ttl_ms, heartbeat_timeout_ms, language, version, ..usual }
    }
}

/// What a run starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// All chance comes from it.
    pub seed: u64,
    /// How many nodes each network has.
    pub nodes: usize,
    /// How many networks share the bot's token.
    pub networks: usize,
    /// Hosts are all over the world, else in one data centre.
    pub far: bool,
    /// Boot clocks run up to 1 % apart from true time, else exact.
    pub drift: bool,
    /// Terms that every network has counted already; who joins has seen none.
    pub terms: u64,
    /// How soon a failure is felt.
    pub beat: Beat,
    /// What the ways between hosts are like.
    pub wire: Wire,
}

impl Setup {
    /// One network all over the world, with clocks that drift.
    #[must_use]
    pub fn new(seed: u64, nodes: usize) -> Self {
        Self {
            seed,
            nodes,
            networks: 1,
            far: true,
            drift: true,
            terms: 0,
            beat: Beat::default(),
            wire: Wire::default(),
        }
    }

    pub(super) fn hosts(&self, dice: &mut Dice) -> Vec<Host> {
        let mut hosts = Vec::new();
        for network in 0..self.networks.max(1) {
            let mut members: Vec<Host> = (0..self.nodes).map(|at| self.host(network, at, dice)).collect();
            let state = state_of(network, &members);
            for host in &mut members {
                host.disk = Some(disk(&state, Term(self.terms)));
            }
            hosts.extend(members);
        }
        hosts
    }

    fn host(&self, network: usize, at: usize, dice: &mut Dice) -> Host {
        let name = if network == 0 { name(at) } else { format!("{}{}", name(at), network + 1) };
        let ppm = if self.drift { i64::try_from(dice.below(20_001)).unwrap_or(0) - 10_000 } else { 0 };
        let boot = dice.range(60_000, 90_000_000);
        let addr = format!("203.0.113.{}:{}", at % 250, 4_747 + at / 250);
        Host { beat: self.beat, ..new_host(name, network, addr, Clock::new(0, boot, ppm)) }
    }
}

/// A host without a disk.
pub(super) fn new_host(name: String, network: usize, addr: String, clock: Clock) -> Host {
    Host {
        id: NodeId::over(&[name.as_bytes(), b"simulated"]),
        keys: SimKeys::new(&name),
        addr,
        priority: 100,
        network,
        clock,
        disk: None,
        up: true,
        process: None,
        life: 0,
        awake_since: 0,
        frozen: None,
        beat: Beat::default(),
        torn: false,
        torn_lost: false,
        torn_back_ms: None,
        torn_now: false,
        keep_down: false,
        back_at: 0,
        reach: Reach::Well,
        agent: Agent::new(),
        ran_in: None,
        full: None,
        was_hard: false,
        was_full: false,
        name,
    }
}

/// State files of a node that has not started yet, and has seen this term.
pub(super) fn disk(network: &NetworkState, term: Term) -> Disk {
    Disk {
        network: network.clone(),
        invites: InvitesState {
            format: STATE_FORMAT,
            invites: Vec::new(),
            more: constella_shared::wire::more::More::none(),
        },
        vote: VoteState {
            format: STATE_FORMAT,
            generation: Generation(0),
            term,
            seq_reserved: Seq(0),
            starts: Vec::new(),
            granted: None,
            more: constella_shared::wire::more::More::none(),
        },
        commands: CommandsState::empty(),
    }
}

/// The name of a node: Greek letters, then numbers.
#[must_use]
pub(super) fn name(at: usize) -> String {
    LETTERS.get(at).map_or_else(|| format!("node{at}"), |letter| (*letter).to_owned())
}

fn state_of(network: usize, members: &[Host]) -> NetworkState {
    let now = Now { boot_ms: 1, unix_ms: EPOCH_MS - 3_600_000 };
    let Some(founder) = members.first() else { return NetworkState::clone(&empty()) };
    let founding = Founding {
        network_id: NetworkId::over(&[b"network", &network.to_be_bytes()]),
        secret: Secret::new("5e".repeat(32)),
        node: founder.id,
        name: founder.name.clone(),
        priority: founder.priority,
        pin: founder.keys.pin(),
        addr: founder.addr.clone(),
        version: "0.1.0".to_owned(),
        owner_username: "owner".to_owned(),
        claim: None,
        token: Some(Secret::new("4200000042:simulated".to_owned())),
        share_token: true,
    };
    let Ok(mut state) = found(now, founding, &founder.keys) else { return empty() };
    for (at, host) in members.iter().enumerate().skip(1) {
        state.peers.push(peer(host, founder.id, u32::try_from(at).unwrap_or(0)));
    }
    let stamp = |count: u32| Stamp { unix_ms: now.unix_ms + 1_000, count, node: founder.id };
    let pinned = NetValue::Owner { username: "owner".to_owned(), telegram_id: Some(OWNER), claim: None };
    let bot = NetValue::Bot { id: BOT, username: "constella_bot".to_owned() };
    state.records.retain(|record| !matches!(record.value, NetValue::Owner { .. }));
    for (count, value) in [(900_000, pinned), (900_001, bot)] {
        state.records.push(NetRecord::new(stamp(count), Term(0), value));
    }
    let voters = constella_core::voters::size(members.len());
    let new = members.iter().take(voters).map(|host| host.id).collect();
    state.voters = VoterRecord { mark: VotersMark { number: 2, term: Term(0) }, old: Vec::new(), new };
    state
}

fn peer(host: &Host, founder: NodeId, count: u32) -> Peer {
    let unix_ms = EPOCH_MS - 3_600_000 + 1_000;
    let own = SelfRecord {
        node: host.id,
        stamp: Stamp { unix_ms, count, node: host.id },
        addr: host.addr.clone(),
        version: "0.1.0".to_owned(),
        protocol: PROTOCOL,
    };
    let owner = OwnerRecord {
        node: host.id,
        stamp: Stamp { unix_ms, count, node: founder },
        term: Term(0),
        name: host.name.clone(),
        priority: host.priority,
        pin: host.keys.pin(),
        admitted_by: founder,
        removed: false,
        more: constella_shared::wire::more::More::none(),
    };
    let body = serde_json::to_string(&own).unwrap_or_default();
    Peer { owner, own: Some(host.keys.sign(body)) }
}

fn empty() -> NetworkState {
    NetworkState {
        format: STATE_FORMAT,
        network_id: NetworkId::over(&[b"nobody"]),
        owner_username: String::new(),
        network_secret: Secret::new(String::new()),
        secret_generation: 1,
        own_token: None,
        peers: Vec::new(),
        records: Vec::new(),
        voters: VoterRecord::default(),
        more: constella_shared::wire::more::More::none(),
    }
}

const LETTERS: [&str; 12] =
    ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"];
