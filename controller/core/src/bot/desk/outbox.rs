//! Messages of a room's own, that no command asked for: sent and edited one after another, tried again until Telegram answered for good.
//!
//! They are not durable. A node that serves no longer forgets them, and the room that posts one again knows which by its own record.

use alloc::collections::VecDeque;

use super::Desk;
use super::act::Act;
use super::pace::Pace;
use super::post::{Post, Posted};
use super::state::Asker;
use super::step::Step;
use crate::io::{BotCall, BotError, BotReply};

/// Those that are not in the chat yet.
#[derive(Debug, Default)]
pub(super) struct Posts {
    waiting: VecDeque<Post>,
    flying: bool,
    failures: u32,
}

impl Posts {
    /// When the next one may go out; None while there is none, or one is on its way.
    pub(super) fn deadline(&self, pace: &Pace) -> Option<u64> {
        self.waiting.front().filter(|_| !self.flying).map(|post| pace.free_at(post.urgency))
    }
}

impl Desk {
    /// Sends or edits a message of a room's own. A newer one under the same number takes the place of one that did not leave yet.
    pub(crate) fn post(&mut self, post: Post) {
        let under_way = usize::from(self.posts.flying);
        match self.posts.waiting.iter_mut().skip(under_way).find(|waiting| waiting.from == post.from) {
            Some(waiting) => *waiting = post,
            None => self.posts.waiting.push_back(post),
        }
    }

    /// Sends the next one, where it is time.
    pub(super) fn send_posts(&mut self, step: &mut Step<'_>) {
        let now = step.world.now;
        if self.posts.deadline(&self.pace).is_none_or(|at| at > now.boot_ms) {
            return;
        }
        let Some(Post { chat, message, screen, .. }) = self.posts.waiting.front().cloned() else { return };
        self.posts.flying = true;
        self.pace.spend(now);
        let ask = self.ask(Asker::Post);
        let call = match message {
            Some(message) => BotCall::Edit { chat, message, screen },
            None => BotCall::Send { chat, thread: None, silent: false, screen },
        };
        step.acts.push(Act::Bot { ask, call });
    }

    /// The answer; for whom, under which number, and what came of it, where that is certain.
    pub(super) fn post_answered(
        &mut self,
        step: &Step<'_>,
        result: Result<BotReply, BotError>,
    ) -> Option<((&'static str, u64), Posted)> {
        let now = step.world.now;
        self.posts.flying = false;
        let posted = match result {
            Err(BotError::RetryAfter { ms }) => {
                self.pace.bar(now, ms);
                return None;
            }
            Err(error) if error.again_ms().is_some() => {
                self.pace.failed(now);
                self.posts.failures += 1;
                if self.posts.failures < TRIES {
                    return None;
                }
                Posted::Lost
            }
            Ok(BotReply::Sent { message }) => Posted::Sent(message),
            Ok(BotReply::Done | BotReply::Me { .. } | BotReply::Webhook { .. } | BotReply::Updates(_)) => {
                Posted::Edited
            }
            Err(_) => Posted::Lost,
        };
        if self.posts.failures < TRIES {
            self.pace.answered();
        }
        self.posts.failures = 0;
        let Post { from, .. } = self.posts.waiting.pop_front()?;
        if let Posted::Sent(message) = posted {
            // What was posted anew before this message had an id is an edit of it.
            let same = |post: &&mut Post| post.from == from && post.message.is_none();
            self.posts.waiting.iter_mut().filter(same).for_each(|post| post.message = Some(message));
        }
        Some((from, posted))
    }
}

/// Tries at one message, an hour of them at least: a holder that Telegram does not answer for so long has handed over.
const TRIES: u32 = 2_400;
