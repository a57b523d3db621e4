//! The core's notes, as log lines: a fixed message, the data in fields.

use constella_core::io::{BotState, Note};
use constella_shared::wire::alert::{Change, Transition};
use constella_shared::wire::lease::Strength;
use constella_shared::wire::rpc::Status;

/// Logs one.
pub(super) fn log(note: &Note) {
    match note {
        Note::Lease { view: Some(view), why } => tracing::info!(
            term = view.term.0,
            strong = view.strength == Strength::Strong,
            polling = view.polling,
            why,
            "lease held"
        ),
        Note::Lease { view: None, why } => tracing::info!(why, "lease not held"),
        Note::Bot { state, why } => tracing::info!(state = bot(*state), why, "bot state changed"),
        Note::Member { node, status } => match status {
            Status::Alive | Status::Left => {
                tracing::info!(node = node.short(), status = word(*status), "member changed")
            }
            Status::Suspect | Status::Down => {
                tracing::warn!(node = node.short(), status = word(*status), "member changed");
            }
        },
        Note::Command { id, what } => tracing::info!(command_id = id.short(), what, "command"),
        Note::Judged(Transition { subject, change, .. }) => tracing::info!(
            node = subject.node.short(),
            kind = subject.kind.name(),
            part = subject.part.as_ref().map(|part| part.as_str()),
            change = judged(*change),
            "judgement changed"
        ),
        Note::Warning { what } => tracing::warn!(what, "core warns"),
    }
}

/// What a node does at the bot, in a word.
pub(crate) const fn bot(state: BotState) -> &'static str {
    match state {
        BotState::Idle => "idle",
        BotState::Holding => "holding",
        BotState::Watching => "watching",
        BotState::Polling => "polling",
    }
}

/// A status in a word.
pub(crate) const fn word(status: Status) -> &'static str {
    match status {
        Status::Alive => "alive",
        Status::Suspect => "suspect",
        Status::Down => "down",
        Status::Left => "left",
    }
}

const fn judged(change: Change) -> &'static str {
    match change {
        Change::Raised(_) => "raised",
        Change::Worse(_) => "worse",
        Change::Cleared => "cleared",
    }
}
