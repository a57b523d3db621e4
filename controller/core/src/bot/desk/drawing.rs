//! A screen as a room hands it over: what it shows, where it stands, and how it is drawn anew.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;

use super::pace::Urgency;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::{Body, Button};
use crate::bot::kit::press::Press;

/// Where and how a screen is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet {
    /// In which chat.
    pub(crate) chat: i64,
    /// In which language.
    pub(crate) language: Language,
    /// At the end of the chat, as a new message.
    pub(crate) bring: bool,
    /// What a new message answers.
    pub(crate) place: Place,
}

/// What a new message answers, and in which topic of its chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The update that asked for it: answers leave in the order of the questions.
    pub(super) asked: Option<i64>,
    /// The topic, where the chat has topics.
    pub(super) thread: Option<i64>,
}

/// A screen to be drawn.
#[derive(Debug)]
pub(crate) struct Drawing {
    /// What.
    pub(super) body: Body,
    /// Its buttons.
    pub(super) buttons: Vec<Vec<Button>>,
    /// The command that will draw on it again.
    pub(super) watched: Option<CommandId>,
    /// Who waits for it.
    pub(super) urgency: Urgency,
    /// How it is drawn anew; None where it says what happened, or is drawn again by its command.
    pub(super) source: Option<Source>,
}

impl Drawing {
    /// A screen that stays as it is.
    pub(crate) const fn new(body: Body, buttons: Vec<Vec<Button>>) -> Self {
        Self { body, buttons, watched: None, urgency: Urgency::Owner, source: None }
    }

    /// This command will draw on it again.
    pub(crate) fn watched(self, by: CommandId) -> Self {
        Self { watched: Some(by), ..self }
    }

    /// How urgent it is; [`Urgency::Owner`] where nothing else is said.
    pub(crate) fn urgency(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }

    /// Where it waits for long, this room draws it anew, as if this had been pressed.
    pub(crate) fn anew(self, room: &'static str, press: Press) -> Self {
        let by = self.watched;
        Self { source: Some(Source { room, press, by }), ..self }
    }
}

/// How a screen that waited for long is drawn anew before it goes out, so that its figures are of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// By which room.
    pub(crate) room: &'static str,
    /// As if this had been pressed.
    pub(crate) press: Press,
    /// The command that asked for it, where its task drew it.
    pub(crate) by: Option<CommandId>,
}
