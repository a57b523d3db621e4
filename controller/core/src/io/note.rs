//! What the core has to say to the log.

use alloc::string::String;

use constella_shared::ids::NodeId;
use constella_shared::wire::alert::Transition;
use constella_shared::wire::lease::LeaseView;

use super::bot::BotState;
use crate::roster::Refused;

/// For the log. Each is decided in the core and logged once, by the shell, with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// The lease was taken, or its strength changed.
    Lease {
        /// The new view of this node as holder; None when it is no longer.
        view: Option<LeaseView>,
        /// Why.
        why: &'static str,
    },
    /// What this node does at the bot changed.
    Bot {
        /// Now.
        state: BotState,
        /// Why.
        why: &'static str,
    },
    /// A member's status changed.
    Member {
        /// Whose.
        node: NodeId,
        /// Now.
        status: constella_shared::wire::rpc::Status,
    },
    /// A command went a step.
    Command {
        /// Which.
        id: constella_shared::ids::CommandId,
        /// What happened.
        what: &'static str,
    },
    /// N1: this node's judgement of itself changed.
    Judged(Transition),
    /// A record was refused (R1), or anything else that a person should know.
    Warning {
        /// What.
        what: String,
    },
}

impl Note {
    /// A record of the state that the roster refused at the start.
    pub(crate) fn left_out(refused: &Refused) -> Self {
        Self::Warning { what: alloc::format!("a stored record was left out: {refused:?}") }
    }
}
