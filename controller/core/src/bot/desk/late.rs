//! What the owner asked while Telegram took no message from the bot: what is too old to matter is told in one line.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::wire::command::CommandContent;

use super::dialogue::Dialogue;
use super::job::{Job, Told};
use super::state::State;
use super::step::Step;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;
use crate::clock::Now;

/// Whether the answer of a command comes so late that the owner must read that it was not forgotten.
fn is_late(job: &Job, state: &State, now: Now) -> bool {
    match state {
        _ if job.done => false,
        State::Show { told: Told::Line, .. } => true,
        State::Show { told: Told::Screen, .. } => job.taken.elapsed_ms(now) >= LATE_MS,
        // A card that waits for its figures comes with a screen of its own, but others asked for before it do not.
        State::Work(_, task) => task.may_be_late() && job.taken.elapsed_ms(now) >= LATE_MS,
        State::Show { told: Told::Result, .. } | State::Mail(_) => false,
    }
}

impl Dialogue {
    /// Puts the line above the next screen, where anything is late.
    pub(super) fn note_late(&mut self, step: &Step<'_>) -> bool {
        let now = step.world.now;
        let late = self.desk.jobs.values().filter(|(job, state)| is_late(job, state, now));
        let mut late: Vec<&Job> = late.map(|(job, _)| job).collect();
        late.sort_by_key(|job| job.command.update_id);
        let Some(first_ms) = late.iter().map(|job| job.taken.unix_ms).min() else { return false };
        let refusing = self.desk.pace.refusing_since().filter(|since| now.elapsed(*since) >= LATE_MS / 2);
        let key = if refusing.is_some() { Key::WhileRefused } else { Key::AnsweredLate };
        let from_ms = refusing.map_or(first_ms, |since| first_ms.min(since.unix_ms));
        let mut asked: Vec<Value> =
            late.iter().take(NAMED).map(|job| Value::Text(self.what(step.world, job))).collect();
        if let Some(more) = late.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            asked.push(Value::Say(Say::new(Key::AndMore).with("count", Value::Count(more))));
        }
        let say = Say::new(key)
            .with("from", Value::Clock(from_ms / 1_000))
            .with("to", Value::Clock(now.unix_ms / 1_000))
            .span("span", now.unix_ms.saturating_sub(from_ms))
            .with("asked", Value::Several(asked));
        self.desk.note_in_place(&[Key::WhileRefused, Key::AnsweredLate], say);
        true
    }

    /// What was asked, as short as its owner knows it: what was typed, or the command that stands for the button.
    fn what(&self, world: &World, job: &Job) -> String {
        match &job.command.content {
            CommandContent::Text { text } if text.trim().is_empty() => String::from("…"),
            CommandContent::Text { text } => text.chars().take(TYPED_CHARS).collect(),
            CommandContent::Button { data, .. } => self.in_short(world, data),
            CommandContent::Other(_) => String::from("…"),
        }
    }
}

/// Later than this an answer surprises: the owner has asked anew, or put the phone away.
const LATE_MS: u64 = 60_000;

/// Of what was typed.
const TYPED_CHARS: usize = 32;

/// Questions that the line names; there is one line, whatever was asked.
const NAMED: usize = 8;
