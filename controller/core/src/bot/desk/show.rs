//! The one message on its way to Telegram: when its turn is, what came of it, and which commands end with it.

use alloc::string::String;

use constella_shared::wire::records::NetValue;

use super::Desk;
use super::act::Act;
use super::canvas::Landed;
use super::dialogue::{Dialogue, find};
use super::drawing::{Drawing, Sheet};
use super::state::Asker;
use super::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::Body;
use crate::bot::kit::say::{Key, Say};
use crate::io::{BotError, BotReply};

impl Dialogue {
    /// Sends the screen that is wanted, where it is time and its turn. What waited for long is drawn anew before.
    pub(super) fn issue_screen(&mut self, step: &mut Step<'_>) {
        let now = step.world.now;
        self.desk.screen_waits = !self.desk.may_send_screen(step.message);
        if self.desk.screen_waits || self.desk.canvas.deadline(&self.desk.pace).is_none_or(|at| at > now.boot_ms) {
            return;
        }
        self.freshen(step);
        if let Some(call) = self.desk.canvas.issue(now, &mut self.desk.pace, step.message) {
            self.rooms.iter_mut().for_each(|room| room.issued(now));
            let ask = self.desk.ask(Asker::Canvas);
            step.acts.push(Act::Bot { ask, call });
        }
    }

    /// Before a screen goes out: the line about what is too old to matter, and what has waited for long drawn anew.
    pub(super) fn freshen(&mut self, step: &mut Step<'_>) {
        let Some(sheet) = self.desk.scene.sheet() else { return };
        let stale = self.desk.canvas.is_stale(step.world.now);
        if !self.note_late(step) && !stale {
            return;
        }
        let source = self.desk.scene.source.clone().filter(|_| stale);
        let room = source.as_ref().and_then(|source| find(&mut self.rooms, source.room));
        match (room, source) {
            (Some(room), Some(source)) => room.redraw(&mut self.desk, step, sheet, &source),
            (None, _) | (_, None) => drop(self.desk.draw_again(step, sheet)),
        }
    }
}

impl Desk {
    /// Telegram's answer to the screen.
    pub(super) fn canvas_answered(&mut self, step: &mut Step<'_>, result: Result<BotReply, BotError>) {
        match self.canvas.landed(step.world.now, &mut self.pace, result) {
            Landed::Nothing => {}
            Landed::New { chat, message, old, over_picture } => {
                step.acts.push(Act::Record(NetValue::Message { chat, message }));
                step.message = Some((chat, message));
                old.into_iter().for_each(|old| self.buttons.take_away(chat, old, over_picture));
            }
            Landed::Refused { why, bring } => self.screen_refused(step, why, bring),
        }
    }

    /// Telegram takes the call and not this screen: the owner reads that, in place of nothing.
    fn screen_refused(&mut self, step: &mut Step<'_>, why: String, bring: bool) {
        let Some(sheet) = self.scene.sheet().map(|sheet| Sheet { bring, ..sheet }) else { return };
        let body = Body::Says(alloc::vec![Say::new(Key::AnswerRefused).text("why", why)]);
        let home = (self.home)(step.world).source.map(|home| button(Key::ToList, home.press));
        let buttons = home.into_iter().map(|home| alloc::vec![home]).collect();
        self.scene.forget_notices();
        self.draw(step, sheet, Drawing::new(body, buttons));
    }

    /// Ends the commands whose screens are shown.
    pub(super) fn end_shown(&mut self, step: &mut Step<'_>) {
        let canvas = &self.canvas;
        self.jobs.retain(|id, (job, state)| {
            let Some((_, last)) = state.screen().filter(|(version, _)| canvas.is_settled(*version)) else {
                return true;
            };
            if !core::mem::replace(&mut job.done, true) {
                step.done(*id);
            }
            !last
        });
    }
}
