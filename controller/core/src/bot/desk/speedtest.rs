//! A speedtest: started once, followed until it ends. Asking again with the same id starts nothing new, so a lost answer is asked for anew.

use alloc::vec;
use core::time::Duration;

use constella_shared::agent::{SpeedtestFigures, SpeedtestState};
use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::Stage;
use constella_shared::wire::rpc::{Request, Response};

use super::asked::Asked;
use super::job::{Job, Purpose, Work};
use super::list::{button, name_of};
use super::pace::Urgency;
use super::scene::{Drawing, Sheet};
use super::{Dialogue, Step};
use crate::bot::desk::act::Act;
use crate::bot::kit::page::{Body, Button, Speedtest};
use crate::bot::kit::press::{NodeTag, Press};
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::why::{why, why_unexpected};
use crate::io::CallError;

/// A speedtest that was asked for.
#[derive(Debug)]
pub(super) struct Test {
    target: NodeId,
    asked: Asked,
    /// How often its start was asked for by this leader.
    starts: u8,
    /// Looks without an answer, in a row.
    misses: u8,
    /// When it is looked at next; None while a question is open.
    look_at: Option<u64>,
}

impl Test {
    /// When it is looked at next.
    pub(super) const fn deadline(&self) -> Option<u64> {
        self.look_at
    }
}

impl Dialogue {
    /// The owner pressed the button.
    pub(super) fn start_test(&mut self, step: &mut Step<'_>, job: Job, target: NodeId, bring: bool) {
        let asked = Asked::now(step.world, target);
        let stage = Stage::Testing { target, asked_unix_ms: asked.unix_ms };
        step.acts.push(Act::Stage { command: job.command.id, stage });
        let test = Test { target, asked, starts: 1, misses: 0, look_at: None };
        self.ask_start(step, job.command.id, target);
        self.watch_test(step, job, test, bring);
    }

    /// An earlier leader left it.
    pub(super) fn resume_test(&mut self, step: &mut Step<'_>, job: Job, target: NodeId, asked_unix_ms: u64) {
        let look_at = Some(step.world.now.boot_ms);
        let asked = Asked::before(step.world, target, asked_unix_ms);
        let test = Test { target, asked, starts: 0, misses: 0, look_at };
        self.watch_test(step, job, test, false);
    }

    fn watch_test(&mut self, step: &mut Step<'_>, job: Job, test: Test, bring: bool) {
        let say = Say::new(Key::SpeedtestAsked).text("name", name_of(step.world, test.target));
        let body = Speedtest { say, progress: None, figures: SpeedtestFigures::default() };
        let sheet = self.sheet(step, &job.command, bring);
        self.draw_test(step, sheet, &job, test.target, body, Urgency::Owner);
        self.keep(job, Work::Test(test));
    }

    fn ask_start(&mut self, step: &mut Step<'_>, id: CommandId, target: NodeId) {
        let request = Request::RunSpeedtest { command_id: id, term: step.world.term };
        self.ask_node(step, target, request, START_TIMEOUT, Purpose::TestStart(id));
    }

    /// The target's answer to the start.
    pub(super) fn test_started(&mut self, step: &mut Step<'_>, id: CommandId, answer: Result<Response, CallError>) {
        match answer {
            Ok(Response::Speedtest { test }) => self.test_is(step, id, test),
            Ok(_) => self.test_failed(step, id, why_unexpected()),
            Err(CallError::Lost(_)) => self.test_missed(step, id),
            Err(error @ (CallError::NotSent(_) | CallError::PortClosed(_) | CallError::Refused(_))) => {
                self.test_failed(step, id, why(&error))
            }
        }
    }

    /// Looks at the test, where it is time.
    pub(super) fn test_due(&mut self, step: &mut Step<'_>, id: CommandId) {
        let now = step.world.now.boot_ms;
        let Some(Job { work: Work::Test(test), .. }) = self.jobs.get_mut(&id) else { return };
        if test.look_at.is_some_and(|at| at <= now) {
            test.look_at = None;
            let target = test.target;
            self.ask_node(step, target, Request::GetSpeedtest {}, LOOK_TIMEOUT, Purpose::TestPoll(id));
        }
    }

    /// What the look found.
    pub(super) fn test_polled(&mut self, step: &mut Step<'_>, id: CommandId, answer: Result<Response, CallError>) {
        match answer {
            Ok(Response::Speedtest { test }) => self.test_is(step, id, test),
            Ok(_) | Err(_) => self.test_missed(step, id),
        }
    }

    fn test_is(&mut self, step: &mut Step<'_>, id: CommandId, state: SpeedtestState) {
        let now = step.world.now;
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Test(test) = &mut job.work else { return self.put(job) };
        test.misses = 0;
        let name = name_of(step.world, test.target);
        match state {
            SpeedtestState::Running { command_id, phase, percent, so_far } if command_id == id => {
                if test.asked.elapsed_ms(now) >= LIMIT_MS {
                    return self.test_lost(step, job);
                }
                test.look_at = Some(now.boot_ms + LOOK_EVERY_MS);
                let target = test.target;
                if self.is_watched(id) {
                    let say = Say::new(Key::SpeedtestTitle).text("name", name);
                    let body = Speedtest { say, progress: Some((phase, percent)), figures: so_far };
                    let sheet = self.sheet(step, &job.command, false);
                    self.draw_test(step, sheet, &job, target, body, Urgency::Progress);
                }
                self.put(job);
            }
            SpeedtestState::Done { command_id, figures, .. } if command_id == id => {
                let target = test.target;
                let notice = Say::new(Key::SpeedtestNotice)
                    .text("name", name.clone())
                    .with("download", Value::Bits(figures.download_bps))
                    .with("upload", Value::Bits(figures.upload_bps));
                let say = Say::new(Key::SpeedtestDone).text("name", name);
                self.end_test(step, job, target, Speedtest { say, progress: None, figures }, notice);
            }
            SpeedtestState::Failed { command_id, message, .. } if command_id == id => {
                self.put(job);
                self.test_failed(step, id, Say::new(Key::WhyAgentFailed).text("message", message));
            }
            SpeedtestState::Idle
            | SpeedtestState::Running { .. }
            | SpeedtestState::Done { .. }
            | SpeedtestState::Failed { .. } => self.other_test(step, job),
        }
    }

    /// The target knows nothing of this test, or has had another since.
    fn other_test(&mut self, step: &mut Step<'_>, mut job: Job) {
        let now = step.world.now;
        let Work::Test(test) = &mut job.work else { return self.put(job) };
        let target = test.target;
        if test.starts < STARTS && test.asked.elapsed_ms(now) < START_WITHIN_MS {
            test.starts += 1;
            let id = job.command.id;
            self.put(job);
            return self.ask_start(step, id, target);
        }
        let say = Say::new(Key::SpeedtestUnknown)
            .text("name", name_of(step.world, target))
            .text("via", name_of(step.world, job.command.taken_by));
        self.end_test_with(step, job, target, say);
    }

    fn test_missed(&mut self, step: &mut Step<'_>, id: CommandId) {
        let now = step.world.now;
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Test(test) = &mut job.work else { return self.put(job) };
        test.misses += 1;
        if test.misses >= MISSES || test.asked.elapsed_ms(now) >= LIMIT_MS {
            return self.test_lost(step, job);
        }
        test.look_at = Some(now.boot_ms + LOOK_EVERY_MS);
        self.put(job);
    }

    fn test_lost(&mut self, step: &mut Step<'_>, job: Job) {
        let Work::Test(test) = &job.work else { return self.put(job) };
        let target = test.target;
        let waited = test.asked.elapsed_ms(step.world.now);
        let say = Say::new(Key::SpeedtestLost).text("name", name_of(step.world, target)).span("waited", waited);
        self.end_test_with(step, job, target, say);
    }

    fn test_failed(&mut self, step: &mut Step<'_>, id: CommandId, why: Say) {
        let Some(job) = self.jobs.remove(&id) else { return };
        let Work::Test(test) = &job.work else { return self.put(job) };
        let target = test.target;
        let name = name_of(step.world, target);
        let say = Say::new(Key::SpeedtestFailed).text("name", name).with("why", Value::Say(why));
        self.end_test_with(step, job, target, say);
    }

    fn end_test_with(&mut self, step: &mut Step<'_>, job: Job, target: NodeId, say: Say) {
        let body = Speedtest { say: say.clone(), progress: None, figures: SpeedtestFigures::default() };
        self.end_test(step, job, target, body, say);
    }

    fn end_test(&mut self, step: &mut Step<'_>, job: Job, target: NodeId, body: Speedtest, notice: Say) {
        let drawing = Drawing {
            body: Body::Speedtest(body),
            buttons: test_buttons(target),
            watched: None,
            urgency: Urgency::Owner,
        };
        self.conclude(step, job, drawing, notice);
    }

    fn draw_test(
        &mut self,
        step: &Step<'_>,
        sheet: Sheet,
        job: &Job,
        target: NodeId,
        body: Speedtest,
        urgency: Urgency,
    ) {
        if self.is_overtaken(step, &job.command) {
            return;
        }
        let buttons = super::list::ways_back(target);
        let drawing = Drawing { body: Body::Speedtest(body), buttons, watched: Some(job.command.id), urgency };
        self.draw(step, sheet, drawing);
    }
}

fn test_buttons(target: NodeId) -> alloc::vec::Vec<alloc::vec::Vec<Button>> {
    let mut buttons = vec![vec![button(Key::Speedtest, Press::Speedtest(NodeTag::of(&target)))]];
    buttons.extend(super::list::ways_back(target));
    buttons
}

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
