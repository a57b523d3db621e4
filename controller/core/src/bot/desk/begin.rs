//! A command at its stage: a fresh one is answered by a room, one that another left goes on where it was.

use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::records::NetValue;

use super::act::Act;
use super::asked::Asked;
use super::dialogue::Dialogue;
use super::gate::{Passage, passage};
use super::job::Job;
use super::room::Kind;
use super::route::is_forwarded;
use super::step::Step;
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::why_disk;
use crate::io::{BotCall, Trouble};
use crate::update_ids;
use alloc::string::ToString as _;

impl Dialogue {
    /// Takes up a command at its stage.
    pub(super) fn begin(&mut self, step: &mut Step<'_>, command: StoredCommand) {
        let stage = command.stage.clone();
        let taken = Asked::before(step.world, command.taken_by, command.taken_unix_ms);
        let job = Job { command, taken, done: false };
        match stage {
            Stage::Taken => self.fresh(step, job),
            Stage::Done => {}
            Stage::Rebooting { .. } | Stage::Testing { .. } | Stage::Running { .. } | Stage::Other(_) => {
                self.resume(step, job, &stage);
            }
        }
    }

    /// F6: the room whose stage it is goes on. What a newer version began is not known here, and the owner reads that.
    fn resume(&mut self, step: &mut Step<'_>, job: Job, stage: &Stage) {
        for room in &mut self.rooms {
            if let Some(then) = room.resume(&mut self.desk, step, &job, stage) {
                let room = room.name();
                return self.settle(step, job, room, then, false);
            }
        }
        self.desk.mail_note(step, job, Say::new(Key::OtherVersion));
    }

    fn fresh(&mut self, step: &mut Step<'_>, job: Job) {
        let command = &job.command;
        let overtaken = self.desk.is_overtaken(step, command);
        let passage = passage(&step.world.owner, command.user, command.username.as_deref(), &command.content);
        let admitted = passage != Passage::Stranger;
        if admitted && !self.answers_beside(&command.content) {
            self.desk.newest_update = update_ids::later(Some(self.desk.newest_update), command.update_id);
        }
        let needs_disk = passage == Passage::FirstContact || self.needs_disk(step.world, &command.content);
        if let Some(why) = step.world.trouble().filter(|_| admitted && needs_disk) {
            return self.not_stored(step, job, why);
        }
        let is_view = self.kind(&command.content) == Kind::View;
        match (passage, command.content.clone()) {
            (Passage::Owner, CommandContent::Text { .. }) if overtaken && is_view => {
                let version = self.desk.latest();
                self.desk.show(job, version);
            }
            (Passage::Owner, CommandContent::Text { .. }) => self.text(step, job),
            (Passage::Owner, CommandContent::Button { callback_id, data, .. })
                if overtaken && is_view && self.is_known(&data) =>
            {
                self.answer_callback(step, &job.command, &callback_id, None);
                let version = self.desk.latest();
                self.desk.show(job, version);
            }
            (Passage::Owner, CommandContent::Button { callback_id, data, message }) => {
                self.button(step, job, &callback_id, &data, message);
            }
            (Passage::Owner, CommandContent::Other(_)) => self.desk.mail_note(step, job, Say::new(Key::UnknownText)),
            (Passage::FirstContact, _) => self.first_contact(step, job),
            // Admitted by an earlier leader, and the owner is another by now.
            (Passage::Stranger, CommandContent::Text { .. } | CommandContent::Other(_)) => {
                self.desk.mail_note(step, job, Say::new(Key::Stranger));
            }
            (Passage::Stranger, CommandContent::Button { callback_id, .. }) => {
                self.answer_callback(step, &job.command, &callback_id, Some(Say::new(Key::Stranger)));
                step.done(job.command.id);
            }
        }
    }

    /// What would have to be on disk before anything is done, while the disk takes nothing: the owner reads that nothing was done, above the list.
    fn not_stored(&mut self, step: &mut Step<'_>, job: Job, why: Trouble) {
        if let CommandContent::Button { callback_id, .. } = &job.command.content {
            self.answer_callback(step, &job.command, callback_id, None);
        }
        let beside = self.answers_beside(&job.command.content);
        let sheet = self.desk.sheet(step, &job.command, beside);
        let me = step.world.name_of(step.world.me);
        let say = Say::new(Key::DiskRefuses).text("name", me).with("why", Value::Say(why_disk(why)));
        self.desk.note(say);
        let version = self.desk.draw_home(step, sheet);
        self.desk.show(job, version);
    }

    /// Name and code fit: the id is pinned, and the language that Telegram names is kept, so that a leader that has not heard the owner yet
    /// knows it too.
    fn first_contact(&mut self, step: &mut Step<'_>, job: Job) {
        let username = step.world.owner.username.clone();
        let telegram_id = Some(job.command.user);
        step.acts.push(Act::Record(NetValue::Owner { username: username.clone(), telegram_id, claim: None }));
        let language = job.command.language.as_deref().and_then(Language::of_tag);
        if let (None, Some(language)) = (&step.world.language, language) {
            step.acts.push(Act::Record(NetValue::Language { code: language.code().to_string() }));
        }
        let sheet = self.desk.sheet(step, &job.command, true);
        self.desk.draw_home(step, sheet);
        let say = Say::new(Key::Welcome).text("name", username.trim_start_matches('@'));
        let version = self.desk.add_notice(step, sheet, say);
        self.desk.show(job, version);
    }

    fn text(&mut self, step: &mut Step<'_>, job: Job) {
        self.desk.notices_read();
        if is_forwarded(&job.command.content) {
            return self.desk.mail_note(step, job, Say::new(Key::Forwarded));
        }
        let route = self.route(Some(step.world), &job.command.content);
        self.desk.awaited = None;
        match route {
            Some(route) => self.enter(step, job, route, true),
            None => self.desk.mail_note(step, job, Say::new(Key::UnknownText)),
        }
    }

    /// A press is answered before any work, or Telegram forgets it; with which words, the room says that is opened.
    fn button(&mut self, step: &mut Step<'_>, job: Job, callback_id: &str, data: &str, message: i64) {
        let elsewhere = step.message.is_some_and(|current| current != (job.command.chat, message));
        let has_messages = |press: &Press| self.rooms.iter().any(|room| room.has_messages(press));
        let old = elsewhere && !Press::parse(data).as_ref().is_some_and(has_messages);
        if old {
            self.desk.buttons.take_away(job.command.chat, message, false);
        }
        self.desk.notices_read();
        let (command, at) = (job.command.clone(), step.acts.len());
        let language = self.desk.language(step.world, &command);
        let route = self.route(Some(step.world), &command.content);
        self.desk.awaited = None;
        match route {
            Some(route) => self.enter(step, job, route, elsewhere),
            None if !old && Press::parse(data).is_some_and(|press| press.is_nothing()) => {
                let version = self.desk.latest();
                self.desk.show(job, version);
            }
            None => {
                if !self.is_known(data) {
                    step.toast(Key::UnknownButton);
                }
                let sheet = self.desk.sheet(step, &job.command, old);
                let version = self.desk.draw_home(step, sheet);
                self.desk.show(job, version);
            }
        }
        let toast = self.toast_or_wait(step, old);
        let call = callback(callback_id, toast.map(|say| Screen::Note { language, say }));
        let act = Act::Bot { ask: self.desk.unheeded_ask(), call };
        step.acts.insert(at, act);
    }

    /// What the press is answered with; while Telegram lets nothing else be shown (429), which does not hold for this answer, it says how long.
    fn toast_or_wait(&self, step: &mut Step<'_>, old: bool) -> Option<Say> {
        let barred_ms = self.desk.pace.barred_ms(step.world.now);
        match step.toast.take() {
            Some(say) => Some(say),
            None if barred_ms >= WORTH_A_WORD_MS => Some(Say::new(Key::FloodWait).span("wait", barred_ms)),
            None => old.then(|| Say::new(Key::OldMessage)),
        }
    }

    /// Whether this version made this button.
    fn is_known(&self, data: &str) -> bool {
        let press = Press::parse(data);
        press.is_some_and(|press| {
            press.is_nothing() || self.rooms.iter().any(|room| room.presses().contains(&press.verb()))
        })
    }

    fn answer_callback(&mut self, step: &mut Step<'_>, command: &StoredCommand, callback_id: &str, say: Option<Say>) {
        let language = self.desk.language(step.world, command);
        let ask = self.desk.unheeded_ask();
        let call = callback(callback_id, say.map(|say| Screen::Note { language, say }));
        step.acts.push(Act::Bot { ask, call });
    }
}

fn callback(callback_id: &str, toast: Option<Screen>) -> BotCall {
    BotCall::AnswerCallback { callback_id: callback_id.into(), toast }
}

/// A wait that a person notices.
const WORTH_A_WORD_MS: u64 = 2_000;
