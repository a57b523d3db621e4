//! A speedtest: started once, followed until it ends. Asking again with the same id starts nothing new, so a lost answer is asked for anew.

#[cfg(test)]
mod tests;
mod words;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::agent::{SpeedtestFigures, SpeedtestState};
use constella_shared::ids::NodeId;
use constella_shared::wire::command::Stage;
use constella_shared::wire::rpc::{Request, Response};

use super::ways;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::asked::Asked;
use crate::bot::desk::drawing::{Drawing, Sheet};
use crate::bot::desk::job::Job;
use crate::bot::desk::pace::Urgency;
use crate::bot::desk::room::{Kind, Room, Task, Then, Visit, Wish, node_of};
use crate::bot::desk::step::Step;
use crate::bot::kit::buttons::button;
use crate::bot::kit::page::{Body, Button, Speedtest};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::io::CallError;

/// Speedtests.
#[derive(Debug)]
pub(super) struct SpeedtestRoom;

impl Room for SpeedtestRoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn words(&self) -> &'static [Key] {
        words::ALL
    }

    fn presses(&self) -> &'static [&'static str] {
        &[ways::SPEEDTEST]
    }

    fn kind(&self, _wish: &Wish) -> Kind {
        Kind::Order
    }

    fn in_short(&self, world: &World, press: &Press) -> String {
        let name = node_of(world, press.rest()).map(|node| world.name_of(node));
        alloc::format!("⚡ {}", name.as_deref().unwrap_or("…"))
    }

    fn open(&mut self, desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>) -> Then {
        let Wish::Pressed(press) = visit.wish else { return Then::Go(ways::list(0)) };
        match node_of(step.world, press.rest()) {
            Ok(node) if step.world.is_down(node) => {
                step.toast(Key::NodeDown);
                Then::Go(ways::card(node))
            }
            Ok(node) => start(desk, step, visit, node),
            Err(why) => {
                step.toast(why);
                Then::Go(ways::list(0))
            }
        }
    }

    /// Another leader left it.
    fn resume(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, stage: &Stage) -> Option<Then> {
        let Stage::Testing { target, asked_unix_ms } = *stage else { return None };
        let look_at = Some(step.world.now.boot_ms);
        let asked = Asked::before(step.world, target, asked_unix_ms);
        let test = Test { target, asked, starts: 0, misses: 0, look_at };
        test.draw_asked(desk, step, job, false);
        Some(Then::Work(Box::new(test)))
    }
}

/// The owner pressed the button.
fn start(desk: &mut Desk, step: &mut Step<'_>, visit: &Visit<'_>, target: NodeId) -> Then {
    let asked = Asked::now(step.world, target);
    step.stage(visit.job.command.id, Stage::Testing { target, asked_unix_ms: asked.unix_ms });
    let test = Test { target, asked, starts: 1, misses: 0, look_at: None };
    test.ask_start(desk, step, visit.job);
    test.draw_asked(desk, step, visit.job, visit.bring);
    Then::Work(Box::new(test))
}

/// A speedtest that was asked for.
#[derive(Debug)]
struct Test {
    target: NodeId,
    asked: Asked,
    /// How often its start was asked for by this leader.
    starts: u8,
    /// Looks without an answer, in a row.
    misses: u8,
    /// When it is looked at next; None while a question is open.
    look_at: Option<u64>,
}

impl Task for Test {
    /// Looks at the test, where it is time.
    fn due(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Option<Then> {
        if self.look_at.is_some_and(|at| at <= step.world.now.boot_ms) {
            self.look_at = None;
            desk.ask_for_task(step, (job.command.id, POLL), self.target, Request::GetSpeedtest {}, LOOK_TIMEOUT);
        }
        None
    }

    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, tag: u64, answer: Answer) -> Option<Then> {
        match answer.peer() {
            Ok(Response::Speedtest { test }) => self.is(desk, step, job, test),
            Ok(_) | Err(_) if tag == POLL => self.missed(desk, step, job),
            Ok(_) => Some(self.failed(desk, step, job, why_unexpected())),
            Err(CallError::Lost(_)) => self.missed(desk, step, job),
            Err(error @ (CallError::NotSent(_) | CallError::PortClosed(_) | CallError::Refused(_))) => {
                Some(self.failed(desk, step, job, why(&error)))
            }
        }
    }

    fn deadline(&self) -> Option<u64> {
        self.look_at
    }
}

impl Test {
    fn ask_start(&self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) {
        let request = Request::RunSpeedtest { command_id: job.command.id, term: step.world.term };
        desk.ask_for_task(step, (job.command.id, START), self.target, request, START_TIMEOUT);
    }

    fn is(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, state: SpeedtestState) -> Option<Then> {
        let now = step.world.now;
        let id = job.command.id;
        self.misses = 0;
        let name = step.world.name_of(self.target);
        match state {
            SpeedtestState::Running { command_id, phase, percent, so_far } if command_id == id => {
                if self.asked.elapsed_ms(now) >= LIMIT_MS {
                    return Some(self.lost(desk, step, job));
                }
                self.look_at = Some(now.boot_ms + LOOK_EVERY_MS);
                if desk.is_watched(id) {
                    let say = Say::new(Key::SpeedtestTitle).text("name", name);
                    let body = Speedtest { say, progress: Some((phase, percent)), figures: so_far };
                    let sheet = desk.sheet(step, &job.command, false);
                    self.draw(desk, step, sheet, job, body, Urgency::Progress);
                }
                None
            }
            SpeedtestState::Done { command_id, figures, .. } if command_id == id => {
                let notice = Say::new(Key::SpeedtestNotice)
                    .text("name", name.clone())
                    .with("download", Value::Bits(figures.download_bps))
                    .with("upload", Value::Bits(figures.upload_bps));
                let say = Say::new(Key::SpeedtestDone).text("name", name);
                Some(self.end(desk, step, job, Speedtest { say, progress: None, figures }, notice))
            }
            SpeedtestState::Failed { command_id, message, .. } if command_id == id => {
                Some(self.failed(desk, step, job, Say::new(Key::WhyAgentFailed).text("message", message)))
            }
            SpeedtestState::Idle
            | SpeedtestState::Running { .. }
            | SpeedtestState::Done { .. }
            | SpeedtestState::Failed { .. } => self.other(desk, step, job),
        }
    }

    /// The target knows nothing of this test, or has had another since.
    fn other(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Option<Then> {
        if self.starts < STARTS && self.asked.elapsed_ms(step.world.now) < START_WITHIN_MS {
            self.starts += 1;
            self.ask_start(desk, step, job);
            return None;
        }
        let say = Say::new(Key::SpeedtestUnknown)
            .text("name", step.world.name_of(self.target))
            .text("via", step.world.name_of(job.command.taken_by));
        Some(self.end_with(desk, step, job, say))
    }

    fn missed(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Option<Then> {
        let now = step.world.now;
        self.misses += 1;
        if self.misses >= MISSES || self.asked.elapsed_ms(now) >= LIMIT_MS {
            return Some(self.lost(desk, step, job));
        }
        self.look_at = Some(now.boot_ms + LOOK_EVERY_MS);
        None
    }

    fn lost(&self, desk: &mut Desk, step: &Step<'_>, job: &Job) -> Then {
        let waited = self.asked.elapsed_ms(step.world.now);
        let name = step.world.name_of(self.target);
        self.end_with(desk, step, job, Say::new(Key::SpeedtestLost).text("name", name).span("waited", waited))
    }

    fn failed(&self, desk: &mut Desk, step: &Step<'_>, job: &Job, why: Say) -> Then {
        let name = step.world.name_of(self.target);
        self.end_with(desk, step, job, Say::new(Key::SpeedtestFailed).text("name", name).with("why", Value::Say(why)))
    }

    fn end_with(&self, desk: &mut Desk, step: &Step<'_>, job: &Job, say: Say) -> Then {
        let body = Speedtest { say: say.clone(), progress: None, figures: SpeedtestFigures::default() };
        self.end(desk, step, job, body, say)
    }

    fn end(&self, desk: &mut Desk, step: &Step<'_>, job: &Job, body: Speedtest, notice: Say) -> Then {
        desk.conclude(step, job, Drawing::new(Body::Speedtest(body), buttons(self.target)), notice)
    }

    fn draw_asked(&self, desk: &mut Desk, step: &Step<'_>, job: &Job, bring: bool) {
        let say = Say::new(Key::SpeedtestAsked).text("name", step.world.name_of(self.target));
        let body = Speedtest { say, progress: None, figures: SpeedtestFigures::default() };
        let sheet = desk.sheet(step, &job.command, bring);
        self.draw(desk, step, sheet, job, body, Urgency::Owner);
    }

    fn draw(&self, desk: &mut Desk, step: &Step<'_>, sheet: Sheet, job: &Job, body: Speedtest, urgency: Urgency) {
        if desk.is_overtaken(step, &job.command) {
            return;
        }
        let drawing = Drawing::new(Body::Speedtest(body), ways::back(self.target));
        desk.draw(step, sheet, drawing.watched(job.command.id).urgency(urgency));
    }
}

fn buttons(target: NodeId) -> Vec<Vec<Button>> {
    let mut buttons = vec![vec![button(Key::Speedtest, ways::speedtest(target))]];
    buttons.extend(ways::back(target));
    buttons
}

/// Its name.
const NAME: &str = "speedtest";

/// The question that starts it.
const START: u64 = 0;

/// The question how far it is.
const POLL: u64 = 1;

/// For the start: the agent's own limit and the way there.
const START_TIMEOUT: Duration = Duration::from_secs(8);

/// Between two looks.
const LOOK_EVERY_MS: u64 = 2_000;

/// For one look.
const LOOK_TIMEOUT: Duration = Duration::from_secs(3);

/// The agent bounds a test by time, well below this.
const LIMIT_MS: u64 = 5 * 60_000;

/// Looks without an answer after which the node is given up: a full uplink may cost a few.
const MISSES: u8 = 8;

/// A start is repeated once where the target knows nothing of it.
const STARTS: u8 = 2;

/// Later than this after the owner's press, nothing is started.
const START_WITHIN_MS: u64 = 60_000;
