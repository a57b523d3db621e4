//! Another program that has the bot's token.

use super::{Reply, Telegram};
use crate::botapi::model::{CallId as TgCall, GetUpdates, Ms};

#[derive(Debug)]
pub(super) struct Stranger {
    pub(super) call: Option<u64>,
    pub(super) offset: i32,
}

impl Telegram {
    /// The stranger comes or goes.
    pub(in super::super) fn stranger(&mut self, there: bool) {
        self.stranger = there.then_some(Stranger { call: None, offset: 0 });
    }

    /// The stranger polls, where it is there and does not wait; it comes again some time later.
    pub(in super::super) fn stranger_polls(&mut self, t: u64) -> Vec<Reply> {
        let number = self.next_call + 1;
        let Some(stranger) = self.stranger.as_mut().filter(|stranger| stranger.call.is_none()) else {
            return Vec::new();
        };
        self.next_call = number;
        stranger.call = Some(number);
        let ask = GetUpdates { offset: stranger.offset, limit: None, timeout_s: 30, allowed_updates: None };
        let answered = self.queue.get_updates(Ms(t), TgCall(number), &ask);
        self.replies(answered)
    }

    /// Whether the stranger is there.
    pub(in super::super) const fn has_stranger(&self) -> bool {
        self.stranger.is_some()
    }
}
