//! What is known of a reboot that was asked for, and how the owner sees it.

use alloc::vec;
use alloc::vec::Vec;

use constella_shared::agent::{Stats, is_same_boot};
use constella_shared::ids::CommandId;
use constella_shared::wire::rpc::Request;

use super::confirm::DEADLINE_MS;
use super::order::Order;
use crate::bot::desk::Desk;
use crate::bot::desk::asked::Asked;
use crate::bot::desk::drawing::Drawing;
use crate::bot::desk::job::Job;
use crate::bot::desk::pace::Urgency;
use crate::bot::desk::room::Then;
use crate::bot::desk::step::Step;
use crate::bot::kit::page::Body;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::world::World;
use crate::bot::rooms::ways;
use crate::clock::Now;

/// A reboot that was asked for.
#[derive(Debug)]
pub(super) struct Reboot {
    pub(super) order: Order,
    pub(super) asked: Asked,
    /// What is not certain; None where the target took the command, or was asked for the first time and has not answered.
    pub(super) doubt: Option<Doubt>,
    pub(super) phase: Phase,
    /// Watched for so long.
    pub(super) limit_ms: u64,
    /// How often the end was put off, since the target's new controller was not heard yet.
    pub(super) waits: u8,
    pub(super) seen: Seen,
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
pub(super) enum Seen {
    /// Nobody looked yet.
    Nothing,
    /// It answers, and did not reboot.
    Up,
    /// It answers, and tells nothing by which boots are told apart.
    Untold,
    /// It does not answer.
    Away,
}

/// What the owner is to read, and why.
#[derive(Debug, Clone)]
pub(super) struct Verdict {
    /// How it failed.
    pub(super) key: Key,
    /// What the target, or the way there, said.
    pub(super) why: Say,
    /// The target itself refuses the order for good, whoever asks.
    pub(super) certain: bool,
}

impl Reboot {
    /// Whether the target has it is not known, and this sentence says so.
    pub(super) fn is_unsure(&mut self, say: Say) {
        self.doubt = Some(Doubt { say, again: self.order.may_be_asked_again() });
    }

    /// The question once more. The target's clock may have stood still with its machine (L7), so the time is also over where a minute has gone by
    /// since by this node's own, or it is over by the wall clocks. It is asked all the same, for it tells whether it was done before.
    pub(super) fn request_again(&self, id: CommandId, world: &World) -> Request {
        let left_ms = left_ms(&self.order, world.now);
        if left_ms > 0 && world.now.since(self.asked.boot_ms) < DEADLINE_MS {
            return self.order.request(id, world.term, left_ms);
        }
        self.order.over().request(id, world.term, 0)
    }

    /// Whether these are the figures of a later boot than the one that was to be ended. An absent boot id is no change of it; without it the uptime
    /// tells, and without both nothing does.
    pub(super) fn is_over(&self, stats: &Stats, elapsed_ms: u64) -> bool {
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

    pub(super) fn draw(
        &self,
        desk: &mut Desk,
        step: &Step<'_>,
        job: &Job,
        bring: bool,
        says: Vec<Say>,
        urgency: Urgency,
    ) {
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

/// What is left of the confirmation by two wall clocks.
pub(super) fn left_ms(order: &Order, now: Now) -> u64 {
    order.not_after_unix_ms.saturating_sub(now.unix_ms).min(DEADLINE_MS)
}

/// Exact in the first minute, then in steps: the message is not edited hundreds of times.
const fn coarse(ms: u64) -> u64 {
    let grain = if ms < 60_000 { 1_000 } else { 10_000 };
    ms / grain * grain
}

/// Between two looks at a node.
pub(super) const LOOK_EVERY_MS: u64 = 2_000;

/// Uptime counts whole seconds, and two wall clocks may differ.
const UPTIME_SLACK_MS: u64 = 2_000;
