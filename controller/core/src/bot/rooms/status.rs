//! `/status`: who is the Host and for how long, who is missing, from where Telegram answers, and what differs from node to node.
//!
//! What the Host knows is shown at once. Agents tell their versions only when they are asked, so they are, and the screen is drawn again.

mod page;
#[cfg(test)]
mod tests;
mod words;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::{Request, Response, Status};

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::drawing::{Drawing, Sheet, Source};
use crate::bot::desk::job::Job;
use crate::bot::desk::room::{Command, Kind, Room, Task, Then, Visit, Wish};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::Body;
use crate::bot::kit::press::Press;
use crate::bot::kit::say::Key;
use crate::bot::kit::world::World;

/// The network's state.
#[derive(Debug)]
pub(super) struct StatusRoom;

impl Room for StatusRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[SHOW]
    }

    fn commands(&self) -> &'static [Command] {
        &[Command { verb: "/status", help: Some(Key::HelpStatus), menu: Some(Key::MenuStatus) }]
    }

    fn kind(&self, _wish: &Wish) -> Kind {
        Kind::View
    }

    fn in_short(&self, _world: &World, _press: &Press) -> String {
        "/status".to_string()
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let id = visit.job.command.id;
        let up = step.world.nodes.iter().filter(|row| row.status == Status::Alive);
        let asked: Vec<NodeId> = up.map(|row| row.node).take(ASKED).collect();
        for (tag, node) in (0..).zip(&asked) {
            desk.ask_for_task(step, (id, tag), *node, Request::GetStats {}, TIMEOUT);
        }
        let agents = Agents { open: asked.len(), asked, versions: BTreeMap::new() };
        let sheet = visit.sheet(desk, step);
        let drawing = drawing(step.world, None).watched(id);
        desk.draw(step, sheet, drawing.anew(NAME, Press::new(SHOW)));
        Then::Work(Box::new(agents))
    }

    /// The agents are not asked again: whoever wants their versions refreshes.
    fn redraw(&mut self, desk: &mut Desk, step: &mut Step<'_>, sheet: Sheet, source: &Source) {
        let drawing = drawing(step.world, None).anew(NAME, source.press.clone());
        desk.draw(step, sheet, source.by.into_iter().fold(drawing, Drawing::watched));
    }
}

/// The agents' versions on their way.
#[derive(Debug)]
struct Agents {
    /// Who was asked, in the order of the questions.
    asked: Vec<NodeId>,
    /// Questions without an answer.
    open: usize,
    versions: BTreeMap<NodeId, String>,
}

impl Task for Agents {
    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, tag: u64, answer: Answer) -> Option<Then> {
        self.open = self.open.saturating_sub(1);
        let node = usize::try_from(tag).ok().and_then(|at| self.asked.get(at));
        if let (Some(node), Ok(Response::Stats { stats, .. })) = (node, answer.peer()) {
            self.versions.insert(*node, stats.agent_version);
        }
        if !desk.is_watched(job.command.id) {
            // The owner looks at something else by now.
            return Some(Then::shown(desk.latest()));
        }
        if self.open > 0 {
            return None;
        }
        let sheet = desk.sheet(step, &job.command, false);
        let drawing = drawing(step.world, Some(&self.versions)).anew(NAME, Press::new(SHOW));
        Some(Then::shown(desk.draw(step, sheet, drawing)))
    }

    /// Each question has its own time limit.
    fn deadline(&self) -> Option<u64> {
        None
    }

    fn may_be_late(&self) -> bool {
        true
    }
}

fn drawing(world: &World, agents: Option<&BTreeMap<NodeId, String>>) -> Drawing {
    let buttons = vec![vec![button(Key::Refresh, Press::new(SHOW)), ways::to_list()]];
    Drawing::new(Body::Says(page::says(world, agents)), buttons)
}

/// Its name.
const NAME: &str = "status";

/// Verb of its one button.
const SHOW: &str = "ss";

/// Agents that are asked for their versions at once: an answer is a few kB, and a dial costs both ends a handshake.
const ASKED: usize = 32;

/// A node that has not answered by then is shown without its agent's version.
const TIMEOUT: Duration = Duration::from_secs(3);
