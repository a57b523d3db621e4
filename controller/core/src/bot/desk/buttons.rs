//! Buttons of messages whose place another took: they are taken away, so that the chat does not fill with keyboards that answer to old screens. A
//! picture whose place a text took goes as a whole.

use alloc::collections::VecDeque;

use super::Desk;
use super::act::Act;
use super::pace::{Pace, Urgency};
use super::state::Asker;
use super::step::Step;
use crate::io::{BotCall, BotError, BotReply};

/// The messages that still have theirs, oldest first.
#[derive(Debug, Default)]
pub(super) struct OldButtons {
    waiting: VecDeque<Old>,
    flying: bool,
    failures: u8,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
struct Old {
    chat: i64,
    message: i64,
    whole: bool,
}

impl Old {
    const fn is(&self, chat: i64, message: i64) -> bool {
        self.chat == chat && self.message == message
    }
}

impl OldButtons {
    /// This message is not the bot's one message any longer; `whole` where nothing of it is to stay.
    pub(super) fn take_away(&mut self, chat: i64, message: i64, whole: bool) {
        let known = self.waiting.iter().any(|old| old.is(chat, message));
        if message > 0 && !known && self.waiting.len() < MOST {
            self.waiting.push_back(Old { chat, message, whole });
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
        self.buttons.waiting.retain(|old| step.message.is_none_or(|(chat, message)| !old.is(chat, message)));
        if self.buttons.deadline(&self.pace).is_none_or(|at| at > now.boot_ms) {
            return;
        }
        let Some(Old { chat, message, whole }) = self.buttons.waiting.front().copied() else { return };
        self.buttons.flying = true;
        self.pace.spend(now);
        let ask = self.ask(Asker::Buttons);
        let call = if whole { BotCall::Delete { chat, message } } else { BotCall::TakeButtons { chat, message } };
        step.acts.push(Act::Bot { ask, call });
    }

    /// They are gone, or cannot be taken, or it is tried again.
    pub(super) fn buttons_answered(&mut self, step: &Step<'_>, result: &Result<BotReply, BotError>) {
        let now = step.world.now;
        self.buttons.flying = false;
        match result {
            Err(BotError::RetryAfter { ms }) => return self.pace.bar(now, *ms),
            Err(error) if error.again_ms().is_some() && self.buttons.failures < TRIES => {
                self.buttons.failures += 1;
                return self.pace.failed(now);
            }
            Ok(_) | Err(_) => {}
        }
        self.buttons.failures = 0;
        match self.buttons.waiting.front_mut() {
            // A message of more than 48 hours is not deleted.
            Some(old) if old.whole && result.is_err() => old.whole = false,
            Some(_) | None => drop(self.buttons.waiting.pop_front()),
        }
    }
}

/// Messages at once: there is one at a time, but for a storm of typed commands.
const MOST: usize = 32;

/// Tries for one message: it is a convenience, a press on an old button is answered too, and takes it away.
const TRIES: u8 = 200;
