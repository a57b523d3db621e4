//! The command menu of the chat.

use alloc::vec::Vec;

use super::Desk;
use super::act::Act;
use super::state::Asker;
use super::step::Step;
use crate::bot::kit::language::Language;
use crate::bot::kit::say::Key;
use crate::bot::kit::world::World;
use crate::io::{BotCall, BotError, BotReply};

/// What the menu has, and whether it is set.
#[derive(Debug)]
pub(super) struct Menu {
    commands: Vec<(&'static str, Key)>,
    tries_left: u8,
    set_at: Option<u64>,
}

impl Menu {
    /// With these commands, as `/help`, and what is said of each.
    pub(super) const fn new(commands: Vec<(&'static str, Key)>) -> Self {
        Self { commands, tries_left: 0, set_at: None }
    }

    /// It is to be set, anew where its language changed.
    pub(super) fn is_due(&mut self, world: &World) {
        (self.tries_left, self.set_at) = (TRIES, Some(world.now.boot_ms));
    }

    /// When it is to be set, CLOCK_BOOTTIME milliseconds.
    pub(super) const fn deadline(&self) -> Option<u64> {
        self.set_at
    }

    /// Nothing is due.
    pub(super) const fn clear(&mut self) {
        (self.tries_left, self.set_at) = (0, None);
    }
}

impl Desk {
    pub(super) fn set_menu(&mut self, step: &mut Step<'_>) {
        if self.menu.set_at.is_some_and(|at| at <= step.world.now.boot_ms) {
            self.menu.set_at = None;
            self.menu.tries_left = self.menu.tries_left.saturating_sub(1);
            let ask = self.ask(Asker::Menu);
            let recorded = step.world.language.as_deref().and_then(Language::of_tag);
            let chat = step.message.or(step.world.message).map(|(chat, _)| chat);
            let chosen = chat.zip(self.chosen.or(recorded));
            let commands = self.menu.commands.clone();
            step.acts.push(Act::Bot { ask, call: BotCall::SetCommands { commands, chosen } });
        }
    }

    pub(super) fn menu_answered(&mut self, step: &Step<'_>, result: &Result<BotReply, BotError>) {
        if result.is_err() && self.menu.tries_left > 0 {
            let wait_ms = match result {
                Err(BotError::RetryAfter { ms }) => (*ms).max(AGAIN_MS),
                Ok(_) | Err(_) => AGAIN_MS,
            };
            self.menu.set_at = Some(step.world.now.boot_ms.saturating_add(wait_ms));
        }
    }
}

/// Tries at setting it: it is a convenience, every command works without it.
const TRIES: u8 = 5;

/// Between two of them.
const AGAIN_MS: u64 = 10_000;
