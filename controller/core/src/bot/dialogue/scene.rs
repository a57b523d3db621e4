//! What the owner looks at, and how it changes: screens that are asked for replace each other, results of older commands appear as notices.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::StoredCommand;

use super::canvas::Version;
use super::job::{Job, Work};
use super::pace::Urgency;
use super::{Dialogue, ORDER_PATIENCE_MS, Step};
use crate::bot::language::Language;
use crate::bot::screen::{Body, Button, Message};
use crate::bot::text::Say;

/// What the owner looks at.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// The command whose progress is on the screen; None for a screen that stands still.
    pub(super) watched: Option<CommandId>,
    message: Option<Message>,
    /// A result with a screen of its own, in its short form, and that screen's version: it may be covered before it was shown.
    result: Option<(Say, Version)>,
    /// Results that were not on a screen of their own, with the version that first had them.
    notices: Vec<(Say, Version)>,
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
        Sheet { chat: command.chat, language: self.language(step.world, command), bring }
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
        self.scene.message = Some(message.clone());
        self.canvas.want(sheet.chat, message, sheet.bring, urgency)
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
        let until = step.world.now.boot_ms.saturating_add(ORDER_PATIENCE_MS);
        self.keep(job, Work::Show { version, until });
    }

    /// Adds a notice to what the owner looks at.
    pub(super) fn add_notice(&mut self, step: &mut Step<'_>, sheet: Sheet, say: Say) -> Version {
        self.note(say);
        let Some(mut message) = self.scene.message.take() else { return self.draw_list(step, sheet, 0) };
        message.notices = self.scene.notices.iter().map(|(say, _)| say.clone()).collect();
        message.language = sheet.language;
        self.scene.message = Some(message.clone());
        self.canvas.want(sheet.chat, message, sheet.bring, Urgency::Owner)
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
