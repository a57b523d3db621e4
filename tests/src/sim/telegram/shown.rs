//! F6: which commands the owner was shown, so that they need no disk.

use constella_core::bot::kit::page::{Body, Message};
use constella_core::bot::kit::press::NodeTag;
use constella_shared::ids::CommandId;
use constella_shared::wire::rpc::Status;

use super::Telegram;
use super::duty::Duty;

impl Telegram {
    /// F6: whether a command needs no disk: the owner was shown something of it, or a later one took its place, which was shown or is `kept`: the
    /// one message has the last screen that was wanted, and a choice gives way to a later choice.
    pub(in super::super) fn was_shown(&self, id: CommandId, kept: impl Fn(CommandId) -> bool) -> bool {
        let Some(duty) = self.duties.iter().find(|duty| duty.id == id) else { return false };
        let fits = |later: &Duty| duty.only_looks() && later.takes_the_screen() || duty.edits() && later.edits();
        let replaces = |later: &&Duty| later.update > duty.update && fits(later);
        let mut later = self.duties.iter().filter(replaces);
        duty.is_shown() || duty.wants_nothing() || later.any(|later| later.is_shown() || kept(later.id))
    }

    /// Whether this command writes a record of the network.
    pub(in super::super) fn edits(&self, id: CommandId) -> bool {
        self.duties.iter().any(|duty| duty.id == id && duty.edits())
    }
}

/// Whether it is the card of this node, which is down: nothing is asked of it.
pub(super) fn is_down(message: &Message, node: &NodeTag) -> bool {
    let down = |status| matches!(status, Status::Down | Status::Left);
    matches!(&message.body, Body::Card(card) if NodeTag::of(&card.row.node) == *node && down(card.row.status))
}

/// Whether it lists the nodes, and this one is not among them.
pub(super) fn lists_without(message: &Message, node: &NodeTag) -> bool {
    matches!(&message.body, Body::List(list) if list.rows.iter().all(|row| NodeTag::of(&row.node) != *node))
}
