//! Updates of one answer of getUpdates that are shown before they are confirmed: views and edits (F6). Nothing of them is stored here. Where
//! their leader dies before something was shown, Telegram delivers them again.

use alloc::vec::Vec;

use constella_shared::ids::CommandId;
use constella_shared::wire::command::StoredCommand;

use crate::bot::desk::room::Kind;

/// What Telegram still counts, in the order of the updates.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Batch {
    upto: i64,
    came_at: u64,
    unshown: Vec<Unshown>,
    edits: bool,
    orders: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Unshown {
    command: StoredCommand,
    started: bool,
}

impl Batch {
    /// Updates below the offset `upto`, which came at this time of CLOCK_BOOTTIME, milliseconds.
    #[must_use]
    pub fn new(upto: i64, came_at: u64, commands: Vec<(StoredCommand, Kind)>) -> Self {
        let has = |kind: Kind| commands.iter().any(|(_, of)| *of == kind);
        let (edits, orders) = (has(Kind::Edit), has(Kind::Order));
        let unshown = commands.into_iter().map(|(command, _)| Unshown { command, started: false }).collect();
        Self { upto, came_at, unshown, edits, orders }
    }

    /// The offset that confirms all of it.
    #[must_use]
    pub const fn upto(&self) -> i64 {
        self.upto
    }

    /// Whether the network's records rest on it.
    #[must_use]
    pub const fn edits(&self) -> bool {
        self.edits
    }

    /// What [`Self::start_next`] would begin.
    #[must_use]
    pub fn next(&self) -> Option<&StoredCommand> {
        self.unshown.iter().find(|one| !one.started).map(|one| &one.command)
    }

    /// The next one to begin.
    pub fn start_next(&mut self) -> Option<StoredCommand> {
        let next = self.unshown.iter_mut().find(|one| !one.started)?;
        next.started = true;
        Some(next.command.clone())
    }

    /// The owner was shown something of it. None for what is not of this batch, or was shown before.
    pub fn shown(&mut self, id: CommandId) -> Option<StoredCommand> {
        let at = self.unshown.iter().position(|one| one.command.id == id)?;
        Some(self.unshown.remove(at).command)
    }

    /// Whether something of each was shown.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        self.unshown.is_empty()
    }

    /// From this time of CLOCK_BOOTTIME on what was not shown is stored, so that the next update need not wait for it; None where that must not be:
    /// an order is among it, which is refused in words because the disk takes nothing.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        (!self.orders).then(|| self.came_at.saturating_add(SHOWN_WITHIN_MS))
    }

    /// What was not shown, and whether it was begun.
    pub fn into_unshown(self) -> impl Iterator<Item = (StoredCommand, bool)> {
        self.unshown.into_iter().map(|one| (one.command, one.started))
    }
}

/// A watcher on another side of a partition takes an update that stays first for 1.5 s for unserved (F3). A card shows what it has after 0.7 s.
const SHOWN_WITHIN_MS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn one(byte: u8, kind: Kind) -> (StoredCommand, Kind) {
        (crate::commands::tests::command(byte), kind)
    }

    #[test]
    fn a_batch_is_begun_in_order_and_is_shown_when_each_of_it_was() {
        // F6
        let mut batch = Batch::new(9, 1_000, vec![one(7, Kind::View), one(8, Kind::View)]);
        assert_eq!(batch.start_next().map(|command| command.update_id), Some(7));
        assert_eq!(batch.start_next().map(|command| command.update_id), Some(8));
        assert_eq!(batch.start_next(), None);
        assert!(batch.shown(CommandId([8; 32])).is_some() && !batch.is_shown());
        assert!(batch.shown(CommandId([8; 32])).is_none() && !batch.is_shown());
        assert!(batch.shown(CommandId([7; 32])).is_some() && batch.is_shown());
    }

    #[test]
    fn an_order_that_is_refused_in_words_is_never_stored() {
        // F6, S4
        assert_eq!(Batch::new(8, 1_000, vec![one(7, Kind::View)]).deadline(), Some(2_000));
        assert_eq!(Batch::new(8, 1_000, vec![one(7, Kind::Order)]).deadline(), None);
    }

    #[test]
    fn an_edit_is_known_as_long_as_its_batch_is() {
        // F6
        let mut batch = Batch::new(8, 1_000, vec![one(7, Kind::Edit)]);
        assert!(batch.shown(CommandId([7; 32])).is_some() && batch.edits());
    }
}
