//! What the owner asked while Telegram took no message from the bot: what is too old to matter is told in one line.

use alloc::string::String;
use alloc::vec::Vec;

use constella_shared::wire::command::CommandContent;

use super::job::{Job, Told, Work};
use super::list::name_of;
use super::{Dialogue, Step};
use crate::bot::kit::press::Press;
use crate::bot::kit::say::{Key, Say, Value};
use crate::bot::kit::world::World;
use crate::clock::Now;

impl Job {
    /// Whether its answer comes so late that the owner must read that it was not forgotten.
    fn is_late(&self, now: Now) -> bool {
        match self.work {
            Work::Show { told: Told::Line, .. } => true,
            Work::Show { told: Told::Screen, .. } => self.taken.elapsed_ms(now) >= LATE_MS,
            // A card that waits for its figures comes with a screen of its own, but others asked for before it do not.
            Work::Card(_) => self.taken.elapsed_ms(now) >= LATE_MS,
            Work::Show { told: Told::Result, .. }
            | Work::Reboot(_)
            | Work::Test(_)
            | Work::Invite { .. }
            | Work::Mail(_) => false,
        }
    }
}

impl Dialogue {
    /// Puts the line above the next screen, where anything is late.
    pub(super) fn note_late(&mut self, step: &Step<'_>) -> bool {
        let now = step.world.now;
        let mut late: Vec<&Job> = self.jobs.values().filter(|job| job.is_late(now)).collect();
        late.sort_by_key(|job| job.command.update_id);
        let Some(first_ms) = late.iter().map(|job| job.taken.unix_ms).min() else { return false };
        let refusing = self.pace.refusing_since().filter(|since| now.elapsed(*since) >= LATE_MS / 2);
        let key = if refusing.is_some() { Key::WhileRefused } else { Key::AnsweredLate };
        let from_ms = refusing.map_or(first_ms, |since| first_ms.min(since.unix_ms));
        let mut asked: Vec<Value> = late.iter().take(NAMED).map(|job| Value::Text(what(step.world, job))).collect();
        if let Some(more) = late.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let more = u64::try_from(more).unwrap_or(u64::MAX);
            asked.push(Value::Say(Say::new(Key::AndMore).with("count", Value::Count(more))));
        }
        let say = Say::new(key)
            .with("from", Value::Clock(from_ms / 1_000))
            .with("to", Value::Clock(now.unix_ms / 1_000))
            .span("span", now.unix_ms.saturating_sub(from_ms))
            .with("asked", Value::Several(asked));
        self.note_in_place(&[Key::WhileRefused, Key::AnsweredLate], say);
        true
    }
}

/// What was asked, as short as its owner knows it: what was typed, or the command that stands for the button.
fn what(world: &World, job: &Job) -> String {
    let data = match &job.command.content {
        CommandContent::Text { text } if text.trim().is_empty() => return String::from("…"),
        CommandContent::Text { text } => return text.chars().take(TYPED_CHARS).collect(),
        CommandContent::Button { data, .. } => data,
        CommandContent::Other(_) => return String::from("…"),
    };
    let press = Press::parse(data);
    let node = press.as_ref().and_then(Press::node).and_then(|tag| tag.find(world)).map(|node| name_of(world, node));
    let node = node.unwrap_or_else(|| String::from("…"));
    match press {
        Some(Press::List { .. }) => String::from("☰"),
        Some(Press::Card(_)) => node,
        Some(Press::Speedtest(_)) => alloc::format!("⚡ {node}"),
        Some(Press::AskReboot(_) | Press::Reboot { .. }) => alloc::format!("♻️ {node}"),
        Some(Press::Help) => String::from("❓"),
        Some(Press::Language(language)) => alloc::format!("/lang {}", language.code()),
        Some(Press::Nothing) | None => String::from("…"),
    }
}

/// Later than this an answer surprises: the owner has asked anew, or put the phone away.
const LATE_MS: u64 = 60_000;

/// Of what was typed.
const TYPED_CHARS: usize = 32;

/// Questions that the line names; there is one line, whatever was asked.
const NAMED: usize = 8;
