//! A message of a command's own, beside the one message: an invitation, a short answer.

use alloc::boxed::Box;
use core::fmt;

use constella_shared::ids::CommandId;

use super::Desk;
use super::act::Act;
use super::job::{Asker, Job, State, Told};
use super::pace::Urgency;
use super::room::ToCome;
use super::step::Step;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say};
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};
use crate::update_ids;

/// A message that is to be sent once.
#[derive(Debug)]
pub(super) struct Mail {
    /// The room that wrote it.
    room: &'static str,
    letter: Box<dyn Letter>,
    thread: Option<i64>,
    /// On its way to Telegram.
    flying: bool,
    since: u64,
}

/// What a message of a command's own says.
pub(crate) trait Letter: fmt::Debug + Send {
    /// As it is sent so many seconds after it was written; None where it is too old to matter.
    fn screen(&self, language: Language, age_s: u64) -> Option<Screen>;

    /// Whether it says that Telegram refused another: if this one is refused too, there are no words left.
    fn is_last_resort(&self) -> bool {
        false
    }
}

impl Letter for Say {
    fn screen(&self, language: Language, age_s: u64) -> Option<Screen> {
        (age_s < NOTE_HOLDS_S).then(|| Screen::Note { language, say: self.clone() })
    }

    fn is_last_resort(&self) -> bool {
        self.key == Key::AnswerRefused
    }
}

impl Mail {
    /// The room that wrote it.
    pub(super) const fn room(&self) -> &'static str {
        self.room
    }

    fn screen(&self, language: Language, now: Now) -> Option<Screen> {
        self.letter.screen(language, now.since(self.since) / 1_000)
    }
}

impl Desk {
    /// Answers a command with a message of one text.
    pub(super) fn mail_note(&mut self, step: &Step<'_>, job: Job, say: Say) {
        let state = self.mail(step, &job, NO_ROOM, Box::new(say));
        self.put(job, state);
    }

    /// A message of a command's own that is ready to leave.
    pub(super) fn mail(&self, step: &Step<'_>, job: &Job, room: &'static str, letter: Box<dyn Letter>) -> State {
        let thread = self.topics.of(job.command.update_id);
        State::Mail(Mail { room, letter, thread, flying: false, since: step.world.now.boot_ms })
    }

    /// When the next message of a command's own is to be sent; None while it waits for something else.
    pub(super) fn mail_deadline(&self) -> Option<u64> {
        self.next_mail().map(|_| self.pace.free_at(Urgency::Owner))
    }

    /// Sends the next message of a command's own, where it is time. Messages leave one after another, in the order of the questions.
    pub(super) fn send_next(&mut self, step: &mut Step<'_>) {
        let now = step.world.now;
        while let Some(id) = self.next_mail().filter(|_| self.pace.free_at(Urgency::Owner) <= now.boot_ms) {
            let Some((job, state)) = self.jobs.remove(&id) else { return };
            let State::Mail(mut mail) = state else { return self.put(job, state) };
            let language = self.language(step.world, &job.command);
            let Some(screen) = mail.screen(language, now) else {
                self.tell_in_the_line(step, job);
                continue;
            };
            mail.flying = true;
            let call = BotCall::Send { chat: job.command.chat, thread: mail.thread, screen };
            self.put(job, State::Mail(mail));
            self.pace.spend(now);
            let ask = self.ask(Asker::Mail(id));
            step.acts.push(Act::Bot { ask, call });
        }
    }

    /// Whether a new screen may go out now as far as the order of the answers is concerned; an edit may always.
    pub(super) fn may_send_screen(&self, current: Option<(i64, i64)>) -> bool {
        let Some((chat, asked)) = self.canvas.to_send(current) else { return true };
        let earlier = |job: &Job| {
            job.command.chat == chat && asked.is_some_and(|asked| update_ids::is_before(job.command.update_id, asked))
        };
        !self.jobs.values().any(|(job, state)| match state {
            State::Mail(mail) => mail.flying || earlier(job),
            State::Work(_, task) => task.to_come() == ToCome::Mail && earlier(job),
            State::Show { .. } => false,
        })
    }

    /// The message whose turn it is: none is on its way, and none that was asked for before is still to come.
    fn next_mail(&self) -> Option<CommandId> {
        let mails = || {
            self.jobs.values().filter_map(|(job, state)| match state {
                State::Mail(mail) => Some((job, mail)),
                State::Work(..) | State::Show { .. } => None,
            })
        };
        if self.canvas.is_sending() || mails().any(|(_, mail)| mail.flying) {
            return None;
        }
        let first = mails().map(|(job, _)| job).reduce(|first, job| {
            if update_ids::is_before(job.command.update_id, first.command.update_id) { job } else { first }
        })?;
        let before = |update: i64| update_ids::is_before(update, first.command.update_id);
        let screen = self.canvas.brings(first.command.chat).flatten().is_some_and(before);
        let to_come = |state: &State| state.to_come() != ToCome::Nothing;
        let waits = screen || self.jobs.values().any(|(job, state)| before(job.command.update_id) && to_come(state));
        (!waits).then_some(first.command.id)
    }

    /// It is too old to be sent: the line above the screen says that it was asked.
    fn tell_in_the_line(&mut self, step: &mut Step<'_>, job: Job) {
        let sheet = self.sheet(step, &job.command, true);
        let version = self.draw_again(step, sheet);
        self.put(job, State::Show { version, told: Told::Line });
    }

    /// The answer to a message of a command's own.
    pub(super) fn mailed(&mut self, step: &mut Step<'_>, id: CommandId, result: Result<BotReply, BotError>) {
        let now = step.world.now;
        let Some((job, state)) = self.jobs.remove(&id) else { return };
        let State::Mail(mut mail) = state else { return self.put(job, state) };
        mail.flying = false;
        match result {
            Err(BotError::RetryAfter { ms }) => self.pace.bar(now, ms),
            Err(
                BotError::Conflict
                | BotError::WebhookSet
                | BotError::Unauthorized
                | BotError::Server
                | BotError::Unreachable(_)
                | BotError::Cancelled
                | BotError::NoToken,
            ) => self.pace.failed(now),
            Err(BotError::TopicGone) if mail.thread.is_some() => mail.thread = None,
            Err(BotError::Refused(why)) if !mail.letter.is_last_resort() => {
                self.pace.answered();
                mail.letter = Box::new(Say::new(Key::AnswerRefused).text("why", why));
            }
            // Sent, or there are no words that Telegram would take.
            Ok(_)
            | Err(
                BotError::MessageGone
                | BotError::QueryTooOld
                | BotError::ChatGone
                | BotError::TopicGone
                | BotError::Refused(_),
            ) => {
                self.pace.answered();
                return step.done(id);
            }
        }
        self.put(job, State::Mail(mail));
    }
}

/// The name that stands in mail of the desk itself.
const NO_ROOM: &str = "";

/// A short answer is understood so long after its question.
const NOTE_HOLDS_S: u64 = 15 * 60;
