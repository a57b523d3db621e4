//! A message of a command's own, beside the one message: an invitation, a short answer.

use constella_shared::ids::CommandId;

use super::job::{Job, Purpose, Told, Work};
use super::pace::Urgency;
use super::{Dialogue, Step};
use crate::bot::desk::act::Act;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say};
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};
use crate::update_ids;

/// A message that is to be sent once.
#[derive(Debug)]
pub(super) struct Mail {
    screen: Screen,
    thread: Option<i64>,
    /// On its way to Telegram.
    flying: bool,
    since: u64,
}

impl Mail {
    /// What is sent now; None where it is too old to matter.
    fn screen(&self, now: Now) -> Option<Screen> {
        let age_s = now.since(self.since) / 1_000;
        match &self.screen {
            Screen::Invite { language, link, ttl_s } => {
                let left_s = match ttl_s.saturating_sub(age_s) {
                    _ if age_s < ttl_s / 10 => *ttl_s,
                    left_s if left_s > 120 => left_s / 60 * 60,
                    left_s => left_s,
                };
                let fits = age_s < FRESH_S || left_s > ttl_s / 4;
                fits.then(|| Screen::Invite { language: *language, link: link.clone(), ttl_s: left_s })
            }
            screen => (age_s < NOTE_HOLDS_S).then(|| screen.clone()),
        }
    }
}

impl Dialogue {
    /// Answers a command with a message of one text.
    pub(super) fn mail_note(&mut self, step: &mut Step<'_>, job: Job, say: Say) {
        let language = self.language(step.world, &job.command);
        self.mail(step, job, Screen::Note { language, say });
    }

    /// Answers a command with a message of its own.
    pub(super) fn mail(&mut self, step: &Step<'_>, job: Job, screen: Screen) {
        let thread = self.topics.of(job.command.update_id);
        self.keep(job, Work::Mail(Mail { screen, thread, flying: false, since: step.world.now.boot_ms }));
    }

    /// When the next message of a command's own is to be sent; None while it waits for something else.
    pub(super) fn mail_deadline(&self) -> Option<u64> {
        self.next_mail().map(|_| self.pace.free_at(Urgency::Owner))
    }

    /// Sends the next message of a command's own, where it is time. Messages leave one after another, in the order of the questions.
    pub(super) fn send_next(&mut self, step: &mut Step<'_>) {
        let now = step.world.now;
        while let Some(id) = self.next_mail().filter(|_| self.pace.free_at(Urgency::Owner) <= now.boot_ms) {
            let Some(mut job) = self.jobs.remove(&id) else { return };
            let Work::Mail(mail) = &mut job.work else { return self.put(job) };
            let Some(screen) = mail.screen(now) else {
                self.tell_in_the_line(step, job);
                continue;
            };
            mail.flying = true;
            let call = BotCall::Send { chat: job.command.chat, thread: mail.thread, screen };
            self.put(job);
            self.pace.spend(now);
            let ask = self.ask(Purpose::Mail(id));
            step.acts.push(Act::Bot { ask, call });
        }
    }

    /// Whether a new screen may go out now as far as the order of the answers is concerned; an edit may always.
    pub(super) fn may_send_screen(&self, current: Option<(i64, i64)>) -> bool {
        let Some((chat, asked)) = self.canvas.to_send(current) else { return true };
        let earlier = |job: &Job| {
            job.command.chat == chat && asked.is_some_and(|asked| update_ids::is_before(job.command.update_id, asked))
        };
        !self.jobs.values().any(|job| match &job.work {
            Work::Mail(mail) => mail.flying || earlier(job),
            Work::Invite { .. } => earlier(job),
            Work::Card(_) | Work::Reboot(_) | Work::Test(_) | Work::Show { .. } => false,
        })
    }

    /// The message whose turn it is: none is on its way, and none that was asked for before is still to come.
    fn next_mail(&self) -> Option<CommandId> {
        let mails = || self.jobs.values().filter(|job| matches!(job.work, Work::Mail(_)));
        let flying = |job: &Job| matches!(&job.work, Work::Mail(mail) if mail.flying);
        if self.canvas.is_sending() || mails().any(flying) {
            return None;
        }
        let first = mails().reduce(|first, job| {
            if update_ids::is_before(job.command.update_id, first.command.update_id) { job } else { first }
        })?;
        let before = |update: i64| update_ids::is_before(update, first.command.update_id);
        let screen = self.canvas.brings(first.command.chat).flatten().is_some_and(before);
        let to_come = |job: &Job| match &job.work {
            Work::Card(gather) => gather.is_to_come(),
            Work::Invite { .. } => true,
            Work::Mail(_) | Work::Reboot(_) | Work::Test(_) | Work::Show { .. } => false,
        };
        let waits = screen || self.jobs.values().any(|job| before(job.command.update_id) && to_come(job));
        (!waits).then_some(first.command.id)
    }

    /// It is too old to be sent: the line above the screen says that it was asked.
    fn tell_in_the_line(&mut self, step: &mut Step<'_>, job: Job) {
        let sheet = self.sheet(step, &job.command, true);
        let version = self.draw_again(step, sheet);
        self.keep(job, Work::Show { version, told: Told::Line });
    }

    /// The answer to a message of a command's own.
    pub(super) fn mailed(&mut self, step: &mut Step<'_>, id: CommandId, result: Result<BotReply, BotError>) {
        let now = step.world.now;
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let language = self.language(step.world, &job.command);
        let Work::Mail(mail) = &mut job.work else { return self.put(job) };
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
            Err(BotError::Refused(why)) if !is_last_resort(&mail.screen) => {
                self.pace.answered();
                mail.screen = Screen::Note { language, say: Say::new(Key::AnswerRefused).text("why", why) };
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
        self.put(job);
    }
}

fn is_last_resort(screen: &Screen) -> bool {
    matches!(screen, Screen::Note { say, .. } if say.key == Key::AnswerRefused)
}

/// An invitation that is younger is sent however short it holds.
const FRESH_S: u64 = 10;

/// A short answer is understood so long after its question.
const NOTE_HOLDS_S: u64 = 15 * 60;
