//! Buttons of messages whose place another took: they are taken away, so that the chat does not fill with keyboards that answer to old screens.

use alloc::collections::VecDeque;

use super::Desk;
use super::act::Act;
use super::pace::{Pace, Urgency};
use super::state::Asker;
use super::step::Step;
use crate::io::{BotCall, BotError, BotReply};

/// The messages that still have theirs, as chat and message, oldest first.
#[derive(Debug, Default)]
pub(super) struct OldButtons {
    waiting: VecDeque<(i64, i64)>,
    flying: bool,
    failures: u8,
}

impl OldButtons {
    /// This message is not the bot's one message any longer.
    pub(super) fn take_away(&mut self, chat: i64, message: i64) {
        if message > 0 && !self.waiting.contains(&(chat, message)) && self.waiting.len() < MOST {
            self.waiting.push_back((chat, message));
        }
    }

    /// When the next call is wanted. It is nobody's answer, so it waits until the bot has nothing to say.
    pub(super) fn deadline(&self, pace: &Pace) -> Option<u64> {
        (!self.flying && !self.waiting.is_empty()).then(|| pace.free_at(Urgency::Progress))
    }
}

impl Desk {
    /// Takes the buttons of one message away, where it is time.
    pub(super) fn tidy_buttons(&mut self, step: &mut Step<'_>) {
        let now = step.world.now;
        self.buttons.waiting.retain(|old| Some(*old) != step.message);
        if self.buttons.deadline(&self.pace).is_none_or(|at| at > now.boot_ms) {
            return;
        }
        let Some((chat, message)) = self.buttons.waiting.front().copied() else { return };
        self.buttons.flying = true;
        self.pace.spend(now);
        let ask = self.ask(Asker::Buttons);
        step.acts.push(Act::Bot { ask, call: BotCall::TakeButtons { chat, message } });
    }

    /// They are gone, or cannot be taken, or it is tried again.
    pub(super) fn buttons_answered(&mut self, step: &Step<'_>, result: &Result<BotReply, BotError>) {
        let now = step.world.now;
        self.buttons.flying = false;
        match result {
            Err(BotError::RetryAfter { ms }) => return self.pace.bar(now, *ms),
            Err(
                BotError::Conflict
                | BotError::WebhookSet
                | BotError::Unauthorized
                | BotError::Server
                | BotError::Unreachable(_)
                | BotError::Cancelled
                | BotError::NoToken,
            ) if self.buttons.failures < TRIES => {
                self.buttons.failures += 1;
                return self.pace.failed(now);
            }
            Ok(_) | Err(_) => {}
        }
        self.buttons.failures = 0;
        self.buttons.waiting.pop_front();
    }
}

/// Messages at once: there is one at a time, but for a storm of typed commands.
const MOST: usize = 32;

/// Tries for one message: it is a convenience, a press on an old button is answered too, and takes it away.
const TRIES: u8 = 200;
