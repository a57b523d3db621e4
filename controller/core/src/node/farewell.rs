//! F6: what a node says that learns that it was removed (R2) with commands of the owner in its hands that nobody else knows of.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::Stage;

use super::pending::Pending;
use super::{Node, default_language};
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say, Value};
use crate::clock::Now;
use crate::io::{BotCall, BotError, BotReply};

/// Whether this node was removed, and its last word.
#[derive(Debug, Default)]
pub(super) struct Parting {
    /// The others take this node for a stranger.
    disowned: bool,
    farewell: Option<Farewell>,
}

/// One message, tried until Telegram took it.
#[derive(Debug)]
struct Farewell {
    commands: Vec<CommandId>,
    chat: i64,
    screen: Screen,
    since: u64,
    failures: u64,
    /// When it is sent; None while it is on its way.
    send_at: Option<u64>,
}

impl Parting {
    /// When a word is to be sent.
    pub(super) fn deadline(&self) -> Option<u64> {
        self.farewell.as_ref()?.send_at
    }
}

impl Node {
    /// Once a second: begins when this node hears that it was removed, whether or not it held until then.
    pub(super) fn part(&mut self, now: Now) {
        let disowned = self.is_disowned();
        if !core::mem::replace(&mut self.parting.disowned, disowned) && disowned {
            self.begin_farewell(now);
        }
    }

    /// Begins to tell the owner, where there is anything to tell. It needs no title: it tells, and does nothing (F7).
    fn begin_farewell(&mut self, now: Now) {
        let commands = self.commands.only_here(self.id);
        let Some(last) = commands.last() else { return };
        let default = default_language(&self.settings);
        let language = Language::choose(self.roster.language(), last.language.as_deref(), default);
        let name = self.roster.member(&self.id).map_or_else(|| self.id.short(), |member| member.name.into());
        let count = u64::try_from(commands.len()).unwrap_or(u64::MAX);
        let say = Say::new(Key::Farewell).text("name", name).with("count", Value::Count(count));
        self.parting.farewell = Some(Farewell {
            chat: last.chat,
            commands: commands.iter().map(|command| command.id).collect(),
            screen: Screen::Note { language, say },
            since: now.boot_ms,
            failures: 0,
            send_at: Some(now.boot_ms),
        });
    }

    /// Sends it, where it is time.
    pub(super) fn farewell_due(&mut self, now: Now) {
        let Some(farewell) =
            self.parting.farewell.as_mut().filter(|one| one.send_at.is_some_and(|at| at <= now.boot_ms))
        else {
            return;
        };
        farewell.send_at = None;
        let call = BotCall::Send { chat: farewell.chat, thread: None, silent: false, screen: farewell.screen.clone() };
        self.ask_bot(LIMIT_MS, call, Pending::Farewell);
    }

    /// Telegram's answer. What the owner was told of is done; what he could not be told stays open on disk.
    pub(super) fn farewell_answered(&mut self, now: Now, result: &Result<BotReply, BotError>) {
        let Some(mut farewell) = self.parting.farewell.take() else { return };
        match result {
            Ok(_) => farewell.commands.into_iter().for_each(|id| self.stage(id, Stage::Done)),
            Err(BotError::ChatGone | BotError::Refused(_) | BotError::NoToken | BotError::Unauthorized) => {}
            Err(_) if now.since(farewell.since) >= PATIENCE_MS => {}
            Err(_) => {
                farewell.failures = farewell.failures.saturating_add(1);
                let pause_ms = PAUSE_MS.saturating_mul(farewell.failures).min(MOST_PAUSE_MS);
                farewell.send_at = Some(now.boot_ms.saturating_add(pause_ms));
                self.parting.farewell = Some(farewell);
            }
        }
    }
}

/// For one call.
const LIMIT_MS: u64 = 10_000;

/// After the first failure; longer after each further one ...
const PAUSE_MS: u64 = 2_000;

/// ... up to this: the word comes within 5 s of Telegram's return.
const MOST_PAUSE_MS: u64 = 4_000;

/// As long as Telegram keeps what the owner wrote; an older word helps nobody.
const PATIENCE_MS: u64 = 24 * 3_600_000;
