//! Invitations: made for the owner, and told about in their own messages. Each message is edited once more, when a server came in with its
//! invitation or when nobody did in time: the link goes, and what became of it is read in its place.
//!
//! Only the node that sent a message knows of it. It keeps it while it does not serve, and edits it when it serves again.

#[cfg(test)]
pub(in crate::bot) mod tests;
mod words;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;

use constella_shared::ids::{CommandId, TokenHash};
use constella_shared::limits::{INVITE_LEAST_S, INVITE_TTL_S, OPEN_INVITES};
use constella_shared::link::{parse_ttl, token_hash};
use constella_shared::secret::Secret;

use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::job::Job;
use crate::bot::desk::letter::Letter;
use crate::bot::desk::pace::Urgency;
use crate::bot::desk::post::{Post, Posted};
use crate::bot::desk::room::{Command, Event, Kind, Room, Task, Then, ToCome, Visit, Wish};
use crate::bot::desk::step::Step;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::why_disk;
use crate::bot::kit::world::World;
use crate::joins::InviteError;

/// The invitations of this node.
#[derive(Debug, Default)]
pub(super) struct InviteRoom {
    /// Asked for: by the number of the question, the command and for how long it is to hold, seconds.
    asked: BTreeMap<u64, (CommandId, u64)>,
    questions: u64,
    /// Made, and not sent yet: by the command that asked.
    unsent: BTreeMap<CommandId, (TokenHash, u64)>,
    /// In the chat, the oldest first.
    sent: VecDeque<Invitation>,
    /// A record of an invitation changed, or may have while this node did not serve.
    changed: bool,
    /// This node does not serve: nothing is due.
    paused: bool,
}

/// An invitation whose link is in the chat.
#[derive(Debug)]
struct Invitation {
    /// The number of its edit.
    number: u64,
    token: TokenHash,
    chat: i64,
    message: i64,
    language: Language,
    /// When it is to be looked at again if nobody uses it, CLOCK_BOOTTIME.
    over_at: u64,
    /// The same by the wall clock, unix seconds, as its record says it.
    over_unix_s: u64,
    /// Whether what became of it is known, and the desk is told to edit its message.
    ended: bool,
}

/// What became of an invitation.
enum Fate {
    Open,
    Said(Say),
}

/// A command that waits for its invitation.
#[derive(Debug)]
struct Waiting;

impl Task for Waiting {
    /// The room itself is answered.
    fn answered(&mut self, _: &mut Desk, _: &mut Step<'_>, _: &Job, _: u64, _: Answer) -> Option<Then> {
        None
    }

    fn deadline(&self) -> Option<u64> {
        None
    }

    fn to_come(&self) -> ToCome {
        ToCome::Mail
    }
}

/// The message that has the link.
#[derive(Debug)]
struct Invite {
    /// The `join://` link.
    link: Secret,
    /// How long it holds from when it was made, seconds.
    ttl_s: u64,
}

impl Letter for Invite {
    /// It says how long it still holds; with less than a quarter of its time it is not worth its place.
    fn screen(&self, language: Language, age_s: u64) -> Option<Screen> {
        let left_s = match self.ttl_s.saturating_sub(age_s) {
            _ if age_s < self.ttl_s / 10 => self.ttl_s,
            left_s if left_s > 120 => left_s / 60 * 60,
            left_s => left_s,
        };
        let fits = age_s < FRESH_S || left_s > self.ttl_s / 4;
        fits.then(|| Screen::Invite { language, link: self.link.clone(), ttl_s: left_s })
    }
}

impl Room for InviteRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[]
    }

    fn commands(&self) -> &'static [Command] {
        &[Command { verb: "/invite", help: Some(Key::HelpInvite), menu: Some(Key::MenuInvite) }]
    }

    /// A second invitation is a second door, so a command that comes twice makes one.
    fn kind(&self, _wish: &Wish) -> Kind {
        Kind::Order
    }

    fn answers_beside(&self, _wish: &Wish) -> bool {
        true
    }

    /// `/invite <ttl>`.
    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let ttl = match visit.wish {
            Wish::Typed { word, .. } => word.as_deref(),
            Wish::Pressed(_) | Wish::Said { .. } => None,
        };
        let Some(ttl_s) = parse_ttl(&ttl.unwrap_or(INVITE_TTL).to_ascii_lowercase()) else {
            return Then::Mail(Box::new(Say::new(Key::InviteUsage)));
        };
        if !(INVITE_LEAST_S..=INVITE_TTL_S).contains(&ttl_s) {
            return Then::Mail(Box::new(bounds()));
        }
        self.questions += 1;
        self.asked.insert(self.questions, (visit.job.command.id, ttl_s));
        desk.ask_for_link(step, (NAME, self.questions), ttl_s);
        Then::Work(Box::new(Waiting))
    }

    fn answered(&mut self, _: &mut Desk, _: &mut Step<'_>, tag: u64, answer: Answer) -> Option<(CommandId, Then)> {
        let (id, ttl_s) = self.asked.remove(&tag)?;
        let Answer::Link(link) = answer else { return None };
        let letter: Box<dyn Letter> = match link {
            Ok(link) => {
                self.unsent.insert(id, (token_hash(&link.token), ttl_s));
                Box::new(Invite { link: Secret::new(link.to_string()), ttl_s })
            }
            Err(why) => Box::new(refusal(&why)),
        };
        Some((id, Then::Mail(letter)))
    }

    /// The link is in the chat.
    fn mailed(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, message: i64) {
        let Some((token, ttl_s)) = self.unsent.remove(&job.command.id) else { return };
        self.questions += 1;
        self.sent.push_back(Invitation {
            number: self.questions,
            token,
            chat: job.command.chat,
            message,
            language: desk.language(step.world, &job.command),
            over_at: step.world.now.boot_ms.saturating_add(ttl_s.saturating_mul(1_000)),
            over_unix_s: u64::MAX,
            ended: false,
        });
        self.changed = true;
        if self.sent.len() > OPEN_INVITES {
            self.sent.pop_front();
        }
    }

    /// What became of an invitation is in its place. A message that is gone, or that cannot be edited, is forgotten as well: there is nothing to be
    /// told in it.
    fn posted(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, tag: u64, posted: Posted) {
        match posted {
            Posted::Sent(_) | Posted::Edited | Posted::Lost => self.sent.retain(|one| one.number != tag),
        }
    }

    /// Has the message of each invitation edited that came to its end.
    fn due(&mut self, desk: &mut Desk, step: &mut Step<'_>) {
        self.paused = false;
        self.unsent.retain(|id, _| desk.has(*id));
        let (all, now) = (core::mem::take(&mut self.changed), step.world.now);
        let is_over = |one: &Invitation| one.over_at <= now.boot_ms || one.over_unix_s <= now.unix_ms / 1_000;
        for one in self.sent.iter_mut().filter(|one| !one.ended && (all || is_over(one))) {
            let Fate::Said(say) = fate(step.world, one) else { continue };
            one.ended = true;
            desk.post(Post {
                from: (NAME, one.number),
                chat: one.chat,
                message: Some(one.message),
                screen: Screen::Note { language: one.language, say },
                urgency: Urgency::Progress,
            });
        }
    }

    fn told(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, event: &Event) {
        match event {
            Event::Invitations => self.changed = true,
        }
    }

    fn deadline(&self, _desk: &Desk) -> Option<u64> {
        let open = self.sent.iter().filter(|one| !one.ended && !self.paused);
        open.map(|one| one.over_at).min()
    }

    /// This node serves no longer: answers to its calls do not come any more.
    fn deposed(&mut self) {
        self.asked.clear();
        self.unsent.clear();
        self.sent.iter_mut().for_each(|one| one.ended = false);
        (self.changed, self.paused) = (true, true);
    }
}

/// What became of it, by the roster's record. The holder that lets a server in goes by its wall clock, so that decides what is over; the other clock
/// says when to look, and what to say of an invitation that is not on record any more.
fn fate(world: &World, one: &mut Invitation) -> Fate {
    let record = world.invites.iter().find(|invite| invite.token == one.token);
    if let Some(node) = record.and_then(|record| record.spent_by) {
        return Fate::Said(Say::new(Key::InviteUsed).text("name", world.name_of(node)));
    }
    let unix_s = world.now.unix_ms / 1_000;
    let left_s = record.map(|record| record.exp_unix_s.saturating_add(1).saturating_sub(unix_s));
    match left_s {
        Some(0) => Fate::Said(Say::new(Key::InviteOver)),
        Some(left_s) => {
            one.over_at = world.now.boot_ms.saturating_add(left_s.saturating_mul(1_000));
            one.over_unix_s = unix_s.saturating_add(left_s);
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
        InviteError::NotStored(why) => why_disk(*why),
    };
    Say::new(Key::InviteFailed).with("why", Value::Say(why))
}

/// What `/invite` alone means: long enough to log in to the new server.
const INVITE_TTL: &str = "15m";

/// Its name.
const NAME: &str = "invite";

/// An invitation that is younger is sent however short it holds.
const FRESH_S: u64 = 10;
