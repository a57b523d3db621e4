//! What the owner confirmed: which boot of which node is to end, and until when that may be asked.

use alloc::string::String;

use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::wire::command::Stage;
use constella_shared::wire::rpc::Request;

use super::confirm::{Confirmation, DEADLINE_MS};
use crate::bot::kit::world::World;
use crate::clock::Now;

/// A confirmed reboot, as every holder that has to do with it knows it.
#[derive(Debug, Clone)]
pub(super) struct Order {
    /// Which node.
    pub(super) target: NodeId,
    /// Its boot id before, where it is known.
    pub(super) boot_id: Option<String>,
    /// Refused after this, unix milliseconds of the node that showed the confirmation.
    pub(super) not_after_unix_ms: u64,
    /// The same by the target's own CLOCK_BOOTTIME, where that was known.
    pub(super) not_after_boot_ms: Option<u64>,
}

impl Order {
    /// By a press on a one-time button that was shown then, and leaves so much time.
    pub(super) fn confirmed(
        world: &World,
        target: NodeId,
        confirmation: Confirmation,
        shown: Now,
        left_ms: u64,
    ) -> Self {
        let theirs = world.row(target).and_then(|row| row.boot_ms);
        Self {
            target,
            boot_id: confirmation.boot_id,
            not_after_unix_ms: shown.unix_ms.saturating_add(DEADLINE_MS),
            not_after_boot_ms: theirs.map(|theirs| theirs.saturating_add(left_ms)),
        }
    }

    /// F6: whether any holder may ask once more. The target executes an id once, tells when the boot is another or the time is past by a
    /// clock of its own, and so answers for certain whether it was done.
    pub(super) const fn may_be_asked_again(&self) -> bool {
        self.boot_id.is_some() && self.not_after_boot_ms.is_some()
    }

    /// The question for the target. Without its clock the time on the way counts by its limit.
    pub(super) fn request(&self, id: CommandId, term: Term, left_ms: u64) -> Request {
        let expires_in_ms =
            if self.not_after_boot_ms.is_some() { left_ms } else { left_ms.saturating_sub(ON_THE_WAY_MS) };
        let (not_after_boot_ms, boot_id) = (self.not_after_boot_ms, self.boot_id.clone());
        Request::Reboot { command_id: id, term, expires_in_ms, not_after_boot_ms, boot_id }
    }

    /// What is stored before it is asked.
    pub(super) fn stage(&self, asked_unix_ms: u64) -> Stage {
        let Self { target, boot_id, not_after_unix_ms, not_after_boot_ms } = self.clone();
        Stage::Rebooting { target, boot_id, not_after_unix_ms, not_after_boot_ms, asked_unix_ms: Some(asked_unix_ms) }
    }

    /// The same with its time ended: the target refuses it, and tells whether it was done before.
    pub(super) fn over(&self) -> Self {
        Self { not_after_unix_ms: 0, not_after_boot_ms: Some(0), ..self.clone() }
    }

    /// What is stored before the owner reads that nothing was done: its time is over, so whoever takes the command over has the target refuse it.
    pub(super) fn void(&self, asked_unix_ms: u64) -> Stage {
        self.over().stage(asked_unix_ms)
    }
}

/// The copy of the stage and the question itself, each with its limit.
const ON_THE_WAY_MS: u64 = 10_000;
