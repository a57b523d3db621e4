//! One open command, and how far it is.

use alloc::collections::{BTreeSet, VecDeque};

use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::limits::DONE_COMMANDS;
use constella_shared::wire::command::{Stage, StoredCommand};

/// A command that is not done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub(super) command: StoredCommand,
    /// Handed to the dialogue in this life, and not put down since.
    pub(super) started: bool,
    /// Handed to it in this life, or perhaps in an earlier one.
    pub(super) begun: bool,
    /// Told to Telegram, or taken over from somebody who may have told it.
    pub(super) confirmed: bool,
    /// A confirmation of it was sent, or may have been by somebody else: Telegram may count it no more.
    pub(super) owed: bool,
    /// This node was the last that had it in hand as a holder, in this life.
    pub(super) own: bool,
    /// Who else keeps a copy: they are told when it is done.
    pub(super) keepers: BTreeSet<NodeId>,
    /// The holder that was last asked to carry it out.
    pub(super) passed_to: Option<(NodeId, Term)>,
    /// What the disk does not have of it before the next write.
    pub(super) unwritten: Unwritten,
}

/// How much of a command rests on the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Unwritten {
    /// Nothing.
    Nothing,
    /// That it was given as an order.
    Order,
    /// All of it.
    Everything,
}

impl Open {
    /// Just taken from Telegram, which counts it still.
    pub(super) fn taken(command: StoredCommand) -> Self {
        Self {
            command,
            started: false,
            begun: false,
            confirmed: false,
            owed: false,
            own: true,
            keepers: BTreeSet::new(),
            passed_to: None,
            unwritten: Unwritten::Everything,
        }
    }

    /// A copy: whoever took it may have told Telegram.
    pub(super) fn copied(command: StoredCommand, from: NodeId) -> Self {
        let (confirmed, owed, own, keepers) = (true, true, false, BTreeSet::from([from]));
        Self { confirmed, owed, own, keepers, ..Self::taken(command) }
    }
}

/// How far a stage is, for taking over the newer of two copies.
pub(super) const fn rank(stage: &Stage) -> u8 {
    match stage {
        Stage::Taken => 0,
        Stage::Rebooting { asked_unix_ms: None, .. } => 1,
        // Its time was ended by whoever told the owner that nothing was done.
        Stage::Rebooting { not_after_boot_ms: Some(0), .. } => VOID,
        Stage::Rebooting { .. } | Stage::Testing { .. } | Stage::Running { .. } | Stage::Other(_) => 2,
        Stage::Done => 4,
    }
}

/// Whether a copy came further. Of two stages that only their room, or a newer version, can compare, the one that came later (S7).
pub(super) fn is_further(came: &Stage, held: &Stage) -> bool {
    let opaque = |stage: &Stage| matches!(stage, Stage::Running { .. } | Stage::Other(_));
    rank(came) > rank(held) || (opaque(came) && opaque(held) && came != held)
}

/// An order whose time was ended.
pub(super) const VOID: u8 = 3;

/// Whether it was left to a target to carry something out, be the time for that over. Of a stage that is not known it is assumed (S7).
pub(super) const fn is_order(stage: &Stage) -> bool {
    matches!(stage, Stage::Rebooting { .. } | Stage::Testing { .. } | Stage::Running { .. } | Stage::Other(_))
}

/// The oldest one gives way where there are too many, and is returned.
pub(super) fn push_bounded(list: &mut VecDeque<CommandId>, id: CommandId) -> Option<CommandId> {
    let forgotten = if list.len() >= DONE_COMMANDS { list.pop_front() } else { None };
    list.push_back(id);
    forgotten
}
