//! The life of a member: its name, its rank among those that may lead, and its removal, which a one-time button confirms.

#[cfg(test)]
mod tests;
mod words;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId};

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::{Act, Answer};
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet};
use crate::bot::desk::job::Job;
use crate::bot::desk::room::{Kind, Room, Task, Then, Visit, Wish, node_of};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::{Body, Button};
use crate::bot::kit::press::{NodeTag, Press, is_hex};
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;
use crate::clock::Now;
use crate::io::Progress;
use crate::roster::Edit;

/// The life of members.
#[derive(Debug)]
pub(super) struct NodesRoom {
    seed: [u8; 32],
    /// Counts questions and nonces.
    made: u64,
    /// The removal that may be confirmed.
    open: Option<Confirmation>,
    asked: BTreeMap<u64, Asked>,
}

/// A one-time button.
#[derive(Debug)]
struct Confirmation {
    node: NodeId,
    nonce: String,
    /// When it went out; None until it did.
    shown: Option<Now>,
}

/// An edit on its way to the roster.
#[derive(Debug)]
struct Asked {
    by: CommandId,
    node: NodeId,
    name: String,
    sheet: Sheet,
    edit: Edit,
}

/// A command that waits for its edit.
#[derive(Debug)]
struct Waiting;

impl Task for Waiting {
    /// The room itself is answered.
    fn answered(&mut self, _: &mut Desk, _: &mut Step<'_>, _: &Job, _: u64, _: Answer) -> Option<Then> {
        None
    }

    fn deadline(&self) -> Option<u64> {
        None
    }
}

impl NodesRoom {
    /// The one-time buttons are made from this seed, which is random and never used twice.
    pub(super) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, made: 0, open: None, asked: BTreeMap::new() }
    }
}

impl Room for NodesRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::MANAGE, RENAME, PRIORITY, ASK_REMOVE, REMOVE]
    }

    fn kind(&self, wish: &Wish) -> Kind {
        match wish {
            Wish::Pressed(press) if press.verb() == REMOVE => Kind::Order,
            Wish::Said { to: Some(_), .. } => Kind::Edit,
            Wish::Pressed(_) | Wish::Typed { .. } | Wish::Said { to: None, .. } => Kind::View,
        }
    }

    fn in_short(&self, world: &World, press: &Press) -> String {
        let tag = press.rest().split(':').next().unwrap_or_default();
        let name = node_of(world, tag).map(|node| world.name_of(node));
        alloc::format!("⚙️ {}", name.as_deref().unwrap_or("…"))
    }

    fn awaits(&self, text: &str, question: &Press) -> bool {
        match question.verb() {
            RENAME => crate::roster::name::check(text.trim()).is_ok(),
            PRIORITY => text.trim().parse::<u32>().is_ok(),
            _ => false,
        }
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let sheet = visit.sheet(desk, step);
        match visit.wish {
            Wish::Pressed(press) => self.pressed(desk, step, visit, sheet, press),
            Wish::Said { text, to: Some(question) } => match node_of(step.world, question.rest()) {
                Ok(node) => {
                    let text = text.trim();
                    let rank = text.parse().ok().filter(|_| question.verb() == PRIORITY).map(Edit::Priority);
                    let edit = rank.unwrap_or_else(|| Edit::Rename(text.to_string()));
                    self.edit(desk, step, visit, sheet, node, edit)
                }
                Err(_) => Then::Go(ways::list(0)),
            },
            Wish::Typed { .. } | Wish::Said { to: None, .. } => Then::Go(ways::list(0)),
        }
    }

    fn answered(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        tag: u64,
        answer: Answer,
    ) -> Option<(CommandId, Then)> {
        let asked = self.asked.remove(&tag)?;
        let Answer::Edited(result) = answer else { return None };
        let say = match (&result, &asked.edit) {
            (Err(error), _) => Say::new(Key::EditRefused).text("message", error.message.as_str()),
            (Ok(_), Edit::Rename(name)) => Say::new(Key::Renamed).text("name", name.as_str()),
            (Ok(_), Edit::Priority(rank)) => {
                Say::new(Key::Ranked).text("name", asked.name.as_str()).with("count", Value::Count((*rank).into()))
            }
            (Ok(Progress::Begun), Edit::Remove) => Say::new(Key::Removing).text("name", asked.name.as_str()),
            (Ok(Progress::Done), Edit::Remove) => Say::new(Key::Removed).text("name", asked.name.as_str()),
        };
        let gone = result.is_ok() && asked.edit == Edit::Remove;
        let buttons = if gone { vec![vec![ways::to_list()]] } else { ways::back(asked.node) };
        let version = desk.draw(step, asked.sheet, Drawing::new(Body::Says(vec![say.clone()]), buttons));
        desk.keep_result(say, version);
        Some((asked.by, Then::shown(version)))
    }

    fn issued(&mut self, now: Now) {
        if let Some(open) = &mut self.open {
            open.shown.get_or_insert(now);
        }
    }

    fn deposed(&mut self) {
        self.open = None;
        self.asked.clear();
    }
}

impl NodesRoom {
    fn pressed(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        visit: &Visit<'_>,
        sheet: Sheet,
        press: &Press,
    ) -> Then {
        let (tag, nonce) = press.rest().split_once(':').unwrap_or((press.rest(), ""));
        let node = match node_of(step.world, tag) {
            Ok(node) => node,
            Err(why) => {
                step.toast(why);
                return Then::Go(ways::list(0));
            }
        };
        match press.verb() {
            RENAME | PRIORITY => {
                desk.await_text(NAME, press.clone());
                let key = if press.verb() == RENAME { Key::AskName } else { Key::AskPriority };
                let cancel = vec![vec![button(Key::Cancel, ways::manage(node))]];
                Then::shown(draw(desk, step, sheet, Say::new(key).text("name", step.world.name_of(node)), cancel))
            }
            ASK_REMOVE => Then::shown(self.draw_confirmation(desk, step, sheet, node)),
            REMOVE => match self.take(step.world.now, node, nonce) {
                Ok(()) => self.edit(desk, step, visit, sheet, node, Edit::Remove),
                Err(why) => {
                    step.toast(why);
                    Then::shown(draw(desk, step, sheet, Say::new(why), ways::back(node)))
                }
            },
            _ => Then::shown(draw_manage(desk, step, sheet, node)),
        }
    }

    fn draw_confirmation(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, node: NodeId) -> Version {
        self.made += 1;
        let mut nonce = CommandId::over(&[NAME.as_bytes(), &self.seed, &self.made.to_be_bytes()]).to_string();
        nonce.truncate(NONCE_DIGITS);
        let leads = step.world.row(node).is_some_and(|row| row.leader);
        let key = if leads { Key::ConfirmRemoveLeader } else { Key::ConfirmRemove };
        let say = Say::new(key).text("name", step.world.name_of(node)).with("seconds", Value::Count(VALID_MS / 1_000));
        let yes = Press::with(REMOVE, format_args!("{}:{nonce}", NodeTag::of(&node)));
        let buttons = vec![vec![button(Key::RemoveYes, yes)], vec![button(Key::Cancel, ways::manage(node))]];
        self.open = Some(Confirmation { node, nonce, shown: None });
        draw(desk, step, sheet, say, buttons)
    }

    /// Uses the one-time button up.
    fn take(&mut self, now: Now, node: NodeId, nonce: &str) -> Result<(), Key> {
        if !is_hex(nonce, NONCE_DIGITS) {
            return Err(Key::UnknownButton);
        }
        let open = self.open.take_if(|open| open.node == node && open.nonce == nonce).ok_or(Key::ConfirmUsed)?;
        let shown = open.shown.ok_or(Key::ConfirmUsed)?;
        if now.elapsed(shown) > VALID_MS { Err(Key::ConfirmExpired) } else { Ok(()) }
    }

    fn edit(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        visit: &Visit<'_>,
        sheet: Sheet,
        node: NodeId,
        edit: Edit,
    ) -> Then {
        self.made += 1;
        let (by, name) = (visit.job.command.id, step.world.name_of(node));
        let ask = desk.ask_as_room((NAME, self.made));
        step.acts.push(Act::Edit { ask, node, edit: edit.clone() });
        self.asked.insert(self.made, Asked { by, node, name, sheet, edit });
        Then::Work(Box::new(Waiting))
    }
}

fn draw_manage(desk: &mut Desk, step: &Step<'_>, sheet: Sheet, node: NodeId) -> Version {
    let rank = step.world.row(node).map_or(0, |row| u64::from(row.priority));
    let say = Say::new(Key::ManageText).text("name", step.world.name_of(node)).with("count", Value::Count(rank));
    let tag = NodeTag::of(&node);
    let mut buttons = vec![
        vec![button(Key::Rename, Press::with(RENAME, &tag)), button(Key::Priority, Press::with(PRIORITY, &tag))],
        vec![button(Key::Remove, Press::with(ASK_REMOVE, &tag))],
    ];
    buttons.extend(ways::back(node));
    draw(desk, step, sheet, say, buttons)
}

fn draw(desk: &mut Desk, step: &Step<'_>, sheet: Sheet, say: Say, buttons: Vec<Vec<Button>>) -> Version {
    desk.draw(step, sheet, Drawing::new(Body::Says(vec![say]), buttons))
}

/// Its name.
const NAME: &str = "nodes";

/// Verb: ask for another name.
pub const RENAME: &str = "nr";

/// Verb: ask for another priority.
pub const PRIORITY: &str = "np";

/// Verb: show the confirmation of a removal.
pub const ASK_REMOVE: &str = "nx";

/// Verb: the confirmation's one-time button.
pub const REMOVE: &str = "ny";

/// Hex digits of a nonce: 64 bits for 45 seconds, and only the owner can press at all.
const NONCE_DIGITS: usize = 16;

/// How long the button works: as that of a reboot.
const VALID_MS: u64 = 45_000;
