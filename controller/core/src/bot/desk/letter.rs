//! A message of a command's own, beside the one message: what it says, and since when it waits.

use alloc::boxed::Box;
use core::fmt;

use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::{Key, Say};
use crate::clock::Now;

/// A message that is to be sent once.
#[derive(Debug)]
pub(super) struct Mail {
    /// The room that wrote it.
    pub(super) room: &'static str,
    pub(super) letter: Box<dyn Letter>,
    pub(super) thread: Option<i64>,
    /// On its way to Telegram.
    pub(super) flying: bool,
    pub(super) since: u64,
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

    /// As it is sent now; None where it is too old to matter.
    pub(super) fn screen(&self, language: Language, now: Now) -> Option<Screen> {
        self.letter.screen(language, now.since(self.since) / 1_000)
    }
}

/// A short answer is understood so long after its question.
const NOTE_HOLDS_S: u64 = 15 * 60;
