//! How far the commands at the desk are, and who waits for an answer.

use alloc::boxed::Box;

use constella_shared::ids::CommandId;

use super::canvas::Version;
use super::job::Told;
use super::letter::Mail;
use super::room::{Task, ToCome};

/// How far a command is.
#[derive(Debug)]
pub(super) enum State {
    /// A task of this room works on it.
    Work(&'static str, Box<dyn Task>),
    /// Sends a message of its own.
    Mail(Mail),
    /// Waits until its screen, or a later one, is shown.
    Show {
        /// Which screen.
        version: Version,
        /// By what its owner is told of it.
        told: Told,
    },
}

impl State {
    /// When it wants to be driven on, CLOCK_BOOTTIME; None while it waits for an answer.
    pub(super) fn deadline(&self) -> Option<u64> {
        match self {
            Self::Work(_, task) => task.deadline(),
            // Mail leaves in the order of the questions: see `Desk::mail_deadline`.
            Self::Mail(_) | Self::Show { .. } => None,
        }
    }

    /// Which screen shows something of it, and whether nothing comes after that.
    pub(super) fn screen(&self) -> Option<(Version, bool)> {
        match self {
            Self::Show { version, .. } => Some((*version, true)),
            Self::Work(_, task) => task.showed().map(|version| (version, false)),
            Self::Mail(_) => None,
        }
    }

    /// What it will bring to the end of the chat, beside the mail that is ready to leave.
    pub(super) fn to_come(&self) -> ToCome {
        match self {
            Self::Work(_, task) => task.to_come(),
            Self::Mail(_) | Self::Show { .. } => ToCome::Nothing,
        }
    }
}

/// Who waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asker {
    /// The one message.
    Canvas,
    /// The command menu.
    Menu,
    /// A message of a command's own.
    Mail(CommandId),
    /// A message of a room's own.
    Post,
    /// The buttons of a message whose place another took.
    Buttons,
    /// The task of a command, with its own number.
    Task(CommandId, u64),
    /// A room, with its own number.
    Room(&'static str, u64),
}
