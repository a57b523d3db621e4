//! The owner's commands between Telegram and their end (F6): stored, copied, confirmed, carried out, done.

pub mod batch;
mod open;
mod owed;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use constella_shared::ids::{CommandId, NodeId, Term};
use constella_shared::state::{CommandsState, JudgeState, STATE_FORMAT};
use constella_shared::wire::command::{CommandContent, Stage, StoredCommand};
use constella_shared::wire::more::More;

pub use owed::Owed;

use open::{Open, Unwritten, VOID, is_further, is_order, push_bounded, rank};

/// `commands.json` in memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Commands {
    open: BTreeMap<CommandId, Open>,
    done: VecDeque<CommandId>,
    /// Of what is done, what ended while an order was known to have been given.
    ordered: BTreeSet<CommandId>,
    executed: VecDeque<CommandId>,
    refused: VecDeque<CommandId>,
    more: More,
    /// What the newest command asked for that ended, where this node knows that and no order was given by it. Never stored.
    last: Option<CommandContent>,
    dirty: bool,
}

impl Commands {
    /// Goes on from what the disk had.
    #[must_use]
    pub fn new(state: CommandsState) -> Self {
        let open = |command: StoredCommand| {
            let unwritten = Unwritten::Nothing;
            (
                command.id,
                Open { confirmed: true, owed: true, own: false, begun: true, unwritten, ..Open::taken(command) },
            )
        };
        Self {
            open: state.open.into_iter().map(open).collect(),
            done: state.done.into(),
            ordered: state.ordered.into_iter().collect(),
            executed: state.executed.into(),
            refused: state.refused.into(),
            more: state.more,
            last: None,
            dirty: false,
        }
    }

    /// The last write failed. What came with it is forgotten, and an order that it would have stored was never given: the one that sent a command
    /// has it still, and this node has not told anybody yet that it took it.
    pub fn unwritten(&mut self) {
        self.dirty = true;
        self.open.retain(|_, open| open.unwritten != Unwritten::Everything);
        for open in self.open.values_mut().filter(|open| open.unwritten == Unwritten::Order) {
            (open.command.stage, open.unwritten) = (Stage::Taken, Unwritten::Nothing);
        }
    }

    /// What was handed out with [`Self::take_dirty`] is on disk.
    pub fn written(&mut self) {
        for open in self.open.values_mut() {
            open.unwritten = Unwritten::Nothing;
        }
    }

    /// How many are open: taken, or kept for others.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// Takes a command from Telegram. False where it is known already: done, or open here.
    pub fn take(&mut self, command: StoredCommand) -> bool {
        if self.done.contains(&command.id) {
            return false;
        }
        if let Some(open) = self.open.get_mut(&command.id) {
            // A copy of it came first: Telegram delivers it again because nobody confirmed it.
            open.own = true;
            return !open.started;
        }
        self.insert(Open::taken(command));
        true
    }

    /// Stores what the dialogue has begun already, and could not show yet. False where it was shown meanwhile, by another.
    pub fn take_begun(&mut self, command: StoredCommand) -> bool {
        let id = command.id;
        self.take(command);
        self.open.get_mut(&id).map(|open| (open.started, open.begun) = (true, true)).is_some()
    }

    /// Whether it is open or done here.
    #[must_use]
    pub fn knows(&self, id: &CommandId) -> bool {
        self.done.contains(id) || self.open.contains_key(id)
    }

    /// Something was shown, here or, as its holder tells, there, that was never stored.
    pub fn viewed(&mut self, content: CommandContent) {
        self.last = Some(content);
    }

    /// Keeps a copy, or a newer stage of one; `from` is told when it is done. `holder` is the sender where it carries the command out
    /// itself: it need not be asked to. False where the command is done here already: an order that another holder gave counts for more than
    /// an end without one.
    pub fn keep(&mut self, command: StoredCommand, from: NodeId, holder: Option<(NodeId, Term)>) -> bool {
        if is_order(&command.stage) && !self.ordered.contains(&command.id) {
            self.done.retain(|id| *id != command.id);
        }
        if self.done.contains(&command.id) {
            return false;
        }
        if command.stage == Stage::Done {
            // A view that its holder showed, and that is on no disk, unless another one took it too.
            if self.open.contains_key(&command.id) {
                self.finish(command.id, false);
            }
            self.viewed(command.content);
            return true;
        }
        let id = command.id;
        match self.open.get_mut(&id) {
            Some(open) => {
                open.keepers.insert(from);
                // The other one may have told Telegram of what this node took too, and it comes to nobody again.
                (open.confirmed, open.owed) = (true, true);
                if !open.started && is_further(&command.stage, &open.command.stage) {
                    open.command.stage = command.stage;
                    self.dirty = true;
                }
            }
            None => self.insert(Open::copied(command, from)),
        }
        if let Some(open) = self.open.get_mut(&id).filter(|_| holder.is_some()) {
            open.passed_to = holder;
            open.own = false;
        }
        true
    }

    /// Whether a copy may be taken. Not the end of an order's time where this node may have had it done.
    #[must_use]
    pub fn may_take(&self, command: &StoredCommand) -> bool {
        let id = &command.id;
        let begun = self.open.get(id).is_some_and(|open| open.begun);
        rank(&command.stage) != VOID || !begun && !self.ordered.contains(id)
    }

    /// Telegram is about to be told of everything below `upto`; whether it heard is not known yet.
    pub fn confirming(&mut self, upto: i64) {
        for open in self.open.values_mut().filter(|open| open.command.update_id < upto) {
            open.owed = true;
        }
    }

    /// Whether something below `upto` is not begun before Telegram knows that it is taken.
    #[must_use]
    pub fn waits_for(&self, upto: i64) -> bool {
        self.open.values().any(|open| open.command.update_id < upto && !open.confirmed)
    }

    /// Telegram knows everything below `upto`.
    pub fn confirmed(&mut self, upto: i64) {
        for open in self.open.values_mut().filter(|open| open.command.update_id < upto) {
            open.confirmed = true;
        }
    }

    /// The next command to carry out, oldest first; each once in a life.
    pub fn start_next(&mut self) -> Option<StoredCommand> {
        let ready = self.open.values_mut().filter(|open| open.confirmed && !open.started);
        let next = ready.min_by_key(|open| open.command.update_id)?;
        (next.started, next.begun, next.own) = (true, true, true);
        Some(next.command.clone())
    }

    /// This node holds no longer: what it had begun is for the next holder.
    pub fn put_down(&mut self) {
        for open in self.open.values_mut() {
            open.started = false;
            open.passed_to = None;
            // A confirmation that was under way is not waited for any more. If Telegram heard it, nobody is given the command again.
            open.confirmed |= open.owed;
        }
    }

    /// The command came this far. None for a command that is not open; otherwise those who keep a copy.
    pub fn stage(&mut self, id: CommandId, stage: Stage) -> Option<Vec<NodeId>> {
        let open = self.open.get_mut(&id)?;
        let keepers = open.keepers.iter().copied().collect();
        if stage == Stage::Done {
            self.finish(id, false);
        } else {
            if open.command.stage == Stage::Taken && open.unwritten == Unwritten::Nothing {
                open.unwritten = Unwritten::Order;
            }
            open.command.stage = stage;
            self.dirty = true;
        }
        Some(keepers)
    }

    /// An open command as it stands.
    #[must_use]
    pub fn get(&self, id: &CommandId) -> Option<&StoredCommand> {
        self.open.get(id).map(|open| &open.command)
    }

    /// A node keeps copies of these.
    pub fn kept_by(&mut self, ids: &[CommandId], keeper: NodeId) {
        for id in ids {
            if let Some(open) = self.open.get_mut(id) {
                open.keepers.insert(keeper);
            }
        }
    }

    /// Every open command, and who is known to keep it too.
    pub fn kept(&self) -> impl Iterator<Item = (CommandId, Vec<NodeId>)> {
        self.open.iter().map(|(id, open)| (*id, open.keepers.iter().copied().collect()))
    }

    /// Somebody else ended these, the ones in `ordered` with an order known. Who knew of none has not told what came of it, so an order that is
    /// known here stays open and is passed on; one that is followed here goes on anyway.
    pub fn done_elsewhere(&mut self, ids: &[CommandId], ordered: &[CommandId]) {
        for id in ids {
            let known = ordered.contains(id);
            match self.open.get_mut(id).filter(|open| is_order(&open.command.stage) && (open.started || !known)) {
                Some(open) => open.passed_to = None,
                None => self.finish(*id, known),
            }
        }
    }

    /// Open commands that the holder has not been asked to carry out yet; they count as asked from now on.
    pub fn pass_on(&mut self, holder: NodeId, term: Term) -> Vec<StoredCommand> {
        let to = Some((holder, term));
        let waiting = self.open.values_mut().filter(|open| open.passed_to != to);
        waiting
            .map(|open| {
                open.passed_to = to;
                open.command.clone()
            })
            .collect()
    }

    /// The holder did not answer: ask again.
    pub fn not_passed(&mut self, ids: &[CommandId]) {
        for id in ids {
            if let Some(open) = self.open.get_mut(id) {
                open.passed_to = None;
            }
        }
    }

    /// A notice that something is done may have been lost: the holder is asked again, and answers with what is done.
    pub fn doubt(&mut self) {
        for open in self.open.values_mut() {
            open.passed_to = None;
        }
    }

    /// Of these, the ones that are done here.
    #[must_use]
    pub fn done_among(&self, ids: &[CommandId]) -> Vec<CommandId> {
        ids.iter().filter(|id| self.done.contains(id)).copied().collect()
    }

    /// Of these, the ones that ended with an order known.
    #[must_use]
    pub fn ordered_among(&self, ids: &[CommandId]) -> Vec<CommandId> {
        ids.iter().filter(|id| self.ordered.contains(id)).copied().collect()
    }

    /// Whether a command is open that Telegram may count no more: what it counts comes again, to whoever polls.
    #[must_use]
    pub fn owed(&self) -> Owed {
        let mut owed = self.open.values().filter(|open| open.owed).peekable();
        if owed.peek().is_none() {
            Owed::Nothing
        } else if owed.all(|open| open.own && !open.keepers.is_empty()) {
            Owed::Shared
        } else {
            Owed::Orphaned
        }
    }

    /// What Telegram may count no more, was in hand of this node, in this life or an earlier one, and nobody else is known to keep: oldest first.
    #[must_use]
    pub fn only_here(&self, me: NodeId) -> Vec<StoredCommand> {
        let own = |open: &&Open| open.own || open.command.taken_by == me;
        let alone = self.open.values().filter(|open| open.owed && open.keepers.is_empty()).filter(own);
        let mut commands: Vec<StoredCommand> = alone.map(|open| open.command.clone()).collect();
        commands.sort_by_key(|command| command.update_id);
        commands
    }

    /// What the owner asked for last, as far as this node knows: the answer to it is on the screen. None where it may be something else, and
    /// after an order, whose result is on the screen or above what is.
    #[must_use]
    pub const fn last(&self) -> Option<&CommandContent> {
        self.last.as_ref()
    }

    /// Whether a reboot of the node was ordered, and is not through.
    #[must_use]
    pub fn reboots(&self, node: &NodeId) -> bool {
        let of = |stage: &Stage| matches!(stage, Stage::Rebooting { target, .. } if target == node);
        self.open.values().any(|open| of(&open.command.stage))
    }

    /// Whether any command is open.
    #[must_use]
    pub fn any_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// F6: whether this node, as a target, executed this id.
    #[must_use]
    pub fn is_executed(&self, id: &CommandId) -> bool {
        self.executed.contains(id)
    }

    /// F6: remembers that this node, as a target, executes this id. False where it did before.
    pub fn execute_once(&mut self, id: CommandId) -> bool {
        if self.is_executed(&id) {
            return false;
        }
        let _forgotten = push_bounded(&mut self.executed, id);
        self.dirty = true;
        true
    }

    /// F6: whether this node, as a target, refused this id as late.
    #[must_use]
    pub fn is_refused(&self, id: &CommandId) -> bool {
        self.refused.contains(id)
    }

    /// F6: remembers that this node, as a target, refuses this id as late, whoever asks.
    pub fn refuse(&mut self, id: CommandId) {
        if !self.is_refused(&id) {
            let _forgotten = push_bounded(&mut self.refused, id);
            self.dirty = true;
        }
    }

    /// The state file is to be written again: what stands in it beside the commands changed.
    pub const fn touch(&mut self) {
        self.dirty = true;
    }

    /// The state file's new content, once after each change.
    pub fn take_dirty(&mut self) -> Option<CommandsState> {
        core::mem::take(&mut self.dirty).then(|| CommandsState {
            format: STATE_FORMAT,
            open: self.open.values().map(|open| open.command.clone()).collect(),
            done: self.done.iter().copied().collect(),
            ordered: self.ordered.iter().copied().collect(),
            executed: self.executed.iter().copied().collect(),
            refused: self.refused.iter().copied().collect(),
            judge: JudgeState::empty(),
            more: self.more.clone(),
        })
    }

    fn insert(&mut self, open: Open) {
        self.dirty = true;
        self.open.insert(open.command.id, open);
    }

    /// With an order where one is known here, or was to whoever ended it.
    fn finish(&mut self, id: CommandId, ordered: bool) {
        let open = self.open.remove(&id);
        let ordered = open.as_ref().is_some_and(|open| is_order(&open.command.stage)) || ordered;
        if ordered && !self.ordered.contains(&id) {
            self.ordered.insert(id);
            self.dirty = true;
        }
        if !self.done.contains(&id) {
            self.last = open.map(|open| open.command.content).filter(|_| !ordered);
            if let Some(forgotten) = push_bounded(&mut self.done, id) {
                self.ordered.remove(&forgotten);
            }
            self.dirty = true;
        }
    }
}

#[cfg(test)]
mod tests;
