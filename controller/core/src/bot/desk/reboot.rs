//! A reboot: asked until it is known whether the target took it, then followed until its boot id has changed, by this leader or the next.

use alloc::string::String;
use alloc::vec;
use core::time::Duration;

use constella_shared::agent::{RebootOutcome, Stats, is_same_boot};
use constella_shared::ids::{CommandId, NodeId};
use constella_shared::wire::command::StoredCommand;
use constella_shared::wire::rpc::{Request, Response, RpcCode, Status};

use super::asked::Asked;
use super::confirm::{Confirmation, DEADLINE_MS};
use super::job::{Job, Purpose, Work};
use super::list::{name_of, ways_back};
use super::order::Order;
use super::pace::Urgency;
use super::scene::{Drawing, Sheet};
use super::took::{Took, WAIT_MS, WAITS};
use super::verdict::{Verdict, says};
use super::{Dialogue, Step};
use crate::bot::desk::act::Act;
use crate::bot::kit::page::Body;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::why::{why, why_unexpected};
use crate::bot::kit::world::World;
use crate::clock::Now;
use crate::io::CallError;

/// A reboot that was asked for.
#[derive(Debug)]
pub(super) struct Reboot {
    pub(super) order: Order,
    pub(super) asked: Asked,
    /// What is not certain, above the progress; None where the host took the command.
    pub(super) doubt: Option<Say>,
    /// Whether the target has it is not known, and it may be asked again: at its next sign of life.
    pub(super) again: bool,
    /// That nothing was done, as soon as nobody can do it any more.
    pub(super) verdict: Option<Verdict>,
    /// Watched for so long.
    limit_ms: u64,
    /// When the node is looked at next; None while a question is open.
    pub(super) look_at: Option<u64>,
    /// How often the end was put off, since the target's new controller was not heard yet.
    pub(super) waits: u8,
    seen: Seen,
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

impl Reboot {
    /// When the node is looked at next.
    pub(super) const fn deadline(&self) -> Option<u64> {
        self.look_at
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
}

impl Dialogue {
    /// The owner confirmed: the order is stored, then asked.
    pub(super) fn start_reboot(
        &mut self,
        step: &mut Step<'_>,
        job: Job,
        target: NodeId,
        confirmation: Confirmation,
        (shown, bring): (Now, bool),
    ) {
        let left_ms = DEADLINE_MS.saturating_sub(step.world.now.elapsed(shown));
        let order = Order::confirmed(step.world, target, confirmation, shown, left_ms);
        self.order_reboot(step, job, order, left_ms, bring);
    }

    /// An earlier leader left it. What it asked is asked again only where the target can tell for certain whether it did it.
    pub(super) fn resume_reboot(&mut self, step: &mut Step<'_>, job: Job, order: Order, asked_unix_ms: Option<u64>) {
        let name = name_of(step.world, order.target);
        let left_ms = left_ms(&order, step.world.now);
        match asked_unix_ms {
            Some(unix_ms) => {
                let doubt = asked_before(step.world, job.command.taken_by, name);
                let asked = Asked::before(step.world, order.target, unix_ms);
                self.follow(step, job, order, asked, doubt);
            }
            None if left_ms > 0 => self.order_reboot(step, job, order, left_ms, false),
            None => {
                self.end_reboot(step, job, order.target, Say::new(Key::RebootTooLate).text("name", name));
            }
        }
    }

    /// The stage says "asked" before the question goes out: whoever finds it so does not take it for new.
    fn order_reboot(&mut self, step: &mut Step<'_>, job: Job, order: Order, left_ms: u64, bring: bool) {
        let (id, target) = (job.command.id, order.target);
        let asked = Asked::now(step.world, target);
        step.acts.push(Act::Stage { command: id, stage: order.stage(asked.unix_ms) });
        let request = order.request(id, step.world.term, left_ms);
        self.ask_node(step, target, request, ASK_TIMEOUT, Purpose::Reboot(id));
        let sheet = self.sheet(step, &job.command, bring);
        let say = Say::new(Key::RebootAsking).text("name", name_of(step.world, target));
        self.draw_reboot(step, sheet, &job.command, target, vec![say], Urgency::Owner);
        let reboot = Reboot {
            order,
            asked,
            doubt: None,
            again: false,
            verdict: None,
            limit_ms: WATCH_MS,
            look_at: None,
            waits: 0,
            seen: Seen::Nothing,
        };
        self.keep(job, Work::Reboot(reboot));
    }

    fn follow(&mut self, step: &mut Step<'_>, job: Job, order: Order, asked: Asked, doubt: Say) {
        let sheet = self.sheet(step, &job.command, false);
        let (target, again) = (order.target, order.may_be_asked_again());
        let asking = || Say::new(Key::RebootAsking).text("name", name_of(step.world, target));
        let first = if again { asking() } else { doubt.clone() };
        self.draw_reboot(step, sheet, &job.command, target, vec![first], Urgency::Owner);
        // However late it was taken up, it is looked at for a while.
        let limit_ms = WATCH_MS.max(asked.elapsed_ms(step.world.now) + RESUMED_WATCH_MS);
        let look_at = Some(step.world.now.boot_ms);
        let (doubt, verdict, waits, seen) = (Some(doubt), None, 0, Seen::Nothing);
        let reboot = Reboot { order, asked, doubt, again, verdict, limit_ms, look_at, waits, seen };
        self.keep(job, Work::Reboot(reboot));
    }

    /// The target's answer to the question itself.
    pub(super) fn reboot_answered(&mut self, step: &mut Step<'_>, id: CommandId, answer: Result<Response, CallError>) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Reboot(reboot) = &mut job.work else { return self.put(job) };
        let target = reboot.order.target;
        let name = name_of(step.world, target);
        let failed = |key, why| says(key, why, &name);
        let asked_before = core::mem::take(&mut reboot.again);
        // F6: a copy that is out of reach may be carried out there, so what was not sent from here may be done all the same.
        let strayed = step.world.strayed.contains(&id);
        let refused = answer.as_ref().err().map(|error| !leaves_it_open(error));
        let verdict = match answer {
            Ok(Response::Reboot { answer, boot_id }) => {
                reboot.doubt = None;
                if let Some(boot_id) = boot_id.filter(|id| !id.is_empty() && reboot.order.boot_id.is_none()) {
                    reboot.order.boot_id = Some(boot_id);
                    let stage = reboot.order.stage(reboot.asked.unix_ms);
                    step.acts.push(Act::Stage { command: id, stage });
                }
                match answer.outcome {
                    RebootOutcome::Started | RebootOutcome::Accepted => None,
                    RebootOutcome::Failed { status, stderr } => Some((Key::RebootFailed, exit(status, stderr))),
                }
            }
            Err(error) if asked_before && leaves_it_open(&error) => {
                reboot.again = true;
                None
            }
            Err(error @ (CallError::NotSent(_) | CallError::PortClosed(_))) if !strayed => {
                Some((Key::RebootNotSent, why(&error)))
            }
            Err(error @ CallError::Refused(_)) if may_have_been_done(&error) => {
                reboot.doubt = Some(failed(Key::RebootUnsure, why(&error)));
                reboot.limit_ms = DOUBTFUL_WATCH_MS;
                None
            }
            Err(error @ CallError::Refused(_)) if !strayed || !leaves_it_open(&error) => {
                Some((Key::RebootRefused, why(&error)))
            }
            unclear => {
                let why = unclear.err().map_or_else(why_unexpected, |error| why(&error));
                reboot.doubt = Some(failed(Key::RebootUnsure, why));
                reboot.again = reboot.order.may_be_asked_again();
                None
            }
        };
        match (verdict, refused) {
            (Some((key, why)), Some(certain)) => self.give_up(step, job, Verdict { key, why, certain }),
            (Some((key, why)), None) => {
                let say = failed(key, why);
                self.end_reboot(step, job, target, say);
            }
            (None, _) => {
                reboot.look_at = Some(step.world.now.boot_ms + LOOK_EVERY_MS);
                self.draw_progress(step, &job);
                self.put(job);
            }
        }
    }

    /// Looks at the node, where it is time.
    pub(super) fn follow_due(&mut self, step: &mut Step<'_>, id: CommandId) {
        let now = step.world.now.boot_ms;
        let Some(Job { work: Work::Reboot(reboot), .. }) = self.jobs.get_mut(&id) else { return };
        if reboot.look_at.is_some_and(|at| at <= now) {
            reboot.look_at = None;
            if reboot.verdict.is_some() {
                return self.verdict_due(step, id);
            }
            let target = reboot.order.target;
            self.ask_node(step, target, Request::GetStats {}, LOOK_TIMEOUT, Purpose::Follow(id));
        }
    }

    /// What the look found.
    pub(super) fn followed(&mut self, step: &mut Step<'_>, id: CommandId, answer: Result<Response, CallError>) {
        let now = step.world.now;
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Reboot(reboot) = &mut job.work else { return self.put(job) };
        let target = reboot.order.target;
        let name = name_of(step.world, target);
        let elapsed_ms = reboot.asked.elapsed_ms(now);
        reboot.seen = match answer {
            Ok(Response::Stats { stats, .. }) if reboot.is_over(&stats, elapsed_ms) => {
                let took = Took::of(reboot, step.world, &stats);
                if took == Took::NotYet && reboot.waits < WAITS {
                    reboot.waits += 1;
                    reboot.look_at = Some(now.boot_ms + WAIT_MS);
                    return self.put(job);
                }
                return self.end_reboot(step, job, target, took.says(&name));
            }
            Ok(Response::Stats { stats, .. }) if stats.uptime_s.is_none() && stats.boot().is_none() => Seen::Untold,
            Ok(Response::Stats { .. }) => Seen::Up,
            Ok(_) | Err(_) => Seen::Away,
        };
        if elapsed_ms >= reboot.limit_ms {
            let key = match reboot.seen {
                Seen::Up => Key::RebootNotDone,
                Seen::Untold => Key::RebootUntold,
                Seen::Nothing | Seen::Away => Key::RebootNotBack,
            };
            let say = Say::new(key).text("name", name).span("waited", elapsed_ms);
            return self.end_reboot(step, job, target, say);
        }
        if reboot.again && matches!(reboot.seen, Seen::Up | Seen::Untold) {
            let request = reboot.request_again(id, step.world);
            self.ask_node(step, target, request, ASK_TIMEOUT, Purpose::Reboot(id));
        } else {
            reboot.look_at = Some(now.boot_ms + LOOK_EVERY_MS);
            self.draw_progress(step, &job);
        }
        self.put(job);
    }

    pub(super) fn draw_progress(&mut self, step: &mut Step<'_>, job: &Job) {
        let Work::Reboot(reboot) = &job.work else { return };
        if !self.is_watched(job.command.id) {
            return;
        }
        let name = name_of(step.world, reboot.order.target);
        let waited = coarse(reboot.asked.elapsed_ms(step.world.now));
        let key = match (reboot.seen, &reboot.doubt) {
            (Seen::Away, _) => Key::RebootAway,
            (Seen::Nothing | Seen::Up | Seen::Untold, None) => Key::RebootGoing,
            (Seen::Nothing | Seen::Up | Seen::Untold, Some(_)) => Key::RebootStillUp,
        };
        let says = reboot.doubt.clone().into_iter().chain([Say::new(key).text("name", name).span("waited", waited)]);
        let sheet = self.sheet(step, &job.command, false);
        self.draw_reboot(step, sheet, &job.command, reboot.order.target, says.collect(), Urgency::Progress);
    }

    fn draw_reboot(
        &mut self,
        step: &Step<'_>,
        sheet: Sheet,
        command: &StoredCommand,
        target: NodeId,
        says: alloc::vec::Vec<Say>,
        urgency: Urgency,
    ) {
        if self.is_overtaken(step, command) {
            return;
        }
        let watched = Some(command.id);
        let drawing = Drawing { body: Body::Says(says), buttons: ways_back(target), watched, urgency };
        self.draw(step, sheet, drawing);
    }

    pub(super) fn end_reboot(&mut self, step: &mut Step<'_>, job: Job, target: NodeId, say: Say) {
        let body = Body::Says(vec![say.clone()]);
        let drawing = Drawing { body, buttons: ways_back(target), watched: None, urgency: Urgency::Owner };
        self.conclude(step, job, drawing, say);
    }
}

/// F6: what the owner reads where the outcome cannot be known.
fn asked_before(world: &World, taken_by: NodeId, name: String) -> Say {
    if taken_by == world.me {
        return Say::new(Key::RebootSelf).text("name", name);
    }
    let lives = world.nodes.iter().any(|row| row.node == taken_by && row.status == Status::Alive);
    let key = if lives { Key::RebootVia } else { Key::RebootViaGone };
    Say::new(key).text("name", name).text("via", name_of(world, taken_by))
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
