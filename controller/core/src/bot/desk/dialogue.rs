//! The dialogue with the owner: what comes in from Telegram and from the nodes becomes questions, records, and screens.
//!
//! Only the node that serves the bot runs it. Every command that it is given ends with exactly one [`Stage::Done`], after the owner was shown
//! what became of it; a command of a leader before goes on from its stored stage (F6). Nothing here is durable but through [`Act`]s.
//!
//! [`Stage::Done`]: constella_shared::wire::command::Stage::Done

use alloc::boxed::Box;
use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::{CommandContent, StoredCommand};

use super::act::{Act, Answer, AskId};
use super::menu::Menu;
use super::room::{Event, Room};
use super::state::{Asker, State};
use super::step::Step;
use super::{Desk, Home};
use crate::bot::kit::language::Language;
use crate::bot::kit::say::Say;
use crate::bot::kit::world::World;
use crate::io::{BotError, BotReply};

/// What a dialogue is told at its making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `LANG_DEFAULT`.
    pub language: Language,
    /// From this the one-time buttons are made; random, and never used twice.
    pub seed: [u8; 32],
}

/// The dialogue of one node, whether it serves now or not.
#[derive(Debug)]
pub struct Dialogue {
    pub(super) desk: Desk,
    pub(super) rooms: Vec<Box<dyn Room>>,
}

impl Dialogue {
    /// A dialogue that serves nobody yet, with these rooms; `home` draws the screen that is shown where there is no other.
    #[must_use]
    pub(in crate::bot) fn new(language: Language, rooms: Vec<Box<dyn Room>>, home: Home) -> Self {
        let commands = || rooms.iter().flat_map(|room| room.commands());
        let menu = Menu::new(commands().filter_map(|command| Some((command.verb, command.menu?))).collect());
        let help = commands().filter_map(|command| command.help).collect();
        Self { desk: Desk::new(language, menu, home, help), rooms }
    }

    /// Carries out a command: a fresh one, or one that an earlier leader left at its stage. A command that is on its way is left alone.
    pub fn command(&mut self, world: &World, command: &StoredCommand) -> Vec<Act> {
        let mut step = Step::new(world);
        match self.desk.jobs.get(&command.id) {
            Some((job, _)) if job.done => step.done(command.id),
            Some(_) => {}
            None => self.begin(&mut step, command.clone()),
        }
        self.run(&mut step);
        step.acts
    }

    /// Takes the answer to a question of [`Act::Ask`], [`Act::Bot`] or [`Act::Invite`]. Answers that nobody waits for are dropped: they were
    /// asked before [`Self::deposed`], or are of no consequence.
    pub fn answer(&mut self, world: &World, ask: AskId, answer: Answer) -> Vec<Act> {
        let mut step = Step::new(world);
        let Some(asker) = self.desk.asks.remove(&ask) else { return step.acts };
        match asker {
            Asker::Canvas => self.desk.canvas_answered(&mut step, answer.bot()),
            Asker::Menu => self.desk.menu_answered(&step, &answer.bot()),
            Asker::Mail(id) => self.mail_answered(&mut step, id, answer.bot()),
            Asker::Post => {
                if let Some(((name, tag), posted)) = self.desk.post_answered(&step, answer.bot())
                    && let Some(room) = find(&mut self.rooms, name)
                {
                    room.posted(&mut self.desk, &mut step, tag, posted);
                }
            }
            Asker::Buttons => self.desk.buttons_answered(&step, &answer.bot()),
            Asker::Task(id, tag) => self.task_answered(&mut step, id, tag, answer),
            Asker::Room(name, tag) => {
                let then =
                    find(&mut self.rooms, name).and_then(|room| room.answered(&mut self.desk, &mut step, tag, answer));
                if let Some((id, then)) = then
                    && let Some((job, _)) = self.desk.jobs.remove(&id)
                {
                    self.settle(&mut step, job, name, then, false);
                }
            }
        }
        self.run(&mut step);
        step.acts
    }

    /// Does what has become due.
    pub fn tick(&mut self, world: &World) -> Vec<Act> {
        let mut step = Step::new(world);
        self.run(&mut step);
        step.acts
    }

    /// Tells every room what happened.
    pub fn event(&mut self, world: &World, event: &Event) -> Vec<Act> {
        let mut step = Step::new(world);
        for room in &mut self.rooms {
            room.told(&mut self.desk, &mut step, event);
        }
        self.run(&mut step);
        step.acts
    }

    /// When [`Self::tick`] wants to be called, CLOCK_BOOTTIME milliseconds; earlier does no harm.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let rooms = self.rooms.iter().filter_map(|room| room.deadline(&self.desk));
        rooms.chain(self.desk.deadline()).min()
    }

    /// How long a call that shows the owner something may take.
    #[must_use]
    pub const fn limit_ms(&self) -> u64 {
        self.desk.pace.limit_ms()
    }

    /// This node serves the bot from now on: the command menu is set. What the owner looks at stays until they ask for something else; only a
    /// list shows the new leader at once, and a confirmation, which died with the earlier one, gives way to it. `last` is what the owner is known
    /// to have asked for last. The node calls it before it hands over what an earlier leader left undone.
    pub fn elected(&mut self, world: &World, last: Option<&CommandContent>) -> Vec<Act> {
        self.desk.menu.is_due(world);
        let mut step = Step::new(world);
        let gives_way = last.is_some_and(|last| self.gives_way(last)) && !self.desk.has_the_screen();
        if let Some(sheet) = self.desk.sheet_of_nobody(&step).filter(|_| gives_way) {
            self.desk.draw_home(&step, sheet);
        }
        self.run(&mut step);
        step.acts
    }

    /// This node does not serve the bot any longer: whatever is not done is its successor's.
    pub fn deposed(&mut self) {
        self.desk.deposed();
        self.rooms.iter_mut().for_each(|room| room.deposed());
    }

    /// Tells the owner something above whatever the one message shows; nothing while there is no message.
    pub fn notice(&mut self, world: &World, say: Say) -> Vec<Act> {
        let mut step = Step::new(world);
        if let Some(sheet) = self.desk.sheet_of_nobody(&step) {
            self.desk.add_notice(&step, sheet, say);
        }
        self.run(&mut step);
        step.acts
    }

    fn mail_answered(&mut self, step: &mut Step<'_>, id: CommandId, result: Result<BotReply, BotError>) {
        if let Ok(BotReply::Sent { message }) = result
            && let Some((job, state)) = self.desk.jobs.remove(&id)
        {
            if let State::Mail(mail) = &state
                && let Some(room) = find(&mut self.rooms, mail.room())
            {
                room.mailed(&mut self.desk, step, &job, message);
            }
            self.desk.put(job, state);
        }
        self.desk.mailed(step, id, result);
    }

    fn task_answered(&mut self, step: &mut Step<'_>, id: CommandId, tag: u64, answer: Answer) {
        self.with_task(step, id, |task, desk, step, job| task.answered(desk, step, job, tag, answer));
    }

    fn with_task(
        &mut self,
        step: &mut Step<'_>,
        id: CommandId,
        go_on: impl FnOnce(
            &mut dyn super::room::Task,
            &mut Desk,
            &mut Step<'_>,
            &super::job::Job,
        ) -> Option<super::room::Then>,
    ) {
        let Some((job, state)) = self.desk.jobs.remove(&id) else { return };
        let State::Work(room, mut task) = state else { return self.desk.put(job, state) };
        match go_on(task.as_mut(), &mut self.desk, step, &job) {
            None => self.desk.put(job, State::Work(room, task)),
            Some(then) => self.settle(step, job, room, then, false),
        }
    }

    /// Does everything that is due, and ends the commands whose screens are shown.
    fn run(&mut self, step: &mut Step<'_>) {
        self.desk.chosen = self.desk.chosen.filter(|chosen| step.world.language.as_deref() != Some(chosen.code()));
        let ids: Vec<CommandId> = self.desk.jobs.keys().copied().collect();
        for id in ids {
            self.with_task(step, id, |task, desk, step, job| task.due(desk, step, job));
        }
        for room in &mut self.rooms {
            room.due(&mut self.desk, step);
        }
        self.desk.set_menu(step);
        self.desk.end_shown(step);
        self.desk.send_next(step);
        self.issue_screen(step);
        self.desk.send_posts(step);
        self.desk.tidy_buttons(step);
        self.desk.end_shown(step);
    }
}

/// The room with this name.
pub(super) fn find<'a>(rooms: &'a mut [Box<dyn Room>], name: &str) -> Option<&'a mut Box<dyn Room>> {
    rooms.iter_mut().find(|room| room.name() == name)
}
