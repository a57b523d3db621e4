//! A node put together from the parts that its state files made.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;
use constella_shared::state::{CommandsState, VoteState};
use rand::rngs::StdRng;

use super::alerts::Alerts;
use super::copies::Copies;
use super::farewell::Parting;
use super::hindrance::Hindrances;
use super::holder_probe::HolderProbe;
use super::host::Host;
use super::resume::Resume;
use super::watch::Watch;
use super::{Chores, Node, serve};
use crate::bot::desk::dialogue::Dialogue;
use crate::calls::Calls;
use crate::clock::Now;
use crate::commands::Commands;
use crate::config::Settings;
use crate::disk::Disk;
use crate::fence::Fence;
use crate::io::{BotState, Output};
use crate::joins::Joins;
use crate::keys::Keys;
use crate::lease::claim::Claim;
use crate::lease::durable::Durable;
use crate::lease::seen::Seen;
use crate::lease::voter::Voter;
use crate::membership::Membership;
use crate::peers::Peers;
use crate::probe::Probe;
use crate::roster::Roster;

/// The parts that are not empty at the start.
pub(super) struct Parts {
    pub(super) addr: String,
    pub(super) keys: Box<dyn Keys + Send>,
    pub(super) rng: StdRng,
    pub(super) out: Vec<Output>,
    pub(super) disk: Disk,
    pub(super) roster: Roster,
    pub(super) membership: Membership,
    pub(super) voter: Voter,
    pub(super) resume: Resume,
    pub(super) dialogue: Dialogue,
    pub(super) settings: Settings,
}

impl Node {
    /// Everything else is empty: nothing was heard, nothing is held.
    pub(super) fn assemble(now: Now, node: NodeId, parts: Parts, vote: VoteState, commands: CommandsState) -> Self {
        let Parts { addr, keys, rng, out, disk, roster, membership, voter, resume, dialogue, settings } = parts;
        Self {
            id: node,
            generation: vote.generation,
            born: now.boot_ms,
            last: now,
            addr,
            keys,
            rng,
            calls: Calls::new(),
            pending: BTreeMap::new(),
            out,
            disk,
            roster,
            network_dirty: false,
            invites_dirty: false,
            membership,
            member_timers: BTreeMap::new(),
            status_since: BTreeMap::new(),
            frames: BTreeMap::new(),
            joins: Joins::new(),
            peers: Peers::default(),
            host: Host::default(),
            watch: Watch::new(node, commands.judge.clone()),
            durable: Durable::new(vote),
            voter,
            resume,
            holder_probe: HolderProbe::new(now),
            claim: Claim::new(settings.lease_ttl_ms),
            seen: Seen::default(),
            held: None,
            left_to_voters: false,
            told: false,
            barred_until: 0,
            handover: None,
            parting: Parting::default(),
            hindrances: Hindrances::default(),
            alerts: Alerts::default(),
            proof: None,
            authority: super::authority::Authority::default(),
            refused: super::refused::Refusals::default(),
            retired: false,
            fence: Fence::new(node),
            probe: Probe::new(now),
            token: None,
            bot: None,
            commands: Commands::new(commands),
            batch: None,
            copies: Copies::default(),
            staging: false,
            serving: serve::Serving::Nothing,
            dialogue,
            acts: VecDeque::new(),
            answers: VecDeque::new(),
            noted: (BotState::Idle, None),
            at: Chores::due(now),
            settings,
        }
    }
}
