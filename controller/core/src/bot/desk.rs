//! The dialogue with the owner: what comes in from Telegram and from the nodes becomes questions, records, and screens.
//!
//! Only the node that serves the bot runs it. Every command that it is given ends with exactly one [`Stage::Done`], after the owner was shown
//! what became of it; a command of a leader before goes on from its stored stage (F6). Nothing here is durable but through [`Act`]s.

pub mod act;
mod asked;
mod buttons;
mod canvas;
mod card;
pub(crate) mod command;
mod confirm;
mod door;
mod gate;
mod invitation;
mod job;
mod late;
mod list;
mod mail;
mod order;
mod pace;
mod reboot;
mod scene;
mod show;
mod speedtest;
#[cfg(test)]
mod tests;
mod took;
mod topics;
mod verdict;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::rpc::{Request, Response};

use self::buttons::OldButtons;
use self::canvas::Canvas;
use self::confirm::Confirmations;
use self::gate::Refused;
use self::invitation::Invitations;
use self::job::{Job, Purpose, Told, Work};
use self::pace::Pace;
use self::scene::Scene;
use self::topics::Topics;
use crate::bot::desk::act::{Act, Answer, AskId};
use crate::bot::kit::language::Language;
use crate::bot::kit::page::Screen;
use crate::bot::kit::say::Say;
use crate::bot::kit::world::World;
use crate::io::{BotCall, BotError, BotReply, CallError};

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
    default_language: Language,
    next_ask: u64,
    asks: BTreeMap<AskId, Purpose>,
    jobs: BTreeMap<CommandId, Job>,
    refused: Refused,
    grouped: Refused,
    topics: Topics,
    canvas: Canvas,
    /// A new screen waits for a message that was asked for before it.
    screen_waits: bool,
    buttons: OldButtons,
    pace: Pace,
    scene: Scene,
    confirmations: Confirmations,
    invitations: Invitations,
    menu: Menu,
    /// The newest update that was answered since this node serves.
    newest_update: i64,
    /// The newest update that chose a language.
    newest_choice: i64,
    /// A language that was chosen here, and is not on record yet.
    chosen: Option<Language>,
}

/// Whether the command menu is set.
#[derive(Debug, Default)]
struct Menu {
    tries_left: u8,
    set_at: Option<u64>,
}

/// One step: the world at its beginning, and what it wants done.
struct Step<'a> {
    world: &'a World,
    acts: Vec<Act>,
    /// The bot's one message: the world's, until this step made another.
    message: Option<(i64, i64)>,
}

impl Dialogue {
    /// A dialogue that serves nobody yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            default_language: settings.language,
            next_ask: 1,
            asks: BTreeMap::new(),
            jobs: BTreeMap::new(),
            refused: Refused::default(),
            grouped: Refused::default(),
            topics: Topics::default(),
            canvas: Canvas::default(),
            screen_waits: false,
            buttons: OldButtons::default(),
            pace: Pace::default(),
            scene: Scene::default(),
            confirmations: Confirmations::new(settings.seed),
            invitations: Invitations::default(),
            menu: Menu::default(),
            newest_update: i64::MIN,
            newest_choice: i64::MIN,
            chosen: None,
        }
    }

    /// Carries out a stored command: a fresh one, or one that an earlier leader left at its stage. A command that is on its way is left alone.
    pub fn command(&mut self, world: &World, command: &StoredCommand) -> Vec<Act> {
        let mut step = Step::new(world);
        if !self.jobs.contains_key(&command.id) {
            self.begin(&mut step, command.clone());
        }
        self.run(&mut step);
        step.acts
    }

    /// Takes the answer to a question of [`Act::Ask`], [`Act::Bot`] or [`Act::Invite`]. Answers that nobody waits for are dropped: they were
    /// asked before [`Self::deposed`], or are of no consequence.
    pub fn answer(&mut self, world: &World, ask: AskId, answer: Answer) -> Vec<Act> {
        let mut step = Step::new(world);
        let Some(purpose) = self.asks.remove(&ask) else { return step.acts };
        match purpose {
            Purpose::Canvas => self.canvas_answered(&mut step, bot(answer)),
            Purpose::Menu => self.menu_answered(&step, &bot(answer)),
            Purpose::Mail(id) => {
                let result = bot(answer);
                self.invitation_sent(&step, id, &result);
                self.mailed(&mut step, id, result);
            }
            Purpose::Buttons => self.buttons_answered(&step, &bot(answer)),
            Purpose::Card(id, figure) => self.figure(&mut step, id, figure, peer(answer)),
            Purpose::BootId { nonce } => self.confirmations.boot_id(&nonce, peer(answer)),
            Purpose::Reboot(id) => self.reboot_answered(&mut step, id, peer(answer)),
            Purpose::Follow(id) => self.followed(&mut step, id, peer(answer)),
            Purpose::TestStart(id) => self.test_started(&mut step, id, peer(answer)),
            Purpose::TestPoll(id) => self.test_polled(&mut step, id, peer(answer)),
            Purpose::Invite(id) => {
                if let Answer::Link(link) = answer {
                    self.invited(&mut step, id, link);
                }
            }
            Purpose::Invitation(token) => self.invitation_edited(&step, &token, bot(answer)),
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

    /// When [`Self::tick`] wants to be called, CLOCK_BOOTTIME milliseconds; earlier does no harm.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        let jobs = self.jobs.values().filter_map(|job| job.work.deadline());
        let screen = self.canvas.deadline(&self.pace).filter(|_| !self.screen_waits);
        let (invitations, buttons) = (self.invitations.deadline(&self.pace), self.buttons.deadline(&self.pace));
        let confirmation = self.confirmation_ends_at();
        let others = [self.menu.set_at, screen, self.mail_deadline(), invitations, buttons, confirmation];
        jobs.chain(others.into_iter().flatten()).min()
    }

    /// How long a call that shows the owner something may take.
    #[must_use]
    pub const fn limit_ms(&self) -> u64 {
        self.pace.limit_ms()
    }

    /// This node serves the bot from now on: the command menu is set. What the owner looks at stays until they ask for something else; only a
    /// list shows the new leader at once, and a confirmation, which died with the earlier one, gives way to it. `last` is what the owner is known
    /// to have asked for last. The node calls it before it hands over what an earlier leader left undone.
    pub fn elected(&mut self, world: &World, last: Option<&CommandContent>) -> Vec<Act> {
        self.menu_is_due(world);
        let mut step = Step::new(world);
        let gives_way = last.is_some_and(list::gives_way) && !self.has_the_screen();
        if let Some(sheet) = self.sheet_of_nobody(&step).filter(|_| gives_way) {
            self.draw_list(&mut step, sheet, 0);
        }
        self.run(&mut step);
        step.acts
    }

    /// This node does not serve the bot any longer: whatever is not done is its successor's.
    pub fn deposed(&mut self) {
        self.asks.clear();
        self.jobs.clear();
        self.canvas.clear();
        self.buttons = OldButtons::default();
        self.scene = Scene::default();
        self.confirmations.clear();
        self.invitations.put_down();
        self.menu = Menu::default();
        (self.newest_update, self.newest_choice) = (i64::MIN, i64::MIN);
        self.chosen = None;
    }

    /// Tells the owner something above whatever the one message shows; nothing while there is no message.
    pub fn notice(&mut self, world: &World, say: Say) -> Vec<Act> {
        let mut step = Step::new(world);
        if let Some(sheet) = self.sheet_of_nobody(&step) {
            self.add_notice(&mut step, sheet, say);
        }
        self.run(&mut step);
        step.acts
    }

    /// The owner's language, with Telegram's word from a command.
    fn language(&self, world: &World, command: &StoredCommand) -> Language {
        self.language_of(world, command.language.as_deref())
    }

    fn language_of(&self, world: &World, of_telegram: Option<&str>) -> Language {
        self.chosen.unwrap_or_else(|| Language::choose(world.language.as_deref(), of_telegram, self.default_language))
    }

    /// An id for a question whose answer matters.
    fn ask(&mut self, purpose: Purpose) -> AskId {
        let ask = self.unheeded_ask();
        self.asks.insert(ask, purpose);
        ask
    }

    /// An id for a question whose answer is of no consequence.
    fn unheeded_ask(&mut self) -> AskId {
        let ask = AskId(self.next_ask);
        self.next_ask += 1;
        ask
    }

    /// Asks a node.
    fn ask_node(&mut self, step: &mut Step<'_>, to: NodeId, request: Request, timeout: Duration, purpose: Purpose) {
        let ask = self.ask(purpose);
        step.acts.push(Act::Ask { ask, to, request, timeout });
    }

    fn keep(&mut self, job: Job, work: Work) {
        self.put(Job { work, ..job });
    }

    fn put(&mut self, job: Job) {
        self.jobs.insert(job.command.id, job);
    }

    /// The command ends as soon as this screen, or a later one, is shown.
    fn show(&mut self, job: Job, version: canvas::Version) {
        self.keep(job, Work::Show { version, told: Told::Screen });
    }

    /// Does everything that is due, and ends the commands whose screens are shown.
    fn run(&mut self, step: &mut Step<'_>) {
        self.chosen = self.chosen.filter(|chosen| step.world.language.as_deref() != Some(chosen.code()));
        let ids: Vec<CommandId> = self.jobs.keys().copied().collect();
        for id in ids {
            match self.jobs.get(&id).map(|job| &job.work) {
                Some(Work::Card(_)) => self.card_due(step, id),
                Some(Work::Reboot(_)) => self.follow_due(step, id),
                Some(Work::Test(_)) => self.test_due(step, id),
                Some(Work::Mail(_) | Work::Invite { .. } | Work::Show { .. }) | None => {}
            }
        }
        self.confirmation_due(step);
        self.set_menu(step);
        self.end_shown(step);
        self.send_next(step);
        self.issue_screen(step);
        self.invitations_due(step);
        self.tidy_buttons(step);
        self.end_shown(step);
    }

    /// The command menu is to be set, anew where its language changed.
    fn menu_is_due(&mut self, world: &World) {
        self.menu = Menu { tries_left: MENU_TRIES, set_at: Some(world.now.boot_ms) };
    }

    fn set_menu(&mut self, step: &mut Step<'_>) {
        if self.menu.set_at.is_some_and(|at| at <= step.world.now.boot_ms) {
            self.menu.set_at = None;
            self.menu.tries_left = self.menu.tries_left.saturating_sub(1);
            let ask = self.ask(Purpose::Menu);
            let recorded = step.world.language.as_deref().and_then(Language::of_tag);
            let chat = step.message.or(step.world.message).map(|(chat, _)| chat);
            let chosen = chat.zip(self.chosen.or(recorded));
            step.acts.push(Act::Bot { ask, call: BotCall::SetCommands { chosen } });
        }
    }

    fn menu_answered(&mut self, step: &Step<'_>, result: &Result<BotReply, BotError>) {
        if result.is_err() && self.menu.tries_left > 0 {
            let wait_ms = match result {
                Err(BotError::RetryAfter { ms }) => (*ms).max(MENU_AGAIN_MS),
                Ok(_) | Err(_) => MENU_AGAIN_MS,
            };
            self.menu.set_at = Some(step.world.now.boot_ms.saturating_add(wait_ms));
        }
    }
}

impl<'a> Step<'a> {
    const fn new(world: &'a World) -> Self {
        Self { world, acts: Vec::new(), message: world.message }
    }

    fn done(&mut self, command: CommandId) {
        self.acts.push(Act::Stage { command, stage: Stage::Done });
    }

    fn answer_callback(&mut self, ask: AskId, callback_id: &str, toast: Option<Screen>) {
        self.acts.push(Act::Bot { ask, call: BotCall::AnswerCallback { callback_id: callback_id.into(), toast } });
    }
}

fn peer(answer: Answer) -> Result<Response, CallError> {
    match answer {
        Answer::Peer(result) => result,
        Answer::Bot(_) | Answer::Link(_) => Err(CallError::Lost(OTHER_KIND.into())),
    }
}

fn bot(answer: Answer) -> Result<BotReply, BotError> {
    match answer {
        Answer::Bot(result) => result,
        Answer::Peer(_) | Answer::Link(_) => Err(BotError::Unreachable(OTHER_KIND.into())),
    }
}

/// Said of an answer of another kind than its question, so that no command ever waits for it.
const OTHER_KIND: &str = "an answer of another kind";

/// Tries at setting the command menu: it is a convenience, every command works without it.
const MENU_TRIES: u8 = 5;

/// Between two of them.
const MENU_AGAIN_MS: u64 = 10_000;
