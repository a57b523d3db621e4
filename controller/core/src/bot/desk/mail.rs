//! A message of a command's own, beside the one message: an invitation, a short answer.

use alloc::boxed::Box;

use constella_shared::ids::CommandId;

use super::Desk;
use super::act::Act;
use super::job::{Job, Told};
use super::letter::{Letter, Mail};
use super::pace::Urgency;
use super::room::ToCome;
use super::state::{Asker, State};
use super::step::Step;
use crate::bot::kit::say::{Key, Say};
use crate::io::{BotCall, BotError, BotReply};
use crate::update_ids;

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
            let call = BotCall::Send { chat: job.command.chat, thread: mail.thread, screen, silent: false };
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
            Err(error) if error.again_ms().is_some() => self.pace.failed(now),
            Err(BotError::TopicGone) if mail.thread.is_some() => mail.thread = None,
            Err(BotError::Refused(why)) if !mail.letter.is_last_resort() => {
                self.pace.answered();
                mail.letter = Box::new(Say::new(Key::AnswerRefused).text("why", why));
            }
            // Sent, or there are no words that Telegram would take.
            Ok(_) | Err(_) => {
                self.pace.answered();
                return step.done(id);
            }
        }
        self.put(job, State::Mail(mail));
    }
}

/// The name that stands in mail of the desk itself.
const NO_ROOM: &str = "";
