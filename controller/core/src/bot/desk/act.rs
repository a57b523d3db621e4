//! What the dialogue wants done. The node performs acts in the order given.

use alloc::string::String;
use core::time::Duration;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::link::InviteLink;
use constella_shared::wire::command::Stage;
use constella_shared::wire::records::NetValue;
use constella_shared::wire::rpc::{Request, Response, RpcError};

use crate::alerts::board::Press as AlertPress;
use crate::io::{BotCall, BotError, BotReply, CallError, Progress};
use crate::joins::InviteError;
use crate::roster::Edit;

/// Names a question of the dialogue until it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Ask a node (this one too: the node answers itself without a network).
    Ask {
        /// Names the answer; each ask is answered exactly once.
        ask: AskId,
        /// Whom.
        to: NodeId,
        /// What.
        request: Request,
        /// Time limit.
        timeout: Duration,
    },
    /// Ask Telegram.
    Bot {
        /// Names the answer.
        ask: AskId,
        /// What.
        call: BotCall,
    },
    /// The command has come this far: stored and copied (F6) before any act that follows it.
    Stage {
        /// Which.
        command: CommandId,
        /// How far.
        stage: Stage,
    },
    /// Write a record of the network.
    Record(NetValue),
    /// Write one of several records of a kind.
    RecordOf {
        /// Which.
        which: String,
        /// What.
        value: NetValue,
    },
    /// Acknowledge or mute an incident.
    Alert(AlertPress),
    /// Make an invitation; answered with [`Answer::Link`].
    Invite {
        /// Names the answer.
        ask: AskId,
        /// How long it holds, seconds.
        ttl_s: u64,
    },
    /// Edit a node (R4); answered with [`Answer::Edited`].
    Edit {
        /// Names the answer.
        ask: AskId,
        /// Which node.
        node: NodeId,
        /// What becomes of it.
        edit: Edit,
    },
}

/// The answer to an ask.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To [`Act::Ask`].
    Peer(Result<Response, CallError>),
    /// To [`Act::Bot`].
    Bot(Result<BotReply, BotError>),
    /// To [`Act::Invite`]: the link, or why there is none.
    Link(Result<InviteLink, InviteError>),
    /// To [`Act::Edit`]: how far it is, or why nothing was written.
    Edited(Result<Progress, RpcError>),
}

impl Answer {
    /// A node's answer. One of another kind than its question is none, so that no command ever waits for it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn peer(self) -> Result<Response, CallError> {
        match self {
            Self::Peer(result) => result,
            Self::Bot(_) | Self::Link(_) | Self::Edited(_) => Err(CallError::Lost(OTHER_KIND.into())),
        }
    }

    /// Telegram's answer; the same.
    ///
    /// # Errors
    /// Why there is none.
    pub fn bot(self) -> Result<BotReply, BotError> {
        match self {
            Self::Bot(result) => result,
            Self::Peer(_) | Self::Link(_) | Self::Edited(_) => Err(BotError::Unreachable(OTHER_KIND.into())),
        }
    }
}

/// What is to be done with an update before anything of it is stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Admission {
    /// The owner's: store it, confirm it, then carry it out.
    Command,
    /// A stranger's, not refused within the last hour: these acts, nothing stored.
    Refuse(alloc::vec::Vec<Act>),
    /// Nothing to do.
    Ignore,
}

/// Said of an answer of another kind than its question.
const OTHER_KIND: &str = "an answer of another kind";
