//! A message of a room's own, and what came of it.

use super::pace::Urgency;
use crate::bot::kit::page::Screen;

/// One such message.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// Whose, and its number there.
    pub(crate) from: (&'static str, u64),
    /// In which chat.
    pub(crate) chat: i64,
    /// The message that is edited; None for a new one.
    pub(crate) message: Option<i64>,
    /// What it shows.
    pub(crate) screen: Screen,
    /// Who waits for it.
    pub(crate) urgency: Urgency,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    /// It is a new message with this id.
    Sent(i64),
    /// The message shows it.
    Edited,
    /// The message is gone, or Telegram refused it for good, or did not answer for an hour of tries.
    Lost,
}
