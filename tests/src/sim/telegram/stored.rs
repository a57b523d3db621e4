//! What became of commands, by the disks of the nodes and by their notes.

use constella_shared::ids::CommandId;
use constella_shared::state::CommandsState;
use constella_shared::wire::command::Stage;

use super::Telegram;

impl Telegram {
    /// What some node's disk says of commands: a node that dies right after that writing has no time to say so.
    pub(in super::super) fn stored(&mut self, t: u64, by: usize, commands: &CommandsState) {
        self.ended(t, by, &commands.done);
        for open in commands.open.iter().filter(|open| open.stage != Stage::Taken) {
            if let Some(duty) = self.duties.iter_mut().rev().find(|duty| duty.id == open.id) {
                duty.is_ordered();
            }
        }
    }

    /// A node ended these.
    pub(in super::super) fn ended(&mut self, t: u64, by: usize, ids: &[CommandId]) {
        for duty in self.duties.iter_mut().filter(|duty| duty.done.is_none() && ids.contains(&duty.id)) {
            duty.done = Some(t);
            duty.takes_mail(by, &mut self.mails);
        }
    }
}
