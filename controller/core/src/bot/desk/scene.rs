//! What the owner looks at, and how it changes: screens that are asked for replace each other, results of older commands appear as notices.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::StoredCommand;

use super::canvas::Version;
use super::job::{Job, Told, Work};
use super::pace::Urgency;
use super::{Dialogue, Step};
use crate::bot::kit::language::Language;
use crate::bot::kit::page::{Body, Button, Message};
use crate::bot::kit::say::{Key, Say};

/// What the owner looks at.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// The command whose progress is on the screen; None for a screen that stands still.
    pub(super) watched: Option<CommandId>,
    message: Option<Message>,
    /// The confirmation that is on the screen.
    pub(super) confirmation: Option<Shown>,
    /// A result with a screen of its own, in its short form, and that screen's version: it may be covered before it was shown.
    pub(super) result: Option<(Say, Version)>,
    /// Results that were not on a screen of their own, with the version that first had them.
    notices: Vec<(Say, Version)>,
    /// How the screen is drawn anew, and where it stands.
    pub(super) source: Source,
    sheet: Option<Sheet>,
    /// A card whose figures are asked for as soon as Telegram takes messages again.
    pub(super) awaits_figures: Option<CommandId>,
}

/// How a screen that waited for long is drawn anew before it goes out, so that its figures are of now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Source {
    /// As it is: it says what happened, or is drawn again by its command.
    #[default]
    AsItIs,
    /// A page of the list.
    List {
        /// Which.
        page: usize,
    },
    /// The card that this command asked for.
    Card(CommandId),
    /// The confirmation of a reboot of this node: its one-time button would be over.
    Confirmation(NodeId),
}

impl Scene {
    /// Where the screen stands; a new message in its place is one at the end of the chat.
    pub(super) const fn sheet(&self) -> Option<Sheet> {
        match self.sheet {
            Some(sheet) => Some(Sheet { bring: false, ..sheet }),
            None => None,
        }
    }

    /// One of them may be what Telegram does not take.
    pub(super) fn forget_notices(&mut self) {
        self.notices.clear();
    }

    /// What the owner looks at, or soon will.
    pub(super) fn body(&self) -> Option<&Body> {
        self.message.as_ref().map(|message| &message.body)
    }
}

/// A confirmation on the screen: it is taken away when its button stops working.
#[derive(Debug)]
pub(super) struct Shown {
    /// Of which node.
    pub(super) node: NodeId,
    /// Its one-time button.
    pub(super) nonce: String,
    /// Where and how it was drawn.
    pub(super) sheet: Sheet,
}

/// Where and how a screen is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sheet {
    /// In which chat.
    pub(super) chat: i64,
    /// In which language.
    pub(super) language: Language,
    /// At the end of the chat, as a new message.
    pub(super) bring: bool,
    /// What a new message answers.
    pub(super) place: Place,
}

/// What a new message answers, and in which topic of its chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The update that asked for it: answers leave in the order of the questions.
    pub(super) asked: Option<i64>,
    /// The topic, where the chat has topics.
    pub(super) thread: Option<i64>,
}

/// A screen to be drawn.
pub(super) struct Drawing {
    /// What.
    pub(super) body: Body,
    /// Its buttons.
    pub(super) buttons: Vec<Vec<Button>>,
    /// The command that will draw on it again.
    pub(super) watched: Option<CommandId>,
    /// Who waits for it.
    pub(super) urgency: Urgency,
}

impl Dialogue {
    /// The sheet for answers to this command.
    pub(super) fn sheet(&self, step: &Step<'_>, command: &StoredCommand, bring: bool) -> Sheet {
        let place = Place { asked: Some(command.update_id), thread: self.topics.of(command.update_id) };
        Sheet { chat: command.chat, language: self.language(step.world, command), bring, place }
    }

    /// The sheet for what no command asked for, in the owner's language: the one message as it stands.
    pub(super) fn sheet_of_nobody(&self, step: &Step<'_>) -> Option<Sheet> {
        let (chat, _) = step.message?;
        Some(Sheet { chat, language: self.language_of(step.world, None), bring: false, place: Place::default() })
    }

    /// Whether the one message is of this dialogue, or soon will be.
    pub(super) const fn has_the_screen(&self) -> bool {
        self.scene.message.is_some() || self.scene.watched.is_some()
    }

    /// Puts a screen before the owner.
    pub(super) fn draw(&mut self, step: &Step<'_>, sheet: Sheet, drawing: Drawing) -> Version {
        if drawing.urgency == Urgency::Progress && !step.world.polls {
            return self.canvas.latest();
        }
        if let Some((say, _)) = self.scene.result.take().filter(|(_, at)| !self.canvas.is_settled(*at)) {
            self.note(say);
        }
        let notices = self.scene.notices.iter().map(|(say, _)| say.clone()).collect();
        let at_unix_s = step.world.now.unix_ms / 1_000;
        let Drawing { body, buttons, watched, urgency } = drawing;
        let mut message = Message { language: sheet.language, notices, body, at_unix_s, buttons };
        if let Some(before) = self.scene.message.as_ref().filter(|_| urgency == Urgency::Progress) {
            // Progress that has not moved is no new screen.
            message.at_unix_s = before.at_unix_s;
            if message != *before {
                message.at_unix_s = at_unix_s;
            }
        }
        self.scene.watched = watched;
        self.scene.confirmation = None;
        self.scene.message = Some(message.clone());
        (self.scene.source, self.scene.sheet) = (Source::AsItIs, Some(sheet));
        self.canvas.want(step.world.now, sheet, message, urgency)
    }

    /// Wants the present screen once more, with the notices of now. Where there is none, the list takes its place.
    pub(super) fn draw_again(&mut self, step: &mut Step<'_>, sheet: Sheet) -> Version {
        let Some(mut message) = self.scene.message.take() else { return self.draw_list(step, sheet, 0) };
        message.notices = self.scene.notices.iter().map(|(say, _)| say.clone()).collect();
        message.language = sheet.language;
        self.scene.message = Some(message.clone());
        self.canvas.amend(step.world.now, sheet, message)
    }

    /// Before a screen goes out: the line about what is too old to matter, and what has waited for long drawn anew.
    pub(super) fn freshen(&mut self, step: &mut Step<'_>) {
        let Some(sheet) = self.scene.sheet() else { return };
        let stale = self.canvas.is_stale(step.world.now);
        if !self.note_late(step) && !stale {
            return;
        }
        match self.scene.source {
            _ if !stale => {
                self.draw_again(step, sheet);
            }
            Source::AsItIs => {
                self.draw_again(step, sheet);
            }
            Source::List { page } => {
                self.draw_list(step, sheet, page);
            }
            Source::Card(id) => self.wait_for_figures(step, id, sheet),
            Source::Confirmation(node) => {
                self.draw_confirmation(step, sheet, node);
            }
        }
    }

    /// Whether the owner looks at this command's progress.
    pub(super) fn is_watched(&self, id: CommandId) -> bool {
        self.scene.watched == Some(id)
    }

    /// The result of an order: on its own screen where the owner still looks at it, else as a notice above whatever the owner looks at. The
    /// command ends when that is shown.
    pub(super) fn conclude(&mut self, step: &mut Step<'_>, job: Job, drawing: Drawing, notice: Say) {
        let sheet = self.sheet(step, &job.command, false);
        let version = if self.is_watched(job.command.id) || self.scene.message.is_none() {
            let version = self.draw(step, sheet, Drawing { watched: None, urgency: Urgency::Owner, ..drawing });
            self.scene.result = Some((notice, version));
            version
        } else {
            self.add_notice(step, sheet, notice)
        };
        self.keep(job, Work::Show { version, told: Told::Result });
    }

    /// Adds a notice to what the owner looks at. Where this leader does not know what that is, it stays, and the notice comes in a new message.
    pub(super) fn add_notice(&mut self, step: &mut Step<'_>, sheet: Sheet, say: Say) -> Version {
        self.note(say);
        let bring = sheet.bring || self.scene.message.is_none();
        self.draw_again(step, Sheet { bring, ..sheet })
    }

    /// The same, in place of one of these keys that nobody could read yet.
    pub(super) fn note_in_place(&mut self, keys: &[Key], say: Say) {
        let canvas = &self.canvas;
        self.scene.notices.retain(|(said, at)| !keys.contains(&said.key) || canvas.is_settled(*at));
        self.note(say);
    }

    /// The next screen has this above it.
    pub(super) fn note(&mut self, say: Say) {
        let notices = &mut self.scene.notices;
        notices.push((say, self.canvas.latest() + 1));
        while notices.len() > NOTICES {
            let shown = notices.iter().position(|(_, version)| self.canvas.is_settled(*version));
            match shown {
                Some(oldest) => drop(notices.remove(oldest)),
                None if notices.len() > UNSHOWN => drop(notices.remove(0)),
                None => break,
            }
        }
    }

    /// The owner asks anew: notices that were on the screen are read.
    pub(super) fn notices_read(&mut self) {
        let canvas = &self.canvas;
        self.scene.notices.retain(|(_, version)| !canvas.is_settled(*version));
    }
}

/// Notices at once: more are not read. Those that nobody could read yet stay beyond that ...
const NOTICES: usize = 5;

/// ... as far as a message has room for them.
const UNSHOWN: usize = 20;
