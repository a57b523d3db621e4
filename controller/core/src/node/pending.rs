//! Who waits for which answer.

use constella_shared::ids::{CommandId, Generation, NodeId, Term};
use constella_shared::wire::alert::Standing;
use constella_shared::wire::incident::IncidentId;

use super::hindrance::Hindrance;
use super::orders::Order;
use crate::alerts::board::Call as AlertCall;
use crate::bot::desk::act::AskId;
use crate::clock::Now;
use crate::io::InboundId;
use crate::lease::claim::AskSent;

/// A call that this node made, and why.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pending {
    /// A heartbeat.
    Heartbeat { to: NodeId, sent: Now },
    /// An announcement, a takeover, a notice: nothing depends on the answer.
    Told { to: NodeId },
    /// A stage, to a node that may have an older copy of the command.
    Staged { to: NodeId, id: CommandId },
    /// `Lease.Acquire`.
    Ask { voter: NodeId, sent: AskSent, at: Now },
    /// `Lease.Release`.
    Release { voter: NodeId },
    /// `Bot.Offer`.
    Offer { heir: NodeId },
    /// `Bot.Handover`, and the commands that go with it.
    Tell { heir: NodeId },
    /// `getMe` for a proof.
    ProofBot,
    /// `Lease.Get` for a sign of life.
    HolderProbe { to: NodeId },
    /// `Lease.Get` for a proof.
    ProofVote { voter: NodeId },
    /// `Lease.Get`: whom a voter granted.
    GrantOf { voter: NodeId },
    /// `getMe` for readiness.
    Probe,
    /// A call of the fence.
    Fence,
    /// `Roster.Sync`.
    Sync { with: NodeId },
    /// `Members.Sync`.
    Members { with: NodeId },
    /// `Join`, passed on to the holder.
    JoinPassedOn,
    /// A copy of commands.
    Copy { keeper: NodeId },
    /// Commands passed on to the holder.
    PassedOn { to: NodeId, ids: alloc::vec::Vec<CommandId> },
    /// A question of the dialogue, at a node.
    DialogueNode { ask: AskId, to: NodeId, sent: Now },
    /// An order of the dialogue, at a node: it carries the term.
    Order(Order),
    /// The term at a node that refused an order.
    TermAt(Order),
    /// A question of the dialogue, at Telegram.
    DialogueBot { ask: AskId },
    /// The last word of a node that was removed.
    Farewell,
    /// That something keeps the bot from its updates, or does so no longer.
    Hindrance { which: Hindrance, there: bool },
    /// `Alerts.Witness`.
    Witness { witness: NodeId, asked_at: u64, nodes: alloc::vec::Vec<NodeId> },
    /// `Alerts.Tell`.
    Standing { to: NodeId, heard: (NodeId, Option<Generation>, Term), what: alloc::vec::Vec<Standing> },
    /// A message of alerts.
    Alert { incident: IncidentId, call: AlertCall, chat: i64 },
    /// A question to this host's agent, for somebody.
    Agent { asker: Asker, want: Want },
    /// CPU and memory for the heartbeats.
    Glance,
}

/// Who asked this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A member, over the network.
    Peer(InboundId),
    /// This node's own dialogue.
    Dialogue(AskId),
}

/// What was asked of the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// `GetStats`.
    Stats,
    /// `GetTS`, in so many points at most.
    Series { points: Option<u32> },
    /// `RunSpeedtest` and `GetSpeedtest`.
    Speedtest,
    /// `Reboot`, asked in this term.
    Reboot(CommandId, Term),
}
