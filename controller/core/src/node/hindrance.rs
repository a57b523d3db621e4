//! What keeps the bot from its updates, told in the chat: another program that has the token (F1), a webhook. Sending works in both.
//!
//! The holder tells it, once when it begins and once when it is over, whether it polls or not (F7). A strong holder tells it at once. A weak one
//! waits, because the strong one of another side of the partition may be telling it.

use constella_shared::wire::lease::Strength;

use super::pending::Pending;
use super::{Node, default_language};
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say};
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};

/// What keeps the bot from its updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hindrance {
    /// Another program polls with the token.
    Stranger,
    /// Somebody set a webhook.
    Webhook,
}

/// What is there, and what the owner was told.
#[derive(Debug, Default)]
pub(super) struct Hindrances {
    stranger: Known,
    webhook: Known,
    /// A message is on its way.
    flying: bool,
    failures: u64,
    not_before: u64,
}

/// One hindrance.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    there: bool,
    /// What the owner was told last.
    told: bool,
    /// When it is told that this changed, CLOCK_BOOTTIME.
    tell_at: u64,
}

impl Hindrances {
    /// It is there, or is over; told after so long, unless it has changed back by then.
    fn changed(&mut self, now: Now, which: Hindrance, there: bool, after_ms: u64) {
        let known = self.of(which);
        (known.there, known.tell_at) = (there, now.boot_ms.saturating_add(after_ms));
    }

    /// When the next word is due.
    pub(super) fn deadline(&self) -> Option<u64> {
        let at = |known: &Known| (known.there != known.told).then_some(known.tell_at.max(self.not_before));
        [&self.stranger, &self.webhook].into_iter().filter_map(at).min().filter(|_| !self.flying)
    }

    /// What is to be told now.
    fn due(&mut self, now: Now) -> Option<(Hindrance, bool)> {
        if self.deadline().is_none_or(|at| at > now.boot_ms) {
            return None;
        }
        let due = |known: Known| known.there != known.told && known.tell_at <= now.boot_ms;
        let which = if due(self.stranger) { Hindrance::Stranger } else { Hindrance::Webhook };
        self.flying = true;
        Some((which, self.of(which).there))
    }

    /// The owner read it, or cannot read anything; or it is tried again.
    fn told(&mut self, now: Now, which: Hindrance, there: bool, again_ms: Option<u64>) {
        self.flying = false;
        match again_ms {
            None => {
                self.failures = 0;
                self.of(which).told = there;
            }
            Some(wait_ms) => {
                self.failures = self.failures.saturating_add(1);
                let wait_ms = wait_ms.max(AGAIN_MS.saturating_mul(self.failures).min(MOST_AGAIN_MS));
                self.not_before = now.boot_ms.saturating_add(wait_ms);
            }
        }
    }

    /// Somebody else holds: it finds out for itself, and tells.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    const fn of(&mut self, which: Hindrance) -> &mut Known {
        match which {
            Hindrance::Stranger => &mut self.stranger,
            Hindrance::Webhook => &mut self.webhook,
        }
    }
}

impl Node {
    /// The fence found that a hindrance is there, or is over.
    pub(super) fn hindered(&mut self, now: Now, which: Hindrance, there: bool) {
        let what = match (which, there) {
            (Hindrance::Stranger, true) => {
                "another program polls with this bot token; stop it, or give it a bot of its own"
            }
            (Hindrance::Webhook, true) => "a webhook is set for this bot, so it cannot be polled; delete the webhook",
            (Hindrance::Stranger, false) => "no other program polls with this bot token any longer",
            (Hindrance::Webhook, false) => "the webhook is gone",
        };
        self.warn(what.into());
        let after_ms = if self.held == Some(Strength::Strong) { SETTLE_MS } else { WEAK_MS };
        self.hindrances.changed(now, which, there, after_ms);
    }

    /// Tells the owner, where it is time. Before the first contact there is nobody to tell.
    pub(super) fn hindrances_due(&mut self, now: Now) {
        if self.held.is_none() {
            return self.hindrances.clear();
        }
        let owner = self.roster.owner().telegram_id;
        let Some(chat) = self.roster.message().map(|message| message.chat).or(owner) else { return };
        let Some((which, there)) = self.hindrances.due(now) else { return };
        let key = match (which, there) {
            (Hindrance::Stranger, true) => Key::TokenElsewhere,
            (Hindrance::Stranger, false) => Key::TokenOursAgain,
            (Hindrance::Webhook, true) => Key::WebhookSet,
            (Hindrance::Webhook, false) => Key::WebhookGone,
        };
        let language = Language::choose(self.roster.language(), None, default_language(&self.settings));
        let call =
            BotCall::Send { chat, thread: None, silent: false, screen: Screen::Note { language, say: Say::new(key) } };
        self.ask_bot(LIMIT_MS, call, Pending::Hindrance { which, there });
    }

    /// Telegram's answer.
    pub(super) fn hindrance_told(
        &mut self,
        now: Now,
        which: Hindrance,
        there: bool,
        result: &Result<BotReply, BotError>,
    ) {
        let again_ms = result.as_ref().err().and_then(BotError::again_ms);
        self.hindrances.told(now, which, there, again_ms);
    }
}

/// What changes back within this is no news.
const SETTLE_MS: u64 = 1_000;

/// A weak holder waits so much longer. The owner must read it within 15 s.
const WEAK_MS: u64 = 6_000;

/// For one call.
const LIMIT_MS: u64 = 5_000;

/// After the first failure; longer after each further one ...
const AGAIN_MS: u64 = 1_000;

/// ... up to this.
const MOST_AGAIN_MS: u64 = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(boot_ms: u64) -> Now {
        Now { boot_ms, unix_ms: boot_ms }
    }

    #[test]
    fn the_beginning_and_the_end_are_told_once_each() {
        // F7
        let mut all = Hindrances::default();
        assert_eq!((all.deadline(), all.due(at(0))), (None, None));
        all.changed(at(0), Hindrance::Webhook, true, 1_000);
        assert_eq!((all.deadline(), all.due(at(999))), (Some(1_000), None));
        assert_eq!(all.due(at(1_000)), Some((Hindrance::Webhook, true)));
        assert_eq!(all.due(at(1_001)), None, "it is on its way");
        all.told(at(1_100), Hindrance::Webhook, true, None);
        all.changed(at(5_000), Hindrance::Webhook, true, 1_000);
        assert_eq!((all.deadline(), all.due(at(60_000))), (None, None));
        all.changed(at(70_000), Hindrance::Webhook, false, 1_000);
        assert_eq!(all.due(at(71_000)), Some((Hindrance::Webhook, false)));
        all.told(at(71_100), Hindrance::Webhook, false, None);
        assert_eq!(all.deadline(), None);
    }

    #[test]
    fn what_changes_back_before_it_is_told_is_not_told() {
        let mut all = Hindrances::default();
        all.changed(at(0), Hindrance::Stranger, true, 1_000);
        all.changed(at(500), Hindrance::Stranger, false, 1_000);
        assert_eq!((all.deadline(), all.due(at(9_000))), (None, None));
    }

    #[test]
    fn a_refusal_to_send_is_tried_again_until_it_is_read_and_both_are_told() {
        let mut all = Hindrances::default();
        all.changed(at(0), Hindrance::Stranger, true, 0);
        all.changed(at(0), Hindrance::Webhook, true, 0);
        assert_eq!(all.due(at(0)), Some((Hindrance::Stranger, true)));
        all.told(at(100), Hindrance::Stranger, true, Some(7_000));
        assert_eq!(all.deadline(), Some(7_100), "retry_after is obeyed");
        assert_eq!(all.due(at(7_100)), Some((Hindrance::Stranger, true)));
        for failure in 2..50 {
            all.told(at(failure * 10_000), Hindrance::Stranger, true, Some(0));
            assert!(all.deadline().unwrap() <= failure * 10_000 + 4_000);
            assert_eq!(all.due(at(failure * 10_000 + 4_000)), Some((Hindrance::Stranger, true)));
        }
        all.told(at(600_000), Hindrance::Stranger, true, None);
        assert_eq!(all.due(at(600_000)), Some((Hindrance::Webhook, true)));
    }
}
