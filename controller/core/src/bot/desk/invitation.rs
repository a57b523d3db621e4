//! Invitations: made for the owner, and told about in their own messages. Each message is edited once more, when a server came in with its
//! invitation or when nobody did in time: the link goes, and what became of it is read in its place.
//!
//! Only the node that sent a message knows of it. It keeps it while it does not serve, and edits it when it serves again.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;

use constella_shared::ids::{CommandId, TokenHash};
use constella_shared::limits::{INVITE_LEAST_S, INVITE_TTL_S, OPEN_INVITES};
use constella_shared::link::{InviteLink, parse_ttl, token_hash};
use constella_shared::secret::Secret;

use super::job::{Job, Purpose, Work};
use super::list::name_of;
use super::pace::{Pace, Urgency};
use super::{Dialogue, Step};
use crate::bot::desk::act::Act;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;
use crate::io::{BotCall, BotError, BotReply};
use crate::joins::InviteError;

/// Those of this node.
#[derive(Debug, Default)]
pub(super) struct Invitations {
    /// Made, and not sent yet: by the command that asked.
    unsent: BTreeMap<CommandId, (TokenHash, u64)>,
    /// In the chat, the oldest first.
    sent: VecDeque<Invitation>,
    /// Whose edit is on its way.
    flight: Option<TokenHash>,
    /// This node does not serve: nothing is due.
    paused: bool,
}

/// An invitation whose link is in the chat.
#[derive(Debug)]
struct Invitation {
    token: TokenHash,
    chat: i64,
    message: i64,
    language: Language,
    /// When it is to be looked at again if nobody uses it, CLOCK_BOOTTIME.
    over_at: u64,
    /// Whether what became of it is known, and not in the chat yet.
    ended: bool,
    failures: u32,
}

/// What became of an invitation.
enum Fate {
    Open,
    Said(Say),
}

impl Invitations {
    /// When something is due.
    pub(super) fn deadline(&self, pace: &Pace) -> Option<u64> {
        let due = |one: &Invitation| {
            if one.ended { pace.free_at(Urgency::Progress) } else { one.over_at }
        };
        if self.flight.is_some() || self.paused { None } else { self.sent.iter().map(due).min() }
    }

    /// This node serves no longer: answers to its calls do not come any more.
    pub(super) fn put_down(&mut self) {
        self.unsent.clear();
        self.flight = None;
        self.paused = true;
    }

    fn forget(&mut self, token: &TokenHash) {
        self.sent.retain(|one| one.token != *token);
    }
}

impl Dialogue {
    /// `/invite <ttl>`.
    pub(super) fn invite(&mut self, step: &mut Step<'_>, job: Job, ttl: Option<&str>) {
        let Some(ttl_s) = parse_ttl(&ttl.unwrap_or(INVITE_TTL).to_ascii_lowercase()) else {
            return self.mail_note(step, job, Say::new(Key::InviteUsage));
        };
        if !(INVITE_LEAST_S..=INVITE_TTL_S).contains(&ttl_s) {
            return self.mail_note(step, job, bounds());
        }
        let ask = self.ask(Purpose::Invite(job.command.id));
        step.acts.push(Act::Invite { ask, ttl_s });
        self.keep(job, Work::Invite { ttl_s });
    }

    /// The answer to an invitation.
    pub(super) fn invited(&mut self, step: &mut Step<'_>, id: CommandId, link: Result<InviteLink, InviteError>) {
        let Some(job) = self.jobs.remove(&id) else { return };
        let Work::Invite { ttl_s } = job.work else { return self.put(job) };
        let language = self.language(step.world, &job.command);
        let screen = match link {
            Ok(link) => {
                self.invitations.unsent.insert(id, (token_hash(&link.token), ttl_s));
                Screen::Invite { language, link: Secret::new(link.to_string()), ttl_s }
            }
            Err(why) => Screen::Note { language, say: refusal(&why) },
        };
        self.mail(step, job, screen);
    }

    /// Telegram answered a message of a command's own, which may be an invitation.
    pub(super) fn invitation_sent(&mut self, step: &Step<'_>, id: CommandId, result: &Result<BotReply, BotError>) {
        let Ok(BotReply::Sent { message }) = result else { return };
        let Some((token, ttl_s)) = self.invitations.unsent.remove(&id) else { return };
        let Some(job) = self.jobs.get(&id) else { return };
        let one = Invitation {
            token,
            chat: job.command.chat,
            message: *message,
            language: self.language(step.world, &job.command),
            over_at: step.world.now.boot_ms.saturating_add(ttl_s.saturating_mul(1_000)),
            ended: false,
            failures: 0,
        };
        self.invitations.sent.push_back(one);
        if self.invitations.sent.len() > OPEN_INVITES {
            self.invitations.sent.pop_front();
        }
    }

    /// Edits the message of an invitation that came to its end; one at a time.
    pub(super) fn invitations_due(&mut self, step: &mut Step<'_>) {
        self.invitations.paused = false;
        let jobs = &self.jobs;
        self.invitations.unsent.retain(|id, _| jobs.contains_key(id));
        let now = step.world.now;
        let mut edit = None;
        for one in &mut self.invitations.sent {
            let Fate::Said(say) = fate(step.world, one) else { continue };
            one.ended = true;
            if edit.is_none() {
                edit = Some((one.token, one.chat, one.message, Screen::Note { language: one.language, say }));
            }
        }
        let is_free = self.invitations.flight.is_none() && self.pace.free_at(Urgency::Progress) <= now.boot_ms;
        let Some((token, chat, message, screen)) = edit.filter(|_| is_free) else { return };
        self.invitations.flight = Some(token);
        self.pace.spend(now);
        let ask = self.ask(Purpose::Invitation(token));
        step.acts.push(Act::Bot { ask, call: BotCall::Edit { chat, message, screen } });
    }

    /// The answer to such an edit. A message that is gone, or that cannot be edited, is forgotten: there is nothing to be told in it.
    pub(super) fn invitation_edited(&mut self, step: &Step<'_>, token: &TokenHash, result: Result<BotReply, BotError>) {
        let now = step.world.now;
        self.invitations.flight = None;
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
            ) => {
                let Some(one) = self.invitations.sent.iter_mut().find(|one| one.token == *token) else { return };
                one.failures += 1;
                if one.failures >= EDIT_TRIES {
                    self.invitations.forget(token);
                }
                self.pace.failed(now);
            }
            Ok(_)
            | Err(
                BotError::MessageGone
                | BotError::QueryTooOld
                | BotError::ChatGone
                | BotError::TopicGone
                | BotError::Refused(_),
            ) => {
                self.pace.answered();
                self.invitations.forget(token);
            }
        }
    }
}

/// What became of it, by the roster's record. The holder that lets a server in goes by its wall clock, so that decides what is over; the other clock
/// says when to look, and what to say of an invitation that is not on record any more.
fn fate(world: &World, one: &mut Invitation) -> Fate {
    let record = world.invites.iter().find(|invite| invite.token == one.token);
    if let Some(node) = record.and_then(|record| record.spent_by) {
        return Fate::Said(Say::new(Key::InviteUsed).text("name", name_of(world, node)));
    }
    let unix_s = world.now.unix_ms / 1_000;
    let left_s = record.map(|record| record.exp_unix_s.saturating_add(1).saturating_sub(unix_s));
    match left_s {
        Some(0) => Fate::Said(Say::new(Key::InviteOver)),
        Some(left_s) => {
            one.over_at = world.now.boot_ms.saturating_add(left_s.saturating_mul(1_000));
            Fate::Open
        }
        None if world.now.boot_ms < one.over_at => Fate::Open,
        None => Fate::Said(Say::new(Key::InviteOver)),
    }
}

fn bounds() -> Say {
    Say::new(Key::InviteBounds).span("least", INVITE_LEAST_S * 1_000).span("most", INVITE_TTL_S * 1_000)
}

fn refusal(why: &InviteError) -> Say {
    let why = match why {
        InviteError::Ttl => return bounds(),
        InviteError::TooMany => Say::new(Key::InviteTooMany).with("count", Value::Count(OPEN_INVITES as u64)),
        InviteError::NoAddress => Say::new(Key::InviteNoAddress),
        InviteError::NotStored(why) => Say::new(why.key()),
    };
    Say::new(Key::InviteFailed).with("why", Value::Say(why))
}

/// What `/invite` alone means: long enough to log in to the new server.
const INVITE_TTL: &str = "15m";

/// Tries at one edit, an hour of them at least: a holder that Telegram does not answer for so long has handed over.
const EDIT_TRIES: u32 = 2_400;
