//! A message of a command's own, beside the one message: an invitation, a short answer.

use constella_shared::ids::CommandId;

use super::job::{Job, Purpose, Work};
use super::pace::{Urgency, back_off_ms};
use super::{Dialogue, PATIENCE_MS, Step};
use crate::bot::act::Act;
use crate::bot::screen::Screen;
use crate::bot::text::Say;
use crate::io::{BotCall, BotError, BotReply};

/// A message that is to be sent once.
#[derive(Debug)]
pub(super) struct Mail {
    screen: Screen,
    failures: u32,
    /// When it is to be sent; None while it is on its way.
    send_at: Option<u64>,
    since: u64,
}

impl Mail {
    /// When it wants to be sent.
    pub(super) const fn deadline(&self) -> Option<u64> {
        self.send_at
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
        let now = step.world.now.boot_ms;
        self.keep(job, Work::Mail(Mail { screen, failures: 0, send_at: Some(now), since: now }));
    }

    /// Sends the message of this command, where it is time.
    pub(super) fn send_mail(&mut self, step: &mut Step<'_>, id: CommandId) {
        let now = step.world.now;
        let free_at = self.pace.free_at(Urgency::Owner);
        let Some(Job { command, work: Work::Mail(mail) }) = self.jobs.get_mut(&id) else { return };
        if mail.send_at.is_none_or(|at| at > now.boot_ms) {
            return;
        }
        if free_at > now.boot_ms {
            mail.send_at = Some(free_at);
            return;
        }
        mail.send_at = None;
        let call = BotCall::Send { chat: command.chat, screen: mail.screen.clone() };
        self.pace.spend(now);
        let ask = self.ask(Purpose::Mail(id));
        step.acts.push(Act::Bot { ask, call });
    }

    /// The answer to a message of a command's own.
    pub(super) fn mailed(&mut self, step: &mut Step<'_>, id: CommandId, result: Result<BotReply, BotError>) {
        let now = step.world.now;
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Mail(mail) = &mut job.work else { return self.put(job) };
        let again_at = match result {
            Err(BotError::RetryAfter { ms }) => {
                self.pace.bar(now, ms);
                Some(self.pace.free_at(Urgency::Owner))
            }
            Err(
                BotError::Conflict
                | BotError::WebhookSet
                | BotError::Unauthorized
                | BotError::Server
                | BotError::Unreachable(_)
                | BotError::Cancelled
                | BotError::NoToken,
            ) => {
                mail.failures += 1;
                Some(now.boot_ms + back_off_ms(mail.failures))
            }
            // Sent, or Telegram will never take it.
            Ok(_) | Err(BotError::MessageGone | BotError::QueryTooOld | BotError::ChatGone | BotError::Refused(_)) => {
                None
            }
        };
        match again_at.filter(|_| now.since(mail.since) < PATIENCE_MS) {
            Some(at) => {
                mail.send_at = Some(at);
                self.put(job);
            }
            None => step.done(id),
        }
    }
}
