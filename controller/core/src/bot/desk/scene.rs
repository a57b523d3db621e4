//! What the owner looks at, and how it changes: screens that are asked for replace each other, results of older commands appear as notices.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::StoredCommand;

use super::Desk;
use super::canvas::Version;
use super::drawing::{Drawing, Place, Sheet, Source};
use super::job::{Job, Told};
use super::pace::Urgency;
use super::room::Then;
use super::step::Step;
use crate::bot::kit::page::Message;
use crate::bot::kit::say::{Key, Say};

/// What the owner looks at.
#[derive(Debug, Default)]
pub(super) struct Scene {
    /// The command whose progress is on the screen; None for a screen that stands still.
    pub(super) watched: Option<CommandId>,
    message: Option<Message>,
    /// A result with a screen of its own, in its short form, and that screen's version: it may be covered before it was shown.
    pub(super) result: Option<(Say, Version)>,
    /// The newest screen that was drawn, apart from what stands above it.
    drawn: Version,
    /// Results that were not on a screen of their own, with the version that first had them.
    notices: Vec<(Say, Version)>,
    /// How the screen is drawn anew, and where it stands.
    pub(super) source: Option<Source>,
    sheet: Option<Sheet>,
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
}

impl Desk {
    /// The sheet for answers to this command.
    pub(crate) fn sheet(&self, step: &Step<'_>, command: &StoredCommand, bring: bool) -> Sheet {
        let place = Place { asked: Some(command.update_id), thread: self.topics.of(command.update_id) };
        Sheet { chat: command.chat, language: self.language(step.world, command), bring, place }
    }

    /// The sheet for what no command asked for, in the owner's language: the one message as it stands.
    pub(super) fn sheet_of_nobody(&self, step: &Step<'_>) -> Option<Sheet> {
        let (chat, _) = step.message?;
        Some(Sheet { chat, language: self.language_of(step.world, None), bring: false, place: Place::default() })
    }

    /// Whether the one message is of this dialogue, or soon will be.
    pub(crate) const fn has_the_screen(&self) -> bool {
        self.scene.message.is_some() || self.scene.watched.is_some()
    }

    /// Puts a screen before the owner.
    pub(crate) fn draw(&mut self, step: &Step<'_>, sheet: Sheet, drawing: Drawing) -> Version {
        if drawing.urgency == Urgency::Progress && !step.world.polls {
            return self.canvas.latest();
        }
        if let Some((say, _)) = self.scene.result.take().filter(|(_, at)| !self.canvas.is_settled(*at)) {
            self.note(say);
        }
        let notices = self.scene.notices.iter().map(|(say, _)| say.clone()).collect();
        let at_unix_s = step.world.now.unix_ms / 1_000;
        let Drawing { body, buttons, watched, urgency, source } = drawing;
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
        (self.scene.source, self.scene.sheet) = (source, Some(sheet));
        self.scene.drawn = self.canvas.want(step.world.now, sheet, message, urgency);
        self.scene.drawn
    }

    /// Wants the present screen once more, with the notices of now. Where there is none, the list takes its place.
    pub(crate) fn draw_again(&mut self, step: &Step<'_>, sheet: Sheet) -> Version {
        let Some(mut message) = self.scene.message.take() else { return self.draw_home(step, sheet) };
        message.notices = self.scene.notices.iter().map(|(say, _)| say.clone()).collect();
        message.language = sheet.language;
        self.scene.message = Some(message.clone());
        self.canvas.amend(step.world.now, sheet, message)
    }

    /// The screen that is shown where there is no other.
    pub(crate) fn draw_home(&mut self, step: &Step<'_>, sheet: Sheet) -> Version {
        let drawing = (self.home)(step.world);
        self.draw(step, sheet, drawing)
    }

    /// The command that this screen showed lets go of it.
    pub(crate) const fn unwatch(&mut self) {
        self.scene.watched = None;
    }

    /// The task of this command is to draw on the screen, whatever is on it now.
    pub(crate) const fn watch(&mut self, id: CommandId) {
        self.scene.watched = Some(id);
    }

    /// Whether this screen is the newest that was drawn.
    pub(crate) const fn is_present(&self, version: Version) -> bool {
        self.scene.drawn == version
    }

    /// A screen says what came of a command. Where a newer press covers it before Telegram has it, the sentence is a notice above that.
    pub(crate) fn keep_result(&mut self, say: Say, version: Version) {
        self.scene.result = Some((say, version));
    }

    /// Whether the owner looks at this command's progress.
    pub(crate) fn is_watched(&self, id: CommandId) -> bool {
        self.scene.watched == Some(id)
    }

    /// The result of an order: on its own screen where the owner still looks at it, else as a notice above whatever the owner looks at. The
    /// command ends when that is shown.
    pub(crate) fn conclude(&mut self, step: &Step<'_>, job: &Job, drawing: Drawing, notice: Say) -> Then {
        let sheet = self.sheet(step, &job.command, false);
        let version = if self.is_watched(job.command.id) || self.scene.message.is_none() {
            let version = self.draw(step, sheet, Drawing { watched: None, urgency: Urgency::Owner, ..drawing });
            self.scene.result = Some((notice, version));
            version
        } else {
            self.add_notice(step, sheet, notice)
        };
        Then::Show(version, Told::Result)
    }

    /// Adds a notice to what the owner looks at. Where this leader does not know what that is, it stays, and the notice comes in a new message.
    pub(crate) fn add_notice(&mut self, step: &Step<'_>, sheet: Sheet, say: Say) -> Version {
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
