//! What the desk knows of a feature: a room that the owner enters by a press or a word, and tasks that go on after that.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::Stage;

use super::Desk;
use super::act::Answer;
use super::canvas::Version;
use super::drawing::{Sheet, Source};
use super::job::{Job, Told};
use super::letter::Letter;
use super::post::Posted;
use super::step::Step;
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::Key;
use crate::bot::kit::world::World;
use crate::clock::Now;

/// A feature of the bot: its screens, its buttons and its words. It lives as long as the node's process; what must outlive that is a stage of a
/// command or a record of the roster.
pub(crate) trait Room: fmt::Debug + Send {
    /// Names it in stages on the wire, so it never changes.
    fn name(&self) -> &'static str;

    /// What it says.
    fn words(&self) -> &'static [Key];

    /// The verbs of its buttons; no other room has one of them.
    fn presses(&self) -> &'static [&'static str];

    /// The commands that open it, as `/invite`.
    fn commands(&self) -> &'static [Command] {
        &[]
    }

    /// Whether the wish is a view, an edit or an order. It is asked before anything of the wish is stored.
    fn kind(&self, wish: &Wish) -> Kind;

    /// Whether the wish is refused while the disk takes nothing.
    fn needs_disk(&self, wish: &Wish) -> bool {
        self.kind(wish) != Kind::View
    }

    /// Whether the answer is a message of its own, beside the one message.
    fn answers_beside(&self, _wish: &Wish) -> bool {
        false
    }

    /// Whether a list may take the place of the screen that answered this wish, when another node begins to serve.
    fn gives_way(&self, _wish: &Wish) -> bool {
        false
    }

    /// Whether the button may stand under a message of the room's own, beside the one message: such a message is no old screen, and keeps its buttons.
    fn has_messages(&self, _press: &Press) -> bool {
        false
    }

    /// What a button asked for, as short as its owner knows it.
    fn in_short(&self, _world: &World, _press: &Press) -> String {
        String::from("…")
    }

    /// Whether a text that is no command is meant for this room.
    fn fits(&self, _world: &World, _text: &str) -> bool {
        false
    }

    /// Whether it answers this question, which the room asked the owner last by [`Desk::await_text`].
    fn awaits(&self, _text: &str, _question: &Press) -> bool {
        false
    }

    /// The owner wants something of it.
    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then;

    /// Another node, or an earlier boot generation of this one, left a command at this stage. None where the stage is of another room.
    fn resume(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, _job: &Job, _stage: &Stage) -> Option<Then> {
        None
    }

    /// A screen of this room waited for long, and is to be drawn anew before it goes out.
    fn redraw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, _source: &Source) {
        desk.draw_again(step, sheet);
    }

    /// The answer to a question of the room's own, under the number that it chose. Where a command goes on with it, that one, and how.
    fn answered(
        &mut self,
        _desk: &mut Desk,
        _step: &mut Step<'_>,
        _tag: u64,
        _answer: Answer,
    ) -> Option<(CommandId, Then)> {
        None
    }

    /// What came of a message of the room's own, under the number that it chose.
    fn posted(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, _tag: u64, _posted: Posted) {}

    /// The message that answers this command beside the one message is in the chat.
    fn mailed(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, _job: &Job, _message: i64) {}

    /// The present screen went out to Telegram.
    fn issued(&mut self, _now: Now) {}

    /// The time came, or something happened: whatever is due is done here.
    fn due(&mut self, _desk: &mut Desk, _step: &mut Step<'_>) {}

    /// When something is due, CLOCK_BOOTTIME milliseconds.
    fn deadline(&self, _desk: &Desk) -> Option<u64> {
        None
    }

    /// Something happened in the network, while this node serves.
    fn told(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, _event: &Event) {}

    /// This node serves no longer: questions and messages under way are answered no more.
    fn deposed(&mut self) {}
}

/// What goes on after a room was opened, until the owner read what came of it.
pub(crate) trait Task: fmt::Debug + Send {
    /// The time came, or something happened.
    fn due(&mut self, _desk: &mut Desk, _step: &mut Step<'_>, _job: &Job) -> Option<Then> {
        None
    }

    /// The answer to a question of this task, under the number that it chose.
    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, tag: u64, answer: Answer) -> Option<Then>;

    /// When something is due, CLOCK_BOOTTIME milliseconds; None while it waits for an answer.
    fn deadline(&self) -> Option<u64>;

    /// F6: the screen that shows something of a view that is filled later. With that screen its command is done, and the next update comes.
    fn showed(&self) -> Option<Version> {
        None
    }

    /// What it will bring to the end of the chat: answers leave in the order of the questions.
    fn to_come(&self) -> ToCome {
        ToCome::Nothing
    }

    /// Whether the owner must read that it was not forgotten, where it takes too long.
    fn may_be_late(&self) -> bool {
        false
    }
}

/// How a command goes on.
#[derive(Debug)]
pub(crate) enum Then {
    /// A task works on.
    Work(Box<dyn Task>),
    /// It ends as soon as this screen, or a later one, is shown.
    Show(Version, Told),
    /// It ends with a message of its own.
    Mail(Box<dyn Letter>),
    /// Another room answers, as if this had been pressed.
    Go(Press),
}

impl Then {
    /// It ends with the screen that was drawn last.
    pub(crate) const fn shown(version: Version) -> Self {
        Self::Show(version, Told::Screen)
    }
}

/// What a task will bring to the end of the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToCome {
    /// Nothing.
    Nothing,
    /// The one message, as a new one.
    Screen,
    /// A message of its own.
    Mail,
}

/// What the owner wants of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// One of its buttons.
    Pressed(Press),
    /// One of its commands.
    Typed {
        /// In lower case, without the bot's name.
        verb: String,
        /// The word after it.
        word: Option<String>,
    },
    /// A text that is no command.
    Said {
        /// As it was typed.
        text: String,
        /// The question of this room that it answers, where it answers one.
        to: Option<Press>,
    },
}

/// What a wish does. It alone decides how an update is delivered (F6, `docs/commands.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It changes nothing but the screen: shown, and then confirmed to Telegram. It is shown again when it comes twice.
    View,
    /// It writes records with [`Act::Record`], and the same ones when it comes again: what is relative counts from the time that the command was
    /// taken. Written, shown, and then confirmed.
    ///
    /// [`Act::Record`]: super::act::Act::Record
    Edit,
    /// It acts outside of the network's records, or makes something new each time: stored, copied, confirmed, and then given at most once.
    Order,
}

/// A command that opens a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Command {
    /// In lower case, `/invite`.
    pub(crate) verb: &'static str,
    /// What the help says of it; None where it is not in the help.
    pub(crate) help: Option<Key>,
    /// What the command menu says of it; None where it is not in the menu.
    pub(crate) menu: Option<Key>,
}

/// The owner at the door of a room.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    /// The command.
    pub(crate) job: &'a Job,
    /// What is wanted.
    pub(crate) wish: &'a Wish,
    /// The answer is a new message at the end of the chat, rather than an edit.
    pub(crate) bring: bool,
}

impl Visit<'_> {
    /// Where the answer is drawn.
    pub(crate) fn sheet(&self, desk: &Desk, step: &Step<'_>) -> Sheet {
        desk.sheet(step, &self.job.command, self.bring)
    }
}

/// What happened in the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A record of an invitation changed, or ended.
    Invitations,
}

/// The node that a button names, or what the toast says where there is none.
pub(crate) fn node_of(world: &World, tag: &str) -> Result<NodeId, Key> {
    NodeTag::parse(tag).ok_or(Key::UnknownButton)?.find(world).ok_or(Key::NodeGone)
}
