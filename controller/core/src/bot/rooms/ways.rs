//! Presses that lead into other rooms. A room's own presses stand in it; what others need of them stands here, so that no room imports another.

use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::NodeId;

use crate::bot::kit::buttons::button;
use crate::bot::kit::page::Button;
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::Key;

/// A page of the list, from 0.
#[must_use]
pub fn list(page: usize) -> Press {
    Press::with(LIST, page)
}

/// A node's card; also refreshes it.
#[must_use]
pub fn card(node: NodeId) -> Press {
    Press::with(CARD, NodeTag::of(&node))
}

/// The chart of a node: its CPU over a day.
#[must_use]
pub fn chart(node: NodeId) -> Press {
    Press::with(CHART, alloc::format!("acaa00{}", NodeTag::of(&node)))
}

/// Starts a speedtest of a node.
#[must_use]
pub fn speedtest(node: NodeId) -> Press {
    Press::with(SPEEDTEST, NodeTag::of(&node))
}

/// Shows the confirmation of a node's reboot.
#[must_use]
pub fn ask_reboot(node: NodeId) -> Press {
    Press::with(ASK_REBOOT, NodeTag::of(&node))
}

/// The rules by which nodes judge themselves: one node's, or those for all.
#[must_use]
pub fn thresholds(node: Option<NodeId>) -> Press {
    node.map_or_else(|| Press::new(THRESHOLDS), |node| Press::with(THRESHOLDS, NodeTag::of(&node)))
}

/// What can be changed about a node.
#[must_use]
pub fn manage(node: NodeId) -> Press {
    Press::with(MANAGE, NodeTag::of(&node))
}

/// The help.
#[must_use]
pub fn help() -> Press {
    Press::new(HELP)
}

/// To the list.
#[must_use]
pub(in crate::bot) fn to_list() -> Button {
    button(Key::ToList, list(0))
}

/// Back to the card, and to the list.
#[must_use]
pub(in crate::bot) fn back(node: NodeId) -> Vec<Vec<Button>> {
    vec![vec![button(Key::ToCard, card(node)), to_list()]]
}

/// Verb of the list.
pub const LIST: &str = "ls";

/// Verb of a card.
pub const CARD: &str = "cd";

/// Verb of a chart.
pub const CHART: &str = "ch";

/// Verb of a speedtest.
pub const SPEEDTEST: &str = "st";

/// Verb of a reboot that is to be confirmed.
pub const ASK_REBOOT: &str = "rq";

/// Verb of the rules.
pub const THRESHOLDS: &str = "th";

/// Verb of what can be changed about a node.
pub const MANAGE: &str = "nd";

/// Verb of the help.
pub const HELP: &str = "hp";
