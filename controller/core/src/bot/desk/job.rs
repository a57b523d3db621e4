//! A command on its way through the desk.

use constella_shared::wire::command::StoredCommand;

use super::asked::Asked;

/// One command that is not done.
#[derive(Debug)]
pub(crate) struct Job {
    /// The command.
    pub(crate) command: StoredCommand,
    /// When it was taken from Telegram.
    pub(super) taken: Asked,
    /// Something of it was shown, and it is done; its task only goes on to fill the screen.
    pub(super) done: bool,
}

/// By what the owner is told of a command that waits for a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// By the sentence that says how its order ended: that is never too old.
    Result,
    /// By the screen that it asked for, or that was asked for later; after long, by the line about what is too old as well.
    Screen,
    /// By that line alone.
    Line,
}
