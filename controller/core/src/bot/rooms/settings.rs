//! The help, and the choice of a language.

mod words;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::wire::records::NetValue;

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Act;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet};
use crate::bot::desk::room::{Command, Kind, Room, Then, Visit, Wish};
use crate::bot::desk::step::Step;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::{Body, Button, Label};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::world::World;
use crate::update_ids;

/// Help and language.
#[derive(Debug)]
pub(super) struct SettingsRoom {
    /// The newest update that chose a language, since this node serves.
    newest_choice: i64,
}

impl Default for SettingsRoom {
    fn default() -> Self {
        Self { newest_choice: i64::MIN }
    }
}

impl Room for SettingsRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::HELP, LANGUAGE]
    }

    fn commands(&self) -> &'static [Command] {
        &[
            Command { verb: LANG, help: Some(Key::HelpLang), menu: Some(Key::MenuLang) },
            Command { verb: "/help", help: Some(Key::HelpHelp), menu: Some(Key::MenuHelp) },
        ]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        if choice(wish).is_some() { Kind::Edit } else { Kind::View }
    }

    fn in_short(&self, _world: &World, press: &Press) -> String {
        match (press.verb(), Language::of_tag(press.rest())) {
            (ways::HELP, _) => "❓".to_string(),
            (LANGUAGE, Some(language)) => alloc::format!("{LANG} {}", language.code()),
            _ => "…".to_string(),
        }
    }

    /// What nothing else fits is answered with the help.
    fn fits(&self, _world: &World, _text: &str) -> bool {
        true
    }

    fn awaits(&self, text: &str, _question: &Press) -> bool {
        by_name(text).is_some()
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let sheet = visit.sheet(desk, step);
        if let Some(language) = choice(visit.wish) {
            return Then::shown(self.choose(desk, step, visit, sheet, language));
        }
        Then::shown(match visit.wish {
            Wish::Typed { verb, .. } if verb == LANG => {
                desk.await_text(NAME, Press::new(LANGUAGE));
                let body = Body::Says(vec![Say::new(Key::AskLanguage)]);
                desk.draw(step, sheet, Drawing::new(body, vec![language_buttons()]))
            }
            Wish::Typed { .. } => draw_help(desk, step, sheet, None),
            Wish::Pressed(press) if press.data() == ways::HELP => draw_help(desk, step, sheet, None),
            Wish::Pressed(_) => {
                step.toast(Key::UnknownButton);
                return Then::Go(ways::list(0));
            }
            Wish::Said { .. } => draw_help(desk, step, sheet, Some(Key::UnknownText)),
        })
    }

    fn deposed(&mut self) {
        *self = Self::default();
    }
}

impl SettingsRoom {
    /// The latest choice holds, whoever took it. An older one than what is on the screen is told above that.
    fn choose(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        visit: &Visit<'_>,
        sheet: Sheet,
        language: Language,
    ) -> Version {
        let command = &visit.job.command;
        step.toast(Key::LanguageSet);
        if command.taken_by != step.world.me && update_ids::is_before(command.update_id, self.newest_choice) {
            return desk.latest();
        }
        self.newest_choice = command.update_id;
        step.acts.push(Act::Record(NetValue::Language { code: language.code().to_string() }));
        desk.speak(step.world, language);
        let sheet = Sheet { language, ..sheet };
        if desk.is_overtaken(step, command) {
            return desk.add_notice(step, sheet, Say::new(Key::LanguageSet));
        }
        draw_help(desk, step, sheet, Some(Key::LanguageSet))
    }
}

/// The language that a wish chooses.
fn choice(wish: &Wish) -> Option<Language> {
    match wish {
        Wish::Pressed(press) if press.verb() == LANGUAGE => Language::of_tag(press.rest()),
        Wish::Typed { verb, word: Some(word) } if verb == LANG => Language::of_tag(word),
        Wish::Said { text, to: Some(_) } => by_name(text),
        Wish::Pressed(_) | Wish::Typed { .. } | Wish::Said { .. } => None,
    }
}

/// The language whose two letters are the whole text: a tag such as `ru-msk` is the name of a server as well.
fn by_name(text: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|language| text.trim().eq_ignore_ascii_case(language.code()))
}

/// Draws the help, after a sentence where there is one.
fn draw_help(desk: &mut Desk, step: &Step<'_>, sheet: Sheet, first: Option<Key>) -> Version {
    let commands = desk.help().chain([Key::HelpEnd]);
    let says = first.into_iter().chain([Key::HelpText]).chain(commands).map(Say::new).collect();
    let buttons = vec![vec![ways::to_list()], language_buttons()];
    desk.draw(step, sheet, Drawing::new(Body::Says(says), buttons))
}

fn language_buttons() -> Vec<Button> {
    let button =
        |language: Language| Button { label: Label::Language(language), press: Press::with(LANGUAGE, language.code()) };
    Language::ALL.into_iter().map(button).collect()
}

/// Its name.
const NAME: &str = "settings";

/// Verb of a choice of language.
pub const LANGUAGE: &str = "lg";

/// Command of a choice of language.
const LANG: &str = "/lang";
