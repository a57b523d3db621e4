//! Charts: a picture of what nodes measured, in the one message, with buttons for metric, range, node, comparison and colours.

mod choice;
mod keyboard;
mod words;

use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::agent::Series;
use constella_shared::ids::NodeId;
use constella_shared::limits::CHART_POINTS;
use constella_shared::wire::rpc::{Request, Response};

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::canvas::Version;
use crate::bot::desk::drawing::{Drawing, Sheet};
use crate::bot::desk::job::Job;
use crate::bot::desk::room::{Kind, Room, Task, Then, ToCome, Visit, Wish};
use crate::bot::desk::step::Step;
use crate::bot::kit::chart::{Chart, Charted};
use crate::bot::kit::page::Body;
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::io::CallError;
use choice::Choice;

#[cfg(test)]
mod tests;

/// Charts.
#[derive(Debug)]
pub(super) struct ChartsRoom;

impl Room for ChartsRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::CHART]
    }

    fn kind(&self, _wish: &Wish) -> Kind {
        Kind::View
    }

    fn in_short(&self, world: &World, press: &Press) -> String {
        Choice::parse(world, press.rest()).map_or_else(|_| "…".to_string(), |choice| world.name_of(choice.node))
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let Wish::Pressed(press) = visit.wish else { return Then::Go(ways::list(0)) };
        match Choice::parse(step.world, press.rest()) {
            Ok(choice) => Gather::new(choice, visit.bring).begin(desk, step, visit.job),
            Err(why) => {
                step.toast(why);
                Then::Go(ways::list(0))
            }
        }
    }
}

/// What has come for a chart.
#[derive(Debug)]
struct Gather {
    choice: Choice,
    bring: bool,
    /// In the order of the choice's nodes.
    nodes: Vec<Answered>,
    /// When what is there is shown, whatever is missing; None once it was.
    early_at: Option<u64>,
}

/// What a node has answered.
#[derive(Debug)]
enum Answered {
    NotYet,
    Series(Series),
    Not(Say),
}

impl Task for Gather {
    /// Shows what is there, where it is time.
    fn due(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Option<Then> {
        if self.early_at.is_some_and(|at| at <= step.world.now.boot_ms) {
            self.early_at = None;
            let some = self.nodes.iter().any(|node| matches!(node, Answered::Series(_)));
            if some && desk.is_watched(job.command.id) {
                self.draw(desk, step, job, true);
            }
        }
        None
    }

    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, tag: u64, answer: Answer) -> Option<Then> {
        let place = usize::try_from(tag).ok().and_then(|at| self.nodes.get_mut(at));
        if let Some(place) = place {
            *place = Answered::of(answer.peer());
        }
        if !desk.is_watched(job.command.id) {
            // The owner looks at something else by now.
            return Some(Then::shown(desk.latest()));
        }
        self.end_where_all_is_there(desk, step, job)
    }

    fn deadline(&self) -> Option<u64> {
        self.early_at
    }

    fn to_come(&self) -> ToCome {
        if self.bring { ToCome::Screen } else { ToCome::Nothing }
    }

    fn may_be_late(&self) -> bool {
        true
    }
}

impl Answered {
    fn of(answer: Result<Response, CallError>) -> Self {
        match answer {
            // A node of an older version answers with more points than were asked for.
            Ok(Response::Series { series }) => Self::Series(series.thinned(CHART_POINTS)),
            Ok(_) => Self::Not(why_unexpected()),
            Err(error) => Self::Not(why(&error)),
        }
    }
}

impl Gather {
    fn new(choice: Choice, bring: bool) -> Self {
        let nodes = choice.nodes().map(|_| Answered::NotYet).collect();
        Self { choice, bring, nodes, early_at: None }
    }

    /// Asks every node that is not known to be down.
    fn begin(mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Then {
        self.early_at = Some(step.world.now.boot_ms + EARLY_MS);
        let (kind, hours) = (self.choice.metric.kind(), self.choice.range.hours());
        let nodes: Vec<NodeId> = self.choice.nodes().collect();
        for ((tag, node), answered) in (0..).zip(nodes).zip(&mut self.nodes) {
            if step.world.is_down(node) {
                *answered = Answered::Not(Say::new(Key::NodeDown));
            } else {
                let request = Request::GetTs { kind, hours, points: Some(CHART_POINTS) };
                desk.ask_for_task(step, (job.command.id, tag), node, request, TIMEOUT);
            }
        }
        desk.watch(job.command.id);
        match self.end_where_all_is_there(desk, step, job) {
            Some(then) => then,
            None => Then::Work(Box::new(self)),
        }
    }

    fn end_where_all_is_there(&mut self, desk: &mut Desk, step: &Step<'_>, job: &Job) -> Option<Then> {
        if self.nodes.iter().any(|node| matches!(node, Answered::NotYet)) {
            return None;
        }
        let version = self.draw(desk, step, job, false);
        desk.unwatch();
        Some(Then::shown(version))
    }

    /// Draws the picture; words, where there is nothing to be drawn.
    fn draw(&mut self, desk: &mut Desk, step: &Step<'_>, job: &Job, watched: bool) -> Version {
        let sheet = desk.sheet(step, &job.command, core::mem::take(&mut self.bring));
        let buttons = keyboard::buttons(step.world, &self.choice);
        let drawing = Drawing::new(self.body(step.world, sheet), buttons);
        let drawing = if watched { drawing.watched(job.command.id) } else { drawing };
        desk.draw(step, sheet, drawing.anew(NAME, self.choice.press()))
    }

    fn body(&self, world: &World, sheet: Sheet) -> Body {
        let series = |answered: &Answered| match answered {
            Answered::Series(series) => Some(series.clone()),
            Answered::NotYet | Answered::Not(_) => None,
        };
        let nodes = self.choice.nodes().zip(&self.nodes);
        let nodes: Vec<Charted> =
            nodes.map(|(node, answered)| Charted { name: world.name_of(node), series: series(answered) }).collect();
        let mut reasons = self.nodes.iter().filter_map(|answered| match answered {
            Answered::Not(why) => Some(why.clone()),
            Answered::NotYet | Answered::Series(_) => None,
        });
        match reasons.next_back() {
            Some(why) if nodes.iter().all(|node| node.series.is_none()) => {
                let name = world.name_of(self.choice.node);
                let title = Say::new(Key::ChartTitle)
                    .text("name", name)
                    .with("metric", Value::Say(self.choice.metric.title().into()));
                Body::Says(vec![title, Say::new(Key::NoFigures).with("why", Value::Say(why))])
            }
            Some(_) | None => Body::Chart(Arc::new(Chart {
                language: sheet.language,
                metric: self.choice.metric,
                hours: self.choice.range.hours(),
                end_unix_s: world.now.unix_ms / 1_000,
                zone: world.quiet.as_ref().map_or_else(|| UTC.to_string(), |quiet| quiet.zone.clone()),
                theme: self.choice.theme,
                nodes,
            })),
        }
    }
}

/// Where the owner has named no zone.
const UTC: &str = "UTC";

/// Its name.
const NAME: &str = "charts";

/// What is there after this is shown: a tap that shows nothing for longer feels lost.
const EARLY_MS: u64 = 700;

/// A node that has not answered by then is shown without a line.
const TIMEOUT: Duration = Duration::from_secs(3);
