//! What the dialogue may look at: a picture of the network, taken right before each step.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId, Term, TokenHash};
use constella_shared::wire::heartbeat::Glance;
use constella_shared::wire::rpc::Status;

use super::names;
use crate::alerts::choice::{Choice, Quiet};
use crate::alerts::incident::Incident;
use crate::clock::Now;
use crate::io::Trouble;
use crate::voters::Shortage;

/// The network as the node that serves sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// The time.
    pub now: Now,
    /// This node.
    pub me: NodeId,
    /// The lease's term.
    pub term: Term,
    /// Whether the lease is strong; a weak holder may not carry out the owner's edits (R4).
    pub strong: bool,
    /// Whether this node polls. One that does not only finishes what another took, who may still speak to the owner, so it tells what begins
    /// and what came of it, and no progress (F6).
    pub polls: bool,
    /// Open commands of which a node has a copy that does not answer, or did not take their newest stage: it may carry them out on another side
    /// of a cut.
    pub strayed: Vec<CommandId>,
    /// Open commands whose newest stage is on its way to those who have a copy.
    pub unsettled: Vec<CommandId>,
    /// For how long the lease of this holder lasts without a renewal, milliseconds; None where it is weak.
    pub lease_left_ms: Option<u64>,
    /// Every voter, those of both lists while the record changes, and whether it is there.
    pub voters: Vec<Voter>,
    /// What this holder lacks for a majority of the voters.
    pub shortage: Option<Shortage>,
    /// Whether another node that lives said lately that it could serve the owner.
    pub has_heir: bool,
    /// Every node that belongs, by LeaderKey.
    pub nodes: Vec<NodeRow>,
    /// The owner.
    pub owner: Owner,
    /// The owner's choice of language; None: Telegram's, then the default.
    pub language: Option<String>,
    /// The bot's one message: chat and message id.
    pub message: Option<(i64, i64)>,
    /// The bot's user name, for links.
    pub bot_username: Option<String>,
    /// Every invitation that is on record.
    pub invites: Vec<Invited>,
    /// The owner's choices about the rules by which nodes judge themselves, by the names of their records.
    pub choices: BTreeMap<String, Choice>,
    /// The owner's choice of quiet hours.
    pub quiet: Option<Quiet>,
    /// Every incident that is on record.
    pub alerts: Vec<Incident>,
}

/// One voter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voter {
    /// Who.
    pub node: NodeId,
    /// Whether it granted, or answers.
    pub there: bool,
}

/// An invitation on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invited {
    /// SHA-256 of its token.
    pub token: TokenHash,
    /// Unix seconds after which it is refused.
    pub exp_unix_s: u64,
    /// The node that wrote it last.
    pub by: NodeId,
    /// The node that came in with it.
    pub spent_by: Option<NodeId>,
}

/// Who may command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Telegram user name, without `@`; compared in any case.
    pub username: String,
    /// Numeric id, once pinned: from then on it alone decides.
    pub telegram_id: Option<i64>,
    /// SHA-256 of the claim code's text, until pinned.
    pub claim: Option<TokenHash>,
}

/// One node of the list.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRow {
    /// Its id.
    pub node: NodeId,
    /// The owner's name for it.
    pub name: String,
    /// Smaller leads.
    pub priority: u32,
    /// Alive, suspect, down, left.
    pub status: Status,
    /// Whether it holds the lease.
    pub leader: bool,
    /// Version of its controller.
    pub version: String,
    /// Round trip of the last heartbeat.
    pub rtt_ms: Option<u32>,
    /// Its CLOCK_BOOTTIME at this moment, never ahead of it; None where it was never heard of here.
    pub boot_ms: Option<u64>,
    /// Its wall clock at this moment, unix milliseconds; None where it was never heard of here.
    pub unix_ms: Option<u64>,
    /// For how long its controller has been running, milliseconds, as of what was last heard of it.
    pub up_ms: Option<u64>,
    /// Unix milliseconds of its last sign of life here; 0 for never.
    pub last_seen_unix_ms: u64,
    /// CPU and memory, where it told.
    pub glance: Option<Glance>,
    /// Why it stores nothing that is new; None where it does.
    pub disk: Option<Trouble>,
    /// Whether its last call to the Bot API was answered, as it last said; None where it was never heard of here. In a large network only voters call.
    pub reaches_bot: Option<bool>,
}

impl World {
    /// The row of a node that belongs.
    #[must_use]
    pub fn row(&self, node: NodeId) -> Option<&NodeRow> {
        self.nodes.iter().find(|row| row.node == node)
    }

    /// Every node with its name.
    pub fn names(&self) -> impl Iterator<Item = (NodeId, &str)> + Clone {
        self.nodes.iter().map(|row| (row.node, row.name.as_str()))
    }

    /// The owner's name for a node, with its short id where names are alike; that id alone where it does not belong any longer.
    #[must_use]
    pub fn name_of(&self, node: NodeId) -> String {
        names::shown(self.names(), node)
    }

    /// Whether nothing can be asked of a node now, as far as this one sees.
    #[must_use]
    pub fn is_down(&self, node: NodeId) -> bool {
        matches!(self.row(node).map(|row| row.status), Some(Status::Down | Status::Left))
    }

    /// Why this node stores nothing that is new.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        self.nodes.iter().find(|row| row.node == self.me).and_then(|row| row.disk)
    }
}
