//! The desk: brings what rooms draw to the owner, in order and at Telegram's pace, and ends each command when its owner was told.
//!
//! It knows rooms and tasks by their traits. [`dialogue::Dialogue`] hands updates and answers to them.

pub mod act;
pub(crate) mod asked;
mod begin;
mod buttons;
pub(crate) mod canvas;
pub mod dialogue;
mod door;
pub(crate) mod drawing;
mod gate;
pub(crate) mod job;
mod late;
pub(crate) mod letter;
mod mail;
mod menu;
mod outbox;
pub(crate) mod pace;
pub(crate) mod post;
pub mod room;
mod route;
mod scene;
mod show;
mod state;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod tests;
mod topics;
pub(in crate::bot) mod words;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::StoredCommand;
use constella_shared::wire::rpc::Request;

use self::act::{Act, AskId};
use self::buttons::OldButtons;
use self::canvas::{Canvas, Version};
use self::drawing::Drawing;
use self::gate::Refused;
use self::job::{Job, Told};
use self::menu::Menu;
use self::outbox::Posts;
use self::pace::Pace;
use self::room::{Task, Then};
use self::scene::Scene;
use self::state::{Asker, State};
use self::step::Step;
use self::topics::Topics;
use super::kit::language::Language;
use super::kit::press::Press;
use super::kit::say::Key;
use super::kit::world::World;
use crate::update_ids;

/// Everything between the rooms and Telegram.
#[derive(Debug)]
pub(crate) struct Desk {
    default_language: Language,
    next_ask: u64,
    asks: BTreeMap<AskId, Asker>,
    jobs: BTreeMap<CommandId, (Job, State)>,
    refused: Refused,
    grouped: Refused,
    topics: Topics,
    canvas: Canvas,
    /// A new screen waits for a message that was asked for before it.
    screen_waits: bool,
    buttons: OldButtons,
    posts: Posts,
    pace: Pace,
    scene: Scene,
    menu: Menu,
    home: Home,
    /// A line of the help for each command.
    help: Vec<Key>,
    /// The newest update that was answered since this node serves.
    newest_update: i64,
    /// A language that was chosen here, and is not on record yet.
    chosen: Option<Language>,
    /// The room that asked the owner for a text, and its question.
    awaited: Option<(&'static str, Press)>,
}

/// The screen that is shown where there is no other.
pub(crate) type Home = fn(&World) -> Drawing;

impl Desk {
    fn new(default_language: Language, menu: Menu, home: Home, help: Vec<Key>) -> Self {
        Self {
            default_language,
            next_ask: 1,
            asks: BTreeMap::new(),
            jobs: BTreeMap::new(),
            refused: Refused::default(),
            grouped: Refused::default(),
            topics: Topics::default(),
            canvas: Canvas::default(),
            screen_waits: false,
            buttons: OldButtons::default(),
            posts: Posts::default(),
            pace: Pace::default(),
            scene: Scene::default(),
            menu,
            home,
            help,
            newest_update: i64::MIN,
            chosen: None,
            awaited: None,
        }
    }

    /// Asks a node for a task; the answer comes to [`Task::answered`] under `tag`.
    pub(crate) fn ask_for_task(
        &mut self,
        step: &mut Step<'_>,
        (id, tag): (CommandId, u64),
        to: NodeId,
        request: Request,
        timeout: Duration,
    ) {
        let ask = self.ask(Asker::Task(id, tag));
        step.acts.push(Act::Ask { ask, to, request, timeout });
    }

    /// Asks a node for a room; the answer comes to [`room::Room::answered`] under `tag`.
    pub(crate) fn ask_for_room(
        &mut self,
        step: &mut Step<'_>,
        (room, tag): (&'static str, u64),
        to: NodeId,
        request: Request,
        timeout: Duration,
    ) {
        let ask = self.ask(Asker::Room(room, tag));
        step.acts.push(Act::Ask { ask, to, request, timeout });
    }

    /// Wants an invitation for a room; the answer comes to [`room::Room::answered`] under `tag`.
    pub(crate) fn ask_for_link(&mut self, step: &mut Step<'_>, (room, tag): (&'static str, u64), ttl_s: u64) {
        let ask = self.ask(Asker::Room(room, tag));
        step.acts.push(Act::Invite { ask, ttl_s });
    }

    /// Names a question of a room's own kind; the answer comes to [`room::Room::answered`] under `tag`.
    pub(crate) fn ask_as_room(&mut self, (room, tag): (&'static str, u64)) -> AskId {
        self.ask(Asker::Room(room, tag))
    }

    /// The next text of the owner that is no command answers this question of this room, where the room says that it fits.
    pub(crate) fn await_text(&mut self, room: &'static str, question: Press) {
        self.awaited = Some((room, question));
    }

    /// The owner's language, with Telegram's word from a command.
    pub(crate) fn language(&self, world: &World, command: &StoredCommand) -> Language {
        self.language_of(world, command.language.as_deref())
    }

    /// From now on the owner reads this language, also before it is on record.
    pub(crate) fn speak(&mut self, world: &World, language: Language) {
        self.chosen = Some(language);
        self.menu.is_due(world);
    }

    /// Another leader took it, and what the owner asked for later is on the screen already: an older view must not take that away again, nor an
    /// order's progress; its end is a notice above it. Update ids may start anew after an idle week, so commands of one's own are never judged by
    /// them.
    pub(crate) fn is_overtaken(&self, step: &Step<'_>, command: &StoredCommand) -> bool {
        command.taken_by != step.world.me && update_ids::is_before(command.update_id, self.newest_update)
    }

    /// What the help says of each command.
    pub(crate) fn help(&self) -> impl Iterator<Item = Key> + '_ {
        self.help.iter().copied()
    }

    /// The newest screen that was wanted.
    pub(crate) const fn latest(&self) -> Version {
        self.canvas.latest()
    }

    /// Whether nothing is left to do for this screen: it was shown, or was given up.
    pub(crate) const fn is_settled(&self, version: Version) -> bool {
        self.canvas.is_settled(version)
    }

    /// Whether a command is not done.
    pub(crate) fn has(&self, id: CommandId) -> bool {
        self.jobs.contains_key(&id)
    }

    /// Puts a command, whose view of this room is on the screen, to work again; false where it is done, or does something else.
    pub(crate) fn work_again(&mut self, room: &'static str, id: CommandId, task: Box<dyn Task>) -> bool {
        let Some((_, state)) = self.jobs.get_mut(&id) else { return false };
        match state {
            State::Show { .. } => {}
            State::Work(of, _) if *of == room => {}
            State::Work(..) | State::Mail(_) => return false,
        }
        *state = State::Work(room, task);
        true
    }

    fn language_of(&self, world: &World, of_telegram: Option<&str>) -> Language {
        self.chosen.unwrap_or_else(|| Language::choose(world.language.as_deref(), of_telegram, self.default_language))
    }

    /// An id for a question whose answer matters.
    fn ask(&mut self, asker: Asker) -> AskId {
        let ask = self.unheeded_ask();
        self.asks.insert(ask, asker);
        ask
    }

    /// An id for a question whose answer is of no consequence.
    fn unheeded_ask(&mut self) -> AskId {
        let ask = AskId(self.next_ask);
        self.next_ask += 1;
        ask
    }

    fn put(&mut self, job: Job, state: State) {
        self.jobs.insert(job.command.id, (job, state));
    }

    /// A command of this room goes on; a press that is still to be followed comes back.
    fn settle(&mut self, step: &Step<'_>, job: Job, room: &'static str, then: Then) -> Option<(Job, Press)> {
        let state = match then {
            Then::Work(task) => State::Work(room, task),
            Then::Show(version, told) => State::Show { version, told },
            Then::Mail(letter) => self.mail(step, &job, room, letter),
            Then::Go(press) => return Some((job, press)),
        };
        self.put(job, state);
        None
    }

    /// The command ends as soon as this screen, or a later one, is shown.
    fn show(&mut self, job: Job, version: Version) {
        self.put(job, State::Show { version, told: Told::Screen });
    }

    /// When anything of the desk itself is due.
    fn deadline(&self) -> Option<u64> {
        let jobs = self.jobs.values().filter_map(|(_, state)| state.deadline());
        let screen = self.canvas.deadline(&self.pace).filter(|_| !self.screen_waits);
        let (posts, buttons) = (self.posts.deadline(&self.pace), self.buttons.deadline(&self.pace));
        jobs.chain([self.menu.deadline(), screen, self.mail_deadline(), posts, buttons].into_iter().flatten()).min()
    }

    /// This node does not serve the bot any longer.
    fn deposed(&mut self) {
        self.asks.clear();
        self.jobs.clear();
        self.canvas.clear();
        self.buttons = OldButtons::default();
        self.posts = Posts::default();
        self.scene = Scene::default();
        self.menu.clear();
        self.newest_update = i64::MIN;
        self.chosen = None;
        self.awaited = None;
    }
}
