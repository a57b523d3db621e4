//! That a reboot was not done: said when nobody can do it any more (F6).

use alloc::string::String;

use constella_shared::ids::CommandId;

use super::job::{Job, Work};
use super::list::name_of;
use super::reboot::LOOK_EVERY_MS;
use super::{Dialogue, Step};
use crate::bot::desk::act::Act;
use crate::bot::kit::say::{Key, Say, Value};

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

impl Dialogue {
    /// Ends the order's time, and waits for those who have a copy: they could still have it done, after the owner read that it was not.
    pub(super) fn give_up(&mut self, step: &mut Step<'_>, mut job: Job, verdict: Verdict) {
        let Work::Reboot(reboot) = &mut job.work else { return self.put(job) };
        let stage = reboot.order.void(reboot.asked.unix_ms);
        step.acts.push(Act::Stage { command: job.command.id, stage });
        reboot.verdict = Some(verdict);
        reboot.look_at = Some(step.world.now.boot_ms + SETTLE_MS);
        self.put(job);
    }

    /// All who have a copy know, or one of them cannot be told: then it may be done there, and is asked for here as before.
    pub(super) fn verdict_due(&mut self, step: &mut Step<'_>, id: CommandId) {
        let Some(mut job) = self.jobs.remove(&id) else { return };
        let Work::Reboot(reboot) = &mut job.work else { return self.put(job) };
        let now = step.world.now.boot_ms;
        if step.world.unsettled.contains(&id) {
            reboot.look_at = Some(now + SETTLE_MS);
            return self.put(job);
        }
        let Some(verdict) = reboot.verdict.take() else { return self.put(job) };
        let target = reboot.order.target;
        let name = name_of(step.world, target);
        if verdict.certain || !step.world.strayed.contains(&id) {
            return self.end_reboot(step, job, target, says(verdict.key, verdict.why, &name));
        }
        step.acts.push(Act::Stage { command: id, stage: reboot.order.stage(reboot.asked.unix_ms) });
        reboot.doubt = Some(says(Key::RebootUnsure, verdict.why, &name));
        reboot.again = reboot.order.may_be_asked_again();
        reboot.look_at = Some(now + LOOK_EVERY_MS);
        self.draw_progress(step, &job);
        self.put(job);
    }
}

/// In words, of the node with this name.
pub(super) fn says(key: Key, why: Say, name: &str) -> Say {
    Say::new(key).text("name", String::from(name)).with("why", Value::Say(why))
}

/// Between two looks whether all have answered.
const SETTLE_MS: u64 = 50;
