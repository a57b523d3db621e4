//! One step of the dialogue: the world at its beginning, and what it wants done.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::Stage;

use super::act::Act;
use crate::bot::kit::say::{Key, Say};
use crate::bot::kit::world::World;

/// One step.
pub(crate) struct Step<'a> {
    /// The network at the beginning of the step.
    pub(crate) world: &'a World,
    /// What is to be done, in order.
    pub(crate) acts: Vec<Act>,
    /// The bot's one message: the world's, until this step made another.
    pub(super) message: Option<(i64, i64)>,
    /// What the press of this step is answered with.
    pub(super) toast: Option<Say>,
}

impl<'a> Step<'a> {
    pub(super) const fn new(world: &'a World) -> Self {
        Self { world, acts: Vec::new(), message: world.message, toast: None }
    }

    /// The command has come this far: stored and copied before any act that follows.
    pub(crate) fn stage(&mut self, command: CommandId, stage: Stage) {
        self.acts.push(Act::Stage { command, stage });
    }

    /// The press is answered with this, above whatever the screen shows.
    pub(crate) fn toast(&mut self, key: Key) {
        self.toast = Some(Say::new(key));
    }

    pub(super) fn done(&mut self, command: CommandId) {
        self.stage(command, Stage::Done);
    }
}
