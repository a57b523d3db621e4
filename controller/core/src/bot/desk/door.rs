//! Updates at the door: admitted as commands, answered in a line, or passed over, before anything of them is stored.

use alloc::vec::Vec;

use constella_shared::wire::command::CommandContent;

use super::Desk;
use super::dialogue::Dialogue;
use super::gate::{Passage, passage};
use crate::bot::desk::act::{Act, Admission};
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::world::World;
use crate::io::{BotCall, Update, UpdateEvent};

impl Dialogue {
    /// What is to be done with an update, before anything of it is stored.
    pub fn admit(&mut self, world: &World, update: &Update) -> Admission {
        let Some(event) = update.event.as_ref() else { return Admission::Ignore };
        if !event.private {
            return self.desk.answer_group(world, event);
        }
        let content = self.own_words(event);
        match passage(&world.owner, event.user, event.username.as_deref(), &content) {
            Passage::Owner | Passage::FirstContact => {
                event.thread.into_iter().for_each(|thread| self.desk.topics.note(update.id, thread));
                Admission::Command
            }
            Passage::Stranger if self.desk.refused.tell(world.now, event.user) => {
                Admission::Refuse(self.desk.tell_stranger(event, Key::Stranger))
            }
            Passage::Stranger => Admission::Ignore,
        }
    }
}

impl Desk {
    /// A group reads one line an hour; nothing of it is stored. What is written to another bot is not meant.
    fn answer_group(&mut self, world: &World, event: &UpdateEvent) -> Admission {
        let to_another = match &event.content {
            CommandContent::Text { text } => {
                let named = text.split_whitespace().next().and_then(|word| word.strip_prefix('/')?.split_once('@'));
                let ours = |name: &str| world.bot_username.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(name));
                named.is_some_and(|(_, name)| !ours(name))
            }
            CommandContent::Button { .. } | CommandContent::Other(_) => false,
        };
        if to_another || !self.grouped.tell(world.now, event.chat) {
            return Admission::Ignore;
        }
        Admission::Refuse(self.tell_stranger(event, Key::PrivateOnly))
    }

    fn tell_stranger(&mut self, event: &UpdateEvent, key: Key) -> Vec<Act> {
        let language = Language::choose(None, event.language.as_deref(), self.default_language);
        let screen = Screen::Note { language, say: Say::new(key) };
        let call = match &event.content {
            CommandContent::Text { .. } | CommandContent::Other(_) => {
                BotCall::Send { chat: event.chat, thread: event.thread, screen, silent: false }
            }
            CommandContent::Button { callback_id, .. } => {
                BotCall::AnswerCallback { callback_id: callback_id.clone(), toast: Some(screen) }
            }
        };
        alloc::vec![Act::Bot { ask: self.unheeded_ask(), call }]
    }
}
