//! The bot's one message: the last screen wins, one edit is on its way at a time, and what was shown is known.

use alloc::boxed::Box;

use super::pace::{Pace, Urgency, back_off_ms};
use crate::bot::screen::{Message, Screen};
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};

/// Counts the screens that were wanted.
pub(super) type Version = u64;

/// The one message. What Telegram does not take for lack of a connection is tried again until [`Canvas::clear`].
#[derive(Debug, Default)]
pub(super) struct Canvas {
    latest: Version,
    /// Shown, or given up: nothing is left to do for screens up to this one.
    settled: Version,
    /// What the message with this id shows, where that is certain.
    shown: Option<(i64, Message)>,
    wanted: Option<Wanted>,
    flight: Option<Flight>,
    failures: u32,
    not_before: u64,
}

#[derive(Debug)]
struct Wanted {
    message: Message,
    chat: i64,
    /// A new message at the end of the chat, rather than an edit.
    bring: bool,
    urgency: Urgency,
}

#[derive(Debug)]
struct Flight {
    version: Version,
    wanted: Wanted,
    /// The message that is edited; None for a new one.
    target: Option<i64>,
}

/// The message that is the bot's one from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Landed {
    /// In which chat.
    pub(super) chat: i64,
    /// Its id.
    pub(super) message: i64,
}

impl Canvas {
    /// Wants this screen, in place of any that is not on its way yet.
    pub(super) fn want(&mut self, chat: i64, message: Message, bring: bool, urgency: Urgency) -> Version {
        self.latest += 1;
        let before = self.wanted.take();
        self.wanted = Some(Wanted {
            message,
            chat,
            bring: bring || before.as_ref().is_some_and(|w| w.bring && w.chat == chat),
            urgency: before.map_or(urgency, |w| w.urgency.max(urgency)),
        });
        self.latest
    }

    /// The newest version that was wanted.
    pub(super) const fn latest(&self) -> Version {
        self.latest
    }

    /// Whether nothing is left to do for this version.
    pub(super) const fn is_settled(&self, version: Version) -> bool {
        version <= self.settled
    }

    /// When [`Self::issue`] wants to be called.
    pub(super) fn deadline(&self, pace: &Pace) -> Option<u64> {
        let wanted = self.wanted.as_ref()?;
        if self.flight.is_some() { None } else { Some(self.not_before.max(pace.free_at(wanted.urgency))) }
    }

    /// The call that shows what is wanted, where it is time; `current` is the bot's message.
    pub(super) fn issue(&mut self, now: Now, pace: &mut Pace, current: Option<(i64, i64)>) -> Option<BotCall> {
        if self.deadline(pace).is_none_or(|at| at > now.boot_ms) {
            return None;
        }
        let wanted = self.wanted.take()?;
        let chat = wanted.chat;
        let target = current.filter(|(at, _)| *at == chat && !wanted.bring).map(|(_, id)| id);
        if self.shown.as_ref().is_some_and(|(id, message)| Some(*id) == target && *message == wanted.message) {
            self.settled = self.latest;
            return None;
        }
        pace.spend(now);
        let screen = Screen::Message(Box::new(wanted.message.clone()));
        self.flight = Some(Flight { version: self.latest, wanted, target });
        Some(match target {
            Some(message) => BotCall::Edit { chat, message, screen },
            None => BotCall::Send { chat, screen },
        })
    }

    /// The answer to the call of [`Self::issue`]; tells of a new message.
    pub(super) fn landed(&mut self, now: Now, pace: &mut Pace, result: Result<BotReply, BotError>) -> Option<Landed> {
        let flight = self.flight.take()?;
        let error = match result {
            Ok(reply) => return self.showed(flight, &reply),
            Err(error) => error,
        };
        let is_new = flight.target.is_none();
        match error {
            BotError::RetryAfter { ms } => {
                pace.bar(now, ms);
                self.put_back(flight, is_new);
            }
            // The message cannot be edited: a new one takes its place, at once. A new one that is refused is given up.
            BotError::MessageGone | BotError::Refused(_) | BotError::QueryTooOld if !is_new => {
                self.put_back(flight, true);
            }
            BotError::MessageGone | BotError::Refused(_) | BotError::QueryTooOld | BotError::ChatGone => {
                self.settled = self.settled.max(flight.version);
                self.shown = None;
            }
            BotError::Conflict
            | BotError::WebhookSet
            | BotError::Unauthorized
            | BotError::Server
            | BotError::Unreachable(_)
            | BotError::Cancelled
            | BotError::NoToken => {
                self.failures += 1;
                self.not_before = now.boot_ms + back_off_ms(self.failures);
                self.put_back(flight, is_new);
            }
        }
        None
    }

    /// Forgets everything on its way: somebody else speaks now.
    pub(super) fn clear(&mut self) {
        *self = Self { latest: self.latest, settled: self.latest, ..Self::default() };
    }

    fn showed(&mut self, flight: Flight, reply: &BotReply) -> Option<Landed> {
        self.failures = 0;
        self.not_before = 0;
        self.settled = self.settled.max(flight.version);
        let Wanted { message, chat, .. } = flight.wanted;
        let new = match reply {
            BotReply::Sent { message } => Some(*message).filter(|_| flight.target.is_none()),
            BotReply::Done | BotReply::Me { .. } | BotReply::Webhook { .. } | BotReply::Updates(_) => None,
        };
        self.shown = new.or(flight.target).map(|id| (id, message));
        new.map(|message| Landed { chat, message })
    }

    /// Wants again what failed, unless something newer is wanted. What is shown is not certain any longer.
    fn put_back(&mut self, flight: Flight, bring: bool) {
        self.shown = None;
        match &mut self.wanted {
            Some(newer) => newer.bring |= bring && newer.chat == flight.wanted.chat,
            None => self.wanted = Some(Wanted { bring, ..flight.wanted }),
        }
    }
}
