//! A command on its way through the dialogue, and what an open question is about.

use alloc::string::String;

use constella_shared::ids::{CommandId, TokenHash};
use constella_shared::wire::command::StoredCommand;

use super::asked::Asked;
use super::canvas::Version;
use super::card::Gather;
use super::mail::Mail;
use super::reboot::Reboot;
use super::speedtest::Test;

/// One command that is not done.
#[derive(Debug)]
pub(super) struct Job {
    /// The command.
    pub(super) command: StoredCommand,
    /// What it does now.
    pub(super) work: Work,
    /// When it was taken from Telegram.
    pub(super) taken: Asked,
}

/// What a command does now.
#[derive(Debug)]
pub(super) enum Work {
    /// Collects the figures of a card.
    Card(Gather),
    /// Asks for a reboot, and follows it.
    Reboot(Reboot),
    /// Starts a speedtest, and follows it.
    Test(Test),
    /// Waits for an invitation.
    Invite {
        /// Seconds.
        ttl_s: u64,
    },
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

/// By what the owner is told of a command that waits for a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// By the sentence that says how its order ended: that is never too old.
    Result,
    /// By the screen that it asked for, or that was asked for later; after long, by the line about what is too old as well.
    Screen,
    /// By that line alone.
    Line,
}

impl Work {
    /// When it wants to be driven on, CLOCK_BOOTTIME; None while it waits for an answer.
    pub(super) const fn deadline(&self) -> Option<u64> {
        match self {
            Self::Card(gather) => gather.deadline(),
            Self::Reboot(reboot) => reboot.deadline(),
            Self::Test(test) => test.deadline(),
            // Mail leaves in the order of the questions: see `Dialogue::mail_deadline`.
            Self::Mail(_) | Self::Show { .. } | Self::Invite { .. } => None,
        }
    }
}

/// What an open question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The one message.
    Canvas,
    /// The command menu.
    Menu,
    /// A message of a command's own.
    Mail(CommandId),
    /// The buttons of a message whose place another took.
    Buttons,
    /// A figure of a card.
    Card(CommandId, Figure),
    /// The boot id of a node whose reboot is to be confirmed.
    BootId {
        /// Of which confirmation.
        nonce: String,
    },
    /// The reboot itself.
    Reboot(CommandId),
    /// Is the node back?
    Follow(CommandId),
    /// The start of a speedtest.
    TestStart(CommandId),
    /// How far the speedtest is.
    TestPoll(CommandId),
    /// The invitation.
    Invite(CommandId),
    /// What became of an invitation, in its message.
    Invitation(TokenHash),
}

/// A figure of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// `GetStats`.
    Stats,
    /// `GetTS cpu`.
    Cpu,
    /// `GetTS net`.
    Net,
    /// `GetSpeedtest`.
    Test,
}
