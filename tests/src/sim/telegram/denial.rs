//! "Nothing was done": an order of which the owner read that is not done, before or after.

use constella_core::bot::kit::page::Message;
use constella_core::bot::kit::press::{NodeTag, Press};
use constella_core::bot::kit::say::{Key, Say};
use constella_core::bot::rooms::reboot;
use constella_shared::ids::CommandId;

use super::Telegram;
use super::duty::{Duty, names_it, said, tag_of};

impl Telegram {
    /// The agent of its target was told to do this order for the first time.
    pub(in super::super) fn carried_out(&mut self, t: u64, id: CommandId) {
        if let Some(duty) = self.duties.iter_mut().rev().find(|duty| duty.id == id) {
            duty.carried_out = Some(t);
            self.lie = duty.lie();
        }
    }

    /// What the owner was told that is not true, once.
    pub(in super::super) const fn take_lie(&mut self) -> Option<String> {
        self.lie.take()
    }

    /// A screen says of a node that nothing was done, and the one before did not: the order is known where only one of this node may be meant.
    pub(super) fn denies(&mut self, t: u64, host: usize, before: Option<&Message>, message: &Message) {
        let fresh =
            |say: &&Say| is_denial(say.key) && !before.is_some_and(|before| said(before).any(|old| old == *say));
        for say in said(message).filter(fresh) {
            let names = &self.names;
            let may_be_meant = |duty: &&mut Duty| {
                let lately = duty.done.is_none_or(|done| t.saturating_sub(done) < LATELY_MS);
                duty.ordered && lately && duty.reboots().is_some_and(|node| names_it(say, &node, names))
            };
            let mut meant: Vec<&mut Duty> = self.duties.iter_mut().filter(may_be_meant).collect();
            if let [duty] = meant.as_mut_slice()
                && duty.begun.iter().any(|begun| begun.host == host)
            {
                duty.denied.get_or_insert(t);
                self.lie = duty.lie();
            }
        }
    }
}

impl Duty {
    /// The node of a confirmed reboot.
    fn reboots(&self) -> Option<NodeTag> {
        let press = self.pressed.as_ref().and_then(|(_, data)| Press::parse(data));
        press.filter(|press| press.verb() == reboot::CONFIRM).as_ref().and_then(tag_of)
    }

    fn lie(&self) -> Option<String> {
        let (denied, done) = (self.denied?, self.carried_out?);
        Some(format!(
            "{:?}: the owner read at {denied} ms that nothing was done, and it was done at {done} ms",
            self.text
        ))
    }
}

fn is_denial(key: Key) -> bool {
    matches!(key, Key::RebootRefused | Key::RebootNotSent | Key::RebootTooLate)
}

/// The disk says that it is done before or after the last screen of it is there.
const LATELY_MS: u64 = 60_000;
