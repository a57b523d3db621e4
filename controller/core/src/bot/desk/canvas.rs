//! The bot's one message: the last screen wins, one edit is on its way at a time, and what was shown is known.

use alloc::boxed::Box;
use alloc::string::String;

use super::drawing::{Place, Sheet};
use super::pace::{Pace, Urgency};
use crate::bot::kit::page::{Body, Message, Screen};
use crate::bot::kit::say::Key;
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};

/// Counts the screens that were wanted.
pub(crate) type Version = u64;

/// The one message. What Telegram does not take for lack of a connection is tried again until [`Canvas::clear`].
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    latest: Version,
    /// Shown, or given up: nothing is left to do for screens up to this one.
    settled: Version,
    /// What the message with this id shows, where that is certain.
    shown: Option<(i64, Message)>,
    /// The message that is a picture: no edit makes a text of it (Bot API, editMessageText).
    picture: Option<i64>,
    wanted: Option<Wanted>,
    flight: Option<Flight>,
}

#[derive(Debug)]
struct Wanted {
    message: Message,
    chat: i64,
    /// A new message at the end of the chat, rather than an edit.
    bring: bool,
    /// What it answers and in which topic, where it is brought.
    place: Place,
    urgency: Urgency,
    /// When it was drawn, CLOCK_BOOTTIME.
    drawn_at: u64,
}

#[derive(Debug)]
struct Flight {
    version: Version,
    wanted: Wanted,
    /// The message that is edited; None for a new one.
    target: Option<i64>,
    /// The message whose place a new one takes; None where it is gone.
    replaces: Option<i64>,
    /// Whether that one is a picture, which goes with it.
    over_picture: bool,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Landed {
    /// It was shown in the message that was there; or it was not, and is tried again or given up.
    Nothing,
    /// It is the bot's one message from now on.
    New {
        /// In which chat.
        chat: i64,
        /// Its id.
        message: i64,
        /// The message whose place it took, which still has its buttons.
        old: Option<i64>,
        /// Whether that one is a picture that a text took the place of.
        over_picture: bool,
    },
    /// Telegram will never take this screen, or its picture cannot be drawn.
    Refused {
        /// Why, in the words of who refused it.
        why: String,
        /// Whether the words about it are a new message: the present one takes no edit either.
        bring: bool,
    },
}

impl Canvas {
    /// Wants this screen, in place of any that is not on its way yet.
    pub(crate) fn want(&mut self, now: Now, sheet: Sheet, message: Message, urgency: Urgency) -> Version {
        self.latest += 1;
        let Sheet { chat, bring, place, .. } = sheet;
        let before = self.wanted.take().filter(|before| before.chat == chat);
        let brought = before.as_ref().filter(|before| before.bring && !bring).map(|before| before.place);
        self.wanted = Some(Wanted {
            message,
            chat,
            bring: bring || brought.is_some(),
            place: brought.unwrap_or(place),
            urgency: before.map_or(urgency, |before| before.urgency.max(urgency)),
            drawn_at: now.boot_ms,
        });
        self.latest
    }

    /// Wants the present screen with other notices: its figures are as old as they were.
    pub(crate) fn amend(&mut self, now: Now, sheet: Sheet, message: Message) -> Version {
        let drawn_at = self.wanted.as_ref().map(|wanted| wanted.drawn_at);
        let version = self.want(now, sheet, message, Urgency::Owner);
        if let (Some(wanted), Some(drawn_at)) = (&mut self.wanted, drawn_at) {
            wanted.drawn_at = drawn_at;
        }
        version
    }

    /// Of a screen that waits to be brought, or is being brought, to the end of this chat: the update that asked for it, where one did.
    pub(crate) fn brings(&self, chat: i64) -> Option<Option<i64>> {
        let wanted = self.wanted.iter().filter(|wanted| wanted.bring);
        let flying = self.flight.iter().filter(|flight| flight.target.is_none()).map(|flight| &flight.wanted);
        let brought = flying.chain(wanted).find(|wanted| wanted.chat == chat)?;
        Some(brought.place.asked)
    }

    /// Whether a new message of it is on its way to Telegram.
    pub(crate) fn is_sending(&self) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.target.is_none())
    }

    /// What would be sent as a new message next: into which chat, and which update asked for it.
    pub(crate) fn to_send(&self, current: Option<(i64, i64)>) -> Option<(i64, Option<i64>)> {
        let wanted = self.wanted.as_ref().filter(|_| self.flight.is_none())?;
        let takes = |(chat, id): (i64, i64)| chat == wanted.chat && !self.needs_another(id, &wanted.message);
        let edits = current.is_some_and(takes) && !wanted.bring;
        (!edits).then_some((wanted.chat, wanted.place.asked))
    }

    /// Whether what is to go out now was drawn so long ago that its figures are old.
    pub(crate) fn is_stale(&self, now: Now) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| now.since(wanted.drawn_at) >= STALE_MS)
    }

    /// The newest version that was wanted.
    pub(crate) const fn latest(&self) -> Version {
        self.latest
    }

    /// Whether nothing is left to do for this version.
    pub(crate) const fn is_settled(&self, version: Version) -> bool {
        version <= self.settled
    }

    /// When [`Self::issue`] wants to be called.
    pub(crate) fn deadline(&self, pace: &Pace) -> Option<u64> {
        let wanted = self.wanted.as_ref()?;
        if self.flight.is_some() { None } else { Some(pace.free_at(wanted.urgency)) }
    }

    /// The call that shows what is wanted, where it is time; `current` is the bot's message.
    pub(crate) fn issue(&mut self, now: Now, pace: &mut Pace, current: Option<(i64, i64)>) -> Option<BotCall> {
        if self.deadline(pace).is_none_or(|at| at > now.boot_ms) {
            return None;
        }
        let wanted = self.wanted.take()?;
        let chat = wanted.chat;
        let current = current.filter(|(at, _)| *at == chat).map(|(_, id)| id);
        let over_picture = !wanted.bring && current.is_some_and(|id| self.needs_another(id, &wanted.message));
        let target = current.filter(|_| !wanted.bring && !over_picture);
        if self.shown.as_ref().is_some_and(|(id, message)| Some(*id) == target && *message == wanted.message) {
            self.settled = self.latest;
            return None;
        }
        pace.spend(now);
        let screen = Screen::Message(Box::new(wanted.message.clone()));
        let thread = wanted.place.thread;
        let replaces = current.filter(|_| target.is_none());
        self.flight = Some(Flight { version: self.latest, wanted, target, replaces, over_picture });
        Some(match target {
            Some(message) => BotCall::Edit { chat, message, screen },
            None => BotCall::Send { chat, thread, screen, silent: false },
        })
    }

    /// The answer to the call of [`Self::issue`].
    pub(crate) fn landed(&mut self, now: Now, pace: &mut Pace, result: Result<BotReply, BotError>) -> Landed {
        let Some(mut flight) = self.flight.take() else { return Landed::Nothing };
        let error = match result {
            Ok(reply) => {
                pace.answered();
                return self.showed(flight, &reply);
            }
            Err(error) => error,
        };
        let is_new = flight.target.is_none();
        match error {
            BotError::TopicGone if flight.wanted.place.thread.is_some() => {
                flight.wanted.place.thread = None;
                self.put_back(flight, is_new);
            }
            BotError::RetryAfter { ms } => {
                pace.bar(now, ms);
                self.put_back(flight, is_new);
            }
            error if error.again_ms().is_some() => {
                pace.failed(now);
                self.put_back(flight, is_new);
            }
            // Another leader made a picture of it: a text takes its place as a new message.
            BotError::IsPicture if !is_new => {
                self.picture = flight.target;
                self.put_back(flight, false);
            }
            // A picture that is refused, or was not drawn, would be so as a new message too: words take its place.
            BotError::Refused(why) if flight.wanted.message.is_picture() => {
                pace.answered();
                self.shown = None;
                return Landed::Refused { why, bring: false };
            }
            // The message cannot be edited: a new one takes its place, at once. A new one that is refused is given up.
            BotError::MessageGone | BotError::Refused(_) | BotError::QueryTooOld if !is_new => {
                self.put_back(flight, true);
            }
            BotError::Refused(why) if !is_last_resort(&flight.wanted.message) => {
                pace.answered();
                self.shown = None;
                return Landed::Refused { why, bring: true };
            }
            _ => self.given_up(pace, flight.version),
        }
        Landed::Nothing
    }

    /// Telegram takes no message here: the version counts as settled.
    fn given_up(&mut self, pace: &mut Pace, version: Version) {
        pace.answered();
        self.settled = self.settled.max(version);
        self.shown = None;
    }

    /// Forgets everything on its way: somebody else speaks now.
    pub(crate) fn clear(&mut self) {
        *self = Self { latest: self.latest, settled: self.latest, ..Self::default() };
    }

    /// Whether this message cannot show that screen.
    fn needs_another(&self, id: i64, message: &Message) -> bool {
        self.picture == Some(id) && !message.is_picture()
    }

    fn showed(&mut self, flight: Flight, reply: &BotReply) -> Landed {
        self.settled = self.settled.max(flight.version);
        let Wanted { message, chat, .. } = flight.wanted;
        let new = match reply {
            BotReply::Sent { message } => Some(*message).filter(|_| flight.target.is_none()),
            BotReply::Done | BotReply::Me { .. } | BotReply::Webhook { .. } | BotReply::Updates(_) => None,
        };
        let id = new.or(flight.target);
        self.picture = id.filter(|_| message.is_picture());
        self.shown = id.map(|id| (id, message));
        let (old, over_picture) = (flight.replaces, flight.over_picture);
        new.map_or(Landed::Nothing, |message| Landed::New { chat, message, old, over_picture })
    }

    /// Wants again what failed, unless something newer is wanted. What is shown is not certain any longer.
    fn put_back(&mut self, flight: Flight, bring: bool) {
        self.shown = None;
        match &mut self.wanted {
            Some(newer) if bring && !newer.bring && newer.chat == flight.wanted.chat => {
                (newer.bring, newer.place) = (true, flight.wanted.place);
            }
            Some(_) => {}
            None => self.wanted = Some(Wanted { bring, ..flight.wanted }),
        }
    }
}

/// Whether it says that another screen was refused: if this one is refused too, there are no words left.
fn is_last_resort(message: &Message) -> bool {
    matches!(&message.body, Body::Says(says) if says.iter().any(|say| say.key == Key::AnswerRefused))
}

/// A screen that waited so long is drawn anew before it goes out.
const STALE_MS: u64 = 10_000;
