//! A reboot: asked until it is known whether the target took it, then followed until its boot id has changed, by this leader or the next.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use core::time::Duration;

use constella_shared::agent::RebootOutcome;
use constella_shared::ids::NodeId;
use constella_shared::wire::rpc::{Request, Response, RpcCode, Status};

use super::order::Order;
use super::state::{Doubt, LOOK_EVERY_MS, Phase, Reboot, Seen, Verdict, left_ms};
use super::took::{Took, WAIT_MS, WAITS};
use super::verdict::says;
use crate::bot::desk::Desk;
use crate::bot::desk::act::Answer;
use crate::bot::desk::asked::Asked;
use crate::bot::desk::drawing::Drawing;
use crate::bot::desk::job::Job;
use crate::bot::desk::pace::Urgency;
use crate::bot::desk::room::{Task, Then};
use crate::bot::desk::step::Step;
use crate::bot::kit::page::Body;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::bot::rooms::ways;
use crate::io::CallError;

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

/// The target's answer, or why there is none.
type Heard = Result<Response, CallError>;

impl Reboot {
    /// The target's answer to the question itself.
    fn obeyed(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, answer: Heard) -> Option<Then> {
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
    fn seen(&mut self, desk: &mut Desk, step: &mut Step<'_>, job: &Job, answer: Heard) -> Option<Then> {
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

/// The command itself.
const REBOOT: u64 = 0;

/// The question for the figures.
const LOOK: u64 = 1;

/// For the question itself: the agent's own limit and the way there.
const ASK_TIMEOUT: Duration = Duration::from_secs(8);

/// For one look.
const LOOK_TIMEOUT: Duration = Duration::from_secs(3);

/// A host that is not back by then needs somebody at its console.
const WATCH_MS: u64 = 10 * 60_000;

/// The least that a new leader watches.
const RESUMED_WATCH_MS: u64 = 15_000;

/// Where it is doubtful that the host took the command at all.
const DOUBTFUL_WATCH_MS: u64 = 90_000;
