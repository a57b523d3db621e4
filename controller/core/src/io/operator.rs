//! The operator's CLI as the core sees it.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{NetworkId, NodeId};
use constella_shared::link::InviteId;
use constella_shared::secret::Secret;
use constella_shared::wire::lease::LeaseView;
use constella_shared::wire::records::VoterRecord;
use constella_shared::wire::rpc::PeerRow;

use super::bot::BotState;
use crate::roster::Edit;

/// What the operator's CLI asks of a running controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorRequest {
    /// `invite --ttl`.
    Invite {
        /// Seconds.
        ttl_s: u64,
    },
    /// `owner-link`.
    OwnerLink,
    /// `peers`.
    Peers,
    /// `status`.
    Status,
    /// `owner set`: somebody else becomes the owner, by a link (R4).
    OwnerSet {
        /// Telegram user name, without `@`.
        username: String,
    },
    /// `set-token`: the bot's token from now on (R4).
    SetToken(Secret),
    /// `invites`.
    Invites,
    /// `invites revoke`.
    Revoke(InviteId),
    /// `rename`, `priority`, `remove` (R4): for a strong holder only.
    Edit {
        /// Which node.
        node: NodeId,
        /// What becomes of it.
        edit: Edit,
    },
}

/// What the CLI is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum OperatorAnswer {
    /// A link (`join://` or `https://t.me/`): a secret, printed once.
    Link(Secret),
    /// Rows.
    Peers(Vec<PeerRow>),
    /// This node.
    Status(NodeStatus),
    /// The owner's edit.
    Edited(Progress),
    /// The invitations that are on record.
    Invites(Vec<InviteRow>),
}

/// How far an edit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is written here and on its way to everybody.
    Done,
    /// A node is on its way out: it gives its vote, and where it holds its lease, to another first.
    Begun,
}

/// An invitation, as an operator reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// Which: it is also in the link, and opens nothing.
    pub id: InviteId,
    /// Unix seconds after which it is refused.
    pub exp_ts: u64,
    /// The name of the node that wrote it last.
    pub by: String,
    /// The name of the node that came in with it.
    pub used_by: Option<String>,
}

/// `status`.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeStatus {
    /// This node.
    pub node: NodeId,
    /// Its name, as a person reads it.
    pub name: String,
    /// The name of the node that holds the lease.
    pub holder: Option<String>,
    /// The voters by name.
    pub electors: Vec<VoterStatus>,
    /// Which voters lack for a majority, in a sentence; None where none does.
    pub shortage: Option<String>,
    /// The network.
    pub network: NetworkId,
    /// The lease, as seen here.
    pub lease: Option<LeaseView>,
    /// Whether this node polls, watches, or neither.
    pub bot: BotState,
    /// Whether the Bot API answered the last probe.
    pub ready: bool,
    /// R2: the others take this node for a stranger, since the owner put it out.
    pub removed: bool,
    /// What members were refused since the start of the process, by kind.
    pub refused: Vec<(&'static str, u64)>,
    /// Why this node stores nothing new; None where it does.
    pub disk: Option<super::Trouble>,
    /// Members that this node sees alive, itself included.
    pub alive: usize,
    /// Members that belong.
    pub members: usize,
    /// The voters.
    pub voters: VoterRecord,
}

/// A voter, as one node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoterStatus {
    /// Which node.
    pub node: NodeId,
    /// Its name, as a person reads it.
    pub name: String,
    /// It did not grant this holder its vote, or this node, which does not hold, sees it not alive.
    pub missing: bool,
}
