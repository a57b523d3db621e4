//! A reboot: asked until it is known whether the target took it, then followed until its boot id has changed, by this leader or the next.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use constella_shared::agent::{RebootOutcome, Stats, is_same_boot};
use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::rpc::{Request, Response, RpcCode, Status};

use super::confirm::DEADLINE_MS;
use super::order::Order;
use super::took::{Took, WAIT_MS, WAITS};
use super::verdict::{Verdict, says};
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::asked::Asked;
use crate::bot::desk::job::Job;
use crate::bot::desk::pace::Urgency;
use crate::bot::desk::room::{Task, Then};
use crate::bot::desk::scene::Drawing;
use crate::bot::desk::step::Step;
use crate::bot::kit::page::Body;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::bot::rooms::ways;
use crate::clock::Now;
use crate::io::CallError;

/// A reboot that was asked for.
#[derive(Debug)]
pub(super) struct Reboot {
    pub(super) order: Order,
    pub(super) asked: Asked,
    /// What is not certain; None where the target took the command, or was asked for the first time and has not answered.
    pub(super) doubt: Option<Doubt>,
    pub(super) phase: Phase,
    /// Watched for so long.
    limit_ms: u64,
    /// How often the end was put off, since the target's new controller was not heard yet.
    pub(super) waits: u8,
    seen: Seen,
}

/// Whether the target has the command is not known.
#[derive(Debug)]
pub(super) struct Doubt {
    /// What the owner reads of it, above the progress.
    pub(super) say: Say,
    /// The target may be asked once more, at its next sign of life.
    pub(super) again: bool,
}

/// What a reboot waits for.
#[derive(Debug)]
pub(super) enum Phase {
    /// For the target's answer: to the command, or to the question for its figures.
    Answer,
    /// For the time to ask the target for its figures, CLOCK_BOOTTIME.
    Look {
        /// When.
        at: u64,
    },
    /// It was not done: for the time to see whether anybody can still do it.
    Verdict {
        /// When.
        at: u64,
        /// What the owner reads then.
        verdict: Verdict,
    },
}

/// What the last look at the node found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Nobody looked yet.
    Nothing,
    /// It answers, and did not reboot.
    Up,
    /// It answers, and tells nothing by which boots are told apart.
    Untold,
    /// It does not answer.
    Away,
}

/// The stage says "asked" before the question goes out: whoever finds it so does not take it for new.
pub(super) fn order(desk: &mut Desk, step: &mut Step<'_>, job: &Job, order: Order, left_ms: u64, bring: bool) -> Then {
    let (id, target) = (job.command.id, order.target);
    let asked = Asked::now(step.world, target);
    step.stage(id, order.stage(asked.unix_ms));
    let request = order.request(id, step.world.term, left_ms);
    desk.ask_for_task(step, (id, REBOOT), target, request, ASK_TIMEOUT);
    let say = Say::new(Key::RebootAsking).text("name", step.world.name_of(target));
    let (phase, seen) = (Phase::Answer, Seen::Nothing);
    let reboot = Reboot { order, asked, doubt: None, phase, limit_ms: WATCH_MS, waits: 0, seen };
    reboot.draw(desk, step, job, bring, vec![say], Urgency::Owner);
    Then::Work(Box::new(reboot))
}

/// Another leader left it. What it asked is asked again only where the target can tell for certain whether it did it.
pub(super) fn resume(desk: &mut Desk, step: &mut Step<'_>, job: &Job, left: Order, asked_unix_ms: Option<u64>) -> Then {
    let name = step.world.name_of(left.target);
    let left_ms = left_ms(&left, step.world.now);
    match asked_unix_ms {
        Some(unix_ms) => {
            let doubt = asked_before(step.world, job.command.taken_by, name);
            let asked = Asked::before(step.world, left.target, unix_ms);
            Then::Work(Box::new(follow(desk, step, job, left, asked, doubt)))
        }
        None if left_ms > 0 => order(desk, step, job, left, left_ms, false),
        None => {
            let say = Say::new(Key::RebootTooLate).text("name", name);
            let drawing = Drawing::new(Body::Says(vec![say.clone()]), ways::back(left.target));
            desk.conclude(step, job, drawing, say)
        }
    }
}

fn follow(desk: &mut Desk, step: &Step<'_>, job: &Job, order: Order, asked: Asked, doubt: Say) -> Reboot {
    let again = order.may_be_asked_again();
    let asking = || Say::new(Key::RebootAsking).text("name", step.world.name_of(order.target));
    let first = if again { asking() } else { doubt.clone() };
    // However late it was taken up, it is looked at for a while.
    let limit_ms = WATCH_MS.max(asked.elapsed_ms(step.world.now) + RESUMED_WATCH_MS);
    let phase = Phase::Look { at: step.world.now.boot_ms };
    let doubt = Some(Doubt { say: doubt, again });
    let reboot = Reboot { order, asked, doubt, phase, limit_ms, waits: 0, seen: Seen::Nothing };
    reboot.draw(desk, step, job, false, vec![first], Urgency::Owner);
    reboot
}

impl Task for Reboot {
    /// Looks at the node, or at those who have a copy of the command, where it is time.
    fn due(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job) -> Option<Then> {
        let now = step.world.now.boot_ms;
        match &self.phase {
            Phase::Look { at } if *at <= now => {
                self.phase = Phase::Answer;
                let target = self.order.target;
                desk.ask_for_task(step, (job.command.id, LOOK), target, Request::GetStats {}, LOOK_TIMEOUT);
                None
            }
            Phase::Verdict { at, verdict } if *at <= now => {
                let verdict = verdict.clone();
                self.verdict_due(desk, step, job, verdict)
            }
            Phase::Answer | Phase::Look { .. } | Phase::Verdict { .. } => None,
        }
    }

    fn answered(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, tag: u64, answer: Answer) -> Option<Then> {
        if tag == REBOOT {
            self.obeyed(desk, step, job, answer.peer())
        } else {
            self.seen(desk, step, job, answer.peer())
        }
    }

    fn deadline(&self) -> Option<u64> {
        match &self.phase {
            Phase::Answer => None,
            Phase::Look { at } | Phase::Verdict { at, .. } => Some(*at),
        }
    }
}

impl Reboot {
    /// The target's answer to the question itself.
    fn obeyed(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        job: &Job,
        answer: Result<Response, CallError>,
    ) -> Option<Then> {
        let id = job.command.id;
        let name = step.world.name_of(self.order.target);
        let failed = |key, why| says(key, why, &name);
        let asked_before = self.doubt.as_mut().is_some_and(|doubt| core::mem::take(&mut doubt.again));
        // F6: a copy that is out of reach may be carried out there, so what was not sent from here may be done all the same.
        let strayed = step.world.strayed.contains(&id);
        let refused = answer.as_ref().err().map(|error| !leaves_it_open(error));
        let verdict = match answer {
            Ok(Response::Reboot { answer, boot_id }) => {
                self.doubt = None;
                if let Some(boot_id) = boot_id.filter(|id| !id.is_empty() && self.order.boot_id.is_none()) {
                    self.order.boot_id = Some(boot_id);
                    step.stage(id, self.order.stage(self.asked.unix_ms));
                }
                match answer.outcome {
                    RebootOutcome::Started | RebootOutcome::Accepted => None,
                    RebootOutcome::Failed { status, stderr } => Some((Key::RebootFailed, exit(status, stderr))),
                }
            }
            Err(error) if asked_before && leaves_it_open(&error) => {
                self.doubt.iter_mut().for_each(|doubt| doubt.again = true);
                None
            }
            Err(error @ (CallError::NotSent(_) | CallError::PortClosed(_))) if !strayed => {
                Some((Key::RebootNotSent, why(&error)))
            }
            Err(error @ CallError::Refused(_)) if may_have_been_done(&error) => {
                self.doubt = Some(Doubt { say: failed(Key::RebootUnsure, why(&error)), again: false });
                self.limit_ms = DOUBTFUL_WATCH_MS;
                None
            }
            Err(error @ CallError::Refused(_)) if !strayed || !leaves_it_open(&error) => {
                Some((Key::RebootRefused, why(&error)))
            }
            unclear => {
                let why = unclear.err().map_or_else(why_unexpected, |error| why(&error));
                self.is_unsure(failed(Key::RebootUnsure, why));
                None
            }
        };
        match (verdict, refused) {
            (Some((key, why)), Some(certain)) => {
                self.give_up(step, job, Verdict { key, why, certain });
                None
            }
            (Some((key, why)), None) => Some(self.end(desk, step, job, failed(key, why))),
            (None, _) => {
                self.phase = Phase::Look { at: step.world.now.boot_ms + LOOK_EVERY_MS };
                self.draw_progress(desk, step, job);
                None
            }
        }
    }

    /// What the look found.
    fn seen(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        job: &Job,
        answer: Result<Response, CallError>,
    ) -> Option<Then> {
        let now = step.world.now;
        let name = step.world.name_of(self.order.target);
        let elapsed_ms = self.asked.elapsed_ms(now);
        self.seen = match answer {
            Ok(Response::Stats { stats, .. }) if self.is_over(&stats, elapsed_ms) => {
                let took = Took::of(self, step.world, &stats);
                if took == Took::NotYet && self.waits < WAITS {
                    self.waits += 1;
                    self.phase = Phase::Look { at: now.boot_ms + WAIT_MS };
                    return None;
                }
                return Some(self.end(desk, step, job, took.says(&name)));
            }
            Ok(Response::Stats { stats, .. }) if stats.uptime_s.is_none() && stats.boot().is_none() => Seen::Untold,
            Ok(Response::Stats { .. }) => Seen::Up,
            Ok(_) | Err(_) => Seen::Away,
        };
        if elapsed_ms >= self.limit_ms {
            let key = match self.seen {
                Seen::Up => Key::RebootNotDone,
                Seen::Untold => Key::RebootUntold,
                Seen::Nothing | Seen::Away => Key::RebootNotBack,
            };
            let say = Say::new(key).text("name", name).span("waited", elapsed_ms);
            return Some(self.end(desk, step, job, say));
        }
        let again = self.doubt.as_ref().is_some_and(|doubt| doubt.again);
        if again && matches!(self.seen, Seen::Up | Seen::Untold) {
            let request = self.request_again(job.command.id, step.world);
            desk.ask_for_task(step, (job.command.id, REBOOT), self.order.target, request, ASK_TIMEOUT);
        } else {
            self.phase = Phase::Look { at: now.boot_ms + LOOK_EVERY_MS };
            self.draw_progress(desk, step, job);
        }
        None
    }

    /// Whether the target has it is not known, and this sentence says so.
    pub(super) fn is_unsure(&mut self, say: Say) {
        self.doubt = Some(Doubt { say, again: self.order.may_be_asked_again() });
    }

    /// The question once more. The target's clock may have stood still with its machine (L7), so the time is also over where a minute has gone by
    /// since by this node's own, or it is over by the wall clocks. It is asked all the same, for it tells whether it was done before.
    fn request_again(&self, id: CommandId, world: &World) -> Request {
        let left_ms = left_ms(&self.order, world.now);
        if left_ms > 0 && world.now.since(self.asked.boot_ms) < DEADLINE_MS {
            return self.order.request(id, world.term, left_ms);
        }
        self.order.over().request(id, world.term, 0)
    }

    /// Whether these are the figures of a later boot than the one that was to be ended. An absent boot id is no change of it; without it the uptime
    /// tells, and without both nothing does.
    fn is_over(&self, stats: &Stats, elapsed_ms: u64) -> bool {
        if let Some((before, boot)) = self.order.boot_id.as_ref().zip(stats.boot()) {
            return !is_same_boot(before, &boot);
        }
        let Some(uptime_s) = stats.uptime_s else { return false };
        let up_ms = uptime_s.saturating_mul(1_000).saturating_add(UPTIME_SLACK_MS);
        match self.order.not_after_boot_ms {
            // By the target's own clock, which stood higher when the owner confirmed.
            Some(not_after_ms) if !self.asked.here => up_ms < not_after_ms.saturating_sub(DEADLINE_MS),
            Some(_) | None => up_ms < elapsed_ms,
        }
    }

    pub(super) fn draw_progress(&self, desk: &mut Desk, step: &Step<'_>, job: &Job) {
        if !desk.is_watched(job.command.id) {
            return;
        }
        let name = step.world.name_of(self.order.target);
        let waited = coarse(self.asked.elapsed_ms(step.world.now));
        let key = match (self.seen, &self.doubt) {
            (Seen::Away, _) => Key::RebootAway,
            (Seen::Nothing | Seen::Up | Seen::Untold, None) => Key::RebootGoing,
            (Seen::Nothing | Seen::Up | Seen::Untold, Some(_)) => Key::RebootStillUp,
        };
        let doubt = self.doubt.as_ref().map(|doubt| doubt.say.clone());
        let says = doubt.into_iter().chain([Say::new(key).text("name", name).span("waited", waited)]);
        self.draw(desk, step, job, false, says.collect(), Urgency::Progress);
    }

    fn draw(&self, desk: &mut Desk, step: &Step<'_>, job: &Job, bring: bool, says: Vec<Say>, urgency: Urgency) {
        if desk.is_overtaken(step, &job.command) {
            return;
        }
        let sheet = desk.sheet(step, &job.command, bring);
        let drawing = Drawing::new(Body::Says(says), ways::back(self.order.target));
        desk.draw(step, sheet, drawing.watched(job.command.id).urgency(urgency));
    }

    pub(super) fn end(&self, desk: &mut Desk, step: &Step<'_>, job: &Job, say: Say) -> Then {
        let drawing = Drawing::new(Body::Says(vec![say.clone()]), ways::back(self.order.target));
        desk.conclude(step, job, drawing, say)
    }
}

/// F6: what the owner reads where the outcome cannot be known.
fn asked_before(world: &World, taken_by: NodeId, name: String) -> Say {
    if taken_by == world.me {
        return Say::new(Key::RebootSelf).text("name", name);
    }
    let lives = world.row(taken_by).is_some_and(|row| row.status == Status::Alive);
    let key = if lives { Key::RebootVia } else { Key::RebootViaGone };
    Say::new(key).text("name", name).text("via", world.name_of(taken_by))
}

/// What is left of the confirmation by two wall clocks.
fn left_ms(order: &Order, now: Now) -> u64 {
    order.not_after_unix_ms.saturating_sub(now.unix_ms).min(DEADLINE_MS)
}

/// Whether this answer to a question that may have been asked before says nothing on whether the target took the command: it did not come
/// to that. A node that refuses by the order's own terms has not executed it, and never will.
fn leaves_it_open(error: &CallError) -> bool {
    match error {
        CallError::NotSent(_) | CallError::PortClosed(_) | CallError::Lost(_) => true,
        CallError::Refused(refusal) => !matches!(
            refusal.code,
            RpcCode::TooLate
                | RpcCode::Busy
                | RpcCode::Disabled
                | RpcCode::AgentFailed
                | RpcCode::AgentUnreachable
                | RpcCode::TimedOut
        ),
    }
}

/// Whether a refusal leaves open that the host took the command: its agent, or its time, ran out on the way.
fn may_have_been_done(error: &CallError) -> bool {
    matches!(error, CallError::Refused(refusal) if matches!(refusal.code, RpcCode::AgentUnreachable | RpcCode::TimedOut))
}

fn exit(status: Option<i32>, stderr: String) -> Say {
    match status {
        Some(status) => Say::new(Key::WhyExit).text("status", alloc::format!("{status}")).text("message", stderr),
        None => Say::new(Key::WhySignal).text("message", stderr),
    }
}

/// Exact in the first minute, then in steps: the message is not edited hundreds of times.
const fn coarse(ms: u64) -> u64 {
    let grain = if ms < 60_000 { 1_000 } else { 10_000 };
    ms / grain * grain
}

/// The command itself.
const REBOOT: u64 = 0;

/// The question for the figures.
const LOOK: u64 = 1;

/// For the question itself: the agent's own limit and the way there.
const ASK_TIMEOUT: Duration = Duration::from_secs(8);

/// Between two looks at a node.
pub(super) const LOOK_EVERY_MS: u64 = 2_000;

/// For one look.
const LOOK_TIMEOUT: Duration = Duration::from_secs(3);

/// A host that is not back by then needs somebody at its console.
const WATCH_MS: u64 = 10 * 60_000;

/// The least that a new leader watches.
const RESUMED_WATCH_MS: u64 = 15_000;

/// Where it is doubtful that the host took the command at all.
const DOUBTFUL_WATCH_MS: u64 = 90_000;

/// Uptime counts whole seconds, and two wall clocks may differ.
const UPTIME_SLACK_MS: u64 = 2_000;
