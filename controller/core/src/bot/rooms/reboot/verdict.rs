//! That a reboot was not done: said when nobody can do it any more (F6).

use alloc::string::String;

use super::state::{LOOK_EVERY_MS, Phase, Reboot, Verdict};
use crate::bot::desk::Desk;
use crate::bot::desk::job::Job;
use crate::bot::desk::room::Then;
use crate::bot::desk::step::Step;
use crate::bot::kit::say::{Key, Say, Value};

impl Reboot {
    /// Ends the order's time, and waits for those who have a copy: they could still have it done, after the owner read that it was not.
    pub(super) fn give_up(&mut self, step: &mut Step<'_>, job: &Job, verdict: Verdict) {
        step.stage(job.command.id, self.order.void(self.asked.unix_ms));
        self.phase = Phase::Verdict { at: step.world.now.boot_ms + SETTLE_MS, verdict };
    }

    /// All who have a copy know, or one of them cannot be told: then it may be done there, and is asked for here as before.
    pub(super) fn verdict_due(
        &mut self,
        desk: &mut Desk,
        step: &mut Step<'_>,
        job: &Job,
        verdict: Verdict,
    ) -> Option<Then> {
        let (id, now) = (job.command.id, step.world.now.boot_ms);
        if step.world.unsettled.contains(&id) {
            self.phase = Phase::Verdict { at: now + SETTLE_MS, verdict };
            return None;
        }
        let name = step.world.name_of(self.order.target);
        if verdict.certain || !step.world.strayed.contains(&id) {
            return Some(self.end(desk, step, job, says(verdict.key, verdict.why, &name)));
        }
        step.stage(id, self.order.stage(self.asked.unix_ms));
        self.is_unsure(says(Key::RebootUnsure, verdict.why, &name));
        self.phase = Phase::Look { at: now + LOOK_EVERY_MS };
        self.draw_progress(desk, step, job);
        None
    }
}

/// In words, of the node with this name.
pub(super) fn says(key: Key, why: Say, name: &str) -> Say {
    Say::new(key).text("name", String::from(name)).with("why", Value::Say(why))
}

/// Between two looks whether all have answered.
const SETTLE_MS: u64 = 50;
