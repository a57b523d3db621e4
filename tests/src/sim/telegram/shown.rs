//! F6: which commands the owner was shown, so that they need no disk.

use constella_shared::ids::CommandId;

use super::Telegram;
use super::duty::Duty;

impl Telegram {
    /// F6: whether a command needs no disk: the owner was shown something of it, or a later one took its place, which was shown or is `kept`: the
    /// one message has the last screen that was wanted, and a choice gives way to a later choice.
    pub(in super::super) fn was_shown(&self, id: CommandId, kept: impl Fn(CommandId) -> bool) -> bool {
        let Some(duty) = self.duties.iter().find(|duty| duty.id == id) else { return false };
        let replaces =
            |later: &&Duty| later.update > duty.update && (duty.only_looks() || duty.edits() && later.edits());
        let mut later = self.duties.iter().filter(replaces);
        duty.is_shown() || duty.wants_nothing() || later.any(|later| later.is_shown() || kept(later.id))
    }

    /// Whether this command writes a record of the network.
    pub(in super::super) fn edits(&self, id: CommandId) -> bool {
        self.duties.iter().any(|duty| duty.id == id && duty.edits())
    }
}
